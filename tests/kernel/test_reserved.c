// SPDX-License-Identifier: MIT
/*
 * The heap "reserved": memory that the kernel was told to leave alone, with and
 * without struct pages. The guest has three regions (guest.sh): small ones inside
 * sections of memory, which have struct pages, and one that is a whole section, which
 * has none.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <linux/dma-buf.h>

#include "camera.h"
#include "edu.h"
#include "region.h"

#define MIB ((size_t)1 << 20)
/* Of the regions, in the order in which they are taken from. */
#define WITH_PAGES (32 * MIB)
#define WITHOUT_PAGES (128 * MIB)
#define LOW (16 * MIB)
#define LENGTH (8 * MIB)

/*
 * The devices of the guest; all but the first are outside the IOMMU. The third
 * reaches no region but the third.
 */
enum { EDU_INSIDE, EDU_OUTSIDE, EDU_NEAR, EDU_24_BITS };

enum kind { PAGES, NO_PAGES };

static int node;

/* Nobody is limited here, but where that is what it is about. */
static void
begin(void)
{
	node = ba_open();
	ba_set_parameter("contig_limit_bytes", 1ULL << 40);
	/* A region of another kind is for test_devicetree.c. */
	if (region_has_node("bufalloc-cma")) {
		region_unbind("bufalloc-cma");
		region_bind("bufalloc-nomap");
	}
}

/* A buffer of the one kind of memory: the other is taken as long as that lasts. */
static int
alloc_kind(enum kind kind, size_t length)
{
	int other = -1, fd;

	if (kind == NO_PAGES) {
		other = ba_alloc(node, BUFALLOC_HEAP_RESERVED, WITH_PAGES);
	}
	fd = ba_alloc(node, BUFALLOC_HEAP_RESERVED, length);
	if (other >= 0) {
		close(other);
	}
	return fd;
}

static void
check_info(int fd, size_t length)
{
	struct bufalloc_buffer_info info = ba_buffer_info(node, fd);

	CHECK_EQ(info.out_heap, BUFALLOC_HEAP_RESERVED);
	CHECK_EQ(info.out_length, length);
	CHECK_EQ(info.out_runs, 1);
	/* So it is whether it was asked for or not. */
	CHECK_EQ(info.out_attributes, BUFALLOC_ATTRIBUTE_WRITE_COMBINE);
	CHECK_EQ(info.out_kernel_va, 0);
	CHECK_EQ(info.out_kernel_maps, 0);
	CHECK_EQ(info.out_syncs, 0);
}

static void
there_it_is(void)
{
	struct bufalloc_info info = { .size = sizeof(info) };
	struct region regions[REGION_MAX];

	begin();
	CHECK_EQ(ioctl(node, BUFALLOC_IOCTL_INFO, &info), 0);
	CHECK(info.out_heaps >> BUFALLOC_HEAP_RESERVED & 1);
	CHECK_EQ(region_read(regions), 3);
	CHECK_EQ(regions[0].length, LOW);
	CHECK_EQ(regions[1].length + regions[2].length,
		 WITHOUT_PAGES + WITH_PAGES);
	close(node);
}

/* The guest is what this file says: by the region's line in debugfs. */
static void
kinds_are_what_they_are(void)
{
	struct region_line lines[REGION_MAX];

	begin();
	for (int kind = PAGES; kind <= NO_PAGES; kind++) {
		int fd = alloc_kind(kind, LENGTH);
		unsigned int count = region_lines(lines);
		unsigned long found = 0;

		for (unsigned int i = 0; i < count; i++) {
			if (lines[i].used > 0) {
				CHECK_EQ(lines[i].has_pages, kind == PAGES);
				found += lines[i].used;
			}
		}
		CHECK_EQ(found, LENGTH / 4096);
		check_info(fd, LENGTH);
		close(fd);
	}
	close(node);
}

/* All of a region, filled, freed and taken again. */
static void
zero(enum kind kind)
{
	size_t length = kind == PAGES ? WITH_PAGES : WITHOUT_PAGES;
	size_t stale = 0;

	begin();
	for (int round = 0; round < 2; round++) {
		int fd = ba_alloc(node, BUFALLOC_HEAP_RESERVED, length);
		uint8_t *data = ba_map(fd, length);

		stale += count_nonzero(data, length);
		memset(data, 0x5a, length);
		munmap(data, length);
		close(fd);
	}
	CHECK_EQ(stale, 0);
	close(node);
}

