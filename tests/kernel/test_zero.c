// SPDX-License-Identifier: MIT
/*
 * No byte of another owner reaches a new owner. The guest runs with
 * init_on_alloc=0: what is zero here, bufalloc cleared.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <linux/dma-buf.h>

#include "ktest.h"

/* Memory that was somebody else's, for the new owner to be given. */
static void
dirty_memory(size_t length)
{
	uint8_t *data = mmap(NULL, length, PROT_READ | PROT_WRITE,
			     MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	CHECK(data != MAP_FAILED);
	memset(data, 0xa5, length);
	munmap(data, length);
}

static void
check_zero(int node, uint32_t heap, size_t length)
{
	struct bufalloc_buffer_info info;
	int fd = ba_alloc(node, heap, length);
	uint8_t *data;
	size_t at;

	info = ba_buffer_info(node, fd);
	/* Every byte, to the end of the last page. */
	data = ba_map(fd, info.out_length);
	ba_sync(fd, DMA_BUF_SYNC_START | DMA_BUF_SYNC_RW);
	at = first_nonzero(data, info.out_length);
	if (at != info.out_length) {
		ktest_note("byte %zu of %zu is 0x%02x", at, length, data[at]);
	}
	CHECK_EQ(at, info.out_length);
	/* Make it dirty for whoever is next. */
	memset(data, 0x5a, info.out_length);
	munmap(data, info.out_length);
	close(fd);
}

static const size_t lengths[] = {
	1, 4095, 4097, 65536 + 1, (1 << 20) + 1, 3110400, 8294400, 12441600,
};

static void
reused(uint32_t heap)
{
	int node = ba_open();

	/* The kernel must not do it for us. */
	dirty_memory(1 << 30);
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
	{ "system-1-gib-is-zero", large_system },
	{ "contig-64-mib-is-zero", large_contig },
};

int
main(void)
{
	return ktest_main(rows, sizeof(rows) / sizeof(rows[0]));
}
