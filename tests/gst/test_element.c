/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The element itself: its properties, its errors and warnings, its counters.
 */
#include <errno.h>
#include <sys/stat.h>
#include <unistd.h>

#include <gst/allocators/gstdmabuf.h>
#include <gst/base/gstbasesink.h>
#include <gst/base/gstpushsrc.h>

#include "common.h"

/* The error on the bus, as message and debug text; NULL if there is none. */
static gchar *
pop_error (GstBus * bus, GError ** error)
{
  GstMessage *message = gst_bus_pop_filtered (bus, GST_MESSAGE_ERROR);
  gchar *debug, *text;

  if (message == NULL)
    return NULL;
  gst_message_parse_error (message, error, &debug);
  text = g_strdup_printf ("%s\n%s", (*error)->message, debug);
  g_free (debug);
  gst_message_unref (message);
  return text;
}

GST_START_TEST (test_properties)
{
  GstElement *element = gst_element_factory_make ("bufalloc", NULL);
  guint min_buffers, stride_align, n, i;
  gint heap, extra_bytes;
  GParamSpec **specs;
  gchar *device;

  fail_unless (element != NULL);
  fail_unless (g_str_has_prefix (GST_OBJECT_NAME (element), "bufalloc"));
  g_object_get (element, "device", &device, "heap", &heap, "min-buffers",
      &min_buffers, "extra-bytes", &extra_bytes, "stride-align", &stride_align,
      NULL);
  fail_unless_equals_string (device, "/dev/bufalloc");
  fail_unless_equals_int (heap, 0);
  fail_unless_equals_int (min_buffers, 2);
  fail_unless_equals_int (extra_bytes, -1);
  fail_unless_equals_int (stride_align, 1);
  g_free (device);

  gst_util_set_object_arg (G_OBJECT (element), "heap", "contig");
  gst_util_set_object_arg (G_OBJECT (element), "device", "/dev/other");
  gst_util_set_object_arg (G_OBJECT (element), "min-buffers", "7");
  gst_util_set_object_arg (G_OBJECT (element), "extra-bytes", "1");
  gst_util_set_object_arg (G_OBJECT (element), "stride-align", "48");
  g_object_get (element, "device", &device, "heap", &heap, "min-buffers",
      &min_buffers, "extra-bytes", &extra_bytes, "stride-align", &stride_align,
      NULL);
  fail_unless_equals_string (device, "/dev/other");
  fail_unless_equals_int (heap, 2);
  fail_unless_equals_int (min_buffers, 7);
  fail_unless_equals_int (extra_bytes, 1);
  fail_unless_equals_int (stride_align, 64);
  g_free (device);

  g_object_set (element, "device", NULL, NULL);
  g_object_get (element, "device", &device, NULL);
  fail_unless_equals_string (device, "/dev/bufalloc");
  g_free (device);

  /* every property of ours says what it is */
  specs = g_object_class_list_properties (G_OBJECT_GET_CLASS (element), &n);
  for (i = 0; i < n; i++) {
    if (specs[i]->owner_type == G_OBJECT_TYPE (element))
      fail_unless (strlen (g_param_spec_get_blurb (specs[i])) > 20, "%s",
          specs[i]->name);
  }
  g_free (specs);
  gst_object_unref (element);
}
GST_END_TEST;

static const struct
{
  const gchar *name;
  const gchar *properties;
  const gchar *granted;         /* in the statistics */
  gboolean no_cpu;
  gboolean is_stand_in;         /* it lacks what the module has */
} attribute_rows[] = {
  {"no attribute", "", "", FALSE, FALSE},
  {"an attribute", "attributes=contiguous", "contiguous", FALSE, FALSE},
  {"two attributes, and a heap", "heap=contig "
      "attributes=\"pinnable , contiguous\"", "contiguous,pinnable", FALSE, FALSE},
  {"an attribute that the machine lacks", "attributes=write-combine,uncached",
      "uncached", FALSE, TRUE},
  {"a buffer that no CPU sees", "attributes=never-cpu", "never-cpu", TRUE, FALSE},
};

