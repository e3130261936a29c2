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
 * element that the allocator reports to.
 *
 * Where the module is not there, the buffers come from what else the machine has,
 * as libbufalloc finds it: dma-heaps, udmabuf, dumb buffers of the display.
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

#include "gstbufallocdevices.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

GST_DEBUG_CATEGORY_EXTERN (gst_bufalloc_debug);
#define GST_CAT_DEFAULT gst_bufalloc_debug

struct _GstBufallocAllocator
{
  GstDmaBufAllocator parent;

  /* The element that errors are posted to. Weak: the memories keep the
   * allocator alive, and they may outlive the element. */
  GWeakRef reporter;
  gchar *name;

  GMutex lock;                  /* one thread at a time in ctx */
  struct bufalloc_ctx *ctx;
  gboolean has_module;          /* else ctx knows the other backends */

  gint heap;                    /* enum bufalloc_heap, atomic */
  gint chosen_heap;             /* of the newest memory, atomic */
  gchar *device_list;           /* protected by the object lock */
  gboolean said;                /* the choice below; all protected by lock */
  enum bufalloc_heap said_heap;
  guint32 said_reason;
  gint said_device;
  GstBufallocCounts counts;     /* protected by the object lock */

  gpointer (*parent_map) (GstMemory * mem, GstMapInfo * info, gsize maxsize);
};

G_DEFINE_FINAL_TYPE (GstBufallocAllocator, gst_bufalloc_allocator,
    GST_TYPE_DMABUF_ALLOCATOR)

/**
 * gst_bufalloc_heap_get_type:
 *
 * Returns: the type of the property that names a heap
 *
 * Since: 0.1
 */
GType
gst_bufalloc_heap_get_type (void)
{
  static gsize type = 0;
  static const GEnumValue values[] = {
    {BUFALLOC_AUTO, "The cheapest that the devices upstream and downstream can "
          "use", "auto"},
    {BUFALLOC_SYSTEM, "Pages from anywhere, for devices behind an IOMMU and "
          "for drivers that use the CPU", "system"},
    {BUFALLOC_CONTIG, "One physical range below 4 GiB, for devices that take "
          "memory only in one piece", "contig"},
    {BUFALLOC_RESERVED, "One physical range of memory that was set aside for "
          "bufalloc", "reserved"},
    {0, NULL, NULL},
  };

  if (g_once_init_enter (&type))
    g_once_init_leave (&type, g_enum_register_static ("GstBufallocHeap",
            values));

  return type;
}

/**
 * gst_bufalloc_errno_name:
 * @err: an errno value, positive or negative
 *
 * Returns: (transfer none): its name, or "errno" if it has none here
 *
 * Since: 0.1
 */
const gchar *
gst_bufalloc_errno_name (gint err)
{
#define NAME(e) case e: return #e
  switch (ABS (err)) {
      NAME (E2BIG);
      NAME (EACCES);
      NAME (EBADF);
      NAME (EBUSY);
      NAME (EDQUOT);
      NAME (EEXIST);
      NAME (EFAULT);
      NAME (EINTR);
      NAME (EINVAL);
      NAME (EIO);
      NAME (EMFILE);
      NAME (ENFILE);
      NAME (ENODEV);
      NAME (ENOENT);
      NAME (ENOMEM);
      NAME (ENOSPC);
      NAME (ENOSYS);
      NAME (ENOTTY);
      NAME (ENXIO);
      NAME (EOPNOTSUPP);
      NAME (EOVERFLOW);
      NAME (EPERM);
      NAME (ERANGE);
    default:
      return "errno";
  }
#undef NAME
}

/**
 * gst_bufalloc_errno_code:
 * @err: why a node cannot be opened, a negative errno
 *
 * Returns: what GStreamer calls that, a #GstResourceError
 *
 * Since: 0.1
 */
gint
gst_bufalloc_errno_code (gint err)
{
  switch (-err) {
    case ENOENT:
    case ENXIO:
    case ENODEV:
      return GST_RESOURCE_ERROR_NOT_FOUND;
    case EACCES:
    case EPERM:
      return GST_RESOURCE_ERROR_NOT_AUTHORIZED;
    default:
      return GST_RESOURCE_ERROR_OPEN_READ_WRITE;
  }
}

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

/* An error of the element. reason is a sentence. */
static void
gst_bufalloc_allocator_report (GstBufallocAllocator * self, gsize length,
    enum bufalloc_heap heap, gint err, const gchar * reason)
{
  GstElement *reporter;

