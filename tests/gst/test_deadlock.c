/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * v4l2src waits for as many buffers as its driver wants to have queued, which
 * may be more than it asked the pool for, while the display holds the last two.
 * A pool with a maximum that is too small stops there for ever, in silence. A
 * test that stops is killed by its timeout and fails.
 */
#include "common.h"

#define FRAMES 200
#define SHOWN 2                 /* kmssink holds on to the last one and shows one */

/* An importer in place of v4l2src and its driver. */
static void
import_frames (GstBufferPool * pool, guint queued)
{
  GQueue driver = G_QUEUE_INIT, display = G_QUEUE_INIT;
  guint i;

  for (i = 0; i < queued + FRAMES; i++) {
    GstBuffer *buffer;

    /* without DONTWAIT, as v4l2src does it */
    fail_unless_equals_int (gst_buffer_pool_acquire_buffer (pool, &buffer,
            NULL), GST_FLOW_OK);
    g_queue_push_tail (&driver, buffer);
    if (i < queued)
      continue;

    /* the driver has filled one: on to the display with it */
    g_queue_push_tail (&display, g_queue_pop_head (&driver));
    if (g_queue_get_length (&display) > SHOWN)
      gst_buffer_unref (g_queue_pop_head (&display));
  }

  while (!g_queue_is_empty (&driver))
    gst_buffer_unref (g_queue_pop_head (&driver));
  while (!g_queue_is_empty (&display))
    gst_buffer_unref (g_queue_pop_head (&display));
}

static const struct
{
  const gchar *name;
  guint extra_queued;
} rows[] = {
  {"the driver queues what was asked for", 0},
  {"the driver queues one more", 1},
  {"the driver queues four more", 4},
  {"the driver queues 26", 24},
};

GST_START_TEST (test_importer)
{
  GstCaps *caps = raw_caps ("BGRx", 320, 240);
  guint changes, size, min, max, queued;
  GstStructure *config;
  GstBufferPool *pool;
  GstQuery *query;
  Fixture f;

  fixture_init (&f, "");
  f.downstream.min = 2;
  query = fixture_query (&f, caps, TRUE);
  pool = v4l2src_decide (query, caps, 320 * 240 * 4, 1, &changes);
  gst_query_unref (query);
  config = gst_buffer_pool_get_config (pool);
  gst_buffer_pool_config_get_params (config, NULL, &size, &min, &max);
  gst_structure_free (config);

  /* own_min is 2; REQBUFS may have returned more */
  queued = 2 + rows[__i__].extra_queued;
  fail_unless (gst_buffer_pool_set_active (pool, TRUE));
  import_frames (pool, queued);
  fail_unless (element_stat (f.element, "allocations") <= MAX (min,
          queued + SHOWN + 1));

  gst_buffer_pool_set_active (pool, FALSE);
  gst_object_unref (pool);
  gst_caps_unref (caps);
  fixture_finish (&f);
}
GST_END_TEST;

/* The control: a pool with a maximum does run dry in that situation. */
GST_START_TEST (test_bounded_pool_runs_dry)
{
  GstBufferPoolAcquireParams dont_wait = {
    .flags = GST_BUFFER_POOL_ACQUIRE_FLAG_DONTWAIT,
  };
  GstCaps *caps = raw_caps ("BGRx", 320, 240);
  GstBuffer *buffers[6] = { NULL, };
  GstStructure *config;
  GstBufferPool *pool;
  Fixture f;
  guint i;

  fixture_init (&f, "");
  pool = fixture_pool (&f, caps);
  config = gst_buffer_pool_get_config (pool);
  gst_buffer_pool_config_set_params (config, caps, 320 * 240 * 4, 2, 5);
  fail_unless (gst_buffer_pool_set_config (pool, config));
  fail_unless (gst_buffer_pool_set_active (pool, TRUE));
  for (i = 0; i < 5; i++)
    fail_unless_equals_int (gst_buffer_pool_acquire_buffer (pool, &buffers[i],
            &dont_wait), GST_FLOW_OK);
  fail_unless_equals_int (gst_buffer_pool_acquire_buffer (pool, &buffers[5],
          &dont_wait), GST_FLOW_EOS);
  for (i = 0; i < 5; i++)
    gst_buffer_unref (buffers[i]);
  gst_buffer_pool_set_active (pool, FALSE);
  gst_object_unref (pool);
  gst_caps_unref (caps);
  fixture_finish (&f);
}
GST_END_TEST;

int
main (int argc, char **argv)
{
  Suite *suite = suite_create ("deadlock");
  guint i;

  for (i = 0; i < G_N_ELEMENTS (rows); i++)
    add_row_with_timeout (suite, rows[i].name, test_importer, i, 10);
  add_row_with_timeout (suite, "control: a bounded pool runs dry",
      test_bounded_pool_runs_dry, 0, 10);

  return run_suite (argc, argv, suite);
}
