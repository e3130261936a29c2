// SPDX-License-Identifier: GPL-2.0
/*
 * The heap "system": pages from anywhere, largest blocks first, because a
 * device without IOMMU gets one DMA segment for each block and an IOMMU maps
 * large blocks with large pages. Charged to the caller's memory cgroup.
 *
 * Where the blocks are in memory is of no concern to anybody, so they are put
 * in order: neighbours become one run. Blocks that an IOMMU maps with a large
 * page come before all others, or they would not be aligned for it.
 */
#include <linux/dma-mapping.h>
#include <linux/gfp.h>
#include <linux/list.h>
#include <linux/list_sort.h>
#include <linux/mm.h>
#include <linux/sched/signal.h>

#include "bufalloc_private.h"

/* Of this order are an IOMMU's large pages (2 MiB with pages of 4 KiB). */
#define LARGE_ORDER 9U

/* Large blocks if they are free: nothing is moved or reclaimed for them. */
#define HIGH_ORDER_GFP \
	(((GFP_USER | __GFP_ZERO | __GFP_ACCOUNT | __GFP_NOWARN | \
	   __GFP_NORETRY) & ~__GFP_RECLAIM))

/*
 * Where none are left, pages are moved for them, as for a process's huge pages.
 * That takes time once, sometimes more than to clear the block, and saves
 * segments and the IOMMU's lookups on each frame. The kernel itself stops it for
 * a while where it does not work (compaction is deferred, for this order and
 * those above), and the first failure ends it for a buffer.
 */
#define MOVE_GFP \
	(GFP_USER | __GFP_ZERO | __GFP_ACCOUNT | __GFP_NOWARN | __GFP_NORETRY)

/*
 * Single pages are reclaimed for, but a buffer that does not fit is the
 * caller's problem (-ENOMEM) and no reason to kill a process for it.
 */
#define LOW_ORDER_GFP \
	(GFP_USER | __GFP_ZERO | __GFP_ACCOUNT | __GFP_NOWARN | \
	 __GFP_RETRY_MAYFAIL)

/*
 * What is tried, one after the other: blocks of 4 MiB, 2 MiB, 1 MiB, 256 KiB,
 * 64 KiB and 4 KiB with pages of 4 KiB. Orders in between cost tries and gain
 * little.
 */
static const struct {
	unsigned int order;
	gfp_t gfp;
} tries[] = {
	{ BUFALLOC_MAX_ORDER, HIGH_ORDER_GFP },
	{ LARGE_ORDER, HIGH_ORDER_GFP },
	{ LARGE_ORDER, MOVE_GFP },
	{ 8, HIGH_ORDER_GFP },
	{ 6, MOVE_GFP },
	{ 4, HIGH_ORDER_GFP },
	{ 4, MOVE_GFP },
	{ 0, LOW_ORDER_GFP },
};

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

/*
 * The last block may be larger than what is left to allocate, by an eighth of
 * it: one run instead of several for the time to clear the rest.
 */
static bool order_is_apt(unsigned int order, unsigned long pages)
{
	unsigned long block = 1UL << order;

	return order <= BUFALLOC_MAX_ORDER && pages >= block - block / 8;
}

/* Give back what is more than @pages, and list the others one by one. */
static void cut_block(struct page *page, unsigned int order,
		      unsigned long pages, struct list_head *blocks)
{
	unsigned long i;

	split_page(page, order);
	for (i = 0; i < 1UL << order; i++) {
		if (i >= pages) {
			__free_page(page + i);
			continue;
		}
		list_add_tail(&page[i].lru, blocks);
		/* For the order: is it of a large block, and that whole? */
		set_page_private(page + i, order >= LARGE_ORDER &&
				 pages == 1UL << order);
	}
}

/*
 * Allocate a block for the @pages pages that are left, or for some of them; if
 * @single, as pages of which each can be freed by itself. *@first skips the tries
 * that failed. Return: the number of pages, 0 if there is no memory.
 */
static unsigned long alloc_block(unsigned long pages, unsigned int *first,
				 gfp_t zone, bool single,
				 struct list_head *blocks)
{
	struct page *page;

	for (; *first < ARRAY_SIZE(tries); (*first)++) {
		unsigned int order = tries[*first].order;
		gfp_t gfp = tries[*first].gfp | zone;
		unsigned long block = 1UL << order;
		bool cut = single || block > pages;

		if (!order_is_apt(order, pages))
			continue;
		page = alloc_pages(cut ? gfp : gfp | __GFP_COMP, order);
		if (!page)
			continue;
		block = min(block, pages);
		if (cut)
			cut_block(page, order, block, blocks);
		else
			list_add_tail(&page->lru, blocks);
		return block;
	}
	return 0;
}

static bool is_of_large(struct page *page)
{
	return compound_order(page) >= LARGE_ORDER || page_private(page);
}

/* Large blocks first, each kind by address. */
static int compare_blocks(void *priv, const struct list_head *a,
			  const struct list_head *b)
{
	struct page *first = list_entry(a, struct page, lru);
	struct page *second = list_entry(b, struct page, lru);
	bool first_large = is_of_large(first);
	bool second_large = is_of_large(second);

	cond_resched();
	if (first_large != second_large)
		return second_large ? 1 : -1;
	return page_to_pfn(first) > page_to_pfn(second) ? 1 : -1;
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
		set_page_private(page, 0);
		if (sg && continues(end_pfn, sg->length, page)) {
			sg->length += page_size(page);
		} else {
			sg = sg ? sg_next(sg) : runs->sgl;
			sg_set_page(sg, page, page_size(page), 0);
		}
		end_pfn = page_to_pfn(page) + compound_nr(page);
	}
}

static void free_runs(struct sg_table *runs)
{
	struct scatterlist *sg;
	int i;

	for_each_sgtable_sg(runs, sg, i) {
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
	sg_free_table(runs);
}

static int bufalloc_heap_system_alloc(struct bufalloc_buffer *buf,
				      const struct bufalloc_need *need)
{
	bool single = buf->attributes & BUFALLOC_ATTRIBUTE_PINNABLE;
	unsigned long pages = buf->length >> PAGE_SHIFT;
	unsigned int first = 0;
	LIST_HEAD(blocks);
	int ret = -ENOMEM;
	gfp_t zone;

	if (!zone_for_limit(need->limit, &zone))
		return -ENOSPC;

	while (pages) {
		unsigned long got;

		if (fatal_signal_pending(current)) {
			ret = -EINTR;
			goto err_free;
		}
		got = alloc_block(pages, &first, zone, single, &blocks);
		if (!got)
			goto err_free;
		pages -= got;
		cond_resched();
	}
	list_sort(NULL, &blocks, compare_blocks);

	ret = sg_alloc_table(&buf->runs, count_runs(&blocks),
			     GFP_KERNEL_ACCOUNT);
	if (ret)
		goto err_free;
	fill_runs(&buf->runs, &blocks);

	ret = bufalloc_attribute_apply(buf);
	if (ret)
		free_runs(&buf->runs);
	return ret;

err_free:
	free_blocks(&blocks);
	return ret;
}

static void bufalloc_heap_system_free(struct bufalloc_buffer *buf)
{
	bufalloc_attribute_undo(buf);
	free_runs(&buf->runs);
}

const struct bufalloc_heap bufalloc_heap_system = {
	.name = "system",
	.can = bufalloc_heap_system_can,
	.alloc = bufalloc_heap_system_alloc,
	.free = bufalloc_heap_system_free,
	.pinnable = true,
};
