#!/bin/bash
# SPDX-License-Identifier: MIT
# shellcheck disable=SC2317 # functions are called by check
# make install into a whole system and what a user then does. For the inside of
# a guest, whose root is its own; what it installs is built before:
#
#   make && tests/vm/run -- tests/install/guest.sh

cd "$(dirname "$0")/../.." || exit
. tests/tap.sh
. tests/unit/expect.sh

# It writes to /usr: never outside of a guest.
if [ ! -e /run/vm/settings ]; then
	echo "Bail out! this is no guest of tests/vm/run"
	exit 1
fi

kdir=$(tests/vm/headers 6.1-amd64) || exit
# -o: the module is built on the host, where that is faster.
words=(-o modules PREFIX=/usr KDIR="$kdir" DESTDIR=)
release=$(uname -r)
work=$(mktemp -d)
chmod 755 "$work"
unset LD_LIBRARY_PATH GST_PLUGIN_PATH GST_PLUGIN_PATH_1_0
export GST_REGISTRY=$work/registry

# depmod reads every module of the kernel, which takes minutes through the file
# system of a guest: leave it the few that are needed here.
mapfile -t needed < <(modprobe --show-depends vgem 2>/dev/null |
	sed -n 's/^insmod \([^ ]*\).*/\1/p')
mkdir "$work/modules"
cp "/lib/modules/$release"/modules.{order,builtin,builtin.modinfo} \
	"${needed[@]}" "$work/modules/"
mount -t tmpfs modules "/lib/modules/$release"
cp "$work/modules"/* "/lib/modules/$release/"
depmod

# The names in the folders that install touches (host.sh compares contents). The
# caches of ldconfig and depmod stay.
tree() {
	find /usr/bin /usr/include /usr/include/linux /usr/lib \
		/usr/lib/pkgconfig /usr/lib/*/gstreamer-1.0 \
		/usr/lib/udev/rules.d /usr/lib/modules-load.d \
		/usr/share /usr/share/man/man1 /usr/share/man/man3 /usr/share/man/man7 \
		/usr/share/bash-completion/completions \
		-maxdepth 1 2>/dev/null | sort -u
	find "/lib/modules/$release" -name 'modules.*' -prune -o -print | sort
	ls -d /usr/include/bufalloc /usr/share/bufalloc 2>/dev/null
}

quiet_make() {
	make "$@" >"$work/log" 2>&1 || {
		tail -n 20 "$work/log"
		return 1
	}
}

node_is() {
	local have
	have=$(stat -c '%U:%G %a' /dev/bufalloc)
	echo "$have"
	[ "$have" = "$1" ]
}

# as GROUPS COMMAND...: as a user who is in no group, or in these.
as() {
	local groups=$1
	shift
	if [ "$groups" = none ]; then
		setpriv --reuid 65534 --regid 65534 --clear-groups "$@"
	else
		setpriv --reuid 65534 --regid 65534 --groups "$groups" "$@"
	fi
}

loaded() {
	[ -d /sys/module/bufalloc ] && [ -c /dev/bufalloc ]
}

# The node as the udev rule leaves it, also where udev is not installed.
settle() {
	if [ -n "$udev" ]; then
		udevadm settle --timeout=30
	else
		chgrp video /dev/bufalloc
		chmod 660 /dev/bufalloc
	fi
}

tree >"$work/before"
check "install" quiet_make install "${words[@]}"

run bufalloc info
check "info before the module is loaded" all status_is 1 -- \
	err_is_one_line -- err_has "modprobe bufalloc" -- err_has "[ENOENT]"

if [ -x /lib/systemd/systemd-udevd ]; then
	udev=yes
	mkdir -p /run/udev
	/lib/systemd/systemd-udevd --daemon 2>"$work/udevd.log"
else
	udev=
fi

check "modprobe finds the module" modprobe bufalloc
check "its node is there" loaded

settle
if [ -n "$udev" ]; then
	check "udev: the node is for group video" node_is "root:video 660"
	check "udev: whoever sits at the machine is let in" \
		grep -q ':uaccess:' <(udevadm info -q property /dev/bufalloc)
	run udevadm test /sys/class/misc/bufalloc
	check "udev: reads the rule without complaint" all \
		err_has "60-bufalloc.rules" -- \
		test -z "$(grep -i '60-bufalloc.rules:.*\(invalid\|unknown\|error\|ignor\)' <<<"$err$out")"
else
	for name in "group video" "uaccess" "the rule"; do
		skip "udev: $name" "systemd-udevd is not installed"
	done
fi

modprobe -r bufalloc
if [ -x /lib/systemd/systemd-modules-load ]; then
	/lib/systemd/systemd-modules-load bufalloc.conf
	check "modules-load.d: the module is loaded at boot" loaded
else
	skip "modules-load.d" "systemd-modules-load is not installed"
	modprobe bufalloc
fi
settle

run bufalloc info
check "info" all status_is 0 -- err_is_empty -- out_has "heaps         system, contig" -- \
	out_has "/dev/bufalloc, root:video, mode 0660" -- out_has_no advice
