#!/bin/bash
# SPDX-License-Identifier: MIT
# shellcheck disable=SC2317,SC2016 # functions are called by check and run; sh expands
# bufalloc trace: the program gets the tracer, its signals and its status come
# through, and the reports are named. The plugin that is found is the one beside
# the tool.

cd "$(dirname "$0")/../.." || exit
. tests/tap.sh
. tests/unit/expect.sh

: "${B:=build}"
tool=$(realpath "$B/tools/bufalloc")
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
export GST_REGISTRY=$dir/registry.bin
export LD_LIBRARY_PATH=$PWD/$B/libbufalloc
unset GST_TRACERS GST_PLUGIN_PATH
pipeline=(gst-launch-1.0 -q videotestsrc num-buffers=5 ! fakesink)

run "$tool" trace --dot d --svg s --json j -- sh -c 'echo "$GST_TRACERS"'
check "the program gets the tracer" all out_has \
	'zerocopy(file="j",dot="d",svg="s")' -- status_is 0
run env GST_TRACERS=latency "$tool" trace --json j -- sh -c 'echo "$GST_TRACERS"'
check "behind those that were there" out_has 'latency;zerocopy(file="j")'
run env GST_PLUGIN_PATH=/some/folder "$tool" trace -- sh -c 'echo "$GST_PLUGIN_PATH"'
check "GStreamer's folders stay" out_has '/some/folder:'
run "$tool" trace -- sh -c 'echo "$1-$2"' name a 'b c'
check "arguments stay what they are" out_has 'a-b c'
run "$tool" trace sh -c 'echo --json'
check "-- may be left out" all out_has --json -- status_is 0

for want in 0 1 7 255; do
	run "$tool" trace -- sh -c "exit $want"
	check "exit status $want" status_is "$want"
done
run "$tool" trace -- sh -c 'kill -TERM $$'
check "a program that a signal ends" all status_is 143 -- \
	err_has "no report: the program was ended by signal 15"
run "$tool" trace -- true
check "a program that does not use GStreamer" all status_is 0 -- err_is_one_line -- \
	err_has "no report: the program does not use GStreamer, or" -- \
	err_has "gst-inspect-1.0 bufalloc"
run "$tool" trace -- gst-launch-0.1 videotestsrc
check "no GStreamer: which package has it" all status_is 1 -- err_is_one_line -- \
	err_has "gst-launch-0.1 was not found" -- err_has "gstreamer1.0-tools" -- \
	err_has "[ENOENT]"
run "$tool" trace -- "$dir"
check "a program that cannot be run" all status_is 1 -- err_is_one_line -- \
	err_has "$dir cannot be run" -- err_has "[EACCES]"
run "$tool" trace --json "$dir/no/where" -- true
check "an old report that cannot be removed is no report" all status_is 0 -- \
	err_has "no report"
mkdir "$dir/folder"
run "$tool" trace --json "$dir/folder" -- true
check "a folder is no report" all status_is 1 -- err_is_one_line -- \
	err_has "the report cannot be written [EISDIR]"

# passes_on SIGNAL: to the program, which ends by itself
passes_on() {
	local pid file=$dir/ready
	rm -f "$file"
	"$tool" trace -- bash -c "trap 'exit 42' $1; touch $file
		for _ in {1..50}; do sleep 0.1; done" 2>/dev/null &
	pid=$!
	for _ in $(seq 100); do
		[ -e "$file" ] && break
		sleep 0.05
	done
	kill -"$1" "$pid"
	wait "$pid"
	[ $? = 42 ]
}
for signal in TERM HUP; do
	check "SIG$signal goes to the program" passes_on $signal
done

if command -v gst-launch-1.0 >/dev/null; then
	run "$tool" trace -- "${pipeline[@]}"
	check "a pipeline: the table" all status_is 0 -- \
		err_has "zerocopy: where the frames went" -- \
		err_has "zerocopy: no element copies frames." -- out_is_empty
	run "$tool" trace --json "$dir/r.json" --dot "$dir/r.dot" -- "${pipeline[@]}"
	check "the reports are named" all status_is 0 -- \
		err_has "bufalloc: report: $dir/r.json" -- \
		err_has "bufalloc: drawing: $dir/r.dot"
	check "and there" grep -q '"copying_elements":0' "$dir/r.json"
	check "the drawing, too" grep -q '^digraph' "$dir/r.dot"
	echo old >"$dir/old.json"
	run "$tool" trace --json "$dir/old.json" -- true
	check "an old report is not taken for a new one" all \
		err_has "no report" -- test ! -e "$dir/old.json"
	mkfifo "$dir/fifo"
	timeout 20 cat "$dir/fifo" >"$dir/from-fifo" &
	run "$tool" trace --json "$dir/fifo" -- "${pipeline[@]}"
	wait $!
	check "a pipe is written to, and stays" all status_is 0 -- \
		test -p "$dir/fifo" -- grep -q '"report":1' "$dir/from-fifo"
	run "$tool" trace -- gst-launch-1.0 -q no-such-element
	check "a pipeline that is none: its status" status_is 1
	run env GST_PLUGIN_PATH= "$tool" trace -- gst-inspect-1.0 bufalloc
	check "the plugin beside the tool is found" status_is 0
	mkdir "$dir/elsewhere"
	cp "$B/tools/bufalloc" "$dir/elsewhere/"
	run env GST_REGISTRY="$dir/other.bin" \
		GST_PLUGIN_SYSTEM_PATH="$dir" "$dir/elsewhere/bufalloc" trace -- \
		gst-launch-1.0 --version
	check "without the plugin it is said how it is found" \
		err_has "GStreamer did not find the plugin libgstbufalloc.so"
else
	skip "a pipeline" "gst-launch-1.0 is not installed"
fi
[ -z "$(ls /tmp/bufalloc-trace.* 2>/dev/null)" ]
check "nothing is left in /tmp" [ $? = 0 ]
finish
