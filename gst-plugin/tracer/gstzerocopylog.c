/* SPDX-License-Identifier: LGPL-2.1-or-later */

/**
 * SECTION:gstzerocopylog
 * @title: GstZerocopyNote
 * @short_description: what elements log of copies and failed imports
 *
 * Why an element copies is in its log and nowhere else: "Failed to bind to
 * framebuffer" is said once a frame by a display that shows all of them. So the
 * tracer reads the log of some categories. What the user did not ask to see is
 * kept from the screen: the function that prints the log is called through one
 * of ours, which knows the threshold that each category had before.
 *
 * Since: 0.1
 */

#ifdef HAVE_CONFIG_H
#include "config.h"
#endif

#include "gstzerocopylog.h"

#include <stdio.h>
#include <string.h>

#define MAX_NOTES 64

static const struct
{
  const gchar *category;
  GstDebugLevel level;
} wanted[] = {
  { "GST_PERFORMANCE", GST_LEVEL_LOG },
  { "kmssink", GST_LEVEL_INFO },
  { "kmsallocator", GST_LEVEL_ERROR },
  { "v4l2", GST_LEVEL_DEBUG },
  { "v4l2bufferpool", GST_LEVEL_DEBUG },
  { "v4l2allocator", GST_LEVEL_DEBUG },
  { "waylandsink", GST_LEVEL_INFO },
  { "wl_dmabuf", GST_LEVEL_INFO },
};

/* What is said, as a part of the sentence. */
static const struct
{
  const gchar *part;
  gboolean is_copy;
} known[] = {
  { "frame copy", TRUE },
  { "slow copy into buffer", TRUE },
  { "copying buffer", TRUE },
  { "already queued, copying", TRUE },
  { "Failed to bind to framebuffer", FALSE },
  { "Failed to import prime fd", FALSE },
  { "prime import (\xe2\x9c\x97)", FALSE },
  { "cannot import buffers from", FALSE },
  { "failed to import", FALSE },
  { "annot import non-DMABuf", FALSE },
  { "Can only import", FALSE },
  { "dmabuf but needed", FALSE },
  { "is not of DMABUF", FALSE },
  { "does not enable importation", FALSE },
  { "No downstream pool to import from", FALSE },
  { "no usable pool, copying", FALSE },
  { "cannot have a wl_buffer", FALSE },
};

static GMutex notes_lock;       /* no other lock is taken while it is held */
static GPtrArray *notes;        /* of GstZerocopyNote */
static GstZerocopyCurrent current_func;
/* What the categories' thresholds were, in the order of the table; -1: it has
 * not been raised. */
static gint before[G_N_ELEMENTS (wanted)];
static GstDebugCategory *categories[G_N_ELEMENTS (wanted)];
static FILE *log_file;
static gboolean is_printing;

static void
note_free (gpointer data)
{
  GstZerocopyNote *note = data;

  g_free (note->element);
  g_free (note->text);
  g_free (note);
}

/* Addresses and numbers of buffers differ each time; the rest is the sentence. */
static gchar *
without_numbers (const gchar * text)
{
  static GRegex *regex;
  gchar *plain;

  if (g_once_init_enter (&regex)) {
    GRegex *made = g_regex_new ("\\s*\\b(0x[0-9a-f]+|fd [0-9]+|fb id = [0-9]+)"
        "|(?<=buffer |Memory )[0-9]+", 0, 0, NULL);

    g_once_init_leave (&regex, made);
  }
  plain = g_regex_replace_literal (regex, text, -1, 0, "", 0, NULL);

  return plain != NULL ? plain : g_strdup (text);
}

/* The element by its name: the one that logs; the one that the thread is in; or
 * the first word of the name of its pool, "v4l2src0:pool0:src". */
static gchar *
element_name (GObject * object)
{
  const gchar *current = current_func ();
  const gchar *name;

  if (object != NULL && GST_IS_ELEMENT (object))
    return g_strdup (GST_OBJECT_NAME (object));
  if (current != NULL)
    return g_strdup (current);
  if (object == NULL || !GST_IS_OBJECT (object))
    return g_strdup ("");
  name = GST_OBJECT_NAME (object);
  if (name == NULL)
    return g_strdup ("");

  return g_strndup (name, strcspn (name, ":"));
}

