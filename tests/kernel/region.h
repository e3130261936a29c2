/* SPDX-License-Identifier: MIT */
/*
 * The regions that were set aside for bufalloc, as the tests see them from outside.
 */
#ifndef REGION_H
#define REGION_H

#include <stdbool.h>
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
 * Is there somebody who walks the kernel's page tables (ba_alias.ko)? Not on a kernel
 * with KASAN, whose shadow takes hours.
 */
bool
region_can_walk(void);

/* What is all about that is skipped. */
void
region_need_walk(void);

/* Pages of the kernel's address space that lead into these bytes. */
unsigned long
region_aliases_of(uint64_t start, uint64_t length);

/* The same for all regions together; 0 if nobody can walk. */
unsigned long
region_aliases(void);

/* A line of /sys/kernel/debug/bufalloc/regions. */
struct region_line {
	char name[64];
	char kind[16]; /* "no-map" or "cma" */
	unsigned long pages;
	unsigned long used;
	bool has_pages;
	bool leaving;
};

/* All of them, in the order that they are taken from; returns their number. */
unsigned int
region_lines(struct region_line *lines);

/*
 * Bind the driver to that node of the devicetree, or unbind it, if it is not so
 * already; the row is skipped if there is no such node.
 */
void
region_bind(const char *node);
void
region_unbind(const char *node);
bool
region_has_node(const char *node);

/* Where a node of /reserved-memory ("video@80000000") is, by the devicetree. */
struct region
region_of_node(const char *name);

#endif /* REGION_H */
