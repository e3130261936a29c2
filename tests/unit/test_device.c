/* SPDX-License-Identifier: MIT */
/* bufalloc_get_device_info() and bufalloc_alloc_for(). */
#include "mock.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static struct bufalloc_buf *const untouched = (struct bufalloc_buf *)0x1234;

static const struct bufalloc_buffer_info two_pages = {
	.size = sizeof(struct bufalloc_buffer_info),
	.out_length = MOCK_LENGTH,
};

static const struct bufalloc_device_info camera = {
	.size = sizeof(camera),
	.out_max_segments = 1,
	.out_driver = "vivid",
	.out_name = "video0",
};

static const struct bufalloc_device_info display = {
	.size = sizeof(display),
	.out_max_segments = BUFALLOC_ANY_SEGMENTS,
	.out_driver = "vkms",
	.out_name = "card0",
};

static void
device_info_copies_each_field(void **state)
{
	struct bufalloc_device_info out = {
		.size = sizeof(out),
		.out_flags = 0x11121314,
		.out_found = 0x21222324,
		.out_dma_mask = UINT64_C(0x3132333435363738),
		.out_coherent_mask = UINT64_C(0x4142434445464748),
		.out_bus_limit = UINT64_C(0x5152535455565758),
		.out_max_segment = UINT64_C(0x6162636465666768),
		.out_segment_boundary = UINT64_C(0x7172737475767778),
		.out_max_segments = 0x81828384,
		.out_iommu = 0x91929394,
		.out_iommu_granule = UINT64_C(0xa1a2a3a4a5a6a7a8),
		.out_driver = "driver",
		.out_name = "name",
	};
	struct bufalloc_ctx *ctx = mock_open();
	struct bufalloc_dev_info info;

	(void)state;
	mock_expect_device_info(7, 3, &out, 0);
	assert_int_equal(bufalloc_get_device_info(ctx, 7, BUFALLOC_READ_WRITE,
						  &info),
			 0);
	assert_int_equal(info.flags, 0x11121314);
	assert_int_equal(info.found, 0x21222324);
	assert_int_equal(info.dma_mask, UINT64_C(0x3132333435363738));
	assert_int_equal(info.coherent_mask, UINT64_C(0x4142434445464748));
	assert_int_equal(info.bus_limit, UINT64_C(0x5152535455565758));
	assert_int_equal(info.max_segment, UINT64_C(0x6162636465666768));
	assert_int_equal(info.segment_boundary, UINT64_C(0x7172737475767778));
	assert_int_equal(info.max_segments, 0x81828384);
	assert_int_equal(info.iommu, 0x91929394);
	assert_int_equal(info.iommu_granule, UINT64_C(0xa1a2a3a4a5a6a7a8));
	assert_string_equal(info.driver, "driver");
	assert_string_equal(info.name, "name");

	/* names that fill their room are terminated all the same */
	memset(out.out_driver, 'd', sizeof(out.out_driver));
	memset(out.out_name, 'n', sizeof(out.out_name));
	mock_expect_device_info(7, 1, &out, 0);
	assert_int_equal(
		bufalloc_get_device_info(ctx, 7, BUFALLOC_READ, &info), 0);
	assert_int_equal(strlen(info.driver), sizeof(info.driver) - 1);
	assert_int_equal(strlen(info.name), sizeof(info.name) - 1);
	bufalloc_close(ctx);
}

static void
failed_device_info_changes_nothing(void **state)
{
	static const struct {
		int fd;
		int access;
		int err;
	} rows[] = {
		{ -1, 1, EBADF },
		{ 7, 0, EINVAL },
		{ 7, 4, EINVAL },
		{ 7, 1, ENODEV },
		{ 7, 2, ENXIO },
		{ 7, 3, EOPNOTSUPP },
		{ 7, 1, ENOTTY },
		{ 7, 1, EFAULT },
	};
	struct bufalloc_ctx *ctx = mock_open();
	struct bufalloc_dev_info info, before;
	size_t i;

	(void)state;
	memset(&info, 0x5a, sizeof(info));
	before = info;
	for (i = 0; i < LEN(rows); i++) {
		mock_expect_device_info(rows[i].fd, (uint32_t)rows[i].access,
					NULL, rows[i].err);
		assert_int_equal(
			bufalloc_get_device_info(ctx, rows[i].fd,
						 (enum bufalloc_access)rows[i].access,
						 &info),
			-rows[i].err);
		assert_memory_equal(&info, &before, sizeof(info));
	}
	bufalloc_close(ctx);
}

