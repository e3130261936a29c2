# shellcheck shell=bash
# SPDX-License-Identifier: MIT
# Sourced by the suites beside it, after ../tap.sh: builds in a copy of the
# sources, so that a test's defects and flags never reach the real build.

top=$(readlink -f "${BASH_SOURCE[0]%/*}/../..")

# copy_tree NAME: make build/check/tree/NAME, a copy of what is or could be
# committed, and go there.
copy_tree() {
	local tree=$top/build/check/tree/$1
	rm -rf "$tree"
	mkdir -p "$tree"
	(cd "$top" && git ls-files -co --exclude-standard -z |
		while IFS= read -r -d '' file; do
			[ ! -e "$file" ] || printf '%s\0' "$file"
		done | tar -c --null -T -) | tar -x -C "$tree"
	cd "$tree" || exit 1
}

# sources_now: what is in the copy outside build/.
sources_now() {
	find . -path ./build -prune -o -type f -print0 | sort -z |
		xargs -0 sha256sum
}

# quietly COMMAND...: succeeds if the command does and says nothing on its
# standard error. What it did say goes to standard output.
quietly() {
	local said
	if ! said=$("$@" 2>&1 >/dev/null); then
		printf '%s\n' "$said"
		return 1
	fi
	# The kernel's build says this where there is no vmlinux to take types from.
	said=$(grep -v '^Skipping BTF generation for ' <<<"$said")
	[ -z "$said" ] && return 0
	printf '%s\n' "$said"
	return 1
}
