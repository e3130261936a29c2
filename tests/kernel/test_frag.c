// SPDX-License-Identifier: MIT
/*
 * Fragmented memory, made by tests/fragment: contiguous buffers beside those of
 * a CMA region and scattered ones beside those of the dma-heap "system", in the
 * same guest, where its kernel has them; and how long a refusal takes.
 *
 * Each level is a row: 100 buffers of a full-HD picture, some at a time and then
 * all at once, first from CMA, then from contig. What CMA moves or drops makes
 * its own region emptier and the other memory fuller, so the order is in its
 * favour. All at once are more than its region has room for, however empty.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include <linux/dma-buf.h>

#include "edu.h"
#include "fragmenter.h"
#include "ktest.h"
#include "peers.h"

#define FRAME ((uint64_t)8294400)
#define COUNT 100
/* As a camera, a codec and a display hold them; there is room for 32 in CMA. */
#define FEW 24
/* NV12, 3840x2160; as many as a camera takes. */
#define FRAME_4K ((uint64_t)12533760)
#define POOL 8
#define MAX_HELD 240
#define MIB (1 << 20)

/* Where buffers come from: a heap's node of ours, or a dma-heap. */
struct source {
	const char *name;
	int node;
	bool is_ours;
};

/* Of a number of allocations. Times in ms, on the clock. */
struct result {
	unsigned int count, refused;
	double times[COUNT];
	double worst_refusal, worst_refusal_cpu;
};

/* Of all levels, in ms. */
static double worst_refusal;

static double
thread_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
	return (double)now.tv_sec * 1e3 + (double)now.tv_nsec / 1e6;
}

static int
by_value(const void *a, const void *b)
{
	double first = *(const double *)a, second = *(const double *)b;

	return (first > second) - (first < second);
}

/*
 * Allocate one; adds how long it took. A dma-buf, or -1 if it was refused. The
 * clock counts for that, not the CPU time: it is the caller who waits.
 */
static int
take(const struct source *source, uint64_t length, struct result *result)
{
	double cpu = thread_ms(), start = ktest_now(), took;
	int fd = source->is_ours ?
			 ba_try_alloc(source->node, BUFALLOC_HEAP_CONTIG, length) :
			 dma_heap_try_alloc(source->node, length);

	took = (ktest_now() - start) * 1e3;
	cpu = thread_ms() - cpu;
	if (fd >= 0) {
		if (result->count < COUNT) {
			result->times[result->count] = took;
		}
		result->count++;
		return fd;
	}
	CHECK_EQ(errno, ENOMEM);
	if (source->is_ours) {
		CHECK(took <= 1000);
		worst_refusal = took > worst_refusal ? took : worst_refusal;
	}
	result->refused++;
	if (took > result->worst_refusal) {
		result->worst_refusal = took;
	}
	if (cpu > result->worst_refusal_cpu) {
		result->worst_refusal_cpu = cpu;
	}
	return -1;
}

static void
show(const char *what, const struct source *source, struct result *result)
{
	unsigned int timed = result->count < COUNT ? result->count : COUNT;

	qsort(result->times, timed, sizeof(result->times[0]), by_value);
	ktest_note("%s, %s: %u of %u; %.1f ms median, %.1f ms worst; "
		   "refusals at most %.1f ms (%.1f ms of CPU time)",
		   source->name, what, result->count,
		   result->count + result->refused,
		   timed > 0 ? result->times[timed / 2] : 0,
		   timed > 0 ? result->times[timed - 1] : 0,
		   result->worst_refusal, result->worst_refusal_cpu);
}

/* All that is in it, to its end. */
static void
check_zero(int fd)
{
	uint8_t *data = ba_map(fd, FRAME);

	CHECK_EQ(first_nonzero(data, FRAME), FRAME);
	munmap(data, FRAME);
}

