// SPDX-License-Identifier: MIT
/*
 * GEM objects on bufalloc as dma-bufs, out and in: vkms with its memory from there
 * (ba_vkms) beside vkms as the kernel has it.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <linux/dma-buf.h>
#include <xf86drm.h>
#include <xf86drmMode.h>

#include "display.h"
#include "peers.h"
#include "vkms.h"

/* Who imports what the device exported has the same object. */
static void
self_import_of(int card)
{
	struct dumb dumb = dumb_create(card, WIDTH, HEIGHT), again = dumb;
	uint8_t *data = dumb_map(&dumb), *seen;
	int fd = dumb_export(&dumb);
	char path[32];

	pattern_fill(data, dumb.size);
	CHECK_EQ(drmPrimeFDToHandle(card, fd, &again.handle), 0);
	CHECK_EQ(again.handle, dumb.handle);

	/* Another client of the device, that maps it by a handle of its own. */
	snprintf(path, sizeof(path), "/proc/self/fd/%d", card);
	again.card = open(path, O_RDWR | O_CLOEXEC);
	CHECK(again.card >= 0);
	CHECK_EQ(drmPrimeFDToHandle(again.card, fd, &again.handle), 0);
	dumb_destroy(&dumb);
	munmap(data, dumb.size);
	close(fd);
	seen = dumb_map(&again);
	CHECK_EQ(pattern_mismatch(seen, dumb.size), dumb.size);
	munmap(seen, dumb.size);
	close(again.card);
}

static void
self_import(void)
{
	with_both(self_import_of);
}

/*
 * An object that only a framebuffer keeps is exported anew: the first dma-buf and
 * the second are the same memory, and both can be imported.
 */
static void
exported_twice(void)
{
	int card = drm_open_driver(OURS);
	struct dumb dumb = dumb_create(card, WIDTH, HEIGHT);
	uint32_t handles[2];
	drmModeFB2Ptr info;
	uint8_t *data[2];
	int fds[2];
	uint32_t id;

	CHECK_EQ(drmModeAddFB(card, WIDTH, HEIGHT, 24, 32, dumb.pitch, dumb.handle,
			      &id), 0);
	/* For reading only, so that it is another one. */
	CHECK_EQ(drmPrimeHandleToFD(card, dumb.handle, DRM_CLOEXEC, &fds[0]), 0);
	dumb_destroy(&dumb);
	info = drmModeGetFB2(card, id);
	CHECK(info != NULL);
	dumb.handle = info->handles[0];
	drmModeFreeFB2(info);
	fds[1] = dumb_export(&dumb);
	for (int i = 0; i < 2; i++) {
		struct dumb imported = dumb;

		CHECK_EQ(drmPrimeFDToHandle(card, fds[i], &handles[i]), 0);
		imported.handle = handles[i];
		data[i] = dumb_map(&imported);
	}
	CHECK_EQ(handles[1], dumb.handle);
	data[0][5] = 0x33;
	CHECK_EQ(data[1][5], 0x33);
	for (int i = 0; i < 2; i++) {
		munmap(data[i], dumb.size);
		close(fds[i]);
		drmCloseBufferHandle(card, handles[i]);
	}
	drmModeRmFB(card, id);
	close(card);
}

/* Without DRM_RDWR, who has the file may read. */
static void
read_only_of(int card)
{
	struct dumb dumb = dumb_create(card, WIDTH, HEIGHT);
	void *data;
	int fd;

	CHECK_EQ(drmPrimeHandleToFD(card, dumb.handle, DRM_CLOEXEC, &fd), 0);
	CHECK_ERRNO(EACCES, (long)mmap(NULL, dumb.size, PROT_READ | PROT_WRITE,
				       MAP_SHARED, fd, 0));
	data = mmap(NULL, dumb.size, PROT_READ, MAP_SHARED, fd, 0);
	CHECK(data != MAP_FAILED);
	CHECK_ERRNO(EACCES, mprotect(data, dumb.size, PROT_READ | PROT_WRITE));
	munmap(data, dumb.size);
	close(fd);
	dumb_destroy(&dumb);
}

static void
read_only(void)
{
	with_both(read_only_of);
}

