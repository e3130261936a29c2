/* SPDX-License-Identifier: MIT */
/* The table of backends, and which of them a context may try. */
#define _GNU_SOURCE /* secure_getenv, strerrorname_np */
#include "backend.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

const struct backend *const private_backends[MAX_BACKENDS] = {
	&private_backend_module,
	&private_backend_heap,
	&private_backend_udmabuf,
	&private_backend_dumb,
	&private_backend_memfd,
};

/* The backend that the first len characters of text name, or NULL. */
static const struct backend *
find(const char *text, size_t len)
{
	size_t i;

	for (i = 0; i < MAX_BACKENDS; i++) {
		const char *name = private_backends[i]->name;

		if (strlen(name) == len && strncmp(name, text, len) == 0) {
			return private_backends[i];
		}
	}
	return NULL;
}

/* Names with commas between them. */
static int
parse(struct bufalloc_ctx *ctx, const char *text)
{
	for (;;) {
		size_t len = strcspn(text, ",");
		const struct backend *backend = find(text, len);
		size_t i;

		if (backend == NULL) {
			return -EINVAL;
		}
		for (i = 0; i < ctx->backend_count; i++) {
			if (ctx->backends[i] == backend) {
				return -EINVAL;
			}
		}
		ctx->backends[ctx->backend_count++] = backend;
		if (text[len] == '\0') {
			return 0;
		}
		text += len + 1;
	}
}

int
private_backends_choose(struct bufalloc_ctx *ctx, const char *names)
{
	if (names == NULL) {
		names = secure_getenv("BUFALLOC_BACKEND");
	}
	ctx->backend_count = 0;
	if (names != NULL && names[0] != '\0') {
		return parse(ctx, names);
	}
	memcpy(ctx->backends, private_backends, sizeof(ctx->backends));
	ctx->backend_count = MAX_BACKENDS;
	return 0;
}

bool
private_backends_has(const struct bufalloc_ctx *ctx,
		     const struct backend *backend)
{
	size_t i;

	for (i = 0; i < ctx->backend_count; i++) {
		if (ctx->backends[i] == backend) {
			return true;
		}
	}
	return ctx->backend_count == 0 && backend == &private_backend_module;
}

void
private_put_errno(struct writer *text, int err)
{
	const char *name = strerrorname_np(abs(err));

	if (name != NULL) {
		put(text, "%s", name);
	} else {
		put(text, "errno %d", abs(err));
	}
}

void
private_put_open_error(struct writer *text, const char *path, int err)
{
	switch (-err) {
	case ENOENT:
		put(text, "%s does not exist", path);
		break;
	case ENXIO:
	case ENODEV:
		put(text, "%s has no driver behind it", path);
		break;
	case EACCES:
	case EPERM:
		put(text, "no permission on %s: join its group ('ls -l %s')",
		    path, path);
		break;
	default:
		put(text, "cannot open %s: ", path);
		private_put_errno(text, err);
	}
}

int
private_refuse_alloc(struct refusal *refusal, int err, uint64_t length,
		     struct writer *text)
{
	if (err == -ENOMEM || err == -ENOSPC) {
		put(text, "it has no %llu bytes left",
		    (unsigned long long)length);
		return private_refuse(refusal, -ENOMEM, BUFALLOC_REASON_MEMORY,
				      "%s", "");
	}
	put(text, "it does not allocate %llu bytes: ",
	    (unsigned long long)length);
	private_put_errno(text, err);
	return private_refuse(refusal, err, BUFALLOC_WHY_ALLOC, "%s", "");
}
