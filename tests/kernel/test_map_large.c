// SPDX-License-Identifier: MIT
/*
 * User space mappings where large pages can be used (6.12 and later): whether they
 * are, that every byte is in its place whatever becomes of them, and what they
 * cost beside the dma-heap "system".
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/uio.h>
#include <sys/utsname.h>
#include <sys/wait.h>
#include <unistd.h>

#include "ktest.h"
#include "peers.h"

#define LENGTH ((size_t)8 << 20)
#define LARGE BA_LARGE_PAGE
#define PAGE ((size_t)4096)
#define ENABLED "/sys/kernel/mm/transparent_hugepage/enabled"

static bool
has_large(void)
{
	int major = 0, minor = 0;
	struct utsname name;

	CHECK_EQ(uname(&name), 0);
	CHECK_EQ(sscanf(name.release, "%d.%d", &major, &minor), 2);
	return major * 100 + minor >= 612 && access(ENABLED, F_OK) == 0;
}

/* So that each byte is known by where it is in the buffer. */
static void
fill_by_copy(int node, int fd)
{
	uint8_t *bytes = malloc(LENGTH);

	CHECK(bytes != NULL);
	pattern_fill(bytes, LENGTH);
	ba_copy(node, fd, BUFALLOC_COPY_IN, 0, LENGTH, bytes);
	free(bytes);
}

static bool
is_pattern(const uint8_t *data, size_t begin, size_t end)
{
	for (size_t at = begin; at < end; at++) {
		if (data[at] != pattern_byte(at)) {
			return false;
		}
	}
	return true;
}

static void
count(const char *text, void *data)
{
	(void)text;
	++*(unsigned int *)data;
}

static void
are_used(void)
{
	int node = ba_open(), fd;
	unsigned int calls = 0;
	uint8_t *data;

	if (!has_large()) {
		ktest_skip("this kernel maps no large pages without counts");
	}
	fd = ba_alloc(node, BUFALLOC_HEAP_SYSTEM, LENGTH);
	fill_by_copy(node, fd);
	trace_begin("vmf_insert_pfn_pmd", "");
	data = ba_map_at(fd, LENGTH, 0);
	CHECK(is_pattern(data, 0, LENGTH));
	trace_end(count, &calls);
	CHECK_EQ(calls, LENGTH / LARGE);
	munmap(data, LENGTH);
	close(fd);
	close(node);
}

/* At every alignment, and of a part of the buffer. */
static void
every_byte(void)
{
	static const size_t shifts[] = { 0, PAGE, LARGE - PAGE, LARGE / 2 };
	int node = ba_open();

	for (uint32_t heap = BUFALLOC_HEAP_SYSTEM; heap <= BUFALLOC_HEAP_CONTIG; heap++) {
		int fd = ba_alloc(node, heap, LENGTH);

		fill_by_copy(node, fd);
		for (size_t i = 0; i < sizeof(shifts) / sizeof(shifts[0]); i++) {
			uint8_t *data = ba_map_at(fd, LENGTH, shifts[i]);

			CHECK(is_pattern(data, 0, LENGTH));
			munmap(data, LENGTH);
			data = ba_map_at(fd, LENGTH - 3 * PAGE, shifts[i]);
			CHECK(is_pattern(data, 0, LENGTH - 3 * PAGE));
			munmap(data, LENGTH - 3 * PAGE);
		}
		close(fd);
	}
	close(node);
}

/* From an offset on, large pages begin elsewhere. */
static void
from_an_offset(void)
{
	int node = ba_open();
	int fd = ba_alloc(node, BUFALLOC_HEAP_SYSTEM, LENGTH);
	size_t offset = LARGE + 5 * PAGE;
	uint8_t *room, *data;

	fill_by_copy(node, fd);
	room = ba_map_at(fd, LENGTH, 0);
	data = room + 5 * PAGE;
	CHECK(mmap(data, LENGTH - offset, PROT_READ | PROT_WRITE,
		   MAP_SHARED | MAP_FIXED, fd, (off_t)offset) == data);
	CHECK(is_pattern(data - offset, offset, LENGTH));
	munmap(room, LENGTH);
	close(fd);
	close(node);
}

