// SPDX-License-Identifier: MIT
/*
 * The sample display in each of its modes: a whole picture, and flips, each of which
 * is the picture that was drawn, by the CRC of what the device's DMA has read. 640x480
 * takes the device two minutes, which this guest's clock skips (guest.sh), and DRM's
 * own limits are 10 s.
 */
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <drm_fourcc.h>
#include <xf86drm.h>
#include <xf86drmMode.h>

#include "panel.h"

#define FLIPS 3
#define PIECE 2048

/* One of two pictures, which differ in their last byte only. */
struct picture {
	struct dumb dumb;
	uint32_t fb;
	unsigned int crc;
};

static void
draw(struct picture *picture, size_t length, uint8_t seed)
{
	uint8_t *data = dumb_map(&picture->dumb);

	CHECK(picture->dumb.size >= length);
	pattern_fill(data, length);
	data[length - 1] ^= seed;
	picture->crc = panel_crc_of(data, length);
	munmap(data, picture->dumb.size);
}

static uint32_t
add_nv12(const struct display *display, uint32_t handle)
{
	uint32_t width = display->mode.hdisplay, height = display->mode.vdisplay;
	uint32_t handles[4] = { handle, handle };
	uint32_t pitches[4] = { width, width };
	uint32_t offsets[4] = { 0, width * height };
	uint32_t fb;

	CHECK_EQ(drmModeAddFB2(display->card, width, height, DRM_FORMAT_NV12,
			       handles, pitches, offsets, &fb, 0), 0);
	return fb;
}

/* The mode, a picture of that format in it, and then others in its place. */
static void
flips(uint16_t width, uint16_t height, uint32_t format)
{
	struct display display = display_open(PANEL, width, height);
	bool nv12 = format == DRM_FORMAT_NV12;
	size_t length = (size_t)width * height / 2 * (nv12 ? 3 : 8);
	struct picture pictures[2];
	unsigned long interrupts;
	unsigned int now;
	int crcs;

	for (int i = 0; i < 2; i++) {
		struct picture *picture = &pictures[i];

		picture->dumb = dumb_create(display.card, width, height);
		draw(picture, length, (uint8_t)(i + 1));
		picture->fb = nv12 ? add_nv12(&display, picture->dumb.handle) :
				     display_add(&display, picture->dumb.handle,
						 picture->dumb.pitch);
	}
	CHECK(pictures[0].crc != pictures[1].crc);
	display_show(&display, pictures[0].fb);
	crcs = panel_begin_crcs(&display, &now);
	CHECK_EQ(now, pictures[0].crc);
	interrupts = panel_interrupts();
	for (int i = 1; i <= FLIPS; i++) {
		CHECK_EQ(panel_flip(&display, pictures[i % 2].fb), 0);
		panel_wait_flip(&display);
		CHECK_EQ(panel_next_crc(crcs, NULL), pictures[i % 2].crc);
	}
	panel_check_no_crc(crcs);
	/* All of it, each time: a piece is two transfers. */
	CHECK(panel_interrupts() - interrupts >= 2 * FLIPS * (length / PIECE));
	close(crcs);
	for (int i = 0; i < 2; i++) {
		drmModeRmFB(display.card, pictures[i].fb);
		dumb_destroy(&pictures[i].dumb);
	}
	close(display.card);
}

static void
small(void)
{
	flips(64, 32, DRM_FORMAT_XRGB8888);
	flips(64, 32, DRM_FORMAT_NV12);
}

static void
qqvga(void)
{
	flips(160, 120, DRM_FORMAT_XRGB8888);
	flips(160, 120, DRM_FORMAT_NV12);
}

static void
qvga(void)
{
	flips(320, 240, DRM_FORMAT_XRGB8888);
	flips(320, 240, DRM_FORMAT_NV12);
}

static void
vga(void)
{
	flips(640, 480, DRM_FORMAT_XRGB8888);
	flips(640, 480, DRM_FORMAT_NV12);
}

/* What is above is all that there is. */
static void
no_other_mode(void)
{
	struct display display = display_open(PANEL, PANEL_WIDTH, PANEL_HEIGHT);
	drmModeConnectorPtr connector =
		drmModeGetConnector(display.card, display.connector);

	CHECK(connector != NULL);
	CHECK_EQ(connector->count_modes, 4);
	drmModeFreeConnector(connector);
	close(display.card);
}

static const struct ktest_row rows[] = {
	{ "64x32-flips-show-each-picture", small },
	{ "160x120-flips-show-each-picture", qqvga },
	{ "320x240-flips-show-each-picture", qvga },
	{ "640x480-flips-show-each-picture", vga },
	{ "there-is-no-other-mode", no_other_mode },
};

int
main(void)
{
	return ktest_main(rows, sizeof(rows) / sizeof(rows[0]));
}
