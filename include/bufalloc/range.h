/* SPDX-License-Identifier: MIT */
/*
 * A part of a buffer: what the CPU does with it.
 *
 * Include <bufalloc/bufalloc.h>, which has the conventions and includes this.
 */
#ifndef BUFALLOC_RANGE_H
#define BUFALLOC_RANGE_H

#include <bufalloc/types.h>

#ifdef __cplusplus
extern "C" {
#endif

/** The beginning or the end of a CPU access, for bufalloc_sync_range(). */
enum bufalloc_phase {
	BUFALLOC_BEGIN = 0,
	BUFALLOC_END = 4,
};

/**
 * Begin, or end, a CPU access to a part of a buffer
 * (BUFALLOC_IOCTL_SYNC_RANGE): what bufalloc_buf_begin() and _end() do for all
 * of it, in less time where devices do not see the CPU's caches. The
 * beginning waits for the devices that use the buffer.
 *
 * fd: a dma-buf of bufalloc's; not necessarily made by this process. It stays
 *     the caller's.
 * offset, length: the range in bytes, within the buffer, at least 1 byte.
 *     It is widened to whole lines of the CPU's caches (up to 128 bytes),
 *     never narrowed: what the CPU writes and what a device writes at the same
 *     time should not share a line.
 * access: what the CPU will do, or did, with the bytes.
 *
 * bufalloc_buf_unmap() and _destroy() do not end such an access: the caller
 * does, with the same range and access.
 *
 * Returns 0, or
 * -EINVAL  the range does not lie within the buffer, length is 0, the access or
 *          the phase is none of theirs, or fd is not a dma-buf
 * -EBADF  fd is not open
 * -EOPNOTSUPP  fd is a dma-buf of another exporter: use DMA_BUF_IOCTL_SYNC,
 *              which works on all of it
 * -ENOTTY  bufalloc.ko is older than this call
 *
 * EINTR is retried.
 */
int
bufalloc_sync_range(struct bufalloc_ctx *ctx, int fd, uint64_t offset,
		    uint64_t length, enum bufalloc_access access,
		    enum bufalloc_phase phase);

/**
 * Copy bytes into a buffer, or out of it, that is not mapped (BUFALLOC_IOCTL_COPY).
 * For a header, a corner of a picture, or a process that has no address space to
 * spare; to work on all of a buffer, bufalloc_buf_map() is cheaper.
 *
 * It waits for the devices that use the buffer and syncs as
 * bufalloc_sync_range() does: none of its phases is needed.
 *
 * fd: a dma-buf of bufalloc's; to copy in, not a read-only one. It stays the
 *     caller's.
 * offset, length: the range in bytes, within the buffer, at least 1 byte.
 * from, to: length bytes of the caller's, of any alignment.
 * copied: may be NULL; set to the number of bytes that were copied, from the
 *     first on, also after a failure.
 *
 * Returns 0, or
 * -EINVAL  the range does not lie within the buffer, length is 0, or fd is not a
 *          dma-buf
 * -EBADF  fd is not open
 * -EACCES  the buffer is never mapped for the CPU (BUFALLOC_ATTR_NEVER_CPU), or
 *          it is to be copied in and fd is read-only, or is of memory that was
 *          imported to be read only
 * -EFAULT  the caller's memory ends before
 * -EOPNOTSUPP  fd is a dma-buf of another exporter
 * -ENOTTY  bufalloc.ko is older than this call
 *
 * EINTR is retried.
 */
int
bufalloc_copy_in(struct bufalloc_ctx *ctx, int fd, uint64_t offset,
		 const void *from, uint64_t length, uint64_t *copied);

int
bufalloc_copy_out(struct bufalloc_ctx *ctx, int fd, uint64_t offset, void *to,
		  uint64_t length, uint64_t *copied);

#ifdef __cplusplus
}
#endif

#endif /* BUFALLOC_RANGE_H */
