#!/bin/bash
# SPDX-License-Identifier: MIT
# The pipeline of the demo, in a guest: vivid fills our buffers and vkms shows
# the same ones. Prints TAP.
# shellcheck disable=SC2317 # check calls the functions
set -u
guest_name=pipeline
guest_options=(--module vivid --module vkms)
# shellcheck source=tests/gst/guest.sh
. "$(dirname "$0")/guest.sh"

caps=video/x-raw,format=BGRx,width=1920,height=1080
camera=(v4l2src device=/dev/video0 num-buffers=60)
# an emulated machine may be late, but no frame is to be left out
display=(kmssink driver-name=vkms sync=false)

# clean NAME FRAMES HEAP: nothing was copied, and everything is as it was before
clean() {
	local name=$1 frames=$2 heap=$3
	check "$name: every frame is a dma-buf on every link" saw "$name" "
		[.pads[] | .frames == $frames and .dmabuf_frames == $frames] |
		length == 3 and all"
	check "$name: every frame is in the same one at camera and display" \
		saw "$name" ".same_inode_frames == $frames and .eos"
	check "$name: at most 8 dma-bufs" saw "$name" '
		[.pads[].inodes | sort] | unique | length == 1 and
		(.[0] | length >= 3 and length <= 8)'
	check "$name: kmssink copies no frame" never "$name" 'frame copy'
	check "$name: v4l2src copies no frame" never "$name" 'slow copy'
	check "$name: our pool throws no buffer away" \
		never "$name" 'bufallocpool.*discarding'
	check "$name: one allocation for each dma-buf" counted "$name" allocations \
		"$(jq '.pads[0].inodes | length' "$dir/$name.json")"
	check "$name: all frames are ours" counted "$name" own-frames "$frames"
	check "$name: the CPU maps none" counted "$name" cpu-maps 0
	check "$name: the display imported one on trial" \
		counted "$name" display imported
	check "$name: heap $heap" counted "$name" heap "$heap"
	check "$name: nothing to warn of" printed "$name" WARNING 0
	check "$name: all is freed" all_gone
}

check "vivid as vb2-vmalloc" vivid 0
check "the pipeline runs" launch system 20 "${camera[@]}" \
	io-mode=dmabuf-import ! $caps ! bufalloc ! "${display[@]}"
clean system 60 system

# The control of the greps above.
check "control: mmap without bufalloc runs" launch mmap 20 "${camera[@]}" \
	io-mode=mmap ! $caps ! "${display[@]}"
copies=$(logged mmap 'frame copy')
check "control: kmssink copies each frame ($copies)" [ "$copies" -ge 60 ]
check "control: no frame is in one dma-buf" saw mmap '.same_inode_frames == 0'

check "a camera that ignores the pool" launch ignored 20 "${camera[@]}" \
	io-mode=mmap ! $caps ! bufalloc ! "${display[@]}"
check "it is said once, and what to set" printed ignored \
	'WARNING.*v4l2src0 was offered .*set io-mode=dmabuf-import on it'
check "its frames are counted" counted ignored foreign-frames 60

# A pipeline that dies leaves nothing behind.
GST_DEBUG=1 gst-launch-1.0 -q v4l2src device=/dev/video0 io-mode=dmabuf-import ! \
	$caps ! bufalloc ! "${display[@]}" >"$dir/killed.out" 2>&1 &
for _ in $(seq 100); do
	[ "$(cat /sys/module/bufalloc/refcnt)" -gt 4 ] && break
	sleep 0.1
done
check "a pipeline is killed while it runs" [ "$(cat /sys/module/bufalloc/refcnt)" -gt 4 ]
kill -KILL $!
wait $! 2>/dev/null
check "all of a killed pipeline is freed" all_gone

check "vivid as vb2-dma-contig" vivid 1
check "the pipeline runs with heap=contig" launch contig 20 "${camera[@]}" \
	io-mode=dmabuf-import ! $caps ! bufalloc heap=contig ! "${display[@]}"
clean contig 60 contig

check "with a queue on both sides" launch queues 20 "${camera[@]}" \
	io-mode=dmabuf-import ! $caps ! queue ! bufalloc heap=contig ! queue ! \
	"${display[@]}"
check "with queues: every frame is in the same dma-buf" \
	saw queues '.same_inode_frames == 60'
check "with queues: nothing to warn of" printed queues WARNING 0

# More than the user may have of contiguous memory.
echo 20000000 >/sys/module/bufalloc/parameters/contig_limit_bytes
check_red "the limit ends the pipeline" 'status 1' launch limit 20 \
	"${camera[@]}" io-mode=dmabuf-import ! $caps ! bufalloc heap=contig ! \
	"${display[@]}"
check "the limit is said" printed limit \
	'ERROR: from element .*bufalloc0: .*contig_limit_bytes'
check "all is freed after the error" all_gone
finish
