#!/bin/bash
# SPDX-License-Identifier: MIT
# vivid.sh KDIR KMOD: build vivid as it is upstream, but for the diff in
# docs/driver-integration.md, against the headers in KDIR and the modules in KMOD.
# Prints the module's path.
set -eu
cd "$(dirname "$(readlink -f "$0")")/../.."
kdir=$1 kmod=$2 dir=$PWD/build/vivid
source=$(tests/vm/vivid)

rm -rf "$dir"
cp -r "$source" "$dir"
# The block of the document that changes this file.
awk '/^```diff$/ { text = ""; on = 1; next }
	/^```$/ { if (on && text ~ /vivid-core\.c/) printf "%s", text; on = 0 }
	on { text = text $0 "\n" }' docs/driver-integration.md >"$dir/vivid.diff"
patch -s -p1 -d "$dir" <"$dir/vivid.diff" >&2
make -s -C "$kdir" M="$dir" CONFIG_VIDEO_VIVID=m \
	KBUILD_EXTRA_SYMBOLS="$kmod/kernel/Module.symvers" \
	KCFLAGS="-I$PWD/include/kernel -I$PWD/include" modules >&2
echo "$dir/vivid.ko"
