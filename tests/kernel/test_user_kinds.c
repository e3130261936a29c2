// SPDX-License-Identifier: MIT
/*
 * Memory that can be imported: of each kind, what is written on one side is seen
 * on the other.
 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <linux/dma-buf.h>

#include "user.h"

#define LENGTH (PAGE * 300)
#define HUGE ((size_t)2 << 20)

/* It is the memory itself: both ways, and first byte to last. */
static struct bufalloc_buffer_info
same_memory(void *memory, size_t length)
{
	struct bufalloc_buffer_info info;
	long long pins = user_pins();
	int node = ba_open();
	uint8_t *user = memory, *data;
	int fd;

	pattern_fill(user, length);
	fd = user_import(node, user, length, 0);
	CHECK_EQ(user_pins(), pins + (long long)(length / PAGE));
	CHECK_EQ(ba_live("pinned_pages"), length / PAGE);
	info = ba_buffer_info(node, fd);
	CHECK_EQ(info.out_heap, BUFALLOC_HEAP_USER);
	CHECK_EQ(info.out_length, length);
	CHECK_EQ(lseek(fd, 0, SEEK_END), length);

	data = ba_map(fd, length);
	ba_sync(fd, DMA_BUF_SYNC_START | DMA_BUF_SYNC_RW);
	CHECK_EQ(pattern_mismatch(data, length), length);
	data[0] = user[1] = 0xa5;
	data[length - 1] = user[length - 2] = 0x5a;
	CHECK_EQ(user[0], 0xa5);
	CHECK_EQ(data[1], 0xa5);
	CHECK_EQ(user[length - 1], 0x5a);
	CHECK_EQ(data[length - 2], 0x5a);
	ba_sync(fd, DMA_BUF_SYNC_END | DMA_BUF_SYNC_RW);

	munmap(data, length);
	close(fd);
	close(node);
	CHECK_WITHIN_1S(user_pins() == pins);
	return info;
}

static void
anonymous(void)
{
	void *memory = user_anonymous(LENGTH, MAP_PRIVATE);

	same_memory(memory, LENGTH);
	munmap(memory, LENGTH);
}

/* What has no page yet gets one. */
static void
untouched(void)
{
	void *memory = user_anonymous(LENGTH, MAP_PRIVATE);
	int node = ba_open();
	int fd = user_import(node, memory, LENGTH, 0);
	uint8_t *data = ba_map(fd, LENGTH);

	CHECK_EQ(first_nonzero(data, LENGTH), LENGTH);
	pattern_fill(memory, LENGTH);
	CHECK_EQ(pattern_mismatch(data, LENGTH), LENGTH);
	munmap(data, LENGTH);
	munmap(memory, LENGTH);
	close(fd);
	close(node);
}

static void
shared_anonymous(void)
{
	void *memory = user_anonymous(LENGTH, MAP_SHARED);

	same_memory(memory, LENGTH);
	munmap(memory, LENGTH);
}

static void
memfd(void)
{
	int file = user_memfd(LENGTH + 2 * PAGE, 0);
	void *memory = mmap(NULL, LENGTH, PROT_READ | PROT_WRITE, MAP_SHARED,
			    file, PAGE);
	uint8_t byte = 0;

	CHECK(memory != MAP_FAILED);
	same_memory(memory, LENGTH);
	CHECK_EQ(pread(file, &byte, 1, PAGE), 1);
	CHECK_EQ(byte, 0xa5);
	munmap(memory, LENGTH);
	close(file);
}

/* The copy is imported, the file stays. */
static void
private_file(void)
{
	int file = user_memfd(LENGTH, 0);
	void *memory = mmap(NULL, LENGTH, PROT_READ | PROT_WRITE, MAP_PRIVATE,
			    file, 0);
	uint8_t byte = 1;

	CHECK(memory != MAP_FAILED);
	same_memory(memory, LENGTH);
	CHECK_EQ(pread(file, &byte, 1, 0), 1);
	CHECK_EQ(byte, 0);
	munmap(memory, LENGTH);
	close(file);
}

/* Neighbours are one run: a huge page is. */
static void
huge_pages(int flags, int file)
{
	struct bufalloc_buffer_info info;
	uint8_t *memory = mmap(NULL, 2 * HUGE, PROT_READ | PROT_WRITE, flags,
			       file, 0);

	if (memory == MAP_FAILED) {
		ktest_skip("no huge pages: %s", ktest_errno_name());
	}
	info = same_memory(memory, HUGE);
	CHECK_EQ(info.out_runs, 1);
	info = same_memory(memory, 2 * HUGE);
	CHECK(info.out_runs <= 2);
	/* A part of one page, and of two. */
	info = same_memory(memory + PAGE, 5 * PAGE);
	CHECK_EQ(info.out_runs, 1);
	info = same_memory(memory + HUGE - 3 * PAGE, 7 * PAGE);
	CHECK(info.out_runs <= 2);
	munmap(memory, 2 * HUGE);
}

