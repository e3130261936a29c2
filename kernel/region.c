// SPDX-License-Identifier: GPL-2.0
/*
 * Regions of memory that were set aside for us, and what of them is in use.
 *
 * A region is what an administrator or a board names. Most are kept from the
 * kernel (no-map), and /proc/iomem shows them as "bufalloc"; they consist of
 * pieces: a piece's pages all have a struct page or none has one, because the DMA
 * API takes the two by different calls. A region of CMA's (region_cma.c) is the
 * kernel's own memory, which it empties for us.
 *
 * A region comes when it is named, and goes when it is named no more and its last
 * pages were given back; until then nothing more is taken from it.
 *
 * Who takes pages takes the first that fit. The kernel's pool of such things,
 * <linux/genalloc.h>, is not in every kernel.
 */
#include <linux/bitmap.h>
#include <linux/err.h>
#include <linux/ioport.h>
#include <linux/list.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/overflow.h>
#include <linux/pfn.h>
#include <linux/seq_file.h>
#include <linux/slab.h>
#include <linux/string.h>

#include "bufalloc_private.h"
#include "region.h"

/**
 * struct piece - pages in a row, alike in having a struct page
 * @node: in the region's pieces
 * @pfn: the first one's
 * @pages: how many
 * @has_pages: they have a struct page
 * @used: a bit for each page; NULL if CMA keeps that
 */
struct piece {
	struct list_head node;
	unsigned long pfn;
	unsigned long pages;
	bool has_pages;
	unsigned long *used;
};

/**
 * struct bufalloc_region - what was named
 * @node: in regions
 * @name: as its owner gave it
 * @start: first byte
 * @length: bytes
 * @pieces: of it, in order of address
 * @resource: its entry in /proc/iomem; NULL if it is CMA's
 * @cma: how to allocate from it; NULL if it is not CMA's
 * @users: pages in a row that are taken, or are about to be, and who named it
 * @used: pages that are taken
 * @leaving: it is named no more
 */
struct bufalloc_region {
	struct list_head node;
	const char *name;
	u64 start;
	u64 length;
	struct list_head pieces;
	struct resource *resource;
	struct bufalloc_cma *cma;
	unsigned int users;
	unsigned long used;
	bool leaving;
};

/* Protects regions and all that is in them. A device of CMA's is deleted under it. */
static DEFINE_MUTEX(lock);
static LIST_HEAD(regions);

static void remove_pieces(struct bufalloc_region *region)
{
	struct piece *piece, *next;

	list_for_each_entry_safe(piece, next, &region->pieces, node) {
		WARN_ON(piece->used && !bitmap_empty(piece->used, piece->pages));
		list_del(&piece->node);
		bitmap_free(piece->used);
		kfree(piece);
	}
}

static int add_piece(struct bufalloc_region *region, unsigned long pfn,
		     unsigned long pages)
{
	struct piece *piece;

	/* Bitmaps count in unsigned int. */
	if (pages > INT_MAX)
		return -E2BIG;
	piece = kzalloc(sizeof(*piece), GFP_KERNEL);
	if (!piece)
		return -ENOMEM;
	if (!region->cma) {
		piece->used = bitmap_zalloc(pages, GFP_KERNEL);
		if (!piece->used) {
			kfree(piece);
			return -ENOMEM;
		}
	}
	piece->pfn = pfn;
	piece->pages = pages;
	piece->has_pages = pfn_valid(pfn);
	list_add_tail(&piece->node, &region->pieces);
	return 0;
}

/* Cut where pages begin or cease to have a struct page. */
static int add_pieces(struct bufalloc_region *region)
{
	unsigned long pfn = PHYS_PFN(region->start);
	unsigned long end = PHYS_PFN(region->start + region->length);
	int ret;

	while (pfn < end) {
		unsigned long next = pfn + 1;

		while (next < end && pfn_valid(next) == pfn_valid(pfn))
			next++;
		ret = add_piece(region, pfn, next - pfn);
		if (ret)
			return ret;
		pfn = next;
		cond_resched();
	}
	return 0;
}

