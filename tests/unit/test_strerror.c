/* SPDX-License-Identifier: MIT */
/* The sentences: they name what is wrong, the figures, and what to do. */
#include "mock.h"

#include <limits.h>
#include <stdio.h>
#include <string.h>

#define MAX_WORDS 8

static void
expect_words(const char *text, const char *const words[MAX_WORDS])
{
	size_t i;

	for (i = 0; i < MAX_WORDS && words[i] != NULL; i++) {
		if (strstr(text, words[i]) == NULL) {
			fail_msg("'%s' is not in '%s'", words[i], text);
		}
	}
}

/* One sentence: no line end, no full stop, no conversion left, not empty. */
static void
expect_sentence(const char *text)
{
	size_t len = strlen(text);

	assert_true(len > 5);
	assert_null(strchr(text, '\n'));
	assert_null(strchr(text, '%'));
	assert_null(strstr(text, "(null)"));
	assert_int_not_equal(text[len - 1], '.');
	assert_int_not_equal(text[len - 1], ' ');
}

static void
each_errno_has_a_sentence(void **state)
{
	int err;

	(void)state;
	for (err = 0; err < 200; err++) {
		const char *text = bufalloc_strerror(err);

		assert_non_null(text);
		expect_sentence(text);
		assert_ptr_equal(bufalloc_strerror(-err), text);
	}
	expect_sentence(bufalloc_strerror(INT_MAX));
	expect_sentence(bufalloc_strerror(INT_MIN));
}

static void
documented_errnos_say_what_to_do(void **state)
{
	static const struct {
		int err;
		const char *words[MAX_WORDS];
	} rows[] = {
		{ ENOENT, { "/dev/bufalloc", "not loaded", "modprobe bufalloc", "insmod", "root" } },
		{ ENXIO, { "subdevice, media", "no driver", "modprobe bufalloc" } },
		{ ENODEV, { "no driver", "V4L2 or DRM", "bufalloc-v4l2", "bufalloc-drm", "modprobe bufalloc" } },
		{ ENOSPC, { "no heap", "devices", "verdict", "bufalloc explain" } },
		{ EACCES, { "permission", "group", "usermod -aG video" } },
		{ EPERM, { "policy", "container" } },
		{ ENOTTY, { "not bufalloc's", "/dev/bufalloc" } },
		{ EINVAL, { "length", "heap" } },
		{ EBADF, { "not open" } },
		{ EOPNOTSUPP, { "heap", "device takes no dma-buf", "exporter" } },
		{ ENOMEM, { "memory", "less" } },
		{ EDQUOT, { "limit", "/sys/module/bufalloc/parameters/contig_limit_bytes" } },
		{ EMFILE, { "file descriptor", "ulimit -n" } },
		{ ENFILE, { "file descriptor", "/proc/sys/fs/file-max" } },
		{ EBUSY, { "mapped" } },
		{ EINTR, { "signal" } },
		{ EFAULT, { "memory" } },
		{ E2BIG, { "16 devices", "older", "module" } },
	};
	size_t i, j;

	(void)state;
	for (i = 0; i < LEN(rows); i++) {
		expect_words(bufalloc_strerror(-rows[i].err), rows[i].words);
		/* and none is the sentence for the rest */
		assert_string_not_equal(bufalloc_strerror(-rows[i].err),
					bufalloc_strerror(133));
		for (j = 0; j < i; j++) {
			assert_string_not_equal(bufalloc_strerror(rows[i].err),
						bufalloc_strerror(rows[j].err));
		}
	}
}

