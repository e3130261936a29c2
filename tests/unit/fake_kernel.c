/* SPDX-License-Identifier: MIT */
/*
 * LD_PRELOAD stand-in for the module, for the tool's tests on a machine
 * without it: answers the ioctls on the file that FAKE_NODE names. Buffers are
 * memory files. It proves nothing about the module; the guest tests do.
 *
 * FAKE_NODE        path of the file that counts as the node
 * FAKE_HEAPS       mask of heaps (default 3)
 * FAKE_ERRNO       errno of each ALLOC, after FAKE_ALLOCS that succeeded
 * FAKE_INFO_ERRNO  errno of each INFO after the first
 * FAKE_BUFFER_ERRNO  errno of each BUFFER_INFO after the first
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/bufalloc.h>
#include <linux/dma-buf.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

static int node = -1;
static int infos;
static int allocs;
static int buffer_infos;

static int
number(const char *name, int fallback)
{
	const char *text = getenv(name);

	return text == NULL ? fallback : atoi(text);
}

int
open64(const char *path, int flags, ...)
{
	static int (*real)(const char *, int, ...);
	const char *fake = getenv("FAKE_NODE");

	if (real == NULL) {
		real = (int (*)(const char *, int, ...))dlsym(RTLD_NEXT,
							      "open64");
	}
	if (fake != NULL && strcmp(path, fake) == 0) {
		node = real(path, flags);
		return node;
	}
	return real(path, flags, 0600);
}

static int
fail(int err)
{
	errno = err;
	return -1;
}

static int
fake_ioctl(unsigned long request, void *arg)
{
	struct bufalloc_info *info = arg;
	struct bufalloc_alloc *alloc = arg;
	struct bufalloc_buffer_info *buffer = arg;

	switch (request) {
	case BUFALLOC_IOCTL_INFO:
		if (infos++ > 0 && number("FAKE_INFO_ERRNO", 0) != 0) {
			return fail(number("FAKE_INFO_ERRNO", 0));
		}
		info->out_version = 0x000102;
		info->out_heaps = (__u32)number("FAKE_HEAPS", 3);
		info->out_max_length = 4294967296;
		info->out_contig_limit = 1073741824;
		info->out_contig_used = 8294400;
		return 0;
	case BUFALLOC_IOCTL_ALLOC:
		if (alloc->length == 0) {
			return fail(EINVAL);
		}
		if (allocs++ >= number("FAKE_ALLOCS", 0) &&
		    number("FAKE_ERRNO", 0) != 0) {
			return fail(number("FAKE_ERRNO", 0));
		}
		alloc->out_fd = memfd_create("fake", MFD_CLOEXEC);
		return alloc->out_fd < 0 ? -1 : 0;
	case BUFALLOC_IOCTL_BUFFER_INFO:
		if (buffer_infos++ > 0 && number("FAKE_BUFFER_ERRNO", 0) != 0) {
			return fail(number("FAKE_BUFFER_ERRNO", 0));
		}
		buffer->out_heap = BUFALLOC_HEAP_CONTIG;
		buffer->out_length = 8294400;
		buffer->out_runs = 1;
		buffer->out_alloc_ns = 9119042;
		return 0;
	default:
		return fail(ENOTTY);
	}
}

int
ioctl(int fd, unsigned long request, ...)
{
	static int (*real)(int, unsigned long, ...);
	va_list args;
	void *arg;

	va_start(args, request);
	arg = va_arg(args, void *);
	va_end(args);

	if (fd == node && node >= 0) {
		return fake_ioctl(request, arg);
	}
	if (real == NULL) {
		real = (int (*)(int, unsigned long, ...))dlsym(RTLD_NEXT,
							       "ioctl");
	}
	return real(fd, request, arg);
}
