/* SPDX-License-Identifier: MIT */
/* The devices of a request, as far as user space can know them. */
#ifndef LIBBUFALLOC_NODE_H
#define LIBBUFALLOC_NODE_H

#include <bufalloc/bufalloc.h>
#include <stdbool.h>

#include "format.h"

enum node_kind {
	NODE_OTHER,	/* none that the library can talk to */
	NODE_V4L2,
	NODE_DRM,
};

/** A device may use the memory in two queues: a mem2mem device, both ways. */
#define NODE_MAX_QUEUES 2

struct node {
	int fd;
	int error; /* -EBADF: the fd is not open */
	enum node_kind kind;
	/* "video0 (vivid)" */
	char label[BUFALLOC_LABEL_SIZE];

	/* V4L2: its queues, enum v4l2_buf_type. */
	uint32_t queues[NODE_MAX_QUEUES];
	size_t queue_count;
	bool is_m2m;

	/* DRM: can it show (a card of a display), import, make dumb buffers? */
	bool has_modes;
	bool imports;
	bool has_dumb;
	bool has_modifiers;
	bool reads; /* by the request: a display shows, it does not write back */
};

/** Why a device cannot have a layout, or cannot use a buffer. */
struct refusal {
	int error;	 /* negative errno; 0: there is none */
	uint32_t reason; /* enum bufalloc_reason or bufalloc_why */
	int device;	 /* index in the request, or -1 */
	char detail[64]; /* "the nearest is 640x360"; may be empty */
};

/** Find out what uses->fd is. */
void
private_node_describe(struct node *node, const struct bufalloc_use *use);

/** Whether a device can use a buffer. */
enum trial {
	TRIAL_UNKNOWN = 0, /* it could not be tried */
	TRIAL_IMPORTED = 1,
	/* else a negative errno: it was refused */
};

/** Fill in *refusal and return its error. */
int __attribute__((format(printf, 4, 5)))
private_refuse(struct refusal *refusal, int error, uint32_t reason,
	       const char *format, ...);

#endif /* LIBBUFALLOC_NODE_H */