GST_START_TEST (test_attributes)
{
  GstCaps *caps = raw_caps ("BGRx", 640, 480);
  GstStructure *stats = NULL;
  GstBufferPool *pool;
  GstBuffer *buffer;
  Fixture f;

  fixture_init (&f, attribute_rows[__i__].properties);
  pool = fixture_pool (&f, caps);
  fail_unless (gst_buffer_pool_set_active (pool, TRUE));
  fail_unless_equals_int (gst_buffer_pool_acquire_buffer (pool, &buffer, NULL),
      GST_FLOW_OK);
  g_object_get (f.element, "stats", &stats, NULL);
  fail_unless_equals_string (gst_structure_get_string (stats, "attributes"),
      attribute_rows[__i__].granted);
  gst_structure_free (stats);
  fail_unless_equals_int (GST_MEMORY_FLAG_IS_SET (gst_buffer_peek_memory
          (buffer, 0), GST_MEMORY_FLAG_NOT_MAPPABLE) != 0,
      attribute_rows[__i__].no_cpu);

  gst_buffer_unref (buffer);
  gst_buffer_pool_set_active (pool, FALSE);
  gst_object_unref (pool);
  gst_caps_unref (caps);
  fixture_finish (&f);
}
GST_END_TEST;

/* What is no attribute ends NULL to READY. */
GST_START_TEST (test_unknown_attribute)
{
  GstElement *element = gst_element_factory_make ("bufalloc", NULL);
  GstBus *bus = gst_bus_new ();
  GError *error;
  gchar *text;

  g_object_set (element, "attributes", "contiguous,blue", NULL);
  gst_element_set_bus (element, bus);
  fail_unless_equals_int (gst_element_set_state (element, GST_STATE_READY),
      GST_STATE_CHANGE_FAILURE);
  text = pop_error (bus, &error);
  fail_unless (g_error_matches (error, GST_RESOURCE_ERROR,
          GST_RESOURCE_ERROR_SETTINGS));
  fail_unless (strstr (text, "attributes names blue, which is no attribute")
      != NULL, "%s", text);
  g_clear_error (&error);
  g_free (text);
  gst_element_set_bus (element, NULL);
  gst_object_unref (bus);
  gst_object_unref (element);
}
GST_END_TEST;

static const struct
{
  const gchar *name;
  const gchar *device;
  gint code;
  const gchar *says, *errno_name;
} open_rows[] = {
  {"no module", "/nonexistent/bufalloc", GST_RESOURCE_ERROR_NOT_FOUND,
      "bufalloc.ko", "ENOENT (2)"},
  {"another device", "/dev/null", GST_RESOURCE_ERROR_OPEN_READ_WRITE,
      "/dev/null", "ENOTTY (25)"},
  {"no permission", NULL, GST_RESOURCE_ERROR_NOT_AUTHORIZED, "group",
      "EACCES (13)"},
};

