/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef __GST_ZEROCOPY_VERDICT_H__
#define __GST_ZEROCOPY_VERDICT_H__

#include <gst/gst.h>

#include "gstzerocopylink.h"

G_BEGIN_DECLS

/**
 * GstZerocopyVerdict:
 * @word: "makes", "passes", "copies", "converts", "device", "reads", "takes", or
 * "none" where no frame was large enough to be judged
 * @copies: frames that were copied
 * @copied_bytes: of all of these
 * @frames: frames that came in, or that a source made
 * @what: a sentence, NULL for "makes", "passes", "takes" and "none"
 * @why: why it copies; or NULL
 * @advice: what to do about it; or NULL
 *
 * What an element does to frames.
 *
 * Since: 0.1
 */
typedef struct
{
  const gchar *word;
  guint64 copies;
  guint64 copied_bytes;
  guint64 frames;
  gchar *what;
  gchar *why;
  gchar *advice;
} GstZerocopyVerdict;

G_GNUC_INTERNAL
void gst_zerocopy_verdict_init (GstZerocopyVerdict * verdict,
                                const GstZerocopyGraph * graph,
                                const GstZerocopyElement * element,
                                const GPtrArray * notes);

G_GNUC_INTERNAL
void gst_zerocopy_verdict_clear (GstZerocopyVerdict * verdict);

G_GNUC_INTERNAL
gchar *gst_zerocopy_format_text (const GstZerocopyFormat * format);

G_GNUC_INTERNAL
gchar *gst_zerocopy_bytes_text (guint64 bytes);

G_END_DECLS

#endif /* __GST_ZEROCOPY_VERDICT_H__ */
