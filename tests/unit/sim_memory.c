/* SPDX-License-Identifier: MIT */
/* The stand-in's memory: bufalloc.ko, dma-heaps, udmabuf, memory files. */
#define _GNU_SOURCE /* memfd_create */
#include "sim_private.h"

#include <dirent.h>
#include <fcntl.h>
#include <linux/bufalloc.h>
#include <linux/dma-buf.h>
#include <linux/dma-heap.h>
#include <linux/udmabuf.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

int
__wrap_open64(const char *path, int flags, ...);
int
__wrap_memfd_create(const char *name, unsigned int flags);
int
__real_memfd_create(const char *name, unsigned int flags);
int
__real_fstat64(int fd, struct stat64 *st);
DIR *
__wrap_opendir(const char *path);
DIR *
__real_opendir(const char *path);

static uint64_t
pages(uint64_t length)
{
	return (length + 4095) / 4096 * 4096;
}

int
sim_new_dmabuf(uint64_t length, bool is_contiguous)
{
	int fd = sim_new_file(SIM_DMABUF, "dmabuf");

	assert_int_equal(ftruncate(fd, (off_t)length), 0);
	sim_file(fd)->length = length;
	sim_file(fd)->is_contiguous = is_contiguous;
	return fd;
}

bool
sim_is_contiguous(int fd)
{
	return sim_file(fd)->is_contiguous;
}

unsigned int
sim_cpu_accesses(int fd)
{
	return sim_file(fd)->cpu_accesses;
}

const char *
sim_dmabuf_name(int fd)
{
	return sim_file(fd)->dmabuf_name;
}

bool
sim_is_universal(int fd)
{
	return sim_file(fd)->drm.universal;
}

uint32_t
sim_pixelformat(int fd)
{
	return sim_file(fd)->format.fmt.pix.pixelformat;
}

static int
open_node(enum sim_kind kind, bool is_there, int err)
{
	if (err != 0 || !is_there) {
		errno = err != 0 ? err : ENOENT;
		return -1;
	}
	return sim_new_file(kind, "node");
}

int
__wrap_open64(const char *path, int flags, ...)
{
	size_t i;
	int fd;

	assert_int_equal(flags, O_RDWR | O_CLOEXEC | O_NOCTTY);
	if (sim_fails_call()) {
		return -1;
	}
	if (strcmp(path, "/dev/bufalloc") == 0) {
		return open_node(SIM_MODULE, sim_machine.has_module,
				 sim_machine.has_module ?
					 0 :
					 sim_machine.module_errno);
	}
	if (strcmp(path, "/dev/udmabuf") == 0) {
		return open_node(SIM_UDMABUF, sim_machine.has_udmabuf,
				 sim_machine.udmabuf_open_errno);
	}
	for (i = 0; i < SIM_MAX_HEAPS; i++) {
		const struct sim_heap *heap = &sim_machine.heaps[i];

		if (heap->name != NULL &&
		    strncmp(path, "/dev/dma_heap/", 14) == 0 &&
		    strcmp(path + 14, heap->name) == 0) {
			fd = open_node(SIM_HEAP, true, heap->open_errno);
			if (fd >= 0) {
				sim_file(fd)->heap = *heap;
			}
			return fd;
		}
	}
	fail_msg("open of %s", path);
	return -1;
}

/* A real folder with the names of the heaps. */
DIR *
__wrap_opendir(const char *path)
{
	char folder[] = "/tmp/simXXXXXX", name[256];
	DIR *dir;
	size_t i;

	assert_string_equal(path, "/dev/dma_heap");
	if (sim_fails_without_signal()) {
		return NULL;
	}
	if (!sim_machine.has_heaps) {
		errno = ENOENT;
		return NULL;
	}
	assert_non_null(mkdtemp(folder));
	for (i = 0; i < SIM_MAX_HEAPS; i++) {
		if (sim_machine.heaps[i].name != NULL) {
			snprintf(name, sizeof(name), "%s/%s", folder,
				 sim_machine.heaps[i].name);
			assert_int_equal(mkdir(name, 0700), 0);
		}
	}
	dir = __real_opendir(folder);
	assert_non_null(dir);
	return dir;
}

/* The folder goes when its reader does; it may be read a second time. */
int
__wrap_closedir(DIR *dir);
int
__real_closedir(DIR *dir);
ssize_t
__real_readlink(const char *path, char *buf, size_t size);

int
__wrap_closedir(DIR *dir)
{
	char link[64], path[128], name[256];
	ssize_t len;
	size_t i;

	snprintf(link, sizeof(link), "/proc/self/fd/%d", dirfd(dir));
	len = __real_readlink(link, path, sizeof(path) - 1);
	assert_true(len > 0);
	path[len] = '\0';
	for (i = 0; i < SIM_MAX_HEAPS; i++) {
		if (sim_machine.heaps[i].name != NULL) {
			snprintf(name, sizeof(name), "%s/%s", path,
				 sim_machine.heaps[i].name);
			rmdir(name);
		}
	}
	assert_int_equal(rmdir(path), 0);
	return __real_closedir(dir);
}

