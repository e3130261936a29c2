/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Heap auto: which devices the element finds, what it says about them, and which
 * heap it takes. The devices are files of the stand-in for the module
 * (fake_bufalloc.c); with the module itself tests/gst/pipeline.sh shows it.
 */
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include <glib/gstdio.h>
#include <gst/base/gstbasesink.h>
#include <gst/base/gstpushsrc.h>

#include "common.h"

static gchar *folder;

/* (transfer full) the path of a device in the folder of the test */
static gchar *
node (const gchar * name)
{
  return name ? g_build_filename (folder, name, NULL) : NULL;
}

/* An element of GStreamer's V4L2 plugin, as far as its properties go. */
typedef struct
{
  gchar *device;
  gint fd;
} Properties;

enum
{ PROP_DEVICE = 1, PROP_DEVICE_FD, PROP_FD, PROP_DRIVER, PROP_BUS };

static GQuark quark;

static Properties *
properties_of (GObject * object)
{
  Properties *p = g_object_get_qdata (object, quark);

  if (p == NULL) {
    p = g_new0 (Properties, 1);
    p->fd = -1;
    g_object_set_qdata_full (object, quark, p, g_free);
  }
  return p;
}

static void
set_property (GObject * object, guint id, const GValue * value, GParamSpec * s)
{
  Properties *p = properties_of (object);

  if (id == PROP_DEVICE)
    p->device = g_value_dup_string (value);
  else
    p->fd = g_value_get_int (value);
}

static void
get_property (GObject * object, guint id, GValue * value, GParamSpec * s)
{
  Properties *p = properties_of (object);

  if (id == PROP_DEVICE)
    g_value_set_string (value, p->device);
  else if (id == PROP_DEVICE_FD || id == PROP_FD)
    g_value_set_int (value, p->fd);
  else
    g_value_set_string (value, NULL);
}

static void
install (GObjectClass * klass, guint id, const gchar * name, gboolean text)
{
  klass->set_property = set_property;
  klass->get_property = get_property;
  g_object_class_install_property (klass, id,
      text ? g_param_spec_string (name, "", "", NULL, G_PARAM_READWRITE) :
      g_param_spec_int (name, "", "", -1, G_MAXINT, -1, G_PARAM_READWRITE));
}

/* A camera that fills the buffers of whoever offers a pool. */
typedef GstPushSrc Camera;
typedef GstPushSrcClass CameraClass;
GType camera_get_type (void);
G_DEFINE_TYPE (Camera, camera, GST_TYPE_PUSH_SRC)

static GstFlowReturn
camera_fill (GstPushSrc * src, GstBuffer * buffer)
{
  return GST_FLOW_OK;
}

static void
camera_class_init (CameraClass * klass)
{
  static GstStaticPadTemplate src = GST_STATIC_PAD_TEMPLATE ("src",
      GST_PAD_SRC, GST_PAD_ALWAYS, GST_STATIC_CAPS ("video/x-raw,format=BGRx,"
          "width=16,height=16,framerate=30/1"));

  install (G_OBJECT_CLASS (klass), PROP_DEVICE, "device", TRUE);
  install (G_OBJECT_CLASS (klass), PROP_DEVICE_FD, "device-fd", FALSE);
  gst_element_class_set_static_metadata (GST_ELEMENT_CLASS (klass),
      "camera", "Source/Video", "writes", "test");
  klass->fill = camera_fill;
  gst_element_class_add_static_pad_template (GST_ELEMENT_CLASS (klass), &src);
}

static void
camera_init (Camera * src)
{
  gst_base_src_set_blocksize (GST_BASE_SRC (src), 16 * 16 * 4);
}

static GstStaticPadTemplate any_sink = GST_STATIC_PAD_TEMPLATE ("sink",
    GST_PAD_SINK, GST_PAD_ALWAYS, GST_STATIC_CAPS_ANY);

typedef GstBaseSink OutputSink;
typedef GstBaseSinkClass OutputSinkClass;
GType output_sink_get_type (void);
G_DEFINE_TYPE (OutputSink, output_sink, GST_TYPE_BASE_SINK)

static void
output_sink_class_init (OutputSinkClass * klass)
{
  install (G_OBJECT_CLASS (klass), PROP_DEVICE, "device", TRUE);
  install (G_OBJECT_CLASS (klass), PROP_DEVICE_FD, "device-fd", FALSE);
  gst_element_class_set_static_metadata (GST_ELEMENT_CLASS (klass),
      "output", "Sink/Video", "reads", "test");
  gst_element_class_add_static_pad_template (GST_ELEMENT_CLASS (klass),
      &any_sink);
}

static void
output_sink_init (OutputSink * sink)
{
}

typedef GstBaseSink DisplaySink;
typedef GstBaseSinkClass DisplaySinkClass;
GType display_sink_get_type (void);
G_DEFINE_TYPE (DisplaySink, display_sink, GST_TYPE_BASE_SINK)

