#!/bin/bash
# SPDX-License-Identifier: MIT
# vivid.sh KDIR KMOD [sg]: build vivid as it is in the source of the kernel that KDIR
# is for, but for the diff in docs/driver-integration.md, against the headers in KDIR
# and the modules in KMOD. Prints the module's path.
#
# With sg its other allocator, which takes user pointers, is changed too, to
# bufalloc_vb2_sg_memops.
set -eu
cd "$(dirname "$(readlink -f "$0")")/../.."
kdir=$1 kmod=$2 dir=$2/vivid${3+-$3}
version=$(sed -n 's/^#define UTS_RELEASE "\([0-9]*\.[0-9]*\)\..*/\1/p' \
	"$kdir/include/generated/utsrelease.h")
source=$(tests/vm/driver-source "$version" drivers/media/test-drivers/vivid)

rm -rf "$dir"
cp -r "$source" "$dir"
# The block of the document that changes this file.
awk '/^```diff$/ { text = ""; on = 1; next }
	/^```$/ { if (on && text ~ /vivid-core\.c/) printf "%s", text; on = 0 }
	on { text = text $0 "\n" }' docs/driver-integration.md >"$dir/vivid.diff"
patch -s -p1 -d "$dir" <"$dir/vivid.diff" >&2
[ -z "${3-}" ] ||
	sed -i 's/&vb2_vmalloc_memops;/\&bufalloc_vb2_sg_memops;/' "$dir/vivid-core.c"
make -s -C "$kdir" M="$dir" CONFIG_VIDEO_VIVID=m \
	KBUILD_EXTRA_SYMBOLS="$kmod/kernel/Module.symvers" \
	KCFLAGS="-I$PWD/include/kernel -I$PWD/include" modules >&2
echo "$dir/vivid.ko"
