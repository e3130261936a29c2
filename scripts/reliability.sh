#!/bin/bash
# SPDX-License-Identifier: MIT
# reliability.sh: prints docs/reliability.md, from tests/reliability.tsv and
# docs/figures.json.
# reliability.sh --figures: first takes what the tests measured since
# (build/check/figures.json) into docs/figures.json.
set -eu
cd "$(dirname "$(readlink -f "$0")")/.."
figures=docs/figures.json

# Suites that ran leave their names, until they run again, where they passed.
kernels_passing() {
	awk -F'\t' '!/^#/ && $3 ~ /guest/ { print $4, $1 }' tests/suites.tsv |
		while read -r kernel suite; do
			[ -e "build/check-all/$suite" ] && echo "$kernel ok" ||
				echo "$kernel open"
		done | sort -u | awk '{ words[$1] = words[$1] $2 }
			END { for (k in words) if (words[k] == "ok") print k }' |
		sort | paste -sd,
}

take_figures() {
	[ -e build/check/figures.json ] || {
		echo "reliability.sh: no figures: run 'make check' first" >&2
		exit 1
	}
	jq -S -s --arg commit "$(git rev-parse --short HEAD)" --arg kernels \
		"$(kernels_passing)" --arg date "$(date -u +%F)" '
		.[0] * .[1] * { commit: $commit, date: $date } |
		if $kernels != "" then .kernels_passing = $kernels else . end |
		if [.controls_kernel_1, .controls_kernel_2, .controls_gst, .controls_unit] |
			all then
			.controls = .controls_kernel_1 + .controls_kernel_2 +
				.controls_gst + .controls_unit |
			.controls_red = .controls_kernel_1_red + .controls_kernel_2_red +
				.controls_gst_red + .controls_unit_red
		else . end' $figures build/check/figures.json >$figures.tmp
	mv $figures.tmp $figures
}

# value FIGURE
value() { jq -r --arg name "$1" '.[$name] // empty' $figures; }

# state FIGURE WANTED VALUE: met, not met, or not measured
state() {
	local op=${2%% *} number=${2#* }
	[ -n "$3" ] || { echo "not measured" && return; }
	case $op in
	list) echo met ;;
	all) [ "$3" = "$(value controls)" ] && echo met || echo "not met" ;;
	*) awk -v a="$3" -v b="$number" -v op="$op" 'BEGIN {
		met = op == "=" ? a == b : op == ">" ? a > b : op == "<=" ? a <= b : a >= b
		print met ? "met" : "not met" }' ;;
	esac
}

# controls WORD...: the names of those of a program
controls() {
	local word
	for word in "$@"; do
		case $word in
		own) echo "in the suite" ;;
		*) awk -F'\t' -v program="${word#*:}" \
			'!/^#/ && $4 == program { print $1 }' \
			"tests/${word%%:*}/controls.tsv" ;;
		esac
	done | paste -sd, | sed 's/,/, /g'
}

reproduce() {
	case $1 in
	check-all | check-controls) echo "make $1" ;;
	*) echo "make check-all TESTS=$1" ;;
	esac
}

# rows: the tables, one a heading
rows() {
	local figure wanted what about suite now
	while IFS=$'\t' read -r figure wanted what about suite; do
		case $figure in
		'#')
			printf '\n## %s\n\n' "$wanted"
			printf '| figure | what it counts | wanted | measured | | %s |\n' \
				"reproduce"
			echo '| --- | --- | --- | --- | --- | --- |'
			continue
			;;
		'#'*) continue ;;
		esac
		now=$(value "$figure")
		# shellcheck disable=SC2016 # Markdown
		# shellcheck disable=SC2016 # Markdown
		printf '| `%s` | %s | %s | %s | %s | `%s` |\n' "$figure" "$what" \
			"$wanted" "${now//,/, }" "$(state "$figure" "$wanted" "$now")" \
			"$(reproduce "$suite")"
	done <tests/reliability.tsv
}

control_rows() {
	local figure wanted what about suite words
	while IFS=$'\t' read -r figure wanted what about suite; do
		case $figure in '#'*) continue ;; esac
		[ "$about" != - ] || continue
		read -r -a words <<<"$about"
		what=$(controls "${words[@]}")
		# shellcheck disable=SC2016 # Markdown
		printf '| `%s` | %s |\n' "$figure" "${what:-none yet}"
	done <tests/reliability.tsv
}

[ "${1-}" != --figures ] || take_figures
cat <<EOF
<!-- SPDX-License-Identifier: MIT -->
<!-- Made by scripts/reliability.sh from tests/reliability.tsv and docs/figures.json. -->
# Reliability

A kernel allocator is trusted by what it survives. This page is what was measured, last on $(value date) at $(value commit)
(figures of suites that did not run then are older), and how to measure it again. \`make check-all\` measures all of it
and goes on where it stopped; \`make reliability\` makes this page of it. [testing.md](testing.md) says what each suite
does and how long it takes.
EOF
rows
cat <<'EOF'

## Controls
A figure that cannot go red proves nothing. These defects, planted one at a time by `make check-controls`, turn the test
red that the figure comes from; "in the suite" means that the suite plants one itself each time that it runs.

| figure | defects |
| --- | --- |
EOF
control_rows
cat <<'EOF'

## What emulation cannot show
All guests run in QEMU without KVM, on two processors.

- It has no CPU caches. A sync that is missing changes nothing on x86; swiotlb, the mock of devices that do not see the
  caches, and devices of the devicetree guest make a missing one visible, not its cost on hardware.
- Its memory ordering is that of the machine it runs on, which is strict: a race that only a weakly ordered processor has
  stays hidden from KCSAN's guests too.
- A DMA transfer takes no time that means anything. Times are compared within one guest and published as ratios.
- The IOMMUs are Intel's, virtio's and an SMMUv3, as QEMU models them. No vendor's errata, no real address limits.
- Its cameras and displays are vivid, vim2m, vicodec, vkms and the edu device; UVC by a gadget. No camera's firmware, no
  display controller's fetch unit has read a buffer of ours.
- Memory that fails, a machine that suspends, hot-unplugged IOMMUs: not tried.
EOF
