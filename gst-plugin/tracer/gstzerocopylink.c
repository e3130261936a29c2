/* SPDX-License-Identifier: LGPL-2.1-or-later */

/**
 * SECTION:gstzerocopylink
 * @title: GstZerocopyGraph
 * @short_description: what happened to the frames, for each link and element
 *
 * An element is judged by what comes in, what goes out, and what its thread
 * mapped in between:
 *
 * - the same memory came in: the frame was *passed* on;
 * - it is other memory, and the CPU read the old one: the frame was *copied* if
 *   format and size are the same, else *converted*. Elements whose purpose it is
 *   to make another picture of the same size (effects) convert. So do compositors,
 *   unless at least half of the picture is what one of their inputs was: then they
 *   copied that. A few words of both are compared for it;
 * - it is other memory, and no CPU read the old one: a *device* did it;
 * - a sink, or an element with a device, copies *inside* if the CPU reads what
 *   came in and writes as much to memory that never goes out.
 *
 * Since: 0.1
 */

#ifdef HAVE_CONFIG_H
#include "config.h"
#endif

#include "gstzerocopylink.h"

#include <gst/video/video.h>
#include <string.h>

static void
element_free (GstZerocopyElement * element)
{
  g_free (element->name);
  g_free (element);
}

static void
link_free (GstZerocopyLink * link)
{
  g_free (link->pad);
  g_free (link->peer);
  g_hash_table_unref (link->distinct);
  g_ptr_array_unref (link->inodes);
  g_free (link);
}

/**
 * gst_zerocopy_graph_new:
 * @min_bytes: smaller buffers are counted, but not judged
 *
 * Returns: (transfer full): a graph of nothing
 *
 * Since: 0.1
 */
GstZerocopyGraph *
gst_zerocopy_graph_new (gsize min_bytes)
{
  GstZerocopyGraph *graph = g_new0 (GstZerocopyGraph, 1);

  g_mutex_init (&graph->lock);
  graph->min_bytes = min_bytes;
  graph->elements = g_ptr_array_new_with_free_func (
      (GDestroyNotify) element_free);
  graph->links = g_ptr_array_new_with_free_func ((GDestroyNotify) link_free);

  return graph;
}

void
gst_zerocopy_graph_free (GstZerocopyGraph * graph)
{
  g_ptr_array_unref (graph->links);
  g_ptr_array_unref (graph->elements);
  g_mutex_clear (&graph->lock);
  g_free (graph);
}

/**
 * gst_zerocopy_graph_add_element:
 * @graph: a graph
 * @element: a #GstElement that is not in it
 *
 * Returns: (transfer none): what is known of it, for as long as the graph lives
 *
 * Since: 0.1
 */
GstZerocopyElement *
gst_zerocopy_graph_add_element (GstZerocopyGraph * graph, GstElement * element)
{
  GstZerocopyElement *self = g_new0 (GstZerocopyElement, 1);
  GstElementFactory *factory = gst_element_get_factory (element);
  const gchar *klass;

  klass = gst_element_class_get_metadata (GST_ELEMENT_GET_CLASS (element),
      GST_ELEMENT_METADATA_KLASS);
  self->name = gst_element_get_name (element);
  self->klass = g_intern_string (klass ? klass : "");
  self->factory = g_intern_string (factory ? GST_OBJECT_NAME (factory) :
      G_OBJECT_TYPE_NAME (element));
  self->is_source = element->numsinkpads == 0;
  self->is_sink = element->numsrcpads == 0;
  self->is_compositor = strstr (self->klass, "Compositor") != NULL;

  g_mutex_lock (&graph->lock);
  g_ptr_array_add (graph->elements, self);
  g_mutex_unlock (&graph->lock);

  return self;
}

/**
 * gst_zerocopy_graph_add_link:
 * @graph: a graph
 * @pad: a source pad
 * @peer: the sink pad that gets its frames
 * @from: the element of @pad
 * @to: the element of @peer
 *
 * Returns: (transfer none): what is known of the link of this name; there may be
 * frames on it already, if the two were linked before
 *
 * Since: 0.1
 */
GstZerocopyLink *
gst_zerocopy_graph_add_link (GstZerocopyGraph * graph, GstPad * pad,
    GstPad * peer, GstZerocopyElement * from, GstZerocopyElement * to)
{
  GstZerocopyLink *link = NULL;
  gchar *pad_name = gst_pad_get_name (pad);
  gchar *peer_name = gst_pad_get_name (peer);
  guint i;

  g_mutex_lock (&graph->lock);
  for (i = 0; i < graph->links->len && link == NULL; i++) {
    GstZerocopyLink *other = g_ptr_array_index (graph->links, i);

    if (other->from == from && other->to == to
        && g_str_equal (other->pad, pad_name)
        && g_str_equal (other->peer, peer_name))
      link = other;
  }
  if (link == NULL) {
    link = g_new0 (GstZerocopyLink, 1);
    link->pad = pad_name;
    link->peer = peer_name;
    link->from = from;
    link->to = to;
    link->distinct = g_hash_table_new_full (g_int64_hash, g_int64_equal,
        g_free, NULL);
    link->inodes = g_ptr_array_new ();
    g_ptr_array_add (graph->links, link);
    pad_name = peer_name = NULL;
  }
  g_mutex_unlock (&graph->lock);

  g_free (pad_name);
  g_free (peer_name);

  return link;
}

