#!/bin/bash
# SPDX-License-Identifier: MIT
# The module refuses kernels that it was never tried on, by a sentence that says
# what to do: below the floor, and above the ceiling unless one insists.
#
# shellcheck disable=SC2317 # check calls the function
set -u
here=$(dirname "$(readlink -f "$0")")
. "$here/../tap.sh"
. "$here/tree.sh"
kdir=$("$top/tests/vm/headers" 6.1-amd64) || exit 1

copy_tree versions

# as VERSION [WORD...]: compile one file as if the kernel were of that version.
as() {
	cp "$top/kernel/compat/compat.h" kernel/compat/compat.h
	sed -i "s/^#include <linux.version.h>/&\n#undef LINUX_VERSION_CODE\n#define LINUX_VERSION_CODE KERNEL_VERSION($1)/" \
		kernel/compat/compat.h
	grep -q "KERNEL_VERSION($1)" kernel/compat/compat.h || return 1
	make -s -C "$kdir" M="$PWD/kernel" "${@:2}" survey.o
}

check "6.1.0 is enough" as "6, 1, 0"
check_red "6.0 is not" "bufalloc needs Linux 6.1 or later" as "6, 0, 255"
check "7.2 is not too new" as "7, 2, 255"
check_red "7.3 is" "knows Linux up to 7.2; try KMAKE_FLAGS=" as "7, 3, 0"
check "one may insist" as "7, 3, 0" KCFLAGS=-DBUFALLOC_UNTESTED_KERNEL
finish
