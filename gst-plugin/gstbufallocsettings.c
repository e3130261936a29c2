/* SPDX-License-Identifier: LGPL-2.1-or-later */

/**
 * SECTION:gstbufallocsettings
 * @title: GstBufallocSettings
 * @short_description: the properties of the element that are set
 *
 * Since: 0.1
 */

#ifdef HAVE_CONFIG_H
#include "config.h"
#endif

#include "gstbufallocsettings.h"

#include "gstbufallocheap.h"
#include "gstbufallocpool.h"

GST_DEBUG_CATEGORY_EXTERN (gst_bufalloc_debug);
#define GST_CAT_DEFAULT gst_bufalloc_debug

#define DEFAULT_HEAP BUFALLOC_AUTO
#define DEFAULT_EXTRA_BYTES GST_BUFALLOC_EXTRA_AUTO
#define DEFAULT_MIN_BUFFERS 2
#define DEFAULT_STRIDE_ALIGN 1
#define MAX_STRIDE_ALIGN 4096
#define DEFAULT_MEMORIES BUFALLOC_MEMORIES_AUTO

#define GST_TYPE_BUFALLOC_MEMORIES (gst_bufalloc_memories_get_type ())

static GType
gst_bufalloc_memories_get_type (void)
{
  static gsize type = 0;
  static const GEnumValue values[] = {
    {BUFALLOC_MEMORIES_AUTO, "As many as the V4L2 device upstream needs, else "
          "one", "auto"},
    {BUFALLOC_MEMORIES_ONE, "One dma-buf with all planes", "1"},
    {BUFALLOC_MEMORIES_PER_PLANE, "One dma-buf for each plane", "n"},
    {0, NULL, NULL},
  };

  if (g_once_init_enter (&type))
    g_once_init_leave (&type,
        g_enum_register_static ("GstBufallocMemories", values));

  return type;
}

/**
 * gst_bufalloc_settings_install:
 * @klass: the class of the element
 *
 * Install the properties, with the numbers of #GstBufallocSetting.
 *
 * Since: 0.1
 */
