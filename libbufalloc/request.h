/* SPDX-License-Identifier: MIT */
/* A request as the library's other files see it. */
#ifndef LIBBUFALLOC_REQUEST_H
#define LIBBUFALLOC_REQUEST_H

#include <bufalloc/bufalloc.h>
#include <linux/bufalloc.h>

#include "format.h"
#include "layout.h"

#define DEFAULT_NAME "bufalloc"

/** The kernel's DMA_BUF_NAME_LEN, which <linux/dma-buf.h> does not export. */
#define NAME_SIZE 32

struct bufalloc_request {
	const struct format *format;
	uint32_t width;
	uint32_t height;
	uint64_t length;
	enum bufalloc_memories memories;
	/* Its lengths and split follow from the two above. */
	struct layout_rules rules;
	struct bufalloc_layout layout; /* the answer of get_layout() */
	enum bufalloc_heap heap;
	uint64_t attributes;
	uint64_t required;
	unsigned int flags; /* enum bufalloc_request_flags */
	char name[NAME_SIZE];
	size_t count;
	struct bufalloc_use uses[BUFALLOC_MAX_DEVICES];
};

/** The rules that the request itself makes. */
struct layout_rules
private_request_rules(const struct bufalloc_request *req);

#endif /* LIBBUFALLOC_REQUEST_H */
