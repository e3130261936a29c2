#!/bin/bash
# SPDX-License-Identifier: MIT
# shellcheck disable=SC2317 # functions are called by check and run
# bufalloc selftest: the report, as text and as JSON, and that each row of the
# module can fail. The module is a stand-in (fake_kernel.c), and so are the
# devices, which are files: that real ones import is shown in the guests.

cd "$(dirname "$0")/../.." || exit
. tests/tap.sh
. tests/unit/expect.sh

: "${B:=build}"
tool=$(realpath "$B/tools/bufalloc")
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
mkdir "$dir/by-id"
touch "$dir/node" "$dir/card0" "$dir/video0" "$dir/file"
ln -s ../video0 "$dir/by-id/usb-SERIAL4711-index0"

# selftest DEFECT OPTION...: in a module with that defect, or with none
selftest() {
	local defect=$1
	shift
	env FAKE_NODE="$dir/node" FAKE_DEFECT="$defect" \
		LD_PRELOAD="$PWD/$B/tests/unit/fake_kernel.so" \
		"$tool" selftest --node "$dir/node" --size 64K "$@"
}
camera=(--device "$dir/video0:w")
display=(--device "$dir/card0:r")

# row WHERE TEST RESULT TEXT: the report has that row
row() {
	local line
	printf -v line '%-19s %-39s %-4s' "$1" "$2" "$3"
	grep -F -- "$line" <<<"$out" | grep -qF -- "$4" && return
	echo "no row is: $line ... $4"
	echo "$out"
	return 1
}

last_line_is() {
	[ "$(tail -n 1 <<<"$out")" = "$1" ] && return
	echo "last line: $(tail -n 1 <<<"$out"), not $1"
	return 1
}

run selftest "" "${camera[@]}" "${display[@]}"
check "nothing failed" all status_is 0 -- err_is_empty -- out_has " 0 failed, "
check "the module" out_has "module        0.1.2, heaps system, contig; attributes never-cpu; contiguous: 8294400 bytes"
check "the machine" out_has "kernel        $(uname -r), $(uname -m), pages of"
check "the camera" grep -Eq "^$dir/video0 +other +vivid +writes +v4l2-queue +32 bits +1 +none +coherent,could-bounce" <<<"$out"
check "the display" grep -Eq "^$dir/card0 +other +vkms +reads +drm " <<<"$out"
for name in open "alloc system" "pattern contig" "zeroed system" "limit contig" \
	no-length no-heap too-long no-buffer no-device left; do
	check "module: $name" row module "$name" pass ""
done
check "the verdict" row "$dir/video0" "alloc auto" pass "contig was chosen because video0 (vivid) takes one segment"
check "a heap that it cannot use is no failure" row "$dir/video0" "alloc system" skip "got 9; try heap auto [ENOSPC]"
check "an attribute that it cannot have is none either" row "$dir/card0" "alloc auto,never-cpu" skip "[ENOSPC]"
check "what no CPU maps" row module "pattern contig,never-cpu" pass "the CPU is refused with EACCES"
check "what auto chose is not tested again" all out_has_no "$dir/video0 alloc contig " -- out_has "alloc contig"
check "a device that imports nothing here" row "$dir/card0" import skip "it has no interface here that imports pictures"
check "all together" row all "alloc auto" pass "contig was chosen because video0 (vivid)"
check "no interface imports it" row all "import auto" skip "0 of the devices can import now"
counts=$(tail -n 1 <<<"$out")
check "the last line counts the rows" last_line_is \
	"$(grep -Ec '^[^ ]+ +[a-z].{38} pass ' <<<"$out") passed, 0 failed, $(grep -Ec '^[^ ]+ +[a-z].{38} skip ' <<<"$out") skipped"

shape() {
	python3 - "$out" "$counts" <<'PYTHON'
import json, sys
have = json.loads(sys.argv[1])
num, text, flag = int, str, bool
kinds = [{"kind": text, "count": num}]
optional = lambda kind: (kind, type(None))
device = {"node": text, "access": text, "name": text, "driver": text,
    "flags": [text], "found": text, "dma_mask": num, "coherent_mask": num,
    "bus_limit": num, "max_segment": num, "segment_boundary": num,
    "max_segments": optional(num), "iommu": text, "iommu_granule": num,
    "asked": flag, "kind": text, "card": optional(text)}
row = {"where": text, "test": text, "queue": optional(text),
    "heap": optional(text), "result": text, "errno": optional(text),
    "ns": num, "text": text}
want = {"report": num, "tool_version": text, "length": num,
    "stopped": optional(text), "ns": num,
    "system": {"kernel": text, "machine": text, "page_size": num,
        "memory": num, "cma": num, "swiotlb": optional(num),
        "options": [text], "iommus": kinds, "iommu_groups": kinds,
        "dma_heaps": [text]},
    "module": {"usable": flag, "version": text, "heaps": [text],
        "attributes": [text], "max_length": num, "contig_limit": num,
        "contig_used": num, "resolvers": {"bufalloc-v4l2": flag,
        "bufalloc-drm": flag}},
    "devices": [device], "rows": [row],
    "passed": num, "failed": num, "skipped": num}
def compare(where, want, have):
    if isinstance(want, dict):
        if set(want) != set(have):
            sys.exit(f"{where}: members {sorted(set(want) ^ set(have))}")
        for key in want:
            compare(f"{where}.{key}", want[key], have[key])
    elif isinstance(want, list):
        for i, item in enumerate(have):
            compare(f"{where}[{i}]", want[0], item)
    elif not isinstance(have, want) or (want is num and isinstance(have, bool)):
        sys.exit(f"{where}: {have!r}")
buffer = {"heap": text, "length": num, "runs": num, "alloc_ns": num}
for item in have["rows"]:
    if item["test"] == "alloc":
        found = item.pop("buffer")
        if (found is not None) != (item["result"] == "pass"):
            sys.exit(f"buffer of {item}: {found}")
        if found is not None:
            compare("buffer", buffer, found)
compare("", want, have)
results = [item["result"] for item in have["rows"]]
line = "%d passed, %d failed, %d skipped" % tuple(
    results.count(r) for r in ("pass", "fail", "skip"))
if line != sys.argv[2] or have["report"] != 1 or (have["passed"],
        have["failed"], have["skipped"]) != tuple(
        results.count(r) for r in ("pass", "fail", "skip")):
    sys.exit(f"{line}, the text has {sys.argv[2]}")
PYTHON
}

