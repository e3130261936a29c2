# SPDX-License-Identifier: MIT
# The fuzzer, which runs in a guest.

FUZZ_OBJ := $(patsubst %.c,$(B)/%.o,$(wildcard tests/fuzz/*.c))

.PHONY: fuzzer fuzz
fuzzer: $(B)/tests/fuzz/fuzz

$(FUZZ_OBJ): $(B)/%.o: %.c
	$(say) CC $@
	$(call cc,-D_GNU_SOURCE $(shell $(PKG_CONFIG) --cflags libdrm))

$(B)/tests/fuzz/fuzz: $(FUZZ_OBJ)
	$(say) LINK $@
	$(Q)$(CC) $(LDFLAGS) -o $@ $^

-include $(wildcard $(B)/tests/fuzz/*.d)

## fuzz              fuzz the module for MINUTES=n; the corpus is kept in the cache
MINUTES ?= 10
fuzz: fuzzer
	$(Q)tests/fuzz/guest.sh iommu "--seconds $$(($(MINUTES) * 60))"
