#!/bin/bash
# SPDX-License-Identifier: MIT
# guest.sh SUITE [PROGRAM...]: the library's programs of one suite (or only
# these), in one guest. Prints TAP.
#
#   module        stock 6.1, bufalloc.ko, a camera that works by the CPU
#   module-contig stock 6.1, bufalloc.ko, a camera that takes one segment
#   heaps         6.12 with dma-heaps, udmabuf and CMA, a camera that takes one
#                 segment, without bufalloc.ko
#   both          the same, with bufalloc.ko
#
# For controls: LIBRARY_DIR has another libbufalloc.so.0 than the one built here.
set -u
cd "$(dirname "$(readlink -f "$0")")/../.." || exit 1
suite=${1-}
kernel=peers-6.12-amd64
headers=6.12-peers
bufalloc=(bufalloc bufalloc-v4l2 bufalloc-drm)
others=(vgem vkms "vivid allocators=1")
append=cma=64M@0-4G
programs=(backends pools)

case $suite in
module)
	kernel=stock-6.1-amd64 headers=6.1-amd64 append=''
	others=(vgem vkms vivid)
	programs+=(examples)
	;;
module-contig)
	kernel=stock-6.1-amd64 headers=6.1-amd64 append=''
	;;
heaps)
	bufalloc=()
	programs+=(heaps examples)
	;;
both) ;;
*)
	echo "usage: guest.sh module|module-contig|heaps|both [PROGRAM...]" >&2
	exit 2
	;;
esac
[ $# -lt 2 ] || programs=("${@:2}")

make libtests >&2 || exit 1
arguments=()
if [ ${#bufalloc[@]} -gt 0 ]; then
	kdir=$(tests/vm/headers "$headers") || exit 1
	make modules KDIR="$kdir" >&2 || exit 1
	modules_dir=$PWD/$(make -s print-kmod KDIR="$kdir")/kernel
fi
for module in "${bufalloc[@]}"; do
	arguments+=(--module "$modules_dir/$module.ko")
done
for module in "${others[@]}"; do
	arguments+=(--module "$module")
done
logs=${BUFALLOC_LOG_DIR:-build/check/log}
mkdir -p "$logs"
exec tests/vm/run --kernel "$kernel" --mem 1536 --timeout 600 \
	--append "$append" "${arguments[@]}" \
	--log "$logs/lib-$suite.guest.log" -- \
	env LD_LIBRARY_PATH="${LIBRARY_DIR:-$PWD/build/libbufalloc}" \
	tests/kernel/in-guest.sh build "${programs[@]/#/lib/}"
