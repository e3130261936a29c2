# shellcheck shell=bash
# SPDX-License-Identifier: MIT
# Sourced, after tests/tap.sh, by suites that run a command and look at what
# came of it.

# run COMMAND...: keeps $status, $out and $err for the checks below.
run() {
	local file
	file=$(mktemp)
	out=$("$@" 2>"$file" </dev/null)
	status=$?
	err=$(<"$file")
	rm -f "$file"
}

# Checks of what run kept; each says what it saw.
# shellcheck disable=SC2154 # status, out and err are set by run
status_is() {
	[ "$status" = "$1" ] && return
	echo "status $status, not $1"
	echo "stdout: $out"
	echo "stderr: $err"
	return 1
}

out_has() {
	[[ $out == *"$1"* ]] && return
	echo "not in stdout: $1"
	echo "stdout: $out"
	return 1
}

out_has_no() {
	[[ $out != *"$1"* ]] && return
	echo "in stdout: $1"
	echo "stdout: $out"
	return 1
}

err_has() {
	[[ $err == *"$1"* ]] && return
	echo "not in stderr: $1"
	echo "stderr: $err"
	return 1
}

out_is_empty() {
	[ -z "$out" ] && return
	echo "stdout: $out"
	return 1
}

err_is_empty() {
	[ -z "$err" ] && return
	echo "stderr: $err"
	return 1
}

err_is_one_line() {
	[ "$(wc -l <<<"$err")" = 1 ] && [ -n "$err" ] && return
	echo "stderr: $err"
	return 1
}

# all CHECK -- CHECK -- ...: each in turn; the first that fails ends it.
all() {
	local command=()
	while [ $# -gt 0 ]; do
		if [ "$1" = -- ]; then
			"${command[@]}" || return
			command=()
		else
			command+=("$1")
		fi
		shift
	done
	"${command[@]}"
}