void
gst_bufalloc_settings_install (GObjectClass * klass)
{
  const GParamFlags flags = G_PARAM_READWRITE | G_PARAM_STATIC_STRINGS
      | GST_PARAM_MUTABLE_READY;

  /**
   * bufalloc:device:
   *
   * The node of the kernel module. It is opened when the element goes from NULL
   * to READY.
   *
   * Since: 0.1
   */
  g_object_class_install_property (klass, GST_BUFALLOC_SETTING_DEVICE,
      g_param_spec_string ("device", "Device",
      "Path of the kernel module's node, opened from NULL to READY",
      BUFALLOC_DEVICE, flags));

  /**
   * bufalloc:heap:
   *
   * Where the memory of the buffers comes from. With "auto" that is the cheapest
   * heap that all devices can use.
   *
   * Since: 0.1
   */
  g_object_class_install_property (klass, GST_BUFALLOC_SETTING_HEAP,
      g_param_spec_enum ("heap", "Heap",
      "Where the memory comes from; auto: what the devices on both sides need",
      GST_TYPE_BUFALLOC_HEAP, DEFAULT_HEAP, flags));

  /**
   * bufalloc:devices:
   *
   * Nodes of the devices that heap "auto" is for, with commas between them, in
   * place of those upstream and downstream. An empty string is no device.
   *
   * Since: 0.1
   */
  g_object_class_install_property (klass, GST_BUFALLOC_SETTING_DEVICES,
      g_param_spec_string ("devices", "Devices",
      "Nodes of the devices that the buffers are for, with commas between them; "
      "unset: those upstream and downstream", NULL, flags));

  /**
   * bufalloc:min-buffers:
   *
   * The fewest buffers that upstream is told to have for downstream's use. One
   * more than downstream asks for is the least in any case, and upstream adds
   * what it needs itself (v4l2src: at least 2).
   *
   * Since: 0.1
   */
  g_object_class_install_property (klass, GST_BUFALLOC_SETTING_MIN_BUFFERS,
      g_param_spec_uint ("min-buffers",
      "Minimum buffers",
      "Fewest buffers (number) to propose; one more than downstream asks for "
      "is proposed in any case, and upstream adds its own need",
      1, 32, DEFAULT_MIN_BUFFERS, flags));

  /**
   * bufalloc:extra-bytes:
   *
   * Bytes that each dma-buf has after the frame, before it is rounded up to
   * whole pages. Drivers that work in macroblocks want some more lines than the
   * picture has (1088 for 1080).
   *
   * Since: 0.1
   */
  g_object_class_install_property (klass, GST_BUFALLOC_SETTING_EXTRA_BYTES,
      g_param_spec_int ("extra-bytes",
      "Extra bytes",
      "Bytes after the frame in each dma-buf, for drivers that want more lines "
      "than the picture has; -1: as many as 16 lines have",
      -1, G_MAXINT, DEFAULT_EXTRA_BYTES, flags));

  /**
   * bufalloc:stride-align:
   *
   * What the length of each line is a multiple of. Needed only if a device does
   * not take the line length that the capture driver chooses.
   *
   * Since: 0.1
   */
  g_object_class_install_property (klass, GST_BUFALLOC_SETTING_STRIDE_ALIGN,
      g_param_spec_uint ("stride-align",
      "Stride alignment",
      "Length of a line (bytes) is a multiple of this power of two; 1: what "
      "upstream's driver has",
      1, MAX_STRIDE_ALIGN, DEFAULT_STRIDE_ALIGN, flags));

  /**
   * bufalloc:attributes:
   *
   * Attributes of the buffers, with commas between them, by the names that
   * libbufalloc has for them. What the machine cannot honour is left out, except
   * "never-cpu" and "contiguous"; the log (bufalloc:4) and #bufalloc:stats say
   * what they have.
   *
   * Since: 0.1
   */
  g_object_class_install_property (klass, GST_BUFALLOC_SETTING_ATTRIBUTES,
      g_param_spec_string ("attributes", "Attributes",
      "What the buffers are like, with commas between them: never-cpu (no CPU "
      "reads or writes them), write-combine, uncached, contiguous, pinnable",
      NULL, flags));

  /**
   * bufalloc:memories:
   *
   * In how many dma-bufs a frame of several planes is. V4L2's non-contiguous
   * formats (NM12 and the like, which GStreamer takes for NV12, too) have one for
   * each plane. "auto" asks the V4L2 device upstream which of the two it has
   * chosen. Set it if one downstream needs it.
   *
   * Since: 0.1
   */
  g_object_class_install_property (klass, GST_BUFALLOC_SETTING_MEMORIES,
      g_param_spec_enum ("memories", "Memories",
      "In how many dma-bufs (number) a frame of several planes is; auto: what "
      "the V4L2 device upstream needs, else 1",
      GST_TYPE_BUFALLOC_MEMORIES, DEFAULT_MEMORIES, flags));

  gst_type_mark_as_plugin_api (GST_TYPE_BUFALLOC_HEAP, 0);
  gst_type_mark_as_plugin_api (GST_TYPE_BUFALLOC_MEMORIES, 0);
}

/**
 * gst_bufalloc_settings_init:
 * @self: (out caller-allocates): gets the defaults
 *
 * Since: 0.1
 */
void
gst_bufalloc_settings_init (GstBufallocSettings * self)
{
  self->device = g_strdup (BUFALLOC_DEVICE);
  self->heap = DEFAULT_HEAP;
  self->devices = NULL;
  self->min_buffers = DEFAULT_MIN_BUFFERS;
  self->extra_bytes = DEFAULT_EXTRA_BYTES;
  self->stride_align = DEFAULT_STRIDE_ALIGN;
  self->attributes = NULL;
  self->memories = DEFAULT_MEMORIES;
}

/**
 * gst_bufalloc_settings_copy:
 * @self: (out caller-allocates): gets what @other has
 * @other: settings
 *
 * Since: 0.1
 */
void
gst_bufalloc_settings_copy (GstBufallocSettings * self,
    const GstBufallocSettings * other)
{
  *self = *other;
  self->device = g_strdup (other->device);
  self->devices = g_strdup (other->devices);
  self->attributes = g_strdup (other->attributes);
}

/**
 * gst_bufalloc_settings_clear:
 * @self: settings
 *
 * Since: 0.1
 */
void
gst_bufalloc_settings_clear (GstBufallocSettings * self)
{
  g_clear_pointer (&self->device, g_free);
  g_clear_pointer (&self->devices, g_free);
  g_clear_pointer (&self->attributes, g_free);
}

