// SPDX-License-Identifier: GPL-2.0
/* alloc_contig_range() takes acr_flags_t instead of a migratetype (6.16). */
#include <linux/gfp.h>
int probe(acr_flags_t flags);
int probe(acr_flags_t flags)
{
	return alloc_contig_range(0, 1, flags, GFP_KERNEL);
}