static void
add_note (gchar * element, const gchar * text, gboolean is_copy)
{
  GstZerocopyNote *note = NULL;
  gchar *plain = without_numbers (text);
  guint i;

  g_mutex_lock (&notes_lock);
  for (i = 0; notes != NULL && i < notes->len && note == NULL; i++) {
    GstZerocopyNote *other = g_ptr_array_index (notes, i);

    if (g_str_equal (other->element, element)
        && g_str_equal (other->text, plain))
      note = other;
  }
  if (note == NULL && notes != NULL && notes->len < MAX_NOTES) {
    note = g_new0 (GstZerocopyNote, 1);
    note->element = g_strdup (element);
    note->text = g_strdup (plain);
    note->is_copy = is_copy;
    g_ptr_array_add (notes, note);
  }
  if (note != NULL)
    note->count++;
  g_mutex_unlock (&notes_lock);

  g_free (plain);
  g_free (element);
}

static gint
find_category (GstDebugCategory * category)
{
  guint i;

  for (i = 0; i < G_N_ELEMENTS (wanted); i++) {
    if (g_atomic_pointer_get (&categories[i]) == category)
      return (gint) i;
  }

  return -1;
}

static void
log_line (GstDebugCategory * category, GstDebugLevel level, const gchar * file,
    const gchar * function, gint line, GObject * object,
    GstDebugMessage * message, gpointer user_data)
{
  gint i = find_category (category);
  const gchar *text;
  guint k;

  if (is_printing && (i < 0 || before[i] < 0 || (gint) level <= before[i]))
    gst_debug_log_default (category, level, file, function, line, object,
        message, log_file);
  if (i < 0)
    return;

  text = gst_debug_message_get (message);
  for (k = 0; text != NULL && k < G_N_ELEMENTS (known); k++) {
    if (strstr (text, known[k].part) != NULL) {
      add_note (element_name (object), text, known[k].is_copy);
      return;
    }
  }
}

/**
 * gst_zerocopy_log_raise:
 *
 * Categories come with the plugins that have them: let those that have come since
 * say what is wanted.
 *
 * Since: 0.1
 */
void
gst_zerocopy_log_raise (void)
{
  guint i;

  for (i = 0; i < G_N_ELEMENTS (wanted); i++) {
    GstDebugCategory *category;
    GstDebugLevel level;

    if (g_atomic_pointer_get (&categories[i]) != NULL)
      continue;
    category = _gst_debug_get_category (wanted[i].category);
    if (category == NULL)
      continue;
    level = gst_debug_category_get_threshold (category);
    before[i] = level;
    g_atomic_pointer_set (&categories[i], category);
    if (level < wanted[i].level)
      gst_debug_category_set_threshold (category, wanted[i].level);
  }
}

/**
 * gst_zerocopy_log_start:
 * @current: says which element a thread is in
 *
 * Since: 0.1
 */
void
gst_zerocopy_log_start (GstZerocopyCurrent current)
{
  const gchar *name = g_getenv ("GST_DEBUG_FILE");
  guint i;

  for (i = 0; i < G_N_ELEMENTS (before); i++)
    before[i] = -1;
  current_func = current;
  notes = g_ptr_array_new_with_free_func (note_free);

  /* The file that GStreamer opened for it is known to nobody else; where its
   * name is made of more than the variable, the log simply has more lines. */
  is_printing = (name == NULL || strchr (name, '%') == NULL)
      && gst_debug_remove_log_function (gst_debug_log_default) > 0;
  if (is_printing && name != NULL && name[0] != '\0')
    log_file = strcmp (name, "-") == 0 ? stdout : fopen (name, "ae");
  gst_debug_add_log_function (log_line, NULL, NULL);
  gst_zerocopy_log_raise ();
}

/**
 * gst_zerocopy_log_stop:
 *
 * Since: 0.1
 */
void
gst_zerocopy_log_stop (void)
{
  g_mutex_lock (&notes_lock);
  g_clear_pointer (&notes, g_ptr_array_unref);
  g_mutex_unlock (&notes_lock);
}

/**
 * gst_zerocopy_log_notes:
 *
 * Returns: (transfer full) (element-type GstZerocopyNote): what has been noted
 *
 * Since: 0.1
 */
GPtrArray *
gst_zerocopy_log_notes (void)
{
  GPtrArray *copy = g_ptr_array_new_with_free_func (note_free);
  guint i;

  g_mutex_lock (&notes_lock);
  for (i = 0; notes != NULL && i < notes->len; i++) {
    const GstZerocopyNote *note = g_ptr_array_index (notes, i);
    GstZerocopyNote *other = g_new0 (GstZerocopyNote, 1);

    *other = *note;
    other->element = g_strdup (note->element);
    other->text = g_strdup (note->text);
    g_ptr_array_add (copy, other);
  }
  g_mutex_unlock (&notes_lock);

  return copy;
}
