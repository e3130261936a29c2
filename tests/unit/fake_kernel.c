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
 * FAKE_DEFECT      something that the module would do wrong, by one word:
 *	dirty (new buffers are not 0), forgetful (what the CPU writes is gone),
 *	private (a private mapping works), long (a buffer is longer than it says),
 *	pieces (contiguous in two), inherited (not close-on-exec), uncounted (not
 *	for the user's limit), leak (a file descriptor too many), dry (on trial it
 *	fails), any-length, any-heap, any-file (no wrong call is refused), cpu (a
 *	buffer that no CPU may map can be mapped)
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

/* What is behind the file descriptors. */
static struct {
	int is_live;
	__u32 heap;
	__u64 attributes;
	__u64 length;
} bufs[1024];

static int
is_buf(int fd)
{
	return fd >= 0 && fd < 1024 && bufs[fd].is_live;
}

static int
number(const char *name, int fallback)
{
	const char *text = getenv(name);

	return text == NULL ? fallback : atoi(text);
}

static int
has_defect(const char *name)
{
	const char *defect = getenv("FAKE_DEFECT");

	return defect != NULL && strcmp(defect, name) == 0;
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
	verdict->out_attributes = alloc->attributes;
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

int
close(int fd)
{
	static int (*real)(int);

	if (real == NULL) {
		real = (int (*)(int))dlsym(RTLD_NEXT, "close");
	}
	if (is_buf(fd)) {
		bufs[fd].is_live = 0;
	}
	return real(fd);
}

void *
mmap64(void *addr, size_t length, int prot, int flags, int fd, off64_t offset)
{
	static void *(*real)(void *, size_t, int, int, int, off64_t);

	if (real == NULL) {
		real = (void *(*)(void *, size_t, int, int, int, off64_t))dlsym(
			RTLD_NEXT, "mmap64");
	}
	if (is_buf(fd)) {
		if (length <= bufs[fd].length && bufs[fd].attributes != 0 &&
		    !has_defect("cpu")) {
			errno = EACCES;
			return MAP_FAILED;
		}
		if (length > bufs[fd].length ||
		    ((flags & MAP_PRIVATE) != 0 && !has_defect("private"))) {
			errno = EINVAL;
			return MAP_FAILED;
		}
		if (has_defect("forgetful")) {
			flags = MAP_PRIVATE;
		}
	}
	return real(addr, length, prot, flags, fd, offset);
}

static __u64
contig_used(void)
{
	__u64 used = 8294400;
	int fd;

	for (fd = 0; fd < 1024; fd++) {
		if (is_buf(fd) && bufs[fd].heap == BUFALLOC_HEAP_CONTIG &&
		    !has_defect("uncounted")) {
			used += bufs[fd].length;
		}
	}
	return used;
}

static int
make_buf(struct bufalloc_alloc *alloc, __u32 heap)
{
	__u64 length = (alloc->length + 4095) & ~4095ULL;
	int fd = memfd_create("fake", has_defect("inherited") ? 0 : MFD_CLOEXEC);

	if (fd < 0) {
		return -1;
	}
	if (ftruncate64(fd, (off64_t)length) != 0 ||
	    (has_defect("dirty") && pwrite64(fd, "x", 1, 4095) != 1)) {
		return fail(ENOMEM);
	}
	if (has_defect("leak") && fcntl(fd, F_DUPFD_CLOEXEC, 0) < 0) {
		return fail(EMFILE);
	}
	if (fd < 1024) {
		bufs[fd].is_live = 1;
		bufs[fd].heap = heap;
		bufs[fd].attributes = alloc->attributes;
		bufs[fd].length = length;
	}
	alloc->out_fd = fd;
	return 0;
}

static int
fake_info(struct bufalloc_info *info)
{
	if (infos++ > 0 && number("FAKE_INFO_ERRNO", 0) != 0) {
		return fail(number("FAKE_INFO_ERRNO", 0));
	}
	info->out_version = 0x000102;
	info->out_heaps = (__u32)number("FAKE_HEAPS", 6);
	info->out_max_length = 4294967296;
	info->out_contig_limit = 1073741824;
	info->out_contig_used = contig_used();
	info->out_attributes = BUFALLOC_ATTRIBUTE_NEVER_CPU;
	return 0;
}

static int
fake_alloc(struct bufalloc_alloc *alloc)
{
	struct bufalloc_alloc_verdict *verdict =
		(struct bufalloc_alloc_verdict *)(uintptr_t)alloc->verdict;
	__u32 heap = alloc->heap;
	int err;

	if ((alloc->length == 0 && !has_defect("any-length")) ||
	    (heap > BUFALLOC_HEAP_CONTIG && !has_defect("any-heap"))) {
		return fail(EINVAL);
	}
	if (alloc->length > 4294967296 && !has_defect("any-length")) {
		return fail(ENOMEM);
	}
	if (allocs++ >= number("FAKE_ALLOCS", 0) &&
	    number("FAKE_ERRNO", 0) != 0) {
		return fail(number("FAKE_ERRNO", 0));
	}
	err = solve(alloc);
	if (err != 0) {
		return fail(err);
	}
	if (verdict != NULL) {
		heap = verdict->out_heap;
	} else if (heap == BUFALLOC_HEAP_AUTO) {
		heap = BUFALLOC_HEAP_SYSTEM;
	}
	if ((alloc->flags & BUFALLOC_ALLOC_DRY_RUN) != 0) {
		alloc->out_fd = -1;
		return has_defect("dry") ? fail(EINTR) : 0;
	}
	return make_buf(alloc, heap);
}

static int
fake_buffer_info(struct bufalloc_buffer_info *buffer)
{
	if (buffer_infos++ > 0 && number("FAKE_BUFFER_ERRNO", 0) != 0) {
		return fail(number("FAKE_BUFFER_ERRNO", 0));
	}
	if (!is_buf(buffer->fd) && !has_defect("any-file")) {
		return fail(EINVAL);
	}
	if (is_buf(buffer->fd)) {
		buffer->out_heap = bufs[buffer->fd].heap;
		buffer->out_length = bufs[buffer->fd].length;
		buffer->out_attributes = bufs[buffer->fd].attributes;
	}
	if (has_defect("long")) {
		buffer->out_length += 4096;
	}
	buffer->out_runs = has_defect("pieces") ? 2 : 1;
	buffer->out_alloc_ns = 9119042;
	return 0;
}

static int
fake_ioctl(unsigned long request, void *arg)
{
	struct bufalloc_device_info *device = arg;
	int err;

	switch (request) {
	case BUFALLOC_IOCTL_INFO:
		return fake_info(arg);
	case BUFALLOC_IOCTL_ALLOC:
		return fake_alloc(arg);
	case BUFALLOC_IOCTL_DEVICE_INFO:
		err = describe(device->fd, device);
		return err == 0 || has_defect("any-file") ? 0 : fail(err);
	case BUFALLOC_IOCTL_BUFFER_INFO:
		return fake_buffer_info(arg);
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
	if (is_buf(fd) && (request == DMA_BUF_IOCTL_SYNC ||
			   request == DMA_BUF_SET_NAME)) {
		return 0;
	}
	if (real == NULL) {
		real = (int (*)(int, unsigned long, ...))dlsym(RTLD_NEXT,
							       "ioctl");
	}
	return real(fd, request, arg);
}
