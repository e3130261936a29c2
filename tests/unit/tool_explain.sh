#!/bin/bash
# SPDX-License-Identifier: MIT
# shellcheck disable=SC2317 # functions are called by check and run
# bufalloc explain, and bufalloc alloc for devices. The module is a stand-in
# (fake_kernel.c); the guest tests use the real one.

cd "$(dirname "$0")/../.." || exit
. tests/tap.sh
. tests/unit/expect.sh

: "${B:=build}"
tool=$(realpath "$B/tools/bufalloc")
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
touch "$dir/node" "$dir/card0" "$dir/video0" "$dir/pci-0:1:w:index-1" "$dir/file"

bufalloc() {
	local name=$1
	shift
	env FAKE_NODE="$dir/node" LD_PRELOAD="$PWD/$B/tests/unit/fake_kernel.so" \
		"$tool" "$name" --node "$dir/node" "$@"
}

json_is() {
	python3 - "$1" "$out" <<'PYTHON'
import json, sys
want = json.loads(sys.argv[1])
have = json.loads(sys.argv[2])
def compare(where, want, have):
    if isinstance(want, dict):
        for key, value in want.items():
            compare(f"{where}.{key}", value, have.get(key, "missing"))
    elif isinstance(want, list) and len(want) == len(have):
        for i, value in enumerate(want):
            compare(f"{where}[{i}]", value, have[i])
    elif want != have:
        sys.exit(f"{where}: {have!r}, not {want!r}")
compare("", want, have)
PYTHON
}

# line REGEX: a line of the output is that
line() {
	grep -Eqx -- "$1" <<<"$out" && return
	echo "no line is $1"
	echo "stdout: $out"
	return 1
}

run bufalloc explain --device "$dir/video0:w" --device "$dir/card0:r" --size 8294400
check "a buffer exists: exit status" all status_is 0 -- err_is_empty
check "the table has the camera" line \
	'video0 +vivid +writes +v4l2-queue +32 bits +1 +none +coherent,could-bounce'
check "the table has the display" line \
	'card0 +vkms +reads +drm +- +- +- +needs-vmap,no-dma'
check "what is asked for" line '8294400 bytes \(7\.9 MiB\), heap auto'
check "the verdict names the device that decided" line \
	'bufalloc contig was chosen because video0 \(vivid\) takes one segment and has no IOMMU; video0 \(vivid\): mapped, 1 segment; card0 \(vkms\): mapped for the CPU, it needs no DMA'

run bufalloc explain --device "$dir/video0" --size 8294400 --heap system
check "no buffer exists: exit status 1" all status_is 1 -- err_is_one_line
check "the refusal names device, limit and way out" err_has \
	"system cannot be used: video0 (vivid) takes one segment, has no IOMMU and got 9; try heap auto [ENOSPC]"
check "the table is there all the same" line 'video0 +vivid +both .*'

run bufalloc explain --device "$dir/card0" --device "$dir/file" --size 4K
check "a file that is no device" all status_is 1 -- err_is_one_line -- \
	err_has "$dir/file is no device that bufalloc knows" -- \
	err_has "[ENODEV]" -- out_has "$dir/file unknown: ENODEV"

run bufalloc explain --device "$dir/missing:r" --size 4K
check "a node that is missing" all status_is 1 -- err_is_one_line -- \
	err_has "cannot open the device $dir/missing: No such file" -- \
	err_has "[ENOENT]" -- out_is_empty

for end in '' :r; do
	run bufalloc explain --device "$dir/pci-0:1:w:index-1$end" --size 4K
	check "a name with colons is a name, '$end' is not of it" all \
		status_is 1 -- err_has "$dir/pci-0:1:w:index-1 is no device"
done

many=()
for _ in $(seq 16); do many+=(--device "$dir/card0"); done
run bufalloc explain --size 4K "${many[@]}"
check "16 devices" all status_is 0 -- test "$(grep -c ^card0 <<<"$out")" = 16

run bufalloc explain --device "$dir/video0:w" --size 4K --attribute never-cpu
check "an attribute is granted" all status_is 0 -- err_is_empty -- \
	out_has "mapped, 1 segment; never-cpu: granted"
run bufalloc explain --device "$dir/video0:w" --device "$dir/card0:r" --size 4K \
	--attribute never-cpu --heap contig
check "an attribute that a device cannot live with" all status_is 1 -- \
	err_is_one_line -- err_has "no heap can be used: card0 (vkms) needs it mapped for the CPU, which the attribute never-cpu forbids; leave out the attribute or that device [ENOSPC]"

run bufalloc explain --size 4K
check "no devices" all status_is 0 -- out_has "no device was named"

run bufalloc explain --format NV12 --width 1920 --height 1080
check "a format: its layout" all status_is 0 -- err_is_empty -- line \
	'NV12 1920x1080 in lines of 1920 bytes, 3110400 bytes in 1 dma-buf'

