// SPDX-License-Identifier: MIT
/*
 * A frame in a process's own memory, given to V4L2 OUTPUT queues as a dma-buf: no
 * copy on the way to the driver. 1080p, or what vim2m takes at most.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <linux/videodev2.h>

#include "user.h"

#define WIDTH 1920
#define HEIGHT 1080
/* NV12. */
#define FRAME ((size_t)WIDTH * HEIGHT * 3 / 2)
#define LENGTH ((FRAME + PAGE - 1) / PAGE * PAGE)

/* A node of that driver; the row is skipped if there is none. */
static int
open_node(const char *driver, uint32_t capability)
{
	for (int i = 0; i < 16; i++) {
		struct v4l2_capability cap;
		char path[32];
		int fd;

		snprintf(path, sizeof(path), "/dev/video%d", i);
		fd = open(path, O_RDWR | O_CLOEXEC);
		if (fd < 0) {
			continue;
		}
		if (ioctl(fd, VIDIOC_QUERYCAP, &cap) == 0 &&
		    strcmp((char *)cap.driver, driver) == 0 &&
		    (cap.device_caps & capability)) {
			return fd;
		}
		close(fd);
	}
	ktest_skip("no such node of %s", driver);
}

/* 1080p, or the driver's next best. Returns the bytes of a frame. */
static size_t
set_format(int node, uint32_t type, uint32_t pixels)
{
	struct v4l2_format format = {
		.type = type,
		.fmt.pix = {
			.width = WIDTH,
			.height = HEIGHT,
			.pixelformat = pixels,
			.field = V4L2_FIELD_NONE,
		},
	};

	CHECK_EQ(ioctl(node, VIDIOC_S_FMT, &format), 0);
	CHECK_EQ(format.fmt.pix.pixelformat, pixels);
	return format.fmt.pix.sizeimage;
}

static void
request(int node, uint32_t type, uint32_t memory, uint32_t count)
{
	struct v4l2_requestbuffers request = {
		.count = count,
		.type = type,
		.memory = memory,
	};

	CHECK_EQ(ioctl(node, VIDIOC_REQBUFS, &request), 0);
}

static struct v4l2_buffer
buffer_of(uint32_t type, uint32_t index, int fd, size_t length)
{
	return (struct v4l2_buffer){
		.index = index,
		.type = type,
		.memory = fd < 0 ? V4L2_MEMORY_MMAP : V4L2_MEMORY_DMABUF,
		.m.fd = fd < 0 ? 0 : fd,
		.bytesused = V4L2_TYPE_IS_OUTPUT(type) ? (uint32_t)length : 0,
		.length = (uint32_t)length,
		.field = V4L2_FIELD_NONE,
	};
}

static void
stream(int node, uint32_t type, bool on)
{
	int arg = (int)type;

	CHECK_EQ(ioctl(node, on ? VIDIOC_STREAMON : VIDIOC_STREAMOFF, &arg), 0);
}

static void
queue(int node, uint32_t type, uint32_t index, int fd, size_t length)
{
	struct v4l2_buffer buffer = buffer_of(type, index, fd, length);

	CHECK_EQ(ioctl(node, VIDIOC_QBUF, &buffer), 0);
}

static void
dequeue(int node, uint32_t type, int fd)
{
	struct v4l2_buffer buffer = buffer_of(type, 0, fd, 0);
	struct pollfd ready = {
		.fd = node,
		.events = V4L2_TYPE_IS_OUTPUT(type) ? POLLOUT : POLLIN,
	};

	CHECK_EQ(poll(&ready, 1, 10000), 1);
	CHECK_EQ(ioctl(node, VIDIOC_DQBUF, &buffer), 0);
	CHECK((buffer.flags & V4L2_BUF_FLAG_ERROR) == 0);
}

static void
set_1080p(int node)
{
	struct v4l2_enum_dv_timings each = { 0 };

	for (; ioctl(node, VIDIOC_ENUM_DV_TIMINGS, &each) == 0; each.index++) {
		if (each.timings.bt.width == WIDTH &&
		    each.timings.bt.height == HEIGHT &&
		    !each.timings.bt.interlaced) {
			break;
		}
	}
	CHECK_EQ(ioctl(node, VIDIOC_S_DV_TIMINGS, &each.timings), 0);
}

/* Controls of vivid's own (drivers/media/test-drivers/vivid/vivid-ctrls.c). */
#define OSD_TEXT_MODE 0x00f0f001
#define LOOP_VIDEO 0x00f0f025
/* Of later kernels instead: a menu; its first two items are no outputs. */
#define IS_CONNECTED_TO 0x00f0f071

static int
set_control(int node, uint32_t id, int value)
{
	struct v4l2_control control = { .id = id, .value = value };

	return ioctl(node, VIDIOC_S_CTRL, &control);
}

/* What vivid puts out by HDMI comes in as the pictures of its camera. */
static int
loop_of(void)
{
	int camera = vivid_open(), hdmi = 3;

	CHECK_EQ(ioctl(camera, VIDIOC_S_INPUT, &hdmi), 0);
	CHECK_EQ(set_control(camera, OSD_TEXT_MODE, 2), 0);
	CHECK(set_control(camera, LOOP_VIDEO, 1) == 0 ||
	      set_control(camera, IS_CONNECTED_TO, 2) == 0);
	set_1080p(camera);
	CHECK_EQ(set_format(camera, V4L2_BUF_TYPE_VIDEO_CAPTURE,
			    V4L2_PIX_FMT_NV12), FRAME);
	return camera;
}

/*
 * One of the camera's next pictures must be that. The first may be of a moment
 * that had none: the camera and the output have a thread each.
 */
