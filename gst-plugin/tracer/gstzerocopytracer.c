/* SPDX-License-Identifier: LGPL-2.1-or-later */

/**
 * SECTION:tracer-zerocopy
 * @short_description: shows where a pipeline copies its frames
 *
 * For any pipeline, with elements of bufalloc or without, says for each link how
 * many frames went over it, in which memory, whether the CPU touched them, and
 * for each element whether it passes frames on, copies or converts them; what a
 * copy costs, why it is made and what to do. At the end of the stream, and when
 * GStreamer is deinitialized (gst-launch-1.0 does that, also after Ctrl-C), a table
 * goes to the standard error.
 *
 * |[
 * GST_TRACERS=zerocopy gst-launch-1.0 videotestsrc num-buffers=100 ! fakesink
 * GST_TRACERS='zerocopy(file="report.json",svg="report.svg")' gst-launch-1.0 ...
 * ]|
 *
 * Parameters, in brackets behind the name:
 *
 * - `file` (string): a file for the report as JSON
 * - `dot` (string): a file for a drawing of the pipeline in Graphviz's language
 * - `svg` (string): a file for the drawing itself; needs the program `dot`
 * - `table` (boolean, true): whether to print the table
 * - `min-bytes` (int, 65536): smaller buffers are counted, but not judged
 *
 * What is called a copy and what a conversion, and what a tracer cannot see, is
 * in docs/why-does-my-pipeline-copy.md.
 *
 * Since: 0.1
 */

#ifdef HAVE_CONFIG_H
#include "config.h"
#endif

#define GST_USE_UNSTABLE_API

#include "gstzerocopytracer.h"

#include <errno.h>
#include <glib/gstdio.h>
#include <gst/gsttracer.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "gstzerocopydot.h"
#include "gstzerocopylink.h"
#include "gstzerocopylog.h"
#include "gstzerocopyreport.h"
#include "gstzerocopythread.h"

#define DEFAULT_MIN_BYTES 65536

#define GST_TYPE_ZEROCOPY_TRACER (gst_zerocopy_tracer_get_type ())
G_DECLARE_FINAL_TYPE (GstZerocopyTracer, gst_zerocopy_tracer, GST,
    ZEROCOPY_TRACER, GstTracer)

struct _GstZerocopyTracer
{
  GstTracer parent;

  gchar *file;
  gchar *dot;
  gchar *svg;
  gboolean table;
  gint min_bytes;

  GstZerocopyGraph *graph;
  gint generation;              /* atomic: pads were linked or unlinked */
  gint frames_since;            /* atomic: since the last report */
};

G_DEFINE_FINAL_TYPE (GstZerocopyTracer, gst_zerocopy_tracer, GST_TYPE_TRACER)

/* What is kept with a source pad. */
typedef struct
{
  GstZerocopyTracer *tracer;
  GstZerocopyLink *link;
  gint generation;
  gint caps_changed;            /* atomic */
} PadData;

/* One tracer at a time: an allocator's functions can be replaced only once. */
static GstZerocopyTracer *the_tracer;
static GQuark pad_quark;
static GQuark element_quark;

/* The sink pad behind any number of ghost pads; NULL if there is none. */
static GstPad *
find_peer (GstPad * pad)
{
  GstPad *peer = gst_pad_get_peer (pad);

  while (peer != NULL && GST_IS_PROXY_PAD (peer)) {
    GstProxyPad *internal = gst_proxy_pad_get_internal (GST_PROXY_PAD (peer));

    gst_object_unref (peer);
    if (internal == NULL)
      return NULL;
    peer = gst_pad_get_peer (GST_PAD_CAST (internal));
    gst_object_unref (internal);
  }

  return peer;
}

static GstZerocopyElement *
find_element (GstZerocopyTracer * self, GstPad * pad)
{
  GstElement *parent = gst_pad_get_parent_element (pad);
  GstZerocopyElement *element;

  if (parent == NULL)
    return NULL;
  element = g_object_get_qdata (G_OBJECT (parent), element_quark);
  if (element == NULL) {
    element = gst_zerocopy_graph_add_element (self->graph, parent);
    g_object_set_qdata (G_OBJECT (parent), element_quark, element);
    if (element->is_compositor)
      gst_zerocopy_thread_take_samples ();
  }
  gst_object_unref (parent);

  return element;
}

