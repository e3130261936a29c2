/* SPDX-License-Identifier: MIT */
/* bufalloc_request_get_layout(): where a picture is. */
#include "mock.h"

#include <drm_fourcc.h>
#include <linux/videodev2.h>
#include <stdio.h>
#include <string.h>

#define SPLIT BUFALLOC_MEMORIES_PER_PLANE

struct row {
	const char *name;
	uint32_t fourcc;
	uint32_t width, height;
	/* of strides, offsets, lines */
	uint32_t align[3];
	enum bufalloc_memories memories;

	uint32_t planes;
	uint32_t strides[3];
	uint64_t offsets[3];
	uint32_t lines[3];
	uint64_t lengths[3];
};

#define HD 1920, 1080
#define WXGA 1366, 768
#define NO { 0, 0, 0 }
#define ONE BUFALLOC_MEMORIES_AUTO

static const struct row rows[] = {
	{ "NV12", DRM_FORMAT_NV12, HD, NO, ONE,
	  2, { 1920, 1920 }, { 0, 2073600 }, { 1080, 540 }, { 3110400 } },
	{ "NV21", DRM_FORMAT_NV21, HD, NO, ONE,
	  2, { 1920, 1920 }, { 0, 2073600 }, { 1080, 540 }, { 3110400 } },
	{ "NV16", DRM_FORMAT_NV16, HD, NO, ONE,
	  2, { 1920, 1920 }, { 0, 2073600 }, { 1080, 1080 }, { 4147200 } },
	{ "NV24", DRM_FORMAT_NV24, HD, NO, ONE,
	  2, { 1920, 3840 }, { 0, 2073600 }, { 1080, 1080 }, { 6220800 } },
	{ "P010", DRM_FORMAT_P010, HD, NO, ONE,
	  2, { 3840, 3840 }, { 0, 4147200 }, { 1080, 540 }, { 6220800 } },
	{ "YU12", DRM_FORMAT_YUV420, HD, NO, ONE,
	  3, { 1920, 960, 960 }, { 0, 2073600, 2592000 }, { 1080, 540, 540 },
	  { 3110400 } },
	{ "YV12", DRM_FORMAT_YVU420, HD, NO, ONE,
	  3, { 1920, 960, 960 }, { 0, 2073600, 2592000 }, { 1080, 540, 540 },
	  { 3110400 } },
	{ "YU16", DRM_FORMAT_YUV422, HD, NO, ONE,
	  3, { 1920, 960, 960 }, { 0, 2073600, 3110400 }, { 1080, 1080, 1080 },
	  { 4147200 } },
	{ "YUYV", DRM_FORMAT_YUYV, HD, NO, ONE,
	  1, { 3840 }, { 0 }, { 1080 }, { 4147200 } },
	{ "UYVY", DRM_FORMAT_UYVY, HD, NO, ONE,
	  1, { 3840 }, { 0 }, { 1080 }, { 4147200 } },
	{ "XR24", DRM_FORMAT_XRGB8888, HD, NO, ONE,
	  1, { 7680 }, { 0 }, { 1080 }, { 8294400 } },
	{ "AR24", DRM_FORMAT_ARGB8888, HD, NO, ONE,
	  1, { 7680 }, { 0 }, { 1080 }, { 8294400 } },
	{ "BG24", DRM_FORMAT_BGR888, HD, NO, ONE,
	  1, { 5760 }, { 0 }, { 1080 }, { 6220800 } },
	{ "RGB3", V4L2_PIX_FMT_RGB24, HD, NO, ONE,
	  1, { 5760 }, { 0 }, { 1080 }, { 6220800 } },
	{ "RG16", DRM_FORMAT_RGB565, HD, NO, ONE,
	  1, { 3840 }, { 0 }, { 1080 }, { 4147200 } },
	{ "R8", DRM_FORMAT_R8, HD, NO, ONE,
	  1, { 1920 }, { 0 }, { 1080 }, { 2073600 } },
	{ "GREY", V4L2_PIX_FMT_GREY, HD, NO, ONE,
	  1, { 1920 }, { 0 }, { 1080 }, { 2073600 } },
	{ "Y10", V4L2_PIX_FMT_Y10, HD, NO, ONE,
	  1, { 3840 }, { 0 }, { 1080 }, { 4147200 } },
	{ "Y12", V4L2_PIX_FMT_Y12, HD, NO, ONE,
	  1, { 3840 }, { 0 }, { 1080 }, { 4147200 } },
	{ "Y16", V4L2_PIX_FMT_Y16, HD, NO, ONE,
	  1, { 3840 }, { 0 }, { 1080 }, { 4147200 } },
	{ "Bayer 8", V4L2_PIX_FMT_SBGGR8, HD, NO, ONE,
	  1, { 1920 }, { 0 }, { 1080 }, { 2073600 } },
	{ "Bayer 10", V4L2_PIX_FMT_SGRBG10, HD, NO, ONE,
	  1, { 3840 }, { 0 }, { 1080 }, { 4147200 } },
	{ "Bayer 10 packed", V4L2_PIX_FMT_SRGGB10P, HD, NO, ONE,
	  1, { 2400 }, { 0 }, { 1080 }, { 2592000 } },
	{ "Bayer 12", V4L2_PIX_FMT_SRGGB12, HD, NO, ONE,
	  1, { 3840 }, { 0 }, { 1080 }, { 4147200 } },
	{ "Bayer 12 packed", V4L2_PIX_FMT_SGBRG12P, HD, NO, ONE,
	  1, { 2880 }, { 0 }, { 1080 }, { 3110400 } },
	{ "Bayer 16", V4L2_PIX_FMT_SBGGR16, HD, NO, ONE,
	  1, { 3840 }, { 0 }, { 1080 }, { 4147200 } },

	/* sizes that do not fit */
	{ "NV12, one pixel", DRM_FORMAT_NV12, 1, 1, NO, ONE,
	  2, { 2, 2 }, { 0, 2 }, { 1, 1 }, { 4 } },
	{ "NV12, odd", DRM_FORMAT_NV12, 1279, 719, NO, ONE,
	  2, { 1280, 1280 }, { 0, 920320 }, { 719, 360 }, { 1381120 } },
	{ "NV16, odd", DRM_FORMAT_NV16, 1279, 719, NO, ONE,
	  2, { 1280, 1280 }, { 0, 920320 }, { 719, 719 }, { 1840640 } },
	{ "NV24, odd", DRM_FORMAT_NV24, 1279, 719, NO, ONE,
	  2, { 1279, 2558 }, { 0, 919601 }, { 719, 719 }, { 2758803 } },
	{ "P010, odd", DRM_FORMAT_P010, 1279, 719, NO, ONE,
	  2, { 2560, 2560 }, { 0, 1840640 }, { 719, 360 }, { 2762240 } },
	{ "YU12, one pixel", DRM_FORMAT_YUV420, 1, 1, NO, ONE,
	  3, { 2, 1, 1 }, { 0, 2, 3 }, { 1, 1, 1 }, { 4 } },
	{ "YU12, odd", DRM_FORMAT_YUV420, 1279, 719, NO, ONE,
	  3, { 1280, 640, 640 }, { 0, 920320, 1150720 }, { 719, 360, 360 },
	  { 1381120 } },
	{ "YUYV, odd", DRM_FORMAT_YUYV, 5, 3, NO, ONE,
	  1, { 12 }, { 0 }, { 3 }, { 36 } },
	{ "Bayer 10 packed, odd", V4L2_PIX_FMT_SBGGR10P, 5, 1, NO, ONE,
	  1, { 10 }, { 0 }, { 1 }, { 10 } },
	{ "BG24, odd", DRM_FORMAT_BGR888, 5, 3, NO, ONE,
	  1, { 15 }, { 0 }, { 3 }, { 45 } },

	/* alignment of strides, offsets, lines */
	{ "NV12 stride 64", DRM_FORMAT_NV12, WXGA, { 64, 0, 0 }, ONE,
	  2, { 1408, 1408 }, { 0, 1081344 }, { 768, 384 }, { 1622016 } },
	{ "YU12 stride 64: of each plane", DRM_FORMAT_YUV420, 1300, 768,
	  { 64, 0, 0 }, ONE,
	  3, { 1408, 704, 704 }, { 0, 1081344, 1351680 }, { 768, 384, 384 },
	  { 1622016 } },
	{ "NV24 stride 64", DRM_FORMAT_NV24, WXGA, { 64, 0, 0 }, ONE,
	  2, { 1408, 2816 }, { 0, 1081344 }, { 768, 768 }, { 3244032 } },
	{ "BG24 stride 64", DRM_FORMAT_BGR888, WXGA, { 64, 0, 0 }, ONE,
	  1, { 4160 }, { 0 }, { 768 }, { 3194880 } },
	{ "NV12 16 lines", DRM_FORMAT_NV12, HD, { 0, 0, 16 }, ONE,
	  2, { 1920, 1920 }, { 0, 2088960 }, { 1088, 544 }, { 3133440 } },
	{ "NV12 offset 4096", DRM_FORMAT_NV12, HD, { 0, 4096, 0 }, ONE,
	  2, { 1920, 1920 }, { 0, 2076672 }, { 1080, 540 }, { 3113472 } },
	{ "NV12 all of them", DRM_FORMAT_NV12, 1279, 719, { 256, 4096, 32 }, ONE,
	  2, { 1280, 1280 }, { 0, 942080 }, { 736, 368 }, { 1413120 } },
	{ "XR24 stride 65536", DRM_FORMAT_XRGB8888, HD, { 65536, 0, 0 }, ONE,
	  1, { 65536 }, { 0 }, { 1080 }, { 70778880 } },

	/* several dma-bufs: each begins at 0 */
	{ "NM12", DRM_FORMAT_NV12, HD, NO, SPLIT,
	  2, { 1920, 1920 }, { 0, 0 }, { 1080, 540 }, { 2073600, 1036800 } },
	{ "NM16", V4L2_PIX_FMT_NV16M, HD, NO, ONE,
	  2, { 1920, 1920 }, { 0, 0 }, { 1080, 1080 }, { 2073600, 2073600 } },
	{ "YM12", DRM_FORMAT_YUV420, HD, { 64, 4096, 16 }, SPLIT,
	  3, { 1920, 960, 960 }, { 0, 0, 0 }, { 1088, 544, 544 },
	  { 2088960, 522240, 522240 } },
	{ "XR24 split is one", DRM_FORMAT_XRGB8888, HD, NO, SPLIT,
	  1, { 7680 }, { 0 }, { 1080 }, { 8294400 } },
};

