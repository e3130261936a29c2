#!/bin/bash
# SPDX-License-Identifier: MIT
# guest.sh PROFILE [OPTIONS]: run the fuzzer in a guest, with these options of its
# (main.c). Prints TAP. What it finds is kept in the cache, and used by the next run; a
# guest that dies leaves its log and the last programs in a folder that is named.
#
# Each run adds to the number of programs that were run so far, in DIR/runs.tsv.
#
#   iommu    devices inside an IOMMU and one outside, memory that was set aside
#   bounce   every DMA mapping bounces
#
# FUZZ_KERNEL       the guest's kernel (faults-6.12-amd64)
# FUZZ_INSTRUMENT   what the modules are built for: kcov, gcov, or empty (kcov)
# FUZZ_DIR          where programs are kept
# FUZZ_CORPUS       programs to begin with, and nothing else
# FUZZ_MODULES      the folder of other modules, built for the same kernel
#
# shellcheck disable=SC2054 # the commas are QEMU's
set -u
cd "$(dirname "$(readlink -f "$0")")/../.." || exit 1
. tests/vm/cache.sh
profile=${1-}
kernel=${FUZZ_KERNEL-faults-6.12-amd64}
instrument=${FUZZ_INSTRUMENT-kcov}
dir=${FUZZ_DIR:-${BUFALLOC_CACHE:-$HOME/.cache/bufalloc}/fuzz}
parameters=''
append=''
iommu=()
case $profile in
iommu)
	parameters="reserved=32M@0x52000000,16M@0x0a000000"
	# shellcheck disable=SC2016 # the $ is the kernel's
	append='intel_iommu=on iommu.strict=1 memmap=32M$0x52000000 memmap=16M$0x0a000000'
	iommu=(--device intel-iommu,intremap=off)
	;;
bounce) append=swiotlb=force ;;
*)
	echo "usage: guest.sh PROFILE [OPTIONS]; see its first lines" >&2
	exit 2
	;;
esac

mkdir -p "$dir"
case $kernel in
faults-6.12-amd64) headers=6.12-faults ;;
peers-6.12-amd64) headers=6.12-peers ;;
*)
	echo "guest.sh: no kernel $kernel" >&2
	exit 2
	;;
esac
kdir=$(tests/vm/headers "$headers") || exit 1
make -s fuzzer test-modules KDIR="$kdir" INSTRUMENT="$instrument" >&2 || exit 1
kmod=$PWD/$(make -s print-kmod KDIR="$kdir" INSTRUMENT="$instrument")
modules_dir=${FUZZ_MODULES:-$kmod/kernel}

# The third and fourth of the devices are a camera's and a display's.
edu=(--device edu,bus=pcie.0,dma_mask=0xffffffffffffffff
	--device edu,bus=pcie.0 --device edu,bus=pcie.0 --device edu,bus=pcie.0
	--device pxb-pcie,bus_nr=0x20,id=pxb,bus=pcie.0,bypass_iommu=true
	--device pcie-root-port,id=port1,bus=pxb,chassis=1,slot=1
	--device edu,bus=port1,dma_mask=0xffffffffffffffff)
arguments=()
for module in "$modules_dir/bufalloc.ko $parameters" \
	"$modules_dir/bufalloc-v4l2.ko" "$modules_dir/bufalloc-drm.ko" \
	vgem vkms vivid vim2m "$kmod/test-modules/ba_importer.ko" \
	"$kmod/test-modules/ba_edu.ko dma_bits=64,28" \
	"$kmod/test-modules/ba_gem.ko" "$modules_dir/samples/bufalloc-camera.ko" \
	"$modules_dir/samples/bufalloc-display.ko"; do
	arguments+=(--module "$module")
done

ring=$dir/ring-$profile-$$
truncate -s 1M "$ring"
trap 'rm -f "$ring"' EXIT
log=${GUEST_LOG:-$dir/$profile-$$.guest.log}
if [ -n "${FUZZ_CORPUS-}" ]; then
	options="--corpus $FUZZ_CORPUS"
else
	options="--save $dir/corpus-$profile.txt"
	for file in tests/fuzz/corpus/*.txt "$dir/corpus-$profile.txt"; do
		[ ! -s "$file" ] || options+=" --corpus $PWD/$file"
	done
	options=${options//$PWD\/\//\/}
fi
options+=" ${2-}"
seconds=$(sed -n 's/.*--seconds \([0-9]*\).*/\1/p' <<<"$options")

said=$dir/said-$profile-$$
tests/vm/run --kernel "$kernel" --mem 2048 --timeout "$((${seconds:-600} + 600))" \
	--out "$dir" --log "$log" --append "$append" \
	--append "secretmem.enable=1 hugepages=8" \
	--qemu "-object memory-backend-file,id=ring,share=on,mem-path=$ring,size=1M" \
	"${iommu[@]}" "${edu[@]}" --device ivshmem-plain,memdev=ring,bus=pcie.0 \
	"${arguments[@]}" -- env BUFALLOC_KO="$modules_dir/bufalloc.ko" \
	CAMERAS=2 DISPLAYS=3 FUZZ_OPTIONS="$options" \
	tests/kernel/in-guest.sh build fuzz/fuzz | tee "$said"
status=${PIPESTATUS[0]}

# How many there were: what the guest said last, or what it left.
read -r programs imported <<<"$(sed -n \
	's/^# fuzz: programs \([0-9]*\) imported \([0-9]*\) .*/\1 \2/p' "$said")"
[ -n "${programs-}" ] ||
	read -r programs imported <<<"$(od -An -t u8 -N 16 "$ring" | tr -s ' ')"
rm -f "$said"
printf '%s\t%s\t%s\t%s\t%s\t%s\n' "$(date -u +%FT%T)" "$profile" "$kernel" \
	"${instrument:-blind}" "$programs" "$imported" >>"$dir/runs.tsv"
awk -F'\t' '{ programs += $5; imported += $6; if ($4 == "blind") blind += $5 }
	END { if (!programs) exit
		printf "# in all runs: %d programs, %d of them blind\n", programs, blind
		print "# figure fuzz_programs " programs
		printf "# figure fuzz_programs_reaching_import_percent %.1f\n",
			100 * imported / programs }' "$dir/runs.tsv"

if [ "$status" -gt 1 ]; then
	crash=$dir/crash-$profile-$(date +%s)
	mkdir -p "$crash"
	build/tests/fuzz/fuzz --ring "$ring" >"$crash/programs.txt"
	cp "$log" "$crash/guest.log"
	echo "# the guest died: see $crash"
	grep -aEm 5 'KASAN|BUG|WARNING|UBSAN|panic' "$log" | sed 's/^/# /'
fi
exit "$status"
