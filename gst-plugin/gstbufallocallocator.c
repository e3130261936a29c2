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
 * element that the connection reports to; gst_bufalloc_allocator_alloc() returns
 * the reason.
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

#include <errno.h>
#include <unistd.h>

#include "gstbufallocdevices.h"
#include "gstbufallocerrno.h"
#include "gstbufalloclog.h"

GST_DEBUG_CATEGORY_EXTERN (gst_bufalloc_debug);
#define GST_CAT_DEFAULT gst_bufalloc_debug

struct _GstBufallocAllocator
{
  GstDmaBufAllocator parent;

  GMutex opening;               /* held while connection is made */
  GstBufallocConnection *connection;    /* NULL until memory is wanted */

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

/* What the buffers come from, opened when it is first needed: an allocator that is
 * only registered opens nothing. It is tried again after a failure. */
static GstBufallocConnection *
gst_bufalloc_allocator_open (GstBufallocAllocator * self, GError ** error)
{
  GstBufallocConnection *connection;
  gchar *reason = NULL;
  gint err = 0;

  g_mutex_lock (&self->opening);
  if (self->connection == NULL)
    self->connection = gst_bufalloc_connection_new (NULL, NULL, &err, &reason);
  connection = self->connection;
  g_mutex_unlock (&self->opening);

  if (connection == NULL) {
    GST_ERROR_OBJECT (self, "%s", reason);
    g_set_error_literal (error, GST_RESOURCE_ERROR,
        gst_bufalloc_errno_code (err), reason);
  } else if (reason != NULL) {
    GST_WARNING_OBJECT (self, "%s", reason);
  }
  g_free (reason);

  return connection;
}

static GstMemory *
gst_bufalloc_allocator_make (GstBufallocAllocator * self, gsize size,
    gsize slack, GError ** error)
{
  GstBufallocConnection *connection;
  guint64 attributes;
  GstMemory *mem;
  gsize length;
  gint fd;

  if (size == 0 || !g_size_checked_add (&length, size, slack)) {
    g_set_error (error, GST_RESOURCE_ERROR, GST_RESOURCE_ERROR_SETTINGS,
        "no buffer has %" G_GSIZE_FORMAT " bytes and %" G_GSIZE_FORMAT " more",
        size, slack);
    GST_ERROR_OBJECT (self, "no buffer has %" G_GSIZE_FORMAT " bytes and %"
        G_GSIZE_FORMAT " more", size, slack);
    return NULL;
  }
  connection = gst_bufalloc_allocator_open (self, error);
  if (connection == NULL)
    return NULL;
  fd = gst_bufalloc_connection_alloc (connection, &length, &attributes, error);
  if (fd < 0)
    return NULL;

  mem = gst_dmabuf_allocator_alloc_with_flags (GST_ALLOCATOR (self), fd,
      length, GST_FD_MEMORY_FLAG_KEEP_MAPPED);
  if (mem == NULL) {
    GST_ERROR_OBJECT (self, "GStreamer takes no file descriptors here");
    g_set_error_literal (error, GST_RESOURCE_ERROR, GST_RESOURCE_ERROR_FAILED,
        "GStreamer takes no file descriptors here");
    close (fd);
    return NULL;
  }
  gst_memory_resize (mem, 0, size);
  if (attributes & BUFALLOC_NEVER_CPU)
    GST_MINI_OBJECT_FLAG_SET (mem, GST_MEMORY_FLAG_NOT_MAPPABLE);

  GST_OBJECT_LOCK (self);
  self->counts.allocations++;
  self->counts.allocated_bytes += length;
  self->counts.buffers++;
  GST_OBJECT_UNLOCK (self);
  GST_DEBUG_OBJECT (self, "memory %p: fd %d, %" G_GSIZE_FORMAT " of %"
      G_GSIZE_FORMAT " bytes, heap %s", mem, fd, size, length,
      bufalloc_heap_name (gst_bufalloc_connection_get_chosen_heap
          (connection)));

  return mem;
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
  return gst_bufalloc_allocator_make (self, size, slack, NULL);
}

/**
 * gst_bufalloc_allocator_alloc:
 * @self: a #GstBufallocAllocator
 * @size: the size of the memory (bytes)
 * @error: (nullable): where to put the reason, of #GST_RESOURCE_ERROR
 *
 * What gst_allocator_alloc() does, with the reason where it fails:
 * %GST_RESOURCE_ERROR_SETTINGS for a size of 0, %GST_RESOURCE_ERROR_NOT_FOUND and
 * %GST_RESOURCE_ERROR_NOT_AUTHORIZED where neither the module can be opened nor
 * anything else makes dma-bufs, %GST_RESOURCE_ERROR_NO_SPACE_LEFT where memory or
 * the user's limit has run out, else %GST_RESOURCE_ERROR_FAILED, which is also what
 * memory is refused with that not all devices could use.
 *
 * Returns: (transfer full) (nullable): a memory that is one dma-buf of its own and
 * begins at its byte 0, all 0; or %NULL
 *
 * Since: 0.1
 */
GstMemory *
gst_bufalloc_allocator_alloc (GstBufallocAllocator * self, gsize size,
    GError ** error)
{
  g_return_val_if_fail (GST_IS_BUFALLOC_ALLOCATOR (self), NULL);

  return gst_bufalloc_allocator_make (self, size, 0, error);
}

static GstMemory *
gst_bufalloc_allocator_do_alloc (GstAllocator * allocator, gsize size,
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

  gst_clear_object (&self->connection);
  g_mutex_clear (&self->opening);

  G_OBJECT_CLASS (gst_bufalloc_allocator_parent_class)->finalize (object);
}

static void
gst_bufalloc_allocator_class_init (GstBufallocAllocatorClass * klass)
{
  GObjectClass *object_class = G_OBJECT_CLASS (klass);
  GstAllocatorClass *allocator_class = GST_ALLOCATOR_CLASS (klass);

  gst_bufalloc_log_init ();

  object_class->finalize = gst_bufalloc_allocator_finalize;
  allocator_class->alloc = gst_bufalloc_allocator_do_alloc;
  allocator_class->free = gst_bufalloc_allocator_free;
}

static void
gst_bufalloc_allocator_init (GstBufallocAllocator * self)
{
  GstAllocator *allocator = GST_ALLOCATOR (self);

  g_mutex_init (&self->opening);

  allocator->mem_type = GST_ALLOCATOR_BUFALLOC;
  self->parent_map = allocator->mem_map_full;
  allocator->mem_map_full = gst_bufalloc_allocator_mem_map;

  /* the parent classes only wrap file descriptors, we allocate */
  GST_OBJECT_FLAG_UNSET (self, GST_ALLOCATOR_FLAG_CUSTOM_ALLOC);
}

/**
 * gst_bufalloc_allocator_new_on:
 * @connection: (transfer none) (nullable): what makes the buffers; %NULL: what is
 *   there when the first is wanted
 *
 * Returns: (transfer full): a new allocator
 *
 * Since: 0.1
 */
GstAllocator *
gst_bufalloc_allocator_new_on (GstBufallocConnection * connection)
{
  GstBufallocAllocator *self = g_object_new (GST_TYPE_BUFALLOC_ALLOCATOR, NULL);

  gst_object_ref_sink (self);
  if (connection != NULL)
    self->connection = gst_object_ref (connection);

  return GST_ALLOCATOR (self);
}

/**
 * gst_bufalloc_allocator_get:
 *
 * The allocator for no device in particular, which is registered under
 * %GST_ALLOCATOR_BUFALLOC by this call, and by loading the plugin. Nothing is opened
 * until memory is wanted.
 *
 * Returns: (transfer full): the allocator that all share
 *
 * Since: 0.1
 */
GstAllocator *
gst_bufalloc_allocator_get (void)
{
  static gsize once = 0;

  if (g_once_init_enter (&once)) {
    GstAllocator *shared = gst_bufalloc_allocator_new_on (NULL);

    GST_OBJECT_FLAG_SET (shared, GST_OBJECT_FLAG_MAY_BE_LEAKED);
    gst_allocator_register (GST_ALLOCATOR_BUFALLOC, shared);
    g_once_init_leave (&once, 1);
  }

  return gst_allocator_find (GST_ALLOCATOR_BUFALLOC);
}

/**
 * gst_bufalloc_allocator_new:
 * @devices: (nullable): nodes of the devices that the memory is for, with commas
 *   between them ("/dev/video0,/dev/dri/card0"); %NULL: none
 * @heap: (nullable): the name of a heap ("auto", "system", "contig", "reserved");
 *   %NULL: "auto", the cheapest that all devices can use
 * @error: (nullable): where to put the reason, of #GST_RESOURCE_ERROR
 *
 * The devices are opened for a moment, now and for each memory. It fails with
 * %GST_RESOURCE_ERROR_SETTINGS for a heap that does not exist or for more than 16
 * devices, with %GST_RESOURCE_ERROR_NOT_FOUND, %GST_RESOURCE_ERROR_NOT_AUTHORIZED or
 * %GST_RESOURCE_ERROR_OPEN_READ_WRITE for a device that cannot be opened, or where
 * neither the module can be opened nor anything else makes dma-bufs.
 *
 * Returns: (transfer full) (nullable): a new allocator, or %NULL
 *
 * Since: 0.1
 */
GstAllocator *
gst_bufalloc_allocator_new (const gchar * devices, const gchar * heap,
    GError ** error)
{
  enum bufalloc_heap heap_id = BUFALLOC_AUTO;
  GstBufallocConnection *connection = NULL;
  GstBufallocDevices opened;
  GstAllocator *allocator;
  gchar *reason = NULL;
  gint err;

  gst_bufalloc_log_init ();
  if (heap != NULL && bufalloc_heap_from_name (heap, &heap_id) < 0) {
    g_set_error (error, GST_RESOURCE_ERROR, GST_RESOURCE_ERROR_SETTINGS,
        "there is no heap '%s': it is auto, system, contig or reserved", heap);
    return NULL;
  }
  err = gst_bufalloc_devices_open (&opened, devices ? devices : "", &reason);
  gst_bufalloc_devices_close (&opened);
  if (err == 0)
    connection = gst_bufalloc_connection_new (NULL, NULL, &err, &reason);
  if (connection == NULL) {
    g_set_error_literal (error, GST_RESOURCE_ERROR, err == -E2BIG ?
        GST_RESOURCE_ERROR_SETTINGS : gst_bufalloc_errno_code (err), reason);
    g_free (reason);
    return NULL;
  }
  if (reason != NULL)
    GST_WARNING ("%s", reason);
  g_free (reason);

  gst_bufalloc_connection_set_heap (connection, heap_id);
  gst_bufalloc_connection_set_device_list (connection, devices);
  allocator = gst_bufalloc_allocator_new_on (connection);
  gst_object_unref (connection);

  return allocator;
}

/**
 * gst_bufalloc_allocator_get_heap:
 * @self: a #GstBufallocAllocator
 *
 * Returns: where memory that is allocated now comes from
 *
 * Since: 0.1
 */
enum bufalloc_heap
gst_bufalloc_allocator_get_heap (GstBufallocAllocator * self)
{
  enum bufalloc_heap heap = BUFALLOC_AUTO;

  g_mutex_lock (&self->opening);
  if (self->connection != NULL)
    heap = gst_bufalloc_connection_get_heap (self->connection);
  g_mutex_unlock (&self->opening);

  return heap;
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
