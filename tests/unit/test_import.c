/* SPDX-License-Identifier: MIT */
/* bufalloc_import_user(): what is asked, what comes back, and the sentences. */
#include "mock.h"

#include <string.h>

static const struct bufalloc_device_info infos[] = {
	{ .size = 176, .out_driver = "vivid", .out_name = "video0",
	  .out_flags = BUFALLOC_DEVICE_NEEDS_VMAP },
	{ .size = 176, .out_driver = "vkms", .out_name = "card0",
	  .out_found = BUFALLOC_FOUND_DRM },
	{ .size = 176, .out_driver = "csi", .out_name = "video1" },
};

static struct bufalloc_buf *const untouched = (struct bufalloc_buf *)0x1234;

static void
options_are_passed_on(void **state)
{
	static unsigned char memory[16];
	struct mock_import_user want = {
		.address = memory,
		.length = 8192,
		.flags = BUFALLOC_IMPORT_READ_ONLY,
		.count = 2,
		.uses = { { 70, BUFALLOC_READ }, { 71, BUFALLOC_READ } },
	};
	struct bufalloc_import_options options = {
		.size = sizeof(options),
		.flags = BUFALLOC_READ_ONLY,
		.name = "frame",
		.uses = want.uses,
		.count = 2,
	};
	struct bufalloc_ctx *ctx = mock_open();
	struct bufalloc_buf *buf;

	(void)state;
	mock_expect_import_user(&want, NULL, NULL, 0);
	mock_expect_set_name("frame", 0);
	assert_int_equal(bufalloc_import_user(ctx, memory, 8192, &options, &buf,
					      NULL),
			 0);
	assert_int_equal(bufalloc_buf_get_length(buf), MOCK_LENGTH);
	assert_int_equal(bufalloc_buf_get_offset(buf), 0);
	bufalloc_buf_destroy(buf);

	want.flags |= BUFALLOC_IMPORT_DRY_RUN;
	options.flags |= BUFALLOC_DRY_RUN;
	mock_expect_import_user(&want, NULL, NULL, 0);
	assert_int_equal(bufalloc_import_user(ctx, memory, 8192, &options, NULL,
					      NULL),
			 0);

	want = (struct mock_import_user){ .address = memory, .length = 1 };
	mock_expect_import_user(&want, NULL, NULL, 0);
	mock_expect_set_name("bufalloc", 0);
	assert_int_equal(bufalloc_import_user(ctx, memory, 1, NULL, &buf, NULL),
			 0);
	bufalloc_buf_destroy(buf);
	bufalloc_close(ctx);
}

/* It is whole, with its own name; the memory may start anywhere in it. */
static void
mapping_of_a_dma_buf(void **state)
{
	static const struct mock_import_user want = {
		.address = (const void *)0x10000,
		.length = 4096,
		.out_flags = BUFALLOC_IMPORTED_DMABUF,
		.out_offset = 4096,
	};
	static const struct bufalloc_alloc_verdict ours = {
		.size = 56,
		.out_heap = BUFALLOC_HEAP_CONTIG,
		.out_reason = BUFALLOC_REASON_CALLER,
		.out_device = BUFALLOC_NO_DEVICE,
	};
	static const struct bufalloc_alloc_verdict foreign = {
		.size = 56,
		.out_heap = BUFALLOC_HEAP_AUTO,
		.out_reason = BUFALLOC_REASON_CALLER,
		.out_device = BUFALLOC_NO_DEVICE,
	};
	struct bufalloc_ctx *ctx = mock_open();
	struct bufalloc_verdict *verdict;
	struct bufalloc_buf *buf;

	(void)state;
	mock_expect_import_user(&want, NULL, &ours, 0);
	assert_int_equal(bufalloc_import_user(ctx, want.address, 4096, NULL,
					      &buf, &verdict),
			 0);
	assert_int_equal(bufalloc_buf_get_length(buf), MOCK_LENGTH);
	assert_int_equal(bufalloc_buf_get_offset(buf), 4096);
	assert_int_equal(bufalloc_verdict_get_heap(verdict), BUFALLOC_CONTIG);
	assert_string_equal(bufalloc_verdict_text(verdict),
			    "the memory is a mapping of a dma-buf of heap contig, which is used");
	bufalloc_verdict_destroy(verdict);
	bufalloc_buf_destroy(buf);

	mock_expect_import_user(&want, NULL, &foreign, 0);
	assert_int_equal(bufalloc_import_user(ctx, want.address, 4096, NULL,
					      &buf, &verdict),
			 0);
	assert_string_equal(bufalloc_verdict_text(verdict),
			    "the memory is a mapping of another exporter's dma-buf, which is used");
	bufalloc_verdict_destroy(verdict);
	bufalloc_buf_destroy(buf);
	bufalloc_close(ctx);
}

