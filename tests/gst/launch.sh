#!/bin/bash
# SPDX-License-Identifier: MIT
# launch.sh BUILD: what a user of gst-inspect-1.0 and gst-launch-1.0 sees, on a
# machine without the module or with the stand-in for it. Prints TAP.
# shellcheck disable=SC2317 # check calls the functions
set -u
here=$(dirname "$(readlink -f "$0")")
build=$(readlink -f "$1")
# shellcheck source=tests/tap.sh
. "$here/../tap.sh"

export GST_PLUGIN_PATH="$build/gst-plugin:$build/tests/gst"
export GST_REGISTRY="${GST_REGISTRY:-$build/tests/gst/registry.bin}"
export GST_DEBUG_NO_COLOR=1 LC_ALL=C
dir=$(mktemp -d) || exit 1
trap 'rm -rf "$dir"' EXIT

real() { LD_LIBRARY_PATH=$build/libbufalloc "$@"; }
fake() { LD_LIBRARY_PATH=$build/tests/gst/fake "$@"; }

# inspected PATTERN: gst-inspect says it, with ~ at the ends of lines
inspected() { grep -Eq -- "$1" "$dir/inspect"; }

real gst-inspect-1.0 bufalloc 2>&1 | tr '\n' '~' >"$dir/inspect"
check "gst-inspect: the plugin" inspected \
	'Version +0\.1\.0~ +License +LGPL~ +Source module +bufalloc~'
check "gst-inspect: what it is for" inspected \
	'Description +Gives the elements on both sides one dma-buf per frame'
while read -r name unit default; do
	check "gst-inspect: $name" inspected \
		"~  $name +: [^~]*${unit}[^~]*~[^~]*~[^~]*$default"
done <<'EOF'
device Path Default: "/dev/bufalloc"
extra-bytes Bytes Default: -1
devices Nodes Default: null
heap memory Default: 0, "auto"
min-buffers number Default: 2
stats numbers GstStructure
stride-align bytes Default: 1
attributes never-cpu Default: null
memories number Default: 0, "auto"
EOF
for heap in auto system contig reserved device; do
	check "gst-inspect: heap $heap" inspected "\\([01234]\\): $heap +- [^~]{20}"
done

# without MODULE-PATH: the pipeline ends at once, saying why and what to do
without() {
	! real timeout 20 gst-launch-1.0 videotestsrc ! bufalloc device="$1" ! \
		fakesink >"$dir/without" 2>&1 &&
		grep -q "ERROR: from element .*bufalloc0: $1 does not exist.*bufalloc.ko" \
			"$dir/without" && grep -q "$1: ENOENT (2)" "$dir/without"
}
check "no module: gst-launch says how to load it" without /dev/no-bufalloc

# leak-free PIPELINE...: no object is alive at exit
leak_free() {
	GST_DEBUG=GST_TRACER:7 GST_TRACERS=leaks fake timeout 60 gst-launch-1.0 \
		-q "$@" >"$dir/leaks" 2>&1 || { cat "$dir/leaks" && return 1; }
	! grep 'TRACE .*object-alive, ' "$dir/leaks"
}
caps=video/x-raw,format=NV12,width=640,height=480
check "no leak" leak_free \
	videotestsrc num-buffers=50 ! $caps ! bufalloc ! queue ! fakesink
check "no leak with frames that are not ours" leak_free \
	videotestsrc num-buffers=50 ! $caps ! identity drop-allocation=true ! \
	bufalloc ! fakesink
touch "$dir/anything"
check "no leak with frames that are imported" leak_free \
	videotestsrc num-buffers=50 ! $caps ! tee ! \
	bufalloc devices="$dir/anything" ! fakesink
check "no leak with frames that are copied" leak_free \
	videotestsrc num-buffers=50 ! $caps ! identity drop-allocation=true ! \
	bufalloc devices="$dir/anything" ! fakesink
check "no leak with two of them" leak_free \
	videotestsrc num-buffers=50 ! $caps ! bufalloc ! bufalloc heap=contig ! \
	fakesink
check "no leak with a converter on a branch" leak_free \
	videotestsrc num-buffers=50 ! $caps ! bufalloc stride-align=64 \
	extra-bytes=0 min-buffers=4 ! tee name=t ! queue ! fakesink t. ! \
	queue ! videoconvert ! video/x-raw,format=BGRx ! fakesink
finish
