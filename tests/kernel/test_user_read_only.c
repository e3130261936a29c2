// SPDX-License-Identifier: MIT
/*
 * BUFALLOC_IMPORT_READ_ONLY: nobody writes through the dma-buf to memory that may
 * be somebody else's file; what the owner writes is seen.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <linux/dma-buf.h>
#include <xf86drm.h>

#include "user.h"

#define LENGTH (PAGE * 64)

/* Import it so; then every way to write is refused, and reading works. */
static void
cannot_be_written(void *memory)
{
	int node = ba_open();
	int fd = user_import(node, memory, LENGTH, BUFALLOC_IMPORT_READ_ONLY);
	uint8_t *data;

	CHECK_EQ(ba_buffer_info(node, fd).out_heap, BUFALLOC_HEAP_USER);
	CHECK_ERRNO(EACCES, (intptr_t)mmap(NULL, LENGTH, PROT_READ | PROT_WRITE,
					   MAP_SHARED, fd, 0));
	CHECK_ERRNO(EACCES, (intptr_t)mmap(NULL, LENGTH, PROT_WRITE, MAP_SHARED,
					   fd, 0));
	CHECK_ERRNO(EINVAL, (intptr_t)mmap(NULL, LENGTH, PROT_READ, MAP_PRIVATE,
					   fd, 0));
	data = mmap(NULL, LENGTH, PROT_READ, MAP_SHARED, fd, 0);
	CHECK(data != MAP_FAILED);
	CHECK_ERRNO(EACCES, mprotect(data, LENGTH, PROT_READ | PROT_WRITE));
	ba_sync(fd, DMA_BUF_SYNC_START | DMA_BUF_SYNC_READ);
	CHECK_EQ(pattern_mismatch(data, LENGTH), LENGTH);
	ba_sync(fd, DMA_BUF_SYNC_END | DMA_BUF_SYNC_READ);
	munmap(data, LENGTH);
	close(fd);
	close(node);
}

static void
writable_memory(void)
{
	uint8_t *memory = user_anonymous(LENGTH, MAP_PRIVATE);

	pattern_fill(memory, LENGTH);
	cannot_be_written(memory);
	munmap(memory, LENGTH);
}

static void
protected_memory(void)
{
	uint8_t *memory = user_anonymous(LENGTH, MAP_PRIVATE);

	pattern_fill(memory, LENGTH);
	CHECK_EQ(mprotect(memory, LENGTH, PROT_READ), 0);
	cannot_be_written(memory);
	munmap(memory, LENGTH);
}

/* A memfd that is sealed against writing, as Wayland clients send them. */
static void
sealed_memfd(void)
{
	int file = user_memfd(LENGTH, MFD_ALLOW_SEALING);
	uint8_t *memory = mmap(NULL, LENGTH, PROT_READ | PROT_WRITE, MAP_SHARED,
			       file, 0);

	CHECK(memory != MAP_FAILED);
	pattern_fill(memory, LENGTH);
	munmap(memory, LENGTH);
	CHECK_EQ(fcntl(file, F_ADD_SEALS, F_SEAL_WRITE | F_SEAL_SHRINK), 0);
	memory = mmap(NULL, LENGTH, PROT_READ, MAP_PRIVATE, file, 0);
	CHECK(memory != MAP_FAILED);
	cannot_be_written(memory);
	munmap(memory, LENGTH);
	close(file);
}

/* A file that this process has open for reading only. */
static void
read_only_file(void)
{
	int file = user_memfd(LENGTH, 0);
	char path[64];
	uint8_t *memory = mmap(NULL, LENGTH, PROT_READ | PROT_WRITE, MAP_SHARED,
			       file, 0);
	int again;

	CHECK(memory != MAP_FAILED);
	pattern_fill(memory, LENGTH);
	munmap(memory, LENGTH);
	snprintf(path, sizeof(path), "/proc/self/fd/%d", file);
	again = open(path, O_RDONLY | O_CLOEXEC);
	CHECK(again >= 0);
	memory = mmap(NULL, LENGTH, PROT_READ, MAP_SHARED, again, 0);
	CHECK(memory != MAP_FAILED);
	cannot_be_written(memory);
	munmap(memory, LENGTH);
	close(again);
	close(file);
}

/*
 * Pages that the owner only read so far are not its own yet: the zero page, a
 * file's. What it writes after the import must reach the devices all the same.
 */
