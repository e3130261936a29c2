/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef __GST_BUFALLOC_DEVICES_H__
#define __GST_BUFALLOC_DEVICES_H__

#include <bufalloc/bufalloc.h>
#include <gst/gst.h>

G_BEGIN_DECLS

/**
 * GST_BUFALLOC_MAX_DEVICES:
 *
 * As many as the library takes.
 *
 * Since: 0.1
 */
#define GST_BUFALLOC_MAX_DEVICES 16

/**
 * GstBufallocDevices:
 * @n: how many
 * @uses: their own file descriptors, and what they do to the memory
 *
 * Since: 0.1
 */
typedef struct
{
  guint n;
  struct bufalloc_use uses[GST_BUFALLOC_MAX_DEVICES];
} GstBufallocDevices;

G_GNUC_INTERNAL
GstElement * gst_bufalloc_devices_find_upstream (GstElement * self);

G_GNUC_INTERNAL
void gst_bufalloc_devices_find (GstBufallocDevices * devices,
                                struct bufalloc_ctx * ctx,
                                GstElement * self,
                                gboolean upstream);

G_GNUC_INTERNAL
guint gst_bufalloc_devices_count_memories (GstElement * self);

G_GNUC_INTERNAL
const gchar * gst_bufalloc_devices_import_setting (GstElement * element);

G_GNUC_INTERNAL
gboolean gst_bufalloc_devices_wanted (GstElement * self);

G_GNUC_INTERNAL
gint gst_bufalloc_devices_open (GstBufallocDevices * devices,
                                const gchar * list,
                                gchar ** reason);

G_GNUC_INTERNAL
void gst_bufalloc_devices_close (GstBufallocDevices * devices);

G_END_DECLS

#endif /* __GST_BUFALLOC_DEVICES_H__ */
