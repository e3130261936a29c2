/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef __GST_ZEROCOPY_DOT_H__
#define __GST_ZEROCOPY_DOT_H__

#include <gst/gst.h>

#include "gstzerocopylink.h"

G_BEGIN_DECLS

G_GNUC_INTERNAL
gchar *gst_zerocopy_dot_text (GstZerocopyGraph * graph,
                              const GPtrArray * notes);

G_GNUC_INTERNAL
void gst_zerocopy_dot_draw (const gchar * text, const gchar * svg);

G_END_DECLS

#endif /* __GST_ZEROCOPY_DOT_H__ */
