// SPDX-License-Identifier: MIT
/*
 * An IOMMU maps our buffers with its large pages. The witness is a probe on what
 * the IOMMU's driver is told to map: a number of pages of a size.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "edu.h"

/* NV12, 3840x2160. */
#define FRAME_4K ((uint64_t)12533760)
#define LARGE ((uint64_t)2 << 20)

/* All have the arguments (domain, iova, paddr, pgsize, pgcount, ...). */
static const char *const drivers[] = {
	"intel_iommu_map_pages", "viommu_map_pages", "arm_smmu_map_pages",
};

static bool
has_function(const char *name)
{
	FILE *file = fopen("/proc/kallsyms", "re");
	char line[512], symbol[128];
	bool found = false;

	CHECK(file != NULL);
	while (!found && fgets(line, sizeof(line), file) != NULL) {
		found = sscanf(line, "%*s %*s %127s", symbol) == 1 &&
			strcmp(symbol, name) == 0;
	}
	fclose(file);
	return found;
}

/* Bytes that were mapped, in pages of any size and in large ones. */
struct mapped {
	uint64_t all, large;
};

static void
seen_map(const char *text, void *data)
{
	uint64_t page = trace_value(text, "pgsize");
	uint64_t bytes = page * trace_value(text, "pgcount");
	struct mapped *mapped = data;

	mapped->all += bytes;
	mapped->large += page >= LARGE ? bytes : 0;
}

static struct mapped
watch_import(int edu, int fd)
{
	struct mapped mapped = { 0 };
	const char *functions[3];
	unsigned int count = 0;

	for (unsigned int i = 0; i < 3; i++) {
		if (has_function(drivers[i])) {
			functions[count++] = drivers[i];
		}
	}
	if (count == 0) {
		ktest_skip("no driver of an IOMMU that this test knows");
	}
	trace_begin_all(functions, count, "pgsize=$arg4:u64 pgcount=$arg5:u64");
	edu_import(edu, fd);
	trace_end(seen_map, &mapped);
	edu_release(edu);
	return mapped;
}

/* A device behind the IOMMU; the row is skipped without. */
static int
open_inside(int node)
{
	for (unsigned int i = 0; i < EDU_MAX; i++) {
		int edu = edu_try_open(i, EDU_ANY_SEGMENTS);

		if (edu < 0) {
			continue;
		}
		if (edu_info(node, edu).out_iommu == BUFALLOC_IOMMU_DMA) {
			return edu;
		}
		close(edu);
	}
	ktest_skip("no device behind an IOMMU");
}

static struct mapped
mapped_from(int node, int edu, uint32_t heap, uint64_t length)
{
	int fd = ba_alloc(node, heap, length);
	struct mapped mapped = watch_import(edu, fd);

	close(fd);
	CHECK_EQ(mapped.all, (length + 4095) / 4096 * 4096);
	return mapped;
}

static void
check_large(uint32_t heap, uint64_t length, uint64_t large)
{
	int node = ba_open();
	int edu = open_inside(node);
	struct mapped mapped = mapped_from(node, edu, heap, length);

	close(edu);
	close(node);
	ktest_note("%llu of %llu bytes in pages of 2 MiB or more",
		   (unsigned long long)mapped.large,
		   (unsigned long long)mapped.all);
	CHECK_EQ(mapped.large, large);
}

/* In a fresh guest, all but what is left behind the last 2 MiB. */
static void
scattered(void)
{
	check_large(BUFALLOC_HEAP_SYSTEM, FRAME_4K, FRAME_4K / LARGE * LARGE);
}

static void
contiguous(void)
{
	check_large(BUFALLOC_HEAP_CONTIG, FRAME_4K, FRAME_4K / LARGE * LARGE);
}

/*
 * The last page of each is from anywhere: in front of the large blocks it would
 * put each of them where no large page can be.
 */
static void
small_last(void)
{
	int node = ba_open();
	int edu = open_inside(node);
	int fds[16];

	for (int i = 0; i < 16; i++) {
		fds[i] = ba_alloc(node, BUFALLOC_HEAP_SYSTEM, 2 * LARGE + 4096);
		CHECK_EQ(watch_import(edu, fds[i]).large, 2 * LARGE);
	}
	for (int i = 0; i < 16; i++) {
		close(fds[i]);
	}
	close(edu);
	close(node);
}

/* The control: what is smaller than a large page is in small ones. */
static void
small(void)
{
	check_large(BUFALLOC_HEAP_SYSTEM, LARGE / 2, 0);
}

static const struct ktest_row rows[] = {
	{ "system-is-mapped-with-large-pages", scattered },
	{ "system-has-its-small-blocks-last", small_last },
	{ "contig-is-mapped-with-large-pages", contiguous },
	{ "the-witness-sees-small-pages", small },
};

int
main(void)
{
	return ktest_main(rows, sizeof(rows) / sizeof(rows[0]));
}
