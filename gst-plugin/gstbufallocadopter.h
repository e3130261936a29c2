/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef __GST_BUFALLOC_ADOPTER_H__
#define __GST_BUFALLOC_ADOPTER_H__

#include <gst/base/gstbasetransform.h>
#include <gst/video/video.h>

#include "gstbufallocallocator.h"
#include "gstbufallocsettings.h"
#include "gstbufallocuser.h"

G_BEGIN_DECLS

/**
 * GstBufallocAdoption:
 * @GST_BUFALLOC_ADOPTION_PASSED: the frame goes on as it came
 * @GST_BUFALLOC_ADOPTION_IMPORTED: its memory became dma-bufs
 * @GST_BUFALLOC_ADOPTION_COPIED: it was copied into a buffer of ours
 *
 * Since: 0.1
 */
typedef enum
{
  GST_BUFALLOC_ADOPTION_PASSED,
  GST_BUFALLOC_ADOPTION_IMPORTED,
  GST_BUFALLOC_ADOPTION_COPIED,
} GstBufallocAdoption;

#define GST_BUFALLOC_ADOPTER_REASONS 8

/**
 * GstBufallocAdopter:
 *
 * It belongs to the streaming thread.
 *
 * Since: 0.1
 */
typedef struct
{
  /*< private >*/
  GstElement *element;          /* it is part of */
  GstBufallocAllocator *allocator;
  GstBufallocUserAllocator *importer;

  GstCaps *caps;
  GstVideoInfo info;
  gboolean has_info;
  GstBufferPool *pool;          /* for copies, with these caps */

  gint asked;                   /* and the answer is wanted; atomic */
  gboolean wanted;
  guint held;                   /* frames that downstream keeps */
  gboolean said_import;
  gint said[GST_BUFALLOC_ADOPTER_REASONS];      /* errnos */
  guint n_said;
} GstBufallocAdopter;

G_GNUC_INTERNAL
void gst_bufalloc_adopter_start (GstBufallocAdopter * self,
                                 GstElement * element,
                                 GstBufallocConnection * connection,
                                 GstBufallocAllocator * allocator);

G_GNUC_INTERNAL
void gst_bufalloc_adopter_stop (GstBufallocAdopter * self);

G_GNUC_INTERNAL
void gst_bufalloc_adopter_set_caps (GstBufallocAdopter * self, GstCaps * caps);

G_GNUC_INTERNAL
void gst_bufalloc_adopter_look_again (GstBufallocAdopter * self);

G_GNUC_INTERNAL
GstFlowReturn
gst_bufalloc_adopter_take (GstBufallocAdopter * self,
                           const GstBufallocSettings * settings,
                           GstBuffer * in,
                           GstBuffer ** out,
                           GstBufallocAdoption * adoption);

G_END_DECLS

#endif /* __GST_BUFALLOC_ADOPTER_H__ */
