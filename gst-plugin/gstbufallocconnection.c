/* SPDX-License-Identifier: LGPL-2.1-or-later */

/**
 * SECTION:gstbufallocconnection
 * @title: GstBufallocConnection
 * @short_description: an open connection to what makes buffers
 *
 * To bufalloc.ko, or, where the module is not there, to what else the machine
 * has, as libbufalloc finds it: dma-heaps, udmabuf, dumb buffers of the display.
 *
 * It knows for which devices the buffers are, tells why the memory is what it is
 * once, in the log, and why there is none as an error of the element that it
 * reports to.
 *
 * Since: 0.1
 */

#ifdef HAVE_CONFIG_H
#include "config.h"
#endif

#include "gstbufallocconnection.h"

#include <errno.h>
#include <fcntl.h>

#include "gstbufallocdevices.h"
#include "gstbufallocerrno.h"
#include "gstbufalloclog.h"

GST_DEBUG_CATEGORY_EXTERN (gst_bufalloc_debug);
#define GST_CAT_DEFAULT gst_bufalloc_debug

struct _GstBufallocConnection
{
  GstObject parent;

  /* The element that errors are posted to. Weak: memories keep the connection
   * alive, and they may outlive the element. */
  GWeakRef reporter;
  gchar *name;

  GMutex lock;                  /* one thread at a time in ctx */
  struct bufalloc_ctx *ctx;
  gboolean has_module;          /* else ctx knows the other backends */

  gint heap;                    /* enum bufalloc_heap, atomic */
  gint chosen_heap;             /* of the newest memory, atomic */
  guint attributes;             /* enum bufalloc_attr, atomic */
  guint granted;                /* of these, to the newest memory; atomic */
  gchar *device_list;           /* protected by the object lock */
  gboolean said;                /* the choice below; all protected by lock */
  enum bufalloc_heap said_heap;
  guint32 said_reason;
  gint said_device;
};

G_DEFINE_FINAL_TYPE (GstBufallocConnection, gst_bufalloc_connection,
    GST_TYPE_OBJECT)

static guint64
gst_bufalloc_connection_get_attributes (GstBufallocConnection * self)
{
  return g_atomic_int_get (&self->attributes);
}

/* An error of the element, and of who asked. reason is a sentence. */
static void
gst_bufalloc_connection_report (GstBufallocConnection * self, gsize length,
    enum bufalloc_heap heap, gint err, const gchar * reason, GError ** error)
{
  GstElement *reporter;

  GST_ERROR_OBJECT (self, "%s", reason);
  g_set_error_literal (error, GST_RESOURCE_ERROR,
      err == -ENOMEM || err == -EDQUOT ? GST_RESOURCE_ERROR_NO_SPACE_LEFT :
      GST_RESOURCE_ERROR_FAILED, reason);

  reporter = g_weak_ref_get (&self->reporter);
  if (reporter == NULL)
    return;

  if (err == -ENOMEM || err == -EDQUOT)
    GST_ELEMENT_ERROR (reporter, RESOURCE, NO_SPACE_LEFT, ("%s", reason),
        ("%" G_GSIZE_FORMAT " bytes, heap %s: %s (%d)", length,
            bufalloc_heap_name (heap), gst_bufalloc_errno_name (err), -err));
  else
    GST_ELEMENT_ERROR (reporter, RESOURCE, FAILED, ("%s", reason),
        ("%" G_GSIZE_FORMAT " bytes, heap %s: %s (%d)", length,
            bufalloc_heap_name (heap), gst_bufalloc_errno_name (err), -err));
  gst_object_unref (reporter);
}

/* The devices of the property, or else those on both sides of the element, or
 * downstream of it only. */
