# SPDX-License-Identifier: MIT
# The GStreamer plugin. It needs GStreamer 1.22 or later, libdrm, libbufalloc; and
# to ask a Wayland compositor for its devices wayland-client, wayland-scanner and
# wayland-protocols: `make WAYLAND=no` builds it without.

PLUGIN_DIR := $(B)/gst-plugin
PLUGIN_SO := $(PLUGIN_DIR)/libgstbufalloc.so
PLUGIN_PKGS := gstreamer-allocators-1.0 gstreamer-video-1.0 \
	gstreamer-base-1.0 gstreamer-1.0 libdrm
PLUGIN_SRC := $(sort $(wildcard gst-plugin/*.c))
PLUGIN_OBJ := $(PLUGIN_SRC:gst-plugin/%.c=$(PLUGIN_DIR)/%.o)
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
PLUGIN_OBJ += $(wl_code).o
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

## plugin            the GStreamer plugin, under build/gst-plugin/
.PHONY: plugin
plugin: $(PLUGIN_SO)

$(PLUGIN_SRC:gst-plugin/%.c=$(PLUGIN_DIR)/%.o): $(PLUGIN_DIR)/%.o: gst-plugin/%.c gst-plugin/plugin.mk
	$(say) CC $@
	$(call cc,-fPIC -fvisibility=hidden -DG_LOG_DOMAIN='"bufalloc"' \
		$(GST_DEFS) $(call gst_cflags,$(PLUGIN_PKGS)))

$(PLUGIN_SO): $(PLUGIN_OBJ) $(B)/libbufalloc/libbufalloc.so
	$(say) LD $@
	$(Q)$(CC) $(CFLAGS) -shared -Wl,--no-undefined -Wl,-z,relro,-z,now \
		$(LDFLAGS) -o $@ $(PLUGIN_OBJ) -L$(B)/libbufalloc -lbufalloc \
		$(call gst_libs,$(PLUGIN_PKGS))

-include $(PLUGIN_OBJ:.o=.d)

.PHONY: install-plugin uninstall-plugin
install-plugin: $(PLUGIN_SO)
	$(say) INSTALL $(DESTDIR)$(PLUGINDIR)
	$(Q)install -d $(DESTDIR)$(PLUGINDIR)
	$(Q)install -m 644 $(PLUGIN_SO) $(DESTDIR)$(PLUGINDIR)/

uninstall-plugin:
	$(Q)rm -f $(DESTDIR)$(PLUGINDIR)/$(notdir $(PLUGIN_SO))
