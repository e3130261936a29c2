# SPDX-License-Identifier: MIT
# The GStreamer plugin, and the library that has its allocator and pool for
# applications (gst/bufalloc/bufalloc.h); the plugin is a thin layer over it, and
# has the tracer (tracer/).
# They need GStreamer 1.22 or later, libdrm, libbufalloc; and
# to ask a Wayland compositor for its devices wayland-client, wayland-scanner and
# wayland-protocols: `make WAYLAND=no` builds it without.

PLUGIN_DIR := $(B)/gst-plugin
PLUGIN_SO := $(PLUGIN_DIR)/libgstbufalloc.so
GSTLIB_DIR := $(B)/libgstbufalloc
GSTLIB_SO := $(GSTLIB_DIR)/libgstbufalloc-1.0.so
GSTLIB_SONAME := $(notdir $(GSTLIB_SO)).$(firstword $(subst ., ,$(VERSION)))
GSTLIB_REAL := $(notdir $(GSTLIB_SO)).$(VERSION)
# The same plugin but for the place where it finds the library before that is
# installed. GStreamer would find it twice below the folder of the other.
PLUGIN_INSTALL := $(GSTLIB_DIR)/install/$(notdir $(PLUGIN_SO))
PLUGIN_PKGS := gstreamer-allocators-1.0 gstreamer-video-1.0 \
	gstreamer-base-1.0 gstreamer-1.0 libdrm
