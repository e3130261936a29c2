/* SPDX-License-Identifier: LGPL-2.1-or-later */

/**
 * SECTION:gstbufallocwayland
 * @title: GstBufallocWayland
 * @short_description: the devices of a Wayland compositor
 *
 * A waylandsink has no device of its own: the compositor reads the buffers. It
 * says with which devices in the default feedback of the protocol
 * linux-dmabuf-unstable-v1, version 4: one that composes, and for each tranche of
 * formats the one that a buffer is for, which may be the display itself. They are
 * asked for on a connection of our own.
 *
 * Since: 0.1
 */

#ifdef HAVE_CONFIG_H
#include "config.h"
#endif

#include "gstbufallocwayland.h"

GST_DEBUG_CATEGORY_EXTERN (gst_bufalloc_debug);
#define GST_CAT_DEFAULT gst_bufalloc_debug

/**
 * gst_bufalloc_is_wayland:
 * @element: any element
 *
 * Returns: whether it shows its frames by a Wayland compositor
 *
 * Since: 0.1
 */
gboolean
gst_bufalloc_is_wayland (GstElement * element)
{
  GstElementFactory *factory = gst_element_get_factory (element);

  return factory != NULL
      && (g_str_equal (GST_OBJECT_NAME (factory), "waylandsink")
      || g_str_equal (GST_OBJECT_NAME (factory), "gtkwaylandsink"));
}

#ifdef HAVE_WAYLAND

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <string.h>
#include <sys/types.h>
#include <unistd.h>

#include <wayland-client.h>
#include <xf86drm.h>

#include "linux-dmabuf-unstable-v1-client-protocol.h"

/* The first version that has feedback. */
#define FEEDBACK_VERSION 4

/* A compositor that does not answer for so long has hung. */
#define ANSWER_MS 1000

typedef struct
{
  struct zwp_linux_dmabuf_v1 *dmabuf;
  guint32 version;
  guint n;
  dev_t devices[GST_BUFALLOC_MAX_COMPOSITOR_DEVICES];
  gboolean done;
} Feedback;

static void
add_device (Feedback * feedback, struct wl_array *device)
{
  dev_t id;
  guint i;

  if (device->size != sizeof (id))
    return;
  memcpy (&id, device->data, sizeof (id));
  for (i = 0; i < feedback->n; i++) {
    if (feedback->devices[i] == id)
      return;
  }
  if (feedback->n < GST_BUFALLOC_MAX_COMPOSITOR_DEVICES)
    feedback->devices[feedback->n++] = id;
}

static void
on_done (void *data, struct zwp_linux_dmabuf_feedback_v1 *object)
{
  Feedback *feedback = data;

  feedback->done = TRUE;
}

/* The table of formats is not ours to choose from: the sink has negotiated. */
static void
on_format_table (void *data, struct zwp_linux_dmabuf_feedback_v1 *object,
    int32_t fd, uint32_t size)
{
  close (fd);
}

static void
on_main_device (void *data, struct zwp_linux_dmabuf_feedback_v1 *object,
    struct wl_array *device)
{
  add_device (data, device);
}

static void
on_tranche_done (void *data, struct zwp_linux_dmabuf_feedback_v1 *object)
{
}

static void
on_tranche_target_device (void *data,
    struct zwp_linux_dmabuf_feedback_v1 *object, struct wl_array *device)
{
  add_device (data, device);
}

static void
on_tranche_formats (void *data, struct zwp_linux_dmabuf_feedback_v1 *object,
    struct wl_array *indices)
{
}

static void
on_tranche_flags (void *data, struct zwp_linux_dmabuf_feedback_v1 *object,
    uint32_t flags)
{
}

static const struct zwp_linux_dmabuf_feedback_v1_listener feedback_listener = {
  .done = on_done,
  .format_table = on_format_table,
  .main_device = on_main_device,
  .tranche_done = on_tranche_done,
  .tranche_target_device = on_tranche_target_device,
  .tranche_formats = on_tranche_formats,
  .tranche_flags = on_tranche_flags,
};

static void
on_global (void *data, struct wl_registry *registry, uint32_t name,
    const char *interface, uint32_t version)
{
  Feedback *feedback = data;

  if (feedback->dmabuf != NULL
      || strcmp (interface, zwp_linux_dmabuf_v1_interface.name) != 0)
    return;
  feedback->version = version;
  feedback->dmabuf = wl_registry_bind (registry, name,
      &zwp_linux_dmabuf_v1_interface, MIN (version, FEEDBACK_VERSION));
}

static void
on_global_remove (void *data, struct wl_registry *registry, uint32_t name)
{
}

static const struct wl_registry_listener registry_listener = {
  .global = on_global,
  .global_remove = on_global_remove,
};

static void
on_sync (void *data, struct wl_callback *callback, uint32_t serial)
{
  gboolean *done = data;

  *done = TRUE;
}

static const struct wl_callback_listener sync_listener = {.done = on_sync };

/* Handle events until *done, which an event sets. FALSE with errno when there is
 * no answer by the deadline: wl_display_roundtrip() would wait for ever. */
