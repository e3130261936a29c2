// SPDX-License-Identifier: MIT
/*
 * DRM devices. By ioctl() alone: a library would keep memory of its own.
 */
#include <fcntl.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <drm.h>
#include <drm_fourcc.h>
#include <drm_mode.h>

#include "../kernel/modules/ba_gem.h"
#include "run.h"

long
drm_import(struct run *run, const struct slot *device, int fd)
{
	struct drm_prime_handle prime = { .fd = fd };

	if (ioctl(device->fd, DRM_IOCTL_PRIME_FD_TO_HANDLE, &prime) != 0) {
		return -1;
	}
	return run_made_handle(run, device, prime.handle);
}

static const struct slot *
drm_handle(struct run *run, uint64_t arg)
{
	const struct slot *slot;

	if (arg == NO_RESULT || arg >= run->at) {
		return NULL;
	}
	slot = &run->slots[arg];
	return slot->result == RESULT_HANDLE &&
	       device_class_of(slot->device) == CLASS_DRM ? slot : NULL;
}

long
op_dumb(struct run *run, const uint64_t *args)
{
	const struct slot *device = run_device(run, args[0]);
	struct drm_mode_create_dumb dumb = {
		.width = (uint32_t)args[1],
		.height = (uint32_t)args[2],
		.bpp = (uint32_t)args[3],
	};

	if (device == NULL ||
	    ioctl(device->fd, DRM_IOCTL_MODE_CREATE_DUMB, &dumb) != 0) {
		return -1;
	}
	return run_made_handle(run, device, dumb.handle);
}

long
op_export_handle(struct run *run, const uint64_t *args)
{
	const struct slot *slot = drm_handle(run, args[0]);
	struct drm_prime_handle prime = { .flags = (uint32_t)args[1], .fd = -1 };

	if (slot == NULL) {
		return -1;
	}
	prime.handle = slot->handle;
	if (ioctl(slot->owner, DRM_IOCTL_PRIME_HANDLE_TO_FD, &prime) != 0) {
		return -1;
	}
	return run_made_fd(run, prime.fd);
}

long
op_map_handle(struct run *run, const uint64_t *args)
{
	const struct slot *slot = drm_handle(run, args[0]);
	struct drm_mode_map_dumb map = { 0 };
	size_t length = args[1];
	void *place = run_place(run, length);

	if (slot == NULL || place == NULL) {
		return -1;
	}
	map.handle = slot->handle;
	if (ioctl(slot->owner, DRM_IOCTL_MODE_MAP_DUMB, &map) != 0) {
		return -1;
	}
	return run_made_map(run, mmap(place, length, (int)args[2] & 7,
				      MAP_SHARED | MAP_FIXED, slot->owner,
				      (off_t)map.offset),
			    length);
}

/* What include/uapi/drm/vgem_drm.h says, which no package has. */
struct vgem_attach {
	uint32_t handle, flags, out_fence, pad;
};
struct vgem_signal {
	uint32_t fence, flags;
};
#define VGEM_ATTACH DRM_IOWR(DRM_COMMAND_BASE + 1, struct vgem_attach)
#define VGEM_SIGNAL DRM_IOW(DRM_COMMAND_BASE + 2, struct vgem_signal)

/* A fence of vgem's on a buffer, that is signalled, or when the device is closed. */
long
op_fence(struct run *run, const uint64_t *args)
{
	const struct slot *device = run_device(run, args[0]);
	struct drm_prime_handle prime = { .fd = run_fd(run, args[1]) };
	struct vgem_attach attach = { .flags = (uint32_t)args[2] };
	struct vgem_signal signal = { 0 };

	if (device == NULL || device->device != DEVICE_VGEM ||
	    ioctl(device->fd, DRM_IOCTL_PRIME_FD_TO_HANDLE, &prime) != 0) {
		return -1;
	}
	run->imported = run->imported || run_is_ours(run, prime.fd);
	attach.handle = prime.handle;
	if (ioctl(device->fd, VGEM_ATTACH, &attach) != 0) {
		return -1;
	}
	signal.fence = attach.out_fence;
	return args[3] & 1 ? ioctl(device->fd, VGEM_SIGNAL, &signal) : 0;
}

/* Of the only screen that each of the displays has. */
static long
set_mode(int card, uint32_t fb)
{
	uint32_t crtcs[2] = { 0 }, connectors[2] = { 0 };
	static struct drm_mode_modeinfo modes[64];
	struct drm_mode_card_res resources = {
		.crtc_id_ptr = (uintptr_t)crtcs, .count_crtcs = 2,
		.connector_id_ptr = (uintptr_t)connectors, .count_connectors = 2,
	};
	struct drm_mode_get_connector connector = { 0 };
	struct drm_mode_crtc crtc = { .fb_id = fb };

	if (ioctl(card, DRM_IOCTL_MODE_GETRESOURCES, &resources) != 0) {
		return -1;
	}
	connector.connector_id = connectors[0];
	connector.modes_ptr = (uintptr_t)modes;
	connector.count_modes = 64;
	if (ioctl(card, DRM_IOCTL_MODE_GETCONNECTOR, &connector) != 0) {
		return -1;
	}
	crtc.crtc_id = crtcs[0];
	crtc.set_connectors_ptr = (uintptr_t)connectors;
	crtc.count_connectors = 1;
	crtc.mode = modes[0];
	crtc.mode_valid = 1;
	return ioctl(card, DRM_IOCTL_MODE_SETCRTC, &crtc);
}

/* A framebuffer of it; 1: on the screen; 2: mapped for the device (ba_gem). */
long
op_show(struct run *run, const uint64_t *args)
{
	static const uint32_t formats[] = {
		DRM_FORMAT_XRGB8888, DRM_FORMAT_ARGB8888, DRM_FORMAT_RGB565,
		DRM_FORMAT_NV12,
	};
	const struct slot *slot = drm_handle(run, args[0]);
	uint32_t format = formats[args[3] & 3];
	struct drm_mode_fb_cmd2 fb = {
		.width = (uint32_t)args[1],
		.height = (uint32_t)args[2],
		.pixel_format = format,
		.pitches = { (uint32_t)args[1] * 4, (uint32_t)args[1] * 4 },
	};
	struct ba_gem_map map = { 0 };

	if (slot == NULL) {
		return -1;
	}
	map.handle = slot->handle;
	if (args[4] == 2) {
		return ioctl(slot->owner, BA_GEM_IOCTL_MAP, &map);
	}
	fb.handles[0] = slot->handle;
	fb.handles[1] = format == DRM_FORMAT_NV12 ? slot->handle : 0;
	fb.pitches[1] = fb.handles[1] ? fb.pitches[1] : 0;
	if (ioctl(slot->owner, DRM_IOCTL_MODE_ADDFB2, &fb) != 0) {
		return -1;
	}
	/* A flip of the other one takes seconds of DMA, and nothing interrupts it. */
	if (args[4] == 1 && slot->device == DEVICE_VKMS) {
		set_mode(slot->owner, fb.fb_id);
	}
	return ioctl(slot->owner, DRM_IOCTL_MODE_RMFB, &fb.fb_id);
}