if command -v python3 >/dev/null; then
	run selftest "" "${camera[@]}" "${display[@]}" --json
	check "--json: the shape that the manual page promises, and the rows of the text" \
		all status_is 0 -- err_is_empty -- shape
	run selftest dirty "${camera[@]}" --json
	check "--json: a failure" all status_is 1 -- out_has '"failed": 2' -- \
		out_has '"result": "fail"'
else
	skip "--json" "python3 is not installed"
fi

# Each row of the module, red.
while IFS='|' read -r defect name text; do
	run selftest "$defect" "${camera[@]}"
	check "red: $name ($defect)" all status_is 1 -- \
		row module "$name" FAIL "$text"
done <<'ROWS'
dirty|zeroed system|byte 4088 of a new buffer is not 0
dirty|zeroed contig|byte 4088 of a new buffer is not 0
forgetful|pattern system|byte 0 of 65536 is not what the CPU wrote there
private|mmap contig|a private mapping is not refused with EINVAL
cpu|pattern system,never-cpu|the CPU is not refused with EACCES
cpu|mmap system,never-cpu|is not refused with EACCES [EINVAL]
long|alloc system|its length is not what was asked for in whole pages
pieces|alloc contig|it is contiguous and in several pieces
inherited|alloc system|its descriptor is not close-on-exec
uncounted|limit contig|8294400 contiguous bytes are counted, not 8359936
leak|left|file descriptors more than before
any-length|no-length|a length of 0 is not refused with EINVAL
any-length|too-long|more than the machine has is not refused with ENOMEM
any-heap|no-heap|an unknown heap is not refused with EINVAL
any-file|no-buffer|a file that is no dma-buf is not refused with EINVAL
any-file|no-device|a file that is no device is not refused with ENODEV
ROWS

run selftest forgetful "${camera[@]}"
check "red: pattern of a device" row "$dir/video0" "pattern auto" FAIL \
	"byte 0 of 65536 is not what the CPU wrote there"
run selftest dry "${camera[@]}"
check "red: dry run and allocation differ" row "$dir/video0" "alloc auto" FAIL \
	"the dry run failed, then the allocation did not [EINTR]"

no_memory() {
	FAKE_ERRNO=12 selftest "" "${camera[@]}"
}
run no_memory
check "no memory: each row goes on" all status_is 1 -- \
	row module "alloc contig" FAIL "[ENOMEM]" -- \
	row "$dir/video0" "alloc auto" FAIL "[ENOMEM]" -- \
	row module left pass ""

run selftest "" --device "$dir/file" --device "$dir/missing"
check "a file that is no device, named" all status_is 1 -- \
	row "$dir/file" info FAIL "is no device that bufalloc knows" -- \
	out_has "[ENODEV]" -- out_has_no "$dir/file alloc"
check "a node that is missing, named" row "$dir/missing" open FAIL \
	"it cannot be opened: No such file or directory [ENOENT]"

run selftest "" --device "$dir/by-id/usb-SERIAL4711-index0:w" \
	--device "$dir/by-id/usb-SERIAL4711-missing"
check "no serial number" all out_has_no SERIAL4711 -- \
	row "$dir/video0" open pass "" -- row "a link by-id" open FAIL "[ENOENT]"
check "no name of the machine" out_has_no "$(uname -n)"

run "$tool" selftest --node "$dir/missing" --device "$dir/video0"
check "no module: a report all the same" all status_is 1 -- err_is_empty -- \
	out_has "module        not usable" -- \
	row module open FAIL "modprobe bufalloc" -- \
	last_line_is "0 passed, 1 failed, 0 skipped"
run "$tool" selftest --node "$dir/missing" --device "$dir/video0" --json
check "no module: --json" all status_is 1 -- err_is_empty -- \
	out_has '"usable": false' -- out_has '"errno": "ENOENT"'

full() {
	selftest "" "${camera[@]}" >/dev/full
}
run full
check "output that cannot be written" all status_is 1 -- err_has "[ENOSPC]"

# stopped SIGNAL: it ends by that signal, with its report.
stopped() {
	local pid status
	FAKE_NODE=$dir/node LD_PRELOAD=$PWD/$B/tests/unit/fake_kernel.so \
		"$tool" selftest --node "$dir/node" --size 64M "${camera[@]}" \
		>"$dir/out" &
	pid=$!
	for ((i = 0; i < 100; i++)); do
		grep -q '^module  *open' "$dir/out" && break
		sleep 0.05
	done
	kill -"$1" "$pid"
	wait "$pid"
	status=$?
	out=$(<"$dir/out")
	[ "$status" = $((128 + $(kill -l "$1"))) ] || {
		echo "status $status"
		return 1
	}
	out_has "stopped by SIG$1" && row module left pass ""
}
check "stopped by SIGTERM" stopped TERM
# A shell's children in the background ignore SIGINT: the guests stop it so.

finish
