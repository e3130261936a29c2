#!/bin/bash
# SPDX-License-Identifier: MIT
# The mirror's address is found in every form that apt sources have, and no
# other archive's is taken for it.
set -u
here=$(dirname "$(readlink -f "$0")")
. "$here/../tap.sh"
. "$here/../vm/cache.sh"
. "$here/foreign.sh"
codename=$(. /etc/os-release && echo "$VERSION_CODENAME")
etc=$(mktemp -d)
trap 'rm -rf "$etc"' EXIT
mkdir "$etc/sources.list.d"

mirror() { (debian_mirror "$etc") 2>&1; }
expect() { check "$1" test "$(mirror)" = "$2"; }

check_red "red: no sources at all" "no source for $codename/main" mirror

echo "deb http://security.test/x $codename-security main
deb http://tools.test/x $codename stable
# deb http://old.test/x $codename main
deb-src http://source.test/x $codename main
deb cdrom:[Debian]/ $codename main
deb [arch=amd64 signed-by=/a/key.gpg] http://one.test/debian/ $codename main contrib" \
	>"$etc/sources.list"
expect "a list, with options" http://one.test/debian
rm "$etc/sources.list"

echo "deb   mirror+file:/etc/apt/mirrors.list   $codename   main" \
	>"$etc/sources.list.d/a.list"
expect "a list in the folder, with a mirror file" \
	mirror+file:/etc/apt/mirrors.list
rm "$etc/sources.list.d/a.list"

echo "# Debian
Types: deb
URIs: http://security.test/x
Suites: $codename-security
Components: main

Enabled: no
Types: deb
URIs: http://off.test/x
Suites: $codename
Components: main

Types: deb-src
URIs: http://source.test/x
Suites: $codename
Components: main

Types: deb deb-src
# a comment
URIs: http://two.test/debian
 http://three.test/debian
Suites: $codename $codename-updates
Components: main non-free-firmware
Signed-By: /a/key.gpg" >"$etc/sources.list.d/debian.sources"
expect "stanzas" http://two.test/debian

echo "Types: deb
URIs: http://four.test/debian
Suites:
 $codename-updates
 $codename
Components:
 main" >"$etc/sources.list.d/debian.sources"
expect "a stanza with its values on lines of their own" http://four.test/debian

finish
