/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef __GST_BUFALLOC_POOL_H__
#define __GST_BUFALLOC_POOL_H__

#include <gst/video/video.h>

#include "gstbufallocallocator.h"

G_BEGIN_DECLS

#define GST_TYPE_BUFALLOC_POOL (gst_bufalloc_pool_get_type ())
G_DECLARE_FINAL_TYPE (GstBufallocPool, gst_bufalloc_pool,
    GST, BUFALLOC_POOL, GstVideoBufferPool)

/**
 * GST_BUFALLOC_EXTRA_AUTO:
 *
 * Let the pool choose the extra bytes: 16 rows of the frame.
 *
 * Since: 0.1
 */
#define GST_BUFALLOC_EXTRA_AUTO (-1)

G_GNUC_INTERNAL
GstBufferPool * gst_bufalloc_pool_new (GstBufallocAllocator * allocator,
                                       gint extra_bytes);

G_END_DECLS

#endif /* __GST_BUFALLOC_POOL_H__ */
