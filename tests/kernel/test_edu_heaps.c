// SPDX-License-Identifier: MIT
/*
 * A device's DMA into and out of buffers of each heap and attribute, compared byte
 * by byte, and that its cache work is what the attribute says.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <linux/dma-buf.h>

#include "dirty.h"
#include "edu.h"
#include "user.h"

/* Some pages, the last one in part; not a multiple of what moves at once. */
#define LENGTH ((size_t)5 * 4096 + 1000)
/* No block of the page allocator; bounce memory has room for it in one piece. */
#define ONE_RANGE ((size_t)48 * 4096)
#define NEVER_CPU ((uint64_t)BUFALLOC_ATTRIBUTE_NEVER_CPU)
#define WRITE_COMBINE ((uint64_t)BUFALLOC_ATTRIBUTE_WRITE_COMBINE)
#define UNCACHED ((uint64_t)BUFALLOC_ATTRIBUTE_UNCACHED)
#define CONTIGUOUS ((uint64_t)BUFALLOC_ATTRIBUTE_CONTIGUOUS)

static const struct heap {
	uint32_t id;
	const char *name;
} heaps[] = {
	{ BUFALLOC_HEAP_SYSTEM, "system" },
	{ BUFALLOC_HEAP_CONTIG, "contig" },
	{ BUFALLOC_HEAP_RESERVED, "reserved" },
	/* Whose attributes are what its owner's are. */
	{ BUFALLOC_HEAP_USER, "user" },
};

#define HEAPS (sizeof(heaps) / sizeof(heaps[0]))

static const uint64_t attributes[] = { 0, WRITE_COMBINE, UNCACHED };

#define ATTRIBUTES (sizeof(attributes) / sizeof(attributes[0]))

/* Bit (1 << index) for each heap that all attributes were right with. */
static unsigned int verified;

static void
fill(uint8_t *data, unsigned int seed)
{
	for (size_t i = 0; i < LENGTH; i++) {
		data[i] = (uint8_t)(pattern_byte(i) + seed);
	}
}

/* What the CPU wrote, the device reads; what it writes, the CPU reads. */
static void
there_and_back(int edu, int fd)
{
	static uint8_t expected[LENGTH], seen[LENGTH];
	uint8_t *data = ba_map(fd, LENGTH);

	for (unsigned int round = 0; round < 2; round++) {
		fill(expected, 2 * round);
		ba_sync(fd, DMA_BUF_SYNC_START | DMA_BUF_SYNC_WRITE);
		memcpy(data, expected, LENGTH);
		ba_sync(fd, DMA_BUF_SYNC_END | DMA_BUF_SYNC_WRITE);
		edu_read(edu, seen, 0, LENGTH);
		CHECK_EQ(memcmp(seen, expected, LENGTH), 0);

		fill(expected, 2 * round + 1);
		edu_write(edu, expected, 0, LENGTH);
		ba_sync(fd, DMA_BUF_SYNC_START | DMA_BUF_SYNC_READ);
		CHECK_EQ(memcmp(data, expected, LENGTH), 0);
		ba_sync(fd, DMA_BUF_SYNC_END | DMA_BUF_SYNC_READ);
	}
	munmap(data, LENGTH);
}

/* The last thing that a device wrote is there when it is gone. */
static void
after_release(int edu, int fd)
{
	static uint8_t expected[LENGTH];
	uint8_t *data;

	fill(expected, 9);
	edu_write(edu, expected, 0, LENGTH);
	edu_release(edu);
	data = ba_map(fd, LENGTH);
	CHECK_EQ(memcmp(data, expected, LENGTH), 0);
	munmap(data, LENGTH);
}

/* Has this machine any of it? */
static bool
exists(const struct heap *heap, int node)
{
	struct bufalloc_info info = { .size = sizeof(info) };

	CHECK_EQ(ioctl(node, BUFALLOC_IOCTL_INFO, &info), 0);
	return (info.out_heaps >> heap->id & 1) != 0;
}

