#!/bin/bash
# SPDX-License-Identifier: MIT
# shellcheck disable=SC2317 # functions are called by check and run
# What the header declares is what the library exports, no more and no less;
# each function has a manual page.

cd "$(dirname "$0")/../.." || exit
. tests/tap.sh

: "${B:=build}"
library=$B/libbufalloc/libbufalloc.so

# Functions of the header, once comments are gone and lines are joined.
declared() {
	cc -E -P -Iinclude include/bufalloc/bufalloc.h | tr '\n' ' ' |
		grep -o 'bufalloc_[a-z0-9_]* *(' | tr -d ' (' | sort -u
}

mapped() {
	sed -n 's/^[[:space:]]*\(bufalloc_[a-z0-9_]*\);.*/\1/p' \
		libbufalloc/libbufalloc.map | sort
}

exported() {
	nm -D --defined-only "$library" | awk '$2 == "T" { print $3 }' |
		sort
}

all_paged() {
	local name missing=0
	for name in $(declared); do
		[ -f "man/$name.3" ] || { echo "man/$name.3 is missing" && missing=1; }
	done
	return "$missing"
}

# Exported functions that have a page.
paged() {
	local name
	for name in $(versioned); do
		[ ! -f "man/$name.3" ] || echo "$name"
	done
}

same() {
	diff <("$1") <("$2")
}

needed() {
	readelf -d "$library" | sed -n 's/.*(NEEDED).*\[\(.*\)\]/\1/p'
}

soname() {
	readelf -d "$library" | sed -n 's/.*(SONAME).*\[\(.*\)\]/\1/p'
}

versioned() {
	exported | sed 's/@@.*//'
}

unversioned() {
	! exported | grep -v '@@LIBBUFALLOC_0\.1$'
}

# No data that can be written; .data.rel.ro is read-only once it is loaded.
stateless() {
	! objdump -t "$B"/libbufalloc/*.o | grep ' O ' |
		grep -vE '[[:space:]]\.(rodata|data\.rel\.ro)[.a-z0-9]*[[:space:]]'
}

silent() {
	! nm -u "$B"/libbufalloc/*.o |
		grep -wE 'printf|puts|putchar|fprintf|perror|syslog|exit|abort|stderr|stdout'
}

check "the header declares something" test "$(declared | wc -l)" -gt 10
figure lib_symbols "$(exported | wc -l)"
figure lib_symbols_with_man_page "$(paged | wc -l)"
check "header and symbol map name the same functions" same declared mapped
check "header and library name the same functions" same declared versioned
check "every symbol has its version" unversioned
check "the soname is libbufalloc.so.0" test "$(soname)" = libbufalloc.so.0
check "nothing but libc is needed" test "$(needed)" = libc.so.6
check "no global mutable state" stateless
check "no output, no exit" \
	silent
check "each function has a manual page" all_paged

finish
