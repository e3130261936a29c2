/* SPDX-License-Identifier: MIT */
/* System calls, as this library makes them. */
#include <errno.h>
#include <fcntl.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "backend.h"
#include "private.h"

int
private_ioctl_again(int fd, unsigned long request, void *arg)
{
	int ret;

	do {
		ret = private_ioctl(fd, request, arg);
	} while (ret == -EINTR || ret == -EAGAIN);

	return ret;
}

int
private_module_ioctl(const struct bufalloc_ctx *ctx, unsigned long request,
		     void *arg)
{
	if (ctx->fd < 0) {
		return ctx->module_error;
	}
	return private_ioctl(ctx->fd, request, arg);
}

int
private_module_ioctl_again(const struct bufalloc_ctx *ctx,
			   unsigned long request, void *arg)
{
	int ret;

	do {
		ret = private_module_ioctl(ctx, request, arg);
	} while (ret == -EINTR);

	return ret;
}

int
private_open(const char *path)
{
	int fd;

	do {
		fd = open(path, O_RDWR | O_CLOEXEC | O_NOCTTY);
	} while (fd < 0 && errno == EINTR);

	return fd < 0 ? -errno : fd;
}

int
private_ioctl_fd_again(int fd, unsigned long request, void *arg)
{
	int ret;

	do {
		ret = ioctl(fd, request, arg);
	} while (ret < 0 && (errno == EINTR || errno == EAGAIN));

	return ret < 0 ? -errno : ret;
}

int
private_length_of(struct memory *memory, struct refusal *refusal)
{
	off_t length = lseek(memory->fd, 0, SEEK_END);
	int ret;

	if (length < 0) {
		ret = -errno;
		close(memory->fd);
		return private_refuse(refusal, ret, BUFALLOC_WHY_ALLOC, "%s",
				      "");
	}
	(void)lseek(memory->fd, 0, SEEK_SET);
	memory->length = (uint64_t)length;
	return 0;
}
