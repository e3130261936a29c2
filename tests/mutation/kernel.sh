#!/bin/bash
# SPDX-License-Identifier: MIT
# Plants seeded single mutations (points.awk) in kernel/, one at a time in a copy,
# and runs the guest suites that use the file until one fails: a row that is not
# ok, a line in the kernel's log that should not be there, an object that is left,
# a guest that says nothing. Prints each survivor, and TAP.
# kernel.sh [COUNT [SEED]]
#
# What a mutation came to is kept in build/mutation/kernel.tsv, as library.sh does.
cd "$(dirname "$(readlink -f "$0")")/../.." || exit 1
. tests/tap.sh
. tests/kernel/kernels.sh
. tests/mutation/mutation.sh
count=${1:-50}
seed=${2:-1}

for_kernel stock-6.1-amd64 || exit 1
make -s modules >&2 || exit
copy=build/mutation/tree
logs=$PWD/build/mutation/log
rm -rf $copy
mkdir -p $copy "$logs"
cp -r kernel include $copy/
build_copy() {
	# shellcheck disable=SC2154 # for_kernel sets it
	make -s -C "$kdir" M="$PWD/$copy/kernel" KCFLAGS=-Wno-error modules \
		>"$logs/build" 2>&1
}
build_copy || exit

# suites_for FILE: of tests/kernel/guest.sh, the ones that know most of it first
suites_for() {
	case $1 in
	kernel/vb2*) echo camera ;;
	kernel/drm_*) echo display ;;
	kernel/resolver_*) echo plain nodes ;;
	kernel/*user*) echo user iommu ;;
	kernel/*region* | kernel/heap_reserved.c) echo reserved plain ;;
	kernel/nomap.c | kernel/pieces.c) echo reserved api ;;
	kernel/api.c | kernel/domain.c | kernel/window.c) echo api iommu ;;
	kernel/cache.c) echo swiotlb noncoherent iommu ;;
	kernel/copy.c) echo plain swiotlb ;;
	*) echo plain iommu masks ;;
	esac
}

# guest SUITE: with the modules that are in the copy
guest() {
	MODULE_DIR=$PWD/$copy/kernel GUEST_LOG=$logs/guest \
		GUEST_OPTIONS="--timeout 300" tests/kernel/guest.sh "$1" \
		>"$logs/tap" 2>&1 </dev/null
}

judge() {
	local suite
	build_copy || { echo refused && return; }
	for suite in $(suites_for "$1"); do
		guest "$suite" || { echo "killed $suite" && return; }
	done
	echo survived
}
plant() { mutated "$1" "$2" "$3" >"$copy/$1"; }
unplant() { cp "$1" "$copy/$1"; }

# Without a mutation none may fail, or every mutant would be killed by it.
for suite in ${SUITES-plain user iommu camera display reserved api swiotlb}; do
	check "$suite passes without a mutation" guest "$suite"
done
# shellcheck disable=SC2046 # words
mutate kernel "$count" "$seed" $(find kernel -maxdepth 1 -name '*.c' \
	! -name heap_device.c ! -name platform.c ! -name region_cma.c | sort)
figure mutants_kernel "$mutants"
figure mutants_kernel_killed_percent "$percent"
check "95 % of $mutants mutants are killed ($killed)" [ $((killed * 100)) -ge $((mutants * 95)) ]
finish
