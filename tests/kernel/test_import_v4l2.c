// SPDX-License-Identifier: MIT
/*
 * vivid captures into our buffers: as vb2-vmalloc (allocators=0), which maps
 * for the CPU, and as vb2-dma-contig (allocators=1), which maps for DMA and
 * takes one segment only.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <linux/dma-buf.h>
#include <linux/videodev2.h>

#include "camera.h"
#include "ktest.h"

/* What the camera writes into a buffer of its own. */
static void *
reference_frame(int camera, size_t length)
{
	struct v4l2_buffer buffer = {
		.type = V4L2_BUF_TYPE_VIDEO_CAPTURE,
		.memory = V4L2_MEMORY_MMAP,
	};
	void *frame = malloc(length);
	void *data;

	CHECK(frame != NULL);
	camera_request(camera, V4L2_MEMORY_MMAP, 1);
	CHECK_EQ(ioctl(camera, VIDIOC_QUERYBUF, &buffer), 0);
	data = mmap(NULL, buffer.length, PROT_READ, MAP_SHARED, camera,
		    buffer.m.offset);
	CHECK(data != MAP_FAILED);
	CHECK_EQ(camera_queue(camera, 0, -1, 0), 0);
	camera_stream(camera, true);
	camera_dequeue(camera, V4L2_MEMORY_MMAP);
	memcpy(frame, data, length);
	camera_stream(camera, false);
	munmap(data, buffer.length);
	camera_request(camera, V4L2_MEMORY_MMAP, 0);
	return frame;
}

static void
captures(uint32_t heap)
{
	bool dma_contig = vivid_is_dma_contig();
	struct bufalloc_buffer_info info;
	int camera = vivid_open();
	int node = ba_open();
	size_t length = camera_start(camera);
	void *reference = NULL;
	uint8_t *data;
	int fd;

	/* As vb2-dma-contig it cannot even allocate one frame without CMA. */
	if (!dma_contig) {
		reference = reference_frame(camera, length);
	}
	fd = ba_alloc_for(node, heap, length, &camera, 1, 0).fd;
	CHECK(fd >= 0);
	CHECK_EQ(ba_vmalloc_bytes(), 0);
	camera_request(camera, V4L2_MEMORY_DMABUF, 1);
	CHECK_EQ(camera_queue(camera, 0, fd, (uint32_t)length), 0);
	info = ba_buffer_info(node, fd);
	CHECK_EQ(info.out_attachments, dma_contig ? 1 : 0);
	CHECK_EQ(info.out_mappings, dma_contig ? 1 : 0);
	camera_stream(camera, true);
	camera_dequeue(camera, V4L2_MEMORY_DMABUF);
	info = ba_buffer_info(node, fd);
	CHECK_EQ(info.out_kernel_maps, 1);
	/* One run needs no mapping, unless it is in high memory. */
	if (info.out_runs > 1) {
		CHECK_EQ(ba_vmalloc_bytes(), length + 4096);
	} else if (heap == BUFALLOC_HEAP_CONTIG || sizeof(long) == 8) {
		CHECK_EQ(ba_vmalloc_bytes(), 0);
	}
	camera_stream(camera, false);
	camera_request(camera, V4L2_MEMORY_DMABUF, 0);
	CHECK_EQ(ba_vmalloc_bytes(), 0);
	info = ba_buffer_info(node, fd);
	CHECK_EQ(info.out_kernel_maps, 0);
	CHECK_EQ(info.out_kernel_va, 0);
	CHECK_EQ(info.out_attachments, 0);
	CHECK_EQ(info.out_mappings, 0);

	data = ba_map(fd, length);
	ba_sync(fd, DMA_BUF_SYNC_START | DMA_BUF_SYNC_READ);
	if (reference != NULL) {
		CHECK(memcmp(data, reference, length) == 0);
	}
	/* Colour bars: neither all black nor all of one byte. */
	CHECK(first_nonzero(data, length) < length);
	CHECK(memcmp(data, data + 1000 * 4, 4) != 0);
	ba_sync(fd, DMA_BUF_SYNC_END | DMA_BUF_SYNC_READ);
	munmap(data, length);
	free(reference);
	close(fd);
	close(node);
	close(camera);
}

