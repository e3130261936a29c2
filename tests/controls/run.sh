#!/bin/bash
# SPDX-License-Identifier: MIT
# A test that cannot fail is worth nothing. For each defect of controls.tsv this
# builds the module (or the command, for a file in tools/) with the defect, runs
# the program that should see it in a guest and demands that the named row fails.
# Prints TAP.
#
#   run.sh [--part N/M] [GLOB]
#
# --part is for several at once: of each M defects this takes the Nth. What was seen
# red is kept in build/controls/seen, by the line of controls.tsv and by what it is
# about (the module's or the command's sources, and the program's): an interrupted
# run goes on where it was, and a change has its own controls run again.
#
# What the debug kernel should see by itself has "log" for a program, and for a
# row a regular expression that its log must match.
set -u
cd "$(dirname "$(readlink -f "$0")")/../.." || exit 1
. tests/tap.sh
part=1/1
if [ "${1-}" = --part ]; then
	part=${2-} && shift 2
	[[ $part =~ ^[1-9][0-9]*/[1-9][0-9]*$ ]] || {
		echo "run.sh: --part $part is not N/M" >&2
		exit 2
	}
fi
glob=${1:-*}
logs=${BUFALLOC_LOG_DIR:-build/check/log}
seen=build/controls/seen
mkdir -p "$logs" build/controls
touch "$seen"
. tests/kernel/kernels.sh

# hash FILE...: of the names and contents of these, and of what is below them
hash() {
	git ls-files -co --exclude-standard -z -- "$@" | sort -z |
		xargs -0r sha256sum | sha256sum | cut -c1-16
}
module_hash=$(hash kernel include)
tool_hash=$(hash tools libbufalloc include)

# key FIELD...: of a line of controls.tsv
key() {
	local about=$module_hash
	[ "${2#tools/}" = "$2" ] || about=$tool_hash
	printf '%s\n' "$@" "$about" "$(hash "tests/kernel/test_${4%_32}.c" \
		"tests/kernel/$4.sh")" | sha256sum | cut -c1-16
}

# planted DIR FILE: the script has changed the copy of FILE.
planted() {
	cmp -s "$2" "$1/$2" || return 0
	echo "# the script changes nothing in $2"
	return 1
}

# renew DIR: a copy of the module's sources, with what was built of it before. Only
# what differs is copied, or all of it would be built again.
renew() {
	local file
	git ls-files -co --exclude-standard -- kernel include | while read -r file; do
		cmp -s "$file" "$1/$file" || install -D -m 644 "$file" "$1/$file"
	done
}

# build_module NAME FILE SED: the module with the defect, in $dir, for $kdir.
build_module() {
	local file=kernel/$2
	renew "$dir"
	sed -i -e "$3" "$dir/$file"
	planted "$dir" "$file" || return
	make -s -C "$kdir" M="$PWD/$dir/kernel" "${cross[@]}" modules \
		>"$logs/control-$1.build" 2>&1 && return
	echo "# see $logs/control-$1.build"
	return 1
}

# build_tool NAME FILE SED: the same for the command bufalloc.
build_tool() {
	rm -rf "$dir"
	mkdir -p "$dir/build"
	make -s lib tool >&2 || exit 1
	cp -a Makefile examples libbufalloc include tools gst-plugin kernel demo tests \
		"$dir/"
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
	local dir tap=$logs/control-$name.tap only=''
	case $guest in
	# Watching itself takes it longer, as in guest.sh.
	*:debug) kernel=debug-6.12-amd64 limit=900 ;;
	*:faults) kernel=faults-6.12-amd64 ;;
	*:peers) kernel=peers-6.12-amd64 ;;
	*:arm64) kernel=arm64-6.12 ;;
	esac
	case $program in
	frag | limits_*) limit=900 ;;
	esac
	# A sweep takes its time: only the one; for leaks two that have some then.
	case $program/$row in
	faults/nothing-is-leaked) only=alloc-from-system,attach-and-map ;;
	esac
	case $program in
	faults* | kill) limit=900 only+=,$row ;;
	esac
	for_kernel "$kernel" || exit 1
	dir=build/controls/$kernel-${part%/*}
	case $file in
	tools/*)
		dir=build/controls/tool-${part%/*}
		defect=BUFALLOC_TOOL=$PWD/$dir/build/tools/bufalloc
		build_tool "$name" "$file" "$script"
		;;
	*)
		defect=MODULE_DIR=$PWD/$dir/kernel
		build_module "$name" "$file" "$script"
		;;
	esac || {
		fail "$name: can be planted"
		return
	}
	# What the kernel's log says and how the guest ends do not matter here.
	[ "$program" = log ] || programs=("$program")
	env "$defect" GUEST_LOG="$logs/control-$name.guest" \
		FRAGMENT_LEVEL="$row" DRM_CLIENTS_ROW="$row" KTEST_ROW="$only" \
		LIMITS_COUNT=100000 \
		GUEST_OPTIONS="--timeout $limit --allow-warnings ." \
		tests/kernel/guest.sh "${guest%:*}" "$kernel" \
		"${programs[@]}" >"$tap" 2>/dev/null
	if [ "$program" = log ]; then
		grep -qE "$row" "$logs/control-$name.guest"
	else
		grep -qE "^not ok [0-9]* - ($program: )?$row$" "$tap"
	fi || {
		fail "$name: $program sees it in $row" "see $tap, $logs/control-$name.guest"
		return
	}
	pass "$name: $program sees it in $row"
	echo "$(key "$@") $name" >>"$seen"
}

number=0
while IFS=$'\t' read -r name file script program row guest <&3; do
	case $name in
	'#'* | '') continue ;;
	esac
	number=$((number + 1))
	[ $((number % ${part#*/})) = $((${part%/*} % ${part#*/})) ] || continue
	# shellcheck disable=SC2053 # a glob is wanted
	[[ $name == $glob ]] || continue
	fields=("$name" "$file" "$script" "$program" "$row" "$guest")
	if grep -q "^$(key "${fields[@]}") " "$seen"; then
		pass "$name: $program saw it in $row before"
	else
		control "${fields[@]}"
	fi
done 3<tests/controls/controls.tsv
if [ "$glob" = '*' ]; then
	figure "controls_kernel_${part%/*}" $tap_count
	figure "controls_kernel_${part%/*}_red" $((tap_count - tap_failed))
fi
finish
