#!/bin/bash
# SPDX-License-Identifier: MIT
# fresh.sh demo|check: the README's command on a machine that has nothing: a new
# Debian 12 root with git and make, a clone of what is committed here, no cache.
# The kernel is the host's; all else is what a user meets. Needs root.
#
# shellcheck disable=SC2317 # check calls the functions
set -u
cd "$(dirname "$(readlink -f "$0")")/../.." || exit 1
. tests/tap.sh
command=${1?fresh.sh demo|check}
log=${BUFALLOC_LOG_DIR:-$PWD/build/check/log}/fresh-$command.log
mkdir -p "${log%/*}"

if [ "$(id -u)" -ne 0 ]; then
	skip "fresh $command" "needs root, for a root file system of its own"
	finish
fi

root=$(mktemp -d "${TMPDIR:-/var/tmp}/bufalloc-fresh.XXXXXX")
leave() {
	local dir
	for dir in proc sys dev/pts dev/shm dev; do
		umount -l "$root/$dir" 2>/dev/null
	done
	rm -rf --one-file-system "$root"
}
trap leave EXIT

make_root() {
	# The machine's own sources of packages, whatever they are.
	mmdebstrap --quiet --variant=minbase --include=git,make,ca-certificates \
		bookworm "$root" || return 1
	rm -rf "$root/etc/apt/sources.list" "$root/etc/apt/sources.list.d"
	cp -r /etc/apt/sources.list* "$root/etc/apt/" || return 1
	cp -r /etc/apt/apt.conf.d/. "$root/etc/apt/apt.conf.d/"
	cp -r /usr/share/keyrings/. "$root/usr/share/keyrings/"
	cp -L /etc/resolv.conf /etc/hosts "$root/etc/"
	mount -t proc proc "$root/proc" &&
		mount -t sysfs sysfs "$root/sys" &&
		mount --rbind /dev "$root/dev" &&
		mount --make-rslave "$root/dev" &&
		git clone -q . "$root/root/bufalloc"
}

# inside COMMAND...: in the clone, with the environment of a login.
inside() {
	chroot "$root" env -i HOME=/root TERM=dumb LANG=C.UTF-8 \
		PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin \
		sh -c 'cd /root/bufalloc && "$@"' sh "$@" </dev/null
}

# timed COMMAND...: sets $seconds and $status; the output goes to the log.
timed() {
	local start=$SECONDS
	inside "$@" >>"$log" 2>&1
	status=$?
	seconds=$((SECONDS - start))
}

: >"$log"
check "a fresh root with git and make" make_root
case $command in
demo)
	timed make demo
	check "make demo the first time" [ "$status" -eq 0 ]
	check "within 5 minutes (took $seconds s)" [ "$seconds" -le 300 ]
	figure demo_first_seconds "$seconds"
	timed make demo
	check "make demo again" [ "$status" -eq 0 ]
	check "within 90 s (took $seconds s)" [ "$seconds" -le 90 ]
	figure demo_again_seconds_fresh "$seconds"
	;;
check)
	timed env CI=true bash .ci/run
	check "CI from nothing" [ "$status" -eq 0 ]
	check "within 35 minutes (took $seconds s)" [ "$seconds" -le 2100 ]
	figure check_first_seconds "$seconds"
	timed make check
	check "make check again" [ "$status" -eq 0 ]
	check "within 15 minutes (took $seconds s)" [ "$seconds" -le 900 ]
	figure check_again_seconds "$seconds"
	;;
esac
check "the tree is clean" [ -z "$(inside git status --porcelain)" ]
grep -E '^[0-9]+ passed' "$log" | sed 's/^/# inside: /'
finish