static void
verdict_of_success(void **state)
{
	static const struct mock_alloc_for want = {
		.length = 8294400,
		.heap = BUFALLOC_HEAP_AUTO,
		.count = 2,
		.uses = { { 70, BUFALLOC_WRITE }, { 71, BUFALLOC_READ } },
	};
	static const struct bufalloc_alloc_device results[] = {
		{ 70, 2, BUFALLOC_PROOF_MAPPED, 1, 0, 0 },
		{ 71, 1, BUFALLOC_PROOF_VMAPPED, 0, 0, 0 },
	};
	static const struct bufalloc_alloc_verdict verdict_out = {
		.size = sizeof(verdict_out),
		.out_heap = BUFALLOC_HEAP_CONTIG,
		.out_tried = 1 << BUFALLOC_HEAP_CONTIG,
		.out_reason = BUFALLOC_REASON_ONE_SEGMENT,
		.out_device = 0,
		.out_runs = 3,
		.out_limit = UINT32_MAX,
	};
	struct bufalloc_ctx *ctx = mock_open();
	struct bufalloc_use_result use, before;
	struct bufalloc_verdict *verdict;
	struct bufalloc_buf *buf;

	(void)state;
	mock_expect_alloc_for(&want, results, &verdict_out, 0);
	mock_expect_buffer_info(&two_pages, 0);
	mock_expect_set_name("frame", 0);
	mock_expect_device_info(70, 2, &camera, 0);
	mock_expect_device_info(71, 1, &display, 0);
	assert_int_equal(bufalloc_alloc_for(ctx, 8294400, BUFALLOC_AUTO,
					    "frame", want.uses, 2, 0, &buf,
					    &verdict),
			 0);
	assert_int_equal(bufalloc_buf_get_length(buf), MOCK_LENGTH);
	bufalloc_buf_destroy(buf);
	bufalloc_close(ctx);

	/* the verdict outlives both */
	assert_int_equal(bufalloc_verdict_get_error(verdict), 0);
	assert_int_equal(bufalloc_verdict_get_heap(verdict), BUFALLOC_CONTIG);
	assert_int_equal(bufalloc_verdict_get_tried(verdict), 4);
	assert_int_equal(bufalloc_verdict_get_reason(verdict),
			 BUFALLOC_REASON_ONE_SEGMENT);
	assert_int_equal(bufalloc_verdict_get_device(verdict), 0);
	assert_int_equal(bufalloc_verdict_get_runs(verdict), 3);
	assert_int_equal(bufalloc_verdict_get_count(verdict), 2);
	assert_int_equal(bufalloc_verdict_get_use(verdict, 0, &use), 0);
	assert_int_equal(use.proof, BUFALLOC_PROOF_MAPPED);
	assert_int_equal(use.segments, 1);
	assert_int_equal(use.error, 0);
	assert_int_equal(use.reason, 0);
	assert_string_equal(use.label, "video0 (vivid)");
	assert_int_equal(bufalloc_verdict_get_use(verdict, 1, &use), 0);
	assert_int_equal(use.proof, BUFALLOC_PROOF_VMAPPED);
	assert_string_equal(use.label, "card0 (vkms)");
	before = use;
	assert_int_equal(bufalloc_verdict_get_use(verdict, 2, &use), -EINVAL);
	assert_int_equal(bufalloc_verdict_get_use(verdict, SIZE_MAX, &use),
			 -EINVAL);
	assert_memory_equal(&use, &before, sizeof(use));
	assert_string_equal(
		bufalloc_verdict_text(verdict),
		"contig was chosen because video0 (vivid) takes one segment and has no IOMMU; "
		"video0 (vivid): mapped, 1 segment; "
		"card0 (vkms): mapped for the CPU, it needs no DMA");
	bufalloc_verdict_destroy(verdict);
}

