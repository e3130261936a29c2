// SPDX-License-Identifier: MIT
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "dirty.h"
#include "ktest.h"

void
dirty_memory(size_t length)
{
	uint8_t *data = mmap(NULL, length, PROT_READ | PROT_WRITE,
			     MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	CHECK(data != MAP_FAILED);
	memset(data, 0xa5, length);
	munmap(data, length);
}

#define PIECE ((size_t)4 << 20)
#define PIECES 256

void
dirty_regions(int node)
{
	int fds[PIECES], count = 0;

	ba_set_parameter("contig_limit_bytes", 1ULL << 40);
	while (count < PIECES) {
		int fd = ba_try_alloc(node, BUFALLOC_HEAP_RESERVED, PIECE);
		uint8_t *data;

		if (fd < 0) {
			break;
		}
		data = ba_map(fd, PIECE);
		memset(data, 0xa5, PIECE);
		munmap(data, PIECE);
		fds[count++] = fd;
	}
	ktest_note("%d x 4 MiB of reserved memory are dirty", count);
	while (count-- > 0) {
		close(fds[count]);
	}
	CHECK_WITHIN_1S(ba_live("reserved_pages") == 0);
}
