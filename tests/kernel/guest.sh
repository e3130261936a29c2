#!/bin/bash
# SPDX-License-Identifier: MIT
# guest.sh SUITE: the test programs of one suite, in one guest. Prints TAP.
#
#   plain       everything that needs no special guest
#   dma-contig  a camera that takes one segment, which it reaches everywhere
#   swiotlb     a guest in which every DMA mapping bounces
set -u
cd "$(dirname "$(readlink -f "$0")")/../.." || exit 1
suite=${1-}
kernel=stock-6.1-amd64
mem=4096
append=''

case $suite in
plain)
	modules=(bufalloc-v4l2 bufalloc-drm vgem vkms vivid)
	programs=(abi alloc zero contig mmap devices import_drm import_v4l2
		lifetime)
	;;
dma-contig)
	modules=(bufalloc-v4l2 bufalloc-drm vgem vkms "vivid allocators=1")
	mem=2048
	programs=(devices import_v4l2)
	;;
swiotlb)
	modules=(ba_importer)
	append=swiotlb=force
	programs=(sync)
	;;
*)
	echo "usage: guest.sh plain|dma-contig|swiotlb" >&2
	exit 2
	;;
esac

make ktests test-modules >&2 || exit 1
kmod=$PWD/$(make -s print-kmod)
arguments=()
for module in bufalloc "${modules[@]}"; do
	case $module in
	bufalloc*) module=$kmod/kernel/$module.ko ;;
	ba_importer) module=$kmod/test-modules/ba_importer.ko ;;
	esac
	arguments+=(--module "$module")
done
logs=${BUFALLOC_LOG_DIR:-build/check/log}
mkdir -p "$logs"
exec tests/vm/run --kernel "$kernel" --mem "$mem" --timeout 300 \
	--append "$append" "${arguments[@]}" \
	--log "$logs/kernel-$suite.guest.log" -- \
	env BUFALLOC_KO="$kmod/kernel/bufalloc.ko" \
	tests/kernel/in-guest.sh build "${programs[@]}"
