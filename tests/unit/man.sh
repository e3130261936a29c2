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
		grep -q "^.SH NAME" "man/${target#man3/}" &&
		grep -q "\b$(basename "$1" .3)\b.*\\\\-" "man/${target#man3/}"
}

# The errnos that the header lists for a function, in its page.
errnos_are_there() {
	local function=$1 errno missing=0
	while read -r errno; do
		grep -q -- "\\\\$errno" "man/$function.3" ||
			{ echo "$errno" && missing=1; }
	done < <(awk -v name="$function(" '
		/^\/\*\*/ { text = "" }
		{ text = text $0 "\n" }
		index($0, name) == 1 { print text; exit }
	' include/bufalloc/bufalloc.h | grep -o '[-]E[A-Z]\+' | sort -u)
	return "$missing"
}

for page in man/*.[13]; do
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
for function in bufalloc_open_module bufalloc_alloc_bytes bufalloc_get_info \
	bufalloc_get_buf_info bufalloc_buf_map bufalloc_get_device_info \
	bufalloc_alloc_for; do
	check "$function.3 has the errnos of the header" \
		errnos_are_there $function
done

finish
