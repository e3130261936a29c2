/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef __GST_BUFALLOC_ALLOCATOR_H__
#define __GST_BUFALLOC_ALLOCATOR_H__

#include <bufalloc/bufalloc.h>
#include <gst/allocators/gstdmabuf.h>
#include <gst/gst.h>

G_BEGIN_DECLS

/**
 * GST_ALLOCATOR_BUFALLOC:
 *
 * The memory type of #GstBufallocAllocator.
 *
 * Since: 0.1
 */
#define GST_ALLOCATOR_BUFALLOC "bufalloc"

#define GST_TYPE_BUFALLOC_HEAP (gst_bufalloc_heap_get_type ())

G_GNUC_INTERNAL
GType gst_bufalloc_heap_get_type (void);

#define GST_TYPE_BUFALLOC_ALLOCATOR (gst_bufalloc_allocator_get_type ())
G_DECLARE_FINAL_TYPE (GstBufallocAllocator, gst_bufalloc_allocator,
    GST, BUFALLOC_ALLOCATOR, GstDmaBufAllocator)

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
GstAllocator * gst_bufalloc_allocator_new (const gchar * device,
                                           GstElement * reporter,
                                           gint * err,
                                           gchar ** reason);

G_GNUC_INTERNAL
void gst_bufalloc_allocator_set_heap (GstBufallocAllocator * self,
                                      enum bufalloc_heap heap);

G_GNUC_INTERNAL
enum bufalloc_heap
gst_bufalloc_allocator_get_heap (GstBufallocAllocator * self);

G_GNUC_INTERNAL
enum bufalloc_heap
gst_bufalloc_allocator_get_chosen_heap (GstBufallocAllocator * self);

G_GNUC_INTERNAL
void gst_bufalloc_allocator_set_device_list (GstBufallocAllocator * self,
                                             const gchar * list);

G_GNUC_INTERNAL
GstMemory * gst_bufalloc_allocator_alloc_with_slack (GstBufallocAllocator * self,
                                                     gsize size,
                                                     gsize slack);

G_GNUC_INTERNAL
void gst_bufalloc_allocator_get_counts (GstBufallocAllocator * self,
                                        GstBufallocCounts * counts);

G_GNUC_INTERNAL
gboolean gst_is_bufalloc_memory (GstMemory * mem);

G_GNUC_INTERNAL
const gchar * gst_bufalloc_errno_name (gint err);

G_GNUC_INTERNAL
gint gst_bufalloc_errno_code (gint err);

G_END_DECLS

#endif /* __GST_BUFALLOC_ALLOCATOR_H__ */
