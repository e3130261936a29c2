# SPDX-License-Identifier: MIT
# libbufalloc: runs with nothing but libc; libdrm's headers have the numbers of
# the formats and the ioctls of displays.

LIB_DIR := $(B)/libbufalloc
LIB_SONAME := libbufalloc.so.$(firstword $(subst ., ,$(VERSION)))
LIB_REAL := libbufalloc.so.$(VERSION)
LIB_SO := $(LIB_DIR)/libbufalloc.so
LIB_MAP := libbufalloc/libbufalloc.map

LIB_HEADERS := $(sort $(wildcard include/bufalloc/*.h))
LIB_SRC := $(sort $(wildcard libbufalloc/*.c))
LIB_OBJ := $(LIB_SRC:libbufalloc/%.c=$(LIB_DIR)/%.o)
# Asked when the first file is compiled, not whenever make starts.
LIB_DRM_CFLAGS = $(shell $(PKG_CONFIG) --cflags libdrm)
LIB_CFLAGS = -fPIC -D_FILE_OFFSET_BITS=64 -Wconversion $(LIB_DRM_CFLAGS)

## lib               libbufalloc, the shared library, under build/libbufalloc/
.PHONY: lib
lib: $(LIB_SO)

$(LIB_OBJ): $(LIB_DIR)/%.o: libbufalloc/%.c libbufalloc/lib.mk
	$(say) CC $@
	$(call cc,$(LIB_CFLAGS))

$(LIB_DIR)/$(LIB_REAL): $(LIB_OBJ) $(LIB_MAP)
	$(say) LD $@
	$(Q)$(CC) $(CFLAGS) -shared -Wl,-soname,$(LIB_SONAME) \
		-Wl,--version-script=$(LIB_MAP) -Wl,--no-undefined \
		-Wl,-z,relro,-z,now $(LDFLAGS) -o $@ $(LIB_OBJ)

$(LIB_DIR)/$(LIB_SONAME): $(LIB_DIR)/$(LIB_REAL)
	$(Q)ln -sf $(<F) $@

$(LIB_SO): $(LIB_DIR)/$(LIB_SONAME)
	$(Q)ln -sf $(<F) $@

-include $(LIB_OBJ:.o=.d)
