/* SPDX-License-Identifier: LGPL-2.1-or-later */

/**
 * SECTION:tracer-framewitness
 * @short_description: which dma-buf each frame was in, on every link
 *
 * A tracer for the tests and the demo; it is not installed. On each link of
 * the pipeline, from a source pad to the sink pad that really receives the
 * frame (ghost pads are looked through), it asks the kernel for the inode of
 * each frame's file descriptors. A dma-buf has one inode for its whole life,
 * however often its file descriptor is duplicated, so the same inode at the
 * camera's pad and at the display's pad is the same memory. Each link has the
 * list of all its dma-bufs, and in which one each frame (its first memory) was;
 * 0 is none. Nothing is cached:
 * each frame of each link costs one fstat().
 *
 * |[
 * GST_TRACERS='framewitness(out="witness.json",first=100)' gst-launch-1.0 ...
 * ]|
 *
 * - `out` (string): the file to write, "-" for the standard output. The file
 *   is replaced in one step when the end of the stream reaches a sink and
 *   again when GStreamer exits.
 * - `first` (int, 0): number of frames to leave out of the window in which
 *   CPU time is measured: of the whole machine, and of this process with what
 *   the kernel does for it when asked. The window begins just
 *   before frame `first` (counted from 0) is handed to the sink and ends when
 *   the end of the stream is handed to it.
 *
 * Since: 0.1
 */

#define GST_USE_UNSTABLE_API

#include <gst/allocators/gstdmabuf.h>
#include <gst/gst.h>

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define MAX_INODES 4

GST_DEBUG_CATEGORY_STATIC (framewitness_debug);
#define GST_CAT_DEFAULT framewitness_debug

/* The inodes of one frame, in the order of its memories; 0 for a memory that
 * is no dma-buf and for the places that are not used. */
typedef struct
{
  guint64 inode[MAX_INODES];
} Frame;

/* One link. Lives as long as the tracer, which may be longer than its pads. */
typedef struct
{
  gchar *pad;
  gchar *peer;
  gboolean from_source;
  gboolean to_sink;
  guint64 dmabuf_frames;
  GArray *frames;               /* of Frame */
  GArray *inodes;               /* of guint64, in order of appearance */
  GHashTable *inode_set;        /* of the elements of inodes */
} Link;

/* Busy time of all the machine's CPUs, this process's own, and the clock on the
 * wall. */
typedef struct
{
  gint64 cpu_ms;
  gint64 process_us;
  gint64 wall_ms;
} Moment;

#define FRAME_WITNESS_TYPE (frame_witness_get_type ())
G_DECLARE_FINAL_TYPE (FrameWitness, frame_witness, FRAME, WITNESS, GstTracer)

struct _FrameWitness
{
  GstTracer parent;

  gchar *out;
  guint64 first;
  GQuark link_quark;

  GMutex lock;                  /* protects all that follows */
  GPtrArray *links;             /* of Link */
  Link *display;                /* the first link into a sink */
  gboolean window_begun;
  gboolean window_ended;
  guint64 window_frames;
  Moment window_begin;
  Moment window_end;
};

G_DEFINE_FINAL_TYPE (FrameWitness, frame_witness, GST_TYPE_TRACER)

static Moment
moment_now (void)
{
  Moment now = { 0, 0, 0 };
  /* user nice system idle iowait irq softirq steal; the guests' time that
   * follows is part of user and nice already */
  guint64 t[8] = { 0, };
  struct timespec ts;
  FILE *stat;

  stat = fopen ("/proc/stat", "re");
  if (stat != NULL) {
    if (fscanf (stat, "cpu %" G_GUINT64_FORMAT " %" G_GUINT64_FORMAT
            " %" G_GUINT64_FORMAT " %" G_GUINT64_FORMAT " %" G_GUINT64_FORMAT
            " %" G_GUINT64_FORMAT " %" G_GUINT64_FORMAT " %" G_GUINT64_FORMAT,
            &t[0], &t[1], &t[2], &t[3], &t[4], &t[5], &t[6], &t[7]) == 8)
      now.cpu_ms = (t[0] + t[1] + t[2] + t[5] + t[6] + t[7]) * 1000
          / sysconf (_SC_CLK_TCK);
    fclose (stat);
  }

  clock_gettime (CLOCK_PROCESS_CPUTIME_ID, &ts);
  now.process_us = ts.tv_sec * 1000000 + ts.tv_nsec / 1000;
  clock_gettime (CLOCK_MONOTONIC, &ts);
  now.wall_ms = ts.tv_sec * 1000 + ts.tv_nsec / 1000000;

  return now;
}

