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
 *
 * IMPORT_USER makes a memfd, too, which holds none of that memory; its name says which memory
 * it stands for ("user-ADDRESS-LENGTH", with "-ro" if read-only), and
 * /proc/self/fd shows it. Devices refuse what is read-only as DRM drivers do, but
 * "output"; "one-segment" refuses what is more than a page.
 *
 * BUFALLOC_FAKE_FAIL_ALLOC=N lets the N-th allocation of the process fail, and
 * all after it, with ENOMEM. BUFALLOC_FAKE_MEMLOCK=N allows for N imports at a time.
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
	verdict->out_heap = alloc->heap == BUFALLOC_HEAP_AUTO ?
				    BUFALLOC_HEAP_SYSTEM :
				    alloc->heap;
	verdict->out_device = BUFALLOC_NO_DEVICE;
	/* this machine cannot do write-combining */
	verdict->out_attributes =
		alloc->attributes &
		~(uint64_t)BUFALLOC_ATTRIBUTE_WRITE_COMBINE;
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

/* A number in the environment, or the largest. */
static unsigned long
limit(const char *name)
{
	const char *text = getenv(name);

	return text == NULL ? ULONG_MAX : strtoul(text, NULL, 10);
}

static int
make_memfd(const char *name, uint64_t length, int *out_fd)
{
	int fd = memfd_create(name, MFD_CLOEXEC);

	if (fd < 0) {
		return -errno;
	}
	if (ftruncate(fd, (off_t)length) < 0) {
		int ret = -errno;

		close(fd);
		return ret;
	}
	*out_fd = fd;
	return 0;
}

static int
fake_alloc(struct bufalloc_alloc *alloc)
{
	static unsigned long count;
	uint64_t length = (alloc->length + PAGE - 1) / PAGE * PAGE;
	int err;

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

	if (++count >= limit("BUFALLOC_FAKE_FAIL_ALLOC")) {
		return -ENOMEM;
	}
	return make_memfd("bufalloc", length, &alloc->out_fd);
}

/* How many imports there are now. */
static unsigned long
count_imports(void)
{
	unsigned long n = 0;
	char link[64], path[4096];
	int fd;

	for (fd = 0; fd < 1024; fd++) {
		ssize_t len;

		snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
		len = readlink(link, path, sizeof(path) - 1);
		path[len < 0 ? 0 : len] = '\0';
		n += strncmp(path, "/memfd:user-", 12) == 0;
	}
	return n;
}

static bool
is_output(int fd)
{
	char link[64], path[4096];
	ssize_t len;

	snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
	len = readlink(link, path, sizeof(path) - 1);
	path[len < 0 ? 0 : len] = '\0';
	return strstr(path, "output") != NULL;
}

static int
fake_import_devices(struct bufalloc_import_user *import,
		    struct bufalloc_alloc_verdict *verdict)
{
	struct bufalloc_alloc_device *devices =
		(struct bufalloc_alloc_device *)(uintptr_t)import->devices;
	uint32_t i;

	for (i = 0; i < import->device_count; i++) {
		struct bufalloc_device_info info = {
			.fd = devices[i].fd,
			.access = devices[i].access,
		};
		int ret = fake_device_info(&info);

		verdict->out_device = i;
		if (ret < 0) {
			verdict->out_reason = BUFALLOC_REASON_NOT_A_DEVICE;
			return ret;
		}
		if ((import->flags & BUFALLOC_IMPORT_READ_ONLY) != 0 &&
		    !is_output(info.fd)) {
			verdict->out_reason = BUFALLOC_REASON_READ_ONLY;
			return -EACCES;
		}
		if (info.out_max_segments <= 1 && import->length > PAGE) {
			verdict->out_reason = BUFALLOC_REASON_ONE_SEGMENT;
			return -ENOSPC;
		}
		devices[i].out_proof = BUFALLOC_PROOF_MAPPED;
		devices[i].out_segments = 1;
	}
	return 0;
}

static int
fake_import(struct bufalloc_import_user *import)
{
	struct bufalloc_alloc_verdict *verdict =
		(struct bufalloc_alloc_verdict *)(uintptr_t)import->verdict;
	char name[64];
	int ret;

	verdict->out_heap = BUFALLOC_HEAP_USER;
	verdict->out_device = BUFALLOC_NO_DEVICE;
	if (import->length == 0 || import->length % PAGE != 0 ||
	    import->address % PAGE != 0) {
		verdict->out_reason = BUFALLOC_REASON_ALIGNMENT;
		ret = -EINVAL;
	} else {
		ret = fake_import_devices(import, verdict);
	}
	if (ret == 0 && count_imports() >= limit("BUFALLOC_FAKE_MEMLOCK")) {
		verdict->out_device = BUFALLOC_NO_DEVICE;
		verdict->out_reason = BUFALLOC_REASON_MEMLOCK;
		ret = -ENOMEM;
	}
	verdict->out_error = ret;
	if (ret < 0) {
		return ret;
	}
	verdict->out_device = BUFALLOC_NO_DEVICE;
	snprintf(name, sizeof(name), "user-%llx-%llx%s",
		 (unsigned long long)import->address,
		 (unsigned long long)import->length,
		 (import->flags & BUFALLOC_IMPORT_READ_ONLY) != 0 ? "-ro" : "");
	return make_memfd(name, import->length, &import->out_fd);
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

/* The first byte of an import's memfd is how often CPU writes to it ended. */
static int
fake_sync(int fd, const struct dma_buf_sync *sync)
{
	const uint64_t end = DMA_BUF_SYNC_END | DMA_BUF_SYNC_WRITE;
	char link[64], path[4096];
	unsigned char count;
	ssize_t len;

	snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
	len = readlink(link, path, sizeof(path) - 1);
	path[len < 0 ? 0 : len] = '\0';
	if (strncmp(path, "/memfd:user-", 12) != 0 ||
	    (sync->flags & end) != end) {
		return 0;
	}
	if (pread(fd, &count, 1, 0) == 1) {
		count++;
		(void)!pwrite(fd, &count, 1, 0);
	}
	return 0;
}

int
private_ioctl(int fd, unsigned long request, void *arg)
{
	switch (request) {
	case BUFALLOC_IOCTL_ALLOC:
		return fake_alloc(arg);
	case BUFALLOC_IOCTL_IMPORT_USER:
		return fake_import(arg);
	case BUFALLOC_IOCTL_DEVICE_INFO:
		return fake_device_info(arg);
	case BUFALLOC_IOCTL_BUFFER_INFO:
		return fake_buffer_info(arg);
	case DMA_BUF_IOCTL_SYNC:
		return fake_sync(fd, arg);
	case DMA_BUF_SET_NAME:
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
