/* SPDX-License-Identifier: LGPL-2.1-or-later */

/**
 * SECTION:gstzerocopyreport
 * @title: The report of the tracer zerocopy
 * @short_description: as a table for people, and as JSON
 *
 * Since: 0.1
 */

#ifdef HAVE_CONFIG_H
#include "config.h"
#endif

#include "gstzerocopyreport.h"

#include <string.h>

#include "gstzerocopylog.h"
#include "gstzerocopyverdict.h"

#define N_COLUMNS 7

/* The words of the table and of JSON, in the order of GstZerocopyOutcome. */
static const gchar *const outcome_names[GST_ZEROCOPY_N_OUTCOMES] = {
  "made", "same", "copied", "converted", "device",
};

/**
 * gst_zerocopy_report_outcome:
 * @link: a link
 *
 * Returns: what its sender does to frames: "copied" if it copied any, else what
 * it did to most of them; "small" if none was judged
 *
 * Since: 0.1
 */
const gchar *
gst_zerocopy_report_outcome (const GstZerocopyLink * link)
{
  guint most = 0, i;

  if (link->large == 0)
    return "small";
  if (link->outcomes[GST_ZEROCOPY_COPIED] > 0)
    return outcome_names[GST_ZEROCOPY_COPIED];
  for (i = 1; i < GST_ZEROCOPY_N_OUTCOMES; i++) {
    if (link->outcomes[i] > link->outcomes[most])
      most = i;
  }

  return outcome_names[most];
}

static gchar *
cpu_text (const GstZerocopyLink * link)
{
  if (link->written > 0 && link->read > 0)
    return g_strdup ("w r");
  if (link->written > 0)
    return g_strdup ("w");

  return g_strdup (link->read > 0 ? "r" : "-");
}

static gchar *
distinct_text (const GstZerocopyLink * link)
{
  guint n = g_hash_table_size (link->distinct);

  if (n >= GST_ZEROCOPY_MAX_DISTINCT)
    return g_strdup_printf ("%u+", GST_ZEROCOPY_MAX_DISTINCT);

  return n > 0 ? g_strdup_printf ("%u", n) : g_strdup ("-");
}

static gchar *
frame_text (const GstZerocopyLink * link)
{
  static const struct
  {
    const gchar *outcome;
    const gchar *text;
  } texts[] = {
    { "made", "made by %s" },
    { "same", "same memory" },
    { "copied", "COPIED by %s" },
    { "converted", "converted by %s" },
    { "device", "by %s, not by the CPU" },
    { "small", "small, not judged" },
  };
  const gchar *outcome = gst_zerocopy_report_outcome (link);
  const gchar *at;
  guint i;

  for (i = 0; !g_str_equal (texts[i].outcome, outcome); i++) {
  }
  at = strstr (texts[i].text, "%s");
  if (at == NULL)
    return g_strdup (texts[i].text);

  return g_strdup_printf ("%.*s%s%s", (gint) (at - texts[i].text),
      texts[i].text, link->from->name, at + 2);
}

static void
fill_row (gchar * row[N_COLUMNS], const GstZerocopyLink * link)
{
  row[0] = g_strdup_printf ("%s:%s -> %s:%s", link->from->name, link->pad,
      link->to->name, link->peer);
  row[1] = g_strdup_printf ("%" G_GUINT64_FORMAT, link->frames);
  row[2] = g_strdup_printf ("%" G_GUINT64_FORMAT,
      link->frames ? link->bytes / link->frames : 0);
  row[3] = g_strdup (link->type ? link->type : "-");
  row[4] = distinct_text (link);
  row[5] = cpu_text (link);
  row[6] = frame_text (link);
}

