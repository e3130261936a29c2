// SPDX-License-Identifier: MIT
/*
 * vivid captures into our buffers: as vb2-vmalloc (allocators=0), which maps
 * for the CPU, and as vb2-dma-contig (allocators=1), which maps for DMA and
 * takes one segment only.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <linux/dma-buf.h>
#include <linux/videodev2.h>

#include "ktest.h"

/* A picture that is the same in every frame: no text, nothing moves. */
static size_t
start_camera(int camera)
{
	struct v4l2_format format = {
		.type = V4L2_BUF_TYPE_VIDEO_CAPTURE,
		.fmt.pix = {
			.width = 1920,
			.height = 1080,
			.pixelformat = V4L2_PIX_FMT_XBGR32,
			.field = V4L2_FIELD_NONE,
		},
	};
	char link[64], path[64] = "", command[256];
	ssize_t n;

	snprintf(link, sizeof(link), "/proc/self/fd/%d", camera);
	n = readlink(link, path, sizeof(path) - 1);
	CHECK(n > 0);
	snprintf(command, sizeof(command),
		 "v4l2-ctl -d %s -c osd_text_mode=2 >/dev/null", path);
	CHECK_EQ(system(command), 0);
	CHECK_EQ(ioctl(camera, VIDIOC_S_FMT, &format), 0);
	CHECK_EQ(format.fmt.pix.pixelformat, V4L2_PIX_FMT_XBGR32);
	CHECK_EQ(format.fmt.pix.width, 1920);
	return format.fmt.pix.sizeimage;
}

static void
request(int camera, enum v4l2_memory memory, uint32_t count)
{
	struct v4l2_requestbuffers request = {
		.count = count,
		.type = V4L2_BUF_TYPE_VIDEO_CAPTURE,
		.memory = memory,
	};

	CHECK_EQ(ioctl(camera, VIDIOC_REQBUFS, &request), 0);
}

static void
stream(int camera, bool on)
{
	int type = V4L2_BUF_TYPE_VIDEO_CAPTURE;

	CHECK_EQ(ioctl(camera, on ? VIDIOC_STREAMON : VIDIOC_STREAMOFF, &type), 0);
}

static int
queue(int camera, int fd, uint32_t length)
{
	struct v4l2_buffer buffer = {
		.type = V4L2_BUF_TYPE_VIDEO_CAPTURE,
		.memory = fd < 0 ? V4L2_MEMORY_MMAP : V4L2_MEMORY_DMABUF,
		.m.fd = fd,
		.length = length,
	};

	if (fd < 0) {
		buffer.m.offset = 0;
	}
	return ioctl(camera, VIDIOC_QBUF, &buffer);
}

static void
dequeue(int camera, enum v4l2_memory memory)
{
	struct v4l2_buffer buffer = {
		.type = V4L2_BUF_TYPE_VIDEO_CAPTURE,
		.memory = memory,
	};
	struct pollfd ready = { .fd = camera, .events = POLLIN };

	CHECK_EQ(poll(&ready, 1, 10000), 1);
	CHECK_EQ(ioctl(camera, VIDIOC_DQBUF, &buffer), 0);
	CHECK((buffer.flags & V4L2_BUF_FLAG_ERROR) == 0);
}

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
	request(camera, V4L2_MEMORY_MMAP, 1);
	CHECK_EQ(ioctl(camera, VIDIOC_QUERYBUF, &buffer), 0);
	data = mmap(NULL, buffer.length, PROT_READ, MAP_SHARED, camera,
		    buffer.m.offset);
	CHECK(data != MAP_FAILED);
	CHECK_EQ(queue(camera, -1, 0), 0);
	stream(camera, true);
	dequeue(camera, V4L2_MEMORY_MMAP);
	memcpy(frame, data, length);
	stream(camera, false);
	munmap(data, buffer.length);
	request(camera, V4L2_MEMORY_MMAP, 0);
	return frame;
}

static void
captures(uint32_t heap)
{
	bool dma_contig = vivid_is_dma_contig();
	struct bufalloc_buffer_info info;
	int camera = vivid_open();
	int node = ba_open();
	size_t length = start_camera(camera);
	void *reference = NULL;
	uint8_t *data;
	int fd;

	/* As vb2-dma-contig it cannot even allocate one frame without CMA. */
	if (!dma_contig) {
		reference = reference_frame(camera, length);
	}
	fd = ba_alloc(node, heap, length);
	CHECK_EQ(ba_vmalloc_bytes(), 0);
	request(camera, V4L2_MEMORY_DMABUF, 1);
	CHECK_EQ(queue(camera, fd, (uint32_t)length), 0);
	info = ba_buffer_info(node, fd);
	CHECK_EQ(info.out_attachments, dma_contig ? 1 : 0);
	CHECK_EQ(info.out_mappings, dma_contig ? 1 : 0);
	stream(camera, true);
	dequeue(camera, V4L2_MEMORY_DMABUF);
	info = ba_buffer_info(node, fd);
	CHECK_EQ(info.out_kernel_maps, 1);
	CHECK_EQ(ba_vmalloc_bytes(), info.out_runs == 1 ? 0 : length + 4096);
	stream(camera, false);
	request(camera, V4L2_MEMORY_DMABUF, 0);
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
	size_t length = start_camera(camera);
	int fds[32];
	int refused = 0;

	request(camera, V4L2_MEMORY_DMABUF, 1);
	for (int i = 0; i < 32; i++) {
		fds[i] = ba_alloc(node, BUFALLOC_HEAP_SYSTEM, length);
		if (ba_buffer_info(node, fds[i]).out_runs == 1) {
			continue;
		}
		refused++;
		CHECK_ERRNO(EFAULT, queue(camera, fds[i], (uint32_t)length));
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
	size_t length = start_camera(camera);
	int fd = ba_alloc(node, BUFALLOC_HEAP_CONTIG, length - 4096);

	request(camera, V4L2_MEMORY_DMABUF, 1);
	CHECK_ERRNO(EINVAL, queue(camera, fd, 0));
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
	size_t length = start_camera(camera);
	int fd = ba_alloc_with(node, BUFALLOC_HEAP_CONTIG, length,
			       BUFALLOC_ATTRIBUTE_NEVER_CPU);

	request(camera, V4L2_MEMORY_DMABUF, 1);
	CHECK_ERRNO(EFAULT, queue(camera, fd, (uint32_t)length));
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