static gint
gst_bufalloc_connection_open_devices (GstBufallocConnection * self,
    GstBufallocDevices * devices, gboolean upstream, gchar ** reason)
{
  GstElement *reporter;
  gchar *list;
  gint err = 0;

  *reason = NULL;
  devices->n = 0;
  GST_OBJECT_LOCK (self);
  list = g_strdup (self->device_list);
  GST_OBJECT_UNLOCK (self);

  if (list != NULL) {
    err = gst_bufalloc_devices_open (devices, list, reason);
    g_free (list);
    return err;
  }
  reporter = g_weak_ref_get (&self->reporter);
  if (reporter != NULL) {
    gst_bufalloc_devices_find (devices, self->ctx, reporter, upstream);
    gst_object_unref (reporter);
  }

  return 0;
}

/* The choice is said once, not for each buffer of a pool: they differ in how many
 * segments they have. Called with lock. */
static void
gst_bufalloc_connection_say (GstBufallocConnection * self,
    const struct bufalloc_verdict *verdict)
{
  enum bufalloc_heap heap = bufalloc_verdict_get_heap (verdict);
  guint32 reason = bufalloc_verdict_get_reason (verdict);
  gint device = bufalloc_verdict_get_device (verdict);

  if (self->said && self->said_heap == heap && self->said_reason == reason
      && self->said_device == device) {
    GST_DEBUG_OBJECT (self, "%s", bufalloc_verdict_text (verdict));
    return;
  }

  GST_INFO_OBJECT (self, "%s", bufalloc_verdict_text (verdict));
  self->said = TRUE;
  self->said_heap = heap;
  self->said_reason = reason;
  self->said_device = device;
}

/* Of the heap that all devices can use, or of one that is named. Called with
 * lock. */
static gint
gst_bufalloc_connection_alloc_module (GstBufallocConnection * self,
    gsize length, enum bufalloc_heap heap, struct bufalloc_buf **buf,
    gchar ** reason)
{
  struct bufalloc_alloc_options options = {.size = sizeof (options) };
  struct bufalloc_verdict *verdict = NULL;
  GstBufallocDevices devices = { 0, };
  gint err = 0;

  /* who names a heap knows what the devices need; but which device's own? */
  if (heap == BUFALLOC_AUTO || heap == BUFALLOC_DEVICE_MEMORY)
    err = gst_bufalloc_connection_open_devices (self, &devices, TRUE, reason);
  if (err == 0) {
    options.heap = heap;
    options.name = self->name;
    options.uses = devices.uses;
    options.count = devices.n;
    options.attributes = gst_bufalloc_connection_get_attributes (self);
    err = bufalloc_alloc_with (self->ctx, length, &options, buf, &verdict);
  }
  gst_bufalloc_devices_close (&devices);
  if (verdict == NULL)
    return err;

  if (err < 0) {
    *reason = g_strdup (bufalloc_verdict_text (verdict));
  } else {
    g_atomic_int_set (&self->chosen_heap, bufalloc_verdict_get_heap (verdict));
    g_atomic_int_set (&self->granted,
        (guint) bufalloc_verdict_get_attributes (verdict));
    gst_bufalloc_connection_say (self, verdict);
  }
  bufalloc_verdict_destroy (verdict);

  return err;
}

/* From another backend than the module. The devices are in use by the elements
 * that they belong to, so nothing is tried on them: contiguous memory comes first.
 * Called with lock. */
static gint
gst_bufalloc_connection_alloc_other (GstBufallocConnection * self, gsize length,
    enum bufalloc_heap heap, struct bufalloc_buf **buf, gchar ** reason)
{
  struct bufalloc_verdict *verdict = NULL;
  struct bufalloc_request *req = NULL;
  GstBufallocDevices devices;
  gint err;
  guint i;

