/* SPDX-License-Identifier: MIT */
/*
 * The regions that were set aside for bufalloc, as the tests see them from outside.
 */
#ifndef REGION_H
#define REGION_H

#include <stddef.h>
#include <stdint.h>

#define REGION_MAX 8

/* A line of /proc/iomem that says "bufalloc". */
struct region {
	uint64_t start;
	uint64_t length;
};

/* All of them, in order of address; returns their number. */
unsigned int
region_read(struct region *regions);

/*
 * Pages of the kernel's address space that lead into these bytes (ba_alias.ko); the
 * row is skipped without it.
 */
unsigned long
region_aliases_of(uint64_t start, uint64_t length);

/* The same for all regions together. */
unsigned long
region_aliases(void);

#endif /* REGION_H */
