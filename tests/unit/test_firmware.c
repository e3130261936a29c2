/* SPDX-License-Identifier: MIT */
/* Firmware files in buffers: what the library asks for, and its sentences. */
#include "mock.h"

#include <limits.h>
#include <string.h>

static void
expect_load(const char *name, uint64_t length, int err)
{
	struct bufalloc_load_firmware in = {
		.size = 40,
		.fd = 77,
		.offset = UINT64_C(0x100000001),
		.name = (uintptr_t)name,
	};
	struct bufalloc_load_firmware out = in;

	out.out_length = length;
	mock_expect_ioctl(MOCK_NODE, BUFALLOC_IOCTL_LOAD_FIRMWARE, &in,
			  sizeof(in), &out, err);
}

static void
load_is_passed_on(void **state)
{
	struct bufalloc_ctx *ctx = mock_open();
	uint64_t length = 1;

	(void)state;
	expect_load("a/b.bin", 99, EINTR);
	expect_load("a/b.bin", 99, 0);
	assert_int_equal(bufalloc_load_firmware(ctx, 77, UINT64_C(0x100000001),
						"a/b.bin", &length),
			 0);
	assert_int_equal(length, 99);
	expect_load(NULL, 99, 0);
	assert_int_equal(bufalloc_load_firmware(ctx, 77, UINT64_C(0x100000001),
						NULL, NULL),
			 0);
	bufalloc_close(ctx);
}

static const struct {
	int err;
	const char *word;
} rows[] = {
	{ EPERM, "root" },
	{ EINVAL, "'..'" },
	{ EFAULT, "no name" },
	{ EBADF, "not open" },
	{ EACCES, "read-only" },
	{ ENOENT, "no such file" },
	{ EMEDIUMTYPE, "unpack" },
	{ EFBIG, "longer than the rest of the buffer" },
	{ ESTALE, "changed while it was read" },
	{ ENOMEM, "memory" },
	{ EOPNOTSUPP, "another exporter's" },
	{ ENOTTY, "bufalloc" },
	{ EIO, "cannot be read" },
};

static void
errno_is_returned_and_length_stays(void **state)
{
	struct bufalloc_ctx *ctx = mock_open();
	size_t i;

	(void)state;
	for (i = 0; i < LEN(rows); i++) {
		uint64_t length = 1;

		expect_load("x", 99, rows[i].err);
		assert_int_equal(
			bufalloc_load_firmware(ctx, 77, UINT64_C(0x100000001),
					       "x", &length),
			-rows[i].err);
		assert_int_equal(length, 1);
	}
	bufalloc_close(ctx);
}

static void
each_errno_has_its_sentence(void **state)
{
	char text[512], positive[512];
	size_t i;

	(void)state;
	for (i = 0; i < LEN(rows); i++) {
		int len = bufalloc_firmware_strerror("a/b.bin", -rows[i].err,
						     text, sizeof(text));

		assert_int_equal(len, strlen(text));
		if (strstr(text, "'a/b.bin': ") == NULL ||
		    strstr(text, rows[i].word) == NULL) {
			fail_msg("'%s' does not say '%s'", text, rows[i].word);
		}
		assert_int_not_equal(text[len - 1], '.');
		bufalloc_firmware_strerror("a/b.bin", rows[i].err, positive,
					   sizeof(positive));
		assert_string_equal(text, positive);
		assert_int_equal(bufalloc_firmware_strerror("a/b.bin",
							    rows[i].err, NULL, 0),
				 len);
	}
	bufalloc_firmware_strerror(NULL, INT_MIN, text, sizeof(text));
	assert_non_null(strstr(text, "'(no name)': "));
	bufalloc_firmware_strerror("x", 0, text, sizeof(text));
	assert_string_equal(text, "the firmware file 'x' is loaded");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, mock_setup, mock_teardown)

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		TEST(load_is_passed_on),
		TEST(errno_is_returned_and_length_stays),
		TEST(each_errno_has_its_sentence),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL) == 0 ? 0 : 1;
}
