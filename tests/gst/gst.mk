# SPDX-License-Identifier: MIT
# Tests of the GStreamer plugin, and the tracer that they and the demo use.

GST_TEST_DIR := $(B)/tests/gst
GST_WITNESS := $(GST_TEST_DIR)/libgstframewitness.so
GST_WITNESS_PKGS := gstreamer-allocators-1.0 gstreamer-1.0

## gst-witness       the tracer tests/gst/framewitness.c
.PHONY: gst-witness
gst-witness: $(GST_WITNESS)

$(GST_TEST_DIR)/framewitness.o: tests/gst/framewitness.c
	$(say) CC $@
	$(call cc,-fPIC -fvisibility=hidden $(GST_DEFS) \
		$(call gst_cflags,$(GST_WITNESS_PKGS)))

$(GST_WITNESS): $(GST_TEST_DIR)/framewitness.o
	$(say) LD $@
	$(Q)$(CC) -shared $(LDFLAGS) -o $@ $^ \
		$(call gst_libs,$(GST_WITNESS_PKGS))

-include $(wildcard $(GST_TEST_DIR)/*.d)
