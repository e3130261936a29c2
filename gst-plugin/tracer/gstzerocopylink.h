/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef __GST_ZEROCOPY_LINK_H__
#define __GST_ZEROCOPY_LINK_H__

#include <gst/gst.h>

#include "gstzerocopymemory.h"

G_BEGIN_DECLS

#define GST_ZEROCOPY_MAX_MEMORIES 16
/* What an element may have in hand: frames in queues, references of codecs. */
#define GST_ZEROCOPY_RECENT 1024
/* Different memories are counted up to here. */
#define GST_ZEROCOPY_MAX_DISTINCT 64

/**
 * GstZerocopyOutcome:
 * @GST_ZEROCOPY_MADE: a source filled it
 * @GST_ZEROCOPY_PASSED: it came in, and went out in the same memory
 * @GST_ZEROCOPY_COPIED: the same picture in the same format, in other memory; or
 * most of it, where a compositor puts others on top
 * @GST_ZEROCOPY_CONVERTED: the CPU made another picture or format of it
 * @GST_ZEROCOPY_DEVICE: it is in other memory, and no CPU was seen to read it
 *
 * What an element did to a frame that it hands on.
 *
 * Since: 0.1
 */
typedef enum
{
  GST_ZEROCOPY_MADE,
  GST_ZEROCOPY_PASSED,
  GST_ZEROCOPY_COPIED,
  GST_ZEROCOPY_CONVERTED,
  GST_ZEROCOPY_DEVICE,
  GST_ZEROCOPY_N_OUTCOMES
} GstZerocopyOutcome;

/**
 * GstZerocopyFormat:
 *
 * What a link carries. Texts are interned.
 *
 * Since: 0.1
 */
typedef struct
{
  const gchar *media;           /* "video/x-raw", NULL if not known */
  const gchar *format;          /* "NV12", or NULL */
  const gchar *colorimetry;     /* or NULL */
  const gchar *features;        /* "memory:DMABuf", or NULL */
  gint width;
  gint height;
} GstZerocopyFormat;

/**
 * GstZerocopyFrame:
 *
 * A buffer, without a reference to it.
 *
 * Since: 0.1
 */
typedef struct
{
  guint n;
  GstZerocopyMemory memories[GST_ZEROCOPY_MAX_MEMORIES];
  gsize bytes;
  gint stride;                  /* of the first plane, 0 if not said */
} GstZerocopyFrame;

/**
 * GstZerocopyWork:
 *
 * What a thread did by the CPU, since a frame was last handed on.
 *
 * Since: 0.1
 */
typedef struct
{
  guint n_reads;
  guint n_writes;
  GstZerocopyMemory reads[GST_ZEROCOPY_MAX_MEMORIES];
  GstZerocopyMemory writes[GST_ZEROCOPY_MAX_MEMORIES];
  gsize copied;                 /* bytes, by gst_memory_copy() */
  gboolean is_alike;            /* what goes out looks like what was read */
} GstZerocopyWork;

/**
 * GstZerocopyElement:
 *
 * Since: 0.1
 */
typedef struct
{
  gchar *name;
  const gchar *factory;
  const gchar *klass;
  gboolean is_source;
  gboolean is_sink;
  gboolean is_compositor;

  guint64 frames_in;            /* large ones, as all that follows */
  guint64 outcomes[GST_ZEROCOPY_N_OUTCOMES];
  guint64 inner_copies;         /* into memory that it keeps for itself */
  guint64 inner_bytes;
  guint64 memory_copies;        /* by gst_memory_copy() */
  guint64 copied_bytes;         /* of the frames that were copied on */
  guint64 read_frames;          /* of those that came in */
  guint64 in_place;             /* written to where they were */
  const gchar *inner_type;      /* the memory that it copies into */

  GstZerocopyFormat in;
  gint in_stride;
  const gchar *in_type;
  const gchar *out_type;
  gint out_stride;
  gboolean eos;

  /*< private >*/
  guint64 recent[GST_ZEROCOPY_RECENT];
  guint next_recent;
  GstZerocopyWork leftover;
} GstZerocopyElement;

/**
 * GstZerocopyLink:
 *
 * From a source pad to the sink pad that gets the frames in the end.
 *
 * Since: 0.1
 */
typedef struct
{
  gchar *pad;
  gchar *peer;
  GstZerocopyElement *from;
  GstZerocopyElement *to;
  GstZerocopyFormat format;

  guint64 frames;               /* all of them */
  guint64 bytes;
  guint64 large;                /* those that are judged */
  guint64 dmabuf;
  guint64 outcomes[GST_ZEROCOPY_N_OUTCOMES];
  guint64 written;              /* mapped for writing by the one who sent it */
  guint64 read;                 /* mapped for reading by the one who got it */
  const gchar *type;            /* of the first memory of the last frame */
  guint n_memories;
  gint stride;
  GHashTable *distinct;         /* of ids, at most GST_ZEROCOPY_MAX_DISTINCT */
  GPtrArray *inodes;            /* of those that are dma-bufs, as numbers */

  /*< private >*/
  GstZerocopyFrame last;
} GstZerocopyLink;

/**
 * GstZerocopyGraph:
 * @lock: protects all the rest. No other lock is taken while it is held
 *
 * Everything that was seen.
 *
 * Since: 0.1
 */
typedef struct
{
  GMutex lock;
  gsize min_bytes;              /* of a frame that is judged; never changes */
  GPtrArray *elements;          /* of GstZerocopyElement */
  GPtrArray *links;             /* of GstZerocopyLink */
} GstZerocopyGraph;

G_GNUC_INTERNAL
GstZerocopyGraph *gst_zerocopy_graph_new (gsize min_bytes);

G_GNUC_INTERNAL
void gst_zerocopy_graph_free (GstZerocopyGraph * graph);

G_GNUC_INTERNAL
GstZerocopyElement *gst_zerocopy_graph_add_element (GstZerocopyGraph * graph,
                                                    GstElement * element);

G_GNUC_INTERNAL
GstZerocopyLink *gst_zerocopy_graph_add_link (GstZerocopyGraph * graph,
                                              GstPad * pad, GstPad * peer,
                                              GstZerocopyElement * from,
                                              GstZerocopyElement * to);

G_GNUC_INTERNAL
void gst_zerocopy_format_read (GstZerocopyFormat * format, GstCaps * caps);

G_GNUC_INTERNAL
void gst_zerocopy_frame_read (GstZerocopyFrame * frame, GstBuffer * buffer);

G_GNUC_INTERNAL
void gst_zerocopy_work_touched (GstZerocopyWork * work,
                                const GstZerocopyMemory * memory,
                                GstMapFlags flags);

G_GNUC_INTERNAL
gboolean gst_zerocopy_graph_push (GstZerocopyGraph * graph,
                                  GstZerocopyLink * link,
                                  const GstZerocopyFrame * frame,
                                  const GstZerocopyFrame * input,
                                  const GstZerocopyWork * work);

G_GNUC_INTERNAL
void gst_zerocopy_graph_pushed (GstZerocopyGraph * graph,
                                GstZerocopyLink * link,
                                const GstZerocopyFrame * frame,
                                const GstZerocopyWork * work);

G_END_DECLS

#endif /* __GST_ZEROCOPY_LINK_H__ */