/* Columns 1, 2 and 4 are numbers. */
static void
print_rows (GString * text, GPtrArray * rows)
{
  gsize width[N_COLUMNS] = { 0, };
  guint i, c;

  for (i = 0; i < rows->len; i++) {
    gchar **row = g_ptr_array_index (rows, i);

    for (c = 0; c < N_COLUMNS; c++)
      width[c] = MAX (width[c], (gsize) g_utf8_strlen (row[c], -1));
  }
  for (i = 0; i < rows->len; i++) {
    gchar **row = g_ptr_array_index (rows, i);

    for (c = 0; c < N_COLUMNS; c++) {
      gint pad = (gint) width[c] - (gint) g_utf8_strlen (row[c], -1);
      gboolean is_number = c == 1 || c == 2 || c == 4;

      if (c == N_COLUMNS - 1)
        pad = 0;
      g_string_append_printf (text, "  %*s%s%*s", is_number ? pad : 0, "",
          row[c], is_number ? 0 : pad, "");
    }
    g_string_append_c (text, '\n');
  }
}

static void
free_row (gpointer data)
{
  g_strfreev (data);
}

static void
print_links (GString * text, const GstZerocopyGraph * graph)
{
  static const gchar *const header[N_COLUMNS] = {
    "link", "frames", "bytes/frame", "memory", "different", "CPU", "the frame is",
  };
  GPtrArray *rows = g_ptr_array_new_with_free_func (free_row);
  guint i, c;
  gchar **row = g_new0 (gchar *, N_COLUMNS + 1);

  for (c = 0; c < N_COLUMNS; c++)
    row[c] = g_strdup (header[c]);
  g_ptr_array_add (rows, row);
  for (i = 0; i < graph->links->len; i++) {
    row = g_new0 (gchar *, N_COLUMNS + 1);
    fill_row (row, g_ptr_array_index (graph->links, i));
    g_ptr_array_add (rows, row);
  }
  print_rows (text, rows);
  g_ptr_array_unref (rows);
}

static void
print_verdict (GString * text, const GstZerocopyVerdict * verdict)
{
  gboolean is_copy = verdict->copies > 0;

  if (verdict->what == NULL)
    return;
  g_string_append_printf (text, "  %s %s.\n", is_copy ? "COPY:" : "no copy:",
      verdict->what);
  if (verdict->why != NULL)
    g_string_append_printf (text, "        Why: %s.\n", verdict->why);
  if (verdict->advice != NULL)
    g_string_append_printf (text, "        What to do: %s.\n",
        verdict->advice);
}

static void
print_notes (GString * text, const GPtrArray * notes)
{
  guint i;

  for (i = 0; i < notes->len; i++) {
    const GstZerocopyNote *note = g_ptr_array_index (notes, i);

    if (!note->is_copy)
      g_string_append_printf (text, "  failed import: %s logged \"%s\" (%"
          G_GUINT64_FORMAT " times).\n", note->element, note->text,
          note->count);
  }
}

static gboolean
has_large (const GstZerocopyGraph * graph)
{
  guint i;

  for (i = 0; i < graph->links->len; i++) {
    const GstZerocopyLink *link = g_ptr_array_index (graph->links, i);

    if (link->large > 0)
      return TRUE;
  }

  return FALSE;
}

/**
 * gst_zerocopy_report_table:
 * @graph: what was seen
 * @notes: (element-type GstZerocopyNote): what elements logged
 *
 * Returns: (transfer full): the report for people
 *
 * Since: 0.1
 */
