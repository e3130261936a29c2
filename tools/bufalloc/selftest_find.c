/* SPDX-License-Identifier: MIT */
/* Which devices are tested: the named ones, or all that there are. */
#define _GNU_SOURCE /* versionsort */
#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "selftest.h"

/* Documentation/admin-guide/devices.txt */
#define V4L2_MAJOR 81
#define DRM_MAJOR 226

static const char *const kind_names[] = {
	[SELFTEST_OTHER] = "other",
	[SELFTEST_CAPTURE] = "capture",
	[SELFTEST_OUTPUT] = "output",
	[SELFTEST_MEM2MEM] = "mem2mem",
	[SELFTEST_DISPLAY] = "display",
	[SELFTEST_RENDER] = "render",
};

const char *
selftest_kind_name(enum selftest_kind kind)
{
	return kind_names[kind];
}

void
selftest_set_card(struct selftest_device *device, const char *text, size_t size)
{
	size_t i;

	/* It may come from whoever plugged the device in. */
	for (i = 0; i < size && text[i] != '\0' && i + 1 < sizeof(device->card);
	     i++) {
		device->card[i] = '?';
		if (text[i] >= ' ' && text[i] <= '~') {
			device->card[i] = text[i];
		}
	}
	device->card[i] = '\0';
}

/* A new device at the end; NULL without memory. */
static struct selftest_device *
add_device(struct selftest *test, const char *node)
{
	struct selftest_device *devices;

	devices = realloc(test->devices,
			  (test->device_count + 1) * sizeof(*devices));
	if (devices == NULL) {
		return NULL;
	}
	test->devices = devices;
	devices += test->device_count;
	*devices = (struct selftest_device){
		.node = strdup(node),
		.use = { .fd = -1, .access = BUFALLOC_READ_WRITE },
		.resolver = -1,
	};
	if (devices->node == NULL) {
		return NULL;
	}
	test->device_count++;
	return devices;
}

/*
 * As it is to be printed: links by the device's identity have serial numbers in
 * them, so what they lead to.
 */
static const char *
printable(const char *node, char path[PATH_MAX])
{
	if (strstr(node, "/by-id/") == NULL) {
		return node;
	}
	if (realpath(node, path) == NULL) {
		return "a link by-id";
	}
	return path;
}

static bool
add_named(struct selftest *test)
{
	const struct tool_devices *named = &test->options->devices;
	struct selftest_device *device;
	char path[PATH_MAX];
	size_t i;

	for (i = 0; i < named->count; i++) {
		device = add_device(test, printable(named->nodes[i], path));
		if (device == NULL) {
			return false;
		}
		device->is_asked = true;
		device->has_access = named->has_access[i];
		device->use.access = named->uses[i].access;
	}
	return true;
}

static bool
is_numbered(const char *name, const char *prefix)
{
	size_t len = strlen(prefix);

	return strncmp(name, prefix, len) == 0 &&
	       name[len + strspn(name + len, "0123456789")] == '\0' &&
	       name[len] != '\0';
}

static int
is_device_name(const struct dirent *entry)
{
	return is_numbered(entry->d_name, "video") ||
	       is_numbered(entry->d_name, "card") ||
	       is_numbered(entry->d_name, "renderD");
}

/* Those of one folder, in the order of their numbers. */
static bool
add_found(struct selftest *test, const char *folder)
{
	struct dirent **entries;
	char path[PATH_MAX];
	bool is_added = true;
	int i, count;

	count = scandir(folder, &entries, is_device_name, versionsort);
	for (i = 0; i < count; i++) {
		snprintf(path, sizeof(path), "%s/%s", folder,
			 entries[i]->d_name);
		is_added = is_added && add_device(test, path) != NULL;
		free(entries[i]);
	}
	if (count >= 0) {
		free(entries);
	}
	return is_added;
}

/* The access that its kind has, unless one was named. */
static void
guess_access(struct selftest_device *device)
{
	if (device->has_access) {
		return;
	}
	switch (device->kind) {
	case SELFTEST_CAPTURE:
		device->use.access = BUFALLOC_WRITE;
		break;
	case SELFTEST_OUTPUT:
	case SELFTEST_DISPLAY:
		device->use.access = BUFALLOC_READ;
		break;
	default:
		device->use.access = BUFALLOC_READ_WRITE;
	}
}

static void
look_at_device(struct selftest *test, struct selftest_device *device,
	       const char *path)
{
	uint64_t began = report_now();
	struct stat status;
	int fd;

	fd = tool_device_open(path);
	device->open_ns = report_now() - began;
	if (fd < 0) {
		device->open_err = fd;
		device->info_err = fd;
		return;
	}
	device->use.fd = fd;
	if (fstat(fd, &status) == 0 && S_ISCHR(status.st_mode)) {
		if (major(status.st_rdev) == V4L2_MAJOR) {
			device->resolver = TOOL_RESOLVER_V4L2;
			selftest_v4l2_look(device);
		} else if (major(status.st_rdev) == DRM_MAJOR) {
			device->resolver = TOOL_RESOLVER_DRM;
			selftest_drm_look(device);
		}
	}
	guess_access(device);
	device->info_err =
		test->ctx == NULL ?
			test->ctx_err :
			bufalloc_get_device_info(test->ctx, fd,
						 device->use.access,
						 &device->info);
}

bool
selftest_find(struct selftest *test)
{
	const struct tool_devices *named = &test->options->devices;
	size_t i;

	if (named->count > 0) {
		if (!add_named(test)) {
			return false;
		}
	} else if (!add_found(test, "/dev") || !add_found(test, "/dev/dri")) {
		return false;
	}
	for (i = 0; i < test->device_count; i++) {
		look_at_device(test, &test->devices[i],
			       named->count > 0 ? named->nodes[i] :
						  test->devices[i].node);
	}
	return true;
}

void
selftest_close_devices(struct selftest *test)
{
	size_t i;

	for (i = 0; i < test->device_count; i++) {
		if (test->devices[i].use.fd >= 0) {
			close(test->devices[i].use.fd);
			test->devices[i].use.fd = -1;
		}
	}
}