/* What is exported is a buffer of bufalloc's, that nothing maps. */
static void
exports_ours(void)
{
	int card = drm_open_driver(OURS), stock = drm_open_driver("vkms");
	struct dumb dumb = dumb_create(card, WIDTH, HEIGHT);
	struct dumb foreign = dumb_create(stock, WIDTH, HEIGHT);
	int fd = dumb_export(&dumb), other = dumb_export(&foreign);
	int node = ba_open();
	struct bufalloc_buffer_info info = ba_buffer_info(node, fd);

	CHECK_EQ(info.out_length, dumb.size);
	CHECK_EQ(info.out_kernel_maps, 0);
	CHECK_EQ(info.out_mappings, 0);
	CHECK_EQ(info.out_attachments, 0);
	info = (struct bufalloc_buffer_info){ .size = sizeof(info), .fd = other };
	CHECK(ioctl(node, BUFALLOC_IOCTL_BUFFER_INFO, &info) != 0);
	close(other);
	close(fd);
	close(node);
	close(stock);
	close(card);
}

/* Imported by dma-buf @fd, ours shows the pattern in it, and cannot map it. */
static void
shows_import(int fd)
{
	struct display ours = display_open(OURS, WIDTH, HEIGHT);
	unsigned int pattern = display_pattern_crc(&ours);
	struct drm_mode_map_dumb map = { 0 };

	CHECK_EQ(drmPrimeFDToHandle(ours.card, fd, &map.handle), 0);
	CHECK_ERRNO(EINVAL, drmIoctl(ours.card, DRM_IOCTL_MODE_MAP_DUMB, &map));
	CHECK_EQ(display_crc_of(&ours, map.handle), pattern);
	drmCloseBufferHandle(ours.card, map.handle);
	close(ours.card);
}

static void
shows_a_dumb_buffer_of(const char *driver)
{
	int card = drm_open_driver(driver);
	struct dumb dumb = dumb_create(card, WIDTH, HEIGHT);
	uint8_t *data = dumb_map(&dumb);
	int fd = dumb_export(&dumb);

	pattern_fill(data, LENGTH);
	munmap(data, dumb.size);
	dumb_destroy(&dumb);
	shows_import(fd);
	close(fd);
	close(card);
}

static void
shows_stock(void)
{
	shows_a_dumb_buffer_of("vkms");
}

static void
shows_vgem(void)
{
	shows_a_dumb_buffer_of("vgem");
}

static void
fill_by_sync(int fd)
{
	void *data = ba_map(fd, LENGTH);

	ba_sync(fd, DMA_BUF_SYNC_START | DMA_BUF_SYNC_WRITE);
	pattern_fill(data, LENGTH);
	ba_sync(fd, DMA_BUF_SYNC_END | DMA_BUF_SYNC_WRITE);
	munmap(data, LENGTH);
}

static void
shows_bufalloc(void)
{
	int node = ba_open();

	for (uint32_t heap = BUFALLOC_HEAP_SYSTEM; heap <= BUFALLOC_HEAP_CONTIG; heap++) {
		int fd = ba_alloc(node, heap, LENGTH);

		fill_by_sync(fd);
		shows_import(fd);
		CHECK_WITHIN_1S(ba_buffer_info(node, fd).out_attachments == 0);
		close(fd);
	}
	close(node);
}

static void
shows_dma_heap(void)
{
	int heap = dma_heap_open_system();
	int fd;

	if (heap < 0) {
		ktest_skip("no dma-heap");
	}
	fd = dma_heap_try_alloc(heap, LENGTH);
	CHECK(fd >= 0);
	fill_by_sync(fd);
	shows_import(fd);
	close(fd);
	close(heap);
}

/* The other way: vkms as it is shows our dumb buffer. */
static void
stock_shows_ours(void)
{
	struct display stock = display_open("vkms", WIDTH, HEIGHT);
	unsigned int pattern = display_pattern_crc(&stock);
	int card = drm_open_driver(OURS);
	struct dumb dumb = dumb_create(card, WIDTH, HEIGHT);
	uint8_t *data = dumb_map(&dumb);
	int fd = dumb_export(&dumb);
	uint32_t handle;

	pattern_fill(data, LENGTH);
	munmap(data, dumb.size);
	dumb_destroy(&dumb);
	close(card);
	CHECK_EQ(drmPrimeFDToHandle(stock.card, fd, &handle), 0);
	CHECK_EQ(display_crc_of(&stock, handle), pattern);
	drmCloseBufferHandle(stock.card, handle);
	close(fd);
	close(stock.card);
}

