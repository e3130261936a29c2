# SPDX-License-Identifier: MIT
# Programs to learn from. They use what is installed: libbufalloc and libdrm.

EXAMPLES_DIR := $(B)/examples
EXAMPLES := capture-display import-malloc
EXAMPLES_BIN := $(EXAMPLES:%=$(EXAMPLES_DIR)/%)

## examples          examples/, under build/examples/
.PHONY: examples
examples: $(EXAMPLES_BIN)

$(EXAMPLES_DIR)/obj/%.o: examples/%.c examples/examples.mk
	$(say) CC $@
	$(call cc,-Wconversion $(shell $(PKG_CONFIG) --cflags libdrm))

$(EXAMPLES_BIN): $(EXAMPLES_DIR)/%: $(EXAMPLES_DIR)/obj/%.o \
		$(EXAMPLES_DIR)/obj/screen.o $(LIB_SO)
	$(say) LD $@
	$(Q)$(CC) $(CFLAGS) $(LDFLAGS) -Wl,-rpath,'$$ORIGIN/../libbufalloc' \
		-o $@ $(filter %.o,$^) -L$(LIB_DIR) -lbufalloc \
		$(shell $(PKG_CONFIG) --libs libdrm)

-include $(wildcard $(EXAMPLES_DIR)/obj/*.d)
