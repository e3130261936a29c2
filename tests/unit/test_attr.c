/* SPDX-License-Identifier: MIT */
/* Attributes: bufalloc_alloc_with(), their names and their sentences. */
#include "mock.h"

#include <string.h>

static const struct bufalloc_buffer_info two_pages = {
	.size = sizeof(struct bufalloc_buffer_info),
	.out_length = MOCK_LENGTH,
};

static const struct bufalloc_device_info display = {
	.size = sizeof(display),
	.out_driver = "vkms",
	.out_name = "card0",
};

static void
names_are_the_documented_ones(void **state)
{
	static const uint64_t unknown[] = {
		0, 3, 6, 32, UINT64_C(1) << 32, UINT64_C(1) << 63, UINT64_MAX,
	};
	size_t i;

	(void)state;
	assert_string_equal(bufalloc_attr_name(BUFALLOC_NEVER_CPU),
			    "never-cpu");
	assert_string_equal(bufalloc_attr_name(BUFALLOC_WRITE_COMBINE),
			    "write-combine");
	assert_string_equal(bufalloc_attr_name(BUFALLOC_UNCACHED), "uncached");
	assert_string_equal(bufalloc_attr_name(BUFALLOC_CONTIGUOUS),
			    "contiguous");
	assert_string_equal(bufalloc_attr_name(BUFALLOC_PINNABLE), "pinnable");
	for (i = 0; i < LEN(unknown); i++) {
		assert_null(bufalloc_attr_name(unknown[i]));
	}
}

static void
name_is_found(void **state)
{
	static const char *const unknown[] = {
		"", "never", "never-cp", "never-cpux", "Never-CPU", "never_cpu",
	};
	uint64_t attribute = 0;
	size_t i;

	(void)state;
	assert_int_equal(bufalloc_attr_from_name("never-cpu", &attribute), 0);
	assert_int_equal(attribute, 1);
	assert_int_equal(bufalloc_attr_from_name("write-combine", &attribute), 0);
	assert_int_equal(attribute, 2);
	assert_int_equal(bufalloc_attr_from_name("uncached", &attribute), 0);
	assert_int_equal(attribute, 4);
	assert_int_equal(bufalloc_attr_from_name("contiguous", &attribute), 0);
	assert_int_equal(attribute, 8);
	assert_int_equal(bufalloc_attr_from_name("pinnable", &attribute), 0);
	assert_int_equal(attribute, 16);
	attribute = 77;
	for (i = 0; i < LEN(unknown); i++) {
		assert_int_equal(bufalloc_attr_from_name(unknown[i],
							 &attribute),
				 -EINVAL);
		assert_int_equal(attribute, 77);
	}
}

/* Every option arrives; also bits that this library does not know. */
static void
options_are_passed_on(void **state)
{
	struct mock_alloc_for want = {
		.length = 4097,
		.heap = 2,
		.attributes = UINT64_C(0x8000000100000001),
		.required = UINT64_C(0x8000000000000001),
		.count = 2,
		.uses = { { 70, BUFALLOC_READ }, { 71, BUFALLOC_WRITE } },
	};
	struct bufalloc_alloc_options options = {
		.size = sizeof(options),
		.heap = BUFALLOC_CONTIG,
		.name = "frame",
		.uses = want.uses,
		.count = 2,
		.attributes = want.attributes,
		.required = want.required,
	};
	struct bufalloc_ctx *ctx = mock_open();
	struct bufalloc_buf *buf;

	(void)state;
	mock_expect_alloc_for(&want, NULL, NULL, 0);
	mock_expect_buffer_info(&two_pages, 0);
	mock_expect_set_name("frame", 0);
	assert_int_equal(bufalloc_alloc_with(ctx, 4097, &options, &buf, NULL),
			 0);
	bufalloc_buf_destroy(buf);

	want.flags = options.flags = BUFALLOC_DRY_RUN;
	mock_expect_alloc_for(&want, NULL, NULL, 0);
	assert_int_equal(bufalloc_alloc_with(ctx, 4097, &options, NULL, NULL),
			 0);
	bufalloc_close(ctx);
}

static void
no_options_are_the_defaults(void **state)
{
	struct mock_alloc_for want = { .length = 4096 };
	struct bufalloc_ctx *ctx = mock_open();
	struct bufalloc_buf *buf;

	(void)state;
	mock_expect_alloc_for(&want, NULL, NULL, 0);
	mock_expect_buffer_info(&two_pages, 0);
	mock_expect_set_name("bufalloc", 0);
	assert_int_equal(bufalloc_alloc_with(ctx, 4096, NULL, &buf, NULL), 0);
	bufalloc_buf_destroy(buf);
	bufalloc_close(ctx);
}

