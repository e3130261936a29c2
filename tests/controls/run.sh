#!/bin/bash
# SPDX-License-Identifier: MIT
# A test that cannot fail is worth nothing. For each defect of controls.tsv this
# builds the module (or the command, for a file in tools/) with the defect, runs
# the program that should see it in a guest and demands that the named row fails.
# Prints TAP. run.sh [GLOB]
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

# planted DIR FILE: the script has changed the copy of FILE.
planted() {
	cmp -s "$2" "$1/$2" || return 0
	echo "# the script changes nothing in $2"
	return 1
}

# build_module NAME FILE SED: the module with the defect, in $dir, for $kdir.
build_module() {
	local file=kernel/$2
	cp -r kernel include "$dir/"
	sed -i -e "$3" "$dir/$file"
	planted "$dir" "$file" || return
	make -s -C "$kdir" M="$PWD/$dir/kernel" "${cross[@]}" modules \
		>"$logs/control-$1.build" 2>&1 && return
	echo "# see $logs/control-$1.build"
	return 1
}

# build_tool NAME FILE SED: the same for the command bufalloc.
build_tool() {
	make -s lib tool >&2 || exit 1
	cp -a Makefile examples libbufalloc include tools gst-plugin kernel demo tests \
		"$dir/"
	mkdir -p "$dir/build"
	cp -a build/libbufalloc build/tools "$dir/build/"
	sed -i -e "$3" "$dir/$2"
	planted "$dir" "$2" || return
	CFLAGS="-O2 -g -Wno-error" make -s -C "$dir" tool \
		>"$logs/control-$1.build" 2>&1 && return
	echo "# see $logs/control-$1.build"
	return 1
}

# shellcheck disable=SC2034 # for_kernel sets build too
# control NAME FILE SED PROGRAM ROW GUEST
control() {
	local name=$1 file=$2 script=$3 program=$4 row=$5 guest=$6
	local kernel=stock-6.1-amd64 programs=() kdir build cross defect limit=240
	local dir=build/controls/$name tap=$logs/control-$name.tap
	case $guest in
	*:debug) kernel=debug-6.12-amd64 ;;
	*:peers) kernel=peers-6.12-amd64 ;;
	*:arm64) kernel=arm64-6.12 ;;
	esac
	[ "$program" != frag ] || limit=900
	for_kernel "$kernel" || exit 1
	rm -rf "$dir"
	mkdir -p "$dir"
	case $file in
	tools/*)
		defect=BUFALLOC_TOOL=$PWD/$dir/build/tools/bufalloc
		build_tool "$name" "$file" "$script"
		;;
	*)
		defect=MODULE_DIR=$PWD/$dir/kernel
		build_module "$name" "$file" "$script"
		;;
	esac || {
		result "not ok" "$name: can be planted"
		return
	}
	# What the kernel's log says and how the guest ends do not matter here.
	[ "$program" = log ] || programs=("$program")
	env "$defect" GUEST_LOG="$logs/control-$name.guest" \
		FRAGMENT_LEVEL="$row" DRM_CLIENTS_ROW="$row" \
		GUEST_OPTIONS="--timeout $limit --allow-warnings ." \
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
