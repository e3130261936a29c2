// SPDX-License-Identifier: MIT
/*
 * A range that is a mapping of a dma-buf is that dma-buf, whoever exported it.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <linux/dma-heap.h>
#include <xf86drm.h>
#include <xf86drmMode.h>

#include "user.h"

#define LENGTH (PAGE * 64)

static ino_t
inode_of(int fd)
{
	struct stat st;

	CHECK_EQ(fstat(fd, &st), 0);
	return st.st_ino;
}

/* The range is @dmabuf from @offset on; out_heap is that heap. */
static void
resolves(const void *memory, size_t length, int dmabuf, uint64_t offset,
	 uint32_t heap)
{
	struct bufalloc_alloc_verdict verdict = { .size = sizeof(verdict) };
	struct bufalloc_import_user import = user_request(memory, length, 0);
	long long pins = user_pins();
	int node = ba_open();

	import.verdict = (uintptr_t)&verdict;
	CHECK_EQ(ioctl(node, BUFALLOC_IOCTL_IMPORT_USER, &import), 0);
	CHECK_EQ(import.out_flags, BUFALLOC_IMPORTED_DMABUF);
	CHECK_EQ(import.out_offset, offset);
	CHECK_EQ(verdict.out_error, 0);
	CHECK_EQ(verdict.out_heap, heap);
	CHECK(import.out_fd != dmabuf);
	CHECK_EQ(inode_of(import.out_fd), inode_of(dmabuf));
	CHECK_EQ(fcntl(import.out_fd, F_GETFD), FD_CLOEXEC);
	CHECK_EQ(user_pins(), pins);
	close(import.out_fd);

	import.flags = BUFALLOC_IMPORT_DRY_RUN;
	CHECK_EQ(ioctl(node, BUFALLOC_IOCTL_IMPORT_USER, &import), 0);
	CHECK_EQ(import.out_fd, -1);
	CHECK_EQ(import.out_offset, offset);
	close(node);
}

static void
refused(const void *memory, size_t length, int error, uint32_t reason)
{
	int node = ba_open();
	struct ba_outcome outcome =
		user_import_for(node, memory, length, 0, NULL, 0, 0);

	CHECK_EQ(outcome.fd, -1);
	CHECK_EQ(outcome.verdict.out_error, -error);
	CHECK_EQ(outcome.verdict.out_reason, reason);
	close(node);
}

static void
ours(void)
{
	int node = ba_open();

	for (uint32_t heap = BUFALLOC_HEAP_SYSTEM; heap <= BUFALLOC_HEAP_CONTIG; heap++) {
		int fd = ba_alloc(node, heap, LENGTH);
		uint8_t *data = ba_map(fd, LENGTH);

		resolves(data, LENGTH, fd, 0, heap);
		resolves(data + 3 * PAGE, 5 * PAGE, fd, 3 * PAGE, heap);
		resolves(data + LENGTH - PAGE, PAGE, fd, LENGTH - PAGE, heap);
		munmap(data, LENGTH);
		data = mmap(NULL, 10 * PAGE, PROT_READ, MAP_SHARED, fd,
			    (off_t)(20 * PAGE));
		CHECK(data != MAP_FAILED);
		resolves(data + 2 * PAGE, 8 * PAGE, fd, 22 * PAGE, heap);
		munmap(data, 10 * PAGE);
		close(fd);
	}
	close(node);
}

/* Imported memory, once it is mapped as the dma-buf that it became. */
static void
ours_of_user_memory(void)
{
	void *memory = user_anonymous(LENGTH, MAP_PRIVATE);
	int node = ba_open();
	int fd = user_import(node, memory, LENGTH, 0);
	uint8_t *data = ba_map(fd, LENGTH);

	resolves(data + PAGE, PAGE, fd, PAGE, BUFALLOC_HEAP_USER);
	munmap(data, LENGTH);
	munmap(memory, LENGTH);
	close(fd);
	close(node);
}

/* The buffer lives by its mapping alone: the fd comes back. */
static void
without_an_fd(void)
{
	int node = ba_open();
	int fd = ba_alloc(node, BUFALLOC_HEAP_SYSTEM, LENGTH);
	uint8_t *data = ba_map(fd, LENGTH);
	struct bufalloc_import_user import = user_request(data, LENGTH, 0);

	close(fd);
	pattern_fill(data, LENGTH);
	CHECK_EQ(ioctl(node, BUFALLOC_IOCTL_IMPORT_USER, &import), 0);
	munmap(data, LENGTH);
	CHECK_EQ(user_mismatch(import.out_fd, LENGTH), LENGTH);
	CHECK_EQ(ba_live("buffers"), 1);
	close(import.out_fd);
	close(node);
}

