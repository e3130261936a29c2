# SPDX-License-Identifier: MIT
# A program that fragments the memory of the machine that it runs on.

FRAGMENT_OBJ := $(patsubst %.c,$(B)/%.o,$(wildcard tests/fragment/*.c))

.PHONY: fragment
fragment: $(B)/tests/fragment/fragment

$(FRAGMENT_OBJ): $(B)/%.o: %.c
	$(say) CC $@
	$(call cc,-D_GNU_SOURCE)

$(B)/tests/fragment/fragment: $(FRAGMENT_OBJ)
	$(say) LINK $@
	$(Q)$(CC) $(LDFLAGS) -o $@ $^

-include $(wildcard $(B)/tests/fragment/*.d)
