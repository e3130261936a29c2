# SPDX-License-Identifier: MIT
.PHONY: plugin
plugin:
