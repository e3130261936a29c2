/* SPDX-License-Identifier: MIT */
/* The devices that a buffer is to be for. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "tool.h"

static const struct {
	const char *end;
	enum bufalloc_access access;
} ends[] = {
	{ ":r", BUFALLOC_READ },
	{ ":w", BUFALLOC_WRITE },
	{ ":rw", BUFALLOC_READ_WRITE },
};

#define ENDS_LEN (sizeof(ends) / sizeof(ends[0]))

/* The modules that find the device behind a node. */
static const struct {
	const char *name;
	const char *folder;
} resolvers[TOOL_RESOLVERS] = {
	[TOOL_RESOLVER_V4L2] = { "bufalloc-v4l2", "/sys/module/bufalloc_v4l2" },
	[TOOL_RESOLVER_DRM] = { "bufalloc-drm", "/sys/module/bufalloc_drm" },
};

const char *
tool_resolver_name(size_t i)
{
	return resolvers[i].name;
}

bool
tool_resolver_is_loaded(size_t i)
{
	return access(resolvers[i].folder, F_OK) == 0;
}

bool
tool_devices_add(struct tool_devices *devices, char *text)
{
	enum bufalloc_access access = BUFALLOC_READ_WRITE;
	char *end = strrchr(text, ':');
	size_t i;

	if (devices->count == TOOL_MAX_DEVICES) {
		return false;
	}
	/* Names in /dev/v4l/by-path have colons, too. */
	for (i = 0; end != NULL && i < ENDS_LEN; i++) {
		if (strcmp(end, ends[i].end) == 0) {
			access = ends[i].access;
			devices->has_access[devices->count] = true;
			*end = '\0';
			break;
		}
	}
	devices->nodes[devices->count] = text;
	devices->uses[devices->count].fd = -1;
	devices->uses[devices->count].access = access;
	devices->count++;
	return true;
}

int
tool_device_open(const char *node)
{
	int fd = open(node, O_RDWR | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);

	if (fd < 0 && errno == EACCES) {
		fd = open(node, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	}
	return fd < 0 ? -errno : fd;
}

enum tool_exit
tool_devices_open(struct tool_devices *devices)
{
	char sentence[512];
	size_t i;
	int fd;

	for (i = 0; i < devices->count; i++) {
		fd = tool_device_open(devices->nodes[i]);
		if (fd < 0) {
			snprintf(sentence, sizeof(sentence),
				 "cannot open the device %s: %s",
				 devices->nodes[i], strerror(-fd));
			return tool_error(fd, sentence);
		}
		devices->uses[i].fd = fd;
	}
	return TOOL_OK;
}

void
tool_devices_close(struct tool_devices *devices)
{
	size_t i;

	for (i = 0; i < devices->count; i++) {
		if (devices->uses[i].fd >= 0) {
			close(devices->uses[i].fd);
			devices->uses[i].fd = -1;
		}
	}
}
