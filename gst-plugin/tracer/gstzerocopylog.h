/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef __GST_ZEROCOPY_LOG_H__
#define __GST_ZEROCOPY_LOG_H__

#include <gst/gst.h>

G_BEGIN_DECLS

/**
 * GstZerocopyNote:
 * @element: the name of the element
 * @text: what it logged
 * @is_copy: it says that it copies a frame; else, that an import failed
 * @count: how often
 *
 * Since: 0.1
 */
typedef struct
{
  gchar *element;
  gchar *text;
  gboolean is_copy;
  guint64 count;
} GstZerocopyNote;

/**
 * GstZerocopyCurrent:
 *
 * Returns: (nullable): the name of the element that the calling thread is in
 *
 * Since: 0.1
 */
typedef const gchar *(*GstZerocopyCurrent) (void);

G_GNUC_INTERNAL
void gst_zerocopy_log_start (GstZerocopyCurrent current);

G_GNUC_INTERNAL
void gst_zerocopy_log_stop (void);

G_GNUC_INTERNAL
void gst_zerocopy_log_raise (void);

G_GNUC_INTERNAL
GPtrArray *gst_zerocopy_log_notes (void);

G_END_DECLS

#endif /* __GST_ZEROCOPY_LOG_H__ */
