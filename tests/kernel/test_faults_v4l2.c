// SPDX-License-Identifier: MIT
/*
 * A V4L2 driver with bufalloc's memory operations (the sample camera), with each
 * allocation and copy failing.
 *
 * Not QBUF of dma-bufs: where one cannot be attached, videobuf2 forgets its reference
 * of it, whatever the memory operations are (__prepare_dmabuf() in videobuf2-core.c
 * of 6.12).
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "faults.h"
#include "ktest.h"
#include "sample.h"
#include "user.h"

#define BUFFERS 2
static struct sample camera;
static int made = -1, next;
static size_t length;
static void *data;

static void
prepare_camera(void)
{
	camera = sample_open(0, V4L2_PIX_FMT_XBGR32, 64, 32);
	length = (camera.size + 4095) & ~(size_t)4095;
}

static void
prepare_mmap(void)
{
	prepare_camera();
	sample_request(&camera, V4L2_MEMORY_MMAP, BUFFERS);
	next = dup(camera.fd);
	close(next);
}

static void
prepare_user(void)
{
	prepare_camera();
	sample_request(&camera, V4L2_MEMORY_USERPTR, BUFFERS);
	data = user_anonymous(length, MAP_PRIVATE);
}

static void
prepare_queued(void)
{
	prepare_mmap();
	for (uint32_t i = 0; i < BUFFERS; i++) {
		sample_queue(&camera, V4L2_MEMORY_MMAP, i, 0, 0);
	}
}

static void
undo(void)
{
	if (data != NULL) {
		munmap(data, length);
		data = NULL;
	}
	faults_close(&made);
	faults_close(&camera.fd);
}

/* The node's own path is found before. */
static char path[64];

static void
prepare_path(void)
{
	char link[64];
	ssize_t n;
	int probe = sample_try_open(0);

	CHECK(probe >= 0);
	snprintf(link, sizeof(link), "/proc/self/fd/%d", probe);
	n = readlink(link, path, sizeof(path) - 1);
	CHECK(n > 0);
	path[n] = '\0';
	close(probe);
}

static int
run_open(void)
{
	camera.fd = open(path, O_RDWR | O_CLOEXEC);
	return faults_errno(camera.fd);
}

/* Some buffers are as good as all. */
static int
run_request(void)
{
	struct v4l2_requestbuffers request = {
		.count = BUFFERS,
		.type = V4L2_BUF_TYPE_VIDEO_CAPTURE,
		.memory = V4L2_MEMORY_MMAP,
	};

	return faults_errno(ioctl(camera.fd, VIDIOC_REQBUFS, &request));
}

static int
run_export(void)
{
	struct v4l2_exportbuffer export = {
		.type = V4L2_BUF_TYPE_VIDEO_CAPTURE,
		.flags = O_RDWR | O_CLOEXEC,
	};

	if (ioctl(camera.fd, VIDIOC_EXPBUF, &export) != 0) {
		int error = errno;

		/* V4L2 has published it before its answer cannot be copied. */
		made = fcntl(next, F_GETFD) >= 0 ? next : -1;
		return error;
	}
	made = export.fd;
	return 0;
}

static int
run_map(void)
{
	void *map = mmap(NULL, length, PROT_READ | PROT_WRITE, MAP_SHARED,
			 camera.fd, 0);

	if (map == MAP_FAILED) {
		return errno;
	}
	data = map;
	return 0;
}

static int
run_queue_user(void)
{
	return faults_errno(sample_try_queue(&camera, V4L2_MEMORY_USERPTR, 0,
					     (uintptr_t)data, length));
}

static int
run_stream(void)
{
	int type = V4L2_BUF_TYPE_VIDEO_CAPTURE;

	if (ioctl(camera.fd, VIDIOC_STREAMON, &type) != 0) {
		return errno;
	}
	return faults_errno(ioctl(camera.fd, VIDIOC_STREAMOFF, &type));
}

FAULTS_ROW(sweep_open, "open the camera", prepare_path, run_open, undo, FAULTS_NOTHING_LEFT)
FAULTS_ROW(sweep_request, "REQBUFS", prepare_camera, run_request, undo, FAULTS_NOTHING_LEFT)
/* To videobuf2 it is EINVAL, whatever the memory operations said. */
FAULTS_ROW(sweep_export, "EXPBUF", prepare_mmap, run_export, undo,
	   { ENOMEM, EFAULT, EINVAL })
FAULTS_ROW(sweep_map, "mmap of a camera's buffer", prepare_mmap, run_map, undo,
	   FAULTS_NOTHING_LEFT)
FAULTS_ROW(sweep_queue_user, "QBUF of user memory", prepare_user, run_queue_user, undo,
	   FAULTS_NOTHING_LEFT)
FAULTS_ROW(sweep_stream, "STREAMON and STREAMOFF", prepare_queued, run_stream, undo,
	   FAULTS_NOTHING_LEFT)

static const struct ktest_row rows[] = {
	{ "open", sweep_open },
	{ "reqbufs", sweep_request },
	{ "expbuf", sweep_export },
	{ "mmap", sweep_map },
	{ "qbuf-of-user-memory", sweep_queue_user },
	{ "streamon-and-streamoff", sweep_stream },
	{ "nothing-is-leaked", faults_check_leaks },
	{ "totals", faults_keep },
};

int
main(void)
{
	return ktest_main(rows, sizeof(rows) / sizeof(rows[0]));
}
