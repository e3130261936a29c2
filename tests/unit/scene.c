/* SPDX-License-Identifier: MIT */
#include "scene.h"

#include <string.h>

static int fds[SCENE_MAX_DEVICES];

struct bufalloc_request *
scene_request(const struct scene *scene)
{
	struct bufalloc_request *req = NULL;
	uint32_t fourcc;
	size_t i;

	assert_int_equal(bufalloc_request_new(&req), 0);
	bufalloc_request_set_name(req, "row");
	if (scene->length != 0) {
		assert_int_equal(bufalloc_request_set_length(req, scene->length), 0);
	} else {
		fourcc = scene->fourcc == 0 ? NV12 : scene->fourcc;
		assert_int_equal(bufalloc_request_set_format(req, fourcc, 1920, 1080), 0);
	}
	assert_int_equal(bufalloc_request_set_heap(req, scene->heap), 0);
	assert_int_equal(bufalloc_request_set_attributes(req, scene->attributes,
							 scene->required),
			 0);
	assert_int_equal(bufalloc_request_set_flags(req, scene->flags), 0);
	for (i = 0; i < SCENE_MAX_DEVICES && scene->devices[i].access != 0; i++) {
		const struct scene_device *device = &scene->devices[i];

		if (device->is_drm) {
			fds[i] = sim_open_drm(&device->drm);
		} else if (device->v4l2.formats[0] != 0) {
			fds[i] = sim_open_v4l2(&device->v4l2);
		} else {
			fds[i] = sim_open_file();
		}
		assert_int_equal(bufalloc_request_add_device(req, fds[i], device->access), 0);
	}
	return req;
}

struct bufalloc_ctx *
scene_open(const struct scene *scene)
{
	struct bufalloc_options options = {
		.size = sizeof(options),
		.backends = scene->backends,
	};
	int module_errno = scene->machine.module_errno;
	struct bufalloc_ctx *ctx = NULL;

	sim_machine = scene->machine;
	if (module_errno == 0 && !scene->machine.has_module) {
		sim_machine.module_errno = ENOENT;
	}
	assert_int_equal(bufalloc_open(&ctx, &options), 0);
	return ctx;
}

void
scene_check_devices(const struct scene *scene)
{
	size_t i;

	for (i = 0; i < SCENE_MAX_DEVICES && scene->devices[i].access != 0; i++) {
		if (!scene->devices[i].is_drm && sim_pixelformat(fds[i]) != 0) {
			assert_int_equal(sim_pixelformat(fds[i]),
					 scene->devices[i].v4l2.formats[0]);
		}
	}
}

void
scene_contains(const char *text, const char *part)
{
	if (part != NULL && strstr(text, part) == NULL) {
		fail_msg("\"%s\" is not in \"%s\"", part, text);
	}
}
