/* SPDX-License-Identifier: MIT */
/* What the files of the stand-in share. */
#ifndef SIM_PRIVATE_H
#define SIM_PRIVATE_H

#include "sim.h"

enum sim_kind {
	SIM_NONE,
	SIM_FILE,
	SIM_V4L2,
	SIM_DRM,
};

/** What is behind a file descriptor. */
struct sim_file {
	enum sim_kind kind;
	char name[32]; /* in /dev */
	struct sim_v4l2 v4l2;
	struct sim_drm drm;
	uint32_t handles; /* bits of those that are open */
	uint64_t handle_sizes[32];
	uint32_t framebuffers;
};

/** NULL for a descriptor that is none of ours. */
struct sim_file *
sim_file(int fd);

/** A new descriptor of this kind. */
int
sim_new_file(enum sim_kind kind, const char *name);

/** ioctls by kind: 0 or a positive errno. */
int
sim_v4l2_ioctl(struct sim_file *file, unsigned long request, void *arg);
int
sim_drm_ioctl(struct sim_file *file, unsigned long request, void *arg);

#endif /* SIM_PRIVATE_H */
