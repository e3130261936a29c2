# SPDX-License-Identifier: MIT
.PHONY: lib
lib:
