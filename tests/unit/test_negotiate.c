/* SPDX-License-Identifier: MIT */
/* bufalloc_request_negotiate(): a layout that all devices take. */
#include "sim.h"

#include <drm.h>
#include <drm_fourcc.h>
#include <drm_mode.h>
#include <linux/videodev2.h>
#include <stdio.h>
#include <string.h>

#define MAX_DEVICES 3
#define NV12 DRM_FORMAT_NV12
#define NM12 V4L2_PIX_FMT_NV12M
#define XR24 DRM_FORMAT_XRGB8888
#define YUYV DRM_FORMAT_YUYV
#define MJPG V4L2_PIX_FMT_MJPEG

/* A device of a row: one of the two, by its access. */
struct device {
	enum bufalloc_access access; /* 0: there is none */
	bool is_drm;
	struct sim_v4l2 v4l2;
	struct sim_drm drm;
};

struct row {
	const char *name;
	uint32_t fourcc;
	uint32_t width, height;
	uint32_t align[3];
	uint64_t length;
	enum bufalloc_memories memories;
	struct device devices[MAX_DEVICES];

	int ret;
	/* of success */
	uint32_t memory_count;
	uint32_t stride;
	uint32_t lines;
	uint64_t offset1;
	uint64_t lengths[2];
	/* of failure */
	uint32_t reason;
	int device;
	const char *text; /* a part of it */
};

#define CAMERA(...) { BUFALLOC_WRITE, false, .v4l2 = { __VA_ARGS__ } }
#define DISPLAY(...) { BUFALLOC_READ, true, .drm = { __VA_ARGS__ } }
#define HD 1920, 1080
#define WXGA 1366, 768

