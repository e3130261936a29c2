#!/bin/bash
# SPDX-License-Identifier: MIT
# A display that imports no dma-bufs (bochs on 6.1), in a guest: kmssink copies
# each frame, and the element says so once. Prints TAP.
# shellcheck disable=SC2317 # check calls the functions
set -u
guest_name=refused
guest_options=(--device bochs-display --module bochs --module vivid)
# shellcheck source=tests/gst/guest.sh
. "$(dirname "$0")/guest.sh"

caps=video/x-raw,format=BGRx,width=1024,height=768
display=(kmssink driver-name=bochs-drm force-modesetting=true sync=false)

check "vivid as vb2-vmalloc" vivid 0
check "the pipeline runs all the same" launch refused 0 v4l2src \
	device=/dev/video0 io-mode=dmabuf-import num-buffers=40 ! $caps ! \
	bufalloc ! "${display[@]}"
check "all frames arrive" saw refused '.pads[-1].frames == 40 and .eos'
check "they are our buffers up to the display" \
	saw refused '.same_inode_frames == 40'
check "the display does copy" [ "$(logged refused 'frame copy')" -ge 40 ]
check "one warning in all" printed refused WARNING
check "it names the display and its driver" \
	printed refused 'WARNING.*kmssink0 \(driver bochs-drm\)'
check "it says what is refused, and the errno" printed refused \
	'WARNING.*imports no dma-bufs \(DRM_CAP_PRIME\): EOPNOTSUPP'
check "it says that frames are copied and what to do" \
	printed refused 'WARNING.*copy each frame.*use another display'
check "the refusal is in the statistics" counted refused display refused
check "the copies are in the statistics" counted refused cpu-reads '[3-9][0-9]'

check "behind a queue" launch queue 0 v4l2src device=/dev/video0 \
	io-mode=dmabuf-import num-buffers=40 ! $caps ! bufalloc ! queue ! \
	"${display[@]}"
check "the same warning, once" printed queue 'WARNING.*refuses bufalloc'
check "all is freed" all_gone
finish
