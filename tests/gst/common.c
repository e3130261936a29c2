/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "common.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <gst/allocators/gstdmabuf.h>

static GstStaticPadTemplate any_src = GST_STATIC_PAD_TEMPLATE ("src",
    GST_PAD_SRC, GST_PAD_ALWAYS, GST_STATIC_CAPS_ANY);
static GstStaticPadTemplate any_sink = GST_STATIC_PAD_TEMPLATE ("sink",
    GST_PAD_SINK, GST_PAD_ALWAYS, GST_STATIC_CAPS_ANY);

static gboolean
answer_query (GstPad * pad, GstObject * parent, GstQuery * query)
{
  Fixture *f = g_object_get_data (G_OBJECT (pad), "fixture");
  Downstream *d = &f->downstream;
  GstCaps *caps;
  gboolean need_pool;

  if (GST_QUERY_TYPE (query) != GST_QUERY_ALLOCATION)
    return gst_pad_query_default (pad, parent, query);

  f->queries++;
  if (d->fails)
    return FALSE;

  gst_query_parse_allocation (query, &caps, &need_pool);
  if (!d->no_pools) {
    GstBufferPool *pool = NULL;

    if (need_pool && d->with_pool)
      pool = gst_video_buffer_pool_new ();
    gst_query_add_allocation_pool (query, pool, d->size, d->min, 4);
    gst_clear_object (&pool);
  }
  if (d->with_allocator) {
    GstAllocator *allocator = gst_allocator_find (GST_ALLOCATOR_SYSMEM);
    GstAllocationParams params = {.align = 63,.prefix = 16,.padding = 32 };

    gst_query_add_allocation_param (query, allocator, &params);
    gst_object_unref (allocator);
  }
  if (d->with_video_meta)
    gst_query_add_allocation_meta (query, GST_VIDEO_META_API_TYPE, NULL);

  return TRUE;
}

void
fixture_init (Fixture * f, const gchar * properties)
{
  gchar *launch = g_strdup_printf ("bufalloc %s", properties);
  GError *error = NULL;

  memset (f, 0, sizeof (*f));
  f->downstream.with_video_meta = TRUE;

  f->element = gst_parse_launch (launch, &error);
  fail_unless (f->element != NULL && error == NULL, "%s: %s", launch,
      error ? error->message : "no element");
  gst_object_ref_sink (f->element);
  g_free (launch);

  f->src = gst_check_setup_src_pad (f->element, &any_src);
  f->sink = gst_check_setup_sink_pad (f->element, &any_sink);
  g_object_set_data (G_OBJECT (f->sink), "fixture", f);
  gst_pad_set_query_function (f->sink, answer_query);
  gst_pad_set_active (f->src, TRUE);
  gst_pad_set_active (f->sink, TRUE);
  fail_unless_equals_int (gst_element_set_state (f->element, GST_STATE_PAUSED),
      GST_STATE_CHANGE_SUCCESS);
}

void
fixture_finish (Fixture * f)
{
  gst_check_drop_buffers ();
  gst_pad_set_active (f->src, FALSE);
  gst_pad_set_active (f->sink, FALSE);
  gst_element_set_state (f->element, GST_STATE_NULL);
  gst_check_teardown_src_pad (f->element);
  gst_check_teardown_sink_pad (f->element);
  ASSERT_OBJECT_REFCOUNT (f->element, "bufalloc", 1);
  gst_object_unref (f->element);
}

GstCaps *
raw_caps (const gchar * format, gint width, gint height)
{
  return gst_caps_new_simple ("video/x-raw", "format", G_TYPE_STRING, format,
      "width", G_TYPE_INT, width, "height", G_TYPE_INT, height,
      "framerate", GST_TYPE_FRACTION, 30, 1, NULL);
}

GstQuery *
fixture_query (Fixture * f, GstCaps * caps, gboolean need_pool)
{
  GstQuery *query = gst_query_new_allocation (caps, need_pool);

  fail_unless (gst_pad_peer_query (f->src, query));
  return query;
}

