/* SPDX-License-Identifier: MIT */
/* V4L2: VIDIOC_TRY_FMT in the single-planar and the multi-planar API. */
#include "v4l2.h"

#include <errno.h>
#include <linux/videodev2.h>
#include <stdio.h>
#include <string.h>

#include "private.h"

/* What a codec may add to a picture to get whole macroblocks. */
#define MAX_PADDING 128

#define CAPS_CAPTURE                                                  \
	(V4L2_CAP_VIDEO_CAPTURE | V4L2_CAP_VIDEO_CAPTURE_MPLANE |     \
	 V4L2_CAP_VIDEO_M2M | V4L2_CAP_VIDEO_M2M_MPLANE)
#define CAPS_OUTPUT                                                   \
	(V4L2_CAP_VIDEO_OUTPUT | V4L2_CAP_VIDEO_OUTPUT_MPLANE |       \
	 V4L2_CAP_VIDEO_M2M | V4L2_CAP_VIDEO_M2M_MPLANE)
#define CAPS_M2M (V4L2_CAP_VIDEO_M2M | V4L2_CAP_VIDEO_M2M_MPLANE)

static uint32_t
capture_queue(uint32_t caps)
{
	if ((caps & (V4L2_CAP_VIDEO_CAPTURE_MPLANE |
		     V4L2_CAP_VIDEO_M2M_MPLANE)) != 0) {
		return V4L2_BUF_TYPE_VIDEO_CAPTURE_MPLANE;
	}
	return V4L2_BUF_TYPE_VIDEO_CAPTURE;
}

static uint32_t
output_queue(uint32_t caps)
{
	if ((caps & (V4L2_CAP_VIDEO_OUTPUT_MPLANE |
		     V4L2_CAP_VIDEO_M2M_MPLANE)) != 0) {
		return V4L2_BUF_TYPE_VIDEO_OUTPUT_MPLANE;
	}
	return V4L2_BUF_TYPE_VIDEO_OUTPUT;
}

/*
 * A device that writes has a capture queue, one that reads an output queue.
 * One that has only the other is taken for what it is, not for what the caller
 * says that it does.
 */
static void
choose_queues(struct node *node, uint32_t caps, enum bufalloc_access access)
{
	if ((access & BUFALLOC_WRITE) != 0 && (caps & CAPS_CAPTURE) != 0) {
		node->queues[node->queue_count++] = capture_queue(caps);
	}
	if ((access & BUFALLOC_READ) != 0 && (caps & CAPS_OUTPUT) != 0) {
		node->queues[node->queue_count++] = output_queue(caps);
	}
	if (node->queue_count == 0 && (caps & CAPS_CAPTURE) != 0) {
		node->queues[node->queue_count++] = capture_queue(caps);
	}
	if (node->queue_count == 0 && (caps & CAPS_OUTPUT) != 0) {
		node->queues[node->queue_count++] = output_queue(caps);
	}
}

int
private_v4l2_describe(struct node *node, enum bufalloc_access access,
		      char *driver, size_t size)
{
	struct v4l2_capability cap = { 0 };
	uint32_t caps;
	int ret;

	ret = private_ioctl_again(node->fd, VIDIOC_QUERYCAP, &cap);
	if (ret < 0) {
		return ret;
	}
	caps = (cap.capabilities & V4L2_CAP_DEVICE_CAPS) != 0 ?
		       cap.device_caps :
		       cap.capabilities;
	snprintf(driver, size, "%.*s", (int)sizeof(cap.driver),
		 (const char *)cap.driver);
	node->is_m2m = (caps & CAPS_M2M) != 0;
	choose_queues(node, caps, access);
	return 0;
}

static uint32_t
clamp(uint64_t value)
{
	return value > UINT32_MAX ? UINT32_MAX : (uint32_t)value;
}

