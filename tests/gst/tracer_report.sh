#!/bin/bash
# SPDX-License-Identifier: MIT
# tracer_report.sh BUILD: what the tracer zerocopy writes, for pipelines whose frames
# are known: the table, JSON, the drawing, and what it says of wrong parameters.
# Uses the stand-in for the module. Prints TAP.
# shellcheck disable=SC2317 # check calls the functions
set -u
here=$(dirname "$(readlink -f "$0")")
build=$(readlink -f "$1")
# shellcheck source=tests/tap.sh
. "$here/../tap.sh"

export LD_LIBRARY_PATH="$build/tests/gst/fake"
export GST_PLUGIN_PATH="$build/gst-plugin:$build/tests/gst"
export GST_REGISTRY="${GST_REGISTRY:-$build/tests/gst/registry.bin}"
export GST_DEBUG_NO_COLOR=1 LC_ALL=C.UTF-8
unset GST_DEBUG GST_DEBUG_FILE
dir=$(mktemp -d) || exit 1
trap 'rm -rf "$dir"' EXIT
json=$dir/report.json

# traced PARAMETERS PIPELINE...: leaves what it printed in $dir/out and $dir/err
traced() {
	local parameters=$1
	shift
	rm -f "$json"
	GST_TRACERS="zerocopy($parameters)" timeout 60 gst-launch-1.0 "$@" \
		>"$dir/out" 2>"$dir/err" || { cat "$dir/err" && false; }
}
run() { traced "file=\"$json\"" "$@"; }
# said PATTERN [TIMES]: so many lines of the table match
said() {
	[ "$(grep -Ec -- "$1" "$dir/err")" = "${2:-1}" ] || { cat "$dir/err" && false; }
}
json_is() { jq -e "$1" "$json" >/dev/null || { cat "$json" && false; }; }
# verdict ELEMENT WORD
verdict() { json_is ".elements[] | select(.element == \"$1\") | .verdict == \"$2\""; }

small=video/x-raw,width=320,height=240
vga=video/x-raw,format=BGRx,width=640,height=480
test=(videotestsrc num-buffers=20)

check "a pipeline that passes frames on" run "${test[@]}" ! $vga ! queue ! tee name=t \
	! queue ! fakesink t. ! queue ! identity ! fakesink
check "the table has a line for each link" said ' -> .*:sink' 8
check "its first line says who made the frames" said \
	'^  videotestsrc0:src -> capsfilter0:sink +20 +1228800 +system +[0-9]+ +w +made by videotestsrc0$'
check "others say that the memory is the same" said \
	'^  queue0:src -> t:sink +20 +1228800 +system +[0-9]+ +- +same memory$'
check "the last line is the verdict" [ "$(tail -n 1 "$dir/err")" = \
	"zerocopy: no element copies frames." ]
check "it is printed once" said '^zerocopy: where the frames went' 1
check "the pipeline prints what it always did" grep -q '^Got EOS from element' "$dir/out"
check "JSON: the links" json_is '[.links[] | [.from, .pad, .to, .peer, .frames,
	.bytes, .outcome]][0] == ["videotestsrc0", "src", "capsfilter0", "sink", 20,
	24576000, "made"] and (.links | length) == 8'
check "JSON: frames add up" json_is '[.links[] |
	.made + .same + .copied + .converted + .device == .judged and .judged == 20] | all'
check "JSON: what elements do" json_is '[.elements[] | .verdict] | unique ==
	["makes", "passes", "takes"]'
check "JSON: nothing is copied" json_is '.copying_elements == 0 and .copied_bytes == 0'
check "JSON: which report, and by what" json_is '.report == 1 and
	.version == "0.1.0" and (.gstreamer | startswith("GStreamer 1."))'

check "frames that two have, and one writes to" run "${test[@]}" ! $vga ! tee name=t \
	t. ! fakesink async=false t. ! videobalance saturation=0.5 ! fakesink async=false
check "is a copy of each frame" json_is '.elements[] |
	select(.element == "videobalance0") | .copies == 20 and
	.copied_bytes == 24576000 and .verdict == "copies"'
check "the table says who, how often and how much" said \
	'^  COPY: videobalance0 \(videobalance\) copies 20 of 20 frames, 1228800 bytes \(1.2.MiB\) each, 24576000 bytes \(23.4.MiB\) in all\.$'
check "why" said '^        Why: it writes to frames that somebody else has, too'
check "and what to do" said '^        What to do: put videobalance0 before the tee'
check "its link says so, too" said \
	'^  videobalance0:src -> fakesink1:sink +20 +.*COPIED by videobalance0$'
check "the last line says how many copy" [ "$(tail -n 1 "$dir/err")" = \
	"zerocopy: 1 element copies frames, 24576000 bytes (23.4 MiB) in all." ]

check "a converter" run "${test[@]}" ! video/x-raw,format=I420,width=640,height=480 ! \
	videoconvert ! $vga ! fakesink
