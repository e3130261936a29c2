#!/bin/bash
# SPDX-License-Identifier: MIT
# The runner itself: each way that a suite can fail is seen red, with suites
# made for it, and the table of suites is whole.
set -u
here=$(dirname "$(readlink -f "$0")")
. "$here/tap.sh"
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT

# suite NAME COMMAND [TARGET [TIMEOUT]]: add a line to the table.
suite() {
	printf '%s\t%s\t%s\t-\t1\t%s\t%s\n' "$1" "${3-check}" host \
		"${4-${limit-5}}" "$2"
}

# run OPTION... : $out, $status.
run() {
	out=$("$here/run" --table "$dir/table" --build "$dir/build" "$@" 2>&1 \
		</dev/null)
	status=$?
}

# expect NAME STATUS LAST [LINE...]: the last run's status and last line, and
# other lines that must be there as they are.
expect() {
	local name=$1 want=$2 last=$3 line
	shift 3
	if [ "$status" != "$want" ] || [ "$(tail -n 1 <<<"$out")" != "$last" ]; then
		fail "$name" "wanted status $want and: $last"$'\n'"got $status and:"$'\n'"$out"
		return
	fi
	for line; do
		grep -qxF -- "      $line" <<<"$out" && continue
		fail "$name" "no line '      $line' in:"$'\n'"$out"
		return
	done
	pass "$name"
}

# red NAME COMMAND LINE [TIMEOUT]: a suite that must fail once, for LINE, and
# whose log must be named.
red() {
	suite bad "$2" check "${4-5}" >"$dir/table"
	run
	expect "red: $1" 1 "0 passed, 1 failed, 0 skipped" "$3" \
		"log: $dir/build/check/log/bad.log"
}

# redder NAME COMMAND LAST LINE...: the same where results are printed too.
redder() {
	local name=$1 last=$3
	suite bad "$2" >"$dir/table"
	shift 3
	run
	expect "red: $name" 1 "$last" "$@"
}

suite good 'echo "ok 1 - a"; echo "ok 2 - b # SKIP no b here"; echo 1..2' \
	>"$dir/table"
run
expect "a suite passes, with a skip and its reason" 0 \
	"1 passed, 0 failed, 1 skipped" "skipped: 2 - b # SKIP no b here"

suite first 'echo 1..1; printf "ok 1 - a\r\n"' >"$dir/table"
run
expect "plan first, lines that end as a serial console's do" 0 \
	"1 passed, 0 failed, 0 skipped"

suite none 'echo "1..0 # SKIP no camera"' >"$dir/table"
suite good 'echo 1..1; echo "ok 1 - a"' >>"$dir/table"
run
expect "a suite that skips itself" 0 "1 passed, 0 failed, 1 skipped" \
	"skipped: 1..0 # SKIP no camera"
run none
expect "red: nothing but skips" 1 "0 passed, 0 failed, 1 skipped"
run 'x*'
expect "red: a glob that selects nothing" 1 "0 passed, 0 failed, 0 skipped"
: >"$dir/table"
run
expect "red: an empty table" 1 "0 passed, 0 failed, 0 skipped"

redder "a result that is not ok, with what it says" \
	'echo 1..2; echo "ok 1 - a"; echo "not ok 2 - b"; echo "# b is 3"; false' \
	"1 passed, 1 failed, 0 skipped" "not ok 2 - b" "  # b is 3"
redder "a plan that promised more" 'echo 1..2; echo "ok 1 - a"' \
	"1 passed, 1 failed, 0 skipped" "planned 2 results, printed 1"
redder "a plan that promised less" \
	'echo 1..1; echo "ok 1 - a"; echo "ok 2 - b"' \
	"2 passed, 1 failed, 0 skipped" "planned 1 results, printed 2"
redder "no plan" 'echo "ok 1 - a"' \
	"1 passed, 1 failed, 0 skipped" "printed no plan"