static const struct row rows[] = {
	{ "no device", NV12, HD,
	  .memory_count = 1, .stride = 1920, .lines = 1080, .offset1 = 2073600,
	  .lengths = { 3110400 }, .text = "NV12 1920x1080 in lines of 1920 bytes, 3110400 bytes in 1 dma-buf" },
	{ "a file is no device to ask", NV12, HD,
	  .devices = { { BUFALLOC_READ } },
	  .memory_count = 1, .stride = 1920, .lines = 1080, .offset1 = 2073600,
	  .lengths = { 3110400 }, .text = "/tmp/file takes it" },
	{ "camera and display", NV12, HD,
	  .devices = { CAMERA(.formats = { NV12 }), DISPLAY(.formats = { NV12 }) },
	  .memory_count = 1, .stride = 1920, .lines = 1080, .offset1 = 2073600,
	  .lengths = { 3110400 },
	  .text = "; video0 (simcam), card0 (simkms) take it" },
	{ "display with modifiers", NV12, HD,
	  .devices = { DISPLAY(.formats = { NV12 }, .modifiers = true) },
	  .memory_count = 1, .stride = 1920, .lines = 1080, .offset1 = 2073600,
	  .lengths = { 3110400 } },

	/* what one wants, all get */
	{ "stride of the camera", NV12, WXGA,
	  .devices = { CAMERA(.formats = { NV12 }, .stride_align = 64) },
	  .memory_count = 1, .stride = 1408, .lines = 768, .offset1 = 1081344,
	  .lengths = { 1622016 } },
	{ "only stride of the camera", NV12, WXGA,
	  .devices = { CAMERA(.formats = { NV12 }, .fixed_stride = 2048) },
	  .memory_count = 1, .stride = 2048, .lines = 768, .offset1 = 1572864,
	  .lengths = { 2359296 } },
	{ "stride of the display", XR24, WXGA,
	  .devices = { DISPLAY(.formats = { XR24 }, .stride_align = 64) },
	  .memory_count = 1, .stride = 5504, .lines = 768,
	  .lengths = { 4227072 } },
	{ "stride of 512 of the display", XR24, WXGA,
	  .devices = { DISPLAY(.formats = { XR24 }, .stride_align = 512) },
	  .memory_count = 1, .stride = 5632, .lines = 768,
	  .lengths = { 4325376 } },
	{ "the display's stride suits the camera", NV12, WXGA,
	  .devices = { CAMERA(.formats = { NV12 }, .stride_align = 16),
		       DISPLAY(.formats = { NV12 }, .stride_align = 256) },
	  .memory_count = 1, .stride = 1536, .lines = 768, .offset1 = 1179648,
	  .lengths = { 1769472 } },
	{ "the camera's stride suits the display", NV12, WXGA,
	  .devices = { DISPLAY(.formats = { NV12 }, .stride_align = 16),
		       CAMERA(.formats = { NV12 }, .fixed_stride = 2048) },
	  .memory_count = 1, .stride = 2048, .lines = 768, .offset1 = 1572864,
	  .lengths = { 2359296 } },
	{ "two cameras", YUYV, WXGA,
	  .devices = { CAMERA(.formats = { YUYV }, .stride_align = 64),
		       CAMERA(.formats = { YUYV }, .stride_align = 256) },
	  .memory_count = 1, .stride = 2816, .lines = 768,
	  .lengths = { 2162688 } },
	{ "room behind the picture", NV12, HD,
	  .devices = { CAMERA(.formats = { NV12 }, .extra = 4096) },
	  .memory_count = 1, .stride = 1920, .lines = 1080, .offset1 = 2073600,
	  .lengths = { 3114496 } },
	{ "lines of a codec", NV12, HD,
	  .devices = { { BUFALLOC_WRITE, .v4l2 = { .caps = V4L2_CAP_VIDEO_M2M,
		       .formats = { NV12 }, .line_align = 16 } } },
	  .memory_count = 1, .stride = 1920, .lines = 1088, .offset1 = 2088960,
	  .lengths = { 3133440 } },
	{ "a codec that reads", NV12, HD,
	  .devices = { { BUFALLOC_READ, .v4l2 = { .caps = V4L2_CAP_VIDEO_M2M_MPLANE,
		       .formats = { NV12 }, .line_align = 32 } } },
	  .memory_count = 1, .stride = 1920, .lines = 1088, .offset1 = 2088960,
	  .lengths = { 3133440 } },
	{ "a codec in place", XR24, HD,
	  .devices = { { BUFALLOC_READ_WRITE, .v4l2 = { .caps = V4L2_CAP_VIDEO_M2M,
		       .formats = { XR24 }, .line_align = 32 } } },
	  .memory_count = 1, .stride = 7680, .lines = 1088,
	  .lengths = { 8355840 } },
	{ "a codec is asked in the queue that writes", NV12, HD,
	  .devices = { { BUFALLOC_WRITE, .v4l2 = { .caps = V4L2_CAP_VIDEO_M2M,
		       .formats = { NV12 }, .out_formats = { YUYV } } } },
	  .memory_count = 1, .stride = 1920, .lines = 1080, .offset1 = 2073600,
	  .lengths = { 3110400 } },
	{ "a codec is asked in the queue that reads", YUYV, HD,
	  .devices = { { BUFALLOC_READ, .v4l2 = { .caps = V4L2_CAP_VIDEO_M2M,
		       .formats = { NV12 }, .out_formats = { YUYV } } } },
	  .memory_count = 1, .stride = 3840, .lines = 1080,
	  .lengths = { 4147200 } },
	{ "a codec in place is asked in both", YUYV, HD,
	  .devices = { { BUFALLOC_READ_WRITE, .v4l2 = { .caps = V4L2_CAP_VIDEO_M2M,
		       .formats = { NV12 }, .out_formats = { YUYV } } } },
	  .ret = -EOPNOTSUPP, .reason = BUFALLOC_WHY_FORMAT },
	{ "an output that reads", XR24, HD,
	  .devices = { { BUFALLOC_READ, .v4l2 = { .caps = V4L2_CAP_VIDEO_OUTPUT,
		       .formats = { XR24 }, .stride_align = 1024 } } },
	  .memory_count = 1, .stride = 8192, .lines = 1080,
	  .lengths = { 8847360 } },
	{ "an output that is said to write", XR24, HD,
	  .devices = { { BUFALLOC_WRITE, .v4l2 = { .caps = V4L2_CAP_VIDEO_OUTPUT_MPLANE,
		       .formats = { XR24 }, .stride_align = 1024 } } },
	  .memory_count = 1, .stride = 8192, .lines = 1080,
	  .lengths = { 8847360 } },
	{ "RGB565 has another number in V4L2", DRM_FORMAT_RGB565, HD,
	  .devices = { CAMERA(.formats = { V4L2_PIX_FMT_RGB565 }),
		       DISPLAY(.formats = { DRM_FORMAT_RGB565 }) },
	  .memory_count = 1, .stride = 3840, .lines = 1080,
	  .lengths = { 4147200 } },

	/* several dma-bufs */
	{ "in one dma-buf of the multi-planar API", NV12, HD,
	  .devices = { CAMERA(.caps = V4L2_CAP_VIDEO_CAPTURE_MPLANE,
			      .formats = { NV12, NM12 }, .extra = 100) },
	  .memory_count = 1, .stride = 1920, .lines = 1080, .offset1 = 2073600,
	  .lengths = { 3110500 } },
	{ "two dma-bufs where the device wants it", NV12, HD,
	  .devices = { DISPLAY(.formats = { NV12 }),
		       CAMERA(.caps = V4L2_CAP_VIDEO_CAPTURE_MPLANE,
			      .formats = { NM12 }, .extra = 100) },
	  .memory_count = 2, .stride = 1920, .lines = 1080,
	  .lengths = { 2073700, 1036900 },
	  .text = "2073700 + 1036900 bytes in 2 dma-bufs; card0 (simkms), video0 (simcam) take it" },
	{ "two dma-bufs where the caller wants it", NV12, WXGA,
	  .memories = BUFALLOC_MEMORIES_PER_PLANE,
	  .devices = { CAMERA(.caps = V4L2_CAP_VIDEO_CAPTURE_MPLANE,
			      .formats = { NV12, NM12 }, .stride_align = 256) },
	  .memory_count = 2, .stride = 1536, .lines = 768,
	  .lengths = { 1179648, 589824 } },
	{ "one dma-buf where the caller wants it", NV12, HD,
	  .memories = BUFALLOC_MEMORIES_ONE,
	  .devices = { CAMERA(.caps = V4L2_CAP_VIDEO_CAPTURE_MPLANE,
			      .formats = { NM12 }) },
	  .ret = -EOPNOTSUPP, .reason = BUFALLOC_WHY_FORMAT },
	{ "two dma-bufs for a single-planar device", NV12, HD,
	  .memories = BUFALLOC_MEMORIES_PER_PLANE,
	  .devices = { CAMERA(.formats = { NV12, NM12 }) },
	  .ret = -EOPNOTSUPP, .reason = BUFALLOC_WHY_FORMAT },
	{ "one wants two, one wants one", NV12, HD,
	  .devices = { CAMERA(.formats = { NV12 }),
		       CAMERA(.name = "video1", .caps = V4L2_CAP_VIDEO_CAPTURE_MPLANE,
			      .formats = { NM12 }) },
	  .ret = -EOPNOTSUPP, .reason = BUFALLOC_WHY_FORMAT, .device = 0 },

	/* compressed */
	{ "the camera knows how long", MJPG, HD,
	  .devices = { CAMERA(.formats = { MJPG }) },
	  .memory_count = 1, .lengths = { 100000 } },
	{ "the caller wants more", MJPG, HD, .length = 123456,
	  .devices = { CAMERA(.formats = { MJPG }) },
	  .memory_count = 1, .lengths = { 123456 } },
	{ "nobody knows how long", MJPG, HD,
	  .ret = -EINVAL, .reason = BUFALLOC_WHY_LENGTH, .device = -1,
	  .text = "set a length" },
	{ "no display shows that", MJPG, HD, .length = 123456,
	  .devices = { DISPLAY(.formats = { NV12 }) },
	  .ret = -EOPNOTSUPP, .reason = BUFALLOC_WHY_FORMAT },

	/* refusals */
	{ "another format", NV12, HD,
	  .devices = { CAMERA(.formats = { YUYV }) },
	  .ret = -EOPNOTSUPP, .reason = BUFALLOC_WHY_FORMAT,
	  .text = "no layout for NV12 1920x1080: video0 (simcam) does not take this format" },
	{ "EINVAL for the format", NV12, HD,
	  .devices = { DISPLAY(.formats = { NV12 }),
		       CAMERA(.formats = { YUYV }, .einval_for_unknown = 1) },
	  .ret = -EOPNOTSUPP, .reason = BUFALLOC_WHY_FORMAT, .device = 1 },
	{ "another size", NV12, HD,
	  .devices = { CAMERA(.formats = { NV12 }, .width = 640, .height = 360) },
	  .ret = -EOPNOTSUPP, .reason = BUFALLOC_WHY_SIZE,
	  .text = "video0 (simcam) does not take this size: the nearest is 640x360" },
	{ "a larger picture is no padding of a camera", NV12, HD,
	  .devices = { CAMERA(.formats = { NV12 }, .width = 1936, .height = 1096) },
	  .ret = -EOPNOTSUPP, .reason = BUFALLOC_WHY_SIZE },
	{ "strides exclude each other", NV12, WXGA,
	  .devices = { CAMERA(.formats = { NV12 }, .fixed_stride = 1366),
		       DISPLAY(.formats = { NV12 }, .stride_align = 64) },
	  .ret = -ENOSPC, .reason = BUFALLOC_WHY_STRIDE, .device = 0,
	  .text = "it wants 1366 bytes a line, not 1408" },
	{ "the caller's alignment is too much", NV12, WXGA, .align = { 64 },
	  .devices = { CAMERA(.formats = { NV12 }, .fixed_stride = 1366) },
	  .ret = -ENOSPC, .reason = BUFALLOC_WHY_STRIDE, .device = 0 },
	{ "a camera adds no lines", NV12, HD,
	  .devices = { CAMERA(.formats = { NV12 }, .width = 1920, .height = 1080),
		       { BUFALLOC_READ, .v4l2 = { .name = "video1",
			 .caps = V4L2_CAP_VIDEO_M2M, .formats = { NV12 },
			 .line_align = 16 } } },
	  .ret = -ENOSPC, .reason = BUFALLOC_WHY_LINES, .device = 0,
	  .text = "it wants 1080 lines, not 1088" },
	{ "lines behind a packed picture do no harm", XR24, HD,
	  .devices = { CAMERA(.formats = { XR24 }, .width = 1920, .height = 1080),
		       { BUFALLOC_READ, .v4l2 = { .name = "video1",
			 .caps = V4L2_CAP_VIDEO_M2M, .formats = { XR24 },
			 .line_align = 16 } } },
	  .memory_count = 1, .stride = 7680, .lines = 1088,
	  .lengths = { 8355840 } },
	{ "no room between planes in V4L2", NV12, HD, .align = { 1, 4096, 1 },
	  .devices = { CAMERA(.formats = { NV12 }) },
	  .ret = -ENOSPC, .reason = BUFALLOC_WHY_OFFSET, .device = 0,
	  .text = "it wants plane 1 at byte 2073600, not 2076672" },
	{ "room between planes for a display", NV12, HD, .align = { 1, 4096, 1 },
	  .devices = { DISPLAY(.formats = { NV12 }) },
	  .memory_count = 1, .stride = 1920, .lines = 1080, .offset1 = 2076672,
	  .lengths = { 3113472 } },
	{ "a display that shows no NV12", NV12, HD,
	  .devices = { CAMERA(.formats = { NV12 }), DISPLAY(.formats = { XR24 }) },
	  .ret = -EOPNOTSUPP, .reason = BUFALLOC_WHY_SHOW, .device = 1,
	  .text = "card0 (simkms) makes no framebuffer of it" },
	{ "a display that makes a framebuffer and does not show it", NV12, HD,
	  .devices = { DISPLAY(.formats = { XR24, NV12 }, .plane_formats = { XR24 }) },
	  .ret = -EOPNOTSUPP, .reason = BUFALLOC_WHY_SHOW },
	{ "the same that only writes it back", NV12, HD,
	  .devices = { { BUFALLOC_WRITE, true, .drm = { .formats = { XR24, NV12 },
			 .plane_formats = { XR24 } } } },
	  .memory_count = 1, .stride = 1920, .lines = 1080, .offset1 = 2073600,
	  .lengths = { 3110400 } },
	{ "a display that is too small", XR24, HD,
	  .devices = { DISPLAY(.formats = { XR24 }, .max_width = 1024) },
	  .ret = -EOPNOTSUPP, .reason = BUFALLOC_WHY_SHOW },
	{ "a display whose next stride is no number any more", XR24, 0x3fffffff, 1,
	  .devices = { DISPLAY(.formats = { XR24 }, .stride_align = 64) },
	  .ret = -EOPNOTSUPP, .reason = BUFALLOC_WHY_SHOW },
	{ "DRM has no such format", V4L2_PIX_FMT_SBGGR8, HD,
	  .devices = { DISPLAY(.formats = { XR24 }) },
	  .ret = -EOPNOTSUPP, .reason = BUFALLOC_WHY_FORMAT },
	{ "V4L2 has no such format", DRM_FORMAT_P016, HD,
	  .devices = { CAMERA(.formats = { NV12 }) },
	  .ret = -EOPNOTSUPP, .reason = BUFALLOC_WHY_FORMAT },
	{ "a device that is gone", NV12, HD,
	  .devices = { CAMERA(.formats = { NV12 }, .try_errno = ENODEV) },
	  .ret = -ENODEV, .reason = BUFALLOC_WHY_ASK },
	{ "a display that is gone", XR24, HD,
	  .devices = { DISPLAY(.formats = { XR24 }, .add_errno = ENODEV) },
	  .ret = -ENODEV, .reason = BUFALLOC_WHY_ASK },
	{ "a device that is never content", YUYV, HD,
	  .devices = { CAMERA(.formats = { YUYV }, .greed = 2) },
	  .ret = -ENOSPC, .reason = BUFALLOC_WHY_LAYOUT,
	  .text = "wants something else each time" },

	/* nothing to ask */
	{ "a render node", MJPG, HD, .length = 5000,
	  .devices = { DISPLAY(.name = "renderD128", .no_modes = true) },
	  .memory_count = 1, .lengths = { 5000 } },
	{ "a display without dumb buffers", XR24, HD,
	  .devices = { DISPLAY(.formats = { XR24 }, .no_dumb = true, .stride_align = 1024) },
	  .memory_count = 1, .stride = 7680, .lines = 1080,
	  .lengths = { 8294400 } },
	{ "no memory for a dumb buffer", XR24, HD,
	  .devices = { DISPLAY(.formats = { XR24 }, .dumb_errno = ENOMEM, .stride_align = 1024) },
	  .memory_count = 1, .stride = 7680, .lines = 1080,
	  .lengths = { 8294400 } },
	{ "bytes", .length = 777,
	  .devices = { CAMERA(.formats = { NV12 }), DISPLAY(.formats = { NV12 }) },
	  .memory_count = 1, .lengths = { 777 },
	  .text = "777 bytes, 777 bytes in 1 dma-buf; video0" },
};

