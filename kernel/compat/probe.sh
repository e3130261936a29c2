#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# probe.sh OUTPUT PROBE.c... -- COMPILER FLAGS...
#
# Compiles each PROBE.c and writes a header that defines BUFALLOC_HAVE_<NAME>
# for each that compiles. The compiler's answers are kept beside the header,
# in <NAME>.log, for whoever wonders why a probe failed.
set -u

output=$1
shift
probes=
while [ "$1" != -- ]; do
	probes="$probes $1"
	shift
done
shift

dir=$(dirname "$output")
mkdir -p "$dir"

# A compiler that cannot compile an empty file answers every question wrong.
echo '#include <linux/types.h>' > "$dir/empty.c"
if ! "$@" -c -o "$dir/probe.o" "$dir/empty.c" > "$dir/empty.log" 2>&1; then
	cat "$dir/empty.log" >&2
	echo "$0: the compiler does not work with this kernel's flags" >&2
	exit 1
fi

{
	echo '/* SPDX-License-Identifier: GPL-2.0 */'
	echo '/* Made by compat/probe.sh: what this kernel has. */'
	for probe in $probes; do
		name=$(basename "$probe" .c)
		macro=BUFALLOC_HAVE_$(echo "$name" | tr '[:lower:]' '[:upper:]')
		if "$@" -Werror -c -o "$dir/probe.o" "$probe" \
			> "$dir/$name.log" 2>&1; then
			echo "#define $macro 1"
		fi
	done
} > "$output"
rm -f "$dir/probe.o" "$dir/empty.c" "$dir/empty.log"
