// SPDX-License-Identifier: GPL-2.0
/*
 * The life of a buffer's pages.
 */
#include <linux/err.h>
#include <linux/ktime.h>
#include <linux/mm.h>
#include <linux/mmzone.h>
#include <linux/nodemask.h>
#include <linux/nospec.h>
#include <linux/slab.h>

#include "bufalloc_private.h"

/* Indexed by enum bufalloc_heap_id; NULL where this kernel cannot provide it. */
static const struct bufalloc_heap * const heaps[] = {
	[BUFALLOC_HEAP_SYSTEM] = &bufalloc_heap_system,
#ifdef CONFIG_CONTIG_ALLOC
	[BUFALLOC_HEAP_CONTIG] = &bufalloc_heap_contig,
#else
	[BUFALLOC_HEAP_CONTIG] = NULL,
#endif
	[BUFALLOC_HEAP_RESERVED] = &bufalloc_heap_reserved,
#ifdef BUFALLOC_HAVE_HEAP_DEVICE
	[BUFALLOC_HEAP_DEVICE] = &bufalloc_heap_device,
#else
	[BUFALLOC_HEAP_DEVICE] = NULL,
#endif
};

static bool exists(const struct bufalloc_heap *heap)
{
	return heap && (!heap->exists || heap->exists());
}

/* Bit (1 << id) for each heap that there is. */
u32 bufalloc_buffer_heaps(void)
{
	u32 mask = 0;
	int i;

	for (i = 0; i < ARRAY_SIZE(heaps); i++)
		if (exists(heaps[i]))
			mask |= BIT(i);
	return mask;
}

/* No longer buffer is tried: all the memory of the machine, in bytes. */
u64 bufalloc_buffer_max_length(void)
{
	u64 max = (u64)totalram_pages() << PAGE_SHIFT;

	return min_t(u64, max, round_down((u64)SIZE_MAX, PAGE_SIZE));
}

/* Highest physical address that the page allocator has memory at. */
u64 bufalloc_buffer_memory_end(void)
{
	unsigned long end = 0;
	int nid, idx;

	for_each_online_node(nid) {
		for (idx = 0; idx < MAX_NR_ZONES; idx++) {
			struct zone *zone = &NODE_DATA(nid)->node_zones[idx];

			if (populated_zone(zone))
				end = max(end, zone_end_pfn(zone));
		}
	}
	return ((u64)end << PAGE_SHIFT) - 1;
}

/*
 * The heap of that id. ERR_PTR: -EINVAL (unknown, or BUFALLOC_HEAP_AUTO),
 * -EOPNOTSUPP (not in this kernel, or nobody has set such memory aside).
 */
const struct bufalloc_heap *bufalloc_buffer_heap(u32 heap_id)
{
	if (heap_id == BUFALLOC_HEAP_AUTO || heap_id >= ARRAY_SIZE(heaps))
		return ERR_PTR(-EINVAL);
	heap_id = array_index_nospec(heap_id, ARRAY_SIZE(heaps));
	return exists(heaps[heap_id]) ? heaps[heap_id] : ERR_PTR(-EOPNOTSUPP);
}

/*
 * A buffer of @length bytes (a multiple of PAGE_SIZE) that has no pages yet, or
 * NULL. With pages it is made known by bufalloc_buffer_ready(); without, undone
 * by bufalloc_buffer_delete().
 */
struct bufalloc_buffer *bufalloc_buffer_new(const struct bufalloc_heap *heap,
					    u32 heap_id, u64 length)
{
	struct bufalloc_buffer *buf;

	buf = kzalloc(sizeof(*buf), GFP_KERNEL_ACCOUNT);
	if (!buf)
		return NULL;
	buf->length = length;
	buf->heap = heap;
	buf->heap_id = heap_id;
	buf->direction = DMA_BIDIRECTIONAL;
	kref_init(&buf->refs);
	dma_resv_init(&buf->resv);
	mutex_init(&buf->lock);
	bufalloc_cache_init(&buf->cache);
	INIT_LIST_HEAD(&buf->mappings);
	INIT_LIST_HEAD(&buf->domains);
	return buf;
}

void bufalloc_buffer_delete(struct bufalloc_buffer *buf)
{
	mutex_destroy(&buf->lock);
	dma_resv_fini(&buf->resv);
	kfree(buf);
}

