#!/bin/bash
# SPDX-License-Identifier: MIT
# shellcheck disable=SC2317 # functions are called by check
# The list of defects is about the sources as they are: each script of controls.tsv
# changes its file, each row is one of its program's, each guest is one of guest.sh's.
# The controls themselves take hours, so that one that went stale would not be noticed
# for long.
set -u
cd "$(dirname "$(readlink -f "$0")")/../.." || exit 1
. tests/tap.sh
list=tests/controls/controls.tsv

# each FUNCTION: call it with the fields of each line; fails if one call does.
each() {
	local fields status=0
	while IFS=$'\t' read -r -a fields; do
		case ${fields[0]-} in
		'#'* | '') continue ;;
		esac
		"$1" "${fields[@]}" || {
			echo "${fields[0]}: ${fields[*]:1}"
			status=1
		}
	done <"$list"
	return "$status"
}

has_six_fields() { [ $# = 6 ]; }

changes() { [ -f "$1" ] && ! sed -e "$2" "$1" | cmp -s - "$1"; }

changes_its_file() {
	local file=kernel/$2
	[ "${2#tools/}" = "$2" ] || file=$2
	changes "$file" "$3"
}

# Or it is about how the program or the guest ends, or about the kernel's log.
has_its_row() {
	# A program for 32 bits has the rows of the other.
	[ "$4" = log ] || grep -qsF "\"$5\"" "tests/kernel/test_${4%_32}.c" ||
		grep -qsw -- "$5" "tests/kernel/$4.sh" ||
		grep -qE "(result|\"not ok\") .*\b$5" tests/kernel/in-guest.sh
}

has_its_guest() {
	grep -qx "${6%:*})" tests/kernel/guest.sh
}

once() {
	local twice
	twice=$(cut -f 1 "$list" | sort | uniq -d)
	[ -z "$twice" ] || {
		echo "there twice: $twice"
		return 1
	}
}

# The lists of the tests on the host have the same first three fields, files from
# the top of the tree.
host_changes_its_file() { changes "$2" "$3"; }

check "each line has six fields" each has_six_fields
check "no name is there twice" once
check "each script changes its file" each changes_its_file
check "each row is one of its program's" each has_its_row
check "each guest is a suite of guest.sh" each has_its_guest
for list in tests/unit/controls.tsv tests/gst/controls.tsv; do
	check "each script of $list changes its file" each host_changes_its_file
	check "no name of $list is there twice" once
done

# The controls of these.
list=$(mktemp)
trap 'rm -f "$list"' EXIT
line() { printf '%s\t%s\t%s\t%s\t%s\t%s\n' "$@" >"$list"; }
line stale main.c 's/no such text/x/' zero stale-bytes plain
check_red "red: a script that changes nothing" stale each changes_its_file
line stale libbufalloc/alloc.c 's/no such text/x/' test_alloc row ''
check_red "red: a script of the library's that changes nothing" stale \
	each host_changes_its_file
line gone nosuch.c 's/a/b/' zero stale-bytes plain
check_red "red: a file that is gone" gone each changes_its_file
line row main.c 's/a/b/' zero no-such-row plain
check_red "red: a row that nobody has" no-such-row each has_its_row
line guest main.c 's/a/b/' zero stale-bytes no-such-suite:debug
check_red "red: a guest that there is not" no-such-suite each has_its_guest
printf 'short\tmain.c\ts/a/b/\n' >>"$list"
check_red "red: a field is missing" short each has_six_fields
printf 'short\tmain.c\ts/a/b/\n' >>"$list"
check_red "red: a name that is there twice" short once
finish
