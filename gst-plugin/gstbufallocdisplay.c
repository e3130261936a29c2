/* SPDX-License-Identifier: LGPL-2.1-or-later */

/**
 * SECTION:gstbufallocdisplay
 * @title: GstBufallocDisplay
 * @short_description: does the display take our buffers?
 *
 * kmssink copies each frame that its display does not import and says so only
 * in its log. Here the import is tried before the first frame gets there: on a
 * DRM file of our own, because the handles of kmssink's file are kmssink's.
 *
 * Since: 0.1
 */

#ifdef HAVE_CONFIG_H
#include "config.h"
#endif

#include "gstbufallocdisplay.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <xf86drm.h>
#include <xf86drmMode.h>

#include <gst/allocators/gstdmabuf.h>
#include <gst/base/gstbasetransform.h>
#include <gst/video/video.h>

#include "gstbufalloccaps.h"

GST_DEBUG_CATEGORY_EXTERN (gst_bufalloc_debug);
#define GST_CAT_DEFAULT gst_bufalloc_debug

/* More elements between us and the display than this, and we give up. */
#define MAX_DEPTH 32

/**
 * gst_bufalloc_real_peer:
 * @pad: a pad
 *
 * Returns: (transfer full) (nullable): the pad at the other end, behind any number
 * of ghost pads
 *
 * Since: 0.1
 */
GstPad *
gst_bufalloc_real_peer (GstPad * pad)
{
  GstPad *peer = gst_pad_get_peer (pad);

  while (peer != NULL && GST_IS_PROXY_PAD (peer)) {
    GstProxyPad *internal = gst_proxy_pad_get_internal (GST_PROXY_PAD (peer));

    gst_object_unref (peer);
    if (internal == NULL)
      return NULL;
    peer = gst_pad_get_peer (GST_PAD (internal));
    gst_object_unref (internal);
  }

  return peer;
}

/**
 * gst_bufalloc_is_display:
 * @element: any element
 *
 * Returns: whether it is a kmssink
 *
 * Since: 0.1
 */
gboolean
gst_bufalloc_is_display (GstElement * element)
{
  GstElementFactory *factory = gst_element_get_factory (element);

  return factory != NULL && g_str_equal (GST_OBJECT_NAME (factory), "kmssink");
}

/* Whether the buffers that come out of an element are those that went in. */
static gboolean
passes_buffers (GstElement * element)
{
  GstElementFactory *factory = gst_element_get_factory (element);
  const gchar *klass = NULL;

  if (GST_IS_BASE_TRANSFORM (element))
    return gst_base_transform_is_passthrough (GST_BASE_TRANSFORM (element))
        || gst_base_transform_is_in_place (GST_BASE_TRANSFORM (element));
  if (factory != NULL)
    klass = gst_element_factory_get_metadata (factory,
        GST_ELEMENT_METADATA_KLASS);

  /* queue, tee, valve, selectors */
  return klass != NULL && (strstr (klass, "Generic") != NULL
      || strstr (klass, "Filter") != NULL);
}

static gpointer
ref_pad (gconstpointer pad, gpointer unused)
{
  return gst_object_ref ((gpointer) pad);
}

/* Add the elements that get the very buffers of element and for which wanted()
 * is true. */
static void
collect (GstElement * element, guint depth,
    gboolean (*wanted) (GstElement *), GPtrArray * found)
{
  GList *pads, *l;

  if (depth == 0)
    return;

  GST_OBJECT_LOCK (element);
  pads = g_list_copy_deep (element->srcpads, ref_pad, NULL);
  GST_OBJECT_UNLOCK (element);

  for (l = pads; l != NULL; l = l->next) {
    GstPad *peer = gst_bufalloc_real_peer (l->data);
    GstElement *next;

    if (peer == NULL)
      continue;
    next = gst_pad_get_parent_element (peer);
    gst_object_unref (peer);
    if (next == NULL)
      continue;

    if (wanted (next))
      g_ptr_array_add (found, gst_object_ref (next));
    else if (passes_buffers (next))
      collect (next, depth - 1, wanted, found);
    gst_object_unref (next);
  }
  g_list_free_full (pads, gst_object_unref);
}

/**
 * gst_bufalloc_display_collect:
 * @element: where to start
 * @wanted: which elements
 *
 * Returns: (transfer container): those elements downstream that get the very
 * buffers that @element pushes and that are wanted, in the order of the pads
 *
 * Since: 0.1
 */
GPtrArray *
gst_bufalloc_display_collect (GstElement * element,
    gboolean (*wanted) (GstElement *))
{
  GPtrArray *found = g_ptr_array_new_with_free_func (gst_object_unref);

  collect (element, MAX_DEPTH, wanted, found);
  return found;
}

/**
 * gst_bufalloc_display_find:
 * @element: where to start
 *
 * Returns: (transfer full) (nullable): the kmssink that gets the very buffers
 * that @element pushes, or %NULL
 *
 * Since: 0.1
 */
GstElement *
gst_bufalloc_display_find (GstElement * element)
{
  GPtrArray *found = gst_bufalloc_display_collect (element,
      gst_bufalloc_is_display);
  GstElement *display = NULL;

  if (found->len > 0)
    display = gst_object_ref (found->pdata[0]);
  g_ptr_array_unref (found);

  return display;
}

