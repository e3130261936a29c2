/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Caps of memory:DMABuf: which frames the pool makes for them. The caps are the
 * strings that newer releases of GStreamer use, so this runs on all.
 */
#include <gst/allocators/gstdmabuf.h>

#include "common.h"

#define DRM "video/x-raw(memory:DMABuf),format=DMA_DRM,framerate=30/1,"

static const struct
{
  const gchar *name;
  const gchar *caps;
  guint size;                   /* 0: no pool */
  GstVideoFormat format;
  gint stride, offset1;
} rows[] = {
  {"a format of GStreamer's", "video/x-raw(memory:DMABuf),format=BGRx,width=64,"
        "height=48,framerate=30/1", 64 * 48 * 4, GST_VIDEO_FORMAT_BGRx, 256, 0},
  {"DMA_DRM", DRM "drm-format=XR24,width=64,height=48", 64 * 48 * 4,
        GST_VIDEO_FORMAT_BGRx, 256, 0},
  {"DMA_DRM of two planes", DRM "drm-format=NV12,width=64,height=48",
        64 * 48 * 3 / 2, GST_VIDEO_FORMAT_NV12, 64, 64 * 48},
  {"linear is said", DRM "drm-format=(string)\"XR24:0x0000000000000000\","
        "width=64,height=48", 64 * 48 * 4, GST_VIDEO_FORMAT_BGRx, 256, 0},
  {"another modifier", DRM "drm-format=(string)\"XR24:0x0100000000000002\","
        "width=64,height=48", 0, 0, 0, 0},
  {"no number for a modifier", DRM "drm-format=(string)\"XR24:linear\","
        "width=64,height=48", 0, 0, 0, 0},
  {"a format that nobody has", DRM "drm-format=ZZZZ,width=64,height=48", 0, 0,
        0, 0},
  {"a name that is too long", DRM "drm-format=XR24X,width=64,height=48", 0, 0,
        0, 0},
  {"no name at all", DRM "width=64,height=48", 0, 0, 0, 0},
  {"no size", DRM "drm-format=XR24", 0, 0, 0, 0},
};

/* The query that v4l2src makes, its configuration, and a frame. */
GST_START_TEST (test_pool)
{
  GstCaps *caps = gst_caps_from_string (rows[__i__].caps);
  GstBuffer *buffer = NULL;
  GstBufferPool *pool = NULL;
  GstVideoMeta *meta;
  guint changes = 0;
  GstQuery *query;
  Fixture f = { NULL, };

  f.downstream.no_pools = TRUE;
  f.downstream.with_video_meta = TRUE;
  fixture_init (&f, "");
  if (rows[__i__].size == 0) {
    query = gst_query_new_allocation (caps, TRUE);
    gst_pad_peer_query (f.src, query);
    gst_query_parse_nth_allocation_pool (query, 0, &pool, NULL, NULL, NULL);
    fail_unless (pool == NULL);
  } else {
    query = fixture_query (&f, caps, TRUE);
    pool = v4l2src_decide (query, caps, rows[__i__].size, 1, &changes);
    fail_unless (gst_buffer_pool_set_active (pool, TRUE));
    fail_unless (gst_buffer_pool_acquire_buffer (pool, &buffer, NULL) ==
        GST_FLOW_OK);
    fail_unless_equals_uint64 (gst_buffer_get_size (buffer), rows[__i__].size);
    fail_unless (gst_is_dmabuf_memory (gst_buffer_peek_memory (buffer, 0)));
    meta = gst_buffer_get_video_meta (buffer);
    fail_unless (meta != NULL);
    fail_unless_equals_int (meta->format, rows[__i__].format);
    fail_unless_equals_int (meta->stride[0], rows[__i__].stride);
    fail_unless_equals_int (meta->offset[1], rows[__i__].offset1);
    gst_buffer_unref (buffer);
    gst_buffer_pool_set_active (pool, FALSE);
    gst_object_unref (pool);
  }
  gst_query_unref (query);
  fixture_finish (&f);
  gst_caps_unref (caps);
}
GST_END_TEST;

/* Both pads take them, and hand them on as they are. */
GST_START_TEST (test_templates)
{
  GstElement *element = gst_element_factory_make ("bufalloc", NULL);
  GstCaps *caps = gst_caps_from_string (rows[__i__].caps);
  GstPad *pads[2] = { gst_element_get_static_pad (element, "sink"),
    gst_element_get_static_pad (element, "src")
  };
  guint i;

  for (i = 0; i < 2; i++) {
    GstCaps *template = gst_pad_get_pad_template_caps (pads[i]);

    fail_unless (gst_caps_can_intersect (template, caps));
    gst_caps_unref (template);
    gst_object_unref (pads[i]);
  }
  gst_caps_unref (caps);
  gst_object_unref (element);
}
GST_END_TEST;

int
main (int argc, char **argv)
{
  Suite *suite = suite_create ("caps");
  guint i;

  for (i = 0; i < G_N_ELEMENTS (rows); i++)
    add_row (suite, rows[i].name, test_pool, i);
  add_row (suite, "templates", test_templates, 0);
  add_row (suite, "templates, DMA_DRM", test_templates, 1);

  return run_suite (argc, argv, suite);
}