static void
captures_into_contig(void)
{
	captures(BUFALLOC_HEAP_CONTIG);
}

static void
captures_into_system(void)
{
	captures(BUFALLOC_HEAP_SYSTEM);
}

/*
 * Several segments and no IOMMU: refused, and nothing is left. Now and then
 * scattered memory happens to be one range, so several are tried; all are below
 * 4 GiB in this guest, where the camera reaches.
 */
static void
scattered_is_refused(void)
{
	int camera = vivid_open();
	int node = ba_open();
	size_t length = camera_start(camera);
	int fds[32];
	int refused = 0;

	camera_request(camera, V4L2_MEMORY_DMABUF, 1);
	for (int i = 0; i < 32; i++) {
		fds[i] = ba_alloc(node, BUFALLOC_HEAP_SYSTEM, length);
		if (ba_buffer_info(node, fds[i]).out_runs == 1) {
			continue;
		}
		refused++;
		CHECK_ERRNO(EFAULT, camera_queue(camera, 0, fds[i], (uint32_t)length));
		CHECK_EQ(ba_buffer_info(node, fds[i]).out_attachments, 0);
		CHECK_EQ(ba_buffer_info(node, fds[i]).out_mappings, 0);
	}
	for (int i = 0; i < 32; i++) {
		close(fds[i]);
	}
	CHECK(refused > 0);
	close(node);
	close(camera);
}

/* A buffer that is smaller than a frame is refused by vb2. */
static void
short_buffer(void)
{
	int camera = vivid_open();
	int node = ba_open();
	size_t length = camera_start(camera);
	int fd = ba_alloc(node, BUFALLOC_HEAP_CONTIG, length - 4096);

	camera_request(camera, V4L2_MEMORY_DMABUF, 1);
	CHECK_ERRNO(EINVAL, camera_queue(camera, 0, fd, 0));
	close(fd);
	close(node);
	close(camera);
}

/*
 * What the camera's driver writes to by the CPU. (Not as vb2-dma-contig: there
 * vivid takes it for a device with DMA, does not look whether it got a kernel
 * mapping, and writes to address 0.)
 */
static void
never_cpu_is_refused(void)
{
	int camera = vivid_open();
	int node = ba_open();
	size_t length = camera_start(camera);
	int fd = ba_alloc_with(node, BUFALLOC_HEAP_CONTIG, length,
			       BUFALLOC_ATTRIBUTE_NEVER_CPU);

	camera_request(camera, V4L2_MEMORY_DMABUF, 1);
	CHECK_ERRNO(EFAULT, camera_queue(camera, 0, fd, (uint32_t)length));
	CHECK_EQ(ba_buffer_info(node, fd).out_kernel_maps_total, 0);
	close(fd);
	close(node);
	close(camera);
}

static const struct ktest_row vmalloc_rows[] = {
	{ "vb2-vmalloc-captures-into-contig", captures_into_contig },
	{ "vb2-vmalloc-captures-into-system", captures_into_system },
	{ "vb2-vmalloc-refuses-a-short-buffer-einval", short_buffer },
	{ "vb2-vmalloc-refuses-never-cpu-efault", never_cpu_is_refused },
};

static const struct ktest_row dma_contig_rows[] = {
	{ "vb2-dma-contig-captures-into-contig", captures_into_contig },
	{ "vb2-dma-contig-refuses-scattered-efault", scattered_is_refused },
	{ "vb2-dma-contig-refuses-a-short-buffer-einval", short_buffer },
};

int
main(void)
{
	if (vivid_is_dma_contig()) {
		return ktest_main(dma_contig_rows, sizeof(dma_contig_rows) /
							   sizeof(dma_contig_rows[0]));
	}
	return ktest_main(vmalloc_rows,
			  sizeof(vmalloc_rows) / sizeof(vmalloc_rows[0]));
}
