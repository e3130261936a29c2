/* SPDX-License-Identifier: MIT */
/*
 * DRM: framebuffers on trial. Their limits are in no query, so that only
 * DRM_IOCTL_MODE_ADDFB2 tells; it needs no rights beyond the open node.
 */
#include "drm.h"

#include <drm.h>
#include <drm_fourcc.h>
#include <drm_mode.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "private.h"

/* Strides that displays are known to want multiples of. */
static const uint32_t stride_alignments[] = { 16, 32, 64, 128, 256, 512 };

#define ALIGNMENTS_LEN \
	(sizeof(stride_alignments) / sizeof(stride_alignments[0]))

static bool
has_cap(int fd, uint64_t cap, uint64_t bit)
{
	struct drm_get_cap get = { .capability = cap };

	return private_ioctl_again(fd, DRM_IOCTL_GET_CAP, &get) == 0 &&
	       (get.value & bit) != 0;
}

/* A render node and a card without connectors have no modes. */
static bool
has_modes(int fd)
{
	struct drm_mode_card_res res = { 0 };

	return private_ioctl_again(fd, DRM_IOCTL_MODE_GETRESOURCES, &res) ==
		       0 &&
	       res.count_crtcs > 0;
}

int
private_drm_describe(struct node *node, char *driver, size_t size)
{
	struct drm_version version = {
		.name = driver,
		.name_len = size - 1,
	};
	int ret;

	ret = private_ioctl_again(node->fd, DRM_IOCTL_VERSION, &version);
	if (ret < 0) {
		return ret;
	}
	driver[version.name_len < size ? version.name_len : size - 1] = '\0';
	node->imports = has_cap(node->fd, DRM_CAP_PRIME, DRM_PRIME_CAP_IMPORT);
	node->has_dumb = has_cap(node->fd, DRM_CAP_DUMB_BUFFER, UINT64_MAX);
	node->has_modifiers = has_cap(node->fd, DRM_CAP_ADDFB2_MODIFIERS,
				      UINT64_MAX);
	node->has_modes = has_modes(node->fd);
	return 0;
}

/* Its shape means nothing: lines of 4096 bytes are wanted by any driver. */
int
private_drm_create_dumb(int fd, uint64_t length, uint32_t *handle)
{
	struct drm_mode_create_dumb create = {
		.width = 1024,
		.bpp = 32,
	};
	uint64_t lines = length / 4096 + (length % 4096 != 0);
	int ret;

	if (lines > UINT32_MAX) {
		return -EOVERFLOW;
	}
	create.height = (uint32_t)lines;
	ret = private_ioctl_again(fd, DRM_IOCTL_MODE_CREATE_DUMB, &create);
	if (ret < 0) {
		return ret;
	}
	*handle = create.handle;
	return 0;
}

/* A framebuffer whose planes are all in handles[plane.memory]. */
static int
add_framebuffer(const struct node *node, const struct bufalloc_layout *layout,
		const uint32_t *handles, uint32_t *id)
{
	struct drm_mode_fb_cmd2 cmd = {
		.width = layout->width,
		.height = layout->height,
		.pixel_format = layout->fourcc,
		.flags = node->has_modifiers ? DRM_MODE_FB_MODIFIERS : 0,
	};
	uint32_t i;
	int ret;

	for (i = 0; i < layout->plane_count; i++) {
		const struct bufalloc_plane *plane = &layout->planes[i];

		if (plane->offset > UINT32_MAX) {
			return -EINVAL;
		}
		cmd.handles[i] = handles[plane->memory];
		cmd.pitches[i] = plane->stride;
		cmd.offsets[i] = (uint32_t)plane->offset;
		cmd.modifier[i] = layout->modifier;
	}
	ret = private_ioctl_again(node->fd, DRM_IOCTL_MODE_ADDFB2, &cmd);
	if (ret < 0) {
		return ret;
	}
	*id = cmd.fb_id;
	return 0;
}

static int
try_framebuffer(const struct node *node, const struct bufalloc_layout *layout,
		const uint32_t *handles)
{
	unsigned int id;
	int ret;

	ret = add_framebuffer(node, layout, handles, &id);
	if (ret == 0) {
		(void)private_ioctl_again(node->fd, DRM_IOCTL_MODE_RMFB, &id);
	}
	return ret;
}

/*
 * Over a dumb buffer, in which all dma-bufs of the layout begin at 0. Without
 * such a buffer nothing is known, and the import will tell.
 */