/* mprotect() cut it into several mappings; and two that only look like one. */
static void
several_mappings(void)
{
	int node = ba_open();
	int fd = ba_alloc(node, BUFALLOC_HEAP_SYSTEM, LENGTH);
	uint8_t *data = ba_map(fd, LENGTH);

	CHECK_EQ(mprotect(data + 5 * PAGE, PAGE, PROT_READ), 0);
	CHECK_EQ(mprotect(data + 9 * PAGE, PAGE, PROT_NONE), 0);
	resolves(data, LENGTH, fd, 0, BUFALLOC_HEAP_SYSTEM);
	resolves(data + 4 * PAGE, 3 * PAGE, fd, 4 * PAGE, BUFALLOC_HEAP_SYSTEM);
	CHECK(mmap(data + 8 * PAGE, PAGE, PROT_READ, MAP_SHARED | MAP_FIXED, fd,
		   (off_t)PAGE) != MAP_FAILED);
	refused(data, LENGTH, EOPNOTSUPP, BUFALLOC_REASON_MEMORY_KIND);
	resolves(data, 8 * PAGE, fd, 0, BUFALLOC_HEAP_SYSTEM);
	munmap(data, LENGTH);
	close(fd);
	close(node);
}

/* Other memory before, behind and amid it. */
static void
not_all_of_it(void)
{
	uint8_t *memory = user_anonymous(3 * LENGTH, MAP_PRIVATE);
	int node = ba_open();
	int fd = ba_alloc(node, BUFALLOC_HEAP_SYSTEM, LENGTH);
	int other = ba_alloc(node, BUFALLOC_HEAP_SYSTEM, LENGTH);

	CHECK(mmap(memory + LENGTH, LENGTH, PROT_READ | PROT_WRITE,
		   MAP_SHARED | MAP_FIXED, fd, 0) != MAP_FAILED);
	refused(memory + LENGTH - PAGE, 2 * PAGE, EOPNOTSUPP,
		BUFALLOC_REASON_MEMORY_KIND);
	refused(memory + LENGTH, LENGTH + PAGE, EOPNOTSUPP,
		BUFALLOC_REASON_MEMORY_KIND);
	CHECK(mmap(memory + 2 * LENGTH, LENGTH, PROT_READ | PROT_WRITE,
		   MAP_SHARED | MAP_FIXED, other, 0) != MAP_FAILED);
	refused(memory + LENGTH, 2 * LENGTH, EOPNOTSUPP,
		BUFALLOC_REASON_MEMORY_KIND);
	munmap(memory + 2 * LENGTH - PAGE, PAGE);
	refused(memory + LENGTH, LENGTH, EFAULT, BUFALLOC_REASON_UNMAPPED);
	resolves(memory + LENGTH, LENGTH - PAGE, fd, 0, BUFALLOC_HEAP_SYSTEM);
	munmap(memory, 3 * LENGTH);
	close(fd);
	close(other);
	close(node);
}

/* The devices are tried on it, as ALLOC would. */
static void
with_devices(void)
{
	int node = ba_open();
	int fds[] = { vivid_open(), drm_open_driver("vkms") };
	int fd = ba_alloc(node, BUFALLOC_HEAP_SYSTEM, LENGTH);
	uint8_t *data = ba_map(fd, LENGTH);
	struct ba_outcome outcome =
		user_import_for(node, data, LENGTH, 0, fds, 2,
				BUFALLOC_ACCESS_READ | BUFALLOC_ACCESS_WRITE);

	CHECK(outcome.fd >= 0);
	for (int i = 0; i < 2; i++) {
		CHECK(outcome.devices[i].out_proof != BUFALLOC_PROOF_NONE);
		close(fds[i]);
	}
	munmap(data, LENGTH);
	close(outcome.fd);
	close(fd);
	close(node);
}

static void
check_foreign(int dmabuf, size_t length)
{
	uint8_t *data = ba_map(dmabuf, length);
	int node = ba_open();
	struct ba_outcome outcome;
	int device;

	resolves(data, length, dmabuf, 0, BUFALLOC_HEAP_AUTO);
	resolves(data + PAGE, PAGE, dmabuf, PAGE, BUFALLOC_HEAP_AUTO);
	/* Only its exporter could try a device on it; there must be one. */
	device = vivid_open();
	outcome = user_import_for(node, data, length, 0, &device, 1,
				  BUFALLOC_ACCESS_WRITE);
	CHECK(outcome.fd >= 0);
	CHECK_EQ(outcome.devices[0].out_proof, BUFALLOC_PROOF_NONE);
	CHECK_EQ(outcome.devices[0].out_error, 0);
	close(outcome.fd);
	close(device);
	device = open("/dev/null", O_RDWR | O_CLOEXEC);
	outcome = user_import_for(node, data, length, 0, &device, 1,
				  BUFALLOC_ACCESS_READ);
	CHECK_EQ(outcome.fd, -1);
	CHECK_EQ(outcome.verdict.out_error, -ENODEV);
	close(device);
	munmap(data, length);
	close(node);
}

