/* SPDX-License-Identifier: MIT */
/* bufalloc_alloc_bytes(), _buf_destroy(), the getters and _get_buf_info(). */
#include "mock.h"

#include <fcntl.h>
#include <string.h>
#include <unistd.h>

static struct bufalloc_buf *const untouched = (struct bufalloc_buf *)0x1234;

static const struct bufalloc_buffer_info two_pages = {
	.size = sizeof(struct bufalloc_buffer_info),
	.out_length = MOCK_LENGTH,
};

/* The descriptors that are open now; the table must not change by a failure. */
static void
expect_same_fds(struct bufalloc_ctx *ctx, uint64_t length,
		enum bufalloc_heap heap, int expected)
{
	struct bufalloc_buf *buf = untouched;
	int before, after;

	before = fcntl(0, F_DUPFD_CLOEXEC, 3); /* the lowest free one */
	assert_return_code(before, errno);
	close(before);

	assert_int_equal(bufalloc_alloc_bytes(ctx, length, heap, NULL, &buf),
			 expected);
	assert_ptr_equal(buf, untouched);
	mock_expect_nothing_left();

	after = fcntl(0, F_DUPFD_CLOEXEC, 3);
	assert_int_equal(after, before);
	close(after);
}

static void
errno_of_alloc_is_returned(void **state)
{
	static const struct {
		uint64_t length;
		uint32_t heap;
		int err;
	} rows[] = {
		{ 0, 0, EINVAL },
		{ 4096, 7, EINVAL },
		{ 4096, 2, EOPNOTSUPP },
		{ UINT64_MAX, 0, ENOMEM },
		{ UINT64_C(1) << 40, 2, ENOMEM },
		{ 4096, 2, EDQUOT },
		{ 4096, 0, EMFILE },
		{ 4096, 0, ENFILE },
		{ 4096, 0, EINTR },
		{ 4096, 0, EAGAIN },
		{ 4096, 0, EFAULT },
		{ 4096, 0, E2BIG },
		{ 4096, 0, ENOTTY },
	};
	struct bufalloc_ctx *ctx = mock_open();
	size_t i;

	(void)state;
	for (i = 0; i < LEN(rows); i++) {
		/* One call each: an interrupted allocation is not retried. */
		mock_expect_alloc(rows[i].length, rows[i].heap, rows[i].err);
		expect_same_fds(ctx, rows[i].length,
				(enum bufalloc_heap)rows[i].heap,
				-rows[i].err);
	}
	bufalloc_close(ctx);
}

static void
no_memory_is_enomem_before_the_ioctl(void **state)
{
	struct bufalloc_ctx *ctx = mock_open();

	(void)state;
	mock_fail_memory(1);
	expect_same_fds(ctx, 4096, BUFALLOC_SYSTEM, -ENOMEM);
	bufalloc_close(ctx);
}

static void
buffer_of_unknown_length_is_closed(void **state)
{
	static const int rows[] = { EFAULT, EINVAL, ENOTTY, EOPNOTSUPP };
	struct bufalloc_ctx *ctx = mock_open();
	size_t i;

	(void)state;
	for (i = 0; i < LEN(rows); i++) {
		mock_expect_alloc(4096, 1, 0);
		mock_expect_buffer_info(NULL, rows[i]);
		expect_same_fds(ctx, 4096, BUFALLOC_SYSTEM, -rows[i]);
	}
	bufalloc_close(ctx);
}

static void
request_is_passed_on(void **state)
{
	static const struct {
		uint64_t length;
		enum bufalloc_heap heap;
		uint32_t raw_heap;
	} rows[] = {
		{ 1, BUFALLOC_AUTO, 0 },
		{ 1, BUFALLOC_SYSTEM, 1 },
		{ 8192, BUFALLOC_CONTIG, 2 },
		{ 8294400, BUFALLOC_CONTIG, 2 },
		{ UINT64_C(0x100000001), BUFALLOC_SYSTEM, 1 },
		{ UINT64_MAX, BUFALLOC_SYSTEM, 1 },
	};
	struct bufalloc_ctx *ctx = mock_open();
	struct bufalloc_buf *buf;
	size_t i;

	(void)state;
	for (i = 0; i < LEN(rows); i++) {
		mock_expect_alloc(rows[i].length, rows[i].raw_heap, 0);
		mock_expect_buffer_info(&two_pages, 0);
		mock_expect_set_name("bufalloc", 0);
		assert_int_equal(bufalloc_alloc_bytes(ctx, rows[i].length,
						rows[i].heap, NULL, &buf),
				 0);
		bufalloc_buf_destroy(buf);
	}
	bufalloc_close(ctx);
}

