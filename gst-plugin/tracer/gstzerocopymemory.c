/* SPDX-License-Identifier: LGPL-2.1-or-later */

/**
 * SECTION:gstzerocopymemory
 * @title: GstZerocopyMemory
 * @short_description: which memory it is, and who maps it
 *
 * GStreamer has no tracer hook for a memory that is mapped. But each allocator
 * carries its functions for that as public members of the instance, and
 * gst_memory_map() calls them from there: ours are put in their place and call
 * the original ones. That sees everybody's maps, also those of memory which
 * never leaves an element (a display's own frame buffer), because the hook
 * "object-created" shows each allocator before its first memory is made.
 *
 * Memory is recognised by what the kernel calls it where it is a file: a dma-buf
 * has one inode for its whole life, however often its file descriptor is
 * duplicated. Other memory gets a number that goes with it, because an address
 * is soon used again for other memory. Both are kept with the #GstMemory (as
 * qdata), so that the kernel is asked once for each and not for each frame. No
 * reference is taken: memory that has another owner is no longer writable, and
 * elements would begin to copy because somebody looks.
 *
 * Since: 0.1
 */

#ifdef HAVE_CONFIG_H
#include "config.h"
#endif

#include "gstzerocopymemory.h"

#include <gst/allocators/gstdmabuf.h>

#include <linux/magic.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/vfs.h>

/* More allocators at the same time than any pipeline has. */
#define MAX_ALLOCATORS 512

/* The first of the flags that others define is libgstvideo's, and says nothing of
 * where the memory is: GST_VIDEO_FRAME_MAP_FLAG_NO_REF. */
#define CPU_FLAGS (GST_MAP_FLAG_LAST * 2 - 1)

typedef enum
{
  KIND_OTHER,                   /* the allocator's word for it */
  KIND_DMABUF,
  KIND_SHM,                     /* memfd, shm_open() */
  KIND_FILE,
  N_KINDS
} Kind;

/* What is kept with a memory: a number, and what kind in the lowest bits. */
#define KIND_BITS 2

/* An allocator whose functions are ours now. A slot is free while @allocator is
 * NULL; it is filled before the allocator's functions are changed, and is looked
 * up without a lock, for an allocator that cannot go meanwhile: it has memory. */
typedef struct
{
  GstAllocator *allocator;      /* atomic */
  GstMemoryMapFunction map;
  GstMemoryMapFullFunction map_full;
  GstMemoryCopyFunction copy;
} Slot;

static Slot slots[MAX_ALLOCATORS];
static gint n_slots;            /* atomic: as many have ever been used */
static gint n_unwatched;        /* atomic */
static GMutex slots_lock;       /* for those who fill a slot */

static gint active;             /* atomic */
static gsize touched_min;
static GstZerocopyTouched touched_func;
static GstZerocopyCopied copied_func;
static GQuark id_quark;
static gsize last_number;       /* atomic */
/* Set while what a thread maps does not count: gst_memory_copy() maps, too, and so
 * do we. */
static GPrivate copying;

static Slot *
find_slot (GstAllocator * allocator)
{
  gint i, n = g_atomic_int_get (&n_slots);

  for (i = 0; i < n; i++) {
    if (g_atomic_pointer_get (&slots[i].allocator) == allocator)
      return &slots[i];
  }

  return NULL;
}

static void
note_map (GstMemory * mem, gconstpointer data, GstMapFlags flags)
{
  GstZerocopyMemory memory;

  /* what has flags of an allocator's own is mapped for a GPU, not for the CPU */
  if (mem->size < touched_min || (flags & ~CPU_FLAGS) != 0
      || !g_atomic_int_get (&active) || g_private_get (&copying) != NULL)
    return;

  gst_zerocopy_memory_identify (mem, &memory);
  touched_func (&memory, (const guint8 *) data + mem->offset,
      flags & GST_MAP_READWRITE);
}

static gpointer
watched_map (GstMemory * mem, gsize maxsize, GstMapFlags flags)
{
  Slot *slot = find_slot (mem->allocator);
  gpointer data = slot != NULL ? slot->map (mem, maxsize, flags) : NULL;

  if (data != NULL)
    note_map (mem, data, flags);

  return data;
}

static gpointer
watched_map_full (GstMemory * mem, GstMapInfo * info, gsize maxsize)
{
  Slot *slot = find_slot (mem->allocator);
  gpointer data = slot != NULL ? slot->map_full (mem, info, maxsize) : NULL;

  if (data != NULL)
    note_map (mem, data, info->flags);

  return data;
}

