// SPDX-License-Identifier: GPL-2.0
/*
 * Device mappings: a buffer as one device sees it.
 *
 * A buffer is mapped once for each device, however often importers attach and
 * map, and stays so until the last of them unmaps. The table that was mapped
 * is private; every importer gets a copy with the same device addresses, so
 * that what it does to its copy (or CONFIG_DMABUF_DEBUG does: it scrambles the
 * pages) cannot reach another importer, the sync or the unmap.
 *
 * The DMA API is told to leave the caches alone (DMA_ATTR_SKIP_CPU_SYNC), and
 * what cache work there is to do is done here: we know when it is needed
 * (cache.c), and with several devices it takes its own work for a mistake
 * (CONFIG_DMA_API_DEBUG: "overlapping mappings").
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
 * @users: number of copies that are out
 * @caches: the device is not cache coherent: syncs are cache work, unless no
 *	CPU uses its caches for the buffer
 * @bounces: the device does not reach all of the buffer: syncs copy (swiotlb).
 *	With @caches, the cache work is done on the copy
 * @via_linear: it sees the memory as the linear map has it, which is not how
 *	everybody else does: a coherent device sees the caches, and what bounces
 *	is copied from there and to there
 * @device_writes: an importer mapped it that may let the device write
 */
struct bufalloc_mapping {
	struct list_head node;
	struct device *dev;
	struct sg_table table;
	enum dma_data_direction dir;
	unsigned int users;
	bool caches;
	bool bounces;
	bool via_linear;
	bool device_writes;
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

/*
 * Cut the runs into entries that the device takes; @to is NULL: only count. With
 * @pages if they have any.
 */
static unsigned int cut_runs(struct scatterlist *to, struct sg_table *runs,
			     struct device *dev, bool pages)
{
	struct scatterlist *run;
	unsigned int count = 0;
	int i;