static void
link_free (Link * link)
{
  g_free (link->pad);
  g_free (link->peer);
  g_array_unref (link->frames);
  g_array_unref (link->inodes);
  g_hash_table_unref (link->inode_set);
  g_free (link);
}

static gchar *
pad_name (GstPad * pad, GstElement * element)
{
  return g_strdup_printf ("%s:%s",
      element ? GST_OBJECT_NAME (element) : "", GST_OBJECT_NAME (pad));
}

/* The sink pad behind any number of ghost pads, or NULL. */
static GstPad *
real_peer (GstPad * pad)
{
  GstPad *peer = gst_pad_get_peer (pad);

  while (peer != NULL && GST_IS_PROXY_PAD (peer)) {
    GstProxyPad *internal = gst_proxy_pad_get_internal (GST_PROXY_PAD (peer));

    gst_object_unref (peer);
    if (internal == NULL)
      return NULL;
    peer = gst_pad_get_peer (GST_PAD (internal));
    gst_object_unref (internal);
  }

  return peer;
}

/* With the lock held. NULL for pads that only forward (ghost pads) and for
 * pads that lead nowhere. */
static Link *
frame_witness_link (FrameWitness * self, GstPad * pad)
{
  Link *link = g_object_get_qdata (G_OBJECT (pad), self->link_quark);
  GstElement *from, *to;
  GstPad *peer;

  if (link != NULL)
    return link;
  if (GST_IS_PROXY_PAD (pad))
    return NULL;
  peer = real_peer (pad);
  if (peer == NULL)
    return NULL;

  from = gst_pad_get_parent_element (pad);
  to = gst_pad_get_parent_element (peer);

  link = g_new0 (Link, 1);
  link->pad = pad_name (pad, from);
  link->peer = pad_name (peer, to);
  link->from_source = from != NULL && from->numsinkpads == 0;
  link->to_sink = to != NULL && to->numsrcpads == 0;
  link->frames = g_array_new (FALSE, TRUE, sizeof (Frame));
  link->inodes = g_array_new (FALSE, TRUE, sizeof (guint64));
  link->inode_set = g_hash_table_new_full (g_int64_hash, g_int64_equal,
      g_free, NULL);
  g_ptr_array_add (self->links, link);
  g_object_set_qdata (G_OBJECT (pad), self->link_quark, link);
  if (link->to_sink && self->display == NULL)
    self->display = link;

  gst_clear_object (&from);
  gst_clear_object (&to);
  gst_object_unref (peer);

  return link;
}

static void
link_add_frame (Link * link, GstBuffer * buffer)
{
  guint i, n = gst_buffer_n_memory (buffer);
  gboolean dmabuf = n > 0;
  Frame frame = { {0, } };

  for (i = 0; i < n; i++) {
    GstMemory *mem = gst_buffer_peek_memory (buffer, i);
    struct stat st;
    guint64 inode;

    if (!gst_is_dmabuf_memory (mem)
        || fstat (gst_dmabuf_memory_get_fd (mem), &st) < 0) {
      dmabuf = FALSE;
      continue;
    }

    inode = st.st_ino;
    if (i < MAX_INODES)
      frame.inode[i] = inode;
    if (!g_hash_table_contains (link->inode_set, &inode)) {
      g_hash_table_add (link->inode_set, g_memdup2 (&inode, sizeof (inode)));
      g_array_append_val (link->inodes, inode);
    }
  }

  if (dmabuf)
    link->dmabuf_frames++;
  g_array_append_val (link->frames, frame);
}

static void
frame_witness_add (FrameWitness * self, GstPad * pad, GstBuffer * buffer)
{
  Link *link = frame_witness_link (self, pad);

  if (link == NULL)
    return;

  if (link == self->display && link->frames->len >= self->first) {
    if (!self->window_begun) {
      self->window_begun = TRUE;
      self->window_begin = moment_now ();
    }
    if (!self->window_ended)
      self->window_frames++;
  }
  link_add_frame (link, buffer);
}

