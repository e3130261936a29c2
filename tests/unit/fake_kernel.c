/* SPDX-License-Identifier: MIT */
/*
 * LD_PRELOAD stand-in for the module, for the tool's tests on a machine
 * without it: answers the ioctls on the file that FAKE_NODE names. Buffers are
 * memory files. It proves nothing about the module; the guest tests do.
 *
 * FAKE_NODE        path of the file that counts as the node
 * FAKE_HEAPS       mask of heaps (default 6)
 * FAKE_ERRNO       errno of each ALLOC, after FAKE_ALLOCS that succeeded
 * FAKE_INFO_ERRNO  errno of each INFO after the first
 * FAKE_BUFFER_ERRNO  errno of each BUFFER_INFO after the first
 * FAKE_LOADED      a module of which /sys/module says that it is loaded
 *
 * Files are devices by their names: video* takes one segment and has no IOMMU,
 * card* needs no DMA but a kernel mapping, all others are no devices.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/bufalloc.h>
#include <linux/dma-buf.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

static int node = -1;
static int infos;
static int allocs;
static int buffer_infos;
static __u64 attributes;

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

int
access(const char *path, int mode)
{
	static int (*real)(const char *, int);
	const char *loaded = getenv("FAKE_LOADED");

	if (real == NULL) {
		real = (int (*)(const char *, int))dlsym(RTLD_NEXT, "access");
	}
	if (strncmp(path, "/sys/module/", 12) == 0) {
		if (loaded != NULL && strcmp(path + 12, loaded) == 0) {
			return 0;
		}
		return fail(ENOENT);
	}
	return real(path, mode);
}

/* 0, or the errno of a file that is no device. */
static int
describe(int fd, struct bufalloc_device_info *info)
{
	char link[64], path[4096];
	const char *name;
	ssize_t len;

	snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
	len = readlink(link, path, sizeof(path) - 1);
	if (len < 0) {
		return EBADF;
	}
	path[len] = '\0';
	name = strrchr(path, '/') == NULL ? path : strrchr(path, '/') + 1;
	if (strncmp(name, "video", 5) == 0) {
		strcpy((char *)info->out_name, "video0");
		strcpy((char *)info->out_driver, "vivid");
		info->out_found = BUFALLOC_FOUND_V4L2_QUEUE;
		info->out_flags = BUFALLOC_DEVICE_COHERENT |
				  BUFALLOC_DEVICE_COULD_BOUNCE;
		info->out_dma_mask = 0xffffffff;
		info->out_max_segments = 1;
		return 0;
	}
	if (strncmp(name, "card", 4) == 0) {
		strcpy((char *)info->out_name, "card0");
		strcpy((char *)info->out_driver, "vkms");
		info->out_found = BUFALLOC_FOUND_DRM;
		info->out_flags = BUFALLOC_DEVICE_NEEDS_VMAP |
				  BUFALLOC_DEVICE_NO_DMA;
		info->out_max_segments = BUFALLOC_ANY_SEGMENTS;
		return 0;
	}
	return ENODEV;
}

static int
conclude(struct bufalloc_alloc_verdict *verdict, int err, __u32 reason,
	 __u32 device)
{
	verdict->out_tried = 1U << verdict->out_heap;
	verdict->out_error = -err;
	verdict->out_reason = reason;
	verdict->out_device = device;
	return err;
}