	for_each_sgtable_sg(runs, run, i) {
		unsigned long pfn = PHYS_PFN(bufalloc_run_phys(run));
		bool has_page = pages && sg_page(run);
		size_t left = run->length;

		while (left) {
			size_t part = entry_length(dev, PFN_PHYS(pfn), left);

			if (to) {
				sg_set_page(to,
					    has_page ? pfn_to_page(pfn) : NULL,
					    part, 0);
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
		     struct device *dev, bool pages)
{
	int ret;

	ret = sg_alloc_table(to, cut_runs(NULL, runs, dev, pages),
			     GFP_KERNEL_ACCOUNT);
	if (ret)
		return ret;
	cut_runs(to->sgl, runs, dev, pages);
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
 * Sync bytes [@start, @end) of one mapping's table, each physical run by itself,
 * and return the number of calls; @sync is NULL: only count them.
 *
 * dma_sync_single_*() behind an IOMMU translates the address of the first byte
 * and then works on that much physical memory (drivers/iommu/dma-iommu.c,
 * iommu_dma_sync_single_for_cpu()). A segment that the IOMMU merged from
 * several runs must therefore never be synced in one call.
 */
static u64 sync_table(struct sg_table *table, struct device *dev, size_t start,
		      size_t end, enum dma_data_direction dir, sync_fn sync)
{
	struct scatterlist *run, *seg = table->sgl;
	size_t run_start = 0, seg_start = 0;
	u64 calls = 0;
	int i;

	for_each_sgtable_sg(table, run, i) {
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
			if (sync)
				sync(dev, sg_dma_address(seg) + at - seg_start,
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

/* Its syncs are cache work on the memory itself: the same for all devices. */
static bool is_cache_work_only(const struct bufalloc_mapping *mapping)
{
	return mapping->caches && !mapping->bounces;
}

/* The first such mapping, or NULL. */
static struct bufalloc_mapping *find_cache_work(struct bufalloc_buffer *buf)
{
	struct bufalloc_mapping *mapping;

	list_for_each_entry(mapping, &buf->mappings, node)
		if (is_cache_work_only(mapping))
			return mapping;
	return NULL;
}

/* What sync_table() does, and it is counted. */
static void sync_range(struct bufalloc_buffer *buf,
		       struct bufalloc_mapping *mapping, size_t start,
		       size_t end, enum dma_data_direction dir, sync_fn sync)
{
	u64 calls;

	/* What was mapped for one direction is synced for that only. */
	if (mapping->dir != DMA_BIDIRECTIONAL)
		dir = mapping->dir;
	if (mapping->via_linear && sync == sync_for_device)
		bufalloc_attribute_linear_read(buf, start, end);
	calls = sync_table(&mapping->table, mapping->dev, start, end, dir, sync);
	if (mapping->via_linear && sync == sync_for_cpu)
		bufalloc_attribute_linear_written(buf, start, end);
	atomic64_add(calls, sync ? &buf->syncs : &buf->syncs_skipped);
}

/* What the CPU wrote, to where the device reads it. */
static void give_to_device(struct bufalloc_buffer *buf,
			   struct bufalloc_mapping *mapping)
{
	u64 before = bufalloc_cache_before(&buf->cache);

	/* What bounces was copied by the map. */
	if (!mapping->caches && !mapping->via_linear)
		return;
	if (is_cache_work_only(mapping) &&
	    bufalloc_cache_is_clean(&buf->cache)) {
		sync_range(buf, mapping, 0, buf->length, mapping->dir,
			   NULL);
		return;
	}
	sync_range(buf, mapping, 0, buf->length, mapping->dir,
		   sync_for_device);
	if (is_cache_work_only(mapping))
		bufalloc_cache_written_back(&buf->cache, before);
}

/* What the device wrote, to where the CPU reads it. */
static void take_from_device(struct bufalloc_buffer *buf,
			     struct bufalloc_mapping *mapping)
{
	u64 before = bufalloc_cache_before(&buf->cache);
	struct bufalloc_mapping *other;

	if (!mapping->caches && !mapping->bounces && !mapping->via_linear)
		return;
	if (mapping->bounces || mapping->via_linear) {
		sync_range(buf, mapping, 0, buf->length, mapping->dir,
			   sync_for_cpu);
		return;
	}
	/*
	 * Another one's CPU access will do it, or its unmap; but who looks at
	 * it already may do so without (videobuf2-vmalloc).
	 */
	other = find_cache_work(buf);
	if (other && !bufalloc_cache_is_watched(&buf->cache)) {
		other->device_writes = true;
		sync_range(buf, mapping, 0, buf->length, mapping->dir,
			   NULL);
		return;
	}
	/* Somebody may be writing by the CPU: that must not be dropped. */
	if (bufalloc_cache_is_dirty(&buf->cache)) {
		sync_range(buf, mapping, 0, buf->length, mapping->dir,
			   sync_for_device);
		bufalloc_cache_written_back(&buf->cache, before);
	}
	sync_range(buf, mapping, 0, buf->length, mapping->dir,
		   sync_for_cpu);
}

/*
 * Does what the device writes end in the CPU's caches? A coherent one's may;
 * what bounced is copied back by the CPU.
 */
static bool is_writer(const struct bufalloc_mapping *mapping)
{
	return mapping->bounces || (mapping->device_writes && !mapping->caches);
}

static int map_table(struct bufalloc_buffer *buf, struct device *dev,
		     struct sg_table *table, enum dma_data_direction dir)
{
	if (bufalloc_nomap_is(buf))
		return bufalloc_nomap_map(buf, dev, table, dir);
	return dma_map_sgtable(dev, table, dir, BUFALLOC_MAP_ATTRS);
}

static void unmap_table(struct bufalloc_buffer *buf, struct device *dev,
			struct sg_table *table, enum dma_data_direction dir)
{
	if (bufalloc_nomap_is(buf)) {
		bufalloc_nomap_unmap(buf, dev, table, dir);
		return;
	}
	dma_unmap_sgtable(dev, table, dir, BUFALLOC_MAP_ATTRS);
}

static struct bufalloc_mapping *create(struct bufalloc_buffer *buf,
				       struct device *dev)
{
	struct bufalloc_mapping *mapping;
	int ret;

	mapping = kzalloc(sizeof(*mapping), GFP_KERNEL_ACCOUNT);
	if (!mapping)
		return ERR_PTR(-ENOMEM);

	ret = copy_runs(&mapping->table, &buf->runs, dev, true);
	if (ret)
		goto err_free;

	mapping->dir = buf->direction;
	ret = map_table(buf, dev, &mapping->table, mapping->dir);
	if (ret)
		goto err_table;

	if (bufalloc_device_bounces(dev, &buf->runs, &mapping->table)) {
		atomic64_inc(&buf->bounced);
		dev_notice_ratelimited(dev,
				       "does not reach a buffer of bufalloc: it will be copied; allocate it for this device\n");
	}
	mapping->dev = dev;
	mapping->bounces = !bufalloc_nomap_is(buf) &&
			   bufalloc_device_may_bounce(dev, &buf->runs,
						      &mapping->table);
	mapping->caches = !dev_is_dma_coherent(dev) &&
			  (mapping->bounces ||
			   !bufalloc_attribute_is_uncached(buf));
	mapping->via_linear = buf->linear == BUFALLOC_LINEAR_CACHED &&
			      (mapping->bounces || dev_is_dma_coherent(dev));
	if (is_writer(mapping))
		bufalloc_cache_add_writer(&buf->cache);
	give_to_device(buf, mapping);
	list_add(&mapping->node, &buf->mappings);
	bufalloc_debugfs_live(BUFALLOC_LIVE_MAPPINGS, 1);
	return mapping;

err_table:
	sg_free_table(&mapping->table);
err_free:
	kfree(mapping);
	return ERR_PTR(ret);
}

static void destroy(struct bufalloc_buffer *buf,
		    struct bufalloc_mapping *mapping)
{
	struct device *dev = mapping->dev;

	list_del(&mapping->node);
	if (mapping->device_writes)
		take_from_device(buf, mapping);
	if (is_writer(mapping))
		bufalloc_cache_remove_writer(&buf->cache);
	unmap_table(buf, dev, &mapping->table, mapping->dir);
	sg_free_table(&mapping->table);
	kfree(mapping);
	bufalloc_debugfs_live(BUFALLOC_LIVE_MAPPINGS, -1);
}

/* An importer gets it, for its device to access the memory like this. */
static void use(struct bufalloc_buffer *buf, struct bufalloc_mapping *mapping,
		enum dma_data_direction dir)
{
	bool was_writer = is_writer(mapping);

	mapping->users++;
	if (dir == DMA_BIDIRECTIONAL || dir == DMA_FROM_DEVICE)
		mapping->device_writes = true;
	if (is_writer(mapping) && !was_writer)
		bufalloc_cache_add_writer(&buf->cache);
}

/*
 * Map the buffer for @dev, if it is not, and return a table for an importer
 * whose device accesses the memory as @dir says (DMA_NONE: no device will, the
 * table is only looked at). It is given back by bufalloc_mapping_put().
 *
 * ERR_PTR: -ENOMEM, -ENODEV (it is gone), what dma_map_sgtable() returned (-EIO,
 * -EINVAL, -EREMOTEIO), or what bufalloc_nomap_map() did (-ERANGE, too).
 */
struct sg_table *bufalloc_mapping_get(struct bufalloc_buffer *buf,
				      struct device *dev,
				      enum dma_data_direction dir)
{
	struct bufalloc_mapping *mapping;
	struct sg_table *table;
	int ret;

	table = kzalloc(sizeof(*table), GFP_KERNEL_ACCOUNT);
	if (!table)
		return ERR_PTR(-ENOMEM);
	/* What an importer would find at such a page is no memory. */
	ret = copy_runs(table, &buf->runs, dev, !bufalloc_nomap_is(buf));
	if (ret)
		goto err_free;

	mutex_lock(&buf->lock);
	mapping = buf->gone ? ERR_PTR(-ENODEV) : find(buf, dev);
	if (!mapping)
		mapping = create(buf, dev);
	if (!IS_ERR(mapping)) {
		copy_segments(table, &mapping->table);
		use(buf, mapping, dir);
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
		destroy(buf, mapping);
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

static bool is_write(enum dma_data_direction dir)
{
	return dir == DMA_BIDIRECTIONAL || dir == DMA_TO_DEVICE;
}

/*
 * Cache work is done on the memory, so once for all devices; a bounced copy is
 * each mapping's own. Return: is memory up to date (@sync is sync_for_device),
 * or are no stale lines left (sync_for_cpu)?
 */
static bool sync_buffer(struct bufalloc_buffer *buf, size_t start, size_t end,
			enum dma_data_direction dir, sync_fn sync)
{
	/* Who ends writing need not have begun it here: then nobody counted. */
	bool done = sync == sync_for_device && !is_write(dir) &&
		    bufalloc_cache_is_clean(&buf->cache);
	struct bufalloc_mapping *mapping;

	lockdep_assert_held(&buf->lock);
	list_for_each_entry(mapping, &buf->mappings, node) {
		if (mapping->bounces || mapping->via_linear) {
			sync_range(buf, mapping, start, end, dir, sync);
		} else if (mapping->caches) {
			/*
			 * This CPU access may have been for reading only, but
			 * on ARM DMA_FROM_DEVICE would drop what another wrote.
			 */
			sync_range(buf, mapping, start, end,
				   sync == sync_for_device ? mapping->dir : dir,
				   done ? NULL : sync);
			done = true;
		}
	}
	return done;
}

/*
 * CPU access to bytes [@start, @end) begins: make what devices wrote visible to
 * the CPU. @dir is DMA_TO_DEVICE if the CPU only writes, DMA_FROM_DEVICE if it
 * only reads. Under the buffer's lock. bufalloc_mapping_sync_for_device()
 * follows, with the same arguments.
 */
void bufalloc_mapping_sync_for_cpu(struct bufalloc_buffer *buf, size_t start,
				   size_t end, enum dma_data_direction dir)
{
	struct bufalloc_mapping *mapping = find_cache_work(buf);

	/*
	 * To drop stale lines drops what was written, too. Another CPU access
	 * may be under way; and drivers that write by vmap never say when
	 * (drivers/media/common/videobuf2/videobuf2-vmalloc.c).
	 */
	if (mapping && dir != DMA_TO_DEVICE &&
	    bufalloc_cache_has_writer(&buf->cache))
		sync_range(buf, mapping, start, end, mapping->dir,
			   sync_for_device);
	sync_buffer(buf, start, end, dir, sync_for_cpu);
	if (is_write(dir))
		bufalloc_cache_begin_write(&buf->cache);
}

/*
 * Make what the CPU wrote to these bytes visible to devices, whoever began and
 * ends CPU access to it. @dir as above. Under the buffer's lock.
 */
void bufalloc_mapping_write_back(struct bufalloc_buffer *buf, size_t start,
				 size_t end, enum dma_data_direction dir)
{
	u64 before = bufalloc_cache_before(&buf->cache);
	bool done = sync_buffer(buf, start, end, dir, sync_for_device);

	if (is_write(dir) && done && !start && end == buf->length)
		bufalloc_cache_written_back(&buf->cache, before);
}

/* It ends: make what the CPU wrote visible to devices. */
void bufalloc_mapping_sync_for_device(struct bufalloc_buffer *buf,
				      size_t start, size_t end,
				      enum dma_data_direction dir)
{
	bufalloc_mapping_write_back(buf, start, end, dir);
	if (is_write(dir))
		bufalloc_cache_end_write(&buf->cache);
}

/*
 * What @dev wrote to bytes [@start, @end), to where the CPU reads it, for one
 * that has the buffer mapped: @table is what bufalloc_mapping_get() returned. It
 * takes no lock, so that an interrupt handler can say that a picture is there;
 * what the other devices do is none of its business, and it forgets nothing that
 * the CPU has written.
 */
void bufalloc_mapping_sync_one_for_cpu(struct bufalloc_buffer *buf,
				       struct device *dev,
				       struct sg_table *table, size_t start,
				       size_t end)
{
	u64 calls;

	/*
	 * Nobody's caches hold anything of it. It may be seen through the linear
	 * map (@via_linear) by coherent devices and where it bounces, and neither
	 * gets such a buffer by an allocation of its own.
	 */
	if (bufalloc_attribute_is_uncached(buf))
		return;
	if (bufalloc_cache_has_writer(&buf->cache))
		sync_table(table, dev, start, end, buf->direction,
			   sync_for_device);
	/* A coherent one may bounce: then it is not cache work, but a copy. */
	calls = sync_table(table, dev, start, end, buf->direction,
			   sync_for_cpu);
	if (!dev_is_dma_coherent(dev))
		atomic64_add(calls, &buf->syncs);
}
