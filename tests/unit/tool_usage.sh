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
right "usage: bufalloc explain" help explain
right "usage: bufalloc explain" explain --help
right "usage: bufalloc alloc" alloc -h
right "usage: bufalloc selftest" help selftest
right "usage: bufalloc selftest" selftest -h
right "usage: bufalloc trace" help trace
right "usage: bufalloc trace" trace --help
right "usage: bufalloc trace" trace -h
right "bufalloc $(sed -n 's/^VERSION := //p' Makefile)" --version

wrong "no command is called 'frob'" frob
wrong "no option is called '--frob'" --frob
wrong "no command is called 'frob'" help frob
wrong "unexpected argument 'more'" help info more

wrong "unexpected argument 'more'" info more
wrong "unknown option --frob" info --frob
wrong "unknown option -x" info -x
wrong "option --json=1 takes no value" info --json=1
wrong "option --node needs a value" info --node
wrong "unknown option --device" info --device

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
	wrong "no heap is called '$heap': use auto, system, contig, reserved or device" \
		alloc --size 4K --heap "$heap"
done

wrong "unexpected argument 'more'" explain --size 4K more
wrong "unknown option --count" explain --size 4K --count
wrong "the size is missing" explain
wrong "the size is missing" explain --device /dev/null
wrong "not both" explain --size 4K --format NV12 --width 64 --height 64
wrong "belong together" explain --format NV12
wrong "belong together" explain --format NV12 --width 64
wrong "belong together" explain --width 64 --height 64
wrong "'x' is not a size" explain --size x
for attribute in '' never-cp Never-CPU 1; do
	wrong "no attribute is called '$attribute': use never-cpu, write-combine, uncached, contiguous or pinnable" \
		alloc --size 4K --attribute "$attribute"
done
wrong "a buffer is either write-combine or uncached" \
	alloc --size 4K --attribute uncached --attribute write-combine
for attribute in never-cpu uncached write-combine; do
	wrong "a pinnable buffer is neither never-cpu nor" \
		alloc --size 4K --attribute pinnable --attribute $attribute
done
wrong "no heap is called 'cma'" explain --size 4K --heap cma
wrong "no format is called 'nv12' here: use --size, or one of NV12 NV21" \
	explain --format nv12 --width 64 --height 64
for side in '' 0 -1 x 1K 1048577; do
	wrong "'$side' is not a number of pixels: give 1 to 1048576" \
		explain --format NV12 --width "$side" --height 64
	wrong "'$side' is not a number of pixels: give 1 to 1048576" \
		explain --format NV12 --height "$side" --width 64
done
wrong "unexpected argument '/dev/video0'" selftest /dev/video0
wrong "unknown option --heap" selftest --heap system
wrong "unknown option --hold" selftest --hold
wrong "'x' is not a size" selftest --size x
wrong "a test needs a size of 1 byte or more" selftest --size 0
wrong "not both" selftest --size 4K --format NV12 --width 64 --height 64
wrong "belong together" selftest --width 64 --height 64
wrong "no format is called 'nv12' here" \
	selftest --format nv12 --width 64 --height 64

wrong "no program is given: bufalloc trace -- gst-launch-1.0" trace
wrong "no program is given" trace --json file
wrong "no program is given" trace --
wrong "unknown option --frob" trace --frob -- true
wrong "option --svg needs a value" trace --svg
for file in '' 'a;b' 'a"b' 'a\b'; do
	wrong "'$file' cannot be the name of a report" trace --dot "$file" -- true
done

many=()
for _ in $(seq 17); do many+=(--device /dev/null); done
wrong "more than 16 devices" explain --size 4K "${many[@]}"
wrong "more than 16 devices" alloc --size 4K "${many[@]}"
wrong "more than 16 devices" selftest "${many[@]}"

finish
