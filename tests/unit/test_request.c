/* SPDX-License-Identifier: MIT */
/* bufalloc_request_*(): what is wrong is said by the setter. */
#include "mock.h"

#include <drm_fourcc.h>
#include <linux/videodev2.h>
#include <string.h>

static struct bufalloc_request *req;

static int
setup(void **state)
{
	mock_setup(state);
	assert_int_equal(bufalloc_request_new(&req), 0);
	return 0;
}

static int
teardown(void **state)
{
	bufalloc_request_destroy(req);
	return mock_teardown(state);
}

static struct bufalloc_layout
layout_now(void)
{
	const struct bufalloc_layout *layout = NULL;

	assert_int_equal(bufalloc_request_get_layout(req, &layout), 0);
	return *layout;
}

static void
no_memory_is_enomem(void **state)
{
	struct bufalloc_request *const untouched = (void *)0x1234;
	struct bufalloc_request *other = untouched;

	(void)state;
	mock_fail_memory(1);
	assert_int_equal(bufalloc_request_new(&other), -ENOMEM);
	assert_ptr_equal(other, untouched);
}

static void
destroy_takes_null(void **state)
{
	(void)state;
	bufalloc_request_destroy(NULL);
}

static void
empty_request_is_einval(void **state)
{
	const struct bufalloc_layout *layout = (void *)0x1234;

	(void)state;
	assert_int_equal(bufalloc_request_get_layout(req, &layout), -EINVAL);
	assert_ptr_equal(layout, (void *)0x1234);
}

static void
length_alone_is_a_request(void **state)
{
	struct bufalloc_layout layout;

	(void)state;
	assert_int_equal(bufalloc_request_set_length(req, 0), -EINVAL);
	assert_int_equal(bufalloc_request_set_length(req, 12345), 0);
	assert_int_equal(bufalloc_request_set_length(req, 0), -EINVAL);
	layout = layout_now();
	assert_int_equal(layout.fourcc, 0);
	assert_int_equal(layout.pixelformat, 0);
	assert_int_equal(layout.plane_count, 1);
	assert_int_equal(layout.memory_count, 1);
	assert_int_equal(layout.lengths[0], 12345);
	assert_int_equal(layout.planes[0].length, 12345);
	assert_int_equal(layout.planes[0].offset, 0);
}

static const struct {
	uint32_t format, width, height;
	int drm, v4l2;
} bad_formats[] = {
	{ DRM_FORMAT_NV12, 0, 1080, -EINVAL, -EINVAL },
	{ DRM_FORMAT_NV12, 1920, 0, -EINVAL, -EINVAL },
	{ 0, 1920, 1080, -EOPNOTSUPP, -EOPNOTSUPP },
	{ UINT32_MAX, 1920, 1080, -EOPNOTSUPP, -EOPNOTSUPP },
	{ BUFALLOC_FOURCC('N', 'O', 'N', 'E'), 1920, 1080, -EOPNOTSUPP, -EOPNOTSUPP },
	{ DRM_FORMAT_NV12 | DRM_FORMAT_BIG_ENDIAN, 1920, 1080, -EOPNOTSUPP, -EOPNOTSUPP },
	/* a tiled format is none of the linear ones */
	{ V4L2_PIX_FMT_NV12_16L16, 1920, 1080, -EOPNOTSUPP, -EOPNOTSUPP },
	/* DRM's number means nothing to V4L2 */
	{ DRM_FORMAT_YUV422, 1920, 1080, 0, -EOPNOTSUPP },
	{ DRM_FORMAT_NV12, UINT32_MAX, 1, -EOVERFLOW, -EOVERFLOW },
	{ DRM_FORMAT_XRGB8888, 0x40000000, 1, -EOVERFLOW, -EOVERFLOW },
	{ DRM_FORMAT_XRGB8888, 0x3fffffff, UINT32_MAX, 0, 0 },
	{ DRM_FORMAT_NV24, 0x80000000, 1, -EOVERFLOW, -EOVERFLOW },
};

static void
bad_format_is_refused_and_changes_nothing(void **state)
{
	struct bufalloc_layout before, after;
	size_t i;

	(void)state;
	assert_int_equal(bufalloc_request_set_format(req, DRM_FORMAT_YUYV, 640, 480), 0);
	before = layout_now();
	for (i = 0; i < LEN(bad_formats); i++) {
		uint32_t format = bad_formats[i].format;
		uint32_t width = bad_formats[i].width;
		uint32_t height = bad_formats[i].height;

		assert_int_equal(bufalloc_request_set_format(req, format, width, height),
				 bad_formats[i].drm);
		if (bad_formats[i].drm == 0) {
			assert_int_equal(bufalloc_request_set_format(req, DRM_FORMAT_YUYV,
								     640, 480),
					 0);
		}
		assert_int_equal(bufalloc_request_set_pixelformat(req, format, width, height),
				 bad_formats[i].v4l2);
		if (bad_formats[i].v4l2 == 0) {
			assert_int_equal(bufalloc_request_set_format(req, DRM_FORMAT_YUYV,
								     640, 480),
					 0);
		}
		after = layout_now();
		assert_memory_equal(&before, &after, sizeof(before));
	}
}

static void
bad_alignment_is_refused_and_changes_nothing(void **state)
{
	static const uint32_t bad[] = { 3, 5, 6, 7, 12, 65535, 131072, UINT32_MAX };
	struct bufalloc_layout before, after;
	size_t i;

	(void)state;
	assert_int_equal(bufalloc_request_set_format(req, DRM_FORMAT_YUYV, 641, 481), 0);
	assert_int_equal(bufalloc_request_set_alignment(req, 16, 32, 64), 0);
	before = layout_now();
	for (i = 0; i < LEN(bad); i++) {
		assert_int_equal(bufalloc_request_set_alignment(req, bad[i], 1, 1), -EINVAL);
		assert_int_equal(bufalloc_request_set_alignment(req, 1, bad[i], 1), -EINVAL);
		assert_int_equal(bufalloc_request_set_alignment(req, 1, 1, bad[i]), -EINVAL);
	}
	/* the line would be 65536 bytes too long */
	assert_int_equal(bufalloc_request_set_format(req, DRM_FORMAT_R8, UINT32_MAX - 65535, 1), 0);
	assert_int_equal(bufalloc_request_set_alignment(req, 65536, 1, 1), 0);
	assert_int_equal(bufalloc_request_set_format(req, DRM_FORMAT_R8, UINT32_MAX - 65534, 1),
			 -EOVERFLOW);
	assert_int_equal(bufalloc_request_set_alignment(req, 16, 32, 64), 0);
	assert_int_equal(bufalloc_request_set_format(req, DRM_FORMAT_YUYV, 641, 481), 0);
	after = layout_now();
	assert_memory_equal(&before, &after, sizeof(before));
	/* 0 is 1 */
	assert_int_equal(bufalloc_request_set_alignment(req, 0, 0, 0), 0);
	assert_int_equal(layout_now().planes[0].stride, 1284);
}

static void
bad_memories_is_einval(void **state)
{
	static const int bad[] = { -1, 3, 4, 1 << 30 };
	size_t i;

	(void)state;
	for (i = 0; i < LEN(bad); i++) {
		assert_int_equal(bufalloc_request_set_memories(req, (enum bufalloc_memories)bad[i]),
				 -EINVAL);
	}
}

static void
bad_device_is_refused(void **state)
{
	static const int bad[] = { 0, 4, 5, 7, -1, 1 << 30 };
	size_t i;

	(void)state;
	assert_int_equal(bufalloc_request_add_device(req, -1, BUFALLOC_READ), -EBADF);
	for (i = 0; i < LEN(bad); i++) {
		assert_int_equal(bufalloc_request_add_device(req, 0, (enum bufalloc_access)bad[i]),
				 -EINVAL);
	}
	for (i = 0; i < 16; i++) {
		assert_int_equal(bufalloc_request_add_device(req, 0, BUFALLOC_READ_WRITE), 0);
	}
	assert_int_equal(bufalloc_request_add_device(req, 0, BUFALLOC_READ), -E2BIG);
}

