#!/bin/bash
# SPDX-License-Identifier: MIT
# tracer.sh [VERSION]: the tracer zerocopy judges pipelines, most of them not ours,
# in a guest; the truth comes from outside. uprobes count, in the same run, each call of the C
# library's memcpy and memmove that moves more than 64 KiB, and each call of
# GStreamer's functions that copy a video frame line by line. VERSION is that of
# another GStreamer, 1.26 or 1.28; the tracer is the same binary. Prints TAP.
# shellcheck disable=SC2317 # check calls the functions
set -u
version=${1-}
guest_name=tracer$version
guest_options=(--module vivid --module vkms --timeout 560)
# shellcheck source=tests/gst/guest.sh
. "$(dirname "$0")/guest.sh"

# Dozens of programs begin here, and with a probe on every memcpy: none of them is
# to look through the plugins' files again.
export GST_REGISTRY_UPDATE=no
trace=/sys/kernel/tracing
[ -e "$trace"/uprobe_events ] || mount -t tracefs tracefs $trace

# probe LIBRARY FUNCTION...: count its calls from now on. rdx is the third
# argument of a function on amd64.
probe() {
	local name point points=' '
	while read -r name point; do
		# one function may have two names
		[[ $points != *" $point "* ]] || continue
		points+="$point "
		echo "p:copy/$name $point size=%dx:u64" >>"$trace"/uprobe_events ||
			return 1
		case $name in
		mem*) echo 'size > 65536' >"$trace"/events/copy/"$name"/filter ;;
		esac
	done < <(build/tests/gst/probe_points "$@")
	[ -e "$trace"/events/copy ] && echo 1 >"$trace"/events/copy/enable
}
check "memcpy and memmove are probed" probe libc.so.6 memcpy memmove mempcpy
check "the copies of video frames are probed" \
	probe libgstvideo-1.0.so.0 gst_video_frame_copy
# Only what this shell starts.
echo $$ >"$trace"/set_event_pid
echo 1 >"$trace"/options/event-fork

# outside: calls of these functions since the trace was emptied
outside() { grep -c ': .*size=' "$trace"/trace; }

# The controls of the counter: what moves no frame does not count; what moves one
# without GStreamer does.
silent() {
	echo >"$trace"/trace
	build/tests/gst/probe_points libc.so.6 memcpy >/dev/null
	[ "$(outside)" = 0 ] || { cat "$trace"/trace && return 1; }
}
check "a program that moves little counts for nothing" silent
seen() {
	echo >"$trace"/trace
	build/tests/gst/probe_points --copy 3
	[ "$(outside)" = 3 ] || { cat "$trace"/trace && return 1; }
}
check "three calls of memcpy count three times" seen

judged=0 false_positives=0 false_negatives=0 copying=0
caps=video/x-raw,width=640,height=480
frames=12

# judge NAME WANT PIPELINE...: WANT is what it is known to be, copy or none;
# counter and tracer are each compared with that, and so with each other.
judge() {
	local name=$1 want=$2 calls copies truth said
	shift 2
	echo >"$trace"/trace
	rm -f "$dir/$name.json"
	# shmsink of 1.22 posts this error at the end of the stream, traced or not
	GST_TRACERS="zerocopy(file=\"$dir/$name.json\",table=false)" \
		timeout 60 gst-launch-1.0 -q "$@" >"$dir/$name.out" 2>&1 ||
		grep -q 'gst_poll_wait returned -1, errno: 16' "$dir/$name.out" || {
		fail "$name runs" "$(tail -n 5 "$dir/$name.out")"
		return
	}
	calls=$(outside)
	copies=$(jq '[.elements[].copies] | add' "$dir/$name.json")
	truth=none said=none
	[ "$calls" -lt $((frames / 2)) ] || truth=copy
	[ "${copies:-0}" -lt $((frames / 2)) ] || said=copy
	judged=$((judged + 1))
	[ $truth = none ] || copying=$((copying + 1))
	if [ $truth = $said ]; then
		pass "$name: $said ($calls calls outside, $copies copies)"
	else
		fail "$name: $truth ($calls calls), but the tracer says $said" \
			"$(cat "$dir/$name.json")"
		[ $said = none ] && false_negatives=$((false_negatives + 1)) ||
			false_positives=$((false_positives + 1))
	fi
	[ $truth = "$want" ] || fail "$name is the pipeline that was meant" \
		"$calls calls of copying functions, but $want is wanted"
}

# names NAME ELEMENT: the tracer says that ELEMENT copies, and no other
names() {
	check "$1: $2 is the one" jq -e \
		"[.elements[] | select(.copies > 0) | .element] == [\"$2\"]" \
		"$dir/$1.json"
}
# word NAME ELEMENT VERDICT
word() {
	if jq -e "[.elements[] | select(.element == \"$2\") | .verdict] == [\"$3\"]" \
		"$dir/$1.json" >"$dir/word"; then
		pass "$1: $2 $3"
	else
		fail "$1: $2 $3" "$(cat "$dir/$1.json")"
	fi
}

check "vivid as vb2-vmalloc" vivid 0
# of 1280x720, and not interlaced: newer v4l2sinks mind
check "its HDMI output" v4l2-ctl -d /dev/video1 --set-output 1
full=video/x-raw,format=BGRx,width=1920,height=1080
camera=(v4l2src device=/dev/video0 "num-buffers=$frames")
display=(kmssink driver-name=vkms sync=false)
test=(videotestsrc "num-buffers=$frames")

