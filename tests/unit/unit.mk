# SPDX-License-Identifier: MIT
# Unit tests on the host, without the module: test_*.c (cmocka, linked with a
# stand-in for the kernel), *.sh (bash). Each prints TAP and exits 0 or 1.

UNIT_DIR := $(B)/tests/unit
UNIT_SRC := $(sort $(wildcard tests/unit/test_*.c))
UNIT_BIN := $(UNIT_SRC:tests/unit/%.c=$(UNIT_DIR)/%)
UNIT_ASAN_BIN := $(UNIT_SRC:tests/unit/%.c=$(UNIT_DIR)/asan/%)
# Under TSan too: what has threads.
UNIT_TSAN_BIN := $(UNIT_DIR)/tsan/test_pool_threads
# What of the library is run at all: counted by gcov, see coverage.sh.
UNIT_COV_BIN := $(UNIT_SRC:tests/unit/%.c=$(UNIT_DIR)/cov/%)
UNIT_FAKE := $(UNIT_DIR)/fake_kernel.so
UNIT_SCRIPTS := $(filter-out %/expect.sh,$(sort $(wildcard tests/unit/*.sh)))

# Two stand-ins for the kernel: mock.h, and sim.h for the tests of devices.
UNIT_SIM := negotiate backends backend_open pool pool_threads sweep sweep_calls \
	map_several
UNIT_MOCK_WRAP := open64 ioctl mmap64 munmap calloc realloc stat64 access \
	getgrgid_r getrlimit64
UNIT_SIM_WRAP := ioctl calloc realloc fstat64 readlink open64 opendir closedir \
	memfd_create close eventfd epoll_create1 epoll_ctl poll mmap64 fcntl64
UNIT_SIM_OBJ := scene.o sim.o sim_video.o sim_memory.o
unit_objects = $(if $(filter $(UNIT_SIM:%=test_%),$(1)),$(UNIT_SIM_OBJ),mock.o)
unit_wrap = $(patsubst %,-Wl$(comma)--wrap=%,$(if \
	$(filter $(UNIT_SIM:%=test_%),$(1)),$(UNIT_SIM_WRAP),$(UNIT_MOCK_WRAP)))
comma := ,
UNIT_SAN := -fsanitize=address,undefined -fno-sanitize-recover=all -O1
UNIT_TSAN := -fsanitize=thread -O1
UNIT_COV := --coverage -O0
# cmocka's prototypes are in no header of ours; a cut sentence is a test.
UNIT_CFLAGS = -Itests/unit -Wno-format-truncation $(LIB_DRM_CFLAGS)

## unit              build the unit tests
.PHONY: unit check-unit
unit: $(UNIT_BIN) $(UNIT_ASAN_BIN) $(UNIT_TSAN_BIN) $(UNIT_COV_BIN) \
		$(UNIT_FAKE) lib tool

## check-unit        run the unit tests alone (no guest, no module)
check-unit: unit
	$(Q)for program in $(UNIT_BIN) $(UNIT_SCRIPTS); do \
		name=$${program##*/}; name=$${name%.sh}; \
		printf 'unit-%s\tcheck-host\thost\t-\t0.1\t60\tB=%s %s\n' \
			"$${name#test_}" "$(B)" "$$program"; \
	done >$(UNIT_DIR)/suites.tsv
	$(Q)tests/run --target check-host --table $(UNIT_DIR)/suites.tsv \
		--build $(UNIT_DIR)

$(UNIT_DIR)/obj/%.o: tests/unit/%.c tests/unit/unit.mk
	$(say) CC $@
	$(call cc,$(UNIT_CFLAGS))

.SECONDEXPANSION:
$(UNIT_BIN): $(UNIT_DIR)/%: $(UNIT_DIR)/obj/%.o \
		$$(addprefix $(UNIT_DIR)/obj/,$$(call unit_objects,$$*)) $(LIB_OBJ)
	$(say) LD $@
	$(Q)$(CC) $(CFLAGS) $(call unit_wrap,$*) -o $@ $^ -lcmocka

# The same with other flags, in a folder of its own: $(1), with $(2).
define unit_variant
$(UNIT_DIR)/$(1)/obj/%.o: tests/unit/%.c tests/unit/unit.mk
	$$(say) CC $$@
	$$(call cc,$$(UNIT_CFLAGS) $(2))

$(UNIT_DIR)/$(1)/lib/%.o: libbufalloc/%.c libbufalloc/lib.mk
	$$(say) CC $$@
	$$(call cc,$$(LIB_CFLAGS) $(2))

$(UNIT_DIR)/$(1)/test_%: $(UNIT_DIR)/$(1)/obj/test_%.o \
		$$$$(addprefix $(UNIT_DIR)/$(1)/obj/,$$$$(call unit_objects,test_$$$$*)) \
		$(LIB_OBJ:$(LIB_DIR)/%=$(UNIT_DIR)/$(1)/lib/%)
	$$(say) LD $$@
	$$(Q)$$(CC) $$(CFLAGS) $(2) $$(call unit_wrap,test_$$*) -o $$@ $$^ -lcmocka

.PRECIOUS: $(UNIT_DIR)/$(1)/obj/%.o $(UNIT_DIR)/$(1)/lib/%.o
-include $(wildcard $(UNIT_DIR)/$(1)/obj/*.d $(UNIT_DIR)/$(1)/lib/*.d)
endef

$(eval $(call unit_variant,asan,$(UNIT_SAN)))
$(eval $(call unit_variant,tsan,$(UNIT_TSAN)))
$(eval $(call unit_variant,cov,$(UNIT_COV)))

$(UNIT_FAKE): tests/unit/fake_kernel.c tests/unit/unit.mk
	$(say) CC $@
	$(Q)mkdir -p $(@D)
	$(Q)$(CC) -std=gnu11 $(CPPFLAGS) $(WARN) $(CFLAGS) -fPIC -shared \
		-Wno-missing-prototypes -o $@ $<

.PRECIOUS: $(UNIT_DIR)/obj/%.o
-include $(wildcard $(UNIT_DIR)/obj/*.d)
