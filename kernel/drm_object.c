// SPDX-License-Identifier: GPL-2.0
/*
 * GEM objects: their memory, and what the CPU does with it.
 *
 * An object is its dma-buf: bufalloc's, made with the object, or an imported one.
 * So mmap and vmap are the same for both, each mapping is one that the dma-buf
 * knows of, and what is exported is what the object has anyway. DRM's helpers
 * export another dma-buf, around the object, which syncs nothing for CPU access.
 */
#include <drm/drm_drv.h>
#include <drm/drm_file.h>
#include <drm/drm_mode.h>
#include <linux/dma-buf.h>
#include <linux/dma-map-ops.h>
#include <linux/err.h>
#include <linux/fcntl.h>
#include <linux/hashtable.h>
#include <linux/log2.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/slab.h>

#include "compat/drm.h"
#include "drm_object.h"

/* Objects that were not imported, by their buffer, to be found by an import. */
static DEFINE_HASHTABLE(objects, 8);
static DEFINE_MUTEX(objects_lock);

static void bufalloc_drm_object_free(struct drm_gem_object *base)
{
	struct bufalloc_drm_object *object = to_bufalloc_drm_object(base);

	/* A driver that forgot it: the device may be gone. */
	while (WARN_ON_ONCE(object->map_count))
		bufalloc_drm_unmap(base);
	if (object->buffer) {
		mutex_lock(&objects_lock);
		hash_del(&object->node);
		mutex_unlock(&objects_lock);
	}
	drm_gem_object_release(base);
	if (base->import_attach)
		drm_prime_gem_destroy(base, NULL);
	else
		dma_buf_put(object->dmabuf);
	mutex_destroy(&object->lock);
	kfree(object);
}

/* DRM keeps what this returns until the last handle of the object is closed. */
static struct dma_buf *bufalloc_drm_object_export(struct drm_gem_object *base,
						  int flags)
{
	struct bufalloc_drm_object *object = to_bufalloc_drm_object(base);

	if ((flags & O_ACCMODE) != O_RDWR)
		return bufalloc_export(object->buffer, flags);
	get_dma_buf(object->dmabuf);
	return object->dmabuf;
}

/*
 * The dma_resv lock is the dma-buf's: where the dma-buf core wants it held, DRM
 * holds it.
 */
static int bufalloc_drm_object_vmap(struct drm_gem_object *base,
				    struct iosys_map *map)
{
	return dma_buf_vmap(to_bufalloc_drm_object(base)->dmabuf, map);
}

static void bufalloc_drm_object_vunmap(struct drm_gem_object *base,
				       struct iosys_map *map)
{
	dma_buf_vunmap(to_bufalloc_drm_object(base)->dmabuf, map);
}

static int bufalloc_drm_object_mmap(struct drm_gem_object *base,
				    struct vm_area_struct *vma)
{
	int ret;

	/* Who imported it maps the dma-buf, by what its file descriptor allows. */
	if (base->import_attach)
		return -EINVAL;
	/* It becomes a mapping of the dma-buf: nothing of DRM's is left. */
	vma->vm_private_data = NULL;
	vma->vm_ops = NULL;
	ret = dma_buf_mmap(to_bufalloc_drm_object(base)->dmabuf, vma, 0);
	if (!ret)
		drm_gem_object_put(base);
	return ret;
}

static const struct drm_gem_object_funcs bufalloc_drm_object_funcs = {
	.free = bufalloc_drm_object_free,
	.export = bufalloc_drm_object_export,
	.vmap = bufalloc_drm_object_vmap,
	.vunmap = bufalloc_drm_object_vunmap,
	.mmap = bufalloc_drm_object_mmap,
};

/*
 * An object of @size bytes, which are whole pages of @dmabuf. It takes over the
 * caller's reference of @dmabuf, unless it fails: -ENOMEM, or what the driver's
 * gem_create_object() returned. The caller may make it an imported one.
 *
 * It has no offset to be mapped at: drm_gem_dumb_map_offset() makes one, for those
 * that are not imported.
 */
struct drm_gem_object *bufalloc_drm_object_new(struct drm_device *drm,
					       struct dma_buf *dmabuf,
					       size_t size)
{
	struct bufalloc_drm_object *object;
	struct drm_gem_object *base;

	if (drm->driver->gem_create_object) {
		base = drm->driver->gem_create_object(drm, size);
		if (IS_ERR(base))
			return base;
		object = to_bufalloc_drm_object(base);
	} else {
		object = kzalloc(sizeof(*object), GFP_KERNEL_ACCOUNT);
		if (!object)
			return ERR_PTR(-ENOMEM);
		base = &object->base;
	}
	if (!base->funcs)
		base->funcs = &bufalloc_drm_object_funcs;
	base->resv = dmabuf->resv;
	drm_gem_private_object_init(drm, base, size);
	mutex_init(&object->lock);
	object->dmabuf = dmabuf;
	return base;
}

