/* SPDX-License-Identifier: MIT */
/*
 * A stand-in for bufalloc.ko, for machines that cannot load it. Linked with the
 * library's own buf.c, heap.c and strerror.c in place of ctx.c it makes a
 * libbufalloc.so of the same soname whose buffers are memfds: they have an
 * inode, a length and an mmap like a dma-buf, but no device can import them.
 * What only the kernel can show is shown in a guest, by the same programs with
 * the library itself.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/bufalloc.h>
#include <linux/dma-buf.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../../libbufalloc/private.h"

#define PAGE 4096u
#define MAX_LENGTH (UINT64_C(1) << 30)
#define CONTIG_LIMIT (UINT64_C(256) << 20)

static int
fake_alloc(struct bufalloc_alloc *alloc)
{
	uint64_t length = (alloc->length + PAGE - 1) / PAGE * PAGE;
	int fd;

	if (alloc->length == 0 || alloc->heap > BUFALLOC_HEAP_CONTIG) {
		return -EINVAL;
	}
	if (alloc->length > MAX_LENGTH) {
		return -ENOMEM;
	}
	if (alloc->heap == BUFALLOC_HEAP_CONTIG && length > CONTIG_LIMIT) {
		return -EDQUOT;
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
bufalloc_open(struct bufalloc_ctx **ctx, const char *path)
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
	(*ctx)->fd = -1;
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
