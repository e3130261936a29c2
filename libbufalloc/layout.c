/* SPDX-License-Identifier: MIT */
/*
 * Layouts. One rule is V4L2's: in its single-planar formats one number is said
 * for all planes, bytesperline of the first, and that of the others follows
 * from it (Documentation/userspace-api/media/v4l/pixfmt-v4l2.rst). So strides
 * are in proportion here, also where nothing else demands it.
 */
#include "layout.h"

#include <errno.h>
#include <string.h>

static bool
add(uint64_t a, uint64_t b, uint64_t *sum)
{
	return !__builtin_add_overflow(a, b, sum);
}

static bool
multiply(uint64_t a, uint64_t b, uint64_t *product)
{
	return !__builtin_mul_overflow(a, b, product);
}

static uint64_t
divide_up(uint64_t value, uint64_t by)
{
	return value / by + (value % by != 0);
}

static bool
align_up(uint64_t value, uint64_t align, uint64_t *result)
{
	return multiply(divide_up(value, align), align, result);
}

/* Bytes of one line of a plane without padding. */
static uint64_t
line_bytes(const struct format_plane *plane, uint32_t width)
{
	uint64_t pixels = divide_up(width, plane->across);

	return divide_up(pixels, plane->pixels) * plane->bytes;
}

/*
 * The stride of a plane is num / den of that of plane 0. Formats of several
 * planes have one pixel in a group.
 */
static uint64_t
num(const struct format_plane *plane)
{
	return plane->bytes;
}

static uint64_t
den(const struct format *format, const struct format_plane *plane)
{
	return (uint64_t)plane->across * format->planes[0].bytes;
}

uint32_t
private_layout_first_stride(const struct format *format, uint32_t plane,
			    uint32_t stride)
{
	uint64_t first = stride;

	if (plane > 0) {
		const struct format_plane *other = &format->planes[plane];

		first = divide_up(stride * den(format, other), num(other));
	}
	return first > UINT32_MAX ? UINT32_MAX : (uint32_t)first;
}

/* Of plane 0: long enough for each plane, and all of them are aligned. */
static bool
first_stride(const struct format *format, uint32_t width,
	     const struct layout_rules *rules, uint64_t *stride)
{
	uint64_t align = rules->stride_align;
	uint32_t i;

	*stride = rules->stride;
	if (line_bytes(&format->planes[0], width) > *stride) {
		*stride = line_bytes(&format->planes[0], width);
	}
	for (i = 1; i < format->plane_count; i++) {
		const struct format_plane *plane = &format->planes[i];
		uint64_t need = divide_up(line_bytes(plane, width) *
						  den(format, plane),
					  num(plane));
		uint64_t whole = divide_up(den(format, plane), num(plane));

		if (need > *stride) {
			*stride = need;
		}
		if (rules->stride_align * whole > align) {
			align = rules->stride_align * whole;
		}
	}
	return align_up(*stride, align, stride);
}

/* Plane i, behind what is already in its dma-buf. */
static bool
place(const struct format *format, const struct layout_rules *rules,
      struct bufalloc_layout *layout, uint32_t i, uint64_t stride,
      uint64_t lines)
{
	const struct format_plane *description = &format->planes[i];
	struct bufalloc_plane *plane = &layout->planes[i];
	uint64_t *length;
	uint64_t own_stride = stride;
	uint64_t own_lines = divide_up(lines, description->down);

	if (i > 0) {
		own_stride = stride * num(description) /
			     den(format, description);
	}
	if (own_stride > UINT32_MAX) {
		return false;
	}
	plane->memory = rules->split ? i : 0;
	plane->stride = (uint32_t)own_stride;
	plane->lines = (uint32_t)own_lines;
	length = &layout->lengths[plane->memory];
	return align_up(*length, rules->offset_align, &plane->offset) &&
	       multiply(own_stride, own_lines, &plane->length) &&
	       add(plane->offset, plane->length, length);
}

static bool
place_all(const struct format *format, const struct layout_rules *rules,
	  struct bufalloc_layout *layout)
{
	uint64_t lines = layout->height;
	uint64_t stride;
	uint32_t i;

	if (rules->lines > lines) {
		lines = rules->lines;
	}
	if (!first_stride(format, layout->width, rules, &stride) ||
	    !align_up(lines, rules->line_align, &lines) || lines > UINT32_MAX) {
		return false;
	}
	for (i = 0; i < format->plane_count; i++) {
		if (!place(format, rules, layout, i, stride, lines)) {
			return false;
		}
	}
	return true;
}

int
private_layout_compute(const struct format *format, uint32_t width,
		       uint32_t height, const struct layout_rules *rules,
		       struct bufalloc_layout *layout)
{
	bool split = rules->split && format->plane_count > 1;
	bool compressed = format->planes[0].bytes == 0;
	struct bufalloc_layout made = {
		.fourcc = format->fourcc,
		.pixelformat = split ? format->split_pixelformat :
				       format->pixelformat,
		.width = width,
		.height = height,
		.plane_count = format->plane_count,
		.memory_count = split ? format->plane_count : 1,
	};
	uint32_t i;

	if (!compressed && !place_all(format, rules, &made)) {
		return -EOVERFLOW;
	}
	for (i = 0; i < made.memory_count; i++) {
		if (made.lengths[i] < rules->lengths[i]) {
			made.lengths[i] = rules->lengths[i];
		}
	}
	if (compressed) {
		made.planes[0].length = made.lengths[0];
	}
	*layout = made;
	return 0;
}
