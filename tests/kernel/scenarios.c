// SPDX-License-Identifier: MIT
#include <fcntl.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <drm_fourcc.h>
#include <linux/dma-buf.h>
#include <xf86drm.h>

#include "camera.h"
#include "display.h"
#include "fwfile.h"
#include "ktest.h"
#include "scenarios.h"
#include "user.h"

#define LENGTH ((size_t)1 << 20)
/* Longer than the page allocator's largest block. */
#define RANGE ((size_t)8 << 20)
#define FIRMWARE "scenario.bin"
/* Both vivid and vkms have that. */
#define WIDTH 640
#define HEIGHT 480
#define FRAMES 2

/* Found before: to look for them takes more calls than all else. */
static char vgem[64], gem[64], copying[64], mapping[64], screen[64];
static struct display display;

/* Where the open @fd is in the file system; closes it. */
static void
keep_path(char *path, int fd)
{
	char link[64];
	ssize_t n;

	if (fd < 0) {
		ktest_skip("a driver is missing");
	}
	snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
	n = readlink(link, path, 63);
	CHECK(n > 0);
	path[n] = '\0';
	close(fd);
}

void
scenarios_set_up(void)
{
	fwfile_set_up();
	fwfile_make(FIRMWARE, LENGTH / 2, 1);
	keep_path(vgem, drm_open_driver("vgem"));
	keep_path(gem, drm_open_driver("ba_vkms"));
	keep_path(copying, v4l2_try_open("vivid-000-vid-cap"));
	keep_path(mapping, v4l2_try_open("vivid-001-vid-cap"));
	display = display_open("vkms", WIDTH, HEIGHT);
	keep_path(screen, display.card);
}

static int
open_path(const char *path)
{
	int fd = open(path, O_RDWR | O_CLOEXEC);

	CHECK(fd >= 0);
	return fd;
}

/* A display imports it, and the CPU writes. */
static void
share_buffer(uint32_t heap, size_t length)
{
	int node = ba_open();
	int fd = ba_alloc(node, heap, length);
	uint8_t *data = ba_map(fd, length);
	int card = open_path(vgem);
	uint32_t handle;

	CHECK_EQ(drmPrimeFDToHandle(card, fd, &handle), 0);
	ba_sync(fd, DMA_BUF_SYNC_START | DMA_BUF_SYNC_RW);
	data[0] = 1;
	ba_sync(fd, DMA_BUF_SYNC_END | DMA_BUF_SYNC_RW);
	CHECK_EQ(drmCloseBufferHandle(card, handle), 0);
	munmap(data, length);
	close(fd);
	close(card);
	close(node);
}

static void
share_system(void)
{
	share_buffer(BUFALLOC_HEAP_SYSTEM, LENGTH);
}

static void
share_block(void)
{
	share_buffer(BUFALLOC_HEAP_CONTIG, LENGTH);
}

static void
share_range(void)
{
	share_buffer(BUFALLOC_HEAP_CONTIG, RANGE);
}

static size_t
set_format(int camera)
{
	struct v4l2_format format = {
		.type = V4L2_BUF_TYPE_VIDEO_CAPTURE,
		.fmt.pix = {
			.width = WIDTH,
			.height = HEIGHT,
			.pixelformat = V4L2_PIX_FMT_XBGR32,
			.field = V4L2_FIELD_NONE,
		},
	};

	CHECK_EQ(ioctl(camera, VIDIOC_S_FMT, &format), 0);
	CHECK_EQ(format.fmt.pix.sizeimage, WIDTH * HEIGHT * 4);
	return format.fmt.pix.sizeimage;
}

