# shellcheck shell=bash
# SPDX-License-Identifier: MIT
# Sourced by `run`: machine_ARCH says which emulator runs a kernel of this
# architecture (as Debian calls it), as which machine, where its console is and
# which folder is its root.
#
# shellcheck disable=SC2034,SC2154 # what they set is for `run`, which has $here

# The CPU has all that QEMU can emulate (SMEP and SMAP catch stray accesses)
# except the slow fifth level of page tables, and "fast" string instructions,
# which are emulated byte by byte and take 8 times as long to clear a page.
machine_amd64() {
	emulator=qemu-system-x86_64
	machine=(-machine q35 -cpu "max,la57=off,erms=off,fsrm=off")
	console=ttyS0
	guest_root=''
}

# Without an IOMMU; --qemu "-machine iommu=smmuv3" adds one.
machine_arm64() {
	emulator=qemu-system-aarch64
	machine=(-machine "virt,gic-version=3" -cpu cortex-a72)
	console=ttyAMA0
	guest_root=$("$here/root" arm64) || fail "no root for arm64"
}

# 32 bits, with all devices and at most 3 GiB of memory where those reach.
machine_armhf() {
	emulator=qemu-system-arm
	machine=(-machine "virt,highmem=off" -cpu cortex-a15)
	console=ttyAMA0
	guest_root=$("$here/root" armhf) || fail "no root for armhf"
}
