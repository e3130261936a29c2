// SPDX-License-Identifier: GPL-2.0
/*
 * One physical range of any length out of the ordinary memory of the machine,
 * made by moving away what is there.
 *
 * alloc_contig_range(), which modules may call on every kernel, empties one
 * given range or fails. Mainline's search for a range (alloc_contig_pages()) is
 * not exported before 7.x, tries only ranges that are aligned to their own
 * length, and takes the first that looks possible. Here memory is looked at one
 * part after the other; in each part the page blocks with the fewest pages to
 * move are tried first. The isolation of pages works on whole page blocks
 * (mm/page_isolation.c), so that a range might as well start at one.
 *
 * What a try has shown is not tried again: a page that did not move (somebody
 * has a reference to it that nothing shows) rules its block out. And there is
 * an end: SEARCH_MS after the search began, no other try is begun. So a refusal
 * takes that long at most, and one try: the time to move as many pages as the
 * range has. A fatal signal ends it earlier, also within a try.
 */
#include <linux/gfp.h>
#include <linux/ktime.h>
#include <linux/log2.h>
#include <linux/memory_hotplug.h>
#include <linux/mm.h>
#include <linux/mmzone.h>
#include <linux/mutex.h>
#include <linux/nodemask.h>
#include <linux/sched/signal.h>
#include <linux/slab.h>

#include "bufalloc_private.h"
#include "survey.h"

#ifdef CONFIG_CONTIG_ALLOC

/* No other try is begun later than this after the search began. */
#define SEARCH_MS 300

/* Page blocks that are looked at before the first try (2 GiB on most machines). */
#define PART_BLOCKS 1024U

/*
 * Two searches at once would isolate the same page blocks from each other. Who
 * waits for it, waits for as many searches as are before it.
 */
static DEFINE_MUTEX(search_lock);

/*
 * The page block that the last freed range began at, for each kind of zone: it
 * is likely to be free still. Only a hint.
 */
static unsigned long freed_at[MAX_NR_ZONES];

/**
 * struct search - for one range
 * @pages: its length
 * @need: what it must satisfy
 * @zone: the zone that is searched now
 * @survey: the part of it
 * @size: number of elements that @survey.costs has room for
 * @free: number of blocks at its end that are free
 * @tries: calls of alloc_contig_range() so far
 * @deadline: no other try is begun after this
 */
struct search {
	unsigned long pages;
	const struct bufalloc_need *need;
	struct zone *zone;
	struct bufalloc_survey survey;
	unsigned int size;
	unsigned int free;
	unsigned int tries;
	ktime_t deadline;
};

/*
 * What a page looks like. A held one has a reference that nothing explains: it
 * does not move as long as that lasts, which may be short.
 */
enum look { PAGE_FREE, PAGE_MOVES, PAGE_HELD, PAGE_STAYS };

/* In pages to move: worse than a page block full of those. */
#define HELD_COST (2 * pageblock_nr_pages)

/* The same comparison that migration makes (mm/migrate.c), without a lock. */
static bool is_held(struct folio *folio)
{
	int expected;

	if (folio_test_large(folio))
		return false;
	expected = atomic_read(&folio->_mapcount) + 1;
	if (!folio_test_anon(folio) || folio_test_swapcache(folio))
		expected++;
	if (folio_test_private(folio))
		expected++;
	return folio_ref_count(folio) > expected;
}

/*
 * The page at @pfn, so far as it can be seen without a lock, and *@step pages
 * from it on. It is a hint: alloc_contig_range() makes sure.
 */
static enum look look_at(struct zone *zone, unsigned long pfn,
			 unsigned long *step)
{
	struct page *page = pfn_to_online_page(pfn);
	struct folio *folio;

	*step = 1;
	if (!page || page_zone(page) != zone || PageReserved(page) ||
	    PageHuge(page))
		return PAGE_STAYS;
	if (PageBuddy(page)) {
		/* The order may change under us. */
		unsigned long order = READ_ONCE(page_private(page));

		if (order <= BUFALLOC_MAX_ORDER)
			*step = 1UL << order;
		return PAGE_FREE;
	}
	if (PageSlab(page) || page_has_type(page))
		return PAGE_STAYS;
	/* On its way to or from the free lists. */
	if (!page_count(page))
		return PageCompound(page) ? PAGE_STAYS : PAGE_FREE;
	if (!PageLRU(page))
		return PAGE_STAYS;
	/* That may last: a slow medium, a device that does DMA to it. */
	folio = page_folio(page);
	if (folio_test_writeback(folio) || folio_maybe_dma_pinned(folio))
		return PAGE_STAYS;
	return is_held(folio) ? PAGE_HELD : PAGE_MOVES;
}

