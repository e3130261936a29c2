/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef __GST_ZEROCOPY_REPORT_H__
#define __GST_ZEROCOPY_REPORT_H__

#include <gst/gst.h>

#include "gstzerocopylink.h"

G_BEGIN_DECLS

G_GNUC_INTERNAL
gchar *gst_zerocopy_report_table (GstZerocopyGraph * graph,
                                  const GPtrArray * notes);

G_GNUC_INTERNAL
gchar *gst_zerocopy_report_json (GstZerocopyGraph * graph,
                                 const GPtrArray * notes);

G_GNUC_INTERNAL
const gchar *gst_zerocopy_report_outcome (const GstZerocopyLink * link);

G_END_DECLS

#endif /* __GST_ZEROCOPY_REPORT_H__ */
