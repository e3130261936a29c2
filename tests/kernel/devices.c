// SPDX-License-Identifier: MIT
/*
 * The devices of the guest that import our buffers.
 */
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
drm_open_driver(const char *name)
{
	for (int i = 0; i < 16; i++) {
		drmVersionPtr version;
		char path[32];
		int fd, match;

		snprintf(path, sizeof(path), "/dev/dri/card%d", i);
		fd = open(path, O_RDWR | O_CLOEXEC);
		if (fd < 0) {
			continue;
		}
		version = drmGetVersion(fd);
		match = version != NULL && strcmp(version->name, name) == 0;
		drmFreeVersion(version);
		if (match) {
			return fd;
		}
		close(fd);
	}
	ktest_skip("no DRM device of the driver %s", name);
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
