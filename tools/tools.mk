# SPDX-License-Identifier: MIT
# The command bufalloc: needs libbufalloc and json-c. It is linked twice:
# build/tools/bufalloc finds the library in the build tree, from anywhere
# (an rpath beside $ORIGIN); build/tools/install/bufalloc is what gets
# installed and has no rpath.

TOOL_DIR := $(B)/tools
TOOL := $(TOOL_DIR)/bufalloc
TOOL_INSTALL := $(TOOL_DIR)/install/bufalloc

TOOL_SRC := $(sort $(wildcard tools/bufalloc/*.c))
TOOL_OBJ := $(TOOL_SRC:tools/bufalloc/%.c=$(TOOL_DIR)/obj/%.o)

# Asked when the first file is compiled, not whenever make starts.
TOOL_JSON_CFLAGS = $(shell $(PKG_CONFIG) --cflags json-c)
TOOL_JSON_LIBS = $(shell $(PKG_CONFIG) --libs json-c)

## tool              the command bufalloc, build/tools/bufalloc
.PHONY: tool tool-build
tool-build: $(TOOL) $(TOOL_INSTALL)
	@:

# A cross build goes without the tool where the target has no json-c.
tool:
	$(Q)if $(PKG_CONFIG) --exists json-c 2>/dev/null; then \
		$(MAKE) tool-build; \
	elif [ -n "$(CROSS_COMPILE)" ]; then \
		echo "  SKIP     tool: no json-c for $(ARCH) (libjson-c-dev of that architecture)"; \
	else \
		echo "the tool needs json-c: install libjson-c-dev, or run 'make deps'" >&2; \
		exit 1; \
	fi

$(TOOL_OBJ): $(TOOL_DIR)/obj/%.o: tools/bufalloc/%.c tools/tools.mk
	$(say) CC $@
	$(call cc,-Wconversion $(TOOL_JSON_CFLAGS))

$(TOOL): TOOL_RPATH := -Wl,-rpath,'$$ORIGIN/../libbufalloc'
$(TOOL_INSTALL): TOOL_RPATH :=
$(TOOL) $(TOOL_INSTALL): $(TOOL_OBJ) $(LIB_SO)
	$(say) LD $@
	$(Q)mkdir -p $(@D)
	$(Q)$(CC) $(CFLAGS) $(LDFLAGS) $(TOOL_RPATH) -o $@ $(TOOL_OBJ) \
		-L$(LIB_DIR) -lbufalloc $(TOOL_JSON_LIBS)

-include $(TOOL_OBJ:.o=.d)
