/* SPDX-License-Identifier: LGPL-2.1-or-later */

/**
 * SECTION:gstbufallocadopter
 * @title: GstBufallocAdopter
 * @short_description: frames that came in memory of somebody else's
 *
 * Where a display, or a V4L2 element that imports, gets the frames, they become
 * dma-bufs: by importing the memory as it is, or else by copying it into a buffer
 * of a pool of ours. A copy is said: as a warning and as an element message
 * "bufalloc-copy", once for each reason.
 *
 * Where nobody downstream has a use for dma-bufs, frames go on as they came:
 * importing would cost something and gain nothing. So do dma-bufs, whoever made
 * them.
 *
 * Since: 0.1
 */

#ifdef HAVE_CONFIG_H
#include "config.h"
#endif

#include "gstbufallocadopter.h"

#include <errno.h>

#include <gst/allocators/gstdmabuf.h>

#include "gstbufalloccaps.h"
#include "gstbufallocdevices.h"
#include "gstbufallocerrno.h"
#include "gstbufallocpropose.h"

GST_DEBUG_CATEGORY_EXTERN (gst_bufalloc_debug);
#define GST_CAT_DEFAULT gst_bufalloc_debug

/**
 * gst_bufalloc_adopter_start:
 * @self: (out caller-allocates): an adopter
 * @element: (transfer none): the element that it is part of
 * @connection: (transfer none): what makes the dma-bufs
 * @allocator: (transfer none): where copies go
 *
 * Since: 0.1
 */
void
gst_bufalloc_adopter_start (GstBufallocAdopter * self, GstElement * element,
    GstBufallocConnection * connection, GstBufallocAllocator * allocator)
{
  memset (self, 0, sizeof (*self));
  self->element = element;
  self->allocator = gst_object_ref (allocator);
  self->importer = gst_bufalloc_user_allocator_new (connection);
}

static void
drop_pool (GstBufallocAdopter * self)
{
  if (self->pool != NULL)
    gst_buffer_pool_set_active (self->pool, FALSE);
  gst_clear_object (&self->pool);
}

/**
 * gst_bufalloc_adopter_stop:
 * @self: an adopter that was started
 *
 * Let go of everything; what is downstream keeps what it needs.
 *
 * Since: 0.1
 */
void
gst_bufalloc_adopter_stop (GstBufallocAdopter * self)
{
  drop_pool (self);
  if (self->importer != NULL)
    gst_bufalloc_user_allocator_flush (self->importer);
  gst_clear_object (&self->importer);
  gst_clear_object (&self->allocator);
  gst_clear_caps (&self->caps);
}

/**
 * gst_bufalloc_adopter_set_caps:
 * @self: an adopter
 * @caps: of the frames that come from now on
 *
 * Since: 0.1
 */
void
gst_bufalloc_adopter_set_caps (GstBufallocAdopter * self, GstCaps * caps)
{
  drop_pool (self);
  /* who remembers something by a memory, remembers the old format */
  if (self->importer != NULL)
    gst_bufalloc_user_allocator_flush (self->importer);
  gst_caps_replace (&self->caps, caps);
  self->has_info = gst_bufalloc_caps_to_info (caps, &self->info);
  gst_bufalloc_adopter_look_again (self);
}

/**
 * gst_bufalloc_adopter_look_again:
 * @self: an adopter
 *
 * There may be other elements downstream than before. May be called from any
 * thread.
 *
 * Since: 0.1
 */
void
gst_bufalloc_adopter_look_again (GstBufallocAdopter * self)
{
  g_atomic_int_set (&self->asked, FALSE);
}

/* How many frames downstream keeps while it waits for the next one. */
static guint
ask_held (GstBufallocAdopter * self)
{
  GstQuery *query = gst_query_new_allocation (self->caps, FALSE);
  guint min = 0;

  if (gst_pad_peer_query (GST_BASE_TRANSFORM_SRC_PAD (self->element), query)
      && gst_query_get_n_allocation_pools (query) > 0)
    gst_query_parse_nth_allocation_pool (query, 0, NULL, NULL, &min, NULL);
  gst_query_unref (query);

  return min;
}

/* The devices that are named are there to be used. */
static gboolean
is_wanted (GstBufallocAdopter * self, const GstBufallocSettings * settings)
{
  if (g_atomic_int_compare_and_exchange (&self->asked, FALSE, TRUE)) {
    self->wanted = settings->devices != NULL ? *settings->devices != '\0' :
        gst_bufalloc_devices_wanted (self->element);
    self->held = self->wanted ? ask_held (self) : 0;
    GST_DEBUG_OBJECT (self->element, "downstream %s dma-bufs, and keeps %u",
        self->wanted ? "uses" : "has no use for", self->held);
  }

  return self->wanted;
}

