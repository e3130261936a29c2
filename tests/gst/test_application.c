/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The allocator and the pool as an application uses them, by the public header
 * alone and linked as pkg-config says.
 */
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <glib/gstdio.h>
#include <gst/bufalloc/bufalloc.h>

#include "common.h"

static gboolean
with_module (void)
{
  return access ("/dev/bufalloc", F_OK) == 0;
}

GST_START_TEST (test_find)
{
  GstAllocator *found, *got;
  GstPlugin *plugin;
  GstMemory *mem;

  fail_unless (gst_allocator_find (GST_ALLOCATOR_BUFALLOC) == NULL);
  if (__i__ == 0) {
    plugin = gst_plugin_load_by_name ("bufalloc");
    fail_unless (plugin != NULL);
    gst_object_unref (plugin);
  } else {
    gst_object_unref (gst_bufalloc_allocator_get ());
  }
  found = gst_allocator_find ("bufalloc");
  fail_unless (GST_IS_BUFALLOC_ALLOCATOR (found));
  got = gst_bufalloc_allocator_get ();
  fail_unless (found == got);
  gst_object_unref (got);

  mem = gst_allocator_alloc (found, 5000, NULL);
  fail_unless (mem != NULL && gst_is_bufalloc_memory (mem));
  gst_memory_unref (mem);
  gst_object_unref (found);
}
GST_END_TEST;

GST_START_TEST (test_memory)
{
  GstAllocator *allocator = gst_bufalloc_allocator_get ();
  GError *error = NULL;
  gsize i, offset, maxsize;
  GstMapInfo map;
  GstMemory *mem;

  mem = gst_bufalloc_allocator_alloc (GST_BUFALLOC_ALLOCATOR (allocator), 5000,
      &error);
  fail_unless (mem != NULL && error == NULL);
  /* the memory keeps what it needs */
  gst_object_unref (allocator);
  fail_unless (gst_is_dmabuf_memory (mem));
  fail_unless (gst_memory_is_type (mem, GST_ALLOCATOR_BUFALLOC));
  fail_unless_equals_uint64 (gst_memory_get_sizes (mem, &offset, &maxsize),
      5000);
  fail_unless_equals_uint64 (offset, 0);
  fail_unless_equals_uint64 (maxsize, 8192);
  fail_unless (gst_memory_map (mem, &map, GST_MAP_READWRITE));
  for (i = 0; i < map.size; i++)
    fail_unless (map.data[i] == 0);
  memset (map.data, 0x5a, map.size);
  gst_memory_unmap (mem, &map);
  gst_memory_unref (mem);
}
GST_END_TEST;

static const struct
{
  const gchar *name;
  const gchar *devices, *heap;
  gsize size;                   /* 0 with no error: the allocator is refused */
  gint code;
  const gchar *says;
} errors[] = {
  {"a heap that does not exist", NULL, "fast", 1,
        GST_RESOURCE_ERROR_SETTINGS, "there is no heap 'fast': it is auto"},
  {"a device that does not exist", "/nonexistent/video0", NULL, 1,
        GST_RESOURCE_ERROR_NOT_FOUND,
        "the device /nonexistent/video0 of the property devices cannot be "
        "opened: No such file"},
  {"a device without permission", "$", NULL, 1,
        GST_RESOURCE_ERROR_NOT_AUTHORIZED, "opened: Permission denied"},
  {"17 devices", "/dev/null,/dev/null,/dev/null,/dev/null,/dev/null,"
        "/dev/null,/dev/null,/dev/null,/dev/null,/dev/null,/dev/null,"
        "/dev/null,/dev/null,/dev/null,/dev/null,/dev/null,/dev/null", NULL, 1,
        GST_RESOURCE_ERROR_SETTINGS, "more than 16 devices"},
  {"what is no device", "/dev/null", NULL, 1, GST_RESOURCE_ERROR_FAILED,
        "is no device that bufalloc knows"},
  {"no byte", NULL, NULL, 0, GST_RESOURCE_ERROR_SETTINGS,
        "no buffer has 0 bytes"},
  {"more than there is", NULL, "contig", (gsize) 512 << 30,
        GST_RESOURCE_ERROR_NO_SPACE_LEFT, ""},
};

