// SPDX-License-Identifier: MIT
/*
 * Regions that a devicetree names (tests/vm/reserved.dtso): what CMA has, which the
 * kernel uses until we do, and regions that go while buffers live in them. What
 * no-map regions are like is for test_reserved.c.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <linux/dma-buf.h>

#include "edu.h"
#include "region.h"

#define MIB ((size_t)1 << 20)
#define LENGTH (8 * MIB)
#define NOMAP "bufalloc-nomap"
#define CMA "bufalloc-cma"
#define CMA_REGION "video@130000000"
#define CMA_LENGTH (64 * MIB)

static int node;

/* Only these regions are there. */
static void
begin_with(const char *bound, const char *unbound)
{
	region_bind(bound);
	region_unbind(unbound);
	node = ba_open();
	ba_set_parameter("contig_limit_bytes", 1ULL << 40);
}

static void
begin(void)
{
	begin_with(CMA, NOMAP);
}

/* Pages that CMA says are taken of the region: of order 0, so each counts as 1. */
static unsigned long
cma_used(void)
{
	FILE *file = fopen("/sys/kernel/debug/cma/" CMA_REGION "/used", "re");
	unsigned long pages;
	int found;

	CHECK(file != NULL);
	found = fscanf(file, "%lu", &pages);
	fclose(file);
	CHECK_EQ(found, 1);
	return pages;
}

static void
check_info(int fd, uint64_t attributes)
{
	struct bufalloc_buffer_info info = ba_buffer_info(node, fd);

	CHECK_EQ(info.out_heap, BUFALLOC_HEAP_RESERVED);
	CHECK_EQ(info.out_runs, 1);
	CHECK_EQ(info.out_attributes, attributes);
	CHECK_EQ(info.out_kernel_va, 0);
}

static void
there_it_is(void)
{
	struct bufalloc_info info = { .size = sizeof(info) };
	struct region_line lines[REGION_MAX];

	begin();
	CHECK_EQ(ioctl(node, BUFALLOC_IOCTL_INFO, &info), 0);
	CHECK(info.out_heaps >> BUFALLOC_HEAP_RESERVED & 1);
	CHECK_EQ(region_lines(lines), 1);
	CHECK(strcmp(lines[0].name, CMA_REGION) == 0);
	CHECK(strcmp(lines[0].kind, "cma") == 0);
	CHECK(lines[0].has_pages);
	CHECK_EQ(lines[0].pages, CMA_LENGTH / 4096);
	CHECK_EQ(lines[0].used, 0);
	/* It is the kernel's memory as before. */
	CHECK_EQ(region_read((struct region[REGION_MAX]){ 0 }), 0);
	close(node);
}

/* By the addresses that user space's page tables get, and by CMA's own count. */
static void
pages_are_the_region_s(void)
{
	struct region region = region_of_node(CMA_REGION);
	unsigned long before = cma_used();
	struct region_line lines[REGION_MAX];
	uint64_t address;
	int fd;

	begin();
	fd = ba_alloc(node, BUFALLOC_HEAP_RESERVED, LENGTH);
	CHECK_EQ(cma_used() - before, LENGTH / 4096);
	CHECK_EQ(region_lines(lines), 1);
	CHECK_EQ(lines[0].used, LENGTH / 4096);
	address = ba_address_of(fd, LENGTH);
	CHECK(address >= region.start);
	CHECK(address + LENGTH <= region.start + region.length);
	check_info(fd, 0);
	close(fd);
	CHECK_WITHIN_1S(cma_used() == before);
	close(node);
}

/* All of it, filled, given back and taken again. */
static void
zero(void)
{
	size_t length = CMA_LENGTH, stale = 0;

	begin();
	for (int round = 0; round < 2; round++) {
		int fd = ba_alloc(node, BUFALLOC_HEAP_RESERVED, length);
		uint8_t *data = ba_map(fd, length);

		stale += count_nonzero(data, length);
		memset(data, 0x5a, length);
		munmap(data, length);
		close(fd);
		CHECK_WITHIN_1S(ba_live("buffers") == 0);
	}
	CHECK_EQ(stale, 0);
	close(node);
}

