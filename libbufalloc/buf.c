/* SPDX-License-Identifier: MIT */
/* Buffers: allocation, what they are, and the CPU's view of them. */
#include <errno.h>
#include <fcntl.h>
#include <linux/bufalloc.h>
#include <linux/dma-buf.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "private.h"

#define DEFAULT_NAME "bufalloc"

/* The kernel's DMA_BUF_NAME_LEN, which <linux/dma-buf.h> does not export. */
#define NAME_SIZE 32

struct bufalloc_buf {
	int fd;
	uint64_t length;
	uint64_t offset;	/* of imported memory in the dma-buf */
	void *ptr;	/* NULL while not mapped */
	uint32_t begun;	/* enum bufalloc_access that has begun, not ended */
};

/* The name is for people who debug: a buffer without one is no failure. */
static void
set_name(int fd, const char *name)
{
	char text[NAME_SIZE];

	snprintf(text, sizeof(text), "%s", name == NULL ? DEFAULT_NAME : name);
	(void)private_ioctl(fd, DMA_BUF_SET_NAME, text);
}

/* Make buf of the dma-buf that ALLOC gave. */
static int
adopt(struct bufalloc_ctx *ctx, struct bufalloc_buf *buf, int fd,
      const char *name)
{
	struct bufalloc_buf_info info;
	int ret;

	ret = bufalloc_get_buf_info(ctx, fd, &info);
	if (ret < 0) {
		return ret;
	}
	set_name(fd, name);
	buf->fd = fd;
	buf->length = info.length;
	return 0;
}

int
private_alloc(struct bufalloc_ctx *ctx, struct bufalloc_alloc *alloc,
	      const char *name, struct bufalloc_buf **buf_ptr)
{
	struct bufalloc_buf *buf;
	int ret;

	buf = calloc(1, sizeof(*buf));
	if (buf == NULL) {
		return -ENOMEM;
	}

	ret = private_ioctl(ctx->fd, BUFALLOC_IOCTL_ALLOC, alloc);
	if (ret < 0) {
		goto err_free;
	}

	ret = adopt(ctx, buf, alloc->out_fd, name);
	if (ret < 0) {
		goto err_close;
	}

	*buf_ptr = buf;
	return 0;

err_close:
	close(alloc->out_fd);
err_free:
	free(buf);
	return ret;
}

int
private_import(struct bufalloc_ctx *ctx, struct bufalloc_import_user *import,
	       const char *name, struct bufalloc_buf **buf_ptr)
{
	struct bufalloc_buf *buf;
	off_t length;
	int ret;

	buf = calloc(1, sizeof(*buf));
	if (buf == NULL) {
		return -ENOMEM;
	}

	ret = private_ioctl(ctx->fd, BUFALLOC_IOCTL_IMPORT_USER, import);
	if (ret < 0) {
		goto err_free;
	}

	/* BUFFER_INFO knows no dma-bufs of other exporters. */
	length = lseek(import->out_fd, 0, SEEK_END);
	if (length < 0) {
		ret = -errno;
		goto err_close;
	}
	if ((import->out_flags & BUFALLOC_IMPORTED_DMABUF) == 0) {
		set_name(import->out_fd, name);
	}
	buf->fd = import->out_fd;
	buf->length = (uint64_t)length;
	buf->offset = import->out_offset;
	*buf_ptr = buf;
	return 0;

err_close:
	close(import->out_fd);
err_free:
	free(buf);
	return ret;
}

int
bufalloc_alloc_bytes(struct bufalloc_ctx *ctx, uint64_t length,
		     enum bufalloc_heap heap, const char *name,
		     struct bufalloc_buf **buf_ptr)
{
	struct bufalloc_alloc alloc = {
		.size = sizeof(alloc),
		.length = length,
		.heap = (uint32_t)heap,
		.fd_flags = O_RDWR | O_CLOEXEC,
	};

	return private_alloc(ctx, &alloc, name, buf_ptr);
}

void
bufalloc_buf_destroy(struct bufalloc_buf *buf)
{
	if (buf == NULL) {
		return;
	}
	if (buf->ptr != NULL) {
		bufalloc_buf_unmap(buf);
	}
	close(buf->fd);
	free(buf);
}

int
bufalloc_buf_get_fd(const struct bufalloc_buf *buf)
{
	return buf->fd;
}

uint64_t
bufalloc_buf_get_length(const struct bufalloc_buf *buf)
{
	return buf->length;
}

uint64_t
bufalloc_buf_get_offset(const struct bufalloc_buf *buf)
{
	return buf->offset;
}

int
bufalloc_get_buf_info(struct bufalloc_ctx *ctx, int fd,
		      struct bufalloc_buf_info *info)
{
	struct bufalloc_buffer_info raw = {
		.size = sizeof(raw),
		.fd = fd,
	};
	int ret;

	ret = private_ioctl(ctx->fd, BUFALLOC_IOCTL_BUFFER_INFO, &raw);
	if (ret < 0) {
		return ret;
	}

	*info = (struct bufalloc_buf_info){
		.heap = (enum bufalloc_heap)raw.out_heap,
		.length = raw.out_length,
		.runs = raw.out_runs,
		.attachments = raw.out_attachments,
		.mappings = raw.out_mappings,
		.kernel_maps = raw.out_kernel_maps,
		.kernel_va = raw.out_kernel_va,
		.user_maps = raw.out_user_maps,
		.kernel_maps_total = raw.out_kernel_maps_total,
		.cpu_accesses = raw.out_cpu_accesses,
		.syncs = raw.out_syncs,
		.alloc_ns = raw.out_alloc_ns,
		.bounced = raw.out_bounced,
		.attributes = raw.out_attributes,
	};
	return 0;
}

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
	int ret;

	if ((access & BUFALLOC_READ) != 0) {
		sync.flags |= DMA_BUF_SYNC_READ;
	}
	if ((access & BUFALLOC_WRITE) != 0) {
		sync.flags |= DMA_BUF_SYNC_WRITE;
	}

	do {
		ret = private_ioctl(buf->fd, DMA_BUF_IOCTL_SYNC, &sync);
	} while (ret == -EINTR || ret == -EAGAIN);

	return ret;
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
	if (buf->length > SIZE_MAX) {
		return -ENOMEM;
	}

	mapping = mmap(NULL, (size_t)buf->length, PROT_READ | PROT_WRITE,
		       MAP_SHARED, buf->fd, 0);
	if (mapping == MAP_FAILED) {
		return -errno;
	}

	ret = bufalloc_buf_begin(buf, access);
	if (ret < 0) {
		munmap(mapping, (size_t)buf->length);
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
	munmap(buf->ptr, (size_t)buf->length);
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
