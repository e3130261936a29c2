/* SPDX-License-Identifier: MIT */
/*
 * The table of formats. The numbers are those of libdrm's <drm_fourcc.h> and of
 * <linux/videodev2.h>; which of them mean the same bytes, and what those are,
 * is in the two headers' comments and in the kernel's documentation of V4L2
 * formats (Documentation/userspace-api/media/v4l/pixfmt-*.rst).
 */
#include <drm_fourcc.h>
#include <linux/videodev2.h>
#include <stddef.h>

#include "format.h"

/* clang-format off */
#define PACKED(bytes)		1, { { bytes, 1, 1, 1 } }
#define GROUPED(bytes, pixels)	1, { { bytes, pixels, 1, 1 } }
/* Two planes, colours interleaved in the second; three planes. */
#define TWO(bytes, across, down) \
	2, { { bytes, 1, 1, 1 }, { 2 * (bytes), 1, across, down } }
#define THREE(across, down) \
	3, { { 1, 1, 1, 1 }, { 1, 1, across, down }, { 1, 1, across, down } }
#define COMPRESSED		1, { { 0, 1, 1, 1 } }

static const struct format formats[] = {
	{ DRM_FORMAT_NV12, V4L2_PIX_FMT_NV12, V4L2_PIX_FMT_NV12M, TWO(1, 2, 2) },
	{ DRM_FORMAT_NV21, V4L2_PIX_FMT_NV21, V4L2_PIX_FMT_NV21M, TWO(1, 2, 2) },
	{ DRM_FORMAT_NV16, V4L2_PIX_FMT_NV16, V4L2_PIX_FMT_NV16M, TWO(1, 2, 1) },
	{ DRM_FORMAT_NV61, V4L2_PIX_FMT_NV61, V4L2_PIX_FMT_NV61M, TWO(1, 2, 1) },
	{ DRM_FORMAT_NV24, V4L2_PIX_FMT_NV24, 0, TWO(1, 1, 1) },
	{ DRM_FORMAT_NV42, V4L2_PIX_FMT_NV42, 0, TWO(1, 1, 1) },
	{ DRM_FORMAT_P010, V4L2_PIX_FMT_P010, 0, TWO(2, 2, 2) },
	{ DRM_FORMAT_P012, 0, 0, TWO(2, 2, 2) },
	{ DRM_FORMAT_P016, 0, 0, TWO(2, 2, 2) },

	{ DRM_FORMAT_YUV420, V4L2_PIX_FMT_YUV420, V4L2_PIX_FMT_YUV420M, THREE(2, 2) },
	{ DRM_FORMAT_YVU420, V4L2_PIX_FMT_YVU420, V4L2_PIX_FMT_YVU420M, THREE(2, 2) },
	{ DRM_FORMAT_YUV422, V4L2_PIX_FMT_YUV422P, V4L2_PIX_FMT_YUV422M, THREE(2, 1) },
	{ DRM_FORMAT_YVU422, 0, V4L2_PIX_FMT_YVU422M, THREE(2, 1) },
	{ DRM_FORMAT_YUV444, 0, V4L2_PIX_FMT_YUV444M, THREE(1, 1) },
	{ DRM_FORMAT_YVU444, 0, V4L2_PIX_FMT_YVU444M, THREE(1, 1) },

	{ DRM_FORMAT_YUYV, V4L2_PIX_FMT_YUYV, 0, GROUPED(4, 2) },
	{ DRM_FORMAT_YVYU, V4L2_PIX_FMT_YVYU, 0, GROUPED(4, 2) },
	{ DRM_FORMAT_UYVY, V4L2_PIX_FMT_UYVY, 0, GROUPED(4, 2) },
	{ DRM_FORMAT_VYUY, V4L2_PIX_FMT_VYUY, 0, GROUPED(4, 2) },

	/* DRM names the bits of a number, V4L2 most of these by their bytes. */
	{ DRM_FORMAT_XRGB8888, V4L2_PIX_FMT_XBGR32, 0, PACKED(4) },
	{ DRM_FORMAT_ARGB8888, V4L2_PIX_FMT_ABGR32, 0, PACKED(4) },
	{ DRM_FORMAT_XBGR8888, V4L2_PIX_FMT_RGBX32, 0, PACKED(4) },
	{ DRM_FORMAT_ABGR8888, V4L2_PIX_FMT_RGBA32, 0, PACKED(4) },
	{ DRM_FORMAT_RGBX8888, V4L2_PIX_FMT_BGRX32, 0, PACKED(4) },
	{ DRM_FORMAT_RGBA8888, V4L2_PIX_FMT_BGRA32, 0, PACKED(4) },
	{ DRM_FORMAT_BGRX8888, V4L2_PIX_FMT_XRGB32, 0, PACKED(4) },
	{ DRM_FORMAT_BGRA8888, V4L2_PIX_FMT_ARGB32, 0, PACKED(4) },
	{ DRM_FORMAT_XRGB2101010, 0, 0, PACKED(4) },
	{ DRM_FORMAT_ARGB2101010, 0, 0, PACKED(4) },
	{ DRM_FORMAT_RGB888, V4L2_PIX_FMT_BGR24, 0, PACKED(3) },
	{ DRM_FORMAT_BGR888, V4L2_PIX_FMT_RGB24, 0, PACKED(3) },
	{ DRM_FORMAT_RGB565, V4L2_PIX_FMT_RGB565, 0, PACKED(2) },

	{ DRM_FORMAT_R8, V4L2_PIX_FMT_GREY, 0, PACKED(1) },
	{ DRM_FORMAT_R10, V4L2_PIX_FMT_Y10, 0, PACKED(2) },
	{ DRM_FORMAT_R12, V4L2_PIX_FMT_Y12, 0, PACKED(2) },
	{ DRM_FORMAT_R16, V4L2_PIX_FMT_Y16, 0, PACKED(2) },
	{ 0, V4L2_PIX_FMT_Y10P, 0, GROUPED(5, 4) },

	{ 0, V4L2_PIX_FMT_SBGGR8, 0, PACKED(1) },
	{ 0, V4L2_PIX_FMT_SGBRG8, 0, PACKED(1) },
	{ 0, V4L2_PIX_FMT_SGRBG8, 0, PACKED(1) },
	{ 0, V4L2_PIX_FMT_SRGGB8, 0, PACKED(1) },
	{ 0, V4L2_PIX_FMT_SBGGR10, 0, PACKED(2) },
	{ 0, V4L2_PIX_FMT_SGBRG10, 0, PACKED(2) },
	{ 0, V4L2_PIX_FMT_SGRBG10, 0, PACKED(2) },
	{ 0, V4L2_PIX_FMT_SRGGB10, 0, PACKED(2) },
	{ 0, V4L2_PIX_FMT_SBGGR10P, 0, GROUPED(5, 4) },
	{ 0, V4L2_PIX_FMT_SGBRG10P, 0, GROUPED(5, 4) },
	{ 0, V4L2_PIX_FMT_SGRBG10P, 0, GROUPED(5, 4) },
	{ 0, V4L2_PIX_FMT_SRGGB10P, 0, GROUPED(5, 4) },
	{ 0, V4L2_PIX_FMT_SBGGR12, 0, PACKED(2) },
	{ 0, V4L2_PIX_FMT_SGBRG12, 0, PACKED(2) },
	{ 0, V4L2_PIX_FMT_SGRBG12, 0, PACKED(2) },
	{ 0, V4L2_PIX_FMT_SRGGB12, 0, PACKED(2) },
	{ 0, V4L2_PIX_FMT_SBGGR12P, 0, GROUPED(3, 2) },
	{ 0, V4L2_PIX_FMT_SGBRG12P, 0, GROUPED(3, 2) },
	{ 0, V4L2_PIX_FMT_SGRBG12P, 0, GROUPED(3, 2) },
	{ 0, V4L2_PIX_FMT_SRGGB12P, 0, GROUPED(3, 2) },
	{ 0, V4L2_PIX_FMT_SBGGR16, 0, PACKED(2) },
	{ 0, V4L2_PIX_FMT_SGBRG16, 0, PACKED(2) },
	{ 0, V4L2_PIX_FMT_SGRBG16, 0, PACKED(2) },
	{ 0, V4L2_PIX_FMT_SRGGB16, 0, PACKED(2) },

	{ 0, V4L2_PIX_FMT_MJPEG, 0, COMPRESSED },
	{ 0, V4L2_PIX_FMT_JPEG, 0, COMPRESSED },
	{ 0, V4L2_PIX_FMT_H264, 0, COMPRESSED },
	{ 0, V4L2_PIX_FMT_HEVC, 0, COMPRESSED },
	{ 0, V4L2_PIX_FMT_VP8, 0, COMPRESSED },
	{ 0, V4L2_PIX_FMT_VP9, 0, COMPRESSED },
};

const struct format private_format_none = { 0, 0, 0, COMPRESSED };
/* clang-format on */

#define FORMATS_LEN (sizeof(formats) / sizeof(formats[0]))

const struct format *
private_format_from_fourcc(uint32_t fourcc)
{
	size_t i;

	if (fourcc == 0) {
		return NULL;
	}
	for (i = 0; i < FORMATS_LEN; i++) {
		if (formats[i].fourcc == fourcc) {
			return &formats[i];
		}
	}
	return private_format_from_pixelformat(fourcc);
}

const struct format *
private_format_from_pixelformat(uint32_t pixelformat)
{
	size_t i;

	if (pixelformat == 0) {
		return NULL;
	}
	for (i = 0; i < FORMATS_LEN; i++) {
		if (formats[i].pixelformat == pixelformat ||
		    formats[i].split_pixelformat == pixelformat) {
			return &formats[i];
		}
	}
	return NULL;
}
