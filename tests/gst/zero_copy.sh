#!/bin/bash
# SPDX-License-Identifier: MIT
# The command lines of docs/pipelines.md, in a guest: with bufalloc no frame is
# copied, and without each is. Prints TAP.
# shellcheck disable=SC2317 # check calls the functions
set -u
guest_name=zero-copy
guest_options=(--module vivid --module vkms --module vim2m --module vicodec
	--module vhci-hcd --module uvcvideo --timeout 560)
# shellcheck source=tests/gst/guest.sh
. "$(dirname "$0")/guest.sh"
# shellcheck source=tests/gst/pipelines.sh
. tests/gst/pipelines.sh

camera_hd 0
pipeline camera-display 30
copies camera-display 30
check_red "control: such frames are in no dma-buf" . all_links \
	camera-display-stock '' 'all(.[]; .dmabuf_frames == .frames)'
pipeline camera-tee 30
copies camera-tee 30
check "control: who copies has mapped them ($stock_maps times)" \
	[ "$stock_maps" -ge 30 ]

camera_vga
pipeline camera-convert 30 v4l2convert0
check_red "control: those are two sets of dma-bufs" . all_links camera-convert '' \
	'all(.[]; .same)'
copies camera-convert 30
pipeline camera-codec 30 v4l2fwhtenc0-,v4l2fwhtdec0
copies camera-codec 30

pipeline memory-display 20 videotestsrc0-,bufalloc0
copies memory-display 20

# uvcvideo's own work is slow where the CPU is emulated
camera_usb
pipeline camera-usb 10
copies camera-usb 10

camera_hd 1
pipeline camera-display 30 '' contig

figure pipelines_zero_copy "$(IFS=, && echo "${clean_ones[*]}")"
finish