static bool
is_split(const struct row *row)
{
	return row->planes > 1 && row->lengths[1] != 0;
}

static void
check_row(const struct row *row)
{
	const struct bufalloc_layout *layout = NULL;
	struct bufalloc_request *req = NULL;
	uint32_t i;

	assert_int_equal(bufalloc_request_new(&req), 0);
	/* before the format, because that may ask for several */
	assert_int_equal(bufalloc_request_set_memories(req, row->memories), 0);
	assert_int_equal(bufalloc_request_set_format(req, row->fourcc,
						     row->width, row->height),
			 0);
	assert_int_equal(bufalloc_request_set_alignment(req, row->align[0],
							row->align[1],
							row->align[2]),
			 0);
	assert_int_equal(bufalloc_request_get_layout(req, &layout), 0);
	assert_int_equal(layout->width, row->width);
	assert_int_equal(layout->height, row->height);
	assert_int_equal(layout->modifier, 0);
	assert_int_equal(layout->plane_count, row->planes);
	assert_int_equal(layout->memory_count,
			 is_split(row) ? row->planes : 1);
	for (i = 0; i < row->planes; i++) {
		const struct bufalloc_plane *plane = &layout->planes[i];

		assert_int_equal(plane->memory, is_split(row) ? i : 0);
		assert_int_equal(plane->stride, row->strides[i]);
		assert_int_equal(plane->offset, row->offsets[i]);
		assert_int_equal(plane->lines, row->lines[i]);
		assert_int_equal(plane->length,
				 (uint64_t)row->strides[i] * row->lines[i]);
		assert_int_equal(plane->reserved, 0);
		assert_int_equal(layout->lengths[i], row->lengths[i]);
	}
	bufalloc_request_destroy(req);
}

