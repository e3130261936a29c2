/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What happens to a pipeline while it plays: new formats, seeks, the end, elements
 * that come and go, memory that runs out; and a thousand times from NULL to PLAYING
 * and back.
 */
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include <glib/gstdio.h>
#include <gst/allocators/gstdmabuf.h>

#include "common.h"

#define CYCLES 1000

/* The pipelines whose frames are ours, imported and copied: $ is a device. A tee
 * drops the pool and passes the alignment on, identity drops both. */
static const struct
{
  const gchar *name;
  const gchar *upstream;
  const gchar *counter;
} kinds[] = {
  {"own", "", "own-frames"},
  {"imported", "tee ! ", "imported-frames"},
  {"copied", "identity drop-allocation=true ! ", "copied-frames"},
};

static gchar *device;

static guint
count_fds (void)
{
  GDir *dir = g_dir_open ("/proc/self/fd", 0, NULL);
  guint n = 0;

  while (g_dir_read_name (dir) != NULL)
    n++;
  g_dir_close (dir);
  return n;
}

/* Nothing of a test is left once everything is in NULL, or a moment later: a state
 * change that goes on in a thread keeps the pipeline for as long. */
static gboolean
all_closed (guint fds)
{
  guint i;

  for (i = 0; i < 1000 && count_fds () > fds; i++)
    g_usleep (1000);
  return count_fds () <= fds;
}

static void
check_closed (guint fds)
{
  fail_unless (all_closed (fds), "%u file descriptors, %u before",
      count_fds (), fds);
}

static GstElement *
make_pipeline (guint kind, const gchar * source)
{
  gchar *launch = g_strdup_printf ("%s ! capsfilter name=c caps=\"video/x-raw,"
      "format=BGRx,width=64,height=64,framerate=1000/1\" ! %sbufalloc name=b "
      "devices=%s ! fakesink name=s sync=false", source, kinds[kind].upstream,
      device);
  GError *error = NULL;
  GstElement *pipeline = gst_parse_launch (launch, &error);

  fail_unless (error == NULL, "%s: %s", launch, error ? error->message : "");
  g_free (launch);
  return pipeline;
}

static guint64
stat_of (GstElement * pipeline, const gchar * field)
{
  GstElement *element = gst_bin_get_by_name (GST_BIN (pipeline), "b");
  guint64 value = element_stat (element, field);

  gst_object_unref (element);
  return value;
}

/* Until so many frames passed, for ten seconds at most. */
static void
wait_frames (GstElement * pipeline, guint64 frames)
{
  gint64 end = g_get_monotonic_time () + 10 * G_TIME_SPAN_SECOND;

  while (stat_of (pipeline, "frames") < frames) {
    fail_unless (g_get_monotonic_time () < end, "%" G_GUINT64_FORMAT " frames",
        stat_of (pipeline, "frames"));
    g_usleep (1000);
  }
}

/* Until the end, for ten seconds at most. (transfer full) */
static GstMessage *
wait_end (GstElement * pipeline)
{
  GstBus *bus = gst_element_get_bus (pipeline);
  GstMessage *message = gst_bus_timed_pop_filtered (bus, 10 * GST_SECOND,
      GST_MESSAGE_ERROR | GST_MESSAGE_EOS);

  fail_unless (message != NULL, "it hangs");
  gst_object_unref (bus);
  return message;
}

static void
expect_no_error (GstElement * pipeline)
{
  GstBus *bus = gst_element_get_bus (pipeline);
  GstMessage *message = gst_bus_pop_filtered (bus, GST_MESSAGE_ERROR);
  GError *error = NULL;

  if (message != NULL)
    gst_message_parse_error (message, &error, NULL);
  fail_unless (message == NULL, "%s", error ? error->message : "");
  gst_object_unref (bus);
}

static void
set_size (GstElement * pipeline, gint width, gint height)
{
  GstElement *filter = gst_bin_get_by_name (GST_BIN (pipeline), "c");
  GstCaps *caps = raw_caps ("BGRx", width, height);

  gst_caps_set_simple (caps, "framerate", GST_TYPE_FRACTION, 1000, 1, NULL);
  g_object_set (filter, "caps", caps, NULL);
  gst_caps_unref (caps);
  gst_object_unref (filter);
}

