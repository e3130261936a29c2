/* SPDX-License-Identifier: GPL-2.0 */
/*
 * An IOMMU domain that a display's driver manages by itself, as several do on ARM,
 * for the samples: GEM objects have addresses in there while they are used.
 */
#ifndef BUFALLOC_SAMPLES_DOMAIN_H
#define BUFALLOC_SAMPLES_DOMAIN_H

#include <drm/drm_framebuffer.h>
#include <drm/drm_mm.h>
#include <linux/dma-map-ops.h>
#include <linux/iommu.h>
#include <linux/mutex.h>
#include <linux/scatterlist.h>
#include <linux/slab.h>

#include <linux/bufalloc-drm.h>

#include "edu.h"

/* Of the 28 address lines. */
#define DOMAIN_PIECE SZ_64K
#define DOMAIN_START SZ_1M
#define DOMAIN_END SZ_256M

/**
 * struct domain - the domain, of one device
 * @iommu: the IOMMU's
 * @dev: the device
 * @prot: IOMMU_CACHE, if the device sees the CPU's caches
 * @lock: protects @addresses and objects' mappings
 * @addresses: that are used
 */
struct domain {
	struct iommu_domain *iommu;
	struct device *dev;
	int prot;
	struct mutex lock; /* see above */
	struct drm_mm addresses;
};

/**
 * struct domain_object - a GEM object that has an address in a domain
 * @base: the object
 * @users: for how many framebuffers; protects what follows
 * @buffer: its memory
 * @node: its addresses
 * @segment: the same as the DMA API would say it
 */
struct domain_object {
	struct bufalloc_drm_object base;
	unsigned int users;
	struct bufalloc_buffer *buffer;
	struct drm_mm_node node;
	struct scatterlist segment;
};

static inline struct domain_object *to_domain_object(struct drm_gem_object *obj)
{
	return container_of(to_bufalloc_drm_object(obj), struct domain_object,
			    base);
}

/* &drm_driver.gem_create_object */
static inline struct drm_gem_object *
domain_create_object(struct drm_device *drm, size_t size)
{
	struct domain_object *object = kzalloc(sizeof(*object), GFP_KERNEL);

	return object ? &object->base.base : ERR_PTR(-ENOMEM);
}

static inline void domain_exit(void *data)
{
	struct domain *domain = data;

	iommu_detach_device(domain->iommu, domain->dev);
	iommu_domain_free(domain->iommu);
	drm_mm_takedown(&domain->addresses);
}

/*
 * Put the device, whose driver has called edu_init(), into a domain of its own;
 * undone when the driver is unbound. What the DMA API maps is not in there.
 */
static inline int domain_init(struct domain *domain, struct edu *edu,
			      struct device *dev)
{
	struct iommu_domain *before = iommu_get_domain_for_dev(dev);
	phys_addr_t piece;
	int ret;

	if (!before)
		return -ENODEV;
	piece = iommu_iova_to_phys(before, edu->piece_addr);
	domain->iommu = bufalloc_compat_iommu_domain_alloc(dev);
	if (IS_ERR(domain->iommu))
		return PTR_ERR(domain->iommu);
	ret = iommu_attach_device(domain->iommu, dev);
	if (ret) {
		iommu_domain_free(domain->iommu);
		return ret;
	}
	domain->dev = dev;
	domain->prot = dev_is_dma_coherent(dev) ? IOMMU_CACHE : 0;
	mutex_init(&domain->lock);
	drm_mm_init(&domain->addresses, DOMAIN_START, DOMAIN_END - DOMAIN_START);
	ret = devm_add_action_or_reset(dev, domain_exit, domain);
	if (ret)
		return ret;
	edu->piece_addr = DOMAIN_PIECE;
	return bufalloc_compat_iommu_map(domain->iommu, DOMAIN_PIECE, piece,
					 PAGE_SIZE, IOMMU_WRITE | domain->prot);
}

static inline int domain_map_first(struct domain *domain,
				   struct domain_object *object)
{
	size_t size = object->base.base.size;
	int ret;

	object->buffer = bufalloc_drm_buffer(&object->base.base);
	/* Nobody but the DMA API may map what others export. */
	if (!object->buffer)
		return -EINVAL;
	ret = drm_mm_insert_node(&domain->addresses, &object->node, size);
	if (ret)
		goto err_put;
	ret = bufalloc_map_domain(object->buffer, domain->iommu,
				  object->node.start,
				  IOMMU_READ | domain->prot);
	if (ret)
		goto err_remove;
	sg_init_table(&object->segment, 1);
	sg_dma_address(&object->segment) = object->node.start;
	sg_dma_len(&object->segment) = size;
	return 0;

err_remove:
	drm_mm_remove_node(&object->node);
err_put:
	bufalloc_put(object->buffer);
	return ret;
}

static inline int domain_map(struct domain *domain, struct drm_gem_object *obj)
{
	struct domain_object *object = to_domain_object(obj);
	int ret = 0;

	mutex_lock(&domain->lock);
	if (!object->users)
		ret = domain_map_first(domain, object);
	if (!ret)
		object->users++;
	mutex_unlock(&domain->lock);
	return ret;
}

static inline void domain_unmap(struct domain *domain,
				struct drm_gem_object *obj)
{
	struct domain_object *object = to_domain_object(obj);

	mutex_lock(&domain->lock);
	if (!--object->users) {
		bufalloc_unmap_domain(object->buffer, domain->iommu,
				      object->node.start);
		drm_mm_remove_node(&object->node);
		bufalloc_put(object->buffer);
	}
	mutex_unlock(&domain->lock);
}

/* All planes, which bufalloc_drm_fb_map() has mapped: so the caches are clean. */
static inline int domain_map_fb(struct domain *domain,
				struct drm_framebuffer *fb)
{
	unsigned int i;
	int ret;

	for (i = 0; i < fb->format->num_planes; i++) {
		ret = domain_map(domain, fb->obj[i]);
		if (ret)
			goto err_unmap;
	}
	return 0;

err_unmap:
	while (i--)
		domain_unmap(domain, fb->obj[i]);
	return ret;
}

static inline void domain_unmap_fb(struct domain *domain,
				   struct drm_framebuffer *fb)
{
	unsigned int i;

	for (i = 0; i < fb->format->num_planes; i++)
		domain_unmap(domain, fb->obj[i]);
}

/* Where a mapped object is. */
static inline struct scatterlist *domain_segment(struct drm_gem_object *obj)
{
	return &to_domain_object(obj)->segment;
}

#endif /* BUFALLOC_SAMPLES_DOMAIN_H */