/**
 * gst_bufalloc_settings_get_attributes:
 * @self: settings
 * @attributes: (out): enum bufalloc_attr bits
 * @reason: (out) (transfer full): on failure, a sentence that says why
 *
 * Returns: 0, or -EINVAL where one of the names is unknown
 *
 * Since: 0.1
 */
gint
gst_bufalloc_settings_get_attributes (const GstBufallocSettings * self,
    guint64 * attributes, gchar ** reason)
{
  gchar **names;
  gint err = 0;
  guint i;

  *attributes = 0;
  if (self->attributes == NULL)
    return 0;
  names = g_strsplit (self->attributes, ",", -1);
  for (i = 0; names[i] != NULL && err == 0; i++) {
    const gchar *name = g_strstrip (names[i]);
    guint64 attribute = 0;

    if (*name == '\0')
      continue;
    err = bufalloc_attr_from_name (name, &attribute);
    if (err < 0)
      *reason = g_strdup_printf ("the property attributes names %s, which is no "
          "attribute; there are never-cpu, write-combine, uncached, contiguous "
          "and pinnable", name);
    *attributes |= attribute;
  }
  g_strfreev (names);

  return err;
}

/**
 * gst_bufalloc_settings_set:
 * @self: settings
 * @setting: which one, a #GstBufallocSetting
 * @value: what it becomes
 *
 * Returns: whether there is such a setting
 *
 * Since: 0.1
 */
gboolean
gst_bufalloc_settings_set (GstBufallocSettings * self, guint setting,
    const GValue * value)
{
  switch (setting) {
    case GST_BUFALLOC_SETTING_DEVICE:
      g_free (self->device);
      self->device = g_value_dup_string (value);
      if (self->device == NULL)
        self->device = g_strdup (BUFALLOC_DEVICE);
      break;
    case GST_BUFALLOC_SETTING_HEAP:
      self->heap = g_value_get_enum (value);
      break;
    case GST_BUFALLOC_SETTING_DEVICES:
      g_free (self->devices);
      self->devices = g_value_dup_string (value);
      break;
    case GST_BUFALLOC_SETTING_ATTRIBUTES:
      g_free (self->attributes);
      self->attributes = g_value_dup_string (value);
      break;
    case GST_BUFALLOC_SETTING_MEMORIES:
      self->memories = g_value_get_enum (value);
      break;
    case GST_BUFALLOC_SETTING_MIN_BUFFERS:
      self->min_buffers = g_value_get_uint (value);
      break;
    case GST_BUFALLOC_SETTING_EXTRA_BYTES:
      self->extra_bytes = g_value_get_int (value);
      break;
    case GST_BUFALLOC_SETTING_STRIDE_ALIGN:
      self->stride_align = g_value_get_uint (value);
      if ((self->stride_align & (self->stride_align - 1)) != 0) {
        guint next = 1u << g_bit_storage (self->stride_align);

        GST_WARNING ("stride-align=%u is no power of two, "
            "taking %u", self->stride_align, next);
        self->stride_align = next;
      }
      break;
    default:
      return FALSE;
  }

  return TRUE;
}

/**
 * gst_bufalloc_settings_get:
 * @self: settings
 * @setting: which one, a #GstBufallocSetting
 * @value: (out): gets what it is
 *
 * Returns: whether there is such a setting
 *
 * Since: 0.1
 */
gboolean
gst_bufalloc_settings_get (const GstBufallocSettings * self, guint setting,
    GValue * value)
{
  switch (setting) {
    case GST_BUFALLOC_SETTING_DEVICE:
      g_value_set_string (value, self->device);
      break;
    case GST_BUFALLOC_SETTING_HEAP:
      g_value_set_enum (value, self->heap);
      break;
    case GST_BUFALLOC_SETTING_DEVICES:
      g_value_set_string (value, self->devices);
      break;
    case GST_BUFALLOC_SETTING_ATTRIBUTES:
      g_value_set_string (value, self->attributes);
      break;
    case GST_BUFALLOC_SETTING_MEMORIES:
      g_value_set_enum (value, self->memories);
      break;
    case GST_BUFALLOC_SETTING_MIN_BUFFERS:
      g_value_set_uint (value, self->min_buffers);
      break;
    case GST_BUFALLOC_SETTING_EXTRA_BYTES:
      g_value_set_int (value, self->extra_bytes);
      break;
    case GST_BUFALLOC_SETTING_STRIDE_ALIGN:
      g_value_set_uint (value, self->stride_align);
      break;
    default:
      return FALSE;
  }

  return TRUE;
}