/* NULL to READY fails with the library's sentence, and can be tried again. */
GST_START_TEST (test_open_error)
{
  const gchar *name = open_rows[__i__].name;
  gchar *text, *node = NULL;
  GstElement *element;
  GError *error;
  GstBus *bus;
  guint i;

  element = gst_element_factory_make ("bufalloc", NULL);
  if (open_rows[__i__].device == NULL) {
    gint fd = g_file_open_tmp ("bufalloc-XXXXXX", &node, NULL);

    /* root may open everything: let this process be somebody else */
    fail_unless (fd >= 0 && fchmod (fd, 0) == 0);
    close (fd);
    if (geteuid () == 0)
      fail_unless (seteuid (65534) == 0);
  }
  g_object_set (element, "device", node ? node : open_rows[__i__].device, NULL);
  bus = gst_bus_new ();
  gst_element_set_bus (element, bus);

  for (i = 0; i < 2; i++) {
    fail_unless (gst_element_set_state (element, GST_STATE_READY) ==
        GST_STATE_CHANGE_FAILURE, "%s", name);
    text = pop_error (bus, &error);
    fail_unless (text != NULL, "%s: no message", name);
    fail_unless (g_error_matches (error, GST_RESOURCE_ERROR,
            open_rows[__i__].code), "%s: code %d, %s", name, error->code, text);
    fail_unless (strstr (error->message, open_rows[__i__].says) != NULL,
        "%s: %s", name, text);
    fail_unless (strstr (text, open_rows[__i__].errno_name) != NULL, "%s: %s",
        name, text);
    g_clear_error (&error);
    g_free (text);
    fail_unless (gst_bus_pop_filtered (bus, GST_MESSAGE_ERROR) == NULL);
    gst_element_set_state (element, GST_STATE_NULL);
  }

  if (node != NULL) {
    fail_unless (seteuid (getuid ()) == 0);
    unlink (node);
    g_free (node);
  }
  gst_element_set_bus (element, NULL);
  gst_object_unref (bus);
  gst_object_unref (element);
}
GST_END_TEST;

/* A failed allocation ends with the library's sentence on the bus. */
GST_START_TEST (test_alloc_error)
{
  GstCaps *caps = raw_caps ("BGRx", 640, 480);
  GstBufferPool *pool;
  GError *error;
  gchar *text;
  GstBus *bus;
  Fixture f;

  fixture_init (&f, "heap=contig extra-bytes=2147483647");
  bus = gst_bus_new ();
  gst_element_set_bus (f.element, bus);
  pool = fixture_pool (&f, caps);
  fail_if (gst_buffer_pool_set_active (pool, TRUE));
  text = pop_error (bus, &error);
  fail_unless (text != NULL);
  fail_unless (g_error_matches (error, GST_RESOURCE_ERROR,
          GST_RESOURCE_ERROR_NO_SPACE_LEFT), "%s", text);
  fail_unless (strstr (error->message, "2148712447 bytes") != NULL, "%s",
      text);
  fail_unless (strstr (text, "EDQUOT") != NULL
      || strstr (text, "ENOMEM") != NULL, "%s", text);
  g_clear_error (&error);
  g_free (text);
  fail_unless_equals_uint64 (element_stat (f.element, "allocations"), 0);

  gst_object_unref (pool);
  gst_element_set_bus (f.element, NULL);
  gst_object_unref (bus);
  gst_caps_unref (caps);
  fixture_finish (&f);
}
GST_END_TEST;

static GstPadProbeReturn
check_frame (GstPad * pad, GstPadProbeInfo * info, gpointer frames)
{
  GstBuffer *buffer = GST_PAD_PROBE_INFO_BUFFER (info);

  if (gst_is_dmabuf_memory (gst_buffer_peek_memory (buffer, 0)))
    (*(guint *) frames)++;
  return GST_PAD_PROBE_OK;
}

/* Returns the number of warnings of the element; each must contain a text. */
static guint
run_to_eos (GstElement * pipeline, const gchar * expected)
{
  GstBus *bus = gst_element_get_bus (pipeline);
  GstMessageType type = GST_MESSAGE_UNKNOWN;
  guint warnings = 0;

  fail_unless (gst_element_set_state (pipeline, GST_STATE_PLAYING) !=
      GST_STATE_CHANGE_FAILURE);
  while (type != GST_MESSAGE_EOS) {
    GstMessage *message = gst_bus_timed_pop_filtered (bus, 20 * GST_SECOND,
        GST_MESSAGE_EOS | GST_MESSAGE_ERROR | GST_MESSAGE_WARNING);
    GError *error = NULL;

    fail_unless (message != NULL, "no end of the stream");
    type = GST_MESSAGE_TYPE (message);
    fail_unless (type != GST_MESSAGE_ERROR);
    if (type == GST_MESSAGE_WARNING) {
      warnings++;
      gst_message_parse_warning (message, &error, NULL);
      fail_unless (strstr (error->message, expected) != NULL, "%s",
          error->message);
      g_error_free (error);
    }
    gst_message_unref (message);
  }
  gst_object_unref (bus);

  return warnings;
}

