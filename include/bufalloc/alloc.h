/* SPDX-License-Identifier: MIT */
/*
 * Buffers for a request: from bufalloc.ko, or from what else the machine has.
 *
 * Include <bufalloc/bufalloc.h>, which has the conventions and includes this.
 *
 * A backend is something that allocates. In the order in which they are tried:
 *
 * - "bufalloc": the kernel module, which finds out what the devices need.
 * - "dma-heap": the nodes in /dev/dma_heap, "system*" before the others, those
 *   by their names (drivers/dma-buf/dma-heap.c).
 * - "udmabuf": pages of a memory file (drivers/dma-buf/udmabuf.c).
 * - "dumb": dumb buffers of the displays of the request
 *   (DRM_IOCTL_MODE_CREATE_DUMB).
 * - "memfd": a memory file, which is no dma-buf: for development and tests.
 *   Never chosen when a device was added.
 *
 * Whatever allocated it, a buffer is tried on each device before it is returned:
 * a V4L2 device prepares it (VIDIOC_PREPARE_BUF) if its queue is free, a DRM
 * device imports it and a display makes a framebuffer of it. Memory that a
 * device refuses is left for the next; the verdict says what was tried and why it
 * was left. Memory on which a device could not be tried is taken only if no
 * other was proven, and then contiguous memory before scattered.
 */
#ifndef BUFALLOC_ALLOC_H
#define BUFALLOC_ALLOC_H

#include <bufalloc/types.h>
#include <bufalloc/request.h>

