// SPDX-License-Identifier: MIT
/*
 * capture-display [--size WxH] [--format FOURCC] [--frames N] [CAMERA [CARD]]
 *
 * A camera writes its pictures into buffers that the display shows: no byte of
 * them is copied. libbufalloc finds the layout and the memory that both can use.
 */
#include "screen.h"

#include <bufalloc/bufalloc.h>
#include <err.h>
#include <fcntl.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <linux/videodev2.h>
#include <sys/ioctl.h>

#define BUFFERS 4

/* The camera, of either of V4L2's two APIs. */
struct camera {
	int fd;
	uint32_t type;
	bool is_mplane;
};

static void
camera_call(const struct camera *camera, unsigned long request, void *argument,
	    const char *what)
{
	if (ioctl(camera->fd, request, argument) != 0) {
		err(1, "the camera: %s", what);
	}
}

static void
camera_open(struct camera *camera, const char *node)
{
	struct v4l2_capability cap = { 0 };

	camera->fd = open(node, O_RDWR | O_CLOEXEC);
	if (camera->fd < 0) {
		err(1, "%s", node);
	}
	camera_call(camera, VIDIOC_QUERYCAP, &cap, "VIDIOC_QUERYCAP");
	camera->is_mplane = cap.device_caps & V4L2_CAP_VIDEO_CAPTURE_MPLANE;
	camera->type = camera->is_mplane ? V4L2_BUF_TYPE_VIDEO_CAPTURE_MPLANE :
					   V4L2_BUF_TYPE_VIDEO_CAPTURE;
}

/* The format, with the strides and sizes that bufalloc agreed on with it. */
static void
camera_set_format(const struct camera *camera,
		  const struct bufalloc_layout *layout)
{
	struct v4l2_format format = { .type = camera->type };
	struct v4l2_pix_format_mplane *mp = &format.fmt.pix_mp;
	uint32_t i;

	if (camera->is_mplane) {
		mp->width = layout->width;
		mp->height = layout->height;
		mp->pixelformat = layout->pixelformat;
		mp->num_planes = (uint8_t)layout->memory_count;
		for (i = layout->plane_count; i-- > 0;) {
			uint32_t memory = layout->planes[i].memory;

			mp->plane_fmt[memory].bytesperline =
				layout->planes[i].stride;
			mp->plane_fmt[memory].sizeimage =
				(uint32_t)layout->lengths[memory];
		}
	} else {
		format.fmt.pix.width = layout->width;
		format.fmt.pix.height = layout->height;
		format.fmt.pix.pixelformat = layout->pixelformat;
		format.fmt.pix.bytesperline = layout->planes[0].stride;
	}
	camera_call(camera, VIDIOC_S_FMT, &format, "VIDIOC_S_FMT");
}

/* Queue buf as buffer index; with NULL, dequeue one. Returns its index. */
static uint32_t
camera_exchange(const struct camera *camera, const struct bufalloc_buf *buf,
		uint32_t index)
{
	struct v4l2_plane planes[VIDEO_MAX_PLANES] = { 0 };
	struct v4l2_buffer buffer = {
		.type = camera->type,
		.memory = V4L2_MEMORY_DMABUF,
		.index = index,
	};
	uint32_t i;

	if (camera->is_mplane) {
		buffer.m.planes = planes;
		buffer.length = VIDEO_MAX_PLANES;
	}
	if (buf == NULL) {
		camera_call(camera, VIDIOC_DQBUF, &buffer, "VIDIOC_DQBUF");
		return buffer.index;
	}
	if (camera->is_mplane) {
		buffer.length = bufalloc_buf_get_memory_count(buf);
		for (i = 0; i < buffer.length; i++) {
			planes[i].m.fd = bufalloc_buf_get_memory_fd(buf, i);
		}
	} else {
		buffer.m.fd = bufalloc_buf_get_fd(buf);
	}
	camera_call(camera, VIDIOC_QBUF, &buffer, "VIDIOC_QBUF");
	return index;
}

