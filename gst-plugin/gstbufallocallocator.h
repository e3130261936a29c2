/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef __GST_BUFALLOC_ALLOCATOR_H__
#define __GST_BUFALLOC_ALLOCATOR_H__

#include "gst/bufalloc/bufalloc.h"
#include "gstbufallocconnection.h"

G_BEGIN_DECLS

/**
 * GstBufallocCounts:
 * @allocations: buffers allocated so far
 * @allocated_bytes: bytes of them, as the module rounded them up
 * @buffers: buffers that are alive now
 * @cpu_maps: times that one was mapped for the CPU so far
 * @cpu_reads: times of these in which it was mapped for reading
 *
 * Since: 0.1
 */
typedef struct
{
  guint64 allocations;
  guint64 allocated_bytes;
  guint64 buffers;
  guint64 cpu_maps;
  guint64 cpu_reads;
} GstBufallocCounts;

G_GNUC_INTERNAL
GstAllocator *
gst_bufalloc_allocator_new_on (GstBufallocConnection * connection);

G_GNUC_INTERNAL
enum bufalloc_heap
gst_bufalloc_allocator_get_heap (GstBufallocAllocator * self);

G_GNUC_INTERNAL
GstMemory * gst_bufalloc_allocator_alloc_with_slack (GstBufallocAllocator * self,
                                                     gsize size,
                                                     gsize slack);

G_GNUC_INTERNAL
void gst_bufalloc_allocator_get_counts (GstBufallocAllocator * self,
                                        GstBufallocCounts * counts);

G_END_DECLS

#endif /* __GST_BUFALLOC_ALLOCATOR_H__ */
