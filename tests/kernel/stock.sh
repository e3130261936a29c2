#!/bin/bash
# SPDX-License-Identifier: MIT
# The module in a guest with the distribution's own kernel. Prints TAP.
set -u
cd "$(dirname "$(readlink -f "$0")")/../.." || exit 1

make modules ktests >&2 || exit 1
ko=$PWD/$(make -s print-ko)
exec tests/vm/run --mem 4096 --timeout 300 --module "$ko" --module vgem \
	--module vkms --module vivid \
	--log "${BUFALLOC_LOG_DIR:-build/check/log}/kernel-stock.guest.log" -- \
	env BUFALLOC_KO="$ko" tests/kernel/in-guest.sh build \
	abi alloc zero contig mmap lifetime import_drm import_v4l2 \
	import_v4l2:1