static GstMemory *
watched_copy (GstMemory * mem, gssize offset, gssize size)
{
  Slot *slot = find_slot (mem->allocator);
  gboolean outermost = g_private_get (&copying) == NULL;
  GstMemory *copy;

  if (slot == NULL)
    return NULL;
  if (outermost)
    g_private_set (&copying, slot);
  copy = slot->copy (mem, offset, size);
  if (outermost)
    g_private_set (&copying, NULL);

  if (copy != NULL && outermost && copy->size >= touched_min
      && g_atomic_int_get (&active))
    copied_func (copy->size);

  return copy;
}

/* The last reference is going, so there is no memory of it any more. */
static void
allocator_gone (gpointer data, GObject * where)
{
  Slot *slot = data;

  g_atomic_pointer_set (&slot->allocator, NULL);
}

static gboolean
is_watched (GstAllocator * allocator)
{
  return allocator->mem_map == watched_map
      || allocator->mem_map_full == watched_map_full;
}

/**
 * gst_zerocopy_memory_watch:
 * @allocator: a #GstAllocator
 *
 * See each map and copy of its memory from now on. Does nothing the second time.
 *
 * Since: 0.1
 */
void
gst_zerocopy_memory_watch (GstAllocator * allocator)
{
  Slot *slot = NULL;
  gint i;

  if (is_watched (allocator))
    return;

  g_mutex_lock (&slots_lock);
  /* some time after it was created, an allocator may have set its own again */
  slot = find_slot (allocator);
  for (i = 0; i < MAX_ALLOCATORS && slot == NULL; i++) {
    if (slots[i].allocator == NULL)
      slot = &slots[i];
  }
  if (slot == NULL) {
    g_atomic_int_inc (&n_unwatched);
  } else if (!is_watched (allocator)) {
    gboolean is_new = slot->allocator == NULL;

    if (allocator->mem_map != watched_map)
      slot->map = allocator->mem_map;
    if (allocator->mem_map_full != watched_map_full)
      slot->map_full = allocator->mem_map_full;
    if (allocator->mem_copy != watched_copy)
      slot->copy = allocator->mem_copy;
    g_atomic_pointer_set (&slot->allocator, allocator);
    if (slot - slots >= g_atomic_int_get (&n_slots))
      g_atomic_int_set (&n_slots, slot - slots + 1);

    if (slot->map_full != NULL)
      g_atomic_pointer_set (&allocator->mem_map_full, watched_map_full);
    if (slot->map != NULL)
      g_atomic_pointer_set (&allocator->mem_map, watched_map);
    if (slot->copy != NULL)
      g_atomic_pointer_set (&allocator->mem_copy, watched_copy);
    if (is_new)
      g_object_weak_ref (G_OBJECT (allocator), allocator_gone, slot);
  }
  g_mutex_unlock (&slots_lock);
}

/* Asks the kernel. The inode, or a number that goes with the memory. */
static gsize
number_memory (GstMemory * root)
{
  gsize number = 0;
  Kind kind = KIND_OTHER;
  struct statfs fs;
  struct stat st;

  if (gst_is_fd_memory (root)
      && fstat (gst_fd_memory_get_fd (root), &st) == 0) {
    number = st.st_ino;
    if (gst_is_dmabuf_memory (root))
      kind = KIND_DMABUF;
    else if (fstatfs (gst_fd_memory_get_fd (root), &fs) == 0
        && fs.f_type == TMPFS_MAGIC)
      kind = KIND_SHM;
    else
      kind = KIND_FILE;
  } else {
    number = g_atomic_pointer_add (&last_number, 1) + 1;
  }

  return number << KIND_BITS | kind;
}

/* A reader that needs no lock: what is kept is a number, not an object. */
static gsize
memory_number (GstMemory * root)
{
  gsize number =
      GPOINTER_TO_SIZE (gst_mini_object_get_qdata (GST_MINI_OBJECT_CAST (root),
          id_quark));

  if (number == 0) {
    number = number_memory (root);
    gst_mini_object_set_qdata (GST_MINI_OBJECT_CAST (root), id_quark,
        GSIZE_TO_POINTER (number), NULL);
  }

  return number;
}

static const gchar *
type_name (Kind kind, GstMemory * root)
{
  static const gchar *const names[N_KINDS] = {
    [KIND_DMABUF] = "dma-buf",
    [KIND_SHM] = "shm",
    [KIND_FILE] = "file",
  };
  const gchar *type = root->allocator->mem_type;

  if (kind != KIND_OTHER)
    return names[kind];
  if (type == NULL)
    return g_intern_string (G_OBJECT_TYPE_NAME (root->allocator));
  if (g_str_equal (type, GST_ALLOCATOR_SYSMEM))
    return "system";

  return g_intern_string (type);
}

