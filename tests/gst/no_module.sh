#!/bin/bash
# SPDX-License-Identifier: MIT
# A board with dma-heaps and without bufalloc.ko, in a guest: the element's buffers
# come from a heap, and it says so once. Prints TAP.
# shellcheck disable=SC2317 # check calls the functions
set -u
guest_name=no-module
guest_without_module=yes
guest_options=(--kernel peers-6.12-amd64 --append cma=96M@0-4G
	--module vkms --module "vivid allocators=1")
# shellcheck source=tests/gst/guest.sh
. "$(dirname "$0")/guest.sh"

# The heap that is not "system": its name is the kernel's.
heap=$(find /dev/dma_heap -type c ! -name system -printf '%f')

# exported_by NAME RUN: full-HD buffers of that exporter were there
exported_by() {
	awk -v name="$1" '$1 >= 8294400 && $5 == name { n++ } END { exit !n }' \
		"$dir/$2.bufinfo" || { cat "$dir/$2.bufinfo" && false; }
}

caps=video/x-raw,format=BGRx,width=1920,height=1080
camera=(v4l2src device=/dev/video0 io-mode=dmabuf-import num-buffers=60)
display=(kmssink driver-name=vkms sync=false)

# look NAME PIPELINE...: a pipeline runs, and meanwhile NAME.bufinfo gets the
# kernel's own list of all dma-bufs
look() {
	local name=$1 pid
	shift
	GST_DEBUG=bufalloc:5 GST_DEBUG_FILE=$dir/$name.log timeout 60 \
		gst-launch-1.0 -v "$@" >"$dir/$name.out" 2>&1 &
	pid=$!
	until grep -q 'memory 0x' "$dir/$name.log" 2>/dev/null ||
		! kill -0 "$pid" 2>/dev/null; do read -r -t 0.05 <> <(:); done
	cat /sys/kernel/debug/dma_buf/bufinfo >"$dir/$name.bufinfo"
	wait "$pid"
}

check "bufalloc.ko is not there" [ ! -e /dev/bufalloc ]
check "vivid as vb2-dma-contig" vivid 1
check "the pipeline runs" launch heap 0 "${camera[@]}" ! $caps ! bufalloc ! \
	"${display[@]}"
check "all frames arrive" saw heap '.pads[-1].frames == 60 and .eos'
check "each in the camera's dma-buf" saw heap '.same_inode_frames == 60'
check "no frame is copied" never heap 'frame copy'
check "one warning in all" printed heap WARNING
check "it says what is missing and what to do" printed heap \
	"WARNING.*/dev/bufalloc does not exist.*modprobe bufalloc.*the buffers come from dma-heap"
check "the log has the verdict, once" [ "$(logged heap 'INFO .*dma-heap [a-z,]* was chosen')" = 1 ]
check "contiguous memory, which such a camera needs" never heap 'dma-heap system was chosen'

check "while it runs" look running "${camera[@]}" ! $caps ! bufalloc ! \
	"${display[@]}"
check "the kernel says that a dma-heap exports them" \
	exported_by "$heap" running

fails() { ! launch "$@"; }
check "a heap by name needs the module" fails named 0 "${camera[@]}" ! $caps ! \
	bufalloc heap=contig ! "${display[@]}"
check "and the error says so" grep -q \
	'ERROR.*a heap is asked for, which only bufalloc.ko has' "$dir/named.out"
finish