static void
mapped(enum kind kind)
{
	uint8_t *data, *other;
	int fd;

	begin();
	fd = alloc_kind(kind, LENGTH);
	data = ba_map(fd, LENGTH);
	other = ba_map(fd, LENGTH);
	ba_sync(fd, DMA_BUF_SYNC_START | DMA_BUF_SYNC_RW);
	pattern_fill(data, LENGTH);
	ba_sync(fd, DMA_BUF_SYNC_END | DMA_BUF_SYNC_RW);
	CHECK_EQ(pattern_mismatch(other, LENGTH), LENGTH);
	check_info(fd, LENGTH);
	munmap(data, LENGTH);
	munmap(other, LENGTH);
	close(fd);
	close(node);
}

/* Within a page, over the end of a view, over several, and to the last byte. */
static const struct {
	size_t offset, length;
} parts[] = {
	{ 1, 1 },		{ 4095, 2 },	  { 65535, 2 },
	{ 65537, 65536 },	{ 200001, 300007 }, { LENGTH - 70001, 70001 },
	{ LENGTH - 1, 1 },
};

static void
copied(enum kind kind)
{
	uint8_t *expected = calloc(1, LENGTH), *seen = malloc(LENGTH), *data;
	int fd;

	CHECK(expected != NULL && seen != NULL);
	begin();
	fd = alloc_kind(kind, LENGTH);
	for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++) {
		size_t offset = parts[i].offset, length = parts[i].length;

		pattern_fill(expected + offset, length);
		ba_copy(node, fd, BUFALLOC_COPY_IN, offset, length, expected + offset);
		memset(seen, 0, length);
		ba_copy(node, fd, 0, offset, length, seen);
		CHECK(memcmp(seen, expected + offset, length) == 0);
	}
	/* And nothing beside it. */
	data = ba_map(fd, LENGTH);
	CHECK(memcmp(data, expected, LENGTH) == 0);
	ba_copy(node, fd, 0, 0, LENGTH, seen);
	CHECK(memcmp(seen, expected, LENGTH) == 0);
	munmap(data, LENGTH);
	check_info(fd, LENGTH);
	close(fd);
	close(node);
	free(seen);
	free(expected);
}

/* What is left of the kernel's mappings after each use of it: nothing. */
static unsigned long left;

static void
check_no_alias(void)
{
	unsigned long pages = region_aliases();

	left += pages;
	CHECK_EQ(pages, 0);
}

static void
aliases(enum kind kind)
{
	uint8_t bytes[5000];
	int fd;

	region_need_walk();
	begin();
	check_no_alias();
	fd = alloc_kind(kind, LENGTH);
	check_no_alias();
	pattern_fill(bytes, sizeof(bytes));
	ba_copy(node, fd, BUFALLOC_COPY_IN, 65000, sizeof(bytes), bytes);
	check_no_alias();
	ba_copy(node, fd, 0, 65000, sizeof(bytes), bytes);
	check_no_alias();
	close(fd);
	CHECK_WITHIN_1S(ba_live("buffers") == 0);
	check_no_alias();
	close(node);
}

/* The walk sees what there is: the linear map of ordinary memory. */
static void
walk_sees(void)
{
	int fd;
	uint64_t address;

	region_need_walk();
	begin();
	fd = ba_alloc(node, BUFALLOC_HEAP_CONTIG, 64 << 10);
	address = ba_address_of(fd, 64 << 10);
	CHECK_EQ(region_aliases_of(address, 64 << 10), 16);
	close(fd);
	close(node);
}

/* Where all are outside, one of them is enough. */
static bool
has_iommu(void)
{
	int edu = edu_open(EDU_INSIDE, 1);
	struct ba_edu_import import;
	int fd;

	begin();
	fd = ba_alloc(node, BUFALLOC_HEAP_SYSTEM, 4096);
	import = edu_import(edu, fd);
	edu_release(edu);
	close(fd);
	close(node);
	close(edu);
	return import.domain != BA_EDU_NO_DOMAIN;
}

