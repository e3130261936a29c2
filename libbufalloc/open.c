/* SPDX-License-Identifier: MIT */
/* bufalloc_open(): the module, or what else there is. */
#include <errno.h>
#include <stdlib.h>

#include "backend.h"
#include "private.h"

static int
read_options(const struct bufalloc_options *in,
	     struct bufalloc_options *options)
{
	const unsigned char *bytes = (const unsigned char *)in;
	size_t i;

	*options = (struct bufalloc_options){ .size = sizeof(*options) };
	if (in == NULL) {
		return 0;
	}
	if (in->size < sizeof(*options)) {
		return -EINVAL;
	}
	for (i = sizeof(*options); i < in->size; i++) {
		if (bytes[i] != 0) {
			return -E2BIG;
		}
	}
	*options = *in;
	return 0;
}

/* A context without the module, which may know that it is not there. */
static int
open_without(struct bufalloc_ctx **ctx_ptr, int module_error)
{
	struct bufalloc_ctx *ctx;

	ctx = calloc(1, sizeof(*ctx));
	if (ctx == NULL) {
		return -ENOMEM;
	}
	ctx->fd = -1;
	ctx->module_error = module_error;
	*ctx_ptr = ctx;
	return 0;
}

int
bufalloc_open(struct bufalloc_ctx **ctx_ptr,
	      const struct bufalloc_options *in)
{
	struct bufalloc_ctx chosen = { .fd = -1 };
	struct bufalloc_options options;
	struct bufalloc_ctx *ctx;
	size_t i;
	int ret;

	ret = read_options(in, &options);
	if (ret < 0) {
		return ret;
	}
	ret = private_backends_choose(&chosen, options.backends);
	if (ret < 0) {
		return ret;
	}

	ret = -ENOENT;
	if (private_backends_has(&chosen, &private_backend_module)) {
		ret = bufalloc_open_module(&ctx, options.node);
		if (ret == -ENOMEM || ret == -EMFILE || ret == -ENFILE ||
		    (ret < 0 && chosen.backend_count == 1)) {
			return ret;
		}
	}
	if (ret < 0) {
		ret = open_without(&ctx, ret);
		if (ret < 0) {
			return ret;
		}
	}
	for (i = 0; i < chosen.backend_count; i++) {
		ctx->backends[i] = chosen.backends[i];
	}
	ctx->backend_count = chosen.backend_count;
	*ctx_ptr = ctx;
	return 0;
}