/* A CPU as the camera: it writes, nobody reads. */
GST_START_TEST (test_stats)
{
  GstElement *pipeline, *element, *sink;
  guint dmabuf_frames = 0;
  GstPad *pad;
  guint i;

  pipeline = gst_parse_launch ("videotestsrc num-buffers=50 ! video/x-raw,"
      "format=BGRx,width=320,height=240 ! bufalloc name=b ! queue ! "
      "fakesink name=s", NULL);
  element = gst_bin_get_by_name (GST_BIN (pipeline), "b");
  sink = gst_bin_get_by_name (GST_BIN (pipeline), "s");
  pad = gst_element_get_static_pad (sink, "sink");
  gst_pad_add_probe (pad, GST_PAD_PROBE_TYPE_BUFFER, check_frame,
      &dmabuf_frames, NULL);

  /* twice: the counters begin anew with the state */
  for (i = 1; i <= 2; i++) {
    fail_unless_equals_int (run_to_eos (pipeline, ""), 0);
    fail_unless_equals_int (dmabuf_frames, 50 * i);
    fail_unless_equals_uint64 (element_stat (element, "frames"), 50);
    fail_unless_equals_uint64 (element_stat (element, "own-frames"), 50);
    fail_unless_equals_uint64 (element_stat (element, "foreign-frames"), 0);
    fail_unless_equals_uint64 (element_stat (element, "cpu-maps"), 50);
    fail_unless_equals_uint64 (element_stat (element, "cpu-reads"), 0);
    fail_unless (element_stat (element, "allocations") >= 2);
    fail_unless (element_stat (element, "allocations") <= 50);
    gst_element_set_state (pipeline, GST_STATE_NULL);
    /* they can be read after the end, when everything is freed */
    fail_unless_equals_uint64 (element_stat (element, "own-frames"), 50);
    fail_unless (element_stat (element, "allocations") >= 2);
  }

  gst_object_unref (pad);
  gst_object_unref (sink);
  gst_object_unref (element);
  gst_object_unref (pipeline);
}
GST_END_TEST;

static void
null_property (GObject * object, guint id, GValue * value, GParamSpec * spec)
{
  g_value_set_string (value, NULL);
}

/* A camera that is offered a pool and sends memory of its own. */
typedef GstPushSrc StubbornSrc;
typedef GstPushSrcClass StubbornSrcClass;

GType stubborn_src_get_type (void);
G_DEFINE_TYPE (StubbornSrc, stubborn_src, GST_TYPE_PUSH_SRC)

static GstFlowReturn
stubborn_src_create (GstPushSrc * src, GstBuffer ** buffer)
{
  *buffer = gst_buffer_new_allocate (NULL, 16 * 16 * 4, NULL);
  return GST_FLOW_OK;
}

static void
stubborn_src_class_init (StubbornSrcClass * klass)
{
  static GstStaticPadTemplate src = GST_STATIC_PAD_TEMPLATE ("src",
      GST_PAD_SRC, GST_PAD_ALWAYS, GST_STATIC_CAPS ("video/x-raw,format=BGRx,"
          "width=16,height=16,framerate=30/1"));
  GObjectClass *object_class = G_OBJECT_CLASS (klass);

  object_class->get_property = null_property;
  g_object_class_install_property (object_class, 1,
      g_param_spec_string ("io-mode", "", "", NULL, G_PARAM_READABLE));
  gst_element_class_set_static_metadata (GST_ELEMENT_CLASS (klass),
      "stubborn source", "Source/Video", "ignores pools", "test");
  gst_element_class_add_static_pad_template (GST_ELEMENT_CLASS (klass), &src);
  klass->create = stubborn_src_create;
}