/* Where a source pad leads to now. */
static GstZerocopyLink *
find_link (GstZerocopyTracer * self, GstPad * pad)
{
  GstZerocopyElement *from = find_element (self, pad), *to = NULL;
  GstZerocopyLink *link = NULL;
  GstPad *peer = find_peer (pad);

  if (peer != NULL)
    to = find_element (self, peer);
  if (from != NULL && to != NULL)
    link = gst_zerocopy_graph_add_link (self->graph, pad, peer, from, to);
  g_clear_pointer (&peer, gst_object_unref);

  return link;
}

static PadData *
pad_data (GstZerocopyTracer * self, GstPad * pad)
{
  PadData *data = g_object_get_qdata (G_OBJECT (pad), pad_quark);

  /* a pad is pushed to by one thread at a time; its data goes with it */
  if (data == NULL) {
    data = g_new0 (PadData, 1);
    data->generation = -1;
    data->caps_changed = TRUE;
    g_object_set_qdata_full (G_OBJECT (pad), pad_quark, data, g_free);
  }

  return data;
}

static GstZerocopyLink *
pad_link (GstZerocopyTracer * self, GstPad * pad)
{
  PadData *data = pad_data (self, pad);
  gint generation = g_atomic_int_get (&self->generation);

  if (data->generation != generation) {
    data->generation = generation;
    data->link = find_link (self, pad);
    data->caps_changed = TRUE;
  }
  if (data->link != NULL && g_atomic_int_get (&data->caps_changed)) {
    GstZerocopyFormat format;
    GstCaps *caps;

    g_atomic_int_set (&data->caps_changed, FALSE);
    caps = gst_pad_get_current_caps (pad);
    gst_zerocopy_format_read (&format, caps);
    g_clear_pointer (&caps, gst_caps_unref);
    g_mutex_lock (&self->graph->lock);
    data->link->format = format;
    g_mutex_unlock (&self->graph->lock);
  }

  return data->link;
}

static void
count_push (GstZerocopyTracer * self, GstZerocopyThread * thread, GstZerocopyLink * link,
    GstBuffer * buffer, GstZerocopyFrame * frame)
{
  GstZerocopyEntry *top = gst_zerocopy_thread_top (thread);
  const GstZerocopyFrame *input = top->link != NULL ? &top->frame : NULL;

  gst_zerocopy_frame_read (frame, buffer);
  if (link->from->is_compositor)
    top->work.is_alike = gst_zerocopy_thread_is_alike (thread, buffer);
  if (gst_zerocopy_graph_push (self->graph, link, frame, input, &top->work))
    gst_zerocopy_work_clear (&top->work);
  g_atomic_int_set (&self->frames_since, TRUE);
}

/* A ghost pad forwards: the element that the thread is in stays the same, so
 * nothing is entered, and nothing is left afterwards. */
static gboolean
is_forwarding (GstPad * pad)
{
  return GST_IS_PROXY_PAD (pad);
}

static void
push_pre (GstZerocopyTracer * self, GstClockTime ts, GstPad * pad,
    GstBuffer * buffer)
{
  GstZerocopyFrame frame;
  GstZerocopyLink *link;
  GstZerocopyThread *thread;

  if (is_forwarding (pad))
    return;
  thread = gst_zerocopy_thread_get ();
  link = pad_link (self, pad);
  if (link != NULL)
    count_push (self, thread, link, buffer, &frame);
  gst_zerocopy_thread_enter (thread, link, &frame);
}

