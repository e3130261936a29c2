/* SPDX-License-Identifier: MIT */
/* Formats: what a line of each plane consists of. */
#ifndef LIBBUFALLOC_FORMAT_H
#define LIBBUFALLOC_FORMAT_H

#include <stdint.h>

#define FORMAT_MAX_PLANES 3

struct format_plane {
	uint8_t bytes;	/* of a group of pixels (of its own, not of plane 0) */
	uint8_t pixels;	/* in that group */
	uint8_t across; /* pixels of plane 0 for one of its own, in a line */
	uint8_t down;	/* lines of plane 0 for one of its own */
};

struct format {
	uint32_t fourcc;	    /* of DRM, or 0 */
	uint32_t pixelformat;	    /* of V4L2 in one dma-buf, or 0 */
	uint32_t split_pixelformat; /* of V4L2 in a dma-buf a plane, or 0 */
	uint8_t plane_count;
	/* No bytes in plane 0: compressed data of any length. */
	struct format_plane planes[FORMAT_MAX_PLANES];
};

/** Data without a format. */
extern const struct format private_format_none;

/** The format that DRM numbers so, or V4L2 if DRM has none; NULL: unknown. */
const struct format *
private_format_from_fourcc(uint32_t fourcc);

/** The format that V4L2 numbers so, in one dma-buf or several; NULL: unknown. */
const struct format *
private_format_from_pixelformat(uint32_t pixelformat);

#endif /* LIBBUFALLOC_FORMAT_H */
