// SPDX-License-Identifier: MIT
#include <stdio.h>
#include <string.h>

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

unsigned long
region_aliases_of(uint64_t start, uint64_t length)
{
	FILE *file = fopen("/sys/kernel/debug/ba_alias", "w+e");
	unsigned long pages;
	int found;

	if (file == NULL) {
		ktest_skip("no module ba_alias");
	}
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
	for (unsigned int i = 0; i < count; i++) {
		pages += region_aliases_of(regions[i].start, regions[i].length);
	}
	return pages;
}
