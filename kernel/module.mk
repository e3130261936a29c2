# SPDX-License-Identifier: GPL-2.0
# bufalloc.ko, built by the kernel's own build system in a folder of links to
# the sources, so that each kernel has its own objects and the sources stay
# clean.

# KDIR: where the kernel's headers are.
KDIR ?= $(firstword $(wildcard /lib/modules/$(shell uname -r)/build) \
	$(lastword $(sort $(wildcard /usr/src/linux-headers-*-amd64))))
KREL = $(shell sed -n 's/.*UTS_RELEASE "\(.*\)"/\1/p' \
	$(KDIR)/include/generated/utsrelease.h 2>/dev/null)
KBUILD_ARCH := $(ARCH)
# In a folder of their own, kcov or gcov: modules that say what of them ran, on a
# kernel that takes such (tests/vm/kernel, debug); said: what they say by dev_dbg(),
# on a kernel that has no dynamic debug to ask for it.
INSTRUMENT ?=
KMOD = build/kmod/$(KREL)-$(ARCH)$(INSTRUMENT:%=-%)
KMAKE_INSTRUMENT := $(if $(filter kcov,$(INSTRUMENT)),KCOV_INSTRUMENT=y) \
	$(if $(filter gcov,$(INSTRUMENT)),GCOV_PROFILE=y) \
	$(if $(filter said,$(INSTRUMENT)),KCFLAGS=-DDEBUG)
# Passed on to the kernel's build: W=1, C=2, CF=..., as documented there.
KMAKE_FLAGS ?=

## modules           build the kernel module; KDIR=... for other headers
.PHONY: modules
modules:
	$(Q)if [ -z "$(KREL)" ]; then \
		echo "make modules: no kernel headers in '$(KDIR)'." \
		     "Install linux-headers-amd64 ('make deps') or give KDIR=..." >&2; \
		exit 1; \
	fi
	$(Q)mkdir -p $(KMOD)
	$(Q)cp -rsuf $(CURDIR)/kernel $(CURDIR)/include $(KMOD)/
	$(say) KBUILD $(KMOD)
	$(Q)flock $(KMOD)/lock $(MAKE) -C $(KDIR) M=$(CURDIR)/$(KMOD)/kernel ARCH=$(KBUILD_ARCH) \
		$(if $(CROSS_COMPILE),CROSS_COMPILE=$(CROSS_COMPILE)) \
		$(if $(filter 1,$(V)),V=1,-s) $(KMAKE_INSTRUMENT) $(KMAKE_FLAGS) \
		modules

# For scripts: the folder that the modules of this KDIR are built in.
.PHONY: print-kmod
print-kmod:
	@echo $(KMOD)

# Into the folder that depmod prefers to the kernel's own modules.
MODULESDIR ?= /lib/modules
KMOD_NAMES := bufalloc bufalloc-v4l2 bufalloc-drm
KMOD_INSTALL = $(DESTDIR)$(MODULESDIR)/$(KREL)/updates

# What drivers outside this tree are built against: the same for all kernels, but
# for a folder each with the symbols that the modules for it have.
SRCDIR ?= /usr/src
KSRC := $(SRCDIR)/bufalloc-$(VERSION)
KSRC_DIRS := $(KSRC)/include/kernel/linux $(KSRC)/include/uapi/linux $(KSRC)/samples
KSRC_FILES := $(wildcard include/kernel/linux/*.h include/uapi/linux/*.h)
KSRC_SAMPLES := $(wildcard kernel/samples/*.[ch])

.PHONY: install-modules uninstall-modules
install-modules: modules
	$(say) INSTALL $(KMOD_INSTALL)
	$(Q)install -d "$(KMOD_INSTALL)"
	$(Q)install -m 644 $(KMOD)/kernel/*.ko "$(KMOD_INSTALL)/"
	$(say) INSTALL $(DESTDIR)$(KSRC)
	$(Q)for file in $(KSRC_FILES); do \
		install -m 644 $$file "$(DESTDIR)$(KSRC)/$$file" || exit; \
	done
	$(Q)install -m 644 kernel/samples/Kbuild.include "$(DESTDIR)$(KSRC)/"
	$(Q)install -m 644 $(KSRC_SAMPLES) "$(DESTDIR)$(KSRC)/samples/"
	$(Q)sed 's|@KSRC@|$(KSRC)|' kernel/samples/Kbuild.in \
		>"$(DESTDIR)$(KSRC)/samples/Kbuild"
	$(Q)install -d "$(DESTDIR)$(KSRC)/$(KREL)"
	$(Q)sed 's|\t[^\t]*/\(bufalloc[^/\t]*\)\t|\t\1\t|' $(KMOD)/kernel/Module.symvers \
		>"$(DESTDIR)$(KSRC)/$(KREL)/Module.symvers"
	$(Q)cat $(KMOD)/kernel/compat/config.h kernel/compat/driver.h \
		>"$(DESTDIR)$(KSRC)/$(KREL)/compat.h"
	$(Q)chmod 644 "$(DESTDIR)$(KSRC)/samples/Kbuild" \
		"$(DESTDIR)$(KSRC)/$(KREL)"/[Mc]*
ifeq ($(DESTDIR),)
	$(Q)depmod $(KREL)
endif

# depmod writes its files anew, also when it is not ours that go.
uninstall-modules:
	$(Q)rm -f $(KMOD_NAMES:%="$(KMOD_INSTALL)/%.ko")
	$(Q)rmdir "$(KMOD_INSTALL)" 2>/dev/null || true
	$(Q)cd "$(DESTDIR)$(KSRC)" 2>/dev/null || exit 0; \
		rm -f $(KSRC_FILES) $(KSRC_SAMPLES:kernel/%=%) samples/Kbuild Kbuild.include; \
		rm -f $(KREL)/Module.symvers $(KREL)/compat.h; \
		rmdir $(KREL) 2>/dev/null || true
ifneq ($(DESTDIR),)
	$(Q)d="$(DESTDIR)$(MODULESDIR)/$(KREL)"; \
	while rmdir "$$d" 2>/dev/null; do d=$${d%/*}; done
else
	$(Q)if [ -d $(MODULESDIR)/$(KREL) ]; then depmod $(KREL); fi
endif
