/* SPDX-License-Identifier: MIT */
/* Buffers of memory that a process has already. */
#include <errno.h>
#include <fcntl.h>
#include <linux/dma-buf.h>
#include <stdlib.h>

#include "backend.h"
#include "buf.h"
#include "private.h"

_Static_assert((int)BUFALLOC_DRY_RUN == (int)BUFALLOC_IMPORT_DRY_RUN &&
		       (int)BUFALLOC_READ_ONLY == (int)BUFALLOC_IMPORT_READ_ONLY,
	       "the library's and the kernel's flags are equal");

/* Options of an older or newer version of the library as ours. */
static int
read_options(const struct bufalloc_import_options *in,
	     struct bufalloc_import_options *options)
{
	const unsigned char *bytes = (const unsigned char *)in;
	size_t i;

	*options = (struct bufalloc_import_options){ .size = sizeof(*options) };
	if (in == NULL) {
		return 0;
	}
	if (in->size < sizeof(*options)) {
		return -EINVAL;
	}
	for (i = sizeof(*options); i < in->size; i++) {
		if (bytes[i] != 0) {
			return -E2BIG;
		}
	}
	*options = *in;
	return options->count > BUFALLOC_MAX_DEVICES ? -E2BIG : 0;
}

int
bufalloc_import_user(struct bufalloc_ctx *ctx, const void *address,
		     size_t length,
		     const struct bufalloc_import_options *options_ptr,
		     struct bufalloc_buf **buf_ptr,
		     struct bufalloc_verdict **verdict_ptr)
{
	struct bufalloc_alloc_device devices[BUFALLOC_MAX_DEVICES] = { 0 };
	struct bufalloc_alloc_verdict raw = { .size = sizeof(raw) };
	struct bufalloc_import_user import = { .size = sizeof(import) };
	struct bufalloc_import_options options;
	struct bufalloc_verdict *verdict = NULL;
	int ret;

	if (verdict_ptr != NULL) {
		*verdict_ptr = NULL;
	}
	ret = read_options(options_ptr, &options);
	if (ret < 0) {
		return ret;
	}
	if (verdict_ptr != NULL) {
		verdict = calloc(1, sizeof(*verdict));
		if (verdict == NULL) {
			return -ENOMEM;
		}
		verdict->asked = BUFALLOC_USER;
		verdict->imports = true;
		verdict->is_read_only = (options.flags & BUFALLOC_READ_ONLY) != 0;
		verdict->length = length;
		verdict->count = options.count;
	}
	private_fill_devices(devices, options.uses, options.count);
	import.flags = options.flags;
	import.address = (uintptr_t)address;
	import.length = length;
	import.fd_flags = O_RDWR | O_CLOEXEC;
	import.device_count = (uint32_t)options.count;
	import.devices = options.count == 0 ? 0 : (uintptr_t)devices;
	import.verdict = (uintptr_t)&raw;

	if ((options.flags & BUFALLOC_DRY_RUN) != 0) {
		ret = private_module_ioctl(ctx, BUFALLOC_IOCTL_IMPORT_USER,
					   &import);
	} else {
		ret = private_import(ctx, &import, options.name, buf_ptr);
	}

	if (verdict != NULL) {
		verdict->is_dmabuf =
			(import.out_flags & BUFALLOC_IMPORTED_DMABUF) != 0;
		private_verdict_fill(verdict, ctx, options.uses, devices, &raw,
				     ret);
		*verdict_ptr = verdict;
	}
	return ret;
}

/* It allocates nothing: it is none of those that are tried. */
static const struct backend backend_import = {
	.name = "import",
	.makes_dmabufs = true,
};

/* An access of nobody is an error, by which nothing but a dma-buf answers so. */
static int
check_dmabuf(int fd)
{
	struct dma_buf_sync nothing = { .flags = 0 };
	int ret = private_ioctl_again(fd, DMA_BUF_IOCTL_SYNC, &nothing);

	if (ret == -EBADF) {
		return ret;
	}
	return ret == -EINVAL ? 0 : -EINVAL;
}

int
bufalloc_import_dmabuf(int fd, struct bufalloc_buf **buf_ptr)
{
	struct refusal ignored;
	struct bufalloc_buf *buf;
	int ret;

	ret = check_dmabuf(fd);
	if (ret < 0) {
		return ret;
	}
	buf = private_buf_new();
	if (buf == NULL) {
		return -ENOMEM;
	}
	buf->memories[0].fd = fcntl(fd, F_DUPFD_CLOEXEC, 0);
	if (buf->memories[0].fd < 0) {
		ret = -errno;
	} else {
		ret = private_length_of(&buf->memories[0], &ignored);
	}
	if (ret < 0) {
		private_buf_free(buf);
		return ret;
	}
	buf->memory_count = 1;
	buf->backend = &backend_import;
	*buf_ptr = buf;
	return 0;
}