static void
stubborn_src_init (StubbornSrc * src)
{
}

/* It is said once, and what to do about it. */
GST_START_TEST (test_foreign_frames)
{
  GstElement *pipeline, *element;

  fail_unless (gst_element_register (NULL, "stubbornsrc", GST_RANK_NONE,
          stubborn_src_get_type ()));
  pipeline = gst_parse_launch ("stubbornsrc name=camera num-buffers=5 ! "
      "queue ! capsfilter ! bufalloc name=b ! fakesink", NULL);
  element = gst_bin_get_by_name (GST_BIN (pipeline), "b");
  fail_unless_equals_int (run_to_eos (pipeline, "camera was offered a pool of "
          "dma-bufs but sends memory of its own: set io-mode=dmabuf-import"),
      1);
  fail_unless_equals_uint64 (element_stat (element, "foreign-frames"), 5);
  fail_unless_equals_uint64 (element_stat (element, "own-frames"), 0);

  gst_element_set_state (pipeline, GST_STATE_NULL);
  gst_object_unref (element);
  gst_object_unref (pipeline);
}
GST_END_TEST;

/* Upstream that was never offered a pool is not blamed. */
GST_START_TEST (test_foreign_frames_unasked)
{
  GstElement *pipeline, *element;

  fail_unless (gst_element_register (NULL, "stubbornsrc", GST_RANK_NONE,
          stubborn_src_get_type ()));
  pipeline = gst_parse_launch ("stubbornsrc num-buffers=5 ! identity "
      "drop-allocation=true ! bufalloc name=b ! fakesink", NULL);
  element = gst_bin_get_by_name (GST_BIN (pipeline), "b");
  fail_unless_equals_int (run_to_eos (pipeline, ""), 0);
  fail_unless_equals_uint64 (element_stat (element, "foreign-frames"), 5);

  gst_element_set_state (pipeline, GST_STATE_NULL);
  gst_object_unref (element);
  gst_object_unref (pipeline);
}
GST_END_TEST;

/* A stand-in for a kmssink that copies, under the same factory name. */
typedef GstBaseSink CopyingSink;
typedef GstBaseSinkClass CopyingSinkClass;

GType copying_sink_get_type (void);
G_DEFINE_TYPE (CopyingSink, copying_sink, GST_TYPE_BASE_SINK)

static guint copying_sink_read_every;

static GstFlowReturn
copying_sink_render (GstBaseSink * sink, GstBuffer * buffer)
{
  static guint n;
  GstMapInfo map;

  if (++n % copying_sink_read_every == 0) {
    fail_unless (gst_buffer_map (buffer, &map, GST_MAP_READ));
    gst_buffer_unmap (buffer, &map);
  }
  return GST_FLOW_OK;
}

static void
copying_sink_class_init (CopyingSinkClass * klass)
{
  static GstStaticPadTemplate sink = GST_STATIC_PAD_TEMPLATE ("sink",
      GST_PAD_SINK, GST_PAD_ALWAYS, GST_STATIC_CAPS_ANY);
  GObjectClass *object_class = G_OBJECT_CLASS (klass);

  object_class->get_property = null_property;
  g_object_class_install_property (object_class, 1,
      g_param_spec_string ("driver-name", "", "", NULL, G_PARAM_READABLE));
  g_object_class_install_property (object_class, 2,
      g_param_spec_string ("bus-id", "", "", NULL, G_PARAM_READABLE));
  gst_element_class_set_static_metadata (GST_ELEMENT_CLASS (klass),
      "copying sink", "Sink/Video", "copies", "test");
  gst_element_class_add_static_pad_template (GST_ELEMENT_CLASS (klass), &sink);
  klass->render = copying_sink_render;
}

static void
copying_sink_init (CopyingSink * sink)
{
}

/* The same as any other sink that uses the CPU. */
typedef GstBaseSink ReadSink;
typedef GstBaseSinkClass ReadSinkClass;

