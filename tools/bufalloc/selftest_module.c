/* SPDX-License-Identifier: MIT */
/* What is tested without any device: the module itself. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <linux/bufalloc.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "selftest.h"

#define WHERE "module"
/* Buffers that are freed full of data, and looked for in new ones. */
#define DIRTY_BUFS 3

static int
alloc(struct selftest *test, const struct selftest_variant *variant,
      struct bufalloc_buf **buf)
{
	struct bufalloc_alloc_options options =
		selftest_alloc_options(variant);

	return bufalloc_alloc_with(test->ctx, test->length, &options, buf,
				   NULL);
}

/* End the row because an allocation failed. */
static bool
alloc_failed(struct selftest *test, const struct selftest_variant *variant,
	     int err)
{
	char sentence[512];

	if (err == -ENOSPC && (variant->attributes & BUFALLOC_CONTIGUOUS) != 0) {
		return report_skip(&test->report, err,
				   "the heap has no such memory in one physical range");
	}
	bufalloc_alloc_strerror(test->ctx, test->length, variant->heap, err,
				sentence, sizeof(sentence));
	return report_fail(&test->report, err, "%s", sentence);
}

/* NULL, or what is wrong with a new buffer. */
static const char *
find_fault(struct selftest *test, const struct selftest_variant *variant,
	   struct bufalloc_buf *buf, const struct bufalloc_buf_info *info)
{
	uint64_t page = (uint64_t)sysconf(_SC_PAGESIZE);
	int fd = bufalloc_buf_get_fd(buf);

	if (info->length % page != 0 || info->length < test->length ||
	    info->length - test->length >= page) {
		return "its length is not what was asked for in whole pages";
	}
	if (lseek(fd, 0, SEEK_END) != (off_t)info->length) {
		return "the dma-buf's length (lseek) is not the buffer's";
	}
	if ((fcntl(fd, F_GETFD) & FD_CLOEXEC) == 0) {
		return "its descriptor is not close-on-exec";
	}
	if (variant->heap != BUFALLOC_AUTO && info->heap != variant->heap) {
		return "it came from another heap than was asked for";
	}
	if (info->attributes != variant->attributes) {
		return "its attributes are not those that were asked for";
	}
	if ((info->heap == BUFALLOC_CONTIG ||
	     (info->attributes & BUFALLOC_CONTIGUOUS) != 0) &&
	    info->runs != 1) {
		return "it is contiguous and in several pieces";
	}
	return NULL;
}

static struct bufalloc_buf *
row_alloc(struct selftest *test, const struct selftest_variant *variant)
{
	struct bufalloc_buf_info info;
	struct bufalloc_buf *buf;
	const char *fault;
	int ret;

	report_begin(&test->report, WHERE, "alloc", NULL, variant->name);
	ret = alloc(test, variant, &buf);
	if (ret < 0) {
		alloc_failed(test, variant, ret);
		return NULL;
	}
	ret = bufalloc_get_buf_info(test->ctx, bufalloc_buf_get_fd(buf), &info);
	if (ret < 0) {
		report_fail(&test->report, ret, "BUFFER_INFO: %s",
			    bufalloc_strerror(ret));
		return buf;
	}
	report_buffer(&test->report, &info);
	fault = find_fault(test, variant, buf, &info);
	if (fault != NULL) {
		report_fail(&test->report, 0, "%s", fault);
		return buf;
	}
	report_pass(&test->report,
		    "heap %s, %" PRIu32 " run%s, allocated and zeroed in %" PRIu64
		    ".%03" PRIu64 " ms",
		    bufalloc_heap_name(info.heap), info.runs,
		    info.runs == 1 ? "" : "s", info.alloc_ns / 1000000,
		    info.alloc_ns / 1000 % 1000);
	return buf;
}

/* The first byte that is not 0, or the length; -errno. */
static int
first_nonzero(struct bufalloc_buf *buf, uint64_t *at)
{
	uint64_t i, len = bufalloc_buf_get_length(buf) / sizeof(uint64_t);
	const uint64_t *words;
	void *data;
	int ret;

	ret = bufalloc_buf_map(buf, BUFALLOC_READ, &data);
	if (ret < 0) {
		return ret;
	}
	words = data;
	for (i = 0; i < len && words[i] == 0; i++) {
	}
	*at = i * sizeof(uint64_t);
	return bufalloc_buf_unmap(buf);
}