/**
 * gst_zerocopy_format_read:
 * @format: (out): what the caps say
 * @caps: (nullable): fixed caps
 *
 * Since: 0.1
 */
void
gst_zerocopy_format_read (GstZerocopyFormat * format, GstCaps * caps)
{
  GstCapsFeatures *features;
  GstStructure *s;

  memset (format, 0, sizeof (*format));
  if (caps == NULL || gst_caps_get_size (caps) == 0)
    return;

  s = gst_caps_get_structure (caps, 0);
  format->media = g_intern_string (gst_structure_get_name (s));
  format->format = g_intern_string (gst_structure_get_string (s, "format"));
  format->colorimetry =
      g_intern_string (gst_structure_get_string (s, "colorimetry"));
  gst_structure_get_int (s, "width", &format->width);
  gst_structure_get_int (s, "height", &format->height);

  features = gst_caps_get_features (caps, 0);
  if (features != NULL && gst_caps_features_get_size (features) > 0
      && !gst_caps_features_is_equal (features,
          GST_CAPS_FEATURES_MEMORY_SYSTEM_MEMORY)) {
    gchar *text = gst_caps_features_to_string (features);

    format->features = g_intern_string (text);
    g_free (text);
  }
}

/* Where the memory is does not count: a frame that is carried from one kind of
 * memory to another is copied. Texts are interned. */
static gboolean
is_same_format (const GstZerocopyFormat * a, const GstZerocopyFormat * b)
{
  return a->media == b->media && a->format == b->format
      && a->width == b->width && a->height == b->height
      && (a->colorimetry == b->colorimetry || a->colorimetry == NULL
      || b->colorimetry == NULL);
}

/**
 * gst_zerocopy_frame_read:
 * @frame: (out): what the buffer consists of
 * @buffer: a #GstBuffer
 *
 * Since: 0.1
 */
void
gst_zerocopy_frame_read (GstZerocopyFrame * frame, GstBuffer * buffer)
{
  guint i, n = gst_buffer_n_memory (buffer);
  GstVideoMeta *meta;

  frame->n = MIN (n, GST_ZEROCOPY_MAX_MEMORIES);
  frame->bytes = 0;
  for (i = 0; i < frame->n; i++) {
    gst_zerocopy_memory_identify (gst_buffer_peek_memory (buffer, i),
        &frame->memories[i]);
    frame->bytes += frame->memories[i].size;
  }
  meta = gst_buffer_get_video_meta (buffer);
  frame->stride = meta != NULL ? meta->stride[0] : 0;
}

static void
add_memory (GstZerocopyMemory * list, guint * n,
    const GstZerocopyMemory * memory)
{
  guint i;

  for (i = 0; i < *n; i++) {
    if (list[i].id == memory->id)
      return;
  }
  /* the newest ones count */
  if (*n == GST_ZEROCOPY_MAX_MEMORIES)
    memmove (list, list + 1, sizeof (*list) * --*n);
  list[(*n)++] = *memory;
}

void
gst_zerocopy_work_touched (GstZerocopyWork * work,
    const GstZerocopyMemory * memory, GstMapFlags flags)
{
  if (flags & GST_MAP_READ)
    add_memory (work->reads, &work->n_reads, memory);
  if (flags & GST_MAP_WRITE)
    add_memory (work->writes, &work->n_writes, memory);
}

static void
add_work (GstZerocopyWork * work, const GstZerocopyWork * more)
{
  guint i;

  for (i = 0; i < more->n_reads; i++)
    add_memory (work->reads, &work->n_reads, &more->reads[i]);
  for (i = 0; i < more->n_writes; i++)
    add_memory (work->writes, &work->n_writes, &more->writes[i]);
  work->copied += more->copied;
  work->is_alike = work->is_alike || more->is_alike;
}

static gboolean
frame_has (const GstZerocopyFrame * frame, guint64 id)
{
  guint i;

  for (i = 0; i < frame->n; i++) {
    if (frame->memories[i].id == id)
      return TRUE;
  }

  return FALSE;
}

