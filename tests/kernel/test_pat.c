// SPDX-License-Identifier: MIT
/*
 * Of what type reserved memory is by the kernel's own list of types, which only x86
 * has and which ordinary memory is not in (that is test_views.c): write-combined, or
 * uncached where that was asked for, while it is mapped, and of none otherwise.
 */
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "ktest.h"
#include "region.h"

#define LIST "/sys/kernel/debug/x86/pat_memtype_list"
#define MIB ((size_t)1 << 20)
/* The first region of the guest (guest.sh), and all of it that has struct pages. */
#define WITH_PAGES (32 * MIB)
#define LENGTH (8 * MIB)

static bool
overlaps(unsigned long long start, unsigned long long end)
{
	struct region regions[REGION_MAX];
	unsigned int count = region_read(regions);

	for (unsigned int i = 0; i < count; i++) {
		if (end > regions[i].start &&
		    start < regions[i].start + regions[i].length) {
			return true;
		}
	}
	return false;
}

/* Ranges of the list that are in a region, each of which must be of that type. */
static unsigned int
ranges(const char *type)
{
	FILE *file = fopen(LIST, "re");
	unsigned long long start, end;
	unsigned int found = 0;
	char line[256];

	CHECK(file != NULL);
	while (fgets(line, sizeof(line), file) != NULL) {
		const char *range = strstr(line, "[mem ");

		if (range == NULL ||
		    sscanf(range, "[mem %llx-%llx]", &start, &end) != 2 ||
		    !overlaps(start, end)) {
			continue;
		}
		if (strstr(range, type) == NULL) {
			ktest_fail(__FILE__, __LINE__, "not%s: %s", type, line);
		}
		found++;
	}
	fclose(file);
	return found;
}

static void
type_of(int node, uint64_t attribute, const char *type)
{
	int fd = ba_alloc_with(node, BUFALLOC_HEAP_RESERVED, LENGTH, attribute);
	uint8_t byte = 7, *data;

	CHECK_EQ(ranges(""), 0);
	data = ba_map(fd, LENGTH);
	/* The kernel's view is of the same type, or it would be refused. */
	ba_copy(node, fd, BUFALLOC_COPY_IN, 0, 1, &byte);
	CHECK_EQ(data[0], 7);
	CHECK(ranges(type) > 0);
	munmap(data, LENGTH);
	CHECK_EQ(ranges(""), 0);
	close(fd);
}

/* With a buffer of @first bytes in the way. */
static void
types(size_t first)
{
	int node = ba_open(), other = -1;

	if (access(LIST, F_OK) != 0) {
		ktest_skip("only x86 has a list of memory types");
	}
	ba_set_parameter("contig_limit_bytes", 1ULL << 40);
	if (first > 0) {
		other = ba_alloc(node, BUFALLOC_HEAP_RESERVED, first);
	}
	type_of(node, 0, " write-combining");
	type_of(node, BUFALLOC_ATTRIBUTE_WRITE_COMBINE, " write-combining");
	type_of(node, BUFALLOC_ATTRIBUTE_UNCACHED, " uncached-minus");
	if (first > 0) {
		close(other);
	}
	close(node);
}

static void
types_pages(void)
{
	types(0);
}

static void
types_no_pages(void)
{
	types(WITH_PAGES);
}

static const struct ktest_row rows[] = {
	{ "pages-type-while-mapped", types_pages },
	{ "no-pages-type-while-mapped", types_no_pages },
};

int
main(void)
{
	return ktest_main(rows, sizeof(rows) / sizeof(rows[0]));
}
