#!/bin/bash
# SPDX-License-Identifier: MIT
# selftest.sh: does `run` see what goes wrong in a guest? Prints TAP.
set -u
here=$(dirname "$(readlink -f "$0")")
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
count=0 failed=0

# result NAME OK: one line of TAP; OK is 0 or not.
result() {
	count=$((count + 1))
	if [ "$2" = 0 ]; then
		printf 'ok %d - %s\n' "$count" "$1"
	else
		failed=$((failed + 1))
		printf 'not ok %d - %s\n' "$count" "$1"
	fi
}

# expect NAME STATUS TEXT [OPTION...] -- COMMAND...: the guest's end must have
# this status, and TEXT (a regular expression) must be in what `run` prints.
expect() {
	local name=$1 status=$2 text=$3 got=0 bad=0
	shift 3
	"$here/run" --mem 512 --log "$tmp/log" "$@" >"$tmp/output" 2>&1 || got=$?
	if [ "$got" != "$status" ] || ! grep -qE -- "$text" "$tmp/output"; then
		bad=1
	fi
	result "$name" "$bad"
	[ "$bad" = 0 ] || {
		printf '# status %s, expected %s with "%s":\n' "$got" "$status" "$text"
		sed 's/^/# /' "$tmp/output"
	}
}

# Overwrites the code of process 1, which then dies.
# shellcheck disable=SC2016 # for the guest's shell
kill_init='start=$(sed -n "/r-xp/{s/-.*//p;q}" /proc/1/maps)
head -c 1048576 /dev/zero |
	dd of=/proc/1/mem bs=4096 seek=$((0x$start)) oflag=seek_bytes conv=notrunc
sleep 20'

echo "1..30"
# shellcheck disable=SC2016
expect "output and status come back" 3 "^hello from $PWD\$" \
	-- sh -c 'echo hello from $PWD >&2; exit 3'
expect "arguments arrive as they are" 0 "^<a b><\\*><'><>" \
	-- printf '<%s>' 'a b' '*' "'" ''
mkdir "$tmp/out"
expect "a module with a parameter; zeroing by the kernel is off" 0 '^2$' \
	--out "$tmp/out" --module "vivid n_devs=2" \
	-- sh -c "grep -q init_on_alloc=0 /proc/cmdline &&
		cat /sys/module/vivid/parameters/n_devs
		echo data >'$tmp/out/file' && echo data >'$tmp/outside'"
[ -e "$tmp/out/file" ]
result "--out can be written" $?
[ ! -e "$tmp/outside" ]
result "the rest of the host cannot" $?
expect "a module that is not there" 125 'module nosuchmodule could not' \
	--module nosuchmodule -- true
expect "a hang" 125 'no result after 15 s' --timeout 15 -- sleep 100
expect "a panic" 125 'stopped without a result, ".*sysrq triggered crash' \
	-- sh -c 'echo c >/proc/sysrq-trigger'
expect "the death of process 1" 125 'stopped without .*Attempted to kill init' \
	-- sh -c "$kill_init"
expect "silence" 125 'stopped without a result: ' \
	-- sh -c 'echo o >/proc/sysrq-trigger; sleep 20'
warning='echo "WARNING: at x.c" >/dev/kmsg'
expect "trouble in the log" 124 'shows trouble, ".*WARNING: at x.c"' \
	-- sh -c "$warning"
expect "trouble that is allowed" 0 . --allow-warnings 'at x.c' -- sh -c "$warning"

# The words that `trouble` knows need no guest.
while read -r line; do
	printf '[    1.0] fine\r\n[    1.1] %s\r\n' "$line" >"$tmp/log"
	[ "$("$here/trouble" "$tmp/log")" = "[    1.1] $line" ] &&
		! "$here/trouble" "$tmp/log" '1\.1'
	result "in a log: $line" $?
done <<'END'
WARNING: CPU: 0 PID: 1 at x.c:1 f+0x0/0x1
BUG: kernel NULL pointer dereference, address: 0000000000000000
BUG: KASAN: use-after-free in f+0x0/0x1
BUG: KCSAN: data-race in f / g
Oops: 0002 [#1] PREEMPT SMP
Kernel panic - not syncing: x
general protection fault, probably for non-canonical address 0x1
WARNING: possible circular locking dependency detected
WARNING: possible recursive locking detected
WARNING: inconsistent lock state
WARNING: suspicious RCU usage
UBSAN: array-index-out-of-bounds in x.c:1:1
unreferenced object 0xffff888100000000 (size 64):
refcount_t: underflow; use-after-free.
INFO: task x:1 blocked for more than 120 seconds.
rcu: INFO: rcu_preempt self-detected stall on CPU
watchdog: BUG: soft lockup - CPU#0 stuck for 26s!
DMA-API: vivid vivid.000: device driver failed to check map error
END
[ "$failed" = 0 ]
