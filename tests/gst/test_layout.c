/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What V4L2 and KMS look at before they take a buffer: memories, offsets,
 * strides, lines and the length of the dma-buf.
 */
#include <gst/allocators/gstdmabuf.h>

#include "common.h"

typedef struct
{
  const gchar *name;
  const gchar *properties;
  const gchar *format;
  gint width, height;
  guint driver_size;            /* 0: what the format says */
  gint stride;                  /* of plane 0 */
  guint lines;                  /* of plane 0 */
  gsize offset1;                /* of plane 1; 0: there is none */
} Row;

static const Row rows[] = {
  {"BGRx 1080p", "", "BGRx", 1920, 1080, 0, 7680, 1080, 0},
  {"YUY2 1080p", "", "YUY2", 1920, 1080, 0, 3840, 1080, 0},
  {"NV12 1080p", "", "NV12", 1920, 1080, 0, 1920, 1080, 1920 * 1080},
  {"I420 1080p", "", "I420", 1920, 1080, 0, 1920, 1080, 1920 * 1080},

  {"BGRx 1366", "", "BGRx", 1366, 768, 0, 5464, 768, 0},
  {"YUY2 1366", "", "YUY2", 1366, 768, 0, 2732, 768, 0},
  {"NV12 1366", "", "NV12", 1366, 768, 0, 1368, 768, 1368 * 768},
  {"I420 1366", "", "I420", 1366, 768, 0, 1368, 768, 1368 * 768},
  {"NV12 1279", "", "NV12", 1279, 720, 0, 1280, 720, 1280 * 720},
  {"I420 1279", "", "I420", 1279, 720, 0, 1280, 720, 1280 * 720},

  /* drivers that work in macroblocks */
  {"NV12 1088 lines", "", "NV12", 1920, 1080, 1920 * 1088 * 3 / 2,
      1920, 1088, 1920 * 1088},
  {"I420 1088 lines", "", "I420", 1920, 1080, 1920 * 1088 * 3 / 2,
      1920, 1088, 1920 * 1088},
  {"YUY2 1088 lines", "", "YUY2", 1920, 1080, 3840 * 1088, 3840, 1088, 0},
  {"BGRx 1088 lines", "", "BGRx", 1920, 1080, 7680 * 1088, 7680, 1088, 0},

  /* drivers that pad their lines */
  {"NV12 stride 2048", "", "NV12", 1920, 1080, 2048 * 1080 * 3 / 2,
      2048, 1080, 2048 * 1080},
  {"NV12 1366 stride 1376", "", "NV12", 1366, 768, 1376 * 768 * 3 / 2,
      1376, 768, 1376 * 768},
  {"I420 1366 stride 1408", "", "I420", 1366, 768, 1408 * 768 * 3 / 2,
      1408, 768, 1408 * 768},
  {"BGRx 1366 stride 5504", "", "BGRx", 1366, 768, 5504 * 768, 5504, 768, 0},
  {"BGR 1366 stride 4352", "", "BGR", 1366, 768, 4352 * 768, 4352, 768, 0},
  {"NV12 stride 2048, 1088 lines", "", "NV12", 1920, 1080,
      2048 * 1088 * 3 / 2, 2048, 1088, 2048 * 1088},

  /* asked for by the user */
  {"stride-align=256", "stride-align=256", "NV12", 1920, 1080, 0,
      2048, 1080, 2048 * 1080},
  {"stride-align=64 of I420", "stride-align=64", "I420", 1920, 1080, 0,
      1920, 1080, 1920 * 1080},
  {"stride-align=200 is 256", "stride-align=200", "BGRx", 1366, 768, 0,
      5632, 768, 0},
};