static void
open_sentences(void **state)
{
	static const struct {
		const char *path;
		int err;
		struct mock_system system;
		const char *words[MAX_WORDS];
	} rows[] = {
		{ NULL, -ENOENT, { .module_loaded = false },
		  { "/dev/bufalloc does not exist: bufalloc.ko is not loaded; load it with 'modprobe bufalloc' (or 'insmod bufalloc.ko'), as root" } },
		{ "/tmp/node", -ENOENT, { .module_loaded = false },
		  { "/tmp/node does not exist", "modprobe bufalloc" } },
		{ "/tmp/node", -ENOENT, { .module_loaded = true },
		  { "/tmp/node does not exist", "is loaded", "/dev/bufalloc", "container" } },
		{ NULL, -ENXIO, { .mode = 0 },
		  { "/dev/bufalloc exists", "no driver", "modprobe bufalloc" } },
		{ NULL, ENODEV, { .mode = 0 },
		  { "/dev/bufalloc exists", "no driver", "modprobe bufalloc" } },
		{ NULL, -EACCES, { .mode = 0660, .gid = 44, .group = "video" },
		  { "/dev/bufalloc", "members of group video", "'usermod -aG video USER'", "root", "log in again" } },
		{ NULL, -EACCES, { .mode = 0660, .gid = 45, .group = "render" },
		  { "members of group render", "'usermod -aG render USER'" } },
		{ NULL, -EACCES, { .mode = 0660, .gid = 4711 },
		  { "group 4711", "'usermod -aG 4711 USER'" } },
		{ NULL, -EACCES, { .mode = 0660, .gid = 44, .group = "video", .group_size = 100000 },
		  { "'usermod -aG video USER'" } },
		{ NULL, -EACCES, { .mode = 0660, .gid = 44, .group = "video", .group_size = 3000000 },
		  { "'usermod -aG 44 USER'" } },
		{ NULL, -EACCES, { .mode = 0600, .gid = 44, .group = "video" },
		  { "mode 0600", "60-bufalloc.rules", "udevadm control --reload", "udevadm trigger /dev/bufalloc" } },
		{ NULL, -EACCES, { .mode = 0640, .gid = 44, .group = "video" },
		  { "mode 0640", "60-bufalloc.rules" } },
		{ NULL, -EACCES, { .mode = 0660, .gid = 0, .group = "root" },
		  { "group root", "mode 0660", "60-bufalloc.rules" } },
		{ NULL, -EACCES, { .mode = 0666, .gid = 0, .group = "root" },
		  { "/dev/bufalloc", "lets everyone in", "policy" } },
		{ "/closed/node", -EACCES, { .stat_err = EACCES },
		  { "/closed/node", "folder", "chmod" } },
		{ "/dev/null", -ENOTTY, { .mode = 0 },
		  { "/dev/null is not bufalloc's", "/dev/bufalloc" } },
		{ NULL, -EPERM, { .mode = 0 }, { "/dev/bufalloc", "policy" } },
		{ NULL, -EMFILE, { .rlimit = 1023 },
		  { "/dev/bufalloc", "1023 file descriptors", "ulimit -n" } },
		{ NULL, -EMFILE, { .rlimit_err = EPERM },
		  { "/dev/bufalloc", "ulimit -n" } },
		{ NULL, -ENFILE, { .mode = 0 },
		  { "/dev/bufalloc", "/proc/sys/fs/file-max" } },
		{ NULL, -ENOMEM, { .mode = 0 }, { "/dev/bufalloc", "memory" } },
		{ "/tmp", -EISDIR, { .mode = 0 },
		  { "cannot open /tmp", "Is a directory", "21" } },
		{ NULL, 4095, { .mode = 0 }, { "/dev/bufalloc", "4095" } },
		{ NULL, 0, { .mode = 0 }, { "/dev/bufalloc is open" } },
		{ NULL, INT_MIN, { .mode = 0 }, { "/dev/bufalloc" } },
	};
	char text[1024], cut[16];
	size_t i;

	(void)state;
	for (i = 0; i < LEN(rows); i++) {
		int len;

		mock_system = rows[i].system;
		len = bufalloc_open_strerror(rows[i].path, rows[i].err, text,
					     sizeof(text));
		assert_int_equal(len, strlen(text));
		expect_sentence(text);
		expect_words(text, rows[i].words);

		/* Cut, but terminated; the length is the whole sentence's. */
		memset(cut, 'x', sizeof(cut));
		assert_int_equal(bufalloc_open_strerror(rows[i].path,
							rows[i].err, cut, 8),
				 len);
		assert_int_equal(strlen(cut), 7);
		assert_memory_equal(cut, text, 7);
		assert_int_equal(cut[8], 'x');
		assert_int_equal(bufalloc_open_strerror(rows[i].path,
							rows[i].err, NULL, 0),
				 len);
	}
}

