/* SPDX-License-Identifier: LGPL-2.1-or-later */

/**
 * SECTION:gstbufallocuser
 * @title: GstBufallocUserAllocator
 * @short_description: somebody else's memory as dma-bufs, without a copy
 *
 * A #GstDmaBufAllocator that allocates nothing: it makes a dma-buf of the pages
 * that a #GstMemory is in, where these are the memory's alone. A page that is
 * shared with something else is never handed to a device.
 *
 * The memory that comes of it holds a reference of its source for as long as
 * anybody downstream has it. Then it goes back to its source and waits there:
 * the next frame in the same source is the same memory again, so that importers
 * find what they remembered by it (kmssink its framebuffer), and nothing is
 * pinned or mapped twice. It ends with its source, or with
 * gst_bufalloc_user_allocator_flush().
 *
 * It is read-only, because the source may be somebody else's frame, too (behind
 * a tee). Who maps it for the CPU gets the source mapped.
 *
 * Since: 0.1
 */

#ifdef HAVE_CONFIG_H
#include "config.h"
#endif

#include "gstbufallocuser.h"

#include <errno.h>
#include <unistd.h>

#include <gst/allocators/gstfdmemory.h>

GST_DEBUG_CATEGORY_EXTERN (gst_bufalloc_debug);
#define GST_CAT_DEFAULT gst_bufalloc_debug

struct _GstBufallocUserAllocator
{
  GstDmaBufAllocator parent;

  GstBufallocConnection *connection;
  GList *imports;               /* those that are kept; imports_lock */
  guint64 cpu_reads;            /* protected by the object lock */
};

G_DEFINE_FINAL_TYPE (GstBufallocUserAllocator, gst_bufalloc_user_allocator,
    GST_TYPE_DMABUF_ALLOCATOR)

/* One dma-buf. It belongs to its memory. */
typedef struct
{
  GstBufallocUserAllocator *allocator;  /* kept by the memory */
  GstMemory *memory;
  struct bufalloc_buf *buf;
  gconstpointer data;
  gsize length;                 /* whole pages from data on */

  GstMemory *source;            /* a reference if and only if in_use */
  GPtrArray *siblings;          /* the source's, if kept */
  gboolean kept;                /* its end is not the end of its last user */
  gboolean in_use;              /* else the source has the reference of memory */
} Import;

/* Protects the lists of imports, of sources and of allocators, and kept and
 * in_use. Nothing is unreferenced and no kernel is called with it. */
static GMutex imports_lock;

/* What else there is to know about a memory: of a source a GPtrArray of its
 * imports, of our memory its Import. */
static GQuark
imports_quark (void)
{
  return g_quark_from_static_string ("GstBufallocImports");
}

static GQuark
import_quark (void)
{
  return g_quark_from_static_string ("GstBufallocImport");
}

static Import *
get_import (GstMemory * mem)
{
  while (mem->parent != NULL)
    mem = mem->parent;

  return gst_mini_object_get_qdata (GST_MINI_OBJECT_CAST (mem),
      import_quark ());
}

/* The memory is being freed. */
static void
import_free (gpointer data)
{
  Import *import = data;

  GST_DEBUG_OBJECT (import->allocator, "memory %p at %p is let go",
      import->memory, import->data);
  bufalloc_buf_destroy (import->buf);
  if (import->in_use)
    gst_memory_unref (import->source);
  g_free (import);
}

/* Called with imports_lock. */
static void
import_forget (Import * import)
{
  import->kept = FALSE;
  g_ptr_array_remove_fast (import->siblings, import);
  import->siblings = NULL;
  import->allocator->imports = g_list_remove (import->allocator->imports,
      import);
}

/* The last user of the memory is done: it waits for the source's next frame. */
static gboolean
import_dispose (GstMiniObject * object)
{
  GstMemory *mem = GST_MEMORY_CAST (object), *source;
  Import *import = get_import (mem);

  g_mutex_lock (&imports_lock);
  if (!import->kept) {
    g_mutex_unlock (&imports_lock);
    return TRUE;
  }
  gst_memory_ref (mem);
  import->in_use = FALSE;
  source = import->source;
  g_mutex_unlock (&imports_lock);

  gst_memory_unref (source);
  return FALSE;
}

static void
unref_memory (gpointer mem)
{
  gst_memory_unref (mem);
}

