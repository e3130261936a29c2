#!/bin/bash
# SPDX-License-Identifier: MIT
# shellcheck disable=SC2317 # functions are called by check and run
# The tool's help, its version, and what wrong usage gets: one line on stderr,
# nothing on stdout, exit status 2.

cd "$(dirname "$0")/../.." || exit
. tests/tap.sh
. tests/unit/expect.sh

: "${B:=build}"
tool=$B/tools/bufalloc

wrong() {
	local words=$1
	shift
	run "$tool" "$@"
	check "wrong: bufalloc $*" all status_is 2 -- out_is_empty -- \
		err_is_one_line -- err_has "$words"
}

right() {
	local words=$1
	shift
	run "$tool" "$@"
	check "bufalloc $*" all status_is 0 -- err_is_empty -- out_has "$words"
}

run "$tool"
check "without a command" all status_is 2 -- out_is_empty -- err_has "usage: bufalloc COMMAND"

right "usage: bufalloc COMMAND" help
right "usage: bufalloc COMMAND" --help
right "usage: bufalloc COMMAND" -h
right "usage: bufalloc info" help info
right "usage: bufalloc info" info --help
right "usage: bufalloc alloc" help alloc
right "usage: bufalloc alloc" alloc -h
right "bufalloc $(sed -n 's/^VERSION := //p' Makefile)" --version

wrong "no command is called 'frob'" frob
wrong "no option is called '--frob'" --frob
wrong "no command is called 'frob'" help frob
wrong "unexpected argument 'more'" help info more

wrong "unexpected argument 'more'" info more
wrong "unknown option --frob" info --frob
wrong "unknown option -x" info -x
wrong "option --json=1 takes no value" info --json=1
wrong "option --device needs a value" info --device

wrong "--size is missing" alloc
wrong "--size is missing" alloc --heap contig
wrong "option --size needs a value" alloc --size
wrong "unexpected argument '4K'" alloc --size 4K 4K
wrong "unknown option --frob" alloc --size 4K --frob
for size in '' x -1 +1 ' 1' 1.5M 4KB 4x K 0x1000 1e6 18446744073709551616 \
	17179869184G 18014398509481985K; do
	wrong "'$size' is not a size: give bytes, or K, M or G" alloc --size "$size"
done
for count in '' 0 -1 x 1K 18446744073709551616; do
	wrong "'$count' is not a count" alloc --size 4K --count "$count"
done
for heap in '' cma System 1; do
	wrong "no heap is called '$heap': use system or contig" \
		alloc --size 4K --heap "$heap"
done

finish