  err = gst_bufalloc_connection_open_devices (self, &devices, TRUE,
      reason);
  if (err == 0)
    err = bufalloc_request_new (&req);
  if (err == 0) {
    bufalloc_request_set_name (req, self->name);
    bufalloc_request_set_flags (req, BUFALLOC_REQUEST_NO_TRIAL);
    err = bufalloc_request_set_length (req, length);
  }
  if (err == 0)
    err = bufalloc_request_set_heap (req, heap);
  if (err == 0)
    err = bufalloc_request_set_attributes (req,
        gst_bufalloc_connection_get_attributes (self), 0);
  for (i = 0; i < devices.n && err == 0; i++)
    err = bufalloc_request_add_device (req, devices.uses[i].fd,
        devices.uses[i].access);
  if (err == 0)
    err = bufalloc_alloc (self->ctx, req, buf, &verdict);
  if (err == 0 && !bufalloc_buf_is_dmabuf (*buf)) {
    bufalloc_buf_destroy (*buf);
    *buf = NULL;
    err = -EOPNOTSUPP;
    *reason = g_strdup ("what allocates here makes no dma-bufs, which devices "
        "could import: set BUFALLOC_BACKEND to another backend, or load "
        "bufalloc.ko with 'modprobe bufalloc', as root");
  } else if (verdict != NULL && err < 0) {
    *reason = g_strdup (bufalloc_verdict_text (verdict));
  } else if (verdict != NULL) {
    gst_bufalloc_connection_say (self, verdict);
  }
  bufalloc_verdict_destroy (verdict);
  bufalloc_request_destroy (req);
  gst_bufalloc_devices_close (&devices);

  return err;
}

/* Called with lock. On failure reason is a sentence. */
static gint
gst_bufalloc_connection_alloc_buf (GstBufallocConnection * self, gsize length,
    enum bufalloc_heap heap, struct bufalloc_buf **buf, gchar ** reason)
{
  gint err;

  *reason = NULL;
  if (!self->has_module) {
    err = gst_bufalloc_connection_alloc_other (self, length, heap, buf, reason);
  } else if (heap == BUFALLOC_AUTO || heap == BUFALLOC_DEVICE_MEMORY
      || gst_bufalloc_connection_get_attributes (self) != 0) {
    err = gst_bufalloc_connection_alloc_module (self, length, heap, buf,
        reason);
  } else {
    err = bufalloc_alloc_bytes (self->ctx, length, heap, self->name, buf);
    if (err == 0)
      g_atomic_int_set (&self->chosen_heap, heap);
  }

  if (err < 0 && *reason == NULL) {
    gchar text[512];

    bufalloc_alloc_strerror (self->ctx, length, heap, err, text, sizeof (text));
    *reason = g_strdup (text);
  }

  return err;
}

/**
 * gst_bufalloc_connection_alloc:
 * @self: a #GstBufallocConnection
 * @length: bytes that the dma-buf has at least; set to those that it has
 * @attributes: (out): the attributes that it has
 * @error: (nullable): where to put the reason
 *
 * Returns: the file descriptor of a new dma-buf, the caller's own, or a negative
 * errno. The reason is then posted as an error.
 *
 * Since: 0.1
 */
gint
gst_bufalloc_connection_alloc (GstBufallocConnection * self, gsize * length,
    guint64 * attributes, GError ** error)
{
  enum bufalloc_heap heap = gst_bufalloc_connection_get_heap (self);
  struct bufalloc_buf *buf = NULL;
  gchar *reason = NULL;
  gint fd = -1, err;

  g_mutex_lock (&self->lock);
  g_atomic_int_set (&self->granted, 0);
  err = gst_bufalloc_connection_alloc_buf (self, *length, heap, &buf, &reason);
  *attributes = gst_bufalloc_connection_get_granted (self);
  if (err == 0) {
    *length = bufalloc_buf_get_length (buf);
    /* the memory outlives buf */
    fd = fcntl (bufalloc_buf_get_fd (buf), F_DUPFD_CLOEXEC, 0);
    if (fd < 0) {
      err = -errno;
      reason = g_strdup (bufalloc_strerror (err));
    }
    bufalloc_buf_destroy (buf);
  }
  g_mutex_unlock (&self->lock);

  if (err < 0)
    gst_bufalloc_connection_report (self, *length, heap, err, reason, error);
  g_free (reason);

  return err < 0 ? err : fd;
}

/**
 * gst_bufalloc_connection_import:
 * @self: a #GstBufallocConnection
 * @address: memory of whole pages
 * @length: its length in bytes
 * @read_only: nobody may write to it
 * @buf: (out): a dma-buf of it, which the devices downstream can use
 * @reason: (out) (transfer full): on failure, why not
 *
 * Nothing is posted.
 *
 * Returns: 0, or a negative errno
 *
 * Since: 0.1
 */
