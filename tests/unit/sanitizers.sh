#!/bin/bash
# SPDX-License-Identifier: MIT
# shellcheck disable=SC2317 # functions are called by check and run
# The unit tests again under ASan and UBSan, those with threads under
# TSan, and all under valgrind.

cd "$(dirname "$0")/../.." || exit
. tests/tap.sh

: "${B:=build}"

for program in "$B"/tests/unit/asan/test_*; do
	check "ASan and UBSan: ${program##*/}" env \
		ASAN_OPTIONS=detect_leaks=1:abort_on_error=0 \
		UBSAN_OPTIONS=print_stacktrace=1 "$program"
done

for program in "$B"/tests/unit/tsan/test_*; do
	check "TSan: ${program##*/}" env TSAN_OPTIONS=exitcode=66 "$program"
done

for program in "$B"/tests/unit/test_*; do
	name="valgrind: ${program##*/}"
	if ! command -v valgrind >/dev/null; then
		skip "$name" "valgrind is not installed"
		continue
	fi
	check "$name" valgrind -q --error-exitcode=9 --leak-check=full \
		--show-leak-kinds=all --errors-for-leak-kinds=all \
		--track-fds=no "$program"
done

finish