static void
name_is_cut_at_31_bytes(void **state)
{
	static const struct {
		const char *name;
		const char *set;
	} rows[] = {
		{ NULL, "bufalloc" },
		{ "", "" },
		{ "camera", "camera" },
		{ "0123456789012345678901234567890",
		  "0123456789012345678901234567890" },
		{ "01234567890123456789012345678901",
		  "0123456789012345678901234567890" },
		{ "%s%n 0123456789012345678901234567890123456789",
		  "%s%n 01234567890123456789012345" },
	};
	struct bufalloc_ctx *ctx = mock_open();
	struct bufalloc_buf *buf;
	size_t i;

	(void)state;
	for (i = 0; i < LEN(rows); i++) {
		mock_expect_alloc(4096, 1, 0);
		mock_expect_buffer_info(&two_pages, 0);
		mock_expect_set_name(rows[i].set, 0);
		assert_int_equal(bufalloc_alloc_bytes(ctx, 4096, BUFALLOC_SYSTEM,
						rows[i].name, &buf),
				 0);
		bufalloc_buf_destroy(buf);
	}
	bufalloc_close(ctx);
}

static void
name_that_is_not_taken_is_no_failure(void **state)
{
	static const int rows[] = { EINVAL, ENOTTY, ENOMEM, EBUSY, EINTR };
	struct bufalloc_ctx *ctx = mock_open();
	struct bufalloc_buf *buf;
	size_t i;

	(void)state;
	for (i = 0; i < LEN(rows); i++) {
		mock_expect_alloc(4096, 1, 0);
		mock_expect_buffer_info(&two_pages, 0);
		mock_expect_set_name("bufalloc", rows[i]);
		assert_int_equal(bufalloc_alloc_bytes(ctx, 4096, BUFALLOC_SYSTEM,
						NULL, &buf),
				 0);
		assert_int_equal(fcntl(bufalloc_buf_get_fd(buf), F_GETFD),
				 FD_CLOEXEC);
		bufalloc_buf_destroy(buf);
	}
	bufalloc_close(ctx);
}

static void
length_is_the_kernels(void **state)
{
	struct bufalloc_ctx *ctx = mock_open();
	struct bufalloc_buf *buf;

	(void)state;
	mock_expect_alloc(4097, 1, 0);
	mock_expect_buffer_info(&two_pages, 0);
	mock_expect_set_name("bufalloc", 0);
	assert_int_equal(
		bufalloc_alloc_bytes(ctx, 4097, BUFALLOC_SYSTEM, NULL, &buf), 0);
	assert_int_equal(bufalloc_buf_get_length(buf), MOCK_LENGTH);
	bufalloc_buf_destroy(buf);
	bufalloc_close(ctx);
}

static void
buffer_outlives_the_context(void **state)
{
	struct bufalloc_ctx *ctx = mock_open();
	struct bufalloc_buf *buf = mock_alloc(ctx);
	int fd = bufalloc_buf_get_fd(buf);

	(void)state;
	bufalloc_close(ctx);
	assert_int_equal(fcntl(fd, F_GETFD), FD_CLOEXEC);
	bufalloc_buf_destroy(buf);
	assert_int_equal(fcntl(fd, F_GETFD), -1);
}

static void
destroy_accepts_null(void **state)
{
	(void)state;
	bufalloc_buf_destroy(NULL);
}

