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

/*
 * An entry without a page has the address of the memory where a device's address
 * would be: the buffer's own table is never mapped. See bufalloc_run_phys().
 */
static void fill_runs(struct sg_table *runs, unsigned long pfn, size_t length,
		      bool has_pages)
{
	struct scatterlist *run;
	int i;

	for_each_sgtable_sg(runs, run, i) {
		size_t part = min(length, BUFALLOC_RUN_MAX);

		sg_set_page(run, has_pages ? pfn_to_page(pfn) : NULL, part, 0);
		sg_dma_address(run) = PFN_PHYS(pfn);
		pfn += part >> PAGE_SHIFT;
		length -= part;
	}
}

static int bufalloc_heap_reserved_alloc(struct bufalloc_buffer *buf,
					const struct bufalloc_need *need)
{
	unsigned long pages = buf->length >> PAGE_SHIFT;
	unsigned long pfn;
	bool has_pages;
	int ret;

	ret = bufalloc_account_charge(buf->length, &buf->account);
	if (ret)
		return ret;
	ret = sg_alloc_table(&buf->runs,
			     DIV_ROUND_UP(buf->length, BUFALLOC_RUN_MAX),
			     GFP_KERNEL_ACCOUNT);
	if (ret)
		goto err_uncharge;
	ret = bufalloc_region_alloc(pages, need, &pfn, &has_pages);
	if (ret)
		goto err_table;
	buf->linear = BUFALLOC_LINEAR_NONE;
	if (!bufalloc_attribute_is_uncached(buf))
		buf->attributes |= BUFALLOC_ATTRIBUTE_WRITE_COMBINE;
	fill_runs(&buf->runs, pfn, buf->length, has_pages);
	ret = bufalloc_nomap_clear(buf);
	if (ret)
		goto err_range;
	return 0;

err_range:
	bufalloc_region_free(pfn, pages);
err_table:
	sg_free_table(&buf->runs);
err_uncharge:
	bufalloc_account_uncharge(buf->account, buf->length);
	return ret;
}

static void bufalloc_heap_reserved_free(struct bufalloc_buffer *buf)
{
	bufalloc_region_free(PHYS_PFN(bufalloc_run_phys(buf->runs.sgl)),
			     buf->length >> PAGE_SHIFT);
	sg_free_table(&buf->runs);
	bufalloc_account_uncharge(buf->account, buf->length);
}

const struct bufalloc_heap bufalloc_heap_reserved = {
	.name = "reserved",
	.exists = bufalloc_heap_reserved_exists,
	.can = bufalloc_heap_reserved_can,
	.alloc = bufalloc_heap_reserved_alloc,
	.free = bufalloc_heap_reserved_free,
};
