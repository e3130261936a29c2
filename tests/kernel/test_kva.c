// SPDX-License-Identifier: MIT
/*
 * The kernel address space that the memory of a full-HD pipeline takes: ours
 * beside the DMA API's own, with /proc/vmallocinfo as the witness of both.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "camera.h"
#include "ktest.h"
#include "modules/ba_kva.h"

#define BUFFERS 16
#define LENGTH (8 << 20)
/* What ours may take for all of them. */
#define FEW (64 << 10)
#define FRAMES 48

/* What is unmapped already is only put aside. */
static bool
is_mapped(const char *line)
{
	return strstr(line, "unpurged") == NULL;
}

/* The sum of all that is in vmalloc space, whoever's it is. */
static long long
vmalloc_bytes(void)
{
	return (long long)ba_vmalloc_sum(is_mapped);
}

static void
growth_figure(const char *what, long long growth)
{
	struct utsname name;
	char figure[64];

	CHECK_EQ(uname(&name), 0);
	snprintf(figure, sizeof(figure), "%s_kva_growth_bytes_%s",
		 name.machine[0] == 'a' && name.machine[1] == 'r' ?
			 "armhf" : "arm64_smmu", what);
	ktest_figure(figure, (double)growth);
}

static long long
growth_of_dma_alloc(bool mapped)
{
	struct ba_kva_alloc arg = { .length = LENGTH, .mapped = mapped };
	int kva = open("/dev/ba_kva", O_RDWR | O_CLOEXEC);
	long long before = vmalloc_bytes(), growth;

	CHECK(kva >= 0);
	for (int i = 0; i < BUFFERS; i++) {
		CHECK_EQ(ioctl(kva, BA_KVA_ALLOC, &arg), 0);
	}
	growth = vmalloc_bytes() - before;
	close(kva);
	return growth;
}

static long long
growth_of_ours(uint32_t heap)
{
	int fds[BUFFERS], node = ba_open();
	long long before = vmalloc_bytes(), growth;

	for (int i = 0; i < BUFFERS; i++) {
		fds[i] = ba_alloc(node, heap, LENGTH);
	}
	growth = vmalloc_bytes() - before;
	for (int i = 0; i < BUFFERS; i++) {
		close(fds[i]);
	}
	close(node);
	return growth;
}

static void
beside_the_dma_api(void)
{
	long long mapped = growth_of_dma_alloc(true);
	long long unmapped = growth_of_dma_alloc(false);
	long long contig = growth_of_ours(BUFALLOC_HEAP_CONTIG);
	long long system = growth_of_ours(BUFALLOC_HEAP_SYSTEM);

	ktest_note("%d buffers of %d bytes: dma_alloc_attrs() takes %lld bytes, "
		   "without kernel mapping %lld; contig %lld, system %lld",
		   BUFFERS, LENGTH, mapped, unmapped, contig, system);
	growth_figure("mapped", mapped);
	growth_figure("nomap", contig > system ? contig : system);
	CHECK(mapped > 100000000);
	CHECK(contig <= FEW);
	CHECK(system <= FEW);
}

/* All buffers at once in a camera whose driver writes by the CPU. */
static void
while_a_camera_runs(void)
{
	int node = ba_open(), camera = vivid_open();
	size_t frame = camera_start(camera);
	struct ba_outcome buffers[BUFFERS];
	long long before = vmalloc_bytes(), growth;

	CHECK(frame <= LENGTH);
	camera_request(camera, V4L2_MEMORY_DMABUF, BUFFERS);
	for (uint32_t i = 0; i < BUFFERS; i++) {
		buffers[i] = ba_alloc_for(node, BUFALLOC_HEAP_CONTIG, LENGTH,
					  &camera, 1, 0);
		CHECK(buffers[i].fd >= 0);
		CHECK_EQ(camera_queue(camera, i, buffers[i].fd, LENGTH), 0);
	}
	camera_stream(camera, true);
	for (int i = 0; i < FRAMES; i++) {
		uint32_t index = camera_dequeue(camera, V4L2_MEMORY_DMABUF);

		CHECK_EQ(camera_queue(camera, index, buffers[index].fd, LENGTH),
			 0);
	}
	growth = vmalloc_bytes() - before;
	for (uint32_t i = 0; i < BUFFERS; i++) {
		struct bufalloc_buffer_info info =
			ba_buffer_info(node, buffers[i].fd);

		CHECK_EQ(info.out_kernel_maps, 1);
	}
	camera_stream(camera, false);
	camera_request(camera, V4L2_MEMORY_DMABUF, 0);
	ktest_note("%d buffers in a running camera: %lld bytes", BUFFERS, growth);
	growth_figure("capturing", growth);
	CHECK(growth <= FEW);
	for (uint32_t i = 0; i < BUFFERS; i++) {
		close(buffers[i].fd);
	}
	close(camera);
	close(node);
}

static const struct ktest_row rows[] = {
	{ "beside-the-dma-api", beside_the_dma_api },
	{ "while-a-camera-runs", while_a_camera_runs },
};

int
main(void)
{
	return ktest_main(rows, sizeof(rows) / sizeof(rows[0]));
}
