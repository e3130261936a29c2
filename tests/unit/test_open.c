/* SPDX-License-Identifier: MIT */
/* bufalloc_open_module(), _close() and _get_info(). */
#include "mock.h"

#include <fcntl.h>
#include <string.h>

static struct bufalloc_ctx *const untouched = (struct bufalloc_ctx *)0x1234;

static void
expect_info(const struct bufalloc_info *out, int err)
{
	struct bufalloc_info in = { .size = 56 };

	mock_expect_ioctl(MOCK_NODE, BUFALLOC_IOCTL_INFO, &in, sizeof(in), out,
			  err);
}

static void
expect_failed_open(const char *path, int expected)
{
	struct bufalloc_ctx *ctx = untouched;

	assert_int_equal(bufalloc_open_module(&ctx, path), expected);
	assert_ptr_equal(ctx, untouched);
	mock_expect_nothing_left();
	mock_teardown(NULL); /* no descriptor is left, in each row */
}

static void
errno_of_open_is_returned(void **state)
{
	static const int rows[] = {
		ENOENT, ENXIO,	ENODEV, EACCES, EPERM,	EMFILE,
		ENFILE, ENOMEM, EISDIR, ELOOP,	ENOTDIR,
	};
	size_t i;

	(void)state;
	for (i = 0; i < LEN(rows); i++) {
		mock_expect_open("/dev/bufalloc", rows[i]);
		expect_failed_open(NULL, -rows[i]);
	}
}

static void
path_is_used(void **state)
{
	(void)state;
	mock_expect_open("/tmp/node", ENOENT);
	expect_failed_open("/tmp/node", -ENOENT);
}

static void
default_path_is_the_devices(void **state)
{
	(void)state;
	assert_string_equal(BUFALLOC_DEVICE, "/dev/bufalloc");
	mock_expect_open("/dev/bufalloc", ENOENT);
	expect_failed_open(BUFALLOC_DEVICE, -ENOENT);
}

static void
any_other_answer_to_info_is_enotty(void **state)
{
	int err;

	(void)state;
	for (err = 1; err < 134; err++) {
		int expected = -ENOTTY;

		if (err == EINTR) {
			continue; /* it is asked again */
		}
		if (err == EACCES || err == EPERM || err == ENOMEM) {
			expected = -err;
		}
		mock_expect_open("/dev/bufalloc", 0);
		expect_info(NULL, err);
		expect_failed_open(NULL, expected);
		mock_setup(NULL);
	}
}

static void
success_that_says_nothing_is_enotty(void **state)
{
	struct bufalloc_info rows[6];
	size_t i;

	(void)state;
	for (i = 0; i < LEN(rows); i++) {
		rows[i] = mock_info;
	}
	memset(&rows[0], 0, sizeof(rows[0]));
	rows[1].size = 1;	/* as DRM_IOCTL_VERSION would, in its place */
	rows[2].size = 47;
	rows[3].flags = 1;
	rows[4].out_version = 0;
	rows[5].out_max_length = 0;

	for (i = 0; i < LEN(rows); i++) {
		mock_expect_open("/dev/bufalloc", 0);
		expect_info(&rows[i], 0);
		expect_failed_open(NULL, -ENOTTY);
	}
	/* The structure as it was sent, not written to. */
	mock_expect_open("/dev/bufalloc", 0);
	expect_info(NULL, 0);
	expect_failed_open(NULL, -ENOTTY);
}

static void
no_memory_is_enomem_before_the_open(void **state)
{
	(void)state;
	mock_fail_memory(1);
	expect_failed_open(NULL, -ENOMEM);
}

static void
close_closes_the_node(void **state)
{
	(void)state;
	bufalloc_close(mock_open());
	/* mock_teardown() counts the descriptors */
}

static void
close_accepts_null(void **state)
{
	(void)state;
	bufalloc_close(NULL);
}

static void
info_copies_each_field(void **state)
{
	struct bufalloc_info out = {
		.size = sizeof(out),
		.out_version = 0x11121314,
		.out_heaps = 0x21222324,
		.out_features = UINT64_C(0x3132333435363738),
		.out_max_length = UINT64_C(0x4142434445464748),
		.out_contig_limit = UINT64_C(0x5152535455565758),
		.out_contig_used = UINT64_C(0x6162636465666768),
		.out_attributes = UINT64_C(0x7172737475767778),
	};
	struct bufalloc_ctx *ctx = mock_open();
	struct bufalloc_module_info info;

	(void)state;
	expect_info(&out, 0);
	assert_int_equal(bufalloc_get_info(ctx, &info), 0);
	assert_int_equal(info.version, 0x11121314);
	assert_int_equal(info.heaps, 0x21222324);
	assert_int_equal(info.max_length, UINT64_C(0x4142434445464748));
	assert_int_equal(info.contig_limit, UINT64_C(0x5152535455565758));
	assert_int_equal(info.contig_used, UINT64_C(0x6162636465666768));
	assert_int_equal(info.attributes, UINT64_C(0x7172737475767778));
	bufalloc_close(ctx);
}

static void
failed_info_changes_nothing(void **state)
{
	static const int rows[] = { EFAULT, EINVAL, E2BIG, ENOTTY };
	struct bufalloc_ctx *ctx = mock_open();
	struct bufalloc_module_info info, before;
	size_t i;

	(void)state;
	memset(&info, 0x5a, sizeof(info));
	before = info;
	for (i = 0; i < LEN(rows); i++) {
		expect_info(NULL, rows[i]);
		assert_int_equal(bufalloc_get_info(ctx, &info), -rows[i]);
		assert_memory_equal(&info, &before, sizeof(info));
	}
	bufalloc_close(ctx);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, mock_setup, mock_teardown)

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		TEST(errno_of_open_is_returned),
		TEST(path_is_used),
		TEST(default_path_is_the_devices),
		TEST(any_other_answer_to_info_is_enotty),
		TEST(success_that_says_nothing_is_enotty),
		TEST(no_memory_is_enomem_before_the_open),
		TEST(close_closes_the_node),
		TEST(close_accepts_null),
		TEST(info_copies_each_field),
		TEST(failed_info_changes_nothing),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL) == 0 ? 0 : 1;
}
