// SPDX-License-Identifier: MIT
/*
 * Real DMA without an IOMMU by devices that do not reach all memory, in a guest
 * that has memory above 4 GiB: ba_edu0 has 28 bits, ba_edu1 32 (and 28 for
 * coherent memory), ba_edu2 all. The device ignores the address bits above its
 * mask, so a buffer out of its reach shows as wrong data.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <linux/dma-buf.h>
#include <linux/kernel-page-flags.h>

#include "edu.h"

#define BITS(n) ((UINT64_C(1) << (n)) - 1)
#define FRAME ((uint64_t)1920 * 1080 * 3 / 2)
#define MIB ((uint64_t)1 << 20)

/* Does what the device wrote arrive where the CPU has the buffer? */
static void
check_memory(int edu, int fd, uint64_t length)
{
	struct ba_edu_import import = edu_import(edu, fd);
	static uint8_t sent[2048], seen[2048];
	uint8_t *data = ba_map(fd, import.length);

	CHECK(edu_spots_match(edu, edu, length));
	pattern_fill(sent, sizeof(sent));
	edu_write(edu, sent, length - sizeof(sent), sizeof(sent));
	ba_sync(fd, DMA_BUF_SYNC_START | DMA_BUF_SYNC_RW);
	CHECK_EQ(memcmp(data + length - sizeof(sent), sent, sizeof(sent)), 0);
	memset(data, 0x5a, sizeof(seen));
	ba_sync(fd, DMA_BUF_SYNC_END | DMA_BUF_SYNC_RW);
	edu_read(edu, seen, 0, sizeof(seen));
	CHECK_EQ(memcmp(data, seen, sizeof(seen)), 0);
	munmap(data, import.length);
	edu_release(edu);
}

static void
device_info(void)
{
	static const struct {
		uint64_t mask, coherent;
		bool bounce;
	} expected[] = {
		{ BITS(28), BITS(28), true },
		{ BITS(32), BITS(28), true },
		{ UINT64_MAX, UINT64_MAX, false },
	};
	int node = ba_open();

	for (unsigned int i = 0; i < 3; i++) {
		int edu = edu_open(i, 1);
		struct bufalloc_device_info info = edu_info(node, edu);

		CHECK_EQ(info.out_dma_mask, expected[i].mask);
		CHECK_EQ(info.out_coherent_mask, expected[i].coherent);
		CHECK_EQ(!!(info.out_flags & BUFALLOC_DEVICE_COULD_BOUNCE),
			 expected[i].bounce);
		CHECK_EQ(info.out_max_segments, 1);
		CHECK_EQ(info.out_iommu, BUFALLOC_IOMMU_NONE);
		CHECK_EQ(info.out_max_segment, UINT32_MAX);
		close(edu);
	}
	close(node);
}

/* It is contig's search that finds memory between the ends of zones. */
static void
reached_by(unsigned int index, unsigned int segments, uint64_t limit,
	   uint32_t heap, uint32_t reason)
{
	int node = ba_open();
	int edu = edu_open(index, segments);
	struct ba_outcome outcome =
		ba_alloc_for(node, BUFALLOC_HEAP_AUTO, FRAME, &edu, 1, 0);

	CHECK(outcome.fd >= 0);
	CHECK_EQ(outcome.verdict.out_heap, heap);
	CHECK_EQ(outcome.verdict.out_reason, reason);
	CHECK_EQ(outcome.verdict.out_limit, limit);
	CHECK_EQ(outcome.verdict.out_limit_device,
		 limit == UINT64_MAX ? BUFALLOC_NO_DEVICE : 0);
	CHECK_EQ(outcome.devices[0].out_proof, BUFALLOC_PROOF_MAPPED);
	check_memory(edu, outcome.fd, FRAME);
	CHECK_EQ(ba_buffer_info(node, outcome.fd).out_bounced, 0);
	close(outcome.fd);
	close(edu);
	close(node);
}

static void
bits_28_any(void)
{
	reached_by(0, EDU_ANY_SEGMENTS, BITS(28), BUFALLOC_HEAP_CONTIG,
		   BUFALLOC_REASON_ADDRESS);
}

static void
bits_28_one(void)
{
	reached_by(0, 1, BITS(28), BUFALLOC_HEAP_CONTIG,
		   BUFALLOC_REASON_ONE_SEGMENT);
}