static void
open_sentence_of_a_very_long_path(void **state)
{
	char path[4096], text[8192];

	(void)state;
	memset(path, 'p', sizeof(path));
	path[sizeof(path) - 1] = '\0';
	bufalloc_open_strerror(path, -ENOENT, text, sizeof(text));
	expect_words(text, (const char *const[MAX_WORDS]){ path, "modprobe" });
	bufalloc_open_strerror(path, -EISDIR, text, sizeof(text));
	expect_words(text, (const char *const[MAX_WORDS]){ "Is a directory" });
}

static void
group_without_memory_is_a_number(void **state)
{
	char text[512];

	(void)state;
	mock_fail_memory(1);
	bufalloc_open_strerror(NULL, -EACCES, text, sizeof(text));
	expect_words(text, (const char *const[MAX_WORDS]){ "group 44;" });
	assert_int_equal(mock_group_calls, 0);

	mock_system.group_size = 100000;
	mock_fail_memory(3);
	bufalloc_open_strerror(NULL, -EACCES, text, sizeof(text));
	expect_words(text, (const char *const[MAX_WORDS]){ "group 44;" });
	assert_int_equal(mock_group_calls, 2);
}

static void
alloc_sentences(void **state)
{
	static const struct {
		uint64_t length;
		int heap;
		int err;
		uint32_t heaps;
		const char *words[MAX_WORDS];
	} rows[] = {
		{ 0, 0, -EINVAL, 6, { "length 0", "1 byte or more" } },
		{ 0, 7, -EINVAL, 6, { "length 0" } },
		{ 4096, 7, -EINVAL, 6, { "heap 7", "auto (0)", "system (1)", "contig (2)" } },
		{ 4096, -1, -EINVAL, 6, { "heap 4294967295" } },
		{ 4096, 1, -EINVAL, 6, { "4096 bytes of heap system", "version" } },
		{ 4096, 2, -EOPNOTSUPP, 2, { "4096 bytes of heap contig", "provides: system" } },
		{ 4096, 1, -EOPNOTSUPP, 4, { "heap system", "provides: contig" } },
		{ 4096, 1, -EOPNOTSUPP, 6, { "provides: system, contig" } },
		{ 4096, 0, -EOPNOTSUPP, 0, { "heap auto", "provides: none" } },
		{ 4096, 1, -EOPNOTSUPP, 0xffffffc0, { "provides: none" } },
		{ 4096, 3, -EOPNOTSUPP, 6, { "heap reserved", "no memory was set aside",
					     "use one of: system, contig" } },
		{ 4096, 4, -ENOSPC, 0x1e, { "heap device", "must be named" } },
		{ 4096, 3, -ENOMEM, 0xe, { "cannot allocate 4096 bytes", "set aside",
					   "use heap auto" } },
		/* One byte more than all the memory, and as much as that. */
		{ UINT64_C(4294967297), 0, -ENOMEM, 6,
		  { "4294967297 bytes (4096.0 MiB)", "machine is 4294967296 bytes (4096.0 MiB)", "less" } },
		{ UINT64_MAX, 2, -ENOMEM, 6,
		  { "18446744073709551615 bytes (17592186044415.9 MiB)", "4294967296 bytes" } },
		{ UINT64_C(4294967296), 1, -ENOMEM, 6,
		  { "4294967296 bytes (4096.0 MiB)", "control group", "less" } },
		{ 67108864, 2, -ENOMEM, 6,
		  { "67108864 bytes (64.0 MiB)", "contiguous", "below 4 GiB", "4294967296 bytes", "heap auto or system" } },
		{ 67108864, 2, EDQUOT, 6,
		  { "67108864 bytes (64.0 MiB)", "holds 8294400 bytes (7.9 MiB)", "may hold 1073741824 bytes (1024.0 MiB)",
		    "/sys/module/bufalloc/parameters/contig_limit_bytes", "root" } },
		{ 1048575, 0, -EMFILE, 6, { "1048575 bytes of", "1024 file descriptors", "ulimit -n" } },
		{ 1048576, 0, -ENFILE, 6, { "1048576 bytes (1.0 MiB)", "/proc/sys/fs/file-max" } },
		{ 1, 1, -EINTR, 6, { "1 byte of heap system", "signal" } },
		{ 4096, 0, -EIO, 6, { "4096 bytes", "Input/output error", "5" } },
		{ 4096, 1, 0, 6, { "4096 bytes of heap system are allocated" } },
	};
	struct bufalloc_info in = { .size = sizeof(in) };
	struct bufalloc_ctx *ctx = mock_open();
	char text[512];
	size_t i;

	(void)state;
	for (i = 0; i < LEN(rows); i++) {
		struct bufalloc_info out = mock_info;
		int len;

		out.out_heaps = rows[i].heaps;
		mock_expect_ioctl(MOCK_NODE, BUFALLOC_IOCTL_INFO, &in,
				  sizeof(in), &out, 0);
		len = bufalloc_alloc_strerror(ctx, rows[i].length,
					      (enum bufalloc_heap)rows[i].heap,
					      rows[i].err, text, sizeof(text));
		assert_int_equal(len, strlen(text));
		expect_sentence(text);
		expect_words(text, rows[i].words);

		mock_expect_ioctl(MOCK_NODE, BUFALLOC_IOCTL_INFO, &in,
				  sizeof(in), &out, 0);
		assert_int_equal(
			bufalloc_alloc_strerror(
				ctx, rows[i].length,
				(enum bufalloc_heap)rows[i].heap, rows[i].err,
				NULL, 0),
			len);
		mock_expect_nothing_left();
	}
	bufalloc_close(ctx);
}