static void
buffer_by_a_device(int edu, int fd)
{
	edu_import(edu, fd);
	there_and_back(edu, fd);
	after_release(edu, fd);
	close(fd);
}

static void
verify(const struct heap *heap)
{
	int edu = edu_open(0, EDU_ANY_SEGMENTS);
	int node = ba_open();

	if (!exists(heap, node)) {
		ktest_skip("nothing was set aside for the heap %s", heap->name);
	}
	for (size_t i = 0; i < ATTRIBUTES; i++) {
		uint64_t granted = attributes[i];
		int fd = ba_alloc_with(node, heap->id, LENGTH, attributes[i]);

		/* It has no cached memory. */
		if (heap->id == BUFALLOC_HEAP_RESERVED && granted == 0) {
			granted = WRITE_COMBINE;
		}
		CHECK_EQ(ba_buffer_info(node, fd).out_attributes, granted);
		buffer_by_a_device(edu, fd);
	}
	close(node);
	close(edu);
	verified |= 1u << (heap - heaps);
}

static void
system_by_a_device(void)
{
	verify(&heaps[0]);
}

static void
contig_by_a_device(void)
{
	verify(&heaps[1]);
}

static void
reserved_by_a_device(void)
{
	verify(&heaps[2]);
}

static void
user_by_a_device(void)
{
	size_t length = (LENGTH + PAGE - 1) / PAGE * PAGE;
	uint8_t *memory = user_scattered(length);
	int edu = edu_open(0, EDU_ANY_SEGMENTS);
	int node = ba_open();

	buffer_by_a_device(edu, user_import(node, memory, length, 0));
	munmap(memory, length);
	close(node);
	close(edu);
	verified |= 1u << 3;
}

/* Only the device sees it: no byte of another owner, and what it wrote. */
static void
never_cpu_of(const struct heap *heap, int node, int edu, uint64_t attribute)
{
	static uint8_t seen[LENGTH], dirt[LENGTH];
	int fd = ba_alloc_with(node, heap->id, LENGTH, NEVER_CPU | attribute);

	memset(dirt, 0xa5, sizeof(dirt));
	edu_import(edu, fd);
	edu_read(edu, seen, 0, LENGTH);
	CHECK_EQ(first_nonzero(seen, LENGTH), LENGTH);
	edu_write(edu, dirt, 0, LENGTH);
	edu_read(edu, seen, 0, LENGTH);
	CHECK_EQ(memcmp(seen, dirt, LENGTH), 0);
	edu_release(edu);
	close(fd);
}

static void
never_cpu(const struct heap *heap)
{
	int edu = edu_open(0, EDU_ANY_SEGMENTS);
	int node = ba_open();

	if (!exists(heap, node)) {
		ktest_skip("nothing was set aside for the heap %s", heap->name);
	}
	dirty_memory((size_t)1 << 30);
	dirty_regions(node);
	/* The second time after what a device wrote. */
	for (int round = 0; round < 2; round++) {
		for (size_t i = 0; i < ATTRIBUTES; i++) {
			never_cpu_of(heap, node, edu, attributes[i]);
		}
	}
	close(node);
	close(edu);
}

static void
system_never_cpu(void)
{
	never_cpu(&heaps[0]);
}

static void
contig_never_cpu(void)
{
	never_cpu(&heaps[1]);
}

static void
reserved_never_cpu(void)
{
	never_cpu(&heaps[2]);
}

/* It has one segment, because the caller said so and not the device. */
static void
contiguous(void)
{
	int edu = edu_open(0, EDU_ANY_SEGMENTS);
	int node = ba_open();

	for (size_t i = 0; i < ATTRIBUTES; i++) {
		int fd = ba_alloc_with(node, BUFALLOC_HEAP_AUTO, ONE_RANGE,
				       CONTIGUOUS | attributes[i]);

		CHECK_EQ(ba_buffer_info(node, fd).out_heap,
			 BUFALLOC_HEAP_CONTIG);
		CHECK_EQ(edu_import(edu, fd).segments, 1);
		CHECK(edu_spots_match(edu, edu, ONE_RANGE));
		edu_release(edu);
		close(fd);
	}
	close(node);
	close(edu);
}

