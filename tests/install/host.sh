#!/bin/bash
# SPDX-License-Identifier: MIT
# shellcheck disable=SC2317 # functions are called by check
# make install and make uninstall below a DESTDIR: what is installed, that it
# can be used, and that nothing is left of it. The guest test uses the real root.

cd "$(dirname "$0")/../.." || exit
. tests/tap.sh

dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
root=$dir/root
version=$(sed -n 's/^VERSION := //p' Makefile)
source=/usr/src/bufalloc-$version
release=$(basename "$(make -s print-kmod)" "-$(uname -m)")

# tree FOLDER: everything in it: kind, mode, name, contents or target
tree() {
	(
		cd "$1" &&
			find . \( -type f -printf '%y %m %p ' -exec sh -c \
				'sha256sum <"$1"' sh {} \; \) -o \
				-printf '%y %m %p %l\n' | sort
	)
}

# The files that belong to the project, without the modules and the plugin,
# whose places the folders kernel/ and gst-plugin/ choose.
own_files() {
	(cd "$root" && find . ! -type d ! -name '*.ko' ! -path './lib/modules/*' \
		! -name 'libgst*' ! -name 60-other.rules | sed 's/^\.//' | sort)
}

expected_files() {
	local prefix=$1 page file
	{
		printf '%s\n' "$prefix/bin/bufalloc" \
			"$prefix/include/bufalloc/alloc.h" \
			"$prefix/include/bufalloc/bufalloc.h" \
			"$prefix/include/bufalloc/import.h" \
			"$prefix/include/bufalloc/pool.h" \
			"$prefix/include/bufalloc/firmware.h" \
			"$prefix/include/bufalloc/range.h" \
			"$prefix/include/bufalloc/request.h" \
			"$prefix/include/bufalloc/types.h" \
			"$prefix/include/gstreamer-1.0/gst/bufalloc/bufalloc.h" \
			"$prefix/include/linux/bufalloc.h" \
			"$prefix/lib/libbufalloc.so" \
			"$prefix/lib/libbufalloc.so.0" \
			"$prefix/lib/libbufalloc.so.$version" \
			"$prefix/lib/pkgconfig/bufalloc.pc" \
			"$prefix/lib/pkgconfig/gstreamer-bufalloc-1.0.pc" \
			"$prefix/share/bash-completion/completions/bufalloc" \
			"$prefix/share/bufalloc/folders" \
			"$source"/{Kbuild.include,"$release"/{compat.h,Module.symvers}} \
			"$source"/include/kernel/linux/bufalloc{,-drm,-v4l2}.h \
			"$source/include/uapi/linux/bufalloc.h" \
			"$source"/samples/{Kbuild,domain.h,edu.h} \
			/usr/lib/modules-load.d/bufalloc.conf \
			/usr/lib/udev/rules.d/60-bufalloc.rules
		for file in kernel/samples/bufalloc-*.c; do
			echo "$source/samples/${file##*/}"
		done
		for page in man/*.[137]; do
			echo "$prefix/share/man/man${page##*.}/${page#man/}"
		done
	} | sort
}

same_files() {
	diff <(expected_files "$1") <(own_files)
}

modes() {
	local wrong
	wrong=$(cd "$root" && find . \( -type f ! -perm 644 ! -path '*/bin/*' \) \
		-o \( -type f -path '*/bin/*' ! -perm 755 \) \
		-o \( -type d ! -perm 755 ! -name . \))
	echo "$wrong"
	[ -z "$wrong" ]
}

links() {
	[ "$(readlink "$root$1/lib/libbufalloc.so")" = libbufalloc.so.0 ] &&
		[ "$(readlink "$root$1/lib/libbufalloc.so.0")" = "libbufalloc.so.$version" ]
}

no_rpath() {
	local file
	for file in "$root$1/bin/bufalloc" $(find "$root" -name 'libgst*.so*'); do
		! readelf -d "$file" | grep -E 'RPATH|RUNPATH' || return
	done
}

no_place_of_the_build() {
	! grep -rIlF -e "$PWD" -e "$root" "$root" --exclude=folders &&
		! readelf -p .rodata "$root$1/bin/bufalloc" | grep -F "$PWD"
}

pkg_config() {
	PKG_CONFIG_LIBDIR=$root$prefix/lib/pkgconfig \
		PKG_CONFIG_SYSROOT_DIR=$root pkg-config "$@"
}

# pc_is_right NAME
pc_is_right() {
	local -x PKG_CONFIG_PATH=$root$prefix/lib/pkgconfig
	[ "$(pkg-config --modversion "$1")" = "$version" ] &&
		[ "$(pkg-config --variable=prefix "$1")" = "$prefix" ] &&
		! grep @ "$root$prefix/lib/pkgconfig/$1.pc"
}

# A program that uses the plugin's allocator: it builds with pkg-config's words and
# the installed header, and what is found by name is ours.
gst_program() {
	local -x PKG_CONFIG_PATH=$root$prefix/lib/pkgconfig
	# shellcheck disable=SC2046 # words are wanted
	cc -Wall -Wextra -Werror -o "$dir/gst_program" tests/install/gst_program.c \
		-I"$root$prefix/include/gstreamer-1.0" \
		$(pkg-config --cflags gstreamer-bufalloc-1.0) \
		-L"$root$prefix/lib" -Wl,-rpath-link,"$root$prefix/lib" \
		$(pkg-config --libs gstreamer-bufalloc-1.0) || return
	LD_LIBRARY_PATH=$root$prefix/lib "$dir/gst_program" || return
	readelf -d "$dir/gst_program" | grep 'NEEDED.*libgstbufalloc-1\.0\.so\.0\]'
}

# program LANGUAGE COMPILER...: a program builds with pkg-config's words and runs
program() {
	local language=$1 said
	shift
	# shellcheck disable=SC2046 # words are wanted
	"$@" -x "$language" -Wall -Wextra -pedantic -Werror \
		$(PKG_CONFIG_ALLOW_SYSTEM_CFLAGS=1 PKG_CONFIG_ALLOW_SYSTEM_LIBS=1 \
			pkg_config --cflags bufalloc) \
		-o "$dir/program" tests/install/program.c -x none \
		$(PKG_CONFIG_ALLOW_SYSTEM_LIBS=1 pkg_config --libs bufalloc) ||
		return
	said=$(LD_LIBRARY_PATH=$root$prefix/lib "$dir/program") || return
	[[ $said == "contig /nonexistent/node does not exist"* ]] || {
		echo "$said"
		return 1
	}
	readelf -d "$dir/program" | grep 'NEEDED.*libbufalloc\.so\.0\]'
}

tool_runs() {
	[ "$(LD_LIBRARY_PATH=$root$prefix/lib "$root$prefix/bin/bufalloc" \
		--version)" = "bufalloc $version" ]
}

same_tree() {
	diff "$dir/before" <(tree "$root")
}

quiet_make() {
	make "$@" >"$dir/log" 2>&1 || {
		tail -n 20 "$dir/log"
		return 1
	}
}

for prefix in /usr/local /usr; do
	words=(DESTDIR="$root" PREFIX="$prefix")
	# Something is there before, and an empty folder that is not ours.
	rm -rf "$root"
	mkdir -p "$root/usr/lib/udev/rules.d" "$root$prefix/include/linux" \
		"$root$prefix/lib/pkgconfig"
	echo other >"$root/usr/lib/udev/rules.d/60-other.rules"
	chmod -R u=rwX,go=rX "$root"
	tree "$root" >"$dir/before"

	check "$prefix: install" quiet_make install "${words[@]}"
	check "$prefix: the files are the expected ones" same_files $prefix
	check "$prefix: the plugin is there" \
		test -n "$(find "$root" -name libgstbufalloc.so)"
	check "$prefix: the module is there" \
		test -n "$(find "$root" -name 'bufalloc.ko*')"
	check "$prefix: modes" modes
	check "$prefix: links of the library" links $prefix
	check "$prefix: nothing has an rpath" no_rpath $prefix
	check "$prefix: no file names the place of the build" \
		no_place_of_the_build $prefix
	check "$prefix: the tool runs" tool_runs
	check "$prefix: bufalloc.pc" pc_is_right bufalloc
	check "$prefix: gstreamer-bufalloc-1.0.pc" \
		pc_is_right gstreamer-bufalloc-1.0
	check "$prefix: a program with the plugin's allocator" gst_program
	check "$prefix: a C program" program c cc -std=c99
	check "$prefix: a C++ program" program c++ c++ -std=c++17
	check "$prefix: install again" quiet_make install "${words[@]}"
	check "$prefix: uninstall" quiet_make uninstall "${words[@]}"
	check "$prefix: nothing is left, nothing is missing" same_tree
	check "$prefix: uninstall again" quiet_make uninstall "${words[@]}"
	check "$prefix: still the same" same_tree
done

# Nothing at all before: nothing at all after.
rm -rf "$root"
check "an empty place: install" quiet_make install DESTDIR="$root"
check "an empty place: uninstall" quiet_make uninstall DESTDIR="$root"
check "an empty place: is gone" test ! -e "$root"

# With a strict umask: other users can use what is installed all the same.
strict() {
	(umask 077 && quiet_make install DESTDIR="$root") && modes
}
check "umask 077: modes" strict

finish