/* It got its pages since @start_ns. */
void bufalloc_buffer_ready(struct bufalloc_buffer *buf, u64 start_ns)
{
	buf->alloc_ns = ktime_get_ns() - start_ns;
	bufalloc_debugfs_live(BUFALLOC_LIVE_BUFFERS, 1);
}

/*
 * Allocate a buffer of at least @length bytes, every byte of it 0, with these
 * attributes (of bufalloc_attribute_available()) and pages that satisfy @need.
 *
 * Return: the buffer, for bufalloc_dmabuf_export() or
 * bufalloc_buffer_put(), or an ERR_PTR: what bufalloc_buffer_heap()
 * returns, -EINVAL (no length), -ENOMEM, -ENOSPC, -EDQUOT, -EINTR.
 */
struct bufalloc_buffer *bufalloc_buffer_create(u32 heap_id, u64 length,
					       u64 attributes,
					       const struct bufalloc_need *need)
{
	const struct bufalloc_heap *heap = bufalloc_buffer_heap(heap_id);
	struct bufalloc_buffer *buf;
	u64 start = ktime_get_ns();
	int ret;

	if (IS_ERR(heap))
		return ERR_CAST(heap);
	if (!length)
		return ERR_PTR(-EINVAL);
	if (length > bufalloc_buffer_max_length())
		return ERR_PTR(-ENOMEM);
	if (attributes & BUFALLOC_ATTRIBUTE_PINNABLE && !heap->pinnable)
		return ERR_PTR(-ENOSPC);

	buf = bufalloc_buffer_new(heap, heap_id, PAGE_ALIGN(length));
	if (!buf)
		return ERR_PTR(-ENOMEM);
	buf->attributes = attributes;
	ret = heap->alloc(buf, need);
	if (ret) {
		bufalloc_buffer_delete(buf);
		return ERR_PTR(ret);
	}
	/* Who has pinned a page writes to it, also when no longer mapped. */
	if (attributes & BUFALLOC_ATTRIBUTE_PINNABLE)
		bufalloc_cache_add_user(&buf->cache, true);
	bufalloc_buffer_ready(buf, start);
	return buf;
}

/* Is its memory one physical range? A long one is several runs. */
bool bufalloc_buffer_is_one_range(const struct bufalloc_buffer *buf)
{
	struct scatterlist *run;
	u64 next = 0;
	int i;

	for_each_sgtable_sg(&buf->runs, run, i) {
		if (i && bufalloc_run_phys(run) != next)
			return false;
		next = bufalloc_run_phys(run) + run->length;
	}
	return true;
}

/*
 * Its memory stays where it is until bufalloc_buffer_unhold(), for a view or a
 * mapping of it. -ENODEV: it is gone.
 */
int bufalloc_buffer_hold(struct bufalloc_buffer *buf)
{
	int ret = 0;

	mutex_lock(&buf->lock);
	if (buf->gone)
		ret = -ENODEV;
	else
		buf->holds++;
	mutex_unlock(&buf->lock);
	return ret;
}

void bufalloc_buffer_unhold(struct bufalloc_buffer *buf)
{
	mutex_lock(&buf->lock);
	buf->holds--;
	mutex_unlock(&buf->lock);
}

static void destroy(struct kref *refs)
{
	struct bufalloc_buffer *buf =
		container_of(refs, struct bufalloc_buffer, refs);

	WARN_ON(!list_empty(&buf->mappings));
	WARN_ON(!list_empty(&buf->domains));
	WARN_ON(buf->attachments);
	WARN_ON(buf->vmap_users);
	WARN_ON(buf->holds);

	buf->heap->free(buf);
	if (buf->attributes & BUFALLOC_ATTRIBUTE_PINNABLE)
		bufalloc_cache_remove_user(&buf->cache, true);
	WARN_ON(atomic_read(&buf->cache.writers) != buf->cache.open_writes);
	WARN_ON(atomic_read(&buf->cache.user_views));
	bufalloc_buffer_delete(buf);
	bufalloc_debugfs_live(BUFALLOC_LIVE_BUFFERS, -1);
}

/* The last reference frees it. */
void bufalloc_buffer_put(struct bufalloc_buffer *buf)
{
	kref_put(&buf->refs, destroy);
}
