/* SPDX-License-Identifier: MIT */
/*
 * A scene: a machine of the stand-in (sim.h), devices of it, and a request for
 * them. What the tests of bufalloc_alloc() share.
 */
#ifndef SCENE_H
#define SCENE_H

#include "sim.h"

#include <drm_fourcc.h>
#include <linux/videodev2.h>

#define SCENE_MAX_DEVICES 3

#define NV12 DRM_FORMAT_NV12
#define NM12 V4L2_PIX_FMT_NV12M
#define XR24 DRM_FORMAT_XRGB8888
#define YUYV DRM_FORMAT_YUYV

/** A device: one of the two, and what it does. */
struct scene_device {
	enum bufalloc_access access; /* 0: there is none */
	bool is_drm;
	struct sim_v4l2 v4l2;
	struct sim_drm drm;
};

#define SCENE_FIELDS                                                       \
	uint32_t fourcc; /* 0: NV12; of 1920x1080 */                       \
	uint64_t length; /* instead of a format */                         \
	struct sim_machine machine;                                        \
	const char *backends;                                              \
	enum bufalloc_heap heap;                                           \
	uint64_t attributes, required;                                     \
	unsigned int flags;                                                \
	struct scene_device devices[SCENE_MAX_DEVICES];

struct scene {
	SCENE_FIELDS
};

/* clang-format off */
#define CAMERA(...) { BUFALLOC_WRITE, false, .v4l2 = { __VA_ARGS__ } }
#define DISPLAY(...) { BUFALLOC_READ, true, .drm = { __VA_ARGS__ } }
#define VMALLOC CAMERA(.formats = { YUYV, NV12 })
#define CONTIG CAMERA(.formats = { YUYV, NV12 }, .one_segment = true)
#define KMS DISPLAY(.formats = { NV12 })

#define SYSTEM { "system" }
#define CMA { "linux,cma", .is_contiguous = true }
#define CMA_FULL { "linux,cma", .is_contiguous = true, .left = 4096 }
#define MODULE .has_module = true
#define HEAPS(...) .has_heaps = true, .heaps = { __VA_ARGS__ }

/* clang-format on */

/** The devices, opened, and a request for them with the name "row". */
struct bufalloc_request *
scene_request(const struct scene *scene);

/** A context on the machine. */
struct bufalloc_ctx *
scene_open(const struct scene *scene);

/** Fails unless each camera is set to what it was set to before. */
void
scene_check_devices(const struct scene *scene);

/** Fails unless part, if not NULL, is in text. */
void
scene_contains(const char *text, const char *part);

#endif /* SCENE_H */
