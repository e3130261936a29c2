// SPDX-License-Identifier: MIT
/*
 * What v4l-utils' script contrib/test/test-media does to the drivers that the kernel
 * is tested with, done to the sample camera: it loses its driver while nobody has it
 * open, while v4l2-ctl waits for a picture, while v4l2-ctl rests between two, and
 * while programs just have it open, whereupon the driver is unloaded. Then the other
 * calls that a program can be blocked in. Other states are in test_camera_unbind.c.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/wait.h>
#include <unistd.h>

#include "ktest.h"
#include "sample.h"
#include "user.h"

#define BUFFERS 3
#define SLEEPERS 4
#define XR24 V4L2_PIX_FMT_XBGR32
#define UNLOAD() syscall(SYS_delete_module, "bufalloc_camera", O_NONBLOCK)

/* Unbinding renumbers nodes: the camera is found by its place. */
static char name[32];

static struct sample
camera_open(void)
{
	snprintf(name, sizeof(name), "%s", sample_pci_name(0));
	return sample_open(0, XR24, 64, 32);
}

/* The same, closed: it stays in that format until it loses its driver. */
static void
camera_in_small(void)
{
	struct sample camera = camera_open();

	close(camera.fd);
}

/* @count buffers of its own, queued, and streaming. */
static struct sample
camera_start(uint32_t count)
{
	struct sample camera = camera_open();

	sample_request(&camera, V4L2_MEMORY_MMAP, count);
	for (uint32_t i = 0; i < count; i++) {
		sample_queue(&camera, V4L2_MEMORY_MMAP, i, 0, 0);
	}
	sample_stream(&camera, true);
	return camera;
}

static void
check_works(void)
{
	struct sample camera = camera_start(BUFFERS);
	struct v4l2_buffer buffer = sample_dequeue(&camera, V4L2_MEMORY_MMAP);
	size_t length;
	void *data = sample_map(&camera, buffer.index, &length);

	CHECK_EQ(sample_mismatch(&camera, buffer.sequence, data), camera.size);
	munmap(data, length);
	close(camera.fd);
}

static void
load(void)
{
	CHECK_EQ(system("insmod \"$CAMERA_KO\""), 0);
}

/* Its status. */
static int
wait_for(pid_t child)
{
	int status;

	CHECK_EQ(waitpid(child, &status, 0), child);
	return status;
}

/* What the kernel says the process sleeps in has @part in it. */
static bool
sleeps_in(pid_t process, const char *part)
{
	char path[64], text[64] = "";
	FILE *file;

	snprintf(path, sizeof(path), "/proc/%d/wchan", process);
	file = fopen(path, "re");
	CHECK(file != NULL);
	if (fgets(text, sizeof(text), file) == NULL) {
		text[0] = '\0';
	}
	fclose(file);
	return strstr(text, part) != NULL;
}

/* v4l2-ctl streams from the camera, with this option besides. */
static pid_t
run_v4l2_ctl(const char *option)
{
	char path[64];
	struct stat status;
	int fd = sample_try_open(0);
	pid_t child;

	CHECK(fd >= 0);
	CHECK_EQ(fstat(fd, &status), 0);
	close(fd);
	snprintf(path, sizeof(path), "/dev/video%u", minor(status.st_rdev));
	child = fork();
	CHECK(child >= 0);
	if (child == 0) {
		int null = open("/dev/null", O_RDWR | O_CLOEXEC);

		dup2(null, 1);
		dup2(null, 2);
		execlp("v4l2-ctl", "v4l2-ctl", "-d", path, "--stream-mmap",
		       option, (char *)NULL);
		_exit(127);
	}
	return child;
}

/* The first: nobody has it open. */
static void
nobody_has_it(void)
{
	snprintf(name, sizeof(name), "%s", sample_pci_name(0));
	for (int i = 0; i < 3; i++) {
		sample_unbind(name);
		sample_bind(name);
	}
	check_works();
	CHECK_EQ(UNLOAD(), 0);
	load();
	check_works();
}

/* The second: v4l2-ctl waits in VIDIOC_DQBUF. It ends by itself. */
static void
v4l2_ctl_waits(void)
{
	struct v4l2_streamparm parameters = {
		.type = V4L2_BUF_TYPE_VIDEO_CAPTURE,
		.parm.capture.timeperframe = { .numerator = 1000, .denominator = 1 },
	};
	struct sample camera = camera_open();
	pid_t child;
	int status;

	CHECK_EQ(ioctl(camera.fd, VIDIOC_S_PARM, &parameters), 0);
	close(camera.fd);
	child = run_v4l2_ctl("--stream-count=1000");
	CHECK_WITHIN_1S(sleeps_in(child, "vb2"));
	CHECK_EQ(waitpid(child, &status, WNOHANG), 0);
	sample_unbind(name);
	status = wait_for(child);
	CHECK(WIFEXITED(status) && WEXITSTATUS(status) != 127);
	sample_bind(name);
	check_works();
}

/*
 * That of vimc: v4l2-ctl streams, and when that ended rests, asks QUERYCAP and closes
 * what it has open; then the driver is unloaded.
 */
static void
v4l2_ctl_streams(void)
{
	char path[96];
	pid_t child;

	camera_in_small();
	child = run_v4l2_ctl("--sleep=1");
	/* It has mapped them when it streams. */
	snprintf(path, sizeof(path), "grep -q dmabuf: /proc/%d/maps", child);
	for (int i = 0; i < 300 && system(path) != 0; i++) {
		poll(NULL, 0, 100);
	}
	CHECK_EQ(system(path), 0);
	sample_unbind(name);
	CHECK(WIFEXITED(wait_for(child)));
	CHECK_WITHIN_1S(UNLOAD() == 0);
	load();
	check_works();
}

/* The third: programs have it open, one after the other closes it. */
static void
held_open(void)
{
	int files[SLEEPERS];

	camera_in_small();
	for (int i = 0; i < SLEEPERS; i++) {
		files[i] = sample_try_open(0);
		CHECK(files[i] >= 0);
	}
	sample_unbind(name);
	for (int i = 0; i < SLEEPERS; i++) {
		struct v4l2_capability capability;

		CHECK_ERRNO(ENODEV, ioctl(files[i], VIDIOC_QUERYCAP, &capability));
		CHECK_ERRNO(EAGAIN, UNLOAD());
		close(files[i]);
	}
	CHECK_WITHIN_1S(UNLOAD() == 0);
	load();
	check_works();
}

/* It cannot be unloaded while it streams, and can be as soon as the file is closed. */
static void
unloaded_after_streaming(void)
{
	struct sample camera = camera_start(BUFFERS);

	CHECK_ERRNO(EAGAIN, UNLOAD());
	sample_dequeue(&camera, V4L2_MEMORY_MMAP);
	CHECK_ERRNO(EAGAIN, UNLOAD());
	close(camera.fd);
	CHECK_WITHIN_1S(UNLOAD() == 0);
	load();
	check_works();
}

static bool
poll_ends(int fd)
{
	struct pollfd entry = { .fd = fd, .events = POLLIN };

	return poll(&entry, 1, -1) == 1 && (entry.revents & POLLERR);
}

static bool
select_ends(int fd)
{
	fd_set set;

	FD_ZERO(&set);
	FD_SET(fd, &set);
	return select(fd + 1, &set, NULL, NULL, NULL) == 1 && FD_ISSET(fd, &set);
}

static bool
epoll_ends(int fd)
{
	struct epoll_event event = { .events = EPOLLIN };
	int set = epoll_create1(EPOLL_CLOEXEC);

	return epoll_ctl(set, EPOLL_CTL_ADD, fd, &event) == 0 &&
	       epoll_wait(set, &event, 1, -1) == 1 && (event.events & EPOLLERR);
}

static bool
dqbuf_ends(int fd)
{
	struct v4l2_buffer buffer = {
		.type = V4L2_BUF_TYPE_VIDEO_CAPTURE,
		.memory = V4L2_MEMORY_MMAP,
	};

	return ioctl(fd, VIDIOC_DQBUF, &buffer) != 0 &&
	       (errno == ENODEV || errno == EINVAL);
}

/*
 * A child waits in @wait: the driver cannot be unloaded. The camera loses it, and the
 * call ends: true, as it should.
 */
static void
ends_by_unbind(bool (*wait)(int fd), const char *where)
{
	struct sample camera = camera_start(1);
	pid_t child;

	/* There is no other picture to come. */
	sample_dequeue(&camera, V4L2_MEMORY_MMAP);
	child = fork();
	CHECK(child >= 0);
	if (child == 0) {
		_exit(wait(camera.fd) ? 0 : 1);
	}
	close(camera.fd);
	/* Which of the two select() is in depends on what was inlined. */
	CHECK_WITHIN_1S(sleeps_in(child, where) || sleeps_in(child, "poll"));
	CHECK_ERRNO(EAGAIN, UNLOAD());
	sample_unbind(name);
	CHECK_EQ(wait_for(child), 0);
	CHECK_WITHIN_1S(UNLOAD() == 0);
	load();
	check_works();
}

static void
in_dqbuf(void)
{
	ends_by_unbind(dqbuf_ends, "vb2");
}

static void
in_poll(void)
{
	ends_by_unbind(poll_ends, "poll");
}

static void
in_select(void)
{
	ends_by_unbind(select_ends, "select");
}

static void
in_epoll(void)
{
	ends_by_unbind(epoll_ends, "poll");
}

/*
 * V4L2 wakes nobody who waits for an event. A signal ends it, and then the driver
 * can be unloaded.
 */
static void
in_dqevent(void)
{
	struct v4l2_event_subscription subscription = {
		.type = V4L2_EVENT_CTRL, .id = V4L2_CID_BRIGHTNESS,
	};
	struct sample camera = camera_open();
	int status;
	pid_t child;

	CHECK_EQ(ioctl(camera.fd, VIDIOC_SUBSCRIBE_EVENT, &subscription), 0);
	child = fork();
	CHECK(child >= 0);
	if (child == 0) {
		struct v4l2_event event;

		_exit(ioctl(camera.fd, VIDIOC_DQEVENT, &event) == 0 ? 0 : 1);
	}
	close(camera.fd);
	CHECK_WITHIN_1S(sleeps_in(child, "v4l2_event_dequeue"));
	sample_unbind(name);
	CHECK_ERRNO(EAGAIN, UNLOAD());
	CHECK_EQ(kill(child, SIGKILL), 0);
	status = wait_for(child);
	CHECK(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
	CHECK_WITHIN_1S(UNLOAD() == 0);
	load();
	check_works();
}

/* What others own and the camera has queued is let go of with the driver. */
static void
queued_user_pointers(void)
{
	struct sample camera = camera_open();
	uint8_t *data = user_scattered(BUFFERS * camera.size);
	long long before = user_pins();

	sample_request(&camera, V4L2_MEMORY_USERPTR, BUFFERS);
	for (uint32_t i = 0; i < BUFFERS; i++) {
		sample_queue(&camera, V4L2_MEMORY_USERPTR, i,
			     (uintptr_t)(data + i * camera.size), camera.size);
	}
	sample_stream(&camera, true);
	sample_dequeue(&camera, V4L2_MEMORY_USERPTR);
	CHECK(user_pins() > before);
	sample_unbind(name);
	CHECK_WITHIN_1S(user_pins() == before);
	CHECK_EQ(user_vm_pin(), 0);
	munmap(data, BUFFERS * camera.size);
	close(camera.fd);
	CHECK_WITHIN_1S(UNLOAD() == 0);
	load();
	check_works();
}

static void
queued_dmabufs(void)
{
	struct sample camera = camera_open();
	int node = ba_open(), fds[BUFFERS];

	sample_request(&camera, V4L2_MEMORY_DMABUF, BUFFERS);
	for (uint32_t i = 0; i < BUFFERS; i++) {
		fds[i] = ba_alloc(node, BUFALLOC_HEAP_SYSTEM, camera.size);
		sample_queue(&camera, V4L2_MEMORY_DMABUF, i, (uintptr_t)fds[i],
			     camera.size);
		CHECK_EQ(ba_buffer_info(node, fds[i]).out_mappings, 1);
	}
	sample_stream(&camera, true);
	sample_dequeue(&camera, V4L2_MEMORY_DMABUF);
	sample_unbind(name);
	for (uint32_t i = 0; i < BUFFERS; i++) {
		CHECK_EQ(ba_buffer_info(node, fds[i]).out_mappings, 0);
		close(fds[i]);
	}
	close(camera.fd);
	close(node);
	CHECK_WITHIN_1S(UNLOAD() == 0);
	load();
	check_works();
}

static const struct ktest_row rows[] = {
	{ "nobody-has-it-open", nobody_has_it },
	{ "v4l2-ctl-waits-for-a-picture", v4l2_ctl_waits },
	{ "v4l2-ctl-streams-and-rests", v4l2_ctl_streams },
	{ "programs-have-it-open", held_open },
	{ "unloaded-after-streaming", unloaded_after_streaming },
	{ "in-dqbuf", in_dqbuf },
	{ "in-poll", in_poll },
	{ "in-select", in_select },
	{ "in-epoll-wait", in_epoll },
	{ "in-dqevent", in_dqevent },
	{ "user-pointers-queued", queued_user_pointers },
	{ "dma-bufs-queued", queued_dmabufs },
};

int
main(void)
{
	return ktest_main(rows, sizeof(rows) / sizeof(rows[0]));
}