static bool overlaps(u64 start, u64 last)
{
	const struct bufalloc_region *region;

	list_for_each_entry(region, &regions, node)
		if (start <= region->start + (region->length - 1) &&
		    last >= region->start)
			return true;
	return false;
}

/* What is wrong with such a region? NULL: nothing that can be told. */
static const char *check(u64 start, u64 length, bool is_cma)
{
	u64 last;

	if (!length || !PAGE_ALIGNED(start) || !PAGE_ALIGNED(length))
		return "it is not of whole pages";
	if (check_add_overflow(start, length - 1, &last) ||
	    last > PHYS_ADDR_MAX || length > SIZE_MAX)
		return "no such addresses exist";
	if (overlaps(start, last))
		return "it overlaps another one";
	if (!is_cma && region_intersects(start, length, IORESOURCE_SYSTEM_RAM,
					 IORES_DESC_NONE) != REGION_DISJOINT)
		return "the kernel uses it as ordinary memory; boot with memmap=SIZE$START";
	return NULL;
}

static void free_region(struct bufalloc_region *region)
{
	remove_pieces(region);
	if (region->resource)
		release_mem_region(region->start, region->length);
	kfree(region->name);
	kfree(region);
}

static struct bufalloc_region *make_region(const char *name, u64 start,
					   u64 length, struct bufalloc_cma *cma,
					   const char **why)
{
	struct bufalloc_region *region;

	*why = check(start, length, cma);
	if (*why)
		return ERR_PTR(-EINVAL);

	*why = "no memory is left to describe it";
	region = kzalloc(sizeof(*region), GFP_KERNEL);
	if (!region)
		return ERR_PTR(-ENOMEM);
	INIT_LIST_HEAD(&region->pieces);
	region->start = start;
	region->length = length;
	region->cma = cma;
	region->users = 1;
	region->name = kstrdup(name, GFP_KERNEL);
	if (!region->name || add_pieces(region)) {
		free_region(region);
		return ERR_PTR(-ENOMEM);
	}
	if (!cma) {
		region->resource = request_mem_region(start, length,
						      KBUILD_MODNAME);
		if (!region->resource) {
			*why = "something else uses it, see /proc/iomem";
			free_region(region);
			return ERR_PTR(-EBUSY);
		}
	}
	return region;
}

/*
 * Add a region. @cma is NULL, or how to allocate from it, which the region owns
 * from then on. Undone by bufalloc_region_remove(). ERR_PTR: *@why says why not.
 */
struct bufalloc_region *bufalloc_region_add(const char *name, u64 start,
					    u64 length,
					    struct bufalloc_cma *cma,
					    const char **why)
{
	struct bufalloc_region *region;

	mutex_lock(&lock);
	region = make_region(name, start, length, cma, why);
	if (!IS_ERR(region))
		list_add_tail(&region->node, &regions);
	mutex_unlock(&lock);
	return region;
}

/*
 * The same region that is still here because of what was taken from it: it is as
 * if just added. NULL if there is none.
 */
struct bufalloc_region *bufalloc_region_revive(u64 start, u64 length)
{
	struct bufalloc_region *region, *found = NULL;

	mutex_lock(&lock);
	list_for_each_entry(region, &regions, node) {
		if (region->leaving && region->start == start &&
		    region->length == length) {
			region->leaving = false;
			region->users++;
			found = region;
			break;
		}
	}
	mutex_unlock(&lock);
	return found;
}

static void put_region(struct bufalloc_region *region)
{
	lockdep_assert_held(&lock);
	if (--region->users)
		return;
	list_del(&region->node);
	if (region->cma)
		bufalloc_region_cma_destroy(region->cma);
	free_region(region);
}