static void
written_afterwards(uint8_t *memory)
{
	int node = ba_open();
	volatile uint8_t *touch = memory;
	uint8_t sum = 0;
	int fd;

	for (size_t at = 0; at < LENGTH; at += PAGE) {
		sum += touch[at];
	}
	(void)sum;
	fd = user_import(node, memory, LENGTH, BUFALLOC_IMPORT_READ_ONLY);
	pattern_fill(memory, LENGTH);
	CHECK_EQ(user_mismatch(fd, LENGTH), LENGTH);
	munmap(memory, LENGTH);
	close(fd);
	close(node);
}

static void
zero_pages_written_afterwards(void)
{
	written_afterwards(user_anonymous(LENGTH, MAP_PRIVATE));
}

static void
private_file_written_afterwards(void)
{
	int file = user_memfd(LENGTH, 0);
	void *memory = mmap(NULL, LENGTH, PROT_READ | PROT_WRITE, MAP_PRIVATE,
			    file, 0);

	CHECK(memory != MAP_FAILED);
	written_afterwards(memory);
	close(file);
}

static void
shared_file_written_afterwards(void)
{
	int file = user_memfd(LENGTH, 0);
	void *memory = mmap(NULL, LENGTH, PROT_READ | PROT_WRITE, MAP_SHARED,
			    file, 0);

	CHECK(memory != MAP_FAILED);
	written_afterwards(memory);
	close(file);
}

/* A DRM device maps for both directions, and its driver could write by vmap. */
static void
drm_refuses(const char *driver)
{
	uint8_t *memory = user_anonymous(LENGTH, MAP_PRIVATE);
	int card = drm_open_driver(driver);
	int node = ba_open();
	struct ba_outcome outcome =
		user_import_for(node, memory, LENGTH, BUFALLOC_IMPORT_READ_ONLY,
				&card, 1, BUFALLOC_ACCESS_READ);
	uint32_t handle;
	int fd;

	CHECK_EQ(outcome.fd, -1);
	CHECK_EQ(outcome.verdict.out_error, -EACCES);
	CHECK_EQ(outcome.verdict.out_reason, BUFALLOC_REASON_READ_ONLY);
	CHECK_EQ(outcome.verdict.out_device, 0);
	CHECK_EQ(outcome.devices[0].out_error, -EACCES);
	CHECK_EQ(outcome.devices[0].out_reason, BUFALLOC_REASON_READ_ONLY);

	/* An import without being asked for ends the same way. */
	fd = user_import(node, memory, LENGTH, BUFALLOC_IMPORT_READ_ONLY);
	CHECK(drmPrimeFDToHandle(card, fd, &handle) != 0);
	CHECK_EQ(errno, EACCES);
	close(fd);

	/* The same memory for both directions is taken. */
	outcome = user_import_for(node, memory, LENGTH, 0, &card, 1,
				  BUFALLOC_ACCESS_READ);
	CHECK(outcome.fd >= 0);
	CHECK_EQ(drmPrimeFDToHandle(card, outcome.fd, &handle), 0);
	CHECK_EQ(drmCloseBufferHandle(card, handle), 0);
	close(outcome.fd);
	munmap(memory, LENGTH);
	close(card);
	close(node);
}

static void
vgem_refuses(void)
{
	drm_refuses("vgem");
}

static void
vkms_refuses(void)
{
	drm_refuses("vkms");
}

/* vb2-vmalloc maps for the CPU, which is writable. */
static void
vmalloc_camera_refuses(void)
{
	uint8_t *memory = user_anonymous(LENGTH, MAP_PRIVATE);
	int camera = vivid_open();
	int node = ba_open();
	struct ba_outcome outcome =
		user_import_for(node, memory, LENGTH, BUFALLOC_IMPORT_READ_ONLY,
				&camera, 1, BUFALLOC_ACCESS_READ);

	CHECK_EQ(outcome.fd, -1);
	CHECK_EQ(outcome.verdict.out_error, -EACCES);
	CHECK_EQ(outcome.verdict.out_reason, BUFALLOC_REASON_READ_ONLY);
	munmap(memory, LENGTH);
	close(camera);
	close(node);
}

static const struct ktest_row rows[] = {
	{ "writable-memory", writable_memory },
	{ "protected-memory", protected_memory },
	{ "sealed-memfd", sealed_memfd },
	{ "shared-mapping-of-a-read-only-fd", read_only_file },
	{ "zero-pages-written-afterwards", zero_pages_written_afterwards },
	{ "private-file-written-afterwards", private_file_written_afterwards },
	{ "shared-file-written-afterwards", shared_file_written_afterwards },
	{ "vgem-eacces", vgem_refuses },
	{ "vkms-eacces", vkms_refuses },
	{ "vmalloc-camera-eacces", vmalloc_camera_refuses },
};

int
main(void)
{
	return ktest_main(rows, sizeof(rows) / sizeof(rows[0]));
}
