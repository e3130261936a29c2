/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef __GST_BUFALLOC_SETTINGS_H__
#define __GST_BUFALLOC_SETTINGS_H__

#include <bufalloc/bufalloc.h>
#include <gst/gst.h>

G_BEGIN_DECLS

/**
 * GstBufallocSetting:
 *
 * The numbers of the properties. @GST_BUFALLOC_SETTING_LAST is the first that is
 * free.
 *
 * Since: 0.1
 */
typedef enum
{
  GST_BUFALLOC_SETTING_DEVICE = 1,
  GST_BUFALLOC_SETTING_HEAP,
  GST_BUFALLOC_SETTING_DEVICES,
  GST_BUFALLOC_SETTING_MIN_BUFFERS,
  GST_BUFALLOC_SETTING_EXTRA_BYTES,
  GST_BUFALLOC_SETTING_STRIDE_ALIGN,
  GST_BUFALLOC_SETTING_ATTRIBUTES,
  GST_BUFALLOC_SETTING_MEMORIES,
  GST_BUFALLOC_SETTING_LAST
} GstBufallocSetting;

/**
 * GstBufallocSettings:
 * @device: the module's node
 * @heap: where memory comes from
 * @devices: (nullable): nodes with commas between them; %NULL: the devices on
 *   both sides
 * @min_buffers: the fewest buffers to propose
 * @extra_bytes: bytes after each frame, or %GST_BUFALLOC_EXTRA_AUTO
 * @stride_align: what the length of a line is a multiple of, a power of two
 * @attributes: (nullable): names of attributes with commas between them
 * @memories: in how many dma-bufs a frame is
 *
 * Since: 0.1
 */
typedef struct
{
  gchar *device;
  enum bufalloc_heap heap;
  gchar *devices;
  guint min_buffers;
  gint extra_bytes;
  guint stride_align;
  gchar *attributes;
  enum bufalloc_memories memories;
} GstBufallocSettings;

G_GNUC_INTERNAL
void gst_bufalloc_settings_install (GObjectClass * klass);

G_GNUC_INTERNAL
void gst_bufalloc_settings_init (GstBufallocSettings * self);

G_GNUC_INTERNAL
void gst_bufalloc_settings_copy (GstBufallocSettings * self,
                                 const GstBufallocSettings * other);

G_GNUC_INTERNAL
void gst_bufalloc_settings_clear (GstBufallocSettings * self);

G_GNUC_INTERNAL
gint gst_bufalloc_settings_get_attributes (const GstBufallocSettings * self,
                                           guint64 * attributes,
                                           gchar ** reason);

G_GNUC_INTERNAL
gboolean gst_bufalloc_settings_set (GstBufallocSettings * self,
                                    guint setting,
                                    const GValue * value);

G_GNUC_INTERNAL
gboolean gst_bufalloc_settings_get (const GstBufallocSettings * self,
                                    guint setting,
                                    GValue * value);

G_END_DECLS

#endif /* __GST_BUFALLOC_SETTINGS_H__ */