static struct bufalloc_request *
request_of(const struct row *row)
{
	struct bufalloc_request *req = NULL;
	size_t i;

	assert_int_equal(bufalloc_request_new(&req), 0);
	if (row->fourcc != 0) {
		assert_int_equal(bufalloc_request_set_format(req, row->fourcc, row->width,
							     row->height),
				 0);
	}
	if (row->length != 0) {
		assert_int_equal(bufalloc_request_set_length(req, row->length), 0);
	}
	assert_int_equal(bufalloc_request_set_memories(req, row->memories), 0);
	assert_int_equal(bufalloc_request_set_alignment(req, row->align[0], row->align[1],
							row->align[2]),
			 0);
	for (i = 0; i < MAX_DEVICES && row->devices[i].access != 0; i++) {
		const struct device *device = &row->devices[i];
		int fd;

		if (device->is_drm) {
			fd = sim_open_drm(&device->drm);
		} else if (device->v4l2.formats[0] != 0) {
			fd = sim_open_v4l2(&device->v4l2);
		} else {
			fd = sim_open_file();
		}
		assert_int_equal(bufalloc_request_add_device(req, fd, device->access), 0);
	}
	return req;
}

static void
check_layout(const struct row *row, const struct bufalloc_layout *layout)
{
	assert_int_equal(layout->width, row->width);
	assert_int_equal(layout->height, row->height);
	assert_int_equal(layout->memory_count, row->memory_count);
	assert_int_equal(layout->planes[0].stride, row->stride);
	assert_int_equal(layout->planes[0].lines, row->lines);
	assert_int_equal(layout->planes[1].offset, row->offset1);
	assert_int_equal(layout->lengths[0], row->lengths[0]);
	assert_int_equal(layout->lengths[1], row->lengths[1]);
}