/* The coherent mask says nothing about what is mapped. */
static void
bits_32_any(void)
{
	reached_by(1, EDU_ANY_SEGMENTS, BITS(32), BUFALLOC_HEAP_SYSTEM,
		   BUFALLOC_REASON_NONE);
}

static void
bits_64_any(void)
{
	reached_by(2, EDU_ANY_SEGMENTS, UINT64_MAX, BUFALLOC_HEAP_SYSTEM,
		   BUFALLOC_REASON_NONE);
}

/*
 * Memory below 4 GiB is for those who need it: not for devices that reach more,
 * but for whoever says nothing.
 */
static void
high_memory_first(void)
{
	static const uint64_t lengths[] = { 4096, MIB, FRAME, 64 * MIB };
	int node = ba_open();
	int all = edu_open(2, 1), half = edu_open(1, 1);

	for (unsigned int i = 0; i < sizeof(lengths) / sizeof(lengths[0]); i++) {
		struct ba_outcome outcome = ba_alloc_for(
			node, BUFALLOC_HEAP_AUTO, lengths[i], &all, 1, 0);
		int fd;

		CHECK(outcome.fd >= 0);
		CHECK_EQ(outcome.verdict.out_heap, BUFALLOC_HEAP_CONTIG);
		CHECK(ba_address_of(outcome.fd, lengths[i]) > BITS(32));
		close(outcome.fd);

		outcome = ba_alloc_for(node, BUFALLOC_HEAP_AUTO, lengths[i],
				       (int[]){ all, half }, 2, 0);
		CHECK(outcome.fd >= 0);
		CHECK(ba_address_of(outcome.fd, lengths[i]) + lengths[i] - 1 <=
		      BITS(32));
		close(outcome.fd);

		fd = ba_alloc(node, BUFALLOC_HEAP_CONTIG, lengths[i]);
		CHECK(ba_address_of(fd, lengths[i]) + lengths[i] - 1 <= BITS(32));
		close(fd);
	}
	close(all);
	close(half);
	close(node);
}

/* When it is used up, memory below 4 GiB does as well. */
static void
then_low_memory(void)
{
	unsigned long long limit = ba_get_parameter("contig_limit_bytes");
	int node = ba_open(), edu = edu_open(2, 1);
	const uint64_t length = 256 * MIB;
	int fds[32], count = 0;
	bool low = false;

	ba_set_parameter("contig_limit_bytes", 1ull << 40);
	while (!low && count < 32) {
		struct ba_outcome outcome = ba_alloc_for(
			node, BUFALLOC_HEAP_AUTO, length, &edu, 1, 0);

		if (outcome.fd < 0) {
			break;
		}
		fds[count++] = outcome.fd;
		low = ba_address_of(outcome.fd, length) <= BITS(32);
	}
	ba_set_parameter("contig_limit_bytes", limit);
	ktest_note("%d MiB above 4 GiB before the first below",
		   (count - low) * 256);
	while (count > 0) {
		close(fds[--count]);
	}
	close(edu);
	close(node);
	CHECK(low);
}

/* The tightest wins, and is named. */
static void
three_devices(void)
{
	int node = ba_open();
	int edus[] = { edu_open(2, EDU_ANY_SEGMENTS),
		       edu_open(1, EDU_ANY_SEGMENTS),
		       edu_open(0, EDU_ANY_SEGMENTS) };
	struct ba_outcome outcome =
		ba_alloc_for(node, BUFALLOC_HEAP_AUTO, FRAME, edus, 3, 0);

	CHECK(outcome.fd >= 0);
	CHECK_EQ(outcome.verdict.out_limit, BITS(28));
	CHECK_EQ(outcome.verdict.out_limit_device, 2);
	CHECK_EQ(outcome.verdict.out_device, 2);
	for (int i = 0; i < 3; i++) {
		edu_import(edus[i], outcome.fd);
	}
	for (int i = 0; i < 3; i++) {
		CHECK(edu_spots_match(edus[i], edus[(i + 1) % 3], FRAME));
	}
	for (int i = 0; i < 3; i++) {
		close(edus[i]);
	}
	close(outcome.fd);
	close(node);
}

