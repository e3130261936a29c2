// SPDX-License-Identifier: MIT
/*
 * SYNC_RANGE moves the bytes that it is asked for and no others. In a guest with
 * swiotlb=force the CPU and the device of ba_importer.c see each other's data
 * only where a sync was done, so that shows in the data; and the kernel's own
 * tracing has the arguments of each call to the DMA API.
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

#include "ktest.h"
#include "modules/ba_importer.h"

#define LENGTH ((size_t)8 << 20)
#define LAST (LENGTH - 1)

static const struct {
	size_t offset, length;
} ranges[] = {
	{ 0, 1 },
	{ 1, 1 },
	{ LAST, 1 },
	{ 0, 4096 },
	{ 4095, 2 },
	{ 12345, 65536 },
	{ 65536, 65536 },
	/* More than any segment of that device, so several runs. */
	{ (1 << 20) - 1, (1 << 20) + 2 },
	{ LENGTH - 4097, 4097 },
	{ 0, LENGTH },
};
#define RANGES (sizeof(ranges) / sizeof(ranges[0]))

struct setup {
	int node, fd, importer;
	uint8_t *data;
};

static struct setup
set_up(void)
{
	struct ba_importer_import import = { .device = 0 };
	struct setup setup = { .node = ba_open() };

	setup.fd = ba_alloc(setup.node, BUFALLOC_HEAP_SYSTEM, LENGTH);
	setup.data = ba_map(setup.fd, LENGTH);
	setup.importer = open("/dev/ba_importer", O_RDWR | O_CLOEXEC);
	if (setup.importer < 0) {
		ktest_skip("ba_importer is not loaded");
	}
	import.fd = setup.fd;
	CHECK_EQ(ioctl(setup.importer, BA_IMPORTER_IMPORT, &import), 0);
	/* Else this file proves nothing. */
	CHECK_EQ(import.bounced, LENGTH);
	return setup;
}

static void
tear_down(struct setup *setup)
{
	close(setup->importer);
	munmap(setup->data, LENGTH);
	close(setup->fd);
	close(setup->node);
}

static void
device_write(struct setup *setup, uint32_t seed)
{
	struct ba_importer_access access = { .seed = seed };

	CHECK_EQ(ioctl(setup->importer, BA_IMPORTER_WRITE, &access), 0);
}

static void
sync_range(struct setup *setup, uint32_t flags, size_t offset, size_t length)
{
	struct bufalloc_sync_range sync = {
		.size = sizeof(sync),
		.flags = flags,
		.fd = setup->fd,
		.offset = offset,
		.length = length,
	};

	CHECK_EQ(ioctl(setup->node, BUFALLOC_IOCTL_SYNC_RANGE, &sync), 0);
}

/* As the device writes it. */
static uint8_t
byte_of(size_t at, uint32_t seed)
{
	return (uint8_t)(at * 31 + seed);
}

static void
cpu_write(struct setup *setup, uint32_t seed)
{
	for (size_t i = 0; i < LENGTH; i++) {
		setup->data[i] = byte_of(i, seed);
	}
}

/* The range has one seed, and all the rest the other. */
static void
check_bytes(struct setup *setup, size_t i, uint32_t inside, uint32_t outside)
{
	for (size_t at = 0; at < LENGTH; at++) {
		bool in = at >= ranges[i].offset &&
			  at - ranges[i].offset < ranges[i].length;

		if (setup->data[at] != byte_of(at, in ? inside : outside)) {
			ktest_fail(__FILE__, __LINE__,
				   "range %zu, %zu bytes: byte %zu is %s",
				   ranges[i].offset, ranges[i].length, at,
				   in ? "not synced" : "synced, too");
		}
	}
}

static void
device_to_cpu(void)
{
	struct setup setup = set_up();

	for (size_t i = 0; i < RANGES; i++) {
		cpu_write(&setup, 1);
		device_write(&setup, 2);
		sync_range(&setup, BUFALLOC_SYNC_START | BUFALLOC_SYNC_READ,
			   ranges[i].offset, ranges[i].length);
		check_bytes(&setup, i, 2, 1);
		sync_range(&setup, BUFALLOC_SYNC_END | BUFALLOC_SYNC_READ,
			   ranges[i].offset, ranges[i].length);
	}
	tear_down(&setup);
}

/* What the device sees then is what a sync of everything brings back. */
static void
cpu_to_device(void)
{
	struct setup setup = set_up();

	for (size_t i = 0; i < RANGES; i++) {
		device_write(&setup, 2);
		sync_range(&setup, BUFALLOC_SYNC_START | BUFALLOC_SYNC_WRITE,
			   ranges[i].offset, ranges[i].length);
		cpu_write(&setup, 1);
		sync_range(&setup, BUFALLOC_SYNC_END | BUFALLOC_SYNC_WRITE,
			   ranges[i].offset, ranges[i].length);
		ba_sync(setup.fd, DMA_BUF_SYNC_START | DMA_BUF_SYNC_READ);
		check_bytes(&setup, i, 1, 2);
		ba_sync(setup.fd, DMA_BUF_SYNC_END | DMA_BUF_SYNC_READ);
	}
	tear_down(&setup);
}

