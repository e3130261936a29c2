// SPDX-License-Identifier: MIT
/*
 * A display of the guest, to put framebuffers on.
 */
#include <errno.h>

#include <drm_fourcc.h>
#include <xf86drm.h>

#include "display.h"

struct display
display_open(const char *driver, uint16_t width, uint16_t height)
{
	struct display display = { .card = drm_open_driver(driver) };
	drmModeConnectorPtr connector;
	drmModeResPtr resources;

	resources = drmModeGetResources(display.card);
	CHECK(resources != NULL);
	CHECK(resources->count_crtcs > 0 && resources->count_connectors > 0);
	display.crtc = resources->crtcs[0];
	display.connector = resources->connectors[0];
	connector = drmModeGetConnector(display.card, display.connector);
	CHECK(connector != NULL);
	for (int i = 0; i < connector->count_modes; i++) {
		if (connector->modes[i].hdisplay == width &&
		    connector->modes[i].vdisplay == height) {
			display.mode = connector->modes[i];
			break;
		}
	}
	CHECK_EQ(display.mode.hdisplay, width);
	drmModeFreeConnector(connector);
	drmModeFreeResources(resources);
	return display;
}

uint32_t
display_add(struct display *display, uint32_t handle, uint32_t pitch)
{
	uint32_t handles[4] = { handle }, pitches[4] = { pitch };
	uint32_t offsets[4] = { 0 };
	uint32_t fb;

	CHECK_EQ(drmModeAddFB2(display->card, display->mode.hdisplay,
			       display->mode.vdisplay, DRM_FORMAT_XRGB8888,
			       handles, pitches, offsets, &fb, 0), 0);
	return fb;
}

void
display_show(struct display *display, uint32_t fb)
{
	CHECK_EQ(drmModeSetCrtc(display->card, display->crtc, fb, 0, 0,
				fb ? &display->connector : NULL, fb ? 1 : 0,
				fb ? &display->mode : NULL), 0);
}
