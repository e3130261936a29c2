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

# The same words for each camera: no heap is named.
line=("${camera[@]}" io-mode=dmabuf-import ! "$caps" ! bufalloc ! "${display[@]}")

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

# once NAME PATTERN: one line of GStreamer's log matches
once() {
	[ "$(logged "$1" "$2")" = 1 ] || {
		grep -E 'INFO +bufalloc ' "$dir/$1.log"
		false
	}
}

check "vivid as vb2-vmalloc" vivid 0
check "the pipeline runs" launch system 20 "${line[@]}"
clean system 60 system
check "the log says which heap, and how each device was proven" \
	once system 'INFO +bufalloc .*system was chosen: it is the cheapest heap, and all devices can use it; video0 \(vivid\): mapped for the CPU.*; vkms \(vkms\): mapped, [0-9]+ segment'

# The control of the greps above.
check "control: mmap without bufalloc runs" launch mmap 20 "${camera[@]}" \
	io-mode=mmap ! $caps ! "${display[@]}"
copies=$(logged mmap 'frame copy')
check "control: kmssink copies each frame ($copies)" [ "$copies" -ge 60 ]
check "control: no frame is in one dma-buf" saw mmap '.same_inode_frames == 0'

check "a camera that ignores the pool" launch ignored 20 "${camera[@]}" \
	io-mode=mmap ! $caps ! bufalloc ! "${display[@]}"
check "it is said once, and what to set" printed ignored \
	'WARNING.*v4l2src0 sends memory of its own, and each frame of it is copied: .*Set io-mode=dmabuf-import on it'
check "its frames are counted" counted ignored copied-frames 60
check "the display does not copy them once more" never ignored 'frame copy'

# A pipeline that dies leaves nothing behind.
GST_DEBUG=1 gst-launch-1.0 -q v4l2src device=/dev/video0 io-mode=dmabuf-import ! \
	$caps ! bufalloc ! "${display[@]}" >"$dir/killed.out" 2>&1 &
for _ in $(seq 100); do
	[ "$(users)" -gt 4 ] && break
	sleep 0.1
done
check "a pipeline is killed while it runs" [ "$(users)" -gt 4 ]
kill -KILL $!
wait $! 2>/dev/null
check "all of a killed pipeline is freed" all_gone

check "vivid as vb2-dma-contig" vivid 1
check "the same pipeline runs" launch auto 20 "${line[@]}"
clean auto 60 contig
check "the log says which heap, and because of which device" \
	once auto 'INFO +bufalloc .*contig was chosen because video0 \(vivid\) takes one segment and has no IOMMU; video0 \(vivid\): mapped, 1 segment; vkms \(vkms\): mapped, 1 segment$'
check "devices= instead of those that are found" launch devices 20 \
	"${camera[@]}" io-mode=dmabuf-import ! $caps ! \
	bufalloc devices=/dev/video0 ! "${display[@]}"
check "devices=: contig because of the camera" once devices \
	'INFO +bufalloc .*contig was chosen because video0 \(vivid\) .*: mapped, 1 segment$'
check_red "control: heap=system ends the pipeline" 'status 1' launch wrong 20 \
	"${camera[@]}" io-mode=dmabuf-import ! $caps ! bufalloc heap=system ! \
	"${display[@]}"
check "all is freed after the control" all_gone

check "the pipeline runs with heap=contig" launch contig 20 "${camera[@]}" \
	io-mode=dmabuf-import ! $caps ! bufalloc heap=contig ! "${display[@]}"
clean contig 60 contig

check "with a queue on both sides" launch queues 20 "${camera[@]}" \
	io-mode=dmabuf-import ! $caps ! queue ! bufalloc ! queue ! \
	"${display[@]}"
check "with queues: every frame is in the same dma-buf" \
	saw queues '.same_inode_frames == 60'
check "with queues: nothing to warn of" printed queues WARNING 0

# More than the user may have of contiguous memory.
echo 20000000 >/sys/module/bufalloc/parameters/contig_limit_bytes
check_red "the limit ends the pipeline" 'status 1' launch limit 20 "${line[@]}"
check "the limit is said, and who needs it" printed limit \
	'ERROR: from element .*bufalloc0: contig cannot be used: .*limit on contiguous memory is reached, and video0 \(vivid\) needs it.*contig_limit_bytes'
check "all is freed after the error" all_gone
finish
