#!/bin/bash
# SPDX-License-Identifier: MIT
# The tests of the plugin that run anywhere, in a guest with the module itself.
# Prints TAP.
set -u
guest_name=unit
guest_options=(--module vkms)
# shellcheck source=tests/gst/guest.sh
. "$(dirname "$0")/guest.sh"

tests/gst/run_tests.sh "$build" application deadlock element layout pool propose wayland
