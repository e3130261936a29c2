#!/bin/bash
# SPDX-License-Identifier: MIT
# controls.sh [GLOB]: a test that cannot fail is worth nothing. For each defect
# of controls.tsv this builds the plugin, or the tracer, with the defect, runs
# the test that should see it (with the stand-in for the module) and demands
# that the named row fails. Prints TAP.
set -u
cd "$(dirname "$(readlink -f "$0")")/../.." || exit 1
glob=${1:-*}
tree=build/controls/gst
logs=${BUFALLOC_LOG_DIR:-$PWD/build/check/log}
# shellcheck source=tests/tap.sh
. tests/tap.sh

mkdir -p "$logs" "$tree"
# A copy of the sources, built once; each defect then costs one object.
copy=(cp -r Makefile libbufalloc gst-plugin include tests tools kernel demo examples)
"${copy[@]}" "$tree/" || exit 1
make -C "$tree" gst-tests >"$logs/control-gst.build" 2>&1 || {
	fail "the copy builds" "see $logs/control-gst.build"
	finish
}
# A row that is red without a defect proves nothing.
{
	"$tree/tests/gst/run_host.sh" "$tree/build" &&
		"$tree/tests/gst/witness.sh" "$tree/build" &&
		"$tree/tests/gst/tracer_report.sh" "$tree/build"
} >"$logs/control-gst.tap" 2>&1 || {
	fail "without a defect all is green" "see $logs/control-gst.tap"
	finish
}

# control NAME FILE SED TEST ROW
control() {
	local name=$1 file=$2 script=$3 test=$4 row=$5 log
	log=$logs/control-gst-$name
	sed -i -e "$script" "$tree/$file"
	if cmp -s "$file" "$tree/$file"; then
		fail "$name is planted" "the script changes nothing in $file"
		return
	fi
	if ! make -C "$tree" gst-tests >"$log.build" 2>&1; then
		fail "$name builds" "$(grep -m 3 error: "$log.build")"
	else
		case $test in
		valgrind | witness | tracer_report) "$tree/tests/gst/$test.sh" "$tree/build" ;;
		*) "$tree/tests/gst/run_host.sh" "$tree/build" "$test" ;;
		esac >"$log.tap" 2>&1
		if grep -Eq "^not ok [0-9]+ - ($test: )?$row$" "$log.tap"; then
			pass "$name: $test: $row"
		else
			fail "$name: $test: $row" "it did not fail, see $log.tap"
		fi
	fi
	cp "$file" "$tree/$file"
}

while IFS=$'\t' read -r name file script test row <&3; do
	case $name in '' | '#'*) continue ;; esac
	# shellcheck disable=SC2053 # it is a pattern
	[[ $name != $glob ]] || control "$name" "$file" "$script" "$test" "$row"
done 3<tests/gst/controls.tsv
if [ "$glob" = '*' ]; then
	figure controls_gst $tap_count
	figure controls_gst_red $((tap_count - tap_failed))
fi
finish
