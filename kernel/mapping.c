// SPDX-License-Identifier: GPL-2.0
/*
 * Device mappings: a buffer as one device sees it.
 *
 * A buffer is mapped once for each device, however often importers attach and
 * map, and stays so until the last of them unmaps. The table that was mapped
 * is private; every importer gets a copy with the same device addresses, so
 * that what it does to its copy (or CONFIG_DMABUF_DEBUG does: it scrambles the
 * pages) cannot reach another importer, the sync or the unmap.
 */
#include <linux/dma-map-ops.h>
#include <linux/dma-mapping.h>
#include <linux/err.h>
#include <linux/slab.h>

#include "bufalloc_private.h"

/**
 * struct bufalloc_mapping - one (buffer, device) pair; under the buffer's lock
 * @node: in bufalloc_buffer.mappings
 * @dev: the device. Whoever uses the mapping holds an attachment to it
 * @table: orig_nents entries are the physical runs (page and length), cut to
 *	what the device takes; nents are the device's segments (dma_address and
 *	dma_length). Both lists describe the same bytes in the same order
 * @dir: direction that it was mapped for: the buffer's
 * @attrs: DMA_ATTR_* that it was mapped with
 * @users: number of copies that are out
 * @needs_sync: the DMA API wants syncs around CPU access
 */
struct bufalloc_mapping {
	struct list_head node;
	struct device *dev;
	struct sg_table table;
	enum dma_data_direction dir;
	unsigned long attrs;
	unsigned int users;
	bool needs_sync;
};

/*
 * How many of @length bytes at @phys fit into one entry for the device? Without
 * an IOMMU an entry becomes a segment as it is, so it must respect the device's
 * limits; with one it does no harm, as the IOMMU's segments are made anew.
 */
static size_t entry_length(struct device *dev, phys_addr_t phys, size_t length)
{
	u64 boundary = dma_get_seg_boundary(dev);
	size_t max = round_down(dma_get_max_seg_size(dev), PAGE_SIZE);

	length = min(length, max_t(size_t, max, PAGE_SIZE));
	if (boundary >= PAGE_SIZE - 1)
		length = min_t(u64, length, boundary - (phys & boundary) + 1);
	return length;
}

/* Cut the runs into entries that the device takes; @to is NULL: only count. */
static unsigned int cut_runs(struct scatterlist *to, struct sg_table *runs,
			     struct device *dev)
{
	struct scatterlist *run;
	unsigned int count = 0;
	int i;

	for_each_sgtable_sg(runs, run, i) {
		unsigned long pfn = page_to_pfn(sg_page(run));
		size_t left = run->length;

		while (left) {
			size_t part = entry_length(dev, PFN_PHYS(pfn), left);

			if (to) {
				sg_set_page(to, pfn_to_page(pfn), part, 0);
				to = sg_next(to);
			}
			pfn += part >> PAGE_SHIFT;
			left -= part;
			count++;
		}
	}
	return count;
}

static int copy_runs(struct sg_table *to, struct sg_table *runs,
		     struct device *dev)
{
	int ret;

	ret = sg_alloc_table(to, cut_runs(NULL, runs, dev), GFP_KERNEL);
	if (ret)
		return ret;
	cut_runs(to->sgl, runs, dev);
	return 0;
}

static void copy_segments(struct sg_table *to, struct sg_table *from)
{
	struct scatterlist *src, *dst = to->sgl;
	int i;

	for_each_sgtable_dma_sg(from, src, i) {
		sg_dma_address(dst) = sg_dma_address(src);
		sg_dma_len(dst) = sg_dma_len(src);
		dst = sg_next(dst);
	}
	to->nents = from->nents;
}

static struct bufalloc_mapping *find(struct bufalloc_buffer *buf,
				     struct device *dev)
{
	struct bufalloc_mapping *mapping;

	lockdep_assert_held(&buf->lock);
	list_for_each_entry(mapping, &buf->mappings, node)
		if (mapping->dev == dev)
			return mapping;
	return NULL;
}