GstBufferPool *
fixture_pool (Fixture * f, GstCaps * caps)
{
  GstQuery *query = fixture_query (f, caps, TRUE);
  GstBufferPool *pool;

  fail_unless (gst_query_get_n_allocation_pools (query) > 0);
  gst_query_parse_nth_allocation_pool (query, 0, &pool, NULL, NULL, NULL);
  gst_query_unref (query);
  return pool;
}

guint64
element_stat (GstElement * element, const gchar * field)
{
  GstStructure *stats = NULL;
  guint64 value = 0;

  g_object_get (element, "stats", &stats, NULL);
  fail_unless (gst_structure_get_uint64 (stats, field, &value), "no %s", field);
  gst_structure_free (stats);
  return value;
}

GstBufferPool *
v4l2src_decide (GstQuery * query, GstCaps * caps, guint driver_size,
    guint driver_min, guint * changes)
{
  GstAllocator *allocator = NULL;
  GstAllocationParams params;
  GstBufferPool *pool;
  GstStructure *config;
  guint size, min, max, own_min;

  *changes = 0;
  gst_allocation_params_init (&params);
  if (gst_query_get_n_allocation_params (query) > 0)
    gst_query_parse_nth_allocation_param (query, 0, &allocator, &params);
  fail_unless (gst_query_get_n_allocation_pools (query) > 0,
      "No downstream pool to import from");
  gst_query_parse_nth_allocation_pool (query, 0, &pool, &size, &min, &max);
  fail_unless (pool != NULL, "No downstream pool to import from");

  size = driver_size;
  own_min = MAX (driver_min + 1, 2);
  min = MAX (min, 2) + own_min;
  if (max != 0)
    max = MAX (min, max);

  config = gst_buffer_pool_get_config (pool);
  gst_buffer_pool_config_set_allocator (config, allocator, &params);
  gst_buffer_pool_config_set_params (config, caps, size, min, max);
  if (gst_query_find_allocation_meta (query, GST_VIDEO_META_API_TYPE, NULL))
    gst_buffer_pool_config_add_option (config,
        GST_BUFFER_POOL_OPTION_VIDEO_META);

  if (!gst_buffer_pool_set_config (pool, config)) {
    (*changes)++;
    config = gst_buffer_pool_get_config (pool);
    fail_unless (gst_buffer_pool_config_validate_params (config, caps, size,
            min, max), "the pool lowered what was asked");
    fail_unless (gst_buffer_pool_set_config (pool, config),
        "the pool refuses its own configuration");
  }
  gst_clear_object (&allocator);

  return pool;
}

gsize
buffer_length (GstBuffer * buffer)
{
  gsize offset, maxsize;

  gst_memory_get_sizes (gst_buffer_peek_memory (buffer, 0), &offset, &maxsize);
  fail_unless_equals_uint64 (offset, 0);
  return maxsize;
}

int
run_suite (int argc, char **argv, Suite * suite)
{
  TestResult **results;
  SRunner *runner;
  int i, n, failed;

  gst_check_init (&argc, &argv);
  runner = srunner_create (suite);
  srunner_run_all (runner, CK_SILENT);

  n = srunner_ntests_run (runner);
  failed = srunner_ntests_failed (runner);
  results = srunner_results (runner);
  for (i = 0; i < n; i++) {
    TestResult *result = results[i];
    gboolean passed = tr_rtype (result) == CK_PASS;

    printf ("%s %d - %s\n", passed ? "ok" : "not ok", i + 1,
        tr_tcname (result));
    if (!passed) {
      gchar **lines = g_strsplit (tr_msg (result), "\n", -1);
      gchar *text = g_strjoinv ("\n# ", lines);

      printf ("# %s:%d: %s\n", tr_lfile (result), tr_lno (result), text);
      g_free (text);
      g_strfreev (lines);
    }
  }
  printf ("1..%d\n", n);
  free (results);
  srunner_free (runner);

  return failed == 0 && n > 0 ? 0 : 1;
}
