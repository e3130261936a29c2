#!/bin/bash
# SPDX-License-Identifier: MIT
# A test that cannot fail is worth nothing. For each defect of controls.tsv this
# builds the module with the defect, runs the program that should see it in a
# guest and demands that the named row fails. Prints TAP. run.sh [GLOB]
#
# What the debug kernel should see by itself has "log" for a program, and for a
# row a regular expression that its log must match.
set -u
cd "$(dirname "$(readlink -f "$0")")/../.." || exit 1
glob=${1:-*}
logs=${BUFALLOC_LOG_DIR:-build/check/log}
mkdir -p "$logs"
. tests/kernel/kernels.sh

count=0
failed=0
result() {
	count=$((count + 1))
	echo "$1 $count - $2"
	[ "$1" = ok ] || failed=1
}

# shellcheck disable=SC2034 # for_kernel sets build too
# control NAME FILE SED PROGRAM ROW GUEST
control() {
	local name=$1 file=$2 script=$3 program=$4 row=$5 guest=$6
	local kernel=stock-6.1-amd64 programs=() kdir build cross
	local dir=build/controls/$name tap=$logs/control-$name.tap
	case $guest in
	*:debug) kernel=debug-6.12-amd64 ;;
	*:peers) kernel=peers-6.12-amd64 ;;
	*:arm64) kernel=arm64-6.12 ;;
	esac
	for_kernel "$kernel" || exit 1
	rm -rf "$dir"
	mkdir -p "$dir"
	cp -r kernel include "$dir/"
	sed -i -e "$script" "$dir/kernel/$file"
	if cmp -s "kernel/$file" "$dir/kernel/$file"; then
		echo "# the script changes nothing in $file"
		result "not ok" "$name: is planted"
		return
	fi
	if ! make -s -C "$kdir" M="$PWD/$dir/kernel" "${cross[@]}" modules \
		>"$logs/control-$name.build" 2>&1; then
		echo "# see $logs/control-$name.build"
		result "not ok" "$name: builds"
		return
	fi
	# What the kernel's log says and how the guest ends do not matter here.
	[ "$program" = log ] || programs=("$program")
	MODULE_DIR=$PWD/$dir/kernel GUEST_LOG=$logs/control-$name.guest \
		GUEST_OPTIONS="--timeout 240 --allow-warnings ." \
		tests/kernel/guest.sh "${guest%:*}" "$kernel" \
		"${programs[@]}" >"$tap" 2>/dev/null
	if [ "$program" = log ]; then
		if grep -qE "$row" "$logs/control-$name.guest"; then
			result ok "$name: the kernel's log says \"$row\""
		else
			echo "# see $logs/control-$name.guest"
			result "not ok" "$name: the kernel's log says \"$row\""
		fi
	elif grep -qE "^not ok [0-9]* - ($program: )?$row$" "$tap"; then
		result ok "$name: $program sees it in $row"
	else
		echo "# $row did not fail, see $tap"
		result "not ok" "$name: $program sees it in $row"
	fi
}

while IFS=$'\t' read -r name file script program row guest <&3; do
	case $name in
	'#'* | '') continue ;;
	esac
	# shellcheck disable=SC2254 # a glob is wanted
	case $name in
	$glob) control "$name" "$file" "$script" "$program" "$row" \
		"$guest" ;;
	esac
done 3<tests/controls/controls.tsv
echo "1..$count"
exit "$failed"
