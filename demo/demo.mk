# SPDX-License-Identifier: MIT

## deps              install the packages that are missing (as root)
.PHONY: deps
deps:
	$(Q)scripts/deps.sh build demo check

## demo              camera to display in a guest, with the proof and a table
.PHONY: demo demo-parts
demo:
	+$(Q)MAKE="$(MAKE)" demo/run
# What demo/run builds once the packages are there, and where the module is.
demo-parts: modules lib tool plugin gst-witness
	$(Q)mkdir -p build/demo
	$(Q)echo $(KMOD)/kernel/bufalloc.ko >build/demo/module
