// SPDX-License-Identifier: MIT
/*
 * A CPU access waits for the devices that use the buffer, and their fences come
 * and go by the dma-buf core's ioctls. That it waits before it syncs is in
 * test_fences_order.c.
 */
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <linux/dma-buf.h>

#include "fence.h"
#include "ktest.h"

#define LENGTH ((size_t)1 << 20)

struct setup {
	int node, fd;
	struct fence fence;
};

static struct setup
set_up(enum fence_device device)
{
	struct setup setup = { .node = ba_open() };

	setup.fd = ba_alloc(setup.node, BUFALLOC_HEAP_SYSTEM, LENGTH);
	setup.fence = fence_on(setup.fd, device);
	return setup;
}

/* The device's fence is of another buffer, and comes as a sync_file. */
static struct setup
set_up_imported(enum fence_device device)
{
	struct setup setup = { .node = ba_open() };
	int sync_file;

	setup.fd = ba_alloc(setup.node, BUFALLOC_HEAP_SYSTEM, LENGTH);
	setup.fence = fence_elsewhere(&sync_file);
	fence_import(setup.fd, sync_file,
		     device == DEVICE_WRITES ? DMA_BUF_SYNC_WRITE :
					       DMA_BUF_SYNC_READ);
	close(sync_file);
	return setup;
}