/* What ALLOC is told of it, and does for it. */
static void
as_a_device(void)
{
	int card = drm_open_driver(OURS), node = ba_open(), fd;
	struct bufalloc_device_info info = {
		.size = sizeof(info), .fd = card, .access = BUFALLOC_ACCESS_READ,
	};
	struct ba_outcome outcome;
	uint32_t handle;

	CHECK_EQ(ioctl(node, BUFALLOC_IOCTL_DEVICE_INFO, &info), 0);
	CHECK_EQ(info.out_flags,
		 BUFALLOC_DEVICE_NO_DMA | BUFALLOC_DEVICE_NEEDS_VMAP);
	outcome = ba_alloc_for(node, BUFALLOC_HEAP_AUTO, LENGTH, &card, 1, 0);
	CHECK(outcome.fd >= 0);
	CHECK_EQ(drmPrimeFDToHandle(card, outcome.fd, &handle), 0);
	CHECK_EQ(ba_buffer_info(node, outcome.fd).out_attachments, 1);
	CHECK_EQ(ba_buffer_info(node, outcome.fd).out_mappings, 0);
	close(outcome.fd);
	drmCloseBufferHandle(card, handle);

	/* Nothing could show it, so that the import says so. */
	fd = ba_alloc_with(node, BUFALLOC_HEAP_CONTIG, LENGTH,
			   BUFALLOC_ATTRIBUTE_NEVER_CPU);
	CHECK_ERRNO(EINVAL, drmPrimeFDToHandle(card, fd, &handle));
	CHECK_EQ(ba_buffer_info(node, fd).out_attachments, 0);
	close(fd);
	close(node);
	close(card);
}

/* A buffer lives on in who imported it, when the process that made it is gone. */
static void
maker_dies(void)
{
	struct display display = display_open(OURS, WIDTH, HEIGHT);
	unsigned int pattern = display_pattern_crc(&display);
	int pipes[2], pidfd, fd, remote, status;
	uint32_t handle;
	pid_t child;

	CHECK_EQ(pipe(pipes), 0);
	child = fork();
	if (child == 0) {
		int card = drm_open_driver(OURS);
		struct dumb dumb = dumb_create(card, WIDTH, HEIGHT);
		uint8_t *data = dumb_map(&dumb);

		pattern_fill(data, LENGTH);
		fd = dumb_export(&dumb);
		if (write(pipes[1], &fd, sizeof(fd)) != sizeof(fd)) {
			_exit(1);
		}
		pause();
		_exit(0);
	}
	CHECK_EQ(read(pipes[0], &remote, sizeof(remote)), sizeof(remote));
	pidfd = (int)syscall(SYS_pidfd_open, child, 0);
	CHECK(pidfd >= 0);
	fd = (int)syscall(SYS_pidfd_getfd, pidfd, remote, 0);
	CHECK(fd >= 0);
	kill(child, SIGKILL);
	CHECK_EQ(waitpid(child, &status, 0), child);
	CHECK_EQ(drmPrimeFDToHandle(display.card, fd, &handle), 0);
	close(fd);
	CHECK_EQ(display_crc_of(&display, handle), pattern);
	drmCloseBufferHandle(display.card, handle);
	close(pidfd);
	close(pipes[0]);
	close(pipes[1]);
	close(display.card);
}

static const struct ktest_row rows[] = {
	{ "self-import-is-the-object", self_import },
	{ "exported-twice-is-one-memory", exported_twice },
	{ "read-only-export-eacces", read_only },
	{ "exports-a-buffer-of-ours", exports_ours },
	{ "shows-a-buffer-of-vkms", shows_stock },
	{ "shows-a-buffer-of-vgem", shows_vgem },
	{ "shows-buffers-of-bufalloc", shows_bufalloc },
	{ "shows-a-buffer-of-dma-heap", shows_dma_heap },
	{ "vkms-shows-ours", stock_shows_ours },
	{ "device-that-needs-a-kernel-mapping", as_a_device },
	{ "maker-dies", maker_dies },
};

int
main(void)
{
	return ktest_main(rows, sizeof(rows) / sizeof(rows[0]));
}