/* No free memory helps there: ENOSPC, not ENOMEM. */
static void
too_long(void)
{
	int node = ba_open();
	int edu = edu_open(0, EDU_ANY_SEGMENTS);
	struct ba_outcome outcome = ba_alloc_for(node, BUFALLOC_HEAP_AUTO,
					       256 * MIB + 1, &edu, 1, 0);

	CHECK_EQ(outcome.fd, -1);
	CHECK_EQ(outcome.verdict.out_error, -ENOSPC);
	CHECK_EQ(outcome.verdict.out_reason, BUFALLOC_REASON_ADDRESS);
	CHECK_EQ(outcome.verdict.out_device, 0);
	close(edu);
	close(node);
}

/* Bytes of free memory below an address, as the kernel says of each page. */
static uint64_t
free_below(uint64_t limit)
{
	static uint64_t flags[(256 << 20) / 4096];
	size_t pages = limit / 4096;
	uint64_t count = 0;
	int fd = open("/proc/kpageflags", O_RDONLY | O_CLOEXEC);

	CHECK(fd >= 0);
	CHECK(pages <= sizeof(flags) / sizeof(flags[0]));
	CHECK_EQ(read(fd, flags, pages * 8), pages * 8);
	close(fd);
	for (size_t i = 0; i < pages; i++) {
		count += flags[i] >> KPF_BUDDY & 1;
	}
	return count * 4096;
}

/*
 * As long as 64 MiB are free below 256 MiB the device gets memory; when all is
 * taken it is refused by name. All that was given it reaches, each buffer its
 * own memory.
 */
static void
filled(void)
{
	unsigned long long limit = ba_get_parameter("contig_limit_bytes");
	int node = ba_open();
	int edu = edu_open(0, EDU_ANY_SEGMENTS);
	static uint8_t sent[2048], seen[2048];
	struct ba_outcome outcome;
	int fds[128], count = 0;
	uint64_t total = 0, left;
	double start, took;

	ba_set_parameter("contig_limit_bytes", 1ull << 40);
	for (uint64_t length = 16 * MIB; length >= MIB; length /= 4) {
		for (;;) {
			left = free_below(256 * MIB);
			outcome = ba_alloc_for(node, BUFALLOC_HEAP_AUTO, length,
					    &edu, 1, 0);
			if (outcome.fd < 0 || count == 128) {
				CHECK(left < 64 * MIB);
				break;
			}
			edu_import(edu, outcome.fd);
			memset(sent, 0x10 + count, sizeof(sent));
			edu_write(edu, sent, length - sizeof(sent),
				  sizeof(sent));
			edu_write(edu, sent, 0, sizeof(sent));
			edu_release(edu);
			fds[count++] = outcome.fd;
			total += length;
		}
	}
	ktest_note("%llu MiB below 256 MiB in %d buffers",
		   (unsigned long long)(total / MIB), count);
	CHECK(total >= 64 * MIB);
	CHECK(count < 128);

	start = ktest_now();
	outcome = ba_alloc_for(node, BUFALLOC_HEAP_AUTO, MIB, &edu, 1, 0);
	took = ktest_now() - start;
	ba_set_parameter("contig_limit_bytes", limit);
	CHECK_EQ(outcome.fd, -1);
	CHECK_EQ(outcome.verdict.out_error, -ENOMEM);
	CHECK_EQ(outcome.verdict.out_reason, BUFALLOC_REASON_MEMORY);
	CHECK_EQ(outcome.verdict.out_device, 0);
	CHECK_EQ(outcome.verdict.out_limit_device, 0);
	CHECK_EQ(outcome.verdict.out_limit, BITS(28));
	CHECK(took < 1);

	/* A device that reaches more still gets some. */
	close(edu);
	edu = edu_open(1, EDU_ANY_SEGMENTS);
	outcome = ba_alloc_for(node, BUFALLOC_HEAP_AUTO, FRAME, &edu, 1, 0);
	CHECK(outcome.fd >= 0);
	close(outcome.fd);
	close(edu);

	edu = edu_open(0, EDU_ANY_SEGMENTS);
	for (int i = 0; i < count; i++) {
		struct ba_edu_import import = edu_import(edu, fds[i]);

		memset(sent, 0x10 + i, sizeof(sent));
		edu_read(edu, seen, 0, sizeof(seen));
		CHECK_EQ(memcmp(sent, seen, sizeof(seen)), 0);
		edu_read(edu, seen, import.length - sizeof(seen), sizeof(seen));
		CHECK_EQ(memcmp(sent, seen, sizeof(seen)), 0);
		edu_release(edu);
		close(fds[i]);
	}
	close(edu);
	close(node);
	CHECK_WITHIN_1S(ba_live("buffers") == 0);
	reached_by(0, EDU_ANY_SEGMENTS, BITS(28), BUFALLOC_HEAP_CONTIG,
		   BUFALLOC_REASON_ADDRESS);
}