/* The source is being freed, so none of its imports is in use. */
static void
source_gone (gpointer data)
{
  GPtrArray *imports = data;
  GList *memories = NULL;

  g_mutex_lock (&imports_lock);
  while (imports->len > 0) {
    Import *import = imports->pdata[0];

    memories = g_list_prepend (memories, import->memory);
    import_forget (import);
  }
  g_mutex_unlock (&imports_lock);

  g_list_free_full (memories, unref_memory);
  g_ptr_array_unref (imports);
}

/**
 * gst_bufalloc_user_allocator_flush:
 * @self: a #GstBufallocUserAllocator
 *
 * Let go of what nobody uses, and of the rest as soon as nobody does.
 *
 * Since: 0.1
 */
void
gst_bufalloc_user_allocator_flush (GstBufallocUserAllocator * self)
{
  GList *memories = NULL;

  g_mutex_lock (&imports_lock);
  while (self->imports != NULL) {
    Import *import = self->imports->data;

    if (!import->in_use)
      memories = g_list_prepend (memories, import->memory);
    import_forget (import);
  }
  g_mutex_unlock (&imports_lock);

  g_list_free_full (memories, unref_memory);
}

/* One more reference, unless the last one is just being given up. */
static gboolean
try_ref (GstMemory * mem)
{
  gint count;

  do {
    count = g_atomic_int_get (&mem->mini_object.refcount);
    if (count == 0)
      return FALSE;
  } while (!g_atomic_int_compare_and_exchange (&mem->mini_object.refcount,
          count, count + 1));

  return TRUE;
}

/* The memory that the source was imported as before, or NULL. What is in the way
 * of another one goes to stale. */
static GstMemory *
find_import (GstBufallocUserAllocator * self, GstMemory * source,
    gconstpointer data, gsize size, GstMemory ** stale)
{
  GPtrArray *imports;
  GstMemory *found = NULL;
  guint i;

  *stale = NULL;
  g_mutex_lock (&imports_lock);
  imports = gst_mini_object_get_qdata (GST_MINI_OBJECT_CAST (source),
      imports_quark ());
  for (i = 0; imports != NULL && i < imports->len; i++) {
    Import *import = imports->pdata[i];

    if (import->allocator != self)
      continue;
    if (import->in_use) {
      if (import->data == data && import->memory->size == size
          && try_ref (import->memory))
        found = import->memory;
    } else if (import->data == data && import->length >= size) {
      import->in_use = TRUE;
      gst_memory_ref (source);
      found = import->memory;
      gst_memory_resize (found, 0, size);
    } else {
      *stale = import->memory;
      import_forget (import);
    }
    break;
  }
  g_mutex_unlock (&imports_lock);

  return found;
}

/* Whether the source can keep it: there is no other one of ours. */
static void
keep_import (Import * import)
{
  GstMiniObject *source = GST_MINI_OBJECT_CAST (import->source);
  GPtrArray *imports;
  guint i;

  g_mutex_lock (&imports_lock);
  imports = gst_mini_object_get_qdata (source, imports_quark ());
  if (imports == NULL) {
    imports = g_ptr_array_new ();
    gst_mini_object_set_qdata (source, imports_quark (), imports, source_gone);
  }
  for (i = 0; i < imports->len; i++) {
    Import *other = imports->pdata[i];

    if (other->allocator == import->allocator)
      break;
  }
  if (i == imports->len) {
    import->kept = TRUE;
    import->siblings = imports;
    g_ptr_array_add (imports, import);
    import->allocator->imports = g_list_prepend (import->allocator->imports,
        import);
  }
  g_mutex_unlock (&imports_lock);
}

/* Takes buf. */
static GstMemory *
make_memory (GstBufallocUserAllocator * self, GstMemory * source,
    gconstpointer data, gsize size, gsize length, struct bufalloc_buf *buf)
{
  Import *import;
  GstMemory *mem;

  mem = gst_dmabuf_allocator_alloc_with_flags (GST_ALLOCATOR (self),
      bufalloc_buf_get_fd (buf), length, GST_FD_MEMORY_FLAG_DONT_CLOSE);
  if (mem == NULL) {
    bufalloc_buf_destroy (buf);
    return NULL;
  }
  gst_memory_resize (mem, 0, size);
  GST_MINI_OBJECT_FLAG_SET (mem, GST_MEMORY_FLAG_READONLY);

  import = g_new0 (Import, 1);
  import->allocator = self;
  import->memory = mem;
  import->buf = buf;
  import->data = data;
  import->length = length;
  import->source = gst_memory_ref (source);
  import->in_use = TRUE;
  gst_mini_object_set_qdata (GST_MINI_OBJECT_CAST (mem), import_quark (),
      import, import_free);
  mem->mini_object.dispose = import_dispose;
  keep_import (import);

  GST_DEBUG_OBJECT (self, "memory %p: %" G_GSIZE_FORMAT " bytes of memory %p "
      "at %p, imported", mem, size, source, data);

  return mem;
}

