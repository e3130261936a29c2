# SPDX-License-Identifier: MIT
# The command bufalloc: needs libbufalloc, json-c and libdrm. It is linked twice:
# build/tools/bufalloc finds the library in the build tree, from anywhere
# (an rpath beside $ORIGIN); build/tools/install/bufalloc is what gets
# installed and has no rpath.

TOOL_DIR := $(B)/tools
TOOL := $(TOOL_DIR)/bufalloc
TOOL_INSTALL := $(TOOL_DIR)/install/bufalloc

TOOL_SRC := $(sort $(wildcard tools/bufalloc/*.c))
TOOL_OBJ := $(TOOL_SRC:tools/bufalloc/%.c=$(TOOL_DIR)/obj/%.o)

# Asked when the first file is compiled, not whenever make starts.
TOOL_PKGS := json-c libdrm
TOOL_PKG_CFLAGS = $(shell $(PKG_CONFIG) --cflags $(TOOL_PKGS))
TOOL_PKG_LIBS = $(shell $(PKG_CONFIG) --libs $(TOOL_PKGS))

## tool              the command bufalloc, build/tools/bufalloc
.PHONY: tool tool-build
tool-build: $(TOOL) $(TOOL_INSTALL)
	@:

# A cross build goes without the tool where the target has not what it needs.
tool:
	$(Q)if $(PKG_CONFIG) --exists $(TOOL_PKGS) 2>/dev/null; then \
		$(MAKE) tool-build; \
	elif [ -n "$(CROSS_COMPILE)" ]; then \
		echo "  SKIP     tool: no json-c or libdrm for $(ARCH) (libjson-c-dev, libdrm-dev of that architecture)"; \
	else \
		echo "the tool needs json-c and libdrm: install libjson-c-dev and libdrm-dev" >&2; \
		exit 1; \
	fi

$(TOOL_OBJ): $(TOOL_DIR)/obj/%.o: tools/bufalloc/%.c tools/tools.mk
	$(say) CC $@
	$(call cc,-Wconversion -D_FILE_OFFSET_BITS=64 $(TOOL_PKG_CFLAGS))

$(TOOL): TOOL_RPATH := -Wl,-rpath,'$$ORIGIN/../libbufalloc'
$(TOOL_INSTALL): TOOL_RPATH :=
$(TOOL) $(TOOL_INSTALL): $(TOOL_OBJ) $(LIB_SO)
	$(say) LD $@
	$(Q)mkdir -p $(@D)
	$(Q)$(CC) $(CFLAGS) $(LDFLAGS) $(TOOL_RPATH) -o $@ $(TOOL_OBJ) \
		-L$(LIB_DIR) -lbufalloc $(TOOL_PKG_LIBS)

-include $(TOOL_OBJ:.o=.d)
