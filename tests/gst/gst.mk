# SPDX-License-Identifier: MIT
# Tests of the GStreamer plugin, and the tracer that they and the demo use.

GST_TEST_DIR := $(B)/tests/gst
GST_WITNESS := $(GST_TEST_DIR)/libgstframewitness.so
GST_WITNESS_PKGS := gstreamer-allocators-1.0 gstreamer-1.0
GST_TESTS := $(patsubst tests/gst/test_%.c,%,$(wildcard tests/gst/test_*.c))
# test_wayland is a compositor, and takes the place of libdrm's two calls.
ifneq ($(WAYLAND),yes)
GST_TESTS := $(filter-out wayland,$(GST_TESTS))
endif
GST_WL_PKGS := wayland-server libdrm
GST_WL_LIBS = -rdynamic -Wl,--no-as-needed $(call gst_libs,$(GST_WL_PKGS))
# Where the linker finds what libgstbufalloc-1.0 needs.
GST_APP_RPATH := -Wl,-rpath-link,$(LIB_DIR)
GST_TEST_BINS := $(GST_TESTS:%=$(GST_TEST_DIR)/test_%)
GST_TEST_PKGS := gstreamer-check-1.0 gstreamer-video-1.0 \
	gstreamer-allocators-1.0 gstreamer-base-1.0 gstreamer-1.0
# Where the outside counter of copies is put (tracer.sh).
GST_PROBE_POINTS := $(GST_TEST_DIR)/probe_points
# The stand-in for the module: a library of the same soname, in a folder apart.
GST_FAKE_DIR := $(GST_TEST_DIR)/fake
GST_FAKE := $(GST_FAKE_DIR)/libbufalloc.so.0
GST_FAKE_SRC := tests/gst/fake_bufalloc.c \
	$(filter-out libbufalloc/ctx.c,$(wildcard libbufalloc/*.c))

# A USB camera for guests.
GST_UVC := $(GST_TEST_DIR)/uvc_camera

## gst-witness       the tracer tests/gst/framewitness.c
.PHONY: gst-witness
gst-witness: $(GST_WITNESS)

## gst-tests         the tests of the plugin, built but not run
.PHONY: gst-tests
gst-tests: $(GST_TEST_BINS) $(GST_FAKE) $(GST_WITNESS) $(GST_UVC) \
		$(GST_PROBE_POINTS) plugin

## check-gst         the tests of the plugin that need no guest
.PHONY: check-gst
check-gst: gst-tests
	$(Q)tests/gst/run_host.sh $(B)

$(GST_UVC).o: tests/gst/uvc_camera.c tests/gst/gst.mk
	$(say) CC $@
	$(call cc,)

$(GST_UVC): $(GST_UVC).o
	$(say) LINK $@
	$(Q)$(CC) $(CFLAGS) $(LDFLAGS) -o $@ $^

$(GST_TEST_DIR)/framewitness.o: tests/gst/framewitness.c tests/gst/gst.mk
	$(say) CC $@
	$(call cc,-fPIC -fvisibility=hidden $(GST_DEFS) \
		$(call gst_cflags,$(GST_WITNESS_PKGS)))

$(GST_WITNESS): $(GST_TEST_DIR)/framewitness.o
	$(say) LD $@
	$(Q)$(CC) $(CFLAGS) -shared $(LDFLAGS) -o $@ $^ \
		$(call gst_libs,$(GST_WITNESS_PKGS))

$(GST_TEST_DIR)/common.o $(GST_TESTS:%=$(GST_TEST_DIR)/test_%.o): \
		$(GST_TEST_DIR)/%.o: tests/gst/%.c tests/gst/gst.mk
	$(say) CC $@
	$(call cc,-Igst-plugin $(call gst_cflags,$(GST_TEST_PKGS)) $(if $(filter %wayland.o,$@), \
		-I$(GST_TEST_DIR) $(call gst_cflags,$(GST_WL_PKGS))))

$(GST_TEST_BINS): %: %.o $(GST_TEST_DIR)/common.o $(LIB_SO) $(GSTLIB_SO)
	$(say) LINK $@
	$(Q)$(CC) $(CFLAGS) $(LDFLAGS) -o $@ $(filter %.o,$^) \
		$(call gst_libs,$(GST_TEST_PKGS)) \
		$(if $(filter %formats %planes,$@),-L$(LIB_DIR) -lbufalloc) \
		$(if $(filter %application,$@),-L$(GSTLIB_DIR) \
			-lgstbufalloc-1.0 $(GST_APP_RPATH)) \
		$(if $(filter %wayland,$@),$(GST_WL_LIBS))

GST_WL_HEADER := $(GST_TEST_DIR)/linux-dmabuf-unstable-v1-server-protocol.h
$(GST_WL_HEADER): tests/gst/gst.mk
	$(say) GEN $@
	$(Q)mkdir -p $(@D)
	$(Q)wayland-scanner server-header $(wl_xml) $@

$(GST_TEST_DIR)/test_wayland.o: $(GST_WL_HEADER)
$(GST_TEST_DIR)/test_wayland: $(PLUGIN_DIR)/linux-dmabuf-unstable-v1-protocol.o

$(GST_FAKE): $(GST_FAKE_SRC) $(wildcard libbufalloc/*.h include/*/*.h) \
		libbufalloc/libbufalloc.map tests/gst/gst.mk
	$(say) LD $@
	$(Q)mkdir -p $(@D)
	$(Q)$(CC) -std=gnu11 $(CPPFLAGS) $(WARN) $(CFLAGS) -fPIC \
		$(LIB_DRM_CFLAGS) \
		-shared -Wl,-soname,$(@F) \
		-Wl,--version-script=libbufalloc/libbufalloc.map $(LDFLAGS) \
		-o $@ $(GST_FAKE_SRC)

$(GST_PROBE_POINTS): tests/gst/probe_points.c tests/gst/gst.mk
	$(say) CC $@
	$(Q)mkdir -p $(@D)
	$(Q)$(CC) -std=gnu11 -D_GNU_SOURCE $(WARN) $(CFLAGS) $(LDFLAGS) -o $@ $< -ldl

-include $(wildcard $(GST_TEST_DIR)/*.d)
