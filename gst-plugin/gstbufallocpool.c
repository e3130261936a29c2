/* SPDX-License-Identifier: LGPL-2.1-or-later */

/**
 * SECTION:gstbufallocpool
 * @title: GstBufallocPool
 * @short_description: a pool of video frames, one dma-buf each
 *
 * A #GstVideoBufferPool on a #GstBufallocAllocator: a dma-buf for each frame, or
 * for each plane of it. It allocates each of its buffers once and keeps the same
 * #GstMemory in it for ever, because importers (kmssink for one) remember what
 * they imported by the memory.
 *
 * The configuration is negotiated as V4L2 elements do it: whenever
 * gst_buffer_pool_set_config() had to change something it returns %FALSE, and
 * setting the configuration that gst_buffer_pool_get_config() then returns
 * succeeds. The pool only ever raises the size, and a limit on buffers that
 * downstream alone would use up; it insists on its own allocator
 * and on #GstVideoMeta, and it leaves the caps alone.
 *
 * A capture driver may pad its lines or its frames without saying how: all that
 * arrives here is a size that is larger than the format's. The pool then looks
 * for the stride (a multiple of a power of two) and the height (likewise) that
 * give exactly this size and lays out the #GstVideoMeta so. Where none fits it
 * keeps the standard layout and logs a warning.
 *
 * Since: 0.1
 */

#ifdef HAVE_CONFIG_H
#include "config.h"
#endif

#include "gstbufallocpool.h"

#include <gst/video/video.h>

#include "gstbufalloccaps.h"
#include "gstbufallocdevices.h"
#include "gstbufalloclog.h"

GST_DEBUG_CATEGORY_EXTERN (gst_bufalloc_debug);
#define GST_CAT_DEFAULT gst_bufalloc_debug

#define EXTRA_ROWS 16
#define MIN_STRIDE_ALIGN 16
#define MAX_STRIDE_ALIGN 4096
#define MAX_HEIGHT_ALIGN 64

struct _GstBufallocPool
{
  GstVideoBufferPool parent;

  GstBufallocAllocator *allocator;
  gint extra_bytes;
  enum bufalloc_memories memories;
  GWeakRef element;             /* whose upstream is asked, or none */
  gboolean per_plane;           /* a memory for each plane; from start on */
  guint needed;                 /* buffers, for downstream's use */

  /* Set with the configuration, constant while the pool is active. */
  GstVideoInfo info;
  GstVideoAlignment align;

  /* The layout that was made up for a size that the format does not explain;
   * it must not be mistaken for somebody's wish when it comes back. */
  gboolean has_inferred;
  GstVideoAlignment inferred;
};

G_DEFINE_FINAL_TYPE (GstBufallocPool, gst_bufalloc_pool,
    GST_TYPE_VIDEO_BUFFER_POOL)

static gboolean
alignment_equal (const GstVideoAlignment * a, const GstVideoAlignment * b)
{
  guint i;

  for (i = 0; i < GST_VIDEO_MAX_PLANES; i++) {
    if (a->stride_align[i] != b->stride_align[i])
      return FALSE;
  }

  return a->padding_top == b->padding_top
      && a->padding_bottom == b->padding_bottom
      && a->padding_left == b->padding_left
      && a->padding_right == b->padding_right;
}

/* Whether a frame with lines of stride bytes and that many lines has exactly
 * that size. */
static gboolean
try_layout (const GstVideoInfo * info, gsize size, gint stride, gint height,
    GstVideoAlignment * align)
{
  gint pixel = GST_VIDEO_FORMAT_INFO_PSTRIDE (info->finfo, 0);
  GstVideoInfo padded = *info;

  gst_video_alignment_reset (align);
  align->padding_bottom = height - GST_VIDEO_INFO_HEIGHT (info);
  if (stride != GST_VIDEO_INFO_PLANE_STRIDE (info, 0)) {
    /* 0 in formats that pack several pixels into one word */
    if (pixel == 0)
      return FALSE;
    align->padding_right = stride / pixel - GST_VIDEO_INFO_WIDTH (info);
  }

  return gst_video_info_align (&padded, align)
      && GST_VIDEO_INFO_PLANE_STRIDE (&padded, 0) == stride
      && GST_VIDEO_INFO_SIZE (&padded) == size;
}

/* The least unusual layout that has that size: longer lines, else more lines,
 * else both. */