static void
contains(const char *text, const char *part)
{
	if (part != NULL && strstr(text, part) == NULL) {
		fail_msg("\"%s\" is not in \"%s\"", part, text);
	}
}

static void
check_row(void **state)
{
	const struct row *row = *state;
	const struct bufalloc_layout *const untouched = (void *)0x1234;
	const struct bufalloc_layout *layout = untouched;
	struct bufalloc_verdict *verdict = NULL;
	struct bufalloc_use_result result;
	struct bufalloc_request *req;
	size_t i;

	sim_setup(NULL);
	req = request_of(row);
	assert_int_equal(bufalloc_request_negotiate(req, &layout, &verdict), row->ret);
	assert_non_null(verdict);
	assert_int_equal(bufalloc_verdict_get_error(verdict), row->ret);
	contains(bufalloc_verdict_text(verdict), row->text);
	if (row->ret == 0) {
		check_layout(row, layout);
		assert_int_equal(bufalloc_verdict_get_device(verdict), -1);
	} else {
		assert_ptr_equal(layout, untouched);
		assert_int_equal(bufalloc_verdict_get_reason(verdict), row->reason);
		assert_int_equal(bufalloc_verdict_get_device(verdict), row->device);
		for (i = 0; bufalloc_verdict_get_use(verdict, i, &result) == 0; i++) {
			bool refuses = (int)i == row->device;

			assert_int_equal(result.error, refuses ? row->ret : 0);
			assert_int_equal(result.reason, refuses ? row->reason : 0);
		}
	}
	bufalloc_verdict_destroy(verdict);
	bufalloc_request_destroy(req);
	sim_teardown(NULL);
}