static void
dma(enum kind kind, unsigned int writer, unsigned int reader)
{
	int edus[2] = { -1, -1 };
	unsigned int count = writer == reader ? 1 : 2;
	struct ba_outcome outcome;
	int other = -1;
	uint8_t *data, bytes[2048];

	if (reader == EDU_INSIDE && !has_iommu()) {
		ktest_skip("no IOMMU");
	}
	edus[0] = edu_open(writer, 1);
	edus[1] = count == 1 ? edus[0] : edu_open(reader, 1);
	begin();
	if (kind == NO_PAGES) {
		other = ba_alloc(node, BUFALLOC_HEAP_RESERVED, WITH_PAGES);
	}
	outcome = ba_alloc_for(node, BUFALLOC_HEAP_RESERVED, LENGTH, edus,
			       count, 0);
	CHECK(outcome.fd >= 0);
	CHECK_EQ(outcome.verdict.out_heap, BUFALLOC_HEAP_RESERVED);
	CHECK_EQ(outcome.verdict.out_reason, BUFALLOC_REASON_CALLER);
	CHECK_EQ(outcome.devices[0].out_proof, BUFALLOC_PROOF_MAPPED);
	CHECK_EQ(outcome.devices[0].out_segments, 1);
	CHECK_EQ(edu_import(edus[0], outcome.fd).segments, 1);
	if (count == 2) {
		edu_import(edus[1], outcome.fd);
	}
	CHECK(edu_spots_match(edus[0], edus[1], LENGTH));

	/* Between the device and the CPU, and no cache work for it. */
	data = ba_map(outcome.fd, LENGTH);
	pattern_fill(bytes, sizeof(bytes));
	edu_write(edus[0], bytes, 65536, sizeof(bytes));
	ba_sync(outcome.fd, DMA_BUF_SYNC_START | DMA_BUF_SYNC_RW);
	CHECK_EQ(pattern_mismatch(data + 65536, sizeof(bytes)), sizeof(bytes));
	memcpy(data + 5000, bytes, sizeof(bytes));
	ba_sync(outcome.fd, DMA_BUF_SYNC_END | DMA_BUF_SYNC_RW);
	memset(bytes, 0, sizeof(bytes));
	edu_read(edus[0], bytes, 5000, sizeof(bytes));
	CHECK_EQ(pattern_mismatch(bytes, sizeof(bytes)), sizeof(bytes));
	check_info(outcome.fd, LENGTH);
	CHECK_EQ(ba_buffer_info(node, outcome.fd).out_mappings, count);
	munmap(data, LENGTH);
	check_no_alias();

	for (unsigned int i = 0; i < count; i++) {
		edu_release(edus[i]);
		close(edus[i]);
	}
	close(outcome.fd);
	if (other >= 0) {
		close(other);
	}
	close(node);
}

/* None of the regions is where that device reaches. */
static void
too_far(void)
{
	int edu = edu_open(EDU_24_BITS, EDU_ANY_SEGMENTS);
	struct ba_edu_import import;
	struct ba_outcome outcome;
	int fd;

	begin();
	outcome = ba_alloc_for(node, BUFALLOC_HEAP_RESERVED, LENGTH, &edu, 1, 0);
	CHECK_EQ(outcome.fd, -1);
	CHECK_EQ(outcome.verdict.out_error, -ENOSPC);
	CHECK_EQ(outcome.verdict.out_reason, BUFALLOC_REASON_ADDRESS);
	CHECK_EQ(outcome.verdict.out_device, 0);
	/* A plain import must not be copied: the kernel cannot. */
	for (int kind = PAGES; kind <= NO_PAGES; kind++) {
		fd = alloc_kind(kind, 64 << 10);
		CHECK_ERRNO(ERANGE, edu_try_import(edu, fd, &import));
		CHECK_EQ(ba_buffer_info(node, fd).out_mappings, 0);
		CHECK_EQ(ba_buffer_info(node, fd).out_bounced, 0);
		close(fd);
	}
	close(node);
	close(edu);
}

