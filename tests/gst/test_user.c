/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Frames in memory of somebody else's: which become dma-bufs as they are, which
 * are copied, which pass; and for how long their memory is kept. The stand-in for
 * the module names a dma-buf after the memory that it was made of.
 */
#include <unistd.h>

#include <gst/allocators/gstdmabuf.h>

#include "common.h"
#include "frames.h"

typedef enum
{
  PASSED, IMPORTED, IMPORTED_READ_ONLY, COPIED
} Result;

#define TAIL "the last page of its frames is not theirs alone"

static const struct
{
  const gchar *name;
  const gchar *device;          /* in the property devices; NULL: none */
  const gchar *format;
  gint width;                   /* of 64 lines; 64: whole pages */
  Kind kind;
  Result result;
  const gchar *says;            /* why it is copied */
} rows[] = {
  {"whole pages", "anything", "BGRx", 64, PAGES, IMPORTED, NULL},
  {"a tail of its own", "anything", "BGRx", 60, PAGES, IMPORTED, NULL},
  {"a tail that is somebody else's", "anything", "BGRx", 60, NO_TAIL, COPIED,
      TAIL},
  {"it begins in a page", "anything", "BGRx", 64, UNALIGNED, COPIED,
      "its frames begin 16 bytes after the beginning of a page"},
  {"a part of whole pages", "anything", "BGRx", 64, PART, IMPORTED, NULL},
  {"a part with a neighbour", "anything", "BGRx", 60, PART_WITH_NEIGHBOUR,
      COPIED, TAIL},
  {"it begins with the second page", "anything", "BGRx", 64, OFFSET, IMPORTED,
      NULL},
  {"read-only, and the device maps for both", "anything", "BGRx", 64, READ_ONLY,
      COPIED, "import memory that may be written"},
  {"read-only, and the device maps for reading", "anything-output", "BGRx", 64,
      READ_ONLY, IMPORTED_READ_ONLY, NULL},
  {"one memory for each plane", "anything", "NV12", 64, TWO_PLANES, COPIED,
      TAIL},
  {"one memory of whole pages for each plane", "anything", "NV12", 128,
      TWO_PLANES, IMPORTED, NULL},
  {"two memories that are no planes", "anything", "NV12", 64, TWO_HALVES,
      COPIED, "in 2 memories, which are not one for each plane"},
  {"memory of another type", "anything", "BGRx", 64, OTHER_TYPE, COPIED,
      "memory of the type other"},
  {"the device needs one segment", "one-segment", "BGRx", 64, PAGES, COPIED,
      "one-segment (both) takes one segment"},
  {"a dma-buf", "anything", "BGRx", 64, DMABUF, PASSED, NULL},
  {"nobody has a use for dma-bufs", NULL, "BGRx", 64, PAGES, PASSED, NULL},
  {"nobody has a use for a copy", NULL, "BGRx", 64, UNALIGNED, PASSED, NULL},
};

typedef struct
{
  Fixture f;
  GstBus *bus;
  GstCaps *caps;
  gsize size;
} Stream;

static void
stream_init (Stream * s, const gchar * device, const gchar * format, gint width)
{
  gchar *folder = g_dir_make_tmp ("bufalloc-XXXXXX", NULL);
  gchar *node = g_build_filename (folder, device ? device : "none", NULL);
  gchar *properties = g_strdup_printf ("devices=\"%s\"", device ? node : "");
  GstVideoInfo info;

  freed = 0;
  fail_unless (g_file_set_contents (node, "", 0, NULL));
  fixture_init (&s->f, properties);
  s->bus = gst_bus_new ();
  gst_element_set_bus (s->f.element, s->bus);
  s->caps = raw_caps (format, width, 64);
  gst_check_setup_events (s->f.src, s->f.element, s->caps, GST_FORMAT_TIME);
  fail_unless (gst_video_info_from_caps (&info, s->caps));
  s->size = GST_VIDEO_INFO_SIZE (&info);
  g_free (properties);
  g_free (node);
  g_free (folder);
}

static void
stream_finish (Stream * s)
{
  gst_element_set_bus (s->f.element, NULL);
  gst_object_unref (s->bus);
  gst_caps_unref (s->caps);
  fixture_finish (&s->f);
}

