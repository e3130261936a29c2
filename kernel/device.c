// SPDX-License-Identifier: GPL-2.0
/*
 * What a device needs of a buffer's pages, and whether it can use a buffer.
 */
#include <linux/device.h>
#include <linux/dma-direct.h>
#include <linux/dma-mapping.h>
#include <linux/err.h>
#include <linux/iommu.h>
#include <linux/limits.h>
#include <linux/sizes.h>

#include "bufalloc_private.h"
#include "resolver.h"

/* What is known of such a device is a guess. */
#define UNPROVEN (BUFALLOC_DEVICE_SELF_MANAGED | BUFALLOC_DEVICE_INFERRED)

static u32 iommu_of(struct device *dev, u64 *granule)
{
	struct iommu_domain *domain = iommu_get_domain_for_dev(dev);

	*granule = 0;
	if (!domain)
		return BUFALLOC_IOMMU_NONE;
	if (domain->type == IOMMU_DOMAIN_IDENTITY)
		return BUFALLOC_IOMMU_IDENTITY;
	*granule = domain->pgsize_bitmap & -domain->pgsize_bitmap;
	if (bufalloc_compat_iommu_is_dma(domain))
		return BUFALLOC_IOMMU_DMA;
	return BUFALLOC_IOMMU_OTHER;
}

/* Highest address that gets from the device over its bus. */
static u64 reach(struct device *dev)
{
	u64 mask = dma_get_mask(dev);

	return dev->bus_dma_limit ? min_t(u64, mask, dev->bus_dma_limit) : mask;
}

/* A driver without a DMA mask maps nothing: it is done by the CPU. */
static bool has_dma(const struct bufalloc_endpoint *endpoint)
{
	return !(endpoint->flags & BUFALLOC_DEVICE_NO_DMA) &&
	       endpoint->dev->dma_mask;
}

/*
 * Fill in the out fields. The device may be unbound at any moment, so its lock
 * is held: drivers are unbound under it. -ENODEV if that was the case.
 */
int bufalloc_device_info(struct bufalloc_device_info *info,
			 const struct bufalloc_endpoint *endpoint)
{
	struct device *dev = endpoint->dev;
	int ret;

	info->out_flags = endpoint->flags;
	info->out_found = endpoint->found;
	info->out_max_segments = endpoint->max_segments;
	memcpy(info->out_driver, endpoint->driver, sizeof(info->out_driver));
	memcpy(info->out_name, endpoint->name, sizeof(info->out_name));
	if (!dev)
		return 0;

	ret = bufalloc_resolver_lock(endpoint);
	if (ret)
		return ret;
	if (!has_dma(endpoint)) {
		info->out_flags |= BUFALLOC_DEVICE_NO_DMA |
				   BUFALLOC_DEVICE_NEEDS_VMAP;
		goto out_unlock;
	}
	info->out_dma_mask = dma_get_mask(dev);
	info->out_coherent_mask = dev->coherent_dma_mask;
	info->out_bus_limit = dev->bus_dma_limit;
	info->out_max_segment = dma_get_max_seg_size(dev);
	info->out_segment_boundary = dma_get_seg_boundary(dev);
	info->out_iommu = iommu_of(dev, &info->out_iommu_granule);
	if (dev_is_dma_coherent(dev))
		info->out_flags |= BUFALLOC_DEVICE_COHERENT;
	if (info->out_iommu == BUFALLOC_IOMMU_DMA)
		info->out_flags |= BUFALLOC_DEVICE_TRANSLATED;
	else if (info->out_iommu == BUFALLOC_IOMMU_OTHER)
		info->out_flags |= BUFALLOC_DEVICE_SELF_MANAGED;
	else if (reach(dev) < phys_to_dma(dev, bufalloc_buffer_memory_end()))
		info->out_flags |= BUFALLOC_DEVICE_COULD_BOUNCE;
out_unlock:
	bufalloc_resolver_unlock(endpoint);
	return 0;
}

/* What nobody set says nothing: the default is the DMA API's. */
static u64 boundary_of(struct device *dev)
{
	if (!dev->dma_parms || !dev->dma_parms->segment_boundary_mask)
		return BUFALLOC_ANY_BOUNDARY;
	return dma_get_seg_boundary(dev);
}

/*
 * Nor does 64 KiB, which is that default, and what the PCI core sets for each of
 * its devices. All ones are no limit, either.
 */
static u64 max_segment_of(struct device *dev)
{
	u32 size = dma_get_max_seg_size(dev);

	return size == SZ_64K || size == UINT_MAX ? BUFALLOC_ANY_LENGTH : size;
}

static void shorten(struct bufalloc_need *need, u64 longest, u32 why)
{
	if (longest < need->longest) {
		need->longest = longest;
		need->longest_why = why;
	}
}

