/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef __GST_BUFALLOC_LOG_H__
#define __GST_BUFALLOC_LOG_H__

#include <gst/gst.h>

G_BEGIN_DECLS

G_GNUC_INTERNAL
void gst_bufalloc_log_init (void);

G_END_DECLS

#endif /* __GST_BUFALLOC_LOG_H__ */
