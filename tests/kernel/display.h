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

#endif /* DISPLAY_H */
