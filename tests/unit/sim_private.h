/* SPDX-License-Identifier: MIT */
/* What the files of the stand-in share. */
#ifndef SIM_PRIVATE_H
#define SIM_PRIVATE_H

#include "sim.h"

#include <linux/videodev2.h>

enum sim_kind {
	SIM_NONE,
	SIM_FILE,
	SIM_V4L2,
	SIM_DRM,
	SIM_MODULE,
	SIM_HEAP,
	SIM_UDMABUF,
	SIM_DMABUF,
	SIM_MEMFD,
};

/** What is behind a file descriptor. */
struct sim_file {
	enum sim_kind kind;
	char name[32]; /* in /dev */
	struct sim_v4l2 v4l2;
	struct sim_drm drm;
	uint32_t handles; /* bits of those that are open */
	uint32_t imported; /* of them, those that are others' memory */
	uint64_t handle_sizes[32];
	bool handle_contiguous[32];
	uint32_t framebuffers;
	/* of a V4L2 device: what it is set to, and the trial's buffers */
	struct v4l2_format format;
	uint32_t buffers;
	struct sim_heap heap;
	bool is_contiguous; /* of a dma-buf */
	uint64_t length;
	char dmabuf_name[32];
	unsigned int cpu_accesses; /* that have begun, not ended */
};

/** NULL for a descriptor that is none of ours. */
struct sim_file *
sim_file(int fd);

/** A new descriptor of this kind. */
int
sim_new_file(enum sim_kind kind, const char *name);

/** Make a descriptor one of ours. */
void
sim_adopt_file(int fd, enum sim_kind kind, const char *name);

/** ioctls by kind: 0 or a positive errno. */
int
sim_v4l2_ioctl(struct sim_file *file, unsigned long request, void *arg);
int
sim_drm_ioctl(struct sim_file *file, unsigned long request, void *arg);

/** Does this system call fail? Then errno says how. */
bool
sim_fails_call(void);
/** The same for one that no signal interrupts. */
bool
sim_fails_without_signal(void);

/** Those that return a descriptor: it, or a negative errno. */
int
sim_memory_ioctl(struct sim_file *file, unsigned long request, void *arg);

/** A dma-buf. */
int
sim_new_dmabuf(uint64_t length, bool is_contiguous);

#endif /* SIM_PRIVATE_H */
