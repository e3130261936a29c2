#!/bin/bash
# SPDX-License-Identifier: MIT
# Plants seeded single mutations (points.awk) in libbufalloc, one at a time in a
# copy of the tree, and runs the unit tests on each until one fails. Prints each
# survivor, and TAP. library.sh [COUNT [SEED]]
#
# What a mutation came to is kept in build/mutation/library.tsv, by the file's
# content: an interrupted run goes on where it was. A mutant that the compiler
# refuses is none, and another takes its place.
cd "$(dirname "$(readlink -f "$0")")/../.." || exit 1
. tests/tap.sh
. tests/mutation/mutation.sh
count=${1:-150}
seed=${2:-1}

make -s lib tool unit >&2 || exit
copy=$(mktemp -d)
trap 'rm -rf "$copy"' EXIT
mkdir -p "$copy/build/tests"
cp -a Makefile examples libbufalloc include tools man gst-plugin kernel demo tests \
	"$copy/"
cp -a build/libbufalloc build/tools "$copy/build/"
cp -a build/tests/unit "$copy/build/tests/"
export CFLAGS='-O2 -g -Wno-error -w'

# The tests that are made for a file first: its name begins with theirs.
tests_for() {
	local name=$1 test
	for test in build/tests/unit/test_*; do
		[ -x "$test" ] || continue
		case $name in
		"${test##*/test_}"*) echo "0 $test" ;;
		*) case ${test##*/test_} in
			"${name%%_*}"*) echo "1 $test" ;;
			sweep*) echo "3 $test" ;;
			*) echo "2 $test" ;;
			esac ;;
		esac
	done | sort -s -n -k1,1 | cut -d' ' -f2
}

# judge FILE: killed by what, survived, or refused
judge() {
	local name=${1##*/} test
	(
		cd "$copy" || exit
		make -s lib >/dev/null 2>&1 || { echo refused && exit; }
		for test in $(tests_for "${name%.c}"); do
			make -s "$test" >/dev/null 2>&1 || { echo "refused" && exit; }
			timeout 60 "$test" >/dev/null 2>&1 ||
				{ echo "killed ${test##*/}" && exit; }
		done
		make -s tool build/tests/unit/fake_kernel.so >/dev/null 2>&1
		for test in tests/unit/tool_{commands,explain,no_module,selftest,usage}.sh; do
			B=build timeout 60 "$test" >/dev/null 2>&1 ||
				{ echo "killed ${test##*/}" && exit; }
		done
		echo survived
	)
}

# plant FILE LINE TEXT, and unplant FILE
plant() { mutated "$1" "$2" "$3" >"$copy/$1"; }
unplant() { cp "$1" "$copy/$1"; }

# Without a mutation nothing may fail, or every mutant would be killed.
check "the unit tests pass without a mutation" [ "$(judge libbufalloc/alloc.c)" = survived ]
mutate library "$count" "$seed" libbufalloc/*.c
figure mutants_library "$mutants"
figure mutants_library_killed_percent "$percent"
check "95 % of $mutants mutants are killed ($killed)" [ $((killed * 100)) -ge $((mutants * 95)) ]
finish
