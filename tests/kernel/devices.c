// SPDX-License-Identifier: MIT
/*
 * The devices of the guest that import our buffers.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <linux/videodev2.h>
#include <xf86drm.h>

#include "ktest.h"

int
drm_try_open(const char *prefix, int first, const char *driver)
{
	for (int i = first; i < first + 32; i++) {
		drmVersionPtr version;
		char path[32];
		int fd, match;

		snprintf(path, sizeof(path), "%s%d", prefix, i);
		fd = open(path, O_RDWR | O_CLOEXEC);
		if (fd < 0) {
			continue;
		}
		version = drmGetVersion(fd);
		match = version != NULL && strcmp(version->name, driver) == 0;
		drmFreeVersion(version);
		if (match) {
			return fd;
		}
		close(fd);
	}
	return -1;
}

int
drm_open_driver(const char *name)
{
	int fd = drm_try_open("/dev/dri/card", 0, name);

	if (fd < 0) {
		ktest_skip("no DRM device of the driver %s", name);
	}
	return fd;
}

int
v4l2_try_open(const char *name)
{
	static const char class[] = "/sys/class/video4linux";
	DIR *dir = opendir(class);
	struct dirent *entry;
	int fd = -1;

	while (fd < 0 && dir != NULL && (entry = readdir(dir)) != NULL) {
		char path[sizeof(class) + sizeof(entry->d_name) + 8];
		char found[64] = "";
		FILE *file;

		snprintf(path, sizeof(path), "%s/%s/name", class, entry->d_name);
		file = fopen(path, "re");
		if (file == NULL) {
			continue;
		}
		if (fgets(found, sizeof(found), file) != NULL) {
			found[strcspn(found, "\n")] = '\0';
		}
		fclose(file);
		if (strcmp(found, name) == 0) {
			snprintf(path, sizeof(path), "/dev/%s", entry->d_name);
			fd = open(path, O_RDWR | O_CLOEXEC);
		}
	}
	if (dir != NULL) {
		closedir(dir);
	}
	return fd;
}

int
vivid_open(void)
{
	for (int i = 0; i < 16; i++) {
		struct v4l2_capability cap;
		char path[32];
		int fd;

		snprintf(path, sizeof(path), "/dev/video%d", i);
		fd = open(path, O_RDWR | O_CLOEXEC);
		if (fd < 0) {
			continue;
		}
		if (ioctl(fd, VIDIOC_QUERYCAP, &cap) == 0 &&
		    strcmp((char *)cap.driver, "vivid") == 0 &&
		    (cap.device_caps & V4L2_CAP_VIDEO_CAPTURE)) {
			return fd;
		}
		close(fd);
	}
	ktest_skip("no capture node of vivid");
}

bool
vivid_is_dma_contig(void)
{
	FILE *file = fopen("/sys/module/vivid/parameters/allocators", "re");
	unsigned int value = 0;

	if (file == NULL || fscanf(file, "%u", &value) != 1) {
		printf("Bail out! vivid is not loaded\n");
		exit(1);
	}
	fclose(file);
	return value == 1;
}
