#!/bin/bash
# SPDX-License-Identifier: MIT
# shellcheck disable=SC2317 # functions are called by check
# drivers-in-guest.sh ROOT WORK COMMAND SAMPLE...: the part of drivers.sh that runs in
# a guest. The modules that were installed below ROOT become this machine's own, and
# the samples are loaded from the folder WORK by COMMAND, which loads the camera.
set -u
cd "$(dirname "$(readlink -f "$0")")/../.." || exit 1
. tests/tap.sh
root=$1 work=$2 command=$3
shift 3
release=$(uname -r)
system=/lib/modules/$release

# depmod reads every module of the kernel, which takes minutes through the file
# system of a guest: leave it those that are needed here.
installed=$root/lib/modules/$release
mapfile -t needed < <(find "$installed" "$work" -name '*.ko' -exec modinfo -F depends {} + |
	tr ',' '\n' | sort -u | grep . | while read -r name; do
	modprobe --show-depends "$name" 2>/dev/null
done | sed -n 's/^insmod \([^ ]*\).*/\1/p' | sort -u)
mkdir /run/modules
cp "$system"/modules.{order,builtin,builtin.modinfo} "${needed[@]}" /run/modules/
mount -t tmpfs modules "$system"
cp /run/modules/* "$system/"
cp -r "$installed"/* "$system/"
depmod
cd "$work" || exit

# Each driver is for the same device: one for each, in their order.
devices=()
for device in /sys/bus/pci/devices/*; do
	[ "$(<"$device/vendor") $(<"$device/device")" = "0x1234 0x11e8" ] &&
		devices+=("$device")
done
number=0
for name; do
	echo "${name//-/_}" >"${devices[number++]}/driver_override"
done

is_loaded() {
	[ -d "/sys/module/${1//-/_}" ]
}

# What was loaded is what was installed: the kernel has its build ID.
is_the_installed() {
	local file
	file=$(find "$root" "$work" -name "$1.ko")
	cmp <(objcopy -O binary -j .note.gnu.build-id "$file" /dev/stdout) \
		"/sys/module/${1//-/_}/notes/.note.gnu.build-id"
}

for name; do
	line=${command//bufalloc-camera/$name}
	check "the guide: insmod drivers/$name.ko" bash -c "$line"
	check "$name is loaded" is_loaded "$name"
	check "$name is the one that was built" is_the_installed "$name"
done
for name in bufalloc bufalloc-v4l2; do
	check "$name came with it" is_the_installed "$name"
done

# Bars of 8 pixels that lean, in the camera's first picture.
bars() {
	awk 'BEGIN {
		split("191 0 191 0 191 0 191 0", blue)
		split("191 191 191 191 0 0 0 0", green)
		split("191 191 0 0 191 191 0 0", red)
		for (y = 0; y < 32; y++)
			for (x = 0; x < 64; x++) {
				bar = int((x + y) / 8) % 8 + 1
				print blue[bar], green[bar], red[bar], 255
			}
	}'
}

camera() {
	local node
	node=$(grep -lx bufalloc_camera /sys/class/video4linux/*/name) || return
	node=/dev/$(basename "${node%/name}")
	v4l2-ctl -d "$node" --stream-mmap --stream-count=1 --stream-to=/run/frame \
		--set-fmt-video=width=64,height=32,pixelformat=XR24 || return
	cmp <(bars) <(od -An -v -w4 -tu1 /run/frame | tr -s ' ' | sed 's/^ //')
}

# The display reads a picture of modetest's by DMA.
display() {
	local said connector mode
	said=$(modetest -M bufalloc-display -c) || return
	connector=$(awk '$3 == "connected" { print $1; exit }' <<<"$said")
	mode=$(awk '$1 == "#0" { print $2; exit }' <<<"$said")
	echo "connector $connector, mode $mode"
	modetest -M bufalloc-display -s "$connector:$mode" </dev/null
}

for name; do
	case $name in
	bufalloc-camera) check "the camera gives a picture" camera ;;
	bufalloc-display)
		if command -v modetest >/dev/null; then
			check "the display shows a picture" display
		else
			skip "the display shows a picture" "modetest is not installed"
		fi
		;;
	esac
done
for name; do
	check "rmmod $name" rmmod "$name"
done
finish
