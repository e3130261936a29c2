// SPDX-License-Identifier: MIT
/*
 * Attributes of a buffer: how they are asked for and granted, and what "never
 * mapped for the CPU" forbids. What importers make of that is in the tests of
 * the importers.
 */
#include <errno.h>
#include <fcntl.h>
#include <stddef.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <linux/dma-buf.h>
#include <xf86drm.h>

#include "ktest.h"

#define LENGTH ((size_t)5 << 20)
#define NEVER_CPU ((uint64_t)BUFALLOC_ATTRIBUTE_NEVER_CPU)
#define WRITE_COMBINE ((uint64_t)BUFALLOC_ATTRIBUTE_WRITE_COMBINE)
#define UNCACHED ((uint64_t)BUFALLOC_ATTRIBUTE_UNCACHED)
#define CONTIGUOUS ((uint64_t)BUFALLOC_ATTRIBUTE_CONTIGUOUS)
#define PINNABLE ((uint64_t)BUFALLOC_ATTRIBUTE_PINNABLE)
#define KNOWN (NEVER_CPU | WRITE_COMBINE | UNCACHED | CONTIGUOUS | PINNABLE)

static const struct bufalloc_alloc never_cpu = {
	.size = sizeof(struct bufalloc_alloc),
	.length = LENGTH,
	.fd_flags = O_RDWR | O_CLOEXEC,
	.attributes = NEVER_CPU,
};

static void
unknown_bits(void)
{
	int node = ba_open();

	for (int bit = 0; bit < 64; bit++) {
		struct bufalloc_alloc alloc = never_cpu;

		if (1ull << bit & KNOWN) {
			continue;
		}
		alloc.attributes |= 1ull << bit;
		CHECK_ERRNO(EINVAL, ioctl(node, BUFALLOC_IOCTL_ALLOC, &alloc));
		alloc.required = alloc.attributes;
		CHECK_ERRNO(EINVAL, ioctl(node, BUFALLOC_IOCTL_ALLOC, &alloc));
		alloc.attributes = NEVER_CPU;
		CHECK_ERRNO(EINVAL, ioctl(node, BUFALLOC_IOCTL_ALLOC, &alloc));
	}
	close(node);
}

/* Memory is of one type. */
static void
write_combined_and_uncached(void)
{
	struct bufalloc_alloc alloc = never_cpu;
	int node = ba_open();

	alloc.attributes = WRITE_COMBINE | UNCACHED;
	CHECK_ERRNO(EINVAL, ioctl(node, BUFALLOC_IOCTL_ALLOC, &alloc));
	alloc.required = WRITE_COMBINE;
	CHECK_ERRNO(EINVAL, ioctl(node, BUFALLOC_IOCTL_ALLOC, &alloc));
	close(node);
}

static void
required_and_not_asked_for(void)
{
	struct bufalloc_alloc alloc = never_cpu;
	int node = ba_open();

	alloc.attributes = 0;
	alloc.required = NEVER_CPU;
	CHECK_ERRNO(EINVAL, ioctl(node, BUFALLOC_IOCTL_ALLOC, &alloc));
	close(node);
}

/* Callers that were compiled before there were attributes. */
static void
shorter_structures(void)
{
	struct bufalloc_alloc_verdict verdict = {
		.size = offsetof(struct bufalloc_alloc_verdict, out_attributes),
		.out_attributes = 0x5a,
	};
	struct bufalloc_alloc alloc = never_cpu;
	struct bufalloc_info info = {
		.size = offsetof(struct bufalloc_info, out_attributes),
		.out_attributes = 0x5a,
	};
	int node = ba_open();

	alloc.size = offsetof(struct bufalloc_alloc, attributes);
	alloc.verdict = (uintptr_t)&verdict;
	CHECK_EQ(ioctl(node, BUFALLOC_IOCTL_ALLOC, &alloc), 0);
	CHECK_EQ(verdict.out_attributes, 0x5a);
	CHECK_EQ(ba_buffer_info(node, alloc.out_fd).out_attributes, 0);
	munmap(ba_map(alloc.out_fd, LENGTH), LENGTH);
	close(alloc.out_fd);

	CHECK_EQ(ioctl(node, BUFALLOC_IOCTL_INFO, &info), 0);
	CHECK_EQ(info.out_attributes, 0x5a);
	close(node);
}

static void
granted_by(int node, uint32_t heap, uint64_t attributes)
{
	struct bufalloc_alloc_verdict verdict = { .size = sizeof(verdict) };
	struct bufalloc_alloc alloc = never_cpu;

	alloc.heap = heap;
	/* One range is what the heap of these has, or has not. */
	if (attributes & CONTIGUOUS && heap == BUFALLOC_HEAP_SYSTEM) {
		alloc.length = 4096;
	}
	alloc.attributes = attributes;
	alloc.required = attributes;
	alloc.verdict = (uintptr_t)&verdict;
	CHECK_EQ(ioctl(node, BUFALLOC_IOCTL_ALLOC, &alloc), 0);
	CHECK_EQ(verdict.out_attributes, attributes);
	CHECK_EQ(ba_buffer_info(node, alloc.out_fd).out_attributes, attributes);
	close(alloc.out_fd);
}

