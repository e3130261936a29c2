/* SPDX-License-Identifier: MIT */
/* The ioctl of the DRM drivers of ba_gem.c; for user space after <xf86drm.h>. */
#ifndef BA_GEM_H
#define BA_GEM_H

#ifdef __KERNEL__
#include <drm/drm.h>
#endif
#include <linux/types.h>

/**
 * struct ba_gem_map - map an object for the device
 * @handle: the object
 * @fb: or the framebuffer, whose first plane it is; 0: none
 * @keep: -1: undo one map that was kept; 0: undo this one; 1: keep it
 * @out_segments: of the mapping
 * @out_length: bytes of them
 */
struct ba_gem_map {
	__u32 handle;
	__u32 fb;
	__s32 keep;
	__u32 out_segments;
	__u64 out_length;
};

#define BA_GEM_IOCTL_MAP DRM_IOWR(DRM_COMMAND_BASE, struct ba_gem_map)

#endif /* BA_GEM_H */
