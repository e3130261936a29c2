# shellcheck shell=bash
# SPDX-License-Identifier: MIT
# Sourced by library.sh and kernel.sh, after tests/tap.sh. They have the functions
# judge, plant and unplant.

# mutated FILE LINE TEXT: the file with TEXT as that line
mutated() {
	TEXT=$3 awk -v line="$2" 'FNR == line { $0 = ENVIRON["TEXT"] } { print }' "$1"
}

# mutation_points SEED FILE...: all of them, shuffled
mutation_points() {
	local seed=$1
	shift
	awk -f tests/mutation/points.awk "$@" |
		shuf --random-source=<(openssl enc -aes-256-ctr -pass "pass:$seed" \
			-nosalt -pbkdf2 </dev/zero 2>/dev/null)
}

# equivalent FILE RULE TEXT: is it in the list of those that change nothing?
equivalent() {
	local text=${3#"${3%%[![:blank:]]*}"}
	KEY="$1	$2	$text	" awk 'index($0, ENVIRON["KEY"]) == 1 { found = 1 }
		END { exit !found }' tests/mutation/equivalent.tsv
}

# mutate NAME COUNT SEED FILE...: COUNT mutations are judged. Sets mutants, killed
# and percent.
mutate() {
	local kept=build/mutation/$1.tsv count=$2 seed=$3 file line rule text
	local key verdict
	shift 3
	mkdir -p build/mutation
	touch "$kept"
	mutants=0 killed=0 percent=0
	while [ $mutants -lt "$count" ] &&
		IFS=$'\037' read -r file line rule text <&3; do
		! equivalent "$file" "$rule" "$text" || continue
		key=$(mutated "$file" "$line" "$text" | sha256sum | cut -c1-16)
		verdict=$(awk -F'\t' -v key="$key" '$1 == key { print $2; exit }' "$kept")
		if [ -z "$verdict" ]; then
			plant "$file" "$line" "$text"
			verdict=$(judge "$file")
			unplant "$file"
			printf '%s\t%s\t%s:%s\t%s\t%s\n' "$key" "$verdict" "$file" "$line" \
				"$rule" "$text" >>"$kept"
		fi
		case $verdict in
		refused) continue ;;
		killed*) killed=$((killed + 1)) ;;
		*) echo "# survivor $file:$line $rule: ${text//$'\t'/ }" ;;
		esac
		mutants=$((mutants + 1))
	done 3< <(mutation_points "$seed" "$@")
	# shellcheck disable=SC2034 # for who sources this
	[ $mutants = 0 ] || percent=$((killed * 1000 / mutants / 10)).$((killed * 1000 / mutants % 10))
}
