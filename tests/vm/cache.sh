# shellcheck shell=bash
# SPDX-License-Identifier: MIT
# Sourced by the scripts beside it: things that are made once and kept.

BUFALLOC_CACHE=${BUFALLOC_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/bufalloc}

say() { printf '%s: %s\n' "${0##*/}" "$*" >&2; }
die() {
	say "$@"
	exit 1
}

# apt_get DIR PACKAGE...: download packages into DIR. Nothing is installed and
# the machine's own apt configuration says where they come from.
apt_get() {
	local dir=$1
	shift
	(cd "$dir" && apt-get -qq -o APT::Sandbox::User=root download "$@" >&2)
}

# cached NAME WHAT MAKER...: print the folder NAME-<hash> of the cache. MAKER is
# a function that fills the folder it is given, here as its last argument; WHAT
# is the text that says what goes in (versions). The hash is made from WHAT and
# from the text of MAKER, so a change of either makes a new folder.
#
# The folder is made under another name and renamed at the end: what has its
# final name is whole, also after a run that was killed.
cached() {
	local name=$1 what=$2 hash entry tmp
	shift 2
	hash=$({ declare -f "$1"; printf '%s\n' "$what" "$@"; } | sha256sum)
	entry=$BUFALLOC_CACHE/$name-${hash:0:16}
	if [ ! -d "$entry" ]; then
		mkdir -p "$BUFALLOC_CACHE" || die "cannot make $BUFALLOC_CACHE"
		(
			# One maker at a time; the second finds it done.
			flock 9
			[ -d "$entry" ] && exit 0
			rm -rf "$BUFALLOC_CACHE/$name".tmp.*
			tmp=$(mktemp -d "$BUFALLOC_CACHE/$name.tmp.XXXXXX")
			trap 'rm -rf "$tmp"' EXIT
			trap 'exit 1' INT TERM
			chmod 755 "$tmp"
			set -e -o pipefail
			"$@" "$tmp" >&2
			mv "$tmp" "$entry"
		) 9>"$BUFALLOC_CACHE/$name.lock"
		[ -d "$entry" ] || die "could not make $entry"
	fi
	printf '%s\n' "$entry"
}