/*
 * An object of the device's own on @buffer, whose reference stays the caller's.
 * ERR_PTR: -ENOMEM, or what bufalloc_drm_object_new() returned.
 */
struct drm_gem_object *bufalloc_drm_object_of(struct drm_device *drm,
					      struct bufalloc_buffer *buffer)
{
	struct dma_buf *dmabuf = bufalloc_export(buffer, O_RDWR);
	struct bufalloc_drm_object *object;
	struct drm_gem_object *base;

	if (IS_ERR(dmabuf))
		return ERR_CAST(dmabuf);
	base = bufalloc_drm_object_new(drm, dmabuf, bufalloc_length(buffer));
	if (IS_ERR(base)) {
		dma_buf_put(dmabuf);
		return base;
	}
	object = to_bufalloc_drm_object(base);
	/* The dma-buf has the reference. */
	object->buffer = buffer;
	mutex_lock(&objects_lock);
	hash_add(objects, &object->node, (unsigned long)buffer);
	mutex_unlock(&objects_lock);
	return base;
}

/*
 * The object of the device's own on @buffer, with a reference for the caller, or
 * NULL.
 */
struct drm_gem_object *bufalloc_drm_object_find(struct drm_device *drm,
						struct bufalloc_buffer *buffer)
{
	struct bufalloc_drm_object *object;
	struct drm_gem_object *found = NULL;

	mutex_lock(&objects_lock);
	hash_for_each_possible(objects, object, node, (unsigned long)buffer) {
		if (object->buffer == buffer && object->base.dev == drm &&
		    kref_get_unless_zero(&object->base.refcount)) {
			found = &object->base;
			break;
		}
	}
	mutex_unlock(&objects_lock);
	return found;
}

static struct bufalloc_buffer *alloc_for_peers(struct bufalloc_peers *peers,
					       size_t size, u64 attributes)
{
	struct bufalloc_request request = {
		.length = size,
		.attributes = attributes,
		.uses = peers->uses,
		.use_count = peers->count,
	};
	struct bufalloc_buffer *buffer = bufalloc_alloc(&request, NULL);

	/* Not on this architecture: then each map writes the caches back. */
	if (buffer == ERR_PTR(-EOPNOTSUPP) && attributes) {
		request.attributes = 0;
		buffer = bufalloc_alloc(&request, NULL);
	}
	return buffer;
}

static struct bufalloc_buffer *alloc(struct drm_device *drm, size_t size)
{
	enum bufalloc_drm_kind kind = bufalloc_drm_kind_of(drm);
	struct bufalloc_buffer *buffer;
	struct bufalloc_peers *peers;
	struct bufalloc_use *use;
	u64 attributes = 0;
	int ret;

	peers = kzalloc(sizeof(*peers), GFP_KERNEL);
	if (!peers)
		return ERR_PTR(-ENOMEM);
	peers->count = 1;
	use = &peers->uses[0];
	use->access = BUFALLOC_ACCESS_READ | BUFALLOC_ACCESS_WRITE;
	if (kind != BUFALLOC_DRM_VMAP) {
		use->dev = bufalloc_compat_drm_dma_dev(drm);
		use->max_segments = kind == BUFALLOC_DRM_ONE_SEGMENT;
		if (!dev_is_dma_coherent(use->dev))
			attributes = BUFALLOC_ATTRIBUTE_WRITE_COMBINE;
	}
	ret = bufalloc_peers_hold(peers, drm->dev);
	buffer = ret ? ERR_PTR(ret) : alloc_for_peers(peers, size, attributes);
	bufalloc_peers_release(peers);
	kfree(peers);
	return buffer;
}

/**
 * bufalloc_drm_create() - a GEM object of memory that the device can use
 * @drm: the device, whose driver says which kind that is
 * @size: bytes, more than 0; rounded up to whole pages
 *
 * The memory is for the peers that the device's node in a devicetree names, too
 * (bufalloc_peers_hold()). In probe() a driver calls this only if none of them
 * allocates for it in its own.
 *
 * Return: the object, of which the caller holds a reference, or an ERR_PTR: -ENODEV
 * (unplugged), or what bufalloc_peers_hold(), bufalloc_alloc() and gem_create_object() returned.
 */
