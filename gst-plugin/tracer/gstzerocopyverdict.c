/* SPDX-License-Identifier: LGPL-2.1-or-later */

/**
 * SECTION:gstzerocopyverdict
 * @title: GstZerocopyVerdict
 * @short_description: what an element does to frames, why, and what to do
 *
 * Since: 0.1
 */

#ifdef HAVE_CONFIG_H
#include "config.h"
#endif

#include "gstzerocopyverdict.h"

#include <string.h>

#include "gstzerocopylog.h"

/**
 * gst_zerocopy_bytes_text:
 * @bytes: so many
 *
 * Returns: (transfer full): "8294400 bytes (7.9 MiB)"
 *
 * Since: 0.1
 */
gchar *
gst_zerocopy_bytes_text (guint64 bytes)
{
  gchar *size, *text, *gap;

  if (bytes < 1 << 20)
    return g_strdup_printf ("%" G_GUINT64_FORMAT " bytes", bytes);
  size = g_format_size_full (bytes, G_FORMAT_SIZE_IEC_UNITS);
  /* GLib puts a space there that does not break, and terminals show it so */
  gap = strstr (size, "\xc2\xa0");
  if (gap != NULL)
    *gap = '\0';
  text = g_strdup_printf ("%" G_GUINT64_FORMAT " bytes (%s%s%s)", bytes,
      size, gap ? " " : "", gap ? gap + 2 : "");
  g_free (size);

  return text;
}

/**
 * gst_zerocopy_format_text:
 * @format: what a link carries
 *
 * Returns: (transfer full): "NV12 1920x1080", "image/jpeg 640x480"
 *
 * Since: 0.1
 */
gchar *
gst_zerocopy_format_text (const GstZerocopyFormat * format)
{
  const gchar *name = format->format != NULL ? format->format : format->media;
  gchar *size, *text;

  if (name == NULL)
    name = "unknown data";
  if (format->width > 0 && format->height > 0)
    size = g_strdup_printf (" %dx%d", format->width, format->height);
  else
    size = g_strdup ("");
  text = g_strdup_printf ("%s%s%s%s%s", name, size,
      format->features ? " (" : "", format->features ? format->features : "",
      format->features ? ")" : "");
  g_free (size);

  return text;
}

static const GstZerocopyLink *
find_input (const GstZerocopyGraph * graph, const GstZerocopyElement * to)
{
  guint i;

  for (i = 0; i < graph->links->len; i++) {
    const GstZerocopyLink *link = g_ptr_array_index (graph->links, i);

    if (link->to == to && link->large > 0)
      return link;
  }

  return NULL;
}

/* Who filled the memory that comes in: the nearest one upstream that does not
 * only pass on. */
static const GstZerocopyElement *
find_maker (const GstZerocopyGraph * graph, const GstZerocopyElement * element)
{
  const GstZerocopyLink *link;
  guint depth;

  for (depth = 0; depth < graph->elements->len; depth++) {
    link = find_input (graph, element);
    if (link == NULL)
      return NULL;
    element = link->from;
    if (link->outcomes[GST_ZEROCOPY_PASSED] * 2 < link->large)
      return element;
  }

  return NULL;
}

static gboolean
has_prefix (const GstZerocopyElement * element, const gchar * prefix)
{
  return g_str_has_prefix (element->factory, prefix);
}

static gboolean
is_v4l2 (const GstZerocopyElement * element)
{
  return has_prefix (element, "v4l2");
}

/* What it logged itself is the best reason. */
static gchar *
reason_logged (const GstZerocopyElement * element, const GPtrArray * notes)
{
  guint i;

  for (i = 0; i < notes->len; i++) {
    const GstZerocopyNote *note = g_ptr_array_index (notes, i);

    if (!note->is_copy && g_str_equal (note->element, element->name))
      return g_strdup_printf ("it could not import a buffer; it logged \"%s\"",
          note->text);
  }

  return NULL;
}

static gchar *
reason (const GstZerocopyElement * element, const GPtrArray * notes)
{
  gchar *text = reason_logged (element, notes);

  if (text != NULL)
    return text;
  if (element->memory_copies > 0)
    return g_strdup ("it writes to frames that somebody else has, too (another "
        "branch of a tee, or an element that keeps them)");
  if (element->inner_copies > 0 && element->in_type != NULL) {
    if (g_str_equal (element->in_type, "dma-buf"))
      return g_strdup_printf ("it did not take the dma-buf that comes in, and "
          "has memory of its own (%s)", element->inner_type);
    return g_strdup_printf ("what comes in is %s memory, and it needs memory of "
        "its own (%s)", element->in_type, element->inner_type);
  }
  if (element->is_source)
    return g_strdup ("what it fills is not what it hands on: its own buffers "
        "are too few, or downstream wants others");
  if (element->is_compositor)
    return g_strdup ("the picture at the bottom is carried over into a new one, "
        "and the others are drawn on it");
  if (element->in_stride != 0 && element->out_stride != 0
      && element->in_stride != element->out_stride)
    return g_strdup_printf ("lines come in with %d bytes and go out with %d",
        element->in_stride, element->out_stride);

  return g_strdup_printf ("frames come in in %s memory and go out in %s memory "
      "of another owner", element->in_type ? element->in_type : "other",
      element->out_type ? element->out_type : "other");
}

/* For an element that wants dma-bufs and gets something else. */
static gchar *
advice_for_device (const GstZerocopyGraph * graph,
    const GstZerocopyElement * element)
{
  const GstZerocopyElement *maker = find_maker (graph, element);
  const gchar *mode = "";

  if (is_v4l2 (element))
    mode = element->is_sink ? " and set io-mode=dmabuf-import on it" :
        " and set output-io-mode=dmabuf-import on it";
  if (element->in_type != NULL && g_str_equal (element->in_type, "dma-buf")
      && !is_v4l2 (element))
    return g_strdup_printf ("let 'bufalloc' allocate for it: put it between "
        "%s and %s. If the display refuses those, too, it imports no dma-bufs: "
        "see 'bufalloc selftest'", maker ? maker->name : "the source",
        element->name);
  if (maker != NULL && g_str_equal (maker->factory, "v4l2src"))
    return g_strdup_printf ("set io-mode=dmabuf on %s, or set "
        "io-mode=dmabuf-import on it and put 'bufalloc' behind it%s",
        maker->name, mode);

  return g_strdup_printf ("give it dma-bufs: put 'bufalloc' behind %s, which "
      "then fills memory that %s can use%s",
      maker ? maker->name : "what fills the frames", element->name, mode);
}

static gchar *
advice (const GstZerocopyGraph * graph, const GstZerocopyElement * element)
{
  const GstZerocopyElement *maker = find_maker (graph, element);

  if (element->is_source && is_v4l2 (element))
    return g_strdup ("set io-mode=dmabuf-import on it and put 'bufalloc' behind "
        "it; or io-mode=dmabuf, and let fewer frames wait in queues");
  if (element->memory_copies > 0)
    return g_strdup_printf ("put %s before the tee, or where nobody else has "
        "its frames", element->name);
  if (element->is_compositor)
    return g_strdup_printf ("leave %s out if there is nothing to draw; else let "
        "the display put the pictures together, on planes of its own",
        element->name);
  if (has_prefix (element, "shmsink") || has_prefix (element, "unixfdsink"))
    return g_strdup_printf ("let %s fill its memory: leave out what is between "
        "the two and does not pass on the ALLOCATION query",
        maker ? maker->name : "what fills the frames");
  if (element->inner_copies > 0)
    return advice_for_device (graph, element);
  if (element->is_source)
    return NULL;

  return g_strdup_printf ("leave it out if nothing else needs it; else let its "
      "output have the memory of its input");
}

