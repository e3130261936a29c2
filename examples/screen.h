/* SPDX-License-Identifier: MIT */
/* A display, as far as the examples need one: one connector, one plane. */
#ifndef SCREEN_H
#define SCREEN_H

#include <bufalloc/bufalloc.h>
#include <stdbool.h>
#include <xf86drmMode.h>

struct screen {
	int fd;
	uint32_t connector;
	uint32_t crtc;
	drmModeModeInfo mode;
	bool is_on;
};

/* Each of these says what is wrong and ends the program if it cannot be done. */

/* Open a card and find a connector that has a mode of this size. */
void
screen_open(struct screen *screen, const char *card, unsigned int width,
	    unsigned int height);

/* A framebuffer of a buffer with a picture of this layout: its number. */
uint32_t
screen_add(struct screen *screen, const struct bufalloc_buf *buf,
	   const struct bufalloc_layout *layout);

/* Show a framebuffer. Returns when the one before is not read any more. */
void
screen_show(struct screen *screen, uint32_t framebuffer);

#endif /* SCREEN_H */
