# SPDX-License-Identifier: MIT
# The library in guests, with real cameras and displays: programs of rows, as
# those of tests/kernel, which they share the frame with.

LIBTESTS := $(patsubst tests/lib/test_%.c,%,$(wildcard tests/lib/test_*.c))
LIBTEST_BINS := $(LIBTESTS:%=$(B)/tests/lib/%)
LIBTEST_COMMON := $(patsubst %.c,$(B)/%.o,$(filter-out \
	$(wildcard tests/lib/test_*.c),$(wildcard tests/lib/*.c)))

.PHONY: libtests
libtests: $(LIBTEST_BINS) $(B)/tests/lib/inodes.so examples

$(B)/tests/lib/inodes.so: tests/lib/preload/inodes.c tests/lib/lib.mk
	$(say) LD $@
	$(Q)mkdir -p $(@D)
	$(Q)$(CC) -std=gnu11 $(WARN) $(CFLAGS) -shared -fPIC \
		$(shell $(PKG_CONFIG) --cflags libdrm) -o $@ $< -ldl

$(B)/tests/lib/%.o: tests/lib/%.c
	$(say) CC $@
	$(call cc,-Itests/kernel $(KTEST_CFLAGS))

$(LIBTEST_BINS): $(B)/tests/lib/%: $(B)/tests/lib/test_%.o $(LIBTEST_COMMON) \
		$(KTEST_COMMON) $(LIB_SO)
	$(say) LINK $@
	$(Q)$(CC) $(LDFLAGS) -o $@ $(filter %.o,$^) -L$(LIB_DIR) -lbufalloc \
		$(shell $(PKG_CONFIG) --libs libdrm)

-include $(wildcard $(B)/tests/lib/*.d)
