// SPDX-License-Identifier: GPL-2.0
/*
 * The heap "contig": one physical range of any length out of the ordinary
 * memory of the machine, below 4 GiB or what the devices reach.
 *
 * Up to the largest block of the page allocator it is a block of that. Longer
 * ranges are made by moving away what is there: alloc_contig_range(), which
 * modules may call on every kernel, for one candidate range after the other.
 * Mainline's search for a candidate (alloc_contig_pages()) is not exported
 * before 7.x and only tries ranges that are aligned to their own length; here
 * every page block starts a candidate, and pages that cannot move are seen
 * before the expensive try, not by it.
 *
 * Memory cgroups do not see this memory; see account.c.
 */
#include <linux/dma-mapping.h>
#include <linux/gfp.h>
#include <linux/highmem.h>
#include <linux/memory_hotplug.h>
#include <linux/mm.h>
#include <linux/mmzone.h>
#include <linux/mutex.h>
#include <linux/nodemask.h>
#include <linux/sched/signal.h>
#include <linux/sizes.h>

#include "bufalloc_private.h"

#ifdef CONFIG_CONTIG_ALLOC

/*
 * Where nobody says what the devices reach: many camera and display
 * controllers address 32 bits.
 */
#define DEFAULT_LIMIT DMA_BIT_MASK(32)

/* Two searches at once would isolate the same page blocks from each other. */
static DEFINE_MUTEX(search_lock);

/*
 * Can the page at @pfn not be part of a range, for all that can be seen without
 * a lock? If it can, so can *@step pages from it on. It is a hint:
 * alloc_contig_range() makes sure.
 */
static bool page_blocks_range(struct zone *zone, unsigned long pfn,
			      unsigned long *step)
{
	struct page *page = pfn_to_online_page(pfn);

	*step = 1;
	if (!page || page_zone(page) != zone || PageReserved(page) ||
	    PageHuge(page))
		return true;
	if (PageBuddy(page)) {
		/* The order may change under us. */
		unsigned long order = READ_ONCE(page_private(page));

		if (order <= BUFALLOC_MAX_ORDER)
			*step = 1UL << order;
		return false;
	}
	/* No reference: on its way to or from the free lists. LRU: movable. */
	return PageSlab(page) || (page_count(page) && !PageLRU(page));
}

/*
 * Find the first candidate of @pages pages from @pfn on that ends at @end at
 * most, starts at a page block and crosses no boundary. Return: its start, or
 * @end if none is left.
 */
static unsigned long find_candidate(struct zone *zone, unsigned long pfn,
				    unsigned long end, unsigned long pages,
				    const struct bufalloc_need *need)
{
	unsigned long start = ALIGN(pfn, pageblock_nr_pages);
	unsigned long at = start;
	unsigned long step;

	while (start < end && end - start >= pages) {
		if (at == start &&
		    !bufalloc_constraint_range_fits(need, PFN_PHYS(start),
						    PFN_PHYS(pages))) {
			/* Go on behind the boundary. */
			start = ((PFN_PHYS(start) | need->boundary) + 1) >>
				PAGE_SHIFT;
			start = ALIGN(start, pageblock_nr_pages);
			at = start;
			continue;
		}
		if (at >= start + pages)
			return start;
		if (page_blocks_range(zone, at, &step)) {
			start = ALIGN(at + 1, pageblock_nr_pages);
			at = start;
			cond_resched();
			continue;
		}
		at += step;
	}
	return end;
}

/* Return: 0 and the first page, -ENOMEM or -EINTR. */
static int alloc_in_zone(struct zone *zone, unsigned long pages,
			 const struct bufalloc_need *need, struct page **first)
{
	/* The first frame number that is out of reach. */
	unsigned long end = min_t(u64, zone_end_pfn(zone),
				  (need->limit >> PAGE_SHIFT) + 1);
	unsigned long pfn = zone->zone_start_pfn;
	int ret;

	for (;;) {
		if (fatal_signal_pending(current))
			return -EINTR;
		pfn = find_candidate(zone, pfn, end, pages, need);
		if (pfn >= end)
			return -ENOMEM;
		ret = bufalloc_compat_alloc_contig_range(pfn, pfn + pages,
							 GFP_KERNEL |
							 __GFP_NOWARN |
							 __GFP_RETRY_MAYFAIL);
		if (!ret) {
			*first = pfn_to_page(pfn);
			return 0;
		}
		pfn += pageblock_nr_pages;
	}
}

/*
 * From the highest zone down, so that what few devices can do without is taken
 * last. ZONE_MOVABLE is left alone: it is there to be emptied, and a buffer
 * that devices use cannot be moved.
 */