/*
 * What does it cost to empty the @pages pages from @pfn on? The number of pages
 * to move, more if some may not move, BUFALLOC_BLOCK_STAYS if one cannot.
 */
static u16 cost_of(struct zone *zone, unsigned long pfn, unsigned long pages)
{
	unsigned long end = pfn + pages;
	unsigned long cost = 0;
	unsigned long step;

	for (; pfn < end; pfn += step) {
		switch (look_at(zone, pfn, &step)) {
		case PAGE_FREE:
			break;
		case PAGE_MOVES:
			cost++;
			break;
		case PAGE_HELD:
			cost += HELD_COST;
			break;
		case PAGE_STAYS:
			return BUFALLOC_BLOCK_STAYS;
		}
	}
	return min_t(unsigned long, cost, BUFALLOC_BLOCK_STAYS - 1);
}

static bool is_late(const struct search *search)
{
	return ktime_after(ktime_get(), search->deadline);
}

/*
 * Look at the page blocks that come next, up to @count of the part, or until
 * there are enough that are free: that is good enough. Return: 0 or -EINTR.
 */
static int look_further(struct search *search, unsigned int count)
{
	unsigned int blocks = DIV_ROUND_UP(search->pages, pageblock_nr_pages);
	struct bufalloc_survey *survey = &search->survey;
	unsigned long pfn = PHYS_PFN(survey->start) +
			    survey->count * pageblock_nr_pages;

	for (; survey->count < count; pfn += pageblock_nr_pages) {
		u16 cost = cost_of(search->zone, pfn, pageblock_nr_pages);

		survey->costs[survey->count++] = cost;
		search->free = cost ? 0 : search->free + 1;
		if (search->free >= blocks)
			break;
		if (fatal_signal_pending(current))
			return -EINTR;
		cond_resched();
	}
	return 0;
}

/*
 * After a try of the range at the block with index @first failed: rule out the
 * blocks that still hold pages. If none does, isolation itself was refused (the
 * blocks are CMA's, or memory is being unplugged): rule out all.
 */
static void rule_out(struct search *search, unsigned int first)
{
	unsigned long pfn = PHYS_PFN(search->survey.start) +
			    first * pageblock_nr_pages;
	unsigned long end = pfn + search->pages;
	u16 *costs = search->survey.costs + first;
	bool found = false;
	unsigned int i;

	for (i = 0; pfn < end; i++, pfn += pageblock_nr_pages) {
		if (cost_of(search->zone, pfn,
			    min(end - pfn, pageblock_nr_pages))) {
			costs[i] = BUFALLOC_BLOCK_STAYS;
			found = true;
		}
	}
	while (!found && i--)
		costs[i] = BUFALLOC_BLOCK_STAYS;
	search->free = 0;
}

/* The range at the block with index @first. */
static int try_blocks(struct search *search, unsigned int first,
		      struct page **page)
{
	unsigned long pfn = PHYS_PFN(search->survey.start) +
			    first * pageblock_nr_pages;
	int ret;

	ret = bufalloc_compat_alloc_contig_range(pfn, pfn + search->pages,
						 GFP_KERNEL | __GFP_NOWARN |
						 __GFP_RETRY_MAYFAIL);
	if (!ret)
		*page = pfn_to_page(pfn);
	return ret;
}

/*
 * The @count page blocks from @pfn on, the cheapest first. Return: 0 and the
 * first page, -ENOSPC (there is nothing here), -ENOMEM (it is late), -EINTR.
 */
static int search_part(struct search *search, unsigned long pfn,
		       unsigned int count, struct page **page)
{
	int first, ret;

	search->survey.start = PFN_PHYS(pfn);
	search->survey.count = 0;
	search->free = 0;
	for (;;) {
		ret = look_further(search, count);
		if (ret)
			return ret;
		first = bufalloc_survey_cheapest(&search->survey, search->need,
						 PFN_PHYS(search->pages));
		if (first < 0 && search->survey.count < count)
			continue;
		if (first < 0)
			return -ENOSPC;
		if (fatal_signal_pending(current))
			return -EINTR;
		if (search->tries && is_late(search))
			return -ENOMEM;

		search->tries++;
		ret = try_blocks(search, first, page);
		if (!ret)
			return 0;
		rule_out(search, first);
		cond_resched();
	}
}

/* Where the last range was freed, if little is there. Return: 0 or an errno. */
static int try_freed(struct search *search, struct page **page)
{
	unsigned int blocks = DIV_ROUND_UP(search->pages, pageblock_nr_pages);
	unsigned long pfn = READ_ONCE(freed_at[zone_idx(search->zone)]);
	unsigned long end = pfn + blocks * pageblock_nr_pages;
	unsigned long cost = 0;

	if (!pfn || !zone_spans_pfn(search->zone, pfn) ||
	    !bufalloc_constraint_range_fits(search->need, PFN_PHYS(pfn),
					    PFN_PHYS(search->pages)))
		return -ENOSPC;
	search->survey.start = PFN_PHYS(pfn);
	for (; pfn < end; pfn += pageblock_nr_pages) {
		cost += cost_of(search->zone, pfn, pageblock_nr_pages);
		/* What shares the last block with it is in use, perhaps. */
		if (cost >= pageblock_nr_pages / 4)
			return -ENOSPC;
	}
	return try_blocks(search, 0, page);
}