/* (transfer none) what came out for a frame */
static GstBuffer *
push (Stream * s, GstBuffer * frame)
{
  fail_unless_equals_int (gst_pad_push (s->f.src, frame), GST_FLOW_OK);
  return g_list_last (buffers)->data;
}

/* Whether a memory is a dma-buf of that memory. */
static gboolean
is_made_of (GstMemory * mem, GstMemory * source, gboolean read_only)
{
  gchar *link, *target, *expected;
  GstMapInfo map;
  gboolean same;

  fail_unless (gst_is_dmabuf_memory (mem));
  fail_unless (gst_memory_map (source, &map, GST_MAP_READ));
  expected = g_strdup_printf ("/memfd:user-%" G_GINTPTR_MODIFIER "x-%"
      G_GSIZE_MODIFIER "x%s (deleted)", (guintptr) map.data,
      (gsize) GST_ROUND_UP_N (map.size, PAGE), read_only ? "-ro" : "");
  gst_memory_unmap (source, &map);
  link = g_strdup_printf ("/proc/self/fd/%d", gst_dmabuf_memory_get_fd (mem));
  target = g_file_read_link (link, NULL);
  same = g_str_equal (target, expected);
  if (!same)
    g_print ("# %s, and not %s\n", target, expected);
  g_free (expected);
  g_free (target);
  g_free (link);
  return same;
}

static guint
count_imports (void)
{
  GDir *dir = g_dir_open ("/proc/self/fd", 0, NULL);
  const gchar *name;
  guint n = 0;

  while ((name = g_dir_read_name (dir)) != NULL) {
    gchar *link = g_build_filename ("/proc/self/fd", name, NULL);
    gchar *target = g_file_read_link (link, NULL);

    n += target != NULL && g_str_has_prefix (target, "/memfd:user-");
    g_free (target);
    g_free (link);
  }
  g_dir_close (dir);
  return n;
}

/* One warning and one element message that say why, or none at all. */
static void
check_messages (Stream * s, const gchar * says)
{
  GstMessage *warning = gst_bus_pop_filtered (s->bus, GST_MESSAGE_WARNING);
  GstMessage *element = gst_bus_pop_filtered (s->bus, GST_MESSAGE_ELEMENT);
  const GstStructure *structure;
  GError *error = NULL;
  guint64 size;
  gint err;

  if (warning != NULL)
    gst_message_parse_warning (warning, &error, NULL);
  fail_unless ((warning != NULL) == (says != NULL), "%s",
      error ? error->message : "no warning");
  fail_unless ((element != NULL) == (says != NULL));
  fail_unless (gst_bus_pop_filtered (s->bus, GST_MESSAGE_WARNING) == NULL);
  fail_unless (gst_bus_pop_filtered (s->bus, GST_MESSAGE_ELEMENT) == NULL);
  fail_unless (gst_bus_pop_filtered (s->bus, GST_MESSAGE_ERROR) == NULL);
  if (says == NULL)
    return;

  fail_unless (strstr (error->message, "sends memory of its own, and each "
          "frame of it is copied: ") != NULL && strstr (error->message, says)
      != NULL, "%s", error->message);
  g_error_free (error);
  structure = gst_message_get_structure (element);
  fail_unless (gst_structure_has_name (structure, "bufalloc-copy"));
  fail_unless (strstr (gst_structure_get_string (structure, "reason"), says)
      != NULL);
  fail_unless_equals_string (gst_structure_get_string (structure, "element"),
      "upstream");
  fail_unless (gst_structure_get_int (structure, "errno", &err) && err > 0);
  fail_unless (gst_structure_get_uint64 (structure, "size", &size));
  fail_unless_equals_uint64 (size, s->size);
  gst_message_unref (warning);
  gst_message_unref (element);
}