check "converts" verdict videoconvert0 converts
check "it is said from what to what" said \
	'^  no copy: videoconvert0 \(videoconvert\) makes BGRx 640x480 of I420 640x480, by the CPU: 20 frames\.$'
check "what was read and written is in the table" said \
	'^  capsfilter0:src -> videoconvert0:sink +20 +460800 +system +[0-9]+ +r +same'
check "a converter of nothing" run "${test[@]}" ! $vga ! videoconvert ! videoscale ! \
	$vga ! fakesink
check "passes on" verdict videoconvert0 passes
check "another size" run "${test[@]}" ! $vga ! videoscale ! \
	video/x-raw,width=800,height=600 ! fakesink
check "is a conversion" verdict videoscale0 converts
check "an effect" run "${test[@]}" ! $vga ! videoflip video-direction=180 ! fakesink
check "is no copy" verdict videoflip0 converts
check "in place" run "${test[@]}" ! $vga ! videobalance saturation=0.5 ! fakesink
check "the memory is the same, and was written to" json_is '.elements[] |
	select(.element == "videobalance0") | .verdict == "reads" and
	.in_place == 20 and .copies == 0'
check "a file" run "${test[@]}" ! $vga ! filesink location=/dev/null
check "is read by the CPU, and not copied" verdict filesink0 reads

check "a compositor of a large picture and a small one" run "${test[@]}" ! $vga ! \
	compositor name=c sink_1::xpos=100 ! fakesink videotestsrc num-buffers=20 \
	pattern=ball ! $small,format=BGRx ! c.
check "copies the one at the bottom" verdict c copies
check "a compositor of two small ones" run "${test[@]}" ! $vga ! compositor name=c \
	sink_0::width=320 sink_1::xpos=320 ! $vga ! fakesink videotestsrc \
	num-buffers=20 pattern=ball ! $small,format=BGRx ! c.
check "makes a picture" verdict c converts

head -c $((460800 * 10)) /dev/zero >"$dir/raw"
check "a file that is read in other pieces than frames" run filesrc \
	location="$dir/raw" blocksize=300000 ! queue ! rawvideoparse format=i420 \
	width=640 height=480 ! fakesink
check "is copied together" verdict rawvideoparse0 copies
check "dma-bufs" run "${test[@]}" ! $vga ! bufalloc ! fakesink
check "are named, with their inodes" json_is '.links[-1] | .memory == "dma-buf" and
	.dmabuf_frames == 20 and (.inodes | length) == .different and .different > 0'
check "the same ones on every link" json_is '[.links[].inodes | sort] | unique | length == 1'
check "elements in a bin" run "${test[@]}" ! $vga ! '(' queue ! videoconvert ! identity ')' \
	! '(' videoscale ! fakesink ')'
check "are linked to what is outside of it" json_is '[.links[] | .from + ">" + .to] ==
	["videotestsrc0>capsfilter0", "capsfilter0>queue0", "queue0>videoconvert0",
	"videoconvert0>identity0", "identity0>videoscale0", "videoscale0>fakesink0"]'
check "what is too small" run "${test[@]}" ! video/x-raw,format=GRAY8,width=64,height=64 ! \
	fakesink
check "is counted and not judged" json_is '.links[-1] | .frames == 20 and .judged == 0 and
	.outcome == "small"'
check "the table says that nothing was judged" said \
	'^zerocopy: no buffer of 65536 bytes or more was seen, so nothing was judged\.$'
check "sound" run audiotestsrc num-buffers=20 ! audioconvert ! fakesink
check "is no frame" json_is '.copying_elements == 0'
check "min-bytes" traced "file=\"$json\",min-bytes=1000" "${test[@]}" ! \
	video/x-raw,format=GRAY8,width=64,height=64 ! fakesink
check "is the smallest that is judged" json_is '.min_bytes == 1000 and .links[-1].judged == 20'
check "a pipeline without frames" run fakesrc num-buffers=0 ! fakesink
check "has a report all the same" json_is '.links == []'
check "an element whose name has quotes and a backslash" run "${test[@]}" \
	name='a"b\\c' ! $vga ! fakesink
check "is in JSON as it is" json_is '.links[0].from | test("^a\"b.*c$")'

check "the drawing" traced "dot=\"$dir/d.dot\",table=false" "${test[@]}" ! $vga ! \
	tee name=t t. ! fakesink async=false t. ! videobalance saturation=0.5 ! \
	fakesink async=false
