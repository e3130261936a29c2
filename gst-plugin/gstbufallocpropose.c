/* SPDX-License-Identifier: LGPL-2.1-or-later */

/**
 * SECTION:gstbufallocpropose
 * @title: ALLOCATION query
 * @short_description: what upstream is offered
 *
 * Since: 0.1
 */

#ifdef HAVE_CONFIG_H
#include "config.h"
#endif

#include "gstbufallocpropose.h"

#include <unistd.h>

#include <gst/video/video.h>

#include "gstbufalloccaps.h"
#include "gstbufallocpool.h"

GST_DEBUG_CATEGORY_EXTERN (gst_bufalloc_debug);
#define GST_CAT_DEFAULT gst_bufalloc_debug

/**
 * gst_bufalloc_make_pool:
 * @allocator: where the memory of the pool comes from
 * @settings: the element's
 * @element: (nullable): whose upstream fills them
 * @caps: of the frames
 * @size: bytes that a frame has at least
 * @min: buffers to begin with
 * @params: (nullable): of the allocator
 *
 * A pool for one ALLOCATION query. It owns no buffers yet, so upstream may drop
 * it; it is never handed out twice, because a pool in use cannot be configured
 * again.
 *
 * Returns: (transfer full) (nullable): a new pool, which is not active
 *
 * Since: 0.1
 */
GstBufferPool *
gst_bufalloc_make_pool (GstBufallocAllocator * allocator,
    const GstBufallocSettings * settings, GstElement * element,
    GstCaps * caps, guint size, guint min, GstAllocationParams * params)
{
  GstBufferPool *pool;
  GstStructure *config;
  guint i;

  pool = gst_bufalloc_pool_new_with_extra (allocator, settings->extra_bytes);
  gst_bufalloc_pool_set_memories (GST_BUFALLOC_POOL (pool),
      settings->memories, element);
  gst_bufalloc_pool_set_needed (GST_BUFALLOC_POOL (pool), min);

  config = gst_buffer_pool_get_config (pool);
  gst_buffer_pool_config_set_params (config, caps, size, min, 0);
  gst_buffer_pool_config_set_allocator (config, GST_ALLOCATOR (allocator),
      params);
  gst_buffer_pool_config_add_option (config, GST_BUFFER_POOL_OPTION_VIDEO_META);
  if (settings->stride_align > 1) {
    GstVideoAlignment align;

    gst_video_alignment_reset (&align);
    for (i = 0; i < GST_VIDEO_MAX_PLANES; i++)
      align.stride_align[i] = settings->stride_align - 1;
    gst_buffer_pool_config_add_option (config,
        GST_BUFFER_POOL_OPTION_VIDEO_ALIGNMENT);
    gst_buffer_pool_config_set_video_alignment (config, &align);
  }

  if (!gst_buffer_pool_set_config (pool, config)) {
    config = gst_buffer_pool_get_config (pool);
    if (!gst_buffer_pool_set_config (pool, config)) {
      gst_object_unref (pool);
      return NULL;
    }
  }

  return pool;
}

/**
 * gst_bufalloc_propose:
 * @self: the element
 * @allocator: where the memory of the pool comes from
 * @settings: the element's
 * @query: an ALLOCATION query that downstream has answered, or has not
 *
 * Put a pool and an allocator of ours in the first place of the answer.
 *
 * Returns: what was offered
 *
 * Since: 0.1
 */
GstBufallocAnswer
gst_bufalloc_propose (GstObject * self, GstBufallocAllocator * allocator,
    const GstBufallocSettings * settings, GstQuery * query)
{
  GstAllocationParams params;
  GstBufferPool *pool = NULL;
  guint size, min = 0;
  gboolean need_pool;
  GstVideoInfo info;
  GstCaps *caps;
  gsize page;

  gst_query_parse_allocation (query, &caps, &need_pool);
  if (caps == NULL || !gst_bufalloc_caps_to_info (caps, &info)) {
    GST_DEBUG_OBJECT (self, "no pool for %" GST_PTR_FORMAT, caps);
    return GST_BUFALLOC_ANSWER_NONE;
  }

  size = GST_VIDEO_INFO_SIZE (&info);
  if (gst_query_get_n_allocation_pools (query) > 0) {
    guint downstream_size;

    gst_query_parse_nth_allocation_pool (query, 0, NULL, &downstream_size, &min,
        NULL);
    size = MAX (size, downstream_size);
  }
  /* one is on its way while downstream holds all that it wants to hold */
  min = MAX (min + 1, settings->min_buffers);

  gst_allocation_params_init (&params);
  if (gst_query_get_n_allocation_params (query) > 0)
    gst_query_parse_nth_allocation_param (query, 0, NULL, &params);
  params.prefix = params.padding = 0;

  if (need_pool) {
    pool = gst_bufalloc_make_pool (allocator, settings, GST_ELEMENT (self),
        caps, size, min, &params);
    if (pool != NULL) {
      GstStructure *config = gst_buffer_pool_get_config (pool);
      GstAllocator *ours = NULL;

      gst_buffer_pool_config_get_params (config, NULL, &size, NULL, NULL);
      gst_buffer_pool_config_get_allocator (config, &ours, &params);
      gst_structure_free (config);
    } else {
      GST_WARNING_OBJECT (self, "no pool can be made for %" GST_PTR_FORMAT,
          caps);
    }
  } else {
    /* Who allocates for itself (a tee drops our pool and our allocator) does it
     * so that its memory can be imported: whole pages. GstVideoBufferPool would
     * take this for an alignment of lines. */
    page = sysconf (_SC_PAGESIZE);
    params.align |= page - 1;
    params.padding = -(gsize) size & (page - 1);
  }

  /* Upstream looks at the first pool and the first allocator only. No maximum:
   * V4L2 waits for as many buffers as its driver wishes to have queued, and
   * waits for ever if the pool stops before that. */
  if (gst_query_get_n_allocation_pools (query) > 0)
    gst_query_set_nth_allocation_pool (query, 0, pool, size, min, 0);
  else
    gst_query_add_allocation_pool (query, pool, size, min, 0);

  if (gst_query_get_n_allocation_params (query) > 0)
    gst_query_set_nth_allocation_param (query, 0, GST_ALLOCATOR (allocator),
        &params);
  else
    gst_query_add_allocation_param (query, GST_ALLOCATOR (allocator), &params);

  if (!gst_query_find_allocation_meta (query, GST_VIDEO_META_API_TYPE, NULL)) {
    GST_INFO_OBJECT (self, "downstream does not ask for GstVideoMeta; it gets "
        "it all the same, because importing drivers have strides of their own");
    gst_query_add_allocation_meta (query, GST_VIDEO_META_API_TYPE, NULL);
  }

  GST_INFO_OBJECT (self, "proposed %s, heap %s, at least %u buffers of %u "
      "bytes for %" GST_PTR_FORMAT, pool ? "a pool" : "no pool",
      bufalloc_heap_name (settings->heap), min, size, caps);
  if (pool == NULL)
    return GST_BUFALLOC_ANSWER_NO_POOL;
  gst_object_unref (pool);

  return GST_BUFALLOC_ANSWER_POOL;
}