/* Memory whose address is where the frame is, now and as long as it lives. */
static gboolean
has_address (GstMemory * mem)
{
  return gst_memory_is_type (mem, GST_ALLOCATOR_SYSMEM)
      || gst_memory_is_type (mem, "V4l2Memory") || gst_is_fd_memory (mem);
}

/* 0 and how many bytes are to be imported, or a negative errno and why not. */
static gint
check_pages (GstMemory * source, const GstMapInfo * map, gsize * length,
    gchar ** reason)
{
  gsize page = sysconf (_SC_PAGESIZE);
  gsize offset = (gsize) map->data & (page - 1), own;

  if (offset != 0) {
    *reason = g_strdup_printf ("its frames begin %" G_GSIZE_FORMAT " bytes "
        "after the beginning of a page, and a device maps whole pages", offset);
    return -EINVAL;
  }

  /* what is behind a part of a memory is somebody else's part */
  own = source->parent == NULL ? map->maxsize : map->size;
  *length = (map->size + page - 1) & ~(page - 1);
  if (map->size == 0 || *length > own) {
    *reason = g_strdup_printf ("the last page of its frames is not theirs "
        "alone: %" G_GSIZE_FORMAT " bytes with room for %" G_GSIZE_FORMAT
        ", and a device maps whole pages of %" G_GSIZE_FORMAT, map->size, own,
        page);
    return -ERANGE;
  }

  return 0;
}

/* A part of a memory is always read-only to GStreamer. */
static gboolean
is_read_only (GstMemory * mem)
{
  while (mem->parent != NULL)
    mem = mem->parent;

  return GST_MEMORY_IS_READONLY (mem);
}

static gint
import_pages (GstBufallocUserAllocator * self, GstMemory * source,
    gconstpointer data, gsize length, struct bufalloc_buf **buf,
    gchar ** reason)
{
  gboolean read_only = is_read_only (source);
  gint err;

  err = gst_bufalloc_connection_import (self->connection, data, length,
      read_only, buf, reason);
  if (err == -ENOMEM) {
    /* what nobody uses counts against the same limit */
    g_clear_pointer (reason, g_free);
    gst_bufalloc_user_allocator_flush (self);
    err = gst_bufalloc_connection_import (self->connection, data, length,
        read_only, buf, reason);
  }
  if (err == 0 && bufalloc_buf_get_offset (*buf) != 0) {
    bufalloc_buf_destroy (*buf);
    *reason = g_strdup ("its frames begin in the middle of a dma-buf, where "
        "V4L2 takes none from");
    err = -EOPNOTSUPP;
  }

  return err;
}

/**
 * gst_bufalloc_user_allocator_import:
 * @self: a #GstBufallocUserAllocator
 * @source: (transfer none): memory that somebody else allocated
 * @err: (out): a negative errno, on failure
 * @reason: (out) (transfer full): on failure, the end of a sentence that says why
 *
 * Returns: (transfer full) (nullable): a memory of the same pages that is a
 * dma-buf, or %NULL
 *
 * Since: 0.1
 */