gchar *
gst_zerocopy_report_table (GstZerocopyGraph * graph, const GPtrArray * notes)
{
  GString *text = g_string_new ("zerocopy: where the frames went "
      "(CPU: w it was written, r it was read)\n");
  guint copying = 0, unwatched = gst_zerocopy_memory_unwatched (), i;
  guint64 copied_bytes = 0;
  gchar *amount;

  g_mutex_lock (&graph->lock);
  if (graph->links->len > 0)
    print_links (text, graph);
  for (i = 0; i < graph->elements->len; i++) {
    GstZerocopyVerdict verdict;

    gst_zerocopy_verdict_init (&verdict, graph,
        g_ptr_array_index (graph->elements, i), notes);
    print_verdict (text, &verdict);
    copying += verdict.copies > 0;
    copied_bytes += verdict.copied_bytes;
    gst_zerocopy_verdict_clear (&verdict);
  }
  print_notes (text, notes);

  amount = gst_zerocopy_bytes_text (copied_bytes);
  if (unwatched > 0)
    g_string_append_printf (text, "  %u allocators were not watched: what they "
        "map is not in this report.\n", unwatched);
  if (!has_large (graph))
    g_string_append_printf (text, "zerocopy: no buffer of %" G_GSIZE_FORMAT
        " bytes or more was seen, so nothing was judged.\n",
        graph->min_bytes);
  else if (copying == 0)
    g_string_append (text, "zerocopy: no element copies frames.\n");
  else
    g_string_append_printf (text, "zerocopy: %u element%s frames, %s in all.\n",
        copying, copying == 1 ? " copies" : "s copy", amount);
  g_free (amount);
  g_mutex_unlock (&graph->lock);

  return g_string_free (text, FALSE);
}

