// SPDX-License-Identifier: MIT
/*
 * BUFALLOC_ATTRIBUTE_PINNABLE: direct I/O from a disk ($DIRECT_DISK) straight into
 * a buffer, which other buffers refuse; and pages that somebody keeps for longer
 * than the buffer lives.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

#include <linux/dma-buf.h>

#include "edu.h"
#include "ktest.h"
#include "peers.h"
#include "uring.h"

/* NV12 of 1920x1080, in whole pages. */
#define FRAME ((size_t)1920 * 1080 * 3 / 2)
#define LENGTH ((FRAME + 4095) / 4096 * 4096)

static const uint32_t heaps[] = { BUFALLOC_HEAP_SYSTEM, BUFALLOC_HEAP_CONTIG };
#define HEAPS (sizeof(heaps) / sizeof(heaps[0]))

static int
open_disk(int flags)
{
	const char *path = getenv("DIRECT_DISK");
	int disk;

	if (path == NULL) {
		ktest_skip("no disk ($DIRECT_DISK)");
	}
	disk = open(path, O_RDONLY | O_CLOEXEC | flags);
	CHECK(disk >= 0);
	return disk;
}

/* What is on it, read through the page cache. */
static uint8_t *
disk_bytes(void)
{
	uint8_t *bytes = malloc(LENGTH);
	int disk = open_disk(0);

	CHECK(bytes != NULL);
	CHECK_EQ(pread(disk, bytes, LENGTH, 0), LENGTH);
	CHECK(first_nonzero(bytes, 64) < 64);
	close(disk);
	return bytes;
}

/*
 * The guest's clock jumps to the next timer when nothing runs, past what a disk is
 * given to answer: so something runs.
 */
static pid_t
keep_busy(void)
{
	pid_t child = fork();

	if (child == 0) {
		for (volatile int i = 0;; i++) {
		}
	}
	CHECK(child > 0);
	return child;
}

static void
let_rest(pid_t child)
{
	CHECK_EQ(kill(child, SIGKILL), 0);
	CHECK_EQ(waitpid(child, NULL, 0), child);
}

/* pread() of the first bytes of the disk with O_DIRECT. */
static ssize_t
read_direct(void *data, size_t length)
{
	int disk = open_disk(O_DIRECT);
	pid_t busy = keep_busy();
	ssize_t n;
	int error;

	n = pread(disk, data, length, 0);
	error = errno;
	let_rest(busy);
	close(disk);
	errno = error;
	return n;
}

static int
alloc_pinnable(int node, uint32_t heap, uint64_t length)
{
	struct bufalloc_alloc alloc = {
		.size = sizeof(alloc),
		.heap = heap,
		.length = length,
		.fd_flags = O_RDWR | O_CLOEXEC,
		.attributes = BUFALLOC_ATTRIBUTE_PINNABLE,
		.required = BUFALLOC_ATTRIBUTE_PINNABLE,
	};

	CHECK_EQ(ioctl(node, BUFALLOC_IOCTL_ALLOC, &alloc), 0);
	CHECK_EQ(ba_buffer_info(node, alloc.out_fd).out_attributes,
		 BUFALLOC_ATTRIBUTE_PINNABLE);
	return alloc.out_fd;
}

/* The disk writes it, and a device that imports the dma-buf reads it. */
static void
whole_frame(void)
{
	uint8_t *expected = disk_bytes(), *seen = malloc(LENGTH);
	int node = ba_open();

	CHECK(seen != NULL);
	for (size_t i = 0; i < HEAPS; i++) {
		int fd = alloc_pinnable(node, heaps[i], LENGTH);
		uint8_t *data = ba_map(fd, LENGTH);
		int edu = edu_try_open(0, EDU_ANY_SEGMENTS);

		CHECK_EQ(first_nonzero(data, LENGTH), LENGTH);
		/* What the disk does for us is CPU access of ours. */
		ba_sync(fd, DMA_BUF_SYNC_START | DMA_BUF_SYNC_RW);
		CHECK_EQ(read_direct(data, LENGTH), LENGTH);
		CHECK_EQ(memcmp(data, expected, LENGTH), 0);
		ba_sync(fd, DMA_BUF_SYNC_END | DMA_BUF_SYNC_RW);
		if (edu >= 0) {
			edu_import(edu, fd);
			memset(seen, 0, LENGTH);
			edu_read(edu, seen, 0, LENGTH);
			CHECK_EQ(memcmp(seen, expected, LENGTH), 0);
			close(edu);
		} else {
			ktest_note("no device to read it");
		}
		munmap(data, LENGTH);
		close(fd);
	}
	ktest_figure("o_direct_ok", 1);
	free(seen);
	free(expected);
	close(node);
}

