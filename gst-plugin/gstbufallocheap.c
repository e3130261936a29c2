/* SPDX-License-Identifier: LGPL-2.1-or-later */

/**
 * SECTION:gstbufallocheap
 * @title: GstBufallocHeap
 * @short_description: where the memory of a buffer comes from
 *
 * Since: 0.1
 */

#ifdef HAVE_CONFIG_H
#include "config.h"
#endif

#include "gstbufallocheap.h"

#include <bufalloc/bufalloc.h>

/**
 * gst_bufalloc_heap_get_type:
 *
 * Returns: the type of the property that names a heap
 *
 * Since: 0.1
 */
GType
gst_bufalloc_heap_get_type (void)
{
  static gsize type = 0;
  static const GEnumValue values[] = {
    {BUFALLOC_AUTO, "The cheapest that the devices upstream and downstream can "
          "use", "auto"},
    {BUFALLOC_SYSTEM, "Pages from anywhere, for devices behind an IOMMU and "
          "for drivers that use the CPU", "system"},
    {BUFALLOC_CONTIG, "One physical range below 4 GiB, for devices that take "
          "memory only in one piece", "contig"},
    {BUFALLOC_RESERVED, "One physical range of memory that was set aside for "
          "bufalloc", "reserved"},
    {BUFALLOC_DEVICE_MEMORY, "Memory of one device's own, which a devicetree "
          "gave to it", "device"},
    {0, NULL, NULL},
  };

  if (g_once_init_enter (&type))
    g_once_init_leave (&type, g_enum_register_static ("GstBufallocHeap",
            values));

  return type;
}
