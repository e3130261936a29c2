# SPDX-License-Identifier: MIT
.PHONY: tool
tool:
