#!/bin/bash
# SPDX-License-Identifier: MIT
# lint.sh [-q] [CHECK...]: look for what no test would notice. Prints TAP, one
# result for each check; without names, all of them, or with -q those that take no
# minutes. There is no list of known findings: none is allowed.
#
# shellcheck disable=SC2317 # the checks are called by their names
set -u
cd "$(dirname "$(readlink -f "$0")")/.." || exit 1
. tests/tap.sh
. tests/vm/cache.sh

# files [PATTERN...]: what is or could be committed and matches a pattern.
files() {
	if [ -e .git ]; then
		git ls-files -co --exclude-standard
	else
		find . -path ./build -prune -o -type f -printf '%P\n'
	fi | sort | while IFS= read -r file; do
		[ -f "$file" ] || continue
		local pattern
		for pattern; do
			# shellcheck disable=SC2053 # it is a pattern
			[[ $file == $pattern ]] && printf '%s\n' "$file" && break
		done
	done
}

# scripts: the files that a shell reads.
scripts() {
	files '*' | while IFS= read -r file; do
		case $file in LICENSES/*) continue ;; esac
		head -n 1 "$file" | grep -qE '^#!.*/(ba|da)?sh|^# shellcheck shell=' &&
			printf '%s\n' "$file"
	done
}

# empty TEXT: succeeds if there is none; else TEXT is the list of findings.
empty() {
	[ -z "$1" ] && return 0
	printf '%s\n' "$1"
	return 1
}

# The kernel's own checkers are in the package of its source and in no other.
make_checkpatch() {
	local dir=$1
	say "downloading linux-source-6.1 (140 MB), for checkpatch"
	apt_get "$dir" linux-source-6.1
	say "unpacking scripts/checkpatch.pl from it (10 s)"
	dpkg-deb --fsys-tarfile "$dir"/linux-source-6.1_*.deb |
		tar -xO ./usr/src/linux-source-6.1.tar.xz | xz -dc |
		tar -x -C "$dir" --strip-components=2 \
			linux-source-6.1/scripts/checkpatch.pl \
			linux-source-6.1/scripts/spelling.txt \
			linux-source-6.1/scripts/const_structs.checkpatch
	rm "$dir"/*.deb
}

lint_checkpatch() {
	local dir list
	dir=$(cached checkpatch "6.1" make_checkpatch) || return 1
	mapfile -t list < <(files 'kernel/*.[ch]' 'include/uapi/*.h' |
		grep -v '^kernel/compat/.*\.h$')
	# The macros around symbol_get() take a name, which has no side effects.
	perl "$dir/checkpatch.pl" --no-tree --strict --terse --show-types \
		--no-summary --ignore MACRO_ARG_REUSE -f "${list[@]}" || return 1
	# What differs between kernels may ask for the version.
	perl "$dir/checkpatch.pl" --no-tree --strict --terse --show-types \
		--no-summary --ignore LINUX_VERSION_CODE,CONSTANT_COMPARISON \
		-f kernel/compat/*.h
}

lint_sparse() {
	local kdir said
	kdir=$(tests/vm/headers 6.1-amd64) || return 1
	said=$(make modules KDIR="$kdir" \
		KMAKE_FLAGS="C=2 CF=-D__CHECK_ENDIAN__" 2>&1 >/dev/null) || {
		printf '%s\n' "$said"
		return 1
	}
	empty "$(grep -v '^Skipping BTF generation' <<<"$said")"
}

lint_kernel_doc() {
	local kdir list
	kdir=$(tests/vm/headers 6.1-amd64) || return 1
	mapfile -t list < <(files 'kernel/*.[ch]' 'include/uapi/*.h' \
		'include/kernel/*.h')
	"$kdir/scripts/kernel-doc" -Werror -none "${list[@]}"
}

# validate_tree SCHEMAS [OPTION...]: a devicetree on standard input.
validate_tree() {
	local tree schemas=$1
	shift
	tree=$(mktemp --suffix=.yaml)
	dtc -q -I dts -O yaml -o "$tree" - &&
		dt-validate -s "$schemas" "$@" "$tree" 2>&1
	rm "$tree"
}

# The bindings, their examples and the tests' trees, which are parts of one: of those
# the nodes that are ours. The tools say by words alone that something is wrong.
lint_bindings() {
	local dir file
	command -v dt-validate >/dev/null || {
		echo "dt-schema is not installed"
		return 1
	}
	# Of one folder each.
	dir=$(mktemp -d)
	files 'docs/bindings/*.yaml' 'tests/vm/bindings/*.yaml' |
		while IFS= read -r file; do cp "$file" "$dir/"; done
	empty "$(for file in "$dir"/*; do
		dt-doc-validate -u "$dir" "$file" 2>&1
		dt-extract-example "$file" | validate_tree "$dir"
	done
	files 'tests/*.dtso' | while IFS= read -r file; do
		validate_tree "$dir" -l bufalloc <"$file"
	done)"
	set -- $?
	rm -r "$dir"
	return "$1"
}

lint_shellcheck() {
	local list
	mapfile -t list < <(scripts)
	shellcheck --external-sources --source-path=SCRIPTDIR "${list[@]}"
}

lint_spelling() {
	local list
	mapfile -t list < <(files '*' | grep -v '^LICENSES/')
	# A heap of this name must not exist, says a test; a driver's name and
	# the kernel's words for a file, for an inode's end and for VIDIOC_S_PARM; and
	# syzkaller's for a direction.
	codespell --ignore-words-list=syste,gud,filp,iput,renderd,parm,inout "${list[@]}"
}

# normal: spaces inside of a line count as one. Comments and macros may be
# aligned as their writer likes.
normal() {
	awk '{
		match($0, /^[ \t]*/)
		rest = substr($0, RLENGTH + 1)
		gsub(/[ \t]+/, " ", rest)
		print substr($0, 1, RLENGTH) rest
	}' "$@"
}

lint_format() {
	local file status=0
	command -v clang-format >/dev/null || {
		echo "clang-format is not installed"
		return 1
	}
	while IFS= read -r file; do
		# Tables of rows have a layout of their own.
		case $file in tests/unit/test_*) continue ;; esac
		diff --label "$file" --label "$file, formatted" -u \
			<(normal "$file") <(clang-format "$file" | normal) || status=1
	done < <(files 'libbufalloc/*.[ch]' 'include/bufalloc/*.h' \
		'tools/*.[ch]' 'tests/unit/*.[ch]')
	return "$status"
}

lint_spdx() {
	local file want got status=0
	while IFS= read -r file; do
		case $file in
		LICENSES/* | scripts/packages-*.txt | *.md | *.json | *.png | *.pc.in | .gitignore | \
			.editorconfig) continue ;;
		# A page that only names another.
		man/*) [ "$(wc -l <"$file")" -gt 1 ] || continue ;;
		esac
		case $file in
		include/uapi/*) want='GPL-2\.0 WITH Linux-syscall-note' ;;
		kernel/* | include/kernel/*) want='GPL-2\.0' ;;
		libbufalloc/* | include/bufalloc/*) want='MIT' ;;
		gst-plugin/*.[ch]) want='LGPL-2\.1-or-later' ;;
		*) want='(MIT|GPL-2\.0( WITH Linux-syscall-note)?|LGPL-2\.1-or-later)' ;;
		esac
		got=$(sed -n '1,3s/.*SPDX-License-Identifier: //p' "$file" |
			sed 's/ *\*\/$//')
		[[ $got =~ ^$want$ ]] && continue
		echo "$file: '${got:-no SPDX line}' where $want belongs"
		status=1
	done < <(files '*')
	for want in GPL-2.0 MIT LGPL-2.1-or-later Linux-syscall-note; do
		[ -s "LICENSES/$want.txt" ] && continue
		echo "LICENSES/$want.txt is missing"
		status=1
	done
	return "$status"
}

# The ABI is one header, whose calls each bring their manual.
lint_length() {
	local file lines max status=0
	while IFS= read -r file; do
		max=700
		case $file in
		LICENSES/* | *.png | *.json) continue ;;
		include/uapi/*) max=1000 ;;
		esac
		lines=$(wc -l <"$file")
		[ "$lines" -le "$max" ] && continue
		echo "$file has $lines lines; $max are allowed"
		status=1
	done < <(files '*')
	return "$status"
}

# 80 columns are the aim and 100 the end, as for checkpatch; text that somebody
# may search for stays on one line.
lint_width() {
	local file
	empty "$(files '*.[ch]' | while IFS= read -r file; do
		expand "$file" | awk -v file="$file" \
			'length > 100 && !/"/ { print file ":" NR ": " length }'
	done)"
}

lint_whitespace() {
	local file
	empty "$(files '*' | grep -Ev '^LICENSES/|\.png$' |
		while IFS= read -r file; do
			grep -HnE $'[ \t\r]$' "$file"
			[ -z "$(tail -c 1 "$file")" ] || echo "$file: no end of line"
		done)"
}

lint_versions() {
	local file
	empty "$(files 'kernel/*' 'include/*' | grep -v '^kernel/compat/' |
		while IFS= read -r file; do
			grep -HnE 'LINUX_VERSION_CODE|KERNEL_VERSION *\(' "$file"
		done)"
}

# Addresses: of projects that the documentation may refer to, and names that
# nobody has.
lint_machines() {
	local file hosts='([a-z0-9-]+\.)*(test|example|localhost|kernel\.org'
	hosts+='|devicetree\.org|freedesktop\.org|gnu\.org|spdx\.org|w3\.org)'
	empty "$(files '*' | grep -Ev '^LICENSES/|\.png$' |
		while IFS= read -r file; do
			grep -HnoE '(https?|ftp)://[A-Za-z0-9._-]+' "$file" |
				grep -vE "://$hosts\$"
			grep -HnE '(^|[^]A-Za-z0-9_.$})/*-])/((home|work|Users)/|root/\.)' "$file"
		done)"
}

# user_space COMMAND...: run it for each file of C of user space, with the options
# that this is compiled with at its end, two at a time. Prints what it says.
user_space() {
	local folder packages flags
	make -s plugin >/dev/null || return 1
	while read -r folder packages; do
		# shellcheck disable=SC2086,SC2207 # words are wanted
		flags=(-std=gnu11 -D_FILE_OFFSET_BITS=64 '-DVERSION="0"'
			'-DPACKAGE="bufalloc"' -DHAVE_WAYLAND -Iinclude -Iinclude/uapi
			-Igst-plugin -Ibuild/gst-plugin
			$(pkg-config --cflags $packages | sed 's/-I/-isystem /g'))
		files "$folder/*.c" | xargs -P 2 -I {} "$@" {} "${flags[@]}"
	done <<-'END'
		libbufalloc libdrm
		tools/bufalloc libdrm json-c
		examples libdrm gstreamer-app-1.0 gstreamer-video-1.0
		gst-plugin libdrm gstreamer-video-1.0 gstreamer-allocators-1.0 wayland-client
	END
}

# gcc's own look along each path through a function. Leaks are found by the tests
# under AddressSanitizer and valgrind: gcc 12 forgets what is stored in an array
# that realloc() did not move.
lint_analyzer() {
	analyze() {
		gcc -O1 -fanalyzer -Wno-analyzer-malloc-leak -c -o /dev/null \
			"${@:2}" "$1" 2>&1
	}
	export -f analyze
	# shellcheck disable=SC2016 # for the inner shell
	empty "$(user_space bash -c 'analyze "$@"' analyze |
		grep -E 'warning:|error:')"
}

# What clang finds along paths, and what programmers do by mistake. Not: that two
# parameters of one type could be swapped; names with underscores, which headers
# have; bounded copies that only Annex K would check; an array of pointers.
lint_tidy() {
	local checks='-*,clang-analyzer-*,bugprone-*'
	checks+=,-bugprone-easily-swappable-parameters
	checks+=,-bugprone-reserved-identifier,-bugprone-sizeof-expression
	checks+=,-clang-analyzer-security.insecureAPI.DeprecatedOrUnsafeBufferHandling
	tidy() { clang-tidy --quiet "--checks=$1" "$2" -- "${@:3}" 2>&1; }
	export -f tidy
	# shellcheck disable=SC2016 # for the inner shell
	empty "$(user_space bash -c 'tidy "$@"' tidy "$checks" |
		grep -E 'warning:|error:')"
}

make_coccinelle() {
	local dir=$1
	say "downloading linux-source-6.1 (140 MB), for its semantic patches"
	apt_get "$dir" linux-source-6.1
	dpkg-deb --fsys-tarfile "$dir"/linux-source-6.1_*.deb |
		tar -xO ./usr/src/linux-source-6.1.tar.xz | xz -dc |
		tar -x -C "$dir" --strip-components=3 --wildcards \
			'linux-source-6.1/scripts/coccinelle/*'
	rm "$dir"/*.deb
}

# The kernel's own semantic patches, all but those of its tests.
lint_coccinelle() {
	local dir
	dir=$(cached coccinelle "6.1" make_coccinelle) || return 1
	empty "$(find "$dir" -name '*.cocci' ! -path '*/tests/*' | sort |
		xargs -P 2 -I {} spatch -D report --very-quiet --no-show-diff \
			--cocci-file {} --dir kernel --include-headers \
			-I include/kernel -I include/uapi 2>/dev/null)"
}

slow=(analyzer coccinelle tidy)
mapfile -t all < <(declare -F | sed -n 's/^declare -f lint_//p')
if [ "${1-}" = -q ]; then
	shift
	mapfile -t all < <(printf '%s\n' "${all[@]}" | grep -vxF "${slow[@]/#/-e}")
fi
[ $# -gt 0 ] || set -- "${all[@]}"
for name; do
	if ! declare -F "lint_$name" >/dev/null; then
		echo "lint.sh: no check is called $name; there are: ${all[*]}" >&2
		exit 2
	fi
	check "$name" "lint_$name"
done
figure lint_findings $tap_failed
finish