/* Each frame is a dma-buf of the size that its caps say. */
static GstPadProbeReturn
check_frame (GstPad * pad, GstPadProbeInfo * info, gpointer unused)
{
  GstBuffer *buffer = GST_PAD_PROBE_INFO_BUFFER (info);
  GstCaps *caps = gst_pad_get_current_caps (pad);
  GstVideoInfo video;

  fail_unless (gst_video_info_from_caps (&video, caps));
  fail_unless_equals_uint64 (gst_buffer_get_size (buffer),
      GST_VIDEO_INFO_SIZE (&video));
  fail_unless (gst_is_dmabuf_memory (gst_buffer_peek_memory (buffer, 0)));
  fail_unless (gst_buffer_get_video_meta (buffer) != NULL);
  gst_caps_unref (caps);
  return GST_PAD_PROBE_OK;
}

static void
watch_frames (GstElement * pipeline)
{
  GstElement *sink = gst_bin_get_by_name (GST_BIN (pipeline), "s");
  GstPad *pad = gst_element_get_static_pad (sink, "sink");

  gst_pad_add_probe (pad, GST_PAD_PROBE_TYPE_BUFFER, check_frame, NULL, NULL);
  gst_object_unref (pad);
  gst_object_unref (sink);
}

static void
check_counted (GstElement * pipeline, guint kind)
{
  fail_unless_equals_uint64 (stat_of (pipeline, kinds[kind].counter),
      stat_of (pipeline, "frames"));
}

static void
play (GstElement * pipeline)
{
  fail_unless (gst_element_set_state (pipeline, GST_STATE_PLAYING) !=
      GST_STATE_CHANGE_FAILURE);
}

static void
finish (GstElement * pipeline)
{
  gst_element_set_state (pipeline, GST_STATE_NULL);
  gst_object_unref (pipeline);
}

GST_START_TEST (test_new_format)
{
  GstElement *pipeline = make_pipeline (__i__, "videotestsrc");
  static const gint widths[] = { 128, 64, 320, 66 };
  guint i, fds = count_fds ();

  watch_frames (pipeline);
  play (pipeline);
  for (i = 0; i < 40; i++) {
    wait_frames (pipeline, stat_of (pipeline, "frames") + 5);
    set_size (pipeline, widths[i % 4], 64);
    /* those of old formats go */
    fail_unless (stat_of (pipeline, "buffers") < 32, "%" G_GUINT64_FORMAT
        " buffers", stat_of (pipeline, "buffers"));
  }
  expect_no_error (pipeline);
  gst_element_set_state (pipeline, GST_STATE_READY);
  /* 66 x 64 has a tail, which is the memory's own */
  check_counted (pipeline, __i__);
  finish (pipeline);
  check_closed (fds);
}
GST_END_TEST;

GST_START_TEST (test_reconfigure)
{
  GstElement *pipeline = make_pipeline (__i__, "videotestsrc");
  GstElement *element = gst_bin_get_by_name (GST_BIN (pipeline), "b");
  GstPad *pad = gst_element_get_static_pad (element, "sink");
  guint i;

  watch_frames (pipeline);
  play (pipeline);
  for (i = 0; i < 50; i++) {
    wait_frames (pipeline, stat_of (pipeline, "frames") + 3);
    gst_pad_push_event (pad, gst_event_new_reconfigure ());
  }
  expect_no_error (pipeline);
  fail_unless (stat_of (pipeline, "buffers") < 32);
  gst_element_set_state (pipeline, GST_STATE_READY);
  check_counted (pipeline, __i__);
  gst_object_unref (pad);
  gst_object_unref (element);
  finish (pipeline);
}
GST_END_TEST;

GST_START_TEST (test_seeks)
{
  GstElement *pipeline = make_pipeline (__i__, "videotestsrc");
  guint i;

  watch_frames (pipeline);
  play (pipeline);
  for (i = 0; i < 50; i++) {
    wait_frames (pipeline, stat_of (pipeline, "frames") + 3);
    fail_unless (gst_element_seek_simple (pipeline, GST_FORMAT_TIME,
            GST_SEEK_FLAG_FLUSH, i % 7 * GST_MSECOND));
  }
  expect_no_error (pipeline);
  fail_unless (stat_of (pipeline, "buffers") < 32);
  gst_element_set_state (pipeline, GST_STATE_READY);
  check_counted (pipeline, __i__);
  finish (pipeline);
}
GST_END_TEST;

