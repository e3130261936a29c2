#!/bin/bash
# SPDX-License-Identifier: MIT
# in-guest.sh BUILD PROGRAM...: run the test programs in a guest, one after the
# other, and print one TAP stream. At the end the modules must go, with nothing
# of them alive.
set -u
build=$1
shift

count=0
failed=0
# result STATUS NAME: one line of TAP.
result() {
	count=$((count + 1))
	[ "$1" = ok ] || failed=1
	echo "$1 $count - $2"
}

# Renumber the lines of one program and put its name before theirs.
merge() {
	local name=$1 line rest
	local planned='' seen=0
	while IFS= read -r line; do
		case $line in
		1..*) planned=${line#1..} ;;
		"ok "* | "not ok "*)
			rest=${line#*ok }
			seen=$((seen + 1))
			result "${line%%ok *}ok" "$name: ${rest#* - }"
			;;
		*) echo "$line" ;;
		esac
	done
	if [ "$planned" != "$seen" ]; then
		echo "# $name planned ${planned:-nothing}, ran $seen"
		result "not ok" "$name: runs to its end"
	fi
}

# counted PROGRAM: keep what of the modules ran since the last call, where they are
# built to count it (GCOV_PROFILE). Modules that are gone by now are in it.
counted() {
	local gcov=/sys/kernel/debug/gcov dir=${COVERAGE_DIR-}/${1##*/} file
	[ -n "${COVERAGE_DIR-}" ] || return 0
	rm -rf "$dir"
	mkdir "$dir.part"
	# Its files have no size, so that nothing but cat copies them.
	find $gcov -name "*.gcda" | while read -r file; do
		cat "$file" >"$dir.part/${file##*/}"
	done
	mv "$dir.part" "$dir"
	echo 1 >$gcov/reset
}

# The IOMMU translates nothing for the device EDU_IDENTITY, as for one outside.
if [ -n "${EDU_IDENTITY-}" ]; then
	device=$(readlink -f "/sys/class/ba_edu/ba_edu$EDU_IDENTITY/device")
	echo "${device##*/}" >/sys/bus/pci/drivers/ba_edu/unbind
	echo identity >"$device/iommu_group/type"
	echo "${device##*/}" >/sys/bus/pci/drivers/ba_edu/bind
fi

# give DRIVER INDEX...: devices of ba_edu's that another driver shall have.
give() {
	local driver=$1 index device
	shift
	for index in "$@"; do
		device=$(readlink -f "/sys/class/ba_edu/ba_edu$index/device")
		echo "${device##*/}" >/sys/bus/pci/drivers/ba_edu/unbind
		echo "$driver" >"$device/driver_override"
		echo "${device##*/}" >/sys/bus/pci/drivers_probe
	done
}
# shellcheck disable=SC2086 # several
give bufalloc_camera ${CAMERAS-}
# shellcheck disable=SC2086
give bufalloc_display ${DISPLAYS-}

for program in "$@"; do
	# These unload bufalloc, which nothing may hold then.
	case $program in
	lifetime) rmmod bufalloc_v4l2 bufalloc_drm ;;
	faults_load)
		for module in ba_vkms ba_edu ba_importer bufalloc_camera \
			bufalloc_v4l2 bufalloc_drm bufalloc; do
			[ ! -d "/sys/module/$module" ] || rmmod "$module"
		done
		;;
	reserved_parameters | devicetree_module)
		for module in ba_api ba_edu ba_own bufalloc_v4l2; do
			[ ! -d "/sys/module/$module" ] || rmmod "$module"
		done
		;;
	esac
	case $program in
	*/*) path=$build/tests/$program ;; # of another folder of tests
	*)
		path=$build/tests/kernel/$program
		[ ! -x "tests/kernel/$program.sh" ] || path=tests/kernel/$program.sh
		;;
	esac
	merge "${program##*/}" < <("$path" 2>&1)
	wait $!
	status=$?
	[ "$status" -le 1 ] || result "not ok" "$program: ends by itself ($status)"
	counted "$program"
done

# What was allocated and nothing points to any more, where the kernel looks for
# such things (CONFIG_DEBUG_KMEMLEAK): it wants to have seen it unchanged in two
# scans, and for 5 s, because what is young may be on its way.
kmemleak=/sys/kernel/debug/kmemleak
if [ -e $kmemleak ]; then
	read -r -t 5.1 <> <(:)
	echo scan >$kmemleak
	echo scan >$kmemleak
	leaks=$(awk '/^unreferenced object/ { if (text ~ /\[(bufalloc|ba_)/) print text
			text = "" }
		{ text = text "# " $0 "\n" }
		END { if (text ~ /\[(bufalloc|ba_)/) print text }' $kmemleak)
	if [ -z "$leaks" ]; then
		result ok "kmemleak finds nothing of ours"
	else
		echo "$leaks"
		result "not ok" "kmemleak finds nothing of ours"
	fi
fi

# The test's own drivers go first; the others hold nothing of ours any more, but a
# vivid that was built for it.
[ ! -d /sys/module/bufalloc_v4l2/holders/vivid ] || rmmod vivid
for module in ba_faults ba_vkms ba_gem ba_alias ba_api ba_camera ba_drm ba_edu ba_importer ba_kva ba_mock ba_own ba_v4l2 bufalloc_camera bufalloc_display bufalloc_v4l2 bufalloc_drm; do
	[ ! -d "/sys/module/$module" ] || rmmod "$module" ||
		result "not ok" "$module can be unloaded"
done
live=
[ ! -d /sys/module/bufalloc ] ||
	live=$(awk '$2 != 0' /sys/kernel/debug/bufalloc/live)
if [ -z "$live" ]; then
	result ok "no live object is left"
else
	echo "# left: $live"
	result "not ok" "no live object is left"
fi
# fput() is asynchronous: within a second.
for _ in $(seq 100); do
	[ -d /sys/module/bufalloc ] || break
	rmmod bufalloc 2>/dev/null && break
	read -r -t 0.01 <> <(:)
done
if [ -d /sys/module/bufalloc ]; then
	result "not ok" "the module can be unloaded"
else
	result ok "the module can be unloaded"
fi
counted end
echo "1..$count"
exit $failed
