/* SPDX-License-Identifier: MIT */
/* What a DRM device says about a layout, and whether it imports a buffer. */
#ifndef LIBBUFALLOC_DRM_H
#define LIBBUFALLOC_DRM_H

#include "buf.h"
#include "layout.h"
#include "node.h"

/** Is it a DRM device? Fills in its part of *node. */
int
private_drm_describe(struct node *node, char *driver, size_t size);

/**
 * Does a plane of the display list this format? Drivers of kernels before 6.2
 * make framebuffers of formats that no plane shows. True if it does not say.
 */
bool
private_drm_shows(const struct node *node, uint32_t fourcc);

/**
 * A trial framebuffer of the layout, over memory of the device's own. Returns
 * as private_v4l2_try().
 */
int
private_drm_try(const struct node *node, const struct format *format,
		const struct bufalloc_layout *layout,
		struct layout_rules *rules, struct refusal *refusal);

/**
 * Import these dma-bufs and, on a display, make a framebuffer of them; undo it.
 * Returns enum trial, or a negative errno with *refusal filled in (but for the
 * device).
 */
int
private_drm_import(const struct node *node,
		   const struct bufalloc_layout *layout,
		   const struct memory *memories, struct refusal *refusal);

/** A dumb buffer of at least so many bytes. */
int
private_drm_create_dumb(int fd, uint64_t length, uint32_t *handle);

#endif /* LIBBUFALLOC_DRM_H */
