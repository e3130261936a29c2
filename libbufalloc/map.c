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

static int
begin(struct bufalloc_buf *buf, enum bufalloc_access access)
{
	int ret;

	ret = sync_buf(buf, DMA_BUF_SYNC_START, access);
	if (ret == 0) {
		buf->begun |= access;
	}
	return ret;
}

/* The kernel can map as much by one entry of its page tables (x86, arm64). */
#define LARGE_PAGE ((size_t)2 << 20)

/*
 * An address where large pages can map the buffer, if nobody takes it before us:
 * mmap itself aligns a dma-buf to small pages only. NULL: any will do.
 */
static void *
good_address(size_t length)
{
	size_t room = length + LARGE_PAGE;
	uintptr_t address;
	void *free_room;

	if (length < LARGE_PAGE || room < length) {
		return NULL;
	}
	free_room = mmap(NULL, room, PROT_NONE,
			 MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (free_room == MAP_FAILED) {
		return NULL;
	}
	munmap(free_room, room);
	address = (uintptr_t)free_room + LARGE_PAGE - 1;
	return (void *)(address - address % LARGE_PAGE);
}

/* The mapping is there once, however often it is asked for. */
static int
map(struct bufalloc_buf *buf, enum bufalloc_access access)
{
	size_t length = (size_t)buf->memories[0].length;
	void *mapping;
	int ret;

	if (buf->maps > 0) {
		ret = begin(buf, access);
		buf->maps += ret == 0;
		return ret;
	}
	if (buf->memories[0].length > SIZE_MAX) {
		return -ENOMEM;
	}
	mapping = mmap(good_address(length), length, PROT_READ | PROT_WRITE,
		       MAP_SHARED, buf->memories[0].fd, 0);
	if (mapping == MAP_FAILED) {
		return -errno;
	}
	ret = begin(buf, access);
	if (ret < 0) {
		munmap(mapping, length);
		return ret;
	}
	buf->ptr = mapping;
	buf->maps = 1;
	return 0;
}

/* The last one ends what has begun, and unmaps whatever that says. */
static int
unmap(struct bufalloc_buf *buf)
{
	int ret = 0;

	if (buf->maps == 0) {
		return -EINVAL;
	}
	buf->maps--;
	if (buf->maps > 0) {
		return 0;
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
bufalloc_buf_map(struct bufalloc_buf *buf, enum bufalloc_access access,
		 void **ptr)
{
	int ret;

	if (!access_is_valid(access)) {
		return -EINVAL;
	}
	pthread_mutex_lock(&buf->map_lock);
	ret = map(buf, access);
	if (ret == 0) {
		*ptr = buf->ptr;
	}
	pthread_mutex_unlock(&buf->map_lock);
	return ret;
}

int
bufalloc_buf_unmap(struct bufalloc_buf *buf)
{
	int ret;

	pthread_mutex_lock(&buf->map_lock);
	ret = unmap(buf);
	pthread_mutex_unlock(&buf->map_lock);
	return ret;
}

int
bufalloc_buf_begin(struct bufalloc_buf *buf, enum bufalloc_access access)
{
	int ret;

	if (!access_is_valid(access)) {
		return -EINVAL;
	}
	pthread_mutex_lock(&buf->map_lock);
	ret = begin(buf, access);
	pthread_mutex_unlock(&buf->map_lock);
	return ret;
}

int
bufalloc_buf_end(struct bufalloc_buf *buf, enum bufalloc_access access)
{
	int ret;

	if (!access_is_valid(access)) {
		return -EINVAL;
	}
	pthread_mutex_lock(&buf->map_lock);
	ret = sync_buf(buf, DMA_BUF_SYNC_END, access);
	if (ret == 0) {
		buf->begun &= ~(uint32_t)access;
	}
	pthread_mutex_unlock(&buf->map_lock);
	return ret;
}

void
private_buf_unmap_all(struct bufalloc_buf *buf)
{
	if (buf->maps > 0) {
		buf->maps = 1;
		(void)unmap(buf);
	}
}
