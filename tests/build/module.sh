#!/bin/bash
# SPDX-License-Identifier: MIT
# module.sh NAME: the module builds against the headers that tests/vm/headers
# calls NAME, with W=1 and without a word from compiler, objtool and modpost.
set -u
here=$(dirname "$(readlink -f "$0")")
. "$here/../tap.sh"
. "$here/tree.sh"

case $1 in
*-amd64) arch=x86_64 cross='' ;;
*-arm64) arch=arm64 cross=aarch64-linux-gnu- ;;
*-armmp) arch=arm cross=arm-linux-gnueabihf- ;;
*) echo "module.sh: what is the architecture of $1?" >&2 && exit 2 ;;
esac

said=$("$top/tests/vm/headers" "$1" 2>&1 >/dev/null) # the first time, makes them
kdir=$("$top/tests/vm/headers" "$1")
if [ -z "$kdir" ]; then
	reason=$(grep -o 'has moved on from .*' <<<"$said")
	if [ -n "$reason" ]; then
		skip "the module builds on $1" "the distribution $reason"
	else
		fail "the kernel headers $1 can be had" "$said"
	fi
	finish
fi
release=$(sed -n 's/.*UTS_RELEASE "\(.*\)"/\1/p' \
	"$kdir/include/generated/utsrelease.h")

copy_tree "module-$1"
build=(make -j2 modules KDIR="$kdir" ARCH="$arch" CROSS_COMPILE="$cross")

before=$(sources_now)
check "builds on $release with W=1, no warning" \
	quietly "${build[@]}" KMAKE_FLAGS=W=1
ko=$(find build/kmod -path '*/kernel/bufalloc.ko' | head -n 1)
check "the module is for $release" \
	grep -q "^vermagic=$release " <(modinfo -F vermagic "${ko:-none}" |
		sed 's/^/vermagic=/')
check "the sources are as they were" test "$before" = "$(sources_now)"

# The control: a warning that only W=1 gives.
printf '\nvoid bufalloc_planted(void);\nvoid bufalloc_planted(void)\n%s\n' \
	'{ int planted = 1; planted = 2; }' >>kernel/main.c
check_red "red: a planted warning of W=1" "planted.* set but not used" \
	quietly "${build[@]}" KMAKE_FLAGS=W=1

case $1 in
6.1-amd64)
	copy_tree "sparse-$1"
	sparse="C=2 CF=-D__CHECK_ENDIAN__"
	check "sparse finds nothing" quietly "${build[@]}" KMAKE_FLAGS="$sparse"
	printf '\n%s\n%s\n' 'u32 bufalloc_planted(__be32 in);' \
		'u32 bufalloc_planted(__be32 in) { return in; }' >>kernel/main.c
	check_red "red: a planted mix of byte orders" "incorrect type in return" \
		quietly "${build[@]}" KMAKE_FLAGS="$sparse"
	;;
esac

finish
