/* SPDX-License-Identifier: MIT */
/*
 * V4L2 devices: what they are, and imports into their queues. Format, input and
 * controls stay as they are.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>

#include "selftest_v4l2.h"

int
selftest_v4l2_call(const struct selftest_device *device, unsigned long request,
		   void *arg)
{
	return ioctl(device->use.fd, request, arg) < 0 ? -errno : 0;
}

bool
selftest_v4l2_is_multi(const struct selftest_port *port)
{
	return V4L2_TYPE_IS_MULTIPLANAR(port->type);
}

/* Is the port's format one of a codec? */
static bool
is_compressed(const struct selftest_device *device,
	      const struct selftest_port *port, uint32_t pixelformat)
{
	struct v4l2_fmtdesc desc = { .type = port->type };

	while (selftest_v4l2_call(device, VIDIOC_ENUM_FMT, &desc) == 0) {
		if (desc.pixelformat == pixelformat) {
			return (desc.flags & V4L2_FMT_FLAG_COMPRESSED) != 0;
		}
		desc.index++;
	}
	return false;
}

static void
look_at_format(struct selftest_port *port, const struct v4l2_format *format,
	       uint32_t *pixelformat)
{
	const struct v4l2_pix_format_mplane *multi = &format->fmt.pix_mp;
	uint32_t width, height, i;

	if (selftest_v4l2_is_multi(port)) {
		port->plane_count = multi->num_planes;
		for (i = 0; i < multi->num_planes && i < VIDEO_MAX_PLANES;
		     i++) {
			port->plane_lengths[i] = multi->plane_fmt[i].sizeimage;
		}
		*pixelformat = multi->pixelformat;
		width = multi->width;
		height = multi->height;
	} else {
		port->plane_count = 1;
		port->plane_lengths[0] = format->fmt.pix.sizeimage;
		*pixelformat = format->fmt.pix.pixelformat;
		width = format->fmt.pix.width;
		height = format->fmt.pix.height;
	}
	snprintf(port->format, sizeof(port->format),
		 "%c%c%c%c %" PRIu32 "x%" PRIu32 ", %" PRIu32
		 " plane%s of %" PRIu32 " bytes",
		 *pixelformat & 0x7f, *pixelformat >> 8 & 0x7f,
		 *pixelformat >> 16 & 0x7f, *pixelformat >> 24 & 0x7f, width,
		 height, port->plane_count, port->plane_count == 1 ? "" : "s",
		 port->plane_lengths[0]);
}

int
selftest_v4l2_request(const struct selftest_device *device,
		      const struct selftest_port *port, uint32_t *count)
{
	struct v4l2_requestbuffers request = {
		.count = *count,
		.type = port->type,
		.memory = V4L2_MEMORY_DMABUF,
	};
	int ret = selftest_v4l2_call(device, VIDIOC_REQBUFS, &request);

	*count = request.count;
	return ret;
}

/* Says it without asking for any buffer; others may use the queue. */
static bool
takes_dma_bufs(const struct selftest_device *device,
	       const struct selftest_port *port)
{
	uint32_t none = 0;

	return selftest_v4l2_request(device, port, &none) != -EINVAL;
}

static void
set_unusable(struct selftest_port *port, int err, const char *text)
{
	port->err = err;
	port->plane_count = 0;
	snprintf(port->format, sizeof(port->format), "%s", text);
}

static void
add_port(struct selftest_device *device, const char *queue, uint32_t type)
{
	struct selftest_port *port = &device->ports[device->port_count++];
	struct v4l2_format format = { .type = type };
	uint32_t pixelformat = 0;
	int ret;

	*port = (struct selftest_port){ .queue = queue, .type = type };
	ret = selftest_v4l2_call(device, VIDIOC_G_FMT, &format);
	if (ret == 0) {
		look_at_format(port, &format, &pixelformat);
		port->is_compressed =
			is_compressed(device, port, pixelformat);
	}
	if (!takes_dma_bufs(device, port)) {
		set_unusable(port, -EOPNOTSUPP,
			     "the driver takes no dma-buf on this queue");
	} else if (ret < 0 || port->plane_count == 0 ||
		   port->plane_count > VIDEO_MAX_PLANES ||
		   port->plane_lengths[0] == 0) {
		/* A decoder has none before it has seen a stream. */
		set_unusable(port, ret < 0 ? ret : -EINVAL,
			     "the queue has no format yet");
	}
}