/* Of three regions, the one that a device reaches. */
static void
near_enough(void)
{
	int edu = edu_open(EDU_NEAR, 1);
	struct ba_outcome outcome;

	begin();
	outcome = ba_alloc_for(node, BUFALLOC_HEAP_RESERVED, LOW, &edu, 1, 0);
	CHECK(outcome.fd >= 0);
	edu_import(edu, outcome.fd);
	CHECK(edu_spots_match(edu, edu, LOW));
	/* There is no more of that. */
	CHECK_EQ(ba_alloc_for(node, BUFALLOC_HEAP_RESERVED, 4096, &edu, 1, 0)
			 .verdict.out_error,
		 -ENOMEM);
	edu_release(edu);
	close(outcome.fd);
	close(node);
	close(edu);
}

/* The camera's driver writes through a kernel mapping, as long as it streams. */
static void
camera(enum kind kind)
{
	struct bufalloc_buffer_info info;
	int camera = vivid_open();
	size_t length = camera_start(camera);
	size_t whole = (length + 4095) & ~(size_t)4095;
	unsigned long during;
	uint8_t *data;
	int fd;

	begin();
	fd = alloc_kind(kind, length);
	camera_request(camera, V4L2_MEMORY_DMABUF, 1);
	CHECK_EQ(camera_queue(camera, 0, fd, (uint32_t)length), 0);
	info = ba_buffer_info(node, fd);
	CHECK_EQ(info.out_kernel_maps, 1);
	CHECK_EQ(info.out_kernel_va, whole);
	during = region_aliases();
	camera_stream(camera, true);
	camera_dequeue(camera, V4L2_MEMORY_DMABUF);
	camera_stream(camera, false);
	camera_request(camera, V4L2_MEMORY_DMABUF, 0);
	if (region_can_walk()) {
		CHECK_EQ(during, whole / 4096);
	}
	check_info(fd, whole);
	check_no_alias();

	data = ba_map(fd, length);
	CHECK(first_nonzero(data, length) < length);
	CHECK(memcmp(data, data + 1000 * 4, 4) != 0);
	munmap(data, length);
	close(fd);
	close(node);
	close(camera);
}

static void
all_taken(void)
{
	int fds[3];

	begin();
	CHECK_ERRNO(ENOMEM, ba_try_alloc(node, BUFALLOC_HEAP_RESERVED,
					 WITHOUT_PAGES + 4096));
	fds[0] = ba_alloc(node, BUFALLOC_HEAP_RESERVED, WITHOUT_PAGES);
	fds[1] = ba_alloc(node, BUFALLOC_HEAP_RESERVED, WITH_PAGES);
	fds[2] = ba_alloc(node, BUFALLOC_HEAP_RESERVED, LOW);
	CHECK_ERRNO(ENOMEM, ba_try_alloc(node, BUFALLOC_HEAP_RESERVED, 1));
	/* What is freed in between is taken again. */
	close(fds[1]);
	CHECK_WITHIN_1S(ba_live("buffers") == 2);
	fds[1] = ba_alloc(node, BUFALLOC_HEAP_RESERVED, WITH_PAGES);
	for (int i = 0; i < 3; i++) {
		close(fds[i]);
	}
	close(node);
}

static void
limited(void)
{
	int fd;

	begin();
	ba_set_parameter("contig_limit_bytes", 3 * MIB);
	fd = ba_alloc(node, BUFALLOC_HEAP_RESERVED, 2 * MIB);
	CHECK_ERRNO(EDQUOT,
		    ba_try_alloc(node, BUFALLOC_HEAP_RESERVED, MIB + 4096));
	CHECK_ERRNO(EDQUOT,
		    ba_try_alloc(node, BUFALLOC_HEAP_CONTIG, MIB + 4096));
	close(fd);
	CHECK_WITHIN_1S(ba_live("buffers") == 0);
	close(ba_alloc(node, BUFALLOC_HEAP_RESERVED, 3 * MIB));
	close(node);
}

