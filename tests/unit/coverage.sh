#!/bin/bash
# SPDX-License-Identifier: MIT
# shellcheck disable=SC2317 # functions are called by check
# How many lines of the library the unit tests run, as gcc's gcov counts them.
# What is never run, was never seen to work. The lines are in build/.../lines.

cd "$(dirname "$0")/../.." || exit
. tests/tap.sh

: "${B:=build}"
least=95
dir=$B/tests/unit/cov

rm -f "$dir"/*/*.gcda
for program in "$dir"/test_*; do
	check "runs: ${program##*/}" "$program"
done

# FILE PERCENT LINES, one for each file; "all" last.
count() {
	(cd "$dir/lib" && gcov -n ./*.gcda) | awk '
		/^File .*libbufalloc\// {
			name = $2
			gsub(/.*\/|\x27/, "", name)
		}
		/^Lines executed:/ && name != "" {
			sub(/^Lines executed:/, "")
			sub(/%/, "")
			printf "%-24s %6.2f %5d\n", name, $1, $3
			run += $1 * $3 / 100
			lines += $3
			name = ""
		}
		END { printf "%-24s %6.2f %5d\n", "all", 100 * run / lines, lines }'
}

count >"$dir/lines"
sed 's/^/# /' "$dir/lines"
every_file_is_counted() {
	diff <(cd libbufalloc && printf '%s\n' *.c) \
		<(awk '$1 ~ /\.c$/ { print $1 }' "$dir/lines" | sort)
}
percent=$(awk '$1 == "all" { print $2 }' "$dir/lines")
figure lib_line_coverage_percent "$percent"
check "every file of the library is counted" every_file_is_counted
check "at least $least of 100 lines are run" \
	awk -v percent="$percent" -v least=$least 'BEGIN { exit percent < least }'

finish
