/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The pool as v4l2src configures it: what it answers to each step, that it
 * settles, and that it allocates each buffer once.
 */
#include <gst/allocators/gstdmabuf.h>

#include "common.h"

static const struct
{
  const gchar *name;
  const gchar *format;
  gint width, height;
  guint driver_size;            /* 0: what the format says */
  guint changes;                /* times that set_config() is to say FALSE */
  guint size;                   /* in the end; 0: driver_size */
} rows[] = {
  {"BGRx as vivid has it", "BGRx", 1920, 1080, 0, 0, 0},
  {"NV12 without padding", "NV12", 1920, 1080, 0, 0, 0},
  {"YUY2 without padding", "YUY2", 1920, 1080, 0, 0, 0},
  {"I420 without padding", "I420", 1920, 1080, 0, 0, 0},
  {"NV12 with 1088 lines", "NV12", 1920, 1080, 1920 * 1088 * 3 / 2, 1, 0},
  {"NV12 with lines of 2048 bytes", "NV12", 1920, 1080, 2048 * 1080 * 3 / 2, 1,
      0},
  {"a size that nothing explains", "BGRx", 1920, 1080, 8294400 + 12345, 0, 0},
  {"a driver that asks for too little", "BGRx", 1920, 1080, 8294000, 1,
      8294400},
};

GST_START_TEST (test_replay)
{
  const gchar *format = rows[__i__].format;
  const gchar *name = rows[__i__].name;
  guint changes, size, min, max, wanted_size;
  GstStructure *config, *again;
  GstBufferPool *pool;
  GstVideoInfo info;
  GstCaps *caps, *pool_caps;
  GstQuery *query;
  Fixture f;

  fixture_init (&f, "");
  f.downstream.min = 2;
  f.downstream.with_pool = TRUE;
  caps = raw_caps (format, rows[__i__].width, rows[__i__].height);
  gst_video_info_from_caps (&info, caps);
  wanted_size = rows[__i__].driver_size;
  if (wanted_size == 0)
    wanted_size = GST_VIDEO_INFO_SIZE (&info);
  f.downstream.size = GST_VIDEO_INFO_SIZE (&info);

  query = fixture_query (&f, caps, TRUE);
  pool = v4l2src_decide (query, caps, wanted_size, 1, &changes);
  gst_query_unref (query);
  fail_unless (changes == rows[__i__].changes, "%s: %u changes", name, changes);

  config = gst_buffer_pool_get_config (pool);
  gst_buffer_pool_config_get_params (config, &pool_caps, &size, &min, &max);
  fail_unless (gst_caps_is_equal (caps, pool_caps), "%s", name);
  fail_unless (size == (rows[__i__].size ? rows[__i__].size : wanted_size),
      "%s: size %u", name, size);
  fail_unless (min == 2 + 1 + 2, "%s: min %u", name, min);
  fail_unless (max == 0, "%s: max %u", name, max);

  /* what it settled on, it keeps */
  again = gst_structure_copy (config);
  fail_unless (gst_buffer_pool_set_config (pool, again), "%s", name);
  again = gst_buffer_pool_get_config (pool);
  fail_unless (gst_structure_is_equal (config, again), "%s", name);
  gst_structure_free (again);
  gst_structure_free (config);

  fail_unless (element_stat (f.element, "allocations") == 0,
      "%s: allocates before it starts", name);
  fail_unless (gst_buffer_pool_set_active (pool, TRUE), "%s", name);
  fail_unless (element_stat (f.element, "allocations") == min, "%s", name);
  fail_unless (gst_buffer_pool_set_active (pool, FALSE), "%s", name);
  gst_object_unref (pool);
  fail_unless (element_stat (f.element, "buffers") == 0, "%s", name);

  gst_caps_unref (caps);
  fixture_finish (&f);
}
GST_END_TEST;

/* set_config() says FALSE if and only if it changed something. */
GST_START_TEST (test_false_means_changed)
{
  GstCaps *caps = raw_caps ("NV12", 1920, 1080);
  static const guint sizes[] = { 0, 1000, 3110400, 3133440, 3317760, 3200000 };
  GstAllocationParams params = {.align = 0 };
  guint i, n;
  Fixture f;

  fixture_init (&f, "");
  for (i = 0; i < G_N_ELEMENTS (sizes); i++) {
    for (n = 0; n < 4; n++) {
      GstBufferPool *pool = fixture_pool (&f, caps);
      GstStructure *config = gst_buffer_pool_get_config (pool);
      GstStructure *asked, *got;
      gboolean ok;

      gst_buffer_pool_config_set_params (config, caps, sizes[i], n, 0);
      if (n & 1)
        gst_buffer_pool_config_set_allocator (config, NULL, &params);
      if (n & 2)
        gst_buffer_pool_config_add_option (config,
            GST_BUFFER_POOL_OPTION_VIDEO_ALIGNMENT);
      asked = gst_structure_copy (config);
      ok = gst_buffer_pool_set_config (pool, config);
      got = gst_buffer_pool_get_config (pool);
      fail_unless (ok == gst_structure_is_equal (asked, got),
          "size %u, case %u: %d", sizes[i], n, ok);
      fail_unless (gst_buffer_pool_set_config (pool, got));
      gst_structure_free (asked);
      gst_object_unref (pool);
    }
  }
  gst_caps_unref (caps);
  fixture_finish (&f);
}
GST_END_TEST;

