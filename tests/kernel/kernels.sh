# shellcheck shell=bash
# SPDX-License-Identifier: MIT
# Sourced at the top of the tree. for_kernel KERNEL: how to build for a kernel of
# tests/vm/kernel. Sets kdir, the headers of it; build, the folder of programs;
# and cross, words for make. Fails, with a sentence, if there is none.
#
# shellcheck disable=SC2034 # for those that source it
. tests/build/cross_env.sh

for_kernel() {
	local headers
	build=build cross=()
	case $1 in
	stock-6.1-amd64) headers=6.1-amd64 ;;
	debug-6.12-amd64) headers=6.12-debug ;;
	faults-6.12-amd64) headers=6.12-faults ;;
	peers-6.12-amd64) headers=6.12-peers ;;
	arm64-6.12)
		headers=6.12-arm64
		build=build/arm64
		cross_env arm64 || return 1
		;;
	stock-6.1-armmp)
		headers=6.1-armmp
		build=build/arm
		cross_env armhf || return 1
		;;
	*) echo "${0##*/}: no kernel $1" >&2 && return 1 ;;
	esac
	kdir=$(tests/vm/headers "$headers")
}
