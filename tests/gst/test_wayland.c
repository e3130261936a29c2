/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A waylandsink downstream: the element asks the compositor for its devices. The
 * compositor is a mock that knows linux-dmabuf-unstable-v1 and shows nothing; the
 * sink is one in name. With the module (in a guest) the device is the display that
 * is there, else a file of the stand-in (fake_bufalloc.c), which libdrm is made to
 * find.
 */
#define _GNU_SOURCE             /* RTLD_NEXT */
#include <dlfcn.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include <glib/gstdio.h>
#include <gst/base/gstbasesink.h>
#include <wayland-server.h>
#include <xf86drm.h>

#include "common.h"
#include "linux-dmabuf-unstable-v1-server-protocol.h"

#define CARD "/dev/dri/card0"
#define ONE_SEGMENT makedev (1001, 1)
#define ANYTHING makedev (1001, 2)

static gchar *folder;

/* What the stand-in's devices are, for libdrm's user: found by its name, this
 * comes before libdrm's own. */
static drmDevice fake;

int
drmGetDeviceFromDevId (dev_t id, uint32_t flags, drmDevicePtr * device)
{
  static char *nodes[DRM_NODE_MAX];
  int (*real) (dev_t, uint32_t, drmDevicePtr *) =
      dlsym (RTLD_NEXT, "drmGetDeviceFromDevId");

  if (id != ONE_SEGMENT && id != ANYTHING)
    return real (id, flags, device);
  g_free (nodes[DRM_NODE_PRIMARY]);
  nodes[DRM_NODE_PRIMARY] = g_build_filename (folder,
      id == ONE_SEGMENT ? "one-segment" : "anything", NULL);
  fake.nodes = nodes;
  fake.available_nodes = 1 << DRM_NODE_PRIMARY;
  *device = &fake;
  return 0;
}

void
drmFreeDevice (drmDevicePtr * device)
{
  void (*real) (drmDevicePtr *) = dlsym (RTLD_NEXT, "drmFreeDevice");

  if (*device != &fake)
    real (device);
  *device = NULL;
}

/* The compositor. */

typedef struct
{
  guint version;                /* 0: it takes no dma-bufs */
  gboolean silent;              /* it takes connections, and never answers */
  dev_t devices[3];             /* the first composes */

  struct wl_display *display;
  const char *socket;
  GThread *thread;
} Compositor;

static void
destroy (struct wl_client *client, struct wl_resource *resource)
{
  wl_resource_destroy (resource);
}

static const struct zwp_linux_dmabuf_feedback_v1_interface feedback_calls = {
  .destroy = destroy,
};

static void
send_device (struct wl_resource *resource, dev_t id,
    void (*send) (struct wl_resource *, struct wl_array *))
{
  struct wl_array array = {.size = sizeof (id),.data = &id };

  send (resource, &array);
}

static void
get_feedback (struct wl_client *client, struct wl_resource *dmabuf, uint32_t id)
{
  Compositor *self = wl_resource_get_user_data (dmabuf);
  struct wl_resource *resource = wl_resource_create (client,
      &zwp_linux_dmabuf_feedback_v1_interface, 4, id);
  gint table = open ("/dev/null", O_RDONLY | O_CLOEXEC);
  struct wl_array none = { 0, };
  guint i;

  wl_resource_set_implementation (resource, &feedback_calls, self, NULL);
  zwp_linux_dmabuf_feedback_v1_send_format_table (resource, table, 16);
  close (table);
  send_device (resource, self->devices[0],
      zwp_linux_dmabuf_feedback_v1_send_main_device);
  for (i = 0; i < G_N_ELEMENTS (self->devices); i++) {
    if (self->devices[i] == 0)
      continue;
    send_device (resource, self->devices[i],
        zwp_linux_dmabuf_feedback_v1_send_tranche_target_device);
    zwp_linux_dmabuf_feedback_v1_send_tranche_flags (resource, 0);
    zwp_linux_dmabuf_feedback_v1_send_tranche_formats (resource, &none);
    zwp_linux_dmabuf_feedback_v1_send_tranche_done (resource);
  }
  zwp_linux_dmabuf_feedback_v1_send_done (resource);
}

static const struct zwp_linux_dmabuf_v1_interface dmabuf_calls = {
  .destroy = destroy,
  .get_default_feedback = get_feedback,
};

static void
bind_dmabuf (struct wl_client *client, void *data, uint32_t version,
    uint32_t id)
{
  wl_resource_set_implementation (wl_resource_create (client,
          &zwp_linux_dmabuf_v1_interface, version, id), &dmabuf_calls, data,
      NULL);
}

