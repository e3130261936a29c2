#!/bin/bash
# SPDX-License-Identifier: MIT
# shellcheck disable=SC2317 # functions are called by check and run
# The tool without a usable module: one sentence that says what to do, the
# errno by name, exit status 1; also when nobody reads the output.

cd "$(dirname "$0")/../.." || exit
. tests/tap.sh
. tests/unit/expect.sh

: "${B:=build}"
tool=$(realpath "$B/tools/bufalloc")
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
chmod 755 "$dir"
missing=$dir/missing

run "$tool" info --node "$missing"
check "info: no node: how to load the module" all status_is 1 -- \
	err_is_one_line -- err_has "$missing does not exist" -- \
	err_has "modprobe bufalloc" -- err_has "[ENOENT]" -- \
	out_has "missing" -- out_has "not usable"

run "$tool" alloc --size 4K --node "$missing"
check "alloc: no node: how to load the module" all status_is 1 -- \
	err_is_one_line -- out_is_empty -- err_has "modprobe bufalloc" -- \
	err_has "[ENOENT]"

run "$tool" explain --size 4K --device /dev/null --node "$missing"
check "explain: no node: how to load the module" all status_is 1 -- \
	err_is_one_line -- err_has "modprobe bufalloc" -- err_has "[ENOENT]"
run "$tool" explain --size 4K --node "$missing"
check "explain: no node and no device: what is there all the same" all \
	status_is 0 -- out_has "left: bufalloc: not loaded"
run env BUFALLOC_BACKEND=bufalloc "$tool" explain --size 4K --node "$missing"
check "explain: the module alone is wanted" all status_is 1 -- err_is_one_line -- \
	out_is_empty -- err_has "modprobe bufalloc" -- err_has "[ENOENT]"

if [ -e /dev/bufalloc ]; then
	skip "the default node" "/dev/bufalloc exists on this machine"
else
	run "$tool" info
	check "the default node" all status_is 1 -- \
		err_has "/dev/bufalloc does not exist"
fi

run "$tool" info --json --node "$missing"
check "info --json: the same in JSON" all status_is 1 -- \
	out_has '"usable": false' -- out_has '"errno": "ENOENT"' -- \
	out_has 'modprobe bufalloc'
if command -v python3 >/dev/null; then
	check "info --json: is JSON" python3 -c 'import json,sys; json.loads(sys.argv[1])' "$out"
else
	skip "info --json: is JSON" "python3 is not installed"
fi

run "$tool" info --node /dev/null
check "another driver's node" all status_is 1 -- err_is_one_line -- \
	err_has "/dev/null is not bufalloc's" -- err_has "[ENOTTY]"

touch "$dir/file"
run "$tool" info --node "$dir/file"
check "an ordinary file" all status_is 1 -- err_has "[ENOTTY]"

run "$tool" info --node "$dir"
check "a folder" all status_is 1 -- err_has "Is a directory" -- err_has "[EISDIR]"

# As a user who is in no group.
nobody() {
	setpriv --reuid 65534 --regid 65534 --clear-groups "$@"
}

if [ "$(id -u)" = 0 ] && command -v setpriv >/dev/null &&
	getent group video >/dev/null && nobody test -x "$tool"; then
	chgrp video "$dir/file"
	chmod 660 "$dir/file"
	run nobody "$tool" info --node "$dir/file"
	check "no permission: names the group" all status_is 1 -- \
		err_is_one_line -- err_has "members of group video" -- \
		err_has "usermod -aG video USER" -- err_has "[EACCES]"
	chmod 600 "$dir/file"
	run nobody "$tool" info --node "$dir/file"
	check "no permission for the group either: names the udev rule" all \
		status_is 1 -- err_has "60-bufalloc.rules" -- err_has "[EACCES]"
	chmod 700 "$dir"
	run nobody "$tool" info --node "$dir/file"
	check "a closed folder" all status_is 1 -- err_has "folder" -- \
		err_has "[EACCES]"
else
	for name in "names the group" "names the udev rule" "a closed folder"; do
		skip "no permission: $name" "needs root, setpriv, a group video and a tool that nobody can reach"
	done
fi

full() {
	"$tool" help >/dev/full
}
run full
check "output that cannot be written" all status_is 1 -- err_has "[ENOSPC]"

finish