static bool
has_symbol(const char *name)
{
	FILE *file = fopen("/proc/kallsyms", "re");
	char line[256], word[128];
	bool found = false;

	CHECK(file != NULL);
	while (!found && fgets(line, sizeof(line), file) != NULL) {
		found = sscanf(line, "%*s %*c %127s", word) == 1 &&
			strcmp(word, name) == 0;
	}
	fclose(file);
	return found;
}

#define MAX_CALLS 4096

struct calls {
	unsigned int count;
	unsigned long long bytes;
	struct {
		unsigned long long address, size;
	} calls[MAX_CALLS];
};

static void
note_call(const char *text, void *data)
{
	struct calls *calls = data;

	CHECK(calls->count < MAX_CALLS);
	calls->calls[calls->count].address = trace_value(text, "addr");
	calls->calls[calls->count].size = trace_value(text, "size");
	calls->bytes += trace_value(text, "size");
	calls->count++;
}

/* Calls of the DMA API from here on. Since 6.10 the function has underscores. */
static void
watch(bool for_cpu)
{
	const char *name = for_cpu ? "__dma_sync_single_for_cpu"
				   : "__dma_sync_single_for_device";

	trace_begin(has_symbol(name) ? name : name + 2,
		    "addr=$arg2:u64 size=$arg3:u64");
}

static struct calls
watched(void)
{
	struct calls calls = { 0 };

	trace_end(note_call, &calls);
	return calls;
}

/* The bytes that the DMA API is asked for, in both directions. */
static void
bytes_asked_for(void)
{
	struct setup setup = set_up();

	for (size_t i = 0; i < RANGES; i++) {
		struct bufalloc_buffer_info before, after;
		struct calls calls;

		for (int for_cpu = 0; for_cpu <= 1; for_cpu++) {
			before = ba_buffer_info(setup.node, setup.fd);
			watch(for_cpu);
			sync_range(&setup,
				   BUFALLOC_SYNC_READ | BUFALLOC_SYNC_WRITE |
					   (for_cpu ? 0 : BUFALLOC_SYNC_END),
				   ranges[i].offset, ranges[i].length);
			calls = watched();
			after = ba_buffer_info(setup.node, setup.fd);
			CHECK_EQ(calls.bytes, ranges[i].length);
			/* What BUFFER_INFO counts are these calls. */
			CHECK_EQ(after.out_syncs - before.out_syncs, calls.count);
			/* Neighbours are one call each: none is longer than a segment. */
			CHECK(calls.count <= ranges[i].length / 4096 + 2);
		}
	}
	tear_down(&setup);
}

static void
whole_range_is_dma_buf_sync(void)
{
	static const uint32_t flags[] = {
		BUFALLOC_SYNC_READ,
		BUFALLOC_SYNC_WRITE,
		BUFALLOC_SYNC_READ | BUFALLOC_SYNC_WRITE,
		BUFALLOC_SYNC_READ | BUFALLOC_SYNC_END,
		BUFALLOC_SYNC_WRITE | BUFALLOC_SYNC_END,
		BUFALLOC_SYNC_READ | BUFALLOC_SYNC_WRITE | BUFALLOC_SYNC_END,
	};
	static struct calls range, whole;
	struct setup setup = set_up();

	for (size_t i = 0; i < sizeof(flags) / sizeof(flags[0]); i++) {
		bool for_cpu = (flags[i] & BUFALLOC_SYNC_END) == 0;

		watch(for_cpu);
		sync_range(&setup, flags[i], 0, LENGTH);
		range = watched();
		watch(for_cpu);
		ba_sync(setup.fd, flags[i]);
		whole = watched();
		CHECK_EQ(range.bytes, LENGTH);
		CHECK(memcmp(&range, &whole, sizeof(range)) == 0);
	}
	tear_down(&setup);
}

/* One row of a picture of 1920x1080 pixels of 4 bytes. */
static void
figures(void)
{
	const size_t row = 1920 * 4, offset = 500 * row;
	struct setup setup = set_up();
	struct calls calls;

	watch(true);
	sync_range(&setup, BUFALLOC_SYNC_READ, offset, row);
	calls = watched();
	ktest_figure("range_sync_bytes_per_row_asked", (double)row);
	ktest_figure("range_sync_bytes_per_row_done", (double)calls.bytes);
	CHECK_EQ(calls.bytes, row);
	watch(true);
	ba_sync(setup.fd, DMA_BUF_SYNC_START | DMA_BUF_SYNC_READ);
	calls = watched();
	ktest_figure("whole_sync_bytes_done", (double)calls.bytes);
	CHECK_EQ(calls.bytes, LENGTH);
	ba_sync(setup.fd, DMA_BUF_SYNC_END | DMA_BUF_SYNC_READ);
	sync_range(&setup, BUFALLOC_SYNC_READ | BUFALLOC_SYNC_END, offset, row);
	tear_down(&setup);
}

static const struct ktest_row rows[] = {
	{ "range-device-to-cpu", device_to_cpu },
	{ "range-cpu-to-device", cpu_to_device },
	{ "exactly-the-bytes-asked-for", bytes_asked_for },
	{ "whole-range-is-dma-buf-sync", whole_range_is_dma_buf_sync },
	{ "bytes-of-a-row-and-of-all", figures },
};

int
main(void)
{
	return ktest_main(rows, sizeof(rows) / sizeof(rows[0]));
}
