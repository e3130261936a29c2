// SPDX-License-Identifier: GPL-2.0
/*
 * The heap "reserved": one range of the memory that was set aside for us
 * (region.c). Nobody else uses it, so it is there when it is needed; whoever
 * takes it, leaves less to whom it was set aside for. So it comes last.
 *
 * Memory cgroups do not see this memory; see account.c.
 */
#include <linux/mm.h>
#include <linux/scatterlist.h>

#include "bufalloc_private.h"
#include "region.h"

static bool bufalloc_heap_reserved_exists(void)
{
	return bufalloc_region_exists();
}

static bool bufalloc_heap_reserved_can(const struct bufalloc_need *need)
{
	return bufalloc_region_can(1, need);
}

static int bufalloc_heap_reserved_alloc(struct bufalloc_buffer *buf,
					const struct bufalloc_need *need)
{
	unsigned long pages = buf->length >> PAGE_SHIFT;
	unsigned long pfn;
	bool has_pages;
	int ret;

	ret = bufalloc_heap_range_begin(buf);
	if (ret)
		return ret;
	ret = bufalloc_region_alloc(pages, need, &pfn, &has_pages);
	if (ret)
		goto err_end;
	buf->linear = BUFALLOC_LINEAR_NONE;
	if (!bufalloc_attribute_is_uncached(buf))
		buf->attributes |= BUFALLOC_ATTRIBUTE_WRITE_COMBINE;
	bufalloc_heap_range_describe(buf, pfn, has_pages);
	ret = bufalloc_nomap_clear(buf);
	if (ret)
		goto err_range;
	return 0;

err_range:
	bufalloc_region_free(pfn, pages);
err_end:
	bufalloc_heap_range_end(buf);
	return ret;
}

static void bufalloc_heap_reserved_free(struct bufalloc_buffer *buf)
{
	bufalloc_region_free(PHYS_PFN(bufalloc_run_phys(buf->runs.sgl)),
			     buf->length >> PAGE_SHIFT);
	bufalloc_heap_range_end(buf);
}

const struct bufalloc_heap bufalloc_heap_reserved = {
	.name = "reserved",
	.exists = bufalloc_heap_reserved_exists,
	.can = bufalloc_heap_reserved_can,
	.alloc = bufalloc_heap_reserved_alloc,
	.free = bufalloc_heap_reserved_free,
};