gint
gst_bufalloc_connection_import (GstBufallocConnection * self,
    gconstpointer address, gsize length, gboolean read_only,
    struct bufalloc_buf **buf, gchar ** reason)
{
  struct bufalloc_import_options options = {.size = sizeof (options) };
  struct bufalloc_verdict *verdict = NULL;
  GstBufallocDevices devices;
  gint err;

  g_mutex_lock (&self->lock);
  err = gst_bufalloc_connection_open_devices (self, &devices, FALSE, reason);
  if (err == 0) {
    options.flags = read_only ? BUFALLOC_READ_ONLY : 0;
    options.name = self->name;
    options.uses = devices.uses;
    options.count = devices.n;
    err = bufalloc_import_user (self->ctx, address, length, &options, buf,
        &verdict);
  }
  gst_bufalloc_devices_close (&devices);
  if (verdict != NULL && err < 0)
    *reason = g_strdup (bufalloc_verdict_text (verdict));
  else if (verdict != NULL)
    GST_DEBUG_OBJECT (self, "%s", bufalloc_verdict_text (verdict));
  bufalloc_verdict_destroy (verdict);
  g_mutex_unlock (&self->lock);

  if (err < 0 && *reason == NULL)
    *reason = g_strdup (bufalloc_strerror (err));

  return err;
}

static void
gst_bufalloc_connection_finalize (GObject * object)
{
  GstBufallocConnection *self = GST_BUFALLOC_CONNECTION (object);

  bufalloc_close (self->ctx);
  g_weak_ref_clear (&self->reporter);
  g_free (self->name);
  g_free (self->device_list);
  g_mutex_clear (&self->lock);

  G_OBJECT_CLASS (gst_bufalloc_connection_parent_class)->finalize (object);
}

static void
gst_bufalloc_connection_class_init (GstBufallocConnectionClass * klass)
{
  gst_bufalloc_log_init ();

  G_OBJECT_CLASS (klass)->finalize = gst_bufalloc_connection_finalize;
}

static void
gst_bufalloc_connection_init (GstBufallocConnection * self)
{
  g_mutex_init (&self->lock);
  g_weak_ref_init (&self->reporter, NULL);
}

/* A page shows whether there is anything. The name of the backend, or NULL. */
static const gchar *
gst_bufalloc_connection_probe (struct bufalloc_ctx *ctx)
{
  struct bufalloc_request *req = NULL;
  struct bufalloc_buf *buf = NULL;
  const gchar *backend = NULL;

  if (bufalloc_request_new (&req) == 0
      && bufalloc_request_set_length (req, 1) == 0
      && bufalloc_alloc (ctx, req, &buf, NULL) == 0
      && bufalloc_buf_is_dmabuf (buf))
    backend = bufalloc_buf_get_backend (buf);
  bufalloc_buf_destroy (buf);
  bufalloc_request_destroy (req);

  return backend;
}

/* What else than the module there is, or what BUFALLOC_BACKEND names. */
static struct bufalloc_ctx *
gst_bufalloc_connection_open_other (const gchar * device, const gchar ** backend)
{
  struct bufalloc_options options = {.size = sizeof (options),.node = device };
  struct bufalloc_ctx *ctx = NULL;

  if (bufalloc_open (&ctx, &options) < 0)
    return NULL;
  *backend = gst_bufalloc_connection_probe (ctx);
  if (*backend == NULL)
    g_clear_pointer (&ctx, bufalloc_close);

  return ctx;
}

/**
 * gst_bufalloc_connection_new:
 * @device: (nullable): the module's node, or %NULL for the usual one
 * @reporter: (nullable) (transfer none): the element that errors are posted to;
 *   no reference is kept. Its name becomes the name of the dma-bufs
 * @err: (out): 0, or the negative errno of bufalloc_open_module()
 * @reason: (out) (transfer full): on failure, a sentence that says why and what
 *   to do; also where the buffers come from another backend, because the module
 *   cannot be opened. Else %NULL
 *
 * Returns: (transfer full) (nullable): a new connection, or %NULL if neither the
 * module can be opened nor anything else makes dma-bufs
 *
 * Since: 0.1
 */
