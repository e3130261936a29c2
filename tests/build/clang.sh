#!/bin/bash
# SPDX-License-Identifier: MIT
# clang.sh NAME: what gcc builds, clang builds without a word: the module, against
# the headers that tests/vm/headers calls NAME, and library, tool, plugin and test
# programs. Both check the same source, and each sees what the other does not.
#
# Debian's kernels are built with gcc, and so are ours: clang-cc says what that
# means. 7.2 asks for a newer clang than Debian 12 has (scripts/min-tool-version.sh).
#
# shellcheck disable=SC2317 # check calls the function
set -u
here=$(dirname "$(readlink -f "$0")")
. "$here/../tap.sh"
. "$here/tree.sh"

kdir=$("$top/tests/vm/headers" "$1") || {
	fail "the kernel headers $1 can be had"
	finish
}
command -v "${CLANG:-clang-14}" >/dev/null || {
	fail "clang is there" "run 'make deps'"
	finish
}
copy_tree "clang-$1"

# objtool looks for what the dropped flags would have made.
module=(nice make -j2 modules KDIR="$kdir" ARCH=x86_64
	KMAKE_FLAGS="CC=$PWD/tests/build/clang-cc KCFLAGS=-Wno-gnu objtool=true")

# not_the_compiler COMMAND...: quietly, but for the kernel's word on who built it.
not_the_compiler() {
	local said
	said=$(quietly "$@") && return 0
	said=$(grep -vE '^warning: the compiler differs|^  (The kernel was built by|You are using)' \
		<<<"$said")
	[ -z "$said" ] && [ -n "$(find build/kmod -name bufalloc-drm.ko)" ] && return 0
	printf '%s\n' "${said:-no module}"
	return 1
}
check "clang builds the modules for $1, no warning" not_the_compiler "${module[@]}"
comment=$(readelf -p .comment "$(find build/kmod -path '*/kernel/main.o')" 2>&1)
check "it was clang" grep -q "clang version" <<<"$comment"

# The control: what clang says by default and gcc does not.
printf '\nint bufalloc_planted(int a);\nint bufalloc_planted(int a)\n%s\n' \
	'{ if ((a == 1)) return 1; return 0; }' >>kernel/main.c
check_red "red: a planted warning of clang's" "equality comparison with extraneous" \
	not_the_compiler "${module[@]}"

case $1 in
6.1-amd64)
	user=(nice make -j2 CC="${CLANG:-clang-14}" lib tool plugin ktests)
	check "clang builds library, tool, plugin and tests, no warning" \
		quietly "${user[@]}"
	printf '\nint bufalloc_planted(int a);\nint bufalloc_planted(int a)\n%s\n' \
		'{ if ((a == 1)) return 1; return 0; }' >>libbufalloc/open.c
	check_red "red: one in the library" "equality comparison with extraneous" \
		quietly "${user[@]}"
	;;
esac
finish
