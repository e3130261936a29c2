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
sync_memory(const struct memory *memory, uint64_t phase, uint32_t access)
{
	struct dma_buf_sync sync = { .flags = phase };

	if ((access & BUFALLOC_READ) != 0) {
		sync.flags |= DMA_BUF_SYNC_READ;
	}
	if ((access & BUFALLOC_WRITE) != 0) {
		sync.flags |= DMA_BUF_SYNC_WRITE;
	}
	return private_ioctl_again(memory->fd, DMA_BUF_IOCTL_SYNC, &sync);
}

/* End an access to the first memories: all of them, whatever one says. */
static int
end_first(const struct bufalloc_buf *buf, uint32_t count, uint32_t access)
{
	int first = 0;
	uint32_t i;

	for (i = 0; i < count; i++) {
		int ret = sync_memory(&buf->memories[i], DMA_BUF_SYNC_END, access);

		first = first < 0 ? first : ret;
	}
	return first;
}

/* A memory file has nothing to sync. */
static uint32_t
count_to_sync(const struct bufalloc_buf *buf)
{
	return bufalloc_buf_is_dmabuf(buf) ? buf->memory_count : 0;
}

static int
end(struct bufalloc_buf *buf, uint32_t access)
{
	return end_first(buf, count_to_sync(buf), access);
}

static int
begin(struct bufalloc_buf *buf, enum bufalloc_access access)
{
	uint32_t count = count_to_sync(buf);
	uint32_t i;
	int ret;

	for (i = 0; i < count; i++) {
		ret = sync_memory(&buf->memories[i], DMA_BUF_SYNC_START, access);
		if (ret < 0) {
			(void)end_first(buf, i, access);
			return ret;
		}
	}
	buf->begun |= access;
	return 0;
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

/* Unmap the first memories. */
static void
unmap_first(struct bufalloc_buf *buf, uint32_t count)
{
	while (count-- > 0) {
		munmap(buf->ptrs[count], (size_t)buf->memories[count].length);
		buf->ptrs[count] = NULL;
	}
}

static int
map_memories(struct bufalloc_buf *buf)
{
	uint32_t i;

	for (i = 0; i < buf->memory_count; i++) {
		const struct memory *memory = &buf->memories[i];
		size_t length = (size_t)memory->length;
		void *mapping = MAP_FAILED;

		errno = ENOMEM;
		if (memory->length <= SIZE_MAX) {
			mapping = mmap(good_address(length), length,
				       PROT_READ | PROT_WRITE, MAP_SHARED,
				       memory->fd, 0);
		}
		if (mapping == MAP_FAILED) {
			int ret = -errno;

			unmap_first(buf, i);
			return ret;
		}
		buf->ptrs[i] = mapping;
	}
	return 0;
}

/* The mapping is there once, however often it is asked for. */
static int
map(struct bufalloc_buf *buf, enum bufalloc_access access)
{
	int ret;

	if (buf->maps > 0) {
		ret = begin(buf, access);
		buf->maps += ret == 0;
		return ret;
	}
	ret = map_memories(buf);
	if (ret < 0) {
		return ret;
	}
	ret = begin(buf, access);
	if (ret < 0) {
		unmap_first(buf, buf->memory_count);
		return ret;
	}
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
		ret = end(buf, buf->begun);
		buf->begun = 0;
	}
	unmap_first(buf, buf->memory_count);
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
		*ptr = buf->ptrs[0];
	}
	pthread_mutex_unlock(&buf->map_lock);
	return ret;
}

void *
bufalloc_buf_get_memory_ptr(struct bufalloc_buf *buf, uint32_t memory)
{
	void *ptr = NULL;

	if (memory < buf->memory_count) {
		pthread_mutex_lock(&buf->map_lock);
		ptr = buf->ptrs[memory];
		pthread_mutex_unlock(&buf->map_lock);
	}
	return ptr;
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
	ret = end(buf, access);
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
