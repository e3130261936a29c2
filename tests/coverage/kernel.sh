#!/bin/bash
# SPDX-License-Identifier: MIT
# shellcheck disable=SC2317 # functions are called by check
# What of kernel/ the guest tests run, as gcc's gcov counts it: lines, branches, and
# each place that makes an errno. What is never run was never seen to work. Builds
# modules that count (build.sh), runs guest suites with them, and prints TAP.
#
#   kernel.sh                all of it
#   kernel.sh build KERNEL   the modules for one kernel only
#   kernel.sh guest KERNEL SUITE [PROGRAM...]  one guest only, or these programs
#   kernel.sh report         what the guests that have run say together
#
# What is not run is in exceptions.tsv, with the reason (report.py). All of it is
# written to build/coverage/missed.tsv, and the table of errnos to errno.tsv there.
set -u
cd "$(dirname "$(readlink -f "$0")")/../.." || exit 1
. tests/tap.sh

dir=$PWD/build/coverage
# KERNEL SUITE: those of tests/kernel/guest.sh that run something of kernel/ that the
# others do not. Most is on a kernel that does not watch itself, as that is five times
# as fast; what is only built where there are devicetrees runs on arm64.
guests=(
	"peers-6.12-amd64 plain"
	"peers-6.12-amd64 user"
	"peers-6.12-amd64 nodes"
	"peers-6.12-amd64 dma-contig"
	"peers-6.12-amd64 display"
	"peers-6.12-amd64 swiotlb"
	"peers-6.12-amd64 iommu"
	"peers-6.12-amd64 direct"
	"peers-6.12-amd64 api"
	"peers-6.12-amd64 camera"
	"peers-6.12-amd64 display-edu"
	"peers-6.12-amd64 masks"
	"peers-6.12-amd64 reserved"
	"peers-6.12-amd64 noncoherent"
	"peers-6.12-amd64 vivid"
	"arm64-6.12 arm64-reserved"
	"arm64-6.12 arm64-devicetree"
	"arm64-6.12 arm64-noncoherent"
	"arm64-6.12 arm64-camera"
	"arm64-6.12 arm64-smmu"
)

build() {
	mkdir -p "$dir/$1"
	tests/coverage/build.sh "$1" "$dir/$1" >"$dir/$1/build.log" 2>&1 || {
		tail -n 20 "$dir/$1/build.log"
		return 1
	}
}

# guest KERNEL SUITE [PROGRAM...]: what other programs counted stays.
guest() {
	local modules=$dir/$1 log=$dir/$1/$2
	mkdir -p "$modules/data/$2"
	[ ! -f "$modules/runtime/ba_gcov.ko" ] ||
		local -x COVERAGE_KO=$modules/runtime/ba_gcov.ko
	COVERAGE_DIR=$modules/data/$2 MODULE_DIR=$modules/tree/kernel \
		tests/kernel/guest.sh "$2" "$1" "${@:3}" >"$log.tap" 2>"$log.err"
}

# What fails is another suite's to say why; here it may have counted too little.
no_row_fails() {
	guest "$@"
	! grep '^not ok' "$dir/$1/$2.tap" || return
	grep -q '^1\.\.' "$dir/$1/$2.tap" || {
		tail -n 5 "$dir/$1/$2.err"
		return 1
	}
}

# What report.py says, as rows of this suite's.
report() {
	local line whole=''
	while IFS= read -r line; do
		case $line in
		"ok "*) pass "${line#* - }" ;;
		"not ok "*) fail "${line#* - }" ;;
		1..*) whole=yes ;;
		*) printf '%s\n' "$line" ;;
		esac
	done < <(tests/coverage/report.py "$dir")
	[ "$whole" ] || fail "the report ends by itself"
}

case ${1-all} in
all) ;;
build | guest)
	"$@"
	exit
	;;
report)
	tests/coverage/report.py "$dir"
	exit
	;;
*)
	sed -n '4,/^set/s/^# \?//p' "$0" >&2
	exit 2
	;;
esac

rm -rf "${dir:?}"
for kernel in $(printf '%s\n' "${guests[@]%% *}" | sort -u); do
	check "$kernel: the modules are built" build "$kernel"
done
for words in "${guests[@]}"; do
	read -r kernel suite <<<"$words"
	check "$kernel: the guest tests $suite pass with them" \
		no_row_fails "$kernel" "$suite"
done
report
# What only one program meets is missed without it, and is not missed with it.
only='line: bufalloc_load_firmware: return -EACCES|EMEDIUMTYPE, never met'
with=$(tests/coverage/report.py "$dir" | grep -cE "$only")
without=$(tests/coverage/report.py "$dir" plain/firmware | grep -cE "$only")
check "red: a line and an errno, without one program" \
	test "$with $without" = "0 2"
finish