/* Bytes of the memories in the list that are, or are not, of the frame. */
static gsize
bytes_of (const GstZerocopyMemory * list, guint n,
    const GstZerocopyFrame * frame, gboolean of_frame)
{
  gsize bytes = 0;
  guint i;

  for (i = 0; i < n; i++) {
    if (frame_has (frame, list[i].id) == of_frame)
      bytes += list[i].size;
  }

  return bytes;
}

static gboolean
was_seen (const GstZerocopyElement * element, guint64 id)
{
  guint i;

  /* the newest ones first */
  for (i = 1; i <= GST_ZEROCOPY_RECENT; i++) {
    guint at = (element->next_recent - i) % GST_ZEROCOPY_RECENT;

    if (element->recent[at] == id)
      return TRUE;
    if (element->recent[at] == 0)
      return FALSE;
  }

  return FALSE;
}

/* At least half of it is memory that came in. */
static gboolean
came_in (const GstZerocopyElement * element, const GstZerocopyFrame * frame)
{
  gsize bytes = 0;
  guint i;

  for (i = 0; i < frame->n; i++) {
    if (was_seen (element, frame->memories[i].id))
      bytes += frame->memories[i].size;
  }

  return bytes * 2 >= frame->bytes;
}

/* The picture that goes out is another one, although its format is the same. But
 * a compositor may just carry over the picture that is at the bottom. */
static gboolean
makes_pictures (const GstZerocopyElement * element,
    const GstZerocopyWork * work)
{
  if (element->is_compositor)
    return !work->is_alike;

  return strstr (element->klass, "Effect") != NULL;
}

/* Memory for which an element's device or display is the reason: it goes out
 * with no frame. Scratch memory of a filter is another thing. */
static gsize
kept_bytes (const GstZerocopyElement * element, const GstZerocopyWork * work,
    const GstZerocopyFrame * frame, const GstZerocopyFrame * input,
    const gchar ** type)
{
  gsize bytes = 0;
  guint i;

  for (i = 0; i < work->n_writes; i++) {
    const GstZerocopyMemory *memory = &work->writes[i];

    if ((frame != NULL && frame_has (frame, memory->id))
        || (input != NULL && frame_has (input, memory->id)))
      continue;
    if (!element->is_sink && g_str_equal (memory->type, "system"))
      continue;
    bytes += memory->size;
    *type = memory->type;
  }

  return bytes;
}

static void
count_inner_copy (GstZerocopyElement * element, gsize bytes,
    const gchar * type)
{
  element->inner_copies++;
  element->inner_bytes += bytes;
  element->inner_type = type;
}

static GstZerocopyOutcome
judge (GstZerocopyLink * link, const GstZerocopyFrame * frame,
    const GstZerocopyFrame * input, const GstZerocopyWork * work)
{
  GstZerocopyElement *from = link->from;
  gsize read = bytes_of (work->reads, work->n_reads, frame, FALSE);
  const gchar *type = NULL;

  if (from->is_source)
    return work->copied * 2 >= frame->bytes || read * 2 >= frame->bytes ?
        GST_ZEROCOPY_COPIED : GST_ZEROCOPY_MADE;
  if (came_in (from, frame))
    return GST_ZEROCOPY_PASSED;
  if (work->copied * 2 >= frame->bytes) {
    from->memory_copies++;
    return GST_ZEROCOPY_COPIED;
  }
  if (read > 0 && kept_bytes (from, work, frame, input, &type) * 4 >= read * 3) {
    count_inner_copy (from, read, type);
    return GST_ZEROCOPY_DEVICE;
  }
  /* bytes that nobody described are still the same bytes: a parser's input */
  if (from->in.media == NULL && read * 2 >= frame->bytes)
    return GST_ZEROCOPY_COPIED;
  if (!is_same_format (&from->in, &link->format) && !work->is_alike)
    return read > 0 || from->in_type == NULL ?
        GST_ZEROCOPY_CONVERTED : GST_ZEROCOPY_DEVICE;
  if (read * 2 < frame->bytes)
    return GST_ZEROCOPY_DEVICE;

  return makes_pictures (from, work) ? GST_ZEROCOPY_CONVERTED : GST_ZEROCOPY_COPIED;
}

/* Whose frame was read to make the one that goes out now. */
static void
count_reads (GstZerocopyGraph * graph, GstZerocopyElement * element,
    const GstZerocopyWork * work)
{
  gboolean any = FALSE;
  guint i;

  for (i = 0; work->n_reads > 0 && i < graph->links->len; i++) {
    GstZerocopyLink *link = g_ptr_array_index (graph->links, i);

    if (link->to == element && link->last.n > 0
        && bytes_of (work->reads, work->n_reads, &link->last, TRUE) > 0) {
      link->read++;
      any = TRUE;
    }
  }
  element->read_frames += any;
}

