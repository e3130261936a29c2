/* SPDX-License-Identifier: LGPL-2.1-or-later */

/**
 * SECTION:gstzerocopydot
 * @title: The drawing of the tracer zerocopy
 * @short_description: the pipeline, with what copies in red
 *
 * Since: 0.1
 */

#ifdef HAVE_CONFIG_H
#include "config.h"
#endif

#include "gstzerocopydot.h"

#include <glib/gstdio.h>
#include <string.h>

#include "gstzerocopyreport.h"
#include "gstzerocopyverdict.h"

static void
append_quoted (GString * dot, const gchar * text)
{
  g_string_append_c (dot, '"');
  for (; *text != '\0'; text++) {
    if (*text == '"' || (*text == '\\' && text[1] != 'n'))
      g_string_append_c (dot, '\\');
    g_string_append_c (dot, *text);
  }
  g_string_append_c (dot, '"');
}

static guint
element_number (const GstZerocopyGraph * graph,
    const GstZerocopyElement * element)
{
  guint i = 0;

  g_ptr_array_find (graph->elements, element, &i);

  return i;
}

static void
append_element (GString * dot, guint number,
    const GstZerocopyElement * element, const GstZerocopyVerdict * verdict)
{
  gchar *label;

  if (verdict->copies > 0)
    label = g_strdup_printf ("%s\\n%s\\ncopies %" G_GUINT64_FORMAT " of %"
        G_GUINT64_FORMAT, element->name, element->factory, verdict->copies,
        verdict->frames);
  else
    label = g_strdup_printf ("%s\\n%s\\n%s", element->name, element->factory,
        verdict->word);
  g_string_append_printf (dot, "  e%u [label=", number);
  append_quoted (dot, label);
  if (verdict->copies > 0)
    g_string_append (dot, ", color=red, fontcolor=red, penwidth=2");
  else if (g_str_equal (verdict->word, "converts"))
    g_string_append (dot, ", color=orange");
  g_string_append (dot, "];\n");
  g_free (label);
}

/* A link is red if its frames were copied for it, or are copied where it ends. */
static void
append_link (GString * dot, const GstZerocopyGraph * graph,
    const GstZerocopyLink * link)
{
  const gchar *outcome = gst_zerocopy_report_outcome (link);
  gchar *format = gst_zerocopy_format_text (&link->format);
  gchar *label = g_strdup_printf ("%s\\n%" G_GUINT64_FORMAT " frames\\n%s: %s",
      format, link->frames, link->type ? link->type : "no memory", outcome);

  g_string_append_printf (dot, "  e%u -> e%u [label=",
      element_number (graph, link->from), element_number (graph, link->to));
  append_quoted (dot, label);
  if (g_str_equal (outcome, "copied")
      || (link->to->inner_copies > 0 && link->large > 0))
    g_string_append (dot, ", color=red, fontcolor=red, penwidth=2");
  else if (g_str_equal (outcome, "converted"))
    g_string_append (dot, ", color=orange");
  g_string_append (dot, "];\n");
  g_free (label);
  g_free (format);
}

/**
 * gst_zerocopy_dot_text:
 * @graph: what was seen
 * @notes: (element-type GstZerocopyNote): what elements logged
 *
 * Returns: (transfer full): the pipeline in Graphviz's language
 *
 * Since: 0.1
 */
gchar *
gst_zerocopy_dot_text (GstZerocopyGraph * graph, const GPtrArray * notes)
{
  GString *dot = g_string_new ("digraph zerocopy {\n  rankdir=LR;\n"
      "  node [shape=box, fontname=\"sans\"];\n"
      "  edge [fontname=\"sans\", fontsize=10];\n");
  guint i;

  g_mutex_lock (&graph->lock);
  for (i = 0; i < graph->elements->len; i++) {
    const GstZerocopyElement *element = g_ptr_array_index (graph->elements, i);
    GstZerocopyVerdict verdict;

    gst_zerocopy_verdict_init (&verdict, graph, element, notes);
    append_element (dot, i, element, &verdict);
    gst_zerocopy_verdict_clear (&verdict);
  }
  for (i = 0; i < graph->links->len; i++)
    append_link (dot, graph, g_ptr_array_index (graph->links, i));
  g_mutex_unlock (&graph->lock);
  g_string_append (dot, "}\n");

  return g_string_free (dot, FALSE);
}

/**
 * gst_zerocopy_dot_draw:
 * @text: what gst_zerocopy_dot_text() returned
 * @svg: a file for the drawing
 *
 * Lets Graphviz's program `dot` draw it. If that cannot be, says so, and leaves
 * what it would have drawn beside @svg.
 *
 * Since: 0.1
 */
void
gst_zerocopy_dot_draw (const gchar * text, const gchar * svg)
{
  gchar *source = g_strconcat (svg, ".dot", NULL);
  const gchar *argv[] = { "dot", "-Tsvg", "-o", svg, source, NULL };
  GError *error = NULL;
  gint status = -1;

  if (!g_file_set_contents (source, text, -1, &error)) {
    g_printerr ("zerocopy: %s\n", error->message);
  } else if (!g_spawn_sync (NULL, (gchar **) argv, NULL, G_SPAWN_SEARCH_PATH,
          NULL, NULL, NULL, NULL, &status, &error)) {
    g_printerr ("zerocopy: %s is not drawn, because the program dot cannot be "
        "run: install graphviz, then: dot -Tsvg -o %s %s\n", svg, svg, source);
  } else if (!g_spawn_check_wait_status (status, &error)) {
    g_printerr ("zerocopy: %s is not drawn: dot failed (%s) on %s\n", svg,
        error->message, source);
  } else {
    g_unlink (source);
  }
  g_clear_error (&error);
  g_free (source);
}