/* Importers take one memory, or one for each plane that begins with it. */
static gboolean
fits_planes (GstBufallocAdopter * self, GstBuffer * in)
{
  GstVideoMeta *meta = gst_buffer_get_video_meta (in);
  guint planes = meta ? meta->n_planes : GST_VIDEO_INFO_N_PLANES (&self->info);
  guint i, n = gst_buffer_n_memory (in);
  gsize offset = 0;

  if (n == 1)
    return TRUE;
  if (n != planes)
    return FALSE;
  for (i = 0; i < n; i++) {
    if ((meta ? meta->offset[i] : GST_VIDEO_INFO_PLANE_OFFSET (&self->info,
                i)) != offset)
      return FALSE;
    offset += gst_memory_get_sizes (gst_buffer_peek_memory (in, i), NULL, NULL);
  }

  return TRUE;
}

/* As long as downstream keeps a frame, so does its dma-buf keep upstream's buffer:
 * a pool that is too small for that would make upstream wait for ever. */
static gboolean
has_enough_buffers (GstBufallocAdopter * self, GstBuffer * in, guint * max)
{
  GstStructure *config;

  if (in->pool == NULL)
    return TRUE;
  config = gst_buffer_pool_get_config (in->pool);
  if (!gst_buffer_pool_config_get_params (config, NULL, NULL, NULL, max))
    *max = 0;
  gst_structure_free (config);

  return *max == 0 || *max > self->held;
}

/* Importers need to know where the planes are. */
static void
add_video_meta (GstBufallocAdopter * self, GstBuffer * in, GstBuffer * out)
{
  GstVideoMeta *meta = gst_buffer_get_video_meta (in), *copy;

  if (meta == NULL) {
    gst_buffer_add_video_meta_full (out, GST_VIDEO_FRAME_FLAG_NONE,
        GST_VIDEO_INFO_FORMAT (&self->info), GST_VIDEO_INFO_WIDTH (&self->info),
        GST_VIDEO_INFO_HEIGHT (&self->info),
        GST_VIDEO_INFO_N_PLANES (&self->info), self->info.offset,
        self->info.stride);
    return;
  }
  copy = gst_buffer_add_video_meta_full (out, meta->flags, meta->format,
      meta->width, meta->height, meta->n_planes, meta->offset, meta->stride);
  gst_video_meta_set_alignment (copy, meta->alignment);
}

/* The same frame, in the same memory. */
static GstBuffer *
import_frame (GstBufallocAdopter * self, GstBuffer * in, gint * err,
    gchar ** reason)
{
  GstBuffer *out;
  guint i, max;

  if (!has_enough_buffers (self, in, &max)) {
    *err = -ENOBUFS;
    *reason = g_strdup_printf ("its pool has %u buffers at most, and %u are "
        "needed, as downstream keeps %u", max, self->held + 1, self->held);
    return NULL;
  }
  if (!fits_planes (self, in)) {
    *err = -EINVAL;
    *reason = g_strdup_printf ("its frames are in %u memories, which are not "
        "one for each plane", gst_buffer_n_memory (in));
    return NULL;
  }

  out = gst_buffer_new ();
  for (i = 0; i < gst_buffer_n_memory (in); i++) {
    GstMemory *mem = gst_bufalloc_user_allocator_import (self->importer,
        gst_buffer_peek_memory (in, i), err, reason);

    if (mem == NULL) {
      gst_buffer_unref (out);
      return NULL;
    }
    gst_buffer_append_memory (out, mem);
  }

  gst_buffer_copy_into (out, in, GST_BUFFER_COPY_METADATA, 0, -1);
  add_video_meta (self, in, out);
  /* upstream's pool does not get it back before */
  gst_buffer_add_parent_buffer_meta (out, in);

  return out;
}

static gboolean
copy_meta (GstBuffer * in, GstMeta ** meta, gpointer out)
{
  const GstMetaInfo *info = (*meta)->info;
  GstMetaTransformCopy data = { FALSE, 0, -1 };

  if (info->transform_func != NULL
      && !gst_meta_api_type_has_tag (info->api,
          g_quark_from_static_string (GST_META_TAG_MEMORY_STR)))
    info->transform_func (out, *meta, in,
        g_quark_from_static_string ("gst-copy"), &data);

  return TRUE;
}