/*
 * A buffer that was not made for the device: what it does not reach bounces, is
 * counted and has the right bytes. Not so for 28 bits: there the bounce memory
 * is out of reach, too, and the kernel's DMA API warns of that by itself.
 */
static void
not_made_for_it(void)
{
	const uint64_t length = 128 << 10;
	int node = ba_open();
	int edu = edu_open(1, EDU_ANY_SEGMENTS);
	int fd = ba_alloc(node, BUFALLOC_HEAP_SYSTEM, length);

	check_memory(edu, fd, length);
	CHECK_EQ(ba_buffer_info(node, fd).out_bounced, 1);
	close(fd);
	close(edu);
	close(node);
}

/* Refused before anything is tried, by name, and for what. */
static void
never(uint64_t length, const int *fds, uint32_t count, uint32_t reason,
      uint32_t device)
{
	int node = ba_open();
	struct ba_outcome outcome =
		ba_alloc_for(node, BUFALLOC_HEAP_AUTO, length, fds, count, 0);

	CHECK_EQ(outcome.fd, -1);
	CHECK_EQ(outcome.verdict.out_error, -ENOSPC);
	CHECK_EQ(outcome.verdict.out_reason, reason);
	CHECK_EQ(outcome.verdict.out_device, device);
	CHECK_EQ(outcome.verdict.out_with_devices, 0);
	CHECK_EQ(outcome.verdict.out_tried, 0);
	close(node);
}

/* A limit to the one segment is one to the buffer; cut in several there is none. */
static void
limited(unsigned int index, uint64_t limit, uint32_t reason)
{
	int node = ba_open();
	int edus[] = { edu_open(0, 1), edu_open(index, 1) };
	struct ba_outcome outcome =
		ba_alloc_for(node, BUFALLOC_HEAP_AUTO, limit, &edus[1], 1, 0);

	CHECK(outcome.fd >= 0);
	CHECK_EQ(outcome.devices[0].out_segments, 1);
	check_memory(edus[1], outcome.fd, limit);
	close(outcome.fd);
	never(limit + 1, &edus[1], 1, reason, 0);
	never(limit + 1, edus, 2, reason, 1);

	CHECK_EQ(ioctl(edus[1], BA_EDU_MAX_SEGMENTS, EDU_ANY_SEGMENTS), 0);
	outcome = ba_alloc_for(node, BUFALLOC_HEAP_AUTO, FRAME * 2, &edus[1], 1,
			       0);
	CHECK(outcome.fd >= 0);
	check_memory(edus[1], outcome.fd, FRAME * 2);
	close(outcome.fd);
	close(edus[0]);
	close(edus[1]);
	close(node);
}

static void
segment_size(void)
{
	int node = ba_open();
	int edu = edu_open(3, 1);

	CHECK_EQ(edu_info(node, edu).out_max_segment, 4 * MIB);
	limited(3, 4 * MIB, BUFALLOC_REASON_SEGMENT_SIZE);
	close(edu);
	close(node);
}

static void
boundary(void)
{
	int node = ba_open();
	int edu = edu_open(4, 1);

	CHECK_EQ(edu_info(node, edu).out_segment_boundary, 2 * MIB - 1);
	limited(4, 2 * MIB, BUFALLOC_REASON_BOUNDARY);
	close(edu);
	close(node);
}

/* Neither device is asked for too much, both together are. */
static void
together(void)
{
	const uint64_t length = 250 * MIB;
	unsigned long long limit = ba_get_parameter("contig_limit_bytes");
	int node = ba_open();
	int edus[] = { edu_open(2, 1), edu_open(1, EDU_ANY_SEGMENTS),
		       edu_open(0, EDU_ANY_SEGMENTS) };
	struct ba_outcome outcome;

	ba_set_parameter("contig_limit_bytes", 1ull << 40);
	outcome = ba_alloc_for(node, BUFALLOC_HEAP_AUTO, length, edus, 3, 0);
	ba_set_parameter("contig_limit_bytes", limit);
	CHECK_EQ(outcome.fd, -1);
	CHECK_EQ(outcome.verdict.out_error, -ENOMEM);
	CHECK_EQ(outcome.verdict.out_reason, BUFALLOC_REASON_MEMORY);
	CHECK_EQ(outcome.verdict.out_tried, 1 << BUFALLOC_HEAP_CONTIG);
	CHECK_EQ(outcome.verdict.out_device, 2);
	CHECK_EQ(outcome.verdict.out_limit_device, 2);
	CHECK_EQ(outcome.verdict.out_with_devices, 1 << 0);
	for (int i = 0; i < 3; i++) {
		close(edus[i]);
	}
	close(node);
}

