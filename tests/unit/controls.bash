#!/bin/bash
# SPDX-License-Identifier: MIT
# A test that cannot fail is worth nothing. For each defect of controls.tsv this
# plants it in a copy of the tree, builds that, runs the suite that should see it
# and demands that the named row fails. Prints TAP.
#
#   controls.bash [GLOB]
cd "$(dirname "$0")/../.." || exit
. tests/tap.sh
glob=${1:-*}
copy=$(mktemp -d)
trap 'rm -rf "$copy"' EXIT

# Built once, here; the copies build only what their defect touches.
make -s lib tool unit >&2 || exit

# A defect may leave something unused; that is not what should stop it.
export CFLAGS='-O2 -g -Wno-error'

# suite DIR SUITE: builds and runs it
suite() {
	cd "$1" || return
	case $2 in
	test_*) make -s "build/tests/unit/$2" >&2 && "build/tests/unit/$2" ;;
	tool_*) make -s tool build/tests/unit/fake_kernel.so >&2 &&
		"tests/unit/$2" ;;
	symbols.sh) make -s lib >&2 && "tests/unit/$2" ;;
	sanitizers.sh) make -s unit >&2 && "tests/unit/$2" ;;
	*) "tests/unit/$2" ;;
	esac
}

# control NAME FILE SED SUITE ROW
control() {
	local name=$1 file=$2 script=$3 suite=$4 row=$5 dir=$copy/tree said
	rm -rf "$dir"
	mkdir -p "$dir/build/tests"
	cp -a Makefile examples libbufalloc include tools man gst-plugin kernel demo \
		tests "$dir/"
	cp -a build/libbufalloc build/tools "$dir/build/"
	cp -a build/tests/unit "$dir/build/tests/"
	sed -i -e "$script" "$dir/$file"
	if cmp -s "$file" "$dir/$file"; then
		fail "$name" "the sed script changes nothing in $file"
		return
	fi
	said=$(suite "$dir" "$suite" 2>&1)
	# cmocka adds to the name where the descriptors are counted, after a test.
	if grep -Eq "^not ok [0-9]+ - $row( Could not run test.*)?$" <<<"$said"; then
		pass "$name: $suite sees it"
	else
		fail "$name: $suite sees it" \
			"'$row' did not fail:"$'\n'"$(tail -n 8 <<<"$said")"
	fi
}

while IFS=$'\t' read -r name file script suite row <&3; do
	case $name in
	'#'* | '') continue ;;
	esac
	# shellcheck disable=SC2053 # a glob is wanted
	[[ $name == $glob ]] || continue
	control "$name" "$file" "$script" "$suite" "$row"
done 3<tests/unit/controls.tsv

if [ "$glob" = '*' ]; then
	figure controls_unit $tap_count
	figure controls_unit_red $((tap_count - tap_failed))
fi
finish