/* User space's view and the kernel's are of the same bytes. */
static void
mapped_and_copied(uint64_t attributes)
{
	static uint8_t bytes[100001];
	uint8_t *data;
	int fd;

	begin();
	fd = ba_alloc_with(node, BUFALLOC_HEAP_RESERVED, LENGTH, attributes);
	check_info(fd, attributes);
	data = ba_map(fd, LENGTH);
	ba_sync(fd, DMA_BUF_SYNC_START | DMA_BUF_SYNC_RW);
	pattern_fill(data + 77777, sizeof(bytes));
	ba_sync(fd, DMA_BUF_SYNC_END | DMA_BUF_SYNC_RW);
	ba_copy(node, fd, 0, 77777, sizeof(bytes), bytes);
	CHECK_EQ(pattern_mismatch(bytes, sizeof(bytes)), sizeof(bytes));
	ba_copy(node, fd, BUFALLOC_COPY_IN, LENGTH - sizeof(bytes), sizeof(bytes), bytes);
	ba_sync(fd, DMA_BUF_SYNC_START | DMA_BUF_SYNC_READ);
	CHECK_EQ(pattern_mismatch(data + LENGTH - sizeof(bytes), sizeof(bytes)),
		 sizeof(bytes));
	ba_sync(fd, DMA_BUF_SYNC_END | DMA_BUF_SYNC_READ);
	munmap(data, LENGTH);
	close(fd);
	close(node);
}

static void
cached(void)
{
	mapped_and_copied(0);
}

static void
write_combined(void)
{
	mapped_and_copied(BUFALLOC_ATTRIBUTE_WRITE_COMBINE);
}

static void
uncached(void)
{
	mapped_and_copied(BUFALLOC_ATTRIBUTE_UNCACHED);
}

/* Between two devices, and between each and the CPU. */
static void
dma_of(int fd, const int *edus, uint8_t *data)
{
	uint8_t bytes[2048];

	for (int i = 0; i < 2; i++) {
		edu_import(edus[i], fd);
	}
	CHECK(edu_spots_match(edus[0], edus[1], LENGTH));
	for (int i = 0; i < 2; i++) {
		pattern_fill(bytes, sizeof(bytes));
		edu_write(edus[i], bytes, 65536, sizeof(bytes));
		ba_sync(fd, DMA_BUF_SYNC_START | DMA_BUF_SYNC_RW);
		CHECK_EQ(pattern_mismatch(data + 65536, sizeof(bytes)),
			 sizeof(bytes));
		memcpy(data + 5000, bytes, sizeof(bytes));
		ba_sync(fd, DMA_BUF_SYNC_END | DMA_BUF_SYNC_RW);
		memset(bytes, 0, sizeof(bytes));
		edu_read(edus[i], bytes, 5000, sizeof(bytes));
		CHECK_EQ(pattern_mismatch(bytes, sizeof(bytes)), sizeof(bytes));
	}
}

static void
release(const int *edus)
{
	for (int i = 0; i < 2; i++) {
		edu_release(edus[i]);
		close(edus[i]);
	}
}

static void
dma(void)
{
	int edus[2] = { edu_open(0, 1), edu_open(1, 1) };
	struct ba_outcome outcome;
	uint8_t *data;

	begin();
	outcome = ba_alloc_for(node, BUFALLOC_HEAP_RESERVED, LENGTH, edus, 2, 0);
	CHECK(outcome.fd >= 0);
	CHECK_EQ(outcome.verdict.out_heap, BUFALLOC_HEAP_RESERVED);
	CHECK_EQ(outcome.verdict.out_attributes, 0);
	for (int i = 0; i < 2; i++) {
		CHECK_EQ(outcome.devices[i].out_proof, BUFALLOC_PROOF_MAPPED);
		CHECK_EQ(outcome.devices[i].out_segments, 1);
	}
	data = ba_map(outcome.fd, LENGTH);
	dma_of(outcome.fd, edus, data);
	/* The devices do not see the caches, which it is in. */
	CHECK(ba_buffer_info(node, outcome.fd).out_syncs > 0);
	release(edus);
	munmap(data, LENGTH);
	close(outcome.fd);
	close(node);
}