/* Each row is a test of its own; cmocka gives it the row as *state. */
static void
layout_is_the_documented_one(void **state)
{
	check_row(*state);
}

/* The numbers of a format, from one of them. */
static const struct {
	uint32_t asked;
	bool v4l2;
	uint32_t fourcc;
	uint32_t one;
	uint32_t split;
} numbers[] = {
	{ DRM_FORMAT_NV12, false, DRM_FORMAT_NV12, V4L2_PIX_FMT_NV12, V4L2_PIX_FMT_NV12M },
	{ V4L2_PIX_FMT_NV12, true, DRM_FORMAT_NV12, V4L2_PIX_FMT_NV12, V4L2_PIX_FMT_NV12M },
	{ DRM_FORMAT_YUV422, false, DRM_FORMAT_YUV422, V4L2_PIX_FMT_YUV422P, V4L2_PIX_FMT_YUV422M },
	{ V4L2_PIX_FMT_YUV422P, true, DRM_FORMAT_YUV422, V4L2_PIX_FMT_YUV422P,
	  V4L2_PIX_FMT_YUV422M },
	{ DRM_FORMAT_YUV444, false, DRM_FORMAT_YUV444, 0, V4L2_PIX_FMT_YUV444M },
	{ DRM_FORMAT_P010, false, DRM_FORMAT_P010, V4L2_PIX_FMT_P010, 0 },
	{ DRM_FORMAT_NV24, false, DRM_FORMAT_NV24, V4L2_PIX_FMT_NV24, 0 },
	{ V4L2_PIX_FMT_GREY, false, DRM_FORMAT_R8, V4L2_PIX_FMT_GREY, V4L2_PIX_FMT_GREY },
	{ V4L2_PIX_FMT_RGB24, true, DRM_FORMAT_BGR888, V4L2_PIX_FMT_RGB24, V4L2_PIX_FMT_RGB24 },
	{ V4L2_PIX_FMT_RGB565, true, DRM_FORMAT_RGB565, V4L2_PIX_FMT_RGB565, V4L2_PIX_FMT_RGB565 },
	{ DRM_FORMAT_RGB888, false, DRM_FORMAT_RGB888, V4L2_PIX_FMT_BGR24, V4L2_PIX_FMT_BGR24 },
	/* one number, two meanings */
	{ DRM_FORMAT_RGB565, false, DRM_FORMAT_RGB565, V4L2_PIX_FMT_RGB565, V4L2_PIX_FMT_RGB565 },
	{ V4L2_PIX_FMT_SRGGB16, true, 0, V4L2_PIX_FMT_SRGGB16, V4L2_PIX_FMT_SRGGB16 },
	{ V4L2_PIX_FMT_SBGGR8, false, 0, V4L2_PIX_FMT_SBGGR8, V4L2_PIX_FMT_SBGGR8 },
};