static void
huge_private(void)
{
	huge_pages(MAP_PRIVATE | MAP_ANONYMOUS | MAP_HUGETLB, -1);
}

static void
huge_memfd(void)
{
	int file = user_memfd(2 * HUGE, MFD_HUGETLB);

	huge_pages(MAP_SHARED, file);
	close(file);
}

static void
transparent_huge_page(void)
{
	uint8_t *memory = user_anonymous(2 * HUGE, MAP_PRIVATE);
	uint8_t *aligned = memory + (-(uintptr_t)memory & (HUGE - 1));

	if (madvise(memory, 2 * HUGE, MADV_HUGEPAGE) != 0) {
		ktest_skip("no transparent huge pages: %s", ktest_errno_name());
	}
	memset(memory, 1, 2 * HUGE);
	CHECK_EQ(same_memory(aligned, HUGE).out_runs, 1);
	same_memory(aligned + 3 * PAGE, 100 * PAGE);
	munmap(memory, 2 * HUGE);
}

/* Several mappings of several kinds, one behind the other. */
static void
mixture(void)
{
	uint8_t *memory = user_anonymous(LENGTH, MAP_PRIVATE);
	int file = user_memfd(LENGTH, 0);

	CHECK(mmap(memory + 10 * PAGE, 20 * PAGE, PROT_READ | PROT_WRITE,
		   MAP_SHARED | MAP_FIXED, file, 3 * PAGE) != MAP_FAILED);
	CHECK(mmap(memory + 40 * PAGE, PAGE, PROT_READ | PROT_WRITE,
		   MAP_PRIVATE | MAP_FIXED, file, 0) != MAP_FAILED);
	CHECK(mmap(memory + 50 * PAGE, 5 * PAGE, PROT_READ | PROT_WRITE,
		   MAP_SHARED | MAP_ANONYMOUS | MAP_FIXED, -1, 0) != MAP_FAILED);
	same_memory(memory, LENGTH);
	/* Some pages of it, alone. */
	same_memory(memory + 9 * PAGE, 2 * PAGE);
	same_memory(memory + 40 * PAGE, PAGE);
	munmap(memory, LENGTH);
	close(file);
}

/* The same page twice in a range, and in two buffers. */
static void
same_page_twice(void)
{
	uint8_t *memory = user_anonymous(2 * PAGE, MAP_PRIVATE);
	int file = user_memfd(PAGE, 0);
	int node = ba_open();
	int fds[2];
	uint8_t *data;

	CHECK(mmap(memory, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_FIXED,
		   file, 0) != MAP_FAILED);
	CHECK(mmap(memory + PAGE, PAGE, PROT_READ | PROT_WRITE,
		   MAP_SHARED | MAP_FIXED, file, 0) != MAP_FAILED);
	for (int i = 0; i < 2; i++) {
		fds[i] = user_import(node, memory, 2 * PAGE, 0);
		CHECK_EQ(ba_buffer_info(node, fds[i]).out_runs, 2);
	}
	data = ba_map(fds[0], 2 * PAGE);
	memory[0] = 77;
	CHECK_EQ(data[PAGE], 77);
	close(fds[0]);
	munmap(data, 2 * PAGE);
	data = ba_map(fds[1], 2 * PAGE);
	CHECK_EQ(data[PAGE], 77);
	munmap(data, 2 * PAGE);
	munmap(memory, 2 * PAGE);
	close(fds[1]);
	close(file);
	close(node);
}

/* Scattered memory is mapped for the kernel by vmalloc space, and let go. */
static void
dry_run(void)
{
	void *memory = user_anonymous(LENGTH, MAP_PRIVATE);
	struct bufalloc_import_user import =
		user_request(memory, LENGTH, BUFALLOC_IMPORT_DRY_RUN);
	long long pins = user_pins();
	int node = ba_open();

	CHECK_EQ(ioctl(node, BUFALLOC_IOCTL_IMPORT_USER, &import), 0);
	CHECK_EQ(import.out_fd, -1);
	CHECK_EQ(user_pins(), pins);
	munmap(memory, LENGTH);
	close(node);
}

static const struct ktest_row rows[] = {
	{ "anonymous", anonymous },
	{ "untouched", untouched },
	{ "shared-anonymous", shared_anonymous },
	{ "memfd", memfd },
	{ "private-mapping-of-a-file", private_file },
	{ "huge-pages-are-one-run-each", huge_private },
	{ "huge-memfd-is-one-run-a-page", huge_memfd },
	{ "transparent-huge-page-is-one-run", transparent_huge_page },
	{ "a-mixture", mixture },
	{ "the-same-page-twice", same_page_twice },
	{ "dry-run-pins-nothing", dry_run },
};

int
main(void)
{
	return ktest_main(rows, sizeof(rows) / sizeof(rows[0]));
}
