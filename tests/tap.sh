# shellcheck shell=bash
# SPDX-License-Identifier: MIT
# Sourced by suites that are shell scripts: results as TAP. A suite ends with
# `finish`.

tap_count=0 tap_failed=0

pass() { printf 'ok %d - %s\n' $((++tap_count)) "$1"; }

# fail NAME [TEXT]: TEXT, of several lines, says why.
fail() {
	printf 'not ok %d - %s\n' $((++tap_count)) "$1"
	tap_failed=$((tap_failed + 1))
	[ -z "${2-}" ] || printf '# %s\n' "${2//$'\n'/$'\n'# }"
}

skip() { printf 'ok %d - %s # SKIP %s\n' $((++tap_count)) "$1" "$2"; }

figure() { printf '# figure %s %s\n' "$1" "$2"; }

# check NAME COMMAND...: passes if the command does; what it says is the reason.
check() {
	local name=$1 said
	shift
	if said=$("$@" 2>&1); then
		pass "$name"
	else
		fail "$name" "${said:-"$* ended with status $?"}"
	fi
}

# check_red NAME PATTERN COMMAND...: the control of a check. The command must
# fail, and what it says must match PATTERN: a failure for another reason proves
# nothing.
check_red() {
	local name=$1 pattern=$2 said
	shift 2
	if said=$("$@" 2>&1); then
		fail "$name" "$* passed"
	elif ! grep -Eq -- "$pattern" <<<"$said"; then
		fail "$name" "nothing matches $pattern in:"$'\n'"$said"
	else
		pass "$name"
	fi
}

finish() {
	printf '1..%d\n' $tap_count
	[ $tap_failed = 0 ]
	exit
}
