/* SPDX-License-Identifier: MIT */
/* The CPU's view of buffers. */
#include <errno.h>
#include <linux/dma-buf.h>
#include <sys/mman.h>

#include "buf.h"
#include "private.h"

static bool
access_is_valid(enum bufalloc_access access)
{
	return access == BUFALLOC_READ || access == BUFALLOC_WRITE ||
	       access == BUFALLOC_READ_WRITE;
}

static int
sync_buf(struct bufalloc_buf *buf, uint64_t phase, uint32_t access)
{
	struct dma_buf_sync sync = { .flags = phase };

	if ((access & BUFALLOC_READ) != 0) {
		sync.flags |= DMA_BUF_SYNC_READ;
	}
	if ((access & BUFALLOC_WRITE) != 0) {
		sync.flags |= DMA_BUF_SYNC_WRITE;
	}

	/* A memory file has nothing to sync. */
	if (!bufalloc_buf_is_dmabuf(buf)) {
		return 0;
	}
	return private_ioctl_again(buf->memories[0].fd, DMA_BUF_IOCTL_SYNC,
				   &sync);
}

int
bufalloc_buf_map(struct bufalloc_buf *buf, enum bufalloc_access access,
		 void **ptr)
{
	void *mapping;
	int ret;

	if (!access_is_valid(access)) {
		return -EINVAL;
	}
	if (buf->ptr != NULL) {
		return -EBUSY;
	}
	if (buf->memories[0].length > SIZE_MAX) {
		return -ENOMEM;
	}

	mapping = mmap(NULL, (size_t)buf->memories[0].length, PROT_READ | PROT_WRITE,
		       MAP_SHARED, buf->memories[0].fd, 0);
	if (mapping == MAP_FAILED) {
		return -errno;
	}

	ret = bufalloc_buf_begin(buf, access);
	if (ret < 0) {
		munmap(mapping, (size_t)buf->memories[0].length);
		return ret;
	}

	buf->ptr = mapping;
	*ptr = mapping;
	return 0;
}

int
bufalloc_buf_unmap(struct bufalloc_buf *buf)
{
	int ret = 0;

	if (buf->ptr == NULL) {
		return -EINVAL;
	}

	if (buf->begun != 0) {
		ret = sync_buf(buf, DMA_BUF_SYNC_END, buf->begun);
		buf->begun = 0;
	}
	munmap(buf->ptr, (size_t)buf->memories[0].length);
	buf->ptr = NULL;
	return ret;
}

int
bufalloc_buf_begin(struct bufalloc_buf *buf, enum bufalloc_access access)
{
	int ret;

	if (!access_is_valid(access)) {
		return -EINVAL;
	}

	ret = sync_buf(buf, DMA_BUF_SYNC_START, access);
	if (ret < 0) {
		return ret;
	}

	buf->begun |= access;
	return 0;
}

int
bufalloc_buf_end(struct bufalloc_buf *buf, enum bufalloc_access access)
{
	int ret;

	if (!access_is_valid(access)) {
		return -EINVAL;
	}

	ret = sync_buf(buf, DMA_BUF_SYNC_END, access);
	if (ret < 0) {
		return ret;
	}

	buf->begun &= ~(uint32_t)access;
	return 0;
}

void
private_buf_unmap_all(struct bufalloc_buf *buf)
{
	if (buf->ptr != NULL) {
		(void)bufalloc_buf_unmap(buf);
	}
}