static void
seek_segment (GstElement * pipeline)
{
  fail_unless (gst_element_seek (pipeline, 1.0, GST_FORMAT_TIME,
          GST_SEEK_FLAG_FLUSH, GST_SEEK_TYPE_SET, 0, GST_SEEK_TYPE_SET,
          20 * GST_MSECOND));
}

/* And after the end from the beginning. */
GST_START_TEST (test_end)
{
  GstElement *pipeline = make_pipeline (__i__, "videotestsrc");
  guint i, fds = count_fds ();

  watch_frames (pipeline);
  gst_element_set_state (pipeline, GST_STATE_PAUSED);
  gst_element_get_state (pipeline, NULL, NULL, 10 * GST_SECOND);
  seek_segment (pipeline);
  play (pipeline);
  for (i = 1; i <= 5; i++) {
    GstMessage *message = wait_end (pipeline);

    fail_unless_equals_int (GST_MESSAGE_TYPE (message), GST_MESSAGE_EOS);
    gst_message_unref (message);
    fail_unless (stat_of (pipeline, "frames") >= 20 * i);
    seek_segment (pipeline);
  }
  gst_message_unref (wait_end (pipeline));
  check_counted (pipeline, __i__);
  finish (pipeline);
  check_closed (fds);
}
GST_END_TEST;

typedef struct
{
  GstElement *pipeline, *before, *after;
  gint done;
} Swap;

/* Nothing flows: take the element out, or put a new one in. */
static GstPadProbeReturn
swap (GstPad * pad, GstPadProbeInfo * info, gpointer data)
{
  Swap *s = data;
  GstElement *element = gst_bin_get_by_name (GST_BIN (s->pipeline), "b");

  if (element != NULL) {
    gst_element_unlink_many (s->before, element, s->after, NULL);
    gst_bin_remove (GST_BIN (s->pipeline), element);
    gst_element_set_state (element, GST_STATE_NULL);
    gst_object_unref (element);
    fail_unless (gst_element_link (s->before, s->after));
  } else {
    element = gst_element_factory_make ("bufalloc", "b");
    g_object_set (element, "devices", device, NULL);
    gst_element_unlink (s->before, s->after);
    fail_unless (gst_bin_add (GST_BIN (s->pipeline), element));
    fail_unless (gst_element_link_many (s->before, element, s->after, NULL));
    fail_unless (gst_element_sync_state_with_parent (element));
  }
  g_atomic_int_set (&s->done, TRUE);
  return GST_PAD_PROBE_REMOVE;
}

static GstPadProbeReturn
count_frame (GstPad * pad, GstPadProbeInfo * info, gpointer frames)
{
  g_atomic_int_inc ((gint *) frames);
  return GST_PAD_PROBE_OK;
}