static void
display_sink_class_init (DisplaySinkClass * klass)
{
  install (G_OBJECT_CLASS (klass), PROP_FD, "fd", FALSE);
  install (G_OBJECT_CLASS (klass), PROP_DRIVER, "driver-name", TRUE);
  install (G_OBJECT_CLASS (klass), PROP_BUS, "bus-id", TRUE);
  gst_element_class_set_static_metadata (GST_ELEMENT_CLASS (klass),
      "display", "Sink/Video", "reads", "test");
  gst_element_class_add_static_pad_template (GST_ELEMENT_CLASS (klass),
      &any_sink);
}

static void
display_sink_init (DisplaySink * sink)
{
}

/* What the element's log said at level INFO about its choice. */
static GMutex log_lock;
static GString *chosen;

static void
keep_choice (GstDebugCategory * category, GstDebugLevel level,
    const gchar * file, const gchar * function, gint line, GObject * object,
    GstDebugMessage * message, gpointer unused)
{
  const gchar *text = gst_debug_message_get (message);

  if (level != GST_LEVEL_INFO || strstr (text, " was chosen") == NULL)
    return;
  g_mutex_lock (&log_lock);
  g_string_append_printf (chosen, "%s\n", text);
  g_mutex_unlock (&log_lock);
}

static const struct
{
  const gchar *name;
  const gchar *pipeline;        /* of camera (c), display (k), output (o) */
  const gchar *camera, *display, *output;
  const gchar *heap;            /* NULL: an error */
  const gchar *says;
} rows[] = {
  {"no device", "videotestsrc num-buffers=3 ! video/x-raw,"
        "format=BGRx,width=16,height=16,framerate=30/1 ! bufalloc name=b ! "
        "fakesink", NULL, NULL, NULL, "system", "no device was named"},
  {"a camera of one segment", "c ! bufalloc name=b ! fakesink", "one-segment",
        NULL, NULL, "contig", "because one-segment (writer) takes one segment"},
  {"a camera that takes anything", "c ! bufalloc name=b ! fakesink",
        "anything", NULL, NULL, "system", "; anything (writer): mapped"},
  {"a display of one segment", "c ! bufalloc name=b ! k", "anything",
        "one-segment", NULL, "contig", "because one-segment (reader) takes"},
  {"an output of one segment", "c ! bufalloc name=b ! o", "anything", NULL,
        "one-segment", "contig", "because one-segment (reader) takes"},
  {"behind queues", "c ! queue ! identity ! bufalloc name=b ! queue ! k",
        "one-segment-c", "anything-k", NULL, "contig",
        "one-segment-c (writer): mapped, 1 segment; anything-k (reader): "},
  {"both ends of a tee", "c ! bufalloc name=b ! tee name=t ! queue ! k "
        "t. ! queue ! o", "anything-c", "anything-k", "one-segment-o",
        "contig", "because one-segment-o (reader)"},
  {"a converter in between", "c ! bufalloc name=b ! videoconvert ! "
        "video/x-raw,format=I420 ! k", "anything", "one-segment", NULL,
        "system", "; anything (writer): mapped"},
  {"a camera that can use no memory", "c ! bufalloc name=b ! fakesink",
        "nothing", NULL, NULL, NULL,
        "no heap can be used: nothing (writer) would get a copy"},
  {"a camera that is no device", "c ! bufalloc name=b ! fakesink", "file",
        NULL, NULL, NULL, "is no device that bufalloc knows"},
  {"a display that takes no dma-bufs", "c ! bufalloc name=b ! k", "anything",
        "no-dmabuf", NULL, "system", "the device can use it"},
  {"a heap that is named", "c ! bufalloc name=b heap=system ! fakesink",
        "one-segment", NULL, NULL, "system", ""},
  {"the property devices", "c ! bufalloc name=b devices=$/anything,"
        "$/one-segment-p ! fakesink", "nothing", NULL, NULL, "contig",
        "because one-segment-p (both) takes one segment"},
  {"the property devices is empty", "c ! bufalloc name=b devices=\"\" ! "
        "fakesink", "one-segment", NULL, NULL, "system", "no device was named"},
  {"the property devices names nothing", "c ! bufalloc name=b "
        "devices=$/missing ! fakesink", "anything", NULL, NULL, NULL,
        "/missing of the property devices cannot be opened: No such file"},
};

static void
set_node (GstElement * pipeline, const gchar * element, const gchar * name)
{
  GstElement *found = gst_bin_get_by_name (GST_BIN (pipeline), element);
  gchar *path = node (name);

  if (found != NULL && path != NULL) {
    fail_unless (g_file_set_contents (path, "", 0, NULL));
    if (g_str_equal (element, "k"))
      g_object_set (found, "fd", open (path, O_RDWR | O_CLOEXEC), NULL);
    else
      g_object_set (found, "device", path, NULL);
  }
  g_free (path);
  gst_clear_object (&found);
}

