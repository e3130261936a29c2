#!/bin/bash
# SPDX-License-Identifier: MIT
# build.sh KERNEL DIR: modules that count what of them runs, for a kernel of
# tests/vm/kernel, in DIR/tree/kernel; and in DIR/runtime what of the kernel's own
# source reads that out (kernel/gcov), as a module, where the kernel has it not.
set -eu
cd "$(dirname "$(readlink -f "$0")")/../.."
. tests/kernel/kernels.sh
for_kernel "$1"
dir=$(readlink -f "$2")
tree=$dir/tree

# No KASAN and no UBSAN: what they add to each access are branches. No inlining before
# gcc begins to count, so that each function is counted once.
flags="-fprofile-arcs -ftest-coverage -fprofile-info-section=counted"
flags+=" -fno-early-inlining -fno-tree-loop-im -Wno-maybe-uninitialized"

rm -rf "$tree" "$dir/runtime"
mkdir -p "$tree" "$dir/runtime"
cp -r kernel include "$tree/"
# Not where an errno is compared with, and not in comments.
sed -i -E '/^[[:space:]]*\/?\*/!{
	s/(==|!=|case) ((ERR_PTR\()?)-E/\1 \2-@E/g
	s/-(E[A-Z0-9]{2,})\b/-ERRNO_SITE(\1)/g
	s/-@E/-E/g
	s/^module_init\(/COUNTED_INIT(/
}' "$tree"/kernel/*.c
# The first and the last file of each module, before the last line of Kbuild, which
# asks for the list of files.
mv "$tree/kernel/Kbuild" "$dir/Kbuild"
{
	sed '$d' "$dir/Kbuild"
	for module in bufalloc bufalloc-v4l2 bufalloc-drm; do
		for end in first last; do
			printf '%s\n' "struct gcov_info *const counted_${end}[1]" \
				'	__attribute__((used, section("counted"))) = { 0 };' \
				>"$tree/kernel/$module-$end.c"
			echo "CFLAGS_REMOVE_$module-$end.o := $flags"
		done
		echo "$module-y := $module-first.o \$($module-y) $module-last.o"
	done
	tail -n 1 "$dir/Kbuild"
} >"$tree/kernel/Kbuild"

symbols=()
if ! grep -qw __gcov_init "$kdir/Module.symvers"; then
	cp "$(tests/vm/driver-source 6.12 kernel/gcov)"/*.[ch] "$dir/runtime/"
	# One module has one init.
	sed -i -e '/^device_initcall/d' -e 's/^static \(int __init gcov_init\)/\1/' \
		"$dir/runtime/base.c"
	sed -i -e 's/^device_initcall/module_init/' -e '/^__setup/d' \
		-e '$a int gcov_init(void);' -e '$a MODULE_LICENSE("GPL");' \
		-e 's/^	gcov_enable_events();/	int gcov_init(void);&\n	return gcov_init();/' \
		"$dir/runtime/fs.c"
	printf '%s\n' 'obj-m := ba_gcov.o' \
		'ba_gcov-y := base.o fs.o gcc_base.o gcc_4_7.o' \
		'ccflags-y := -DOBJTREE="\"/\"" -DSRCTREE="\"/\"" -Wno-unused-function' \
		'ccflags-y += -Wno-missing-prototypes -Wno-missing-declarations' \
		>"$dir/runtime/Kbuild"
	make -s -C "$kdir" M="$dir/runtime" "${cross[@]}" modules
	symbols=(KBUILD_EXTRA_SYMBOLS="$dir/runtime/Module.symvers")
fi
make -s -C "$kdir" M="$tree/kernel" "${cross[@]}" "${symbols[@]}" \
	KASAN_SANITIZE=n UBSAN_SANITIZE=n \
	KCFLAGS="-include $PWD/tests/coverage/count.h $flags" modules