GST_START_TEST (test_layout)
{
  const Row *row = &rows[__i__];
  GstCaps *caps = raw_caps (row->format, row->width, row->height);
  guint heights[GST_VIDEO_MAX_PLANES], changes, i;
  gsize length, sizes[GST_VIDEO_MAX_PLANES];
  GstBufferPool *pool;
  GstVideoMeta *meta;
  GstVideoInfo info;
  GstBuffer *buffer;
  GstQuery *query;
  Fixture f;

  fixture_init (&f, row->properties);
  gst_video_info_from_caps (&info, caps);
  query = fixture_query (&f, caps, TRUE);
  pool = v4l2src_decide (query, caps, row->driver_size ? row->driver_size :
      (guint) GST_VIDEO_INFO_SIZE (&info), 1, &changes);
  gst_query_unref (query);
  fail_unless (gst_buffer_pool_set_active (pool, TRUE), "%s", row->name);
  fail_unless (gst_buffer_pool_acquire_buffer (pool, &buffer, NULL)
      == GST_FLOW_OK, "%s", row->name);

  /* one dma-buf from its first byte on: v4l2src aborts at another offset */
  fail_unless (gst_buffer_n_memory (buffer) == 1, "%s", row->name);
  fail_unless (gst_is_dmabuf_memory (gst_buffer_peek_memory (buffer, 0)),
      "%s", row->name);
  length = buffer_length (buffer);

  meta = gst_buffer_get_video_meta (buffer);
  fail_unless (meta != NULL, "%s", row->name);
  fail_unless (meta->width == (guint) row->width
      && meta->height == (guint) row->height, "%s: %ux%u", row->name,
      meta->width, meta->height);
  fail_unless (meta->n_planes == GST_VIDEO_INFO_N_PLANES (&info), "%s",
      row->name);
  fail_unless (meta->stride[0] == row->stride, "%s: stride %d", row->name,
      meta->stride[0]);
  fail_unless (meta->offset[0] == 0, "%s", row->name);
  if (row->offset1 != 0)
    fail_unless (meta->offset[1] == row->offset1, "%s: offset %"
        G_GSIZE_FORMAT, row->name, meta->offset[1]);

  fail_unless (gst_video_meta_get_plane_height (meta, heights), "%s",
      row->name);
  fail_unless (heights[0] == row->lines, "%s: %u lines", row->name, heights[0]);
  fail_unless (gst_video_meta_get_plane_size (meta, sizes), "%s", row->name);
  for (i = 0; i < meta->n_planes; i++)
    fail_unless (meta->offset[i] + sizes[i] <= gst_buffer_get_size (buffer),
        "%s: plane %u ends outside", row->name, i);

  /* 16 lines more, in whole pages */
  fail_unless (length % 4096 == 0, "%s", row->name);
  fail_unless (length >= gst_buffer_get_size (buffer)
      + 16 * gst_buffer_get_size (buffer) / row->height, "%s: %" G_GSIZE_FORMAT,
      row->name, length);

  gst_buffer_unref (buffer);
  gst_buffer_pool_set_active (pool, FALSE);
  gst_object_unref (pool);
  gst_caps_unref (caps);
  fixture_finish (&f);
}
GST_END_TEST;

/* extra-bytes is what the dma-buf has more, before it is rounded up. */
GST_START_TEST (test_extra_bytes)
{
  GstCaps *caps = raw_caps ("GRAY8", 4096, 16);
  static const struct
  {
    const gchar *properties;
    gsize length;
  } cases[] = {
    {"extra-bytes=0", 65536},
    {"extra-bytes=1", 65536 + 4096},
    {"extra-bytes=4097", 65536 + 8192},
    {"extra-bytes=-1", 65536 + 65536},
  };
  guint i;

  for (i = 0; i < G_N_ELEMENTS (cases); i++) {
    GstBufferPool *pool;
    GstBuffer *buffer;
    Fixture f;

    fixture_init (&f, cases[i].properties);
    pool = fixture_pool (&f, caps);
    fail_unless (gst_buffer_pool_set_active (pool, TRUE));
    fail_unless_equals_int (gst_buffer_pool_acquire_buffer (pool, &buffer,
            NULL), GST_FLOW_OK);
    fail_unless (buffer_length (buffer) == cases[i].length, "%s: %"
        G_GSIZE_FORMAT, cases[i].properties, buffer_length (buffer));
    fail_unless_equals_uint64 (gst_buffer_get_size (buffer), 65536);
    gst_buffer_unref (buffer);
    gst_buffer_pool_set_active (pool, FALSE);
    gst_object_unref (pool);
    fixture_finish (&f);
  }
  gst_caps_unref (caps);
}
GST_END_TEST;

int
main (int argc, char **argv)
{
  Suite *suite = suite_create ("layout");
  guint i;

  for (i = 0; i < G_N_ELEMENTS (rows); i++)
    add_row (suite, rows[i].name, test_layout, i);
  add_row (suite, "extra-bytes", test_extra_bytes, 0);

  return run_suite (argc, argv, suite);
}