GST_START_TEST (test_removed_and_added)
{
  gchar *launch = g_strdup_printf ("videotestsrc ! video/x-raw,format=BGRx,"
      "width=64,height=64,framerate=1000/1 ! %sidentity name=x ! bufalloc "
      "name=b devices=%s ! identity name=y ! fakesink name=s sync=false",
      kinds[__i__].upstream, device);
  GstElement *pipeline = gst_parse_launch (launch, NULL);
  GstPad *blocked, *pad;
  gint i, frames = 0;
  Swap s = { pipeline, NULL, NULL, FALSE };
  GstElement *sink;
  guint fds = count_fds ();

  s.before = gst_bin_get_by_name (GST_BIN (pipeline), "x");
  s.after = gst_bin_get_by_name (GST_BIN (pipeline), "y");
  sink = gst_bin_get_by_name (GST_BIN (pipeline), "s");
  pad = gst_element_get_static_pad (sink, "sink");
  gst_pad_add_probe (pad, GST_PAD_PROBE_TYPE_BUFFER, count_frame, &frames,
      NULL);
  blocked = gst_element_get_static_pad (s.before, "src");
  play (pipeline);
  for (i = 0; i < 10; i++) {
    gint64 end = g_get_monotonic_time () + 10 * G_TIME_SPAN_SECOND;
    gint before = g_atomic_int_get (&frames);

    while (g_atomic_int_get (&frames) < before + 5) {
      fail_unless (g_get_monotonic_time () < end, "round %d: nothing flows", i);
      g_usleep (1000);
    }
    g_atomic_int_set (&s.done, FALSE);
    gst_pad_add_probe (blocked, GST_PAD_PROBE_TYPE_IDLE, swap, &s, NULL);
    while (!g_atomic_int_get (&s.done)) {
      fail_unless (g_get_monotonic_time () < end, "round %d: it hangs", i);
      g_usleep (1000);
    }
    expect_no_error (pipeline);
  }
  /* the one that was added last has made dma-bufs of its frames; the first may
   * still be from when there was none */
  wait_frames (pipeline, 5);
  gst_element_set_state (pipeline, GST_STATE_READY);
  fail_unless_equals_uint64 (stat_of (pipeline, "own-frames") +
      stat_of (pipeline, "imported-frames") + stat_of (pipeline,
          "copied-frames"), stat_of (pipeline, "frames"));
  fail_unless (stat_of (pipeline, kinds[__i__].counter) + 3 >=
      stat_of (pipeline, "frames"));
  gst_object_unref (blocked);
  gst_object_unref (pad);
  gst_object_unref (sink);
  gst_object_unref (s.before);
  gst_object_unref (s.after);
  finish (pipeline);
  g_free (launch);
  check_closed (fds);
}
GST_END_TEST;

/* An ALLOCATION query in the middle: upstream drains. */
GST_START_TEST (test_drain)
{
  GstElement *pipeline = make_pipeline (__i__, "videotestsrc num-buffers=20");
  GstElement *element = gst_bin_get_by_name (GST_BIN (pipeline), "b");
  GstPad *pad = gst_element_get_static_pad (element, "sink");
  GstCaps *caps = raw_caps ("BGRx", 64, 64);
  guint i;

  play (pipeline);
  gst_message_unref (wait_end (pipeline));
  for (i = 0; i < 10; i++) {
    GstQuery *query = gst_query_new_allocation (caps, i % 2);
    GstBufferPool *pool = NULL;

    fail_unless (gst_pad_query (pad, query));
    gst_query_parse_nth_allocation_pool (query, 0, &pool, NULL, NULL, NULL);
    fail_unless_equals_int (pool != NULL, i % 2);
    gst_clear_object (&pool);
    gst_query_unref (query);
  }
  expect_no_error (pipeline);
  gst_caps_unref (caps);
  gst_object_unref (pad);
  gst_object_unref (element);
  finish (pipeline);
}
GST_END_TEST;

/* In a process of its own, as the stand-in counts the allocations of one: 0 for
 * the stream's end, 1 for an error that says so, else what is wrong. */
static gint
run_out (guint kind, guint n)
{
  gchar *text = g_strdup_printf ("%u", n);
  GstElement *pipeline;
  GstMessage *message;
  GError *error = NULL;
  gchar *debug = NULL;
  guint fds;

  /* what GStreamer opens once */
  pipeline = gst_parse_launch ("videotestsrc num-buffers=1 ! fakesink", NULL);
  play (pipeline);
  gst_message_unref (wait_end (pipeline));
  finish (pipeline);
  fds = count_fds ();

  g_setenv ("BUFALLOC_FAKE_FAIL_ALLOC", text, TRUE);
  pipeline = make_pipeline (kind, "videotestsrc num-buffers=30");
  gst_element_set_state (pipeline, GST_STATE_PLAYING);
  message = wait_end (pipeline);
  if (GST_MESSAGE_TYPE (message) == GST_MESSAGE_ERROR) {
    gst_message_parse_error (message, &error, &debug);
    if (!g_error_matches (error, GST_RESOURCE_ERROR,
            GST_RESOURCE_ERROR_NO_SPACE_LEFT)
        || strstr (debug, "ENOMEM (12)") == NULL
        || strstr (debug, "bytes, heap auto") == NULL) {
      g_printerr ("%s %s\n", error->message, debug);
      return 2;
    }
  }
  gst_message_unref (message);
  finish (pipeline);
  if (!all_closed (fds))
    return 3;

  return error != NULL;
}

