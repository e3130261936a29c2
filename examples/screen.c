// SPDX-License-Identifier: MIT
#include "screen.h"

#include <err.h>
#include <fcntl.h>
#include <xf86drm.h>

/* The first mode of this size, of a connector that something is plugged into. */
static bool
find_mode(struct screen *screen, const drmModeConnector *connector,
	  unsigned int width, unsigned int height)
{
	int i;

	for (i = 0; i < connector->count_modes; i++) {
		screen->mode = connector->modes[i];
		if (connector->connection == DRM_MODE_CONNECTED &&
		    screen->mode.hdisplay == width &&
		    screen->mode.vdisplay == height) {
			screen->connector = connector->connector_id;
			return true;
		}
	}
	return false;
}

void
screen_open(struct screen *screen, const char *card, unsigned int width,
	    unsigned int height)
{
	drmModeConnector *connector;
	drmModeRes *res;
	int i;

	*screen = (struct screen){ .fd = open(card, O_RDWR | O_CLOEXEC) };
	if (screen->fd < 0) {
		err(1, "%s", card);
	}
	res = drmModeGetResources(screen->fd);
	if (res == NULL) {
		err(1, "%s is no display", card);
	}
	for (i = 0; i < res->count_connectors && !screen->connector; i++) {
		connector = drmModeGetConnector(screen->fd, res->connectors[i]);
		if (connector != NULL) {
			find_mode(screen, connector, width, height);
			drmModeFreeConnector(connector);
		}
	}
	if (!screen->connector || res->count_crtcs == 0) {
		errx(1, "%s has no mode of %ux%u: try another --size", card,
		     width, height);
	}
	screen->crtc = res->crtcs[0];
	drmModeFreeResources(res);
}

uint32_t
screen_add(struct screen *screen, const struct bufalloc_buf *buf,
	   const struct bufalloc_layout *layout)
{
	uint32_t handles[4] = { 0 }, strides[4] = { 0 }, offsets[4] = { 0 };
	uint64_t modifiers[4] = { 0 };
	uint32_t i, framebuffer;

	for (i = 0; i < layout->plane_count; i++) {
		const struct bufalloc_plane *plane = &layout->planes[i];
		int fd = bufalloc_buf_get_memory_fd(buf, plane->memory);

		if (drmPrimeFDToHandle(screen->fd, fd, &handles[i]) != 0) {
			err(1, "the display does not import the buffer");
		}
		strides[i] = plane->stride;
		offsets[i] = (uint32_t)plane->offset;
		modifiers[i] = layout->modifier;
	}
	if (drmModeAddFB2WithModifiers(screen->fd, layout->width,
				       layout->height, layout->fourcc, handles,
				       strides, offsets, modifiers,
				       &framebuffer, 0) != 0) {
		err(1, "the display makes no framebuffer of the buffer");
	}
	return framebuffer;
}

static void
flipped(int fd, unsigned int sequence, unsigned int sec, unsigned int usec,
	void *pending)
{
	(void)fd, (void)sequence, (void)sec, (void)usec;
	*(bool *)pending = false;
}

void
screen_show(struct screen *screen, uint32_t framebuffer)
{
	drmEventContext events = { .version = 2, .page_flip_handler = flipped };
	bool pending = true;

	if (!screen->is_on) {
		if (drmModeSetCrtc(screen->fd, screen->crtc, framebuffer, 0, 0,
				   &screen->connector, 1, &screen->mode) != 0) {
			err(1, "the display cannot be switched on (does another program own it?)");
		}
		screen->is_on = true;
		return;
	}
	if (drmModePageFlip(screen->fd, screen->crtc, framebuffer,
			    DRM_MODE_PAGE_FLIP_EVENT, &pending) != 0) {
		err(1, "the display does not show the next picture");
	}
	while (pending) {
		if (drmHandleEvent(screen->fd, &events) != 0) {
			err(1, "the display's events");
		}
	}
}
