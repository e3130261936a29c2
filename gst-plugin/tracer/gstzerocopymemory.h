/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef __GST_ZEROCOPY_MEMORY_H__
#define __GST_ZEROCOPY_MEMORY_H__

#include <gst/gst.h>

G_BEGIN_DECLS

/**
 * GstZerocopyMemory:
 * @id: the same for as long as it is the same memory, else another
 * @type: what it is, for people: "dma-buf", "system", "memfd", "V4l2Memory"
 * @is_dmabuf: whether devices can share it
 * @size: its bytes
 *
 * What a #GstMemory is. It has no reference to it.
 *
 * Since: 0.1
 */
typedef struct
{
  guint64 id;
  const gchar *type;
  gboolean is_dmabuf;
  gsize size;
} GstZerocopyMemory;

#define GST_ZEROCOPY_SAMPLES 64

/**
 * GstZerocopySample:
 * @id: of which memory
 * @size: its bytes
 *
 * Some of the contents of a memory, from places that are the same in all memories
 * of one size.
 *
 * Since: 0.1
 */
typedef struct
{
  guint64 id;
  gsize size;
  guint32 words[GST_ZEROCOPY_SAMPLES];
} GstZerocopySample;

/**
 * GstZerocopyTouched:
 *
 * The CPU has mapped @memory: @flags has #GST_MAP_READ, #GST_MAP_WRITE or both;
 * @data is where it begins. Called in the thread that maps, with any lock held.
 *
 * Since: 0.1
 */
typedef void (*GstZerocopyTouched) (const GstZerocopyMemory * memory,
    gconstpointer data, GstMapFlags flags);

/**
 * GstZerocopyCopied:
 *
 * gst_memory_copy() has copied so many bytes. Called as #GstZerocopyTouched is.
 *
 * Since: 0.1
 */
typedef void (*GstZerocopyCopied) (gsize size);

G_GNUC_INTERNAL
void gst_zerocopy_memory_start (gsize min_size, GstZerocopyTouched touched,
                                GstZerocopyCopied copied);

G_GNUC_INTERNAL
void gst_zerocopy_memory_stop (void);

G_GNUC_INTERNAL
void gst_zerocopy_memory_watch (GstAllocator * allocator);

G_GNUC_INTERNAL
void gst_zerocopy_memory_identify (GstMemory * mem, GstZerocopyMemory * out);

G_GNUC_INTERNAL
void gst_zerocopy_sample_take (GstZerocopySample * sample, guint64 id,
                               gconstpointer data, gsize size);

G_GNUC_INTERNAL
gboolean gst_zerocopy_sample_map (GstZerocopySample * sample,
                                  GstMemory * mem);

G_GNUC_INTERNAL
gboolean gst_zerocopy_sample_is_alike (const GstZerocopySample * a,
                                       const GstZerocopySample * b);

G_GNUC_INTERNAL
guint gst_zerocopy_memory_unwatched (void);

G_END_DECLS

#endif /* __GST_ZEROCOPY_MEMORY_H__ */