run bufalloc info --json
check "info --json" all status_is 0 -- out_has '"usable": true'
check "the tool needs no LD_LIBRARY_PATH" \
	grep -q 'libbufalloc.so.0 => /' <(ldd /usr/bin/bufalloc)
check "the manual is found" man -w bufalloc bufalloc_alloc_bytes

run bufalloc alloc --size 8294400 --count 3
check "alloc: system" all status_is 0 -- err_is_empty -- \
	out_has "buffer 3:" -- out_has "8294400 bytes (7.9 MiB), heap system"
run bufalloc alloc --size 8294400 --heap contig
check "alloc: contig" all status_is 0 -- err_is_empty -- \
	out_has "heap contig, 1 run,"
run bufalloc alloc --size 1
check "alloc: whole pages" all status_is 0 -- out_has "4096 bytes,"

run bufalloc alloc --size 0
check "alloc: length 0" all status_is 1 -- out_is_empty -- \
	err_is_one_line -- err_has "length 0" -- err_has "[EINVAL]"
for heap in system contig; do
	run bufalloc alloc --size 1024G --heap $heap
	check "alloc: more $heap than there is memory" all status_is 1 -- \
		err_is_one_line -- err_has "1099511627776 bytes" -- \
		err_has "memory of this machine" -- err_has "[ENOMEM]"
done
# For a user whose limit this is: root's, as every user's.
limit=/sys/module/bufalloc/parameters/contig_limit_bytes
before=$(<$limit)
echo 1048576 >$limit
run bufalloc alloc --size 2M --heap contig
check "alloc: past the limit of contiguous memory" all status_is 1 -- \
	err_is_one_line -- err_has "2097152 bytes (2.0 MiB)" -- \
	err_has "may hold 1048576 bytes (1.0 MiB)" -- err_has $limit -- \
	err_has "[EDQUOT]"
echo "$before" >$limit

limited() {
	(ulimit -n 20 && bufalloc alloc --size 4K --count 100)
}
run limited
check "alloc: no file descriptor left" all status_is 1 -- \
	err_has "20 file descriptors" -- err_has "[EMFILE]"

killed() {
	local pid fd used=() i
	mkfifo "$work/in"
	exec {fd}<>"$work/in"
	used+=("$(bufalloc info | grep '^contig used')")
	bufalloc alloc --size 4M --heap contig --hold \
		<&"$fd" >"$work/out" 2>/dev/null &
	pid=$!
	for ((i = 0; i < 100; i++)); do
		[ -s "$work/out" ] && break
		sleep 0.1
	done
	used+=("$(bufalloc info | grep '^contig used')")
	kill -KILL "$pid"
	wait "$pid" 2>/dev/null
	exec {fd}>&-
	for ((i = 0; i < 10; i++)); do
		used[2]=$(bufalloc info | grep '^contig used')
		[ "${used[2]}" != "${used[0]}" ] || break
		sleep 0.1
	done
	printf '%s\n' "${used[@]}"
	[ "${used[1]}" != "${used[0]}" ] && [ "${used[2]}" = "${used[0]}" ]
}
check "alloc: what a killed client held is freed" killed

run as video bufalloc alloc --size 8294400 --heap contig
check "a user in group video" all status_is 0 -- err_is_empty -- out_has "1 run"
run as none bufalloc alloc --size 4K
check "a user outside of it: names the group" all status_is 1 -- \
	out_is_empty -- err_is_one_line -- err_has "members of group video" -- \
	err_has "usermod -aG video USER" -- err_has "[EACCES]"
run as none bufalloc info
check "a user outside of it: info" all status_is 1 -- \
	out_has "root:video, mode 0660" -- err_has "[EACCES]"
chmod 600 /dev/bufalloc
run as video bufalloc info
check "without the udev rule: names it" all status_is 1 -- \
	err_has 60-bufalloc.rules -- err_has "[EACCES]"
chmod 660 /dev/bufalloc

run bufalloc info --node /dev/null
check "another driver's node" all status_is 1 -- err_has "[ENOTTY]"
if modprobe vgem 2>/dev/null && [ -c /dev/dri/card0 ]; then
	# Its first ioctl is DRM_IOCTL_VERSION.
	run bufalloc info --node /dev/dri/card0
	check "a DRM node" all status_is 1 -- err_has "[ENOTTY]"
else
	skip "a DRM node" "no vgem in this guest"
fi

if command -v gst-inspect-1.0 >/dev/null; then
	run gst-inspect-1.0 bufalloc
	check "gst-inspect finds the element" all status_is 0 -- \
		out_has "bufalloc"
else
	skip "gst-inspect finds the element" "gst-inspect-1.0 is not installed"
fi

check "modprobe -r" modprobe -r bufalloc
check "uninstall" quiet_make uninstall "${words[@]}"
tree >"$work/after"
check "nothing is left, nothing is missing" diff "$work/before" "$work/after"
check "modprobe finds no module" eval '! modprobe bufalloc 2>/dev/null'

[ -z "$udev" ] || udevadm control --exit
rm -rf "$work"
finish