/* In the verdict and in the buffer's description; by every heap. */
static void
granted(void)
{
	static const uint64_t attributes[] = {
		0, NEVER_CPU, WRITE_COMBINE, UNCACHED, CONTIGUOUS,
		PINNABLE, NEVER_CPU | WRITE_COMBINE, UNCACHED | CONTIGUOUS,
		PINNABLE | CONTIGUOUS,
	};
	struct bufalloc_info info = { .size = sizeof(info) };
	int node = ba_open();

	CHECK_EQ(ioctl(node, BUFALLOC_IOCTL_INFO, &info), 0);
	CHECK_EQ(info.out_attributes, KNOWN);
	for (uint32_t heap = BUFALLOC_HEAP_AUTO; heap <= BUFALLOC_HEAP_CONTIG; heap++) {
		for (size_t i = 0; i < sizeof(attributes) / sizeof(attributes[0]); i++) {
			granted_by(node, heap, attributes[i]);
		}
	}
	close(node);
}

/* As if a device took one segment; the verdict says that it was the caller. */
static void
contiguous(void)
{
	struct bufalloc_alloc_verdict verdict = { .size = sizeof(verdict) };
	struct bufalloc_alloc alloc = never_cpu;
	int node = ba_open();

	alloc.attributes = CONTIGUOUS;
	alloc.verdict = (uintptr_t)&verdict;
	CHECK_EQ(ioctl(node, BUFALLOC_IOCTL_ALLOC, &alloc), 0);
	CHECK_EQ(verdict.out_heap, BUFALLOC_HEAP_CONTIG);
	CHECK_EQ(verdict.out_reason, BUFALLOC_REASON_CALLER);
	CHECK_EQ(verdict.out_device, BUFALLOC_NO_DEVICE);
	CHECK_EQ(verdict.out_tried, 1u << BUFALLOC_HEAP_CONTIG);
	CHECK_EQ(verdict.out_runs, 1);
	CHECK_EQ(ba_buffer_info(node, alloc.out_fd).out_runs, 1);
	close(alloc.out_fd);
	close(node);
}

/*
 * Most of the memory, by a heap whose blocks are of 4 MiB at most. On PCs it has a
 * hole in the middle; elsewhere all blocks may happen to be neighbours.
 */
static void
contiguous_from_a_heap_that_is_not(void)
{
	struct bufalloc_alloc_verdict verdict = { .size = sizeof(verdict) };
	struct bufalloc_alloc alloc = never_cpu;
	int node = ba_open();

	alloc.heap = BUFALLOC_HEAP_SYSTEM;
	alloc.length = (uint64_t)sysconf(_SC_AVPHYS_PAGES) / 5 * 3 *
		       (uint64_t)sysconf(_SC_PAGESIZE);
	alloc.attributes = CONTIGUOUS;
	alloc.verdict = (uintptr_t)&verdict;
	if (ioctl(node, BUFALLOC_IOCTL_ALLOC, &alloc) == 0) {
		CHECK_EQ(verdict.out_runs, 1);
		close(alloc.out_fd);
		close(node);
		ktest_skip("all of the memory is one range");
	}
	CHECK_EQ(errno, ENOSPC);
	CHECK_EQ(verdict.out_error, -ENOSPC);
	CHECK_EQ(verdict.out_reason, BUFALLOC_REASON_CALLER);
	CHECK_EQ(verdict.out_device, BUFALLOC_NO_DEVICE);
	CHECK_EQ(verdict.out_attributes, 0);
	close(node);
}

static void
cannot_be_mapped(void)
{
	static const int prots[] = { PROT_NONE, PROT_READ, PROT_WRITE,
				     PROT_READ | PROT_WRITE };
	int node = ba_open();

	for (uint32_t heap = BUFALLOC_HEAP_SYSTEM; heap <= BUFALLOC_HEAP_CONTIG; heap++) {
		int fd = ba_alloc_with(node, heap, LENGTH, NEVER_CPU);

		for (size_t i = 0; i < sizeof(prots) / sizeof(prots[0]); i++) {
			CHECK_ERRNO(EACCES,
				    (intptr_t)mmap(NULL, LENGTH, prots[i],
						   MAP_SHARED, fd, 0));
			CHECK_ERRNO(EACCES,
				    (intptr_t)mmap(NULL, 4096, prots[i],
						   MAP_PRIVATE, fd, 4096));
		}
		CHECK_EQ(ba_buffer_info(node, fd).out_user_maps, 0);
		/* What libraries do without asking does no harm. */
		ba_sync(fd, DMA_BUF_SYNC_START | DMA_BUF_SYNC_RW);
		ba_sync(fd, DMA_BUF_SYNC_END | DMA_BUF_SYNC_RW);
		close(fd);
	}
	close(node);
}