int
__wrap_memfd_create(const char *name, unsigned int flags)
{
	int fd;

	assert_int_equal(flags, MFD_CLOEXEC | MFD_ALLOW_SEALING);
	if (sim_fails_without_signal()) {
		return -1;
	}
	if (sim_machine.memfd_errno != 0) {
		errno = sim_machine.memfd_errno;
		return -1;
	}
	fd = __real_memfd_create(name, flags);
	assert_true(fd >= 0);
	sim_adopt_file(fd, SIM_MEMFD, name);
	return fd;
}

/* What is taken is not there any more; at least a byte, since 0 is any. */
static void
take(const char *name, uint64_t length)
{
	size_t i;

	for (i = 0; i < SIM_MAX_HEAPS; i++) {
		struct sim_heap *heap = &sim_machine.heaps[i];

		if (heap->name == name && heap->left != 0) {
			heap->left = heap->left > length ? heap->left - length : 1;
		}
	}
}

static int
heap_ioctl(struct sim_file *file, unsigned long request, void *arg)
{
	struct dma_heap_allocation_data *data = arg;

	if (request != DMA_HEAP_IOCTL_ALLOC) {
		return -ENOTTY;
	}
	assert_int_equal(data->fd, 0);
	assert_int_equal(data->fd_flags, O_RDWR | O_CLOEXEC);
	assert_int_equal(data->heap_flags, 0);
	assert_true(data->len > 0);
	if (file->heap.alloc_errno != 0) {
		return -file->heap.alloc_errno;
	}
	if (file->heap.left != 0 && data->len > file->heap.left) {
		return -ENOMEM;
	}
	take(file->heap.name, data->len);
	data->fd = (uint32_t)sim_new_dmabuf(pages(data->len),
					    file->heap.is_contiguous);
	return 0;
}

static int
udmabuf_ioctl(unsigned long request, void *arg)
{
	const struct udmabuf_create *create = arg;
	struct stat64 st;
	int fd = (int)create->memfd;

	if (request != UDMABUF_CREATE) {
		return -ENOTTY;
	}
	assert_int_equal(sim_file(fd)->kind, SIM_MEMFD);
	assert_int_equal(fcntl(fd, F_GET_SEALS), F_SEAL_SHRINK);
	assert_int_equal(create->flags, UDMABUF_FLAGS_CLOEXEC);
	assert_int_equal(create->offset, 0);
	assert_int_equal(create->size % 4096, 0);
	assert_int_equal(__real_fstat64(fd, &st), 0);
	assert_int_equal(create->size, st.st_size);
	if (sim_machine.udmabuf_errno != 0) {
		return -sim_machine.udmabuf_errno;
	}
	if (sim_machine.udmabuf_gives_zero) {
		close(STDIN_FILENO);
	}
	return sim_new_dmabuf(create->size, false);
}

/* What a device is for the module. 0 or a negative errno. */
static int
describe(int fd, struct bufalloc_device_info *info)
{
	const struct sim_file *file = sim_file(fd);

	if (file == NULL) {
		return -EBADF;
	}
	if (file->kind != SIM_V4L2 && file->kind != SIM_DRM) {
		return -ENODEV;
	}
	info->out_max_segments = BUFALLOC_ANY_SEGMENTS;
	if (file->kind == SIM_V4L2 ? file->v4l2.one_segment : file->drm.one_segment) {
		info->out_max_segments = 1;
	}
	if (file->kind == SIM_V4L2 && file->v4l2.self_managed) {
		info->out_max_segments = BUFALLOC_ANY_SEGMENTS;
		info->out_flags = BUFALLOC_DEVICE_SELF_MANAGED;
	}
	snprintf((char *)info->out_name, sizeof(info->out_name), "%s",
		 file->name);
	snprintf((char *)info->out_driver, sizeof(info->out_driver), "%s",
		 file->kind == SIM_V4L2 ? "simcam" : "simkms");
	return 0;
}