/* A hole in one, another protection for a part of one, and a child's. */
static void
split(void)
{
	int node = ba_open();
	int fd = ba_alloc(node, BUFALLOC_HEAP_SYSTEM, LENGTH), status;
	uint8_t *data = ba_map_at(fd, LENGTH, 0);
	pid_t child;

	fill_by_copy(node, fd);
	CHECK(is_pattern(data, 0, LENGTH));
	CHECK_EQ(munmap(data + LARGE + PAGE, PAGE), 0);
	CHECK_EQ(mprotect(data + 2 * LARGE + PAGE, 3 * PAGE, PROT_READ), 0);
	CHECK(is_pattern(data, 0, LARGE + PAGE));
	CHECK(is_pattern(data, LARGE + 2 * PAGE, LENGTH));
	child = fork();
	if (child == 0) {
		_exit(is_pattern(data, LARGE + 2 * PAGE, LENGTH) ? 0 : 1);
	}
	CHECK_EQ(waitpid(child, &status, 0), child);
	CHECK_EQ(status, 0);
	/* Moved to where none fits. */
	CHECK(mremap(data + 3 * LARGE, LARGE, LARGE, MREMAP_MAYMOVE | MREMAP_FIXED,
		     data + LARGE + 7 * PAGE) == data + LARGE + 7 * PAGE);
	CHECK(is_pattern(data + LARGE + 7 * PAGE - 3 * LARGE, 3 * LARGE,
			 4 * LARGE));
	munmap(data, LENGTH);
	close(fd);
	close(node);
}

static void
write_enabled(const char *value)
{
	int fd = open(ENABLED, O_WRONLY | O_CLOEXEC);

	CHECK(fd >= 0);
	CHECK_EQ(write(fd, value, strlen(value)), strlen(value));
	close(fd);
}

/* Where the system has none at all, all is mapped by small ones. */
static void
switched_off(void)
{
	int node = ba_open();
	int fd = ba_alloc(node, BUFALLOC_HEAP_SYSTEM, LENGTH);
	uint8_t *data;

	if (!has_large()) {
		ktest_skip("this kernel maps no large pages without counts");
	}
	fill_by_copy(node, fd);
	write_enabled("never");
	data = ba_map_at(fd, LENGTH, 0);
	CHECK(is_pattern(data, 0, LENGTH));
	write_enabled("madvise");
	munmap(data, LENGTH);
	close(fd);
	close(node);
}

/* Nobody takes references to the pages by it. */
static void
not_counted(void)
{
	int node = ba_open();
	int fd = ba_alloc(node, BUFALLOC_HEAP_SYSTEM, LENGTH);
	uint8_t *data = ba_map_at(fd, LENGTH, 0);
	int ends[2];

	memset(data, 0xee, LENGTH);
	CHECK_EQ(pipe(ends), 0);
	for (size_t at = 0; at < LENGTH; at += LARGE / 2) {
		struct iovec memory = { .iov_base = data + at, .iov_len = PAGE };

		CHECK_ERRNO(EFAULT, vmsplice(ends[1], &memory, 1, 0));
	}
	close(ends[0]);
	close(ends[1]);
	munmap(data, LENGTH);
	close(fd);
	close(node);
}

#define ROUNDS 41

static int
compare(const void *a, const void *b)
{
	double first = *(const double *)a, second = *(const double *)b;

	return (first > second) - (first < second);
}

static double
median(double *times)
{
	qsort(times, ROUNDS, sizeof(times[0]), compare);
	return times[ROUNDS / 2];
}

static void
touch(uint8_t *data)
{
	for (size_t at = 0; at < LENGTH; at += PAGE) {
		((volatile uint8_t *)data)[at] = 1;
	}
}

/* The kernel flushes all of the TLB rather than so many pages, one by one. */
static void
forget_addresses(void)
{
	void *other = mmap(NULL, 512 * PAGE, PROT_READ | PROT_WRITE,
			   MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);

	CHECK(other != MAP_FAILED);
	munmap(other, 512 * PAGE);
}

/**
 * struct costs - medians, in us
 * @first: to map the buffer and to write to each page of it
 * @again: of that, what it takes to write to each page when all are mapped, but
 *	the processor has to look up each address anew
 */