/* With the verdict, and without. */
static void
no_memory_is_enomem(void **state)
{
	const struct bufalloc_layout *const untouched = (void *)0x1234;
	const struct bufalloc_layout *layout = untouched;
	struct bufalloc_verdict *verdict = (void *)0x1234;
	struct bufalloc_request *req = request_of(&rows[2]);

	(void)state;
	sim_fail_memory(1, true);
	assert_int_equal(bufalloc_request_negotiate(req, &layout, &verdict), -ENOMEM);
	assert_null(verdict);
	assert_ptr_equal(layout, untouched);
	assert_int_equal(bufalloc_request_negotiate(req, &layout, NULL), -ENOMEM);
	sim_fail_memory(0, false);
	assert_int_equal(bufalloc_request_negotiate(req, &layout, NULL), 0);
	bufalloc_request_destroy(req);
}

/* A signal at any call of a negotiation changes nothing. */
static void
interrupted_calls_are_made_again(void **state)
{
	static const int errnos[] = { EINTR, EAGAIN };
	struct bufalloc_request *req = request_of(&rows[8]);
	const struct bufalloc_layout *layout = NULL;
	unsigned int nth, seen = 0;
	size_t i;

	(void)state;
	for (i = 0; i < LEN(errnos); i++) {
		bool failed = true;

		for (nth = 1; failed; nth++) {
			sim_fail_call(nth, errnos[i], false, true);
			assert_int_equal(bufalloc_request_negotiate(req, &layout, NULL), 0);
			assert_int_equal(layout->planes[0].stride, 1536);
			failed = sim_has_failed();
			seen += failed;
		}
	}
	printf("# %u calls were interrupted\n", seen);
	assert_true(seen > 20);
	bufalloc_request_destroy(req);
}

