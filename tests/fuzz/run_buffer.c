// SPDX-License-Identifier: MIT
/*
 * What can be done with any dma-buf.
 */
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <linux/dma-buf.h>

#include "run.h"

long
op_sync(struct run *run, const uint64_t *args)
{
	struct dma_buf_sync sync = { .flags = args[1] };

	return ioctl(run_fd(run, args[0]), DMA_BUF_IOCTL_SYNC, &sync);
}

long
op_set_name(struct run *run, const uint64_t *args)
{
	static const char name[] = "a name that is longer than thirty-one bytes";

	return ioctl(run_fd(run, args[0]), DMA_BUF_SET_NAME,
		     name + sizeof(name) - 1 - args[1] % sizeof(name));
}

/* <linux/dma-buf.h> of 6.1 has them, that of some root file systems does not. */
struct fence_file {
	uint32_t flags;
	int32_t fd;
};
#define EXPORT_FENCE _IOWR(DMA_BUF_BASE, 2, struct fence_file)
#define IMPORT_FENCE _IOW(DMA_BUF_BASE, 3, struct fence_file)

long
op_export_fence(struct run *run, const uint64_t *args)
{
	struct fence_file file = { .flags = (uint32_t)args[1], .fd = -1 };

	if (ioctl(run_fd(run, args[0]), EXPORT_FENCE, &file) != 0) {
		return -1;
	}
	return run_made_fd(run, file.fd);
}

long
op_import_fence(struct run *run, const uint64_t *args)
{
	struct fence_file file = { .flags = (uint32_t)args[2],
				   .fd = run_fd(run, args[1]) };

	return ioctl(run_fd(run, args[0]), IMPORT_FENCE, &file);
}

static long
read_all(const char *path)
{
	char text[4096];
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t n = 1;

	for (int i = 0; fd >= 0 && i < 8 && n > 0; i++) {
		n = read(fd, text, sizeof(text));
	}
	if (fd >= 0) {
		close(fd);
	}
	return fd;
}

/* What the kernel shows of it. */
long
op_look(struct run *run, const uint64_t *args)
{
	int fd = run_fd(run, args[0]);
	struct pollfd ready = { .fd = fd, .events = POLLIN | POLLOUT };
	char path[64];

	switch (args[1]) {
	case 0:
		snprintf(path, sizeof(path), "/proc/self/fdinfo/%d", fd);
		return read_all(path);
	case 1:
		return poll(&ready, 1, 0);
	case 2:
		return lseek(fd, 0, SEEK_END);
	case 3:
		return read_all("/sys/kernel/debug/bufalloc/live");
	case 4:
		return read_all("/sys/kernel/debug/bufalloc/regions");
	default:
		return read_all("/sys/kernel/debug/dma_buf/bufinfo");
	}
}

/* The same file, or one that may be read only. */
long
op_duplicate(struct run *run, const uint64_t *args)
{
	int fd = run_fd(run, args[0]);
	char path[64];

	if (args[1] == 0) {
		return run_made_fd(run, fcntl(fd, F_DUPFD_CLOEXEC, 0));
	}
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	return run_made_fd(run, open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK));
}

/* Close what a call made. */
long
op_drop(struct run *run, const uint64_t *args)
{
	struct slot *slot;

	if (args[0] == NO_RESULT || args[0] >= run->at) {
		return -1;
	}
	slot = &run->slots[args[0]];
	if (slot->fd < 0) {
		return -1;
	}
	close(slot->fd);
	slot->fd = -1;
	return 0;
}
