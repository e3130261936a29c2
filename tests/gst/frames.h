/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Frames in memory of all kinds, for test_user.c. */
#ifndef TESTS_GST_FRAMES_H
#define TESTS_GST_FRAMES_H

#include <stdlib.h>
#include <unistd.h>

#include <gst/allocators/gstdmabuf.h>
#include <gst/check/gstcheck.h>

#define PAGE 4096

typedef enum
{
  PAGES,                        /* whole pages from the first byte on */
  NO_TAIL,                      /* they begin with a page and end in one */
  UNALIGNED,                    /* they begin in a page */
  PART,                         /* a part of a larger memory, of whole pages */
  PART_WITH_NEIGHBOUR,          /* that ends within a page */
  OFFSET,                       /* a memory whose first page is skipped */
  READ_ONLY,
  TWO_PLANES,                   /* one memory for each plane of NV12 */
  TWO_HALVES,                   /* two memories that are no planes */
  OTHER_TYPE,                   /* not where its address says */
  DMABUF,
} Kind;

static guint freed;

static void
free_block (gpointer block)
{
  freed++;
  free (block);
}

/* size bytes at offset of a block of length bytes that begins with a page */
static GstMemory *
wrap (gsize length, gsize offset, gsize size, GstMemoryFlags flags)
{
  guint8 *block;
  gsize i;

  fail_unless (posix_memalign ((void **) &block, PAGE,
          GST_ROUND_UP_N (length + 1, PAGE)) == 0);
  for (i = 0; i < length; i++)
    block[i] = i * 7;
  return gst_memory_new_wrapped (flags, block, length, offset, size, block,
      free_block);
}

static GstMemory *
part (gsize length, gsize offset, gsize size)
{
  GstMemory *whole = wrap (length, 0, length, 0), *mem;

  mem = gst_memory_share (whole, offset, size);
  gst_memory_unref (whole);
  return mem;
}

/* A memory type of its own: its map is not what a device would see. */
typedef GstAllocator OtherAllocator;
typedef GstAllocatorClass OtherAllocatorClass;
GType other_allocator_get_type (void);
G_DEFINE_TYPE (OtherAllocator, other_allocator, GST_TYPE_ALLOCATOR)

typedef struct
{
  GstMemory mem;
  guint8 *data;
} OtherMemory;

static gpointer
other_map (GstMemory * mem, gsize maxsize, GstMapFlags flags)
{
  return ((OtherMemory *) mem)->data;
}

static void
other_unmap (GstMemory * mem)
{
}

static GstMemory *
other_alloc (GstAllocator * allocator, gsize size, GstAllocationParams * params)
{
  OtherMemory *mem = g_new0 (OtherMemory, 1);

  fail_unless (posix_memalign ((void **) &mem->data, PAGE,
          GST_ROUND_UP_N (size, PAGE)) == 0);
  memset (mem->data, 1, size);
  gst_memory_init (&mem->mem, 0, allocator, NULL, size, PAGE - 1, 0, size);
  return &mem->mem;
}

static void
other_free (GstAllocator * allocator, GstMemory * mem)
{
  free (((OtherMemory *) mem)->data);
  g_free (mem);
}

static void
other_allocator_class_init (OtherAllocatorClass * klass)
{
  klass->alloc = other_alloc;
  klass->free = other_free;
}

static void
other_allocator_init (OtherAllocator * allocator)
{
  allocator->mem_type = "other";
  allocator->mem_map = other_map;
  allocator->mem_unmap = other_unmap;
}

static GstMemory *
other_memory (gsize size)
{
  GstAllocator *allocator = g_object_new (other_allocator_get_type (), NULL);
  GstMemory *mem = gst_allocator_alloc (allocator, size, NULL);

  gst_object_ref_sink (allocator);
  gst_object_unref (allocator);
  return mem;
}

static GstMemory *
dmabuf (gsize size)
{
  GstAllocator *allocator = gst_dmabuf_allocator_new ();
  gint fd = g_file_open_tmp (NULL, NULL, NULL);
  GstMemory *mem;

  fail_unless (ftruncate (fd, size) == 0);
  mem = gst_dmabuf_allocator_alloc (allocator, fd, size);
  gst_object_unref (allocator);
  return mem;
}

static GstBuffer *
make_frame (Kind kind, gsize size)
{
  gsize pages = GST_ROUND_UP_N (size, PAGE);
  GstBuffer *buffer = gst_buffer_new ();
  GstMemory *mem, *second = NULL;

  switch (kind) {
    case PAGES:
      mem = wrap (pages, 0, size, 0);
      break;
    case NO_TAIL:
      mem = wrap (size, 0, size, 0);
      break;
    case UNALIGNED:
      mem = wrap (pages + PAGE, 16, size, 0);
      break;
    case PART:
      mem = part (pages * 2, pages, pages);
      break;
    case PART_WITH_NEIGHBOUR:
      mem = part (pages * 2, pages, size);
      break;
    case OFFSET:
      mem = wrap (pages + PAGE, PAGE, size, 0);
      break;
    case READ_ONLY:
      mem = wrap (pages, 0, size, GST_MEMORY_FLAG_READONLY);
      break;
    case TWO_PLANES:
      mem = wrap (size * 2 / 3, 0, size * 2 / 3, 0);
      second = wrap (size / 3, 0, size / 3, 0);
      break;
    case TWO_HALVES:
      mem = wrap (size / 2, 0, size / 2, 0);
      second = wrap (size / 2, 0, size / 2, 0);
      break;
    case OTHER_TYPE:
      mem = other_memory (size);
      break;
    case DMABUF:
    default:
      mem = dmabuf (pages);
      break;
  }
  gst_buffer_append_memory (buffer, mem);
  if (second != NULL)
    gst_buffer_append_memory (buffer, second);
  GST_BUFFER_PTS (buffer) = 42;
  GST_BUFFER_FLAG_SET (buffer, GST_BUFFER_FLAG_MARKER);
  gst_buffer_add_reference_timestamp_meta (buffer, gst_caps_new_empty_simple
      ("timestamp/x-test"), 7, 1);
  return buffer;
}

#endif /* TESTS_GST_FRAMES_H */
