// SPDX-License-Identifier: MIT
/*
 * A display's driver with bufalloc's GEM objects: the sample, which shows what its
 * device's DMA has read, by the CRC of that.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <drm_fourcc.h>
#include <xf86drm.h>
#include <xf86drmMode.h>

#include "edu.h"
#include "panel.h"
#include "sample.h"

#define WIDTH PANEL_WIDTH
#define HEIGHT PANEL_HEIGHT
#define LENGTH ((size_t)WIDTH * HEIGHT * 4)
#define LENGTH_NV12 ((size_t)WIDTH * HEIGHT * 3 / 2)

/* A dumb buffer with a picture of its own, and the CRC of @length bytes of it. */
static struct dumb
drawn(const struct display *display, uint8_t seed, size_t length,
      unsigned int *crc)
{
	struct dumb dumb = dumb_create(display->card, WIDTH, HEIGHT);
	uint8_t *data = dumb_map(&dumb);

	pattern_fill(data, dumb.size);
	data[length - 1] ^= seed;
	*crc = panel_crc_of(data, length);
	munmap(data, dumb.size);
	return dumb;
}

static void
put_down(struct display *display, const struct dumb *dumb, uint32_t fb)
{
	drmModeRmFB(display->card, fb);
	dumb_destroy(dumb);
}

static void
shows_dumb_buffers(void)
{
	struct display display = panel_open();
	unsigned int expected, now;
	struct dumb dumb = drawn(&display, 0, LENGTH, &expected);
	uint32_t fb = display_add(&display, dumb.handle, dumb.pitch);
	int crcs;

	display_show(&display, fb);
	crcs = panel_begin_crcs(&display, &now);
	CHECK_EQ(now, expected);
	put_down(&display, &dumb, fb);

	dumb = drawn(&display, 0, LENGTH_NV12, &expected);
	fb = panel_add_nv12(&display, dumb.handle);
	display_show(&display, fb);
	CHECK_EQ(panel_next_crc(crcs, NULL), expected);
	put_down(&display, &dumb, fb);
	close(crcs);
	close(display.card);
}

/* Each flip shows its own picture, in order, and the event comes behind it. */
static void
flips(void)
{
	struct display display = panel_open();
	unsigned int expected[2], now, number, first = 0;
	struct dumb dumbs[2];
	uint32_t fbs[2];
	int crcs;

	for (int i = 0; i < 2; i++) {
		dumbs[i] = drawn(&display, (uint8_t)(i + 1), LENGTH, &expected[i]);
		fbs[i] = display_add(&display, dumbs[i].handle, dumbs[i].pitch);
	}
	CHECK(expected[0] != expected[1]);
	display_show(&display, fbs[0]);
	crcs = panel_begin_crcs(&display, &now);
	for (unsigned int i = 1; i < 9; i++) {
		CHECK_EQ(panel_flip(&display, fbs[i % 2]), 0);
		panel_wait_flip(&display);
		fcntl(crcs, F_SETFL, O_NONBLOCK);
		CHECK_EQ(panel_next_crc(crcs, &number), expected[i % 2]);
		first = i == 1 ? number : first;
		CHECK_EQ(number, first + i - 1);
	}
	panel_check_no_crc(crcs);
	close(crcs);
	put_down(&display, &dumbs[0], fbs[0]);
	put_down(&display, &dumbs[1], fbs[1]);
	close(display.card);
}

static const struct ktest_row rows[] = {
	{ "shows-dumb-buffers", shows_dumb_buffers },
	{ "flips-show-each-picture", flips },
};

int
main(void)
{
	return ktest_main(rows, sizeof(rows) / sizeof(rows[0]));
}
