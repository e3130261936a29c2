/* SPDX-License-Identifier: MIT */
/* The connection to the kernel module. */
#include <errno.h>
#include <linux/bufalloc.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "private.h"

int
private_ioctl(int fd, unsigned long request, void *arg)
{
	if (ioctl(fd, request, arg) < 0) {
		return -errno;
	}
	return 0;
}

static int
query_info(const struct bufalloc_ctx *ctx, struct bufalloc_info *info)
{
	*info = (struct bufalloc_info){ .size = sizeof(*info) };
	return private_module_ioctl_again(ctx, BUFALLOC_IOCTL_INFO, info);
}

/*
 * Drivers answer an ioctl that is not theirs with several errnos, and some
 * with success. A security policy's refusal is passed on: it says nothing
 * about the node.
 */
static int
check_node(const struct bufalloc_ctx *ctx)
{
	struct bufalloc_info info;
	int ret;

	ret = query_info(ctx, &info);
	if (ret == -EACCES || ret == -EPERM || ret == -ENOMEM) {
		return ret;
	}
	if (ret < 0) {
		return -ENOTTY;
	}
	if (info.size != sizeof(info) || info.flags != 0 ||
	    info.out_version == 0 || info.out_max_length == 0) {
		return -ENOTTY;
	}
	return 0;
}

int
bufalloc_open_module(struct bufalloc_ctx **ctx_ptr, const char *path)
{
	struct bufalloc_ctx *ctx;
	int ret;

	ctx = calloc(1, sizeof(*ctx));
	if (ctx == NULL) {
		return -ENOMEM;
	}

	ctx->fd = private_open(path == NULL ? BUFALLOC_DEVICE : path);
	if (ctx->fd < 0) {
		ret = ctx->fd;
		goto err_free;
	}

	ret = check_node(ctx);
	if (ret < 0) {
		goto err_close;
	}

	*ctx_ptr = ctx;
	return 0;

err_close:
	close(ctx->fd);
err_free:
	free(ctx);
	return ret;
}

void
bufalloc_close(struct bufalloc_ctx *ctx)
{
	if (ctx == NULL) {
		return;
	}
	if (ctx->fd >= 0) {
		close(ctx->fd);
	}
	free(ctx);
}

int
bufalloc_get_info(struct bufalloc_ctx *ctx, struct bufalloc_module_info *info)
{
	struct bufalloc_info raw;
	int ret;

	ret = query_info(ctx, &raw);
	if (ret < 0) {
		return ret;
	}

	*info = (struct bufalloc_module_info){
		.version = raw.out_version,
		.heaps = raw.out_heaps,
		.max_length = raw.out_max_length,
		.contig_limit = raw.out_contig_limit,
		.contig_used = raw.out_contig_used,
		.attributes = raw.out_attributes,
	};
	return 0;
}
