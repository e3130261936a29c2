#!/bin/bash
# SPDX-License-Identifier: MIT
# shellcheck disable=SC2317 # functions are called by check
# The in-kernel API and the tests of it: what the header declares is exported and
# documented, and a test module calls it; and no symbol is exported that none calls.
set -u
here=$(dirname "$(readlink -f "$0")")
cd "$here/../.." || exit 1
. tests/tap.sh
root=.

# bare FILE...: without comments.
bare() {
	cat "$@" | cc -x c -fpreprocessed -dD -E -P -
}

# Functions of a header.
declared() {
	bare "$root/$1" | tr '\n' ' ' | grep -o '\bbufalloc_[a-z0-9_]* *(' |
		tr -d ' (' | sort -u
}

api() {
	declared include/kernel/linux/bufalloc.h
}

# Of V4L2 drivers: functions and sets of operations.
v4l2_api() {
	declared include/kernel/linux/bufalloc-v4l2.h
	bare "$root"/include/kernel/linux/bufalloc-v4l2.h |
		sed -n 's/^extern const struct vb2_mem_ops \([a-z0-9_]*\);$/\1/p'
}

# Of DRM drivers.
drm_api() {
	declared include/kernel/linux/bufalloc-drm.h
}

# What a driver names in its operations instead of calling it: by a macro, or where
# a driver is patched.
named() {
	{
		sed -n '/^#define BUFALLOC_DRM_DRIVER_OPS/,/[^\\]$/p' \
			"$root/include/kernel/linux/bufalloc-drm.h"
		cat "$root"/tests/kernel/drivers/*.patch
	} | grep -oE '\bbufalloc_[a-z0-9_]+\b' | sort -u
}

exported() {
	bare "$root"/kernel/*.c |
		sed -n 's/^EXPORT_SYMBOL_NS_GPL(\([a-z0-9_]*\), BUFALLOC_NS);$/\1/p' |
		sort -u
}

# called FILE...: functions of bufalloc's that these files call, and sets of
# operations that they have the address of.
called() {
	bare "$@" | grep -oE '\bbufalloc_[a-z0-9_]*\(|&bufalloc_[a-z0-9_]*memops\b' |
		tr -d '(&' | sort -u
}

# subset TEXT FIRST SECOND: each line of the first command's is one of the second's.
subset() {
	local left
	left=$(comm -23 <("$2") <("$3"))
	[ -z "$left" ] || {
		printf '%s %s\n' "$left" "$1"
		return 1
	}
}

# Also what is for resolvers only.
by_any_module() {
	{
		called "$root"/tests/kernel/modules/*.c "$root"/kernel/samples/*.[ch]
		named
	} | sort -u
}

by_the_driver() {
	called "$root"/tests/kernel/modules/api_*.c
}

documented() {
	cat "$root"/kernel/*.c | sed -n 's/^ \* \(bufalloc_[a-z0-9_]*\)() - .*/\1/p' | sort -u
}

# Some of what is exported is not GPL only, or in no namespace.
other_exports() {
	! bare "$root"/kernel/*.c | grep -n 'EXPORT_SYMBOL' |
		grep -v 'EXPORT_SYMBOL_NS_GPL([a-z0-9_]*, BUFALLOC_NS);$'
}

all_apis() { { api && v4l2_api && drm_api; } | sort -u; }
functions() { all_apis | grep -v 'memops$'; }

api_is_exported() { subset "is not exported" all_apis exported; }
api_is_called() { subset "is called by no check of ba_api" api by_the_driver; }
exports_are_called() { subset "is called by no test module" exported by_any_module; }
api_is_documented() { subset "has no kernel-doc" functions documented; }

check "the header declares something" test "$(api | wc -l)" -gt 10
check "each export is GPL only and in the namespace" other_exports
check "what the header declares is exported" api_is_exported
check "what the header declares has kernel-doc" api_is_documented
check "ba_api calls all that the header declares" api_is_called
check "a test module calls each exported symbol" exports_are_called

# The controls: each check sees its defect, in a copy.
root=$(mktemp -d)
trap 'rm -rf "$root"' EXIT

# plant CHECK PATTERN FILES SED: FILES is a glob.
plant() {
	cp -r kernel include tests "$root/"
	# shellcheck disable=SC2086
	sed -i -e "$4" "$root"/$3
	check_red "red: $1" "$2" "$1"
	rm -rf "${root:?}"/*
}

plant api_is_exported 'bufalloc_get is not' kernel/api.c \
	'/EXPORT_SYMBOL_NS_GPL(bufalloc_get/d'
plant api_is_documented 'bufalloc_get has no' kernel/api.c \
	's/ bufalloc_get() - / /'
plant api_is_called 'bufalloc_get is called by no check' \
	tests/kernel/modules/api_alloc.c 's:again = bufalloc_get(buf);:/* bufalloc_get(buf) */;:'
plant exports_are_called 'bufalloc_resolver_unregister is called' \
	'tests/kernel/modules/*.c' 's/bufalloc_resolver_unregister(/x(/'
plant exports_are_called 'bufalloc_vb2_memops is called' \
	'tests/kernel/modules/*.c' 's/&bufalloc_vb2_memops/\&unknown_memops/'
plant other_exports 'EXPORT_SYMBOL_GPL' kernel/api.c \
	's/EXPORT_SYMBOL_NS_GPL(bufalloc_get.*/EXPORT_SYMBOL_GPL(bufalloc_get);/'

finish
