#!/bin/bash
# SPDX-License-Identifier: MIT
# deps.sh PURPOSE...: install the Debian packages that are missing from
# packages-PURPOSE.txt beside this script. Says nothing if there are none.
# The machine's apt configuration is used as it is.
set -u -o pipefail
here=$(dirname "$(readlink -f "$0")")

say() { printf 'deps: %s\n' "$*"; }
die() {
	printf 'deps: %s\n' "$*" >&2
	exit 1
}

command -v dpkg-query >/dev/null ||
	die "this is no Debian: install what scripts/packages-*.txt name yourself"

wanted=$(for purpose; do cat "$here/packages-$purpose.txt"; done |
	grep -v '^#' | sort -u) || exit 1
# shellcheck disable=SC2086 # one word a package
have=$(dpkg-query -W -f '${db:Status-Status} ${Package}\n' $wanted 2>/dev/null |
	sed -n 's/^installed //p' | sort -u)
mapfile -t missing < <(comm -23 <(echo "$wanted") <(echo "$have"))
[ ${#missing[@]} -gt 0 ] || exit 0

install=(apt-get install -y --no-install-recommends "${missing[@]}")
if [ "$(id -u)" != 0 ]; then
	say "packages are missing. As root, run:"
	printf '\n    apt-get update && %s\n\n' "${install[*]}"
	exit 1
fi

log=$(mktemp /tmp/bufalloc-deps.XXXXXX.log)
# apt_get ARGUMENT...: quietly; the whole output goes to the log.
apt_get() { DEBIAN_FRONTEND=noninteractive apt-get -q "$@" >>"$log" 2>&1; }
update() {
	say "reading the lists of packages (apt-get update, 10 s)"
	apt_get update || die "apt-get update failed: see $log"
}
# Old lists name files that the mirror has no more: then once more with new ones.
plan() { LC_ALL=C "${install[@]}" --simulate 2>>"$log"; }
apt-cache show "${missing[@]}" >/dev/null 2>&1 || update
simulated=$(plan) || { update && simulated=$(plan); } ||
	die "apt cannot install ${missing[*]}: see $log"

all=$(grep -c '^Inst ' <<<"$simulated")
sizes=$(LC_ALL=C apt-get install --assume-no --no-install-recommends \
	"${missing[@]}" 2>/dev/null | grep -E '^(Need to get|After)' |
	tr '\n' ' ')
say "installing with apt-get: ${missing[*]}"
say "with what they depend on $all packages. ${sizes:-}Log: $log"

# get_and_install: with a line each time that a tenth is done.
get_and_install() {
	DEBIAN_FRONTEND=noninteractive "${install[@]}" -q 2>&1 | tee -a "$log" |
		awk -v all="$all" '
			/^Fetched/ { print "deps: " $0 }
			/^Unpacking |^Setting up / {
				n++
				if (int(n * 5 / all) > int((n - 1) * 5 / all))
					print "deps: " int(n * 50 / all) " %"
				fflush()
			}'
}
get_and_install || { update && get_and_install; } ||
	die "apt-get install failed: see $log"
rm "$log"