static void
tear_down(struct setup *setup)
{
	fence_close(&setup->fence);
	close(setup->fd);
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

static int
copy(struct setup *setup, uint32_t flags)
{
	static uint8_t bytes[4096];

	return ba_try_copy(setup->node, setup->fd, flags, 0, sizeof(bytes), bytes);
}

typedef int (*access_fn)(struct setup *setup, uint32_t flags);

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

/* The access waits until the fence is signalled, and counts from then on. */
static void
waits_in(struct setup setup, access_fn access, uint32_t flags)
{
	pid_t child = begin_in_a_child(&setup, access, flags);
	int status;

	CHECK_WITHIN_1S(fence_waits(child));
	CHECK_EQ(waitpid(child, &status, WNOHANG), 0);
	/* What it waits for did not happen, so no access began. */
	CHECK_EQ(ba_buffer_info(setup.node, setup.fd).out_cpu_accesses, 0);
	fence_signal(&setup.fence);
	CHECK_WITHIN_1S(waitpid(child, &status, WNOHANG) == child);
	CHECK(WIFEXITED(status));
	CHECK_EQ(WEXITSTATUS(status), 0);
	CHECK_EQ(ba_buffer_info(setup.node, setup.fd).out_cpu_accesses, 1);
	tear_down(&setup);
}

static void
waits(access_fn access, enum fence_device device, uint32_t flags)
{
	waits_in(set_up(device), access, flags);
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

static void
copy_out_waits_for_a_writer(void)
{
	waits(copy, DEVICE_WRITES, 0);
}

static void
copy_in_waits_for_a_reader(void)
{
	waits(copy, DEVICE_READS, BUFALLOC_COPY_IN);
}

/* Of a device that never imported it, by DMA_BUF_IOCTL_IMPORT_SYNC_FILE. */
static void
waits_for_an_imported_fence(void)
{
	waits_in(set_up_imported(DEVICE_WRITES), sync_whole, DMA_BUF_SYNC_READ);
	waits_in(set_up_imported(DEVICE_WRITES), sync_range, BUFALLOC_SYNC_READ);
	waits_in(set_up_imported(DEVICE_WRITES), copy, 0);
	waits_in(set_up_imported(DEVICE_READS), sync_range, BUFALLOC_SYNC_WRITE);
}

/* It is polled for until the device has done what we must not overlap. */
static void
poll_tells(void)
{
	struct setup setup;

	for (int imported = 0; imported <= 1; imported++) {
		setup = imported ? set_up_imported(DEVICE_WRITES) :
				   set_up(DEVICE_WRITES);
		CHECK(!fence_polls(setup.fd, POLLIN));
		CHECK(!fence_polls(setup.fd, POLLOUT));
		fence_signal(&setup.fence);
		CHECK(fence_polls(setup.fd, POLLIN));
		CHECK(fence_polls(setup.fd, POLLOUT));
		tear_down(&setup);

		setup = imported ? set_up_imported(DEVICE_READS) :
				   set_up(DEVICE_READS);
		CHECK(fence_polls(setup.fd, POLLIN));
		CHECK(!fence_polls(setup.fd, POLLOUT));
		fence_signal(&setup.fence);
		CHECK(fence_polls(setup.fd, POLLOUT));
		tear_down(&setup);
	}
}

/* A sync_file of those whom an access like that would wait for. */
static void
export_tells(void)
{
	struct setup setup = set_up(DEVICE_READS);
	int read = fence_export(setup.fd, DMA_BUF_SYNC_READ);
	int write = fence_export(setup.fd, DMA_BUF_SYNC_WRITE);

	CHECK(fence_polls(read, POLLIN));
	CHECK(!fence_polls(write, POLLIN));
	fence_signal(&setup.fence);
	CHECK(fence_polls(write, POLLIN));
	close(read);
	close(write);
	tear_down(&setup);

	setup = set_up(DEVICE_WRITES);
	read = fence_export(setup.fd, DMA_BUF_SYNC_READ);
	CHECK(!fence_polls(read, POLLIN));
	fence_signal(&setup.fence);
	CHECK(fence_polls(read, POLLIN));
	close(read);
	tear_down(&setup);
}

/* From one of our buffers to another. */
static void
from_buffer_to_buffer(void)
{
	struct setup setup = set_up(DEVICE_WRITES);
	int other = ba_alloc(setup.node, BUFALLOC_HEAP_CONTIG, LENGTH);
	int sync_file = fence_export(setup.fd, DMA_BUF_SYNC_READ);

	CHECK(fence_polls(other, POLLOUT));
	fence_import(other, sync_file, DMA_BUF_SYNC_WRITE);
	close(sync_file);
	CHECK(!fence_polls(other, POLLIN));
	fence_signal(&setup.fence);
	CHECK(fence_polls(other, POLLIN));
	ba_sync(other, DMA_BUF_SYNC_START | DMA_BUF_SYNC_READ);
	ba_sync(other, DMA_BUF_SYNC_END | DMA_BUF_SYNC_READ);
	close(other);
	tear_down(&setup);
}

/* Two readers do not disturb each other, and an end waits for nobody. */
static void
does_not_wait(void)
{
	struct setup setup = set_up(DEVICE_READS);

	CHECK_EQ(sync_range(&setup, BUFALLOC_SYNC_READ), 0);
	CHECK_EQ(sync_range(&setup, BUFALLOC_SYNC_READ | BUFALLOC_SYNC_END), 0);
	CHECK_EQ(sync_range(&setup, BUFALLOC_SYNC_WRITE | BUFALLOC_SYNC_END), 0);
	fence_signal(&setup.fence);
	tear_down(&setup);
}

static void
signal_ends_the_wait(void)
{
	struct setup setup = set_up(DEVICE_WRITES);
	pid_t child = begin_in_a_child(&setup, sync_range, BUFALLOC_SYNC_READ);
	int status;

	CHECK_WITHIN_1S(fence_waits(child));
	CHECK_EQ(kill(child, SIGUSR1), 0);
	CHECK_WITHIN_1S(waitpid(child, &status, WNOHANG) == child);
	CHECK(WIFEXITED(status));
	CHECK_EQ(WEXITSTATUS(status), EINTR);
	fence_signal(&setup.fence);
	tear_down(&setup);
}

static const struct ktest_row rows[] = {
	{ "range-read-waits-for-a-writing-device", range_read_waits_for_a_writer },
	{ "range-write-waits-for-a-reading-device",
	  range_write_waits_for_a_reader },
	{ "whole-read-waits-for-a-writing-device", whole_read_waits_for_a_writer },
	{ "whole-write-waits-for-a-reading-device",
	  whole_write_waits_for_a_reader },
	{ "copy-out-waits-for-a-writing-device", copy_out_waits_for_a_writer },
	{ "copy-in-waits-for-a-reading-device", copy_in_waits_for_a_reader },
	{ "waits-for-an-imported-fence", waits_for_an_imported_fence },
	{ "poll-until-the-device-is-done", poll_tells },
	{ "export-sync-file-of-whom-it-would-wait-for", export_tells },
	{ "fence-from-buffer-to-buffer", from_buffer_to_buffer },
	{ "read-beside-a-reader-and-ends-do-not-wait", does_not_wait },
	{ "signal-ends-the-wait-eintr", signal_ends_the_wait },
};

int
main(void)
{
	return ktest_main(rows, sizeof(rows) / sizeof(rows[0]));
}