GstMemory *
gst_bufalloc_user_allocator_import (GstBufallocUserAllocator * self,
    GstMemory * source, gint * err, gchar ** reason)
{
  GstMemory *mem = NULL, *stale;
  struct bufalloc_buf *buf = NULL;
  GstMapInfo map;
  gsize length;

  *reason = NULL;
  *err = 0;
  if (!has_address (source)) {
    *err = -EOPNOTSUPP;
    *reason = g_strdup_printf ("its frames are memory of the type %s",
        source->allocator->mem_type);
    return NULL;
  }
  if (!gst_memory_map (source, &map, GST_MAP_READ)) {
    *err = -EACCES;
    *reason = g_strdup ("its frames cannot be mapped");
    return NULL;
  }

  mem = find_import (self, source, map.data, map.size, &stale);
  g_clear_pointer (&stale, gst_memory_unref);
  if (mem != NULL) {
    /* The CPU has written the next frame. The access was begun by nobody, as
     * nobody knew of it, but its end is what makes devices see it. */
    (void) bufalloc_buf_end (get_import (mem)->buf, BUFALLOC_WRITE);
  } else {
    *err = check_pages (source, &map, &length, reason);
    if (*err == 0)
      *err = import_pages (self, source, map.data, length, &buf, reason);
    if (*err == 0)
      mem = make_memory (self, source, map.data, map.size, length, buf);
  }
  gst_memory_unmap (source, &map);

  return mem;
}

/**
 * gst_is_bufalloc_user_memory:
 * @mem: a #GstMemory
 *
 * Returns: whether @mem was imported by a #GstBufallocUserAllocator
 *
 * Since: 0.1
 */
gboolean
gst_is_bufalloc_user_memory (GstMemory * mem)
{
  return GST_IS_BUFALLOC_USER_ALLOCATOR (mem->allocator);
}

/**
 * gst_bufalloc_user_allocator_get_cpu_reads:
 * @self: a #GstBufallocUserAllocator
 *
 * Returns: times that one of its memories was mapped to be read by the CPU
 *
 * Since: 0.1
 */
guint64
gst_bufalloc_user_allocator_get_cpu_reads (GstBufallocUserAllocator * self)
{
  guint64 reads;

  GST_OBJECT_LOCK (self);
  reads = self->cpu_reads;
  GST_OBJECT_UNLOCK (self);

  return reads;
}

static gpointer
gst_bufalloc_user_allocator_mem_map (GstMemory * mem, GstMapInfo * info,
    gsize maxsize)
{
  GstBufallocUserAllocator *self =
      GST_BUFALLOC_USER_ALLOCATOR (mem->allocator);
  GstMapInfo *map = g_new0 (GstMapInfo, 1);

  if (!gst_memory_map (get_import (mem)->source, map,
          info->flags & GST_MAP_READWRITE)) {
    g_free (map);
    return NULL;
  }
  info->user_data[0] = map;

  GST_OBJECT_LOCK (self);
  self->cpu_reads++;
  GST_OBJECT_UNLOCK (self);
  GST_LOG_OBJECT (self, "memory %p is mapped for the CPU", mem);

  return map->data;
}

static void
gst_bufalloc_user_allocator_mem_unmap (GstMemory * mem, GstMapInfo * info)
{
  GstMapInfo *map = info->user_data[0];

  gst_memory_unmap (get_import (mem)->source, map);
  g_free (map);
}

static void
gst_bufalloc_user_allocator_finalize (GObject * object)
{
  GstBufallocUserAllocator *self = GST_BUFALLOC_USER_ALLOCATOR (object);

  gst_object_unref (self->connection);

  G_OBJECT_CLASS (gst_bufalloc_user_allocator_parent_class)->finalize (object);
}

static void
gst_bufalloc_user_allocator_class_init (GstBufallocUserAllocatorClass * klass)
{
  G_OBJECT_CLASS (klass)->finalize = gst_bufalloc_user_allocator_finalize;
}

static void
gst_bufalloc_user_allocator_init (GstBufallocUserAllocator * self)
{
  GstAllocator *allocator = GST_ALLOCATOR (self);

  allocator->mem_type = GST_ALLOCATOR_BUFALLOC_USER;
  allocator->mem_map_full = gst_bufalloc_user_allocator_mem_map;
  allocator->mem_unmap_full = gst_bufalloc_user_allocator_mem_unmap;
}

/**
 * gst_bufalloc_user_allocator_new:
 * @connection: (transfer none): what makes the dma-bufs
 *
 * Returns: (transfer full): a new allocator
 *
 * Since: 0.1
 */
GstBufallocUserAllocator *
gst_bufalloc_user_allocator_new (GstBufallocConnection * connection)
{
  GstBufallocUserAllocator *self =
      g_object_new (GST_TYPE_BUFALLOC_USER_ALLOCATOR, NULL);

  gst_object_ref_sink (self);
  self->connection = gst_object_ref (connection);

  return self;
}
