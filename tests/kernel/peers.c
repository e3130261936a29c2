// SPDX-License-Identifier: MIT
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>

#include <linux/dma-heap.h>

#include "peers.h"

#define HEAPS "/dev/dma_heap"

int
dma_heap_open_system(void)
{
	return open(HEAPS "/system", O_RDWR | O_CLOEXEC);
}

int
dma_heap_open_cma(void)
{
	DIR *dir = opendir(HEAPS);
	struct dirent *entry;
	char path[512];
	int heap = -1;

	if (dir == NULL) {
		return -1;
	}
	while (heap < 0 && (entry = readdir(dir)) != NULL) {
		if (entry->d_name[0] == '.' ||
		    strncmp(entry->d_name, "system", strlen("system")) == 0) {
			continue;
		}
		snprintf(path, sizeof(path), HEAPS "/%s", entry->d_name);
		heap = open(path, O_RDWR | O_CLOEXEC);
	}
	closedir(dir);
	return heap;
}

int
dma_heap_try_alloc(int heap, uint64_t length)
{
	struct dma_heap_allocation_data data = {
		.len = length,
		.fd_flags = O_RDWR | O_CLOEXEC,
	};

	return ioctl(heap, DMA_HEAP_IOCTL_ALLOC, &data) == 0 ? (int)data.fd : -1;
}
