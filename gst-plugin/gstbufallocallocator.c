/* SPDX-License-Identifier: LGPL-2.1-or-later */

/**
 * SECTION:gstbufallocallocator
 * @title: GstBufallocAllocator
 * @short_description: dma-buf memory from bufalloc.ko
 *
 * A #GstDmaBufAllocator whose gst_allocator_alloc() works: each memory is one
 * dma-buf of its own, made by libbufalloc. Every byte of a new one is 0.
 *
 * The memory's `maxsize` is the length that the dma-buf really has, because
 * importers (V4L2 above all) take `maxsize` for it and refuse a buffer that
 * seems too short. The memory begins at byte 0 of the dma-buf:
 * gst_allocator_alloc() returns %NULL if a prefix is asked for. It returns
 * %NULL too if the module refuses, after posting the reason as an error of the
 * element that the connection reports to.
 *
 * The allocator counts its allocations, and each time that one of its memories
 * is mapped for the CPU: in a pipeline without copies, nobody maps them.
 *
 * Since: 0.1
 */

#ifdef HAVE_CONFIG_H
#include "config.h"
#endif

#include "gstbufallocallocator.h"

#include <unistd.h>

GST_DEBUG_CATEGORY_EXTERN (gst_bufalloc_debug);
#define GST_CAT_DEFAULT gst_bufalloc_debug

struct _GstBufallocAllocator
{
  GstDmaBufAllocator parent;

  GstBufallocConnection *connection;

  GstBufallocCounts counts;     /* protected by the object lock */

  gpointer (*parent_map) (GstMemory * mem, GstMapInfo * info, gsize maxsize);
};

G_DEFINE_FINAL_TYPE (GstBufallocAllocator, gst_bufalloc_allocator,
    GST_TYPE_DMABUF_ALLOCATOR)

/**
 * gst_is_bufalloc_memory:
 * @mem: a #GstMemory
 *
 * Returns: whether @mem comes from a #GstBufallocAllocator, of any element
 *
 * Since: 0.1
 */
gboolean
gst_is_bufalloc_memory (GstMemory * mem)
{
  return GST_IS_BUFALLOC_ALLOCATOR (mem->allocator);
}

static gpointer
gst_bufalloc_allocator_mem_map (GstMemory * mem, GstMapInfo * info,
    gsize maxsize)
{
  GstBufallocAllocator *self = GST_BUFALLOC_ALLOCATOR (mem->allocator);
  gpointer data = self->parent_map (mem, info, maxsize);

  if (data != NULL) {
    GST_OBJECT_LOCK (self);
    self->counts.cpu_maps++;
    if (info->flags & GST_MAP_READ)
      self->counts.cpu_reads++;
    GST_OBJECT_UNLOCK (self);
    GST_LOG_OBJECT (self, "memory %p is mapped for the CPU, flags 0x%x", mem,
        info->flags);
  }

  return data;
}

/**
 * gst_bufalloc_allocator_alloc_with_slack:
 * @self: a #GstBufallocAllocator
 * @size: the size of the memory
 * @slack: bytes that the dma-buf has at least after that
 *
 * Returns: (transfer full) (nullable): a memory of @size bytes at the
 * beginning of a dma-buf of at least @size + @slack bytes, or %NULL. The
 * reason is then posted as an error.
 *
 * Since: 0.1
 */
GstMemory *
gst_bufalloc_allocator_alloc_with_slack (GstBufallocAllocator * self,
    gsize size, gsize slack)
{
  GstMemory *mem;
  gsize length;
  gint fd;

  if (!g_size_checked_add (&length, size, slack)) {
    GST_ERROR_OBJECT (self, "%" G_GSIZE_FORMAT " bytes and %" G_GSIZE_FORMAT
        " more are too many", size, slack);
    return NULL;
  }
  fd = gst_bufalloc_connection_alloc (self->connection, &length);
  if (fd < 0)
    return NULL;

  mem = gst_dmabuf_allocator_alloc_with_flags (GST_ALLOCATOR (self), fd,
      length, GST_FD_MEMORY_FLAG_KEEP_MAPPED);
  if (mem == NULL) {
    GST_ERROR_OBJECT (self, "GStreamer takes no file descriptors here");
    close (fd);
    return NULL;
  }
  gst_memory_resize (mem, 0, size);

  GST_OBJECT_LOCK (self);
  self->counts.allocations++;
  self->counts.allocated_bytes += length;
  self->counts.buffers++;
  GST_OBJECT_UNLOCK (self);
  GST_DEBUG_OBJECT (self, "memory %p: fd %d, %" G_GSIZE_FORMAT " of %"
      G_GSIZE_FORMAT " bytes, heap %s", mem, fd, size, length,
      bufalloc_heap_name (gst_bufalloc_connection_get_chosen_heap
          (self->connection)));

  return mem;
}