/* As the module does it, with a system of 9 segments. Returns an errno. */
static int
solve(struct bufalloc_alloc *alloc)
{
	struct bufalloc_alloc_device *devices =
		(struct bufalloc_alloc_device *)(uintptr_t)alloc->devices;
	struct bufalloc_alloc_verdict none;
	struct bufalloc_alloc_verdict *verdict =
		(struct bufalloc_alloc_verdict *)(uintptr_t)alloc->verdict;
	__u32 i, decides = BUFALLOC_NO_DEVICE;
	int err;

	if (verdict == NULL) {
		verdict = &none;
	}
	verdict->out_heap = alloc->heap;
	verdict->out_runs = 1;
	verdict->out_attributes = attributes = alloc->attributes;
	for (i = 0; i < alloc->device_count; i++) {
		struct bufalloc_device_info info = { .size = sizeof(info) };

		err = describe(devices[i].fd, &info);
		if (err != 0) {
			devices[i].out_error = -err;
			devices[i].out_reason = BUFALLOC_REASON_NOT_A_DEVICE;
			return conclude(verdict, err,
					BUFALLOC_REASON_NOT_A_DEVICE, i);
		}
		if ((info.out_flags & BUFALLOC_DEVICE_NEEDS_VMAP) != 0 &&
		    (alloc->attributes & BUFALLOC_ATTRIBUTE_NEVER_CPU) != 0) {
			return conclude(verdict, ENOSPC,
					BUFALLOC_REASON_NEVER_CPU, i);
		}
		devices[i].out_proof = BUFALLOC_PROOF_VMAPPED;
		if (info.out_max_segments == 1) {
			devices[i].out_proof = BUFALLOC_PROOF_MAPPED;
			devices[i].out_segments = 1;
			decides = i;
		}
	}

	if (decides == BUFALLOC_NO_DEVICE) {
		if (alloc->heap == BUFALLOC_HEAP_AUTO) {
			verdict->out_heap = BUFALLOC_HEAP_SYSTEM;
		}
		return conclude(verdict, 0, BUFALLOC_REASON_NONE, decides);
	}
	if (alloc->heap == BUFALLOC_HEAP_SYSTEM) {
		devices[decides].out_proof = BUFALLOC_PROOF_NONE;
		devices[decides].out_segments = 9;
		devices[decides].out_error = -ENOSPC;
		devices[decides].out_reason = BUFALLOC_REASON_ONE_SEGMENT;
		return conclude(verdict, ENOSPC, BUFALLOC_REASON_ONE_SEGMENT,
				decides);
	}
	verdict->out_heap = BUFALLOC_HEAP_CONTIG;
	return conclude(verdict, 0, BUFALLOC_REASON_ONE_SEGMENT, decides);
}

static int
fake_ioctl(unsigned long request, void *arg)
{
	struct bufalloc_info *info = arg;
	struct bufalloc_alloc *alloc = arg;
	struct bufalloc_buffer_info *buffer = arg;
	struct bufalloc_device_info *device = arg;
	int err;

	switch (request) {
	case BUFALLOC_IOCTL_INFO:
		if (infos++ > 0 && number("FAKE_INFO_ERRNO", 0) != 0) {
			return fail(number("FAKE_INFO_ERRNO", 0));
		}
		info->out_version = 0x000102;
		info->out_heaps = (__u32)number("FAKE_HEAPS", 6);
		info->out_max_length = 4294967296;
		info->out_contig_limit = 1073741824;
		info->out_contig_used = 8294400;
		info->out_attributes = BUFALLOC_ATTRIBUTE_NEVER_CPU;
		return 0;
	case BUFALLOC_IOCTL_ALLOC:
		if (alloc->length == 0) {
			return fail(EINVAL);
		}
		if (allocs++ >= number("FAKE_ALLOCS", 0) &&
		    number("FAKE_ERRNO", 0) != 0) {
			return fail(number("FAKE_ERRNO", 0));
		}
		err = solve(alloc);
		if (err != 0) {
			return fail(err);
		}
		if ((alloc->flags & BUFALLOC_ALLOC_DRY_RUN) != 0) {
			alloc->out_fd = -1;
			return 0;
		}
		alloc->out_fd = memfd_create("fake", MFD_CLOEXEC);
		return alloc->out_fd < 0 ? -1 : 0;
	case BUFALLOC_IOCTL_DEVICE_INFO:
		err = describe(device->fd, device);
		return err == 0 ? 0 : fail(err);
	case BUFALLOC_IOCTL_BUFFER_INFO:
		if (buffer_infos++ > 0 && number("FAKE_BUFFER_ERRNO", 0) != 0) {
			return fail(number("FAKE_BUFFER_ERRNO", 0));
		}
		buffer->out_heap = BUFALLOC_HEAP_CONTIG;
		buffer->out_length = 8294400;
		buffer->out_runs = 1;
		buffer->out_alloc_ns = 9119042;
		buffer->out_attributes = attributes;
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