/* Whatever fails, once or from then on: nothing is left, nothing is half done. */
static void
any_call_may_fail(void **state)
{
	static const int errnos[] = { EIO, ENODEV, ENOTTY, EACCES };
	struct bufalloc_request *req = request_of(&rows[8]);
	unsigned int seen = 0;
	size_t i;

	(void)state;
	for (i = 0; i < LEN(errnos) * 2; i++) {
		bool failed = true;
		unsigned int nth;

		for (nth = 1; failed; nth++) {
			const struct bufalloc_layout *layout = NULL;
			struct bufalloc_verdict *verdict = NULL;
			int ret;

			/* what was made on trial cannot be unmade if that fails */
			sim_fail_call(nth, errnos[i / 2], i % 2 != 0, false);
			ret = bufalloc_request_negotiate(req, &layout, &verdict);
			failed = sim_has_failed();
			sim_fail_call(0, 0, false, false);
			seen += failed;
			assert_int_equal(ret, bufalloc_verdict_get_error(verdict));
			assert_int_equal(layout != NULL, ret == 0);
			assert_true(strlen(bufalloc_verdict_text(verdict)) > 20);
			bufalloc_verdict_destroy(verdict);
		}
		sim_forget_objects();
	}
	printf("# %u calls failed\n", seen);
	assert_true(seen > 50);
	bufalloc_request_destroy(req);
}