check "table=false prints none" [ ! -s "$dir/err" ]
check "what copies is red" grep -q '"videobalance0.*copies 20 of 20", color=red' "$dir/d.dot"
check "so is its link, and no other" [ "$(grep -c -- '->.*color=red' "$dir/d.dot")" = 1 ]
check "each element is there once" [ "$(grep -c '^  e[0-9]* \[label' "$dir/d.dot")" = 6 ]
if command -v dot >/dev/null; then
	check "dot reads it" dot -Tsvg -o "$dir/by-hand.svg" "$dir/d.dot"
	check "svg= draws it" traced "svg=\"$dir/d.svg\",table=false" "${test[@]}" ! \
		$vga ! tee name=t t. ! fakesink async=false t. ! \
		videobalance saturation=0.5 ! fakesink async=false
	check "it is a picture with red in it" grep -q 'stroke="red"' "$dir/d.svg"
	check "nothing is left beside it" [ ! -e "$dir/d.svg.dot" ]
else
	for name in "dot reads it" "svg= draws it"; do
		skip "$name" "graphviz is not installed"
	done
fi
# A PATH without dot, but with what starts the pipeline.
mkdir "$dir/bin" && ln -s "$(command -v gst-launch-1.0)" "$dir/bin/"
without_dot() {
	PATH=$dir/bin GST_TRACERS="zerocopy(svg=\"$dir/none.svg\",table=false)" \
		gst-launch-1.0 -q "${test[@]}" ! fakesink 2>"$dir/err"
}
check "without dot the pipeline runs" without_dot
check "it is said what is missing, and what to do then" said \
	"^zerocopy: $dir/none.svg is not drawn, because the program dot cannot be run: install graphviz, then: dot -Tsvg -o $dir/none.svg $dir/none.svg.dot\$"
check "what dot would have drawn is there" grep -q '^digraph zerocopy' "$dir/none.svg.dot"

check "an unknown parameter" traced 'fil="x"' "${test[@]}" ! fakesink
check "is named, with those that there are" said \
	"^zerocopy: no parameter is called 'fil': there are file, dot, svg, table and min-bytes\$"
check "a number that is none" traced 'min-bytes=0' "${test[@]}" ! fakesink
check "is refused" said '^zerocopy: min-bytes is a number of bytes, 1 or more$'
check "a table that is neither true nor false" traced 'table=7' "${test[@]}" ! fakesink
check "is refused, too" said '^zerocopy: table is true or false$'
check "what cannot be read" traced 'file=' "${test[@]}" ! fakesink
check "is shown, with an example" said "^zerocopy: 'file=' is not understood: expected zerocopy\\(file="
# By another name: a device node would be gone for the whole machine.
mkfifo "$dir/fifo"
timeout 20 cat "$dir/fifo" >"$dir/from-fifo" &
check "a pipe" traced "file=\"$dir/fifo\"" "${test[@]}" ! fakesink
wait $!
check "is written to, not replaced" test -p "$dir/fifo"
check "by the whole report" jq -e '.report == 1' "$dir/from-fifo"
check "a file that cannot be written" traced "file=\"$dir/no/where\"" "${test[@]}" ! fakesink
check "is said" said "^zerocopy: .*$dir/no/where"

# What the tracer reads of the log, only who asked for it sees.
check "no debug output appears" traced 'table=false' "${test[@]}" ! $vga ! fakesink
check "not a line" [ ! -s "$dir/err" ]
logged() {
	GST_DEBUG=videotestsrc:5 GST_DEBUG_FILE=$dir/log traced 'table=false' "${test[@]}" ! \
		"$vga" ! fakesink && grep -q videotestsrc "$dir/log" &&
		! grep -q GST_PERFORMANCE "$dir/log"
}
check "what was asked for goes to its file" logged

# interrupted: by SIGINT, while frames run
interrupted() {
	local pid
	GST_TRACERS="zerocopy(file=\"$json\")" gst-launch-1.0 videotestsrc is-live=true ! \
		"$vga" ! fakesink sync=true >"$dir/out" 2>"$dir/err" &
	pid=$!
	for _ in $(seq 100); do
		grep -q '^New clock' "$dir/out" && break
		sleep 0.1
	done
	sleep 0.5
	kill -INT "$pid"
	wait "$pid"
}
rm -f "$json"
check "an interrupted pipeline" interrupted
check "has its report, once" said '^zerocopy: where the frames went' 1
check "with the frames so far" json_is '.links[-1].judged > 3'

leak_free() {
	GST_DEBUG=GST_TRACER:7 GST_TRACERS="leaks;zerocopy" timeout 60 gst-launch-1.0 -q \
		"$@" >"$dir/leaks" 2>&1 || { cat "$dir/leaks" && return 1; }
	! grep 'TRACE .*object-alive, ' "$dir/leaks"
}
check "no leak" leak_free "${test[@]}" ! $vga ! tee name=t ! queue ! videoconvert ! \
	video/x-raw,format=I420 ! fakesink t. ! queue ! bufalloc ! fakesink
two() {
	GST_TRACERS="zerocopy;zerocopy" gst-launch-1.0 -q "${test[@]}" ! fakesink 2>"$dir/err"
}
check "twice the same tracer" two
check "is said, and one works" said '^zerocopy: (it is there already|where the frames)' 2
finish
