#!/bin/bash
# SPDX-License-Identifier: MIT
# shellcheck disable=SC2317 # functions are called by check and run
# What the tool prints where the module is usable. The module is a stand-in
# (fake_kernel.c); the guest tests use the real one.

cd "$(dirname "$0")/../.." || exit
. tests/tap.sh
. tests/unit/expect.sh

: "${B:=build}"
tool=$(realpath "$B/tools/bufalloc")
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
node=$dir/node
touch "$node"
chmod 660 "$node"
group=video
chgrp $group "$node" 2>/dev/null || group=$(id -gn)

with() {
	env FAKE_NODE="$node" LD_PRELOAD="$PWD/$B/tests/unit/fake_kernel.so" "$@"
}

bufalloc() {
	local name=$1
	shift
	with "${fake[@]}" "$tool" "$name" --node "$node" "$@"
}

json_is() {
	python3 - "$1" "$out" <<'PYTHON'
import json, sys
want = json.loads(sys.argv[1])
have = json.loads(sys.argv[2])
for key, value in want.items():
    if have.get(key) != value:
        sys.exit(f"{key}: {have.get(key)!r}, not {value!r}")
PYTHON
}

fake=()
run bufalloc info
check "info" all status_is 0 -- err_is_empty -- \
	out_has "module        0.1.2" -- \
	out_has "heaps         system, contig" -- \
	out_has "max length    4294967296 bytes (4096.0 MiB)" -- \
	out_has "contig limit  1073741824 bytes (1024.0 MiB)" -- \
	out_has "contig used   8294400 bytes (7.9 MiB)" -- \
	out_has "attributes    never-cpu" -- \
	out_has "bufalloc-v4l2 not loaded" -- \
	out_has "bufalloc-drm  not loaded" -- \
	out_has "$node, $(id -un):$group, mode 0660"

if command -v python3 >/dev/null; then
	run bufalloc info --json
	check "info --json" all status_is 0 -- err_is_empty -- json_is '{
		"usable": true, "module_version": "0.1.2",
		"heaps": ["system", "contig"], "max_length": 4294967296,
		"contig_limit": 1073741824, "contig_used": 8294400,
		"attributes": ["never-cpu"],
		"node_mode": "0660",
		"resolvers": {"bufalloc-v4l2": false, "bufalloc-drm": false}}'
	run bufalloc alloc --size 8100K --heap contig --json
	check "alloc --json" all status_is 0 -- err_is_empty -- json_is '{
		"buffer": 1, "heap": "contig", "asked": 8294400,
		"length": 8294400, "runs": 1, "alloc_ns": 9119042,
		"attributes": []}'
	run bufalloc alloc --size 4K --attribute never-cpu --json
	check "alloc --attribute --json" all status_is 0 -- err_is_empty -- \
		json_is '{"buffer": 1, "attributes": ["never-cpu"]}'
else
	skip "info --json" "python3 is not installed"
	skip "alloc --json" "python3 is not installed"
	skip "alloc --attribute --json" "python3 is not installed"
fi

fake=(FAKE_LOADED=bufalloc_v4l2)
run bufalloc info
check "info: a resolver is loaded" all status_is 0 -- \
	out_has "bufalloc-v4l2 loaded" -- out_has "bufalloc-drm  not loaded"

fake=(FAKE_HEAPS=2)
run bufalloc info
check "info: a heap is missing: says why" all status_is 0 -- \
	out_has "heaps         system" -- \
	out_has "heap contig is missing" -- out_has CONFIG_CONTIG_ALLOC

fake=()
chmod 600 "$node"
run bufalloc info
check "info: only root gets in: names the udev rule" all status_is 0 -- \
	out_has "only root may use $node" -- out_has 60-bufalloc.rules
chmod 666 "$node"
run bufalloc info
check "info: all get in: no advice" all status_is 0 -- \
	out_has_no advice

fake=(FAKE_INFO_ERRNO=14)
run bufalloc info
check "info: the module stops answering" all status_is 1 -- \
	err_is_one_line -- err_has "[EFAULT]"

fake=()
run bufalloc alloc --size 8294400 --heap contig --count 3
check "alloc --count 3" all status_is 0 -- err_is_empty -- \
	out_has "buffer 1: fd " -- out_has "buffer 3: fd " -- \
	out_has "8294400 bytes (7.9 MiB), heap contig, 1 run, allocated in 9.119 ms" -- \
	test "$(wc -l <<<"$out")" = 3

run bufalloc alloc --size 4K --attribute never-cpu
check "alloc --attribute: the verdict says that it is granted" all status_is 0 -- \
	err_is_empty -- out_has "; never-cpu: granted"