/* (transfer full) the pipeline of a row */
static GstElement *
make_pipeline (guint row)
{
  GString *launch = g_string_new (rows[row].pipeline);
  GError *error = NULL;
  GstElement *pipeline;

  if (g_str_has_prefix (launch->str, "c "))
    g_string_replace (launch, "c ", "testcamera name=c num-buffers=3 ", 1);
  g_string_replace (launch, "! k", "! kmssink name=k", 1);
  g_string_replace (launch, "! o", "! testoutput name=o", 1);
  g_string_replace (launch, "$", folder, 0);
  pipeline = gst_parse_launch (launch->str, &error);
  fail_unless (error == NULL, "%s: %s", launch->str,
      error ? error->message : "");
  g_string_free (launch, TRUE);
  set_node (pipeline, "c", rows[row].camera);
  set_node (pipeline, "k", rows[row].display);
  set_node (pipeline, "o", rows[row].output);
  return pipeline;
}

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

GST_START_TEST (test_devices)
{
  const gchar *name = rows[__i__].name;
  GstElement *pipeline, *element;
  GstStructure *stats = NULL;
  GstMessage *message;
  gchar *anything, *segment;
  guint fds;
  GstBus *bus;

  quark = g_quark_from_static_string ("properties");
  folder = g_dir_make_tmp ("bufalloc-XXXXXX", NULL);
  fail_unless (gst_element_register (NULL, "testcamera", GST_RANK_NONE,
          camera_get_type ()));
  fail_unless (gst_element_register (NULL, "testoutput", GST_RANK_NONE,
          output_sink_get_type ()));
  fail_unless (gst_element_register (NULL, "kmssink", GST_RANK_NONE,
          display_sink_get_type ()));
  anything = node ("anything");
  segment = node ("one-segment-p");
  fail_unless (g_file_set_contents (anything, "", 0, NULL));
  fail_unless (g_file_set_contents (segment, "", 0, NULL));
  chosen = g_string_new (NULL);
  gst_debug_remove_log_function (gst_debug_log_default);
  gst_debug_add_log_function (keep_choice, NULL, NULL);
  gst_debug_set_threshold_for_name ("bufalloc", GST_LEVEL_INFO);

  pipeline = make_pipeline (__i__);
  element = gst_bin_get_by_name (GST_BIN (pipeline), "b");
  bus = gst_element_get_bus (pipeline);
  gst_element_set_state (pipeline, GST_STATE_READY);
  fds = count_fds ();
  gst_element_set_state (pipeline, GST_STATE_PLAYING);
  message = gst_bus_timed_pop_filtered (bus, 10 * GST_SECOND,
      GST_MESSAGE_ERROR | GST_MESSAGE_EOS);
  fail_unless (message != NULL, "%s: nothing", name);

  g_mutex_lock (&log_lock);
  if (rows[__i__].heap != NULL) {
    fail_unless (GST_MESSAGE_TYPE (message) == GST_MESSAGE_EOS, "%s: %"
        GST_PTR_FORMAT, name, message);
    g_object_get (element, "stats", &stats, NULL);
    fail_unless_equals_string (gst_structure_get_string (stats, "heap"),
        rows[__i__].heap);
    gst_structure_free (stats);
    fail_unless (element_stat (element, "allocations") >= 2, "%s", name);
    fail_unless (strstr (chosen->str, rows[__i__].says) != NULL, "%s: %s",
        name, chosen->str);
    /* once, not for each buffer; not at all for a heap that is named */
    fail_unless_equals_int (g_strrstr (chosen->str, "\n") ==
        strchr (chosen->str, '\n'), TRUE);
    fail_unless (*rows[__i__].says != '\0' || chosen->len == 0);
  } else {
    GError *error = NULL;

    fail_unless (GST_MESSAGE_TYPE (message) == GST_MESSAGE_ERROR, "%s", name);
    gst_message_parse_error (message, &error, NULL);
    fail_unless (GST_MESSAGE_SRC (message) == GST_OBJECT (element), "%s: %s",
        name, error->message);
    fail_unless (g_error_matches (error, GST_RESOURCE_ERROR,
            GST_RESOURCE_ERROR_FAILED));
    fail_unless (strstr (error->message, rows[__i__].says) != NULL, "%s: %s",
        name, error->message);
    g_error_free (error);
    fail_unless_equals_int (chosen->len, 0);
  }
  g_mutex_unlock (&log_lock);
  gst_message_unref (message);

  /* the devices are closed again */
  gst_element_set_state (pipeline, GST_STATE_READY);
  fail_unless (count_fds () <= fds, "%s: %u descriptors, %u before", name,
      count_fds (), fds);

  gst_element_set_state (pipeline, GST_STATE_NULL);
  gst_object_unref (bus);
  gst_object_unref (element);
  gst_object_unref (pipeline);
}
GST_END_TEST;

int
main (int argc, char **argv)
{
  Suite *suite = suite_create ("devices");
  guint i;

  for (i = 0; i < G_N_ELEMENTS (rows); i++)
    add_row (suite, rows[i].name, test_devices, i);

  return run_suite (argc, argv, suite);
}