/* Names of elements and pads, and what is logged, may have any character. */
static void
json_text (GString * json, const gchar * key, const gchar * value)
{
  g_string_append_printf (json, "\"%s\":", key);
  if (value == NULL) {
    g_string_append (json, "null");
    return;
  }
  g_string_append_c (json, '"');
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
json_number (GString * json, const gchar * key, guint64 value)
{
  g_string_append_printf (json, "\"%s\":%" G_GUINT64_FORMAT, key, value);
}

static void
json_link (GString * json, const GstZerocopyLink * link)
{
  gchar *format = gst_zerocopy_format_text (&link->format);
  guint i;

  json_text (json, "from", link->from->name);
  g_string_append_c (json, ',');
  json_text (json, "pad", link->pad);
  g_string_append_c (json, ',');
  json_text (json, "to", link->to->name);
  g_string_append_c (json, ',');
  json_text (json, "peer", link->peer);
  g_string_append_c (json, ',');
  json_text (json, "format", format);
  g_string_append_c (json, ',');
  json_number (json, "frames", link->frames);
  g_string_append_c (json, ',');
  json_number (json, "bytes", link->bytes);
  g_string_append_c (json, ',');
  json_number (json, "judged", link->large);
  g_string_append_c (json, ',');
  json_number (json, "dmabuf_frames", link->dmabuf);
  g_string_append_c (json, ',');
  json_text (json, "memory", link->type);
  g_string_append_c (json, ',');
  json_number (json, "memories", link->n_memories);
  g_string_append_c (json, ',');
  json_number (json, "different", g_hash_table_size (link->distinct));
  g_string_append (json, ",\"inodes\":[");
  for (i = 0; i < link->inodes->len; i++)
    g_string_append_printf (json, "%s%" G_GSIZE_FORMAT, i ? "," : "",
        GPOINTER_TO_SIZE (g_ptr_array_index (link->inodes, i)));
  g_string_append (json, "],");
  for (i = 0; i < GST_ZEROCOPY_N_OUTCOMES; i++) {
    json_number (json, outcome_names[i], link->outcomes[i]);
    g_string_append_c (json, ',');
  }
  json_number (json, "cpu_written", link->written);
  g_string_append_c (json, ',');
  json_number (json, "cpu_read", link->read);
  g_string_append_c (json, ',');
  json_text (json, "outcome", gst_zerocopy_report_outcome (link));
  g_free (format);
}

static void
json_element (GString * json, const GstZerocopyElement * element,
    const GstZerocopyVerdict * verdict)
{
  json_text (json, "element", element->name);
  g_string_append_c (json, ',');
  json_text (json, "factory", element->factory);
  g_string_append_c (json, ',');
  json_text (json, "verdict", verdict->word);
  g_string_append_c (json, ',');
  json_number (json, "frames", verdict->frames);
  g_string_append_c (json, ',');
  json_number (json, "copies", verdict->copies);
  g_string_append_c (json, ',');
  json_number (json, "copied_bytes", verdict->copied_bytes);
  g_string_append_c (json, ',');
  json_number (json, "converted",
      element->outcomes[GST_ZEROCOPY_CONVERTED]);
  g_string_append_c (json, ',');
  json_number (json, "device", element->outcomes[GST_ZEROCOPY_DEVICE]);
  g_string_append_c (json, ',');
  json_number (json, "cpu_read", element->read_frames);
  g_string_append_c (json, ',');
  json_number (json, "in_place", element->in_place);
  g_string_append_c (json, ',');
  json_text (json, "what", verdict->what);
  g_string_append_c (json, ',');
  json_text (json, "why", verdict->why);
  g_string_append_c (json, ',');
  json_text (json, "advice", verdict->advice);
}

static void
json_notes (GString * json, const GPtrArray * notes, gboolean is_copy)
{
  gboolean first = TRUE;
  guint i;

  for (i = 0; i < notes->len; i++) {
    const GstZerocopyNote *note = g_ptr_array_index (notes, i);

    if (note->is_copy != is_copy)
      continue;
    g_string_append (json, first ? "\n  {" : ",\n  {");
    first = FALSE;
    json_text (json, "element", note->element);
    g_string_append_c (json, ',');
    json_text (json, "text", note->text);
    g_string_append_c (json, ',');
    json_number (json, "count", note->count);
    g_string_append_c (json, '}');
  }
}

/**
 * gst_zerocopy_report_json:
 * @graph: what was seen
 * @notes: (element-type GstZerocopyNote): what elements logged
 *
 * Returns: (transfer full): the report as JSON, one object
 *
 * Since: 0.1
 */
gchar *
gst_zerocopy_report_json (GstZerocopyGraph * graph, const GPtrArray * notes)
{
  GString *json = g_string_new ("{\"report\":1,");
  gchar *version = gst_version_string ();
  guint copying = 0, i;
  guint64 bytes = 0;

  json_text (json, "version", VERSION);
  g_string_append_c (json, ',');
  json_text (json, "gstreamer", version);
  g_free (version);
  g_string_append_c (json, ',');

  g_mutex_lock (&graph->lock);
  json_number (json, "min_bytes", graph->min_bytes);
  g_string_append (json, ",\n \"links\":[");
  for (i = 0; i < graph->links->len; i++) {
    g_string_append (json, i ? ",\n  {" : "\n  {");
    json_link (json, g_ptr_array_index (graph->links, i));
    g_string_append_c (json, '}');
  }
  g_string_append (json, "],\n \"elements\":[");
  for (i = 0; i < graph->elements->len; i++) {
    const GstZerocopyElement *element = g_ptr_array_index (graph->elements, i);
    GstZerocopyVerdict verdict;

    gst_zerocopy_verdict_init (&verdict, graph, element, notes);
    g_string_append (json, i ? ",\n  {" : "\n  {");
    json_element (json, element, &verdict);
    g_string_append_c (json, '}');
    copying += verdict.copies > 0;
    bytes += verdict.copied_bytes;
    gst_zerocopy_verdict_clear (&verdict);
  }
  g_mutex_unlock (&graph->lock);

  g_string_append (json, "],\n \"import_failures\":[");
  json_notes (json, notes, FALSE);
  g_string_append (json, "],\n \"logged_copies\":[");
  json_notes (json, notes, TRUE);
  g_string_append (json, "],\n ");
  json_number (json, "copying_elements", copying);
  g_string_append_c (json, ',');
  json_number (json, "copied_bytes", bytes);
  g_string_append_c (json, ',');
  json_number (json, "unwatched_allocators", gst_zerocopy_memory_unwatched ());
  g_string_append (json, "}\n");

  return g_string_free (json, FALSE);
}
