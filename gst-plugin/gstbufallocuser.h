/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef __GST_BUFALLOC_USER_H__
#define __GST_BUFALLOC_USER_H__

#include <gst/allocators/gstdmabuf.h>
#include <gst/gst.h>

#include "gstbufallocconnection.h"

G_BEGIN_DECLS

/**
 * GST_ALLOCATOR_BUFALLOC_USER:
 *
 * The memory type of #GstBufallocUserAllocator.
 *
 * Since: 0.1
 */
#define GST_ALLOCATOR_BUFALLOC_USER "bufalloc-user"

#define GST_TYPE_BUFALLOC_USER_ALLOCATOR \
    (gst_bufalloc_user_allocator_get_type ())
G_DECLARE_FINAL_TYPE (GstBufallocUserAllocator, gst_bufalloc_user_allocator,
    GST, BUFALLOC_USER_ALLOCATOR, GstDmaBufAllocator)

G_GNUC_INTERNAL
GstBufallocUserAllocator *
gst_bufalloc_user_allocator_new (GstBufallocConnection * connection);

G_GNUC_INTERNAL
GstMemory *
gst_bufalloc_user_allocator_import (GstBufallocUserAllocator * self,
                                    GstMemory * source,
                                    gint * err,
                                    gchar ** reason);

G_GNUC_INTERNAL
void gst_bufalloc_user_allocator_flush (GstBufallocUserAllocator * self);

G_GNUC_INTERNAL
guint64
gst_bufalloc_user_allocator_get_cpu_reads (GstBufallocUserAllocator * self);

G_GNUC_INTERNAL
gboolean gst_is_bufalloc_user_memory (GstMemory * mem);

G_END_DECLS

#endif /* __GST_BUFALLOC_USER_H__ */