static gboolean
wait_until (struct wl_display *display, const gboolean * done, gint64 deadline)
{
  while (!*done) {
    struct pollfd poll_fd = {.fd = wl_display_get_fd (display),.events = POLLIN };
    gint left = (gint) ((deadline - g_get_monotonic_time ())
        / G_TIME_SPAN_MILLISECOND);
    gint n;

    while (wl_display_prepare_read (display) != 0) {
      if (wl_display_dispatch_pending (display) < 0)
        return FALSE;
    }
    if (*done || (wl_display_flush (display) < 0 && errno != EAGAIN)) {
      wl_display_cancel_read (display);
      if (*done)
        break;
      return FALSE;
    }
    n = left > 0 ? poll (&poll_fd, 1, left) : 0;
    if (n <= 0) {
      wl_display_cancel_read (display);
      if (n < 0 && errno == EINTR)
        continue;
      if (n == 0)
        errno = ETIMEDOUT;
      return FALSE;
    }
    if (wl_display_read_events (display) < 0
        || wl_display_dispatch_pending (display) < 0)
      return FALSE;
  }

  return TRUE;
}

/* Returns why there is nothing, or NULL. */
static const gchar *
ask (struct wl_display *display, Feedback * feedback)
{
  gint64 deadline = g_get_monotonic_time () + ANSWER_MS * G_TIME_SPAN_MILLISECOND;
  struct wl_registry *registry = wl_display_get_registry (display);
  struct zwp_linux_dmabuf_feedback_v1 *object;
  struct wl_callback *callback;
  const gchar *reason = NULL;
  gboolean listed = FALSE;

  wl_registry_add_listener (registry, &registry_listener, feedback);
  callback = wl_display_sync (display);
  wl_callback_add_listener (callback, &sync_listener, &listed);
  if (!wait_until (display, &listed, deadline))
    reason = g_strerror (errno);
  else if (feedback->dmabuf == NULL)
    reason = "it takes no dma-bufs (no zwp_linux_dmabuf_v1)";
  else if (feedback->version < FEEDBACK_VERSION)
    reason = "it does not say with which device it reads dma-bufs "
        "(zwp_linux_dmabuf_v1 is older than version 4)";
  wl_callback_destroy (callback);

  if (reason == NULL) {
    object = zwp_linux_dmabuf_v1_get_default_feedback (feedback->dmabuf);
    zwp_linux_dmabuf_feedback_v1_add_listener (object, &feedback_listener,
        feedback);
    if (!wait_until (display, &feedback->done, deadline))
      reason = g_strerror (errno);
    zwp_linux_dmabuf_feedback_v1_destroy (object);
  }
  g_clear_pointer (&feedback->dmabuf, zwp_linux_dmabuf_v1_destroy);
  wl_registry_destroy (registry);

  return reason;
}

/* A primary node belongs to the display, a render node may be opened by all. */
static gint
open_device (dev_t id)
{
  drmDevicePtr device;
  gint fd = -1, err;

  err = drmGetDeviceFromDevId (id, 0, &device);
  if (err < 0) {
    errno = -err;
    return -1;
  }
  if (device->available_nodes & (1 << DRM_NODE_PRIMARY))
    fd = open (device->nodes[DRM_NODE_PRIMARY], O_RDWR | O_CLOEXEC);
  if (fd < 0 && (device->available_nodes & (1 << DRM_NODE_RENDER)))
    fd = open (device->nodes[DRM_NODE_RENDER], O_RDWR | O_CLOEXEC);
  err = errno;
  drmFreeDevice (&device);
  errno = err;

  return fd;
}

/**
 * gst_bufalloc_wayland_open:
 * @element: an element that is gst_bufalloc_is_wayland()
 * @fds: (out caller-allocates): the caller's own file descriptors
 *
 * Ask its compositor, at most for a second, with which devices it reads, and open
 * them.
 *
 * Returns: how many there are; 0 where the compositor does not say, which is
 * logged with the reason
 *
 * Since: 0.1
 */
guint
gst_bufalloc_wayland_open (GstElement * element,
    gint fds[GST_BUFALLOC_MAX_COMPOSITOR_DEVICES])
{
  Feedback feedback = {.dmabuf = NULL };
  struct wl_display *display;
  const gchar *reason;
  gchar *name = NULL;
  guint i, n = 0;

  if (g_object_class_find_property (G_OBJECT_GET_CLASS (element), "display"))
    g_object_get (element, "display", &name, NULL);
  display = wl_display_connect (name);
  if (display == NULL) {
    GST_INFO_OBJECT (element, "there is no compositor %s to ask for its "
        "devices: %s", name ? name : "(the default)", g_strerror (errno));
    g_free (name);
    return 0;
  }
  g_free (name);

  reason = ask (display, &feedback);
  wl_display_disconnect (display);
  if (reason != NULL) {
    GST_INFO_OBJECT (element, "its compositor's devices are not known: %s",
        reason);
    return 0;
  }

  for (i = 0; i < feedback.n; i++) {
    fds[n] = open_device (feedback.devices[i]);
    if (fds[n] >= 0)
      n++;
    else
      GST_WARNING_OBJECT (element, "a device of its compositor cannot be opened "
          "and is left out: %s", g_strerror (errno));
  }

  return n;
}

#else /* !HAVE_WAYLAND */

guint
gst_bufalloc_wayland_open (GstElement * element,
    gint fds[GST_BUFALLOC_MAX_COMPOSITOR_DEVICES])
{
  GST_INFO_OBJECT (element, "its compositor's devices are not known: this plugin "
      "was built without wayland-client and wayland-protocols");
  return 0;
}

#endif
