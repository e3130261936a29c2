/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef __GST_BUFALLOC_WATCH_H__
#define __GST_BUFALLOC_WATCH_H__

#include <bufalloc/bufalloc.h>
#include <gst/base/gstbasetransform.h>
#include <gst/gst.h>

#include "gstbufallocdisplay.h"

G_BEGIN_DECLS

/**
 * GstBufallocWatch:
 *
 * What has been seen and said. It belongs to the streaming thread, except
 * @display.
 *
 * Since: 0.1
 */
typedef struct
{
  /*< private >*/
  gint display;                 /* GstBufallocDisplayResult, atomic */
  gboolean display_tried;
  gboolean has_display;
  gboolean warned_foreign;
  gboolean warned_copy;
  guint64 last_reads;
  guint read_frames;
} GstBufallocWatch;

G_GNUC_INTERNAL
void gst_bufalloc_watch_reset (GstBufallocWatch * watch);

G_GNUC_INTERNAL
void gst_bufalloc_watch_new_pool (GstBufallocWatch * watch);

G_GNUC_INTERNAL
void gst_bufalloc_watch_foreign_frame (GstBufallocWatch * watch,
                                       GstBaseTransform * self);

G_GNUC_INTERNAL
void gst_bufalloc_watch_own_frame (GstBufallocWatch * watch,
                                   GstElement * self,
                                   enum bufalloc_heap heap,
                                   guint64 reads,
                                   GstBuffer * buffer);

G_GNUC_INTERNAL
GstBufallocDisplayResult
gst_bufalloc_watch_get_display (GstBufallocWatch * watch);

G_END_DECLS

#endif /* __GST_BUFALLOC_WATCH_H__ */