/* A device of 32 bits of address ends below the region. */
static void
too_far(void)
{
	int edu = edu_open(2, 1);
	struct ba_outcome outcome;

	begin();
	outcome = ba_alloc_for(node, BUFALLOC_HEAP_RESERVED, LENGTH, &edu, 1, 0);
	CHECK_EQ(outcome.fd, -1);
	CHECK_EQ(outcome.verdict.out_error, -ENOSPC);
	CHECK_EQ(outcome.verdict.out_reason, BUFALLOC_REASON_ADDRESS);
	CHECK_EQ(outcome.verdict.out_device, 0);
	close(node);
	close(edu);
}

/* The DMA API has other memory then, and does not say that it is other. */
static void
all_taken(void)
{
	unsigned long before = cma_used();
	int fds[CMA_LENGTH / LENGTH];
	size_t count = 0;

	begin();
	CHECK_ERRNO(ENOMEM, ba_try_alloc(node, BUFALLOC_HEAP_RESERVED,
					 CMA_LENGTH + 4096));
	while (count < CMA_LENGTH / LENGTH) {
		fds[count++] = ba_alloc(node, BUFALLOC_HEAP_RESERVED, LENGTH);
	}
	CHECK_ERRNO(ENOMEM, ba_try_alloc(node, BUFALLOC_HEAP_RESERVED, LENGTH));
	CHECK_ERRNO(ENOMEM, ba_try_alloc(node, BUFALLOC_HEAP_RESERVED, 65536));
	CHECK_ERRNO(ENOMEM, ba_try_alloc(node, BUFALLOC_HEAP_RESERVED, 1));
	CHECK_EQ(ba_live("reserved_pages"), CMA_LENGTH / 4096);
	while (count-- > 0) {
		close(fds[count]);
	}
	CHECK_WITHIN_1S(cma_used() == before);
	CHECK_EQ(ba_live("reserved_pages"), 0);
	close(node);
}

static void
limited(void)
{
	begin();
	ba_set_parameter("contig_limit_bytes", MIB);
	CHECK_ERRNO(EDQUOT,
		    ba_try_alloc(node, BUFALLOC_HEAP_RESERVED, MIB + 4096));
	close(ba_alloc(node, BUFALLOC_HEAP_RESERVED, MIB));
	close(node);
}

/* What was named last is taken last. */
static void
several_nodes(void)
{
	struct region_line lines[REGION_MAX];
	int fds[5];

	begin_with(NOMAP, CMA);
	region_bind(CMA);
	CHECK_EQ(region_lines(lines), 4);
	for (int i = 0; i < 4; i++) {
		fds[i] = ba_alloc(node, BUFALLOC_HEAP_RESERVED,
				  lines[i].pages * 4096);
		check_info(fds[i], i < 3 ? BUFALLOC_ATTRIBUTE_WRITE_COMBINE : 0);
	}
	CHECK_EQ(region_lines(lines), 4);
	for (int i = 0; i < 4; i++) {
		CHECK_EQ(lines[i].used, lines[i].pages);
		close(fds[i]);
	}
	CHECK_WITHIN_1S(ba_live("buffers") == 0);
	close(node);
}

struct kind {
	const char *node, *other;
	unsigned int regions;
};

static const struct kind nomap_kind = { NOMAP, CMA, 3 };
static const struct kind cma_kind = { CMA, NOMAP, 1 };

static void
check_gone(void)
{
	struct bufalloc_info info = { .size = sizeof(info) };

	CHECK_EQ(ioctl(node, BUFALLOC_IOCTL_INFO, &info), 0);
	CHECK(!(info.out_heaps >> BUFALLOC_HEAP_RESERVED & 1));
	CHECK_ERRNO(EOPNOTSUPP, ba_try_alloc(node, BUFALLOC_HEAP_RESERVED, 1));
}

