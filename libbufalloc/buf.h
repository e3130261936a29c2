/* SPDX-License-Identifier: MIT */
/* A buffer as the library's other files see it. */
#ifndef LIBBUFALLOC_BUF_H
#define LIBBUFALLOC_BUF_H

#include <bufalloc/bufalloc.h>

struct backend;

/** One dma-buf of a buffer. */
struct memory {
	int fd;
	uint64_t length;
};

struct bufalloc_buf {
	uint32_t memory_count;
	struct memory memories[BUFALLOC_MAX_PLANES];
	uint64_t offset; /* of imported memory in memory 0 */
	const struct backend *backend; /* NULL: bufalloc.ko, without a request */
	bool has_layout;
	struct bufalloc_layout layout;
	void *ptr;	/* of memory 0; NULL while not mapped */
	uint32_t begun; /* enum bufalloc_access that has begun, not ended */
};

/** Show the name where people debug; a buffer without one is no failure. */
void
private_buf_set_name(int fd, const char *name);

#endif /* LIBBUFALLOC_BUF_H */