static void
link_add_frame (GstZerocopyLink * link, const GstZerocopyFrame * frame)
{
  gboolean all_dmabuf = TRUE;
  guint i;

  for (i = 0; i < frame->n; i++) {
    const GstZerocopyMemory *memory = &frame->memories[i];

    all_dmabuf = all_dmabuf && memory->is_dmabuf;
    if (g_hash_table_size (link->distinct) < GST_ZEROCOPY_MAX_DISTINCT
        && !g_hash_table_contains (link->distinct, &memory->id)) {
      g_hash_table_add (link->distinct, g_memdup2 (&memory->id,
              sizeof (memory->id)));
      if (memory->is_dmabuf)
        g_ptr_array_add (link->inodes, GSIZE_TO_POINTER (memory->id >> 2));
    }
  }
  link->large++;
  link->dmabuf += all_dmabuf;
  link->type = frame->memories[0].type;
  link->n_memories = frame->n;
  link->stride = frame->stride;
  link->last = *frame;
}

static void
element_add_input (GstZerocopyElement * element, GstZerocopyLink * link,
    const GstZerocopyFrame * frame)
{
  guint i;

  for (i = 0; i < frame->n; i++) {
    element->recent[element->next_recent % GST_ZEROCOPY_RECENT] =
        frame->memories[i].id;
    element->next_recent++;
  }
  element->in = link->format;
  element->in_stride = frame->stride;
}

/**
 * gst_zerocopy_graph_push:
 * @graph: a graph
 * @link: where a frame is handed on
 * @frame: the frame
 * @input: (nullable): the one that the sender is working on
 * @work: what the sending thread did since it handed on one
 *
 * Returns: whether @work explains the frame, and is done with
 *
 * Since: 0.1
 */
gboolean
gst_zerocopy_graph_push (GstZerocopyGraph * graph, GstZerocopyLink * link,
    const GstZerocopyFrame * frame, const GstZerocopyFrame * input,
    const GstZerocopyWork * work)
{
  GstZerocopyElement *from = link->from;
  GstZerocopyOutcome outcome;
  GstZerocopyWork all;

  g_mutex_lock (&graph->lock);
  link->frames++;
  link->bytes += frame->bytes;
  if (frame->n == 0 || frame->bytes < graph->min_bytes) {
    element_add_input (link->to, link, frame);
    g_mutex_unlock (&graph->lock);
    return FALSE;
  }

  all = from->leftover;
  memset (&from->leftover, 0, sizeof (from->leftover));
  add_work (&all, work);

  outcome = judge (link, frame, input, &all);
  link->outcomes[outcome]++;
  from->outcomes[outcome]++;
  if (outcome == GST_ZEROCOPY_COPIED)
    from->copied_bytes += frame->bytes;
  if (bytes_of (all.writes, all.n_writes, frame, TRUE) > 0) {
    link->written++;
    from->in_place += outcome == GST_ZEROCOPY_PASSED;
  }
  if (!from->is_source)
    count_reads (graph, from, &all);
  from->out_type = frame->memories[0].type;
  from->out_stride = frame->stride;

  link_add_frame (link, frame);
  element_add_input (link->to, link, frame);
  link->to->frames_in++;
  link->to->in_type = frame->memories[0].type;
  g_mutex_unlock (&graph->lock);

  return TRUE;
}

/**
 * gst_zerocopy_graph_pushed:
 * @graph: a graph
 * @link: where a frame was handed on
 * @frame: the frame
 * @work: what the receiver did by the CPU and did not hand on
 *
 * Since: 0.1
 */
void
gst_zerocopy_graph_pushed (GstZerocopyGraph * graph, GstZerocopyLink * link,
    const GstZerocopyFrame * frame, const GstZerocopyWork * work)
{
  GstZerocopyElement *to = link->to;
  const gchar *type = NULL;
  gsize read;

  if (work->n_reads == 0 && work->n_writes == 0 && work->copied == 0)
    return;

  g_mutex_lock (&graph->lock);
  read = bytes_of (work->reads, work->n_reads, frame, TRUE);
  if (frame->bytes >= graph->min_bytes && read * 2 >= frame->bytes) {
    gsize kept = kept_bytes (to, work, NULL, frame, &type);

    link->read++;
    to->read_frames++;
    if (kept * 4 >= read * (to->is_sink ? 2 : 3))
      count_inner_copy (to, read, type);
    else if (!to->is_sink)
      add_work (&to->leftover, work);
  } else if (to->is_sink && frame->bytes >= graph->min_bytes
      && work->copied * 2 >= frame->bytes) {
    to->memory_copies++;
    count_inner_copy (to, work->copied, "system");
  } else if (!to->is_sink) {
    add_work (&to->leftover, work);
  }
  g_mutex_unlock (&graph->lock);
}
