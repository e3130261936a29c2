// SPDX-License-Identifier: GPL-2.0
/*
 * The heap "contig": one physical range of any length out of the ordinary
 * memory of the machine. Up to the largest block of the page allocator it is a
 * block of that; what is longer, or cannot be had so, is searched for
 * (range.c).
 *
 * Memory below 4 GiB is what few devices can do without, so it is taken last,
 * if all devices are known and reach more.
 *
 * Memory cgroups do not see this memory; see account.c.
 */
#include <linux/dma-mapping.h>
#include <linux/gfp.h>
#include <linux/mm.h>
#include <linux/sizes.h>

#include "bufalloc_private.h"

#ifdef CONFIG_CONTIG_ALLOC

/*
 * Where nobody says what all the devices reach: many camera and display
 * controllers address 32 bits.
 */
#define DEFAULT_LIMIT DMA_BIT_MASK(32)

/* A block of the page allocator, cut to length. NULL: try the search. */
static struct page *alloc_block(unsigned long pages,
				const struct bufalloc_need *need)
{
	unsigned int order = get_order(pages << PAGE_SHIFT);
	gfp_t gfp = GFP_KERNEL | __GFP_NOWARN | __GFP_NORETRY;
	struct page *page;

	if (order > BUFALLOC_MAX_ORDER)
		return NULL;
	if (IS_ENABLED(CONFIG_ZONE_DMA32) &&
	    need->limit < bufalloc_buffer_memory_end())
		gfp |= __GFP_DMA32;
	else if (!need->vmap)
		gfp |= __GFP_HIGHMEM;
	page = alloc_pages(gfp, order);
	if (!page)
		return NULL;
	split_page(page, order);
	if ((1UL << order) > pages)
		bufalloc_range_free(pfn_to_page(page_to_pfn(page) + pages),
				    (1UL << order) - pages);

	if (!bufalloc_constraint_range_fits(need, page_to_phys(page),
					    PFN_PHYS(pages))) {
		bufalloc_range_free(page, pages);
		return NULL;
	}
	return page;
}

static bool bufalloc_heap_contig_can(const struct bufalloc_need *need)
{
	return true;
}

static int bufalloc_heap_contig_alloc(struct bufalloc_buffer *buf,
				      const struct bufalloc_need *devices)
{
	unsigned long pages = buf->length >> PAGE_SHIFT;
	struct bufalloc_need need = *devices;
	struct page *first;
	int ret;

	if (need.unknown)
		need.limit = min_t(u64, need.limit, DEFAULT_LIMIT);

	ret = bufalloc_heap_range_begin(buf);
	if (ret)
		return ret;

	first = alloc_block(pages, &need);
	if (!first) {
		ret = bufalloc_range_alloc(pages, &need, &first);
		if (ret)
			goto err_end;
	}

	ret = bufalloc_heap_range_clear(first, pages);
	if (ret)
		goto err_range;
	bufalloc_heap_range_describe(buf, page_to_pfn(first), true);
	ret = bufalloc_attribute_apply(buf);
	if (ret)
		goto err_range;
	return 0;

err_range:
	bufalloc_range_free(first, pages);
err_end:
	bufalloc_heap_range_end(buf);
	return ret;
}

/* A page that somebody has pinned is free when that one puts it. */
static void put_pages(struct page *first, unsigned long pages)
{
	unsigned long pfn = page_to_pfn(first);
	unsigned long end = pfn + pages;

	for (; pfn < end; pfn++) {
		put_page(pfn_to_page(pfn));
		cond_resched();
	}
}

static void bufalloc_heap_contig_free(struct bufalloc_buffer *buf)
{
	struct page *first = sg_page(buf->runs.sgl);
	unsigned long pages = buf->length >> PAGE_SHIFT;

	bufalloc_attribute_undo(buf);
	if (buf->attributes & BUFALLOC_ATTRIBUTE_PINNABLE)
		put_pages(first, pages);
	else
		bufalloc_range_free(first, pages);
	bufalloc_heap_range_end(buf);
}

const struct bufalloc_heap bufalloc_heap_contig = {
	.name = "contig",
	.can = bufalloc_heap_contig_can,
	.alloc = bufalloc_heap_contig_alloc,
	.free = bufalloc_heap_contig_free,
	.pinnable = true,
};

#endif /* CONFIG_CONTIG_ALLOC */
