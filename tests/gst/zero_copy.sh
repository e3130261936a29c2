#!/bin/bash
# SPDX-License-Identifier: MIT
# zero_copy.sh [VERSION]: the command lines of docs/pipelines.md, in a guest: with
# bufalloc no frame is copied, and without each is. VERSION is that of another
# GStreamer, 1.26 or 1.28; the plugin is the same binary. Prints TAP.
# shellcheck disable=SC2317 # check calls the functions
set -u
version=${1-}

# Outside: which of them passed is kept beside the logs, and the last says all.
if [ -z "${GST_IN_GUEST-}${ZERO_COPY_KEPT-}" ]; then
	passed=${BUFALLOC_LOG_DIR:-build/check/log}/gst-version-passed
	rm -f "$passed-${version:-1.22}"
	ZERO_COPY_KEPT=yes "$0" "$@"
	status=$?
	[ $status != 0 ] || : >"$passed-${version:-1.22}"
	[ "$version" != 1.28 ] || printf '# figure gst_versions_passing %s\n' \
		"$(cd "${passed%/*}" && printf '%s\n' "${passed##*/}"-* |
			sed 's/.*-//; s/\*/none/' | paste -sd,)"
	exit $status
fi

guest_name=zero-copy$version
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

application 20

# uvcvideo's own work is slow where the CPU is emulated
camera_usb
pipeline camera-usb 10
copies camera-usb 10

camera_hd 1
pipeline camera-display 30 '' contig

# unit_rows <TAP: the results of the unit tests as ours
unit_rows() {
	local line name='' said='' n=0 plan=none
	while read -r line; do
		if [[ $line = '#'* ]]; then
			said+=$line$'\n'
			continue
		fi
		[ -z "$name" ] || fail "$name" "$said"
		name=''
		case $line in
		'ok '*) pass "unit: ${line#* - }" && n=$((n + 1)) ;;
		'not ok '*) name="unit: ${line#* - }" said='' n=$((n + 1)) ;;
		1..*) plan=${line#1..} ;;
		esac
	done
	check "the unit tests: all of them" [ "$n" = "$plan" ]
}
if [ -n "$version" ]; then
	camera_vga
	pipeline camera-drm-format 30
	process 30
	[ "$version" != 1.26 ] || weston 30
	unit_rows < <(tests/gst/run_tests.sh "$build" 2>&1)
	finish
fi

figure pipelines_zero_copy "$(IFS=, && echo "${clean_ones[*]}")"
finish
