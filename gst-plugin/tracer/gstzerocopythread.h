/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef __GST_ZEROCOPY_THREAD_H__
#define __GST_ZEROCOPY_THREAD_H__

#include <gst/gst.h>

#include "gstzerocopylink.h"
#include "gstzerocopymemory.h"

G_BEGIN_DECLS

/* Inputs of a compositor that are compared with what it makes of them. */
#define GST_ZEROCOPY_MAX_SAMPLES 8

/**
 * GstZerocopyEntry:
 * @link: where the thread came in; %NULL if it is not known where a pad leads
 * @frame: what it came in with
 * @work: what it has done since
 *
 * An element that a thread is in.
 *
 * Since: 0.1
 */
typedef struct
{
  GstZerocopyLink *link;
  GstZerocopyFrame frame;
  GstZerocopyWork work;
} GstZerocopyEntry;

/**
 * GstZerocopyThread:
 *
 * A thread. Its first entry is what it does in no element's chain function, as
 * the task of a source or of a queue does.
 *
 * Since: 0.1
 */
typedef struct
{
  /*< private >*/
  GArray *entries;
  /* of the last memories that were read, while there are compositors */
  GstZerocopySample samples[GST_ZEROCOPY_MAX_SAMPLES];
  guint next_sample;
} GstZerocopyThread;

G_GNUC_INTERNAL
GstZerocopyThread *gst_zerocopy_thread_get (void);

G_GNUC_INTERNAL
GstZerocopyEntry *gst_zerocopy_thread_top (GstZerocopyThread * thread);

G_GNUC_INTERNAL
void gst_zerocopy_thread_enter (GstZerocopyThread * thread,
                                GstZerocopyLink * link,
                                const GstZerocopyFrame * frame);

G_GNUC_INTERNAL
void gst_zerocopy_thread_leave (GstZerocopyThread * thread,
                                GstZerocopyGraph * graph);

G_GNUC_INTERNAL
void gst_zerocopy_thread_touched (const GstZerocopyMemory * memory,
                                  gconstpointer data, GstMapFlags flags);

G_GNUC_INTERNAL
void gst_zerocopy_thread_copied (gsize size);

G_GNUC_INTERNAL
void gst_zerocopy_thread_take_samples (void);

G_GNUC_INTERNAL
gboolean gst_zerocopy_thread_is_alike (GstZerocopyThread * thread,
                                       GstBuffer * buffer);

G_GNUC_INTERNAL
const gchar *gst_zerocopy_thread_element (void);

G_GNUC_INTERNAL
void gst_zerocopy_work_clear (GstZerocopyWork * work);

G_END_DECLS

#endif /* __GST_ZEROCOPY_THREAD_H__ */