/* Each errno comes back, with a verdict, and without anything left. */
static void
errno_of_alloc_for_is_returned_with_a_verdict(void **state)
{
	static const int rows[] = {
		EINVAL, E2BIG, EBADF, ENODEV, ENXIO, EOPNOTSUPP, ENOSPC,
		ENOMEM, EDQUOT, EMFILE, ENFILE, EINTR, EFAULT, ENOTTY,
	};
	static const struct mock_alloc_for want = {
		.length = 4096,
		.heap = BUFALLOC_HEAP_SYSTEM,
		.count = 1,
		.uses = { { 70, BUFALLOC_WRITE } },
	};
	struct bufalloc_ctx *ctx = mock_open();
	struct bufalloc_verdict *verdict;
	struct bufalloc_buf *buf;
	size_t i;

	(void)state;
	for (i = 0; i < LEN(rows); i++) {
		struct bufalloc_alloc_device result = {
			.fd = 70,
			.access = 2,
			.out_error = -rows[i],
			.out_segments = 9,
			.out_reason = BUFALLOC_REASON_ONE_SEGMENT,
		};
		struct bufalloc_alloc_verdict out = {
			.size = sizeof(out),
			.out_error = -rows[i],
			.out_heap = BUFALLOC_HEAP_CONTIG,
			.out_tried = 2,
			.out_reason = BUFALLOC_REASON_ONE_SEGMENT,
			.out_device = 0,
			.out_runs = 5,
			.out_with_devices = 2,
		};

		buf = untouched;
		verdict = NULL;
		mock_expect_alloc_for(&want, &result, &out, rows[i]);
		mock_expect_device_info(70, 2, &camera, 0);
		assert_int_equal(bufalloc_alloc_for(ctx, 4096, BUFALLOC_SYSTEM,
						    NULL, want.uses, 1, 0,
						    &buf, &verdict),
				 -rows[i]);
		assert_ptr_equal(buf, untouched);
		assert_non_null(verdict);
		assert_int_equal(bufalloc_verdict_get_error(verdict), -rows[i]);
		assert_int_equal(bufalloc_verdict_get_heap(verdict),
				 BUFALLOC_CONTIG);
		assert_int_equal(bufalloc_verdict_get_device(verdict), 0);
		assert_int_equal(bufalloc_verdict_get_with(verdict), 2);
		assert_int_equal(bufalloc_verdict_get_runs(verdict), 0);
		bufalloc_verdict_destroy(verdict);
	}
	bufalloc_close(ctx);
}

/* The kernel wrote no verdict, or one of success before it failed. */
static void
error_past_the_verdict_is_the_calls(void **state)
{
	static const struct mock_alloc_for want = {
		.length = 4096,
		.heap = BUFALLOC_HEAP_SYSTEM,
		.count = 1,
		.uses = { { 70, BUFALLOC_WRITE } },
	};
	static const struct bufalloc_alloc_verdict rows[] = {
		{ .size = 0 },
		{
			.size = 48, /* an older module */
			.out_heap = BUFALLOC_HEAP_CONTIG,
			.out_reason = BUFALLOC_REASON_ONE_SEGMENT,
			.out_device = 0,
		},
	};
	struct bufalloc_ctx *ctx = mock_open();
	struct bufalloc_verdict *verdict;
	size_t i;

	(void)state;
	for (i = 0; i < LEN(rows); i++) {
		mock_expect_alloc_for(&want, NULL, &rows[i], EMFILE);
		mock_expect_device_info(70, 2, NULL, ENODEV);
		assert_int_equal(bufalloc_alloc_for(ctx, 4096, BUFALLOC_SYSTEM,
						    NULL, want.uses, 1, 0,
						    NULL, &verdict),
				 -EMFILE);
		assert_int_equal(bufalloc_verdict_get_error(verdict), -EMFILE);
		assert_int_equal(bufalloc_verdict_get_heap(verdict),
				 BUFALLOC_SYSTEM);
		assert_int_equal(bufalloc_verdict_get_reason(verdict), 0);
		assert_int_equal(bufalloc_verdict_get_device(verdict), -1);
		assert_non_null(strstr(bufalloc_verdict_text(verdict),
				       "file descriptor"));
		bufalloc_verdict_destroy(verdict);
	}
	bufalloc_close(ctx);
}