/* Which planes the caller's file sees is the caller's to say. */
static void
planes_stay_as_visible_as_they_were(void **state)
{
	int i;

	(void)state;
	for (i = 0; i < 2; i++) {
		const struct sim_drm display = { .formats = { XR24 }, .universal = i != 0 };
		const struct bufalloc_layout *layout = NULL;
		struct bufalloc_request *req = NULL;
		int fd = sim_open_drm(&display);

		assert_int_equal(bufalloc_request_new(&req), 0);
		assert_int_equal(bufalloc_request_set_format(req, XR24, 64, 64), 0);
		assert_int_equal(bufalloc_request_add_device(req, fd, BUFALLOC_READ), 0);
		assert_int_equal(bufalloc_request_negotiate(req, &layout, NULL), 0);
		assert_int_equal(sim_is_universal(fd), i != 0);
		bufalloc_request_destroy(req);
	}
}

/* The trial framebuffer is the layout, and its modifier is said where it counts. */
static void
negotiation_leaves_nothing_behind(void **state)
{
	struct bufalloc_request *req = request_of(&rows[3]);
	const struct bufalloc_layout *layout = NULL;

	(void)state;
	assert_int_equal(bufalloc_request_negotiate(req, &layout, NULL), 0);
	assert_int_equal(layout->modifier, DRM_FORMAT_MOD_LINEAR);
	assert_int_equal(sim_calls_of(DRM_IOCTL_MODE_ADDFB2), 1);
	assert_int_equal(sim_calls_of(DRM_IOCTL_MODE_RMFB), 1);
	assert_int_equal(sim_calls_of(DRM_IOCTL_MODE_CREATE_DUMB), 1);
	assert_int_equal(sim_calls_of(DRM_IOCTL_MODE_DESTROY_DUMB), 1);
	assert_int_equal(sim_calls_of(VIDIOC_S_FMT), 0);
	bufalloc_request_destroy(req);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, sim_setup, sim_teardown)
#define EXTRA 5

int
main(void)
{
	static struct CMUnitTest tests[LEN(rows) + EXTRA] = {
		TEST(no_memory_is_enomem),
		TEST(interrupted_calls_are_made_again),
		TEST(any_call_may_fail),
		TEST(negotiation_leaves_nothing_behind),
		TEST(planes_stay_as_visible_as_they_were),
	};
	size_t i;

	for (i = 0; i < LEN(rows); i++) {
		tests[EXTRA + i] = (struct CMUnitTest){
			.name = rows[i].name,
			.test_func = check_row,
			.initial_state = (void *)(uintptr_t)&rows[i],
		};
	}
	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL) == 0 ? 0 : 1;
}
