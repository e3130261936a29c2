/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What the files of bufalloc-drm.ko share.
 */
#ifndef BUFALLOC_DRM_OBJECT_H
#define BUFALLOC_DRM_OBJECT_H

#include <linux/bufalloc-drm.h>

/**
 * enum bufalloc_drm_kind - how a driver uses its objects, see bufalloc-drm.h
 * @BUFALLOC_DRM_FOREIGN: it does not say; it has an import function of its own
 * @BUFALLOC_DRM_SEGMENTS: DMA, in any number of segments
 * @BUFALLOC_DRM_ONE_SEGMENT: DMA, in one
 * @BUFALLOC_DRM_VMAP: no DMA, by a kernel mapping
 */
enum bufalloc_drm_kind {
	BUFALLOC_DRM_FOREIGN,
	BUFALLOC_DRM_SEGMENTS,
	BUFALLOC_DRM_ONE_SEGMENT,
	BUFALLOC_DRM_VMAP,
};

/* drm_import.c: dma-bufs of others */
enum bufalloc_drm_kind bufalloc_drm_kind_of(const struct drm_device *drm);

/* drm_map.c: objects as the device sees them */
int bufalloc_drm_check_table(struct sg_table *table, size_t size,
			     enum bufalloc_drm_kind kind);

/* drm_object.c: objects and their memory */
struct drm_gem_object *bufalloc_drm_object_new(struct drm_device *drm,
					       struct dma_buf *dmabuf,
					       size_t size);
struct drm_gem_object *bufalloc_drm_object_of(struct drm_device *drm,
					      struct bufalloc_buffer *buffer);
struct drm_gem_object *bufalloc_drm_object_find(struct drm_device *drm,
						struct bufalloc_buffer *buffer);

#endif /* BUFALLOC_DRM_OBJECT_H */