/* It is somebody's, so nobody gets it who did not ask, ... */
static void
not_unasked(void)
{
	int edu = edu_open(EDU_OUTSIDE, 1);
	struct ba_outcome outcome;

	begin();
	outcome = ba_alloc_for(node, BUFALLOC_HEAP_AUTO, LENGTH, &edu, 1, 0);
	CHECK(outcome.fd >= 0);
	CHECK_EQ(outcome.verdict.out_heap, BUFALLOC_HEAP_CONTIG);
	close(outcome.fd);
	close(node);
	close(edu);
}

/* ... as long as there is any other memory that the device can use. */
static void
as_the_last_resort(void)
{
	int edu = edu_open(EDU_NEAR, 1);
	struct ba_outcome outcome;
	int fds[256], count = 0;

	begin();
	do {
		outcome = ba_alloc_for(node, BUFALLOC_HEAP_CONTIG, LENGTH, &edu,
				       1, 0);
		fds[count++] = outcome.fd;
	} while (outcome.fd >= 0 && count < 256);
	CHECK_EQ(outcome.verdict.out_error, -ENOMEM);

	outcome = ba_alloc_for(node, BUFALLOC_HEAP_AUTO, LENGTH, &edu, 1, 0);
	CHECK(outcome.fd >= 0);
	CHECK_EQ(outcome.verdict.out_heap, BUFALLOC_HEAP_RESERVED);
	CHECK_EQ(outcome.verdict.out_reason, BUFALLOC_REASON_MEMORY);
	CHECK_EQ(outcome.verdict.out_device, 0);
	CHECK_EQ(outcome.verdict.out_tried, 1U << BUFALLOC_HEAP_CONTIG |
						    1U << BUFALLOC_HEAP_RESERVED);
	close(outcome.fd);
	while (count-- > 0) {
		if (fds[count] >= 0) {
			close(fds[count]);
		}
	}
	close(node);
	close(edu);
}

static void
never_cpu(void)
{
	uint64_t byte = 0;
	struct bufalloc_copy arg = {
		.size = sizeof(arg),
		.length = 1,
		.address = (uintptr_t)&byte,
	};
	int fd;

	begin();
	fd = ba_alloc_with(node, BUFALLOC_HEAP_RESERVED, LENGTH,
			   BUFALLOC_ATTRIBUTE_NEVER_CPU);
	arg.fd = fd;
	CHECK(mmap(NULL, LENGTH, PROT_READ, MAP_SHARED, fd, 0) == MAP_FAILED);
	CHECK_EQ(errno, EACCES);
	CHECK_ERRNO(EACCES, ioctl(node, BUFALLOC_IOCTL_COPY, &arg));
	close(fd);
	close(node);
}

/* The kernel's views agree with user space's, or x86 would refuse one of them. */
static void
uncached(void)
{
	uint8_t seen[70000], *data;
	int fd;

	begin();
	fd = ba_alloc_with(node, BUFALLOC_HEAP_RESERVED, LENGTH,
			   BUFALLOC_ATTRIBUTE_UNCACHED);
	CHECK_EQ(ba_buffer_info(node, fd).out_attributes,
		 BUFALLOC_ATTRIBUTE_UNCACHED);
	data = ba_map(fd, LENGTH);
	pattern_fill(data + 100, sizeof(seen));
	ba_copy(node, fd, 0, 100, sizeof(seen), seen);
	CHECK_EQ(pattern_mismatch(seen, sizeof(seen)), sizeof(seen));
	ba_copy(node, fd, BUFALLOC_COPY_IN, 200001, sizeof(seen), seen);
	CHECK_EQ(pattern_mismatch(data + 200001, sizeof(seen)), sizeof(seen));
	munmap(data, LENGTH);
	check_no_alias();
	close(fd);
	close(node);
}

/* Not the last: the module stays as long as one of them lives. */
static void
fork_keeps_it(void)
{
	uint8_t *data;
	pid_t child;
	int status, fd;

	begin();
	fd = alloc_kind(NO_PAGES, LENGTH);
	data = ba_map(fd, LENGTH);
	close(fd);
	close(node);
	child = fork();
	if (child == 0) {
		data[LENGTH - 1] = 7;
		_exit(0);
	}
	CHECK_EQ(waitpid(child, &status, 0), child);
	CHECK_EQ(status, 0);
	CHECK_EQ(data[LENGTH - 1], 7);
	CHECK_ERRNO(EWOULDBLOCK, ba_unload());
	munmap(data, LENGTH);
}