/* Each of several buffers: filled, or looked at. 0 or -errno; *at as above. */
static int
dirty_and_look(struct selftest *test, const struct selftest_variant *variant,
	       bool is_look, uint64_t *at)
{
	struct bufalloc_buf *bufs[DIRTY_BUFS] = { NULL };
	size_t i;
	int ret = 0;

	for (i = 0; i < DIRTY_BUFS && ret == 0; i++) {
		ret = alloc(test, variant, &bufs[i]);
	}
	for (i = 0; i < DIRTY_BUFS && ret == 0; i++) {
		if (!is_look) {
			ret = selftest_write(bufs[i], i);
			continue;
		}
		ret = first_nonzero(bufs[i], at);
		if (*at < bufalloc_buf_get_length(bufs[i])) {
			break;
		}
	}
	for (i = 0; i < DIRTY_BUFS; i++) {
		bufalloc_buf_destroy(bufs[i]);
	}
	return ret;
}

static void
row_zeroed(struct selftest *test, const struct selftest_variant *variant)
{
	uint64_t at = 0;
	int ret;

	report_begin(&test->report, WHERE, "zeroed", NULL, variant->name);
	ret = dirty_and_look(test, variant, false, &at);
	if (ret == 0) {
		ret = dirty_and_look(test, variant, true, &at);
	}
	if (ret < 0) {
		alloc_failed(test, variant, ret);
		return;
	}
	if (at < test->length) {
		report_fail(&test->report, 0,
			    "byte %" PRIu64 " of a new buffer is not 0", at);
		return;
	}
	report_pass(&test->report,
		    "%d new buffers are 0 after %d were freed full of data",
		    DIRTY_BUFS, DIRTY_BUFS);
}

/* 0, or the errno that mapping it so gets. */
static int
try_mmap(struct bufalloc_buf *buf, uint64_t length, int flags)
{
	void *data = mmap(NULL, (size_t)length, PROT_READ, flags,
			  bufalloc_buf_get_fd(buf), 0);

	if (data == MAP_FAILED) {
		return errno;
	}
	munmap(data, (size_t)length);
	return 0;
}

static void
row_mmap(struct selftest *test, const struct selftest_variant *variant,
	 struct bufalloc_buf *buf)
{
	int expected = selftest_is_for_cpu(variant) ? EINVAL : EACCES;
	uint64_t length = bufalloc_buf_get_length(buf);
	uint64_t page = (uint64_t)sysconf(_SC_PAGESIZE);
	int private, past;

	report_begin(&test->report, WHERE, "mmap", NULL, variant->name);
	private = try_mmap(buf, length, MAP_PRIVATE);
	past = try_mmap(buf, length + page, MAP_SHARED);
	if (private != expected) {
		report_fail(&test->report, private,
			    "a private mapping is not refused with %s",
			    tool_errno_name(expected));
		return;
	}
	if (past != EINVAL) {
		report_fail(&test->report, past,
			    "a mapping past the end is not refused with EINVAL");
		return;
	}
	report_pass(&test->report,
		    "a private mapping and one past the end are refused");
}

/* Contiguous bytes of this user are what is expected; within a second. */
static bool
contig_used_is(struct selftest *test, uint64_t expected, uint64_t *used)
{
	struct bufalloc_module_info info = { 0 };
	int i;

	for (i = 0; i < 100; i++) {
		if (bufalloc_get_info(test->ctx, &info) < 0) {
			break;
		}
		*used = info.contig_used;
		if (*used == expected) {
			return true;
		}
		/* A buffer goes when its last holder's close has got so far. */
		poll(NULL, 0, 10);
	}
	return false;
}

static void
row_limit(struct selftest *test)
{
	const struct selftest_variant contig = {
		.name = "contig",
		.heap = BUFALLOC_CONTIG,
	};
	uint64_t before = test->info.contig_used;
	uint64_t length, during = 0, after = 0;
	struct bufalloc_buf *buf;
	int ret;

	report_begin(&test->report, WHERE, "limit", NULL, "contig");
	ret = alloc(test, &contig, &buf);
	if (ret < 0) {
		alloc_failed(test, &contig, ret);
		return;
	}
	length = bufalloc_buf_get_length(buf);
	if (!contig_used_is(test, before + length, &during)) {
		bufalloc_buf_destroy(buf);
		report_fail(&test->report, 0,
			    "%" PRIu64 " contiguous bytes are counted, not %" PRIu64
			    " (or another program allocates just now)",
			    during, before + length);
		return;
	}
	bufalloc_buf_destroy(buf);
	if (!contig_used_is(test, before, &after)) {
		report_fail(&test->report, 0,
			    "%" PRIu64 " contiguous bytes are still counted, not %" PRIu64
			    " (or another program allocates just now)",
			    after, before);
		return;
	}
	report_pass(&test->report,
		    "%" PRIu64 " bytes were counted and given back", length);
}

/* The result of a wrong ALLOC; a buffer that comes is given back. */
static int
alloc_wrongly(struct selftest *test, uint64_t length, enum bufalloc_heap heap)
{
	struct bufalloc_buf *buf;
	int ret = bufalloc_alloc_bytes(test->ctx, length, heap, NULL, &buf);

	if (ret == 0) {
		bufalloc_buf_destroy(buf);
	}
	return ret;
}

