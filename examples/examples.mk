# SPDX-License-Identifier: MIT
# Programs to learn from. They use what is installed: libbufalloc and libdrm, or
# GStreamer.

EXAMPLES_DIR := $(B)/examples
EXAMPLES := capture-display import-malloc
EXAMPLES_BIN := $(EXAMPLES:%=$(EXAMPLES_DIR)/%)
EXAMPLES_GST_BIN := $(EXAMPLES_DIR)/app-frames
EXAMPLES_GST_PKGS := gstreamer-app-1.0 gstreamer-video-1.0 gstreamer-1.0

## examples          examples/, under build/examples/
.PHONY: examples
examples: $(EXAMPLES_BIN) $(EXAMPLES_GST_BIN)

$(EXAMPLES_DIR)/obj/%.o: examples/%.c examples/examples.mk
	$(say) CC $@
	$(call cc,-Wconversion $(shell $(PKG_CONFIG) --cflags libdrm))

$(EXAMPLES_BIN): $(EXAMPLES_DIR)/%: $(EXAMPLES_DIR)/obj/%.o \
		$(EXAMPLES_DIR)/obj/screen.o $(LIB_SO)
	$(say) LD $@
	$(Q)$(CC) $(CFLAGS) $(LDFLAGS) -Wl,-rpath,'$$ORIGIN/../libbufalloc' \
		-o $@ $(filter %.o,$^) -L$(LIB_DIR) -lbufalloc \
		$(shell $(PKG_CONFIG) --libs libdrm)

$(EXAMPLES_GST_BIN): $(EXAMPLES_DIR)/%: examples/%.c examples/examples.mk
	$(say) LD $@
	$(Q)mkdir -p $(@D)
	$(Q)$(CC) -std=gnu11 $(WARN) $(CFLAGS) $(LDFLAGS) \
		$(call gst_cflags,$(EXAMPLES_GST_PKGS)) -o $@ $< \
		$(call gst_libs,$(EXAMPLES_GST_PKGS))

-include $(wildcard $(EXAMPLES_DIR)/obj/*.d)