void
selftest_v4l2_look(struct selftest_device *device)
{
	static const struct {
		uint32_t cap;
		enum selftest_kind kind;
		uint32_t capture;
		uint32_t output;
	} kinds[] = {
		{ V4L2_CAP_VIDEO_M2M, SELFTEST_MEM2MEM,
		  V4L2_BUF_TYPE_VIDEO_CAPTURE, V4L2_BUF_TYPE_VIDEO_OUTPUT },
		{ V4L2_CAP_VIDEO_M2M_MPLANE, SELFTEST_MEM2MEM,
		  V4L2_BUF_TYPE_VIDEO_CAPTURE_MPLANE,
		  V4L2_BUF_TYPE_VIDEO_OUTPUT_MPLANE },
		{ V4L2_CAP_VIDEO_CAPTURE, SELFTEST_CAPTURE,
		  V4L2_BUF_TYPE_VIDEO_CAPTURE, 0 },
		{ V4L2_CAP_VIDEO_CAPTURE_MPLANE, SELFTEST_CAPTURE,
		  V4L2_BUF_TYPE_VIDEO_CAPTURE_MPLANE, 0 },
		{ V4L2_CAP_VIDEO_OUTPUT, SELFTEST_OUTPUT, 0,
		  V4L2_BUF_TYPE_VIDEO_OUTPUT },
		{ V4L2_CAP_VIDEO_OUTPUT_MPLANE, SELFTEST_OUTPUT, 0,
		  V4L2_BUF_TYPE_VIDEO_OUTPUT_MPLANE },
	};
	struct v4l2_capability cap = { 0 };
	uint32_t caps;
	size_t i;

	if (selftest_v4l2_call(device, VIDIOC_QUERYCAP, &cap) < 0) {
		return;
	}
	selftest_set_card(device, (const char *)cap.card, sizeof(cap.card));
	caps = (cap.capabilities & V4L2_CAP_DEVICE_CAPS) != 0 ?
		       cap.device_caps :
		       cap.capabilities;
	for (i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		if ((caps & kinds[i].cap) == 0) {
			continue;
		}
		device->kind = kinds[i].kind;
		if ((caps & V4L2_CAP_STREAMING) == 0) {
			return;
		}
		if (kinds[i].output != 0) {
			add_port(device, "output", kinds[i].output);
		}
		if (kinds[i].capture != 0) {
			add_port(device, "capture", kinds[i].capture);
		}
		return;
	}
}

void
selftest_v4l2_shot(const struct selftest_port *port, uint32_t index,
		   struct v4l2_shot *shot)
{
	*shot = (struct v4l2_shot){
		.buffer = {
			.index = index,
			.type = port->type,
			.memory = V4L2_MEMORY_DMABUF,
			.field = V4L2_FIELD_NONE,
		},
	};
	if (selftest_v4l2_is_multi(port)) {
		shot->buffer.m.planes = shot->planes;
		shot->buffer.length = port->plane_count;
	}
}

void
selftest_v4l2_plane(const struct selftest_port *port, struct v4l2_shot *shot,
		    uint32_t plane, int fd, uint64_t length)
{
	uint32_t used = V4L2_TYPE_IS_OUTPUT(port->type) ?
				port->plane_lengths[plane] :
				0;

	if (selftest_v4l2_is_multi(port)) {
		shot->planes[plane].m.fd = fd;
		shot->planes[plane].length = (uint32_t)length;
		shot->planes[plane].bytesused = used;
	} else {
		shot->buffer.m.fd = fd;
		shot->buffer.length = (uint32_t)length;
		shot->buffer.bytesused = used;
	}
}

/*
 * Without streaming: the driver attaches and maps, and nothing moves. Not every
 * driver has PREPARE_BUF; QBUF does the same before STREAMON.
 */
int
selftest_v4l2_import(struct selftest_device *device, struct selftest_port *port,
		     int fd, uint64_t length, const char **call)
{
	struct v4l2_shot shot;
	uint32_t i, count = 1;
	int ret;

	*call = "VIDIOC_REQBUFS";
	ret = selftest_v4l2_request(device, port, &count);
	if (ret < 0) {
		return ret;
	}
	selftest_v4l2_shot(port, 0, &shot);
	for (i = 0; i < port->plane_count; i++) {
		selftest_v4l2_plane(port, &shot, i, fd, length);
	}
	*call = "VIDIOC_PREPARE_BUF";
	ret = selftest_v4l2_call(device, VIDIOC_PREPARE_BUF, &shot.buffer);
	if (ret == -ENOTTY) {
		*call = "VIDIOC_QBUF";
		ret = selftest_v4l2_call(device, VIDIOC_QBUF, &shot.buffer);
	}
	if (ret < 0) {
		selftest_v4l2_release(device, port);
	}
	return ret;
}

int
selftest_v4l2_release(struct selftest_device *device,
		      struct selftest_port *port)
{
	uint32_t none = 0;

	return selftest_v4l2_request(device, port, &none);
}