static gchar *
copy_sentence (const GstZerocopyElement * element,
    const GstZerocopyVerdict * verdict)
{
  gchar *each = gst_zerocopy_bytes_text (verdict->copied_bytes
      / verdict->copies);
  gchar *all = gst_zerocopy_bytes_text (verdict->copied_bytes);
  gchar *text = g_strdup_printf ("%s (%s) copies %" G_GUINT64_FORMAT " of %"
      G_GUINT64_FORMAT " frames%s%s%s, %s each, %s in all", element->name,
      element->factory, verdict->copies, verdict->frames,
      element->inner_copies ? " into memory of its own (" : "",
      element->inner_copies ? element->inner_type : "",
      element->inner_copies ? ")" : "", each, all);

  g_free (each);
  g_free (all);

  return text;
}

static gchar *
conversion_sentence (const GstZerocopyGraph * graph,
    const GstZerocopyElement * element, guint64 frames, const gchar * how)
{
  const GstZerocopyLink *output = NULL;
  gchar *in, *out, *text;
  guint i;

  for (i = 0; i < graph->links->len && output == NULL; i++) {
    const GstZerocopyLink *link = g_ptr_array_index (graph->links, i);

    if (link->from == element && link->large > 0)
      output = link;
  }
  in = gst_zerocopy_format_text (&element->in);
  out = output ? gst_zerocopy_format_text (&output->format) : g_strdup ("");
  text = g_strdup_printf ("%s (%s) makes %s of %s, %s: %" G_GUINT64_FORMAT
      " frames", element->name, element->factory, out, in, how, frames);
  g_free (in);
  g_free (out);

  return text;
}

/**
 * gst_zerocopy_verdict_init:
 * @verdict: (out caller-allocates): what the element does
 * @graph: the graph that @element is in, locked
 * @element: the element
 * @notes: (element-type GstZerocopyNote): what elements logged
 *
 * Since: 0.1
 */
void
gst_zerocopy_verdict_init (GstZerocopyVerdict * verdict,
    const GstZerocopyGraph * graph, const GstZerocopyElement * element,
    const GPtrArray * notes)
{
  const guint64 *outcomes = element->outcomes;

  memset (verdict, 0, sizeof (*verdict));
  verdict->copies = outcomes[GST_ZEROCOPY_COPIED] + element->inner_copies;
  verdict->copied_bytes = element->copied_bytes + element->inner_bytes;
  verdict->frames = element->is_source ? outcomes[GST_ZEROCOPY_MADE]
      + outcomes[GST_ZEROCOPY_COPIED] : element->frames_in;

  if (verdict->copies > 0) {
    verdict->word = "copies";
    verdict->what = copy_sentence (element, verdict);
    verdict->why = reason (element, notes);
    verdict->advice = advice (graph, element);
  } else if (outcomes[GST_ZEROCOPY_CONVERTED] > 0) {
    verdict->word = "converts";
    verdict->what = conversion_sentence (graph, element,
        outcomes[GST_ZEROCOPY_CONVERTED], "by the CPU");
  } else if (outcomes[GST_ZEROCOPY_DEVICE] > 0) {
    verdict->word = "device";
    verdict->what = conversion_sentence (graph, element,
        outcomes[GST_ZEROCOPY_DEVICE], "and the CPU was not seen to read it");
  } else if (element->is_source && verdict->frames > 0) {
    verdict->word = "makes";
  } else if (element->read_frames > 0) {
    verdict->word = "reads";
    verdict->what = g_strdup_printf ("%s (%s) reads %" G_GUINT64_FORMAT " of %"
        G_GUINT64_FORMAT " frames by the CPU", element->name, element->factory,
        element->read_frames, verdict->frames);
  } else if (element->is_sink && verdict->frames > 0) {
    verdict->word = "takes";
  } else if (outcomes[GST_ZEROCOPY_PASSED] > 0) {
    verdict->word = "passes";
  } else {
    verdict->word = "none";
  }
}

void
gst_zerocopy_verdict_clear (GstZerocopyVerdict * verdict)
{
  g_free (verdict->what);
  g_free (verdict->why);
  g_free (verdict->advice);
  memset (verdict, 0, sizeof (*verdict));
}
