#!/bin/bash
# SPDX-License-Identifier: MIT
# shellcheck disable=SC2317 # functions are called by check
# A program that was linked with the library of the last tag runs with this one:
# libabigail compares the two, the types of all public functions included. What is
# new is no difference, nor is a structure that says its size and grew at its end.
#
#   abidiff.sh [TAG]

cd "$(dirname "$0")/../.." || exit
. tests/tap.sh

: "${B:=build}"
tag=${1:-$(git describe --tags --abbrev=0 2>/dev/null)}
what="the ABI is that of ${tag:-the last tag}"

if [ -z "$tag" ]; then
	skip "$what" "no version was tagged yet"
	finish
fi
if ! command -v abidiff >/dev/null; then
	skip "$what" "abidiff (abigail-tools) is not installed"
	finish
fi

dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT

build_old() {
	git archive "$tag" | tar -x -C "$dir" && make -s -C "$dir" lib
}

same_abi() {
	abidiff --no-added-syms --drop-private-types \
		--headers-dir1 "$dir/include" --headers-dir2 include \
		--suppressions tests/unit/abidiff.suppressions \
		"$dir/build/libbufalloc/libbufalloc.so" \
		"$B/libbufalloc/libbufalloc.so"
}

check "$tag is built" build_old
check "$what" same_abi

finish
