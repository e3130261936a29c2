#!/bin/bash
# SPDX-License-Identifier: MIT
# `make` in a fresh copy of the sources: it says nothing on standard error, all
# that it makes is below build/, a second call makes nothing, and several jobs
# at once do not get in each other's way.
set -u
here=$(dirname "$(readlink -f "$0")")
. "$here/../tap.sh"
. "$here/tree.sh"
copy_tree clean

# made: what has been made, and when.
made() { find build -type f \( -name '*.ko' -o -name '*.so*' -o -name '*.o' \
	-o -path '*/tools/bufalloc' \) -printf '%p %T@\n' | sort; }

before=$(sources_now)
check "builds without a word on standard error" quietly make
check "the sources are as they were" test "$before" = "$(sources_now)"
first=$(made)
check "something was made" test -n "$first"
quietly make >/dev/null
check "a second call makes nothing" diff <(echo "$first") <(made)
check "make clean leaves the sources alone" make clean
check "... all of them" test "$before" = "$(sources_now)"
check "builds with two jobs" quietly make -j2
touch stray
check "red: a stray file is seen" test "$before" != "$(sources_now)"
check "git ignores what is made" git -C "$top" check-ignore -q build/x

finish