/* The whole page blocks of a zone. Return: as search_part(). */
static int search_zone(struct search *search, struct page **page)
{
	unsigned int blocks = DIV_ROUND_UP(search->pages, pageblock_nr_pages);
	unsigned long pfn = ALIGN(search->zone->zone_start_pfn,
				  pageblock_nr_pages);
	unsigned long end = ALIGN_DOWN(zone_end_pfn(search->zone),
				       pageblock_nr_pages);
	int ret;

	if (!try_freed(search, page))
		return 0;

	/* The last block may be in reach in part. */
	end = min_t(u64, end, ALIGN((search->need->limit >> PAGE_SHIFT) + 1,
				    pageblock_nr_pages));
	while (pfn < end) {
		unsigned long left = (end - pfn) / pageblock_nr_pages;
		unsigned int count = min_t(unsigned long, left, search->size);

		if (left < blocks)
			break;
		ret = search_part(search, pfn, count, page);
		if (ret != -ENOSPC)
			return ret;
		if (is_late(search))
			return -ENOMEM;
		if (count == left)
			break;
		/* A range may begin in this part and end in the next. */
		pfn += (count - (blocks - 1)) * pageblock_nr_pages;
	}
	return -ENOSPC;
}

/*
 * In the zones from @top down to @bottom, so that what few devices can do without
 * is taken last. Return: 0, -ENOSPC: none, or another errno.
 */
static int search_zones(struct search *search, int top, int bottom,
			struct page **page)
{
	int nid, idx, ret;

	for (idx = top; idx >= bottom; idx--) {
		for_each_online_node(nid) {
			search->zone = &NODE_DATA(nid)->node_zones[idx];
			if (!populated_zone(search->zone))
				continue;
			ret = search_zone(search, page);
			if (ret != -ENOSPC)
				return ret;
		}
	}
	return -ENOSPC;
}

/*
 * ZONE_MOVABLE is left alone: it is there to be emptied, and a buffer that
 * devices use cannot be moved. What the kernel will map is best where it is
 * mapped already: with 32 bits, a mapping of highmem takes the address space
 * that the kernel is short of.
 */
static int search_memory(struct search *search, struct page **page)
{
	int low = ZONE_MOVABLE - 1;
	int ret;

	if (search->need->vmap)
		while (low > 0 && is_highmem_idx(low))
			low--;
	ret = search_zones(search, low, 0, page);
	if (ret == -ENOSPC)
		ret = search_zones(search, ZONE_MOVABLE - 1, low + 1, page);
	return ret == -ENOSPC ? -ENOMEM : ret;
}

/*
 * Allocate @pages pages (more than 0) that are one physical range and satisfy
 * @need, each with a reference; what is in them is undefined. For
 * bufalloc_range_free().
 *
 * Return: 0, -ENOMEM (also after SEARCH_MS), -EINTR (fatal signal).
 */
int bufalloc_range_alloc(unsigned long pages, const struct bufalloc_need *need,
			 struct page **page)
{
	unsigned int blocks = DIV_ROUND_UP(pages, pageblock_nr_pages);
	struct search search = {
		.pages = pages,
		.need = need,
		.survey.shift = PAGE_SHIFT + pageblock_order,
		.size = max(PART_BLOCKS, 2 * blocks),
	};
	int ret;

	if (pages > si_mem_available())
		return -ENOMEM;
	search.survey.costs = kvmalloc_array(search.size,
					     sizeof(*search.survey.costs),
					     GFP_KERNEL);
	if (!search.survey.costs)
		return -ENOMEM;

	ret = mutex_lock_killable(&search_lock);
	if (ret)
		goto out_free;
	search.deadline = ktime_add_ms(ktime_get(), SEARCH_MS);
	ret = search_memory(&search, page);
	mutex_unlock(&search_lock);
out_free:
	kvfree(search.survey.costs);
	return ret;
}

/* The pages from @page on, @pages of them. */
void bufalloc_range_free(struct page *page, unsigned long pages)
{
	unsigned long pfn = page_to_pfn(page);

	if (IS_ALIGNED(pfn, pageblock_nr_pages))
		WRITE_ONCE(freed_at[page_zonenum(page)], pfn);
	free_contig_range(pfn, pages);
}

#endif /* CONFIG_CONTIG_ALLOC */
