#!/bin/bash
# SPDX-License-Identifier: MIT
# witness.sh BUILD: what the tracer framewitness writes, for pipelines whose
# frames are known. Uses the stand-in for the module. Prints TAP.
# shellcheck disable=SC2317 # check calls the functions
set -u
here=$(dirname "$(readlink -f "$0")")
build=$(readlink -f "$1")

# shellcheck source=tests/tap.sh
. "$here/../tap.sh"

export LD_LIBRARY_PATH="$build/tests/gst/fake"
export GST_PLUGIN_PATH="$build/gst-plugin:$build/tests/gst"
export GST_REGISTRY="${GST_REGISTRY:-$build/tests/gst/registry.bin}"
dir=$(mktemp -d) || exit 1
trap 'rm -rf "$dir"' EXIT
json=$dir/witness.json

# run FIRST PIPELINE...: leaves $json
run() {
	local first=$1
	shift
	rm -f "$json"
	GST_TRACERS="framewitness(out=\"$json\",first=$first)" \
		timeout 60 gst-launch-1.0 -q "$@"
}

# interrupted PIPELINE...: the same, with a SIGINT after some frames; timeout
# would send it twice, and gst-launch survives one
interrupted() {
	local pid status=0
	rm -f "$json"
	GST_TRACERS="framewitness(out=\"$json\",first=0)" \
		gst-launch-1.0 "$@" >"$dir/out" &
	pid=$!
	until grep -q '^Setting pipeline to PLAYING' "$dir/out"; do
		kill -0 "$pid" 2>/dev/null || return 1
		sleep 0.1
	done
	sleep 1
	kill -INT "$pid"
	wait "$pid" || status=$?
	echo "status $status"
	[ "$status" = 0 ]
}

# says FILTER: the filter of jq is true for what was written
says() { jq -e "$1" "$json" >/dev/null || { cat "$json" && false; }; }

caps=video/x-raw,format=BGRx,width=320,height=240
check "a pipeline without dma-bufs runs" \
	run 100 videotestsrc num-buffers=300 ! queue ! fakesink
check "its links and frames are counted" says '
	[.pads[] | [.pad, .peer, .frames, .dmabuf_frames, .inodes]] == [
	["videotestsrc0:src", "queue0:sink", 300, 0, []],
	["queue0:src", "fakesink0:sink", 300, 0, []]]'
check "no frame is in the same dma-buf" says '.same_inode_frames == 0 and .eos'
check "the window has the frames after the first 100" \
	says '.window.first == 100 and .window.frames == 200'

check "a pipeline with our buffers runs" \
	run 10 videotestsrc num-buffers=60 is-live=true ! \
	$caps,framerate=60/1 ! bufalloc ! queue max-size-buffers=2 ! fakesink sync=true
check "every frame is a dma-buf on every link" \
	says '[.pads[] | .frames == 60 and .dmabuf_frames == 60] | all'
check "every frame is in the same one at both ends" \
	says '.same_inode_frames == 60'
check "the dma-bufs are few and the same on every link" says '
	([.pads[].inodes | sort] | unique | length) == 1 and
	(.pads[0].inodes | length | . >= 2 and . <= 8)'
check "the sequence of a link has each frame's dma-buf" says '
	all(.pads[]; (.sequence | length) == 60 and
		(.sequence | unique) == (.inodes | sort)) and
	([.pads[].sequence] | unique | length) == 1'
check "in the window the process has worked, but waited more" says '
	.window.process_us > 0 and
	.window.process_us / 1000 < .window.wall_ms * 0.8'
check "the window is as long as 50 frames take" says '
	.window.frames == 50 and .window.wall_ms > 500 and
	.window.wall_ms < 20000 and .window.cpu_ms >= 0'

check "a copy in the middle" \
	run 0 videotestsrc num-buffers=20 ! $caps ! bufalloc ! \
	videoconvert ! video/x-raw,format=I420 ! fakesink
check "shows as frames in no dma-buf" says '
	.same_inode_frames == 0 and .pads[0].dmabuf_frames == 20 and
	.pads[-1].dmabuf_frames == 0 and (.pads[-1].sequence | unique) == [0]'

check "a pipeline that is interrupted" \
	interrupted videotestsrc is-live=true ! $caps ! bufalloc ! fakesink
check "is written at exit" says '
	.eos == false and
	.same_inode_frames >= 5 and
	.same_inode_frames == .pads[-1].frames'
finish