/* Others may overwrite the allocator; the buffers are ours all the same. */
GST_START_TEST (test_own_allocator)
{
  GstCaps *caps = raw_caps ("BGRx", 640, 480);
  GstAllocator *sysmem = gst_allocator_find (GST_ALLOCATOR_SYSMEM), *used;
  GstAllocationParams params = {.align = 15,.prefix = 64,.padding = 64 };
  GstBufferPool *pool;
  GstStructure *config;
  GstBuffer *buffer;
  Fixture f;

  fixture_init (&f, "");
  pool = fixture_pool (&f, caps);
  config = gst_buffer_pool_get_config (pool);
  gst_buffer_pool_config_set_allocator (config, sysmem, &params);
  fail_if (gst_buffer_pool_set_config (pool, config));
  config = gst_buffer_pool_get_config (pool);
  fail_unless (gst_buffer_pool_config_get_allocator (config, &used, &params));
  fail_unless (GST_IS_DMABUF_ALLOCATOR (used));
  fail_unless_equals_uint64 (params.prefix, 0);
  fail_unless_equals_uint64 (params.padding, 0);
  fail_unless (gst_buffer_pool_set_config (pool, config));

  fail_unless (gst_buffer_pool_set_active (pool, TRUE));
  fail_unless_equals_int (gst_buffer_pool_acquire_buffer (pool, &buffer, NULL),
      GST_FLOW_OK);
  fail_unless (gst_is_dmabuf_memory (gst_buffer_peek_memory (buffer, 0)));
  gst_buffer_unref (buffer);
  gst_buffer_pool_set_active (pool, FALSE);
  gst_object_unref (pool);
  gst_object_unref (sysmem);
  gst_caps_unref (caps);
  fixture_finish (&f);
}
GST_END_TEST;

/* A layout that was made up for one size is not a wish for the next. */
GST_START_TEST (test_reconfigure)
{
  GstCaps *caps = raw_caps ("NV12", 1920, 1080);
  static const guint sizes[] = { 3133440, 3110400, 3317760 };
  static const guint strides[] = { 1920, 1920, 2048 };
  static const guint lines[] = { 1088, 1080, 1080 };
  GstBufferPool *pool;
  Fixture f;
  guint i;

  fixture_init (&f, "");
  pool = fixture_pool (&f, caps);
  for (i = 0; i < G_N_ELEMENTS (sizes); i++) {
    GstStructure *config = gst_buffer_pool_get_config (pool);
    guint heights[GST_VIDEO_MAX_PLANES], size;
    GstVideoMeta *meta;
    GstBuffer *buffer;

    gst_buffer_pool_config_set_params (config, caps, sizes[i], 2, 0);
    if (!gst_buffer_pool_set_config (pool, config)) {
      config = gst_buffer_pool_get_config (pool);
      fail_unless (gst_buffer_pool_set_config (pool, config));
    }
    config = gst_buffer_pool_get_config (pool);
    gst_buffer_pool_config_get_params (config, NULL, &size, NULL, NULL);
    gst_structure_free (config);
    fail_unless_equals_int (size, sizes[i]);

    fail_unless (gst_buffer_pool_set_active (pool, TRUE));
    fail_unless_equals_int (gst_buffer_pool_acquire_buffer (pool, &buffer,
            NULL), GST_FLOW_OK);
    meta = gst_buffer_get_video_meta (buffer);
    fail_unless_equals_int (meta->stride[0], strides[i]);
    fail_unless (gst_video_meta_get_plane_height (meta, heights));
    fail_unless_equals_int (heights[0], lines[i]);
    gst_buffer_unref (buffer);
    fail_unless (gst_buffer_pool_set_active (pool, FALSE));
  }
  gst_object_unref (pool);
  gst_caps_unref (caps);
  fixture_finish (&f);
}
GST_END_TEST;