/**
 * gst_bufalloc_display_open:
 * @display: a kmssink
 *
 * Returns: a file descriptor of its DRM device, the caller's own, or -1
 *
 * Since: 0.1
 */
gint
gst_bufalloc_display_open (GstElement * display)
{
  gchar *driver = NULL, *bus_id = NULL;
  gint fd = -1, own;

  /* the file that it has open, since GStreamer 1.22 */
  if (g_object_class_find_property (G_OBJECT_GET_CLASS (display), "fd"))
    g_object_get (display, "fd", &fd, NULL);
  if (fd >= 0) {
    char *node = drmGetDeviceNameFromFd2 (fd);

    own = node != NULL ? open (node, O_RDWR | O_CLOEXEC) : -1;
    free (node);
    /* a lease, say: there is no node that would open as this display */
    if (own < 0)
      own = fcntl (fd, F_DUPFD_CLOEXEC, 0);
    return own;
  }

  g_object_get (display, "driver-name", &driver, "bus-id", &bus_id, NULL);
  if (driver != NULL || bus_id != NULL)
    fd = drmOpen (driver, bus_id);
  g_free (driver);
  g_free (bus_id);

  return fd;
}

/* Returns the step that is refused, with errno, or NULL. */
static const gchar *
try_import (gint fd, GstBuffer * buffer, GstVideoMeta * meta,
    gboolean * no_import)
{
  guint32 handles[4] = { 0, }, pitches[4] = { 0, }, offsets[4] = { 0, };
  guint32 memories[4] = { 0, }, fb = 0, fourcc = gst_bufalloc_drm_fourcc (meta->format);
  const gchar *refused = NULL;
  guint64 prime = 0;
  guint i, n = gst_buffer_n_memory (buffer);
  gint err = 0;

  *no_import = FALSE;
  if (drmGetCap (fd, DRM_CAP_PRIME, &prime) < 0
      || !(prime & DRM_PRIME_CAP_IMPORT)) {
    *no_import = TRUE;
    errno = EOPNOTSUPP;
    return "its driver imports no dma-bufs (DRM_CAP_PRIME)";
  }

  for (i = 0; i < n; i++) {
    if (drmPrimeFDToHandle (fd,
            gst_dmabuf_memory_get_fd (gst_buffer_peek_memory (buffer, i)),
            &memories[i]) < 0) {
      err = errno;
      refused = "it cannot reach this memory (drmPrimeFDToHandle)";
      goto close;
    }
  }

  for (i = 0; i < meta->n_planes; i++) {
    guint memory, length;
    gsize skip;

    if (!gst_buffer_find_memory (buffer, meta->offset[i], 1, &memory, &length,
            &skip))
      goto close;
    handles[i] = memories[memory];
    pitches[i] = meta->stride[i];
    offsets[i] = skip;
  }
  if (fourcc != 0) {
    if (drmModeAddFB2 (fd, meta->width, meta->height, fourcc, handles, pitches,
            offsets, &fb, 0) < 0) {
      err = errno;
      refused = "it cannot show this format or layout (drmModeAddFB2)";
    } else {
      drmModeRmFB (fd, fb);
    }
  }

close:
  for (i = 0; i < n && memories[i] != 0; i++)
    drmCloseBufferHandle (fd, memories[i]);
  errno = err;

  return refused;
}

/**
 * gst_bufalloc_display_try_import:
 * @display: a kmssink
 * @buffer: a frame of ours with a #GstVideoMeta, in one memory or more
 * @refusal: (out caller-allocates): what the display refused and why
 *
 * Do to @buffer what @display will do to it, and undo it.
 *
 * Returns: whether the display takes the buffer; @refusal is filled in only if
 * it refuses
 *
 * Since: 0.1
 */
GstBufallocDisplayResult
gst_bufalloc_display_try_import (GstElement * display, GstBuffer * buffer,
    GstBufallocRefusal * refusal)
{
  GstVideoMeta *meta = gst_buffer_get_video_meta (buffer);
  drmVersionPtr version;
  const gchar *step;
  gboolean no_import;
  gint fd, err;

  if (meta == NULL || gst_buffer_n_memory (buffer) > meta->n_planes)
    return GST_BUFALLOC_DISPLAY_UNTRIED;

  fd = gst_bufalloc_display_open (display);
  if (fd < 0) {
    GST_INFO_OBJECT (display, "cannot be opened to try an import: %s",
        g_strerror (errno));
    return GST_BUFALLOC_DISPLAY_UNTRIED;
  }

  step = try_import (fd, buffer, meta, &no_import);
  err = errno;

  if (step != NULL) {
    version = drmGetVersion (fd);
    g_strlcpy (refusal->driver, version ? version->name : "unknown driver",
        sizeof (refusal->driver));
    drmFreeVersion (version);
    refusal->step = step;
    refusal->err = err;
    refusal->no_import = no_import;
  }
  close (fd);

  return step != NULL ? GST_BUFALLOC_DISPLAY_REFUSED :
      GST_BUFALLOC_DISPLAY_TAKEN;
}