static int
ask_no_length(struct selftest *test)
{
	return alloc_wrongly(test, 0, BUFALLOC_SYSTEM);
}

static int
ask_no_heap(struct selftest *test)
{
	return alloc_wrongly(test, test->length, (enum bufalloc_heap)1000);
}

static int
ask_too_long(struct selftest *test)
{
	return alloc_wrongly(test, test->info.max_length + 1, BUFALLOC_SYSTEM);
}

static int
ask_no_buffer(struct selftest *test)
{
	struct bufalloc_buf_info info;
	int null = open("/dev/null", O_RDWR | O_CLOEXEC);
	int ret = bufalloc_get_buf_info(test->ctx, null, &info);

	close(null);
	return ret;
}

static int
ask_no_device(struct selftest *test)
{
	struct bufalloc_dev_info info;
	int null = open("/dev/null", O_RDWR | O_CLOEXEC);
	int ret = bufalloc_get_device_info(test->ctx, null, BUFALLOC_READ,
					   &info);

	close(null);
	return ret;
}

/* Wrong calls and the errno that <bufalloc/bufalloc.h> promises for them. */
static const struct {
	const char *name;
	const char *what;
	int err;
	int (*ask)(struct selftest *test);
} wrong_calls[] = {
	{ "no-length", "a length of 0", EINVAL, ask_no_length },
	{ "no-heap", "an unknown heap", EINVAL, ask_no_heap },
	{ "too-long", "more than the machine has", ENOMEM, ask_too_long },
	{ "no-buffer", "a file that is no dma-buf", EINVAL, ask_no_buffer },
	{ "no-device", "a file that is no device", ENODEV, ask_no_device },
};

#define WRONG_CALLS_LEN (sizeof(wrong_calls) / sizeof(wrong_calls[0]))

static void
rows_refused(struct selftest *test)
{
	size_t i;
	int ret;

	for (i = 0; i < WRONG_CALLS_LEN; i++) {
		report_begin(&test->report, WHERE, wrong_calls[i].name, NULL,
			     NULL);
		ret = wrong_calls[i].ask(test);
		if (ret != -wrong_calls[i].err) {
			report_fail(&test->report, ret,
				    "%s is not refused with %s",
				    wrong_calls[i].what,
				    tool_errno_name(wrong_calls[i].err));
			continue;
		}
		report_pass(&test->report, "%s is refused with %s",
			    wrong_calls[i].what,
			    tool_errno_name(wrong_calls[i].err));
	}
}

void
selftest_module(struct selftest *test)
{
	struct selftest_variant variants[SELFTEST_MAX_VARIANTS];
	struct bufalloc_buf *buf;
	size_t i, len;

	report_begin(&test->report, WHERE, "open", NULL, NULL);
	if (test->ctx == NULL) {
		report_fail(&test->report, test->ctx_err, "%s", test->problem);
		return;
	}
	report_pass(&test->report, "%s answers", test->options->path);

	len = selftest_variants(test, variants);
	for (i = 0; i < len && selftest_signal() == 0; i++) {
		/* Without devices auto is one of the others. */
		if (variants[i].heap == BUFALLOC_AUTO) {
			continue;
		}
		buf = row_alloc(test, &variants[i]);
		if (buf == NULL) {
			continue;
		}
		selftest_row_pattern(test, WHERE, &variants[i], buf);
		row_mmap(test, &variants[i], buf);
		bufalloc_buf_destroy(buf);
		if (selftest_is_for_cpu(&variants[i])) {
			row_zeroed(test, &variants[i]);
		}
	}
	if (selftest_signal() != 0) {
		return;
	}
	if ((test->info.heaps >> BUFALLOC_HEAP_CONTIG & 1) != 0) {
		row_limit(test);
	}
	rows_refused(test);
}

int
selftest_count_fds(void)
{
	DIR *dir = opendir("/proc/self/fd");
	int count = 0;

	while (dir != NULL && readdir(dir) != NULL) {
		count++;
	}
	if (dir != NULL) {
		closedir(dir);
	}
	return count;
}

void
selftest_left(struct selftest *test, int fds)
{
	uint64_t used = 0;
	int now;

	report_begin(&test->report, WHERE, "left", NULL, NULL);
	now = selftest_count_fds();
	if (now != fds) {
		report_fail(&test->report, 0,
			    "%d file descriptors more than before", now - fds);
		return;
	}
	if (!contig_used_is(test, test->info.contig_used, &used)) {
		report_fail(&test->report, 0,
			    "%" PRIu64 " contiguous bytes are in use, %" PRIu64
			    " before (or another program allocates just now)",
			    used, test->info.contig_used);
		return;
	}
	report_pass(&test->report, "nothing is left over");
}