/* It is named no more. */
void bufalloc_region_remove(struct bufalloc_region *region)
{
	mutex_lock(&lock);
	region->leaving = true;
	put_region(region);
	mutex_unlock(&lock);
}

/*
 * The region behind @region, or the first one for NULL, with a user more; @region
 * has one less. NULL at the end.
 */
static struct bufalloc_region *next_region(struct bufalloc_region *region)
{
	struct bufalloc_region *found = NULL;
	struct list_head *at;

	mutex_lock(&lock);
	at = region ? region->node.next : regions.next;
	for (; at != &regions && !found; at = at->next) {
		struct bufalloc_region *next =
			list_entry(at, struct bufalloc_region, node);

		if (next->leaving)
			continue;
		next->users++;
		found = next;
	}
	if (region)
		put_region(region);
	mutex_unlock(&lock);
	return found;
}

/* Is there any? */
bool bufalloc_region_exists(void)
{
	const struct bufalloc_region *region;
	bool exists = false;

	mutex_lock(&lock);
	list_for_each_entry(region, &regions, node)
		exists |= !region->leaving;
	mutex_unlock(&lock);
	return exists;
}

/*
 * The first free page of @piece from which on @pages satisfy @need; the piece's
 * end if there is none. As if nothing were in use with @empty.
 */
static unsigned long find_in(const struct piece *piece, unsigned long pages,
			     const struct bufalloc_need *need, bool empty)
{
	unsigned long at = 0;

	while (at + pages <= piece->pages) {
		u64 start;

		if (!empty)
			at = bitmap_find_next_zero_area(piece->used,
							piece->pages, at,
							pages, 0);
		if (at + pages > piece->pages)
			break;
		start = PFN_PHYS(piece->pfn + at);
		if (bufalloc_constraint_range_fits(need, start,
						   (u64)pages << PAGE_SHIFT))
			return at;
		/* On from the boundary that it would cross, if there is one. */
		if (need->boundary == BUFALLOC_ANY_BOUNDARY)
			break;
		start = (start | need->boundary) + 1;
		if (!start)
			break;
		at = max(at + 1, PHYS_PFN(start) - piece->pfn);
	}
	return piece->pages;
}

/* The piece that has them, by size and @need, and where in it, or NULL. */
static struct piece *find(struct bufalloc_region *region, unsigned long pages,
			  const struct bufalloc_need *need, bool empty,
			  unsigned long *at)
{
	struct piece *piece;

	list_for_each_entry(piece, &region->pieces, node) {
		*at = find_in(piece, pages, need, empty);
		if (*at < piece->pages)
			return piece;
	}
	return NULL;
}

/* Could a piece be like that, if nothing were in use? */
bool bufalloc_region_can(unsigned long pages, const struct bufalloc_need *need)
{
	struct bufalloc_region *region;
	bool can = false;
	unsigned long at;

	mutex_lock(&lock);
	list_for_each_entry(region, &regions, node)
		if (!region->leaving && find(region, pages, need, true, &at))
			can = true;
	mutex_unlock(&lock);
	return can;
}

/* From memory that is ours alone. */
static bool take_nomap(const struct bufalloc_need *need,
		       struct bufalloc_place *place)
{
	struct piece *piece;
	unsigned long at;

	mutex_lock(&lock);
	piece = find(place->region, place->pages, need, false, &at);
	if (piece) {
		bitmap_set(piece->used, at, place->pages);
		place->pfn = piece->pfn + at;
		place->has_pages = piece->has_pages;
		place->in_linear_map = false;
	}
	mutex_unlock(&lock);
	return piece;
}

/* Does the region have all of @place's pages? */
static bool is_within(const struct bufalloc_place *place)
{
	const struct bufalloc_region *region = place->region;
	u64 start = PFN_PHYS(place->pfn);
	u64 length = (u64)place->pages << PAGE_SHIFT;

	return start >= region->start && length <= region->length &&
	       start - region->start <= region->length - length;
}

