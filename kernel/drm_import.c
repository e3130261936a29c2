// SPDX-License-Identifier: GPL-2.0
/*
 * dma-bufs of others as GEM objects.
 *
 * DRM's own import maps a buffer for the device for as long as a client has it.
 * This one maps it for a moment, to find out whether the device can use it, and then
 * when it is used: see drm_map.c.
 */
#include <drm/drm_drv.h>
#include <linux/dma-buf.h>
#include <linux/dma-mapping.h>
#include <linux/err.h>
#include <linux/mm.h>
#include <linux/module.h>

#include "compat/dma_buf.h"
#include "compat/drm.h"
#include "drm_object.h"

/* A driver is known by what it imports with. */
enum bufalloc_drm_kind bufalloc_drm_kind_of(const struct drm_device *drm)
{
	if (drm->driver->gem_prime_import == bufalloc_drm_import)
		return BUFALLOC_DRM_SEGMENTS;
	if (drm->driver->gem_prime_import == bufalloc_drm_import_one_segment)
		return BUFALLOC_DRM_ONE_SEGMENT;
	if (drm->driver->gem_prime_import == bufalloc_drm_import_vmap)
		return BUFALLOC_DRM_VMAP;
	return BUFALLOC_DRM_FOREIGN;
}

/*
 * Is the memory the device's own, exported before? Then it is the same object, as
 * for DRM's helpers. Under drm_device.object_name_lock. NULL: it is not.
 */
static struct drm_gem_object *find_own(struct drm_device *drm,
				       struct dma_buf *dmabuf)
{
	struct bufalloc_buffer *buffer = bufalloc_of_dmabuf(dmabuf);
	struct drm_gem_object *base;

	if (!buffer)
		return NULL;
	base = bufalloc_drm_object_find(drm, buffer);
	/*
	 * DRM knows an object by one dma-buf. This one was exported before all
	 * handles were closed, and then there was another: it gets an object
	 * of the same memory.
	 */
	if (base && base->dma_buf && base->dma_buf != dmabuf) {
		drm_gem_object_put(base);
		base = bufalloc_drm_object_of(drm, buffer);
	}
	bufalloc_put(buffer);
	return base;
}

/* Can the device use it? */
static int try_attachment(struct dma_buf_attachment *attachment, size_t size,
			  enum bufalloc_drm_kind kind)
{
	struct sg_table *table;
	int ret;

	/* It would be an error that the dma-buf core warns of. */
	if (kind == BUFALLOC_DRM_VMAP)
		return attachment->dmabuf->ops->vmap ? 0 : -EINVAL;
	table = bufalloc_compat_dma_buf_map(attachment, DMA_BIDIRECTIONAL);
	if (IS_ERR(table))
		return PTR_ERR(table);
	ret = bufalloc_drm_check_table(table, size, kind);
	bufalloc_compat_dma_buf_unmap(attachment, table, DMA_BIDIRECTIONAL);
	return ret;
}

static struct drm_gem_object *import_other(struct drm_device *drm,
					   struct dma_buf *dmabuf,
					   enum bufalloc_drm_kind kind)
{
	size_t size = round_down(dmabuf->size, PAGE_SIZE);
	struct dma_buf_attachment *attachment;
	struct drm_gem_object *base;
	int ret;

	if (!size)
		return ERR_PTR(-EINVAL);
	attachment = dma_buf_attach(dmabuf, bufalloc_compat_drm_dma_dev(drm));
	if (IS_ERR(attachment))
		return ERR_CAST(attachment);
	ret = try_attachment(attachment, size, kind);
	if (ret)
		goto err_detach;
	get_dma_buf(dmabuf);
	base = bufalloc_drm_object_new(drm, dmabuf, size);
	if (IS_ERR(base)) {
		ret = PTR_ERR(base);
		goto err_put;
	}
	base->import_attach = attachment;
	return base;

err_put:
	dma_buf_put(dmabuf);
err_detach:
	dma_buf_detach(dmabuf, attachment);
	return ERR_PTR(ret);
}

static struct drm_gem_object *import(struct drm_device *drm,
				     struct dma_buf *dmabuf,
				     enum bufalloc_drm_kind kind)
{
	struct drm_gem_object *base = find_own(drm, dmabuf);
	int idx;

	if (base)
		return base;
	if (!drm_dev_enter(drm, &idx))
		return ERR_PTR(-ENODEV);
	base = import_other(drm, dmabuf, kind);
	drm_dev_exit(idx);
	return base;
}

/**
 * bufalloc_drm_import() - &drm_driver.gem_prime_import for a device that takes any
 *	number of DMA segments
 * @drm: the device
 * @dmabuf: any dma-buf; one that the device's driver exported is its object
 *
 * Return: the object, or an ERR_PTR: -EINVAL (the dma-buf is shorter than a page),
 * -ENODEV (unplugged), -ENOMEM, or why the exporter cannot attach or map it.
 */
struct drm_gem_object *bufalloc_drm_import(struct drm_device *drm,
					   struct dma_buf *dmabuf)
{
	return import(drm, dmabuf, BUFALLOC_DRM_SEGMENTS);
}
EXPORT_SYMBOL_NS_GPL(bufalloc_drm_import, BUFALLOC_NS);

/**
 * bufalloc_drm_import_one_segment() - the same for a device that takes one
 * @drm: the device
 * @dmabuf: any dma-buf
 *
 * Return: see bufalloc_drm_import(); also -EINVAL for a dma-buf that the device
 * sees in several segments.
 */
struct drm_gem_object *bufalloc_drm_import_one_segment(struct drm_device *drm,
						       struct dma_buf *dmabuf)
{
	return import(drm, dmabuf, BUFALLOC_DRM_ONE_SEGMENT);
}
EXPORT_SYMBOL_NS_GPL(bufalloc_drm_import_one_segment, BUFALLOC_NS);

/**
 * bufalloc_drm_import_vmap() - the same for a driver that reads by the CPU
 * @drm: the device
 * @dmabuf: any dma-buf; it is attached and never mapped for DMA
 *
 * Return: see bufalloc_drm_import(); also -EINVAL for a dma-buf that the kernel
 * cannot map.
 */
struct drm_gem_object *bufalloc_drm_import_vmap(struct drm_device *drm,
						struct dma_buf *dmabuf)
{
	return import(drm, dmabuf, BUFALLOC_DRM_VMAP);
}
EXPORT_SYMBOL_NS_GPL(bufalloc_drm_import_vmap, BUFALLOC_NS);