static void
check_looped(int camera, const uint8_t *frame)
{
	const uint32_t type = V4L2_BUF_TYPE_VIDEO_CAPTURE;
	struct v4l2_buffer buffer = buffer_of(type, 0, -1, 0);
	uint8_t *data;

	request(camera, type, V4L2_MEMORY_MMAP, 1);
	CHECK_EQ(ioctl(camera, VIDIOC_QUERYBUF, &buffer), 0);
	data = mmap(NULL, buffer.length, PROT_READ | PROT_WRITE, MAP_SHARED,
		    camera, buffer.m.offset);
	CHECK(data != MAP_FAILED);
	memset(data, 0, FRAME);
	queue(camera, type, 0, -1, FRAME);
	stream(camera, type, true);
	dequeue(camera, type, -1);
	for (int i = 0; i < 30 && memcmp(data, frame, FRAME) != 0; i++) {
		queue(camera, type, 0, -1, FRAME);
		dequeue(camera, type, -1);
	}
	CHECK_EQ(memcmp(data, frame, FRAME), 0);
	stream(camera, type, false);
	munmap(data, buffer.length);
	request(camera, type, V4L2_MEMORY_MMAP, 0);
}

/*
 * vivid reads it by a kernel mapping, one frame after the other, and its camera
 * shows what was read.
 */
static void
vivid_output(void)
{
	const uint32_t type = V4L2_BUF_TYPE_VIDEO_OUTPUT;
	int output = open_node("vivid", V4L2_CAP_VIDEO_OUTPUT), hdmi = 1;
	int camera = loop_of();
	struct ba_outcome outcomes[2];
	uint8_t *memory[2];
	int node = ba_open();

	CHECK_EQ(ioctl(output, VIDIOC_S_OUTPUT, &hdmi), 0);
	set_1080p(output);
	CHECK_EQ(set_format(output, type, V4L2_PIX_FMT_NV12), FRAME);
	request(output, type, V4L2_MEMORY_DMABUF, 2);
	/* It keeps the last one that it has. */
	for (uint32_t i = 0; i < 2; i++) {
		memory[i] = user_scattered(LENGTH);
		pattern_fill(memory[i], LENGTH);
		outcomes[i] = user_import_for(node, memory[i], LENGTH, 0,
					      &output, 1, BUFALLOC_ACCESS_READ);
		CHECK(outcomes[i].fd >= 0);
		CHECK_EQ(outcomes[i].devices[0].out_proof,
			 BUFALLOC_PROOF_VMAPPED);
		queue(output, type, i, outcomes[i].fd, FRAME);
	}
	stream(output, type, true);
	dequeue(output, type, outcomes[0].fd);
	CHECK_EQ(ba_buffer_info(node, outcomes[0].fd).out_kernel_maps, 1);
	check_looped(camera, memory[1]);
	stream(output, type, false);
	request(output, type, V4L2_MEMORY_DMABUF, 0);
	for (int i = 0; i < 2; i++) {
		CHECK_EQ(ba_buffer_info(node, outcomes[i].fd).out_kernel_maps, 0);
		CHECK_EQ(pattern_mismatch(memory[i], LENGTH), LENGTH);
		munmap(memory[i], LENGTH);
		close(outcomes[i].fd);
	}
	close(node);
	close(camera);
	close(output);
}

/* vim2m reads it and writes the same bytes to a buffer of its own. */
static void
vim2m(void)
{
	const uint32_t out = V4L2_BUF_TYPE_VIDEO_OUTPUT;
	const uint32_t cap = V4L2_BUF_TYPE_VIDEO_CAPTURE;
	int codec = open_node("vim2m", V4L2_CAP_VIDEO_M2M);
	struct v4l2_buffer buffer = buffer_of(cap, 0, -1, 0);
	uint8_t *memory = user_scattered(LENGTH), *result;
	int node = ba_open();
	size_t frame;
	int fd;

	pattern_fill(memory, LENGTH);
	frame = set_format(codec, out, V4L2_PIX_FMT_RGB565X);
	CHECK(frame >= (size_t)640 * 480 * 2 && frame <= LENGTH);
	CHECK_EQ(set_format(codec, cap, V4L2_PIX_FMT_RGB565X), frame);
	fd = user_import(node, memory, LENGTH, 0);
	request(codec, out, V4L2_MEMORY_DMABUF, 1);
	request(codec, cap, V4L2_MEMORY_MMAP, 1);
	CHECK_EQ(ioctl(codec, VIDIOC_QUERYBUF, &buffer), 0);
	result = mmap(NULL, buffer.length, PROT_READ, MAP_SHARED, codec,
		      buffer.m.offset);
	CHECK(result != MAP_FAILED);
	queue(codec, out, 0, fd, frame);
	queue(codec, cap, 0, -1, frame);
	stream(codec, out, true);
	stream(codec, cap, true);
	dequeue(codec, cap, -1);
	CHECK_EQ(memcmp(result, memory, frame), 0);
	dequeue(codec, out, fd);
	stream(codec, out, false);
	stream(codec, cap, false);
	munmap(result, buffer.length);
	request(codec, out, V4L2_MEMORY_DMABUF, 0);
	request(codec, cap, V4L2_MEMORY_MMAP, 0);
	munmap(memory, LENGTH);
	close(fd);
	close(node);
	close(codec);
}

static const struct ktest_row rows[] = {
	{ "vivid-output", vivid_output },
	{ "vim2m-output", vim2m },
};

int
main(void)
{
	return ktest_main(rows, sizeof(rows) / sizeof(rows[0]));
}
