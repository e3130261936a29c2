/* SPDX-License-Identifier: MIT */
/* Which formats a display shows: those that its planes list. */
#include <drm.h>
#include <drm_mode.h>

#include "drm.h"
#include "private.h"

/* More than any driver has; with more, nothing is said. */
#define MAX_PLANES 128
#define MAX_FORMATS 256

/* The ids of the planes that the file sees; more than MAX_PLANES: unknown. */
static uint32_t
get_planes(int fd, uint32_t *ids)
{
	struct drm_mode_get_plane_res res = {
		.plane_id_ptr = (uintptr_t)ids,
		.count_planes = ids == NULL ? 0 : MAX_PLANES,
	};

	if (private_ioctl_again(fd, DRM_IOCTL_MODE_GETPLANERESOURCES, &res) <
	    0) {
		return 0;
	}
	return res.count_planes;
}

static void
set_universal(int fd, uint64_t value)
{
	struct drm_set_client_cap cap = {
		.capability = DRM_CLIENT_CAP_UNIVERSAL_PLANES,
		.value = value,
	};

	(void)private_ioctl_again(fd, DRM_IOCTL_SET_CLIENT_CAP, &cap);
}

static bool
plane_lists(int fd, uint32_t id, uint32_t fourcc)
{
	uint32_t formats[MAX_FORMATS] = { 0 };
	struct drm_mode_get_plane plane = {
		.plane_id = id,
		.count_format_types = MAX_FORMATS,
		.format_type_ptr = (uintptr_t)formats,
	};
	uint32_t i;

	if (private_ioctl_again(fd, DRM_IOCTL_MODE_GETPLANE, &plane) < 0 ||
	    plane.count_format_types > MAX_FORMATS) {
		return true;
	}
	for (i = 0; i < plane.count_format_types; i++) {
		if (formats[i] == fourcc) {
			return true;
		}
	}
	return false;
}

/*
 * A file sees primary planes only if it asked to. Whether it did shows in how
 * many it sees; it is left as it was.
 */
bool
private_drm_shows(const struct node *node, uint32_t fourcc)
{
	uint32_t ids[MAX_PLANES];
	uint32_t before = get_planes(node->fd, NULL);
	bool shows = false;
	uint32_t count;
	uint32_t i;

	set_universal(node->fd, 1);
	count = get_planes(node->fd, ids);
	for (i = 0; i < count && count <= MAX_PLANES && !shows; i++) {
		shows = plane_lists(node->fd, ids[i], fourcc);
	}
	if (count != before) {
		set_universal(node->fd, 0);
	}
	return shows || count == 0 || count > MAX_PLANES;
}
