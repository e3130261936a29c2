/* SPDX-License-Identifier: GPL-2.0 */
/*
 * region.c: memory that was set aside for us.
 */
#ifndef BUFALLOC_REGION_H
#define BUFALLOC_REGION_H

#include <linux/types.h>

struct bufalloc_need;
struct seq_file;

int bufalloc_region_init(void);
void bufalloc_region_exit(void);
bool bufalloc_region_exists(void);
bool bufalloc_region_can(unsigned long pages, const struct bufalloc_need *need);
int bufalloc_region_alloc(unsigned long pages, const struct bufalloc_need *need,
			  unsigned long *pfn, bool *has_pages);
void bufalloc_region_free(unsigned long pfn, unsigned long pages);
void bufalloc_region_show(struct seq_file *file);

#endif /* BUFALLOC_REGION_H */
