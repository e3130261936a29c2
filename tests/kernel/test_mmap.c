// SPDX-License-Identifier: MIT
/*
 * User space mappings of a buffer.
 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <linux/dma-buf.h>

#include "ktest.h"

#define LENGTH ((size_t)5 << 20)

/*
 * Of one range, too: remap_pfn_range() itself refuses only to copy a part of a
 * mapping on write.
 */
static void
private_mapping(void)
{
	int node = ba_open();

	for (uint32_t heap = BUFALLOC_HEAP_SYSTEM; heap <= BUFALLOC_HEAP_CONTIG; heap++) {
		int fd = ba_alloc(node, heap, LENGTH);

		CHECK_ERRNO(EINVAL,
			    (intptr_t)mmap(NULL, LENGTH, PROT_READ | PROT_WRITE,
					   MAP_PRIVATE, fd, 0));
		CHECK_ERRNO(EINVAL, (intptr_t)mmap(NULL, LENGTH, PROT_READ,
						   MAP_PRIVATE, fd, 0));
		close(fd);
	}
	close(node);
}

static void
past_the_end(void)
{
	int node = ba_open();
	int fd = ba_alloc(node, BUFALLOC_HEAP_SYSTEM, LENGTH);

	CHECK_ERRNO(EINVAL, (intptr_t)mmap(NULL, LENGTH + 4096, PROT_READ,
					   MAP_SHARED, fd, 0));
	CHECK_ERRNO(EINVAL, (intptr_t)mmap(NULL, LENGTH, PROT_READ, MAP_SHARED,
					   fd, 4096));
	CHECK_ERRNO(EINVAL, (intptr_t)mmap(NULL, 4096, PROT_READ, MAP_SHARED,
					   fd, LENGTH));
	CHECK_ERRNO(EINVAL, (intptr_t)mmap(NULL, 8192, PROT_READ, MAP_SHARED,
					   fd, (off_t)0xffffff00000));
	close(fd);
	close(node);
}

static void
cannot_grow(void)
{
	int node = ba_open();
	int fd = ba_alloc(node, BUFALLOC_HEAP_SYSTEM, LENGTH);
	void *data = ba_map(fd, LENGTH - 4096);

	CHECK_ERRNO(EFAULT, (intptr_t)mremap(data, LENGTH - 4096, LENGTH,
					     MREMAP_MAYMOVE));
	munmap(data, LENGTH - 4096);
	close(fd);
	close(node);
}

static void
read_only_fd(void)
{
	int node = ba_open();
	int fd = ba_alloc_read_only(node, LENGTH);
	void *data;

	CHECK_ERRNO(EACCES,
		    (intptr_t)mmap(NULL, LENGTH, PROT_READ | PROT_WRITE,
				   MAP_SHARED, fd, 0));
	data = mmap(NULL, LENGTH, PROT_READ, MAP_SHARED, fd, 0);
	CHECK(data != MAP_FAILED);
	CHECK_ERRNO(EACCES, mprotect(data, LENGTH, PROT_READ | PROT_WRITE));
	CHECK_EQ(first_nonzero(data, LENGTH), LENGTH);
	munmap(data, LENGTH);
	close(fd);
	close(node);
}

/* Any part, from any page on, of any heap. */
static void
parts_agree(void)
{
	int node = ba_open();

	for (uint32_t heap = BUFALLOC_HEAP_SYSTEM; heap <= BUFALLOC_HEAP_CONTIG; heap++) {
		int fd = ba_alloc(node, heap, LENGTH);
		uint8_t *all = ba_map(fd, LENGTH);

		pattern_fill(all, LENGTH);
		for (size_t at = 0; at < LENGTH; at += 37 * 4096) {
			size_t length = LENGTH - at > 300 * 4096 ? 300 * 4096
								 : LENGTH - at;
			void *part = mmap(NULL, length, PROT_READ, MAP_SHARED,
					  fd, (off_t)at);

			CHECK(part != MAP_FAILED);
			CHECK(memcmp(part, all + at, length) == 0);
			munmap(part, length);
		}
		munmap(all, LENGTH);
		close(fd);
	}
	close(node);
}

static void
shared_over_fork(void)
{
	int node = ba_open();
	int fd = ba_alloc(node, BUFALLOC_HEAP_SYSTEM, LENGTH);
	uint8_t *data = ba_map(fd, LENGTH);
	int status;
	pid_t child = fork();

	if (child == 0) {
		pattern_fill(data, LENGTH);
		_exit(0);
	}
	CHECK_EQ(waitpid(child, &status, 0), child);
	CHECK_EQ(pattern_mismatch(data, LENGTH), LENGTH);
	munmap(data, LENGTH);
	close(fd);
	close(node);
}

static void
mapping_outlives_fd(void)
{
	int node = ba_open();
	int fd = ba_alloc(node, BUFALLOC_HEAP_CONTIG, LENGTH);
	uint8_t *data = ba_map(fd, LENGTH);

	close(fd);
	close(node);
	pattern_fill(data, LENGTH);
	CHECK_EQ(pattern_mismatch(data, LENGTH), LENGTH);
	CHECK_EQ(ba_live("buffers"), 1);
	munmap(data, LENGTH);
}

static void
sync_flags(void)
{
	struct dma_buf_sync sync = { .flags = 0 };
	int node = ba_open();
	int fd = ba_alloc(node, BUFALLOC_HEAP_SYSTEM, LENGTH);

	CHECK_ERRNO(EINVAL, ioctl(fd, DMA_BUF_IOCTL_SYNC, &sync));
	sync.flags = 1 << 5;
	CHECK_ERRNO(EINVAL, ioctl(fd, DMA_BUF_IOCTL_SYNC, &sync));
	for (uint64_t access = DMA_BUF_SYNC_READ; access <= DMA_BUF_SYNC_RW;
	     access++) {
		ba_sync(fd, DMA_BUF_SYNC_START | access);
		ba_sync(fd, DMA_BUF_SYNC_END | access);
	}
	CHECK_EQ(ba_buffer_info(node, fd).out_cpu_accesses, 3);
	/* No device has it mapped: there is nothing to sync. */
	CHECK_EQ(ba_buffer_info(node, fd).out_syncs, 0);
	close(fd);
	close(node);
}

static void
no_kernel_mapping(void)
{
	int node = ba_open();
	int fd = ba_alloc(node, BUFALLOC_HEAP_SYSTEM, 128 << 20);

	CHECK_EQ(ba_vmalloc_bytes(), 0);
	munmap(ba_map(fd, 128 << 20), 128 << 20);
	CHECK_EQ(ba_vmalloc_bytes(), 0);
	CHECK_EQ(ba_buffer_info(node, fd).out_kernel_va, 0);
	CHECK_EQ(ba_buffer_info(node, fd).out_user_maps, 1);
	close(fd);
	close(node);
}

static const struct ktest_row rows[] = {
	{ "private-mapping-einval", private_mapping },
	{ "past-the-end-einval", past_the_end },
	{ "mremap-cannot-grow-efault", cannot_grow },
	{ "read-only-fd-eacces", read_only_fd },
	{ "parts-agree", parts_agree },
	{ "shared-over-fork", shared_over_fork },
	{ "mapping-outlives-its-fd", mapping_outlives_fd },
	{ "sync-flags", sync_flags },
	{ "no-kernel-mapping", no_kernel_mapping },
};

int
main(void)
{
	return ktest_main(rows, sizeof(rows) / sizeof(rows[0]));
}
