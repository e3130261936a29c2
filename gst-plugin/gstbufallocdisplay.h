/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef __GST_BUFALLOC_DISPLAY_H__
#define __GST_BUFALLOC_DISPLAY_H__

#include <gst/gst.h>

G_BEGIN_DECLS

/**
 * GstBufallocDisplayResult:
 * @GST_BUFALLOC_DISPLAY_UNTRIED: nothing is known
 * @GST_BUFALLOC_DISPLAY_TAKEN: the display imports the buffer
 * @GST_BUFALLOC_DISPLAY_REFUSED: the display refuses the buffer
 *
 * Since: 0.1
 */
typedef enum
{
  GST_BUFALLOC_DISPLAY_UNTRIED,
  GST_BUFALLOC_DISPLAY_TAKEN,
  GST_BUFALLOC_DISPLAY_REFUSED,
} GstBufallocDisplayResult;

/**
 * GstBufallocRefusal:
 * @driver: the DRM driver's name
 * @step: what it refused, as the end of a sentence
 * @err: the errno, positive
 * @no_import: it imports no dma-buf at all, whatever memory it is made of
 *
 * Since: 0.1
 */
typedef struct
{
  gchar driver[32];
  const gchar *step;
  gint err;
  gboolean no_import;
} GstBufallocRefusal;

G_GNUC_INTERNAL
GstPad * gst_bufalloc_real_peer (GstPad * pad);

G_GNUC_INTERNAL
gboolean gst_bufalloc_is_display (GstElement * element);

G_GNUC_INTERNAL
GPtrArray * gst_bufalloc_display_collect (GstElement * element,
                                          gboolean (*wanted) (GstElement *));

G_GNUC_INTERNAL
GstElement * gst_bufalloc_display_find (GstElement * element);

G_GNUC_INTERNAL
gint gst_bufalloc_display_open (GstElement * display);

G_GNUC_INTERNAL
GstBufallocDisplayResult
gst_bufalloc_display_try_import (GstElement * display,
                                 GstBuffer * buffer,
                                 GstBufallocRefusal * refusal);

G_END_DECLS

#endif /* __GST_BUFALLOC_DISPLAY_H__ */