redder "two plans" 'echo 1..1; echo "ok 1 - a"; echo 1..1' \
	"1 passed, 1 failed, 0 skipped" "printed 2 plans"
redder "results out of order" 'echo 1..2; echo "ok 2 - b"; echo "ok 1 - a"' \
	"2 passed, 1 failed, 0 skipped" "result 1 is numbered 2"
redder "a status that no result explains" 'echo 1..1; echo "ok 1 - a"; exit 3' \
	"1 passed, 1 failed, 0 skipped" \
	"exit status 3 although no result says why"
redder "status 0 in spite of a failure" 'echo 1..1; echo "not ok 1 - a"' \
	"0 passed, 2 failed, 0 skipped" "exit status 0 although a result failed"
redder "a crash after the last result" \
	'echo 1..1; echo "ok 1 - a"; kill -SEGV $$' \
	"1 passed, 1 failed, 0 skipped" "killed by signal 11"
redder "a bail-out" 'echo 1..1; echo "ok 1 - a"; echo "Bail out! no"; exit 1' \
	"1 passed, 2 failed, 0 skipped" "Bail out! no"
redder "a figure that is none" \
	'echo 1..1; echo "ok 1 - a"; echo "# figure Bad-Name 1"' \
	"1 passed, 1 failed, 0 skipped" "no figure: # figure Bad-Name 1"
red "silence" true "printed no result"
limit=1 redder "a timeout" 'echo 1..1; echo "ok 1 - a"; sleep 60' \
	"1 passed, 1 failed, 0 skipped" "stopped after 1 s"
redder "a command that does not exist" "$dir/none" \
	"0 passed, 2 failed, 0 skipped" "printed no result"

suite left "sleep 300 & echo \$! >$dir/pid; echo 1..1; echo 'ok 1 - a'" \
	>"$dir/table"
run
# A process that was killed and that nobody waited for yet is not running.
sleep 0.2
check "nothing of a suite is left running" test -z \
	"$(sed -n '/^State:.*[RSD] /p' "/proc/$(cat "$dir/pid")/status" 2>/dev/null)"

suite one 'printf "1..1\nok 1 - a\n# figure speed 2.5\n# figure kernel 6.1-amd64\n"' \
	>"$dir/table"
suite two 'echo 1..1; echo "ok 1 - a"; echo "# figure size 7"' >>"$dir/table"
run
check "figures of all suites are merged" test "$(jq -c . \
	"$dir/build/check/figures.json")" = \
	'{"kernel":"6.1-amd64","size":7,"speed":2.5}'
sed -i 's/figure size 7/figure size 8/' "$dir/table"
run two
check "a run of one suite keeps the others' figures" test "$(jq -c . \
	"$dir/build/check/figures.json")" = \
	'{"kernel":"6.1-amd64","size":8,"speed":2.5}'
sed -i 's/figure size 8/figure speed 8/' "$dir/table"
run
expect "red: two suites that give one figure two values" 1 \
	"2 passed, 1 failed, 0 skipped" "figure speed: 8, but 2.5 in one"
sed -i '/^two\t/s/host/guest/; /^two\t/s/\t-\t/\t6.12\t/' "$dir/table"
run
expect "suites on two kernels may give one figure two values" 0 \
	"2 passed, 0 failed, 0 skipped"
check "the first one's in the table is kept" test "$(jq -c .speed \
	"$dir/build/check/figures.json")" = 2.5

suite h 'echo 1..1; echo "ok 1 - a"' check-host >"$dir/table"
suite c 'echo 1..1; echo "ok 1 - a"' check >>"$dir/table"
suite a 'echo 1..1; echo "ok 1 - a"' check-all >>"$dir/table"
run --target check-host
expect "check-host runs its own suites" 0 "1 passed, 0 failed, 0 skipped"
run --target check
expect "check runs check-host's too" 0 "2 passed, 0 failed, 0 skipped"
run --target check-all
expect "check-all runs all" 0 "3 passed, 0 failed, 0 skipped"

