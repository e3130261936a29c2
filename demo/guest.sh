#!/bin/bash
# SPDX-License-Identifier: MIT
# guest.sh OUT: the part of the demo that runs in the guest. Runs the pipelines
# and leaves what the kernel and GStreamer say about them in the folder OUT;
# demo/run makes the table from that.
set -u -o pipefail
out=$1
# shellcheck source=/dev/null
. "$out/settings" # by demo/run
: "${frames:?}" "${timed_frames:?}" "${timings:?}" "${reference_pattern:?}"

# The registry was made a moment ago; looking at each plugin's file again takes
# a second over the shared file system.
export GST_REGISTRY_UPDATE=no

say() { printf '  %s\n' "$*"; }
die() {
	printf '  FAILED: %s\n' "$*"
	exit 1
}

caps=video/x-raw,format=BGRx,width=1920,height=1080
# Where the programs write while they run: memory, not the host's disk.
fast=/dev/shm/demo
mkdir -p "$fast"
bufinfo=/sys/kernel/debug/dma_buf/bufinfo
patience=40
pipelines="mmap-copy v4l2-export bufalloc"

# pipeline NAME FRAMES: the words of a pipeline for gst-launch-1.0.
pipeline() {
	local mode ours=
	case $1 in
	bufalloc | contig) mode=dmabuf-import ours="! bufalloc" ;;
	mmap-copy) mode=mmap ;;
	v4l2-export) mode=dmabuf ;;
	esac
	echo "v4l2src device=/dev/video0 io-mode=$mode num-buffers=$2" \
		"! $caps $ours ! kmssink driver-name=vkms"
}

# start NAME FRAMES WITNESS: start it in the background, as $running.
start() {
	# shellcheck disable=SC2046 # words
	GST_TRACERS="framewitness(out=\"$3\",first=100)" \
		gst-launch-1.0 $(pipeline "$1" "$2") >"$fast/gst.log" 2>&1 &
	running=$!
}

