// SPDX-License-Identifier: MIT
#include "video.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <linux/v4l2-dv-timings.h>
#include <linux/videodev2.h>
#include <xf86drm.h>
#include <xf86drmMode.h>

#include "ktest.h"

#define TYPE V4L2_BUF_TYPE_VIDEO_CAPTURE

/* vivid's inputs are webcam, TV, S-Video and HDMI. */
static int
open_input(int input)
{
	int fd = vivid_open();

	CHECK(ioctl(fd, VIDIOC_S_INPUT, &input) == 0);
	return fd;
}

int
video_camera(void)
{
	struct v4l2_dv_timings timings = V4L2_DV_BT_CEA_1920X1080P30;
	int fd = open_input(3);

	CHECK(ioctl(fd, VIDIOC_S_DV_TIMINGS, &timings) == 0);
	return fd;
}

int
video_webcam(void)
{
	return open_input(0);
}

int
video_display(void)
{
	return drm_open_driver("vkms");
}

struct bufalloc_request *
video_request(int camera, int display)
{
	struct bufalloc_request *req = NULL;

	CHECK_EQ(bufalloc_request_new(&req), 0);
	bufalloc_request_set_name(req, "lib-test");
	CHECK_EQ(bufalloc_request_set_format(req, VIDEO_FOURCC, VIDEO_WIDTH,
					     VIDEO_HEIGHT),
		 0);
	if (camera >= 0) {
		CHECK_EQ(bufalloc_request_add_device(req, camera,
						     BUFALLOC_WRITE),
			 0);
	}
	if (display >= 0) {
		CHECK_EQ(bufalloc_request_add_device(req, display,
						     BUFALLOC_READ),
			 0);
	}
	return req;
}

int
video_alloc(const char *backends, const struct bufalloc_request *req,
	    struct bufalloc_buf **buf, struct bufalloc_verdict **verdict_ptr)
{
	struct bufalloc_options options = {
		.size = sizeof(options),
		.backends = backends,
	};
	struct bufalloc_verdict *verdict = NULL;
	struct bufalloc_ctx *ctx = NULL;
	int ret;

	CHECK_EQ(bufalloc_open(&ctx, &options), 0);
	*buf = NULL;
	ret = bufalloc_alloc(ctx, req, buf, &verdict);
	bufalloc_close(ctx);
	CHECK(verdict != NULL);
	ktest_note("%s", bufalloc_verdict_text(verdict));
	CHECK_EQ(bufalloc_verdict_get_error(verdict), ret);
	CHECK_EQ(*buf != NULL, ret == 0);
	CHECK_EQ(bufalloc_verdict_get_backend(verdict) != NULL, ret == 0);
	if (verdict_ptr != NULL) {
		*verdict_ptr = verdict;
	} else {
		bufalloc_verdict_destroy(verdict);
	}
	return ret;
}

static void
set_format(int camera, const struct bufalloc_layout *layout)
{
	struct v4l2_format format = { .type = TYPE };

	format.fmt.pix.width = layout->width;
	format.fmt.pix.height = layout->height;
	format.fmt.pix.pixelformat = layout->pixelformat;
	format.fmt.pix.bytesperline = layout->planes[0].stride;
	CHECK(ioctl(camera, VIDIOC_S_FMT, &format) == 0);
	CHECK_EQ(format.fmt.pix.pixelformat, layout->pixelformat);
	CHECK_EQ(format.fmt.pix.width, layout->width);
	CHECK_EQ(format.fmt.pix.height, layout->height);
	CHECK_EQ(format.fmt.pix.bytesperline, layout->planes[0].stride);
	CHECK(format.fmt.pix.sizeimage <= layout->lengths[0]);
}

static void
request_buffers(int camera, unsigned int count)
{
	struct v4l2_requestbuffers request = {
		.count = count,
		.type = TYPE,
		.memory = V4L2_MEMORY_DMABUF,
	};

	CHECK(ioctl(camera, VIDIOC_REQBUFS, &request) == 0);
}