/* Memory ends with the n-th buffer, for every n: an error that says so, or the
 * stream's end where it did not take as many. */
GST_START_TEST (test_no_memory)
{
  guint n, errors = 0;

  for (n = 1; n < 20; n++) {
    gint status;
    pid_t pid = fork ();

    if (pid == 0)
      _exit (run_out (__i__, n));
    fail_unless (pid > 0 && waitpid (pid, &status, 0) == pid);
    fail_unless (WIFEXITED (status) && WEXITSTATUS (status) <= 1,
        "allocation %u: status 0x%x", n, status);
    errors += WEXITSTATUS (status);
  }
  /* what is imported is not allocated */
  fail_unless (kinds[__i__].upstream[0] == 't' ? errors == 0 : errors > 0
      && errors < 19, "%u errors", errors);
}
GST_END_TEST;

/* A limit that downstream alone would use up is raised. */
GST_START_TEST (test_small_pool)
{
  GstCaps *caps = raw_caps ("BGRx", 64, 64);
  GstBufferPool *pool;
  GstStructure *config;
  guint min, max;
  Fixture f;

  fixture_init (&f, "");
  f.downstream.min = 4;
  f.downstream.size = 64 * 64 * 4;
  pool = fixture_pool (&f, caps);
  config = gst_buffer_pool_get_config (pool);
  gst_buffer_pool_config_set_params (config, caps, 64 * 64 * 4, 0, 3);
  fail_if (gst_buffer_pool_set_config (pool, config));
  config = gst_buffer_pool_get_config (pool);
  gst_buffer_pool_config_get_params (config, NULL, NULL, &min, &max);
  fail_unless_equals_int (max, 5);
  fail_unless (gst_buffer_pool_set_config (pool, config));
  gst_object_unref (pool);
  gst_caps_unref (caps);
  fixture_finish (&f);
}
GST_END_TEST;

GST_START_TEST (test_cycles)
{
  GstElement *pipeline = make_pipeline (__i__, "videotestsrc");
  guint i, fds = 0, cycles = __i__ == 0 ? CYCLES : CYCLES / 10;

  for (i = 0; i < cycles; i++) {
    play (pipeline);
    fail_unless_equals_int (gst_element_get_state (pipeline, NULL, NULL,
            10 * GST_SECOND), GST_STATE_CHANGE_SUCCESS);
    fail_unless_equals_int (gst_element_set_state (pipeline, GST_STATE_NULL),
        GST_STATE_CHANGE_SUCCESS);
    /* GStreamer's own are there after the first */
    if (i == 0)
      fds = count_fds ();
    check_closed (fds);
  }
  expect_no_error (pipeline);
  gst_object_unref (pipeline);
  if (__i__ == 0) {
    printf ("# figure state_cycles %u\n", i);
    fflush (stdout);
  }
}
GST_END_TEST;

int
main (int argc, char **argv)
{
  static const struct
  {
    const gchar *name;
    TFun test;
    gint timeout;
  } tests[] = {
    {"a new format while it plays", test_new_format, 60},
    {"reconfigure", test_reconfigure, 60},
    {"seeks", test_seeks, 60},
    {"the end, and again", test_end, 60},
    {"removed and added while it plays", test_removed_and_added, 60},
    {"drained", test_drain, 60},
    {"no memory for the n-th buffer", test_no_memory, 60},
    {"from NULL to PLAYING and back", test_cycles, 60},
  };
  Suite *suite = suite_create ("life");
  gchar *folder = g_dir_make_tmp ("bufalloc-XXXXXX", NULL);
  int status;
  guint i, k;

  device = g_build_filename (folder, "anything", NULL);
  if (!g_file_set_contents (device, "", 0, NULL))
    return 2;
  for (i = 0; i < G_N_ELEMENTS (tests); i++) {
    for (k = 0; k < G_N_ELEMENTS (kinds); k++)
      add_row_with_timeout (suite, g_strdup_printf ("%s: %s", kinds[k].name,
              tests[i].name), tests[i].test, k, tests[i].timeout);
  }
  add_row (suite, "a pool that is too small", test_small_pool, 0);
  status = run_suite (argc, argv, suite);
  g_unlink (device);
  g_rmdir (folder);
  return status;
}
