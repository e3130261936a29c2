# SPDX-License-Identifier: MIT

# The kernel of the guests, and how to build modules for it.
VM_KERNEL = stock-6.1-amd64
vm_make = kdir=$$(tests/vm/headers 6.1-amd64) && \
	$(MAKE) KDIR=$$kdir ARCH=x86_64 CROSS_COMPILE=

## vm                a shell in a guest, with vivid, vkms and our modules loaded
.PHONY: vm vm-shell
vm:
	$(Q)$(vm_make) vm-shell
vm-shell: modules
	$(Q)tests/vm/run --kernel $(VM_KERNEL) --tty --timeout 86400 \
		--module vivid --module vkms \
		--module $(KMOD)/kernel/bufalloc.ko -- bash -i || [ $$? -lt 124 ]
