/* SPDX-License-Identifier: MIT */
/*
 * Trial imports into V4L2 devices. Nothing but VIDIOC_PREPARE_BUF shows that a
 * driver takes a dma-buf; it needs a format and a queue, so that both are
 * borrowed and given back. A queue that somebody uses is not touched: REQBUFS
 * would free the buffers of its owner.
 */
#include <errno.h>
#include <linux/videodev2.h>
#include <string.h>

#include "private.h"
#include "v4l2.h"

/*
 * A queue with buffers knows the first one, whoever asks. UVC cameras of older
 * kernels say EBUSY to all but who has buffers, and to REQBUFS if somebody has.
 */
static bool
is_free(const struct node *node, uint32_t type)
{
	struct v4l2_plane planes[VIDEO_MAX_PLANES] = { { 0 } };
	struct v4l2_buffer buffer = { .type = type };
	int ret;

	if (V4L2_TYPE_IS_MULTIPLANAR(type)) {
		buffer.m.planes = planes;
		buffer.length = VIDEO_MAX_PLANES;
	}
	ret = private_ioctl_again(node->fd, VIDIOC_QUERYBUF, &buffer);
	return ret == -EINVAL || ret == -EBUSY;
}

static int
request_buffers(const struct node *node, uint32_t type, uint32_t count)
{
	struct v4l2_requestbuffers request = {
		.count = count,
		.type = type,
		.memory = V4L2_MEMORY_DMABUF,
	};

	return private_ioctl_again(node->fd, VIDIOC_REQBUFS, &request);
}

static bool
is_same(const struct v4l2_picture *a, const struct v4l2_picture *b)
{
	uint32_t i;

	if (a->pixelformat != b->pixelformat || a->width < b->width ||
	    a->height < b->height || a->memory_count != b->memory_count) {
		return false;
	}
	for (i = 0; i < a->memory_count; i++) {
		if (a->strides[i] != b->strides[i] ||
		    a->sizes[i] > b->sizes[i]) {
			return false;
		}
	}
	return true;
}

/* The queue has one buffer without memory; try it with this. */
static int
prepare(const struct node *node, uint32_t type,
	const struct bufalloc_layout *layout, const struct memory *memories)
{
	struct v4l2_plane planes[VIDEO_MAX_PLANES] = { { 0 } };
	struct v4l2_buffer buffer = {
		.type = type,
		.memory = V4L2_MEMORY_DMABUF,
	};
	uint32_t i;

	if (!V4L2_TYPE_IS_MULTIPLANAR(type)) {
		buffer.m.fd = memories[0].fd;
		buffer.length = (uint32_t)memories[0].length;
		buffer.bytesused = (uint32_t)layout->lengths[0];
	} else {
		buffer.m.planes = planes;
		buffer.length = layout->memory_count;
		for (i = 0; i < layout->memory_count; i++) {
			planes[i].m.fd = memories[i].fd;
			planes[i].length = (uint32_t)memories[i].length;
			planes[i].bytesused = (uint32_t)layout->lengths[i];
		}
	}
	return private_ioctl_again(node->fd, VIDIOC_PREPARE_BUF, &buffer);
}

static int
import_with_format(const struct node *node, uint32_t type,
		   const struct bufalloc_layout *layout,
		   const struct memory *memories, struct refusal *refusal)
{
	int ret;

	ret = request_buffers(node, type, 1);
	if (ret == -EBUSY) {
		return TRIAL_UNKNOWN;
	}
	if (ret == -EINVAL) {
		return private_refuse(refusal, -EOPNOTSUPP,
				      BUFALLOC_WHY_NO_IMPORT, "%s", "");
	}
	if (ret < 0) {
		return private_refuse(refusal, ret, BUFALLOC_WHY_ASK, "%s", "");
	}
	ret = prepare(node, type, layout, memories);
	(void)request_buffers(node, type, 0);
	if (ret == -ENOTTY) {
		return TRIAL_UNKNOWN;
	}
	if (ret < 0) {
		return private_refuse(refusal, ret, BUFALLOC_WHY_IMPORT, "%s",
				      "");
	}
	return TRIAL_IMPORTED;
}

static int
import_in_queue(const struct node *node, uint32_t type,
		const struct bufalloc_layout *layout,
		const struct memory *memories, struct refusal *refusal)
{
	struct v4l2_picture want = private_v4l2_picture_of(layout);
	struct v4l2_format before = { .type = type };
	struct v4l2_format format = { .type = type };
	struct v4l2_picture got;
	int ret;

	if (!is_free(node, type) ||
	    private_ioctl_again(node->fd, VIDIOC_G_FMT, &before) < 0) {
		return TRIAL_UNKNOWN;
	}
	got = private_v4l2_read_format(&before);
	if (want.pixelformat == 0) {
		/* Bytes: whatever the device is set to, if they are enough. */
		if (got.memory_count != 1 || got.sizes[0] > want.sizes[0]) {
			return TRIAL_UNKNOWN;
		}
	} else if (!is_same(&got, &want)) {
		private_v4l2_write_format(&format, &want);
		if (private_ioctl_again(node->fd, VIDIOC_S_FMT, &format) < 0) {
			return TRIAL_UNKNOWN;
		}
		got = private_v4l2_read_format(&format);
	}
	ret = TRIAL_UNKNOWN;
	if (want.pixelformat == 0 || is_same(&got, &want)) {
		ret = import_with_format(node, type, layout, memories, refusal);
	}
	if (format.fmt.pix.width != 0) {
		(void)private_ioctl_again(node->fd, VIDIOC_S_FMT, &before);
	}
	return ret;
}

int
private_v4l2_import(const struct node *node,
		    const struct bufalloc_layout *layout,
		    const struct memory *memories, struct refusal *refusal)
{
	int ret = TRIAL_UNKNOWN;
	size_t i;

	for (i = 0; i < node->queue_count; i++) {
		ret = import_in_queue(node, node->queues[i], layout, memories,
				      refusal);
		if (ret != TRIAL_IMPORTED) {
			return ret;
		}
	}
	return ret;
}