/* Behind an IOMMU a buffer needs room in the addresses that the device has. */
static void need_of_addresses(struct bufalloc_need *need, struct device *dev)
{
	struct iommu_domain *domain = iommu_get_domain_for_dev(dev);
	u64 last = reach(dev);

	if (domain->geometry.force_aperture)
		last = min_t(u64, last, domain->geometry.aperture_end);
	if (last < BUFALLOC_ANY_ADDRESS)
		shorten(need, last + 1, BUFALLOC_REASON_ADDRESS);
}

/* Without one, in memory. */
static void need_of_memory(struct bufalloc_need *need, struct device *dev)
{
	u64 last = reach(dev);

	/* As a physical address; a device may see memory at an offset. */
	if (last < BUFALLOC_ANY_ADDRESS)
		need->limit = min_t(u64, dma_to_phys(dev, last), PHYS_ADDR_MAX);
}

/* The one segment must be as the device takes it, whatever makes it. */
static void need_of_one_segment(struct bufalloc_need *need, struct device *dev,
				bool translated)
{
	u64 boundary = boundary_of(dev);

	shorten(need, max_segment_of(dev), BUFALLOC_REASON_SEGMENT_SIZE);
	if (!translated) {
		need->one_run = true;
		need->boundary = boundary;
	} else if (boundary < BUFALLOC_ANY_BOUNDARY) {
		shorten(need, boundary + 1, BUFALLOC_REASON_BOUNDARY);
	}
}

/*
 * What its mappings need of the pages, so far as that can be told before. Where
 * the driver has an IOMMU domain of its own, that is nothing.
 */
void bufalloc_device_need(struct bufalloc_need *need,
			  const struct bufalloc_endpoint *endpoint)
{
	struct device *dev = endpoint->dev;
	u64 granule;
	u32 iommu;

	*need = (struct bufalloc_need){
		.limit = BUFALLOC_ANY_ADDRESS,
		.boundary = BUFALLOC_ANY_BOUNDARY,
		.longest = BUFALLOC_ANY_LENGTH,
		.vmap = !dev || endpoint->flags & BUFALLOC_DEVICE_NEEDS_VMAP,
		.unknown = endpoint->flags & UNPROVEN,
	};
	if (!dev)
		return;

	if (bufalloc_resolver_lock(endpoint))
		return;
	if (!has_dma(endpoint)) {
		need->vmap = true;
		goto out_unlock;
	}
	iommu = iommu_of(dev, &granule);
	if (iommu == BUFALLOC_IOMMU_OTHER) {
		need->unknown = true;
		goto out_unlock;
	}

	if (iommu == BUFALLOC_IOMMU_DMA)
		need_of_addresses(need, dev);
	else
		need_of_memory(need, dev);
	if (endpoint->max_segments == 1)
		need_of_one_segment(need, dev, iommu == BUFALLOC_IOMMU_DMA);
out_unlock:
	bufalloc_resolver_unlock(endpoint);
}

/* Where in memory does this device address lead to? */
static phys_addr_t memory_of(struct device *dev, struct iommu_domain *domain,
			     dma_addr_t addr)
{
	return domain ? iommu_iova_to_phys(domain, addr) :
			dma_to_phys(dev, addr);
}

/*
 * Compare what was mapped with where the pages are: at the first and at the
 * last byte of each part that is one piece for both.
 */
static bool leads_elsewhere(struct device *dev, struct iommu_domain *domain,
			    struct sg_table *runs, struct sg_table *table)
{
	struct scatterlist *run = runs->sgl, *seg;
	size_t run_at = 0, seg_at;
	int i;

	for_each_sgtable_dma_sg(table, seg, i) {
		for (seg_at = 0; seg_at < sg_dma_len(seg);) {
			size_t part = min_t(size_t, run->length - run_at,
					    sg_dma_len(seg) - seg_at);
			dma_addr_t addr = sg_dma_address(seg) + seg_at;
			phys_addr_t phys = bufalloc_run_phys(run) + run_at;

			if (memory_of(dev, domain, addr) != phys ||
			    memory_of(dev, domain, addr + part - 1) !=
				    phys + part - 1)
				return true;
			seg_at += part;
			run_at += part;
			if (run_at == run->length) {
				run = sg_next(run);
				run_at = 0;
			}
		}
	}
	return false;
}

static bool bounces(struct device *dev, struct sg_table *runs,
		    struct sg_table *table, bool *known)
{
	struct iommu_domain *domain = iommu_get_domain_for_dev(dev);

	if (domain && domain->type == IOMMU_DOMAIN_IDENTITY)
		domain = NULL;
	*known = !domain || bufalloc_compat_iommu_is_dma(domain);
	return leads_elsewhere(dev, *known ? domain : NULL, runs, table);
}

/* Is it known that the device sees other memory than the buffer's (swiotlb)? */
bool bufalloc_device_bounces(struct device *dev, struct sg_table *runs,
			     struct sg_table *table)
{
	bool known, elsewhere = bounces(dev, runs, table, &known);

	/* A driver's own IOMMU domain says nothing about it. */
	return known && elsewhere;
}