/* Frames that have the same number and the same dma-bufs on the first link
 * out of a source and on the first link into a sink. */
static guint64
frame_witness_same_frames (FrameWitness * self, Link ** camera)
{
  guint64 same = 0;
  guint i;

  *camera = NULL;
  for (i = 0; i < self->links->len && *camera == NULL; i++) {
    Link *link = g_ptr_array_index (self->links, i);

    if (link->from_source)
      *camera = link;
  }
  if (*camera == NULL || self->display == NULL)
    return 0;

  for (i = 0; i < MIN ((*camera)->frames->len, self->display->frames->len); i++) {
    Frame *a = &g_array_index ((*camera)->frames, Frame, i);
    Frame *b = &g_array_index (self->display->frames, Frame, i);

    if (a->inode[0] != 0 && memcmp (a, b, sizeof (*a)) == 0)
      same++;
  }

  return same;
}

/* Element and pad names are the user's to choose: quote them. */
static void
append_string (GString * json, const gchar * key, const gchar * value)
{
  g_string_append_printf (json, "\"%s\":\"", key);
  for (; *value != '\0'; value++) {
    if (*value == '"' || *value == '\\')
      g_string_append_c (json, '\\');
    if ((guchar) * value < 0x20)
      g_string_append_printf (json, "\\u%04x", *value);
    else
      g_string_append_c (json, *value);
  }
  g_string_append_c (json, '"');
}

static void
frame_witness_write (FrameWitness * self)
{
  GString *json = g_string_new ("{\"pads\":[");
  GError *error = NULL;
  Link *camera;
  guint64 same;
  guint i, k;

  for (i = 0; i < self->links->len; i++) {
    Link *link = g_ptr_array_index (self->links, i);

    g_string_append (json, i ? ",\n  {" : "\n  {");
    append_string (json, "pad", link->pad);
    g_string_append_c (json, ',');
    append_string (json, "peer", link->peer);
    g_string_append_printf (json, ",\"frames\":%u,\"dmabuf_frames\":%"
        G_GUINT64_FORMAT ",\"inodes\":[", link->frames->len,
        link->dmabuf_frames);
    for (k = 0; k < link->inodes->len; k++)
      g_string_append_printf (json, "%s%" G_GUINT64_FORMAT, k ? "," : "",
          g_array_index (link->inodes, guint64, k));
    g_string_append (json, "],\n   \"sequence\":[");
    for (k = 0; k < link->frames->len; k++)
      g_string_append_printf (json, "%s%" G_GUINT64_FORMAT, k ? "," : "",
          g_array_index (link->frames, Frame, k).inode[0]);
    g_string_append (json, "]}");
  }

  same = frame_witness_same_frames (self, &camera);
  g_string_append (json, "],\n ");
  append_string (json, "camera", camera ? camera->pad : "");
  g_string_append_c (json, ',');
  append_string (json, "display", self->display ? self->display->peer : "");
  g_string_append_printf (json, ",\n \"same_inode_frames\":%" G_GUINT64_FORMAT
      ",\"eos\":%s,\n \"window\":{\"first\":%" G_GUINT64_FORMAT ",\"frames\":%"
      G_GUINT64_FORMAT ",\"cpu_ms\":%" G_GINT64_FORMAT ",\"process_us\":%"
      G_GINT64_FORMAT ",\"wall_ms\":%" G_GINT64_FORMAT "}}\n", same, self->window_ended ? "true" : "false",
      self->first, self->window_frames,
      self->window_end.cpu_ms - self->window_begin.cpu_ms,
      self->window_end.process_us - self->window_begin.process_us,
      self->window_end.wall_ms - self->window_begin.wall_ms);

  if (strcmp (self->out, "-") == 0) {
    fputs (json->str, stdout);
    fflush (stdout);
  } else if (!g_file_set_contents (self->out, json->str, json->len, &error)) {
    g_printerr ("framewitness: %s\n", error->message);
    g_error_free (error);
  }
  g_string_free (json, TRUE);
}