GST_START_TEST (test_error)
{
  const gchar *devices = errors[__i__].devices;
  GstAllocator *allocator;
  GError *error = NULL;
  gchar *node = NULL;

  if (devices != NULL && g_str_equal (devices, "$")) {
    gint fd = g_file_open_tmp ("bufalloc-XXXXXX", &node, NULL);

    fail_unless (fd >= 0 && fchmod (fd, 0) == 0);
    close (fd);
    /* root may open everything: let this process be somebody else */
    if (geteuid () == 0)
      fail_unless (seteuid (65534) == 0);
    devices = node;
  }
  allocator = gst_bufalloc_allocator_new (devices, errors[__i__].heap, &error);
  if (allocator != NULL) {
    fail_unless (error == NULL);
    fail_unless (gst_bufalloc_allocator_alloc (GST_BUFALLOC_ALLOCATOR
            (allocator), errors[__i__].size, &error) == NULL);
    gst_object_unref (allocator);
  }
  fail_unless (error != NULL);
  fail_unless (g_error_matches (error, GST_RESOURCE_ERROR, errors[__i__].code),
      "%d: %s", error->code, error->message);
  fail_unless (strstr (error->message, errors[__i__].says) != NULL, "%s",
      error->message);
  g_error_free (error);
  if (node != NULL)
    g_unlink (node);
  g_free (node);
}
GST_END_TEST;

/* The devices of the allocator decide which heap the memory is of; only the
 * stand-in has devices that can be had anywhere. */
GST_START_TEST (test_devices)
{
  gchar *folder = g_dir_make_tmp ("bufalloc-XXXXXX", NULL);
  gchar *node = g_build_filename (folder, "nothing", NULL);
  GstAllocator *allocator;
  GError *error = NULL;

  fail_unless (g_file_set_contents (node, "", 0, NULL));
  allocator = gst_bufalloc_allocator_new (node, NULL, &error);
  fail_unless (allocator != NULL);
  fail_unless (gst_bufalloc_allocator_alloc (GST_BUFALLOC_ALLOCATOR
          (allocator), 4096, &error) == NULL);
  fail_unless (g_error_matches (error, GST_RESOURCE_ERROR,
          GST_RESOURCE_ERROR_FAILED));
  fail_unless (strstr (error->message, "nothing (both) would get a copy") !=
      NULL, "%s", error->message);
  g_error_free (error);
  gst_object_unref (allocator);
  g_unlink (node);
  g_rmdir (folder);
  g_free (node);
  g_free (folder);
}
GST_END_TEST;

static GstBufferPool *
make_pool (GstCaps * caps, guint size, guint min)
{
  GstAllocator *allocator = gst_bufalloc_allocator_new (NULL, NULL, NULL);
  GstBufferPool *pool = gst_bufalloc_pool_new (allocator);
  guint tries;

  gst_object_unref (allocator);
  for (tries = 0; tries < 2; tries++) {
    GstStructure *config = gst_buffer_pool_get_config (pool);

    if (tries == 0)
      gst_buffer_pool_config_set_params (config, caps, size, min, 0);
    if (gst_buffer_pool_set_config (pool, config))
      break;
  }
  fail_unless (tries < 2);
  return pool;
}

GST_START_TEST (test_pool)
{
  GstCaps *caps = raw_caps ("NV12", 640, 480);
  GstBufferPool *pool = make_pool (caps, 640 * 480 * 3 / 2, 2);
  GstBuffer *buffer = NULL;
  GstVideoMeta *meta;

  fail_unless (GST_IS_BUFALLOC_POOL (pool));
  fail_unless (gst_buffer_pool_set_active (pool, TRUE));
  fail_unless (gst_buffer_pool_acquire_buffer (pool, &buffer, NULL) ==
      GST_FLOW_OK);
  fail_unless (gst_is_bufalloc_memory (gst_buffer_peek_memory (buffer, 0)));
  meta = gst_buffer_get_video_meta (buffer);
  fail_unless (meta != NULL && meta->offset[1] == 640 * 480);
  gst_buffer_unref (buffer);
  gst_buffer_pool_set_active (pool, FALSE);
  gst_object_unref (pool);
  gst_caps_unref (caps);
}
GST_END_TEST;