static int
try_layout(const struct node *node, const struct bufalloc_layout *layout)
{
	uint32_t handles[BUFALLOC_MAX_PLANES];
	struct drm_mode_destroy_dumb destroy = { 0 };
	uint64_t length = 0;
	uint32_t i;
	int ret;

	for (i = 0; i < layout->memory_count; i++) {
		if (layout->lengths[i] > length) {
			length = layout->lengths[i];
		}
	}
	ret = private_drm_create_dumb(node->fd, length, &destroy.handle);
	if (ret < 0) {
		return 0;
	}
	for (i = 0; i < BUFALLOC_MAX_PLANES; i++) {
		handles[i] = destroy.handle;
	}
	ret = try_framebuffer(node, layout, handles);
	(void)private_ioctl_again(node->fd, DRM_IOCTL_MODE_DESTROY_DUMB,
				  &destroy);
	return ret;
}

/*
 * Lines of one pixel after the other would do for the layout, but not for the
 * device: the first stride that will.
 */
static int
find_stride(const struct node *node, const struct format *format,
	    const struct bufalloc_layout *layout, struct layout_rules *rules)
{
	size_t i;

	for (i = 0; i < ALIGNMENTS_LEN; i++) {
		struct layout_rules trial = *rules;
		struct bufalloc_layout padded = *layout;
		int ret;

		if (trial.stride_align >= stride_alignments[i]) {
			continue;
		}
		trial.stride_align = stride_alignments[i];
		if (private_layout_compute(format, layout->width,
					   layout->height, &trial, &padded) < 0 ||
		    padded.planes[0].stride == layout->planes[0].stride) {
			continue;
		}
		ret = try_layout(node, &padded);
		if (ret == 0) {
			*rules = trial;
			return 0;
		}
		if (ret != -EINVAL) {
			return ret;
		}
	}
	return -EINVAL;
}

int
private_drm_try(const struct node *node, const struct format *format,
		const struct bufalloc_layout *layout,
		struct layout_rules *rules, struct refusal *refusal)
{
	int ret;

	if (!node->has_modes || layout->width == 0) {
		return 1;
	}
	if (layout->fourcc == 0) {
		return private_refuse(refusal, -EOPNOTSUPP, BUFALLOC_WHY_FORMAT,
				      "%s", "");
	}
	if (node->reads && !private_drm_shows(node, layout->fourcc)) {
		return private_refuse(refusal, -EOPNOTSUPP, BUFALLOC_WHY_SHOW,
				      "%s", "");
	}
	/* The import will tell. */
	if (!node->has_dumb) {
		return 1;
	}
	ret = try_layout(node, layout);
	if (ret == 0) {
		return 1;
	}
	if (ret == -EINVAL) {
		ret = find_stride(node, format, layout, rules);
		if (ret == 0) {
			return 0;
		}
	}
	if (ret == -EINVAL || ret == -ERANGE) {
		return private_refuse(refusal, -EOPNOTSUPP, BUFALLOC_WHY_SHOW,
				      "%s", "");
	}
	return private_refuse(refusal, ret, BUFALLOC_WHY_ASK, "%s", "");
}

/* The same dma-buf twice has one handle, which is closed once. */
static void
close_handles(const struct node *node, const uint32_t *handles, uint32_t count)
{
	uint32_t i, j;

	for (i = 0; i < count; i++) {
		struct drm_gem_close arg = { .handle = handles[i] };

		for (j = 0; j < i && handles[j] != handles[i]; j++) {
		}
		if (j == i) {
			(void)private_ioctl_again(node->fd, DRM_IOCTL_GEM_CLOSE,
						  &arg);
		}
	}
}

int
private_drm_import(const struct node *node,
		   const struct bufalloc_layout *layout,
		   const struct memory *memories, struct refusal *refusal)
{
	uint32_t handles[BUFALLOC_MAX_PLANES] = { 0 };
	uint32_t why = BUFALLOC_WHY_IMPORT;
	uint32_t i;
	int ret = 0;

	if (!node->imports) {
		return private_refuse(refusal, -EOPNOTSUPP,
				      BUFALLOC_WHY_NO_IMPORT, "%s", "");
	}
	for (i = 0; i < layout->memory_count; i++) {
		struct drm_prime_handle prime = { .fd = memories[i].fd };

		ret = private_ioctl_again(node->fd,
					  DRM_IOCTL_PRIME_FD_TO_HANDLE, &prime);
		if (ret < 0) {
			break;
		}
		handles[i] = prime.handle;
	}
	if (ret == 0 && node->has_modes && layout->fourcc != 0) {
		ret = try_framebuffer(node, layout, handles);
		why = BUFALLOC_WHY_SHOW;
	}
	close_handles(node, handles, i);
	return ret < 0 ? private_refuse(refusal, ret, why, "%s", "") :
			 TRIAL_IMPORTED;
}
