/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The library's layouts against GstVideoInfo, which others wrote and everybody
 * uses: each format that both know.
 */
#include <bufalloc/bufalloc.h>

#include "common.h"
#include "formats.h"

static struct bufalloc_request *
new_request (guint i, guint width, guint height)
{
  const gchar *name = formats[i].fourcc;
  struct bufalloc_request *req = NULL;

  fail_unless_equals_int (bufalloc_request_new (&req), 0);
  fail_unless_equals_int (bufalloc_request_set_format (req,
          BUFALLOC_FOURCC (name[0], name[1], name[2], name[3]), width, height),
      0);
  return req;
}

static void
compare (guint i, const struct bufalloc_layout *layout,
    const GstVideoInfo * info, gboolean equal)
{
  guint p;

  fail_unless_equals_int (layout->plane_count, GST_VIDEO_INFO_N_PLANES (info));
  for (p = 0; p < layout->plane_count; p++) {
    guint stride = GST_VIDEO_INFO_PLANE_STRIDE (info, p);
    gsize offset = GST_VIDEO_INFO_PLANE_OFFSET (info, p);

    fail_unless (equal ? layout->planes[p].stride == stride :
        layout->planes[p].stride <= stride,
        "%s %ux%u plane %u: stride %u, GStreamer's is %u", formats[i].fourcc,
        layout->width, layout->height, p, layout->planes[p].stride, stride);
    fail_unless (equal ? layout->planes[p].offset == offset :
        layout->planes[p].offset <= offset,
        "%s %ux%u plane %u: offset %" G_GUINT64_FORMAT ", GStreamer's is %"
        G_GSIZE_FORMAT, formats[i].fourcc, layout->width, layout->height, p,
        layout->planes[p].offset, offset);
  }
  fail_unless (equal ? layout->lengths[0] == GST_VIDEO_INFO_SIZE (info) :
      layout->lengths[0] <= GST_VIDEO_INFO_SIZE (info),
      "%s %ux%u: length %" G_GUINT64_FORMAT ", GStreamer's is %"
      G_GSIZE_FORMAT, formats[i].fourcc, layout->width, layout->height,
      layout->lengths[0], GST_VIDEO_INFO_SIZE (info));
}

/* GStreamer rounds odd sizes up further; never may ours need more. */
GST_START_TEST (test_natural)
{
  guint s;

  for (s = 0; s < G_N_ELEMENTS (sizes); s++) {
    guint width = sizes[s].width, height = sizes[s].height;
    const struct bufalloc_layout *layout = NULL;
    struct bufalloc_request *req = new_request (__i__, width, height);
    GstVideoInfo info;

    fail_unless_equals_int (bufalloc_request_get_layout (req, &layout), 0);
    fail_unless (gst_video_info_set_format (&info, formats[__i__].format,
            width, height));
    compare (__i__, layout, &info, width % 16 == 0 && height % 2 == 0);
    bufalloc_request_destroy (req);
  }
}
GST_END_TEST;

/*
 * With the strides of 64 bytes that both can be asked for. GStreamer widens the
 * picture for them, in whole pixels, which takes more where one has 3 bytes.
 */
GST_START_TEST (test_aligned)
{
  guint s;

  for (s = 0; s < G_N_ELEMENTS (sizes); s++) {
    guint width = sizes[s].width, height = sizes[s].height;
    const struct bufalloc_layout *layout = NULL;
    struct bufalloc_request *req = new_request (__i__, width, height);
    GstVideoAlignment align = { 0, };
    GstVideoInfo info;
    guint p;

    for (p = 0; p < GST_VIDEO_MAX_PLANES; p++)
      align.stride_align[p] = 63;
    fail_unless_equals_int (bufalloc_request_set_alignment (req, 64, 0, 0), 0);
    fail_unless_equals_int (bufalloc_request_get_layout (req, &layout), 0);
    fail_unless (gst_video_info_set_format (&info, formats[__i__].format,
            width, height));
    fail_unless (gst_video_info_align (&info, &align));
    compare (__i__, layout, &info, height % 2 == 0
        && GST_VIDEO_INFO_COMP_PSTRIDE (&info, 0) != 3);
    bufalloc_request_destroy (req);
  }
}
GST_END_TEST;

int
main (int argc, char **argv)
{
  Suite *suite = suite_create ("formats");
  guint i;

  for (i = 0; i < G_N_ELEMENTS (formats); i++) {
    gchar *name = g_strdup_printf ("%s", formats[i].fourcc);
    gchar *aligned = g_strdup_printf ("%s, strides of 64", formats[i].fourcc);

    /* check keeps the pointers */
    add_row (suite, name, test_natural, i);
    add_row (suite, aligned, test_aligned, i);
  }
  return run_suite (argc, argv, suite);
}