void
private_v4l2_write_format(struct v4l2_format *format,
			  const struct v4l2_picture *picture)
{
	struct v4l2_pix_format_mplane *mp = &format->fmt.pix_mp;
	struct v4l2_pix_format *pix = &format->fmt.pix;
	uint32_t i;

	if (!V4L2_TYPE_IS_MULTIPLANAR(format->type)) {
		pix->width = picture->width;
		pix->height = picture->height;
		pix->pixelformat = picture->pixelformat;
		pix->field = V4L2_FIELD_ANY;
		pix->bytesperline = picture->strides[0];
		pix->sizeimage = picture->sizes[0];
		return;
	}
	mp->width = picture->width;
	mp->height = picture->height;
	mp->pixelformat = picture->pixelformat;
	mp->field = V4L2_FIELD_ANY;
	mp->num_planes = (uint8_t)picture->memory_count;
	for (i = 0; i < picture->memory_count; i++) {
		mp->plane_fmt[i].bytesperline = picture->strides[i];
		mp->plane_fmt[i].sizeimage = picture->sizes[i];
	}
}

struct v4l2_picture
private_v4l2_read_format(const struct v4l2_format *format)
{
	const struct v4l2_pix_format_mplane *mp = &format->fmt.pix_mp;
	const struct v4l2_pix_format *pix = &format->fmt.pix;
	struct v4l2_picture picture = { 0 };
	uint32_t i;

	if (!V4L2_TYPE_IS_MULTIPLANAR(format->type)) {
		picture.width = pix->width;
		picture.height = pix->height;
		picture.pixelformat = pix->pixelformat;
		picture.memory_count = 1;
		picture.strides[0] = pix->bytesperline;
		picture.sizes[0] = pix->sizeimage;
		return picture;
	}
	picture.width = mp->width;
	picture.height = mp->height;
	picture.pixelformat = mp->pixelformat;
	picture.memory_count = mp->num_planes;
	for (i = 0; i < mp->num_planes && i < BUFALLOC_MAX_PLANES; i++) {
		picture.strides[i] = mp->plane_fmt[i].bytesperline;
		picture.sizes[i] = mp->plane_fmt[i].sizeimage;
	}
	return picture;
}

/*
 * Planes follow each other in one dma-buf,
 * so lines between them are said as a higher picture.
 */
struct v4l2_picture
private_v4l2_picture_of(const struct bufalloc_layout *layout)
{
	struct v4l2_picture picture = {
		.pixelformat = layout->pixelformat,
		.width = layout->width,
		.height = layout->height,
		.memory_count = layout->memory_count,
	};
	uint32_t i;

	if (layout->plane_count > 1 &&
	    layout->planes[0].lines > layout->height) {
		picture.height = layout->planes[0].lines;
	}
	for (i = 0; i < layout->memory_count; i++) {
		picture.strides[i] = layout->planes[i].stride;
		picture.sizes[i] = clamp(layout->lengths[i]);
	}
	return picture;
}

static bool
is_padded(const struct node *node, uint32_t asked, uint32_t got)
{
	return got >= asked &&
	       got - asked < (node->is_m2m ? MAX_PADDING : 1);
}

/* Does the answer have another picture than the one that was asked for? */
static int
check_picture(const struct node *node, const struct v4l2_picture *asked,
	      const struct v4l2_picture *got, const struct bufalloc_layout *layout,
	      struct refusal *refusal)
{
	if (got->pixelformat != asked->pixelformat ||
	    got->memory_count != asked->memory_count) {
		return private_refuse(refusal, -EOPNOTSUPP, BUFALLOC_WHY_FORMAT,
				      "%s", "");
	}
	if (got->height != asked->height && asked->height != layout->height &&
	    is_padded(node, layout->height, got->height)) {
		return private_refuse(refusal, -ENOSPC, BUFALLOC_WHY_LINES,
				      "it wants %u lines, not %u", got->height,
				      asked->height);
	}
	if (!is_padded(node, layout->width, got->width) ||
	    !is_padded(node, asked->height, got->height)) {
		return private_refuse(refusal, -EOPNOTSUPP, BUFALLOC_WHY_SIZE,
				      "the nearest is %ux%u", got->width,
				      got->height);
	}
	return 0;
}