GType read_sink_get_type (void);
G_DEFINE_TYPE (ReadSink, read_sink, copying_sink_get_type ())

static void
read_sink_class_init (ReadSinkClass * klass)
{
}

static void
read_sink_init (ReadSink * sink)
{
}

static const struct
{
  const gchar *name;
  const gchar *sink;
  guint read_every;
  guint warnings;
} copy_rows[] = {
  {"a display that copies", "kmssink", 1, 1},
  {"behind a queue, in a bin", "queue ! identity ! bin. ( name=bin kmssink )",
      1, 1},
  {"a display that copies now and then", "kmssink", 4, 0},
  {"a converter is no display", "videoconvert ! video/x-raw,format=I420 ! "
      "kmssink", 1, 0},
  {"no display", "readsink", 1, 0},
};

GST_START_TEST (test_copying_display)
{
  GstElement *pipeline, *element, *sink;
  const gchar *name = copy_rows[__i__].name;
  GError *error = NULL;
  gchar *launch;
  guint warnings;

  fail_unless (gst_element_register (NULL, "kmssink", GST_RANK_NONE,
          copying_sink_get_type ()));
  fail_unless (gst_element_register (NULL, "readsink", GST_RANK_NONE,
          read_sink_get_type ()));
  copying_sink_read_every = copy_rows[__i__].read_every;
  if (strstr (copy_rows[__i__].sink, "bin.") != NULL) {
    launch = g_strdup ("videotestsrc num-buffers=40 ! video/x-raw,format=BGRx "
        "! bufalloc name=b ! queue max-size-buffers=1 ! identity");
    pipeline = gst_parse_launch (launch, &error);
    fail_unless (error == NULL, "%s", error ? error->message : "");
    sink = gst_parse_bin_from_description ("kmssink", TRUE, &error);
    fail_unless (gst_bin_add (GST_BIN (pipeline), sink));
    element = gst_bin_get_by_name (GST_BIN (pipeline), "identity0");
    fail_unless (gst_element_link (element, sink));
    gst_object_unref (element);
  } else {
    launch = g_strdup_printf ("videotestsrc num-buffers=40 ! video/x-raw,"
        "format=BGRx ! bufalloc name=b ! %s", copy_rows[__i__].sink);
    pipeline = gst_parse_launch (launch, &error);
    fail_unless (error == NULL, "%s", error ? error->message : "");
  }
  g_free (launch);
  warnings = run_to_eos (pipeline, "copied");
  fail_unless (warnings == copy_rows[__i__].warnings, "%s: %u warnings", name,
      warnings);

  gst_element_set_state (pipeline, GST_STATE_NULL);
  gst_object_unref (pipeline);
}
GST_END_TEST;

int
main (int argc, char **argv)
{
  Suite *suite = suite_create ("element");
  guint i;

  add_row (suite, "properties", test_properties, 0);
  for (i = 0; i < G_N_ELEMENTS (open_rows); i++)
    add_row (suite, open_rows[i].name, test_open_error, i);
  for (i = 0; i < G_N_ELEMENTS (attribute_rows); i++) {
    /* the module has both, and takes them for a contradiction */
    if (!attribute_rows[i].is_stand_in || access ("/dev/bufalloc", F_OK) != 0)
      add_row (suite, attribute_rows[i].name, test_attributes, i);
  }
  add_row (suite, "an unknown attribute", test_unknown_attribute, 0);
  add_row (suite, "a failed allocation", test_alloc_error, 0);
  add_row (suite, "stats", test_stats, 0);
  add_row (suite, "upstream ignores the pool", test_foreign_frames, 0);
  add_row (suite, "upstream was never offered a pool",
      test_foreign_frames_unasked, 0);
  for (i = 0; i < G_N_ELEMENTS (copy_rows); i++)
    add_row (suite, copy_rows[i].name, test_copying_display, i);

  return run_suite (argc, argv, suite);
}
