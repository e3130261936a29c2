# SPDX-License-Identifier: MIT
# Benchmarks: ours beside what others do, in one run, as figures.

BENCH_DIR := $(B)/tests/bench
BENCH_PKGS := gstreamer-allocators-1.0 gstreamer-1.0

.PHONY: bench
bench: $(BENCH_DIR)/pool

$(BENCH_DIR)/%.o: tests/bench/%.c tests/bench/bench.mk
	$(say) CC $@
	$(call cc,$(call gst_cflags,$(BENCH_PKGS)))

$(BENCH_DIR)/pool: $(BENCH_DIR)/pool.o $(LIB_SO)
	$(say) LINK $@
	$(Q)$(CC) $(CFLAGS) $(LDFLAGS) -Wl,-rpath,'$$ORIGIN/../../libbufalloc' \
		-o $@ $< $(call gst_libs,$(BENCH_PKGS)) -L$(LIB_DIR) -lbufalloc