static void
errno_is_returned_and_nothing_left(void **state)
{
	static const int rows[] = {
		EINVAL, EFAULT, EACCES, EOPNOTSUPP, ENOMEM, ENOSPC, E2BIG,
		ENOTTY, EBADF, ENODEV, ENXIO, EMFILE, ENFILE, EINTR,
	};
	static const struct mock_import_user want = {
		.address = (const void *)0x10000,
		.length = 4096,
	};
	struct bufalloc_ctx *ctx = mock_open();
	struct bufalloc_verdict *verdict;
	struct bufalloc_buf *buf = untouched;
	size_t i;

	(void)state;
	for (i = 0; i < LEN(rows); i++) {
		mock_expect_import_user(&want, NULL, NULL, rows[i]);
		assert_int_equal(bufalloc_import_user(ctx, want.address, 4096,
						      NULL, &buf, &verdict),
				 -rows[i]);
		assert_ptr_equal(buf, untouched);
		assert_int_equal(bufalloc_verdict_get_error(verdict), -rows[i]);
		assert_int_equal(bufalloc_verdict_get_heap(verdict),
				 BUFALLOC_USER);
		bufalloc_verdict_destroy(verdict);
	}
	bufalloc_close(ctx);
}

static void
memory_runs_out(void **state)
{
	struct bufalloc_ctx *ctx = mock_open();
	struct bufalloc_verdict *verdict = (struct bufalloc_verdict *)0x1234;
	struct bufalloc_buf *buf = untouched;

	(void)state;
	mock_fail_memory(1);
	assert_int_equal(bufalloc_import_user(ctx, NULL, 4096, NULL, &buf,
					      &verdict),
			 -ENOMEM);
	assert_null(verdict);
	mock_fail_memory(1);
	assert_int_equal(bufalloc_import_user(ctx, NULL, 4096, NULL, &buf, NULL),
			 -ENOMEM);
	assert_ptr_equal(buf, untouched);
	bufalloc_close(ctx);
}

static void
sizes_of_options(void **state)
{
	struct {
		struct bufalloc_import_options options;
		unsigned char newer[16];
	} arg;
	struct bufalloc_ctx *ctx = mock_open();
	struct bufalloc_verdict *verdict;
	size_t size;

	(void)state;
	for (size = 0; size < sizeof(arg.options); size++) {
		memset(&arg, 0, sizeof(arg));
		arg.options.size = size;
		verdict = (struct bufalloc_verdict *)0x1234;
		assert_int_equal(bufalloc_import_user(ctx, NULL, 4096,
						      &arg.options, NULL,
						      &verdict),
				 -EINVAL);
		assert_null(verdict);
	}
	memset(&arg, 0, sizeof(arg));
	arg.options.size = sizeof(arg);
	arg.newer[15] = 1;
	assert_int_equal(bufalloc_import_user(ctx, NULL, 4096, &arg.options,
					      NULL, NULL),
			 -E2BIG);
	memset(&arg, 0, sizeof(arg));
	arg.options.size = sizeof(arg.options);
	arg.options.count = 17;
	assert_int_equal(bufalloc_import_user(ctx, NULL, 4096, &arg.options,
					      NULL, NULL),
			 -E2BIG);
	bufalloc_close(ctx);
}

#define REASON(name) BUFALLOC_REASON_##name
#define NOBODY BUFALLOC_NO_DEVICE

