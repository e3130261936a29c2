// SPDX-License-Identifier: MIT
/*
 * Devices that import buffers.
 */
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <drm.h>

#include "../kernel/modules/ba_edu.h"
#include "../kernel/modules/ba_importer.h"
#include "run.h"

long
op_device(struct run *run, const uint64_t *args)
{
	enum device device = (enum device)args[0];
	long ret;

	if (args[0] >= DEVICE_COUNT) {
		return -1;
	}
	ret = run_made_fd(run, device_open(device));
	run->slots[run->at].device = device;
	return ret;
}

static long
importer_import(const struct slot *device, int fd, uint64_t how)
{
	struct ba_importer_import import = {
		.fd = fd, .device = (uint32_t)(how & 3), .how = (uint32_t)(how % 3),
	};

	return ioctl(device->fd, BA_IMPORTER_IMPORT, &import);
}

static long
edu_import(const struct slot *device, int fd, uint64_t how)
{
	struct ba_edu_import import = {
		.fd = fd, .max_segments = (how & 2) >> 1, .flags = how & 1,
	};

	return ioctl(device->fd, BA_EDU_IMPORT, &import);
}

/* By whatever the device has for that. */
long
op_import(struct run *run, const uint64_t *args)
{
	const struct slot *device = run_device(run, args[0]);
	int fd = run_fd(run, args[1]);
	long ret = -1;

	if (device == NULL) {
		return -1;
	}
	switch (device_class_of(device->device)) {
	case CLASS_DRM:
		ret = drm_import(run, device, fd);
		break;
	case CLASS_V4L2:
		ret = video_import(run, device, fd, args[2]);
		break;
	case CLASS_EDU:
		ret = edu_import(device, fd, args[2]);
		break;
	case CLASS_IMPORTER:
		ret = importer_import(device, fd, args[2]);
		break;
	default:
		break;
	}
	if (ret != 0) {
		return ret;
	}
	if (run->slots[run->at].result == RESULT_NONE) {
		run_made_handle(run, device, 0);
	}
	if (!run->imported) {
		run->imported = run_is_ours(run, fd);
	}
	return 0;
}

/* The handle that an argument names, or NULL. */
static const struct slot *
handle_of(struct run *run, uint64_t arg)
{
	if (arg == NO_RESULT || arg >= run->at ||
	    run->slots[arg].result != RESULT_HANDLE) {
		return NULL;
	}
	return &run->slots[arg];
}

long
op_release(struct run *run, const uint64_t *args)
{
	const struct slot *slot = handle_of(run, args[0]);
	struct drm_gem_close gem;

	if (slot == NULL) {
		return -1;
	}
	switch (device_class_of(slot->device)) {
	case CLASS_DRM:
		gem = (struct drm_gem_close){ .handle = slot->handle };
		return ioctl(slot->owner, DRM_IOCTL_GEM_CLOSE, &gem);
	case CLASS_EDU:
		return ioctl(slot->owner, BA_EDU_RELEASE);
	case CLASS_IMPORTER:
		return ioctl(slot->owner, BA_IMPORTER_RELEASE);
	default:
		return -1;
	}
}

/* A few bytes: it takes 200 ms. */
long
op_transfer(struct run *run, const uint64_t *args)
{
	const struct slot *slot = handle_of(run, args[0]);
	uint8_t data[16] = { 0 };
	struct ba_edu_transfer transfer = {
		.offset = args[1], .length = sizeof(data),
		.data = (uintptr_t)data,
	};

	if (slot == NULL || device_class_of(slot->device) != CLASS_EDU) {
		return -1;
	}
	return ioctl(slot->owner, args[2] & 1 ? BA_EDU_WRITE : BA_EDU_READ,
		     &transfer);
}
