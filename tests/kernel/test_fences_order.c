// SPDX-License-Identifier: MIT
/*
 * A CPU access waits for the device before it syncs: what the device writes until
 * its fence is signalled is seen. In a guest with swiotlb=force a sync that came
 * before the wait shows as old data.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <linux/dma-buf.h>

#include "fence.h"
#include "ktest.h"
#include "modules/ba_importer.h"

#define LENGTH ((size_t)1 << 20)
#define BEGIN ((size_t)12345)
#define END ((size_t)654321)

struct setup {
	int node, fd, importer;
	uint8_t *data, *bytes;
};

static void
device_write(struct setup *setup, uint32_t seed)
{
	struct ba_importer_access access = { .seed = seed };

	CHECK_EQ(ioctl(setup->importer, BA_IMPORTER_WRITE, &access), 0);
}

/* Has the device's last writing been seen in [@begin, @end)? */
static bool
is_written(const uint8_t *data, size_t begin, size_t end, uint32_t seed)
{
	for (size_t at = begin; at < end; at++) {
		if (data[at] != (uint8_t)(at * 31 + seed)) {
			return false;
		}
	}
	return true;
}

static bool
sees_by_whole(struct setup *setup, uint32_t seed)
{
	struct dma_buf_sync sync = { .flags = DMA_BUF_SYNC_READ };

	return ioctl(setup->fd, DMA_BUF_IOCTL_SYNC, &sync) == 0 &&
	       is_written(setup->data, 0, LENGTH, seed);
}

static bool
sees_by_range(struct setup *setup, uint32_t seed)
{
	struct bufalloc_sync_range sync = {
		.size = sizeof(sync),
		.flags = BUFALLOC_SYNC_READ,
		.fd = setup->fd,
		.offset = BEGIN,
		.length = END - BEGIN,
	};

	return ioctl(setup->node, BUFALLOC_IOCTL_SYNC_RANGE, &sync) == 0 &&
	       is_written(setup->data, BEGIN, END, seed);
}

static bool
sees_by_copy(struct setup *setup, uint32_t seed)
{
	return ba_try_copy(setup->node, setup->fd, 0, 0, LENGTH, setup->bytes) == 0 &&
	       is_written(setup->bytes, 0, LENGTH, seed);
}

/* The device writes once more while the CPU waits for it. */
static void
sees_the_last(bool (*sees)(struct setup *setup, uint32_t seed))
{
	struct ba_importer_import import = { .device = 0 };
	struct setup setup = { .node = ba_open() };
	struct fence fence;
	int sync_file, status;
	pid_t child;

	setup.importer = open("/dev/ba_importer", O_RDWR | O_CLOEXEC);
	if (setup.importer < 0) {
		ktest_skip("ba_importer is not loaded");
	}
	setup.fd = ba_alloc(setup.node, BUFALLOC_HEAP_SYSTEM, LENGTH);
	setup.data = ba_map(setup.fd, LENGTH);
	setup.bytes = malloc(LENGTH);
	CHECK(setup.bytes != NULL);
	import.fd = setup.fd;
	CHECK_EQ(ioctl(setup.importer, BA_IMPORTER_IMPORT, &import), 0);
	/* Else this file proves nothing. */
	CHECK_EQ(import.bounced, LENGTH);

	device_write(&setup, 1);
	fence = fence_elsewhere(&sync_file);
	fence_import(setup.fd, sync_file, DMA_BUF_SYNC_WRITE);
	close(sync_file);
	child = fork();
	CHECK(child >= 0);
	if (child == 0) {
		_exit(sees(&setup, 2) ? 0 : 1);
	}
	CHECK_WITHIN_1S(fence_waits(child));
	device_write(&setup, 2);
	fence_signal(&fence);
	CHECK_WITHIN_1S(waitpid(child, &status, WNOHANG) == child);
	CHECK(WIFEXITED(status));
	CHECK_EQ(WEXITSTATUS(status), 0);

	fence_close(&fence);
	munmap(setup.data, LENGTH);
	free(setup.bytes);
	close(setup.importer);
	close(setup.fd);
	close(setup.node);
}

static void
whole(void)
{
	sees_the_last(sees_by_whole);
}

static void
range(void)
{
	sees_the_last(sees_by_range);
}

static void
copy(void)
{
	sees_the_last(sees_by_copy);
}

static const struct ktest_row rows[] = {
	{ "whole-syncs-after-the-fence", whole },
	{ "range-syncs-after-the-fence", range },
	{ "copy-syncs-after-the-fence", copy },
};

int
main(void)
{
	return ktest_main(rows, sizeof(rows) / sizeof(rows[0]));
}
