/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef __GST_BUFALLOC_CAPS_H__
#define __GST_BUFALLOC_CAPS_H__

#include <gst/video/video.h>

G_BEGIN_DECLS

/**
 * GST_BUFALLOC_CAPS:
 *
 * What passes through the element. Of memory:DMABuf both kinds: with a format of
 * GStreamer's, as up to 1.22, and with format=DMA_DRM, since 1.24.
 *
 * Since: 0.1
 */
#define GST_BUFALLOC_CAPS "video/x-raw; video/x-raw(memory:DMABuf)"

G_GNUC_INTERNAL
guint32 gst_bufalloc_drm_fourcc (GstVideoFormat format);

G_GNUC_INTERNAL
gboolean gst_bufalloc_caps_to_info (GstCaps * caps, GstVideoInfo * info);

G_GNUC_INTERNAL
gboolean gst_bufalloc_caps_is_drm (GstCaps * caps);

G_END_DECLS

#endif /* __GST_BUFALLOC_CAPS_H__ */
