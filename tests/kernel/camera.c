// SPDX-License-Identifier: MIT
/*
 * vivid as a camera; see camera.h.
 */
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "camera.h"
#include "ktest.h"

size_t
camera_start(int camera)
{
	struct v4l2_format format = {
		.type = V4L2_BUF_TYPE_VIDEO_CAPTURE,
		.fmt.pix = {
			.width = 1920,
			.height = 1080,
			.pixelformat = V4L2_PIX_FMT_XBGR32,
			.field = V4L2_FIELD_NONE,
		},
	};
	char link[64], path[64] = "", command[256];
	ssize_t n;

	snprintf(link, sizeof(link), "/proc/self/fd/%d", camera);
	n = readlink(link, path, sizeof(path) - 1);
	CHECK(n > 0);
	snprintf(command, sizeof(command),
		 "v4l2-ctl -d %s -c osd_text_mode=2 >/dev/null", path);
	CHECK_EQ(system(command), 0);
	CHECK_EQ(ioctl(camera, VIDIOC_S_FMT, &format), 0);
	CHECK_EQ(format.fmt.pix.pixelformat, V4L2_PIX_FMT_XBGR32);
	CHECK_EQ(format.fmt.pix.width, 1920);
	return format.fmt.pix.sizeimage;
}

void
camera_request(int camera, enum v4l2_memory memory, uint32_t count)
{
	struct v4l2_requestbuffers request = {
		.count = count,
		.type = V4L2_BUF_TYPE_VIDEO_CAPTURE,
		.memory = memory,
	};

	CHECK_EQ(ioctl(camera, VIDIOC_REQBUFS, &request), 0);
}

void
camera_stream(int camera, bool on)
{
	int type = V4L2_BUF_TYPE_VIDEO_CAPTURE;

	CHECK_EQ(ioctl(camera, on ? VIDIOC_STREAMON : VIDIOC_STREAMOFF, &type), 0);
}

int
camera_queue(int camera, uint32_t index, int fd, uint32_t length)
{
	struct v4l2_buffer buffer = {
		.index = index,
		.type = V4L2_BUF_TYPE_VIDEO_CAPTURE,
		.memory = fd < 0 ? V4L2_MEMORY_MMAP : V4L2_MEMORY_DMABUF,
		.m.fd = fd,
		.length = length,
	};

	if (fd < 0) {
		buffer.m.offset = 0;
	}
	return ioctl(camera, VIDIOC_QBUF, &buffer);
}

uint32_t
camera_dequeue(int camera, enum v4l2_memory memory)
{
	struct v4l2_buffer buffer = {
		.type = V4L2_BUF_TYPE_VIDEO_CAPTURE,
		.memory = memory,
	};
	struct pollfd ready = { .fd = camera, .events = POLLIN };

	CHECK_EQ(poll(&ready, 1, 10000), 1);
	CHECK_EQ(ioctl(camera, VIDIOC_DQBUF, &buffer), 0);
	CHECK((buffer.flags & V4L2_BUF_FLAG_ERROR) == 0);
	return buffer.index;
}