static void
numbers_of_a_format(void **state)
{
	size_t i;

	(void)state;
	assert_int_equal(DRM_FORMAT_RGB565, V4L2_PIX_FMT_SRGGB16);
	for (i = 0; i < LEN(numbers); i++) {
		const struct bufalloc_layout *layout = NULL;
		struct bufalloc_request *req = NULL;

		assert_int_equal(bufalloc_request_new(&req), 0);
		assert_int_equal(
			(numbers[i].v4l2 ? bufalloc_request_set_pixelformat :
					   bufalloc_request_set_format)(
				req, numbers[i].asked, 64, 64),
			0);
		assert_int_equal(bufalloc_request_get_layout(req, &layout), 0);
		assert_int_equal(layout->fourcc, numbers[i].fourcc);
		assert_int_equal(layout->pixelformat, numbers[i].one);
		assert_int_equal(bufalloc_request_set_memories(req, SPLIT), 0);
		assert_int_equal(bufalloc_request_get_layout(req, &layout), 0);
		assert_int_equal(layout->fourcc, numbers[i].fourcc);
		assert_int_equal(layout->pixelformat, numbers[i].split);
		bufalloc_request_destroy(req);
	}
}

static const uint32_t compressed[] = {
	V4L2_PIX_FMT_MJPEG, V4L2_PIX_FMT_JPEG, V4L2_PIX_FMT_H264,
	V4L2_PIX_FMT_HEVC,  V4L2_PIX_FMT_VP8,  V4L2_PIX_FMT_VP9,
};