static void
buffer_info_copies_each_field(void **state)
{
	struct bufalloc_buffer_info out = {
		.size = sizeof(out),
		.out_heap = BUFALLOC_HEAP_CONTIG,
		.out_length = UINT64_C(0x1112131415161718),
		.out_runs = 0x21222324,
		.out_attachments = 0x31323334,
		.out_mappings = 0x41424344,
		.out_kernel_maps = 0x51525354,
		.out_kernel_va = UINT64_C(0x6162636465666768),
		.out_user_maps = UINT64_C(0x7172737475767778),
		.out_kernel_maps_total = UINT64_C(0x8182838485868788),
		.out_cpu_accesses = UINT64_C(0x9192939495969798),
		.out_syncs = UINT64_C(0xa1a2a3a4a5a6a7a8),
		.out_alloc_ns = UINT64_C(0xb1b2b3b4b5b6b7b8),
		.out_bounced = UINT64_C(0xc1c2c3c4c5c6c7c8),
		.out_attributes = UINT64_C(0xd1d2d3d4d5d6d7d8),
		.out_syncs_skipped = UINT64_C(0xe1e2e3e4e5e6e7e8),
	};
	struct bufalloc_ctx *ctx = mock_open();
	struct bufalloc_buf *buf = mock_alloc(ctx);
	struct bufalloc_buf_info info;

	(void)state;
	mock_expect_buffer_info(&out, 0);
	assert_int_equal(bufalloc_get_buf_info(ctx, bufalloc_buf_get_fd(buf),
					       &info),
			 0);
	assert_int_equal(info.heap, BUFALLOC_CONTIG);
	assert_int_equal(info.length, UINT64_C(0x1112131415161718));
	assert_int_equal(info.runs, 0x21222324);
	assert_int_equal(info.attachments, 0x31323334);
	assert_int_equal(info.mappings, 0x41424344);
	assert_int_equal(info.kernel_maps, 0x51525354);
	assert_int_equal(info.kernel_va, UINT64_C(0x6162636465666768));
	assert_int_equal(info.user_maps, UINT64_C(0x7172737475767778));
	assert_int_equal(info.kernel_maps_total, UINT64_C(0x8182838485868788));
	assert_int_equal(info.cpu_accesses, UINT64_C(0x9192939495969798));
	assert_int_equal(info.syncs, UINT64_C(0xa1a2a3a4a5a6a7a8));
	assert_int_equal(info.alloc_ns, UINT64_C(0xb1b2b3b4b5b6b7b8));
	assert_int_equal(info.bounced, UINT64_C(0xc1c2c3c4c5c6c7c8));
	assert_int_equal(info.attributes, UINT64_C(0xd1d2d3d4d5d6d7d8));
	assert_int_equal(info.syncs_skipped, UINT64_C(0xe1e2e3e4e5e6e7e8));
	bufalloc_buf_destroy(buf);
	bufalloc_close(ctx);
}

static void
failed_buffer_info_changes_nothing(void **state)
{
	static const struct {
		int fd;
		int err;
	} rows[] = {
		{ -1, EBADF },
		{ 12345, EBADF },
		{ 0, EINVAL },
		{ 0, EOPNOTSUPP },
		{ 0, EFAULT },
	};
	struct bufalloc_ctx *ctx = mock_open();
	struct bufalloc_buf_info info, before;
	size_t i;

	(void)state;
	memset(&info, 0x5a, sizeof(info));
	before = info;
	for (i = 0; i < LEN(rows); i++) {
		struct bufalloc_buffer_info in = {
			.size = sizeof(in),
			.fd = rows[i].fd,
		};

		mock_expect_ioctl(MOCK_NODE, BUFALLOC_IOCTL_BUFFER_INFO, &in,
				  sizeof(in), NULL, rows[i].err);
		assert_int_equal(bufalloc_get_buf_info(ctx, rows[i].fd, &info),
				 -rows[i].err);
		assert_memory_equal(&info, &before, sizeof(info));
	}
	bufalloc_close(ctx);
}

/* Who closed its standard input gets 0 for the node, and that is a descriptor. */
static void
descriptor_zero_is_a_node(void **state)
{
	int input = dup(STDIN_FILENO);
	struct bufalloc_ctx *ctx;

	(void)state;
	assert_return_code(input, errno);
	close(STDIN_FILENO);
	ctx = mock_open();
	bufalloc_buf_destroy(mock_alloc(ctx));
	bufalloc_close(ctx);
	dup2(input, STDIN_FILENO);
	close(input);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, mock_setup, mock_teardown)

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		TEST(errno_of_alloc_is_returned),
		TEST(no_memory_is_enomem_before_the_ioctl),
		TEST(buffer_of_unknown_length_is_closed),
		TEST(request_is_passed_on),
		TEST(name_is_cut_at_31_bytes),
		TEST(name_that_is_not_taken_is_no_failure),
		TEST(length_is_the_kernels),
		TEST(buffer_outlives_the_context),
		TEST(destroy_accepts_null),
		TEST(buffer_info_copies_each_field),
		TEST(failed_buffer_info_changes_nothing),
		TEST(descriptor_zero_is_a_node),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL) == 0 ? 0 : 1;
}