# Without the module there may be others.
run env BUFALLOC_BACKEND=memfd "$tool" explain --size 4K
check "a backend that was asked for" all status_is 0 -- \
	line 'memfd was chosen; it is no dma-buf: no device can import it'
run env BUFALLOC_BACKEND=no-such "$tool" explain --size 4K
check "a backend that does not exist" all status_is 1 -- err_is_one_line -- \
	err_has "BUFALLOC_BACKEND" -- err_has "[EINVAL]"

if command -v python3 >/dev/null; then
	run bufalloc explain --device "$dir/video0:w" --device "$dir/card0:r" \
		--size 8294400 --json
	check "explain --json" all status_is 0 -- err_is_empty -- json_is '{
		"possible": true, "errno": "missing", "length": 8294400,
		"asked_heap": "auto", "heap": "contig", "tried_heaps": ["contig"],
		"backend": "bufalloc", "place": "contig", "tried": [{
			"backend": "bufalloc", "place": "contig",
			"errno": "missing"}],
		"layout": {"lengths": [8294400]},
		"reason": "one-segment", "device": 0, "runs": 1,
		"attributes": [], "devices": [{
			"access": "writes", "name": "video0", "driver": "vivid",
			"flags": ["coherent", "could-bounce"],
			"found": "v4l2-queue", "dma_mask": 4294967295,
			"max_segments": 1, "iommu": "none", "proof": "mapped",
			"segments": 1, "reason": "missing"
		}, {
			"access": "reads", "name": "card0", "driver": "vkms",
			"flags": ["needs-vmap", "no-dma"], "found": "drm",
			"max_segments": null, "proof": "vmapped"
		}]}'
	run bufalloc explain --device "$dir/video0" --size 4K --heap system --json
	check "explain --json of a refusal" all status_is 1 -- err_is_one_line -- \
		json_is '{
			"possible": false, "errno": "ENOSPC", "heap": "system",
			"reason": "one-segment", "device": 0, "runs": 0,
			"text": "system cannot be used: video0 (vivid) takes one segment, has no IOMMU and got 9; try heap auto",
			"devices": [{"proof": "none", "segments": 9,
				"errno": "ENOSPC", "reason": "one-segment"}]}'
	run bufalloc explain --device "$dir/card0" --size 4K --json \
		--attribute never-cpu
	check "explain --json of an attribute" all status_is 1 -- json_is '{
		"possible": false, "errno": "ENOSPC", "reason": "never-cpu",
		"device": 0}'
	run bufalloc explain --device "$dir/file" --size 4K --json
	check "explain --json without a device" all status_is 1 -- json_is '{
		"possible": false, "device": 0, "reason": "not-a-device",
		"devices": [{"info_errno": "ENODEV", "name": "missing"}]}'
	run bufalloc alloc --device "$dir/video0" --size 4K --json
	check "alloc --device --json" all status_is 0 -- out_has \
		'"verdict": "contig was chosen because video0 (vivid)'
else
	skip "explain --json" "python3 is not installed"
fi

# Worked out by hand from the definitions of the formats. Where the width is odd a
# line of luma is as long as one of chroma.
while read -r format width height bytes; do
	run bufalloc explain --format "$format" --width "$width" --height "$height"
	check "$format ${width}x$height is $bytes bytes" all status_is 0 -- \
		out_has "$bytes bytes"
done <<'EOF'
NV12 1920 1080 3110400
NV12 1279 719 1381120
NV21 640 480 460800
NV16 640 480 614400
NV24 640 480 921600
P010 1920 1080 6220800
YU12 1920 1080 3110400
YV12 1279 719 1381120
YU16 640 480 614400
YU24 640 480 921600
YUYV 1920 1080 4147200
UYVY 641 480 616320
XR24 1920 1080 8294400
AR24 1 1 4
XR30 2 2 16
RG24 640 480 921600
RG16 640 480 614400
GREY 640 480 307200
R8 640 480 307200
EOF

known=0 unknown=''
for format in $("$tool" explain --format none --width 2 --height 2 2>&1 |
	sed -n 's/.*one of \(.*\); see.*/\1/p'); do
	run bufalloc explain --format "$format" --width 64 --height 64
	[ "$status" = 0 ] && known=$((known + 1)) || unknown+=" $format"
done
check "the formats that are offered are known" test "$unknown,$((known > 20))" = ,1

run bufalloc alloc --device "$dir/video0:w" --device "$dir/card0:r" --size 4K --count 2
check "alloc --device: the verdict once" all status_is 0 -- err_is_empty -- \
	out_has "buffer 2:" -- out_has "contig was chosen because video0 (vivid)" -- \
	test "$(wc -l <<<"$out")" = 3
run bufalloc alloc --device "$dir/video0" --size 4K --heap system
check "alloc --device: the refusal" all status_is 1 -- out_is_empty -- \
	err_is_one_line -- err_has "got 9; try heap auto [ENOSPC]"

finish
