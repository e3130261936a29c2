/* SPDX-License-Identifier: MIT */
/* Dumb buffers: memory that a display allocates for itself. */
#include <drm.h>
#include <drm_mode.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>

#include "backend.h"
#include "drm.h"

static int
list(const struct attempt *attempt, struct place *places, size_t max,
     struct writer *text)
{
	size_t count = 0;
	size_t i;

	for (i = 0; i < attempt->req->count && count < max; i++) {
		const struct node *node = &attempt->nodes[i];

		if (node->kind != NODE_DRM || !node->has_dumb) {
			continue;
		}
		/* Nobody knows where its memory is. */
		places[count] = (struct place){ .number = (uint32_t)i };
		put(&(struct writer){ .text = places[count].name,
				      .size = sizeof(places[count].name) },
		    "%s", node->label);
		count++;
	}
	if (count == 0) {
		put(text, "no display that makes them was added");
		return -ENOENT;
	}
	return (int)count;
}

static int
alloc(const struct attempt *attempt, const struct place *place,
      uint64_t length, struct memory *memory, struct refusal *refusal,
      struct writer *text)
{
	int card = attempt->nodes[place->number].fd;
	struct drm_prime_handle prime = { .flags = DRM_CLOEXEC | DRM_RDWR };
	struct drm_mode_destroy_dumb destroy;
	int ret;

	ret = private_drm_create_dumb(card, length, &prime.handle);
	if (ret < 0) {
		return private_refuse_alloc(refusal, ret, length, text);
	}
	destroy.handle = prime.handle;
	ret = private_ioctl_again(card, DRM_IOCTL_PRIME_HANDLE_TO_FD, &prime);
	/* The dma-buf keeps its memory. */
	(void)private_ioctl_again(card, DRM_IOCTL_MODE_DESTROY_DUMB, &destroy);
	if (ret < 0) {
		return private_refuse_alloc(refusal, ret, length, text);
	}
	memory->fd = prime.fd;
	return private_length_of(memory, refusal);
}

const struct backend private_backend_dumb = {
	.name = "dumb",
	.makes_dmabufs = true,
	.list = list,
	.alloc = alloc,
};