/*
 * A mapping of a part, which no exporter may take for another part: it is right,
 * or refused where the exporter changed the offset.
 */
static void
check_foreign_part(int dmabuf, size_t length, bool is_kept)
{
	uint8_t *data = mmap(NULL, length - 3 * PAGE, PROT_READ, MAP_SHARED,
			     dmabuf, (off_t)(2 * PAGE));

	CHECK(data != MAP_FAILED);
	if (is_kept) {
		resolves(data + PAGE, PAGE, dmabuf, 3 * PAGE,
			 BUFALLOC_HEAP_AUTO);
	} else {
		refused(data + PAGE, PAGE, EOPNOTSUPP,
			BUFALLOC_REASON_MEMORY_KIND);
	}
	munmap(data, length - 3 * PAGE);
}

/* A DRM driver's buffer, by its dma-buf and not by the card's file. */
static void
vgem(void)
{
	struct drm_mode_create_dumb create = {
		.width = 64,
		.height = 1024,
		.bpp = 32,
	};
	int card = drm_open_driver("vgem");
	int dmabuf;

	CHECK_EQ(ioctl(card, DRM_IOCTL_MODE_CREATE_DUMB, &create), 0);
	CHECK_EQ(drmPrimeHandleToFD(card, create.handle, DRM_RDWR | DRM_CLOEXEC,
				    &dmabuf),
		 0);
	check_foreign(dmabuf, create.size);
	check_foreign_part(dmabuf, create.size, false);
	close(dmabuf);
	CHECK_EQ(drmCloseBufferHandle(card, create.handle), 0);
	close(card);
}

static void
dma_heap(void)
{
	int heap = open("/dev/dma_heap/system", O_RDWR | O_CLOEXEC);
	struct dma_heap_allocation_data data = {
		.len = LENGTH,
		.fd_flags = O_RDWR | O_CLOEXEC,
	};

	if (heap < 0) {
		ktest_skip("no /dev/dma_heap/system: %s", ktest_errno_name());
	}
	CHECK_EQ(ioctl(heap, DMA_HEAP_IOCTL_ALLOC, &data), 0);
	check_foreign((int)data.fd, LENGTH);
	check_foreign_part((int)data.fd, LENGTH, true);
	close((int)data.fd);
	close(heap);
}

/* By the card's file it is the driver's memory, and nobody's dma-buf. */
static void
mapping_of_a_card(void)
{
	struct drm_mode_create_dumb create = {
		.width = 64,
		.height = 1024,
		.bpp = 32,
	};
	struct drm_mode_map_dumb map = { 0 };
	int card = drm_open_driver("vgem");
	uint8_t *data;

	CHECK_EQ(ioctl(card, DRM_IOCTL_MODE_CREATE_DUMB, &create), 0);
	map.handle = create.handle;
	CHECK_EQ(ioctl(card, DRM_IOCTL_MODE_MAP_DUMB, &map), 0);
	data = mmap(NULL, create.size, PROT_READ | PROT_WRITE, MAP_SHARED, card,
		    (off_t)map.offset);
	CHECK(data != MAP_FAILED);
	refused(data, create.size, EOPNOTSUPP, BUFALLOC_REASON_MEMORY_KIND);
	munmap(data, create.size);
	CHECK_EQ(drmCloseBufferHandle(card, create.handle), 0);
	close(card);
}

static const struct ktest_row rows[] = {
	{ "ours", ours },
	{ "ours-of-user-memory", ours_of_user_memory },
	{ "ours-without-an-fd", without_an_fd },
	{ "several-mappings", several_mappings },
	{ "not-all-of-it-eopnotsupp", not_all_of_it },
	{ "ours-with-devices", with_devices },
	{ "vgem", vgem },
	{ "dma-heap", dma_heap },
	{ "mapping-of-a-card-eopnotsupp", mapping_of_a_card },
};

int
main(void)
{
	return ktest_main(rows, sizeof(rows) / sizeof(rows[0]));
}
