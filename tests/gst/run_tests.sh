#!/bin/sh
# SPDX-License-Identifier: MIT
# run_tests.sh BUILD [TEST...]: the tests of the plugin, as one stream of TAP.
# They use the library that LD_LIBRARY_PATH names, or else the one in BUILD,
# which needs the module: run it in a guest.
set -u
build=$(readlink -f "$1") && shift
[ $# -gt 0 ] || set -- caps deadlock element layout pool propose
export LD_LIBRARY_PATH="${LD_LIBRARY_PATH:-$build/libbufalloc}:$build/libgstbufalloc"
export GST_PLUGIN_PATH="$build/gst-plugin:$build/tests/gst"
export GST_REGISTRY="${GST_REGISTRY:-$build/tests/gst/registry.bin}"

for test in "$@"; do
	printf 'test %s\n' "$test"
	"$build/tests/gst/test_$test"
	printf 'status %d\n' $?
done | awk '
	/^test / { test = $2; results = 0; plan = -1; next }
	/^(not )?ok / {
		red = /^not/
		sub(/^(not )?ok [0-9]+ - /, "")
		results++
		failed += red
		printf "%sok %d - %s: %s\n", red ? "not " : "", ++n, test, $0
		next
	}
	/^1\.\.[0-9]+$/ { plan = substr($0, 4) + 0; next }
	/^status / {
		if (plan != results || $2 > 1) {
			failed++
			printf "not ok %d - %s: runs to its end (status %d)\n",
				++n, test, $2
		}
		next
	}
	{ print /^#/ ? $0 : "# " $0; fflush() }
	END { printf "1..%d\n", n; exit failed > 0 }'