static gpointer
compositor_run (gpointer data)
{
  Compositor *self = data;

  wl_display_run (self->display);
  return NULL;
}

/* A signal that ends it, which wl_display_terminate() from another thread is not. */
static int
on_stop (int fd, uint32_t mask, void *data)
{
  wl_display_terminate (((Compositor *) data)->display);
  return 0;
}

static gint stop_pipe[2];

static void
compositor_start (Compositor * self)
{
  self->display = wl_display_create ();
  self->socket = wl_display_add_socket_auto (self->display);
  fail_unless (self->socket != NULL);
  if (self->version > 0)
    wl_global_create (self->display, &zwp_linux_dmabuf_v1_interface,
        self->version, self, bind_dmabuf);
  fail_unless (pipe (stop_pipe) == 0);
  wl_event_loop_add_fd (wl_display_get_event_loop (self->display),
      stop_pipe[0], WL_EVENT_READABLE, on_stop, self);
  if (!self->silent)
    self->thread = g_thread_new ("compositor", compositor_run, self);
}

static void
compositor_stop (Compositor * self)
{
  if (self->thread != NULL) {
    fail_unless (write (stop_pipe[1], "x", 1) == 1);
    g_thread_join (self->thread);
  }
  wl_display_destroy_clients (self->display);
  wl_display_destroy (self->display);
}

/* The sink. */

typedef GstBaseSink Sink;
typedef GstBaseSinkClass SinkClass;
GType sink_get_type (void);
G_DEFINE_TYPE (Sink, sink, GST_TYPE_BASE_SINK)

static gchar *socket_name;

static void
get_property (GObject * object, guint id, GValue * value, GParamSpec * s)
{
  g_value_set_string (value, socket_name);
}

static void
sink_class_init (SinkClass * klass)
{
  static GstStaticPadTemplate any = GST_STATIC_PAD_TEMPLATE ("sink",
      GST_PAD_SINK, GST_PAD_ALWAYS, GST_STATIC_CAPS_ANY);

  G_OBJECT_CLASS (klass)->get_property = get_property;
  g_object_class_install_property (G_OBJECT_CLASS (klass), 1,
      g_param_spec_string ("display", "", "", NULL, G_PARAM_READABLE));
  gst_element_class_set_static_metadata (GST_ELEMENT_CLASS (klass),
      "compositor", "Sink/Video", "reads", "test");
  gst_element_class_add_static_pad_template (GST_ELEMENT_CLASS (klass), &any);
}

static void
sink_init (Sink * sink)
{
}

/* All that is logged about it. */
static GMutex log_lock;
static GString *logged;

static void
keep (GstDebugCategory * category, GstDebugLevel level, const gchar * file,
    const gchar * function, gint line, GObject * object,
    GstDebugMessage * message, gpointer unused)
{
  g_mutex_lock (&log_lock);
  g_string_append_printf (logged, "%s\n", gst_debug_message_get (message));
  g_mutex_unlock (&log_lock);
}

static const struct
{
  const gchar *name;
  enum { EVERYWHERE, MODULE, STAND_IN } where;
  gint version;                 /* of linux-dmabuf; -1: no compositor */
  gboolean silent;
  const gchar *devices;         /* s: of one segment, a: of any, c: the display,
                                 * x: one that is not there; the first composes */
  const gchar *heap;
  const gchar *says;
} rows[] = {
  {"no compositor", EVERYWHERE, -1, FALSE, "", "system",
        "there is no compositor "},
  {"a compositor that takes no dma-bufs", EVERYWHERE, 0, FALSE, "", "system",
        "it takes no dma-bufs (no zwp_linux_dmabuf_v1)"},
  {"a compositor without feedback", EVERYWHERE, 3, FALSE, "", "system",
        "is older than version 4"},
  {"a compositor that does not answer", EVERYWHERE, 4, TRUE, "", "system",
        "devices are not known: Connection timed out"},
  {"a device that is not there", EVERYWHERE, 4, FALSE, "x", "system",
        "a device of its compositor cannot be opened"},
  {"the device that composes", STAND_IN, 4, FALSE, "s", "contig",
        "because one-segment (reader) takes one segment"},
  {"the device that shows", STAND_IN, 4, FALSE, "as", "contig",
        "because one-segment (reader) takes one segment"},
  {"each device once", STAND_IN, 4, FALSE, "aaa", "system",
        "the device can use it"},
  {"a real display", MODULE, 4, FALSE, "c", "system", "vkms (vkms): mapped"},
};

