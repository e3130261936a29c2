/* SPDX-License-Identifier: MIT */
/* Buffers: allocation, what they are, and the CPU's view of them. */
#include <errno.h>
#include <fcntl.h>
#include <linux/bufalloc.h>
#include <linux/dma-buf.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "backend.h"
#include "buf.h"
#include "private.h"

void
private_buf_set_name(int fd, const char *name)
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
	private_buf_set_name(fd, name);
	buf->memory_count = 1;
	buf->memories[0].fd = fd;
	buf->memories[0].length = info.length;
	return 0;
}

int
private_alloc(struct bufalloc_ctx *ctx, struct bufalloc_alloc *alloc,
	      const char *name, struct bufalloc_buf **buf_ptr)
{
	struct bufalloc_buf *buf;
	int ret;

	buf = private_buf_new();
	if (buf == NULL) {
		return -ENOMEM;
	}

	ret = private_module_ioctl(ctx, BUFALLOC_IOCTL_ALLOC, alloc);
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
	private_buf_free(buf);
	return ret;
}

int
private_import(struct bufalloc_ctx *ctx, struct bufalloc_import_user *import,
	       const char *name, struct bufalloc_buf **buf_ptr)
{
	struct bufalloc_buf *buf;
	off_t length;
	int ret;

	buf = private_buf_new();
	if (buf == NULL) {
		return -ENOMEM;
	}

	ret = private_module_ioctl(ctx, BUFALLOC_IOCTL_IMPORT_USER,
				   import);
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
		private_buf_set_name(import->out_fd, name);
	}
	buf->memory_count = 1;
	buf->memories[0].fd = import->out_fd;
	buf->memories[0].length = (uint64_t)length;
	buf->offset = import->out_offset;
	*buf_ptr = buf;
	return 0;

err_close:
	close(import->out_fd);
err_free:
	private_buf_free(buf);
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

struct bufalloc_buf *
private_buf_new(void)
{
	struct bufalloc_buf *buf = calloc(1, sizeof(*buf));

	if (buf != NULL) {
		pthread_mutex_init(&buf->map_lock, NULL);
	}
	return buf;
}

void
private_buf_free(struct bufalloc_buf *buf)
{
	uint32_t i;

	private_buf_unmap_all(buf);
	for (i = 0; i < buf->memory_count; i++) {
		close(buf->memories[i].fd);
	}
	pthread_mutex_destroy(&buf->map_lock);
	free(buf);
}

void
bufalloc_buf_destroy(struct bufalloc_buf *buf)
{
	if (buf == NULL) {
		return;
	}
	if (buf->pool != NULL) {
		(void)bufalloc_pool_release(buf->pool, buf, -1);
		return;
	}
	private_buf_free(buf);
}

int
bufalloc_buf_get_fd(const struct bufalloc_buf *buf)
{
	return buf->memories[0].fd;
}

uint64_t
bufalloc_buf_get_length(const struct bufalloc_buf *buf)
{
	return buf->memories[0].length;
}

const struct bufalloc_layout *
bufalloc_buf_get_layout(const struct bufalloc_buf *buf)
{
	return buf->has_layout ? &buf->layout : NULL;
}

uint32_t
bufalloc_buf_get_memory_count(const struct bufalloc_buf *buf)
{
	return buf->memory_count;
}

int
bufalloc_buf_get_memory_fd(const struct bufalloc_buf *buf, uint32_t memory)
{
	return memory < buf->memory_count ? buf->memories[memory].fd : -EINVAL;
}

uint64_t
bufalloc_buf_get_memory_length(const struct bufalloc_buf *buf,
			       uint32_t memory)
{
	return memory < buf->memory_count ? buf->memories[memory].length : 0;
}

static const struct backend *
backend_of(const struct bufalloc_buf *buf)
{
	return buf->backend == NULL ? &private_backend_module : buf->backend;
}

bool
bufalloc_buf_is_dmabuf(const struct bufalloc_buf *buf)
{
	return backend_of(buf)->makes_dmabufs;
}

const char *
bufalloc_buf_get_backend(const struct bufalloc_buf *buf)
{
	return backend_of(buf)->name;
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

	ret = private_module_ioctl_again(ctx, BUFALLOC_IOCTL_BUFFER_INFO, &raw);
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
		.syncs_skipped = raw.out_syncs_skipped,
	};
	return 0;
}
