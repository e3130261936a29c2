// SPDX-License-Identifier: GPL-2.0
/*
 * Memory that the kernel has no mapping of at all, not even in its linear map:
 * what was kept from it by memmap= or by a reserved-memory node with no-map. It
 * may have a struct page or not (pfn_valid() is true for a whole section of
 * memory); nothing here or elsewhere may take the address of such a page.
 *
 * Views for the CPU are write-combined, or uncached if the caller wants that;
 * short-lived and made one by one. The memory is never in the CPU's caches, so it
 * is never synced: there is no address to sync by (arch_sync_dma_for_device() of
 * arm64 takes the one in the linear map).
 *
 * A buffer of it is one range.
 */
#include <linux/dma-direct.h>
#include <linux/dma-mapping.h>
#include <linux/err.h>
#include <linux/io.h>
#include <linux/iommu.h>
#include <linux/sched/signal.h>
#include <linux/swiotlb.h>

#include "bufalloc_private.h"

static phys_addr_t start_of(struct bufalloc_buffer *buf)
{
	return bufalloc_run_phys(buf->runs.sgl);
}

/*
 * Map @length bytes of the buffer from @offset on for the kernel's CPU, or NULL.
 * Undone by bufalloc_nomap_hide().
 */
void *bufalloc_nomap_show(struct bufalloc_buffer *buf, size_t offset,
			  size_t length)
{
	phys_addr_t phys = start_of(buf) + offset;

	/*
	 * As bufalloc_attribute_pgprot() has it for user space: on ARM the two
	 * attributes are one kind of memory, on x86 ioremap() is the other.
	 */
	if (IS_ENABLED(CONFIG_X86) &&
	    buf->attributes & BUFALLOC_ATTRIBUTE_UNCACHED)
		return (void __force *)ioremap(phys, length);
	return memremap(phys, length, MEMREMAP_WC);
}

void bufalloc_nomap_hide(void *data)
{
	/* What was combined goes to memory before a device is told to look. */
	wmb();
	memunmap(data);
}

/* Clear all of it, in steps. -ENOMEM, -EINTR (fatal signal). */
int bufalloc_nomap_clear(struct bufalloc_buffer *buf)
{
	size_t at = 0;

	while (at < buf->length) {
		size_t part = min_t(size_t, buf->length - at,
				    BUFALLOC_NOMAP_WINDOW);
		void *data;

		if (fatal_signal_pending(current))
			return -EINTR;
		data = bufalloc_nomap_show(buf, at, part);
		if (!data)
			return -ENOMEM;
		memset(data, 0, part);
		bufalloc_nomap_hide(data);
		at += part;
		cond_resched();
	}
	return 0;
}

static bool is_translated(struct device *dev)
{
	struct iommu_domain *domain = iommu_get_domain_for_dev(dev);

	return domain && bufalloc_compat_iommu_is_dma(domain);
}

/*
 * What does not reach the memory gets a copy from the DMA API, which is made by
 * the CPU at the address in the linear map.
 */
static int check_reach(struct bufalloc_buffer *buf, struct device *dev)
{
	dma_addr_t addr = phys_to_dma(dev, start_of(buf));

	if (is_translated(dev))
		return 0;
	if (is_swiotlb_force_bounce(dev))
		return -EREMOTEIO;
	return dma_capable(dev, addr, buf->length, true) ? 0 : -ERANGE;
}

/* Does an entry cross what the device's segments must not? */
static bool crosses_boundary(struct device *dev, struct sg_table *table)
{
	u64 boundary = dma_get_seg_boundary(dev);
	struct scatterlist *entry;
	int i;

	for_each_sgtable_dma_sg(table, entry, i) {
		u64 first = sg_dma_address(entry);
		u64 last = first + sg_dma_len(entry) - 1;

		if ((first & ~boundary) != (last & ~boundary))
			return true;
	}
	return false;
}

/* Without pages: the range is mapped as one, and the entries are parts of it. */
static int map_range(struct bufalloc_buffer *buf, struct device *dev,
		     struct sg_table *table, enum dma_data_direction dir)
{
	struct scatterlist *entry;
	dma_addr_t addr;
	int i;

	addr = bufalloc_compat_dma_map_phys(dev, start_of(buf), buf->length,
					    dir, BUFALLOC_MAP_ATTRS);
	if (dma_mapping_error(dev, addr))
		return -EIO;
	/* Before 6.18 it knows nothing of a bus that sees memory elsewhere. */
	if (!is_translated(dev) && addr != phys_to_dma(dev, start_of(buf)))
		goto err_unmap;

	table->nents = table->orig_nents;
	for_each_sgtable_sg(table, entry, i) {
		sg_dma_address(entry) = addr;
		sg_dma_len(entry) = entry->length;
		addr += entry->length;
	}
	addr = sg_dma_address(table->sgl);
	if (crosses_boundary(dev, table))
		goto err_unmap;
	return 0;

err_unmap:
	bufalloc_compat_dma_unmap_phys(dev, addr, buf->length, dir,
				       BUFALLOC_MAP_ATTRS);
	return -EIO;
}

/*
 * What dma_map_sgtable() is for other memory: @table has the buffer's range, cut
 * for the device. -ERANGE: the device does not reach it; -EREMOTEIO: everything
 * bounces for it; or what the DMA API says.
 */
int bufalloc_nomap_map(struct bufalloc_buffer *buf, struct device *dev,
		       struct sg_table *table, enum dma_data_direction dir)
{
	int ret = check_reach(buf, dev);

	if (ret)
		return ret;
	if (sg_page(table->sgl))
		return dma_map_sgtable(dev, table, dir, BUFALLOC_MAP_ATTRS);
	return map_range(buf, dev, table, dir);
}

void bufalloc_nomap_unmap(struct bufalloc_buffer *buf, struct device *dev,
			  struct sg_table *table, enum dma_data_direction dir)
{
	if (sg_page(table->sgl))
		dma_unmap_sgtable(dev, table, dir, BUFALLOC_MAP_ATTRS);
	else
		bufalloc_compat_dma_unmap_phys(dev,
					       sg_dma_address(table->sgl),
					       buf->length, dir,
					       BUFALLOC_MAP_ATTRS);
}