/* Its pages are not free when their last user puts them: nobody may count. */
static void
pinnable(void)
{
	struct bufalloc_alloc alloc = {
		.size = sizeof(alloc),
		.length = LENGTH,
		.heap = BUFALLOC_HEAP_RESERVED,
		.fd_flags = O_RDWR | O_CLOEXEC,
		.attributes = BUFALLOC_ATTRIBUTE_PINNABLE,
	};

	begin();
	CHECK_ERRNO(ENOSPC, ioctl(node, BUFALLOC_IOCTL_ALLOC, &alloc));
	alloc.required = BUFALLOC_ATTRIBUTE_PINNABLE;
	CHECK_ERRNO(ENOSPC, ioctl(node, BUFALLOC_IOCTL_ALLOC, &alloc));
	close(node);
}

static void
figure(void)
{
	region_need_walk();
	ktest_figure("nomap_aliases_left", (double)left);
	CHECK_EQ(left, 0);
}

#define EACH_KIND(name)                        \
	static void name##_pages(void)         \
	{                                      \
		name(PAGES);                   \
	}                                      \
	static void name##_no_pages(void)      \
	{                                      \
		name(NO_PAGES);                \
	}

EACH_KIND(zero)
EACH_KIND(mapped)
EACH_KIND(copied)
EACH_KIND(aliases)
EACH_KIND(camera)

#define EACH_DMA(name, writer, reader)         \
	static void name##_pages(void)         \
	{                                      \
		dma(PAGES, writer, reader);    \
	}                                      \
	static void name##_no_pages(void)      \
	{                                      \
		dma(NO_PAGES, writer, reader); \
	}

EACH_DMA(inside, EDU_INSIDE, EDU_INSIDE)
EACH_DMA(outside, EDU_OUTSIDE, EDU_OUTSIDE)
EACH_DMA(between, EDU_INSIDE, EDU_OUTSIDE)

static const struct ktest_row rows[] = {
	{ "info-and-iomem-name-it", there_it_is },
	{ "with-and-without-struct-pages", kinds_are_what_they_are },
	{ "pages-reused-memory-is-zero", zero_pages },
	{ "no-pages-reused-memory-is-zero", zero_no_pages },
	{ "pages-mmap", mapped_pages },
	{ "no-pages-mmap", mapped_no_pages },
	{ "pages-copy-in-and-out", copied_pages },
	{ "no-pages-copy-in-and-out", copied_no_pages },
	{ "the-walk-sees-the-linear-map", walk_sees },
	{ "pages-no-alias-after-zeroing-and-copy", aliases_pages },
	{ "no-pages-no-alias-after-zeroing-and-copy", aliases_no_pages },
	{ "pages-dma-behind-the-iommu", inside_pages },
	{ "no-pages-dma-behind-the-iommu", inside_no_pages },
	{ "pages-dma-without-an-iommu", outside_pages },
	{ "no-pages-dma-without-an-iommu", outside_no_pages },
	{ "pages-dma-from-one-to-the-other", between_pages },
	{ "no-pages-dma-from-one-to-the-other", between_no_pages },
	{ "out-of-reach-enospc-and-erange", too_far },
	{ "the-region-that-a-device-reaches", near_enough },
	{ "pages-camera-by-vmap", camera_pages },
	{ "no-pages-camera-by-vmap", camera_no_pages },
	{ "all-taken-enomem", all_taken },
	{ "limit-edquot", limited },
	{ "auto-takes-other-memory", not_unasked },
	{ "auto-takes-it-when-nothing-else-is-left", as_the_last_resort },
	{ "never-cpu-eacces", never_cpu },
	{ "uncached-is-uncached-for-all", uncached },
	{ "pinnable-enospc", pinnable },
	{ "a-mapping-keeps-it-over-fork-and-rmmod", fork_keeps_it },
	{ "no-alias-was-left", figure },
};

int
main(void)
{
	return ktest_main(rows, sizeof(rows) / sizeof(rows[0]));
}
