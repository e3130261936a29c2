#!/bin/bash
# SPDX-License-Identifier: MIT
# guest.sh SUITE: the test programs of one suite, in one guest. Prints TAP.
#
#   plain    everything that needs no special guest
#   swiotlb  a guest in which every DMA mapping bounces
set -u
cd "$(dirname "$(readlink -f "$0")")/../.." || exit 1
suite=${1-}
kernel=stock-6.1-amd64

case $suite in
plain)
	modules=(vgem vkms vivid)
	append=''
	programs=(abi alloc zero contig mmap lifetime import_drm import_v4l2
		import_v4l2:1)
	;;
swiotlb)
	modules=(ba_importer)
	append=swiotlb=force
	programs=(sync)
	;;
*)
	echo "usage: guest.sh plain|swiotlb" >&2
	exit 2
	;;
esac

make ktests test-modules >&2 || exit 1
kmod=$PWD/$(make -s print-kmod)
arguments=()
for module in bufalloc "${modules[@]}"; do
	case $module in
	bufalloc) module=$kmod/kernel/bufalloc.ko ;;
	ba_importer) module=$kmod/test-modules/ba_importer.ko ;;
	esac
	arguments+=(--module "$module")
done
logs=${BUFALLOC_LOG_DIR:-build/check/log}
mkdir -p "$logs"
exec tests/vm/run --kernel "$kernel" --mem 4096 --timeout 300 \
	--append "$append" "${arguments[@]}" \
	--log "$logs/kernel-$suite.guest.log" -- \
	env BUFALLOC_KO="$kmod/kernel/bufalloc.ko" \
	tests/kernel/in-guest.sh build "${programs[@]}"