static void
queue(int camera, const struct bufalloc_buf *buf)
{
	struct v4l2_buffer buffer = {
		.type = TYPE,
		.memory = V4L2_MEMORY_DMABUF,
		.m.fd = bufalloc_buf_get_fd(buf),
	};

	CHECK(ioctl(camera, VIDIOC_QBUF, &buffer) == 0);
}

void
video_hold(int camera, const struct bufalloc_buf *buf)
{
	int type = TYPE;

	set_format(camera, bufalloc_buf_get_layout(buf));
	request_buffers(camera, 2);
	queue(camera, buf);
	CHECK(ioctl(camera, VIDIOC_STREAMON, &type) == 0);
}

void
video_release(int camera)
{
	int type = TYPE;

	CHECK(ioctl(camera, VIDIOC_STREAMOFF, &type) == 0);
	request_buffers(camera, 0);
}

void
video_capture(int camera, const struct bufalloc_buf *buf, unsigned int frames)
{
	struct v4l2_buffer buffer = {
		.type = TYPE,
		.memory = V4L2_MEMORY_DMABUF,
	};
	unsigned int i;

	for (i = 0; i < frames; i++) {
		if (i == 0) {
			video_hold(camera, buf);
		} else {
			queue(camera, buf);
		}
		CHECK(ioctl(camera, VIDIOC_DQBUF, &buffer) == 0);
		CHECK_EQ(buffer.flags & V4L2_BUF_FLAG_ERROR, 0);
	}
	video_release(camera);
}

void
video_show(int display, const struct bufalloc_buf *buf)
{
	const struct bufalloc_layout *layout = bufalloc_buf_get_layout(buf);
	uint32_t handles[4] = { 0 }, pitches[4] = { 0 }, offsets[4] = { 0 };
	uint32_t handle, id;
	uint32_t i;

	CHECK(drmPrimeFDToHandle(display, bufalloc_buf_get_fd(buf), &handle) ==
	      0);
	for (i = 0; i < layout->plane_count; i++) {
		handles[i] = handle;
		pitches[i] = layout->planes[i].stride;
		offsets[i] = (uint32_t)layout->planes[i].offset;
	}
	CHECK(drmModeAddFB2(display, layout->width, layout->height,
			    layout->fourcc, handles, pitches, offsets, &id,
			    0) == 0);
	CHECK(drmModeRmFB(display, id) == 0);
	CHECK(drmCloseBufferHandle(display, handle) == 0);
}

size_t
video_bytes_written(struct bufalloc_buf *buf)
{
	const struct bufalloc_layout *layout = bufalloc_buf_get_layout(buf);
	size_t written = 0;
	void *ptr = NULL;
	uint64_t i;

	CHECK_EQ(bufalloc_buf_map(buf, BUFALLOC_READ, &ptr), 0);
	for (i = 0; i < layout->planes[0].length; i++) {
		written += ((const uint8_t *)ptr)[i] != 0;
	}
	CHECK_EQ(bufalloc_buf_unmap(buf), 0);
	return written;
}

uint32_t
video_proof(const struct bufalloc_verdict *verdict, size_t device)
{
	struct bufalloc_use_result result;

	CHECK_EQ(bufalloc_verdict_get_use(verdict, device, &result), 0);
	return result.proof;
}

const struct bufalloc_try *
video_try(const struct bufalloc_verdict *verdict, const char *backend,
	  const char *place)
{
	const struct bufalloc_try *try;
	size_t i;

	for (i = 0; (try = bufalloc_verdict_get_try(verdict, i)) != NULL; i++) {
		if (strcmp(try->backend, backend) == 0 &&
		    strcmp(try->place, place) == 0) {
			return try;
		}
	}
	ktest_fail(__FILE__, __LINE__, "%s %s was not tried: %s", backend,
		   place, bufalloc_verdict_text(verdict));
}