/* Allocate COUNT buffers; when there are @held of them, the oldest goes first. */
static struct result
allocate(const struct source *source, unsigned int held)
{
	struct result result = { 0 };
	unsigned int first = 0, end = 0;
	int fds[COUNT];
	char what[32];

	for (int i = 0; i < COUNT; i++) {
		int fd;

		if (end - first == held) {
			close(fds[first++]);
		}
		fd = take(source, FRAME, &result);
		if (fd >= 0) {
			fds[end++] = fd;
		}
	}
	if (source->is_ours) {
		for (unsigned int i = first; i < end; i += 10) {
			check_zero(fds[i]);
			CHECK_EQ(ba_buffer_info(source->node, fds[i]).out_runs,
				 1);
		}
	}
	while (first < end) {
		close(fds[first++]);
	}
	snprintf(what, sizeof(what), "%u at a time", held);
	show(what, source, &result);
	return result;
}

/*
 * Until there are no more, and then some more tries; of long ones, too.
 */
static void
refusals(const struct source *contig)
{
	static const uint64_t lengths[] = { FRAME, 8 * FRAME, 16384, MIB };
	struct result result = { 0 };
	int fds[MAX_HELD], count = 0;

	for (int i = 0; i < MAX_HELD && result.refused == 0; i++) {
		int fd = take(contig, FRAME, &result);

		if (fd >= 0) {
			fds[count++] = fd;
		}
	}
	for (int i = 0; i < 20; i++) {
		int fd = take(contig, lengths[i % 4], &result);

		if (fd >= 0) {
			close(fd);
		}
	}
	while (count > 0) {
		close(fds[--count]);
	}
	show("until refused", contig, &result);
}

/* "mixed" is what figures speak of as fragmented memory, without a suffix. */
static const char *
suffix(const char *level)
{
	static char text[32];

	if (strcmp(level, "mixed") == 0) {
		return "";
	}
	snprintf(text, sizeof(text), "_%s", level);
	return text;
}

static void
figure_of(const char *what, const char *level, double value)
{
	char figure[96];

	snprintf(figure, sizeof(figure), "%s%s", what, suffix(level));
	ktest_figure(figure, value);
}

/*
 * Of some buffers that are there at once: DMA segments, neighbours counted as
 * one, as an importer without an IOMMU gets them, and ms for each. 0 if there
 * is no such heap.
 */
struct segments {
	double mean, ms;
};

static struct segments
count_segments(const struct source *source, int edu)
{
	struct segments segments = { 0 };
	unsigned int sum = 0;
	int fds[POOL];

	if (source->node < 0) {
		return segments;
	}
	for (int i = 0; i < POOL; i++) {
		struct ba_edu_import import;
		double start = ktest_now();

		fds[i] = source->is_ours ?
				 ba_alloc(source->node, BUFALLOC_HEAP_SYSTEM,
					  FRAME_4K) :
				 dma_heap_try_alloc(source->node, FRAME_4K);
		segments.ms += (ktest_now() - start) * 1e3 / POOL;
		CHECK(fds[i] >= 0);
		import = edu_import(edu, fds[i]);
		edu_release(edu);
		CHECK_EQ(import.domain, BA_EDU_NO_DOMAIN);
		CHECK_EQ(import.length, FRAME_4K);
		sum += import.segments;
	}
	for (int i = 0; i < POOL; i++) {
		close(fds[i]);
	}
	segments.mean = (double)sum / POOL;
	return segments;
}

static void
compare_segments(const char *level)
{
	struct source system = { "system", ba_open(), true };
	struct source heap = { "dma-heap system", dma_heap_open_system(), false };
	int edu = edu_open(0, EDU_ANY_SEGMENTS);
	struct segments theirs = count_segments(&heap, edu);
	struct segments ours = count_segments(&system, edu);

	ktest_note("segments of %llu bytes: %.1f of system in %.1f ms, %.1f of "
		   "the dma-heap in %.1f ms", (unsigned long long)FRAME_4K,
		   ours.mean, ours.ms, theirs.mean, theirs.ms);
	close(edu);
	close(system.node);
	if (heap.node >= 0) {
		close(heap.node);
		figure_of("segments_system_12m", level, ours.mean);
		figure_of("segments_dma_heap_12m", level, theirs.mean);
	}
	/* Nothing to be gained in a fresh guest, nor where nothing can move. */
	if (heap.node >= 0 && strcmp(level, "fresh") != 0 &&
	    strcmp(level, "hard") != 0) {
		CHECK(2 * ours.mean <= theirs.mean);
	}
}

