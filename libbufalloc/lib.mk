# SPDX-License-Identifier: MIT
# libbufalloc: needs nothing but libc, so that a cross build is a compiler away.

LIB_DIR := $(B)/libbufalloc
LIB_SONAME := libbufalloc.so.$(firstword $(subst ., ,$(VERSION)))
LIB_REAL := libbufalloc.so.$(VERSION)
LIB_SO := $(LIB_DIR)/libbufalloc.so
LIB_MAP := libbufalloc/libbufalloc.map

LIB_SRC := $(sort $(wildcard libbufalloc/*.c))
LIB_OBJ := $(LIB_SRC:libbufalloc/%.c=$(LIB_DIR)/%.o)
LIB_CFLAGS := -fPIC -D_FILE_OFFSET_BITS=64 -Wconversion

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
