/* SPDX-License-Identifier: MIT */
/* What a V4L2 device says about a layout, and whether it imports a buffer. */
#ifndef LIBBUFALLOC_V4L2_H
#define LIBBUFALLOC_V4L2_H

#include "buf.h"
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

/** The two APIs' structures, seen as one. */
struct v4l2_picture {
	uint32_t pixelformat;
	uint32_t width;
	uint32_t height;
	uint32_t memory_count;
	uint32_t strides[BUFALLOC_MAX_PLANES];
	uint32_t sizes[BUFALLOC_MAX_PLANES];
};

struct v4l2_format;

void
private_v4l2_write_format(struct v4l2_format *format,
			  const struct v4l2_picture *picture);

struct v4l2_picture
private_v4l2_read_format(const struct v4l2_format *format);

/** What the layout is in V4L2's words. */
struct v4l2_picture
private_v4l2_picture_of(const struct bufalloc_layout *layout);

/**
 * Prepare a buffer of these dma-bufs in each of the node's queues, where they are
 * free, and leave the queues as they were. Returns enum trial, or a negative
 * errno with *refusal filled in (but for the device).
 */
int
private_v4l2_import(const struct node *node,
		    const struct bufalloc_layout *layout,
		    const struct memory *memories, struct refusal *refusal);

#endif /* LIBBUFALLOC_V4L2_H */