static const struct row {
	const char *text;
	uint64_t length;
	uint32_t reason;
	uint32_t device;
	int error;
	uint32_t flags;
} rows[] = {
	{ "the memory is used where it is, 9 physical runs; video0 (vivid): mapped, 9 segments; card0 (vkms): mapped, 1 segment; video1 (csi): mapped, 1 segment",
	  4096, REASON(CALLER), NOBODY, 0, 0 },
	{ "the memory cannot be imported: it is not of whole pages, and what else is in its first or last page would be open to the devices; take it from mmap or posix_memalign, and round its length up",
	  1000, REASON(ALIGNMENT), NOBODY, EINVAL, 0 },
	{ "the memory cannot be imported: its length is 0; import a page or more",
	  0, REASON(NONE), NOBODY, EINVAL, 0 },
	{ "the memory cannot be imported: a part of it is not mapped; map all of it, and do not unmap it before the call returns",
	  4096, REASON(UNMAPPED), NOBODY, EFAULT, 0 },
	{ "the memory cannot be imported: a part of it is device memory, secret memory, a shared mapping of a file that is not on a tmpfs, or a mapping of another dma-buf; use anonymous memory, a memfd or huge pages, or the file descriptor of the dma-buf",
	  4096, REASON(MEMORY_KIND), NOBODY, EOPNOTSUPP, 0 },
	{ "the memory cannot be imported: a part of it may not be written; if the devices only read it, import it as read only (BUFALLOC_READ_ONLY)",
	  4096, REASON(READ_ONLY), NOBODY, EACCES, 0 },
	{ "the memory cannot be imported: a part of it may not be read; change that with mprotect",
	  4096, REASON(READ_ONLY), NOBODY, EACCES, BUFALLOC_READ_ONLY },
	{ "the memory cannot be imported: this user's limit on locked memory is reached; let some go, or raise it ('ulimit -l', or memlock in /etc/security/limits.conf, as root)",
	  4096, REASON(MEMLOCK), NOBODY, ENOMEM, 0 },
	{ "the memory cannot be imported: the memory ran out; import less, or free some",
	  4096, REASON(MEMORY), NOBODY, ENOMEM, 0 },
	{ "the memory cannot be imported: bufalloc.ko is older than this library and imports none; update the module",
	  4096, REASON(NONE), NOBODY, ENOTTY, 0 },
	{ "the memory cannot be imported: a fatal signal ended the call",
	  4096, REASON(NONE), NOBODY, EINTR, 0 },
	{ "the memory cannot be used as it is: video0 (vivid) works by a kernel mapping, which can be written; import memory that may be written, or leave that device out",
	  4096, REASON(READ_ONLY), 0, EACCES, BUFALLOC_READ_ONLY },
	{ "the memory cannot be used as it is: card0 (vkms) maps what it imports for writing, too, as DRM drivers do; import memory that may be written, or leave that device out",
	  4096, REASON(READ_ONLY), 1, EACCES, BUFALLOC_READ_ONLY },
	{ "the memory cannot be used as it is: video1 (csi) writes; import memory that may be written, or leave that device out",
	  4096, REASON(READ_ONLY), 2, EACCES, BUFALLOC_READ_ONLY },
	{ "the memory cannot be used as it is: video0 (vivid) takes one segment, has no IOMMU and got 9; allocate a buffer for the devices instead, or leave that device out",
	  4096, REASON(ONE_SEGMENT), 0, ENOSPC, 0 },
	{ "the memory cannot be used as it is: card0 (vkms) reaches only the memory below 4 GiB; allocate a buffer for the devices instead, or leave that device out",
	  4096, REASON(ADDRESS), 1, ENOSPC, 0 },
	{ "no buffer: card0 (vkms) is not open",
	  4096, REASON(NOT_A_DEVICE), 1, EBADF, 0 },
};

static void
sentences(void **state)
{
	struct bufalloc_alloc_device results[3] = { 0 };
	struct bufalloc_ctx *ctx = mock_open();
	size_t i;

	(void)state;
	for (i = 0; i < LEN(rows); i++) {
		struct mock_import_user want = {
			.length = rows[i].length,
			.flags = rows[i].flags | BUFALLOC_IMPORT_DRY_RUN,
			.count = 3,
			.uses = { { 70, BUFALLOC_READ }, { 71, BUFALLOC_READ },
				  { 72, BUFALLOC_WRITE } },
		};
		struct bufalloc_import_options options = {
			.size = sizeof(options),
			.flags = want.flags,
			.uses = want.uses,
			.count = 3,
		};
		struct bufalloc_alloc_verdict out = {
			.size = 56,
			.out_error = -rows[i].error,
			.out_heap = BUFALLOC_HEAP_USER,
			.out_reason = rows[i].reason,
			.out_device = rows[i].device,
			.out_runs = 9,
			.out_limit = UINT32_MAX,
		};
		struct bufalloc_verdict *verdict = NULL;
		size_t n;

		for (n = 0; n < 3; n++) {
			results[n].fd = want.uses[n].fd;
			results[n].access = (uint32_t)want.uses[n].access;
			results[n].out_segments = n == 0 ? 9 : 1;
			results[n].out_proof = BUFALLOC_PROOF_MAPPED;
		}
		mock_expect_import_user(&want, results, &out, rows[i].error);
		for (n = 0; n < 3; n++) {
			mock_expect_device_info(want.uses[n].fd,
						(uint32_t)want.uses[n].access,
						&infos[n], 0);
		}
		assert_int_equal(bufalloc_import_user(ctx, NULL,
						      (size_t)rows[i].length,
						      &options, NULL, &verdict),
				 -rows[i].error);
		assert_string_equal(bufalloc_verdict_text(verdict),
				    rows[i].text);
		bufalloc_verdict_destroy(verdict);
	}
	bufalloc_close(ctx);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, mock_setup, mock_teardown)

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		TEST(options_are_passed_on),
		TEST(mapping_of_a_dma_buf),
		TEST(errno_is_returned_and_nothing_left),
		TEST(memory_runs_out),
		TEST(sizes_of_options),
		TEST(sentences),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL) == 0 ? 0 : 1;
}
