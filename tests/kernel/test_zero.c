// SPDX-License-Identifier: MIT
/*
 * No byte of another owner reaches a new owner. The guest runs with
 * init_on_alloc=0: what is zero here, bufalloc cleared.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <linux/dma-buf.h>

#include "dirty.h"
#include "ktest.h"

/* For the figure, of all rows. */
static uint64_t buffers, stale_bytes;

static void
count_stale(const uint8_t *data, size_t length)
{
	size_t at = first_nonzero(data, length);

	buffers++;
	if (at == length) {
		return;
	}
	stale_bytes += count_nonzero(data, length);
	ktest_note("byte %zu of %zu is 0x%02x", at, length, data[at]);
	CHECK_EQ(at, length);
}

static void
check_zero_with(int node, uint32_t heap, size_t length, uint64_t attributes)
{
	struct bufalloc_buffer_info info;
	int fd = ba_alloc_with(node, heap, length, attributes);
	uint8_t *data;

	/* That heap has no cached memory. */
	if (heap == BUFALLOC_HEAP_RESERVED && attributes == 0) {
		attributes = BUFALLOC_ATTRIBUTE_WRITE_COMBINE;
	}
	info = ba_buffer_info(node, fd);
	CHECK_EQ(info.out_attributes, attributes);
	/* Every byte, to the end of the last page. */
	data = ba_map(fd, info.out_length);
	ba_sync(fd, DMA_BUF_SYNC_START | DMA_BUF_SYNC_RW);
	count_stale(data, info.out_length);
	/* Make it dirty for whoever is next. */
	memset(data, 0x5a, info.out_length);
	ba_sync(fd, DMA_BUF_SYNC_END | DMA_BUF_SYNC_RW);
	munmap(data, info.out_length);
	close(fd);
}

static void
check_zero(int node, uint32_t heap, size_t length)
{
	check_zero_with(node, heap, length, 0);
}

static const size_t lengths[] = {
	1, 4095, 4097, 65536 + 1, (1 << 20) + 1, 3110400, 8294400, 12441600,
};

/* Has anybody set memory aside? */
static bool
has_reserved(int node)
{
	struct bufalloc_info info = { .size = sizeof(info) };

	CHECK_EQ(ioctl(node, BUFALLOC_IOCTL_INFO, &info), 0);
	return (info.out_heaps >> BUFALLOC_HEAP_RESERVED & 1) != 0;
}

static void
reused(uint32_t heap)
{
	int node = ba_open();

	if (heap == BUFALLOC_HEAP_RESERVED && !has_reserved(node)) {
		ktest_skip("nothing was set aside");
	}
	/* The kernel must not do it for us. */
	dirty_memory(1 << 30);
	dirty_regions(node);
	for (int round = 0; round < 3; round++) {
		for (size_t i = 0; i < sizeof(lengths) / sizeof(lengths[0]); i++) {
			check_zero(node, heap, lengths[i]);
		}
	}
	close(node);
}

static void
reused_system(void)
{
	reused(BUFALLOC_HEAP_SYSTEM);
}

static void
reused_contig(void)
{
	reused(BUFALLOC_HEAP_CONTIG);
}

static void
reused_reserved(void)
{
	reused(BUFALLOC_HEAP_RESERVED);
}

/*
 * What was dirty in one heap, with one attribute, comes back from another one with
 * another.
 */
static void
handed_on(void)
{
	static const uint32_t heaps[] = {
		BUFALLOC_HEAP_SYSTEM, BUFALLOC_HEAP_CONTIG,
		BUFALLOC_HEAP_RESERVED,
	};
	static const uint64_t attributes[] = {
		0,
		BUFALLOC_ATTRIBUTE_WRITE_COMBINE,
		BUFALLOC_ATTRIBUTE_UNCACHED,
	};
	const size_t kinds = sizeof(attributes) / sizeof(attributes[0]);
	int node = ba_open();
	const size_t all = (has_reserved(node) ? 3 : 2) * kinds;

	dirty_memory(1 << 30);
	for (size_t i = 0; i < sizeof(lengths) / sizeof(lengths[0]); i++) {
		/* Each after each other one, and after itself. */
		for (size_t pair = 0; pair < all * all; pair++) {
			size_t before = pair / all, after = pair % all;

			check_zero_with(node, heaps[before / kinds], lengths[i],
					attributes[before % kinds]);
			check_zero_with(node, heaps[after / kinds], lengths[i],
					attributes[after % kinds]);
		}
	}
	close(node);
}

/* All that this program looked at. */
static void
figure(void)
{
	ktest_note("%llu buffers", (unsigned long long)buffers);
	CHECK(buffers > 500);
	ktest_figure("stale_bytes_after_reuse", (double)stale_bytes);
	CHECK_EQ(stale_bytes, 0);
}

/* So much that what was just dirty must be in it. */
static void
large_system(void)
{
	int node = ba_open();

	dirty_memory(1 << 30);
	check_zero(node, BUFALLOC_HEAP_SYSTEM, 1 << 30);
	check_zero(node, BUFALLOC_HEAP_SYSTEM, 1 << 30);
	close(node);
}

static void
large_contig(void)
{
	int node = ba_open();

	dirty_memory(1 << 30);
	check_zero(node, BUFALLOC_HEAP_CONTIG, 64 << 20);
	check_zero(node, BUFALLOC_HEAP_CONTIG, 64 << 20);
	close(node);
}

/* The guest is what the file says it is. */
static void
guest_does_not_clear(void)
{
	char line[4096] = "";
	FILE *file = fopen("/proc/cmdline", "re");

	CHECK(file != NULL);
	CHECK(fgets(line, sizeof(line), file) != NULL);
	fclose(file);
	CHECK(strstr(line, "init_on_alloc=0") != NULL);
	CHECK(strstr(line, "init_on_free=1") == NULL);
}

static const struct ktest_row rows[] = {
	{ "guest-does-not-clear-for-us", guest_does_not_clear },
	{ "system-reused-memory-is-zero", reused_system },
	{ "contig-reused-memory-is-zero", reused_contig },
	{ "reserved-reused-memory-is-zero", reused_reserved },
	{ "system-1-gib-is-zero", large_system },
	{ "contig-64-mib-is-zero", large_contig },
	{ "handed-on-between-heaps-and-attributes", handed_on },
	{ "stale-bytes", figure },
};

int
main(void)
{
	return ktest_main(rows, sizeof(rows) / sizeof(rows[0]));
}
