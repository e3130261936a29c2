/* SPDX-License-Identifier: MIT */
/* dma-heaps: whatever nodes /dev/dma_heap has. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/dma-heap.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "backend.h"

#define HEAPS "/dev/dma_heap"

static bool
is_system(const char *name)
{
	return strncmp(name, "system", 6) == 0;
}

/* "system" before other scattered ones, those before contiguous ones. */
static int
compare(const void *a_ptr, const void *b_ptr)
{
	const struct place *a = a_ptr;
	const struct place *b = b_ptr;

	if (a->is_contiguous != b->is_contiguous) {
		return a->is_contiguous ? 1 : -1;
	}
	return strcmp(a->name, b->name);
}

static int
list(const struct attempt *attempt, struct place *places, size_t max,
     struct writer *text)
{
	const struct dirent *entry;
	size_t count = 0;
	DIR *dir;
	int ret;

	(void)attempt;
	dir = opendir(HEAPS);
	if (dir == NULL) {
		ret = -errno;
		put(text, "%s", ret == -ENOENT ? HEAPS " does not exist: the kernel has none (CONFIG_DMABUF_HEAPS)" : "cannot read " HEAPS);
		return ret;
	}
	while (count < max && (entry = readdir(dir)) != NULL) {
		struct place *place = &places[count];

		size_t size = strlen(entry->d_name) + 1;

		if (entry->d_name[0] == '.' || size > sizeof(place->name)) {
			continue;
		}
		*place = (struct place){
			.is_contiguous = !is_system(entry->d_name),
		};
		memcpy(place->name, entry->d_name, size);
		count++;
	}
	closedir(dir);
	if (count == 0) {
		put(text, HEAPS " is empty: no heap is configured");
		return -ENOENT;
	}
	qsort(places, count, sizeof(*places), compare);
	return (int)count;
}

static int
alloc(const struct attempt *attempt, const struct place *place,
      uint64_t length, struct memory *memory, struct refusal *refusal,
      struct writer *text)
{
	struct dma_heap_allocation_data data = {
		.len = length,
		.fd_flags = O_RDWR | O_CLOEXEC,
	};
	char path[sizeof(HEAPS) + sizeof(place->name)];
	int fd, ret;

	(void)attempt;
	snprintf(path, sizeof(path), "%s/%s", HEAPS, place->name);
	fd = private_open(path);
	if (fd < 0) {
		private_put_open_error(text, path, fd);
		return private_refuse(refusal, fd, BUFALLOC_WHY_OPEN, "%s", "");
	}
	ret = private_ioctl_again(fd, DMA_HEAP_IOCTL_ALLOC, &data);
	close(fd);
	if (ret < 0) {
		return private_refuse_alloc(refusal, ret, length, text);
	}
	memory->fd = (int)data.fd;
	return private_length_of(memory, refusal);
}

const struct backend private_backend_heap = {
	.name = "dma-heap",
	.makes_dmabufs = true,
	.list = list,
	.alloc = alloc,
};