static void
compressed_picture_is_bytes(void **state)
{
	size_t i;

	(void)state;
	for (i = 0; i < LEN(compressed); i++) {
		const struct bufalloc_layout *layout = NULL;
		struct bufalloc_request *req = NULL;

		assert_int_equal(bufalloc_request_new(&req), 0);
		assert_int_equal(bufalloc_request_set_format(req, compressed[i],
							     1920, 1080),
				 0);
		assert_int_equal(bufalloc_request_get_layout(req, &layout),
				 -EINVAL);
		assert_null(layout);
		assert_int_equal(bufalloc_request_set_length(req, 1000), 0);
		assert_int_equal(bufalloc_request_set_alignment(req, 64, 64, 64),
				 0);
		assert_int_equal(bufalloc_request_get_layout(req, &layout), 0);
		assert_int_equal(layout->pixelformat, compressed[i]);
		assert_int_equal(layout->fourcc, 0);
		assert_int_equal(layout->plane_count, 1);
		assert_int_equal(layout->memory_count, 1);
		assert_int_equal(layout->planes[0].stride, 0);
		assert_int_equal(layout->planes[0].lines, 0);
		assert_int_equal(layout->planes[0].length, 1000);
		assert_int_equal(layout->lengths[0], 1000);
		bufalloc_request_destroy(req);
	}
}

static void
length_is_room_behind_the_picture(void **state)
{
	static const struct {
		uint64_t asked;
		enum bufalloc_memories memories;
		uint64_t lengths[2];
	} lengths[] = {
		{ 1, BUFALLOC_MEMORIES_ONE, { 3110400, 0 } },
		{ 3110400, BUFALLOC_MEMORIES_ONE, { 3110400, 0 } },
		{ 3110401, BUFALLOC_MEMORIES_ONE, { 3110401, 0 } },
		{ 3110401, BUFALLOC_MEMORIES_PER_PLANE, { 3110401, 1036800 } },
		{ UINT64_MAX, BUFALLOC_MEMORIES_ONE, { UINT64_MAX, 0 } },
	};
	size_t i;

	(void)state;
	for (i = 0; i < LEN(lengths); i++) {
		const struct bufalloc_layout *layout = NULL;
		struct bufalloc_request *req = NULL;

		assert_int_equal(bufalloc_request_new(&req), 0);
		assert_int_equal(bufalloc_request_set_length(req, lengths[i].asked), 0);
		assert_int_equal(bufalloc_request_set_memories(req, lengths[i].memories), 0);
		assert_int_equal(bufalloc_request_set_format(req, DRM_FORMAT_NV12, HD), 0);
		assert_int_equal(bufalloc_request_get_layout(req, &layout), 0);
		assert_int_equal(layout->lengths[0], lengths[i].lengths[0]);
		assert_int_equal(layout->lengths[1], lengths[i].lengths[1]);
		bufalloc_request_destroy(req);
	}
}

/* What a format consists of, said in another way than the library does. */
static const struct {
	uint32_t fourcc;
	/* bits of a pixel of plane 0, and of a sample of the others */
	uint32_t bits, others;
	uint32_t planes, across, down;
} shapes[] = {
	{ DRM_FORMAT_NV12, 8, 16, 2, 2, 2 },
	{ DRM_FORMAT_NV16, 8, 16, 2, 2, 1 },
	{ DRM_FORMAT_NV24, 8, 16, 2, 1, 1 },
	{ DRM_FORMAT_P010, 16, 32, 2, 2, 2 },
	{ DRM_FORMAT_YUV420, 8, 8, 3, 2, 2 },
	{ DRM_FORMAT_YUV422, 8, 8, 3, 2, 1 },
	{ DRM_FORMAT_YUV444, 8, 8, 3, 1, 1 },
	{ DRM_FORMAT_YUYV, 16, 0, 1, 1, 1 },
	{ DRM_FORMAT_XRGB8888, 32, 0, 1, 1, 1 },
	{ DRM_FORMAT_RGB888, 24, 0, 1, 1, 1 },
	{ DRM_FORMAT_RGB565, 16, 0, 1, 1, 1 },
	{ DRM_FORMAT_R8, 8, 0, 1, 1, 1 },
	{ V4L2_PIX_FMT_SBGGR10P, 10, 0, 1, 1, 1 },
	{ V4L2_PIX_FMT_SBGGR12P, 12, 0, 1, 1, 1 },
};

static uint64_t random_state;

static uint32_t
random_number(void)
{
	random_state ^= random_state << 13;
	random_state ^= random_state >> 7;
	random_state ^= random_state << 17;
	return (uint32_t)(random_state >> 16);
}

/* Small, ordinary and absurd numbers alike; never 0. */
static uint32_t
random_side(void)
{
	return (random_number() >> (random_number() % 32)) | 1U << (random_number() % 8);
}

static uint32_t
random_align(void)
{
	return 1U << (random_number() % 17);
}

