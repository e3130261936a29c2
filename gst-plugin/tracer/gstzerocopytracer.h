/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef __GST_ZEROCOPY_TRACER_H__
#define __GST_ZEROCOPY_TRACER_H__

#include <gst/gst.h>

G_BEGIN_DECLS

G_GNUC_INTERNAL
gboolean gst_zerocopy_tracer_register (GstPlugin * plugin);

G_END_DECLS

#endif /* __GST_ZEROCOPY_TRACER_H__ */