# What copies.
judge camera-mmap copy "${camera[@]}" io-mode=mmap ! $full ! "${display[@]}"
names camera-mmap kmssink0
judge test-display copy "${test[@]}" ! $full ! \
	identity drop-allocation=true ! "${display[@]}"
names test-display kmssink0
judge shared-frames copy "${test[@]}" ! $caps ! tee name=t \
	t. ! fakesink async=false t. ! videobalance saturation=0.5 ! fakesink async=false
names shared-frames videobalance0
head -c $((460800 * frames)) /dev/zero >"$dir/raw"
judge chunks copy filesrc location="$dir/raw" blocksize=300000 ! queue ! \
	rawvideoparse format=i420 width=640 height=480 ! fakesink
names chunks rawvideoparse0
judge frames copy filesrc location="$dir/raw" ! \
	rawvideoparse format=i420 width=640 height=480 ! fakesink
names frames rawvideoparse0
judge camera-tee copy "${camera[@]}" io-mode=mmap ! $full ! tee name=t ! queue ! \
	"${display[@]}" t. ! queue ! fakesink
names camera-tee kmssink0
judge background copy "${test[@]}" ! $caps,format=BGRx ! compositor name=c \
	sink_1::xpos=100 ! fakesink videotestsrc num-buffers=$frames pattern=ball ! \
	video/x-raw,format=BGRx,width=320,height=240 ! c.
names background c
judge v4l2sink-mmap copy "${test[@]}" ! video/x-raw,format=YUY2,width=1280,height=720 ! \
	identity drop-allocation=true ! v4l2sink device=/dev/video1 sync=false
names v4l2sink-mmap v4l2sink0
judge shm-foreign copy "${test[@]}" ! $caps ! identity drop-allocation=true ! \
	shmsink socket-path="$dir/shm" shm-size=50000000 wait-for-connection=false sync=false
names shm-foreign shmsink0

# What does not.
judge camera-dmabuf none "${camera[@]}" io-mode=dmabuf ! $full ! "${display[@]}"
word camera-dmabuf kmssink0 takes
judge camera-bufalloc none "${camera[@]}" io-mode=dmabuf-import ! $full ! \
	bufalloc ! queue ! "${display[@]}"
judge dumb none "${test[@]}" ! $full ! "${display[@]}"
judge queues-tee none "${test[@]}" ! $caps ! queue ! tee name=t ! queue ! fakesink \
	t. ! queue ! identity ! fakesink
judge same-caps none "${test[@]}" ! $caps,format=I420 ! videoconvert ! videoscale ! \
	videorate ! $caps,format=I420 ! fakesink
word same-caps videoconvert0 passes
judge convert none "${test[@]}" ! $caps,format=I420 ! videoconvert ! \
	$caps,format=BGRx ! fakesink
word convert videoconvert0 converts
judge scale none "${test[@]}" ! $caps ! videoscale ! \
	video/x-raw,width=800,height=600 ! fakesink
word scale videoscale0 converts
judge flip none "${test[@]}" ! $caps,format=BGRx ! \
	videoflip video-direction=180 ! fakesink
word flip videoflip0 converts
judge side-by-side none "${test[@]}" ! $caps,format=BGRx ! compositor name=c \
	sink_0::width=320 sink_1::xpos=320 ! video/x-raw,width=640,height=480 ! \
	fakesink videotestsrc num-buffers=$frames pattern=ball ! \
	video/x-raw,format=BGRx,width=320,height=240 ! c.
word side-by-side c converts
judge jpeg none "${test[@]}" ! $caps,format=I420 ! jpegenc ! jpegdec ! fakesink
judge shm-own none "${test[@]}" ! $caps ! shmsink socket-path="$dir/shm2" \
	shm-size=50000000 wait-for-connection=false sync=false
judge file none "${test[@]}" ! $caps ! filesink location="$dir/out"
word file filesink0 reads

echo 0 >"$trace"/events/copy/enable
check "at least 12 were judged" [ $judged -ge 12 ]
check "a third of them or more copies ($copying of $judged)" [ $((copying * 3)) -ge $judged ]
figure tracer_pipelines_judged $judged
figure tracer_false_positives $false_positives
figure tracer_false_negatives $false_negatives
check "no false positive" [ $false_positives = 0 ]
check "no false negative" [ $false_negatives = 0 ]

# Each command line of the page runs, and shows what the page says.
page=docs/why-does-my-pipeline-copy.md
PATH=$PWD/build/tools:$PATH
page_line() {
	if ! eval "$1" >"$dir/page" 2>&1 || ! grep -Eq -- "$2" "$dir/page"; then
		cat "$dir/page"
		return 1
	fi
}
want=('COPY: kmssink0 .*KMSMemory' 'no element copies' 'no element copies'
	'COPY: v4l2sink0 .*V4l2Memory' 'COPY: videobalance0' 'no element copies')
mapfile -t lines < <(sed -n 's/^    \(bufalloc trace --\)/\1/p' $page)
check "the page has as many command lines as this knows" [ ${#lines[@]} = ${#want[@]} ]
for i in "${!want[@]}"; do
	check "page: ${lines[i]}" page_line "${lines[i]}" "${want[i]}"
done
finish
