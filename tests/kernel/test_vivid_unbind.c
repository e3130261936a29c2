// SPDX-License-Identifier: MIT
/*
 * A camera loses its driver, or must not, while its node is open: vivid is
 * unbound at every moment that there is.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <linux/videodev2.h>

#include "ktest.h"

#define FRAME ((uint64_t)640 * 480 * 4)
#define CAMERA "vivid-000-vid-cap"
#define ROUNDS 20

static void
tell_driver(const char *file)
{
	static const char name[] = "vivid.0";
	char path[64];
	int fd;

	snprintf(path, sizeof(path), "/sys/bus/platform/drivers/vivid/%s", file);
	fd = open(path, O_WRONLY | O_CLOEXEC);
	CHECK(fd >= 0);
	CHECK_EQ(write(fd, name, strlen(name)), strlen(name));
	close(fd);
}

static int
camera_open(void)
{
	int camera = v4l2_try_open(CAMERA);

	CHECK(camera >= 0);
	return camera;
}

static int
try_info(int node, int fd)
{
	struct bufalloc_device_info info = {
		.size = sizeof(info), .fd = fd, .access = BUFALLOC_ACCESS_WRITE,
	};

	return ioctl(node, BUFALLOC_IOCTL_DEVICE_INFO, &info);
}

static void
check_gone(int node, int camera)
{
	struct ba_outcome outcome;

	CHECK_ERRNO(ENODEV, try_info(node, camera));
	outcome = ba_alloc_for(node, BUFALLOC_HEAP_AUTO, FRAME, &camera, 1, 0);
	CHECK_EQ(outcome.fd, -1);
	CHECK_EQ(outcome.verdict.out_error, -ENODEV);
	CHECK_EQ(outcome.verdict.out_device, 0);
}

static void
check_works(void)
{
	int node = ba_open();
	int camera = camera_open();
	struct ba_outcome outcome =
		ba_alloc_for(node, BUFALLOC_HEAP_AUTO, FRAME, &camera, 1, 0);

	CHECK(outcome.fd >= 0);
	close(outcome.fd);
	close(camera);
	close(node);
}

static void
before_alloc(void)
{
	int node = ba_open();
	int camera = camera_open();

	tell_driver("unbind");
	check_gone(node, camera);
	tell_driver("bind");
	/* The open node is of what was there before. */
	check_gone(node, camera);
	close(camera);
	close(node);
	check_works();
}

static void
between_info_and_alloc(void)
{
	int node = ba_open();
	int camera = camera_open();

	CHECK_EQ(try_info(node, camera), 0);
	tell_driver("unbind");
	check_gone(node, camera);
	tell_driver("bind");
	close(camera);
	close(node);
	check_works();
}

#define BUFFERS 3

/* Frames of ours in the camera's queue. */
static void
queue_frames(int node, int camera, int *frames)
{
	struct v4l2_requestbuffers request = {
		.count = BUFFERS,
		.type = V4L2_BUF_TYPE_VIDEO_CAPTURE,
		.memory = V4L2_MEMORY_DMABUF,
	};
	struct v4l2_format format = { .type = V4L2_BUF_TYPE_VIDEO_CAPTURE };

	CHECK_EQ(ioctl(camera, VIDIOC_G_FMT, &format), 0);
	CHECK_EQ(ioctl(camera, VIDIOC_REQBUFS, &request), 0);
	CHECK_EQ(request.count, BUFFERS);
	for (uint32_t i = 0; i < BUFFERS; i++) {
		struct v4l2_buffer buffer = { .index = i, .type = request.type,
					      .memory = request.memory };

		if (frames[i] < 0) {
			frames[i] = ba_alloc_for(node, BUFALLOC_HEAP_AUTO,
						 format.fmt.pix.sizeimage,
						 &camera, 1, 0).fd;
		}
		CHECK(frames[i] >= 0);
		buffer.m.fd = frames[i];
		CHECK_EQ(ioctl(camera, VIDIOC_QBUF, &buffer), 0);
	}
}

/* Take a frame out and queue it again. */
static void
take_frame(int camera, const int *frames)
{
	struct v4l2_buffer buffer = { .type = V4L2_BUF_TYPE_VIDEO_CAPTURE,
				      .memory = V4L2_MEMORY_DMABUF };

	CHECK_EQ(ioctl(camera, VIDIOC_DQBUF, &buffer), 0);
	CHECK_EQ(buffer.m.fd, frames[buffer.index]);
	CHECK_EQ(ioctl(camera, VIDIOC_QBUF, &buffer), 0);
}

/*
 * The camera holds frames, and perhaps writes to them: with its driver it lets
 * go of all of them, although its node stays open, and of nothing else.
 */
static void
lose_frames(bool streams)
{
	const int type = V4L2_BUF_TYPE_VIDEO_CAPTURE;
	struct v4l2_buffer buffer = { .type = V4L2_BUF_TYPE_VIDEO_CAPTURE,
				      .memory = V4L2_MEMORY_DMABUF };
	int frames[BUFFERS] = { -1, -1, -1 };
	int node = ba_open();
	int camera = camera_open();
	struct bufalloc_buffer_info info;

	queue_frames(node, camera, frames);
	info = ba_buffer_info(node, frames[0]);
	CHECK_EQ(info.out_mappings + info.out_kernel_maps, 1);
	if (streams) {
		CHECK_EQ(ioctl(camera, VIDIOC_STREAMON, &type), 0);
		take_frame(camera, frames);
		take_frame(camera, frames);
	}

	tell_driver("unbind");
	for (int i = 0; i < BUFFERS; i++) {
		info = ba_buffer_info(node, frames[i]);
		CHECK_EQ(info.out_attachments, 0);
		CHECK_EQ(info.out_mappings, 0);
		CHECK_EQ(info.out_kernel_maps, 0);
	}
	check_gone(node, camera);
	CHECK_ERRNO(ENODEV, ioctl(camera, VIDIOC_DQBUF, &buffer));
	close(camera);
	tell_driver("bind");

	/* What is bound now takes the same buffers. */
	camera = camera_open();
	queue_frames(node, camera, frames);
	CHECK_EQ(ioctl(camera, VIDIOC_STREAMON, &type), 0);
	take_frame(camera, frames);
	close(camera);
	for (int i = 0; i < BUFFERS; i++) {
		close(frames[i]);
	}
	close(node);
}

static void
while_queued(void)
{
	lose_frames(false);
}

static void
while_streaming(void)
{
	lose_frames(true);
}

/*
 * Asks and allocates until the pipe is closed, with a node that may be gone at
 * any moment, and once more then, when it is there to stay. Return: how often both
 * went well.
 */
static int
use_until_closed(int node, int pipe_fd)
{
	bool is_closed = false;
	int done = 0;
	char byte;

	while (!is_closed) {
		struct ba_outcome outcome;
		int camera;

		is_closed = read(pipe_fd, &byte, 1) == 0;
		camera = v4l2_try_open(CAMERA);
		if (camera < 0) {
			continue;
		}
		for (int i = 0; i < 3; i++) {
			if (try_info(node, camera) != 0) {
				CHECK_EQ(errno, ENODEV);
			}
			outcome = ba_alloc_for(node, BUFALLOC_HEAP_AUTO, FRAME,
					       &camera, 1, 0);
			if (outcome.fd >= 0) {
				done++;
				close(outcome.fd);
			} else {
				CHECK_EQ(outcome.verdict.out_error, -ENODEV);
			}
		}
		close(camera);
	}
	return done;
}

static void
during_info_and_alloc(void)
{
	int node = ba_open();
	int pipe_fds[2], status;
	pid_t children[2];

	CHECK_EQ(pipe2(pipe_fds, O_CLOEXEC | O_NONBLOCK), 0);
	for (int i = 0; i < 2; i++) {
		children[i] = fork();
		CHECK(children[i] >= 0);
		if (children[i] == 0) {
			close(pipe_fds[1]);
			_exit(use_until_closed(node, pipe_fds[0]) > 0 ? 0 : 1);
		}
	}
	close(pipe_fds[0]);
	for (int i = 0; i < ROUNDS; i++) {
		tell_driver("unbind");
		tell_driver("bind");
	}
	close(pipe_fds[1]);
	for (int i = 0; i < 2; i++) {
		CHECK_EQ(waitpid(children[i], &status, 0), children[i]);
		CHECK_EQ(status, 0);
	}
	close(node);
	check_works();
}

/* Whoever holds a node open, or an importer of it, holds the driver. */
static void
unload(void)
{
	static const char *const displays[] = { "vkms", "vgem" };
	int node = ba_open();
	int camera = camera_open();

	CHECK_ERRNO(EAGAIN, syscall(SYS_delete_module, "vivid", O_NONBLOCK));
	close(camera);
	for (int i = 0; i < 2; i++) {
		int display = drm_open_driver(displays[i]);
		struct ba_outcome outcome = ba_alloc_for(
			node, BUFALLOC_HEAP_AUTO, FRAME, &display, 1, 0);
		char command[64];

		CHECK(outcome.fd >= 0);
		CHECK_ERRNO(EAGAIN, syscall(SYS_delete_module, displays[i],
					    O_NONBLOCK));
		close(display);
		/* A buffer that was made for it does not. */
		CHECK_WITHIN_1S(syscall(SYS_delete_module, displays[i],
					O_NONBLOCK) == 0);
		close(outcome.fd);
		snprintf(command, sizeof(command), "modprobe %s", displays[i]);
		CHECK_EQ(system(command), 0);
		display = drm_open_driver(displays[i]);
		outcome = ba_alloc_for(node, BUFALLOC_HEAP_AUTO, FRAME, &display,
				       1, 0);
		CHECK(outcome.fd >= 0);
		close(outcome.fd);
		close(display);
	}
	close(node);
}

static const struct ktest_row rows[] = {
	{ "before-alloc-enodev", before_alloc },
	{ "between-device-info-and-alloc-enodev", between_info_and_alloc },
	{ "while-buffers-are-queued", while_queued },
	{ "while-it-streams-into-buffers", while_streaming },
	{ "during-device-info-and-alloc", during_info_and_alloc },
	{ "an-open-node-holds-its-driver-eagain", unload },
};

int
main(void)
{
	return ktest_main(rows, sizeof(rows) / sizeof(rows[0]));
}
