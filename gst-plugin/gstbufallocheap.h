/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef __GST_BUFALLOC_HEAP_H__
#define __GST_BUFALLOC_HEAP_H__

#include <gst/gst.h>

G_BEGIN_DECLS

#define GST_TYPE_BUFALLOC_HEAP (gst_bufalloc_heap_get_type ())

G_GNUC_INTERNAL
GType gst_bufalloc_heap_get_type (void);

G_END_DECLS

#endif /* __GST_BUFALLOC_HEAP_H__ */