struct costs {
	double first, again;
};

/*
 * With QEMU's virtual clock (suite "direct") a time is 1 ns for each instruction,
 * of the guest's kernel and ours. With a real one (suite "remap") it is the
 * emulator's time, which is spent mostly on looking up each page of 4 KiB at its
 * first use, however it is mapped: a processor looks up a large page once.
 */
static void
measure(int fd, double *first, double *again)
{
	void *room = mmap(NULL, LENGTH + LARGE, PROT_NONE,
			  MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	uint8_t *data;
	double begin;

	CHECK(room != MAP_FAILED);
	munmap(room, LENGTH + LARGE);
	/* The same address for both, as the library chooses it. */
	data = (uint8_t *)(((uintptr_t)room + LARGE - 1) & ~(LARGE - 1));
	forget_addresses();
	begin = ktest_now();
	CHECK(mmap(data, LENGTH, PROT_READ | PROT_WRITE,
		   MAP_SHARED | MAP_FIXED_NOREPLACE, fd, 0) == data);
	touch(data);
	*first = (ktest_now() - begin) * 1e6;
	forget_addresses();
	begin = ktest_now();
	touch(data);
	*again = (ktest_now() - begin) * 1e6;
	munmap(data, LENGTH);
}

/* Each in turn: what else the machine does then slows down both. */
static void
measure_all(const int *fds, struct costs *costs, int count)
{
	static double first[2][ROUNDS], again[2][ROUNDS];

	for (int round = 0; round < ROUNDS; round++) {
		for (int i = 0; i < count; i++) {
			measure(fds[i], &first[i][round], &again[i][round]);
		}
	}
	for (int i = 0; i < count; i++) {
		costs[i] = (struct costs){ median(first[i]), median(again[i]) };
	}
}

/* The clock that counts instructions says so, to the tests that need to know. */
static bool
counts_instructions(void)
{
	return getenv("CLOCK_COUNTS_INSTRUCTIONS") != NULL;
}

static void
costs(void)
{
	int node = ba_open(), heap = dma_heap_open_system();
	int fds[2] = { ba_alloc(node, BUFALLOC_HEAP_SYSTEM, LENGTH), -1 };
	struct costs us[2];
	double ratio, mapping_ratio;

	if (heap < 0) {
		measure_all(fds, us, 1);
		ktest_note("%.1f us, %.1f us again, and no dma-heap to compare with",
			   us[0].first, us[0].again);
		close(fds[0]);
		close(node);
		return;
	}
	fds[1] = dma_heap_try_alloc(heap, LENGTH);
	CHECK(fds[1] >= 0);
	measure_all(fds, us, 2);
	ratio = us[0].first / us[1].first;
	mapping_ratio = (us[0].first - us[0].again) /
			(us[1].first - us[1].again);
	ktest_note("%.1f us, %.1f us again; dma-heap %.1f us, %.1f us again",
		   us[0].first, us[0].again, us[1].first, us[1].again);
	ktest_note("ratio %.3f, without looking up addresses %.3f", ratio,
		   mapping_ratio);
	if (counts_instructions()) {
		ktest_figure("mmap_touch_us_8m", us[0].first);
		ktest_figure("mmap_touch_us_8m_dma_heap", us[1].first);
		ktest_figure("mmap_touch_ratio_8m", ratio);
		CHECK(ratio <= 0.3);
	} else {
		ktest_figure("mmap_touch_ratio_8m_real_clock", ratio);
		ktest_figure("mmap_ratio_8m_real_clock", mapping_ratio);
	}
	CHECK(mapping_ratio <= 0.3);
	close(fds[1]);
	close(heap);
	close(fds[0]);
	close(node);
}

static const struct ktest_row rows[] = {
	{ "large-pages-are-used", are_used },
	{ "every-byte-in-its-place", every_byte },
	{ "from-an-offset-on", from_an_offset },
	{ "split-moved-and-inherited", split },
	{ "switched-off", switched_off },
	{ "not-counted-efault", not_counted },
	{ "costs-beside-dma-heap", costs },
};

int
main(void)
{
	return ktest_main(rows, sizeof(rows) / sizeof(rows[0]));
}