static void
check_frame (Stream * s, GstBuffer * in, GstBuffer * out)
{
  GstVideoMeta *meta = gst_buffer_get_video_meta (out);
  GstVideoFrame a, b;
  GstVideoInfo info;
  guint p;
  gint y;

  fail_unless (meta != NULL && meta->height == 64);
  fail_unless_equals_uint64 (GST_BUFFER_PTS (out), 42);
  fail_unless (GST_BUFFER_FLAG_IS_SET (out, GST_BUFFER_FLAG_MARKER));
  fail_unless (gst_buffer_get_meta (out,
          GST_REFERENCE_TIMESTAMP_META_API_TYPE) != NULL);
  gst_video_info_from_caps (&info, s->caps);
  fail_unless (gst_video_frame_map (&a, &info, in, GST_MAP_READ));
  fail_unless (gst_video_frame_map (&b, &info, out, GST_MAP_READ));
  for (p = 0; p < GST_VIDEO_FRAME_N_PLANES (&a); p++) {
    gint lines = GST_VIDEO_FRAME_COMP_HEIGHT (&a, p);
    gint length = GST_VIDEO_INFO_PLANE_STRIDE (&info, p);

    for (y = 0; y < lines; y++) {
      fail_unless (memcmp ((guint8 *) a.data[p] + y * a.info.stride[p],
              (guint8 *) b.data[p] + y * b.info.stride[p], length) == 0,
          "plane %u, line %d", p, y);
    }
  }
  gst_video_frame_unmap (&a);
  gst_video_frame_unmap (&b);
}

GST_START_TEST (test_frame)
{
  Result result = rows[__i__].result;
  gboolean read_only = result == IMPORTED_READ_ONLY;
  gboolean imported = result == IMPORTED || read_only;
  GstBuffer *in, *out;
  Stream s;
  guint i;

  stream_init (&s, rows[__i__].device, rows[__i__].format, rows[__i__].width);
  in = make_frame (rows[__i__].kind, s.size);
  out = push (&s, gst_buffer_ref (in));

  if (result == PASSED) {
    fail_unless (out == in);
  } else {
    fail_unless (out != in);
    fail_unless_equals_int (gst_buffer_n_memory (out),
        imported ? gst_buffer_n_memory (in) : 1);
    for (i = 0; i < gst_buffer_n_memory (out); i++) {
      GstMemory *mem = gst_buffer_peek_memory (out, i);

      fail_unless (gst_is_dmabuf_memory (mem));
      if (imported)
        fail_unless (is_made_of (mem, gst_buffer_peek_memory (in, i),
                read_only));
      fail_unless (GST_MEMORY_IS_READONLY (mem) == imported);
    }
  }
  check_messages (&s, result == COPIED ? rows[__i__].says : NULL);
  fail_unless_equals_uint64 (element_stat (s.f.element, "imported-frames"),
      imported);
  fail_unless_equals_uint64 (element_stat (s.f.element, "copied-frames"),
      result == COPIED);
  fail_unless_equals_uint64 (element_stat (s.f.element, "foreign-frames"), 1);

  /* said once */
  push (&s, gst_buffer_ref (in));
  check_messages (&s, NULL);

  /* last, as to map a frame can put its memories into one */
  if (result != PASSED)
    check_frame (&s, in, out);
  stream_finish (&s);
  fail_unless_equals_int (count_imports (), 0);
  gst_buffer_unref (in);
}
GST_END_TEST;

/* The memory is there as long as anybody has the dma-buf, and no longer. */
GST_START_TEST (test_lifetime)
{
  GstMemory *kept;
  GstMapInfo map;
  Stream s;

  stream_init (&s, "anything", "BGRx", 64);
  kept = gst_memory_ref (gst_buffer_peek_memory (push (&s, make_frame (PAGES,
                  s.size)), 0));
  gst_check_drop_buffers ();
  buffers = NULL;
  fail_unless_equals_int (freed, 0);
  fail_unless_equals_int (count_imports (), 1);
  fail_unless (gst_memory_map (kept, &map, GST_MAP_READ));
  fail_unless (map.data[1] == 7);
  gst_memory_unmap (kept, &map);
  gst_memory_unref (kept);
  fail_unless_equals_int (freed, 1);
  fail_unless_equals_int (count_imports (), 0);
  stream_finish (&s);
}
GST_END_TEST;

/* It outlives the element, too. */
GST_START_TEST (test_outlives)
{
  GstBuffer *kept;
  Stream s;

  stream_init (&s, "anything", "BGRx", 64);
  kept = gst_buffer_ref (push (&s, make_frame (PAGES, s.size)));
  stream_finish (&s);
  fail_unless_equals_int (count_imports (), 1);
  fail_unless_equals_int (freed, 0);
  gst_buffer_unref (kept);
  fail_unless_equals_int (count_imports (), 0);
  fail_unless_equals_int (freed, 1);
}
GST_END_TEST;

static void
drop_all (void)
{
  gst_check_drop_buffers ();
  buffers = NULL;
}

