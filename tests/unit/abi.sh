#!/bin/bash
# SPDX-License-Identifier: MIT
# shellcheck disable=SC2317 # functions are called by check and run
# The kernel ABI has the same layout for every caller: sizes, offsets and
# numbers, on 64 bits and on 32 bits with both kinds of alignment of u64.

cd "$(dirname "$0")/../.." || exit
. tests/tap.sh

compile() {
	"$@" -std=c11 -Werror -Iinclude/uapi -fsyntax-only tests/unit/abi.c
}

# Can this compiler compile anything that includes system headers?
can() {
	echo '#include <stddef.h>
#include <linux/types.h>
#include <linux/ioctl.h>' | "$@" -xc -fsyntax-only - 2>/dev/null
}

check "native" compile cc
# Not cc -m32: its headers (gcc-multilib) exclude the other cross compilers.
if can i686-linux-gnu-gcc; then
	check "i386 (u64 aligned to 4 bytes)" compile i686-linux-gnu-gcc
else
	skip "i386 (u64 aligned to 4 bytes)" "i686-linux-gnu-gcc is not installed"
fi
if can arm-linux-gnueabihf-gcc; then
	check "armhf" compile arm-linux-gnueabihf-gcc
else
	skip "armhf" "arm-linux-gnueabihf-gcc is not installed"
fi
if can aarch64-linux-gnu-gcc; then
	check "arm64" compile aarch64-linux-gnu-gcc
else
	skip "arm64" "aarch64-linux-gnu-gcc is not installed"
fi

finish