/* Of one source: as few at a time as CMA's region has room for, and all at once. */
struct pair {
	struct result few, all;
};

/* Only of guests that both are measured in. */
static void
figures(const char *level, struct pair *ours, struct pair *theirs)
{
	figure_of("contig_success_fragmented_percent", level,
		  100.0 * ours->few.count / COUNT);
	figure_of("cma_success_fragmented_percent", level,
		  100.0 * theirs->few.count / COUNT);
	figure_of("contig_success_at_once_percent", level,
		  100.0 * ours->all.count / COUNT);
	figure_of("cma_success_at_once_percent", level,
		  100.0 * theirs->all.count / COUNT);
	if (ours->few.count > 0 && theirs->few.count > 0) {
		figure_of("contig_ms_fragmented", level,
			  ours->few.times[ours->few.count / 2]);
		figure_of("cma_ms_fragmented", level,
			  theirs->few.times[theirs->few.count / 2]);
	}
	if (theirs->few.refused > 0) {
		figure_of("cma_refusal_ms", level, theirs->few.worst_refusal);
	}
}

static void
compare(const char *level)
{
	struct source contig = { "contig", ba_open(), true };
	struct source cma = { "cma", dma_heap_open_cma(), false };
	unsigned long long limit = ba_get_parameter("contig_limit_bytes");
	struct pair ours = { 0 }, theirs = { 0 };
	struct fragmenter fragmenter;

	ba_set_parameter("contig_limit_bytes", 1ull << 40);
	if (strcmp(level, "fresh") != 0) {
		fragmenter = fragmenter_start(level);
	}
	compare_segments(level);
	if (cma.node >= 0) {
		theirs.few = allocate(&cma, FEW);
	}
	ours.few = allocate(&contig, FEW);
	if (cma.node >= 0) {
		theirs.all = allocate(&cma, COUNT);
	}
	ours.all = allocate(&contig, COUNT);
	refusals(&contig);
	if (strcmp(level, "fresh") != 0) {
		fragmenter_stop(&fragmenter);
	}
	ba_set_parameter("contig_limit_bytes", limit);
	close(contig.node);

	if (cma.node >= 0) {
		close(cma.node);
		figures(level, &ours, &theirs);
	}
	/* Where nothing can be emptied, only a region kept for it helps. */
	if (strcmp(level, "hard") == 0 || strcmp(level, "pinned") == 0) {
		return;
	}
	CHECK_EQ(ours.few.count, COUNT);
	CHECK(ours.few.count >= theirs.few.count);
	CHECK(ours.all.count >= theirs.all.count);
}

static void
fresh(void)
{
	compare("fresh");
}

static void
mild(void)
{
	compare("mild");
}

static void
mixed(void)
{
	compare("mixed");
}

static void
pinned(void)
{
	compare("pinned");
}

static void
hard(void)
{
	compare("hard");
	ktest_figure("contig_refusal_ms", worst_refusal);
}

static const struct ktest_row rows[] = {
	{ "fresh", fresh },
	{ "mixed", mixed },
	{ "pinned", pinned },
	{ "mild", mild },
	{ "hard", hard },
};

/* Each level takes its time: $FRAGMENT_LEVEL has one of them. */
int
main(void)
{
	const size_t count = sizeof(rows) / sizeof(rows[0]);
	const char *level = getenv("FRAGMENT_LEVEL");

	for (size_t i = 0; level != NULL && i < count; i++) {
		if (strcmp(rows[i].name, level) == 0) {
			return ktest_main(&rows[i], 1);
		}
	}
	return ktest_main(rows, count);
}