struct drm_gem_object *bufalloc_drm_create(struct drm_device *drm, size_t size)
{
	struct bufalloc_buffer *buffer;
	struct drm_gem_object *base;
	int idx;

	if (!drm_dev_enter(drm, &idx))
		return ERR_PTR(-ENODEV);
	buffer = alloc(drm, size);
	drm_dev_exit(idx);
	if (IS_ERR(buffer))
		return ERR_CAST(buffer);
	base = bufalloc_drm_object_of(drm, buffer);
	bufalloc_put(buffer);
	return base;
}
EXPORT_SYMBOL_NS_GPL(bufalloc_drm_create, BUFALLOC_NS);

/**
 * bufalloc_drm_buffer() - the memory of an object
 * @obj: the object, which may be an imported one
 *
 * For what bufalloc.h has and this file has not: bufalloc_map_domain() for drivers
 * that manage their IOMMU by themselves, windows, firmware.
 *
 * Return: the buffer, of which the caller holds a reference (bufalloc_put()), or
 * NULL: an imported object whose memory is another exporter's.
 */
struct bufalloc_buffer *bufalloc_drm_buffer(struct drm_gem_object *obj)
{
	return bufalloc_of_dmabuf(to_bufalloc_drm_object(obj)->dmabuf);
}
EXPORT_SYMBOL_NS_GPL(bufalloc_drm_buffer, BUFALLOC_NS);

/**
 * bufalloc_drm_dumb_create_aligned() - a dumb buffer with rows that begin at
 *	multiples of @pitch_align bytes
 * @file: who gets the handle
 * @drm: the device
 * @args: width, height and bpp; handle, pitch and size are written. A pitch that
 *	the caller has set is a lower limit
 * @pitch_align: a power of two
 *
 * Return: 0, -EINVAL (longer than can be, or no power of two), what
 * bufalloc_drm_create() returned, or -ENOMEM.
 */
int bufalloc_drm_dumb_create_aligned(struct drm_file *file,
				     struct drm_device *drm,
				     struct drm_mode_create_dumb *args,
				     u32 pitch_align)
{
	struct drm_gem_object *base;
	u64 pitch, size;
	int ret;

	if (!is_power_of_2(pitch_align))
		return -EINVAL;
	/* 32 bits would do for what DRM has checked, which is whole bytes. */
	pitch = DIV_ROUND_UP_ULL((u64)args->width * args->bpp, 8);
	pitch = ALIGN(max_t(u64, pitch, args->pitch), (u64)pitch_align);
	if (!pitch || pitch > U32_MAX)
		return -EINVAL;
	size = pitch * args->height;
	if (!size || size > SIZE_MAX - PAGE_SIZE)
		return -EINVAL;
	args->pitch = pitch;
	args->size = PAGE_ALIGN(size);

	base = bufalloc_drm_create(drm, args->size);
	if (IS_ERR(base))
		return PTR_ERR(base);
	ret = drm_gem_handle_create(file, base, &args->handle);
	/* The handle has one now. */
	drm_gem_object_put(base);
	return ret;
}
EXPORT_SYMBOL_NS_GPL(bufalloc_drm_dumb_create_aligned, BUFALLOC_NS);

/**
 * bufalloc_drm_dumb_create() - &drm_driver.dumb_create without alignment of rows
 * @file: who gets the handle
 * @drm: the device
 * @args: see bufalloc_drm_dumb_create_aligned()
 *
 * Return: see bufalloc_drm_dumb_create_aligned().
 */
int bufalloc_drm_dumb_create(struct drm_file *file, struct drm_device *drm,
			     struct drm_mode_create_dumb *args)
{
	return bufalloc_drm_dumb_create_aligned(file, drm, args, 1);
}
EXPORT_SYMBOL_NS_GPL(bufalloc_drm_dumb_create, BUFALLOC_NS);

/**
 * bufalloc_drm_prime_mmap() - &drm_driver.gem_prime_mmap, which 6.1 has for
 *	mappings of /dev/fb*
 * @obj: the object
 * @vma: the mapping that is made
 *
 * drm_gem_prime_mmap() cannot be used: it would write over what the mapping has
 * to know.
 *
 * Return: 0, or what dma_buf_mmap() returned.
 */
int bufalloc_drm_prime_mmap(struct drm_gem_object *obj,
			    struct vm_area_struct *vma)
{
	return dma_buf_mmap(to_bufalloc_drm_object(obj)->dmabuf, vma,
			    vma->vm_pgoff);
}
EXPORT_SYMBOL_NS_GPL(bufalloc_drm_prime_mmap, BUFALLOC_NS);
