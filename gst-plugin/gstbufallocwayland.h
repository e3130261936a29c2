/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef __GST_BUFALLOC_WAYLAND_H__
#define __GST_BUFALLOC_WAYLAND_H__

#include <gst/gst.h>

G_BEGIN_DECLS

/**
 * GST_BUFALLOC_MAX_COMPOSITOR_DEVICES:
 *
 * The device that composes, and those that may show a buffer directly.
 *
 * Since: 0.1
 */
#define GST_BUFALLOC_MAX_COMPOSITOR_DEVICES 4

G_GNUC_INTERNAL
gboolean gst_bufalloc_is_wayland (GstElement * element);

G_GNUC_INTERNAL
guint gst_bufalloc_wayland_open (GstElement * element,
                                 gint fds[GST_BUFALLOC_MAX_COMPOSITOR_DEVICES]);

G_END_DECLS

#endif /* __GST_BUFALLOC_WAYLAND_H__ */
