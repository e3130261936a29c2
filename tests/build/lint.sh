#!/bin/bash
# SPDX-License-Identifier: MIT
# The controls of scripts/lint.sh: for each check, a defect that it must see, in
# a copy of the sources.
set -u
here=$(dirname "$(readlink -f "$0")")
. "$here/../tap.sh"
. "$here/tree.sh"
copy_tree lint

# plant CHECK PATTERN FILE TEXT: append TEXT to FILE; the check must then fail
# with PATTERN in what it says.
plant() {
	local check=$1 pattern=$2 file=$3 text=$4 kept=''
	[ ! -f "$file" ] || kept=$(mktemp)
	[ -z "$kept" ] || cp -p "$file" "$kept"
	mkdir -p "${file%/*}"
	printf '%b' "$text" >>"$file"
	check_red "red: $check ($file)" "$pattern" scripts/lint.sh "$check"
	if [ -n "$kept" ]; then mv "$kept" "$file"; else rm "$file"; fi
	planted+=" $check"
}
planted=''

binding=docs/bindings/bufalloc,reserved-memory.yaml
plant bindings "'x' is not one of" $binding 'x: 1\n'
plant bindings "'memory-region' is a required" $binding \
	'    / { x { compatible = "bufalloc,reserved-memory"; }; };\n'
plant bindings "'memory-region' is a required" tests/vm/reserved.dtso \
	'/ { x { compatible = "bufalloc,reserved-memory"; }; };\n'
plant bindings "'memory-region' is a required" tests/vm/reserved.dtso \
	'/ { x { compatible = "bufalloc-test,own-memory"; }; };\n'
binding=docs/bindings/bufalloc-peers.yaml
plant bindings "'x' is not one of" $binding 'x: 1\n'
plant bindings 'is not of type .array' $binding \
	'    / { x { bufalloc,peers = "display"; }; };\n'
plant bindings 'is too long' $binding \
	'    / { x { bufalloc,peers = <&display &encoder>; }; };\n'
plant bindings 'is not of type .array' tests/vm/devicetree.dtso \
	'/ { x { compatible = "bufalloc-test,camera"; bufalloc,peers; }; };\n'
plant bindings "'x' is not one of" docs/bindings/bufalloc-device-memory.yaml 'x: 1\n'
plant analyzer 'tools/bufalloc/text.c' tools/bufalloc/text.c \
	'int x(void);\nint x(void)\n{\n\tint *p = NULL;\n\treturn *p;\n}\n'
plant coccinelle 'kernel/main.c' kernel/main.c \
	'static int x(int a)\n{\n\treturn a < 3 ? a : 3;\n}\n'
plant tidy 'tools/bufalloc/text.c' tools/bufalloc/text.c \
	'long x(int);\nlong x(int a)\n{\n\treturn a * 1000;\n}\n'
plant checkpatch 'ERROR:SPACING' kernel/main.c 'int bufalloc_x=1;\n'
plant checkpatch 'CHECK:' include/uapi/linux/bufalloc.h \
	'\n\n\nstruct bufalloc_x {\n\t__u32 x;\n};\n'
plant checkpatch 'CHECK:MACRO' kernel/compat/compat.h '#define X(x) if (x) x++\n'
plant format 'libbufalloc/heap.c' libbufalloc/heap.c 'int x(void) { return 1; }\n'
plant format 'tools/bufalloc/main.c' tools/bufalloc/main.c \
	'\nint\nx(void)\n{\n    return 1;\n}\n'
plant kernel_doc 'bufalloc_x' include/uapi/linux/bufalloc.h \
	'/**\n * struct bufalloc_x - x\n * @a: a\n */\nstruct bufalloc_x {\n\t__u32 a;\n\t__u32 b;\n};\n'
plant length 'docs/long.md has 701 lines' docs/long.md "$(printf '.\\n%.0s' {1..701})"
plant machines 'docs/x.md:1:http' docs/x.md 'see http''://mirror.machine.lan/x\n'
plant machines 'docs/x.md:1:' docs/x.md 'see /ho''me/someone/x\n'
# shellcheck disable=SC2016 # it is the defect
plant shellcheck 'SC2086' scripts/x.sh \
	'#!/bin/sh\n# SPDX-License-Identifier: MIT\nrm $1\n'
plant sparse 'Should it be static' kernel/main.c 'int bufalloc_x;\n'
plant spdx "kernel/x.c: 'MIT' where" kernel/x.c '// SPDX-License-Identifier: MIT\n'
plant spdx "tools/x.c: 'no SPDX line'" tools/x.c 'int x;\n'
plant spelling 'teh ==> the' docs/x.md 'in t''eh buffer\n'
plant versions 'kernel/main.c' kernel/main.c \
	'#if LINUX_VERSION_CODE > 5\n#endif\n'
plant whitespace 'docs/x.md:1:' docs/x.md 'a \n'
plant whitespace 'no end of line' docs/x.md 'a'
plant width 'kernel/main.c' kernel/main.c "/* $(printf '%098d' 0) */\\n"

# Every check has a control here.
while read -r name; do
	check "there is a control for $name" test -z "${planted##*" $name"*}"
done < <(sed -n 's/^lint_\([a-z_]*\)() {$/\1/p' scripts/lint.sh)

finish
