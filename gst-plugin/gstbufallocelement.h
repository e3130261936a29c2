/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef __GST_BUFALLOC_ELEMENT_H__
#define __GST_BUFALLOC_ELEMENT_H__

#include <gst/base/gstbasetransform.h>
#include <gst/gst.h>

#include "gst/bufalloc/bufalloc.h"

G_BEGIN_DECLS

#define GST_TYPE_BUFALLOC (gst_bufalloc_get_type ())
G_DECLARE_FINAL_TYPE (GstBufalloc, gst_bufalloc, GST, BUFALLOC,
    GstBaseTransform)

/* for the plugin, and for those who link it statically */
GST_BUFALLOC_API
GST_ELEMENT_REGISTER_DECLARE (bufalloc);

G_END_DECLS

#endif /* __GST_BUFALLOC_ELEMENT_H__ */