#define CEIL(a, b) (((a) + (b) - 1) / (b))

/* Each byte of the picture is inside, on its own, and aligned. */
static void
check_properties(const struct bufalloc_layout *layout, size_t s,
		 uint32_t width, uint32_t height, const uint32_t align[3])
{
	__uint128_t end[BUFALLOC_MAX_PLANES] = { 0 };
	uint32_t i;

	assert_int_equal(layout->plane_count, shapes[s].planes);
	for (i = 0; i < layout->plane_count; i++) {
		const struct bufalloc_plane *plane = &layout->planes[i];
		uint64_t across = i == 0 ? 1 : shapes[s].across;
		uint64_t down = i == 0 ? 1 : shapes[s].down;
		uint64_t bits = i == 0 ? shapes[s].bits : shapes[s].others;

		assert_true(plane->memory < layout->memory_count);
		assert_true(plane->offset >= end[plane->memory]);
		assert_int_equal(plane->offset % align[1], 0);
		assert_int_equal(plane->stride % align[0], 0);
		assert_true((uint64_t)plane->stride * 8 >=
			    CEIL((uint64_t)width, across) * bits);
		assert_true(plane->lines >= CEIL((uint64_t)height, down));
		if (i == 0) {
			assert_int_equal(plane->lines % align[2], 0);
		}
		/* V4L2 says one stride for all */
		assert_int_equal((uint64_t)plane->stride * across *
					 shapes[s].bits,
				 (uint64_t)layout->planes[0].stride * bits);
		end[plane->memory] = (__uint128_t)plane->offset +
				     (uint64_t)plane->stride * plane->lines;
		assert_true(end[plane->memory] <=
			    layout->lengths[plane->memory]);
	}
}

/* Only this may be refused. */
static bool
is_absurd(size_t s, uint32_t width, uint32_t height, const uint32_t align[3])
{
	uint64_t stride = (uint64_t)width * shapes[s].bits / 8 + 2 * align[0];
	uint64_t lines = (uint64_t)height + align[2];

	return stride > UINT32_MAX / 2 || lines > UINT32_MAX ||
	       (__uint128_t)stride * lines * 3 + 2 * align[1] > UINT64_MAX;
}

static void
any_picture_fits_or_overflows(void **state)
{
	unsigned int fits = 0, overflows = 0;
	unsigned int round;

	(void)state;
	random_state = UINT64_C(0x9e3779b97f4a7c15);
	for (round = 0; round < 200000; round++) {
		size_t s = random_number() % LEN(shapes);
		uint32_t width = random_side(), height = random_side();
		uint32_t align[3] = { random_align(), random_align(), random_align() };
		const struct bufalloc_layout *layout = NULL;
		struct bufalloc_request *req = NULL;
		int ret;

		assert_int_equal(bufalloc_request_new(&req), 0);
		assert_int_equal(bufalloc_request_set_memories(req, random_number() % 3), 0);
		ret = bufalloc_request_set_format(req, shapes[s].fourcc, width, height);
		if (ret == 0) {
			ret = bufalloc_request_set_alignment(req, align[0], align[1], align[2]);
		}
		if (ret == 0) {
			assert_int_equal(bufalloc_request_get_layout(req, &layout), 0);
			check_properties(layout, s, width, height, align);
			fits++;
		} else {
			assert_int_equal(ret, -EOVERFLOW);
			overflows++;
			assert_true(is_absurd(s, width, height, align));
		}
		bufalloc_request_destroy(req);
	}
	printf("# %u pictures fit, %u overflow\n", fits, overflows);
	assert_true(fits > 100000);
	assert_true(overflows > 1000);
}

#define EXTRA 4

int
main(void)
{
	static struct CMUnitTest tests[LEN(rows) + EXTRA] = {
		cmocka_unit_test(numbers_of_a_format),
		cmocka_unit_test(compressed_picture_is_bytes),
		cmocka_unit_test(length_is_room_behind_the_picture),
		cmocka_unit_test(any_picture_fits_or_overflows),
	};
	size_t i;

	for (i = 0; i < LEN(rows); i++) {
		tests[EXTRA + i] = (struct CMUnitTest){
			.name = rows[i].name,
			.test_func = layout_is_the_documented_one,
			.initial_state = (void *)(uintptr_t)&rows[i],
		};
	}
	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL) == 0 ? 0 : 1;
}
