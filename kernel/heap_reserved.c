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

/* Memory that only we have: the kernel's views of it are made one by one. */
static int prepare_nomap(struct bufalloc_buffer *buf)
{
	buf->linear = BUFALLOC_LINEAR_NONE;
	if (!bufalloc_attribute_is_uncached(buf))
		buf->attributes |= BUFALLOC_ATTRIBUTE_WRITE_COMBINE;
	return bufalloc_nomap_clear(buf);
}

/* The kernel's own, which it has emptied. */
static int prepare_linear(struct bufalloc_buffer *buf,
			  const struct bufalloc_place *place)
{
	int ret = bufalloc_heap_range_clear(pfn_to_page(place->pfn),
					    place->pages);

	return ret ?: bufalloc_attribute_apply(buf);
}

static int bufalloc_heap_reserved_alloc(struct bufalloc_buffer *buf,
					const struct bufalloc_need *need)
{
	struct bufalloc_place place;
	int ret;

	ret = bufalloc_heap_range_begin(buf);
	if (ret)
		return ret;
	ret = bufalloc_region_alloc(buf->length >> PAGE_SHIFT, need, &place);
	if (ret)
		goto err_end;
	buf->region = place.region;
	bufalloc_heap_range_describe(buf, place.pfn, place.has_pages);
	ret = place.in_linear_map ? prepare_linear(buf, &place) :
				    prepare_nomap(buf);
	if (ret)
		goto err_region;
	return 0;

err_region:
	bufalloc_region_free(&place);
err_end:
	bufalloc_heap_range_end(buf);
	return ret;
}

static void bufalloc_heap_reserved_free(struct bufalloc_buffer *buf)
{
	struct bufalloc_place place = {
		.region = buf->region,
		.pfn = PHYS_PFN(bufalloc_run_phys(buf->runs.sgl)),
		.pages = buf->length >> PAGE_SHIFT,
	};

	if (!bufalloc_nomap_is(buf))
		bufalloc_attribute_undo(buf);
	bufalloc_region_free(&place);
	bufalloc_heap_range_end(buf);
}

const struct bufalloc_heap bufalloc_heap_reserved = {
	.name = "reserved",
	.exists = bufalloc_heap_reserved_exists,
	.can = bufalloc_heap_reserved_can,
	.alloc = bufalloc_heap_reserved_alloc,
	.free = bufalloc_heap_reserved_free,
};