static int alloc_range(unsigned long pages, const struct bufalloc_need *need,
		       struct page **first)
{
	int nid, idx, ret;

	if (pages > si_mem_available())
		return -ENOMEM;

	ret = mutex_lock_killable(&search_lock);
	if (ret)
		return -EINTR;

	ret = -ENOMEM;
	for (idx = ZONE_MOVABLE - 1; idx >= 0; idx--) {
		for_each_online_node(nid) {
			struct zone *zone = &NODE_DATA(nid)->node_zones[idx];

			if (!populated_zone(zone))
				continue;
			ret = alloc_in_zone(zone, pages, need, first);
			if (ret != -ENOMEM)
				goto out_unlock;
		}
	}
out_unlock:
	mutex_unlock(&search_lock);
	return ret;
}

/* The pages from @first on, @pages of them, each with a reference. */
static void free_range(struct page *first, unsigned long pages)
{
	free_contig_range(page_to_pfn(first), pages);
}

/* A block of the page allocator, cut to length. NULL: try alloc_range(). */
static struct page *alloc_block(unsigned long pages,
				const struct bufalloc_need *need)
{
	unsigned int order = get_order(pages << PAGE_SHIFT);
	gfp_t gfp = GFP_KERNEL | __GFP_NOWARN | __GFP_NORETRY;
	struct page *page;

	if (order > BUFALLOC_MAX_ORDER)
		return NULL;
	gfp |= IS_ENABLED(CONFIG_ZONE_DMA32) ? __GFP_DMA32 : __GFP_HIGHMEM;
	page = alloc_pages(gfp, order);
	if (!page)
		return NULL;
	split_page(page, order);
	if ((1UL << order) > pages)
		free_range(pfn_to_page(page_to_pfn(page) + pages),
			   (1UL << order) - pages);

	if (!bufalloc_constraint_range_fits(need, page_to_phys(page),
					    PFN_PHYS(pages))) {
		free_range(page, pages);
		return NULL;
	}
	return page;
}

static int clear_range(struct page *first, unsigned long pages)
{
	unsigned long pfn = page_to_pfn(first);
	unsigned long end = pfn + pages;

	for (; pfn < end; pfn++) {
		if (!(pfn % (SZ_64K >> PAGE_SHIFT))) {
			if (fatal_signal_pending(current))
				return -EINTR;
			cond_resched();
		}
		clear_highpage(pfn_to_page(pfn));
	}
	return 0;
}

/* Describe the range by as few entries as their unsigned int length allows. */
static void fill_runs(struct sg_table *runs, struct page *first, size_t length)
{
	unsigned long pfn = page_to_pfn(first);
	struct scatterlist *sg;
	int i;

	for_each_sgtable_sg(runs, sg, i) {
		size_t run = min(length, BUFALLOC_RUN_MAX);

		sg_set_page(sg, pfn_to_page(pfn), run, 0);
		pfn += run >> PAGE_SHIFT;
		length -= run;
	}
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

	need.limit = min_t(u64, need.limit, DEFAULT_LIMIT);

	ret = bufalloc_account_charge(buf->length, &buf->account);
	if (ret)
		return ret;

	ret = sg_alloc_table(&buf->runs,
			     DIV_ROUND_UP(buf->length, BUFALLOC_RUN_MAX),
			     GFP_KERNEL_ACCOUNT);
	if (ret)
		goto err_uncharge;

	first = alloc_block(pages, &need);
	if (!first) {
		ret = alloc_range(pages, &need, &first);
		if (ret)
			goto err_table;
	}

	ret = clear_range(first, pages);
	if (ret)
		goto err_range;
	fill_runs(&buf->runs, first, buf->length);
	return 0;

err_range:
	free_range(first, pages);
err_table:
	sg_free_table(&buf->runs);
err_uncharge:
	bufalloc_account_uncharge(buf->account, buf->length);
	return ret;
}

static void bufalloc_heap_contig_free(struct bufalloc_buffer *buf)
{
	free_range(sg_page(buf->runs.sgl), buf->length >> PAGE_SHIFT);
	sg_free_table(&buf->runs);
	bufalloc_account_uncharge(buf->account, buf->length);
}

const struct bufalloc_heap bufalloc_heap_contig = {
	.name = "contig",
	.can = bufalloc_heap_contig_can,
	.alloc = bufalloc_heap_contig_alloc,
	.free = bufalloc_heap_contig_free,
};

#endif /* CONFIG_CONTIG_ALLOC */
