#!/bin/bash
# SPDX-License-Identifier: MIT
# shellcheck disable=SC2317 # functions are called by check
# drivers.sh [KERNEL]: the sample drivers outside of this tree: built from nothing
# but what `make install` leaves, by the commands of docs/driver-integration.md,
# and loaded in a guest on the modules that it installed.
set -u
cd "$(dirname "$(readlink -f "$0")")/../.." || exit 1
. tests/tap.sh
. tests/kernel/kernels.sh
# shellcheck source=tests/build/tree.sh
. tests/build/tree.sh
kernel=${1-stock-6.1-amd64}
for_kernel "$kernel" || exit 1
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
root=$dir/root
installed=$root/usr/src/bufalloc-$(sed -n 's/^VERSION := //p' Makefile)
mkdir "$dir/built"
mapfile -t samples < <(basename -s .c kernel/samples/bufalloc-*.c)

# The commands of the document, one a line.
mapfile -t commands < <(awk '/^## / { on = /outside/ } on && sub(/^    /, "")' \
	docs/driver-integration.md)

# as_written COMMAND...: run it, with what was installed below $root.
as_written() {
	local command=${1//\/usr\/src\//$root/usr/src/}
	# shellcheck disable=SC2016 # it is the document's
	command=${command//'/lib/modules/$(uname -r)/build'/$kdir}
	(cd "$dir/built" && unset MAKEFLAGS MAKELEVEL &&
		BUFALLOC=$installed bash -c "$command")
}

nothing_of_this_tree() {
	! grep -lF "$PWD" "$dir"/built/drivers/.*.cmd
}

all_built() {
	local name
	for name in "${samples[@]}"; do
		ls "$dir/built/drivers/$name.ko" || return
	done
}

check "make install-modules" quietly \
	make -s install-modules KDIR="$kdir" DESTDIR="$root"
check "three commands in the guide" test "${#commands[@]}" = 3
check "the guide: ${commands[0]}" quietly as_written "${commands[0]}"
mv "$installed"/[1-9]* "$dir/"
check_red "red: not installed for this kernel" "bufalloc was not installed for Linux" \
	as_written "${commands[1]}"
mv "$dir"/[1-9]* "$installed/"
check "the guide: ${commands[1]}" quietly as_written "${commands[1]}"
check "built: ${samples[*]}" all_built
check "built from what is installed, and nothing else" nothing_of_this_tree

# The IOMMU, because the device has 28 address lines; the clock, because it takes
# 100 ms for each 2 KiB.
log=${BUFALLOC_LOG_DIR:-build/check/log}/install-drivers-$kernel.guest.log
mkdir -p "${log%/*}"
tests/vm/run --kernel "$kernel" --timeout 300 --log "$log" \
	--append "intel_iommu=on iommu.strict=1" \
	--cpus 1 --accel tcg,thread=single --qemu "-icount shift=0,sleep=off" \
	--device intel-iommu,intremap=off --device edu,bus=pcie.0 --device edu,bus=pcie.0 \
	-- tests/install/drivers-in-guest.sh "$root" "$dir/built" "${commands[2]}" "${samples[@]}" \
	>"$dir/tap"
status=$?
while IFS= read -r line; do
	case $line in
	"ok "*) pass "${line#* - }" ;;
	"not ok "*) fail "${line#* - }" ;;
	1..*) ;;
	*) printf '%s\n' "$line" ;;
	esac
done <"$dir/tap"
check "the guest ran to its end" grep -q '^1\.\.' "$dir/tap"
check "nothing is wrong in its log" test "$status" -le 1

finish