/* The third one refuses what the first two were mapped for: nothing is left. */
static void
third_of_three(void)
{
	int node = ba_open();
	int edus[] = { edu_open(2, EDU_ANY_SEGMENTS),
		       edu_open(2, EDU_ANY_SEGMENTS), edu_open(2, 1),
		       edu_open(1, EDU_ANY_SEGMENTS) };
	int refused = 0;

	/* Neighbours may happen to be free: until one is scattered. */
	for (int i = 0; i < 16 && !refused; i++) {
		struct ba_outcome outcome = ba_alloc_for(
			node, BUFALLOC_HEAP_SYSTEM, FRAME * 4, edus, 4, 0);

		if (outcome.fd >= 0) {
			close(outcome.fd);
			continue;
		}
		refused++;
		CHECK_EQ(outcome.verdict.out_error, -ENOSPC);
		CHECK_EQ(outcome.verdict.out_reason, BUFALLOC_REASON_ONE_SEGMENT);
		CHECK_EQ(outcome.verdict.out_device, 2);
		CHECK_EQ(outcome.devices[0].out_proof, BUFALLOC_PROOF_MAPPED);
		CHECK_EQ(outcome.devices[1].out_proof, BUFALLOC_PROOF_MAPPED);
		CHECK_EQ(outcome.devices[2].out_proof, BUFALLOC_PROOF_NONE);
		CHECK_EQ(outcome.devices[2].out_error, -ENOSPC);
		CHECK_EQ(outcome.devices[3].out_proof, BUFALLOC_PROOF_NONE);
		CHECK_EQ(outcome.devices[3].out_error, 0);
		CHECK_EQ(ba_live("buffers"), 0);
		CHECK_EQ(ba_live("mappings"), 0);
		CHECK_EQ(ba_live("tables"), 0);
	}
	CHECK(refused > 0);
	for (int i = 0; i < 4; i++) {
		close(edus[i]);
	}
	close(node);
}

/* The caller insists on a heap that has no such memory, free or not. */
static void
heap_that_cannot(void)
{
	int node = ba_open();
	int edu = edu_open(0, EDU_ANY_SEGMENTS);
	struct ba_outcome outcome =
		ba_alloc_for(node, BUFALLOC_HEAP_SYSTEM, FRAME, &edu, 1, 0);

	CHECK_EQ(outcome.fd, -1);
	CHECK_EQ(outcome.verdict.out_error, -ENOSPC);
	CHECK_EQ(outcome.verdict.out_reason, BUFALLOC_REASON_ADDRESS);
	CHECK_EQ(outcome.verdict.out_device, 0);
	CHECK_EQ(outcome.verdict.out_tried, 1 << BUFALLOC_HEAP_SYSTEM);
	close(edu);
	close(node);
}

static const struct ktest_row rows[] = {
	{ "device-info-says-the-masks", device_info },
	{ "28-bits-any-segments", bits_28_any },
	{ "28-bits-one-segment", bits_28_one },
	{ "32-bits-streaming-28-bits-coherent", bits_32_any },
	{ "64-bits", bits_64_any },
	{ "64-bits-one-segment-above-4-gib", high_memory_first },
	{ "64-bits-one-segment-below-4-gib-at-last", then_low_memory },
	{ "the-tightest-of-three-is-named", three_devices },
	{ "longer-than-the-mask-enospc", too_long },
	{ "filled-below-256-mib-enomem-names-the-device", filled },
	{ "system-for-28-bits-enospc", heap_that_cannot },
	{ "longer-than-the-largest-segment-enospc", segment_size },
	{ "longer-than-the-boundary-enospc", boundary },
	{ "one-reaches-little-the-other-takes-one-segment-both-named",
	  together },
	{ "the-third-of-four-refuses-nothing-is-left", third_of_three },
	{ "import-of-what-was-not-made-for-it", not_made_for_it },
};

int
main(void)
{
	return ktest_main(rows, sizeof(rows) / sizeof(rows[0]));
}
