/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <fcntl.h>
#include <linux/kernel-page-flags.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "measure.h"

#define PAGE 4096u
#define BLOCK_PAGES (MEASURE_BLOCK / PAGE)
/* fs/proc/page.c; in no header for user space. */
#define KPF_RESERVED 32

static int
read_meminfo(struct measure *measure)
{
	FILE *file = fopen("/proc/meminfo", "re");
	unsigned long long kib;
	char key[64];

	if (file == NULL) {
		return -errno;
	}
	while (fscanf(file, "%63s %llu%*[^\n]", key, &kib) == 2) {
		if (strcmp(key, "MemTotal:") == 0) {
			measure->total = kib << 10;
		} else if (strcmp(key, "MemFree:") == 0) {
			measure->free = kib << 10;
		} else if (strcmp(key, "MemAvailable:") == 0) {
			measure->available = kib << 10;
		} else if (strcmp(key, "CmaTotal:") == 0) {
			measure->cma_total = kib << 10;
		}
	}
	fclose(file);
	return 0;
}

/* "Node 0, zone   Normal   1   0 ...", one line for each zone. */
static int
read_buddyinfo(struct measure *measure)
{
	FILE *file = fopen("/proc/buddyinfo", "re");
	char line[512];

	if (file == NULL) {
		return -errno;
	}
	while (fgets(line, sizeof(line), file) != NULL) {
		char *at = strstr(line, "zone");
		unsigned int order = 0;

		if (at == NULL) {
			continue;
		}
		at += strlen("zone");
		at += strspn(at, " ");
		at += strcspn(at, " ");
		for (; order < MEASURE_ORDERS; order++) {
			char *end;
			unsigned long long count = strtoull(at, &end, 10);

			if (end == at) {
				break;
			}
			measure->blocks[order] += count;
			at = end;
		}
	}
	fclose(file);
	return 0;
}

static bool
can_move(uint64_t flags)
{
	const uint64_t never = 1ull << KPF_SLAB | 1ull << KPF_HUGE |
			       1ull << KPF_NOPAGE | 1ull << KPF_RESERVED;

	const uint64_t moves = 1ull << KPF_LRU | 1ull << KPF_BUDDY |
			       1ull << KPF_THP;

	return (flags & never) == 0 && (flags & moves) != 0;
}

/* Count a block; *run is how many before it can be emptied. */
static void
count_block(struct measure *measure, bool stuck, uint64_t needed, uint64_t *run)
{
	measure->all++;
	if (stuck) {
		measure->stuck++;
		*run = 0;
	} else if (++*run == needed) {
		measure->ranges++;
		*run = 0;
	}
}

static int
read_kpageflags(struct measure *measure, uint64_t length)
{
	static uint64_t flags[BLOCK_PAGES];
	uint64_t needed = (length + MEASURE_BLOCK - 1) / MEASURE_BLOCK, run = 0;
	int fd = open("/proc/kpageflags", O_RDONLY | O_CLOEXEC);

	if (fd < 0) {
		return -errno;
	}
	while (read(fd, flags, sizeof(flags)) == (ssize_t)sizeof(flags)) {
		bool stuck = false, memory = false;

		for (unsigned int i = 0; i < BLOCK_PAGES; i++) {
			memory |= (flags[i] & 1ull << KPF_NOPAGE) == 0;
			stuck |= !can_move(flags[i]);
		}
		if (memory) {
			count_block(measure, stuck, needed, &run);
		} else {
			run = 0;
		}
	}
	close(fd);
	return 0;
}

int
measure_memory(struct measure *measure, uint64_t length)
{
	int ret;

	memset(measure, 0, sizeof(*measure));
	ret = read_meminfo(measure);
	if (ret == 0) {
		ret = read_buddyinfo(measure);
	}
	if (ret == 0) {
		ret = read_kpageflags(measure, length);
	}
	return ret;
}

double
measure_unusable(const struct measure *measure, unsigned int order)
{
	uint64_t all = 0, usable = 0;

	for (unsigned int i = 0; i < MEASURE_ORDERS; i++) {
		all += measure->blocks[i] << i;
		if (i >= order) {
			usable += measure->blocks[i] << i;
		}
	}
	return all == 0 ? 1 : 1 - (double)usable / (double)all;
}
