/* SPDX-License-Identifier: LGPL-2.1-or-later */

/**
 * SECTION:gstzerocopythread
 * @title: GstZerocopyThread
 * @short_description: who does what a thread does
 *
 * A map of memory says in which thread it is made, not by which element. So each
 * thread knows which chain functions it is in: what it maps belongs to the
 * innermost one. A task that is in none works for the element whose pad it pushes
 * to next.
 *
 * Since: 0.1
 */

#ifdef HAVE_CONFIG_H
#include "config.h"
#endif

#include "gstzerocopythread.h"

static gint n_compositors;      /* atomic */

static void
thread_free (gpointer data)
{
  GstZerocopyThread *thread = data;

  g_array_unref (thread->entries);
  g_free (thread);
}

static GPrivate this_thread = G_PRIVATE_INIT (thread_free);

GstZerocopyThread *
gst_zerocopy_thread_get (void)
{
  GstZerocopyThread *thread = g_private_get (&this_thread);

  if (thread == NULL) {
    thread = g_new0 (GstZerocopyThread, 1);
    thread->entries = g_array_sized_new (FALSE, TRUE, sizeof (GstZerocopyEntry), 8);
    g_array_set_size (thread->entries, 1);
    g_private_set (&this_thread, thread);
  }

  return thread;
}

GstZerocopyEntry *
gst_zerocopy_thread_top (GstZerocopyThread * thread)
{
  return &g_array_index (thread->entries, GstZerocopyEntry, thread->entries->len - 1);
}

void
gst_zerocopy_work_clear (GstZerocopyWork * work)
{
  work->n_reads = work->n_writes = 0;
  work->copied = 0;
  work->is_alike = FALSE;
}

/* With any lock held, in any thread. */
void
gst_zerocopy_thread_touched (const GstZerocopyMemory * memory, gconstpointer data,
    GstMapFlags flags)
{
  GstZerocopyThread *thread = gst_zerocopy_thread_get ();

  gst_zerocopy_work_touched (&gst_zerocopy_thread_top (thread)->work, memory, flags);
  if (g_atomic_int_get (&n_compositors) > 0 && flags == GST_MAP_READ)
    gst_zerocopy_sample_take (&thread->samples[thread->next_sample++
            % GST_ZEROCOPY_MAX_SAMPLES], memory->id, data, memory->size);
}

/* Does what a compositor hands on look like one of the frames that it read? */
gboolean
gst_zerocopy_thread_is_alike (GstZerocopyThread * thread, GstBuffer * buffer)
{
  GstZerocopySample sample;
  guint i;

  if (gst_buffer_n_memory (buffer) == 0
      || !gst_zerocopy_sample_map (&sample, gst_buffer_peek_memory (buffer, 0)))
    return FALSE;
  for (i = 0; i < GST_ZEROCOPY_MAX_SAMPLES; i++) {
    if (thread->samples[i].id != sample.id
        && gst_zerocopy_sample_is_alike (&thread->samples[i], &sample))
      return TRUE;
  }

  return FALSE;
}

void
gst_zerocopy_thread_copied (gsize size)
{
  gst_zerocopy_thread_top (gst_zerocopy_thread_get ())->work.copied += size;
}

/* Who logs that: the element whose chain function the thread is in, or NULL. */
const gchar *
gst_zerocopy_thread_element (void)
{
  GstZerocopyThread *thread = g_private_get (&this_thread);
  GstZerocopyLink *link;

  if (thread == NULL)
    return NULL;
  link = gst_zerocopy_thread_top (thread)->link;

  return link != NULL ? link->to->name : NULL;
}

/* The thread goes into the element behind the link. */
void
gst_zerocopy_thread_enter (GstZerocopyThread * thread,
    GstZerocopyLink * link, const GstZerocopyFrame * frame)
{
  guint len = thread->entries->len;
  GstZerocopyEntry *top;

  g_array_set_size (thread->entries, len + 1);
  top = gst_zerocopy_thread_top (thread);
  top->link = link;
  if (link != NULL)
    top->frame = *frame;
  gst_zerocopy_work_clear (&top->work);
}

/* The thread comes back from it. */
void
gst_zerocopy_thread_leave (GstZerocopyThread * thread, GstZerocopyGraph * graph)
{
  GstZerocopyEntry *top;

  if (thread->entries->len < 2)
    return;
  top = gst_zerocopy_thread_top (thread);
  if (top->link != NULL)
    gst_zerocopy_graph_pushed (graph, top->link, &top->frame, &top->work);
  g_array_set_size (thread->entries, thread->entries->len - 1);
}

/* There is a compositor: what is read is sampled from now on. */
void
gst_zerocopy_thread_take_samples (void)
{
  g_atomic_int_inc (&n_compositors);
}
