/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef __GST_BUFALLOC_CONNECTION_H__
#define __GST_BUFALLOC_CONNECTION_H__

#include <bufalloc/bufalloc.h>
#include <gst/gst.h>

G_BEGIN_DECLS

#define GST_TYPE_BUFALLOC_CONNECTION (gst_bufalloc_connection_get_type ())
G_DECLARE_FINAL_TYPE (GstBufallocConnection, gst_bufalloc_connection,
    GST, BUFALLOC_CONNECTION, GstObject)

G_GNUC_INTERNAL
GstBufallocConnection *
gst_bufalloc_connection_new (const gchar * device,
                             GstElement * reporter,
                             gint * err,
                             gchar ** reason);

G_GNUC_INTERNAL
void gst_bufalloc_connection_set_heap (GstBufallocConnection * self,
                                       enum bufalloc_heap heap);

G_GNUC_INTERNAL
enum bufalloc_heap
gst_bufalloc_connection_get_heap (GstBufallocConnection * self);

G_GNUC_INTERNAL
enum bufalloc_heap
gst_bufalloc_connection_get_chosen_heap (GstBufallocConnection * self);

G_GNUC_INTERNAL
void gst_bufalloc_connection_set_attributes (GstBufallocConnection * self,
                                             guint64 attributes);

G_GNUC_INTERNAL
guint64 gst_bufalloc_connection_get_granted (GstBufallocConnection * self);

G_GNUC_INTERNAL
void gst_bufalloc_connection_set_device_list (GstBufallocConnection * self,
                                              const gchar * list);

G_GNUC_INTERNAL
gint gst_bufalloc_connection_alloc (GstBufallocConnection * self,
                                    gsize * length,
                                    guint64 * attributes,
                                    GError ** error);

G_GNUC_INTERNAL
gint gst_bufalloc_connection_import (GstBufallocConnection * self,
                                     gconstpointer address,
                                     gsize length,
                                     gboolean read_only,
                                     struct bufalloc_buf ** buf,
                                     gchar ** reason);

G_END_DECLS

#endif /* __GST_BUFALLOC_CONNECTION_H__ */