/**
 * gst_zerocopy_memory_identify:
 * @mem: a #GstMemory
 * @out: (out): which it is
 *
 * A part of a memory (gst_memory_share()) is the memory that it is a part of.
 *
 * Since: 0.1
 */
void
gst_zerocopy_memory_identify (GstMemory * mem, GstZerocopyMemory * out)
{
  GstMemory *root = mem;
  gsize number;
  Kind kind;

  while (root->parent != NULL)
    root = root->parent;
  number = memory_number (root);
  kind = number & ((1 << KIND_BITS) - 1);

  out->id = number;
  /* one file may have many frames in it; a dma-buf of its own has one */
  if (kind == KIND_SHM || kind == KIND_FILE)
    out->id = (guint64) number ^ (guint64) root->offset << 24;
  out->type = type_name (kind, root);
  out->is_dmabuf = kind == KIND_DMABUF;
  out->size = mem->size;

  gst_zerocopy_memory_watch (root->allocator);
}

/**
 * gst_zerocopy_sample_take:
 * @sample: (out): what is there
 * @id: which memory
 * @data: where it begins
 * @size: its bytes
 *
 * Since: 0.1
 */
void
gst_zerocopy_sample_take (GstZerocopySample * sample, guint64 id,
    gconstpointer data, gsize size)
{
  gsize i;

  sample->id = id;
  sample->size = size;
  memset (sample->words, 0, sizeof (sample->words));
  for (i = 0; size >= 4 && i < GST_ZEROCOPY_SAMPLES; i++)
    memcpy (&sample->words[i], (const guint8 *) data
        + (size - 4) / (GST_ZEROCOPY_SAMPLES - 1) * i, 4);
}

/**
 * gst_zerocopy_sample_map:
 * @sample: (out): what is there
 * @mem: a #GstMemory
 *
 * Maps it for that, without counting this.
 *
 * Returns: whether it could be mapped
 *
 * Since: 0.1
 */
gboolean
gst_zerocopy_sample_map (GstZerocopySample * sample, GstMemory * mem)
{
  GstZerocopyMemory memory;
  GstMapInfo info;
  gboolean ok;

  gst_zerocopy_memory_identify (mem, &memory);
  g_private_set (&copying, sample);
  ok = gst_memory_map (mem, &info, GST_MAP_READ);
  if (ok) {
    gst_zerocopy_sample_take (sample, memory.id, info.data, info.size);
    gst_memory_unmap (mem, &info);
  }
  g_private_set (&copying, NULL);

  return ok;
}

/**
 * gst_zerocopy_sample_is_alike:
 * @a: a sample
 * @b: another one
 *
 * Returns: whether at least half of the contents are the same. A picture of one
 * colour is like none: it proves nothing
 *
 * Since: 0.1
 */
gboolean
gst_zerocopy_sample_is_alike (const GstZerocopySample * a,
    const GstZerocopySample * b)
{
  guint same = 0, first = 0, i;

  if (a->size != b->size)
    return FALSE;
  for (i = 0; i < GST_ZEROCOPY_SAMPLES; i++) {
    same += a->words[i] == b->words[i];
    first += a->words[i] == a->words[0];
  }

  return same * 2 >= GST_ZEROCOPY_SAMPLES && first < GST_ZEROCOPY_SAMPLES;
}

/**
 * gst_zerocopy_memory_start:
 * @min_size: bytes of the smallest memory whose maps and copies count
 * @touched: what to call for a map
 * @copied: what to call for a copy
 *
 * Since: 0.1
 */
void
gst_zerocopy_memory_start (gsize min_size, GstZerocopyTouched touched,
    GstZerocopyCopied copied)
{
  GstAllocator *system = gst_allocator_find (GST_ALLOCATOR_SYSMEM);

  id_quark = g_quark_from_static_string ("gst-zerocopy-memory");
  touched_min = min_size;
  touched_func = touched;
  copied_func = copied;
  g_atomic_int_set (&active, TRUE);

  /* it was there before any tracer */
  gst_zerocopy_memory_watch (system);
  gst_object_unref (system);
}

/**
 * gst_zerocopy_memory_stop:
 *
 * Nothing is reported any more. The allocators keep our functions, because
 * another thread may just be about to call them.
 *
 * Since: 0.1
 */
void
gst_zerocopy_memory_stop (void)
{
  g_atomic_int_set (&active, FALSE);
}

/**
 * gst_zerocopy_memory_unwatched:
 *
 * Returns: how often an allocator came for which there was no room
 *
 * Since: 0.1
 */
guint
gst_zerocopy_memory_unwatched (void)
{
  return g_atomic_int_get (&n_unwatched);
}