/* Calls that work on the caches, while a device comes and the CPU accesses. */
static unsigned int
cache_work(int edu, int node, uint64_t attribute)
{
	static const char *const functions[] = { "arch_sync_dma_for_device",
						 "arch_sync_dma_for_cpu" };
	int fd = ba_alloc_with(node, BUFALLOC_HEAP_SYSTEM, LENGTH, attribute);
	uint8_t *data = ba_map(fd, LENGTH);
	unsigned int calls;

	trace_begin_all(functions, 2, "");
	edu_import(edu, fd);
	ba_sync(fd, DMA_BUF_SYNC_START | DMA_BUF_SYNC_RW);
	data[0] = 1;
	ba_sync(fd, DMA_BUF_SYNC_END | DMA_BUF_SYNC_RW);
	edu_release(edu);
	calls = trace_end(NULL, NULL);
	munmap(data, LENGTH);
	close(fd);
	return calls;
}

static void
no_cache_work(void)
{
	int edu = edu_open(0, EDU_ANY_SEGMENTS);
	int node = ba_open();

	if (!trace_has("arch_sync_dma_for_device")) {
		ktest_skip("this processor's caches need no work");
	}
	if (edu_info(node, edu).out_flags & BUFALLOC_DEVICE_COHERENT) {
		ktest_skip("the device is cache coherent");
	}
	CHECK(cache_work(edu, node, 0) > 0);
	CHECK_EQ(cache_work(edu, node, WRITE_COMBINE), 0);
	CHECK_EQ(cache_work(edu, node, UNCACHED), 0);
	close(node);
	close(edu);
}

/*
 * It sees the caches, through which the linear map may show something else: at its
 * import, at both ends of a CPU access and at its release they are put in order.
 */
static void
coherent_device(void)
{
	int edu = edu_open(0, EDU_ANY_SEGMENTS);
	int node = ba_open();

	if (!trace_has("arch_sync_dma_for_device")) {
		ktest_skip("the linear map is of the buffer's type");
	}
	if (!(edu_info(node, edu).out_flags & BUFALLOC_DEVICE_COHERENT)) {
		ktest_skip("the device is not cache coherent");
	}
	CHECK_EQ(cache_work(edu, node, 0), 0);
	CHECK(cache_work(edu, node, WRITE_COMBINE) >= 4);
	CHECK(cache_work(edu, node, UNCACHED) >= 4);
	close(node);
	close(edu);
}

/* Nobody else has a figure of that name: the guest is told who prints it. */
static void
figure(void)
{
	char names[64] = "";
	int node = ba_open();

	for (size_t i = 0; i < HEAPS; i++) {
		if ((verified >> i & 1) != 0) {
			strcat(names, *names == '\0' ? "" : ",");
			strcat(names, heaps[i].name);
		}
	}
	CHECK_EQ(verified | !exists(&heaps[2], node) << 2, (1u << HEAPS) - 1);
	close(node);
	ktest_note("DMA verified: %s", names);
	if (getenv("EDU_HEAPS_FIGURE") != NULL) {
		ktest_figure_list("heaps_dma_verified", names);
	}
}

static const struct ktest_row rows[] = {
	{ "system-by-a-device", system_by_a_device },
	{ "contig-by-a-device", contig_by_a_device },
	{ "reserved-by-a-device", reserved_by_a_device },
	{ "user-by-a-device", user_by_a_device },
	{ "system-never-cpu-is-zero-for-a-device", system_never_cpu },
	{ "contig-never-cpu-is-zero-for-a-device", contig_never_cpu },
	{ "reserved-never-cpu-is-zero-for-a-device", reserved_never_cpu },
	{ "contiguous-is-one-segment", contiguous },
	{ "uncached-costs-no-cache-work", no_cache_work },
	{ "coherent-device-beside-a-cached-linear-map", coherent_device },
	{ "heaps-verified", figure },
};

int
main(void)
{
	return ktest_main(rows, sizeof(rows) / sizeof(rows[0]));
}
