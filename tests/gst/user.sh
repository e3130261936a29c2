#!/bin/bash
# SPDX-License-Identifier: MIT
# Frames of elements that allocate for themselves, in a guest: vkms shows the very
# pages that videotestsrc wrote, or a copy, and the element says which. Prints
# TAP.
# shellcheck disable=SC2317 # check calls the functions
set -u
guest_name=user
guest_options=(--module vivid --module vkms)
# shellcheck source=tests/gst/guest.sh
. "$(dirname "$0")/guest.sh"

caps=video/x-raw,format=BGRx,width=1280,height=720,framerate=30/1
display=(kmssink driver-name=vkms sync=false force-modesetting=true)

# A tee drops the pool that is offered to it and passes on the alignment.
tee=(! tee name=t t. ! queue max-size-buffers=2 ! bufalloc ! "${display[@]}"
	t. ! queue ! fakevideosink sync=false)

check "videotestsrc, a tee, the display" launch tee 0 \
	videotestsrc num-buffers=60 ! "$caps" "${tee[@]}"
check "every frame is imported as it is" counted tee imported-frames 60
check "none is copied" counted tee copied-frames 0
check "the display gets dma-bufs only" saw tee '
	[.pads[] | select(.peer | startswith("kmssink"))] |
	length == 1 and .[0].frames == 60 and .[0].dmabuf_frames == 60'
check "a memory that comes again is the same dma-buf" saw tee '
	[.pads[] | select(.peer | startswith("kmssink"))][0].inodes |
	length >= 2 and length <= 8'
check "kmssink copies no frame" never tee 'frame copy'
check "the display imported one on trial" counted tee display imported
check "nothing to warn of" printed tee WARNING 0
check "all is freed" all_gone

# pinned PID: the kernel says so while it runs, and that an importer has them
pinned() {
	local _ pin
	for _ in $(seq 200); do
		pin=$(awk '/^VmPin:/ { print $2 }' "/proc/$1/status" 2>/dev/null)
		[ "${pin:-0}" -ge 3600 ] &&
			grep -q '^attachments [1-9]' /sys/kernel/debug/bufalloc/live &&
			return
		read -r -t 0.05 <> <(:)
	done
	echo "VmPin ${pin-}"
	cat /sys/kernel/debug/bufalloc/live
	return 1
}
GST_DEBUG=1 gst-launch-1.0 -q videotestsrc is-live=true ! "$caps" "${tee[@]}" \
	>"$dir/running.out" 2>&1 &
check "the process's own pages are pinned for the display" pinned $!
kill -KILL $!
wait $! 2>/dev/null
check "all of a killed pipeline is freed" all_gone

# A picture of the frames that the parser cuts out of a file.
gst-launch-1.0 -q videotestsrc num-buffers=10 ! "$caps" ! \
	filesink location="$dir/frames.raw"
check "a file, rawvideoparse, the display" launch file 0 -m \
	filesrc location="$dir/frames.raw" ! rawvideoparse format=bgrx width=1280 \
	height=720 framerate=30/1 ! bufalloc ! "${display[@]}"
check "its frames are copied" counted file copied-frames 10
check "and imported by the display" never file 'frame copy'
check "one warning, which names the element and the reason" printed file \
	'WARNING.*rawvideoparse0 sends memory of its own, and each frame of it is copied: its frames begin [0-9]+ bytes after the beginning of a page'
check "one message for applications" printed file \
	'bufalloc-copy, element=\(string\)rawvideoparse0, reason=\(string\)".*", errno=\(int\)22, size=\(guint64\)3686400'
check "all is freed after the copies" all_gone

check "nobody has a use for dma-bufs" launch nobody 0 \
	filesrc location="$dir/frames.raw" ! rawvideoparse format=bgrx width=1280 \
	height=720 framerate=30/1 ! bufalloc ! fakesink
check "its frames pass as they are" counted nobody copied-frames 0
check "and nothing is said" printed nobody WARNING 0

# A camera that writes each plane into a dma-buf of its own (V4L2's NM12).
nv12=video/x-raw,format=NV12,width=1920,height=1080
planes=(v4l2src device=/dev/video0 num-buffers=20 io-mode=dmabuf-import !
	"$nv12" ! bufalloc)
check "vivid with V4L2's multi-planar formats" vivid 0 multiplanar=2
check "a camera of several memories" launch planes 0 "${planes[@]}" ! fakesink
check "a dma-buf for each plane" logged planes 'INFO .*bytes in 2 memories, 1920x1080 NV12'
check "every frame is ours" counted planes own-frames 20
check "memories=n says the same" launch planes-n 0 "${planes[@]}" memories=n ! \
	fakesink
check_red "control: not with one dma-buf" 'status 1' launch one 0 \
	"${planes[@]}" memories=1 ! fakesink
check "all is freed after the camera" all_gone
finish