static gboolean
infer_layout (const GstVideoInfo * info, gsize size, GstVideoAlignment * align)
{
  gint stride = GST_VIDEO_INFO_PLANE_STRIDE (info, 0);
  gint height = GST_VIDEO_INFO_HEIGHT (info);
  gint s, h;

  for (s = MIN_STRIDE_ALIGN; s <= MAX_STRIDE_ALIGN; s *= 2) {
    if (try_layout (info, size, GST_ROUND_UP_N (stride, s), height, align))
      return TRUE;
  }
  for (h = 2; h <= MAX_HEIGHT_ALIGN; h *= 2) {
    if (try_layout (info, size, stride, GST_ROUND_UP_N (height, h), align))
      return TRUE;
  }
  for (s = MIN_STRIDE_ALIGN; s <= MAX_STRIDE_ALIGN; s *= 2) {
    for (h = 2; h <= MAX_HEIGHT_ALIGN; h *= 2) {
      if (try_layout (info, size, GST_ROUND_UP_N (stride, s),
              GST_ROUND_UP_N (height, h), align))
        return TRUE;
    }
  }

  return FALSE;
}

/* The alignment that somebody wishes for, if somebody does. */
static void
alignment_from_config (GstBufallocPool * self, GstStructure * config,
    GstVideoAlignment * align, gboolean * given)
{
  GstVideoAlignment none;
  guint i, max = 0;

  gst_video_alignment_reset (&none);
  *align = none;
  *given = FALSE;

  if (!gst_buffer_pool_config_has_option (config,
          GST_BUFFER_POOL_OPTION_VIDEO_ALIGNMENT))
    return;
  if (!gst_buffer_pool_config_get_video_alignment (config, align)
      || alignment_equal (align, &none)
      || (self->has_inferred && alignment_equal (align, &self->inferred))) {
    *align = none;
    return;
  }

  /* what GstVideoBufferPool makes of it */
  for (i = 0; i < GST_VIDEO_MAX_PLANES; i++)
    max |= align->stride_align[i];
  for (i = 0; i < GST_VIDEO_MAX_PLANES; i++)
    align->stride_align[i] = max;
  *given = TRUE;
}

static gboolean
gst_bufalloc_pool_set_config (GstBufferPool * pool, GstStructure * config)
{
  GstBufferPoolClass *parent =
      GST_BUFFER_POOL_CLASS (gst_bufalloc_pool_parent_class);
  GstBufallocPool *self = GST_BUFALLOC_POOL (pool);
  GstStructure *asked = gst_structure_copy (config);
  GstAllocationParams params;
  GstVideoAlignment align;
  GstVideoInfo info, padded;
  guint size, min, max;
  gboolean given, ok;
  GstCaps *caps;

  if (!gst_buffer_pool_config_get_params (config, &caps, &size, &min, &max)
      || caps == NULL || !gst_bufalloc_caps_to_info (caps, &info)) {
    GST_WARNING_OBJECT (self, "no configuration for raw video: %"
        GST_PTR_FORMAT, config);
    gst_structure_free (asked);
    return FALSE;
  }

  alignment_from_config (self, config, &align, &given);
  padded = info;
  if (!gst_video_info_align (&padded, &align)) {
    GST_WARNING_OBJECT (self, "no frame can be aligned so: %" GST_PTR_FORMAT,
        config);
    gst_structure_free (asked);
    return FALSE;
  }

  self->has_inferred = FALSE;
  if (!given && size > GST_VIDEO_INFO_SIZE (&info)) {
    GstVideoAlignment inferred;

    if (infer_layout (&info, size, &inferred)) {
      self->has_inferred = TRUE;
      self->inferred = inferred;
      align = inferred;
      padded = info;
      gst_video_info_align (&padded, &align);
      GST_INFO_OBJECT (self, "%u bytes instead of %" G_GSIZE_FORMAT
          ": upstream has lines of %d bytes and %u more lines", size,
          GST_VIDEO_INFO_SIZE (&info), GST_VIDEO_INFO_PLANE_STRIDE (&padded, 0),
          align.padding_bottom);
    } else {
      GST_WARNING_OBJECT (self, "%u bytes are asked for, the format has %"
          G_GSIZE_FORMAT ", and no usual padding explains it; if upstream "
          "refuses the buffers or the picture is skewed, set stride-align of "
          "bufalloc", size, GST_VIDEO_INFO_SIZE (&info));
    }
  }
  /* else downstream keeps them all and upstream waits for ever */
  if (max != 0 && max < self->needed)
    max = self->needed;
  if (max != 0 && max < min)
    max = min;
  if (size < GST_VIDEO_INFO_SIZE (&padded))
    size = GST_VIDEO_INFO_SIZE (&padded);

  gst_buffer_pool_config_add_option (config, GST_BUFFER_POOL_OPTION_VIDEO_META);
  if (gst_buffer_pool_config_has_option (config,
          GST_BUFFER_POOL_OPTION_VIDEO_ALIGNMENT) || self->has_inferred) {
    gst_buffer_pool_config_add_option (config,
        GST_BUFFER_POOL_OPTION_VIDEO_ALIGNMENT);
    gst_buffer_pool_config_set_video_alignment (config, &align);
    if (self->has_inferred)
      self->inferred = align;
  }

  /* The frame begins at byte 0 of the dma-buf, and the dma-buf at a page. */
  gst_allocation_params_init (&params);
  gst_buffer_pool_config_get_allocator (config, NULL, &params);
  params.prefix = params.padding = 0;
  params.align |= align.stride_align[0];
  gst_buffer_pool_config_set_allocator (config, GST_ALLOCATOR (self->allocator),
      &params);
  gst_buffer_pool_config_set_params (config, caps, size, min, max);

  /* GstVideoBufferPool knows no layout for DMA_DRM; what it does for the others is
   * done above, too */
  if (gst_bufalloc_caps_is_drm (caps))
    parent = g_type_class_peek (GST_TYPE_BUFFER_POOL);
  ok = parent->set_config (pool, config);
  if (ok) {
    padded.size = size;
    self->info = padded;
    self->align = align;

    if (!gst_structure_is_equal (asked, config)) {
      GST_DEBUG_OBJECT (self, "changed %" GST_PTR_FORMAT " to %"
          GST_PTR_FORMAT, asked, config);
      ok = FALSE;
    }
  }
  gst_structure_free (asked);

  return ok;
}