GstBufallocConnection *
gst_bufalloc_connection_new (const gchar * device, GstElement * reporter,
    gint * err, gchar ** reason)
{
  GstBufallocConnection *self;
  struct bufalloc_ctx *ctx = NULL;
  const gchar *backend = NULL;

  *reason = NULL;
  *err = bufalloc_open_module (&ctx, device);
  if (*err < 0) {
    gchar text[512];

    bufalloc_open_strerror (device, *err, text, sizeof (text));
    ctx = gst_bufalloc_connection_open_other (device, &backend);
    if (ctx == NULL) {
      *reason = g_strdup (text);
      return NULL;
    }
    *reason = g_strdup_printf ("%s; meanwhile the buffers come from %s, where "
        "nothing is known of what the devices need", text, backend);
  }

  self = g_object_new (GST_TYPE_BUFALLOC_CONNECTION, NULL);
  gst_object_ref_sink (self);
  self->ctx = ctx;
  self->has_module = backend == NULL;
  if (reporter != NULL) {
    self->name = gst_object_get_name (GST_OBJECT (reporter));
    g_weak_ref_set (&self->reporter, reporter);
  }

  return self;
}

/**
 * gst_bufalloc_connection_set_heap:
 * @self: a #GstBufallocConnection
 * @heap: where memory that is allocated from now on comes from
 *
 * Since: 0.1
 */
void
gst_bufalloc_connection_set_heap (GstBufallocConnection * self,
    enum bufalloc_heap heap)
{
  g_atomic_int_set (&self->heap, heap);
  g_atomic_int_set (&self->chosen_heap, heap);
}

/**
 * gst_bufalloc_connection_get_heap:
 * @self: a #GstBufallocConnection
 *
 * Returns: where memory that is allocated now comes from
 *
 * Since: 0.1
 */
enum bufalloc_heap
gst_bufalloc_connection_get_heap (GstBufallocConnection * self)
{
  return g_atomic_int_get (&self->heap);
}

/**
 * gst_bufalloc_connection_get_chosen_heap:
 * @self: a #GstBufallocConnection
 *
 * Returns: where the newest memory comes from; what is set if there is none
 *
 * Since: 0.1
 */
enum bufalloc_heap
gst_bufalloc_connection_get_chosen_heap (GstBufallocConnection * self)
{
  return g_atomic_int_get (&self->chosen_heap);
}

/**
 * gst_bufalloc_connection_set_attributes:
 * @self: a #GstBufallocConnection
 * @attributes: of memory that is allocated from now on, enum bufalloc_attr bits
 *
 * Since: 0.1
 */
void
gst_bufalloc_connection_set_attributes (GstBufallocConnection * self,
    guint64 attributes)
{
  g_atomic_int_set (&self->attributes, (guint) attributes);
}

/**
 * gst_bufalloc_connection_get_granted:
 * @self: a #GstBufallocConnection
 *
 * Returns: the attributes that the newest memory has, enum bufalloc_attr bits
 *
 * Since: 0.1
 */
guint64
gst_bufalloc_connection_get_granted (GstBufallocConnection * self)
{
  return g_atomic_int_get (&self->granted);
}

/**
 * gst_bufalloc_connection_set_device_list:
 * @self: a #GstBufallocConnection
 * @list: (nullable): nodes of the devices that %BUFALLOC_AUTO is for, with
 *   commas between them; %NULL for those on both sides of the element
 *
 * Since: 0.1
 */
void
gst_bufalloc_connection_set_device_list (GstBufallocConnection * self,
    const gchar * list)
{
  GST_OBJECT_LOCK (self);
  g_free (self->device_list);
  self->device_list = g_strdup (list);
  GST_OBJECT_UNLOCK (self);
}
