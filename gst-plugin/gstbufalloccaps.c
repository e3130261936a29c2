/* SPDX-License-Identifier: LGPL-2.1-or-later */

/**
 * SECTION:gstbufalloccaps
 * @title: caps
 * @short_description: what frames look like
 *
 * Since GStreamer 1.24 caps of memory:DMABuf have format=DMA_DRM and in drm-format
 * a fourcc of the kernel's drm_fourcc.h, with a modifier behind a colon if the
 * memory is not linear (GStreamer's design document dmabuf.md). They are read here,
 * because one plugin is for all versions, and gst_video_info_from_caps() knows no
 * sizes for them.
 *
 * Since: 0.1
 */

#ifdef HAVE_CONFIG_H
#include "config.h"
#endif

#include "gstbufalloccaps.h"

#include <string.h>

#include <drm_fourcc.h>

GST_DEBUG_CATEGORY_EXTERN (gst_bufalloc_debug);
#define GST_CAT_DEFAULT gst_bufalloc_debug

static const struct
{
  GstVideoFormat format;
  guint32 fourcc;
} drm_formats[] = {
  {GST_VIDEO_FORMAT_BGRx, DRM_FORMAT_XRGB8888},
  {GST_VIDEO_FORMAT_BGRA, DRM_FORMAT_ARGB8888},
  {GST_VIDEO_FORMAT_RGBx, DRM_FORMAT_XBGR8888},
  {GST_VIDEO_FORMAT_RGBA, DRM_FORMAT_ABGR8888},
  {GST_VIDEO_FORMAT_xRGB, DRM_FORMAT_BGRX8888},
  {GST_VIDEO_FORMAT_ARGB, DRM_FORMAT_BGRA8888},
  {GST_VIDEO_FORMAT_xBGR, DRM_FORMAT_RGBX8888},
  {GST_VIDEO_FORMAT_ABGR, DRM_FORMAT_RGBA8888},
  {GST_VIDEO_FORMAT_BGR, DRM_FORMAT_RGB888},
  {GST_VIDEO_FORMAT_RGB, DRM_FORMAT_BGR888},
  {GST_VIDEO_FORMAT_RGB16, DRM_FORMAT_RGB565},
  {GST_VIDEO_FORMAT_BGR16, DRM_FORMAT_BGR565},
  {GST_VIDEO_FORMAT_YUY2, DRM_FORMAT_YUYV},
  {GST_VIDEO_FORMAT_YVYU, DRM_FORMAT_YVYU},
  {GST_VIDEO_FORMAT_UYVY, DRM_FORMAT_UYVY},
  {GST_VIDEO_FORMAT_NV12, DRM_FORMAT_NV12},
  {GST_VIDEO_FORMAT_NV21, DRM_FORMAT_NV21},
  {GST_VIDEO_FORMAT_NV16, DRM_FORMAT_NV16},
  {GST_VIDEO_FORMAT_NV61, DRM_FORMAT_NV61},
  {GST_VIDEO_FORMAT_I420, DRM_FORMAT_YUV420},
  {GST_VIDEO_FORMAT_YV12, DRM_FORMAT_YVU420},
  {GST_VIDEO_FORMAT_Y42B, DRM_FORMAT_YUV422},
};

/**
 * gst_bufalloc_drm_fourcc:
 * @format: a format of GStreamer's
 *
 * Returns: what the kernel calls it (drm_fourcc.h), or 0
 *
 * Since: 0.1
 */
guint32
gst_bufalloc_drm_fourcc (GstVideoFormat format)
{
  guint i;

  for (i = 0; i < G_N_ELEMENTS (drm_formats); i++) {
    if (drm_formats[i].format == format)
      return drm_formats[i].fourcc;
  }

  return 0;
}

static GstVideoFormat
format_of_fourcc (guint32 fourcc)
{
  guint i;

  for (i = 0; i < G_N_ELEMENTS (drm_formats); i++) {
    if (drm_formats[i].fourcc == fourcc)
      return drm_formats[i].format;
  }

  return GST_VIDEO_FORMAT_UNKNOWN;
}

/* "XR24" or "XR24:0x0100000000000002"; short names are padded with blanks. */
static gboolean
parse_drm_format (const gchar * text, guint32 * fourcc, guint64 * modifier)
{
  const gchar *colon = strchr (text, ':');
  gsize i, n = colon ? (gsize) (colon - text) : strlen (text);
  guchar letters[4] = { ' ', ' ', ' ', ' ' };
  gchar *end;

  if (n == 0 || n > sizeof (letters))
    return FALSE;
  for (i = 0; i < n; i++)
    letters[i] = text[i];
  *fourcc = GST_MAKE_FOURCC (letters[0], letters[1], letters[2], letters[3]);
  *modifier = DRM_FORMAT_MOD_LINEAR;
  if (colon == NULL)
    return TRUE;
  *modifier = g_ascii_strtoull (colon + 1, &end, 16);

  return end != colon + 1 && *end == '\0';
}

/**
 * gst_bufalloc_caps_is_drm:
 * @caps: fixed caps
 *
 * Returns: whether they have format=DMA_DRM
 *
 * Since: 0.1
 */
gboolean
gst_bufalloc_caps_is_drm (GstCaps * caps)
{
  return gst_caps_get_size (caps) == 1
      && g_strcmp0 (gst_structure_get_string (gst_caps_get_structure (caps, 0),
          "format"), "DMA_DRM") == 0;
}

/**
 * gst_bufalloc_caps_to_info:
 * @caps: fixed caps
 * @info: (out caller-allocates): where to put what they say
 *
 * What gst_video_info_from_caps() does, also for format=DMA_DRM, for which @info
 * gets the format and the layout that a linear frame has.
 *
 * Returns: %FALSE for what is no raw video, and for frames that are not linear
 *
 * Since: 0.1
 */
gboolean
gst_bufalloc_caps_to_info (GstCaps * caps, GstVideoInfo * info)
{
  GstVideoFormat format = GST_VIDEO_FORMAT_UNKNOWN;
  const gchar *text;
  GstStructure *s;
  guint64 modifier;
  guint32 fourcc;
  GstCaps *raw;
  gboolean ok;

  if (!gst_bufalloc_caps_is_drm (caps))
    return gst_video_info_from_caps (info, caps);

  s = gst_caps_get_structure (caps, 0);
  text = gst_structure_get_string (s, "drm-format");
  if (text != NULL && parse_drm_format (text, &fourcc, &modifier)
      && modifier == DRM_FORMAT_MOD_LINEAR)
    format = format_of_fourcc (fourcc);
  if (format == GST_VIDEO_FORMAT_UNKNOWN) {
    GST_INFO ("drm-format=%s passes as it is: only linear formats that GStreamer "
        "has as well are allocated", text ? text : "(none)");
    return FALSE;
  }

  raw = gst_caps_new_empty ();
  gst_caps_append_structure (raw, gst_structure_copy (s));
  s = gst_caps_get_structure (raw, 0);
  gst_structure_remove_field (s, "drm-format");
  gst_structure_set (s, "format", G_TYPE_STRING,
      gst_video_format_to_string (format), NULL);
  ok = gst_video_info_from_caps (info, raw);
  gst_caps_unref (raw);

  return ok;
}