/* The same memories go round; nothing is allocated or thrown away on the way. */
GST_START_TEST (test_reuse)
{
  GstCaps *caps = raw_caps ("BGRx", 1920, 1080);
  GHashTable *memories = g_hash_table_new (NULL, NULL);
  GstBuffer *held[3] = { NULL, };
  guint changes, i, count;
  GstBufferPool *pool;
  GstQuery *query;
  Fixture f;

  fixture_init (&f, "");
  query = fixture_query (&f, caps, TRUE);
  pool = v4l2src_decide (query, caps, 8294400, 1, &changes);
  gst_query_unref (query);
  fail_unless (gst_buffer_pool_set_active (pool, TRUE));
  count = element_stat (f.element, "allocations");

  for (i = 0; i < 300; i++) {
    GstBuffer **buffer = &held[i % G_N_ELEMENTS (held)];

    gst_clear_buffer (buffer);
    fail_unless_equals_int (gst_buffer_pool_acquire_buffer (pool, buffer, NULL),
        GST_FLOW_OK);
    g_hash_table_add (memories, gst_buffer_peek_memory (*buffer, 0));
    fail_unless (gst_buffer_get_video_meta (*buffer) != NULL);
    fail_unless_equals_uint64 (gst_buffer_get_size (*buffer), 8294400);
    /* what a camera does to a buffer */
    GST_BUFFER_PTS (*buffer) = i;
    GST_BUFFER_FLAG_SET (*buffer, GST_BUFFER_FLAG_LIVE);
  }
  for (i = 0; i < G_N_ELEMENTS (held); i++)
    gst_clear_buffer (&held[i]);

  fail_unless_equals_uint64 (element_stat (f.element, "allocations"), count);
  fail_unless (g_hash_table_size (memories) <= count);
  gst_buffer_pool_set_active (pool, FALSE);
  gst_object_unref (pool);
  g_hash_table_unref (memories);
  gst_caps_unref (caps);
  fixture_finish (&f);
}
GST_END_TEST;

/* A pool in use cannot be configured again: each query gets its own. */
GST_START_TEST (test_new_pool_per_query)
{
  GstCaps *caps = raw_caps ("BGRx", 320, 240);
  GstBufferPool *a, *b;
  Fixture f;

  fixture_init (&f, "");
  a = fixture_pool (&f, caps);
  fail_unless (gst_buffer_pool_set_active (a, TRUE));
  b = fixture_pool (&f, caps);
  fail_unless (a != b);
  fail_unless (gst_buffer_pool_set_active (b, TRUE));
  gst_buffer_pool_set_active (a, FALSE);
  gst_buffer_pool_set_active (b, FALSE);
  gst_object_unref (a);
  gst_object_unref (b);
  gst_caps_unref (caps);
  fixture_finish (&f);
}
GST_END_TEST;

/* A buffer outlives the element, the pool and the READY state. */
GST_START_TEST (test_buffer_outlives_element)
{
  GstCaps *caps = raw_caps ("BGRx", 320, 240);
  GstBufferPool *pool;
  GstBuffer *buffer;
  GstMapInfo map;
  Fixture f;

  fixture_init (&f, "");
  pool = fixture_pool (&f, caps);
  fail_unless (gst_buffer_pool_set_active (pool, TRUE));
  fail_unless_equals_int (gst_buffer_pool_acquire_buffer (pool, &buffer, NULL),
      GST_FLOW_OK);
  gst_buffer_pool_set_active (pool, FALSE);
  gst_object_unref (pool);
  gst_caps_unref (caps);
  fixture_finish (&f);

  fail_unless (gst_buffer_map (buffer, &map, GST_MAP_READWRITE));
  fail_unless (map.data[0] == 0 && map.data[map.size - 1] == 0);
  gst_buffer_unmap (buffer, &map);
  gst_buffer_unref (buffer);
}
GST_END_TEST;

int
main (int argc, char **argv)
{
  Suite *suite = suite_create ("pool");
  guint i;

  for (i = 0; i < G_N_ELEMENTS (rows); i++)
    add_row (suite, rows[i].name, test_replay, i);
  add_row (suite, "set_config is FALSE if and only if something changed",
      test_false_means_changed, 0);
  add_row (suite, "another allocator is replaced by ours",
      test_own_allocator, 0);
  add_row (suite, "an inferred layout is forgotten", test_reconfigure, 0);
  add_row (suite, "300 frames in the same memories", test_reuse, 0);
  add_row (suite, "each query gets its own pool",
      test_new_pool_per_query, 0);
  add_row (suite, "a buffer outlives the element",
      test_buffer_outlives_element, 0);

  return run_suite (argc, argv, suite);
}