/* How often it was said that the CPU has written; the stand-in counts it there. */
static guint
count_writes (GstMemory * mem)
{
  guint8 count;

  fail_unless (pread (gst_dmabuf_memory_get_fd (mem), &count, 1, 0) == 1);
  return count;
}

/* A memory that comes again is the same dma-buf again. */
GST_START_TEST (test_again)
{
  GstMemory *source, *imported;
  GstBuffer *in;
  Stream s;
  guint i;

  stream_init (&s, "anything", "BGRx", 64);
  in = make_frame (PAGES, s.size);
  source = gst_memory_ref (gst_buffer_peek_memory (in, 0));
  imported = gst_buffer_peek_memory (push (&s, in), 0);
  drop_all ();
  for (i = 0; i < 5; i++) {
    in = gst_buffer_new ();
    gst_buffer_append_memory (in, gst_memory_ref (source));
    fail_unless (gst_buffer_peek_memory (push (&s, in), 0) == imported);
    /* the import itself is made of what is there */
    fail_unless_equals_int (count_writes (imported), i + 1);
    /* also while the one before is still there, as of imagefreeze */
    if (i % 2 == 0)
      drop_all ();
    fail_unless_equals_int (count_imports (), 1);
  }
  drop_all ();
  fail_unless_equals_uint64 (element_stat (s.f.element, "imported-frames"), 6);

  /* not in a new format: who remembers a framebuffer by it, is wrong then */
  gst_caps_unref (s.caps);
  s.caps = raw_caps ("BGRx", 32, 128);
  fail_unless (gst_pad_push_event (s.f.src, gst_event_new_caps (s.caps)));
  fail_unless_equals_int (count_imports (), 0);
  in = gst_buffer_new ();
  gst_buffer_append_memory (in, gst_memory_ref (source));
  fail_unless (is_made_of (gst_buffer_peek_memory (push (&s, in), 0), source,
          FALSE));
  drop_all ();

  fail_unless_equals_int (freed, 0);
  gst_memory_unref (source);
  fail_unless_equals_int (freed, 1);
  fail_unless_equals_int (count_imports (), 0);
  stream_finish (&s);
}
GST_END_TEST;

/* A pool of upstream's own: each buffer is imported once, and not filled again
 * before downstream is done with it. */
GST_START_TEST (test_pool)
{
  GstAllocationParams params = {.align = PAGE - 1 };
  GstBufferPool *pool = gst_buffer_pool_new ();
  GstStructure *config = gst_buffer_pool_get_config (pool);
  GstBuffer *in, *spare;
  GstBufferPoolAcquireParams no_wait = {.flags =
        GST_BUFFER_POOL_ACQUIRE_FLAG_DONTWAIT
  };
  Stream s;
  guint i;

  stream_init (&s, "anything", "BGRx", 64);
  gst_buffer_pool_config_set_params (config, s.caps, s.size, 2, 2);
  gst_buffer_pool_config_set_allocator (config, NULL, &params);
  fail_unless (gst_buffer_pool_set_config (pool, config));
  fail_unless (gst_buffer_pool_set_active (pool, TRUE));

  for (i = 0; i < 20; i++) {
    fail_unless_equals_int (gst_buffer_pool_acquire_buffer (pool, &in, NULL),
        GST_FLOW_OK);
    push (&s, in);
    if (i % 2 == 1) {
      fail_unless_equals_int (gst_buffer_pool_acquire_buffer (pool, &spare,
              &no_wait), GST_FLOW_EOS);
      fail_unless_equals_int (count_imports (), 2);
      drop_all ();
    }
  }
  fail_unless_equals_int (count_imports (), 2);
  fail_unless_equals_uint64 (element_stat (s.f.element, "imported-frames"), 20);
  gst_buffer_pool_set_active (pool, FALSE);
  fail_unless_equals_int (count_imports (), 0);
  gst_object_unref (pool);
  stream_finish (&s);
}
GST_END_TEST;

