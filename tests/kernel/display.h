/* SPDX-License-Identifier: MIT */
/*
 * A display of the guest, to put framebuffers on.
 */
#ifndef DISPLAY_H
#define DISPLAY_H

#include <xf86drmMode.h>

#include "ktest.h"

/* The first connector of a card, its CRTC and one of its modes. */
struct display {
	int card;
	uint32_t connector, crtc;
	drmModeModeInfo mode;
};

/*
 * The card of that driver, which the caller closes, in that mode; the row is
 * skipped if there is none, and fails if it has no such mode.
 */
struct display
display_open(const char *driver, uint16_t width, uint16_t height);

/* A framebuffer of XRGB8888 in the size of the mode. */
uint32_t
display_add(struct display *display, uint32_t handle, uint32_t pitch);

/* Show that framebuffer; 0: none. */
void
display_show(struct display *display, uint32_t fb);

/* The CRC of a frame that vkms composed of what it shows now. */
unsigned int
display_crc(struct display *display);

/* A dumb buffer of 32 bits a pixel. */
struct dumb {
	int card;
	uint32_t handle, pitch;
	uint64_t size;
};

struct dumb
dumb_create(int card, uint32_t width, uint32_t height);
/* All of it, shared, for reading and writing. */
uint8_t *
dumb_map(const struct dumb *dumb);
void
dumb_destroy(const struct dumb *dumb);
/* A dma-buf of it that may be written through. */
int
dumb_export(const struct dumb *dumb);

/* The CRC of the buffer of that handle, of XRGB8888 in the size of the mode. */
unsigned int
display_crc_of(struct display *display, uint32_t handle);
/* The CRC of the pattern, in a dumb buffer of the display's. */
unsigned int
display_pattern_crc(struct display *display);

#endif /* DISPLAY_H */
