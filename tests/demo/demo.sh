#!/bin/bash
# SPDX-License-Identifier: MIT
# make demo as a user runs it, its report, and the figures that it gives.
#
# shellcheck disable=SC2317 # check calls the functions
set -u
cd "$(dirname "$(readlink -f "$0")")/../.." || exit 1
. tests/tap.sh
log=${BUFALLOC_LOG_DIR:-build/check/log}/make-demo.log
report=build/demo/report.json

# get FILTER [PIPELINE]: a value of the report, of a pipeline if one is named.
get() {
	jq -r --arg name "${2-}" \
		"(if \$name == \"\" then . else .pipelines[] | select(.name == \$name) end) | $1" \
		"$report"
}

# holds FILTER [PIPELINE]
holds() {
	[ "$(get "$@")" = true ]
}

# How long it takes depends on who else uses the machine: it is a figure here,
# and a check where the machine is its own (tests/fresh).
start=$SECONDS
make demo >"$log" 2>&1
status=$?
seconds=$((SECONDS - start))
[ "$status" -eq 0 ] || sed 's/^/# /' "$log"

check "make demo succeeds" [ "$status" -eq 0 ]
[ -e "$report" ] || finish
check "the report has its keys" holds '[keys[]] == (["kernel", "accel", "width", "height", "format", "pipelines", "picture_matches"] | sort)'
check "each pipeline has its keys" holds 'all(.pipelines[]; keys == (["name", "frames", "fps", "cpu_ms_per_frame", "copied_bytes_per_frame", "distinct_dmabufs", "same_dmabuf_camera_display", "attached_devices", "kernel_va_bytes"] | sort))'
check "three pipelines" holds '[.pipelines[].name] == ["mmap-copy", "v4l2-export", "bufalloc"]'
check "the picture matches" holds .picture_matches
check "frame.png is a picture of 1920x1080" \
	[ "$(ffprobe -v error -show_entries stream=width,height \
		-of csv=s=x:p=0 build/demo/frame.png)" = 1920x1080 ]
check "bufalloc copies nothing" holds '.copied_bytes_per_frame == 0' bufalloc
check "mmap-copy copies each frame" holds '.copied_bytes_per_frame == 8294400' mmap-copy
check "camera and display use the same dma-bufs" holds .same_dmabuf_camera_display bufalloc
check "at most 8 dma-bufs" holds '.distinct_dmabufs <= 8 and .distinct_dmabufs > 0' bufalloc
check "less CPU than with copies" [ "$(jq '[.pipelines[] | {(.name): .cpu_ms_per_frame}] | add | .bufalloc < .["mmap-copy"]' "$report")" = true ]

figure demo_again_seconds "$seconds"
figure copied_bytes_per_frame "$(get .copied_bytes_per_frame bufalloc)"
figure copied_bytes_per_frame_mmap_copy "$(get .copied_bytes_per_frame mmap-copy)"
figure distinct_dmabufs "$(get .distinct_dmabufs bufalloc)"
figure cpu_ms_per_frame_bufalloc "$(get .cpu_ms_per_frame bufalloc)"
figure cpu_ms_per_frame_mmap_copy "$(get .cpu_ms_per_frame mmap-copy)"
figure cpu_ms_per_frame_v4l2_export "$(get .cpu_ms_per_frame v4l2-export)"
finish
