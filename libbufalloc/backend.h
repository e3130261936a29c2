/* SPDX-License-Identifier: MIT */
/* Something that allocates memory which devices can import. */
#ifndef LIBBUFALLOC_BACKEND_H
#define LIBBUFALLOC_BACKEND_H

#include "buf.h"
#include "node.h"
#include "private.h"
#include "request.h"
#include "writer.h"

/** What is allocated, for all of its backends. */
struct attempt {
	struct bufalloc_ctx *ctx;
	const struct bufalloc_request *req;
	const struct node *nodes; /* of req's devices */
	const struct bufalloc_layout *layout;
	struct bufalloc_verdict *verdict;
};

struct backend {
	const char *name;
	bool makes_dmabufs;
	/*
	 * The places to try, in order. Returns how many, or why there is none,
	 * a negative errno, with what is wrong in text.
	 */
	int (*list)(const struct attempt *attempt, struct place *places,
		    size_t max, struct writer *text);
	/*
	 * One dma-buf of at least so many zeroed bytes. Returns 0 or a negative
	 * errno, with *refusal filled in.
	 */
	int (*alloc)(const struct attempt *attempt, const struct place *place,
		     uint64_t length, struct memory *memory,
		     struct refusal *refusal, struct writer *text);
};

extern const struct backend private_backend_module;
extern const struct backend private_backend_heap;
extern const struct backend private_backend_udmabuf;
extern const struct backend private_backend_dumb;
extern const struct backend private_backend_memfd;

/** All of them, in the order in which they are tried; MAX_BACKENDS. */
extern const struct backend *const private_backends[MAX_BACKENDS];

/** An ioctl that returns a descriptor. */
int
private_ioctl_fd_again(int fd, unsigned long request, void *arg);

/** What is wrong with a backend's node, and what to do. */
void
private_put_open_error(struct writer *text, const char *path, int err);

/** An allocation that failed with err, which it returns. */
int
private_refuse_alloc(struct refusal *refusal, int err, uint64_t length,
		     struct writer *text);

/** Ask the dma-buf how long it is; if it does not say, it is closed. */
int
private_length_of(struct memory *memory, struct refusal *refusal);

/** "EFAULT", or "errno 1234". */
void
private_put_errno(struct writer *text, int err);

/**
 * Those that names say ("dma-heap,udmabuf"), or the environment, or all. Returns
 * 0, or -EINVAL: there is no such name, or one is there twice.
 */
int
private_backends_choose(struct bufalloc_ctx *ctx, const char *names);

/**
 * bufalloc_alloc(); like: NULL, or a buffer whose layout, backend and place are
 * wanted again, other places only if there is no memory.
 */
int
private_alloc_like(struct bufalloc_ctx *ctx, const struct bufalloc_request *req,
		   const struct bufalloc_buf *like, struct bufalloc_buf **buf,
		   struct bufalloc_verdict **verdict);

bool
private_backends_has(const struct bufalloc_ctx *ctx,
		     const struct backend *backend);

#endif /* LIBBUFALLOC_BACKEND_H */
