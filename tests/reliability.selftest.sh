#!/bin/bash
# SPDX-License-Identifier: MIT
# docs/reliability.md is what its script makes of the figures, and what it names is
# there: suites, and at least one control of each figure.
#
# shellcheck disable=SC2317 # check calls the functions
set -u
cd "$(dirname "$(readlink -f "$0")")/.." || exit 1
. tests/tap.sh
table=tests/reliability.tsv

is_made() { diff <(scripts/reliability.sh) docs/reliability.md; }

# each COLUMN FUNCTION: call it with that field of each line
each() {
	local value status=0
	while read -r value; do
		"$2" "$value" || status=1
	done < <(awk -F'\t' -v column="$1" '!/^#/ { print $column }' "$table")
	return "$status"
}

is_a_suite() {
	case $1 in check-all | check-controls) return 0 ;; esac
	cut -f 1 tests/suites.tsv | grep -qx -- "$1" && return 0
	echo "no suite $1"
	return 1
}

# of the list that the word names; kernels_passing has none to have
has_controls() {
	local word status=0
	for word in $1; do
		case $word in own | -) continue ;; esac
		cut -f 4 "tests/${word%%:*}/controls.tsv" | grep -qx -- "${word#*:}" || {
			echo "no control of $word"
			status=1
		}
	done
	return "$status"
}

has_five_fields() {
	[ -z "$(awk -F'\t' '!/^#/ && NF != 5' "$table")" ]
}

check "docs/reliability.md is what scripts/reliability.sh makes" is_made
check "each line has five fields" has_five_fields
check "each suite is there" each 5 is_a_suite
check "each control is there" each 4 has_controls

table=$(mktemp)
trap 'rm -f "$table"' EXIT
printf 'figure\t= 0\twhat\tcontrols:no_such\tno-such\n' >"$table"
check_red "red: a suite that there is not" "no suite no-such" each 5 is_a_suite
check_red "red: a control that there is not" "no control of controls:no_such" \
	each 4 has_controls
printf 'figure\t= 0\twhat\n' >"$table"
check_red "red: fields are missing" "" has_five_fields
finish