/*
 * From CMA, which takes the lowest range that it can empty and waits for that: not
 * under the lock. When it has none, the DMA API takes any other memory and says
 * nothing (kernel/dma/direct.c, __dma_direct_alloc_pages()).
 */
static bool take_cma(const struct bufalloc_need *need,
		     struct bufalloc_place *place)
{
	struct bufalloc_region *region = place->region;
	struct page *page;
	unsigned long at;
	bool could;

	mutex_lock(&lock);
	could = find(region, place->pages, need, true, &at);
	mutex_unlock(&lock);
	page = could ? bufalloc_region_cma_alloc(region->cma, place->pages) :
		       NULL;
	if (!page)
		return false;
	place->pfn = page_to_pfn(page);
	place->has_pages = true;
	place->in_linear_map = true;
	if (is_within(place) &&
	    bufalloc_constraint_range_fits(need, PFN_PHYS(place->pfn),
					   (u64)place->pages << PAGE_SHIFT))
		return true;
	bufalloc_region_cma_free(region->cma, page, place->pages);
	return false;
}

static void count(const struct bufalloc_place *place, bool more)
{
	unsigned long pages = place->pages;

	place->region->used += more ? pages : -pages;
	bufalloc_debugfs_live(BUFALLOC_LIVE_RESERVED_PAGES,
			      more ? pages : -pages);
}

/*
 * Take @pages pages in a row that satisfy @need; -ENOMEM if none are free, -ENOSPC
 * if no region is where the devices reach. Undone by bufalloc_region_free().
 */
int bufalloc_region_alloc(unsigned long pages, const struct bufalloc_need *need,
			  struct bufalloc_place *place)
{
	place->pages = pages;
	place->region = NULL;
	while ((place->region = next_region(place->region))) {
		bool taken = place->region->cma ? take_cma(need, place) :
						  take_nomap(need, place);

		if (!taken)
			continue;
		/* The user that the region has for it stays. */
		mutex_lock(&lock);
		count(place, true);
		mutex_unlock(&lock);
		return 0;
	}
	return bufalloc_region_can(1, need) ? -ENOMEM : -ENOSPC;
}

static void free_nomap(const struct bufalloc_place *place)
{
	struct piece *piece;

	list_for_each_entry(piece, &place->region->pieces, node) {
		unsigned long at = place->pfn - piece->pfn;

		if (place->pfn < piece->pfn || at >= piece->pages)
			continue;
		bitmap_clear(piece->used, at, place->pages);
		return;
	}
	WARN_ON(1);
}

/* The last pages of a region that leaves take it with them. */
void bufalloc_region_free(const struct bufalloc_place *place)
{
	struct bufalloc_region *region = place->region;

	if (region->cma)
		bufalloc_region_cma_free(region->cma, pfn_to_page(place->pfn),
					 place->pages);
	mutex_lock(&lock);
	if (!region->cma)
		free_nomap(place);
	count(place, false);
	put_region(region);
	mutex_unlock(&lock);
}

static void show_piece(struct seq_file *file,
		       const struct bufalloc_region *region,
		       const struct piece *piece)
{
	unsigned long used = region->used;

	if (piece->used)
		used = bitmap_weight(piece->used, piece->pages);
	seq_printf(file, "%s %s %s pages %lu used %lu%s\n", region->name,
		   region->cma ? "cma" : "no-map",
		   piece->has_pages ? "struct-page" : "no-struct-page",
		   piece->pages, used, region->leaving ? " leaving" : "");
}

/* For debugfs: a line for each piece. Without addresses: they are no secret there. */
void bufalloc_region_show(struct seq_file *file)
{
	const struct bufalloc_region *region;
	const struct piece *piece;

	mutex_lock(&lock);
	list_for_each_entry(region, &regions, node)
		list_for_each_entry(piece, &region->pieces, node)
			show_piece(file, region, piece);
	mutex_unlock(&lock);
}
