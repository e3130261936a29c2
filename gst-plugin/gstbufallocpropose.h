/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef __GST_BUFALLOC_PROPOSE_H__
#define __GST_BUFALLOC_PROPOSE_H__

#include <gst/gst.h>

#include "gstbufallocallocator.h"
#include "gstbufallocsettings.h"

G_BEGIN_DECLS

/**
 * GstBufallocAnswer:
 * @GST_BUFALLOC_ANSWER_NONE: nothing: the query is not about raw video
 * @GST_BUFALLOC_ANSWER_NO_POOL: an allocator, and how many buffers of which size
 * @GST_BUFALLOC_ANSWER_POOL: a pool, too
 *
 * Since: 0.1
 */
typedef enum
{
  GST_BUFALLOC_ANSWER_NONE,
  GST_BUFALLOC_ANSWER_NO_POOL,
  GST_BUFALLOC_ANSWER_POOL,
} GstBufallocAnswer;

G_GNUC_INTERNAL
GstBufferPool *
gst_bufalloc_make_pool (GstBufallocAllocator * allocator,
                        const GstBufallocSettings * settings,
                        GstElement * element,
                        GstCaps * caps,
                        guint size,
                        guint min,
                        GstAllocationParams * params);

G_GNUC_INTERNAL
GstBufallocAnswer
gst_bufalloc_propose (GstObject * self,
                      GstBufallocAllocator * allocator,
                      const GstBufallocSettings * settings,
                      GstQuery * query);

G_END_DECLS

#endif /* __GST_BUFALLOC_PROPOSE_H__ */
