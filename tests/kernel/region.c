// SPDX-License-Identifier: MIT
#include <endian.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "ktest.h"
#include "region.h"

unsigned int
region_read(struct region *regions)
{
	FILE *file = fopen("/proc/iomem", "re");
	unsigned int count = 0;
	char line[256];

	CHECK(file != NULL);
	while (count < REGION_MAX && fgets(line, sizeof(line), file) != NULL) {
		unsigned long long start, last;

		if (strstr(line, " : bufalloc\n") != NULL &&
		    sscanf(line, " %llx-%llx", &start, &last) == 2) {
			regions[count].start = start;
			regions[count].length = last - start + 1;
			count++;
		}
	}
	fclose(file);
	return count;
}

#define WALKER "/sys/kernel/debug/ba_alias"

bool
region_can_walk(void)
{
	return access(WALKER, F_OK) == 0;
}

void
region_need_walk(void)
{
	if (!region_can_walk()) {
		ktest_skip("no module ba_alias, which takes hours with KASAN");
	}
}

unsigned long
region_aliases_of(uint64_t start, uint64_t length)
{
	FILE *file = fopen(WALKER, "w+e");
	unsigned long pages;
	int found;

	CHECK(file != NULL);
	fprintf(file, "%llu %llu", (unsigned long long)start,
		(unsigned long long)length);
	CHECK_EQ(fflush(file), 0);
	rewind(file);
	found = fscanf(file, "%lu", &pages);
	fclose(file);
	CHECK_EQ(found, 1);
	return pages;
}

unsigned long
region_aliases(void)
{
	struct region regions[REGION_MAX];
	unsigned int count = region_read(regions);
	unsigned long pages = 0;

	CHECK(count > 0);
	if (!region_can_walk()) {
		return 0;
	}
	for (unsigned int i = 0; i < count; i++) {
		pages += region_aliases_of(regions[i].start, regions[i].length);
	}
	return pages;
}

unsigned int
region_lines(struct region_line *lines)
{
	FILE *file = fopen("/sys/kernel/debug/bufalloc/regions", "re");
	unsigned int count = 0;
	char text[256], pages[32];

	CHECK(file != NULL);
	while (count < REGION_MAX && fgets(text, sizeof(text), file) != NULL) {
		struct region_line *line = &lines[count++];

		CHECK_EQ(sscanf(text, "%63s %15s %31s pages %lu used %lu",
				line->name, line->kind, pages, &line->pages,
				&line->used),
			 5);
		line->has_pages = strcmp(pages, "struct-page") == 0;
		CHECK(line->has_pages || strcmp(pages, "no-struct-page") == 0);
		line->leaving = strstr(text, " leaving") != NULL;
	}
	fclose(file);
	return count;
}

bool
region_has_node(const char *node)
{
	char path[128];

	snprintf(path, sizeof(path), "/sys/bus/platform/devices/%s", node);
	return access(path, F_OK) == 0;
}

static bool
is_bound(const char *node)
{
	char path[128];

	if (!region_has_node(node)) {
		ktest_skip("the devicetree has no node %s", node);
	}
	snprintf(path, sizeof(path), "/sys/bus/platform/devices/%s/driver", node);
	return access(path, F_OK) == 0;
}

static void
tell_driver(const char *file, const char *node)
{
	char path[128];

	snprintf(path, sizeof(path),
		 "/sys/bus/platform/drivers/bufalloc-reserved/%s", file);
	CHECK(ktest_put(path, node, 0));
}

void
region_bind(const char *node)
{
	if (!is_bound(node)) {
		tell_driver("bind", node);
	}
}

void
region_unbind(const char *node)
{
	if (is_bound(node)) {
		tell_driver("unbind", node);
	}
}

struct region
region_of_node(const char *name)
{
	struct region region;
	uint64_t cells[2];
	char path[128];
	FILE *file;

	snprintf(path, sizeof(path), "/proc/device-tree/reserved-memory/%s/reg",
		 name);
	file = fopen(path, "re");
	CHECK(file != NULL);
	CHECK_EQ(fread(cells, sizeof(cells), 1, file), 1);
	fclose(file);
	region.start = be64toh(cells[0]);
	region.length = be64toh(cells[1]);
	return region;
}
