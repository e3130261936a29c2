// SPDX-License-Identifier: MIT
/*
 * Pictures of 1920x1080 from the sample camera, which writes them by its device's
 * DMA, to four other devices at the same time, inside the IOMMU and outside, each of
 * which reads its part of the rows by DMA. What they read together is compared with
 * the picture byte by byte, and nothing maps it for the CPU.
 */
#include <errno.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "edu.h"
#include "ktest.h"
#include "sample.h"

#define READERS 4
#define FRAMES 2

/* Of all rows. */
static unsigned int equal;

/* One device: its part of the picture, by a process of its own. */
static pid_t
begin_to_read(unsigned int index, int reader, const struct sample *camera,
	      uint8_t *seen)
{
	size_t begin = camera->size * index / READERS;
	size_t end = camera->size * (index + 1) / READERS;
	pid_t child = fork();

	CHECK(child >= 0);
	if (child == 0) {
		edu_read(reader, seen + begin, begin, end - begin);
		_exit(0);
	}
	return child;
}

/* All of them hold it while any of them reads. */
static void
read_by_all(const int *readers, int fd, const struct sample *camera,
	    uint8_t *seen)
{
	pid_t children[READERS];
	int status;

	for (int i = 0; i < READERS; i++) {
		edu_import(readers[i], fd);
	}
	for (unsigned int i = 0; i < READERS; i++) {
		children[i] = begin_to_read(i, readers[i], camera, seen);
	}
	for (int i = 0; i < READERS; i++) {
		CHECK_EQ(waitpid(children[i], &status, 0), children[i]);
		CHECK_EQ(status, 0);
	}
}

/* The first @count pictures; those that arrived as they were made. */
static void
pictures(uint32_t fourcc, unsigned int count)
{
	struct sample camera = sample_open(0, fourcc, 1920, 1080);
	uint8_t *seen = mmap(NULL, camera.size, PROT_READ | PROT_WRITE,
			     MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	int node = ba_open(), readers[READERS], fd;
	struct bufalloc_buffer_info info;
	unsigned int cpu_maps;

	CHECK(seen != MAP_FAILED);
	for (unsigned int i = 0; i < READERS; i++) {
		readers[i] = edu_open(1 + i, EDU_ANY_SEGMENTS);
	}
	sample_watch_cpu();
	sample_request(&camera, V4L2_MEMORY_MMAP, 1);
	fd = sample_export(&camera, 0);
	sample_queue(&camera, V4L2_MEMORY_MMAP, 0, 0, 0);
	sample_stream(&camera, true);
	for (unsigned int i = 0; i < count; i++) {
		struct v4l2_buffer buffer =
			sample_dequeue(&camera, V4L2_MEMORY_MMAP);

		read_by_all(readers, fd, &camera, seen);
		info = ba_buffer_info(node, fd);
		CHECK_EQ(info.out_attachments, READERS);
		for (int at = 0; at < READERS; at++) {
			edu_release(readers[at]);
		}
		CHECK_EQ(sample_mismatch(&camera, buffer.sequence, seen),
			 camera.size);
		equal++;
		sample_queue(&camera, V4L2_MEMORY_MMAP, 0, 0, 0);
	}
	sample_stream(&camera, false);
	cpu_maps = sample_cpu_maps();
	CHECK_EQ(cpu_maps, 0);
	info = ba_buffer_info(node, fd);
	CHECK_EQ(info.out_user_maps + info.out_kernel_maps_total +
		 info.out_cpu_accesses, 0);
	close(fd);
	for (int i = 0; i < READERS; i++) {
		close(readers[i]);
	}
	munmap(seen, camera.size);
	close(node);
	close(camera.fd);
}

static void
nv12(void)
{
	pictures(V4L2_PIX_FMT_NV12, FRAMES);
}

static void
xr24(void)
{
	pictures(V4L2_PIX_FMT_XBGR32, 1);
}

static void
figure(void)
{
	ktest_figure("edu_full_hd_frames_equal", equal);
	CHECK_EQ(equal, FRAMES + 1);
}

static const struct ktest_row rows[] = {
	{ "nv12-to-four-devices", nv12 },
	{ "xr24-to-four-devices", xr24 },
	{ "every-frame-arrived", figure },
};

int
main(void)
{
	return ktest_main(rows, sizeof(rows) / sizeof(rows[0]));
}
