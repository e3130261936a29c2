/* SPDX-License-Identifier: MIT */
/* Requests: what a caller wants, checked when it is said. */
#include "request.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#define MAX_ALIGN 65536

int
bufalloc_request_new(struct bufalloc_request **req_ptr)
{
	struct bufalloc_request *req;

	req = calloc(1, sizeof(*req));
	if (req == NULL) {
		return -ENOMEM;
	}
	req->format = &private_format_none;
	req->rules.stride_align = 1;
	req->rules.offset_align = 1;
	req->rules.line_align = 1;
	bufalloc_request_set_name(req, NULL);
	*req_ptr = req;
	return 0;
}

void
bufalloc_request_destroy(struct bufalloc_request *req)
{
	free(req);
}

/* Does what the request became have a layout? If not, it stays as it was. */
static int
change(struct bufalloc_request *req, const struct bufalloc_request *changed)
{
	struct layout_rules rules = private_request_rules(changed);
	struct bufalloc_layout layout;
	int ret;

	ret = private_layout_compute(changed->format, changed->width,
				     changed->height, &rules, &layout);
	if (ret < 0) {
		return ret;
	}
	*req = *changed;
	return 0;
}

static int
set_format(struct bufalloc_request *req, const struct format *format,
	   bool split, uint32_t width, uint32_t height)
{
	struct bufalloc_request changed = *req;

	if (width == 0 || height == 0) {
		return -EINVAL;
	}
	if (format == NULL) {
		return -EOPNOTSUPP;
	}
	changed.format = format;
	changed.width = width;
	changed.height = height;
	if (split) {
		changed.memories = BUFALLOC_MEMORIES_PER_PLANE;
	}
	return change(req, &changed);
}

int
bufalloc_request_set_format(struct bufalloc_request *req, uint32_t fourcc,
			    uint32_t width, uint32_t height)
{
	const struct format *format = private_format_from_fourcc(fourcc);
	bool split = format != NULL && fourcc == format->split_pixelformat;

	return set_format(req, format, split, width, height);
}

int
bufalloc_request_set_pixelformat(struct bufalloc_request *req,
				 uint32_t pixelformat, uint32_t width,
				 uint32_t height)
{
	const struct format *format =
		private_format_from_pixelformat(pixelformat);
	bool split = format != NULL && pixelformat == format->split_pixelformat;

	return set_format(req, format, split, width, height);
}

int
bufalloc_request_set_length(struct bufalloc_request *req, uint64_t length)
{
	if (length == 0) {
		return -EINVAL;
	}
	req->length = length;
	return 0;
}

int
bufalloc_request_set_memories(struct bufalloc_request *req,
			      enum bufalloc_memories memories)
{
	switch (memories) {
	case BUFALLOC_MEMORIES_AUTO:
	case BUFALLOC_MEMORIES_ONE:
	case BUFALLOC_MEMORIES_PER_PLANE:
		req->memories = memories;
		return 0;
	default:
		return -EINVAL;
	}
}

static bool
is_alignment(uint32_t value)
{
	return value <= MAX_ALIGN && (value & (value - 1)) == 0;
}

int
bufalloc_request_set_alignment(struct bufalloc_request *req, uint32_t stride,
			       uint32_t offset, uint32_t lines)
{
	struct bufalloc_request changed = *req;

	if (!is_alignment(stride) || !is_alignment(offset) ||
	    !is_alignment(lines)) {
		return -EINVAL;
	}
	changed.rules.stride_align = stride == 0 ? 1 : stride;
	changed.rules.offset_align = offset == 0 ? 1 : offset;
	changed.rules.line_align = lines == 0 ? 1 : lines;
	return change(req, &changed);
}

int
bufalloc_request_add_device(struct bufalloc_request *req, int fd,
			    enum bufalloc_access access)
{
	if (fd < 0) {
		return -EBADF;
	}
	if (access != BUFALLOC_READ && access != BUFALLOC_WRITE &&
	    access != BUFALLOC_READ_WRITE) {
		return -EINVAL;
	}
	if (req->count == BUFALLOC_MAX_DEVICES) {
		return -E2BIG;
	}
	req->uses[req->count].fd = fd;
	req->uses[req->count].access = access;
	req->count++;
	return 0;
}

int
bufalloc_request_set_heap(struct bufalloc_request *req,
			  enum bufalloc_heap heap)
{
	if (bufalloc_heap_name(heap) == NULL || heap == BUFALLOC_USER) {
		return -EINVAL;
	}
	req->heap = heap;
	return 0;
}

int
bufalloc_request_set_attributes(struct bufalloc_request *req,
				uint64_t attributes, uint64_t required)
{
	unsigned int bit;

	for (bit = 0; bit < 64; bit++) {
		uint64_t attribute = UINT64_C(1) << bit;

		if ((attributes & attribute) != 0 &&
		    bufalloc_attr_name(attribute) == NULL) {
			return -EINVAL;
		}
	}
	if ((required & ~attributes) != 0) {
		return -EINVAL;
	}
	req->attributes = attributes;
	req->required = required;
	return 0;
}

int
bufalloc_request_set_flags(struct bufalloc_request *req, unsigned int flags)
{
	if ((flags & ~(unsigned int)(BUFALLOC_REQUEST_DRY_RUN |
				     BUFALLOC_REQUEST_NO_TRIAL)) != 0) {
		return -EINVAL;
	}
	req->flags = flags;
	return 0;
}

void
bufalloc_request_set_name(struct bufalloc_request *req, const char *name)
{
	snprintf(req->name, sizeof(req->name), "%s",
		 name == NULL ? DEFAULT_NAME : name);
}

struct layout_rules
private_request_rules(const struct bufalloc_request *req)
{
	struct layout_rules rules = req->rules;

	rules.split = req->memories == BUFALLOC_MEMORIES_PER_PLANE;
	rules.lengths[0] = req->length;
	return rules;
}

int
bufalloc_request_get_layout(struct bufalloc_request *req,
			    const struct bufalloc_layout **layout)
{
	struct layout_rules rules = private_request_rules(req);
	struct bufalloc_layout made;
	int ret;

	ret = private_layout_compute(req->format, req->width, req->height,
				     &rules, &made);
	if (ret < 0) {
		return ret;
	}
	if (made.lengths[0] == 0) {
		return -EINVAL;
	}
	req->layout = made;
	*layout = &req->layout;
	return 0;
}
