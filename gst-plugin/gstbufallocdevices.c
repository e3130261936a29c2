/* SPDX-License-Identifier: LGPL-2.1-or-later */

/**
 * SECTION:gstbufallocdevices
 * @title: GstBufallocDevices
 * @short_description: the devices on both sides of the element
 *
 * The V4L2 element upstream writes the buffers; displays, compositors and V4L2
 * elements downstream read them. Each device is opened anew, for as long as one buffer is
 * allocated: what the elements do with their own files is theirs.
 *
 * Since: 0.1
 */

#ifdef HAVE_CONFIG_H
#include "config.h"
#endif

#include "gstbufallocdevices.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/videodev2.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <gst/base/gstbasetransform.h>

#include "gstbufallocdisplay.h"
#include "gstbufallocwayland.h"

GST_DEBUG_CATEGORY_EXTERN (gst_bufalloc_debug);
#define GST_CAT_DEFAULT gst_bufalloc_debug

static gboolean
is_queue (GstElement * element)
{
  GstElementFactory *factory = gst_element_get_factory (element);
  const gchar *name = factory ? GST_OBJECT_NAME (factory) : "";

  return g_str_equal (name, "queue") || g_str_equal (name, "queue2")
      || g_str_equal (name, "tee");
}

/**
 * gst_bufalloc_devices_find_upstream:
 * @self: the element bufalloc
 *
 * Returns: (transfer full) (nullable): the element whose buffers arrive at
 * @self, behind those that only pass them on
 *
 * Since: 0.1
 */
GstElement *
gst_bufalloc_devices_find_upstream (GstElement * self)
{
  GstPad *pad = gst_element_get_static_pad (self, "sink");
  GstElement *element = NULL;

  while (pad != NULL) {
    GstPad *peer = gst_bufalloc_real_peer (pad);

    gst_clear_object (&pad);
    if (peer == NULL)
      break;

    gst_clear_object (&element);
    element = gst_pad_get_parent_element (peer);
    gst_object_unref (peer);
    if (element == NULL)
      break;
    if (GST_IS_BASE_TRANSFORM (element)) {
      if (!gst_base_transform_is_passthrough (GST_BASE_TRANSFORM (element))
          && !gst_base_transform_is_in_place (GST_BASE_TRANSFORM (element)))
        break;
    } else if (!is_queue (element)) {
      break;
    }
    GST_OBJECT_LOCK (element);
    if (element->sinkpads != NULL)
      pad = gst_object_ref (element->sinkpads->data);
    GST_OBJECT_UNLOCK (element);
  }
  gst_clear_object (&pad);

  return element;
}

/* The elements of GStreamer's V4L2 plugin have both properties. */
static gboolean
is_v4l2 (GstElement * element)
{
  GObjectClass *klass = G_OBJECT_GET_CLASS (element);
  GParamSpec *device = g_object_class_find_property (klass, "device");
  GParamSpec *fd = g_object_class_find_property (klass, "device-fd");

  return device != NULL && device->value_type == G_TYPE_STRING
      && fd != NULL && fd->value_type == G_TYPE_INT;
}

static gboolean
is_reader (GstElement * element)
{
  return gst_bufalloc_is_display (element) || is_v4l2 (element)
      || gst_bufalloc_is_wayland (element);
}

/**
 * gst_bufalloc_devices_import_setting:
 * @element: any element
 *
 * Returns: (transfer none) (nullable): what to set on @element for it to fill
 *   somebody else's buffers, or %NULL if it has no such property
 *
 * Since: 0.1
 */
const gchar *
gst_bufalloc_devices_import_setting (GstElement * element)
{
  GObjectClass *klass = G_OBJECT_GET_CLASS (element);

  if (g_object_class_find_property (klass, "capture-io-mode"))
    return "capture-io-mode=dmabuf-import";
  if (g_object_class_find_property (klass, "io-mode"))
    return "io-mode=dmabuf-import";

  return NULL;
}

