/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef __GST_BUFALLOC_ERRNO_H__
#define __GST_BUFALLOC_ERRNO_H__

#include <gst/gst.h>

G_BEGIN_DECLS

G_GNUC_INTERNAL
const gchar * gst_bufalloc_errno_name (gint err);

G_GNUC_INTERNAL
gint gst_bufalloc_errno_code (gint err);

G_END_DECLS

#endif /* __GST_BUFALLOC_ERRNO_H__ */
