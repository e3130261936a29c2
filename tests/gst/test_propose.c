/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The element's answer to an ALLOCATION query, for what downstream says.
 */
#include <gst/allocators/gstdmabuf.h>

#include "common.h"

#define SIZE (640 * 480 * 4)

static const struct
{
  const gchar *name;
  const gchar *properties;
  gboolean need_pool;
  Downstream downstream;
  guint size, min;              /* of the answer */
} rows[] = {
  {"downstream like kmssink", "", TRUE,
      {.with_pool = TRUE, .with_video_meta = TRUE, .size = SIZE, .min = 2},
      SIZE, 3},
  {"no pool is needed", "", FALSE,
      {.with_pool = TRUE, .with_video_meta = TRUE, .size = SIZE, .min = 2},
      SIZE, 3},
  {"downstream fails the query", "", TRUE, {.fails = TRUE}, SIZE, 2},
  {"downstream fails, no pool is needed", "", FALSE, {.fails = TRUE}, SIZE, 2},
  {"downstream says nothing of pools", "", TRUE,
      {.no_pools = TRUE, .with_video_meta = TRUE}, SIZE, 2},
  {"downstream does not know GstVideoMeta", "", TRUE,
      {.size = SIZE, .min = 4}, SIZE, 5},
  {"downstream has an allocator with a prefix", "", TRUE,
      {.with_allocator = TRUE, .with_video_meta = TRUE, .size = SIZE,
          .min = 2}, SIZE, 3},
  {"downstream has an allocator with a prefix, no pool", "", FALSE,
      {.with_allocator = TRUE, .with_video_meta = TRUE, .size = SIZE,
          .min = 2}, SIZE, 3},
  {"downstream wants larger buffers", "", TRUE,
      {.with_video_meta = TRUE, .size = SIZE + 4096, .min = 2},
      SIZE + 4096, 3},
  {"min-buffers", "min-buffers=9", TRUE,
      {.with_video_meta = TRUE, .size = SIZE, .min = 2}, SIZE, 9},
  {"stride-align", "stride-align=1024", TRUE,
      {.with_video_meta = TRUE, .size = SIZE, .min = 2}, 3072 * 480, 3},
};

GST_START_TEST (test_answer)
{
  GstCaps *caps = raw_caps ("BGRx", 640, 480);
  const gchar *name = rows[__i__].name;
  GstAllocationParams params;
  GstAllocator *allocator;
  guint size, min, max;
  GstBufferPool *pool;
  GstQuery *query;
  Fixture f;

  fixture_init (&f, rows[__i__].properties);
  f.downstream = rows[__i__].downstream;
  query = fixture_query (&f, caps, rows[__i__].need_pool);
  fail_unless (f.queries == 1, "%s: %u queries downstream", name, f.queries);

  fail_unless (gst_query_get_n_allocation_pools (query) == 1, "%s", name);
  gst_query_parse_nth_allocation_pool (query, 0, &pool, &size, &min, &max);
  fail_unless ((pool != NULL) == rows[__i__].need_pool, "%s", name);
  if (pool != NULL)
    fail_unless_equals_string (G_OBJECT_TYPE_NAME (pool), "GstBufallocPool");
  fail_unless (size == rows[__i__].size, "%s: size %u", name, size);
  fail_unless (min == rows[__i__].min, "%s: min %u", name, min);
  /* a maximum would make v4l2src wait for ever */
  fail_unless (max == 0, "%s: max %u", name, max);

  fail_unless (gst_query_get_n_allocation_params (query) == 1, "%s", name);
  gst_query_parse_nth_allocation_param (query, 0, &allocator, &params);
  fail_unless (GST_IS_DMABUF_ALLOCATOR (allocator), "%s", name);
  fail_unless (params.prefix == 0 && params.padding == 0, "%s", name);
  fail_unless (gst_query_find_allocation_meta (query,
          GST_VIDEO_META_API_TYPE, NULL), "%s", name);

  gst_object_unref (allocator);
  gst_clear_object (&pool);
  gst_query_unref (query);
  gst_caps_unref (caps);
  fixture_finish (&f);
}
GST_END_TEST;

/* The allocator works without the pool, too. */
GST_START_TEST (test_allocator)
{
  GstAllocationParams params = {.align = 0 };
  GstCaps *caps = raw_caps ("BGRx", 640, 480);
  GstAllocator *allocator;
  GstMemory *mem;
  GstMapInfo map;
  GstQuery *query;
  Fixture f;
  gsize i;

  fixture_init (&f, "");
  query = fixture_query (&f, caps, FALSE);
  gst_query_parse_nth_allocation_param (query, 0, &allocator, NULL);
  gst_query_unref (query);

  mem = gst_allocator_alloc (allocator, 5000, &params);
  fail_unless (mem != NULL);
  fail_unless (gst_is_dmabuf_memory (mem));
  fail_unless (gst_memory_is_type (mem, "bufalloc"));
  fail_unless_equals_uint64 (mem->size, 5000);
  fail_unless_equals_uint64 (mem->maxsize, 8192);
  fail_unless (gst_memory_map (mem, &map, GST_MAP_READ));
  for (i = 0; i < map.size; i++)
    fail_unless (map.data[i] == 0, "byte %" G_GSIZE_FORMAT, i);
  gst_memory_unmap (mem, &map);
  fail_unless (gst_memory_map (mem, &map, GST_MAP_WRITE));
  gst_memory_unmap (mem, &map);
  fail_unless_equals_uint64 (element_stat (f.element, "cpu-maps"), 2);
  fail_unless_equals_uint64 (element_stat (f.element, "cpu-reads"), 1);
  fail_unless_equals_uint64 (element_stat (f.element, "allocations"), 1);
  fail_unless_equals_uint64 (element_stat (f.element, "allocated-bytes"), 8192);
  fail_unless_equals_uint64 (element_stat (f.element, "buffers"), 1);
  gst_memory_unref (mem);
  fail_unless_equals_uint64 (element_stat (f.element, "buffers"), 0);

  /* the frame has to begin at byte 0 of the dma-buf */
  params.prefix = 1;
  fail_unless (gst_allocator_alloc (allocator, 5000, &params) == NULL);

  gst_object_unref (allocator);
  gst_caps_unref (caps);
  fixture_finish (&f);
}
GST_END_TEST;

/* What is no raw video is left to downstream. */
GST_START_TEST (test_other_caps)
{
  GstQuery *query;
  GstBufferPool *pool;
  Fixture f;

  fixture_init (&f, "");
  f.downstream.fails = TRUE;
  query = gst_query_new_allocation (NULL, TRUE);
  fail_if (gst_pad_peer_query (f.src, query));
  gst_query_unref (query);

  f.downstream.fails = FALSE;
  f.downstream.size = 7;
  query = gst_query_new_allocation (NULL, TRUE);
  fail_unless (gst_pad_peer_query (f.src, query));
  gst_query_parse_nth_allocation_pool (query, 0, &pool, NULL, NULL, NULL);
  fail_unless (pool == NULL);
  gst_query_unref (query);
  fixture_finish (&f);
}
GST_END_TEST;

int
main (int argc, char **argv)
{
  Suite *suite = suite_create ("propose");
  guint i;

  for (i = 0; i < G_N_ELEMENTS (rows); i++)
    add_row (suite, rows[i].name, test_answer, i);
  add_row (suite, "the allocator without the pool", test_allocator, 0);
  add_row (suite, "caps that are no raw video", test_other_caps, 0);

  return run_suite (argc, argv, suite);
}