/*
 * A coherent device needs no cache work, and says so: the DMA API takes it for a
 * mistake if several devices map the same memory and each wants its caches
 * cleaned (CONFIG_DMA_API_DEBUG warns). What bounces is copied all the same when
 * it is mapped.
 */
static unsigned long map_attributes(struct device *dev)
{
	return dev_is_dma_coherent(dev) ? DMA_ATTR_SKIP_CPU_SYNC : 0;
}

static struct bufalloc_mapping *create(struct bufalloc_buffer *buf,
				       struct device *dev)
{
	struct bufalloc_mapping *mapping;
	struct scatterlist *sg;
	int ret, i;

	mapping = kzalloc(sizeof(*mapping), GFP_KERNEL);
	if (!mapping)
		return ERR_PTR(-ENOMEM);

	ret = copy_runs(&mapping->table, &buf->runs, dev);
	if (ret)
		goto err_free;

	mapping->dir = buf->direction;
	mapping->attrs = map_attributes(dev);
	ret = dma_map_sgtable(dev, &mapping->table, mapping->dir,
			      mapping->attrs);
	if (ret)
		goto err_table;

	for_each_sgtable_dma_sg(&mapping->table, sg, i) {
		mapping->needs_sync = dma_need_sync(dev, sg_dma_address(sg));
		if (mapping->needs_sync)
			break;
	}
	if (bufalloc_device_bounces(dev, &buf->runs, &mapping->table)) {
		atomic64_inc(&buf->bounced);
		dev_notice_ratelimited(dev,
				       "does not reach a buffer of bufalloc: it will be copied; allocate it for this device\n");
	}
	mapping->dev = dev;
	list_add(&mapping->node, &buf->mappings);
	bufalloc_debugfs_live(BUFALLOC_LIVE_MAPPINGS, 1);
	return mapping;

err_table:
	sg_free_table(&mapping->table);
err_free:
	kfree(mapping);
	return ERR_PTR(ret);
}

static void destroy(struct bufalloc_mapping *mapping)
{
	struct device *dev = mapping->dev;

	list_del(&mapping->node);
	/* The unmap takes the map's attributes; what bounced still comes back. */
	if (mapping->attrs && mapping->needs_sync)
		dma_sync_sgtable_for_cpu(dev, &mapping->table, mapping->dir);
	dma_unmap_sgtable(dev, &mapping->table, mapping->dir, mapping->attrs);
	sg_free_table(&mapping->table);
	kfree(mapping);
	bufalloc_debugfs_live(BUFALLOC_LIVE_MAPPINGS, -1);
}

/*
 * Map the buffer for @dev, if it is not, and return a table for an importer.
 * It is given back by bufalloc_mapping_put(). ERR_PTR: -ENOMEM, or what
 * dma_map_sgtable() returned (-EIO, -EINVAL, -EREMOTEIO).
 */
struct sg_table *bufalloc_mapping_get(struct bufalloc_buffer *buf,
				      struct device *dev)
{
	struct bufalloc_mapping *mapping;
	struct sg_table *table;
	int ret;

	table = kzalloc(sizeof(*table), GFP_KERNEL);
	if (!table)
		return ERR_PTR(-ENOMEM);
	ret = copy_runs(table, &buf->runs, dev);
	if (ret)
		goto err_free;

	mutex_lock(&buf->lock);
	mapping = find(buf, dev);
	if (!mapping)
		mapping = create(buf, dev);
	if (!IS_ERR(mapping)) {
		copy_segments(table, &mapping->table);
		mapping->users++;
	}
	mutex_unlock(&buf->lock);

	if (IS_ERR(mapping)) {
		ret = PTR_ERR(mapping);
		goto err_table;
	}
	bufalloc_debugfs_live(BUFALLOC_LIVE_TABLES, 1);
	return table;

err_table:
	sg_free_table(table);
err_free:
	kfree(table);
	return ERR_PTR(ret);
}

