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

enum tool_exit
tool_devices_open(struct tool_devices *devices)
{
	char sentence[512];
	int fd, err;
	size_t i;

	for (i = 0; i < devices->count; i++) {
		fd = open(devices->nodes[i],
			  O_RDWR | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
		if (fd < 0 && errno == EACCES) {
			fd = open(devices->nodes[i],
				  O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
		}
		if (fd < 0) {
			err = errno;
			snprintf(sentence, sizeof(sentence),
				 "cannot open the device %s: %s",
				 devices->nodes[i], strerror(err));
			return tool_error(err, sentence);
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