/* Numbers are said for a format or a length that comes later, too. */
static void
order_does_not_matter(void **state)
{
	struct bufalloc_layout a, b;

	(void)state;
	assert_int_equal(bufalloc_request_set_length(req, 4000000), 0);
	assert_int_equal(bufalloc_request_set_alignment(req, 64, 4096, 16), 0);
	assert_int_equal(bufalloc_request_set_memories(req, BUFALLOC_MEMORIES_PER_PLANE), 0);
	assert_int_equal(bufalloc_request_set_format(req, DRM_FORMAT_NV12, 1366, 768), 0);
	a = layout_now();
	bufalloc_request_destroy(req);
	assert_int_equal(bufalloc_request_new(&req), 0);
	assert_int_equal(bufalloc_request_set_format(req, DRM_FORMAT_NV12, 1366, 768), 0);
	assert_int_equal(bufalloc_request_set_memories(req, BUFALLOC_MEMORIES_PER_PLANE), 0);
	assert_int_equal(bufalloc_request_set_alignment(req, 64, 4096, 16), 0);
	assert_int_equal(bufalloc_request_set_length(req, 4000000), 0);
	b = layout_now();
	assert_memory_equal(&a, &b, sizeof(a));
	assert_int_equal(a.lengths[0], 4000000);
}

static void
name_may_be_anything(void **state)
{
	char text[200];

	(void)state;
	memset(text, 'x', sizeof(text));
	text[sizeof(text) - 1] = '\0';
	bufalloc_request_set_name(req, text);
	bufalloc_request_set_name(req, "");
	bufalloc_request_set_name(req, NULL);
}

/* What only bufalloc.ko has; the buffers show that it is asked for. */
static void
bad_options_are_einval(void **state)
{
	const unsigned int known = BUFALLOC_REQUEST_DRY_RUN | BUFALLOC_REQUEST_NO_TRIAL;

	(void)state;
	assert_int_equal(bufalloc_request_set_heap(req, BUFALLOC_CONTIG), 0);
	assert_int_equal(bufalloc_request_set_heap(req, BUFALLOC_AUTO), 0);
	assert_int_equal(bufalloc_request_set_heap(req, (enum bufalloc_heap)31), -EINVAL);
	assert_int_equal(bufalloc_request_set_heap(req, BUFALLOC_USER), -EINVAL);
	assert_int_equal(bufalloc_request_set_attributes(req, BUFALLOC_NEVER_CPU,
							BUFALLOC_NEVER_CPU),
			 0);
	assert_int_equal(bufalloc_request_set_attributes(req, BUFALLOC_NEVER_CPU, 0), 0);
	assert_int_equal(bufalloc_request_set_attributes(req, 0, BUFALLOC_NEVER_CPU), -EINVAL);
	assert_int_equal(bufalloc_request_set_attributes(req, UINT64_C(1) << 63, 0), -EINVAL);
	assert_int_equal(bufalloc_request_set_flags(req, known), 0);
	assert_int_equal(bufalloc_request_set_flags(req, 0), 0);
	assert_int_equal(bufalloc_request_set_flags(req, known + 1), -EINVAL);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		TEST(no_memory_is_enomem),
		TEST(destroy_takes_null),
		TEST(empty_request_is_einval),
		TEST(length_alone_is_a_request),
		TEST(bad_format_is_refused_and_changes_nothing),
		TEST(bad_alignment_is_refused_and_changes_nothing),
		TEST(bad_memories_is_einval),
		TEST(bad_device_is_refused),
		TEST(order_does_not_matter),
		TEST(name_may_be_anything),
		TEST(bad_options_are_einval),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL) == 0 ? 0 : 1;
}