static void
sizes_of_options(void **state)
{
	struct {
		struct bufalloc_alloc_options options;
		unsigned char newer[16];
	} arg;
	struct mock_alloc_for want = {
		.length = 4096,
		.flags = BUFALLOC_ALLOC_DRY_RUN,
	};
	struct bufalloc_ctx *ctx = mock_open();
	struct bufalloc_verdict *verdict;
	size_t size;

	(void)state;
	for (size = 0; size < sizeof(arg.options); size++) {
		memset(&arg, 0, sizeof(arg));
		arg.options.size = size;
		verdict = (struct bufalloc_verdict *)0x1234;
		assert_int_equal(bufalloc_alloc_with(ctx, 4096, &arg.options,
						     NULL, &verdict),
				 -EINVAL);
		assert_null(verdict);
	}
	/* A newer program: what this library does not know must be 0. */
	for (size = 1; size <= sizeof(arg.newer); size++) {
		memset(&arg, 0, sizeof(arg));
		arg.options.size = sizeof(arg.options) + size;
		arg.options.flags = BUFALLOC_DRY_RUN;
		mock_expect_alloc_for(&want, NULL, NULL, 0);
		assert_int_equal(bufalloc_alloc_with(ctx, 4096, &arg.options,
						     NULL, NULL),
				 0);
		arg.newer[size - 1] = 1;
		assert_int_equal(bufalloc_alloc_with(ctx, 4096, &arg.options,
						     NULL, NULL),
				 -E2BIG);
	}
	bufalloc_close(ctx);
}

static const struct {
	const char *text;
	uint64_t wanted;
	uint64_t granted;
	uint32_t heap;
	uint32_t reason;
	int error;
} rows[] = {
	{ "system was chosen: it is the cheapest heap, and the device can use it; card0 (vkms): mapped, 1 segment; never-cpu: granted",
	  1, 1, 0, BUFALLOC_REASON_NONE, 0 },
	{ "system was chosen: it is the cheapest heap, and the device can use it; card0 (vkms): mapped, 1 segment; never-cpu: not on this machine",
	  1, 0, 0, BUFALLOC_REASON_NONE, 0 },
	{ "system was chosen: it is the cheapest heap, and the device can use it; card0 (vkms): mapped, 1 segment",
	  0, 0, 0, BUFALLOC_REASON_NONE, 0 },
	{ "system was chosen: it is the cheapest heap, and the device can use it; card0 (vkms): mapped, 1 segment; never-cpu: granted; write-combine: not on this machine",
	  3, 1, 0, BUFALLOC_REASON_NONE, 0 },
	/* The heap is the mock's. */
	{ "system was chosen because the attribute contiguous asks for one physical range; card0 (vkms): mapped, 1 segment; contiguous: granted",
	  8, 8, 0, BUFALLOC_REASON_CALLER, 0 },
	{ "system was chosen because the caller named it; card0 (vkms): mapped, 1 segment; contiguous: granted",
	  8, 8, 1, BUFALLOC_REASON_CALLER, 0 },
	{ "system cannot be used: its memory is not one physical range, which the attribute contiguous asks for; try heap auto",
	  8, 0, 1, BUFALLOC_REASON_CALLER, ENOSPC },
	{ "no heap can be used: card0 (vkms) needs it mapped for the CPU, which the attribute never-cpu forbids; leave out the attribute or that device",
	  1, 0, 0, BUFALLOC_REASON_NEVER_CPU, ENOSPC },
	/* Another heap would not help. */
	{ "no heap can be used: card0 (vkms) needs it mapped for the CPU, which the attribute never-cpu forbids; leave out the attribute or that device",
	  1, 0, 2, BUFALLOC_REASON_NEVER_CPU, ENOSPC },
};

static void
verdicts(void **state)
{
	struct bufalloc_ctx *ctx = mock_open();
	size_t i;

	(void)state;
	for (i = 0; i < LEN(rows); i++) {
		struct bufalloc_alloc_device result = {
			.out_proof = BUFALLOC_PROOF_MAPPED,
			.out_segments = 1,
		};
		struct bufalloc_alloc_verdict out = {
			.size = 56,
			.out_error = -rows[i].error,
			.out_heap = BUFALLOC_HEAP_SYSTEM,
			.out_reason = rows[i].reason,
			.out_device = rows[i].error ? 0 : BUFALLOC_NO_DEVICE,
			.out_attributes = rows[i].granted,
		};
		struct mock_alloc_for want = {
			.length = 4096,
			.heap = rows[i].heap,
			.flags = BUFALLOC_ALLOC_DRY_RUN,
			.attributes = rows[i].wanted,
			.count = 1,
			.uses = { { 70, BUFALLOC_READ } },
		};
		struct bufalloc_alloc_options options = {
			.size = sizeof(options),
			.heap = (enum bufalloc_heap)rows[i].heap,
			.flags = BUFALLOC_DRY_RUN,
			.uses = want.uses,
			.count = 1,
			.attributes = rows[i].wanted,
		};
		struct bufalloc_verdict *verdict = NULL;

		mock_expect_alloc_for(&want, &result, &out, rows[i].error);
		mock_expect_device_info(70, 1, &display, 0);
		assert_int_equal(bufalloc_alloc_with(ctx, 4096, &options, NULL,
						     &verdict),
				 -rows[i].error);
		assert_string_equal(bufalloc_verdict_text(verdict),
				    rows[i].text);
		assert_int_equal(bufalloc_verdict_get_attributes(verdict),
				 rows[i].granted);
		bufalloc_verdict_destroy(verdict);
	}
	bufalloc_close(ctx);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, mock_setup, mock_teardown)

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		TEST(names_are_the_documented_ones),
		TEST(name_is_found),
		TEST(options_are_passed_on),
		TEST(no_options_are_the_defaults),
		TEST(sizes_of_options),
		TEST(verdicts),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL) == 0 ? 0 : 1;
}