/* Buffers for both: the camera captures into them, the display shows one. */
static void
show_camera(void)
{
	struct display mine = display;
	int node = ba_open();
	int camera = open_path(copying);
	size_t length = set_format(camera);
	int devices[2] = { camera };
	uint32_t handle, fb, index;
	int fds[FRAMES];

	devices[1] = mine.card = open_path(screen);
	camera_request(camera, V4L2_MEMORY_DMABUF, FRAMES);
	for (uint32_t i = 0; i < FRAMES; i++) {
		fds[i] = ba_alloc_for(node, BUFALLOC_HEAP_AUTO, length, devices,
				      2, 0).fd;
		CHECK(fds[i] >= 0);
		CHECK_EQ(camera_queue(camera, i, fds[i], (uint32_t)length), 0);
	}
	camera_stream(camera, true);
	index = camera_dequeue(camera, V4L2_MEMORY_DMABUF);
	CHECK_EQ(drmPrimeFDToHandle(mine.card, fds[index], &handle), 0);
	fb = display_add(&mine, handle, WIDTH * 4);
	display_show(&mine, fb);
	camera_stream(camera, false);
	CHECK_EQ(drmModeRmFB(mine.card, fb), 0);
	close(mine.card);
	close(camera);
	for (uint32_t i = 0; i < FRAMES; i++) {
		close(fds[i]);
	}
	close(node);
}

/* A camera whose own buffers are bufalloc's. */
static void
export_camera(void)
{
	struct v4l2_exportbuffer export = {
		.type = V4L2_BUF_TYPE_VIDEO_CAPTURE,
		.flags = O_RDWR | O_CLOEXEC,
	};
	int camera = open_path(mapping);
	size_t length = set_format(camera);
	int card = open_path(vgem);
	uint32_t handle;
	void *data;

	camera_request(camera, V4L2_MEMORY_MMAP, FRAMES);
	data = mmap(NULL, length, PROT_READ | PROT_WRITE, MAP_SHARED, camera, 0);
	CHECK(data != MAP_FAILED);
	CHECK_EQ(ioctl(camera, VIDIOC_EXPBUF, &export), 0);
	CHECK_EQ(drmPrimeFDToHandle(card, export.fd, &handle), 0);
	for (uint32_t i = 0; i < FRAMES; i++) {
		CHECK_EQ(camera_queue(camera, i, -1, (uint32_t)length), 0);
	}
	camera_stream(camera, true);
	camera_dequeue(camera, V4L2_MEMORY_MMAP);
	camera_stream(camera, false);
	munmap(data, length);
	close(camera);
	close(export.fd);
	close(card);
}

/* A display whose objects are bufalloc's. */
static void
draw_dumb(void)
{
	int card = open_path(gem);
	int other = open_path(vgem);
	struct dumb dumb = dumb_create(card, WIDTH, HEIGHT);
	uint8_t *data = dumb_map(&dumb);
	int fd = dumb_export(&dumb);
	uint32_t handle;

	data[0] = 1;
	CHECK_EQ(drmPrimeFDToHandle(other, fd, &handle), 0);
	dumb_destroy(&dumb);
	munmap(data, dumb.size);
	close(card);
	close(fd);
	close(other);
}

/* Memory of the process's own. */
static void
import_memory(void)
{
	static const uint8_t bytes[3 * PAGE];
	int node = ba_open();
	uint8_t *data = user_anonymous(LENGTH, MAP_PRIVATE);
	int fd = user_import(node, data, LENGTH, 0);
	struct bufalloc_sync_range sync = {
		.size = sizeof(sync),
		.fd = fd,
		.flags = BUFALLOC_SYNC_READ,
		.length = 100,
	};

	CHECK_EQ(ioctl(node, BUFALLOC_IOCTL_SYNC_RANGE, &sync), 0);
	ba_copy(node, fd, BUFALLOC_COPY_IN, 0, sizeof(bytes), bytes);
	munmap(data, LENGTH);
	close(fd);
	close(node);
}

static void
load_firmware(void)
{
	int node = ba_open();
	int fd = ba_alloc(node, BUFALLOC_HEAP_SYSTEM, LENGTH);
	struct bufalloc_load_firmware load = {
		.size = sizeof(load),
		.fd = fd,
		.name = (uintptr_t)FIRMWARE,
	};

	CHECK_EQ(ioctl(node, BUFALLOC_IOCTL_LOAD_FIRMWARE, &load), 0);
	close(fd);
	close(node);
}

const struct scenario scenarios[] = {
	{ "a buffer of pages", share_system, false },
	{ "a block", share_block, false },
	{ "a range", share_range, false },
	{ "camera to display", show_camera, true },
	{ "a camera's buffers", export_camera, true },
	{ "a display's buffer", draw_dumb, false },
	{ "imported memory", import_memory, false },
	{ "firmware", load_firmware, false },
};
const size_t scenario_count = sizeof(scenarios) / sizeof(scenarios[0]);