# Each of two suites waits for the other.
mkfifo "$dir/there" "$dir/back"
suite one "echo >$dir/there; read -r _ <$dir/back; echo 1..1; echo 'ok 1 - a'" \
	check 2 >"$dir/table"
suite two "read -r _ <$dir/there; echo >$dir/back; echo 1..1; echo 'ok 1 - a'" \
	check 2 >>"$dir/table"
run --jobs 2
expect "two suites at once" 0 "2 passed, 0 failed, 0 skipped"
run
expect "and one by one" 1 "0 passed, 4 failed, 0 skipped" "stopped after 2 s"

# The first hears nothing of the second in its second.
suite listens "read -r -t 1 _ <>$dir/there && echo not; echo 1..1; echo 'ok 1 - a'" \
	check >"$dir/alone"
suite speaks "echo 1<>$dir/there; echo 1..1; echo 'ok 1 - a'" >>"$dir/alone"
for first in listens speaks; do
	grep "^$first" "$dir/alone" | sed 's/\thost\t/\thost alone\t/' >"$dir/table"
	grep -v "^$first" "$dir/alone" >>"$dir/table"
	# What nobody heard is gone.
	rm "$dir/there" && mkfifo "$dir/there"
	run --jobs 2
	check "a suite that runs alone: $first" test "$status $(grep -c \
		'^not' "$dir/build/check/log/listens.tap")" = "0 0"
done

run --jobs 0
check "no number of suites" test "$status" = 2

# Both are killed with the runner.
rm -f "$dir/pids"
suite one "echo \$\$ >>$dir/pids; exec sleep 60" >"$dir/table"
suite two "echo \$\$ >>$dir/pids; exec sleep 60" >>"$dir/table"
mkfifo "$dir/ready"
"$here/run" --table "$dir/table" --build "$dir/build" --jobs 2 >/dev/null 2>&1 \
	</dev/null &
runner=$!
until [ "$(wc -l 2>/dev/null <"$dir/pids")" = 2 ]; do
	read -r -t 0.05 _ <>"$dir/ready"
done
kill "$runner"
wait "$runner"
check "a runner that is stopped says so" test $? = 130
check "and leaves no suite" test -z "$(while read -r pid; do
	sed -n '/^State:.*[RSD] /p' "/proc/$pid/status" 2>/dev/null
done <"$dir/pids")"

# Resuming, in a repository of its own.
(
	cd "$dir" && git init -q repo && cd repo &&
		git config user.name test && git config user.email test@localhost &&
		echo 1 >source && echo 1 >notes.md && git add . && git commit -qm start
) || fail "a repository to resume in"
suite a "echo a >>$dir/ran; echo 1..1; echo 'ok 1 - a'; echo '# figure f 1'" \
	>"$dir/table"
suite b "echo b >>$dir/ran; echo 1..1; [ -e $dir/good ] && echo 'ok 1 - b'" \
	>>"$dir/table"
# resumed: which suites a resuming run really ran.
resumed() {
	: >"$dir/ran"
	out=$(cd "$dir/repo" && "$here/run" --table "$dir/table" \
		--build "$dir/build2" --target check-all --resume)
	status=$?
	tr -d '\n' <"$dir/ran"
}
check "the first run runs all" test "$(resumed)" = ab
touch "$dir/good"
check "the next one runs what has not passed" test "$(resumed)" = b
check "then there is nothing left to run" test "$(resumed)" = ""
check "figures of suites that were left out stay" test "$(jq -c . \
	"$dir/build2/check/figures.json")" = '{"f":1}'
echo 2 >"$dir/repo/notes.md"
check "a change of the documentation changes nothing" test "$(resumed)" = ""
echo 2 >"$dir/repo/source"
check "a change of a source starts anew" test "$(resumed)" = ab

finish
