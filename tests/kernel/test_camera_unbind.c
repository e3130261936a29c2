// SPDX-License-Identifier: MIT
/*
 * The sample camera loses its driver in every state, and the driver is unloaded:
 * what user space and other devices have of its buffers stays theirs.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "edu.h"
#include "ktest.h"
#include "sample.h"

#define BUFFERS 3
#define ROUNDS 8
#define XR24 V4L2_PIX_FMT_XBGR32

/* Unbinding renumbers nodes: cameras are found by their place in these. */
static char names[2][32];

static void
find_names(void)
{
	for (unsigned int i = 0; i < 2; i++) {
		snprintf(names[i], sizeof(names[i]), "%s", sample_pci_name(i));
	}
}

static struct sample
start(void)
{
	struct sample camera;

	find_names();
	camera = sample_open(0, XR24, 64, 32);
	sample_request(&camera, V4L2_MEMORY_MMAP, BUFFERS);
	for (uint32_t i = 0; i < BUFFERS; i++) {
		sample_queue(&camera, V4L2_MEMORY_MMAP, i, 0, 0);
	}
	sample_stream(&camera, true);
	return camera;
}

static void
check_works(void)
{
	struct sample camera = start();

	sample_dequeue(&camera, V4L2_MEMORY_MMAP);
	close(camera.fd);
}

/* In the middle of a picture, between two, and before the first. */
static void
while_streaming(void)
{
	for (int i = 0; i < ROUNDS; i++) {
		struct v4l2_buffer buffer = {
			.type = V4L2_BUF_TYPE_VIDEO_CAPTURE,
			.memory = V4L2_MEMORY_MMAP,
		};
		struct sample camera = start();

		if (i % 2 == 1) {
			sample_dequeue(&camera, V4L2_MEMORY_MMAP);
		}
		poll(NULL, 0, i * 130);
		sample_unbind(names[0]);
		CHECK_ERRNO(ENODEV, ioctl(camera.fd, VIDIOC_DQBUF, &buffer));
		CHECK_ERRNO(ENODEV, ioctl(camera.fd, VIDIOC_QBUF, &buffer));
		/* Open or not, it can come back. */
		if (i % 4 < 2) {
			close(camera.fd);
			camera.fd = -1;
		}
		sample_bind(names[0]);
		if (camera.fd >= 0) {
			close(camera.fd);
		}
	}
	check_works();
}

/* A process waits for a picture that does not come any more. */
static void
blocked_in_dqbuf(void)
{
	struct sample camera;
	int pipe_fds[2], status;
	pid_t child;
	char byte;

	find_names();
	camera = sample_open(0, XR24, 64, 32);
	sample_request(&camera, V4L2_MEMORY_MMAP, 1);
	sample_stream(&camera, true);
	CHECK_EQ(pipe2(pipe_fds, O_CLOEXEC), 0);
	child = fork();
	CHECK(child >= 0);
	if (child == 0) {
		struct v4l2_buffer buffer = {
			.type = V4L2_BUF_TYPE_VIDEO_CAPTURE,
			.memory = V4L2_MEMORY_MMAP,
		};
		int ret;

		CHECK_EQ(write(pipe_fds[1], "", 1), 1);
		ret = ioctl(camera.fd, VIDIOC_DQBUF, &buffer);
		_exit(ret != 0 && (errno == ENODEV || errno == EINVAL) ? 0 : 1);
	}
	CHECK_EQ(read(pipe_fds[0], &byte, 1), 1);
	poll(NULL, 0, 500);
	CHECK_EQ(waitpid(child, &status, WNOHANG), 0);
	sample_unbind(names[0]);
	CHECK_EQ(waitpid(child, &status, 0), child);
	CHECK_EQ(status, 0);
	close(pipe_fds[0]);
	close(pipe_fds[1]);
	close(camera.fd);
	sample_bind(names[0]);
	check_works();
}

/*
 * Another device, another camera and a process have a buffer of a camera that
 * loses its driver, and of one whose driver is unloaded afterwards.
 */
