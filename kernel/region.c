// SPDX-License-Identifier: GPL-2.0
/*
 * Regions of memory that were set aside for us, and what of them is in use.
 *
 * A region is what an administrator or a board names, and what /proc/iomem shows
 * as "bufalloc". It consists of pieces: a piece's pages all have a struct page or
 * none has one, because the DMA API takes the two by different calls. Regions come
 * at module init and go at module exit; no buffer is alive then.
 *
 * Who takes pages takes the first that fit. The kernel's pool of such things,
 * <linux/genalloc.h>, is not in every kernel.
 */
#include <linux/bitmap.h>
#include <linux/ctype.h>
#include <linux/err.h>
#include <linux/ioport.h>
#include <linux/list.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/moduleparam.h>
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
 * @node: in pieces
 * @region: that they are of
 * @pfn: the first one's
 * @pages: how many
 * @has_pages: they have a struct page
 * @used: a bit for each page; under the lock
 */
struct piece {
	struct list_head node;
	struct bufalloc_region *region;
	unsigned long pfn;
	unsigned long pages;
	bool has_pages;
	unsigned long *used;
};

/**
 * struct bufalloc_region - what was named
 * @node: in regions
 * @name: as its owner gave it
 * @resource: its entry in /proc/iomem
 */
struct bufalloc_region {
	struct list_head node;
	const char *name;
	struct resource *resource;
};

static DEFINE_MUTEX(lock); /* protects each piece's pages */
static LIST_HEAD(regions);
static LIST_HEAD(pieces);

/* Where such memory is, is for root alone to read. */
static char *reserved;
module_param(reserved, charp, 0400);
MODULE_PARM_DESC(reserved,
		 "memory that the kernel does not use, SIZE@START[,SIZE@START...] in bytes, K, M or G");