static void
push_list_pre (GstZerocopyTracer * self, GstClockTime ts, GstPad * pad,
    GstBufferList * list)
{
  guint i, n = gst_buffer_list_length (list);
  GstZerocopyFrame frame = { 0, };
  GstZerocopyLink *link;
  GstZerocopyThread *thread;

  if (is_forwarding (pad))
    return;
  thread = gst_zerocopy_thread_get ();
  link = pad_link (self, pad);
  for (i = 0; link != NULL && i < n; i++)
    count_push (self, thread, link, gst_buffer_list_get (list, i), &frame);
  gst_zerocopy_thread_enter (thread, link, &frame);
}

static void
push_post (GstZerocopyTracer * self, GstClockTime ts, GstPad * pad,
    GstFlowReturn result)
{
  if (!is_forwarding (pad))
    gst_zerocopy_thread_leave (gst_zerocopy_thread_get (), self->graph);
}

/* In pull mode the one who wants data calls; it is the other who works. What is
 * done in there is the source's and explains nothing that the caller sends. */
static void
pull_pre (GstZerocopyTracer * self, GstClockTime ts, GstPad * pad,
    guint64 offset, guint size)
{
  if (!is_forwarding (pad))
    gst_zerocopy_thread_enter (gst_zerocopy_thread_get (), NULL, NULL);
}

static void
pull_post (GstZerocopyTracer * self, GstClockTime ts, GstPad * pad,
    GstBuffer * buffer, GstFlowReturn result)
{
  GstPad *source;

  if (is_forwarding (pad))
    return;
  gst_zerocopy_thread_leave (gst_zerocopy_thread_get (), self->graph);
  if (result != GST_FLOW_OK || buffer == NULL)
    return;

  source = gst_pad_get_peer (pad);
  if (source != NULL && !GST_IS_PROXY_PAD (source)) {
    GstZerocopyLink *link = pad_link (self, source);
    static const GstZerocopyWork nothing;
    GstZerocopyFrame frame;

    if (link != NULL) {
      gst_zerocopy_frame_read (&frame, buffer);
      gst_zerocopy_graph_push (self->graph, link, &frame, NULL, &nothing);
      g_atomic_int_set (&self->frames_since, TRUE);
    }
  }
  g_clear_pointer (&source, gst_object_unref);
}

/* A pipe, a terminal or /dev/null is written to; only a file is replaced, in one
 * step. */
static void
write_file (const gchar * file, const gchar * text)
{
  GError *error = NULL;
  struct stat st;

  if (g_stat (file, &st) == 0 && !S_ISREG (st.st_mode)) {
    FILE *stream = g_fopen (file, "we");
    gboolean ok = stream != NULL && fputs (text, stream) >= 0;

    if (stream != NULL)
      ok = fclose (stream) == 0 && ok;
    if (!ok)
      g_printerr ("zerocopy: cannot write to %s: %s\n", file,
          g_strerror (errno));
  } else if (!g_file_set_contents (file, text, -1, &error)) {
    g_printerr ("zerocopy: %s\n", error->message);
    g_error_free (error);
  }
}

/* The last frames may be on their way in other threads while this looks. */
static void
write_report (GstZerocopyTracer * self)
{
  GPtrArray *notes;
  gchar *text;

  if (!g_atomic_int_compare_and_exchange (&self->frames_since, TRUE, FALSE))
    return;

  notes = gst_zerocopy_log_notes ();
  if (self->table) {
    text = gst_zerocopy_report_table (self->graph, notes);
    g_printerr ("%s", text);
    g_free (text);
  }
  if (self->file != NULL) {
    text = gst_zerocopy_report_json (self->graph, notes);
    write_file (self->file, text);
    g_free (text);
  }
  if (self->dot != NULL || self->svg != NULL) {
    text = gst_zerocopy_dot_text (self->graph, notes);
    if (self->dot != NULL)
      write_file (self->dot, text);
    if (self->svg != NULL)
      gst_zerocopy_dot_draw (text, self->svg);
    g_free (text);
  }
  g_ptr_array_unref (notes);
}

static void
event_pre (GstZerocopyTracer * self, GstClockTime ts, GstPad * pad,
    GstEvent * event)
{
  GstEventType type = GST_EVENT_TYPE (event);
  PadData *data;

  if (type == GST_EVENT_CAPS && GST_PAD_IS_SRC (pad)) {
    data = g_object_get_qdata (G_OBJECT (pad), pad_quark);
    if (data != NULL)
      g_atomic_int_set (&data->caps_changed, TRUE);
  }
}