static void
push_pre (FrameWitness * self, GstClockTime ts, GstPad * pad,
    GstBuffer * buffer)
{
  g_mutex_lock (&self->lock);
  frame_witness_add (self, pad, buffer);
  g_mutex_unlock (&self->lock);
}

static void
push_list_pre (FrameWitness * self, GstClockTime ts, GstPad * pad,
    GstBufferList * list)
{
  guint i;

  g_mutex_lock (&self->lock);
  for (i = 0; i < gst_buffer_list_length (list); i++)
    frame_witness_add (self, pad, gst_buffer_list_get (list, i));
  g_mutex_unlock (&self->lock);
}

static void
push_event_pre (FrameWitness * self, GstClockTime ts, GstPad * pad,
    GstEvent * event)
{
  Link *link;

  if (GST_EVENT_TYPE (event) != GST_EVENT_EOS)
    return;

  g_mutex_lock (&self->lock);
  link = frame_witness_link (self, pad);
  if (link != NULL && link->to_sink) {
    if (link == self->display && !self->window_ended) {
      self->window_ended = TRUE;
      if (self->window_begun)
        self->window_end = moment_now ();
    }
    /* the standard output gets it once, at exit */
    if (strcmp (self->out, "-") != 0)
      frame_witness_write (self);
  }
  g_mutex_unlock (&self->lock);
}

static void
frame_witness_constructed (GObject * object)
{
  FrameWitness *self = FRAME_WITNESS (object);
  GstTracer *tracer = GST_TRACER (object);
  gchar *params = NULL;
  gint first = 0;

  G_OBJECT_CLASS (frame_witness_parent_class)->constructed (object);

  g_object_get (self, "params", &params, NULL);
  if (params != NULL) {
    gchar *text = g_strdup_printf ("framewitness,%s", params);
    GstStructure *s = gst_structure_from_string (text, NULL);

    if (s != NULL) {
      const gchar *out = gst_structure_get_string (s, "out");

      if (out != NULL) {
        g_free (self->out);
        self->out = g_strdup (out);
      }
      if (gst_structure_get_int (s, "first", &first) && first > 0)
        self->first = first;
      gst_structure_free (s);
    } else {
      g_printerr ("framewitness: cannot understand \"%s\"; expected "
          "framewitness(out=\"FILE\",first=NUMBER)\n", params);
    }
    g_free (text);
    g_free (params);
  }

  gst_tracing_register_hook (tracer, "pad-push-pre", G_CALLBACK (push_pre));
  gst_tracing_register_hook (tracer, "pad-push-list-pre",
      G_CALLBACK (push_list_pre));
  gst_tracing_register_hook (tracer, "pad-push-event-pre",
      G_CALLBACK (push_event_pre));
}

static void
frame_witness_finalize (GObject * object)
{
  FrameWitness *self = FRAME_WITNESS (object);

  if (self->window_begun && !self->window_ended)
    self->window_end = moment_now ();
  frame_witness_write (self);

  g_ptr_array_unref (self->links);
  g_free (self->out);
  g_mutex_clear (&self->lock);

  G_OBJECT_CLASS (frame_witness_parent_class)->finalize (object);
}

static void
frame_witness_class_init (FrameWitnessClass * klass)
{
  GObjectClass *object_class = G_OBJECT_CLASS (klass);

  object_class->constructed = frame_witness_constructed;
  object_class->finalize = frame_witness_finalize;
}

static void
frame_witness_init (FrameWitness * self)
{
  g_mutex_init (&self->lock);
  self->links = g_ptr_array_new_with_free_func ((GDestroyNotify) link_free);
  self->link_quark = g_quark_from_static_string ("framewitness-link");
  self->out = g_strdup ("-");
}

static gboolean
plugin_init (GstPlugin * plugin)
{
  GST_DEBUG_CATEGORY_INIT (framewitness_debug, "framewitness", 0,
      "which dma-buf each frame was in");

  return gst_tracer_register (plugin, "framewitness", FRAME_WITNESS_TYPE);
}

GST_PLUGIN_DEFINE (GST_VERSION_MAJOR, GST_VERSION_MINOR, framewitness,
    "Which dma-buf each frame was in, on every link", plugin_init, VERSION,
    "LGPL", PACKAGE, "bufalloc")