static void
count_criticals (const gchar * domain, GLogLevelFlags level,
    const gchar * text, gpointer count)
{
  (*(guint *) count)++;
}

GST_START_TEST (test_other_allocator)
{
  GstAllocator *other = gst_allocator_find (GST_ALLOCATOR_SYSMEM);
  guint criticals = 0;

  g_log_set_handler ("bufalloc", G_LOG_LEVEL_CRITICAL, count_criticals,
      &criticals);
  fail_unless (gst_bufalloc_pool_new (other) == NULL);
  fail_unless_equals_int (criticals, 1);
  gst_object_unref (other);
}
GST_END_TEST;

/* What an application puts into an appsrc comes out of an appsink as the very same
 * dma-bufs, and the element takes them for its own. */
GST_START_TEST (test_appsrc)
{
  GstCaps *caps = raw_caps ("BGRx", 16, 16);
  GstBufferPool *pool = make_pool (caps, 16 * 16 * 4, 2);
  GstElement *pipeline, *src, *sink, *element;
  GError *error = NULL;
  guint i;

  pipeline = gst_parse_launch ("appsrc name=s format=time ! bufalloc name=b ! "
      "appsink name=k sync=false", &error);
  fail_unless (error == NULL);
  src = gst_bin_get_by_name (GST_BIN (pipeline), "s");
  sink = gst_bin_get_by_name (GST_BIN (pipeline), "k");
  element = gst_bin_get_by_name (GST_BIN (pipeline), "b");
  g_object_set (src, "caps", caps, NULL);
  fail_unless (gst_buffer_pool_set_active (pool, TRUE));
  gst_element_set_state (pipeline, GST_STATE_PLAYING);

  for (i = 0; i < 5; i++) {
    GstBuffer *buffer = NULL;
    GstSample *sample = NULL;
    GstFlowReturn flow;
    GstMemory *mem;

    fail_unless (gst_buffer_pool_acquire_buffer (pool, &buffer, NULL) ==
        GST_FLOW_OK);
    mem = gst_buffer_peek_memory (buffer, 0);
    g_signal_emit_by_name (src, "push-buffer", buffer, &flow);
    fail_unless_equals_int (flow, GST_FLOW_OK);
    gst_buffer_unref (buffer);
    g_signal_emit_by_name (sink, "pull-sample", &sample);
    fail_unless (sample != NULL);
    fail_unless (gst_buffer_peek_memory (gst_sample_get_buffer (sample), 0) ==
        mem);
    gst_sample_unref (sample);
  }
  fail_unless_equals_uint64 (element_stat (element, "own-frames"), 5);
  fail_unless_equals_uint64 (element_stat (element, "cpu-maps"), 0);

  gst_element_set_state (pipeline, GST_STATE_NULL);
  gst_buffer_pool_set_active (pool, FALSE);
  gst_object_unref (pool);
  gst_object_unref (src);
  gst_object_unref (sink);
  gst_object_unref (element);
  gst_object_unref (pipeline);
  gst_caps_unref (caps);
}
GST_END_TEST;

int
main (int argc, char **argv)
{
  Suite *suite = suite_create ("application");
  guint i;

  add_row (suite, "found when the plugin is loaded", test_find, 0);
  add_row (suite, "found when it was got", test_find, 1);
  add_row (suite, "memory", test_memory, 0);
  for (i = 0; i < G_N_ELEMENTS (errors); i++)
    add_row (suite, errors[i].name, test_error, i);
  if (!with_module ())
    add_row (suite, "devices that can use no memory", test_devices, 0);
  add_row (suite, "a pool", test_pool, 0);
  add_row (suite, "a pool on another allocator", test_other_allocator, 0);
  add_row (suite, "appsrc and appsink", test_appsrc, 0);

  return run_suite (argc, argv, suite);
}
