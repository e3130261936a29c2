// SPDX-License-Identifier: GPL-2.0
/*
 * GEM objects as the device sees them: while it uses them, and not longer. What is
 * mapped when a driver is unbound, the device could still write to.
 */
#include <drm/drm_drv.h>
#include <drm/drm_fourcc.h>
#include <drm/drm_framebuffer.h>
#include <linux/dma-buf.h>
#include <linux/dma-mapping.h>
#include <linux/err.h>
#include <linux/module.h>

#include "compat/dma_buf.h"
#include "compat/drm.h"
#include "drm_object.h"

/* -EINVAL: the device needs @size bytes in one segment, and they are not. */
int bufalloc_drm_check_table(struct sg_table *table, size_t size,
			     enum bufalloc_drm_kind kind)
{
	if (kind == BUFALLOC_DRM_ONE_SEGMENT &&
	    drm_prime_get_contiguous_size(table) < size)
		return -EINVAL;
	return 0;
}

static struct sg_table *map(struct bufalloc_drm_object *object)
{
	struct drm_device *drm = object->base.dev;

	if (object->base.import_attach)
		return bufalloc_compat_dma_buf_map(object->base.import_attach,
						   DMA_BIDIRECTIONAL);
	return bufalloc_map(object->buffer, bufalloc_compat_drm_dma_dev(drm));
}

static void unmap(struct bufalloc_drm_object *object)
{
	struct drm_device *drm = object->base.dev;

	if (object->base.import_attach)
		bufalloc_compat_dma_buf_unmap(object->base.import_attach,
					      object->table, DMA_BIDIRECTIONAL);
	else
		bufalloc_unmap(object->buffer, bufalloc_compat_drm_dma_dev(drm),
			       object->table);
	object->table = NULL;
}

static int map_first(struct bufalloc_drm_object *object)
{
	struct drm_device *drm = object->base.dev;
	struct sg_table *table;
	int idx, ret;

	if (!drm_dev_enter(drm, &idx))
		return -ENODEV;
	table = map(object);
	drm_dev_exit(idx);
	if (IS_ERR(table))
		return PTR_ERR(table);
	object->table = table;
	ret = bufalloc_drm_check_table(table, object->base.size,
				       bufalloc_drm_kind_of(drm));
	if (ret)
		unmap(object);
	return ret;
}

/**
 * bufalloc_drm_map() - map an object for its device
 * @obj: the object
 *
 * Calls are counted; the last bufalloc_drm_unmap() undoes them. The caller holds
 * no dma_resv lock.
 *
 * Return: the table, whose DMA side (for_each_sgtable_dma_sg()) is the object as
 * the device sees it, valid until bufalloc_drm_unmap(); or an ERR_PTR: -ENODEV
 * (unplugged), -EINVAL (a device that takes one segment sees several), or what
 * bufalloc_map() or dma_buf_map_attachment() returned.
 */
struct sg_table *bufalloc_drm_map(struct drm_gem_object *obj)
{
	struct bufalloc_drm_object *object = to_bufalloc_drm_object(obj);
	int ret = 0;

	mutex_lock(&object->lock);
	if (!object->map_count)
		ret = map_first(object);
	if (!ret)
		object->map_count++;
	mutex_unlock(&object->lock);
	return ret ? ERR_PTR(ret) : object->table;
}
EXPORT_SYMBOL_NS_GPL(bufalloc_drm_map, BUFALLOC_NS);

/**
 * bufalloc_drm_unmap() - undo bufalloc_drm_map()
 * @obj: the object
 */
void bufalloc_drm_unmap(struct drm_gem_object *obj)
{
	struct bufalloc_drm_object *object = to_bufalloc_drm_object(obj);

	mutex_lock(&object->lock);
	if (!--object->map_count)
		unmap(object);
	mutex_unlock(&object->lock);
}
EXPORT_SYMBOL_NS_GPL(bufalloc_drm_unmap, BUFALLOC_NS);

static void unmap_planes(struct drm_framebuffer *fb, unsigned int count)
{
	while (count--)
		bufalloc_drm_unmap(fb->obj[count]);
}

/**
 * bufalloc_drm_fb_map() - map all planes of a framebuffer for the device
 * @fb: a framebuffer of such objects (drm_gem_fb_create())
 *
 * For &drm_plane_helper_funcs.prepare_fb, with drm_gem_plane_helper_prepare_fb().
 *
 * Return: 0, or what bufalloc_drm_map() returned.
 */
int bufalloc_drm_fb_map(struct drm_framebuffer *fb)
{
	unsigned int i;

	for (i = 0; i < fb->format->num_planes; i++) {
		struct sg_table *table = bufalloc_drm_map(fb->obj[i]);

		if (IS_ERR(table)) {
			unmap_planes(fb, i);
			return PTR_ERR(table);
		}
	}
	return 0;
}
EXPORT_SYMBOL_NS_GPL(bufalloc_drm_fb_map, BUFALLOC_NS);

/**
 * bufalloc_drm_fb_unmap() - undo bufalloc_drm_fb_map()
 * @fb: the framebuffer
 *
 * For &drm_plane_helper_funcs.cleanup_fb.
 */
void bufalloc_drm_fb_unmap(struct drm_framebuffer *fb)
{
	unmap_planes(fb, fb->format->num_planes);
}
EXPORT_SYMBOL_NS_GPL(bufalloc_drm_fb_unmap, BUFALLOC_NS);

/**
 * bufalloc_drm_fb_table() - the object of a framebuffer's plane, as the device
 *	sees it
 * @fb: the framebuffer, between bufalloc_drm_fb_map() and bufalloc_drm_fb_unmap()
 * @plane: which plane of its format
 *
 * For devices that take any number of segments. It takes no lock.
 *
 * Return: what bufalloc_drm_map() returned for the object. The plane begins
 * fb->offsets[@plane] bytes behind the object.
 */
struct sg_table *bufalloc_drm_fb_table(struct drm_framebuffer *fb,
				       unsigned int plane)
{
	return to_bufalloc_drm_object(fb->obj[plane])->table;
}
EXPORT_SYMBOL_NS_GPL(bufalloc_drm_fb_table, BUFALLOC_NS);

/**
 * bufalloc_drm_fb_addr() - where the device sees a plane of a framebuffer
 * @fb: the framebuffer, between bufalloc_drm_fb_map() and bufalloc_drm_fb_unmap()
 * @plane: which plane of its format
 *
 * For devices that take one segment. It takes no lock.
 *
 * Return: the address of the plane's first byte.
 */
dma_addr_t bufalloc_drm_fb_addr(struct drm_framebuffer *fb, unsigned int plane)
{
	struct bufalloc_drm_object *object =
		to_bufalloc_drm_object(fb->obj[plane]);

	if (WARN_ON_ONCE(!object->table))
		return DMA_MAPPING_ERROR;
	return sg_dma_address(object->table->sgl) + fb->offsets[plane];
}
EXPORT_SYMBOL_NS_GPL(bufalloc_drm_fb_addr, BUFALLOC_NS);
