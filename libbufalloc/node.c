/* SPDX-License-Identifier: MIT */
/* What kind of device a file descriptor is, and how people call it. */
#include "node.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "drm.h"
#include "private.h"
#include "v4l2.h"
#include "writer.h"

/* Of all kernels (Documentation/admin-guide/devices.txt). */
#define MAJOR_V4L2 81
#define MAJOR_DRM 226

/* What the descriptor is a file of: "/dev/video0" is "video0". */
static void
file_name(int fd, char *name, size_t size)
{
	struct writer w = { .text = name, .size = size };
	char link[32], path[BUFALLOC_LABEL_SIZE];
	const char *slash;
	ssize_t len;

	snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
	len = readlink(link, path, sizeof(path) - 1);
	if (len <= 0) {
		put(&w, "file descriptor %d", fd);
		return;
	}
	path[len] = '\0';
	slash = strrchr(path, '/');
	if (strncmp(path, "/dev/", 5) == 0 && slash != NULL) {
		put(&w, "%s", slash + 1);
	} else {
		put(&w, "%s", path);
	}
}

void
private_node_describe(struct node *node, const struct bufalloc_use *use)
{
	char driver[32] = "", name[64];
	struct stat st;

	*node = (struct node){
		.fd = use->fd,
		.reads = (use->access & BUFALLOC_READ) != 0,
	};
	file_name(use->fd, name, sizeof(name));
	if (fstat(use->fd, &st) < 0) {
		node->error = -errno;
	} else if (S_ISCHR(st.st_mode)) {
		if (major(st.st_rdev) == MAJOR_V4L2 &&
		    private_v4l2_describe(node, use->access, driver,
					  sizeof(driver)) == 0) {
			node->kind = NODE_V4L2;
		} else if (major(st.st_rdev) == MAJOR_DRM &&
			   private_drm_describe(node, driver,
						sizeof(driver)) == 0) {
			node->kind = NODE_DRM;
		}
	}
	if (driver[0] != '\0') {
		snprintf(node->label, sizeof(node->label), "%s (%s)", name,
			 driver);
	} else {
		snprintf(node->label, sizeof(node->label), "%s", name);
	}
}

int
private_refuse(struct refusal *refusal, int error, uint32_t reason,
	       const char *format, ...)
{
	va_list args;

	refusal->error = error;
	refusal->reason = reason;
	va_start(args, format);
	vsnprintf(refusal->detail, sizeof(refusal->detail), format, args);
	va_end(args);
	return error;
}
