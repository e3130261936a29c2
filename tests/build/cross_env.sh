# shellcheck shell=bash
# SPDX-License-Identifier: MIT
# Sourced. cross_env ARCH: how to build user space for arm64 or armhf, against
# the distribution's libraries; sets triplet, machine (as readelf calls it) and
# cross, words for make. Fails if the libraries cannot be had.
#
# shellcheck disable=SC2034 # for those that source it

cross_env() {
	local karch root dir pkg_config libs=
	case $1 in
	arm64) karch=arm64 triplet=aarch64-linux-gnu machine=AArch64 ;;
	armhf) karch=arm triplet=arm-linux-gnueabihf machine=ARM ;;
	*) return 1 ;;
	esac
	root=$("${BASH_SOURCE[0]%/*}/sysroot" "$1") || return 1
	pkg_config="env PKG_CONFIG_SYSROOT_DIR=$root"
	pkg_config+=" PKG_CONFIG_LIBDIR=$root/usr/lib/$triplet/pkgconfig:$root/usr/share/pkgconfig"
	for dir in "$root/usr/lib/$triplet" "$root/lib/$triplet"; do
		libs+=" -Wl,-rpath-link,$dir"
	done
	cross=(ARCH="$karch" CROSS_COMPILE="$triplet-"
		PKG_CONFIG="$pkg_config pkg-config" LDFLAGS="$libs")
}