/* The report is due when the end of the stream is in all sinks that had frames. */
static void
event_post (GstZerocopyTracer * self, GstClockTime ts, GstPad * pad,
    gboolean result)
{
  PadData *data = g_object_get_qdata (G_OBJECT (pad), pad_quark);
  GstZerocopyLink *link = data != NULL ? data->link : NULL;
  gboolean all = TRUE;
  guint i;

  if (link == NULL || !link->to->is_sink || link->to->eos
      || !GST_PAD_IS_EOS (pad))
    return;

  g_mutex_lock (&self->graph->lock);
  link->to->eos = TRUE;
  for (i = 0; i < self->graph->links->len; i++) {
    GstZerocopyElement *to =
        ((GstZerocopyLink *) g_ptr_array_index (self->graph->links, i))->to;

    all = all && (!to->is_sink || to->eos);
  }
  g_mutex_unlock (&self->graph->lock);
  if (all)
    write_report (self);
}

static void
topology_changed (GstZerocopyTracer * self)
{
  g_atomic_int_inc (&self->generation);
}

static void
object_created (GstZerocopyTracer * self, GstClockTime ts, GstObject * object)
{
  if (GST_IS_ALLOCATOR (object))
    gst_zerocopy_memory_watch (GST_ALLOCATOR (object));
}

static void
element_new (GstZerocopyTracer * self, GstClockTime ts, GstElement * element)
{
  /* a plugin's categories come with its first element */
  gst_zerocopy_log_raise ();
}

static const struct
{
  const gchar *name;
  GCallback func;
} hooks[] = {
  { "pad-push-pre", G_CALLBACK (push_pre) },
  { "pad-push-post", G_CALLBACK (push_post) },
  { "pad-push-list-pre", G_CALLBACK (push_list_pre) },
  { "pad-push-list-post", G_CALLBACK (push_post) },
  { "pad-pull-range-pre", G_CALLBACK (pull_pre) },
  { "pad-pull-range-post", G_CALLBACK (pull_post) },
  { "pad-push-event-pre", G_CALLBACK (event_pre) },
  { "pad-push-event-post", G_CALLBACK (event_post) },
  { "pad-link-post", G_CALLBACK (topology_changed) },
  { "pad-unlink-post", G_CALLBACK (topology_changed) },
  { "object-created", G_CALLBACK (object_created) },
  { "element-new", G_CALLBACK (element_new) },
};

static void
take_string (const GstStructure * s, const gchar * field, gchar ** value)
{
  const gchar *text = gst_structure_get_string (s, field);

  if (text != NULL && text[0] != '\0')
    *value = g_strdup (text);
  else
    g_printerr ("zerocopy: %s needs the name of a file: %s=\"FILE\"\n", field,
        field);
}

/* Says what cannot be meant; the pipeline is not stopped for that. */
static gboolean
take_param (GQuark field, const GValue * value, gpointer data)
{
  GstZerocopyTracer *self = data;
  const gchar *name = g_quark_to_string (field);
  GstStructure *s = gst_structure_new_empty ("zerocopy");

  gst_structure_set_value (s, name, value);
  if (g_str_equal (name, "file")) {
    take_string (s, name, &self->file);
  } else if (g_str_equal (name, "dot")) {
    take_string (s, name, &self->dot);
  } else if (g_str_equal (name, "svg")) {
    take_string (s, name, &self->svg);
  } else if (g_str_equal (name, "table")) {
    if (!gst_structure_get_boolean (s, name, &self->table))
      g_printerr ("zerocopy: table is true or false\n");
  } else if (g_str_equal (name, "min-bytes")) {
    if (!gst_structure_get_int (s, name, &self->min_bytes)
        || self->min_bytes < 1) {
      self->min_bytes = DEFAULT_MIN_BYTES;
      g_printerr ("zerocopy: min-bytes is a number of bytes, 1 or more\n");
    }
  } else {
    g_printerr ("zerocopy: no parameter is called '%s': there are file, dot, "
        "svg, table and min-bytes\n", name);
  }
  gst_structure_free (s);

  return TRUE;
}

