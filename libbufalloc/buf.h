/* SPDX-License-Identifier: MIT */
/* A buffer as the library's other files see it. */
#ifndef LIBBUFALLOC_BUF_H
#define LIBBUFALLOC_BUF_H

#include <bufalloc/bufalloc.h>
#include <pthread.h>

struct backend;

/** One dma-buf of a buffer. */
struct memory {
	int fd;
	uint64_t length;
};

/** Where a backend allocates: a heap, a device. */
struct place {
	char name[64]; /* "" where there is only one */
	/* Is its memory one range? Only a guess, for what cannot be tried. */
	bool is_contiguous;
	/* Which one, as the backend likes to say it. */
	uint32_t number;
	/* Only worth a try if the place before it allocated what was refused. */
	bool is_second_choice;
};

struct bufalloc_buf {
	uint32_t memory_count;
	struct memory memories[BUFALLOC_MAX_PLANES];
	uint64_t offset; /* of imported memory in memory 0 */
	const struct backend *backend; /* NULL: bufalloc.ko, without a request */
	struct place place;	       /* of a backend */
	struct bufalloc_pool *pool;    /* that it belongs to, or NULL */
	uint32_t slot;		       /* in the pool */
	bool has_layout;
	struct bufalloc_layout layout;
	pthread_mutex_t map_lock; /* protects what follows */
	uint32_t maps;
	void *ptrs[BUFALLOC_MAX_PLANES]; /* of the memories, while mapped */
	uint32_t begun; /* enum bufalloc_access that has begun, not ended */
};

/** An empty one; NULL if there is not enough memory. */
struct bufalloc_buf *
private_buf_new(void);

/** bufalloc_buf_destroy() of a buffer that is in no pool. */
void
private_buf_free(struct bufalloc_buf *buf);

/** End what has begun, and unmap. */
void
private_buf_unmap_all(struct bufalloc_buf *buf);

/** Show the name where people debug; a buffer without one is no failure. */
void
private_buf_set_name(int fd, const char *name);

#endif /* LIBBUFALLOC_BUF_H */
