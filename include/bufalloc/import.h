/* SPDX-License-Identifier: MIT */
/*
 * Memory that is there already as a buffer.
 *
 * Include <bufalloc/bufalloc.h>, which has the conventions and includes this.
 */
#ifndef BUFALLOC_IMPORT_H
#define BUFALLOC_IMPORT_H

#include <bufalloc/types.h>

#ifdef __cplusplus
extern "C" {
#endif

struct bufalloc_use;

/** Options of bufalloc_import_user(), besides BUFALLOC_DRY_RUN. */
enum bufalloc_import_user_flags {
	/**
	 * Nobody writes to the memory through the buffer, so that it may be
	 * memory that this process can only read. Only for devices that map
	 * what they read for reading: not for DRM devices, and not for those
	 * that work by a kernel mapping. bufalloc_buf_map() fails with -EACCES.
	 */
	BUFALLOC_READ_ONLY = 2,
};

/**
 * What bufalloc_import_user() can be told. All that is 0 or NULL is the
 * default.
 */
struct bufalloc_import_options {
	/** sizeof(struct bufalloc_import_options); it grows at its end. */
	size_t size;
	/** 0, or BUFALLOC_DRY_RUN and BUFALLOC_READ_ONLY. */
	unsigned int flags;
	/** As for bufalloc_alloc_bytes(). */
	const char *name;
	/** The devices, at most 16, as for bufalloc_alloc_for(). */
	const struct bufalloc_use *uses;
	size_t count;
};

/**
 * Make a buffer of memory that this process has (BUFALLOC_IOCTL_IMPORT_USER),
 * without a copy, which every one of several devices can use; or say which
 * device refuses it.
 *
 * address, length: whole pages: from mmap(2) or posix_memalign(3), with the
 *                  length rounded up. Anonymous memory, private mappings, memfd
 *                  and other tmpfs files, huge pages.
 * options: NULL, or see there. Not kept.
 * buf: receives the buffer on success; destroy it with bufalloc_buf_destroy().
 *      Not written, and may be NULL, with BUFALLOC_DRY_RUN.
 * verdict: as for bufalloc_alloc_for().
 *
 * The pages are pinned where they are until the last holder of the buffer lets
 * go, and count against the user's RLIMIT_MEMLOCK for as long. The memory may be
 * unmapped meanwhile; after fork(2) private memory stays the caller's.
 *
 * Memory that is a mapping of a dma-buf is not pinned: the buffer is that
 * dma-buf, whoever exported it, with the length that it has. In it, the memory
 * starts at bufalloc_buf_get_offset(). It keeps its name.
 *
 * Returns 0, or
 * -EINVAL  the memory is not of whole pages, length is 0, options->size is too
 *          small, a flag is unknown, or the access of a device is not valid
 * -EFAULT  a part of the memory is not mapped
 * -EACCES  a part of it may not be written (or with BUFALLOC_READ_ONLY: read),
 *          or a device could write to what was imported to be read only
 * -EOPNOTSUPP  a part of it is device memory, secret memory or a shared mapping
 *          of a file that is not on a tmpfs or hugetlbfs, or a mapping of
 *          another dma-buf than the rest; or a device takes no dma-buf
 * -ENOMEM  RLIMIT_MEMLOCK is reached, or the memory ran out
 * -ENOSPC  a device cannot use the memory as it is
 * -E2BIG  more than 16 devices, or something is set in options that this version
 *          of the library does not know
 * -ENOTTY  bufalloc.ko is older than this call
 * -EBADF, -ENODEV, -ENXIO, -EMFILE, -ENFILE, -EINTR  as bufalloc_alloc_for()
 */
int
bufalloc_import_user(struct bufalloc_ctx *ctx, const void *address,
		     size_t length,
		     const struct bufalloc_import_options *options,
		     struct bufalloc_buf **buf,
		     struct bufalloc_verdict **verdict);

/**
 * Make a buffer of a dma-buf, whoever exported it: for CPU access with the syncs
 * that this needs. bufalloc_buf_get_backend() is "import".
 *
 * fd: stays the caller's; the buffer has a duplicate of it.
 * buf: receives the buffer on success; destroy it with bufalloc_buf_destroy().
 *
 * Returns 0, or
 * -EBADF  fd is not open
 * -EINVAL  fd is not a dma-buf
 * -ENOMEM, -EMFILE  as fcntl(2) and malloc(3)
 */
int
bufalloc_import_dmabuf(int fd, struct bufalloc_buf **buf);

/**
 * Where the memory of bufalloc_import_user() starts in the dma-buf, in bytes: 0
 * unless it is a mapping of a dma-buf. 0 for all other buffers.
 */
uint64_t
bufalloc_buf_get_offset(const struct bufalloc_buf *buf);

#ifdef __cplusplus
}
#endif

#endif /* BUFALLOC_IMPORT_H */
