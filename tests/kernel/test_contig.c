// SPDX-License-Identifier: MIT
/*
 * A contiguous buffer is one physical range below 4 GiB. The witness is a probe
 * on the kernel's remap_pfn_range(), which makes the user's mapping: it gets a
 * first page and a size. (/proc/self/pagemap shows nothing of VM_PFNMAP.)
 */
#include <errno.h>
#include <sys/mman.h>
#include <unistd.h>

#include "ktest.h"

static const uint64_t MIB = 1 << 20;

/* What remap_pfn_range() was told while the buffer was mapped. */
struct remap {
	uint64_t first_pfn;
	uint64_t bytes;
};

static void
seen_remap(const char *text, void *data)
{
	struct remap *remap = data;

	if (remap->bytes == 0) {
		remap->first_pfn = trace_value(text, "pfn");
	}
	remap->bytes += trace_value(text, "size");
}

/* Map the buffer. Return the number of physical ranges that it took. */
static unsigned int
count_ranges(int fd, size_t length, struct remap *remap)
{
	unsigned int ranges;

	*remap = (struct remap){ 0 };
	trace_begin("remap_pfn_range", "pfn=$arg3:u64 size=$arg4:u64");
	munmap(ba_map_at(fd, length, 4096), length);
	ranges = trace_end(seen_remap, remap);
	CHECK_EQ(remap->bytes, length);
	return ranges;
}

static void
check_contiguous(int node, size_t length)
{
	int fd = ba_alloc(node, BUFALLOC_HEAP_CONTIG, length);
	struct remap remap;

	CHECK_EQ(count_ranges(fd, length, &remap), 1);
	CHECK(remap.first_pfn != 0);
	CHECK(remap.first_pfn * 4096 + length <= 1ull << 32);
	CHECK_EQ(ba_buffer_info(node, fd).out_runs, 1);
	close(fd);
}

static void
contiguous(void)
{
	static const size_t lengths[] = {
		4096,	 12288,	   1 << 20,	     4 << 20, (4 << 20) + 4096,
		8294400, 12533760, (16 << 20) + 4096, 64 << 20,
	};
	int node = ba_open();

	for (size_t i = 0; i < sizeof(lengths) / sizeof(lengths[0]); i++) {
		check_contiguous(node, lengths[i]);
	}
	close(node);
}

/* Eight full-HD frames at once, as a pipeline wants them. */
static void
eight_frames(void)
{
	int node = ba_open();
	int fds[8];

	for (int i = 0; i < 8; i++) {
		fds[i] = ba_alloc(node, BUFALLOC_HEAP_CONTIG, 8294400);
	}
	for (int i = 0; i < 8; i++) {
		CHECK_EQ(ba_buffer_info(node, fds[i]).out_runs, 1);
		close(fds[i]);
	}
	close(node);
}

/* Again and again: what was freed can be had again. */
static void
again_and_again(void)
{
	int node = ba_open();

	for (int i = 0; i < 20; i++) {
		close(ba_alloc(node, BUFALLOC_HEAP_CONTIG, 64 << 20));
	}
	close(node);
}

static void
largest(void)
{
	unsigned long long limit = ba_get_parameter("contig_limit_bytes");
	uint64_t good = 0;
	int node = ba_open();

	ba_set_parameter("contig_limit_bytes", 1ull << 40);
	for (uint64_t length = 64 * MIB; length <= 4096 * MIB; length *= 2) {
		double start = ktest_now();
		int fd = ba_try_alloc(node, BUFALLOC_HEAP_CONTIG, length);

		if (fd < 0) {
			CHECK_EQ(errno, ENOMEM);
			ktest_note("%llu MiB refused after %.2f s",
				   (unsigned long long)(length / MIB),
				   ktest_now() - start);
			break;
		}
		good = length;
		close(fd);
	}
	ba_set_parameter("contig_limit_bytes", limit);
	ktest_figure("contig_max_bytes", (double)good);
	close(node);
	CHECK(good >= 64 * MIB);
}

/*
 * The control of this file's witness: a scattered buffer has more ranges. Fresh
 * memory may give one range, so memory is taken until it has to come in pieces.
 */
static void
witness_sees_scatter(void)
{
	size_t length = 256 * MIB;
	int node = ba_open();
	int fds[64], count = 0;
	unsigned int ranges;
	struct remap remap;

	do {
		CHECK(count < 64);
		fds[count] = ba_alloc(node, BUFALLOC_HEAP_SYSTEM, length);
	} while (ba_buffer_info(node, fds[count++]).out_runs == 1);
	ranges = count_ranges(fds[count - 1], length, &remap);
	ktest_note("256 MiB from system, number %d: %u ranges", count, ranges);
	CHECK_EQ(ba_buffer_info(node, fds[count - 1]).out_runs, ranges);
	while (count > 0) {
		close(fds[--count]);
	}
	close(node);
}

static const struct ktest_row rows[] = {
	{ "one-range-below-4-gib", contiguous },
	{ "eight-full-hd-frames-at-once", eight_frames },
	{ "64-mib-twenty-times", again_and_again },
	{ "largest", largest },
	{ "the-witness-sees-scattered-memory", witness_sees_scatter },
};

int
main(void)
{
	return ktest_main(rows, sizeof(rows) / sizeof(rows[0]));
}
