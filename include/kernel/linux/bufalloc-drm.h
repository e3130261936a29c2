/* SPDX-License-Identifier: GPL-2.0 */
/*
 * bufalloc for DRM drivers: GEM objects. A driver that has
 *
 *	static const struct drm_driver driver = {
 *		BUFALLOC_DRM_DRIVER_OPS,
 *		...
 *	};
 *
 * has dumb buffers from bufalloc, exports them and imports dma-bufs. Three kinds
 * of drivers are told apart, by what they import with:
 *
 * - BUFALLOC_DRM_DRIVER_OPS: the device takes any number of DMA segments; where
 *   drivers used drm_gem_shmem_get_pages_sgt();
 * - BUFALLOC_DRM_DRIVER_OPS_ONE_SEGMENT: it takes one. Replaces
 *   DRM_GEM_DMA_DRIVER_OPS;
 * - BUFALLOC_DRM_DRIVER_OPS_VMAP: nothing does DMA, the driver reads by a kernel
 *   mapping. Replaces DRM_GEM_SHMEM_DRIVER_OPS in drivers that use
 *   DRM_GEM_SHADOW_PLANE_HELPER_FUNCS.
 *
 * File operations are DEFINE_DRM_GEM_FOPS()'s. docs/driver-integration.md goes
 * through a driver line by line.
 *
 * What is different from DRM's own helpers:
 *
 * - every byte of a new buffer is 0, and it is charged to who creates it;
 * - a buffer is in the kernel's address space only while the driver has it
 *   mapped (drm_gem_vmap(), drm_gem_fb_vmap()), and in a device's only between
 *   bufalloc_drm_map() and bufalloc_drm_unmap(), which belong into the plane's
 *   prepare_fb and cleanup_fb. So when a driver is unbound that turns its
 *   planes off (drm_atomic_helper_shutdown()), nothing stays mapped for the
 *   device, whatever clients still have;
 * - what is exported is a dma-buf of bufalloc's: CPU access to it is synced, and
 *   the tool `bufalloc` can look at it. It and mappings into user space
 *   keep the memory, but neither the driver's module nor its device;
 * - a one-segment device that has no IOMMU needs no CMA.
 *
 * A dumb buffer is cached memory, unless it is for a device that does not see
 * the CPU's caches: then it is write-combined where the architecture can do
 * that, as nobody says when a mapping of a DRM node is written through.
 *
 * Devices that will import what is created here, for instance a video encoder, are
 * named by the property bufalloc,peers of the device's node in a devicetree
 * (docs/bindings/bufalloc-peers.yaml).
 *
 * A driver calls drm_dev_unplug() when it is unbound: allocations, imports and
 * maps use the device for as long as drm_dev_enter() lets them.
 *
 * All symbols are GPL only, in the namespace BUFALLOC and in bufalloc-drm.ko. All
 * calls sleep.
 */
#ifndef _LINUX_BUFALLOC_DRM_H
#define _LINUX_BUFALLOC_DRM_H

#include <drm/drm_drv.h>
#include <drm/drm_gem.h>
#include <drm/drm_prime.h>
#include <linux/bufalloc.h>
#include <linux/mutex.h>

struct dma_buf;
struct drm_file;
struct drm_framebuffer;
struct drm_mode_create_dumb;
struct sg_table;
struct vm_area_struct;

/**
 * struct bufalloc_drm_object - a GEM object on bufalloc, or an imported one
 * @base: the object. Drivers that want members of their own embed this structure
 *	first and set &drm_driver.gem_create_object, which returns zeroed memory of
 *	kzalloc(); it is freed by kfree(). All else is for functions below
 */
struct bufalloc_drm_object {
	struct drm_gem_object base;
	/* private: */
	struct bufalloc_buffer *buffer;
	struct dma_buf *dmabuf;
	struct hlist_node node;
	struct mutex lock; /* map_count, table; taken before any dma_resv */
	unsigned int map_count;
	struct sg_table *table;
};

static inline struct bufalloc_drm_object *
to_bufalloc_drm_object(struct drm_gem_object *base)
{
	return container_of(base, struct bufalloc_drm_object, base);
}

struct drm_gem_object *bufalloc_drm_create(struct drm_device *drm, size_t size);
struct bufalloc_buffer *bufalloc_drm_buffer(struct drm_gem_object *obj);
int bufalloc_drm_dumb_create(struct drm_file *file, struct drm_device *drm,
			     struct drm_mode_create_dumb *args);
int bufalloc_drm_dumb_create_aligned(struct drm_file *file,
				     struct drm_device *drm,
				     struct drm_mode_create_dumb *args,
				     u32 pitch_align);

struct sg_table *bufalloc_drm_map(struct drm_gem_object *obj);
void bufalloc_drm_unmap(struct drm_gem_object *obj);
int bufalloc_drm_fb_map(struct drm_framebuffer *fb);
void bufalloc_drm_fb_unmap(struct drm_framebuffer *fb);
struct sg_table *bufalloc_drm_fb_table(struct drm_framebuffer *fb,
				       unsigned int plane);
dma_addr_t bufalloc_drm_fb_addr(struct drm_framebuffer *fb, unsigned int plane);

struct drm_gem_object *bufalloc_drm_import(struct drm_device *drm,
					   struct dma_buf *dmabuf);
struct drm_gem_object *bufalloc_drm_import_one_segment(struct drm_device *drm,
						       struct dma_buf *dmabuf);
struct drm_gem_object *bufalloc_drm_import_vmap(struct drm_device *drm,
						struct dma_buf *dmabuf);
int bufalloc_drm_prime_mmap(struct drm_gem_object *obj,
			    struct vm_area_struct *vma);

/* Up to 6.5 a driver has to say that it shares buffers; later that does no harm. */
#define BUFALLOC_DRM_DRIVER_OPS_WITH(import, dumb) \
	.dumb_create = (dumb), \
	.prime_handle_to_fd = drm_gem_prime_handle_to_fd, \
	.prime_fd_to_handle = drm_gem_prime_fd_to_handle, \
	.gem_prime_import = (import)

/**
 * BUFALLOC_DRM_DRIVER_OPS - &struct drm_driver members for a device that takes
 * any number of DMA segments
 */
#define BUFALLOC_DRM_DRIVER_OPS \
	BUFALLOC_DRM_DRIVER_OPS_WITH(bufalloc_drm_import, \
				     bufalloc_drm_dumb_create)

/**
 * BUFALLOC_DRM_DRIVER_OPS_ONE_SEGMENT - the same for a device that takes one
 */
#define BUFALLOC_DRM_DRIVER_OPS_ONE_SEGMENT \
	BUFALLOC_DRM_DRIVER_OPS_WITH(bufalloc_drm_import_one_segment, \
				     bufalloc_drm_dumb_create)

/**
 * BUFALLOC_DRM_DRIVER_OPS_VMAP - the same for a driver that reads by the CPU
 */
#define BUFALLOC_DRM_DRIVER_OPS_VMAP \
	BUFALLOC_DRM_DRIVER_OPS_WITH(bufalloc_drm_import_vmap, \
				     bufalloc_drm_dumb_create)

#endif /* _LINUX_BUFALLOC_DRM_H */