/* Buffers for the camera and the display, or the reason why there are none. */
static struct bufalloc_pool *
make_pool(struct bufalloc_ctx *ctx, const char *format, unsigned int width,
	  unsigned int height, int camera, int display)
{
	struct bufalloc_verdict *verdict = NULL;
	struct bufalloc_pool *pool = NULL;
	struct bufalloc_request *req;
	int ret;

	ret = bufalloc_request_new(&req);
	if (ret == 0) {
		ret = bufalloc_request_set_format(
			req,
			BUFALLOC_FOURCC(format[0], format[1], format[2],
					format[3]),
			width, height);
	}
	if (ret != 0) {
		errx(1, "%s: %s", format, bufalloc_strerror(ret));
	}
	bufalloc_request_add_device(req, camera, BUFALLOC_WRITE);
	bufalloc_request_add_device(req, display, BUFALLOC_READ);
	ret = bufalloc_pool_new(ctx, req, BUFFERS, BUFFERS, &pool, &verdict);
	if (ret != 0) {
		errx(1, "%s", verdict ? bufalloc_verdict_text(verdict) :
					bufalloc_strerror(ret));
	}
	printf("%s\n", bufalloc_verdict_text(verdict));
	bufalloc_verdict_destroy(verdict);
	bufalloc_request_destroy(req);
	return pool;
}

/* The picture that is shown stays the display's until the next one is. */
static void
stream(const struct camera *camera, struct screen *screen,
       struct bufalloc_pool *pool, unsigned int frames)
{
	struct v4l2_requestbuffers request = {
		.count = BUFFERS,
		.type = camera->type,
		.memory = V4L2_MEMORY_DMABUF,
	};
	struct bufalloc_buf *bufs[BUFFERS];
	const struct bufalloc_layout *layout = bufalloc_pool_get_layout(pool);
	uint32_t framebuffers[BUFFERS];
	uint32_t i, shown = 0;
	unsigned int frame;

	camera_set_format(camera, layout);
	camera_call(camera, VIDIOC_REQBUFS, &request, "VIDIOC_REQBUFS");
	if (request.count < BUFFERS) {
		errx(1, "the camera takes %u buffers only", request.count);
	}
	for (i = 0; i < BUFFERS; i++) {
		int ret = bufalloc_pool_acquire(pool, 0, &bufs[i]);

		if (ret != 0) {
			errx(1, "buffer %u: %s", i, bufalloc_strerror(ret));
		}
		framebuffers[i] = screen_add(screen, bufs[i], layout);
		camera_exchange(camera, bufs[i], i);
	}
	camera_call(camera, VIDIOC_STREAMON, (void *)&camera->type,
		    "VIDIOC_STREAMON");
	for (frame = 0; frame < frames; frame++) {
		i = camera_exchange(camera, NULL, 0);
		screen_show(screen, framebuffers[i]);
		if (frame > 0) {
			camera_exchange(camera, bufs[shown], shown);
		}
		shown = i;
	}
	camera_call(camera, VIDIOC_STREAMOFF, (void *)&camera->type,
		    "VIDIOC_STREAMOFF");
	for (i = 0; i < BUFFERS; i++) {
		bufalloc_pool_release(pool, bufs[i], -1);
	}
	printf("%u frames shown, none was copied\n", frames);
}

int
main(int argc, char **argv)
{
	static const struct option options[] = {
		{ "size", required_argument, NULL, 's' },
		{ "format", required_argument, NULL, 'f' },
		{ "frames", required_argument, NULL, 'n' },
		{ 0 },
	};
	unsigned int width = 1920, height = 1080, frames = 300;
	const char *format = "XR24";
	struct bufalloc_pool *pool;
	struct bufalloc_ctx *ctx;
	struct camera camera;
	struct screen screen;
	bool is_usage = false;
	int option, ret;

	while ((option = getopt_long(argc, argv, "s:f:n:", options, NULL)) != -1) {
		switch (option) {
		case 's':
			is_usage |= sscanf(optarg, "%ux%u", &width, &height) != 2;
			break;
		case 'f':
			format = optarg;
			is_usage |= strlen(format) != 4;
			break;
		case 'n':
			frames = (unsigned int)strtoul(optarg, NULL, 10);
			break;
		default:
			is_usage = true;
		}
	}
	if (is_usage || argc - optind > 2) {
		errx(2, "usage: capture-display [--size WxH] [--format FOURCC] [--frames N] [CAMERA [CARD]]");
	}
	camera_open(&camera, argc > optind ? argv[optind] : "/dev/video0");
	screen_open(&screen, argc > optind + 1 ? argv[optind + 1] : "/dev/dri/card0",
		    width, height);
	ret = bufalloc_open(&ctx, NULL);
	if (ret != 0) {
		errx(1, "%s", bufalloc_strerror(ret));
	}
	pool = make_pool(ctx, format, width, height, camera.fd, screen.fd);
	stream(&camera, &screen, pool, frames);
	bufalloc_pool_destroy(pool);
	bufalloc_close(ctx);
	return 0;
}
