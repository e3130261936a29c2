# shellcheck shell=bash
# SPDX-License-Identifier: MIT
# Sourced by ../vm/headers: headers of kernels that this machine does not have
# installed, as folders to give to make as KDIR=.

# shellcheck source-path=SCRIPTDIR source=foreign.sh
. "${BASH_SOURCE[0]%/*}/foreign.sh"

# What the makers below use; a change of it makes new folders.
foreign_text() {
	declare -f foreign_relocate foreign_wrap foreign_unpack
}

# foreign_relocate KDIR COMMON: the packages' makefiles name folders below /usr;
# ours finds them from where it is.
foreign_relocate() {
	local kdir=$1 common=$2
	# shellcheck disable=SC2016 # make's variables
	printf '%s\n' \
		'export KDIR_HERE := $(realpath $(dir $(lastword $(MAKEFILE_LIST))))' \
		'KBUILD_OUTPUT := $(KDIR_HERE)' \
		"include \$(KDIR_HERE)/../$common/Makefile" >"$kdir/Makefile"
}

# foreign_wrap DIR FILE...: let programs of a newer Debian run with the C
# library unpacked beside them in DIR, each through a script in its place.
foreign_wrap() {
	local dir=$1 file up
	shift
	for file; do
		readelf -lW "$file" 2>/dev/null | grep -q ' INTERP ' || continue
		up=$(realpath --relative-to="${file%/*}" "$dir/usr")
		mv "$file" "$file.elf"
		# shellcheck disable=SC2016 # for the script's shell
		printf '%s\n' '#!/bin/sh' "usr=\${0%/*}/$up" \
			'exec "$usr/lib64/ld-linux-x86-64.so.2" --argv0 "$0"'" \\" \
			'	--library-path "$usr/lib/x86_64-linux-gnu"'" \\" \
			"	\"\${0%/*}/${file##*/}.elf\" \"\$@\"" >"$file"
		chmod 755 "$file"
	done
}

# make_headers VERSION SUITE ARCH FLAVOUR DIR: the suite's headers-package for
# FLAVOUR, what is common to all flavours, and the build's own programs for this
# machine's architecture.
make_headers() {
	local version=$1 suite=$2 arch=$3 flavour=$4 dir=$5
	local package common kbuild
	foreign_open "$dir" "$suite" "$arch"
	package=$(foreign_depends "$dir" "linux-headers-$flavour:$arch" |
		grep '^linux-headers-') ||
		die "$suite has no linux-headers-$flavour for $arch"
	case $package in
	linux-headers-"$version".*) ;;
	*) die "$suite has moved on from $version to $package" ;;
	esac
	common=$(foreign_depends "$dir" "$package:$arch" |
		grep '^linux-headers-.*-common$')
	kbuild=$(foreign_depends "$dir" "$package:$arch" | grep '^linux-kbuild-')
	foreign_get "$dir" "$package:$arch" "$common" "$kbuild"
	[ "$version" != 7.2 ] || foreign_get_all "$dir" gcc-16-x86-64-linux-gnu \
		libelf1t64 libssl3t64 pahole
	foreign_unpack "$dir"
	mv "$dir/usr/src/$package" "$dir/usr/src/kdir"
	foreign_relocate "$dir/usr/src/kdir" "$common"
	[ "$version" = 7.2 ] || {
		# With it, the module would need pahole for its type information.
		rm -f "$dir/usr/src/kdir/vmlinux"
		return
	}

	# The sanitizers and link-time optimisation are not needed, and large.
	rm -f "$dir"/usr/bin/*lto-dump* "$dir"/usr/libexec/gcc/*/*/lto* \
		"$dir"/usr/lib/x86_64-linux-gnu/lib*san.so.* \
		"$dir"/usr/lib/gcc/*/*/lib*san*.a

	# Debian's 7.2 is built with gcc 16 and its flags; the build's own
	# programs want a newer C library than Debian 12 has. So they come along.
	find "$dir/usr/bin" "$dir/usr/libexec" "$dir/usr/lib/$kbuild" \
		-type f -perm -100 | while read -r file; do
		foreign_wrap "$dir" "$file"
	done
	local gcc=$dir/usr/libexec/gcc/x86_64-linux-gnu/16
	# shellcheck disable=SC2016 # for the script's shell
	printf '%s\n' '#!/bin/sh' \
		'exec "${0%/*}/../../../../bin/x86_64-linux-gnu-as" "$@"' >"$gcc/as"
	chmod 755 "$gcc/as"
	# shellcheck disable=SC2016 # make's variables
	sed -i -e 's|^override CROSS_COMPILE = |&$(KDIR_HERE)/../../bin/|' \
		-e '$aPAHOLE = $(KDIR_HERE)/../../bin/pahole' \
		"$dir/usr/src/kdir/.kernelvariables"
}

# foreign_headers NAME VERSION SUITE ARCH FLAVOUR
foreign_headers() {
	local dir
	dir=$(cached "headers-$1" "$(foreign_text)" make_headers "${@:2}") || exit 1
	printf '%s\n' "$dir/usr/src/kdir"
}

headers_6_12_amd64() {
	foreign_headers 6.12-amd64 6.12 bookworm-backports amd64 amd64
}

headers_7_2_amd64() {
	foreign_headers 7.2-amd64 7.2 sid amd64 amd64
}

# ARCH=arm64 CROSS_COMPILE=aarch64-linux-gnu-
headers_6_1_arm64() {
	foreign_headers 6.1-arm64 6.1 bookworm arm64 arm64
}

# ARCH=arm CROSS_COMPILE=arm-linux-gnueabihf-
headers_6_1_armmp() {
	foreign_headers 6.1-armmp 6.1 bookworm armhf armmp
}
