/* SPDX-License-Identifier: LGPL-2.1-or-later */

/**
 * SECTION:gstbufalloclog
 * @title: the log
 * @short_description: the category "bufalloc"
 *
 * Since: 0.1
 */

#ifdef HAVE_CONFIG_H
#include "config.h"
#endif

#include "gstbufalloclog.h"

GST_DEBUG_CATEGORY (gst_bufalloc_debug);

/**
 * gst_bufalloc_log_init:
 *
 * To be called before anything is logged: where a type is made that logs. An
 * application that has only the allocator loads no plugin.
 *
 * Since: 0.1
 */
void
gst_bufalloc_log_init (void)
{
  static gsize once = 0;

  if (g_once_init_enter (&once)) {
    GST_DEBUG_CATEGORY_INIT (gst_bufalloc_debug, "bufalloc", 0,
        "dma-buf allocation for cameras and displays");
    g_once_init_leave (&once, 1);
  }
}