static void
take_params (GstZerocopyTracer * self)
{
  gchar *params = NULL, *text;
  GstStructure *s;

  g_object_get (self, "params", &params, NULL);
  if (params == NULL)
    return;

  text = g_strdup_printf ("zerocopy,%s", params);
  s = gst_structure_from_string (text, NULL);
  if (s != NULL) {
    gst_structure_foreach (s, take_param, self);
    gst_structure_free (s);
  } else {
    g_printerr ("zerocopy: '%s' is not understood: expected "
        "zerocopy(file=\"FILE\",dot=\"FILE\",svg=\"FILE\",table=true)\n",
        params);
  }
  g_free (text);
  g_free (params);
}

/* Of a program that ends without gst_deinit(). */
static void
at_exit (void)
{
  GstZerocopyTracer *self = g_atomic_pointer_get (&the_tracer);

  if (self != NULL)
    write_report (self);
}

static void
gst_zerocopy_tracer_constructed (GObject * object)
{
  GstZerocopyTracer *self = GST_ZEROCOPY_TRACER (object);
  static gsize once;
  guint i;

  G_OBJECT_CLASS (gst_zerocopy_tracer_parent_class)->constructed (object);

  if (!g_atomic_pointer_compare_and_exchange (&the_tracer, NULL, self)) {
    g_printerr ("zerocopy: it is there already; the second one does nothing\n");
    return;
  }

  take_params (self);
  self->graph = gst_zerocopy_graph_new (self->min_bytes);
  pad_quark = g_quark_from_static_string ("gst-zerocopy-pad");
  element_quark = g_quark_from_static_string ("gst-zerocopy-element");

  gst_zerocopy_memory_start (self->min_bytes, gst_zerocopy_thread_touched,
      gst_zerocopy_thread_copied);
  gst_zerocopy_log_start (gst_zerocopy_thread_element);
  for (i = 0; i < G_N_ELEMENTS (hooks); i++)
    gst_tracing_register_hook (GST_TRACER (self), hooks[i].name,
        hooks[i].func);

  if (g_once_init_enter (&once)) {
    atexit (at_exit);
    g_once_init_leave (&once, 1);
  }
}

static void
gst_zerocopy_tracer_finalize (GObject * object)
{
  GstZerocopyTracer *self = GST_ZEROCOPY_TRACER (object);

  if (g_atomic_pointer_get (&the_tracer) == self) {
    gst_zerocopy_memory_stop ();
    write_report (self);
    gst_zerocopy_log_stop ();
    g_atomic_pointer_set (&the_tracer, NULL);
    gst_zerocopy_graph_free (self->graph);
  }
  g_free (self->file);
  g_free (self->dot);
  g_free (self->svg);

  G_OBJECT_CLASS (gst_zerocopy_tracer_parent_class)->finalize (object);
}

static void
gst_zerocopy_tracer_class_init (GstZerocopyTracerClass * klass)
{
  GObjectClass *object_class = G_OBJECT_CLASS (klass);

  object_class->constructed = gst_zerocopy_tracer_constructed;
  object_class->finalize = gst_zerocopy_tracer_finalize;
}

static void
gst_zerocopy_tracer_init (GstZerocopyTracer * self)
{
  self->table = TRUE;
  /* that no frame came is a report, too */
  self->frames_since = TRUE;
  self->min_bytes = DEFAULT_MIN_BYTES;
}

/**
 * gst_zerocopy_tracer_register:
 * @plugin: the plugin
 *
 * Returns: whether the tracer is there now
 *
 * Since: 0.1
 */
gboolean
gst_zerocopy_tracer_register (GstPlugin * plugin)
{
  return gst_tracer_register (plugin, "zerocopy", GST_TYPE_ZEROCOPY_TRACER);
}
