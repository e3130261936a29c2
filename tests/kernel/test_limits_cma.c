// SPDX-License-Identifier: MIT
/*
 * Others use up CMA, the kernel's region for contiguous memory: ours does not need
 * it. And ours uses up what it can get: CMA is not taken from those others.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <linux/videodev2.h>

#include "camera.h"
#include "ktest.h"
#include "peers.h"

static const uint64_t MIB = 1 << 20;

/* "CmaTotal:" and "CmaFree:" of /proc/meminfo, in bytes. */
static unsigned long long
meminfo(const char *name)
{
	FILE *file = fopen("/proc/meminfo", "re");
	unsigned long long kib, found = 0;
	char line[128], key[32];

	CHECK(file != NULL);
	while (fgets(line, sizeof(line), file) != NULL) {
		if (sscanf(line, "%31[^:]: %llu", key, &kib) == 2 &&
		    strcmp(key, name) == 0) {
			found = kib << 10;
		}
	}
	fclose(file);
	return found;
}

#define MAX_PIECES 512

/* Everything that the heap of CMA gives, in pieces of that length: how many. */
static unsigned int
take_cma(int heap, int *fds, uint64_t length)
{
	unsigned int count = 0;

	while (count < MAX_PIECES &&
	       (fds[count] = dma_heap_try_alloc(heap, length)) >= 0) {
		count++;
	}
	CHECK(count < MAX_PIECES);
	return count;
}

static void
close_all(const int *fds, unsigned int count)
{
	while (count-- > 0) {
		close(fds[count]);
	}
}

static int
open_heap(void)
{
	int heap = dma_heap_open_cma();

	if (meminfo("CmaTotal") == 0 || heap < 0) {
		ktest_skip("a kernel without CMA or its dma-heap");
	}
	return heap;
}

/*
 * A camera whose own buffers would come from there captures into one of ours. (To ask
 * it for its own makes the kernel warn: what CMA has not, is tried in one block.)
 */
static void
taken_by_others(void)
{
	int heap = open_heap(), camera = vivid_open(), node = ba_open();
	size_t length = camera_start(camera);
	int fds[MAX_PIECES];
	unsigned int count;
	int fd;

	CHECK(vivid_is_dma_contig());
	/* Down to pieces that no frame fits in. */
	count = take_cma(heap, fds, 8 * MIB);
	CHECK(count >= 16);
	CHECK_ERRNO(ENOMEM, dma_heap_try_alloc(heap, length));

	fd = ba_alloc_for(node, BUFALLOC_HEAP_AUTO, length, &camera, 1, 0).fd;
	CHECK(fd >= 0);
	camera_request(camera, V4L2_MEMORY_DMABUF, 1);
	CHECK_EQ(camera_queue(camera, 0, fd, (uint32_t)length), 0);
	camera_stream(camera, true);
	camera_dequeue(camera, V4L2_MEMORY_DMABUF);
	camera_stream(camera, false);
	camera_request(camera, V4L2_MEMORY_DMABUF, 0);
	close(fd);
	close(ba_alloc(node, BUFALLOC_HEAP_CONTIG, 32 * MIB));
	close(ba_alloc(node, BUFALLOC_HEAP_SYSTEM, 32 * MIB));

	close_all(fds, count);
	close(heap);
	close(camera);
	close(node);
}

/*
 * All that contig gives, by the user's limit lifted: then CMA is still there, whole
 * but for what the kernel had put there before and moves away.
 */
static void
not_taken_by_us(void)
{
	unsigned long long limit = ba_get_parameter("contig_limit_bytes");
	unsigned long long before = meminfo("CmaFree"), during;
	int heap = open_heap(), node = ba_open();
	int ours[MAX_PIECES], theirs[MAX_PIECES];
	unsigned int count = 0, others;
	int error;

	ba_set_parameter("contig_limit_bytes", UINT32_MAX * 16ULL);
	while (count < MAX_PIECES &&
	       (ours[count] = ba_try_alloc(node, BUFALLOC_HEAP_CONTIG,
					   32 * MIB)) >= 0) {
		count++;
	}
	error = errno;
	ba_set_parameter("contig_limit_bytes", limit);
	during = meminfo("CmaFree");
	others = take_cma(heap, theirs, 16 * MIB);
	close_all(theirs, others);
	close_all(ours, count);
	ktest_note("%u pieces of 32 MiB; CmaFree %llu MiB before, %llu during; then "
		   "%u of 16 MiB from CMA",
		   count, (unsigned long long)(before / MIB),
		   (unsigned long long)(during / MIB), others);
	CHECK_EQ(error, ENOMEM);
	CHECK(count >= 8);
	/* What was movable in memory may have gone there, but nothing of ours. */
	CHECK(others * 16 * MIB >= meminfo("CmaTotal") * 3 / 4);
	close(heap);
	close(node);
}

static const struct ktest_row rows[] = {
	{ "taken-by-others-a-camera-gets-a-buffer", taken_by_others },
	{ "all-of-contig-leaves-cma", not_taken_by_us },
};

int
main(void)
{
	return ktest_main(rows, sizeof(rows) / sizeof(rows[0]));
}