/* The planes follow each other, whatever their order in the format. */
static guint
count_memories (GstBufallocPool * self)
{
  return self->per_plane ? GST_VIDEO_INFO_N_PLANES (&self->info) : 1;
}

static gsize
memory_size (GstBufallocPool * self, guint i, guint n)
{
  GstVideoInfo *info = &self->info;

  if (n == 1)
    return GST_VIDEO_INFO_SIZE (info);

  return (i + 1 < n ? GST_VIDEO_INFO_PLANE_OFFSET (info, i + 1) :
      GST_VIDEO_INFO_SIZE (info)) - GST_VIDEO_INFO_PLANE_OFFSET (info, i);
}

static GstFlowReturn
gst_bufalloc_pool_alloc_buffer (GstBufferPool * pool, GstBuffer ** buffer,
    GstBufferPoolAcquireParams * params)
{
  GstBufallocPool *self = GST_BUFALLOC_POOL (pool);
  GstVideoInfo *info = &self->info;
  GstVideoMeta *meta;
  guint i, n = count_memories (self);

  *buffer = gst_buffer_new ();
  for (i = 0; i < n; i++) {
    gsize size = memory_size (self, i, n);
    gsize slack = self->extra_bytes;
    GstMemory *mem;

    if (self->extra_bytes < 0)
      slack = gst_util_uint64_scale_int_ceil (size, EXTRA_ROWS,
          MAX (GST_VIDEO_INFO_HEIGHT (info), 1));
    mem = gst_bufalloc_allocator_alloc_with_slack (self->allocator, size,
        slack);
    if (mem == NULL) {
      gst_clear_buffer (buffer);
      return GST_FLOW_ERROR;
    }
    gst_buffer_append_memory (*buffer, mem);
  }

  meta = gst_buffer_add_video_meta_full (*buffer, GST_VIDEO_FRAME_FLAG_NONE,
      GST_VIDEO_INFO_FORMAT (info), GST_VIDEO_INFO_WIDTH (info),
      GST_VIDEO_INFO_HEIGHT (info), GST_VIDEO_INFO_N_PLANES (info),
      info->offset, info->stride);
  /* V4L2 takes the number of lines from here */
  if (!gst_video_meta_set_alignment (meta, self->align))
    GST_WARNING_OBJECT (self, "the padding cannot be told to others");

  return GST_FLOW_OK;
}

static void
resolve_memories (GstBufallocPool * self)
{
  GstElement *element = g_weak_ref_get (&self->element);

  self->per_plane = self->memories == BUFALLOC_MEMORIES_PER_PLANE;
  if (self->memories == BUFALLOC_MEMORIES_AUTO && element != NULL)
    self->per_plane = gst_bufalloc_devices_count_memories (element) > 1;
  gst_clear_object (&element);
}