static void
exported_and_imported(void)
{
	struct sample camera = start(), other;
	int node = ba_open(), reader = edu_open(2, EDU_ANY_SEGMENTS);
	struct v4l2_buffer buffer = sample_dequeue(&camera, V4L2_MEMORY_MMAP);
	uint8_t *seen = malloc(camera.size);
	struct bufalloc_buffer_info info;
	size_t length;
	uint8_t *data;
	int fd;

	CHECK(seen != NULL);
	data = sample_map(&camera, buffer.index, &length);
	fd = sample_export(&camera, buffer.index);
	edu_import(reader, fd);
	other = sample_open(1, XR24, 64, 32);
	sample_request(&other, V4L2_MEMORY_DMABUF, 1);
	sample_queue(&other, V4L2_MEMORY_DMABUF, 0, (uintptr_t)fd, length);
	CHECK_EQ(ba_buffer_info(node, fd).out_mappings, 3);

	sample_unbind(names[0]);
	info = ba_buffer_info(node, fd);
	CHECK_EQ(info.out_mappings, 2);
	CHECK_EQ(sample_mismatch(&camera, buffer.sequence, data), camera.size);
	edu_read(reader, seen, 0, camera.size);
	CHECK_EQ(sample_mismatch(&camera, buffer.sequence, seen), camera.size);
	/* The other camera draws into what was the first one's. */
	sample_stream(&other, true);
	buffer = sample_dequeue(&other, V4L2_MEMORY_DMABUF);
	CHECK_EQ(sample_mismatch(&other, buffer.sequence, data), other.size);

	/* No one's file of the camera's is open any more; the memory is. */
	close(other.fd);
	CHECK_ERRNO(EAGAIN, syscall(SYS_delete_module, "bufalloc_camera",
				    O_NONBLOCK));
	close(camera.fd);
	CHECK_WITHIN_1S(syscall(SYS_delete_module, "bufalloc_camera",
				O_NONBLOCK) == 0);
	CHECK_EQ(ba_buffer_info(node, fd).out_mappings, 1);
	CHECK_EQ(sample_mismatch(&other, buffer.sequence, data), other.size);
	edu_read(reader, seen, 0, camera.size);
	CHECK_EQ(sample_mismatch(&other, buffer.sequence, seen), other.size);
	edu_release(reader);
	close(fd);
	/* Now only the mapping has it. */
	CHECK_EQ(sample_mismatch(&other, buffer.sequence, data), other.size);
	munmap(data, length);
	free(seen);
	close(reader);
	close(node);
	CHECK_EQ(system("insmod \"$CAMERA_KO\""), 0);
	check_works();
}

/* Buffers are made and given back while the driver comes and goes. */
static void
during_reqbufs(void)
{
	int pipe_fds[2], status;
	char byte;
	pid_t child;

	find_names();
	CHECK_EQ(pipe2(pipe_fds, O_CLOEXEC | O_NONBLOCK), 0);
	child = fork();
	CHECK(child >= 0);
	if (child == 0) {
		int done = 0;

		close(pipe_fds[1]);
		while (read(pipe_fds[0], &byte, 1) != 0) {
			int camera = sample_try_open(0);

			for (uint32_t i = 0; camera >= 0 && i < 6; i++) {
				struct v4l2_requestbuffers request = {
					.count = i % 3,
					.type = V4L2_BUF_TYPE_VIDEO_CAPTURE,
					.memory = V4L2_MEMORY_MMAP,
				};

				if (ioctl(camera, VIDIOC_REQBUFS, &request) == 0) {
					done++;
				} else {
					CHECK(errno == ENODEV || errno == EBUSY);
				}
			}
			if (camera >= 0) {
				close(camera);
			}
		}
		_exit(done > 0 ? 0 : 1);
	}
	close(pipe_fds[0]);
	for (int i = 0; i < 2 * ROUNDS; i++) {
		sample_unbind(names[0]);
		sample_bind(names[0]);
		poll(NULL, 0, 20);
	}
	close(pipe_fds[1]);
	CHECK_EQ(waitpid(child, &status, 0), child);
	CHECK_EQ(status, 0);
	check_works();
}

static const struct ktest_row rows[] = {
	{ "while-it-streams", while_streaming },
	{ "while-a-process-waits-for-a-picture", blocked_in_dqbuf },
	{ "while-buffers-are-made-and-given-back", during_reqbufs },
	{ "exported-buffers-outlive-driver-and-module", exported_and_imported },
};

int
main(void)
{
	return ktest_main(rows, sizeof(rows) / sizeof(rows[0]));
}