static void
alloc_sentences_without_figures(void **state)
{
	static const struct {
		int err;
		const char *words[MAX_WORDS];
	} rows[] = {
		{ -EINVAL, { "8294400 bytes (7.9 MiB)", "contig" } },
		{ -EOPNOTSUPP, { "8294400 bytes (7.9 MiB)", "contig" } },
		{ -ENOMEM, { "8294400 bytes (7.9 MiB)", "memory ran out" } },
		{ -EDQUOT, { "8294400 bytes (7.9 MiB)", "contig_limit_bytes" } },
	};
	struct bufalloc_info in = { .size = sizeof(in) };
	struct bufalloc_ctx *ctx = mock_open();
	char text[512];
	size_t i;

	(void)state;
	for (i = 0; i < LEN(rows); i++) {
		mock_expect_ioctl(MOCK_NODE, BUFALLOC_IOCTL_INFO, &in,
				  sizeof(in), NULL, ENODEV);
		bufalloc_alloc_strerror(ctx, 8294400, BUFALLOC_CONTIG,
					rows[i].err, text, sizeof(text));
		expect_sentence(text);
		expect_words(text, rows[i].words);

		bufalloc_alloc_strerror(NULL, 8294400, BUFALLOC_CONTIG,
					rows[i].err, text, sizeof(text));
		expect_sentence(text);
		expect_words(text, rows[i].words);
		mock_expect_nothing_left();
	}
	bufalloc_close(ctx);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, mock_setup, mock_teardown)

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		TEST(each_errno_has_a_sentence),
		TEST(documented_errnos_say_what_to_do),
		TEST(open_sentences),
		TEST(open_sentence_of_a_very_long_path),
		TEST(group_without_memory_is_a_number),
		TEST(alloc_sentences),
		TEST(alloc_sentences_without_figures),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL) == 0 ? 0 : 1;
}