static void remove_pieces(const struct bufalloc_region *region)
{
	struct piece *piece, *next;

	list_for_each_entry_safe(piece, next, &pieces, node) {
		if (piece->region != region)
			continue;
		WARN_ON(!bitmap_empty(piece->used, piece->pages));
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
	piece->used = bitmap_zalloc(pages, GFP_KERNEL);
	if (!piece->used) {
		kfree(piece);
		return -ENOMEM;
	}
	piece->region = region;
	piece->pfn = pfn;
	piece->pages = pages;
	piece->has_pages = pfn_valid(pfn);
	list_add_tail(&piece->node, &pieces);
	return 0;
}

/* Cut where pages begin or cease to have a struct page. */
static int add_pieces(struct bufalloc_region *region, unsigned long pfn,
		      unsigned long end)
{
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
		if (start <= region->resource->end &&
		    last >= region->resource->start)
			return true;
	return false;
}

/* What is wrong with such a region? NULL: nothing that can be told. */
static const char *check(u64 start, u64 length)
{
	u64 last;

	if (!length || !PAGE_ALIGNED(start) || !PAGE_ALIGNED(length))
		return "it is not of whole pages";
	if (check_add_overflow(start, length - 1, &last) ||
	    last > PHYS_ADDR_MAX || length > SIZE_MAX)
		return "no such addresses exist";
	if (overlaps(start, last))
		return "it overlaps another one";
	if (region_intersects(start, length, IORESOURCE_SYSTEM_RAM,
			      IORES_DESC_NONE) != REGION_DISJOINT)
		return "the kernel uses it as ordinary memory; boot with memmap=SIZE$START";
	return NULL;
}

/* Add a region. *@why: because of what that failed. */
static int add_region(const char *name, u64 start, u64 length,
		      const char **why)
{
	struct bufalloc_region *region;
	int ret;

	*why = check(start, length);
	if (*why)
		return -EINVAL;

	*why = "no memory is left to describe it";
	region = kzalloc(sizeof(*region), GFP_KERNEL);
	if (!region)
		return -ENOMEM;
	region->name = kstrdup(name, GFP_KERNEL);
	if (!region->name) {
		ret = -ENOMEM;
		goto err_region;
	}
	region->resource = request_mem_region(start, length, KBUILD_MODNAME);
	if (!region->resource) {
		*why = "something else uses it, see /proc/iomem";
		ret = -EBUSY;
		goto err_name;
	}
	ret = add_pieces(region, PHYS_PFN(start), PHYS_PFN(start + length));
	if (ret)
		goto err_pieces;
	list_add_tail(&region->node, &regions);
	return 0;

err_pieces:
	remove_pieces(region);
	release_mem_region(start, length);
err_name:
	kfree(region->name);
err_region:
	kfree(region);
	return ret;
}

static void remove_region(struct bufalloc_region *region)
{
	struct resource *resource = region->resource;

	remove_pieces(region);
	release_mem_region(resource->start, resource_size(resource));
	list_del(&region->node);
	kfree(region->name);
	kfree(region);
}

/* A number of bytes with K, M or G and nothing else. -EINVAL, -ERANGE. */
static int parse_bytes(char *text, u64 *bytes)
{
	static const char units[] = "KMG";
	size_t length = strlen(text);
	const char *unit;
	int ret;

	/* kstrtoull() takes it. */
	if (!length || !isdigit(text[0]) || !isalnum(text[length - 1]))
		return -EINVAL;
	unit = strchr(units, toupper(text[length - 1]));
	if (unit)
		text[length - 1] = '\0';
	ret = kstrtoull(text, 0, bytes);
	if (ret || !unit)
		return ret;
	return check_shl_overflow(*bytes, 10 * (unit - units + 1), bytes) ?
		       -ERANGE : 0;
}

/* SIZE@START. The text changes. */
static int parse_region(char *text, u64 *start, u64 *length)
{
	char *size = strsep(&text, "@");

	if (!text)
		return -EINVAL;
	return parse_bytes(size, length) ?: parse_bytes(text, start);
}

/*
 * Add the regions of the module parameter. One that cannot be is left out, and
 * the log says why; -EINVAL if the parameter is none.
 */
int bufalloc_region_init(void)
{
	char *copy, *rest, *text;
	int ret = 0;

	if (!reserved)
		return 0;
	copy = kstrdup(reserved, GFP_KERNEL);
	if (!copy)
		return -ENOMEM;
	for (rest = copy; !ret && (text = strsep(&rest, ","));) {
		char *name = kstrdup(text, GFP_KERNEL);
		u64 start, length;
		const char *why;

		if (!name) {
			ret = -ENOMEM;
		} else if (parse_region(text, &start, &length)) {
			pr_err("%s: parameter reserved: \"%s\" is not SIZE@START\n",
			       KBUILD_MODNAME, name);
			ret = -EINVAL;
		} else if (add_region(name, start, length, &why)) {
			pr_err("%s: reserved region %s is not used: %s\n",
			       KBUILD_MODNAME, name, why);
		}
		kfree(name);
	}
	kfree(copy);
	if (ret)
		bufalloc_region_exit();
	return ret;
}

void bufalloc_region_exit(void)
{
	struct bufalloc_region *region, *next;

	list_for_each_entry_safe(region, next, &regions, node)
		remove_region(region);
}

/* Is there any? */
bool bufalloc_region_exists(void)
{
	return !list_empty(&regions);
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
static struct piece *find(unsigned long pages, const struct bufalloc_need *need,
			  bool empty, unsigned long *at)
{
	struct piece *piece;

	list_for_each_entry(piece, &pieces, node) {
		*at = find_in(piece, pages, need, empty);
		if (*at < piece->pages)
			return piece;
	}
	return NULL;
}

/* Could a piece be like that, if nothing were in use? */
bool bufalloc_region_can(unsigned long pages, const struct bufalloc_need *need)
{
	unsigned long at;

	return find(pages, need, true, &at);
}

/*
 * Take @pages pages in a row that satisfy @need; -ENOMEM if none are free, -ENOSPC
 * if no region is where the devices reach. *@has_pages: they have a struct page.
 * Undone by bufalloc_region_free().
 */
int bufalloc_region_alloc(unsigned long pages, const struct bufalloc_need *need,
			  unsigned long *pfn, bool *has_pages)
{
	struct piece *piece;
	unsigned long at;

	mutex_lock(&lock);
	piece = find(pages, need, false, &at);
	if (piece) {
		bitmap_set(piece->used, at, pages);
		*pfn = piece->pfn + at;
		*has_pages = piece->has_pages;
	}
	mutex_unlock(&lock);
	if (!piece)
		return bufalloc_region_can(1, need) ? -ENOMEM : -ENOSPC;
	bufalloc_debugfs_live(BUFALLOC_LIVE_RESERVED_PAGES, pages);
	return 0;
}

void bufalloc_region_free(unsigned long pfn, unsigned long pages)
{
	struct piece *piece;
	bool found = false;

	mutex_lock(&lock);
	list_for_each_entry(piece, &pieces, node) {
		if (pfn < piece->pfn || pfn - piece->pfn >= piece->pages)
			continue;
		bitmap_clear(piece->used, pfn - piece->pfn, pages);
		found = true;
		break;
	}
	mutex_unlock(&lock);
	WARN_ON(!found);
	bufalloc_debugfs_live(BUFALLOC_LIVE_RESERVED_PAGES, -pages);
}

/* For debugfs: a line for each piece. Without addresses: they are no secret there. */
void bufalloc_region_show(struct seq_file *file)
{
	const struct piece *piece;

	mutex_lock(&lock);
	list_for_each_entry(piece, &pieces, node)
		seq_printf(file, "%s no-map %s pages %lu used %u\n",
			   piece->region->name,
			   piece->has_pages ? "struct-page" : "no-struct-page",
			   piece->pages,
			   bitmap_weight(piece->used, piece->pages));
	mutex_unlock(&lock);
}
