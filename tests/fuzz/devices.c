// SPDX-License-Identifier: MIT
/*
 * The devices of the guest, by what drivers call themselves.
 */
#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <drm.h>
#include <linux/videodev2.h>

#include "run.h"

/**
 * struct known - a device that programs open
 * @name: of it, for people
 * @class: how it is spoken to
 * @driver: DRM, V4L2: the driver's name
 * @capability: V4L2: what the node can
 * @path: of the node; those that have one here are always called so
 */
static struct known {
	const char *name;
	enum device_class class;
	const char *driver;
	uint32_t capability;
	char path[32];
} known[DEVICE_COUNT] = {
	[DEVICE_NODE] = { "bufalloc", CLASS_NONE, NULL, 0, "/dev/bufalloc" },
	[DEVICE_VGEM] = { "vgem", CLASS_DRM, "vgem", 0, "" },
	[DEVICE_VKMS] = { "vkms", CLASS_DRM, "vkms", 0, "" },
	[DEVICE_DISPLAY] = { "display", CLASS_DRM, "bufalloc-display", 0, "" },
	[DEVICE_GEM] = { "gem", CLASS_DRM, "ba_gem_many", 0, "" },
	[DEVICE_GEM_ONE] = { "gem-one", CLASS_DRM, "ba_gem_one", 0, "" },
	[DEVICE_VIVID] = { "vivid", CLASS_V4L2, "vivid", V4L2_CAP_VIDEO_CAPTURE, "" },
	[DEVICE_VIVID_OUTPUT] = { "vivid-output", CLASS_V4L2, "vivid",
				  V4L2_CAP_VIDEO_OUTPUT, "" },
	[DEVICE_VIM2M] = { "vim2m", CLASS_V4L2, "vim2m", V4L2_CAP_VIDEO_M2M, "" },
	[DEVICE_CAMERA] = { "camera", CLASS_V4L2, "bufalloc_camera",
			    V4L2_CAP_VIDEO_CAPTURE, "" },
	[DEVICE_EDU0] = { "edu0", CLASS_EDU, NULL, 0, "/dev/ba_edu0" },
	[DEVICE_EDU1] = { "edu1", CLASS_EDU, NULL, 0, "/dev/ba_edu1" },
	[DEVICE_EDU2] = { "edu2", CLASS_EDU, NULL, 0, "/dev/ba_edu4" },
	[DEVICE_IMPORTER] = { "importer", CLASS_IMPORTER, NULL, 0,
			      "/dev/ba_importer" },
};

/* Does the node at @path belong to that driver? */
static bool
is_drm(const char *path, const struct known *device)
{
	char name[32] = "";
	struct drm_version version = { .name = name, .name_len = sizeof(name) - 1 };
	int fd = open(path, O_RDWR | O_CLOEXEC);
	bool is = fd >= 0 && ioctl(fd, DRM_IOCTL_VERSION, &version) == 0 &&
		  strcmp(name, device->driver) == 0;

	if (fd >= 0) {
		close(fd);
	}
	return is;
}

static bool
is_v4l2(const char *path, const struct known *device)
{
	struct v4l2_capability cap = { 0 };
	int fd = open(path, O_RDWR | O_CLOEXEC);
	bool is = fd >= 0 && ioctl(fd, VIDIOC_QUERYCAP, &cap) == 0 &&
		  strcmp((char *)cap.driver, device->driver) == 0 &&
		  (cap.device_caps & device->capability);

	if (fd >= 0) {
		close(fd);
	}
	return is;
}

static void
bindable_find(unsigned int which);

void
devices_find(void)
{
	char path[32];

	for (unsigned int i = 0; i < BINDABLE; i++) {
		bindable_find(i);
	}
	for (int d = 0; d < DEVICE_COUNT; d++) {
		struct known *device = &known[d];

		if (device->driver == NULL && access(device->path, F_OK) != 0) {
			device->path[0] = '\0';
		}
		for (int i = 0; i < 32 && device->driver != NULL &&
				device->path[0] == '\0';
		     i++) {
			bool drm = device->class == CLASS_DRM;

			snprintf(path, sizeof(path), "/dev/%s%d",
				 drm ? "dri/card" : "video", i);
			if (drm ? is_drm(path, device) : is_v4l2(path, device)) {
				strcpy(device->path, path);
			}
		}
		printf("# device %s: %s\n", device->name,
		       device->path[0] ? device->path : "none");
	}
}

bool
device_exists(enum device device)
{
	return device < DEVICE_COUNT && known[device].path[0] != '\0';
}

enum device_class
device_class_of(enum device device)
{
	return known[device].class;
}

int
device_open(enum device device)
{
	if (!device_exists(device)) {
		return -1;
	}
	return open(known[device].path, O_RDWR | O_CLOEXEC | O_NONBLOCK);
}

/* What bind() unbinds: the driver's folder, and the device in it. */
static struct {
	const char *driver;
	unsigned int number; /* of the devices in the folder */
	char device[32];
} bindable[BINDABLE] = {
	{ "pci/drivers/ba_edu", 0, "" },
	{ "pci/drivers/ba_edu", 1, "" },
	{ "pci/drivers/bufalloc_camera", 0, "" },
	{ "pci/drivers/bufalloc_display", 0, "" },
	{ "platform/drivers/vivid", 0, "" },
};

static int
is_device(const struct dirent *entry)
{
	return entry->d_type == DT_LNK && strcmp(entry->d_name, "module") != 0;
}

static void
bindable_find(unsigned int which)
{
	struct dirent **entries;
	char path[96];
	int count;

	snprintf(path, sizeof(path), "/sys/bus/%s", bindable[which].driver);
	count = scandir(path, &entries, is_device, alphasort);
	for (int i = 0; i < count; i++) {
		if ((unsigned int)i == bindable[which].number) {
			snprintf(bindable[which].device,
				 sizeof(bindable[which].device), "%.31s",
				 entries[i]->d_name);
		}
		free(entries[i]);
	}
	if (count >= 0) {
		free(entries);
	}
	printf("# to unbind: %s %s\n", bindable[which].driver,
	       bindable[which].device[0] ? bindable[which].device : "none");
}

bool
device_bind(unsigned int which, bool bind)
{
	const char *name;
	char path[96];
	ssize_t n;
	int fd;

	if (which >= BINDABLE) {
		return false;
	}
	name = bindable[which].device;
	if (name[0] == '\0') {
		return false;
	}
	snprintf(path, sizeof(path), "/sys/bus/%s/%s", bindable[which].driver,
		 bind ? "bind" : "unbind");
	fd = open(path, O_WRONLY | O_CLOEXEC);
	if (fd < 0) {
		return false;
	}
	n = write(fd, name, strlen(name));
	close(fd);
	return n > 0;
}

void
devices_rebind(void)
{
	for (unsigned int i = 0; i < BINDABLE; i++) {
		device_bind(i, true);
	}
}
