# SPDX-License-Identifier: MIT
# Tests of the GStreamer plugin, and the tracer that they and the demo use.

GST_TEST_DIR := $(B)/tests/gst
GST_DEFS := -DPACKAGE='"bufalloc"' -DVERSION='"$(VERSION)"'
GST_WITNESS := $(GST_TEST_DIR)/libgstframewitness.so
GST_WITNESS_PKGS := gstreamer-allocators-1.0 gstreamer-1.0

# GStreamer's headers are not written for -Wundef and friends: -isystem.
gst_cflags = $(patsubst -I%,-isystem %,$(shell $(PKG_CONFIG) --cflags $(1)))
gst_libs = $(shell $(PKG_CONFIG) --libs $(1))

## gst-witness       the tracer tests/gst/framewitness.c
.PHONY: gst-witness
gst-witness: $(GST_WITNESS)

$(GST_TEST_DIR)/framewitness.o: tests/gst/framewitness.c
	$(say) CC $@
	$(call cc,-fPIC -fvisibility=hidden $(GST_DEFS) \
		-Wno-unused-parameter $(call gst_cflags,$(GST_WITNESS_PKGS)))

$(GST_WITNESS): $(GST_TEST_DIR)/framewitness.o
	$(say) LD $@
	$(Q)$(CC) -shared $(LDFLAGS) -o $@ $^ \
		$(call gst_libs,$(GST_WITNESS_PKGS))

-include $(wildcard $(GST_TEST_DIR)/*.d)
