/* SPDX-License-Identifier: MIT */
/*
 * A stand-in for bufalloc.ko, for machines that cannot load it. Linked with the
 * library's own files in place of ctx.c it makes a
 * libbufalloc.so of the same soname whose buffers are memfds: they have an
 * inode, a length and an mmap like a dma-buf, but no device can import them.
 * What only the kernel can show is shown in a guest, by the same programs with
 * the library itself.
 *
 * Files are devices by what their names contain: "one-segment" needs contig,
 * "anything" needs nothing and gets more segments each time, "nothing" can use no memory at all, "no-dmabuf"
 * takes no dma-bufs. All others are no devices.
 */
#define _GNU_SOURCE /* memfd_create */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/bufalloc.h>
#include <linux/dma-buf.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../../libbufalloc/private.h"

#define PAGE 4096u
#define MAX_LENGTH (UINT64_C(1) << 30)
#define CONTIG_LIMIT (UINT64_C(256) << 20)

/* 0 or a negative errno. */
static int
fake_device_info(struct bufalloc_device_info *info)
{
	char link[64], path[4096];
	const char *name;
	ssize_t len;

	snprintf(link, sizeof(link), "/proc/self/fd/%d", info->fd);
	len = readlink(link, path, sizeof(path) - 1);
	if (len < 0) {
		return -EBADF;
	}
	path[len] = '\0';
	name = strrchr(path, '/') == NULL ? path : strrchr(path, '/') + 1;
	if (strstr(name, "no-dmabuf") != NULL) {
		return -EOPNOTSUPP;
	}
	if (strstr(name, "one-segment") != NULL) {
		info->out_max_segments = 1;
	} else if (strstr(name, "anything") != NULL) {
		info->out_max_segments = BUFALLOC_ANY_SEGMENTS;
	} else if (strstr(name, "nothing") != NULL) {
		info->out_max_segments = 0;
	} else {
		return -ENODEV;
	}
	snprintf((char *)info->out_name, sizeof(info->out_name), "%.40s", name);
	snprintf((char *)info->out_driver, sizeof(info->out_driver), "%s",
		 info->access == BUFALLOC_ACCESS_WRITE ? "writer" :
		 info->access == BUFALLOC_ACCESS_READ  ? "reader" :
							 "both");
	return 0;
}

/* Which heap the devices need. 0 or a negative errno. */
static int
fake_solve(struct bufalloc_alloc *alloc)
{
	struct bufalloc_alloc_verdict *verdict =
		(struct bufalloc_alloc_verdict *)(uintptr_t)alloc->verdict;
	struct bufalloc_alloc_device *devices =
		(struct bufalloc_alloc_device *)(uintptr_t)alloc->devices;
	static uint32_t scattered;
	uint32_t i;
	int ret = 0;

	if (verdict == NULL) {
		return 0;
	}
	verdict->out_heap = BUFALLOC_HEAP_SYSTEM;
	verdict->out_device = BUFALLOC_NO_DEVICE;
	for (i = 0; i < alloc->device_count && ret == 0; i++) {
		struct bufalloc_device_info info = {
			.fd = devices[i].fd,
			.access = devices[i].access,
		};

		devices[i].out_proof = BUFALLOC_PROOF_MAPPED;
		devices[i].out_segments = 1;
		ret = fake_device_info(&info);
		if (ret < 0) {
			verdict->out_reason = BUFALLOC_REASON_NOT_A_DEVICE;
			verdict->out_device = i;
		} else if (info.out_max_segments == 0) {
			verdict->out_reason = BUFALLOC_REASON_BOUNCE;
			verdict->out_device = i;
			ret = -ENOSPC;
		} else if (info.out_max_segments == 1) {
			verdict->out_heap = BUFALLOC_HEAP_CONTIG;
			verdict->out_reason = BUFALLOC_REASON_ONE_SEGMENT;
			verdict->out_device = i;
		} else {
			devices[i].out_segments = ++scattered;
		}
	}
	verdict->out_error = ret;
	return ret;
}

static int
fake_alloc(struct bufalloc_alloc *alloc)
{
	uint64_t length = (alloc->length + PAGE - 1) / PAGE * PAGE;
	int fd, err;

	if (alloc->length == 0 || alloc->heap > BUFALLOC_HEAP_CONTIG) {
		return -EINVAL;
	}
	if (alloc->length > MAX_LENGTH) {
		return -ENOMEM;
	}
	if (alloc->heap == BUFALLOC_HEAP_CONTIG && length > CONTIG_LIMIT) {
		return -EDQUOT;
	}
	err = fake_solve(alloc);
	if (err < 0) {
		return err;
	}

	fd = memfd_create("bufalloc", MFD_CLOEXEC);
	if (fd < 0) {
		return -errno;
	}
	if (ftruncate(fd, (off_t)length) < 0) {
		int ret = -errno;

		close(fd);
		return ret;
	}
	alloc->out_fd = fd;
	return 0;
}

static int
fake_buffer_info(struct bufalloc_buffer_info *info)
{
	struct stat st;

	if (fstat(info->fd, &st) < 0) {
		return -errno;
	}
	info->out_length = (uint64_t)st.st_size;
	info->out_runs = 1;
	return 0;
}

int
private_ioctl(int fd, unsigned long request, void *arg)
{
	(void)fd;

	switch (request) {
	case BUFALLOC_IOCTL_ALLOC:
		return fake_alloc(arg);
	case BUFALLOC_IOCTL_DEVICE_INFO:
		return fake_device_info(arg);
	case BUFALLOC_IOCTL_BUFFER_INFO:
		return fake_buffer_info(arg);
	case DMA_BUF_SET_NAME:
	case DMA_BUF_IOCTL_SYNC:
		return 0;
	default:
		return -ENOTTY;
	}
}

/* The module's own node is always there, any other is what it is. */
int
bufalloc_open_module(struct bufalloc_ctx **ctx, const char *path)
{
	int fd;

	if (path != NULL && strcmp(path, BUFALLOC_DEVICE) != 0) {
		fd = open(path, O_RDWR | O_CLOEXEC | O_NOCTTY);
		if (fd < 0) {
			return -errno;
		}
		close(fd);
		return -ENOTTY;
	}

	*ctx = calloc(1, sizeof(**ctx));
	if (*ctx == NULL) {
		return -ENOMEM;
	}
	(*ctx)->fd = INT_MAX; /* no descriptor, but the module is there */
	return 0;
}

void
bufalloc_close(struct bufalloc_ctx *ctx)
{
	free(ctx);
}

int
bufalloc_get_info(struct bufalloc_ctx *ctx, struct bufalloc_module_info *info)
{
	(void)ctx;

	*info = (struct bufalloc_module_info){
		.version = 1 << 8,
		.heaps = 1u << BUFALLOC_SYSTEM | 1u << BUFALLOC_CONTIG,
		.max_length = MAX_LENGTH,
		.contig_limit = CONTIG_LIMIT,
	};
	return 0;
}
