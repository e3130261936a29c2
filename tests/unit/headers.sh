#!/bin/bash
# SPDX-License-Identifier: MIT
# shellcheck disable=SC2317 # functions are called by check and run
# Each public header compiles alone, pedantically, as C and as C++.

cd "$(dirname "$0")/../.." || exit
. tests/tap.sh

alone() {
	local compiler=$1 language=$2 standard=$3 header=$4
	echo "#include <$header>" | "$compiler" -x "$language" -std="$standard" \
		-pedantic -Wall -Wextra -Wundef -Werror -Iinclude \
		-Iinclude/uapi -fsyntax-only -
}

# twice: the include guard works
twice() {
	printf '#include <%s>\n#include <%s>\n' "$1" "$1" | cc -x c -std=c99 \
		-pedantic -Werror -Iinclude -Iinclude/uapi -fsyntax-only -
}

for header in $(cd include && echo bufalloc/*.h) linux/bufalloc.h; do
	check "$header twice" twice "$header"
	for compiler in gcc clang; do
		if ! command -v "$compiler" >/dev/null; then
			skip "$header with $compiler" "$compiler is not installed"
			continue
		fi
		for standard in c99 c11 c17; do
			check "$header $compiler $standard" \
				alone "$compiler" c $standard "$header"
		done
		for standard in c++11 c++17; do
			check "$header $compiler $standard" \
				alone "$compiler" c++ $standard "$header"
		done
	done
done

# The version that the library's header says is the one that is built.
version_of_header() {
	echo '#include <bufalloc/bufalloc.h>
BUFALLOC_VERSION_MAJOR.BUFALLOC_VERSION_MINOR.BUFALLOC_VERSION_PATCH' |
		cc -E -P -Iinclude - | tail -n 1 | tr -d ' '
}
version_of_make() {
	sed -n 's/^VERSION := //p' Makefile
}
check "the header's version is the Makefile's" \
	test "$(version_of_header)" = "$(version_of_make)"

finish