/* Could it be? A driver's own domain is no proof that it does not. */
bool bufalloc_device_may_bounce(struct device *dev, struct sg_table *runs,
				struct sg_table *table)
{
	bool known;

	return bounces(dev, runs, table, &known);
}

/* Segments, and whether the device reaches them: neighbours count as one. */
static u32 count_segments(struct device *dev, struct sg_table *table,
			  bool *in_reach)
{
	struct scatterlist *seg;
	dma_addr_t next = 0;
	u32 count = 0;
	int i;

	*in_reach = true;
	for_each_sgtable_dma_sg(table, seg, i) {
		if (!i || sg_dma_address(seg) != next)
			count++;
		next = sg_dma_address(seg) + sg_dma_len(seg);
		if (next - 1 > reach(dev))
			*in_reach = false;
	}
	return count;
}

static u32 why_not_mapped(struct device *dev, int error)
{
	/* Of memory that must not be copied (nomap.c). */
	if (error == -ERANGE)
		return BUFALLOC_REASON_ADDRESS;
	/* A limit means that it would bounce, and there was no room. */
	return dma_max_mapping_size(dev) < SIZE_MAX ? BUFALLOC_REASON_BOUNCE :
						      BUFALLOC_REASON_MAP;
}

static int try_dma(struct bufalloc_buffer *buf,
		   const struct bufalloc_endpoint *endpoint,
		   struct bufalloc_alloc_device *result)
{
	struct device *dev = endpoint->dev;
	struct sg_table *table;
	bool in_reach;

	table = bufalloc_mapping_get(buf, dev, DMA_NONE);
	if (IS_ERR(table)) {
		result->out_reason = why_not_mapped(dev, PTR_ERR(table));
		return PTR_ERR(table) == -ENOMEM ? -ENOMEM : -ENOSPC;
	}
	result->out_segments = count_segments(dev, table, &in_reach);
	if (bufalloc_device_bounces(dev, &buf->runs, table))
		result->out_reason = BUFALLOC_REASON_BOUNCE;
	else if (!in_reach)
		result->out_reason = BUFALLOC_REASON_ADDRESS;
	else if (result->out_segments > endpoint->max_segments)
		result->out_reason = BUFALLOC_REASON_ONE_SEGMENT;
	bufalloc_mapping_put(buf, dev, table);
	return result->out_reason ? -ENOSPC : 0;
}

/*
 * Could the device write to what nobody may write? A kernel mapping is writable,
 * and DRM maps what it imports for both directions
 * (drivers/gpu/drm/drm_prime.c).
 */
static bool may_write(const struct bufalloc_endpoint *endpoint, bool dma)
{
	return !dma || endpoint->access & BUFALLOC_ACCESS_WRITE ||
	       endpoint->flags & BUFALLOC_DEVICE_NEEDS_VMAP ||
	       endpoint->found == BUFALLOC_FOUND_DRM;
}

/*
 * Map the buffer for the device as an importer would, look at what comes out,
 * and undo it. The out fields of @result say how it went.
 *
 * Return: 0, -ENODEV (unbound), -ENOSPC (this device cannot use this buffer),
 * -EACCES (it would write to a read-only one), -ENOMEM (for the mapping).
 */
int bufalloc_device_try(struct bufalloc_buffer *buf,
			const struct bufalloc_endpoint *endpoint,
			struct bufalloc_alloc_device *result)
{
	bool unproven = endpoint->flags & UNPROVEN;
	struct device *dev = endpoint->dev;
	bool dma = false;
	u64 granule;
	int ret = 0;

	result->out_proof = BUFALLOC_PROOF_NONE;
	result->out_segments = 0;
	result->out_reason = BUFALLOC_REASON_NONE;

	if (dev) {
		ret = bufalloc_resolver_lock(endpoint);
		if (ret) {
			result->out_reason = BUFALLOC_REASON_UNBOUND;
		} else {
			dma = has_dma(endpoint);
			if (dma)
				ret = try_dma(buf, endpoint, result);
			if (dma && iommu_of(dev, &granule) ==
					   BUFALLOC_IOMMU_OTHER)
				unproven = true;
			bufalloc_resolver_unlock(endpoint);
		}
	}
	if (!ret && buf->direction == DMA_TO_DEVICE &&
	    may_write(endpoint, dma)) {
		result->out_reason = BUFALLOC_REASON_READ_ONLY;
		ret = -EACCES;
	}
	if (!ret && (!dma || endpoint->flags & BUFALLOC_DEVICE_NEEDS_VMAP)) {
		ret = bufalloc_dmabuf_try_vmap(buf);
		if (ret)
			result->out_reason = BUFALLOC_REASON_VMAP;
	}

	result->out_error = ret;
	if (ret)
		return ret;
	if (unproven)
		result->out_proof = BUFALLOC_PROOF_UNPROVEN;
	else if (!dma)
		result->out_proof = BUFALLOC_PROOF_VMAPPED;
	else
		result->out_proof = BUFALLOC_PROOF_MAPPED;
	return 0;
}