# finish NAME: wait for it, with a dot a second.
finish() {
	local quarters=0
	while kill -0 $running 2>/dev/null; do
		sleep 0.25
		[ $((++quarters % 4)) != 0 ] || printf .
		if [ $quarters = $((4 * patience)) ]; then
			printf '\n'
			grep -H . /proc/$running/task/*/stack
			die "the pipeline $1 hangs; above is where in the kernel"
		fi
	done
	printf '\n'
	if ! wait $running || grep -q ^ERROR "$fast/gst.log"; then
		sed 's/^/  /' "$fast/gst.log"
		die "the pipeline $1 stopped early"
	fi
}

# large_mappings: the bytes of kernel address space in mappings of a frame's
# size or more. What is already unmapped but not yet purged does not count.
large_mappings() {
	awk '$2 >= 8294400 && !/unpurged/ { sum += $2 } END { printf "%.0f\n", sum }' \
		/proc/vmallocinfo
}

# set_up_camera PATTERN: one of vivid's test patterns.
set_up_camera() {
	# A full-HD HDMI source, because vivid's webcam gives 5 frames a second
	# at this size; and a picture that stands still, without text.
	v4l2-ctl -d /dev/video0 --set-input 3 --set-dv-bt-timings "$timings" \
		>/dev/null 2>&1 || die "vivid does not take the timings $timings"
	v4l2-ctl -d /dev/video0 -c "test_pattern=$1,osd_text_mode=2"
	v4l2-ctl -d /dev/video0 -c horizontal_movement=3,vertical_movement=3
	v4l2-ctl -d /dev/video0 \
		--set-fmt-video=width=1920,height=1080,pixelformat=XR24
}

# record NAME: a run in which everything is recorded.
record() {
	local name=$1 trace=/sys/kernel/tracing
	printf '  1 %s: %s frames ' "$name" "$frames"
	echo >$trace/trace
	echo 1 >$trace/events/bufalloc_demo/enable
	: >"$fast/performance.log"
	GST_DEBUG_NO_COLOR=1 GST_DEBUG=GST_PERFORMANCE:6,kmssink:7 \
		GST_DEBUG_FILE=$fast/performance.log \
		start "$name" "$frames" "$out/$name.1.json"
	# All its buffers are in use by then, and the time is not yet measured.
	until [ "$(grep -c 'displaying fb' "$fast/performance.log")" -gt 30 ]; do
		kill -0 $running 2>/dev/null || finish "$name"
		sleep 0.2
	done
	cp $bufinfo "$fast/bufinfo"
	echo $(($(large_mappings) - mapped_before)) >"$out/$name.mapped"
	finish "$name"
	echo 0 >$trace/events/bufalloc_demo/enable
	cp "$fast/bufinfo" "$out/$name.bufinfo"
	cp $trace/trace "$out/$name.trace"
	cp "$fast/performance.log" "$out/$name.performance"
}

# grab: take the picture on the display with a program that is not ours.
grab() {
	start bufalloc -1 "$fast/grab.json"
	ffmpeg -nostdin -v error -y -device /dev/dri/card0 -f kmsgrab \
		-framerate 5 -i - -vf hwdownload,format=bgr0 -frames:v 1 \
		-f rawvideo "$fast/shown.raw" || die "kmsgrab could not take a picture"
	kill -0 $running || finish bufalloc
	kill -INT $running
	wait $running
	cp "$fast/shown.raw" "$out/"
}

# ffmpeg is read over the shared file system meanwhile: it has many libraries.
ffmpeg -version >/dev/null 2>&1 &

# First, while the memory is fresh: QEMU is very slow (seconds a frame) at the
# first write to memory that once held code, which moving other pages away for a
# contiguous buffer comes upon.
say "vivid with vb2-dma-contig, which takes one physical range, as many cameras"
set_up_camera 0
v4l2-ctl -d /dev/video0 --stream-mmap --stream-count=1 \
	--stream-to=/dev/null >"$fast/stock.log" 2>&1
dmesg | grep -m 1 -o 'vivid.*dma alloc of size.*' >"$out/stock-contig" ||
	echo "no failure: $(tail -n 1 "$fast/stock.log")" >"$out/stock-contig"
say "stock: $(cat "$out/stock-contig")"
printf '  the same line with bufalloc: 100 frames '
GST_DEBUG_NO_COLOR=1 GST_DEBUG=bufalloc:4 GST_DEBUG_FILE=$fast/contig.log \
	start contig 100 "$out/contig.1.json"
# Both at the same buffer: a blank line separates the buffers.
until awk -v RS= '/\tvivid/ && /\tvkms/ { found = 1 } END { exit !found }' \
	<(tee "$fast/bufinfo" <$bufinfo); do
	kill -0 $running 2>/dev/null || break
	sleep 0.2
done
finish contig
cp "$fast/bufinfo" "$out/contig.bufinfo"
grep -o 'contig was chosen because .*' "$fast/contig.log" >"$out/contig.verdict"
say "$(cat "$out/contig.verdict")"

say "vivid with vb2-vmalloc"
modprobe -r vivid
modprobe vivid allocators=0 || die "vivid cannot be loaded again"
say "the same picture, captured the stock way (v4l2-ctl --stream-mmap)"
set_up_camera "$reference_pattern"
v4l2-ctl -d /dev/video0 --stream-mmap --stream-count=1 \
	--stream-to="$fast/expected.raw" >/dev/null 2>&1 ||
	die "v4l2-ctl could not capture"
cp "$fast/expected.raw" "$out/"
set_up_camera 0

cat "$out/probes" >/sys/kernel/tracing/kprobe_events ||
	die "the kernel does not take the probes"
mapped_before=$(large_mappings)
say "three rounds; the first with the kernel's trace and GStreamer's log"
for name in $pipelines; do record "$name"; done
for round in 2 3; do
	for name in $pipelines; do
		printf '  %s %s: %s frames ' "$round" "$name" "$timed_frames"
		start "$name" "$timed_frames" "$out/$name.$round.json"
		finish "$name"
	done
done

say "the picture on the display, taken by ffmpeg's kmsgrab"
grab
