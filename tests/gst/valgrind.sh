#!/bin/bash
# SPDX-License-Identifier: MIT
# valgrind.sh BUILD: pipelines under valgrind, with the stand-in for the module:
# frames of ours, imported and copied ones, and memory that runs out. No error and
# no memory that is lost. Prints TAP.
# shellcheck disable=SC2317 # check calls the functions
set -u
here=$(dirname "$(readlink -f "$0")")
build=$(readlink -f "$1")
# shellcheck source=tests/tap.sh
. "$here/../tap.sh"

if ! command -v valgrind >/dev/null; then
	echo "1..0 # SKIP valgrind is not installed"
	exit 0
fi
export LD_LIBRARY_PATH="$build/tests/gst/fake"
export GST_PLUGIN_PATH="$build/gst-plugin:$build/tests/gst"
export GST_REGISTRY="${GST_REGISTRY:-$build/tests/gst/registry.bin}"
export G_SLICE=always-malloc
dir=$(mktemp -d) || exit 1
trap 'rm -rf "$dir"' EXIT
touch "$dir/anything"
gst-inspect-1.0 bufalloc >/dev/null # the registry is made without it

# clean STATUS PIPELINE...: gst-launch ends so, and valgrind finds nothing
clean() {
	local want=$1 status=0
	shift
	timeout 120 valgrind -q --leak-check=full --show-leak-kinds=definite \
		--errors-for-leak-kinds=definite --num-callers=30 \
		--error-exitcode=99 --log-file="$dir/valgrind" \
		--suppressions="$here/valgrind.supp" \
		--suppressions=/usr/share/glib-2.0/valgrind/glib.supp \
		gst-launch-1.0 -q "$@" >"$dir/out" 2>&1 || status=$?
	if [ "$status" != "$want" ] || [ -s "$dir/valgrind" ]; then
		echo "status $status"
		cat "$dir/out" "$dir/valgrind"
		return 1
	fi
}

caps=video/x-raw,format=NV12,width=64,height=64
source=(videotestsrc num-buffers=20 ! "$caps")
ours=(bufalloc devices="$dir/anything")
check "frames of ours" clean 0 "${source[@]}" ! "${ours[@]}" ! fakesink
check "a dma-buf for each plane" clean 0 "${source[@]}" ! "${ours[@]}" \
	memories=n attributes=contiguous ! fakesink
check "imported frames" clean 0 "${source[@]}" ! tee ! "${ours[@]}" ! fakesink
check "copied frames" clean 0 "${source[@]}" ! identity drop-allocation=true ! \
	"${ours[@]}" ! fakesink
check "frames that pass" clean 0 "${source[@]}" ! tee ! bufalloc ! fakesink
export BUFALLOC_FAKE_FAIL_ALLOC=2
check "no memory" clean 1 "${source[@]}" ! "${ours[@]}" ! fakesink
check "no memory to copy to" clean 1 "${source[@]}" ! \
	identity drop-allocation=true ! "${ours[@]}" ! fakesink
finish
