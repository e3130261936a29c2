// SPDX-License-Identifier: GPL-2.0
/*
 * Buffers in IOMMU domains that a driver owns, at device addresses that the
 * driver chooses: for devices whose firmware wants its memory at a fixed place,
 * and for those with several bus masters, each behind a domain of its own.
 *
 * The DMA API knows nothing of such a domain, so neither does mapping.c.
 */
#include <linux/err.h>
#include <linux/iommu.h>
#include <linux/mm.h>
#include <linux/sched/signal.h>
#include <linux/slab.h>

#include <linux/bufalloc.h>

#include "bufalloc_private.h"

#ifdef CONFIG_IOMMU_API

/**
 * struct bufalloc_domain_map - a buffer in one domain; under the buffer's lock
 * @node: in bufalloc_buffer.domains
 * @domain: the driver's
 * @iova: of the buffer's first byte
 * @writes: devices may write, as far as we know through the CPU's caches
 */
struct bufalloc_domain_map {
	struct list_head node;
	struct iommu_domain *domain;
	unsigned long iova;
	bool writes;
};

/* The IOMMU maps pages of this many bytes, or multiples. */
static size_t granule_of(const struct iommu_domain *domain)
{
	return domain->pgsize_bitmap & -domain->pgsize_bitmap;
}

/* Are all runs made of whole pages of the IOMMU? */
static bool is_aligned(struct bufalloc_buffer *buf, unsigned long iova,
		       size_t granule)
{
	struct scatterlist *run;
	int i;

	if (!IS_ALIGNED(iova, granule))
		return false;
	for_each_sgtable_sg(&buf->runs, run, i)
		if (!IS_ALIGNED(bufalloc_run_phys(run) | run->length, granule))
			return false;
	return true;
}

static bool is_in_aperture(const struct iommu_domain *domain,
			   unsigned long iova, size_t length)
{
	const struct iommu_domain_geometry *geometry = &domain->geometry;
	unsigned long last;

	if (check_add_overflow(iova, (unsigned long)length - 1, &last))
		return false;
	return !geometry->force_aperture ||
	       (iova >= geometry->aperture_start &&
		last <= geometry->aperture_end);
}

/*
 * Drivers of IOMMUs take a second mapping of an address for a bug of the caller
 * (WARN_ON() in io-pgtable-arm.c), or forget the first.
 */
static int check_free(struct iommu_domain *domain, unsigned long iova,
		      size_t length, size_t granule)
{
	size_t at;

	for (at = 0; at < length; at += granule) {
		if (iommu_iova_to_phys(domain, iova + at))
			return -EEXIST;
		if (at % SZ_16M)
			continue;
		if (fatal_signal_pending(current))
			return -EINTR;
		cond_resched();
	}
	return 0;
}

/* On failure it has unmapped what it had mapped. */
static ssize_t map_runs(struct bufalloc_buffer *buf,
			struct iommu_domain *domain, unsigned long iova,
			int prot)
{
	struct scatterlist *first = buf->runs.sgl;
	int ret;

	if (sg_page(first))
		return iommu_map_sgtable(domain, iova, &buf->runs, prot);
	/* Without pages it is one range. */
	ret = bufalloc_compat_iommu_map(domain, iova, bufalloc_run_phys(first),
					buf->length, prot);
	return ret ? ret : buf->length;
}

/**
 * bufalloc_map_domain() - map a buffer at an address in a driver's own domain
 * @buf: the buffer; its whole length is mapped
 * @domain: a paging domain that the caller allocated. It may be attached to
 *	devices already or later
 * @iova: device address of the first byte
 * @prot: IOMMU_READ, IOMMU_WRITE, IOMMU_CACHE, ... of <linux/iommu.h>
 *
 * The same buffer may be in any number of domains, and several times in one.
 * The caller makes sure that nobody else maps this range of @domain meanwhile,
 * and undoes it by bufalloc_unmap_domain() before it puts the buffer or frees
 * the domain.
 *
 * CPU caches are not touched: with a device that is not coherent (no
 * IOMMU_CACHE), map the buffer for it by bufalloc_map() first, or have it never
 * written by a CPU.
 *
 * Return: 0, or -EINVAL (@iova or a run of the buffer is not a multiple of the
 * domain's smallest page; no READ and no WRITE), -EACCES
 * (WRITE, to memory that was imported to be read only), -ERANGE (beyond the domain's
 * aperture), -EEXIST (something is mapped there), -ENOMEM, -EINTR (fatal
 * signal), -ENODEV (memory of a device that was unbound), -EOPNOTSUPP (a kernel
 * without IOMMUs), or what iommu_map_sg() returned. After an error nothing of the buffer is mapped.
 */
