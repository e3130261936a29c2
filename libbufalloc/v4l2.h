/* SPDX-License-Identifier: MIT */
/* What a V4L2 device says about a layout, and whether it imports a buffer. */
#ifndef LIBBUFALLOC_V4L2_H
#define LIBBUFALLOC_V4L2_H

#include "layout.h"
#include "node.h"

/** Is it a V4L2 device with a queue? Fills in its part of *node. */
int
private_v4l2_describe(struct node *node, enum bufalloc_access access,
		      char *driver, size_t size);

/**
 * VIDIOC_TRY_FMT with the layout, in each of the node's queues. Returns 1 if
 * the device can have it as it is; 0 with *rules tightened by what it wants; or
 * a negative errno with *refusal filled in (but for the device).
 */
int
private_v4l2_try(const struct node *node, const struct format *format,
		 const struct bufalloc_layout *layout,
		 struct layout_rules *rules, struct refusal *refusal);

#endif /* LIBBUFALLOC_V4L2_H */