PLUGIN_SRC := $(sort $(wildcard gst-plugin/*.c gst-plugin/tracer/*.c))
PLUGIN_OBJ := $(PLUGIN_DIR)/gstbufalloc.o \
	$(patsubst gst-plugin/%.c,$(PLUGIN_DIR)/%.o,$(wildcard gst-plugin/tracer/*.c))
GSTLIB_OBJ := $(filter-out $(PLUGIN_OBJ), \
	$(PLUGIN_SRC:gst-plugin/%.c=$(PLUGIN_DIR)/%.o))
GST_DEFS := -DPACKAGE='"bufalloc"' -DVERSION='"$(VERSION)"'

# The headers of GStreamer and GLib are not written for our warnings. GStreamer's
# vfuncs have parameters that one implementation does not need.
gst_cflags = $(patsubst -I%,-isystem %,$(shell $(PKG_CONFIG) --cflags $(1))) \
	-Wno-unused-parameter
gst_libs = $(shell $(PKG_CONFIG) --libs $(1))

# The Wayland protocol's code, made by wayland-scanner from its description.
WAYLAND ?= yes
ifeq ($(WAYLAND),yes)
wl_protocol := linux-dmabuf-unstable-v1
wl_code := $(PLUGIN_DIR)/$(wl_protocol)-protocol
wl_header := $(PLUGIN_DIR)/$(wl_protocol)-client-protocol.h
PLUGIN_PKGS += wayland-client
GSTLIB_OBJ += $(wl_code).o
GST_DEFS += -DHAVE_WAYLAND -I$(PLUGIN_DIR)

# The scanner is this machine's, the description lies with the libraries.
wl_xml = $(shell $(PKG_CONFIG) --variable=pkgdatadir \
	wayland-protocols)/unstable/linux-dmabuf/$(wl_protocol).xml

$(wl_header): gst-plugin/plugin.mk
	$(say) GEN $@
	$(Q)mkdir -p $(@D)
	$(Q)wayland-scanner client-header $(wl_xml) $@

$(wl_code).c: gst-plugin/plugin.mk
	$(say) GEN $@
	$(Q)mkdir -p $(@D)
	$(Q)wayland-scanner private-code $(wl_xml) $@

$(wl_code).o: $(wl_code).c
	$(say) CC $@
	$(call cc,-fPIC $(call gst_cflags,wayland-client))

$(PLUGIN_DIR)/gstbufallocwayland.o: $(wl_header)
endif

# Where GStreamer looks for plugins, if it is installed in the same PREFIX.
ifeq ($(PREFIX),/usr)
PLUGINDIR ?= $(shell $(PKG_CONFIG) --variable=pluginsdir gstreamer-1.0)
else
PLUGINDIR ?= $(LIBDIR)/gstreamer-1.0
endif

GSTLIB_INCLUDEDIR = $(INCLUDEDIR)/gstreamer-1.0/gst/bufalloc
GSTLIB_PC = $(PKGCONFIGDIR)/gstreamer-bufalloc-1.0.pc

## plugin            the GStreamer plugin, under build/gst-plugin/
.PHONY: plugin
plugin: $(PLUGIN_SO)

$(PLUGIN_SRC:gst-plugin/%.c=$(PLUGIN_DIR)/%.o): $(PLUGIN_DIR)/%.o: gst-plugin/%.c gst-plugin/plugin.mk
	$(say) CC $@
	$(call cc,-fPIC -fvisibility=hidden -DG_LOG_DOMAIN='"bufalloc"' \
		$(GST_DEFS) $(call gst_cflags,$(PLUGIN_PKGS)))

gst_shared = $(Q)mkdir -p $(@D) && $(CC) $(CFLAGS) -shared -Wl,--no-undefined \
	-Wl,-z,relro,-z,now $(LDFLAGS)

$(GSTLIB_DIR)/$(GSTLIB_REAL): $(GSTLIB_OBJ) $(LIB_SO)
	$(say) LD $@
	$(gst_shared) -Wl,-soname,$(GSTLIB_SONAME) -o $@ $(GSTLIB_OBJ) \
		-L$(LIB_DIR) -lbufalloc $(call gst_libs,$(PLUGIN_PKGS))

$(GSTLIB_DIR)/$(GSTLIB_SONAME): $(GSTLIB_DIR)/$(GSTLIB_REAL)
	$(Q)ln -sf $(<F) $@

$(GSTLIB_SO): $(GSTLIB_DIR)/$(GSTLIB_SONAME)
	$(Q)ln -sf $(<F) $@

$(PLUGIN_SO): rpath := -Wl,-rpath,'$$ORIGIN/../libgstbufalloc'
$(PLUGIN_SO) $(PLUGIN_INSTALL): $(PLUGIN_OBJ) $(GSTLIB_SO)
	$(say) LD $@
	$(gst_shared) $(rpath) -Wl,-rpath-link,$(LIB_DIR) -o $@ $(PLUGIN_OBJ) \
		-L$(GSTLIB_DIR) -lgstbufalloc-1.0 \
		$(call gst_libs,gstreamer-allocators-1.0 gstreamer-video-1.0 gstreamer-1.0)

-include $(PLUGIN_OBJ:.o=.d) $(GSTLIB_OBJ:.o=.d)

.PHONY: install-plugin uninstall-plugin
install-plugin: $(PLUGIN_INSTALL)
	$(say) INSTALL $(DESTDIR)$(PLUGINDIR)
	$(Q)install -d "$(DESTDIR)$(PLUGINDIR)"
	$(Q)install -m 644 $(PLUGIN_INSTALL) "$(DESTDIR)$(PLUGINDIR)/"
	$(Q)install -m 644 $(GSTLIB_DIR)/$(GSTLIB_REAL) "$(DESTDIR)$(LIBDIR)/"
	$(Q)ln -sf $(GSTLIB_REAL) "$(DESTDIR)$(LIBDIR)/$(GSTLIB_SONAME)"
	$(Q)ln -sf $(GSTLIB_SONAME) "$(DESTDIR)$(LIBDIR)/$(notdir $(GSTLIB_SO))"
	$(Q)install -m 644 gst-plugin/gst/bufalloc/bufalloc.h \
		"$(DESTDIR)$(GSTLIB_INCLUDEDIR)/"
	$(Q)sed -e 's|@PREFIX@|$(PREFIX)|' -e 's|@LIBDIR@|$(LIBDIR)|' \
		-e 's|@INCLUDEDIR@|$(INCLUDEDIR)|' -e 's|@VERSION@|$(VERSION)|' \
		gst-plugin/gstreamer-bufalloc-1.0.pc.in >"$(DESTDIR)$(GSTLIB_PC)"
	$(Q)chmod 644 "$(DESTDIR)$(GSTLIB_PC)"

uninstall-plugin:
	$(Q)rm -f "$(DESTDIR)$(PLUGINDIR)/$(notdir $(PLUGIN_SO))" \
		"$(DESTDIR)$(LIBDIR)/$(GSTLIB_REAL)" \
		"$(DESTDIR)$(LIBDIR)/$(GSTLIB_SONAME)" \
		"$(DESTDIR)$(LIBDIR)/$(notdir $(GSTLIB_SO))" \
		"$(DESTDIR)$(GSTLIB_INCLUDEDIR)/bufalloc.h" \
		"$(DESTDIR)$(GSTLIB_PC)"
