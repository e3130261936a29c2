/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef __GST_BUFALLOC_POOL_H__
#define __GST_BUFALLOC_POOL_H__

#include <bufalloc/bufalloc.h>

#include "gstbufallocallocator.h"

G_BEGIN_DECLS

/**
 * GST_BUFALLOC_EXTRA_AUTO:
 *
 * Let the pool choose the extra bytes: 16 rows of the frame.
 *
 * Since: 0.1
 */
#define GST_BUFALLOC_EXTRA_AUTO (-1)

G_GNUC_INTERNAL
GstBufferPool *
gst_bufalloc_pool_new_with_extra (GstBufallocAllocator * allocator,
                                  gint extra_bytes);

G_GNUC_INTERNAL
void gst_bufalloc_pool_set_memories (GstBufallocPool * self,
                                     enum bufalloc_memories memories,
                                     GstElement * element);

G_GNUC_INTERNAL
void gst_bufalloc_pool_set_needed (GstBufallocPool * self, guint needed);

G_END_DECLS

#endif /* __GST_BUFALLOC_POOL_H__ */