/* Tighten rules by what the device wants, if that is more than the layout has. */
static int
tighten(const struct format *format, const struct v4l2_picture *got,
	const struct bufalloc_layout *layout, struct layout_rules *rules,
	struct refusal *refusal)
{
	int fits = 1;
	uint32_t i;

	for (i = 0; i < got->memory_count; i++) {
		uint32_t stride = layout->planes[i].stride;

		if (stride != 0 && got->strides[i] < stride) {
			return private_refuse(refusal, -ENOSPC,
					      BUFALLOC_WHY_STRIDE,
					      "it wants %u bytes a line, not %u",
					      got->strides[i], stride);
		}
		if (stride != 0 && got->strides[i] > stride) {
			rules->stride = private_layout_first_stride(
				format, i, got->strides[i]);
			fits = 0;
		}
		if (got->sizes[i] > layout->lengths[i]) {
			rules->lengths[i] = got->sizes[i];
			fits = 0;
		}
	}
	if (layout->planes[0].lines != 0 &&
	    got->height > layout->planes[0].lines) {
		rules->lines = got->height;
		fits = 0;
	}
	return fits;
}

/* Where V4L2 would look for the second plane is where the layout has it. */
static int
check_offsets(const struct v4l2_picture *got, const struct bufalloc_layout *layout,
	      struct refusal *refusal)
{
	uint64_t end = (uint64_t)layout->planes[0].stride * got->height;
	uint32_t i;

	if (layout->memory_count > 1) {
		return 0;
	}
	for (i = 1; i < layout->plane_count; i++) {
		if (layout->planes[i].offset != end) {
			return private_refuse(
				refusal, -ENOSPC, BUFALLOC_WHY_OFFSET,
				"it wants plane %u at byte %llu, not %llu", i,
				(unsigned long long)end,
				(unsigned long long)layout->planes[i].offset);
		}
		end += layout->planes[i].length;
	}
	return 0;
}

static int
try_queue(const struct node *node, uint32_t type, const struct format *format,
	  const struct bufalloc_layout *layout, struct layout_rules *rules,
	  struct refusal *refusal)
{
	struct v4l2_picture asked = private_v4l2_picture_of(layout);
	struct v4l2_format answer = { .type = type };
	struct v4l2_picture got;
	int ret;

	if (asked.pixelformat == 0) {
		return private_refuse(refusal, -EOPNOTSUPP,
				      BUFALLOC_WHY_FORMAT, "%s", "");
	}
	private_v4l2_write_format(&answer, &asked);
	ret = private_ioctl_again(node->fd, VIDIOC_TRY_FMT, &answer);
	if (ret == -EINVAL) {
		return private_refuse(refusal, -EOPNOTSUPP,
				      BUFALLOC_WHY_FORMAT, "%s", "");
	}
	if (ret < 0) {
		return private_refuse(refusal, ret, BUFALLOC_WHY_ASK, "%s", "");
	}
	got = private_v4l2_read_format(&answer);
	ret = check_picture(node, &asked, &got, layout, refusal);
	if (ret < 0) {
		return ret;
	}
	ret = tighten(format, &got, layout, rules, refusal);
	if (ret == 1) {
		int bad = check_offsets(&got, layout, refusal);

		return bad < 0 ? bad : 1;
	}
	return ret;
}

int
private_v4l2_try(const struct node *node, const struct format *format,
		 const struct bufalloc_layout *layout,
		 struct layout_rules *rules, struct refusal *refusal)
{
	int fits = 1;
	size_t i;

	for (i = 0; i < node->queue_count && fits == 1; i++) {
		fits = try_queue(node, node->queues[i], format, layout, rules,
				 refusal);
	}
	return fits;
}
