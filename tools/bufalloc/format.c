/* SPDX-License-Identifier: MIT */
/*
 * How large a frame is: as the library lays it out, without padding. The names
 * are the four letters of <drm_fourcc.h> and of V4L2.
 */
#include <stdio.h>
#include <string.h>

#include "tool.h"

/* The well-known ones, for people; the library knows more. */
static const char names[] =
	"NV12 NV21 NV16 NV61 NV24 P010 YU12 YV12 YU16 YU24 YUYV YVYU UYVY VYUY "
	"XR24 AR24 XB24 AB24 RX24 BX24 XR30 RG24 BG24 RG16 GREY R8";

uint32_t
tool_fourcc(const char *format)
{
	/* Shorter ones are padded. */
	unsigned char letters[4] = { ' ', ' ', ' ', ' ' };
	size_t len = strlen(format), i;

	if (len == 0 || len > sizeof(letters)) {
		return 0;
	}
	for (i = 0; i < len; i++) {
		letters[i] = (unsigned char)format[i];
	}
	return BUFALLOC_FOURCC(letters[0], letters[1], letters[2], letters[3]);
}

uint64_t
tool_frame_size(const char *format, uint64_t width, uint64_t height)
{
	const struct bufalloc_layout *layout;
	struct bufalloc_request *request;
	uint64_t size = 0;

	if (bufalloc_request_new(&request) < 0) {
		return 0;
	}
	if (bufalloc_request_set_format(request, tool_fourcc(format),
					(uint32_t)width,
					(uint32_t)height) == 0 &&
	    bufalloc_request_get_layout(request, &layout) == 0) {
		size = layout->lengths[0];
	}
	bufalloc_request_destroy(request);
	return size;
}

const char *
tool_format_names(void)
{
	return names;
}