  GST_ERROR_OBJECT (self, "%s", reason);

  reporter = g_weak_ref_get (&self->reporter);
  if (reporter == NULL)
    return;

  if (err == -ENOMEM || err == -EDQUOT)
    GST_ELEMENT_ERROR (reporter, RESOURCE, NO_SPACE_LEFT, ("%s", reason),
        ("%" G_GSIZE_FORMAT " bytes, heap %s: %s (%d)", length,
            bufalloc_heap_name (heap), gst_bufalloc_errno_name (err), -err));
  else
    GST_ELEMENT_ERROR (reporter, RESOURCE, FAILED, ("%s", reason),
        ("%" G_GSIZE_FORMAT " bytes, heap %s: %s (%d)", length,
            bufalloc_heap_name (heap), gst_bufalloc_errno_name (err), -err));
  gst_object_unref (reporter);
}

/* The devices of the property, or else those on both sides of the element. */
static gint
gst_bufalloc_allocator_open_devices (GstBufallocAllocator * self,
    GstBufallocDevices * devices, gchar ** reason)
{
  GstElement *reporter;
  gchar *list;
  gint err = 0;

  *reason = NULL;
  devices->n = 0;
  GST_OBJECT_LOCK (self);
  list = g_strdup (self->device_list);
  GST_OBJECT_UNLOCK (self);

  if (list != NULL) {
    err = gst_bufalloc_devices_open (devices, list, reason);
    g_free (list);
    return err;
  }
  reporter = g_weak_ref_get (&self->reporter);
  if (reporter != NULL) {
    gst_bufalloc_devices_find (devices, self->ctx, reporter);
    gst_object_unref (reporter);
  }

  return 0;
}

/* The choice is said once, not for each buffer of a pool: they differ in how many
 * segments they have. Called with lock. */
static void
gst_bufalloc_allocator_say (GstBufallocAllocator * self,
    const struct bufalloc_verdict *verdict)
{
  enum bufalloc_heap heap = bufalloc_verdict_get_heap (verdict);
  guint32 reason = bufalloc_verdict_get_reason (verdict);
  gint device = bufalloc_verdict_get_device (verdict);

  if (self->said && self->said_heap == heap && self->said_reason == reason
      && self->said_device == device) {
    GST_DEBUG_OBJECT (self, "%s", bufalloc_verdict_text (verdict));
    return;
  }

  GST_INFO_OBJECT (self, "%s", bufalloc_verdict_text (verdict));
  self->said = TRUE;
  self->said_heap = heap;
  self->said_reason = reason;
  self->said_device = device;
}

/* Of the heap that all devices can use. Called with lock. */
static gint
gst_bufalloc_allocator_alloc_auto (GstBufallocAllocator * self, gsize length,
    struct bufalloc_buf **buf, gchar ** reason)
{
  struct bufalloc_verdict *verdict = NULL;
  GstBufallocDevices devices;
  gint err;

  err = gst_bufalloc_allocator_open_devices (self, &devices, reason);
  if (err == 0)
    err = bufalloc_alloc_for (self->ctx, length, BUFALLOC_AUTO, self->name,
        devices.uses, devices.n, 0, buf, &verdict);
  gst_bufalloc_devices_close (&devices);
  if (verdict == NULL)
    return err;

  if (err < 0) {
    *reason = g_strdup (bufalloc_verdict_text (verdict));
  } else {
    g_atomic_int_set (&self->chosen_heap, bufalloc_verdict_get_heap (verdict));
    gst_bufalloc_allocator_say (self, verdict);
  }
  bufalloc_verdict_destroy (verdict);

  return err;
}

/* From another backend than the module. The devices are in use by the elements
 * that they belong to, so nothing is tried on them: contiguous memory comes first.
 * Called with lock. */
static gint
gst_bufalloc_allocator_alloc_other (GstBufallocAllocator * self, gsize length,
    enum bufalloc_heap heap, struct bufalloc_buf **buf, gchar ** reason)
{
  struct bufalloc_verdict *verdict = NULL;
  struct bufalloc_request *req = NULL;
  GstBufallocDevices devices;
  gint err;
  guint i;