/* A pool that downstream alone would use up: it is not waited for. */
GST_START_TEST (test_small_pool)
{
  GstAllocationParams params = {.align = PAGE - 1 };
  GstBufferPool *pool = gst_buffer_pool_new ();
  GstStructure *config = gst_buffer_pool_get_config (pool);
  GstBuffer *in;
  Stream s;
  guint i;

  stream_init (&s, "anything", "BGRx", 64);
  s.f.downstream.min = 2;
  s.f.downstream.size = s.size;
  gst_buffer_pool_config_set_params (config, s.caps, s.size, 2, 2);
  gst_buffer_pool_config_set_allocator (config, NULL, &params);
  fail_unless (gst_buffer_pool_set_config (pool, config));
  fail_unless (gst_buffer_pool_set_active (pool, TRUE));
  for (i = 0; i < 5; i++) {
    fail_unless_equals_int (gst_buffer_pool_acquire_buffer (pool, &in, NULL),
        GST_FLOW_OK);
    /* downstream keeps two */
    push (&s, in);
    if (i >= 2) {
      gst_buffer_unref (buffers->data);
      buffers = g_list_delete_link (buffers, buffers);
    }
  }
  check_messages (&s, "its pool has 2 buffers at most, and 3 are needed, as "
      "downstream keeps 2");
  gst_buffer_pool_set_active (pool, FALSE);
  gst_object_unref (pool);
  stream_finish (&s);
}
GST_END_TEST;

/* What waits for its source does not keep others from being imported. */
GST_START_TEST (test_memlock)
{
  GstBuffer *one, *two;
  Stream s;

  g_setenv ("BUFALLOC_FAKE_MEMLOCK", "1", TRUE);
  stream_init (&s, "anything", "BGRx", 64);
  one = make_frame (PAGES, s.size);
  two = make_frame (PAGES, s.size);
  push (&s, gst_buffer_ref (one));
  drop_all ();
  push (&s, gst_buffer_ref (two));
  check_messages (&s, NULL);
  fail_unless_equals_uint64 (element_stat (s.f.element, "imported-frames"), 2);

  push (&s, gst_buffer_ref (one));
  check_messages (&s, "limit on locked memory is reached");
  fail_unless_equals_uint64 (element_stat (s.f.element, "copied-frames"), 1);
  gst_buffer_unref (one);
  gst_buffer_unref (two);
  stream_finish (&s);
}
GST_END_TEST;

/* Nothing downstream writes into a frame that others may see. */
GST_START_TEST (test_read_only)
{
  GstBuffer *in, *out;
  GstMapInfo map;
  Stream s;

  stream_init (&s, "anything", "BGRx", 64);
  in = make_frame (PAGES, s.size);
  out = push (&s, gst_buffer_ref (in));
  buffers = g_list_remove (buffers, out);
  fail_unless (gst_buffer_is_writable (out));
  fail_unless (gst_buffer_map (out, &map, GST_MAP_WRITE));
  map.data[0] = 99;
  gst_buffer_unmap (out, &map);
  gst_buffer_unref (out);
  fail_unless (gst_buffer_map (in, &map, GST_MAP_READ));
  fail_unless_equals_int (map.data[0], 0);
  gst_buffer_unmap (in, &map);
  gst_buffer_unref (in);
  stream_finish (&s);
}
GST_END_TEST;

GST_START_TEST (test_small_frame)
{
  GstMessage *error;
  Stream s;

  stream_init (&s, "anything", "BGRx", 64);
  fail_unless_equals_int (gst_pad_push (s.f.src, make_frame (UNALIGNED, 100)),
      GST_FLOW_ERROR);
  error = gst_bus_pop_filtered (s.bus, GST_MESSAGE_ERROR);
  fail_unless (error != NULL);
  gst_message_unref (error);
  stream_finish (&s);
}
GST_END_TEST;

int
main (int argc, char **argv)
{
  Suite *suite = suite_create ("user");
  guint i;

  for (i = 0; i < G_N_ELEMENTS (rows); i++)
    add_row (suite, rows[i].name, test_frame, i);
  add_row (suite, "memory lives as long as its dma-buf", test_lifetime, 0);
  add_row (suite, "and longer than the element", test_outlives, 0);
  add_row (suite, "memory that comes again", test_again, 0);
  add_row (suite, "a pool of upstream's", test_pool, 0);
  add_row_with_timeout (suite, "a pool of upstream's that is too small",
      test_small_pool, 0, 10);
  add_row (suite, "RLIMIT_MEMLOCK", test_memlock, 0);
  add_row (suite, "nobody writes into it", test_read_only, 0);
  add_row (suite, "a frame that is too small", test_small_frame, 0);

  return run_suite (argc, argv, suite);
}