static gint
open_node (const gchar * node)
{
  gint fd;

  do {
    fd = open (node, O_RDWR | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
  } while (fd < 0 && errno == EINTR);

  return fd;
}

static gint
open_v4l2 (GstElement * element)
{
  gchar *device = NULL;
  gint fd = -1, own = -1;

  g_object_get (element, "device", &device, "device-fd", &fd, NULL);
  if (device != NULL)
    own = open_node (device);
  g_free (device);
  if (own < 0 && fd >= 0)
    own = fcntl (fd, F_DUPFD_CLOEXEC, 0);

  return own;
}

/* The file that the element has open, because that of a codec has a format of its
 * own. Only looked at. */
static guint
count_capture_memories (GstElement * element)
{
  struct v4l2_format format = {.type = V4L2_BUF_TYPE_VIDEO_CAPTURE_MPLANE };
  gint fd = -1, own, ret;

  g_object_get (element, "device-fd", &fd, NULL);
  own = fd < 0 ? -1 : fcntl (fd, F_DUPFD_CLOEXEC, 0);
  if (own < 0)
    return 0;
  do {
    ret = ioctl (own, VIDIOC_G_FMT, &format);
  } while (ret < 0 && errno == EINTR);
  close (own);

  return ret < 0 ? 0 : format.fmt.pix_mp.num_planes;
}

/**
 * gst_bufalloc_devices_count_memories:
 * @self: the element bufalloc
 *
 * Returns: in how many memories the V4L2 device upstream writes each of its frames;
 *   0 where there is none, or its driver has formats of one memory only
 *
 * Since: 0.1
 */
guint
gst_bufalloc_devices_count_memories (GstElement * self)
{
  GstElement *writer = gst_bufalloc_devices_find_upstream (self);
  guint n = 0;

  if (writer != NULL && is_v4l2 (writer))
    n = count_capture_memories (writer);
  gst_clear_object (&writer);

  return n;
}

/* A device that takes no dma-bufs at all gets none, whatever they are made of;
 * the element's watch says so when it is the display. fd becomes the list's. */
static void
add_device (GstBufallocDevices * devices, struct bufalloc_ctx *ctx,
    GstElement * element, gint fd, enum bufalloc_access access)
{
  struct bufalloc_dev_info info;

  if (devices->n == GST_BUFALLOC_MAX_DEVICES) {
    GST_WARNING_OBJECT (element, "one device too many, left out");
    close (fd);
    return;
  }
  if (bufalloc_get_device_info (ctx, fd, access, &info) == -EOPNOTSUPP) {
    GST_WARNING_OBJECT (element, "its device takes no dma-bufs and is left "
        "out");
    close (fd);
    return;
  }

  GST_DEBUG_OBJECT (element, "its device %s them",
      access == BUFALLOC_WRITE ? "writes" : "reads");
  devices->uses[devices->n].fd = fd;
  devices->uses[devices->n].access = access;
  devices->n++;
}

static void
add_element (GstBufallocDevices * devices, struct bufalloc_ctx *ctx,
    GstElement * element, enum bufalloc_access access)
{
  gint fds[GST_BUFALLOC_MAX_COMPOSITOR_DEVICES];
  guint i, n = 1;

  if (gst_bufalloc_is_wayland (element)) {
    n = gst_bufalloc_wayland_open (element, fds);
  } else {
    fds[0] = gst_bufalloc_is_display (element) ?
        gst_bufalloc_display_open (element) : open_v4l2 (element);
    if (fds[0] < 0) {
      GST_WARNING_OBJECT (element, "its device cannot be opened and is left "
          "out: %s", g_strerror (errno));
      return;
    }
  }
  for (i = 0; i < n; i++)
    add_device (devices, ctx, element, fds[i], access);
}

/**
 * gst_bufalloc_devices_find:
 * @devices: (out caller-allocates): where to put them
 * @ctx: the connection to the module
 * @self: the element bufalloc
 * @upstream: the one upstream, too
 *
 * Find and open the devices of the elements on both sides of @self. To be closed
 * with gst_bufalloc_devices_close().
 *
 * Since: 0.1
 */
void
gst_bufalloc_devices_find (GstBufallocDevices * devices,
    struct bufalloc_ctx *ctx, GstElement * self, gboolean upstream)
{
  GstElement *writer = gst_bufalloc_devices_find_upstream (self);
  GPtrArray *readers = gst_bufalloc_display_collect (self, is_reader);
  guint i;

  devices->n = 0;
  if (upstream && writer != NULL && is_v4l2 (writer))
    add_element (devices, ctx, writer, BUFALLOC_WRITE);
  for (i = 0; i < readers->len; i++)
    add_element (devices, ctx, readers->pdata[i], BUFALLOC_READ);

  gst_clear_object (&writer);
  g_ptr_array_unref (readers);
}

/* Where its compositor says with which devices it reads. */
static gboolean
compositor_takes_dmabufs (GstElement * element)
{
  gint fds[GST_BUFALLOC_MAX_COMPOSITOR_DEVICES];
  guint i, n = gst_bufalloc_wayland_open (element, fds);

  for (i = 0; i < n; i++)
    close (fds[i]);

  return n > 0;
}

/* Whether an element uses dma-bufs as they are, and does not only copy them. */
static gboolean
takes_dmabufs (GstElement * element)
{
  static const gchar *const names[] = { "output-io-mode", "io-mode" };
  GObjectClass *klass = G_OBJECT_GET_CLASS (element);
  guint i;

  if (gst_bufalloc_is_display (element))
    return TRUE;
  if (gst_bufalloc_is_wayland (element))
    return compositor_takes_dmabufs (element);
  for (i = 0; i < G_N_ELEMENTS (names) && is_v4l2 (element); i++) {
    GParamSpec *spec = g_object_class_find_property (klass, names[i]);
    GEnumValue *value;
    gint mode;

    if (spec == NULL || !G_IS_PARAM_SPEC_ENUM (spec))
      continue;
    g_object_get (element, names[i], &mode, NULL);
    value = g_enum_get_value (G_PARAM_SPEC_ENUM (spec)->enum_class, mode);
    return value != NULL && g_str_equal (value->value_nick, "dmabuf-import");
  }

  return FALSE;
}

/**
 * gst_bufalloc_devices_wanted:
 * @self: the element bufalloc
 *
 * Returns: whether somebody downstream is better off with dma-bufs: a display, or
 *   a V4L2 element that imports
 *
 * Since: 0.1
 */
gboolean
gst_bufalloc_devices_wanted (GstElement * self)
{
  GPtrArray *found = gst_bufalloc_display_collect (self, takes_dmabufs);
  gboolean wanted = found->len > 0;

  g_ptr_array_unref (found);

  return wanted;
}

/**
 * gst_bufalloc_devices_open:
 * @devices: (out caller-allocates): where to put them
 * @list: nodes with commas between them
 * @reason: (out) (transfer full): on failure, a sentence that says why
 *
 * Open the devices of a list; each reads and writes. To be closed with
 * gst_bufalloc_devices_close(), also after a failure.
 *
 * Returns: 0 or a negative errno
 *
 * Since: 0.1
 */
gint
gst_bufalloc_devices_open (GstBufallocDevices * devices, const gchar * list,
    gchar ** reason)
{
  gchar **nodes = g_strsplit (list, ",", -1);
  gint err = 0;
  guint i;

  *reason = NULL;
  devices->n = 0;
  for (i = 0; nodes[i] != NULL && err == 0; i++) {
    gchar *node = g_strstrip (nodes[i]);
    struct bufalloc_use *use = &devices->uses[devices->n];

    if (*node == '\0')
      continue;
    if (devices->n == GST_BUFALLOC_MAX_DEVICES) {
      err = -E2BIG;
      *reason = g_strdup_printf ("the property devices names more than %d "
          "devices", GST_BUFALLOC_MAX_DEVICES);
      break;
    }
    use->fd = open_node (node);
    use->access = BUFALLOC_READ_WRITE;
    if (use->fd < 0) {
      err = -errno;
      *reason = g_strdup_printf ("the device %s of the property devices cannot "
          "be opened: %s", node, g_strerror (-err));
      break;
    }
    devices->n++;
  }
  g_strfreev (nodes);

  return err;
}

/**
 * gst_bufalloc_devices_close:
 * @devices: open devices
 *
 * Since: 0.1
 */
void
gst_bufalloc_devices_close (GstBufallocDevices * devices)
{
  while (devices->n > 0)
    close (devices->uses[--devices->n].fd);
}
