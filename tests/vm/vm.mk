# SPDX-License-Identifier: MIT

## vm                a shell in a guest, with vivid, vkms and our modules loaded
.PHONY: vm
vm:
	$(Q)kdir=$$(tests/vm/headers 6.1-amd64) && \
		$(MAKE) modules KDIR=$$kdir ARCH=x86_64 CROSS_COMPILE= && \
		release=$$($(MAKE) -s -C $$kdir kernelrelease) && \
		tests/vm/run --tty --timeout 86400 --module vivid --module vkms \
		--module build/kmod/$$release-x86_64/kernel/bufalloc.ko -- bash -i