static GstFlowReturn
copy_frame (GstBufallocAdopter * self, const GstBufallocSettings * settings,
    GstBuffer * in, GstBuffer ** out)
{
  GstVideoFrame from, to;
  GstFlowReturn ret;
  gboolean copied;

  if (self->pool == NULL) {
    self->pool = gst_bufalloc_make_pool (self->allocator, settings, NULL,
        self->caps, GST_VIDEO_INFO_SIZE (&self->info), settings->min_buffers,
        NULL);
    /* the allocator has said why */
    if (self->pool == NULL || !gst_buffer_pool_set_active (self->pool, TRUE)) {
      gst_clear_object (&self->pool);
      return GST_FLOW_ERROR;
    }
  }

  ret = gst_buffer_pool_acquire_buffer (self->pool, out, NULL);
  if (ret != GST_FLOW_OK)
    return ret;
  if (!gst_video_frame_map (&from, &self->info, in, GST_MAP_READ)) {
    gst_clear_buffer (out);
    GST_ELEMENT_ERROR (self->element, STREAM, WRONG_TYPE,
        ("A frame that upstream sends is smaller than its format says."),
        ("%" G_GSIZE_FORMAT " bytes, %" GST_PTR_FORMAT,
            gst_buffer_get_size (in), self->caps));
    return GST_FLOW_ERROR;
  }
  copied = gst_video_frame_map (&to, &self->info, *out, GST_MAP_WRITE);
  if (copied) {
    gst_video_frame_copy (&to, &from);
    gst_video_frame_unmap (&to);
  }
  gst_video_frame_unmap (&from);
  if (!copied) {
    gst_clear_buffer (out);
    GST_ELEMENT_ERROR (self->element, RESOURCE, FAILED,
        ("A buffer cannot be mapped, to copy a frame into it."), (NULL));
    return GST_FLOW_ERROR;
  }

  gst_buffer_copy_into (*out, in, GST_BUFFER_COPY_FLAGS |
      GST_BUFFER_COPY_TIMESTAMPS, 0, -1);
  gst_buffer_foreach_meta (in, copy_meta, *out);

  return GST_FLOW_OK;
}

static gboolean
is_said (GstBufallocAdopter * self, gint err)
{
  guint i;

  for (i = 0; i < self->n_said; i++) {
    if (self->said[i] == err)
      return TRUE;
  }
  if (self->n_said < G_N_ELEMENTS (self->said))
    self->said[self->n_said++] = err;

  return FALSE;
}

static void
say_copy (GstBufallocAdopter * self, gint err, const gchar * reason)
{
  GstElement *upstream, *element = self->element;
  const gchar *setting = NULL;
  gchar *name, *what;

  if (is_said (self, err))
    return;
  upstream = gst_bufalloc_devices_find_upstream (element);
  name = upstream != NULL ? gst_object_get_name (GST_OBJECT (upstream)) :
      g_strdup ("upstream");
  if (upstream != NULL)
    setting = gst_bufalloc_devices_import_setting (upstream);
  what = setting != NULL ? g_strdup_printf (" Set %s on it.", setting) :
      g_strdup ("");

  GST_ELEMENT_WARNING (element, RESOURCE, SETTINGS,
      ("%s sends memory of its own, and each frame of it is copied: %s.%s",
          name, reason, what), ("%s (%d)", gst_bufalloc_errno_name (err),
          -err));
  gst_element_post_message (element, gst_message_new_element (GST_OBJECT
          (element), gst_structure_new ("bufalloc-copy",
              "element", G_TYPE_STRING, name,
              "reason", G_TYPE_STRING, reason,
              "errno", G_TYPE_INT, -err,
              "size", G_TYPE_UINT64, (guint64) GST_VIDEO_INFO_SIZE
              (&self->info), NULL)));
  g_free (what);
  g_free (name);
  gst_clear_object (&upstream);
}

/**
 * gst_bufalloc_adopter_take:
 * @self: an adopter
 * @settings: the element's
 * @in: (transfer none): a frame that is not in memory of ours
 * @out: (out) (transfer full): what goes on, or @in without a reference
 * @adoption: (out): what became of it
 *
 * Returns: %GST_FLOW_OK, or what ends the stream: the reason is then posted
 *
 * Since: 0.1
 */
GstFlowReturn
gst_bufalloc_adopter_take (GstBufallocAdopter * self,
    const GstBufallocSettings * settings, GstBuffer * in, GstBuffer ** out,
    GstBufallocAdoption * adoption)
{
  gchar *reason = NULL;
  GstFlowReturn ret;
  gint err = 0;

  *out = in;
  *adoption = GST_BUFALLOC_ADOPTION_PASSED;
  if (self->importer == NULL || !self->has_info
      || gst_buffer_n_memory (in) == 0
      || gst_is_dmabuf_memory (gst_buffer_peek_memory (in, 0))
      || !is_wanted (self, settings))
    return GST_FLOW_OK;

  *out = import_frame (self, in, &err, &reason);
  if (*out != NULL) {
    *adoption = GST_BUFALLOC_ADOPTION_IMPORTED;
    if (!self->said_import)
      GST_INFO_OBJECT (self->element, "upstream sends memory of its own, which "
          "is imported as it is");
    self->said_import = TRUE;
    return GST_FLOW_OK;
  }

  say_copy (self, err, reason != NULL ? reason : "it cannot be imported");
  g_free (reason);
  ret = copy_frame (self, settings, in, out);
  if (ret == GST_FLOW_OK)
    *adoption = GST_BUFALLOC_ADOPTION_COPIED;
  else
    *out = NULL;

  return ret;
}
