/* SPDX-License-Identifier: MIT */
/*
 * How large a frame is: for "bufalloc explain --format". The names are the four
 * letters of <drm_fourcc.h> and of V4L2, where the two agree; GREY and R8 are
 * V4L2's and DRM's name of one format. Without padding: a driver may want more.
 */
#include <stdio.h>
#include <string.h>

#include "tool.h"

static const struct {
	char name[5];
	/* Bytes of one pixel in the first plane. */
	uint8_t first;
	/* Bytes of one sample of all the other planes together; 0: none. */
	uint8_t others;
	/* Pixels of a sample of the others, across and down. */
	uint8_t across;
	uint8_t down;
} formats[] = {
	{ "NV12", 1, 2, 2, 2 },
	{ "NV21", 1, 2, 2, 2 },
	{ "NV16", 1, 2, 2, 1 },
	{ "NV61", 1, 2, 2, 1 },
	{ "NV24", 1, 2, 1, 1 },
	{ "P010", 2, 4, 2, 2 },
	{ "YU12", 1, 2, 2, 2 },
	{ "YV12", 1, 2, 2, 2 },
	{ "YU16", 1, 2, 2, 1 },
	{ "YU24", 1, 2, 1, 1 },
	/* Two pixels share their colour: as if each half were a plane. */
	{ "YUYV", 0, 4, 2, 1 },
	{ "YVYU", 0, 4, 2, 1 },
	{ "UYVY", 0, 4, 2, 1 },
	{ "VYUY", 0, 4, 2, 1 },
	{ "XR24", 4, 0, 1, 1 },
	{ "AR24", 4, 0, 1, 1 },
	{ "XB24", 4, 0, 1, 1 },
	{ "AB24", 4, 0, 1, 1 },
	{ "RX24", 4, 0, 1, 1 },
	{ "BX24", 4, 0, 1, 1 },
	{ "XR30", 4, 0, 1, 1 },
	{ "RG24", 3, 0, 1, 1 },
	{ "BG24", 3, 0, 1, 1 },
	{ "RG16", 2, 0, 1, 1 },
	{ "GREY", 1, 0, 1, 1 },
	{ "R8", 1, 0, 1, 1 },
};

#define FORMATS_LEN (sizeof(formats) / sizeof(formats[0]))

uint64_t
tool_frame_size(const char *format, uint64_t width, uint64_t height)
{
	size_t i;

	for (i = 0; i < FORMATS_LEN; i++) {
		if (strcmp(formats[i].name, format) == 0) {
			uint64_t across = formats[i].across;
			uint64_t down = formats[i].down;

			return width * height * formats[i].first +
			       (width + across - 1) / across *
				       ((height + down - 1) / down) *
				       formats[i].others;
		}
	}
	return 0;
}

struct tool_formats
tool_formats(void)
{
	struct tool_formats list = { .text = "" };
	size_t i, len = 0;

	for (i = 0; i < FORMATS_LEN; i++) {
		len += (size_t)snprintf(list.text + len,
					sizeof(list.text) - len, "%s%s",
					i > 0 ? " " : "", formats[i].name);
	}
	return list;
}
