#!/bin/bash
# SPDX-License-Identifier: MIT
# shellcheck disable=SC2317 # functions are called by check
# The manual pages: no warning of groff or mandoc, links that lead somewhere,
# and the errnos of the header.

cd "$(dirname "$0")/../.." || exit
. tests/tap.sh

is_link() {
	head -c 4 "$1" | grep -q '^\.so '
}

groff_is_silent() {
	local said
	said=$(LC_ALL=C.UTF-8 MANWIDTH=80 man --warnings -E UTF-8 -l -Tutf8 -Z \
		"$1" 2>&1 >/dev/null)
	echo "$said"
	[ -z "$said" ]
}

link_leads_somewhere() {
	local target
	read -r _ target <"$1"
	[ -f "man/${target#man3/}" ] && ! is_link "man/${target#man3/}" &&
		sed -n '/^\.SH NAME/,/^\.SH SYNOPSIS/p' "man/${target#man3/}" |
		tr '\n' ' ' | grep -q "\b$(basename "$1" .3)\b.*\\\\-"
}

# page_of FUNCTION: its page, or the one that this names.
page_of() {
	local target=man/$1.3
	! is_link "$target" || read -r _ target <"$target"
	echo "man/${target##*/}"
}

# documented FUNCTION: its comment in the header.
documented() {
	cat include/bufalloc/*.h | awk -v name="$1(" '
		/^\/\*\*/ { text = "" }
		{ text = text $0 "\n" }
		index($0, name) == 1 { print text; exit }
	'
}

# The errnos that the header lists for a function, in its page.
errnos_are_there() {
	local page errno missing=0
	page=$(page_of "$1")
	while read -r errno; do
		grep -q -- "\\\\$errno" "$page" ||
			{ echo "$errno is not in $page" && missing=1; }
	done < <(documented "$1" | grep -o '[-]E[A-Z0-9]\+' | sort -u)
	return "$missing"
}

for page in man/*.[137]; do
	if is_link "$page"; then
		check "${page#man/} leads to its page" link_leads_somewhere "$page"
		continue
	fi
	if command -v man >/dev/null; then
		check "groff: ${page#man/}" groff_is_silent "$page"
	else
		skip "groff: ${page#man/}" "man is not installed"
	fi
	if command -v mandoc >/dev/null; then
		check "mandoc: ${page#man/}" mandoc -T lint -W warning "$page"
	else
		skip "mandoc: ${page#man/}" "mandoc is not installed"
	fi
done
while read -r function; do
	check "$function.3 has the errnos of the header" \
		errnos_are_there "$function"
done < <(sed -n 's/^\(bufalloc_[a-z0-9_]*\)(.*/\1/p' include/bufalloc/*.h)

finish