static void
dry_run_gives_a_verdict_only(void **state)
{
	static const struct mock_alloc_for want = {
		.length = 4096,
		.heap = BUFALLOC_HEAP_AUTO,
		.flags = BUFALLOC_ALLOC_DRY_RUN,
		.count = 1,
		.uses = { { 70, BUFALLOC_WRITE } },
	};
	static const struct bufalloc_alloc_verdict out = {
		.size = sizeof(out),
		.out_heap = BUFALLOC_HEAP_SYSTEM,
		.out_device = BUFALLOC_NO_DEVICE,
	};
	struct bufalloc_ctx *ctx = mock_open();
	struct bufalloc_verdict *verdict;
	struct bufalloc_buf *buf = untouched;

	(void)state;
	mock_expect_alloc_for(&want, NULL, &out, 0);
	mock_expect_device_info(70, 2, &camera, 0);
	assert_int_equal(bufalloc_alloc_for(ctx, 4096, BUFALLOC_AUTO, NULL,
					    want.uses, 1, BUFALLOC_DRY_RUN,
					    &buf, &verdict),
			 0);
	assert_ptr_equal(buf, untouched);
	assert_int_equal(bufalloc_verdict_get_heap(verdict), BUFALLOC_SYSTEM);
	assert_int_equal(bufalloc_verdict_get_device(verdict), -1);
	bufalloc_verdict_destroy(verdict);
	bufalloc_close(ctx);
}

/* Nobody wants the verdict: the devices are not asked for their names. */
static void
verdict_may_be_unwanted(void **state)
{
	static const struct mock_alloc_for want = {
		.length = 4096,
		.count = 1,
		.uses = { { 70, BUFALLOC_READ } },
	};
	struct bufalloc_ctx *ctx = mock_open();
	struct bufalloc_buf *buf;

	(void)state;
	mock_expect_alloc_for(&want, NULL, NULL, 0);
	mock_expect_buffer_info(&two_pages, 0);
	mock_expect_set_name("bufalloc", 0);
	assert_int_equal(bufalloc_alloc_for(ctx, 4096, BUFALLOC_AUTO, NULL,
					    want.uses, 1, 0, &buf, NULL),
			 0);
	bufalloc_buf_destroy(buf);
	bufalloc_close(ctx);
}

static void
no_devices_and_sixteen(void **state)
{
	struct mock_alloc_for want = { .length = 4096, .count = 0 };
	static const struct bufalloc_alloc_verdict out = {
		.size = sizeof(out),
		.out_heap = BUFALLOC_HEAP_SYSTEM,
		.out_device = BUFALLOC_NO_DEVICE,
	};
	struct bufalloc_ctx *ctx = mock_open();
	struct bufalloc_verdict *verdict;
	struct bufalloc_use_result use;
	struct bufalloc_buf *buf;
	uint32_t i;

	(void)state;
	mock_expect_alloc_for(&want, NULL, &out, 0);
	mock_expect_buffer_info(&two_pages, 0);
	mock_expect_set_name("bufalloc", 0);
	assert_int_equal(bufalloc_alloc_for(ctx, 4096, BUFALLOC_AUTO, NULL,
					    NULL, 0, 0, &buf, &verdict),
			 0);
	assert_int_equal(bufalloc_verdict_get_count(verdict), 0);
	assert_int_equal(bufalloc_verdict_get_use(verdict, 0, &use), -EINVAL);
	bufalloc_verdict_destroy(verdict);
	bufalloc_buf_destroy(buf);

	want.count = 16;
	for (i = 0; i < 16; i++) {
		want.uses[i].fd = 100 + (int)i;
		want.uses[i].access = BUFALLOC_READ_WRITE;
	}
	mock_expect_alloc_for(&want, NULL, &out, 0);
	mock_expect_buffer_info(&two_pages, 0);
	mock_expect_set_name("bufalloc", 0);
	for (i = 0; i < 16; i++) {
		mock_expect_device_info(want.uses[i].fd, 3, &camera, 0);
	}
	assert_int_equal(bufalloc_alloc_for(ctx, 4096, BUFALLOC_AUTO, NULL,
					    want.uses, 16, 0, &buf, &verdict),
			 0);
	assert_int_equal(bufalloc_verdict_get_count(verdict), 16);
	bufalloc_verdict_destroy(verdict);
	bufalloc_buf_destroy(buf);
	bufalloc_close(ctx);
}

static void
too_many_devices_are_e2big_before_the_ioctl(void **state)
{
	static const size_t rows[] = { 17, UINT32_MAX, SIZE_MAX };
	static const struct bufalloc_use uses[17];
	struct bufalloc_ctx *ctx = mock_open();
	struct bufalloc_verdict *verdict;
	struct bufalloc_buf *buf = untouched;
	size_t i;

	(void)state;
	for (i = 0; i < LEN(rows); i++) {
		verdict = (struct bufalloc_verdict *)0x1234;
		assert_int_equal(bufalloc_alloc_for(ctx, 4096, BUFALLOC_AUTO,
						    NULL, uses, rows[i], 0,
						    &buf, &verdict),
				 -E2BIG);
		assert_null(verdict);
		assert_ptr_equal(buf, untouched);
	}
	bufalloc_close(ctx);
}