static dev_t
device_id (gchar letter)
{
  struct stat st;

  switch (letter) {
    case 's':
      return ONE_SEGMENT;
    case 'a':
      return ANYTHING;
    case 'c':
      fail_unless (stat (CARD, &st) == 0, "there is no " CARD);
      return st.st_rdev;
    default:
      return makedev (226, 200);
  }
}

/* Those that are sockets, the folder's files or the display. */
static guint
count_fds (void)
{
  guint i, n = 0;

  for (i = 0; i < 1024; i++) {
    gchar *link = g_strdup_printf ("/proc/self/fd/%u", i);
    gchar *target = g_file_read_link (link, NULL);

    if (target != NULL && (strstr (target, folder) != NULL
            || g_str_has_prefix (target, "socket:")
            || g_str_equal (target, CARD)))
      n++;
    g_free (target);
    g_free (link);
  }
  return n;
}

GST_START_TEST (test_wayland)
{
  Compositor compositor = { 0, };
  gboolean absent = rows[__i__].version < 0;
  GstElement *pipeline, *element;
  GstStructure *stats = NULL;
  GError *error = NULL;
  GstMessage *message;
  GstBus *bus;
  guint i, fds;

  folder = g_dir_make_tmp ("bufalloc-XXXXXX", NULL);
  g_setenv ("XDG_RUNTIME_DIR", folder, TRUE);
  for (i = 0; i < 2; i++) {
    gchar *path = g_build_filename (folder, i ? "anything" : "one-segment",
        NULL);

    fail_unless (g_file_set_contents (path, "", 0, NULL));
    g_free (path);
  }
  compositor.version = MAX (rows[__i__].version, 0);
  compositor.silent = rows[__i__].silent;
  for (i = 0; rows[__i__].devices[i] != '\0'; i++)
    compositor.devices[i] = device_id (rows[__i__].devices[i]);
  logged = g_string_new (NULL);
  gst_debug_remove_log_function (gst_debug_log_default);
  gst_debug_add_log_function (keep, NULL, NULL);
  gst_debug_set_threshold_for_name ("bufalloc", GST_LEVEL_INFO);
  fail_unless (gst_element_register (NULL, "waylandsink", GST_RANK_NONE,
          sink_get_type ()));
  fds = count_fds ();
  if (absent) {
    socket_name = g_strdup ("nobody");
  } else {
    compositor_start (&compositor);
    socket_name = g_strdup (compositor.socket);
  }

  pipeline = gst_parse_launch ("videotestsrc num-buffers=3 ! video/x-raw,"
      "format=BGRx,width=16,height=16 ! bufalloc name=b ! waylandsink", &error);
  fail_unless (error == NULL);
  element = gst_bin_get_by_name (GST_BIN (pipeline), "b");
  bus = gst_element_get_bus (pipeline);
  gst_element_set_state (pipeline, GST_STATE_PLAYING);
  message = gst_bus_timed_pop_filtered (bus, 10 * GST_SECOND,
      GST_MESSAGE_ERROR | GST_MESSAGE_EOS);
  fail_unless (message != NULL && GST_MESSAGE_TYPE (message) ==
      GST_MESSAGE_EOS, "%" GST_PTR_FORMAT, message);
  gst_message_unref (message);

  g_mutex_lock (&log_lock);
  fail_unless (strstr (logged->str, rows[__i__].says) != NULL, "%s",
      logged->str);
  g_mutex_unlock (&log_lock);
  g_object_get (element, "stats", &stats, NULL);
  fail_unless_equals_string (gst_structure_get_string (stats, "heap"),
      rows[__i__].heap);
  gst_structure_free (stats);

  gst_element_set_state (pipeline, GST_STATE_NULL);
  gst_object_unref (bus);
  gst_object_unref (element);
  gst_object_unref (pipeline);

  if (!absent)
    compositor_stop (&compositor);
  /* no connection and no device is left open */
  fail_unless_equals_int (count_fds (), fds);
}
GST_END_TEST;

int
main (int argc, char **argv)
{
  gboolean with_module = access ("/dev/bufalloc", F_OK) == 0;
  Suite *suite = suite_create ("wayland");
  guint i;

  for (i = 0; i < G_N_ELEMENTS (rows); i++) {
    if (rows[i].where != (with_module ? STAND_IN : MODULE))
      add_row (suite, rows[i].name, test_wayland, i);
  }

  return run_suite (argc, argv, suite);
}