/* Page frames without a count are no business of direct I/O. */
static void
others_efault(void)
{
	int node = ba_open(), heap = dma_heap_open_system();

	for (size_t i = 0; i < HEAPS; i++) {
		int fd = ba_alloc(node, heaps[i], LENGTH);
		void *data = ba_map(fd, LENGTH);

		CHECK_ERRNO(EFAULT, read_direct(data, LENGTH));
		munmap(data, LENGTH);
		close(fd);
	}
	if (heap >= 0) {
		int fd = dma_heap_try_alloc(heap, LENGTH);
		void *data = ba_map(fd, LENGTH);

		CHECK_ERRNO(EFAULT, read_direct(data, LENGTH));
		ktest_note("the dma-heap system: EFAULT, too");
		munmap(data, LENGTH);
		close(fd);
		close(heap);
	}
	close(node);
}

/* Not from a mapping that may not be written. */
static void
read_only_efault(void)
{
	int node = ba_open();
	int fd = alloc_pinnable(node, BUFALLOC_HEAP_SYSTEM, LENGTH);
	void *data = mmap(NULL, LENGTH, PROT_READ, MAP_SHARED, fd, 0);

	CHECK(data != MAP_FAILED);
	CHECK_ERRNO(EFAULT, read_direct(data, LENGTH));
	CHECK_EQ(first_nonzero(data, LENGTH), LENGTH);
	munmap(data, LENGTH);
	close(fd);
	close(node);
}

static void
registered_memory(void)
{
	uint8_t *expected = disk_bytes();
	struct uring uring = uring_open();
	int node = ba_open(), disk = open_disk(O_DIRECT), result;
	int fd = alloc_pinnable(node, BUFALLOC_HEAP_SYSTEM, LENGTH);
	uint8_t *data = ba_map(fd, LENGTH);
	pid_t busy;

	if (uring_try_register(&uring, data, LENGTH) != 0) {
		CHECK_EQ(errno, EOPNOTSUPP);
		ktest_skip("this kernel registers no shared memory but a tmpfs's");
	}
	busy = keep_busy();
	uring_read_fixed(&uring, disk, data, LENGTH, 0);
	CHECK_WITHIN_1S(uring_is_done(&uring, &result));
	let_rest(busy);
	CHECK_EQ(result, LENGTH);
	CHECK_EQ(memcmp(data, expected, LENGTH), 0);
	uring_close(&uring);
	munmap(data, LENGTH);
	free(expected);
	close(fd);
	close(disk);
	close(node);
}

/*
 * Buffers that take what was just given back, if anything can; all of 0xaa. What is
 * given back page by page is taken again as single pages first, and no large
 * block has them before the page allocator has put them together. No block fits
 * into 13 pages: each of those buffers is of single ones.
 */
#define OTHERS 260
#define LARGE_OTHERS 4

struct others {
	int fds[OTHERS];
	uint8_t *data[OTHERS];
};

static size_t
length_of_other(int i)
{
	return i < LARGE_OTHERS ? (size_t)32 << 20 : (size_t)13 * 4096;
}

static struct others
take_others(int node)
{
	struct others others;

	/* The small ones first. */
	for (int i = OTHERS - 1; i >= 0; i--) {
		size_t length = length_of_other(i);

		others.fds[i] = ba_alloc(node, BUFALLOC_HEAP_SYSTEM, length);
		others.data[i] = ba_map(others.fds[i], length);
		CHECK_EQ(first_nonzero(others.data[i], length), length);
		memset(others.data[i], 0xaa, length);
	}
	return others;
}

static bool
is_all(const uint8_t *data, size_t length, uint8_t byte)
{
	return length == 0 ||
	       (data[0] == byte && memcmp(data, data + 1, length - 1) == 0);
}

static void
check_and_free(struct others *others)
{
	for (int i = 0; i < OTHERS; i++) {
		size_t length = length_of_other(i);

		CHECK(is_all(others->data[i], length, 0xaa));
		munmap(others->data[i], length);
		close(others->fds[i]);
	}
}

#define PINNED ((size_t)16 * 4096)

/* A read that is under way ends after its buffer has: nobody else's is written. */
static void
pinned_by_uring(uint32_t heap)
{
	int node = ba_open(), buffers = ba_live("buffers");
	int fd = alloc_pinnable(node, heap, LENGTH);
	uint8_t *data = ba_map(fd, LENGTH), bytes[PINNED];
	struct uring uring = uring_open();
	struct others others;
	int ends[2], result;

	CHECK_EQ(pipe(ends), 0);
	if (uring_try_register(&uring, data, PINNED) != 0) {
		CHECK_EQ(errno, EOPNOTSUPP);
		ktest_skip("this kernel registers no shared memory but a tmpfs's");
	}
	uring_read_fixed(&uring, ends[0], data, PINNED / 2, 0);
	munmap(data, LENGTH);
	close(fd);
	CHECK_WITHIN_1S(ba_live("buffers") == buffers);
	others = take_others(node);

	memset(bytes, 0xee, sizeof(bytes));
	CHECK_EQ(write(ends[1], bytes, PINNED / 2), PINNED / 2);
	CHECK_WITHIN_1S(uring_is_done(&uring, &result));
	CHECK_EQ(result, PINNED / 2);
	check_and_free(&others);
	uring_close(&uring);
	close(ends[0]);
	close(ends[1]);
	close(node);
}

