#!/bin/bash
# SPDX-License-Identifier: MIT
# Nothing is left out in silence: every test program belongs to a suite of
# suites.tsv, and docs/testing.md shows that table as it is.
#
# shellcheck disable=SC2317 # check calls the functions
set -u
cd "$(dirname "$(readlink -f "$0")")/.." || exit 1
. tests/tap.sh
table=tests/suites.tsv

# The suites of a folder of programs are run by one script of it.
suites_of() {
	case $1 in
	tests/kernel/test_* | tests/kernel/drm_clients.sh) cat tests/kernel/guest.sh ;;
	tests/lib/test_*) cat tests/lib/guest.sh ;;
	tests/gst/test_*) cut -f 7 "$table" | grep -F run_host.sh ;;
	*) cut -f 7 "$table" ;;
	esac
}

# Sourced by suites, or called by them: none themselves.
helper() {
	case $1 in
	tests/kernel/in-guest.sh | tests/kernel/vivid.sh | tests/gst/run_tests.sh) return 0 ;;
	tests/install/drivers-in-guest.sh | tests/coverage/build.sh) return 0 ;;
	esac
	[ ! -x "$1" ]
}

# named FILE: some suite runs it.
named() {
	local word=$1
	case $1 in
	tests/kernel/test_*.c | tests/lib/test_*.c | tests/gst/test_*.c) word=${1##*/test_} && word=${word%.c} ;;
	tests/kernel/drm_clients.sh) word=drm_clients ;;
	*.c) word=build/${1%.c} ;;
	esac
	suites_of "$1" | grep -qE "(^|[[:space:](])${word//./\\.}([ :)]|\$)" && return 0
	echo "no suite of $table runs $1 (as $word)"
	return 1
}

for file in tests/*/test_*.c tests/*/*.sh tests/*.selftest.sh; do
	case $file in *.sh) ! helper "$file" || continue ;; esac
	check "$file is run" named "$file"
done
check_red "red: a program that no suite runs" "no suite of .* runs" \
	named tests/unit/test_none.c

check "no suite is there twice" test -z \
	"$(grep -v '^#' "$table" | cut -f 1 | sort | uniq -d)"
check "every line has seven fields" test -z \
	"$(awk -F'\t' '!/^#/ && (NF != 7 || $6 !~ /^[0-9]+$/)' "$table")"

rows() {
	awk -F'\t' '!/^#/ { print "| " $1 " | " $4 " | " $2 " | " $5 " |" }' \
		"$table" | sed 's/| - |/| |/'
}
check "docs/testing.md shows the table" diff <(rows) \
	<(sed -n '/^| suite /,/^$/p' docs/testing.md | sed -e 1,2d -e '/^$/d')

# tested TABLE: what is said of each kind of node has a row that holds it.
tested() {
	local row missing=''
	while read -r row; do
		grep -qF "{ \"$row\"," tests/kernel/test_nodes.c || missing+=" $row"
	done < <(awk -F' *[|] *' '/^[|]/ && $5 !~ /^(test|---)$/ { print $5 }' "$1")
	[ -z "$missing" ] || echo "test_nodes.c has no row$missing"
	[ -z "$missing" ]
}
check "each row of docs/devices.md is tested" tested docs/devices.md
check_red "red: an answer that is not tested" "has no row nobody-looks" \
	tested <(echo '| any node | 0 | because | nobody-looks |')

# command_lines FILE...: those of pages, each in one line.
command_lines() {
	sed -n 's/^    //p' "$@" | sed -e ':a' -e '/\\$/{N;s/\\\n *//;ta' -e '}' |
		grep -E '^(bufalloc trace|gst-launch-1.0) ' | tr -s ' ' | sort -u
}

# run_elsewhere PAGE: a test runs the lines of two pages, so all others have these.
run_elsewhere() {
	local more
	more=$(comm -23 <(command_lines "$1") <(command_lines docs/pipelines.md \
		docs/why-does-my-pipeline-copy.md))
	[ -z "$more" ] || echo "no test runs $more"
	[ -z "$more" ] && [ -n "$(command_lines "$1")" ]
}
check "each command line of docs/gstreamer.md is run" \
	run_elsewhere docs/gstreamer.md
check_red "red: a command line that nobody runs" "no test runs gst-launch-1.0 x" \
	run_elsewhere <(echo '    gst-launch-1.0 x ! y')

finish