#ifdef __cplusplus
extern "C" {
#endif

/** What bufalloc_open() can be told. All that is 0 or NULL is the default. */
struct bufalloc_options {
	/** sizeof(struct bufalloc_options); it grows at its end. */
	size_t size;
	/** The module's node; NULL for BUFALLOC_DEVICE. Not kept. */
	const char *node;
	/**
	 * The only backends to try, in this order: names with commas between
	 * them ("dma-heap,udmabuf"). NULL for what the environment variable
	 * BUFALLOC_BACKEND says, and all of them where it is not set (or the
	 * program runs with other rights than its caller, secure_getenv(3)).
	 */
	const char *backends;
};

/**
 * Find out what this machine allocates buffers with. That the module is not
 * there is no failure, unless it is the only backend that may be tried: the
 * other backends are looked for when a buffer is allocated. Calls that need the
 * module then return what bufalloc_open_module() would (-ENOENT: it is not
 * loaded).
 *
 * A context is not changed by the calls that take it: several threads may use it
 * at once. After fork(2) both processes may use it; so may both use the buffers,
 * which share their memory.
 *
 * ctx: receives the context on success; destroy it with bufalloc_close().
 * options: not kept; NULL for all defaults.
 *
 * Returns 0, or
 * -EINVAL  a name in backends, or in BUFALLOC_BACKEND, is none of a backend, or
 *          there is one twice; or options->size is too small
 * -E2BIG  options is of a newer version of this library, and something is set in
 *         it that this one does not know
 * -ENOMEM, -EMFILE, -ENFILE  as open(2) and malloc(3)
 * and if "bufalloc" is the only backend, what bufalloc_open_module() returns
 */
int
bufalloc_open(struct bufalloc_ctx **ctx,
	      const struct bufalloc_options *options);

/**
 * Allocate a buffer for a request: find a layout that all devices take
 * (bufalloc_request_negotiate()), then memory that all of them can use. Every
 * byte of it is 0.
 *
 * On trial a V4L2 device gets the format of the layout, one buffer that is
 * prepared and given back, and its format again (VIDIOC_S_FMT, _REQBUFS,
 * _PREPARE_BUF). If it has buffers, is in use by somebody else or is streaming,
 * nothing is done to it. BUFALLOC_REQUEST_NO_TRIAL leaves all this
 * out.
 *
 * req: its devices are open; not kept.
 * buf: receives the buffer on success; destroy it with bufalloc_buf_destroy().
 *      Not written, and may be NULL, if the request has
 *      BUFALLOC_REQUEST_DRY_RUN.
 * verdict: NULL, or receives the verdict of success and of failure alike;
 *          destroy it with bufalloc_verdict_destroy(). It is always written:
 *          with NULL if there was not enough memory for one.
 *
 * File descriptors are close-on-exec.
 *
 * Returns 0, or what bufalloc_request_negotiate() returns, or
 * -ENOSPC  nothing that was tried is usable for all devices, however much memory
 *          is free
 * -ENOMEM  the memory ran out where it would be usable
 * -EDQUOT  the user's limit on contiguous and reserved memory is reached
 *          there
 * -EACCES, -EPERM  no permission on what may allocate it
 * -ENOENT  nothing on this machine may allocate it: bufalloc.ko is not loaded,
 *          and there is no other backend
 * -EOPNOTSUPP  also: a device takes no dma-bufs, or only the module could honour
 *              what is required and cannot on this machine
 * -EMFILE, -ENFILE  no file descriptor is left
 * -EINTR  a fatal signal
 */
int
bufalloc_alloc(struct bufalloc_ctx *ctx, const struct bufalloc_request *req,
	       struct bufalloc_buf **buf, struct bufalloc_verdict **verdict);

/**
 * Where the picture is in the buffer.
 *
 * Returns a layout that belongs to the buffer; NULL for one that was not
 * allocated by bufalloc_alloc() or a pool.
 */
const struct bufalloc_layout *
bufalloc_buf_get_layout(const struct bufalloc_buf *buf);

/** How many dma-bufs the buffer consists of: 1, or as many as it has planes. */
uint32_t
bufalloc_buf_get_memory_count(const struct bufalloc_buf *buf);

/**
 * The file descriptor of one of the dma-bufs. It belongs to buf: use dup(2) to
 * keep it for longer.
 *
 * Returns it, or -EINVAL (there are not so many).
 */
int
bufalloc_buf_get_memory_fd(const struct bufalloc_buf *buf, uint32_t memory);

/** Bytes of one of the dma-bufs, whole pages; 0 if there are not so many. */
uint64_t
bufalloc_buf_get_memory_length(const struct bufalloc_buf *buf,
			       uint32_t memory);

/**
 * Where one of the dma-bufs is mapped, while bufalloc_buf_map() has mapped the
 * buffer: plane p of the picture begins at
 * bufalloc_buf_get_memory_ptr(buf, layout->planes[p].memory) +
 * layout->planes[p].offset.
 *
 * Returns an address that is valid until bufalloc_buf_unmap() or _destroy(), or
 * NULL (it is not mapped, or there are not so many).
 */
void *
bufalloc_buf_get_memory_ptr(struct bufalloc_buf *buf, uint32_t memory);

/**
 * Is it one, or of several, dma-bufs? Not if the backend is "memfd": devices
 * cannot import that.
 */
bool
bufalloc_buf_is_dmabuf(const struct bufalloc_buf *buf);

/** The backend that allocated it ("dma-heap"). Static storage. */
const char *
bufalloc_buf_get_backend(const struct bufalloc_buf *buf);

/** One thing that was tried. The library makes these; they grow at their end. */
struct bufalloc_try {
	/** The backend: "dma-heap". Static storage. */
	const char *backend;
	/**
	 * What of it: a heap ("system", "linux,cma") or a device ("card0
	 * (vkms)"); "" where there is only one.
	 */
	const char *place;
	/** 0 if it was chosen, or the negative errno for which it was left. */
	int error;
	/** Index of the device that refused it, in the request, or -1. */
	int device;
	/** enum bufalloc_why or enum bufalloc_reason. */
	uint32_t reason;
	/** 0. */
	uint32_t reserved;
	/** Why it was left, in English; "" if it was chosen. */
	const char *text;
};

/** The backend that was chosen, or NULL. Static storage. */
const char *
bufalloc_verdict_get_backend(const struct bufalloc_verdict *verdict);

/** How many things bufalloc_alloc() tried. */
size_t
bufalloc_verdict_get_try_count(const struct bufalloc_verdict *verdict);

/**
 * One of them, in the order in which they were tried.
 *
 * Returns a try that belongs to the verdict, or NULL (there are not so many).
 */
const struct bufalloc_try *
bufalloc_verdict_get_try(const struct bufalloc_verdict *verdict, size_t index);

/**
 * Write the verdict as a JSON object, on one line: "error" (0 or a negative
 * number), "text", "backend" and "place" (null without success), "layout" (null
 * without), "devices" (what became of each) and "tried". Members are added in
 * later versions, not removed.
 *
 * text, size: always terminated if size is not 0.
 *
 * Returns the length that the whole object has, as snprintf(3).
 */
int
bufalloc_verdict_json(const struct bufalloc_verdict *verdict, char *text,
		      size_t size);

#ifdef __cplusplus
}
#endif

#endif /* BUFALLOC_ALLOC_H */