/* The driver goes: nothing new, what lives stays, and the last one takes it along. */
static void
unbound(const struct kind *kind)
{
	int edus[2] = { edu_open(0, 1), edu_open(1, 1) };
	struct region_line lines[REGION_MAX];
	struct ba_outcome outcome;
	uint8_t *data;

	begin_with(kind->node, kind->other);
	outcome = ba_alloc_for(node, BUFALLOC_HEAP_RESERVED, LENGTH, edus, 2, 0);
	CHECK(outcome.fd >= 0);
	data = ba_map(outcome.fd, LENGTH);
	pattern_fill(data, LENGTH);
	CHECK_EQ(region_lines(lines), kind->regions);

	region_unbind(kind->node);
	check_gone();
	CHECK_EQ(region_lines(lines), 1);
	CHECK(lines[0].leaving);
	CHECK_EQ(lines[0].used, LENGTH / 4096);
	CHECK_EQ(pattern_mismatch(data, LENGTH), LENGTH);
	dma_of(outcome.fd, edus, data);
	release(edus);
	munmap(data, LENGTH);
	close(outcome.fd);
	CHECK_WITHIN_1S(ba_live("buffers") == 0);
	CHECK_EQ(region_lines(lines), 0);
	CHECK_EQ(region_read((struct region[REGION_MAX]){ 0 }), 0);
	close(node);
}

/* It comes back while a buffer of it lives: the same region, with that in use. */
static void
bound_again(const struct kind *kind)
{
	struct region_line lines[REGION_MAX];
	int first, second;

	begin_with(kind->node, kind->other);
	first = ba_alloc(node, BUFALLOC_HEAP_RESERVED, LENGTH);
	region_unbind(kind->node);
	region_bind(kind->node);
	CHECK_EQ(region_lines(lines), kind->regions);
	CHECK(!lines[0].leaving);
	CHECK_EQ(lines[0].used, LENGTH / 4096);
	second = ba_alloc(node, BUFALLOC_HEAP_RESERVED, LENGTH);
	close(first);
	CHECK_WITHIN_1S(ba_live("buffers") == 1);
	region_lines(lines);
	CHECK_EQ(lines[0].used, LENGTH / 4096);
	close(second);
	CHECK_WITHIN_1S(ba_live("buffers") == 0);
	CHECK_EQ(region_lines(lines), kind->regions);
	region_unbind(kind->node);
	CHECK_EQ(region_lines(lines), 0);
	close(node);
}

/* Unused, it goes at once. */
static void
unused(const struct kind *kind)
{
	struct region_line lines[REGION_MAX];

	begin_with(kind->node, kind->other);
	for (int i = 0; i < 20; i++) {
		region_unbind(kind->node);
		CHECK_EQ(region_lines(lines), 0);
		check_gone();
		region_bind(kind->node);
		CHECK_EQ(region_lines(lines), kind->regions);
	}
	close(node);
}

#define EACH_KIND(name)                   \
	static void name##_nomap(void)    \
	{                                 \
		name(&nomap_kind);        \
	}                                 \
	static void name##_cma(void)      \
	{                                 \
		name(&cma_kind);          \
	}

EACH_KIND(unbound)
EACH_KIND(bound_again)
EACH_KIND(unused)

static const struct ktest_row rows[] = {
	{ "cma-info-and-debugfs-name-it", there_it_is },
	{ "cma-pages-are-the-region-s", pages_are_the_region_s },
	{ "cma-reused-memory-is-zero", zero },
	{ "cma-mmap-and-copy", cached },
	{ "cma-write-combined", write_combined },
	{ "cma-uncached", uncached },
	{ "cma-dma", dma },
	{ "cma-out-of-reach-enospc", too_far },
	{ "cma-all-taken-enomem", all_taken },
	{ "cma-limit-edquot", limited },
	{ "several-nodes-in-order", several_nodes },
	{ "nomap-unbound-while-a-buffer-lives", unbound_nomap },
	{ "cma-unbound-while-a-buffer-lives", unbound_cma },
	{ "nomap-bound-again-while-a-buffer-lives", bound_again_nomap },
	{ "cma-bound-again-while-a-buffer-lives", bound_again_cma },
	{ "nomap-unbound-and-bound-20-times", unused_nomap },
	{ "cma-unbound-and-bound-20-times", unused_cma },
};

int
main(void)
{
	return ktest_main(rows, sizeof(rows) / sizeof(rows[0]));
}
