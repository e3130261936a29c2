/* SPDX-License-Identifier: MIT */
/* Calls on a part of a buffer. */
#include "mock.h"

/* Values of the ABI, written out: the library must not agree with itself. */
static const struct {
	enum bufalloc_access access;
	enum bufalloc_phase phase;
	uint32_t flags;
} syncs[] = {
	{ BUFALLOC_READ, BUFALLOC_BEGIN, 1 },
	{ BUFALLOC_WRITE, BUFALLOC_BEGIN, 2 },
	{ BUFALLOC_READ_WRITE, BUFALLOC_BEGIN, 3 },
	{ BUFALLOC_READ, BUFALLOC_END, 5 },
	{ BUFALLOC_WRITE, BUFALLOC_END, 6 },
	{ BUFALLOC_READ_WRITE, BUFALLOC_END, 7 },
};

static void
expect_sync_range(int fd, uint64_t offset, uint64_t length, uint32_t flags,
		  int err)
{
	struct bufalloc_sync_range in = {
		.size = 32,
		.flags = flags,
		.fd = fd,
		.offset = offset,
		.length = length,
	};

	mock_expect_ioctl(MOCK_NODE, BUFALLOC_IOCTL_SYNC_RANGE, &in,
			  sizeof(in), NULL, err);
}

static void
sync_is_passed_on(void **state)
{
	struct bufalloc_ctx *ctx = mock_open();
	size_t i;

	(void)state;
	for (i = 0; i < LEN(syncs); i++) {
		expect_sync_range(77, UINT64_C(0x100000001), UINT64_MAX,
				  syncs[i].flags, 0);
		assert_int_equal(bufalloc_sync_range(ctx, 77,
						     UINT64_C(0x100000001),
						     UINT64_MAX,
						     syncs[i].access,
						     syncs[i].phase),
				 0);
	}
	bufalloc_close(ctx);
}

static void
interrupted_sync_is_retried(void **state)
{
	struct bufalloc_ctx *ctx = mock_open();

	(void)state;
	expect_sync_range(77, 0, 1, 1, EINTR);
	expect_sync_range(77, 0, 1, 1, EINTR);
	expect_sync_range(77, 0, 1, 1, 0);
	assert_int_equal(bufalloc_sync_range(ctx, 77, 0, 1, BUFALLOC_READ,
					     BUFALLOC_BEGIN),
			 0);
	bufalloc_close(ctx);
}

static void
errno_of_sync_is_returned(void **state)
{
	static const int rows[] = { EINVAL, EBADF, EOPNOTSUPP, ENOTTY, EFAULT };
	struct bufalloc_ctx *ctx = mock_open();
	size_t i;

	(void)state;
	for (i = 0; i < LEN(rows); i++) {
		expect_sync_range(77, 0, 0, 6, rows[i]);
		assert_int_equal(bufalloc_sync_range(ctx, 77, 0, 0,
						     BUFALLOC_WRITE,
						     BUFALLOC_END),
				 -rows[i]);
	}
	bufalloc_close(ctx);
}

/* A phase must not become an access, nor the other way round. */
static void
bad_access_and_phase_are_einval_before_the_ioctl(void **state)
{
	static const int accesses[] = { 4, 5, 7, 8, -1 };
	static const int phases[] = { 1, 2, 3, 5, 8, -1 };
	struct bufalloc_ctx *ctx = mock_open();
	size_t i;

	(void)state;
	for (i = 0; i < LEN(accesses); i++) {
		assert_int_equal(bufalloc_sync_range(
					 ctx, 77, 0, 1,
					 (enum bufalloc_access)accesses[i],
					 BUFALLOC_BEGIN),
				 -EINVAL);
	}
	for (i = 0; i < LEN(phases); i++) {
		assert_int_equal(
			bufalloc_sync_range(ctx, 77, 0, 1, BUFALLOC_READ,
					    (enum bufalloc_phase)phases[i]),
			-EINVAL);
	}
	bufalloc_close(ctx);
}

static void
expect_copy(uint32_t flags, uint64_t address, uint64_t copied, int err)
{
	struct bufalloc_copy in = {
		.size = 48,
		.flags = flags,
		.fd = 77,
		.offset = UINT64_C(0x100000001),
		.length = UINT64_MAX,
		.address = address,
	};
	struct bufalloc_copy out = in;

	out.out_copied = copied;
	mock_expect_ioctl(MOCK_NODE, BUFALLOC_IOCTL_COPY, &in, sizeof(in), &out,
			  err);
}

static void
copies_are_passed_on(void **state)
{
	struct bufalloc_ctx *ctx = mock_open();
	uint64_t copied = 1;
	char bytes[2];

	(void)state;
	expect_copy(1, (uintptr_t)bytes, 99, 0);
	assert_int_equal(bufalloc_copy_in(ctx, 77, UINT64_C(0x100000001), bytes,
					  UINT64_MAX, &copied),
			 0);
	assert_int_equal(copied, 99);
	expect_copy(0, (uintptr_t)bytes, 100, 0);
	assert_int_equal(bufalloc_copy_out(ctx, 77, UINT64_C(0x100000001), bytes,
					   UINT64_MAX, &copied),
			 0);
	assert_int_equal(copied, 100);
	expect_copy(0, 0, 0, EINTR);
	expect_copy(0, 0, 0, 0);
	assert_int_equal(bufalloc_copy_out(ctx, 77, UINT64_C(0x100000001), NULL,
					   UINT64_MAX, NULL),
			 0);
	bufalloc_close(ctx);
}

static void
failed_copy_says_how_far_it_came(void **state)
{
	static const int rows[] = { EINVAL, EBADF, EOPNOTSUPP, ENOTTY, EFAULT,
				    EACCES };
	struct bufalloc_ctx *ctx = mock_open();
	size_t i;

	(void)state;
	for (i = 0; i < LEN(rows); i++) {
		uint64_t copied = 1;

		expect_copy(1, 8, 12345, rows[i]);
		assert_int_equal(
			bufalloc_copy_in(ctx, 77, UINT64_C(0x100000001),
					 (const void *)8, UINT64_MAX, &copied),
			-rows[i]);
		assert_int_equal(copied, 12345);
	}
	bufalloc_close(ctx);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, mock_setup, mock_teardown)

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		TEST(sync_is_passed_on),
		TEST(interrupted_sync_is_retried),
		TEST(errno_of_sync_is_returned),
		TEST(bad_access_and_phase_are_einval_before_the_ioctl),
		TEST(copies_are_passed_on),
		TEST(failed_copy_says_how_far_it_came),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL) == 0 ? 0 : 1;
}
