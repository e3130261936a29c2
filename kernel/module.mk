# SPDX-License-Identifier: MIT
.PHONY: modules
modules:
