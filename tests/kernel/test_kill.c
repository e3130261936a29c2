// SPDX-License-Identifier: MIT
/*
 * Processes that use buffers are killed: at the entry and at the exit of each of
 * their system calls, and at any moment while several threads are in the middle of
 * things ($KILL_TIMES times, KILL_TIMES_DEFAULT without). Nothing of theirs is left,
 * and the module works.
 */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/ptrace.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <linux/dma-buf.h>
#include <linux/videodev2.h>
#include <xf86drm.h>

#include "fwfile.h"
#include "ktest.h"
#include "user.h"

#define KILL_TIMES_DEFAULT 200
#define LENGTH ((size_t)1 << 20)
#define FIRMWARE "kill.bin"
#define THREADS 3
/* System calls of a scenario, entry and exit: more are a loop. */
#define CAP 2000

static unsigned int kill_points;

/* What a process does that is not killed: it must not fail, or it proves nothing. */
static void
must(bool holds)
{
	if (!holds) {
		_exit(98);
	}
}

static void
share_buffer(uint32_t heap)
{
	int node = open("/dev/bufalloc", O_RDWR | O_CLOEXEC);
	int vgem = drm_try_open("/dev/dri/card", 0, "vgem");
	int fd = ba_try_alloc(node, heap, LENGTH);
	struct dma_buf_sync sync = { .flags = DMA_BUF_SYNC_RW };
	uint32_t handle;
	uint8_t *data;

	must(node >= 0 && vgem >= 0 && fd >= 0);
	data = mmap(NULL, LENGTH, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	must(data != MAP_FAILED);
	must(drmPrimeFDToHandle(vgem, fd, &handle) == 0);
	must(ioctl(fd, DMA_BUF_IOCTL_SYNC, &sync) == 0);
	data[0] = 1;
	sync.flags |= DMA_BUF_SYNC_END;
	must(ioctl(fd, DMA_BUF_IOCTL_SYNC, &sync) == 0);
	must(drmCloseBufferHandle(vgem, handle) == 0);
	munmap(data, LENGTH);
	close(fd);
	close(vgem);
	close(node);
}

static void
scenario_system(void)
{
	share_buffer(BUFALLOC_HEAP_SYSTEM);
}

static void
scenario_contig(void)
{
	share_buffer(BUFALLOC_HEAP_CONTIG);
}

/* A camera captures into a buffer. */
static void
scenario_camera(void)
{
	struct v4l2_requestbuffers request = {
		.count = 2,
		.type = V4L2_BUF_TYPE_VIDEO_CAPTURE,
		.memory = V4L2_MEMORY_DMABUF,
	};
	struct v4l2_format format = { .type = V4L2_BUF_TYPE_VIDEO_CAPTURE };
	struct v4l2_buffer buffer = {
		.type = V4L2_BUF_TYPE_VIDEO_CAPTURE,
		.memory = V4L2_MEMORY_DMABUF,
	};
	int type = V4L2_BUF_TYPE_VIDEO_CAPTURE;
	int node = open("/dev/bufalloc", O_RDWR | O_CLOEXEC);
	int camera = v4l2_try_open("vivid-000-vid-cap");
	int fds[2];

	must(node >= 0 && camera >= 0);
	must(ioctl(camera, VIDIOC_G_FMT, &format) == 0);
	/* The one before may not have gone yet. */
	if (ioctl(camera, VIDIOC_REQBUFS, &request) != 0) {
		must(errno == EBUSY);
		_exit(0);
	}
	for (uint32_t i = 0; i < 2; i++) {
		fds[i] = ba_try_alloc(node, BUFALLOC_HEAP_SYSTEM,
				      format.fmt.pix.sizeimage);
		must(fds[i] >= 0);
		buffer.index = i;
		buffer.m.fd = fds[i];
		must(ioctl(camera, VIDIOC_QBUF, &buffer) == 0);
	}
	must(ioctl(camera, VIDIOC_STREAMON, &type) == 0);
	must(ioctl(camera, VIDIOC_DQBUF, &buffer) == 0);
	must(ioctl(camera, VIDIOC_STREAMOFF, &type) == 0);
	close(camera);
	close(fds[0]);
	close(fds[1]);
	close(node);
}

/* Memory of its own, and what may be done with it. */
static void
scenario_user(void)
{
	static uint8_t bytes[3 * 4096];
	int node = open("/dev/bufalloc", O_RDWR | O_CLOEXEC);
	void *data = mmap(NULL, LENGTH, PROT_READ | PROT_WRITE,
			  MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	struct bufalloc_sync_range sync = {
		.size = sizeof(sync),
		.flags = BUFALLOC_SYNC_READ,
		.length = 100,
	};
	struct bufalloc_copy copy = {
		.size = sizeof(copy),
		.length = sizeof(bytes),
		.address = (uintptr_t)bytes,
	};
	int fd = user_try_import(node, data, LENGTH, 0);

	must(node >= 0 && data != MAP_FAILED && fd >= 0);
	sync.fd = fd;
	copy.fd = fd;
	must(ioctl(node, BUFALLOC_IOCTL_SYNC_RANGE, &sync) == 0);
	must(ioctl(node, BUFALLOC_IOCTL_COPY, &copy) == 0);
	munmap(data, LENGTH);
	close(fd);
	close(node);
}

static void
scenario_firmware(void)
{
	int node = open("/dev/bufalloc", O_RDWR | O_CLOEXEC);
	int fd = ba_try_alloc(node, BUFALLOC_HEAP_SYSTEM, LENGTH);
	struct bufalloc_load_firmware load = {
		.size = sizeof(load),
		.fd = fd,
		.name = (uintptr_t)FIRMWARE,
	};

	must(node >= 0 && fd >= 0);
	must(ioctl(node, BUFALLOC_IOCTL_LOAD_FIRMWARE, &load) == 0);
	close(fd);
	close(node);
}

static const struct {
	const char *name;
	void (*run)(void);
} scenarios[] = {
	{ "system", scenario_system },	   { "contig", scenario_contig },
	{ "camera", scenario_camera },	   { "user", scenario_user },
	{ "firmware", scenario_firmware },
};
#define SCENARIOS (sizeof(scenarios) / sizeof(scenarios[0]))

/* All goes with the last process, within a second (fput() is asynchronous). */
static void
check_all_gone(const char *name, unsigned int at)
{
	static const char *const kinds[] = { "buffers", "attachments", "mappings",
					     "tables", "kernel_maps",
					     "accounts", "pinned_pages" };

	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		int left = 0;

		for (int try = 0; try < 1000; try++) {
			left = ba_live(kinds[i]);
			if (left == 0) {
				break;
			}
			ktest_pause_1ms();
		}
		if (left != 0) {
			ktest_fail(__FILE__, __LINE__,
				   "%s, killed at %u: %d %s are left", name, at,
				   left, kinds[i]);
		}
	}
}

/*
 * A scenario until its stop number @stop (from 1 on; an entry and an exit are two),
 * where it is killed. false: it ended before.
 */
static bool
kill_at(size_t scenario, unsigned int stop)
{
	int status;
	pid_t child = fork();

	CHECK(child >= 0);
	if (child == 0) {
		must(ptrace(PTRACE_TRACEME, 0, NULL, NULL) == 0);
		raise(SIGSTOP);
		scenarios[scenario].run();
		_exit(0);
	}
	CHECK_EQ(waitpid(child, &status, 0), child);
	CHECK(WIFSTOPPED(status));
	CHECK_EQ(ptrace(PTRACE_SETOPTIONS, child, NULL,
			PTRACE_O_EXITKILL | PTRACE_O_TRACESYSGOOD), 0);
	for (unsigned int i = 0; i < stop; i++) {
		CHECK_EQ(ptrace(PTRACE_SYSCALL, child, NULL, NULL), 0);
		CHECK_EQ(waitpid(child, &status, 0), child);
		if (WIFEXITED(status)) {
			CHECK_EQ(WEXITSTATUS(status), 0);
			return false;
		}
		CHECK(WIFSTOPPED(status));
		CHECK_EQ(WSTOPSIG(status), SIGTRAP | 0x80);
	}
	CHECK_EQ(kill(child, SIGKILL), 0);
	CHECK_EQ(waitpid(child, &status, 0), child);
	CHECK(WIFSIGNALED(status));
	return true;
}

static void
each_system_call(void)
{
	fwfile_set_up();
	fwfile_make(FIRMWARE, LENGTH / 2, 1);
	close(drm_open_driver("vgem"));
	close(vivid_open());
	for (size_t i = 0; i < SCENARIOS; i++) {
		unsigned int stop = 1;

		while (kill_at(i, stop)) {
			check_all_gone(scenarios[i].name, stop);
			CHECK(++stop < CAP);
		}
		check_all_gone(scenarios[i].name, stop);
		ktest_note("%s: killed at %u stops", scenarios[i].name,
			   stop - 1);
		kill_points += stop - 1;
	}
}

static void *
run_for_ever(void *data)
{
	size_t first = (size_t)(uintptr_t)data;

	for (size_t i = first;; i++) {
		size_t scenario = i % SCENARIOS;

		/* There is one camera: it is the first thread's. */
		if (scenarios[scenario].run != scenario_camera || first == 0) {
			scenarios[scenario].run();
		}
	}
	return NULL;
}

static void
work_until_killed(void)
{
	pthread_t thread;

	for (uintptr_t i = 0; i < THREADS; i++) {
		must(pthread_create(&thread, NULL, run_for_ever,
				    (void *)i) == 0);
	}
	pause();
}

static unsigned int
times(void)
{
	const char *text = getenv("KILL_TIMES");

	return text != NULL && *text != '\0' ?
		       (unsigned int)strtoul(text, NULL, 10) :
		       KILL_TIMES_DEFAULT;
}

/* Moments up to 100 ms after the start, the same ones in each run. */
static void
any_moment(void)
{
	uint64_t seed = 1;

	fwfile_set_up();
	fwfile_make(FIRMWARE, LENGTH / 2, 1);
	for (unsigned int i = 0; i < times(); i++) {
		struct timespec moment = { 0 };
		pid_t child = fork();
		int status;

		CHECK(child >= 0);
		if (child == 0) {
			work_until_killed();
		}
		seed = seed * 6364136223846793005u + 1442695040888963407u;
		moment.tv_nsec = (long)(seed >> 33) % 100000000;
		nanosleep(&moment, NULL);
		kill(child, SIGKILL);
		CHECK_EQ(waitpid(child, &status, 0), child);
		/* It has not ended by itself: nothing failed there. */
		CHECK(WIFSIGNALED(status));
		check_all_gone("any moment", i);
		kill_points++;
	}
}

static void
works_afterwards(void)
{
	for (size_t i = 0; i < SCENARIOS; i++) {
		pid_t child = fork();
		int status;

		CHECK(child >= 0);
		if (child == 0) {
			scenarios[i].run();
			_exit(0);
		}
		CHECK_EQ(waitpid(child, &status, 0), child);
		CHECK(WIFEXITED(status));
		CHECK_EQ(WEXITSTATUS(status), 0);
	}
	ktest_figure("kill_points", kill_points);
}

static const struct ktest_row rows[] = {
	{ "killed-at-each-system-call", each_system_call },
	{ "killed-at-any-moment", any_moment },
	{ "works-afterwards", works_afterwards },
};

int
main(void)
{
	return ktest_main(rows, sizeof(rows) / sizeof(rows[0]));
}
