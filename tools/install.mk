# SPDX-License-Identifier: MIT
# make install, make uninstall: DESTDIR, PREFIX and the folders below.
# Uninstall removes what install made and nothing else; so install writes down
# which folders were not there before (tools/install-dirs).
#
# Folders that bring their own things add their targets to INSTALL_TARGETS and
# UNINSTALL_TARGETS; install-modules and uninstall-modules are kernel/module.mk's.

BINDIR ?= $(PREFIX)/bin
INCLUDEDIR ?= $(PREFIX)/include
PKGCONFIGDIR ?= $(LIBDIR)/pkgconfig
MANDIR ?= $(PREFIX)/share/man
BASHCOMPDIR ?= $(PREFIX)/share/bash-completion/completions
# Where udev and systemd look, whatever the PREFIX.
UDEVDIR ?= /usr/lib/udev/rules.d
MODULESLOADDIR ?= /usr/lib/modules-load.d

INSTALL_TARGETS += install-lib install-tool install-man install-system \
	install-plugin install-modules
UNINSTALL_TARGETS += uninstall-lib uninstall-tool uninstall-man \
	uninstall-system uninstall-plugin uninstall-modules

INSTALL_DIRS := $(BINDIR) $(LIBDIR) $(PKGCONFIGDIR) $(INCLUDEDIR)/bufalloc \
	$(INCLUDEDIR)/linux $(INCLUDEDIR)/gstreamer-1.0/gst/bufalloc \
	$(MANDIR)/man1 $(MANDIR)/man3 $(MANDIR)/man7 \
	$(BASHCOMPDIR) $(UDEVDIR) $(MODULESLOADDIR) $(KSRC_DIRS)
INSTALL_DIRS_LIST := $(DESTDIR)$(PREFIX)/share/bufalloc/folders

## install           install all of it (DESTDIR, PREFIX=/usr/local)
## uninstall         remove what install made (same DESTDIR and PREFIX)
.PHONY: install uninstall install-dirs $(INSTALL_TARGETS) $(UNINSTALL_TARGETS)

install: $(INSTALL_TARGETS)
ifeq ($(DESTDIR),)
	$(Q)ldconfig
	$(Q)udevadm control --reload 2>/dev/null || true
	@echo "installed: 'modprobe bufalloc' loads the module, 'bufalloc info' tells whether it is usable"
endif

uninstall: $(UNINSTALL_TARGETS)
	$(Q)tools/install-dirs remove "$(INSTALL_DIRS_LIST)"
ifeq ($(DESTDIR),)
	$(Q)ldconfig
	$(Q)udevadm control --reload 2>/dev/null || true
endif

install-dirs:
	$(Q)tools/install-dirs make "$(INSTALL_DIRS_LIST)" \
		$(INSTALL_DIRS:%="$(DESTDIR)%") $(PLUGINDIR:%="$(DESTDIR)%")

# Each part can be installed alone; it is built first.
$(INSTALL_TARGETS): install-dirs

install-lib: $(LIB_SO)
	$(say) INSTALL $(DESTDIR)$(LIBDIR)/$(LIB_REAL)
	$(Q)install -m 644 $(LIB_DIR)/$(LIB_REAL) "$(DESTDIR)$(LIBDIR)/"
	$(Q)ln -sf $(LIB_REAL) "$(DESTDIR)$(LIBDIR)/$(LIB_SONAME)"
	$(Q)ln -sf $(LIB_SONAME) "$(DESTDIR)$(LIBDIR)/libbufalloc.so"
	$(Q)install -m 644 $(LIB_HEADERS) "$(DESTDIR)$(INCLUDEDIR)/bufalloc/"
	$(Q)install -m 644 include/uapi/linux/bufalloc.h \
		"$(DESTDIR)$(INCLUDEDIR)/linux/"
	$(Q)sed -e 's|@PREFIX@|$(PREFIX)|' -e 's|@LIBDIR@|$(LIBDIR)|' \
		-e 's|@INCLUDEDIR@|$(INCLUDEDIR)|' \
		-e 's|@VERSION@|$(VERSION)|' libbufalloc/bufalloc.pc.in \
		>"$(DESTDIR)$(PKGCONFIGDIR)/bufalloc.pc"
	$(Q)chmod 644 "$(DESTDIR)$(PKGCONFIGDIR)/bufalloc.pc"

uninstall-lib:
	$(Q)rm -f "$(DESTDIR)$(LIBDIR)/$(LIB_REAL)" \
		"$(DESTDIR)$(LIBDIR)/$(LIB_SONAME)" \
		"$(DESTDIR)$(LIBDIR)/libbufalloc.so" \
		$(LIB_HEADERS:include/%="$(DESTDIR)$(INCLUDEDIR)/%") \
		"$(DESTDIR)$(INCLUDEDIR)/linux/bufalloc.h" \
		"$(DESTDIR)$(PKGCONFIGDIR)/bufalloc.pc"

# A cross build may have no tool (see tools.mk).
install-tool: tool
	$(say) INSTALL $(DESTDIR)$(BINDIR)/bufalloc
	$(Q)if [ -e $(TOOL_INSTALL) ] || [ -z "$(CROSS_COMPILE)" ]; then \
		install -m 755 $(TOOL_INSTALL) "$(DESTDIR)$(BINDIR)/bufalloc"; \
	fi
	$(Q)install -m 644 tools/bufalloc.bash-completion \
		"$(DESTDIR)$(BASHCOMPDIR)/bufalloc"

uninstall-tool:
	$(Q)rm -f "$(DESTDIR)$(BINDIR)/bufalloc" \
		"$(DESTDIR)$(BASHCOMPDIR)/bufalloc"

install-man:
	$(say) INSTALL $(DESTDIR)$(MANDIR)
	$(Q)install -m 644 man/*.1 "$(DESTDIR)$(MANDIR)/man1/"
	$(Q)install -m 644 man/*.3 "$(DESTDIR)$(MANDIR)/man3/"
	$(Q)install -m 644 man/*.7 "$(DESTDIR)$(MANDIR)/man7/"

uninstall-man:
	$(Q)for page in $(notdir $(wildcard man/*.[137])); do \
		rm -f "$(DESTDIR)$(MANDIR)/man$${page##*.}/$$page"; \
	done

install-system:
	$(say) INSTALL $(DESTDIR)$(UDEVDIR)/60-bufalloc.rules
	$(Q)install -m 644 tools/60-bufalloc.rules "$(DESTDIR)$(UDEVDIR)/"
	$(say) INSTALL $(DESTDIR)$(MODULESLOADDIR)/bufalloc.conf
	$(Q)install -m 644 tools/bufalloc.conf "$(DESTDIR)$(MODULESLOADDIR)/"

uninstall-system:
	$(Q)rm -f "$(DESTDIR)$(UDEVDIR)/60-bufalloc.rules" \
		"$(DESTDIR)$(MODULESLOADDIR)/bufalloc.conf"
