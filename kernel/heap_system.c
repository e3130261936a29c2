// SPDX-License-Identifier: GPL-2.0
/*
 * The heap "system": pages from anywhere, largest blocks first, because a
 * device without IOMMU gets one DMA segment for each block and an IOMMU maps
 * large blocks with large pages. Charged to the caller's memory cgroup.
 */
#include <linux/dma-mapping.h>
#include <linux/gfp.h>
#include <linux/list.h>
#include <linux/mm.h>
#include <linux/sched/signal.h>

#include "bufalloc_private.h"

/*
 * Blocks of 4 MiB, 2 MiB (a large page of most MMUs and IOMMUs), 1 MiB, 64 KiB
 * and 4 KiB with pages of 4 KiB. Orders in between cost tries and gain little.
 */
static const unsigned int orders[] = { BUFALLOC_MAX_ORDER, 9, 8, 4, 0 };

/* Large blocks only if they are free: nothing is reclaimed to make them. */
#define HIGH_ORDER_GFP \
	(((GFP_USER | __GFP_ZERO | __GFP_ACCOUNT | __GFP_COMP | \
	   __GFP_NOWARN | __GFP_NORETRY) & ~__GFP_RECLAIM))

/*
 * Single pages are reclaimed for, but a buffer that does not fit is the
 * caller's problem (-ENOMEM) and no reason to kill a process for it.
 */
#define LOW_ORDER_GFP \
	(GFP_USER | __GFP_ZERO | __GFP_ACCOUNT | __GFP_NOWARN | \
	 __GFP_RETRY_MAYFAIL)

/*
 * The zone whose memory lies below the limit as a whole. Between the ends of
 * zones there is none: then this heap cannot help, and contig can.
 */
static bool zone_for_limit(u64 limit, gfp_t *gfp)
{
	if (limit >= bufalloc_buffer_memory_end())
		*gfp = __GFP_HIGHMEM;
	else if (IS_ENABLED(CONFIG_ZONE_DMA32) && limit >= DMA_BIT_MASK(32))
		*gfp = __GFP_DMA32;
	else
		return false;
	return true;
}

static bool bufalloc_heap_system_can(const struct bufalloc_need *need)
{
	gfp_t gfp;

	return !need->one_run && zone_for_limit(need->limit, &gfp);
}

/* Allocate one block of @pages pages at most; *@first skips failed orders. */
static struct page *alloc_block(unsigned long pages, unsigned int *first,
				gfp_t zone)
{
	struct page *page;

	for (; *first < ARRAY_SIZE(orders); (*first)++) {
		unsigned int order = orders[*first];

		if (order > BUFALLOC_MAX_ORDER || pages < (1UL << order))
			continue;
		page = alloc_pages((order ? HIGH_ORDER_GFP : LOW_ORDER_GFP) |
				   zone, order);
		if (page)
			return page;
	}
	return NULL;
}

static void free_blocks(struct list_head *blocks)
{
	struct page *page, *next;

	list_for_each_entry_safe(page, next, blocks, lru) {
		list_del(&page->lru);
		__free_pages(page, compound_order(page));
	}
}

/* Can @page be appended to a run of @length bytes that ends before @end_pfn? */
static bool continues(unsigned long end_pfn, size_t length, struct page *page)
{
	return page_to_pfn(page) == end_pfn &&
	       length + page_size(page) <= BUFALLOC_RUN_MAX;
}

static unsigned int count_runs(struct list_head *blocks)
{
	unsigned long end_pfn = 0;
	unsigned int runs = 0;
	struct page *page;
	size_t length = 0;

	list_for_each_entry(page, blocks, lru) {
		if (!runs || !continues(end_pfn, length, page)) {
			runs++;
			length = 0;
		}
		length += page_size(page);
		end_pfn = page_to_pfn(page) + compound_nr(page);
	}
	return runs;
}

/* Move the blocks from the list into the table, neighbours in one entry. */
static void fill_runs(struct sg_table *runs, struct list_head *blocks)
{
	struct scatterlist *sg = NULL;
	unsigned long end_pfn = 0;
	struct page *page, *next;

	list_for_each_entry_safe(page, next, blocks, lru) {
		list_del(&page->lru);
		if (sg && continues(end_pfn, sg->length, page)) {
			sg->length += page_size(page);
		} else {
			sg = sg ? sg_next(sg) : runs->sgl;
			sg_set_page(sg, page, page_size(page), 0);
		}
		end_pfn = page_to_pfn(page) + compound_nr(page);
	}
}

static int bufalloc_heap_system_alloc(struct bufalloc_buffer *buf,
				      const struct bufalloc_need *need)
{
	unsigned long pages = buf->length >> PAGE_SHIFT;
	unsigned int first = 0;
	LIST_HEAD(blocks);
	int ret = -ENOMEM;
	gfp_t zone;

	if (!zone_for_limit(need->limit, &zone))
		return -ENOSPC;

	while (pages) {
		struct page *page;

		if (fatal_signal_pending(current)) {
			ret = -EINTR;
			goto err_free;
		}
		page = alloc_block(pages, &first, zone);
		if (!page)
			goto err_free;
		list_add_tail(&page->lru, &blocks);
		pages -= compound_nr(page);
		cond_resched();
	}

	ret = sg_alloc_table(&buf->runs, count_runs(&blocks),
			     GFP_KERNEL_ACCOUNT);
	if (ret)
		goto err_free;
	fill_runs(&buf->runs, &blocks);
	return 0;

err_free:
	free_blocks(&blocks);
	return ret;
}

static void bufalloc_heap_system_free(struct bufalloc_buffer *buf)
{
	struct scatterlist *sg;
	int i;

	for_each_sgtable_sg(&buf->runs, sg, i) {
		unsigned long pfn = page_to_pfn(sg_page(sg));
		unsigned long end = pfn + (sg->length >> PAGE_SHIFT);

		while (pfn < end) {
			struct page *page = pfn_to_page(pfn);
			unsigned int order = compound_order(page);

			__free_pages(page, order);
			pfn += 1UL << order;
		}
		cond_resched();
	}
	sg_free_table(&buf->runs);
}

const struct bufalloc_heap bufalloc_heap_system = {
	.name = "system",
	.can = bufalloc_heap_system_can,
	.alloc = bufalloc_heap_system_alloc,
	.free = bufalloc_heap_system_free,
};