static GstMemory *
gst_bufalloc_allocator_alloc (GstAllocator * allocator, gsize size,
    GstAllocationParams * params)
{
  if (params->prefix != 0) {
    GST_ERROR_OBJECT (allocator, "a prefix of %" G_GSIZE_FORMAT " bytes is "
        "asked for, but importers need the frame at byte 0 of the dma-buf",
        params->prefix);
    return NULL;
  }

  return
      gst_bufalloc_allocator_alloc_with_slack (GST_BUFALLOC_ALLOCATOR
      (allocator), size, params->padding);
}

static void
gst_bufalloc_allocator_free (GstAllocator * allocator, GstMemory * mem)
{
  GstBufallocAllocator *self = GST_BUFALLOC_ALLOCATOR (allocator);

  if (mem->parent == NULL) {
    GST_OBJECT_LOCK (self);
    self->counts.buffers--;
    GST_OBJECT_UNLOCK (self);
  }

  GST_ALLOCATOR_CLASS (gst_bufalloc_allocator_parent_class)->free (allocator,
      mem);
}

static void
gst_bufalloc_allocator_finalize (GObject * object)
{
  GstBufallocAllocator *self = GST_BUFALLOC_ALLOCATOR (object);

  gst_object_unref (self->connection);

  G_OBJECT_CLASS (gst_bufalloc_allocator_parent_class)->finalize (object);
}

static void
gst_bufalloc_allocator_class_init (GstBufallocAllocatorClass * klass)
{
  GObjectClass *object_class = G_OBJECT_CLASS (klass);
  GstAllocatorClass *allocator_class = GST_ALLOCATOR_CLASS (klass);

  object_class->finalize = gst_bufalloc_allocator_finalize;
  allocator_class->alloc = gst_bufalloc_allocator_alloc;
  allocator_class->free = gst_bufalloc_allocator_free;
}

static void
gst_bufalloc_allocator_init (GstBufallocAllocator * self)
{
  GstAllocator *allocator = GST_ALLOCATOR (self);

  allocator->mem_type = GST_ALLOCATOR_BUFALLOC;
  self->parent_map = allocator->mem_map_full;
  allocator->mem_map_full = gst_bufalloc_allocator_mem_map;

  /* the parent classes only wrap file descriptors, we allocate */
  GST_OBJECT_FLAG_UNSET (self, GST_ALLOCATOR_FLAG_CUSTOM_ALLOC);
}

/**
 * gst_bufalloc_allocator_new:
 * @connection: (transfer none): what makes the buffers
 *
 * Returns: (transfer full): a new allocator
 *
 * Since: 0.1
 */
GstAllocator *
gst_bufalloc_allocator_new (GstBufallocConnection * connection)
{
  GstBufallocAllocator *self = g_object_new (GST_TYPE_BUFALLOC_ALLOCATOR, NULL);

  gst_object_ref_sink (self);
  self->connection = gst_object_ref (connection);

  return GST_ALLOCATOR (self);
}

/**
 * gst_bufalloc_allocator_get_connection:
 * @self: a #GstBufallocAllocator
 *
 * Returns: (transfer none): what makes its buffers
 *
 * Since: 0.1
 */
GstBufallocConnection *
gst_bufalloc_allocator_get_connection (GstBufallocAllocator * self)
{
  return self->connection;
}

/**
 * gst_bufalloc_allocator_get_counts:
 * @self: a #GstBufallocAllocator
 * @counts: (out caller-allocates): where to put the counters
 *
 * Since: 0.1
 */
void
gst_bufalloc_allocator_get_counts (GstBufallocAllocator * self,
    GstBufallocCounts * counts)
{
  GST_OBJECT_LOCK (self);
  *counts = self->counts;
  GST_OBJECT_UNLOCK (self);
}