static int
solve(struct bufalloc_alloc *alloc, bool *is_contiguous)
{
	struct bufalloc_alloc_device *devices =
		(struct bufalloc_alloc_device *)(uintptr_t)alloc->devices;
	struct bufalloc_alloc_verdict nobody,
		*verdict = alloc->verdict == 0 ?
				   &nobody :
				   (struct bufalloc_alloc_verdict *)(uintptr_t)
					   alloc->verdict;
	uint32_t heap = BUFALLOC_HEAP_SYSTEM;
	uint32_t i;
	int ret = 0;

	verdict->out_device = BUFALLOC_NO_DEVICE;
	for (i = 0; i < alloc->device_count && ret == 0; i++) {
		struct bufalloc_device_info info = { 0 };

		ret = describe(devices[i].fd, &info);
		if (ret < 0) {
			verdict->out_reason = BUFALLOC_REASON_NOT_A_DEVICE;
			verdict->out_device = i;
			break;
		}
		devices[i].out_segments = 1;
		devices[i].out_proof =
			(info.out_flags & BUFALLOC_DEVICE_SELF_MANAGED) != 0 ?
				BUFALLOC_PROOF_UNPROVEN :
				BUFALLOC_PROOF_MAPPED;
		if (info.out_max_segments == 1) {
			heap = BUFALLOC_HEAP_CONTIG;
			verdict->out_reason = BUFALLOC_REASON_ONE_SEGMENT;
			verdict->out_device = i;
		}
	}
	if (alloc->heap != BUFALLOC_HEAP_AUTO) {
		if (alloc->heap < heap && ret == 0) {
			ret = -ENOSPC;
		}
		heap = alloc->heap;
	}
	if (ret == 0 && heap == BUFALLOC_HEAP_CONTIG) {
		if (sim_machine.contig_limited) {
			ret = -EDQUOT;
			verdict->out_reason = BUFALLOC_REASON_LIMIT;
		} else if (sim_machine.contig_left != 0 &&
			   alloc->length > sim_machine.contig_left) {
			ret = -ENOMEM;
			verdict->out_reason = BUFALLOC_REASON_MEMORY;
		}
	}
	*is_contiguous = heap == BUFALLOC_HEAP_CONTIG;
	verdict->out_heap = heap;
	verdict->out_error = ret;
	verdict->out_runs = heap == BUFALLOC_HEAP_CONTIG ? 1 : 9;
	return ret;
}

static int
module_ioctl(unsigned long request, void *arg)
{
	struct bufalloc_buffer_info *buffer = arg;
	struct bufalloc_alloc *alloc = arg;
	struct bufalloc_info *info = arg;
	int ret;

	switch (request) {
	case BUFALLOC_IOCTL_INFO:
		info->out_version = 0x000100;
		info->out_heaps = 6;
		info->out_max_length = UINT64_C(1) << 32;
		return 0;
	case BUFALLOC_IOCTL_DEVICE_INFO: {
		struct bufalloc_device_info *device = arg;

		return describe(device->fd, device);
	}
	case BUFALLOC_IOCTL_ALLOC: {
		bool is_contiguous;

		if (sim_machine.module_alloc_errno != 0) {
			return -sim_machine.module_alloc_errno;
		}
		ret = solve(alloc, &is_contiguous);
		if (ret == 0) {
			alloc->out_fd = sim_new_dmabuf(pages(alloc->length),
						       is_contiguous);
		}
		return ret;
	}
	case BUFALLOC_IOCTL_IMPORT_USER: {
		struct bufalloc_import_user *import = arg;

		import->out_fd = sim_new_dmabuf(import->length, false);
		return 0;
	}
	case BUFALLOC_IOCTL_COPY: {
		struct bufalloc_copy *copy = arg;

		copy->out_copied = copy->length;
		return 0;
	}
	case BUFALLOC_IOCTL_SYNC_RANGE:
		return 0;
	case BUFALLOC_IOCTL_LOAD_FIRMWARE: {
		struct bufalloc_load_firmware *firmware = arg;

		firmware->out_length = 1000;
		return 0;
	}
	case BUFALLOC_IOCTL_BUFFER_INFO:
		buffer->out_length = sim_file(buffer->fd)->length;
		return 0;
	default:
		return -ENOTTY;
	}
}

static int
sync_dmabuf(struct sim_file *file, const struct dma_buf_sync *sync)
{
	if ((sync->flags & DMA_BUF_SYNC_RW) == 0) {
		return -EINVAL;
	}
	if ((sync->flags & DMA_BUF_SYNC_END) == 0) {
		file->cpu_accesses++;
	} else {
		assert_int_not_equal(file->cpu_accesses, 0);
		file->cpu_accesses--;
	}
	return 0;
}

int
sim_memory_ioctl(struct sim_file *file, unsigned long request, void *arg)
{
	switch (file->kind) {
	case SIM_MODULE:
		return module_ioctl(request, arg);
	case SIM_HEAP:
		return heap_ioctl(file, request, arg);
	case SIM_UDMABUF:
		return udmabuf_ioctl(request, arg);
	case SIM_DMABUF:
		if (request == DMA_BUF_SET_NAME) {
			snprintf(file->dmabuf_name, sizeof(file->dmabuf_name),
				 "%s", (const char *)arg);
			return 0;
		}
		if (request == DMA_BUF_IOCTL_SYNC) {
			return sync_dmabuf(file, arg);
		}
		return -ENOTTY;
	default:
		return -ENOTTY;
	}
}
