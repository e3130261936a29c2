# SPDX-License-Identifier: MIT
# The programs that run in a guest, one for each behaviour.

KTESTS := $(patsubst tests/kernel/test_%.c,%,$(wildcard tests/kernel/test_*.c))
KTEST_BINS := $(KTESTS:%=$(B)/tests/kernel/%)
KTEST_COMMON := $(patsubst %.c,$(B)/%.o,$(filter-out \
	$(wildcard tests/kernel/test_*.c),$(wildcard tests/kernel/*.c)))
KTEST_CFLAGS = -D_GNU_SOURCE $(shell $(PKG_CONFIG) --cflags libdrm)

.PHONY: ktests
ktests: $(KTEST_BINS) $(B)/tests/fragment/fragment

# The same answers for 32-bit programs: this one has all that it needs in it, as the
# guests' root has no libraries for it.
ifeq ($(ARCH),x86_64)
ktests: $(B)/tests/kernel/abi_matrix_32
endif
CC32 ?= i686-linux-gnu-gcc
ABI_MATRIX_32 := $(addprefix tests/kernel/,test_abi_matrix.c matrix.c \
	ktest.c bufalloc.c trace.c fwfile.c)
$(B)/tests/kernel/abi_matrix_32: $(ABI_MATRIX_32) tests/kernel/ktest.h \
		tests/kernel/matrix.h include/uapi/linux/bufalloc.h
	$(say) CC32 $@
	$(Q)mkdir -p $(@D) && $(CC32) -std=gnu11 $(CPPFLAGS) $(WARN) $(CFLAGS) \
		$(KTEST_CFLAGS) -D_FILE_OFFSET_BITS=64 -static -o $@ \
		$(ABI_MATRIX_32)

$(B)/tests/kernel/%.o: tests/kernel/%.c
	$(say) CC $@
	$(call cc,$(KTEST_CFLAGS))

$(KTEST_BINS): $(B)/tests/kernel/%: $(B)/tests/kernel/test_%.o $(KTEST_COMMON)
	$(say) LINK $@
	$(Q)$(CC) $(LDFLAGS) -o $@ $^ $(shell $(PKG_CONFIG) --libs libdrm)

-include $(wildcard $(B)/tests/kernel/*.d)

# Modules that only tests load, beside the module that they are built for.
.PHONY: test-modules
test-modules: modules
	$(Q)mkdir -p $(KMOD)/test-modules
	$(Q)cp -suf $(CURDIR)/tests/kernel/modules/* $(KMOD)/test-modules/
	$(say) KBUILD $(KMOD)/test-modules
	$(Q)flock $(KMOD)/lock $(MAKE) -C $(KDIR) M=$(CURDIR)/$(KMOD)/test-modules \
		ARCH=$(KBUILD_ARCH) \
		$(if $(CROSS_COMPILE),CROSS_COMPILE=$(CROSS_COMPILE)) \
		$(if $(filter 1,$(V)),V=1,-s) $(KMAKE_FLAGS) modules