static void
no_memory_is_enomem(void **state)
{
	static const struct bufalloc_use uses[] = { { 70, BUFALLOC_READ } };
	struct bufalloc_ctx *ctx = mock_open();
	struct bufalloc_verdict *verdict = (struct bufalloc_verdict *)0x1234;
	struct bufalloc_buf *buf = untouched;

	(void)state;
	/* for the verdict */
	mock_fail_memory(1);
	assert_int_equal(bufalloc_alloc_for(ctx, 4096, BUFALLOC_AUTO, NULL,
					    uses, 1, 0, &buf, &verdict),
			 -ENOMEM);
	assert_null(verdict);
	assert_ptr_equal(buf, untouched);

	/* for the buffer: there is a verdict that says so */
	mock_fail_memory(2);
	mock_expect_device_info(70, 1, &display, 0);
	assert_int_equal(bufalloc_alloc_for(ctx, 4096, BUFALLOC_AUTO, NULL,
					    uses, 1, 0, &buf, &verdict),
			 -ENOMEM);
	assert_ptr_equal(buf, untouched);
	assert_int_equal(bufalloc_verdict_get_error(verdict), -ENOMEM);
	bufalloc_verdict_destroy(verdict);
	bufalloc_close(ctx);
}

/* A descriptor of no device is called by its file. */
static void
label_without_device_info(void **state)
{
	struct mock_alloc_for want = { .length = 4096, .count = 2 };
	struct bufalloc_device_info no_driver = { .out_name = "card1" };
	struct bufalloc_ctx *ctx = mock_open();
	struct bufalloc_verdict *verdict;
	struct bufalloc_use_result use;
	int pipe_fds[2];

	(void)state;
	assert_return_code(pipe(pipe_fds), errno);
	want.uses[0] = (struct bufalloc_use){ -5, BUFALLOC_READ };
	want.uses[1] = (struct bufalloc_use){ 70, BUFALLOC_READ };
	mock_expect_alloc_for(&want, NULL, NULL, EBADF);
	mock_expect_device_info(-5, 1, NULL, EBADF);
	mock_expect_device_info(70, 1, &no_driver, 0);
	assert_int_equal(bufalloc_alloc_for(ctx, 4096, BUFALLOC_AUTO, NULL,
					    want.uses, 2, 0, NULL, &verdict),
			 -EBADF);
	bufalloc_verdict_get_use(verdict, 0, &use);
	assert_string_equal(use.label, "file descriptor -5");
	bufalloc_verdict_get_use(verdict, 1, &use);
	assert_string_equal(use.label, "card1");
	bufalloc_verdict_destroy(verdict);

	want.count = 1;
	want.uses[0].fd = pipe_fds[0];
	mock_expect_alloc_for(&want, NULL, NULL, ENODEV);
	mock_expect_device_info(pipe_fds[0], 1, NULL, ENODEV);
	bufalloc_alloc_for(ctx, 4096, BUFALLOC_AUTO, NULL, want.uses, 1, 0,
			   NULL, &verdict);
	bufalloc_verdict_get_use(verdict, 0, &use);
	assert_memory_equal(use.label, "pipe:", 5);
	bufalloc_verdict_destroy(verdict);
	close(pipe_fds[0]);
	close(pipe_fds[1]);
	bufalloc_close(ctx);
}

static void
destroy_accepts_null(void **state)
{
	(void)state;
	bufalloc_verdict_destroy(NULL);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, mock_setup, mock_teardown)

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		TEST(device_info_copies_each_field),
		TEST(failed_device_info_changes_nothing),
		TEST(verdict_of_success),
		TEST(errno_of_alloc_for_is_returned_with_a_verdict),
		TEST(error_past_the_verdict_is_the_calls),
		TEST(dry_run_gives_a_verdict_only),
		TEST(verdict_may_be_unwanted),
		TEST(no_devices_and_sixteen),
		TEST(too_many_devices_are_e2big_before_the_ioctl),
		TEST(no_memory_is_enomem),
		TEST(label_without_device_info),
		TEST(destroy_accepts_null),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL) == 0 ? 0 : 1;
}
