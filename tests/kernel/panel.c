// SPDX-License-Identifier: MIT
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include <drm_fourcc.h>
#include <xf86drm.h>

#include "panel.h"
#include "pci.h"

#define DRIVER "bufalloc_display"

struct display
panel_open(void)
{
	return display_open(PANEL, PANEL_WIDTH, PANEL_HEIGHT);
}

static unsigned int
minor_of(const struct display *display)
{
	struct stat status;

	CHECK_EQ(fstat(display->card, &status), 0);
	return minor(status.st_rdev);
}

int
panel_begin_crcs(const struct display *display, unsigned int *now)
{
	char path[96];
	int crcs;

	snprintf(path, sizeof(path), "/sys/kernel/debug/dri/%u/crtc-0/crc/control",
		 minor_of(display));
	CHECK(ktest_put(path, "auto", 0));
	snprintf(path, sizeof(path), "/sys/kernel/debug/dri/%u/crtc-0/crc/data",
		 minor_of(display));
	crcs = open(path, O_RDONLY | O_CLOEXEC);
	CHECK(crcs >= 0);
	*now = panel_next_crc(crcs, NULL);
	return crcs;
}

unsigned int
panel_next_crc(int crcs, unsigned int *number)
{
	unsigned int frame = 0, crc = 0;
	char text[64] = "";

	CHECK(read(crcs, text, sizeof(text) - 1) > 0);
	CHECK_EQ(sscanf(text, "%x %x", &frame, &crc), 2);
	if (number != NULL) {
		*number = frame;
	}
	return crc;
}

void
panel_check_no_crc(int crcs)
{
	char text[64];

	CHECK_EQ(fcntl(crcs, F_SETFL, O_NONBLOCK), 0);
	CHECK_ERRNO(EAGAIN, read(crcs, text, sizeof(text)));
	CHECK_EQ(fcntl(crcs, F_SETFL, 0), 0);
}

int
panel_flip(const struct display *display, uint32_t fb)
{
	return drmModePageFlip(display->card, display->crtc, fb,
			       DRM_MODE_PAGE_FLIP_EVENT, NULL);
}

void
panel_wait_flip(const struct display *display)
{
	drmEventContext context = { .version = 2 };

	CHECK_EQ(drmHandleEvent(display->card, &context), 0);
}

uint32_t
panel_add_nv12(const struct display *display, uint32_t handle)
{
	uint32_t handles[4] = { handle, handle };
	uint32_t pitches[4] = { PANEL_WIDTH, PANEL_WIDTH };
	uint32_t offsets[4] = { 0, PANEL_WIDTH * PANEL_HEIGHT };
	uint32_t fb;

	CHECK_EQ(drmModeAddFB2(display->card, PANEL_WIDTH, PANEL_HEIGHT,
			       DRM_FORMAT_NV12, handles, pitches, offsets, &fb, 0),
		 0);
	return fb;
}

unsigned int
panel_crc_of(const void *data, size_t length)
{
	const uint8_t *at = data;
	uint32_t crc = UINT32_MAX;

	while (length-- > 0) {
		crc ^= *at++;
		for (int bit = 0; bit < 8; bit++) {
			crc = crc >> 1 ^ (crc & 1 ? 0xedb88320 : 0);
		}
	}
	return ~crc;
}

unsigned long
panel_interrupts(void)
{
	FILE *file = fopen("/proc/interrupts", "re");
	unsigned long count = 0;
	char line[512];

	CHECK(file != NULL);
	/* One processor: " 11: 1234 IO-APIC 11-fasteoi bufalloc_display". */
	while (fgets(line, sizeof(line), file) != NULL) {
		if (strstr(line, DRIVER) != NULL) {
			count += strtoul(strchr(line, ':') + 1, NULL, 10);
		}
	}
	fclose(file);
	return count;
}

const char *
panel_pci_name(const struct display *display)
{
	static char name[PATH_MAX];
	const char *end;
	char path[64];

	snprintf(path, sizeof(path), "/sys/class/drm/card%u/device",
		 minor_of(display));
	end = pci_name(path, name);
	CHECK(end != NULL);
	return end;
}

void
panel_unbind(const char *pci_name)
{
	pci_tell_driver(DRIVER, "unbind", pci_name);
}

void
panel_bind(const char *pci_name)
{
	pci_tell_driver(DRIVER, "bind", pci_name);
}

void
panel_set_own_domain(bool own)
{
	CHECK(ktest_put("/sys/module/" DRIVER "/parameters/own_domain",
			own ? "Y" : "N", 0));
}