int bufalloc_map_domain(struct bufalloc_buffer *buf,
			struct iommu_domain *domain, unsigned long iova,
			int prot)
{
	size_t granule = granule_of(domain);
	struct bufalloc_domain_map *map;
	ssize_t mapped;
	int ret;

	if (!(prot & (IOMMU_READ | IOMMU_WRITE)) || !granule ||
	    !is_aligned(buf, iova, granule))
		return -EINVAL;
	if (prot & IOMMU_WRITE && buf->direction == DMA_TO_DEVICE)
		return -EACCES;
	if (!is_in_aperture(domain, iova, buf->length))
		return -ERANGE;
	ret = check_free(domain, iova, buf->length, granule);
	if (ret)
		return ret;

	map = kzalloc(sizeof(*map), GFP_KERNEL);
	if (!map)
		return -ENOMEM;
	map->domain = domain;
	map->iova = iova;
	map->writes = prot & IOMMU_WRITE;

	ret = bufalloc_buffer_hold(buf);
	if (ret)
		goto err_free;
	mapped = map_runs(buf, domain, iova, prot);
	if (mapped != buf->length) {
		ret = mapped < 0 ? mapped : -ENOMEM;
		goto err_unhold;
	}
	mutex_lock(&buf->lock);
	list_add(&map->node, &buf->domains);
	mutex_unlock(&buf->lock);
	bufalloc_buffer_unhold(buf);
	if (map->writes)
		bufalloc_cache_add_writer(&buf->cache);
	bufalloc_debugfs_live(BUFALLOC_LIVE_DOMAIN_MAPS, 1);
	return 0;

err_unhold:
	bufalloc_buffer_unhold(buf);
err_free:
	kfree(map);
	return ret;
}
EXPORT_SYMBOL_NS_GPL(bufalloc_map_domain, BUFALLOC_NS);

/* The mapping at that address, taken off the list, or NULL. */
static struct bufalloc_domain_map *take(struct bufalloc_buffer *buf,
					struct iommu_domain *domain,
					unsigned long iova)
{
	struct bufalloc_domain_map *map, *found = NULL;

	mutex_lock(&buf->lock);
	list_for_each_entry(map, &buf->domains, node) {
		if (map->domain == domain && map->iova == iova) {
			list_del(&map->node);
			found = map;
			break;
		}
	}
	mutex_unlock(&buf->lock);
	return found;
}

/**
 * bufalloc_unmap_domain() - undo bufalloc_map_domain()
 * @buf: the buffer
 * @domain: as it was mapped
 * @iova: as it was mapped
 *
 * The IOMMU has forgotten the range when this returns. A range that was not
 * mapped so is a bug of the caller, which is warned about.
 */
void bufalloc_unmap_domain(struct bufalloc_buffer *buf,
			   struct iommu_domain *domain, unsigned long iova)
{
	struct bufalloc_domain_map *map = take(buf, domain, iova);

	if (WARN_ON(!map))
		return;
	WARN_ON(iommu_unmap(domain, iova, buf->length) != buf->length);
	if (map->writes)
		bufalloc_cache_remove_writer(&buf->cache);
	kfree(map);
	bufalloc_debugfs_live(BUFALLOC_LIVE_DOMAIN_MAPS, -1);
}
EXPORT_SYMBOL_NS_GPL(bufalloc_unmap_domain, BUFALLOC_NS);

#else /* CONFIG_IOMMU_API */

int bufalloc_map_domain(struct bufalloc_buffer *buf,
			struct iommu_domain *domain, unsigned long iova,
			int prot)
{
	return -EOPNOTSUPP;
}
EXPORT_SYMBOL_NS_GPL(bufalloc_map_domain, BUFALLOC_NS);

void bufalloc_unmap_domain(struct bufalloc_buffer *buf,
			   struct iommu_domain *domain, unsigned long iova)
{
}
EXPORT_SYMBOL_NS_GPL(bufalloc_unmap_domain, BUFALLOC_NS);

#endif /* CONFIG_IOMMU_API */