  err = gst_bufalloc_allocator_open_devices (self, &devices, reason);
  if (err == 0)
    err = bufalloc_request_new (&req);
  if (err == 0) {
    bufalloc_request_set_name (req, self->name);
    bufalloc_request_set_flags (req, BUFALLOC_REQUEST_NO_TRIAL);
    err = bufalloc_request_set_length (req, length);
  }
  if (err == 0)
    err = bufalloc_request_set_heap (req, heap);
  for (i = 0; i < devices.n && err == 0; i++)
    err = bufalloc_request_add_device (req, devices.uses[i].fd,
        devices.uses[i].access);
  if (err == 0)
    err = bufalloc_alloc (self->ctx, req, buf, &verdict);
  if (err == 0 && !bufalloc_buf_is_dmabuf (*buf)) {
    bufalloc_buf_destroy (*buf);
    *buf = NULL;
    err = -EOPNOTSUPP;
    *reason = g_strdup ("what allocates here makes no dma-bufs, which devices "
        "could import: set BUFALLOC_BACKEND to another backend, or load "
        "bufalloc.ko with 'modprobe bufalloc', as root");
  } else if (verdict != NULL && err < 0) {
    *reason = g_strdup (bufalloc_verdict_text (verdict));
  } else if (verdict != NULL) {
    gst_bufalloc_allocator_say (self, verdict);
  }
  bufalloc_verdict_destroy (verdict);
  bufalloc_request_destroy (req);
  gst_bufalloc_devices_close (&devices);

  return err;
}

/* Called with lock. On failure reason is a sentence. */
static gint
gst_bufalloc_allocator_alloc_buf (GstBufallocAllocator * self, gsize length,
    enum bufalloc_heap heap, struct bufalloc_buf **buf, gchar ** reason)
{
  gint err;

  *reason = NULL;
  if (!self->has_module) {
    err = gst_bufalloc_allocator_alloc_other (self, length, heap, buf, reason);
  } else if (heap == BUFALLOC_AUTO) {
    err = gst_bufalloc_allocator_alloc_auto (self, length, buf, reason);
  } else {
    err = bufalloc_alloc_bytes (self->ctx, length, heap, self->name, buf);
    if (err == 0)
      g_atomic_int_set (&self->chosen_heap, heap);
  }

  if (err < 0 && *reason == NULL) {
    gchar text[512];

    bufalloc_alloc_strerror (self->ctx, length, heap, err, text, sizeof (text));
    *reason = g_strdup (text);
  }

  return err;
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
  enum bufalloc_heap heap = gst_bufalloc_allocator_get_heap (self);
  struct bufalloc_buf *buf = NULL;
  GstMemory *mem;
  gsize length;
  gchar *reason = NULL;
  gint fd = -1, err;

  if (!g_size_checked_add (&length, size, slack)) {
    GST_ERROR_OBJECT (self, "%" G_GSIZE_FORMAT " bytes and %" G_GSIZE_FORMAT
        " more are too many", size, slack);
    return NULL;
  }

  g_mutex_lock (&self->lock);
  err = gst_bufalloc_allocator_alloc_buf (self, length, heap, &buf, &reason);
  if (err == 0) {
    length = bufalloc_buf_get_length (buf);
    /* the memory outlives buf */
    fd = fcntl (bufalloc_buf_get_fd (buf), F_DUPFD_CLOEXEC, 0);
    if (fd < 0) {
      err = -errno;
      reason = g_strdup (bufalloc_strerror (err));
    }
    bufalloc_buf_destroy (buf);
  }
  g_mutex_unlock (&self->lock);

  if (err < 0) {
    gst_bufalloc_allocator_report (self, length, heap, err, reason);
    g_free (reason);
    return NULL;
  }

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
      bufalloc_heap_name (gst_bufalloc_allocator_get_chosen_heap (self)));

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

  bufalloc_close (self->ctx);
  g_weak_ref_clear (&self->reporter);
  g_free (self->name);
  g_free (self->device_list);
  g_mutex_clear (&self->lock);

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

  g_mutex_init (&self->lock);
  g_weak_ref_init (&self->reporter, NULL);

  allocator->mem_type = GST_ALLOCATOR_BUFALLOC;
  self->parent_map = allocator->mem_map_full;
  allocator->mem_map_full = gst_bufalloc_allocator_mem_map;

  /* the parent classes only wrap file descriptors, we allocate */
  GST_OBJECT_FLAG_UNSET (self, GST_ALLOCATOR_FLAG_CUSTOM_ALLOC);
}