static void
pinned_by_uring_system(void)
{
	pinned_by_uring(BUFALLOC_HEAP_SYSTEM);
}

static void
pinned_by_uring_contig(void)
{
	pinned_by_uring(BUFALLOC_HEAP_CONTIG);
}

/* Who has a page in a pipe reads what was there, and nothing of its next owner. */
static void
pinned_by_a_pipe(void)
{
	int node = ba_open(), buffers = ba_live("buffers");
	uint8_t bytes[PINNED];
	struct others others;
	int ends[2];

	for (size_t i = 0; i < HEAPS; i++) {
		int fd = alloc_pinnable(node, heaps[i], LENGTH);
		uint8_t *data = ba_map(fd, LENGTH);
		struct iovec memory = { .iov_base = data, .iov_len = PINNED };

		CHECK_EQ(pipe(ends), 0);
		memset(data, 0xee, LENGTH);
		CHECK_EQ(vmsplice(ends[1], &memory, 1, 0), PINNED);
		munmap(data, LENGTH);
		close(fd);
		CHECK_WITHIN_1S(ba_live("buffers") == buffers);
		others = take_others(node);
		CHECK_EQ(read(ends[0], bytes, PINNED), PINNED);
		CHECK(is_all(bytes, PINNED, 0xee));
		check_and_free(&others);
		close(ends[0]);
		close(ends[1]);
	}
	close(node);
}

/* Given back as a whole and taken again: nothing of the last owner's is left. */
static void
is_zeroed(void)
{
	int node = ba_open();

	for (int round = 0; round < 4; round++) {
		for (size_t i = 0; i < HEAPS; i++) {
			int fd = alloc_pinnable(node, heaps[i], 5 << 20);
			uint8_t *data = ba_map(fd, 5 << 20);

			CHECK_EQ(first_nonzero(data, 5 << 20), 5 << 20);
			memset(data, 0xee, 5 << 20);
			munmap(data, 5 << 20);
			close(fd);
		}
	}
	close(node);
}

/* What was taken out of the mapping comes back, as it was. */
static void
dontneed(void)
{
	int node = ba_open();
	int fd = alloc_pinnable(node, BUFALLOC_HEAP_SYSTEM, LENGTH);
	uint8_t *data = ba_map(fd, LENGTH);

	pattern_fill(data, LENGTH);
	CHECK_EQ(madvise(data, LENGTH, MADV_DONTNEED), 0);
	CHECK_EQ(pattern_mismatch(data, LENGTH), LENGTH);
	CHECK_EQ(madvise(data, LENGTH, MADV_DONTNEED), 0);
	CHECK_EQ(read_direct(data, LENGTH), LENGTH);
	CHECK_ERRNO(EFAULT, (long)mremap(data, LENGTH, LENGTH + 4096,
					 MREMAP_MAYMOVE));
	munmap(data, LENGTH);
	close(fd);
	close(node);
}

static void
contradictions(void)
{
	struct bufalloc_alloc alloc = {
		.size = sizeof(alloc),
		.length = LENGTH,
		.fd_flags = O_RDWR | O_CLOEXEC,
	};
	int node = ba_open();

	alloc.attributes = BUFALLOC_ATTRIBUTE_PINNABLE |
			   BUFALLOC_ATTRIBUTE_NEVER_CPU;
	CHECK_ERRNO(EINVAL, ioctl(node, BUFALLOC_IOCTL_ALLOC, &alloc));
	alloc.attributes = BUFALLOC_ATTRIBUTE_PINNABLE |
			   BUFALLOC_ATTRIBUTE_WRITE_COMBINE;
	CHECK_ERRNO(EINVAL, ioctl(node, BUFALLOC_IOCTL_ALLOC, &alloc));
	alloc.attributes = BUFALLOC_ATTRIBUTE_PINNABLE |
			   BUFALLOC_ATTRIBUTE_UNCACHED;
	CHECK_ERRNO(EINVAL, ioctl(node, BUFALLOC_IOCTL_ALLOC, &alloc));
	close(node);
}

static const struct ktest_row rows[] = {
	{ "whole-frame-from-a-disk-to-a-device", whole_frame },
	{ "other-buffers-efault", others_efault },
	{ "a-read-only-mapping-efault", read_only_efault },
	{ "registered-with-io-uring", registered_memory },
	{ "pinned-by-io-uring-outlives-the-buffer", pinned_by_uring_system },
	{ "pinned-by-io-uring-outlives-contig", pinned_by_uring_contig },
	{ "pinned-by-a-pipe-outlives-the-buffer", pinned_by_a_pipe },
	{ "is-zeroed", is_zeroed },
	{ "dontneed-comes-back", dontneed },
	{ "contradictions-einval", contradictions },
};

int
main(void)
{
	return ktest_main(rows, sizeof(rows) / sizeof(rows[0]));
}
