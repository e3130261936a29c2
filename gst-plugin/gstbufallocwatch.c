/* SPDX-License-Identifier: LGPL-2.1-or-later */

/**
 * SECTION:gstbufallocwatch
 * @title: GstBufallocWatch
 * @short_description: says what would go wrong in silence
 *
 * Looks at the frames that pass through the element bufalloc and posts warnings
 * on the bus, each kind once: a display that refuses the buffers, a CPU that
 * reads each frame, an upstream element that ignores the pool.
 *
 * Since: 0.1
 */

#ifdef HAVE_CONFIG_H
#include "config.h"
#endif

#include "gstbufallocwatch.h"

#include "gstbufallocdevices.h"
#include "gstbufallocerrno.h"

GST_DEBUG_CATEGORY_EXTERN (gst_bufalloc_debug);
#define GST_CAT_DEFAULT gst_bufalloc_debug

/* This many frames in a row that the CPU read are no accident. */
#define MAX_READ_FRAMES 8

/**
 * gst_bufalloc_watch_foreign_frame:
 * @watch: a #GstBufallocWatch
 * @self: the element
 *
 * A frame goes on that is not in memory of ours, although upstream was offered
 * our pool.
 *
 * Since: 0.1
 */
void
gst_bufalloc_watch_foreign_frame (GstBufallocWatch * watch,
    GstBaseTransform * self)
{
  GstElement *upstream;
  const gchar *setting;
  gchar *name;

  if (watch->warned_foreign)
    return;
  watch->warned_foreign = TRUE;
  upstream = gst_bufalloc_devices_find_upstream (GST_ELEMENT (self));
  if (upstream == NULL)
    return;

  setting = gst_bufalloc_devices_import_setting (upstream);
  if (setting == NULL) {
    GST_INFO_OBJECT (self, "%s was offered a pool of dma-bufs but sends memory "
        "of its own", GST_OBJECT_NAME (upstream));
    gst_object_unref (upstream);
    return;
  }

  name = gst_object_get_name (GST_OBJECT (upstream));
  GST_ELEMENT_WARNING (self, RESOURCE, SETTINGS,
      ("%s was offered a pool of dma-bufs but sends memory of its own: set %s "
          "on it.", name, setting),
      ("The frames pass as they are; whether they are copied further on is "
          "not bufalloc's doing."));
  g_free (name);
  gst_object_unref (upstream);
}

/* Before the display sees the first buffer of a pool: will it import it? */
static void
try_display (GstBufallocWatch * watch, GstElement * self,
    enum bufalloc_heap heap, GstBuffer * buffer)
{
  GstElement *display = gst_bufalloc_display_find (self);
  GstBufallocDisplayResult result;
  GstBufallocRefusal refusal;
  const gchar *what;
  gchar *name;

  watch->has_display = display != NULL;
  if (display == NULL) {
    GST_DEBUG_OBJECT (self, "no kmssink downstream gets these buffers");
    return;
  }

  result = gst_bufalloc_display_try_import (display, buffer, &refusal);
  g_atomic_int_set (&watch->display, result);

  name = gst_object_get_name (GST_OBJECT (display));
  if (result == GST_BUFALLOC_DISPLAY_TAKEN) {
    GST_INFO_OBJECT (self, "%s imports our buffers", name);
  } else if (result == GST_BUFALLOC_DISPLAY_REFUSED && !watch->warned_copy) {
    if (refusal.no_import)
      what = "No setting of bufalloc changes that; use another display driver, "
          "or leave bufalloc out";
    else if (heap == BUFALLOC_SYSTEM)
      what = "Set heap=auto on bufalloc";
    else
      what = "Try another format or size, or stride-align on bufalloc";

    watch->warned_copy = TRUE;
    GST_ELEMENT_WARNING (self, RESOURCE, SETTINGS,
        ("The display %s (driver %s) refuses bufalloc's buffers and will copy "
            "each frame: %s: %s. %s.", name, refusal.driver, refusal.step,
            gst_bufalloc_errno_name (refusal.err), what),
        ("heap %s: %s (%d)", bufalloc_heap_name (heap),
            g_strerror (refusal.err), refusal.err));
  }
  g_free (name);
  gst_object_unref (display);
}

/* Nobody downstream should have mapped the frames before this one. */
static void
check_reads (GstBufallocWatch * watch, GstElement * self, guint64 reads)
{
  if (reads > watch->last_reads)
    watch->read_frames++;
  else
    watch->read_frames = 0;
  watch->last_reads = reads;

  if (watch->read_frames < MAX_READ_FRAMES || watch->warned_copy)
    return;

  watch->warned_copy = TRUE;
  GST_ELEMENT_WARNING (self, RESOURCE, SETTINGS,
      ("The CPU reads each frame although a display could show the buffers "
          "themselves: frames are being copied."),
      ("%u frames in a row were mapped for reading. GST_DEBUG="
          "GST_PERFORMANCE:5,bufalloc:6 tells by whom.", watch->read_frames));
}

/**
 * gst_bufalloc_watch_own_frame:
 * @watch: a #GstBufallocWatch
 * @self: the element
 * @heap: where its memory comes from
 * @reads: times that the CPU has read frames of ours so far
 * @buffer: a frame in a dma-buf of ours, on its way downstream
 *
 * Since: 0.1
 */
void
gst_bufalloc_watch_own_frame (GstBufallocWatch * watch, GstElement * self,
    enum bufalloc_heap heap, guint64 reads, GstBuffer * buffer)
{
  if (!watch->display_tried) {
    watch->display_tried = TRUE;
    try_display (watch, self, heap, buffer);
  }
  if (watch->has_display)
    check_reads (watch, self, reads);
}

/**
 * gst_bufalloc_watch_new_pool:
 * @watch: a #GstBufallocWatch
 *
 * Other buffers will come than those that were seen so far.
 *
 * Since: 0.1
 */
void
gst_bufalloc_watch_new_pool (GstBufallocWatch * watch)
{
  watch->display_tried = FALSE;
  g_atomic_int_set (&watch->display, GST_BUFALLOC_DISPLAY_UNTRIED);
}

/**
 * gst_bufalloc_watch_reset:
 * @watch: a #GstBufallocWatch
 *
 * Forget everything, also what has been said.
 *
 * Since: 0.1
 */
void
gst_bufalloc_watch_reset (GstBufallocWatch * watch)
{
  gst_bufalloc_watch_new_pool (watch);
  watch->has_display = FALSE;
  watch->warned_foreign = FALSE;
  watch->warned_copy = FALSE;
  watch->last_reads = 0;
  watch->read_frames = 0;
}

/**
 * gst_bufalloc_watch_get_display:
 * @watch: a #GstBufallocWatch
 *
 * May be called from any thread.
 *
 * Returns: what the display said to the newest pool's first buffer
 *
 * Since: 0.1
 */
GstBufallocDisplayResult
gst_bufalloc_watch_get_display (GstBufallocWatch * watch)
{
  return g_atomic_int_get (&watch->display);
}