/* A page shows whether there is anything. The name of the backend, or NULL. */
static const gchar *
gst_bufalloc_allocator_probe (struct bufalloc_ctx *ctx)
{
  struct bufalloc_request *req = NULL;
  struct bufalloc_buf *buf = NULL;
  const gchar *backend = NULL;

  if (bufalloc_request_new (&req) == 0
      && bufalloc_request_set_length (req, 1) == 0
      && bufalloc_alloc (ctx, req, &buf, NULL) == 0
      && bufalloc_buf_is_dmabuf (buf))
    backend = bufalloc_buf_get_backend (buf);
  bufalloc_buf_destroy (buf);
  bufalloc_request_destroy (req);

  return backend;
}

/* What else than the module there is, or what BUFALLOC_BACKEND names. */
static struct bufalloc_ctx *
gst_bufalloc_allocator_open_other (const gchar * device, const gchar ** backend)
{
  struct bufalloc_options options = {.size = sizeof (options),.node = device };
  struct bufalloc_ctx *ctx = NULL;

  if (bufalloc_open (&ctx, &options) < 0)
    return NULL;
  *backend = gst_bufalloc_allocator_probe (ctx);
  if (*backend == NULL)
    g_clear_pointer (&ctx, bufalloc_close);

  return ctx;
}

/**
 * gst_bufalloc_allocator_new:
 * @device: (nullable): the module's node, or %NULL for the usual one
 * @reporter: (nullable) (transfer none): the element that errors are posted to;
 *   no reference is kept. Its name becomes the name of the dma-bufs
 * @err: (out): 0, or the negative errno of bufalloc_open_module()
 * @reason: (out) (transfer full): on failure, a sentence that says why and what
 *   to do; also where the buffers come from another backend, because the module
 *   cannot be opened. Else %NULL
 *
 * Returns: (transfer full) (nullable): a new allocator, or %NULL if neither the
 * module can be opened nor anything else makes dma-bufs
 *
 * Since: 0.1
 */
GstAllocator *
gst_bufalloc_allocator_new (const gchar * device, GstElement * reporter,
    gint * err, gchar ** reason)
{
  GstBufallocAllocator *self;
  struct bufalloc_ctx *ctx = NULL;
  const gchar *backend = NULL;

  *reason = NULL;
  *err = bufalloc_open_module (&ctx, device);
  if (*err < 0) {
    gchar text[512];

    bufalloc_open_strerror (device, *err, text, sizeof (text));
    ctx = gst_bufalloc_allocator_open_other (device, &backend);
    if (ctx == NULL) {
      *reason = g_strdup (text);
      return NULL;
    }
    *reason = g_strdup_printf ("%s; meanwhile the buffers come from %s, where "
        "nothing is known of what the devices need", text, backend);
  }

  self = g_object_new (GST_TYPE_BUFALLOC_ALLOCATOR, NULL);
  gst_object_ref_sink (self);
  self->ctx = ctx;
  self->has_module = backend == NULL;
  if (reporter != NULL) {
    self->name = gst_object_get_name (GST_OBJECT (reporter));
    g_weak_ref_set (&self->reporter, reporter);
  }

  return GST_ALLOCATOR (self);
}

/**
 * gst_bufalloc_allocator_set_heap:
 * @self: a #GstBufallocAllocator
 * @heap: where memory that is allocated from now on comes from
 *
 * Since: 0.1
 */
void
gst_bufalloc_allocator_set_heap (GstBufallocAllocator * self,
    enum bufalloc_heap heap)
{
  g_atomic_int_set (&self->heap, heap);
  g_atomic_int_set (&self->chosen_heap, heap);
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
  return g_atomic_int_get (&self->heap);
}

/**
 * gst_bufalloc_allocator_get_chosen_heap:
 * @self: a #GstBufallocAllocator
 *
 * Returns: where the newest memory comes from; what is set if there is none
 *
 * Since: 0.1
 */
enum bufalloc_heap
gst_bufalloc_allocator_get_chosen_heap (GstBufallocAllocator * self)
{
  return g_atomic_int_get (&self->chosen_heap);
}

/**
 * gst_bufalloc_allocator_set_device_list:
 * @self: a #GstBufallocAllocator
 * @list: (nullable): nodes of the devices that %BUFALLOC_AUTO is for, with
 *   commas between them; %NULL for those on both sides of the element
 *
 * Since: 0.1
 */
void
gst_bufalloc_allocator_set_device_list (GstBufallocAllocator * self,
    const gchar * list)
{
  GST_OBJECT_LOCK (self);
  g_free (self->device_list);
  self->device_list = g_strdup (list);
  GST_OBJECT_UNLOCK (self);
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