/* The last table that is given back unmaps the buffer for @dev. */
void bufalloc_mapping_put(struct bufalloc_buffer *buf, struct device *dev,
			  struct sg_table *table)
{
	struct bufalloc_mapping *mapping;

	mutex_lock(&buf->lock);
	mapping = find(buf, dev);
	if (!WARN_ON(!mapping) && !--mapping->users)
		destroy(mapping);
	mutex_unlock(&buf->lock);

	sg_free_table(table);
	kfree(table);
	bufalloc_debugfs_live(BUFALLOC_LIVE_TABLES, -1);
}

/* Number of devices that the buffer is mapped for; under the buffer's lock. */
unsigned int bufalloc_mapping_count(struct bufalloc_buffer *buf)
{
	struct bufalloc_mapping *mapping;
	unsigned int count = 0;

	lockdep_assert_held(&buf->lock);
	list_for_each_entry(mapping, &buf->mappings, node)
		count++;
	return count;
}

typedef void (*sync_fn)(struct device *dev, dma_addr_t addr, size_t size,
			enum dma_data_direction dir);

static void sync_for_cpu(struct device *dev, dma_addr_t addr, size_t size,
			 enum dma_data_direction dir)
{
	dma_sync_single_for_cpu(dev, addr, size, dir);
}

static void sync_for_device(struct device *dev, dma_addr_t addr, size_t size,
			    enum dma_data_direction dir)
{
	dma_sync_single_for_device(dev, addr, size, dir);
}

/*
 * Sync bytes [@start, @end) of one mapping, each physical run by itself.
 *
 * dma_sync_single_*() behind an IOMMU translates the address of the first byte
 * and then works on that much physical memory (drivers/iommu/dma-iommu.c,
 * iommu_dma_sync_single_for_cpu()). A segment that the IOMMU merged from
 * several runs must therefore never be synced in one call.
 */
static u64 sync_mapping(struct bufalloc_mapping *mapping, size_t start,
			size_t end, enum dma_data_direction dir, sync_fn sync)
{
	struct scatterlist *run, *seg = mapping->table.sgl;
	size_t run_start = 0, seg_start = 0;
	u64 calls = 0;
	int i;

	for_each_sgtable_sg(&mapping->table, run, i) {
		size_t at = max(run_start, start);
		size_t stop = min(run_start + run->length, end);

		while (at < stop) {
			size_t part;

			/* Find the segment that this byte is in. */
			while (at - seg_start >= sg_dma_len(seg)) {
				seg_start += sg_dma_len(seg);
				seg = sg_next(seg);
			}
			part = min_t(size_t, stop - at,
				     seg_start + sg_dma_len(seg) - at);
			sync(mapping->dev, sg_dma_address(seg) + at - seg_start,
			     part, dir);
			calls++;
			at += part;
		}
		run_start += run->length;
		if (run_start >= end)
			break;
	}
	return calls;
}

static void sync_buffer(struct bufalloc_buffer *buf, size_t start, size_t end,
			enum dma_data_direction dir, sync_fn sync)
{
	struct bufalloc_mapping *mapping;

	lockdep_assert_held(&buf->lock);
	/* What was mapped for one direction is synced for that only. */
	if (buf->direction != DMA_BIDIRECTIONAL)
		dir = buf->direction;
	list_for_each_entry(mapping, &buf->mappings, node)
		if (mapping->needs_sync)
			atomic64_add(sync_mapping(mapping, start, end, dir,
						  sync), &buf->syncs);
}

/*
 * Make what devices wrote to bytes [@start, @end) visible to the CPU, and the
 * other way round; under the buffer's lock.
 */
void bufalloc_mapping_sync_for_cpu(struct bufalloc_buffer *buf, size_t start,
				   size_t end, enum dma_data_direction dir)
{
	sync_buffer(buf, start, end, dir, sync_for_cpu);
}

void bufalloc_mapping_sync_for_device(struct bufalloc_buffer *buf,
				      size_t start, size_t end,
				      enum dma_data_direction dir)
{
	sync_buffer(buf, start, end, dir, sync_for_device);
}
