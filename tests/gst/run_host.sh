#!/bin/sh
# SPDX-License-Identifier: MIT
# run_host.sh BUILD [TEST...]: the tests of the plugin with the stand-in for the
# module. Prints TAP, ends with 1 if a test failed.
set -u
build=$(readlink -f "$1")
[ $# -gt 1 ] || set -- "$1" application caps deadlock devices element formats layout life planes pool propose user wayland
export LD_LIBRARY_PATH="$build/tests/gst/fake"
exec "$(dirname "$0")/run_tests.sh" "$@"
