// SPDX-License-Identifier: MIT
/*
 * Cameras, and devices that convert.
 */
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <linux/videodev2.h>

#include "run.h"

/* In the class of the API with one plane, or of the one with several. */
static uint32_t
buffer_type(const struct slot *device, uint64_t output)
{
	if (device->device == DEVICE_VIM2M) {
		return output ? V4L2_BUF_TYPE_VIDEO_OUTPUT :
				V4L2_BUF_TYPE_VIDEO_CAPTURE;
	}
	return device->device == DEVICE_VIVID_OUTPUT ? V4L2_BUF_TYPE_VIDEO_OUTPUT :
						       V4L2_BUF_TYPE_VIDEO_CAPTURE;
}

static const struct slot *
video(struct run *run, uint64_t arg)
{
	const struct slot *device = run_device(run, arg);

	return device != NULL && device_class_of(device->device) == CLASS_V4L2 ?
		       device :
		       NULL;
}

long
op_format(struct run *run, const uint64_t *args)
{
	static const uint32_t pixels[] = {
		V4L2_PIX_FMT_XBGR32, V4L2_PIX_FMT_YUYV, V4L2_PIX_FMT_RGB565,
		V4L2_PIX_FMT_NV12, V4L2_PIX_FMT_GREY, V4L2_PIX_FMT_YUV420,
	};
	const struct slot *device = video(run, args[0]);
	struct v4l2_format format = { 0 };

	if (device == NULL) {
		return -1;
	}
	format.type = buffer_type(device, args[1]);
	format.fmt.pix.width = (uint32_t)args[2];
	format.fmt.pix.height = (uint32_t)args[3];
	format.fmt.pix.pixelformat = pixels[args[4] % 6];
	return ioctl(device->fd, VIDIOC_S_FMT, &format);
}

static long
request(const struct slot *device, uint32_t type, uint32_t memory, uint32_t count)
{
	struct v4l2_requestbuffers buffers = {
		.count = count, .type = type, .memory = memory,
	};

	return ioctl(device->fd, VIDIOC_REQBUFS, &buffers);
}

long
op_request(struct run *run, const uint64_t *args)
{
	const struct slot *device = video(run, args[0]);
	struct v4l2_create_buffers create = { 0 };

	if (device == NULL) {
		return -1;
	}
	if (!(args[4] & 1)) {
		/* Thirty-three frames would be a long time. */
		return request(device, buffer_type(device, args[1]),
			       (uint32_t)args[2],
			       (uint32_t)(args[3] > 4 ? args[3] % 5 : args[3]));
	}
	create.format.type = buffer_type(device, args[1]);
	if (ioctl(device->fd, VIDIOC_G_FMT, &create.format) != 0) {
		return -1;
	}
	create.count = (uint32_t)(args[3] & 3);
	create.memory = (uint32_t)args[2];
	return ioctl(device->fd, VIDIOC_CREATE_BUFS, &create);
}

static long
queue(const struct slot *device, struct v4l2_buffer *buffer, bool prepare)
{
	buffer->field = V4L2_FIELD_NONE;
	buffer->bytesused = 1;
	return ioctl(device->fd, prepare ? VIDIOC_PREPARE_BUF : VIDIOC_QBUF, buffer);
}

long
op_queue(struct run *run, const uint64_t *args)
{
	const struct slot *device = video(run, args[0]);
	struct v4l2_buffer buffer = { 0 };
	long ret;

	if (device == NULL) {
		return -1;
	}
	buffer.type = buffer_type(device, args[1]);
	buffer.memory = (uint32_t)args[2];
	buffer.index = (uint32_t)args[3];
	buffer.length = (uint32_t)args[6];
	if (buffer.memory == V4L2_MEMORY_DMABUF) {
		buffer.m.fd = run_fd(run, args[4]);
		/* What is too short for that is not attached: see is_spared(). */
		if ((off_t)buffer.length > lseek(buffer.m.fd, 0, SEEK_END)) {
			buffer.length = 0;
		}
	} else if (buffer.memory == V4L2_MEMORY_USERPTR) {
		buffer.m.userptr = (uintptr_t)run_memory(run, args[5], 0);
		/* Frames must not go where there is no memory of the program's. */
		if (args[5] == NO_RESULT || args[5] >= run->at ||
		    args[6] > run->slots[args[5]].length) {
			return -1;
		}
	}
	ret = queue(device, &buffer, args[7] & 1);
	if (ret == 0 && buffer.memory == V4L2_MEMORY_DMABUF && !run->imported) {
		run->imported = run_is_ours(run, buffer.m.fd);
	}
	return ret;
}

/* A small picture, and one buffer for it. */
long
video_import(struct run *run, const struct slot *device, int fd, uint64_t how)
{
	struct v4l2_buffer buffer = {
		.type = buffer_type(device, how >> 1),
		.memory = V4L2_MEMORY_DMABUF,
		.m.fd = fd,
	};
	struct v4l2_format format = { .type = buffer.type };

	(void)run;
	format.fmt.pix.width = 64;
	format.fmt.pix.height = 32;
	format.fmt.pix.pixelformat = V4L2_PIX_FMT_XBGR32;
	if (how != 4) {
		ioctl(device->fd, VIDIOC_S_FMT, &format);
	}
	if (request(device, buffer.type, buffer.memory, 1) != 0) {
		return -1;
	}
	/* Without a length it is all of the dma-buf. */
	return queue(device, &buffer, how < 3);
}

long
op_dequeue(struct run *run, const uint64_t *args)
{
	const struct slot *device = video(run, args[0]);
	struct v4l2_buffer buffer = { .memory = (uint32_t)args[2] };

	if (device == NULL) {
		return -1;
	}
	buffer.type = buffer_type(device, args[1]);
	return ioctl(device->fd, VIDIOC_DQBUF, &buffer);
}

long
op_stream(struct run *run, const uint64_t *args)
{
	const struct slot *device = video(run, args[0]);
	int type;

	if (device == NULL) {
		return -1;
	}
	type = (int)buffer_type(device, args[1]);
	return ioctl(device->fd, args[2] & 1 ? VIDIOC_STREAMON : VIDIOC_STREAMOFF,
		     &type);
}

long
op_export_video(struct run *run, const uint64_t *args)
{
	const struct slot *device = video(run, args[0]);
	struct v4l2_exportbuffer export = { .fd = -1 };

	if (device == NULL) {
		return -1;
	}
	export.type = buffer_type(device, args[1]);
	export.index = (uint32_t)args[2];
	export.flags = (uint32_t)args[3];
	if (ioctl(device->fd, VIDIOC_EXPBUF, &export) != 0) {
		return -1;
	}
	return run_made_fd(run, export.fd);
}

long
op_map_video(struct run *run, const uint64_t *args)
{
	const struct slot *device = video(run, args[0]);
	struct v4l2_buffer buffer = { .memory = V4L2_MEMORY_MMAP };

	if (device == NULL) {
		return -1;
	}
	buffer.type = buffer_type(device, args[1]);
	buffer.index = (uint32_t)args[2];
	if (ioctl(device->fd, VIDIOC_QUERYBUF, &buffer) != 0 ||
	    run_place(run, buffer.length) == NULL) {
		return -1;
	}
	return run_made_map(run, mmap(run_place(run, buffer.length), buffer.length,
				      (int)args[3] & 7, MAP_SHARED | MAP_FIXED,
				      device->fd, buffer.m.offset),
			    buffer.length);
}
