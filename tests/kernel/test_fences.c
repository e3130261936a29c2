// SPDX-License-Identifier: MIT
/*
 * A CPU access waits for the devices that use the buffer. vgem gives us fences
 * that are signalled when we say so (drivers/gpu/drm/vgem/vgem_fence.c).
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <linux/dma-buf.h>
#include <xf86drm.h>

#include "ktest.h"

#define LENGTH ((size_t)1 << 20)

/* What include/uapi/drm/vgem_drm.h says, which no package has. */
struct fence_attach {
	uint32_t handle;
	uint32_t flags;
	uint32_t out_fence;
	uint32_t pad;
};

struct fence_signal {
	uint32_t fence;
	uint32_t flags;
};

#define FENCE_ATTACH DRM_IOWR(DRM_COMMAND_BASE + 1, struct fence_attach)
#define FENCE_SIGNAL DRM_IOW(DRM_COMMAND_BASE + 2, struct fence_signal)
#define DEVICE_READS 0
#define DEVICE_WRITES 1

struct setup {
	int node, fd, card;
	uint32_t handle, fence;
};

static struct setup
set_up(uint32_t device)
{
	struct setup setup = { .node = ba_open() };
	struct fence_attach attach = { .flags = device };

	setup.card = drm_open_driver("vgem");
	setup.fd = ba_alloc(setup.node, BUFALLOC_HEAP_SYSTEM, LENGTH);
	CHECK_EQ(drmPrimeFDToHandle(setup.card, setup.fd, &setup.handle), 0);
	attach.handle = setup.handle;
	CHECK_EQ(ioctl(setup.card, FENCE_ATTACH, &attach), 0);
	setup.fence = attach.out_fence;
	return setup;
}

static void
signal_fence(struct setup *setup)
{
	struct fence_signal arg = { .fence = setup->fence };

	/* ETIMEDOUT if it took 10 s: then nothing was proven. */
	CHECK_EQ(ioctl(setup->card, FENCE_SIGNAL, &arg), 0);
}

static void
tear_down(struct setup *setup)
{
	CHECK_EQ(drmCloseBufferHandle(setup->card, setup->handle), 0);
	close(setup->fd);
	close(setup->card);
	close(setup->node);
}

/* One page in the middle. */
static int
sync_range(struct setup *setup, uint32_t flags)
{
	struct bufalloc_sync_range sync = {
		.size = sizeof(sync),
		.flags = flags,
		.fd = setup->fd,
		.offset = LENGTH / 2,
		.length = 4096,
	};

	return ioctl(setup->node, BUFALLOC_IOCTL_SYNC_RANGE, &sync);
}

static int
sync_whole(struct setup *setup, uint32_t flags)
{
	struct dma_buf_sync sync = { .flags = flags };

	return ioctl(setup->fd, DMA_BUF_IOCTL_SYNC, &sync);
}

typedef int (*access_fn)(struct setup *setup, uint32_t flags);

/* Is that process asleep until a fence is signalled? */
static bool
waits_for_a_fence(pid_t pid)
{
	char path[64], symbol[64] = "";
	FILE *file;

	snprintf(path, sizeof(path), "/proc/%d/wchan", pid);
	file = fopen(path, "re");
	CHECK(file != NULL);
	(void)!fread(symbol, 1, sizeof(symbol) - 1, file);
	fclose(file);
	return strstr(symbol, "dma_fence") != NULL;
}

static void
on_signal(int number)
{
	(void)number;
}

/* A process that begins an access and exits with the errno of that. */
static pid_t
begin_in_a_child(struct setup *setup, access_fn access, uint32_t flags)
{
	pid_t child = fork();

	CHECK(child >= 0);
	if (child == 0) {
		/* Without SA_RESTART. */
		struct sigaction action = { .sa_handler = on_signal };

		sigaction(SIGUSR1, &action, NULL);
		_exit(access(setup, flags) == 0 ? 0 : errno);
	}
	return child;
}

static void
waits(access_fn access, uint32_t device, uint32_t flags)
{
	struct setup setup = set_up(device);
	pid_t child = begin_in_a_child(&setup, access, flags);
	int status;

	CHECK_WITHIN_1S(waits_for_a_fence(child));
	CHECK_EQ(waitpid(child, &status, WNOHANG), 0);
	/* What it waits for did not happen, so no access began. */
	CHECK_EQ(ba_buffer_info(setup.node, setup.fd).out_cpu_accesses, 0);
	signal_fence(&setup);
	CHECK_WITHIN_1S(waitpid(child, &status, WNOHANG) == child);
	CHECK(WIFEXITED(status));
	CHECK_EQ(WEXITSTATUS(status), 0);
	CHECK_EQ(ba_buffer_info(setup.node, setup.fd).out_cpu_accesses, 1);
	tear_down(&setup);
}

static void
range_read_waits_for_a_writer(void)
{
	waits(sync_range, DEVICE_WRITES, BUFALLOC_SYNC_READ);
}

static void
range_write_waits_for_a_reader(void)
{
	waits(sync_range, DEVICE_READS, BUFALLOC_SYNC_WRITE);
}

static void
whole_read_waits_for_a_writer(void)
{
	waits(sync_whole, DEVICE_WRITES, DMA_BUF_SYNC_READ);
}

static void
whole_write_waits_for_a_reader(void)
{
	waits(sync_whole, DEVICE_READS, DMA_BUF_SYNC_WRITE);
}

/* Two readers do not disturb each other, and an end waits for nobody. */
static void
does_not_wait(void)
{
	struct setup setup = set_up(DEVICE_READS);

	CHECK_EQ(sync_range(&setup, BUFALLOC_SYNC_READ), 0);
	CHECK_EQ(sync_range(&setup, BUFALLOC_SYNC_READ | BUFALLOC_SYNC_END), 0);
	CHECK_EQ(sync_range(&setup, BUFALLOC_SYNC_WRITE | BUFALLOC_SYNC_END), 0);
	signal_fence(&setup);
	tear_down(&setup);
}

static void
signal_ends_the_wait(void)
{
	struct setup setup = set_up(DEVICE_WRITES);
	pid_t child = begin_in_a_child(&setup, sync_range, BUFALLOC_SYNC_READ);
	int status;

	CHECK_WITHIN_1S(waits_for_a_fence(child));
	CHECK_EQ(kill(child, SIGUSR1), 0);
	CHECK_WITHIN_1S(waitpid(child, &status, WNOHANG) == child);
	CHECK(WIFEXITED(status));
	CHECK_EQ(WEXITSTATUS(status), EINTR);
	signal_fence(&setup);
	tear_down(&setup);
}

static const struct ktest_row rows[] = {
	{ "range-read-waits-for-a-writing-device", range_read_waits_for_a_writer },
	{ "range-write-waits-for-a-reading-device",
	  range_write_waits_for_a_reader },
	{ "whole-read-waits-for-a-writing-device", whole_read_waits_for_a_writer },
	{ "whole-write-waits-for-a-reading-device",
	  whole_write_waits_for_a_reader },
	{ "read-beside-a-reader-and-ends-do-not-wait", does_not_wait },
	{ "signal-ends-the-wait-eintr", signal_ends_the_wait },
};

int
main(void)
{
	return ktest_main(rows, sizeof(rows) / sizeof(rows[0]));
}