run bufalloc alloc --size 0
check "alloc --size 0" all status_is 1 -- out_is_empty -- err_is_one_line -- \
	err_has "length 0: ask for 1 byte or more" -- err_has "[EINVAL]"

fake=(FAKE_ERRNO=122 FAKE_ALLOCS=1)
run bufalloc alloc --size 64M --heap contig --count 2 --hold
check "alloc: the user's limit: figures and the parameter" all status_is 1 -- \
	out_has "buffer 1:" -- err_is_one_line -- \
	err_has "67108864 bytes (64.0 MiB)" -- err_has "75403264 bytes" -- \
	err_has "1073741824 bytes" -- err_has contig_limit_bytes -- \
	err_has "[EDQUOT]"

fake=(FAKE_ERRNO=12)
run bufalloc alloc --size 8G
check "alloc: more than the machine has" all status_is 1 -- out_is_empty -- \
	err_has "8589934592 bytes (8192.0 MiB)" -- \
	err_has "4294967296 bytes" -- err_has "[ENOMEM]"

fake=(FAKE_ERRNO=95 FAKE_HEAPS=2)
run bufalloc alloc --size 4K --heap contig
check "alloc: a heap that is not there" all status_is 1 -- \
	err_has "provides: system" -- err_has "[EOPNOTSUPP]"

fake=(FAKE_BUFFER_ERRNO=95)
run bufalloc alloc --size 4K
check "alloc: a buffer that is not described" all status_is 1 -- \
	err_is_one_line -- err_has "[EOPNOTSUPP]"

fake=()
limited() {
	(ulimit -n 20 && bufalloc alloc --size 4K --count 100)
}
run limited
check "alloc: no file descriptor left" all status_is 1 -- \
	err_has "20 file descriptors" -- err_has "[EMFILE]"

run bufalloc alloc --size 4K --count 18446744073709551615
check "alloc: a count that no machine has memory for" all status_is 1 -- \
	err_is_one_line -- err_has "[ENOMEM]"

run bufalloc alloc --size 4K --hold
check "alloc --hold: ends with the input" all status_is 0 -- \
	out_has "buffer 1:" -- err_has "press Enter"

# ends_within_5_s PID
ends_within_5_s() {
	local i
	for ((i = 0; i < 100; i++)); do
		kill -0 "$1" 2>/dev/null || return 0
		sleep 0.05
	done
	echo "still there after 5 s"
	kill -KILL "$1"
	return 1
}

# waits PID: it is still there after a while
waits() {
	sleep 0.2
	kill -0 "$1" 2>/dev/null && return
	echo "it did not wait"
	return 1
}

# held ACT: held until ACT, and then ends in peace.
held() {
	local act=$1 pid fd i
	rm -f "$dir/in"
	mkfifo "$dir/in" || return
	: >"$dir/out"
	# Not through bufalloc(), so that $! is the tool itself.
	FAKE_NODE=$node LD_PRELOAD=$PWD/$B/tests/unit/fake_kernel.so \
		"$tool" alloc --node "$node" --size 4K --hold \
		<"$dir/in" >"$dir/out" 2>/dev/null &
	pid=$!
	exec {fd}>"$dir/in"
	for ((i = 0; i < 100; i++)); do
		grep -q "buffer 1:" "$dir/out" && break
		sleep 0.05
	done
	grep "buffer 1:" "$dir/out" || return
	waits "$pid" || return
	case $act in
	enter) echo >&"$fd" ;;
	text)
		echo -n text >&"$fd"
		waits "$pid" || return
		echo >&"$fd"
		;;
	end) exec {fd}>&- ;;
	*) kill -"$act" "$pid" ;;
	esac
	ends_within_5_s "$pid" || return
	[ "$act" = end ] || exec {fd}>&-
	wait "$pid"
}

for act in enter text end TERM INT; do
	check "alloc --hold: freed by $act" held $act
done

# shellcheck source=/dev/null
complete_words() {
	(
		. tools/bufalloc.bash-completion
		COMP_WORDS=("$@")
		COMP_CWORD=$(($# - 1))
		_bufalloc
		echo "${COMPREPLY[*]}"
	)
}
check "completion of commands" test "$(complete_words bufalloc al)" = alloc
check "completion of heaps" test "$(complete_words bufalloc alloc --heap c)" = contig
check "completion of heap auto" test "$(complete_words bufalloc explain --heap a)" = auto
check "completion of attributes" test "$(complete_words bufalloc alloc --attribute n)" = never-cpu
check "completion of attributes of memory" test "$(complete_words bufalloc alloc --attribute u)" = uncached
check "completion of explain" test "$(complete_words bufalloc e)" = explain
check "completion of formats" test "$(complete_words bufalloc explain --format Y)" = "YU12 YV12 YUYV"
check "completion of options" test "$(complete_words bufalloc alloc --ho)" = --hold

finish
