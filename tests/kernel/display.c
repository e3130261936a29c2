// SPDX-License-Identifier: MIT
/*
 * A display of the guest, to put framebuffers on.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

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

unsigned int
display_crc(struct display *display)
{
	char path[96], text[64] = "";
	struct stat status;
	unsigned int crc = 0;
	int control, data;
	ssize_t n;

	CHECK_EQ(fstat(display->card, &status), 0);
	snprintf(path, sizeof(path), "/sys/kernel/debug/dri/%u/crtc-0/crc/control",
		 (unsigned int)(status.st_rdev & 0xff));
	control = open(path, O_WRONLY | O_CLOEXEC);
	CHECK(control >= 0);
	CHECK_EQ(write(control, "auto", 4), 4);
	close(control);
	memcpy(strrchr(path, '/') + 1, "data", 5);
	data = open(path, O_RDONLY | O_CLOEXEC);
	CHECK(data >= 0);
	/* The first may be of the frame before; the second is ours. */
	for (int i = 0; i < 2; i++) {
		n = read(data, text, sizeof(text) - 1);
		CHECK(n > 0);
	}
	close(data);
	CHECK_EQ(sscanf(text, "%*x %x", &crc), 1);
	return crc;
}

struct dumb
dumb_create(int card, uint32_t width, uint32_t height)
{
	struct drm_mode_create_dumb args = {
		.width = width, .height = height, .bpp = 32,
	};

	CHECK_EQ(drmIoctl(card, DRM_IOCTL_MODE_CREATE_DUMB, &args), 0);
	return (struct dumb){
		.card = card, .handle = args.handle, .pitch = args.pitch,
		.size = args.size,
	};
}

uint8_t *
dumb_map(const struct dumb *dumb)
{
	struct drm_mode_map_dumb map = { .handle = dumb->handle };
	void *data;

	CHECK_EQ(drmIoctl(dumb->card, DRM_IOCTL_MODE_MAP_DUMB, &map), 0);
	data = mmap(NULL, dumb->size, PROT_READ | PROT_WRITE, MAP_SHARED,
		    dumb->card, (off_t)map.offset);
	CHECK(data != MAP_FAILED);
	return data;
}

void
dumb_destroy(const struct dumb *dumb)
{
	struct drm_mode_destroy_dumb destroy = { .handle = dumb->handle };

	CHECK_EQ(drmIoctl(dumb->card, DRM_IOCTL_MODE_DESTROY_DUMB, &destroy), 0);
}

int
dumb_export(const struct dumb *dumb)
{
	int fd;

	CHECK_EQ(drmPrimeHandleToFD(dumb->card, dumb->handle,
				    DRM_CLOEXEC | DRM_RDWR, &fd), 0);
	return fd;
}

unsigned int
display_crc_of(struct display *display, uint32_t handle)
{
	uint32_t fb = display_add(display, handle,
				  (uint32_t)display->mode.hdisplay * 4);
	unsigned int crc;

	display_show(display, fb);
	crc = display_crc(display);
	display_show(display, 0);
	drmModeRmFB(display->card, fb);
	return crc;
}

unsigned int
display_pattern_crc(struct display *display)
{
	struct dumb dumb = dumb_create(display->card, display->mode.hdisplay,
				       display->mode.vdisplay);
	uint8_t *data = dumb_map(&dumb);
	unsigned int crc;

	pattern_fill(data, dumb.size);
	munmap(data, dumb.size);
	crc = display_crc_of(display, dumb.handle);
	dumb_destroy(&dumb);
	return crc;
}
