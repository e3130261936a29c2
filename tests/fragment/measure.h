/* SPDX-License-Identifier: MIT */
/*
 * How fragmented the machine's memory is, as the kernel itself shows it in
 * /proc.
 */
#ifndef FRAGMENT_MEASURE_H
#define FRAGMENT_MEASURE_H

#include <stdint.h>

#define MEASURE_ORDERS 16
#define MEASURE_BLOCK ((uint64_t)2 << 20)

struct measure {
	/* /proc/meminfo, in bytes. */
	uint64_t total, free, available, cma_total;
	/* /proc/buddyinfo, all zones: free blocks of each order. */
	uint64_t blocks[MEASURE_ORDERS];
	/*
	 * /proc/kpageflags, which root can read: whole blocks of 2 MiB, those of
	 * them that hold pages which nobody can move, and how many ranges of the
	 * length asked for there is room for between those. A little pessimistic:
	 * free pages on the lists of a CPU look as if they were in use.
	 */
	uint64_t all, stuck, ranges;
};

/* Returns 0 or -errno. */
int
measure_memory(struct measure *measure, uint64_t length);

/*
 * Of the free memory, the part (0 to 1) that lies in blocks too small for this
 * order: what the kernel calls unusable_index
 * (/sys/kernel/debug/extfrag, which few kernels have).
 */
double
measure_unusable(const struct measure *measure, unsigned int order);

#endif /* FRAGMENT_MEASURE_H */