/* ALLOC of a never-CPU buffer for these devices. */
static struct ba_outcome
alloc_for(int node, uint32_t heap, const int *fds, uint32_t count)
{
	struct ba_outcome outcome = { .verdict.size = sizeof(outcome.verdict) };
	struct bufalloc_alloc alloc = never_cpu;

	alloc.heap = heap;
	alloc.device_count = count;
	alloc.devices = (uintptr_t)outcome.devices;
	alloc.verdict = (uintptr_t)&outcome.verdict;
	for (uint32_t i = 0; i < count; i++) {
		outcome.devices[i].fd = fds[i];
		outcome.devices[i].access = BUFALLOC_ACCESS_READ;
	}
	outcome.fd = ioctl(node, BUFALLOC_IOCTL_ALLOC, &alloc) == 0 ?
			     alloc.out_fd : -1;
	return outcome;
}

/* For a device that does DMA it is a buffer like any other. */
static void
for_a_device_with_dma(void)
{
	int vgem = drm_open_driver("vgem");
	int node = ba_open();
	struct ba_outcome outcome = alloc_for(node, BUFALLOC_HEAP_AUTO, &vgem, 1);
	uint32_t handle;

	CHECK(outcome.fd >= 0);
	CHECK_EQ(outcome.devices[0].out_proof, BUFALLOC_PROOF_MAPPED);
	CHECK_EQ(outcome.verdict.out_attributes, NEVER_CPU);
	CHECK_EQ(drmPrimeFDToHandle(vgem, outcome.fd, &handle), 0);
	CHECK_EQ(ba_buffer_info(node, outcome.fd).out_mappings, 1);
	CHECK_EQ(ba_vmalloc_bytes(), 0);
	CHECK_EQ(drmCloseBufferHandle(vgem, handle), 0);
	close(outcome.fd);
	close(node);
	close(vgem);
}

/* The verdict names the device, and that it is because of the attribute. */
static void
for_a_device_that_needs_vmap(void)
{
	int fds[] = { drm_open_driver("vgem"), drm_open_driver("vkms") };
	int node = ba_open();

	for (uint32_t heap = BUFALLOC_HEAP_AUTO; heap <= BUFALLOC_HEAP_CONTIG; heap++) {
		struct ba_outcome outcome = alloc_for(node, heap, fds, 2);

		CHECK_EQ(outcome.fd, -1);
		CHECK_EQ(outcome.verdict.out_error, -ENOSPC);
		CHECK_EQ(outcome.verdict.out_reason, BUFALLOC_REASON_NEVER_CPU);
		CHECK_EQ(outcome.verdict.out_device, 1);
		CHECK_EQ(outcome.verdict.out_attributes, 0);
		/* That was known before any memory was taken. */
		CHECK_EQ(outcome.verdict.out_tried, 0);
	}
	close(node);
	close(fds[0]);
	close(fds[1]);
}

/* Its driver never maps for DMA (vb2-vmalloc). */
static void
for_a_device_without_dma(void)
{
	int camera = vivid_open();
	int node = ba_open();
	struct ba_outcome outcome = alloc_for(node, BUFALLOC_HEAP_AUTO, &camera, 1);

	CHECK_EQ(outcome.fd, -1);
	CHECK_EQ(outcome.verdict.out_error, -ENOSPC);
	CHECK_EQ(outcome.verdict.out_reason, BUFALLOC_REASON_NEVER_CPU);
	CHECK_EQ(outcome.verdict.out_device, 0);
	close(node);
	close(camera);
}

static const struct ktest_row rows[] = {
	{ "each-unknown-attribute-einval", unknown_bits },
	{ "write-combined-and-uncached-einval", write_combined_and_uncached },
	{ "required-and-not-asked-for-einval", required_and_not_asked_for },
	{ "structures-without-attributes", shorter_structures },
	{ "granted-by-every-heap", granted },
	{ "contiguous-is-one-range", contiguous },
	{ "contiguous-from-system-enospc", contiguous_from_a_heap_that_is_not },
	{ "never-cpu-cannot-be-mapped-eacces", cannot_be_mapped },
	{ "never-cpu-for-a-device-with-dma", for_a_device_with_dma },
	{ "never-cpu-for-a-device-that-needs-vmap-enospc",
	  for_a_device_that_needs_vmap },
	{ "never-cpu-for-a-device-without-dma-enospc", for_a_device_without_dma },
};

int
main(void)
{
	return ktest_main(rows, sizeof(rows) / sizeof(rows[0]));
}
