/* SPDX-License-Identifier: MIT */
/* From a format and what is asked of it to planes, offsets and lengths. */
#ifndef LIBBUFALLOC_LAYOUT_H
#define LIBBUFALLOC_LAYOUT_H

#include <bufalloc/bufalloc.h>
#include <stdbool.h>

#include "format.h"

/** What a layout must keep to, besides its format. */
struct layout_rules {
	/* Of which strides, offsets and lines are multiples; at least 1. */
	uint32_t stride_align;
	uint32_t offset_align;
	uint32_t line_align;
	/* Of plane 0, at least. */
	uint32_t stride;
	uint32_t lines;
	/* Of each dma-buf, at least. */
	uint64_t lengths[BUFALLOC_MAX_PLANES];
	/* A dma-buf for each plane. */
	bool split;
};

/**
 * The smallest layout that keeps to the rules. A compressed picture takes the
 * length of the rules, which may be 0. Returns 0, or -EOVERFLOW with *layout
 * unchanged.
 */
int
private_layout_compute(const struct format *format, uint32_t width,
		       uint32_t height, const struct layout_rules *rules,
		       struct bufalloc_layout *layout);

/** The stride of plane 0 with which that of another is at least stride. */
uint32_t
private_layout_first_stride(const struct format *format, uint32_t plane,
			    uint32_t stride);

#endif /* LIBBUFALLOC_LAYOUT_H */