static gboolean
gst_bufalloc_pool_start (GstBufferPool * pool)
{
  GstBufallocPool *self = GST_BUFALLOC_POOL (pool);
  GstStructure *config = gst_buffer_pool_get_config (pool);
  guint min = 0, max = 0;

  gst_buffer_pool_config_get_params (config, NULL, NULL, &min, &max);
  gst_structure_free (config);
  resolve_memories (self);

  if (!GST_BUFFER_POOL_CLASS (gst_bufalloc_pool_parent_class)->start (pool)) {
    /* GstBufferPool forgets those that it had already */
    GST_BUFFER_POOL_CLASS (gst_bufalloc_pool_parent_class)->stop (pool);
    return FALSE;
  }

  GST_INFO_OBJECT (self, "heap %s, %u buffers (at most %u, 0 is no limit) of %"
      G_GSIZE_FORMAT " bytes in %u memories, %dx%d %s, stride %d, %u lines more",
      bufalloc_heap_name (gst_bufalloc_allocator_get_heap (self->allocator)),
      min, max, GST_VIDEO_INFO_SIZE (&self->info), count_memories (self),
      GST_VIDEO_INFO_WIDTH (&self->info), GST_VIDEO_INFO_HEIGHT (&self->info),
      GST_VIDEO_INFO_NAME (&self->info),
      GST_VIDEO_INFO_PLANE_STRIDE (&self->info, 0),
      self->align.padding_top + self->align.padding_bottom);

  return TRUE;
}

static void
gst_bufalloc_pool_finalize (GObject * object)
{
  GstBufallocPool *self = GST_BUFALLOC_POOL (object);

  gst_object_unref (self->allocator);
  g_weak_ref_clear (&self->element);

  G_OBJECT_CLASS (gst_bufalloc_pool_parent_class)->finalize (object);
}

static void
gst_bufalloc_pool_class_init (GstBufallocPoolClass * klass)
{
  GObjectClass *object_class = G_OBJECT_CLASS (klass);
  GstBufferPoolClass *pool_class = GST_BUFFER_POOL_CLASS (klass);

  gst_bufalloc_log_init ();

  object_class->finalize = gst_bufalloc_pool_finalize;
  pool_class->set_config = gst_bufalloc_pool_set_config;
  pool_class->alloc_buffer = gst_bufalloc_pool_alloc_buffer;
  pool_class->start = gst_bufalloc_pool_start;
}

static void
gst_bufalloc_pool_init (GstBufallocPool * self)
{
  gst_video_info_init (&self->info);
  gst_video_alignment_reset (&self->align);
  g_weak_ref_init (&self->element, NULL);
}

/**
 * gst_bufalloc_pool_new_with_extra:
 * @allocator: (transfer none): where the memory comes from
 * @extra_bytes: bytes that each dma-buf has at least after the frame, or
 *   %GST_BUFALLOC_EXTRA_AUTO
 *
 * Nothing is allocated until the pool is activated.
 *
 * Returns: (transfer full): a new pool
 *
 * Since: 0.1
 */
GstBufferPool *
gst_bufalloc_pool_new_with_extra (GstBufallocAllocator * allocator,
    gint extra_bytes)
{
  GstBufallocPool *self = g_object_new (GST_TYPE_BUFALLOC_POOL, NULL);

  gst_object_ref_sink (self);
  self->allocator = gst_object_ref (allocator);
  self->extra_bytes = extra_bytes;

  return GST_BUFFER_POOL (self);
}

/**
 * gst_bufalloc_pool_set_memories:
 * @self: a pool that is not active
 * @memories: in how many dma-bufs a frame is
 * @element: (nullable): the element whose upstream is asked for that when the pool
 *   starts: V4L2 elements choose their format after the ALLOCATION query. No
 *   reference is kept
 *
 * Since: 0.1
 */
void
gst_bufalloc_pool_set_memories (GstBufallocPool * self,
    enum bufalloc_memories memories, GstElement * element)
{
  self->memories = memories;
  g_weak_ref_set (&self->element, element);
}

/**
 * gst_bufalloc_pool_set_needed:
 * @self: a pool that is not active
 * @needed: buffers that downstream has at a time, and the one on its way there: a
 *   limit below that is raised
 *
 * Since: 0.1
 */
void
gst_bufalloc_pool_set_needed (GstBufallocPool * self, guint needed)
{
  self->needed = needed;
}

/**
 * gst_bufalloc_pool_new:
 * @allocator: (transfer none): a #GstBufallocAllocator, where the memory comes from
 *
 * A pool of video frames, to be configured with gst_buffer_pool_set_config() before
 * it is activated. That may return %FALSE after changing something: get the
 * configuration anew, and set it. Each dma-buf is 16 rows longer than the frame, for
 * drivers that want some more. Nothing is allocated until the pool is activated.
 *
 * Returns: (transfer full) (nullable): a new pool; %NULL, with a critical warning,
 * for any other allocator
 *
 * Since: 0.1
 */
GstBufferPool *
gst_bufalloc_pool_new (GstAllocator * allocator)
{
  g_return_val_if_fail (GST_IS_BUFALLOC_ALLOCATOR (allocator), NULL);

  return gst_bufalloc_pool_new_with_extra (GST_BUFALLOC_ALLOCATOR (allocator),
      GST_BUFALLOC_EXTRA_AUTO);
}
