# SPDX-License-Identifier: MIT
# bufalloc: `make help` lists the targets. Each folder brings its own part of
# the rules in a fragment (*.mk); this file has what they share.

VERSION := 0.1.0

# Quiet unless V=1.
ifeq ($(V),1)
Q :=
say := @:
else
Q := @
say = @printf '  %-8s %s\n'
MAKEFLAGS += --no-print-directory
endif

.DELETE_ON_ERROR:
.SUFFIXES:

# Cross builds: make ARCH=arm64 CROSS_COMPILE=aarch64-linux-gnu- KDIR=...
# ARCH is the kernel's name (x86_64, arm64, arm). Everything built is under $(B).
HOST_ARCH := $(shell uname -m | sed -e s/aarch64/arm64/ -e 's/armv[67].*/arm/')
ARCH ?= $(HOST_ARCH)
CROSS_COMPILE ?=
ifeq ($(CROSS_COMPILE),)
B := build
else
B := build/$(ARCH)
PKG_CONFIG_CROSS := $(patsubst %-,%,$(notdir $(CROSS_COMPILE)))-pkg-config
PKG_CONFIG ?= $(PKG_CONFIG_CROSS)
endif
ifeq ($(origin CC),default)
CC := $(CROSS_COMPILE)gcc
endif
PKG_CONFIG ?= pkg-config

PREFIX ?= /usr/local
LIBDIR ?= $(PREFIX)/lib
DESTDIR ?=

CFLAGS ?= -O2 -g
WARN := -Wall -Wextra -Werror -Wundef -Wmissing-prototypes -Wstrict-prototypes \
	-Wshadow -Wpointer-arith -Wformat=2 -Wvla
CPPFLAGS += -Iinclude -Iinclude/uapi
# $(call cc,EXTRA_FLAGS): compile $< to $@ with a dependency file beside it.
cc = $(Q)mkdir -p $(@D) && $(CC) -std=gnu11 $(CPPFLAGS) $(WARN) $(CFLAGS) $(1) -MMD -MP -c -o $@ $<

.PHONY: all
all: lib tool plugin modules

include libbufalloc/lib.mk
include tools/tools.mk
include examples/examples.mk
include gst-plugin/plugin.mk
include kernel/module.mk
include demo/demo.mk
include tests/fragment/fragment.mk
include tests/fuzz/fuzz.mk
include tests/kernel/kernel.mk
include tests/lib/lib.mk
include tests/unit/unit.mk
include tests/tests.mk
include tests/vm/vm.mk
include tests/gst/gst.mk
include tests/bench/bench.mk
include tools/install.mk

.PHONY: help
help:
	@sed -n 's/^## //p' $(MAKEFILE_LIST) | sort

## clean             remove build/ (the cache of kernels and roots stays)
.PHONY: clean
clean:
	$(Q)rm -rf build
