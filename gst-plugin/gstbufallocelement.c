/* SPDX-License-Identifier: LGPL-2.1-or-later */

/**
 * SECTION:element-bufalloc
 * @title: bufalloc
 * @short_description: one dma-buf from camera to display
 *
 * bufalloc stands between an element that can fill somebody else's dma-bufs (a
 * V4L2 camera with io-mode=dmabuf-import) and one that can import them (a
 * display), and gives both a pool of dma-bufs from bufalloc.ko. Frames pass
 * through it untouched: it copies nothing and maps nothing.
 *
 * |[
 * gst-launch-1.0 v4l2src device=/dev/video0 io-mode=dmabuf-import ! \
 *     video/x-raw,format=BGRx,width=1920,height=1080 ! bufalloc ! \
 *     kmssink driver-name=vkms
 * ]|
 *
 * Which memory that is depends on the devices: one without an IOMMU may need each
 * frame in one piece. The element finds the devices on both sides by itself, takes
 * the cheapest heap that all can use, and its log (bufalloc:4) says why.
 *
 * Without the module the buffers come from dma-heaps and what else libbufalloc
 * finds, and a warning says so once.
 *
 * What would otherwise go wrong in silence is said once, as a warning on the
 * bus: a display that refuses to import the buffers (it then copies each frame),
 * a CPU that reads each frame, and an upstream element that sends memory of its
 * own although it was offered the pool.
 *
 * Since: 0.1
 */

#ifdef HAVE_CONFIG_H
#include "config.h"
#endif

#include "gstbufallocelement.h"

#include <errno.h>

#include <gst/video/video.h>

#include "gstbufallocallocator.h"
#include "gstbufallocpool.h"
#include "gstbufallocwatch.h"

GST_DEBUG_CATEGORY_EXTERN (gst_bufalloc_debug);
#define GST_CAT_DEFAULT gst_bufalloc_debug

#define DEFAULT_HEAP BUFALLOC_AUTO
#define DEFAULT_EXTRA_BYTES GST_BUFALLOC_EXTRA_AUTO
#define DEFAULT_MIN_BUFFERS 2
#define DEFAULT_STRIDE_ALIGN 1
#define MAX_STRIDE_ALIGN 4096

enum
{
  PROP_0,
  PROP_DEVICE,
  PROP_HEAP,
  PROP_DEVICES,
  PROP_MIN_BUFFERS,
  PROP_EXTRA_BYTES,
  PROP_STRIDE_ALIGN,
  PROP_STATS,
  PROP_LAST
};

static GParamSpec *properties[PROP_LAST];

struct _GstBufalloc
{
  GstBaseTransform parent;

  /* All that follows is protected by the object lock, except what only the
   * streaming thread touches. */
  gchar *device;
  enum bufalloc_heap heap;
  gchar *devices;               /* NULL: those on both sides */
  guint min_buffers;
  gint extra_bytes;
  guint stride_align;

  GstBufallocAllocator *allocator;      /* from READY on */
  GstBufallocCounts last_counts;        /* of the allocator before */
  enum bufalloc_heap last_heap; /* of it, too */

  guint64 frames;
  guint64 own_frames;
  gboolean offered;             /* upstream has been given a pool of ours */

  GstBufallocWatch watch;       /* the streaming thread's */
};

G_DEFINE_FINAL_TYPE (GstBufalloc, gst_bufalloc, GST_TYPE_BASE_TRANSFORM)
GST_ELEMENT_REGISTER_DEFINE (bufalloc, "bufalloc", GST_RANK_NONE,
    GST_TYPE_BUFALLOC)

static GstStaticPadTemplate sink_template = GST_STATIC_PAD_TEMPLATE ("sink",
    GST_PAD_SINK, GST_PAD_ALWAYS, GST_STATIC_CAPS ("video/x-raw"));

static GstStaticPadTemplate src_template = GST_STATIC_PAD_TEMPLATE ("src",
    GST_PAD_SRC, GST_PAD_ALWAYS, GST_STATIC_CAPS ("video/x-raw"));

/* (transfer full) (nullable) */
static GstBufallocAllocator *
gst_bufalloc_ref_allocator (GstBufalloc * self)
{
  GstBufallocAllocator *allocator = NULL;

  GST_OBJECT_LOCK (self);
  if (self->allocator != NULL)
    allocator = gst_object_ref (self->allocator);
  GST_OBJECT_UNLOCK (self);

  return allocator;
}

static GstStructure *
gst_bufalloc_get_stats (GstBufalloc * self)
{
  static const gchar *const display[] = { "untried", "imported", "refused" };
  enum bufalloc_heap heap;
  GstBufallocCounts counts;
  GstStructure *stats;

  GST_OBJECT_LOCK (self);
  if (self->allocator != NULL) {
    gst_bufalloc_allocator_get_counts (self->allocator, &counts);
    heap = gst_bufalloc_allocator_get_chosen_heap (self->allocator);
  } else {
    counts = self->last_counts;
    heap = counts.allocations > 0 ? self->last_heap : self->heap;
  }

  stats = gst_structure_new ("application/x-bufalloc-stats",
      "heap", G_TYPE_STRING, bufalloc_heap_name (heap),
      "allocations", G_TYPE_UINT64, counts.allocations,
      "allocated-bytes", G_TYPE_UINT64, counts.allocated_bytes,
      "buffers", G_TYPE_UINT64, counts.buffers,
      "cpu-maps", G_TYPE_UINT64, counts.cpu_maps,
      "cpu-reads", G_TYPE_UINT64, counts.cpu_reads,
      "frames", G_TYPE_UINT64, self->frames,
      "own-frames", G_TYPE_UINT64, self->own_frames,
      "foreign-frames", G_TYPE_UINT64, self->frames - self->own_frames,
      "display", G_TYPE_STRING,
      display[gst_bufalloc_watch_get_display (&self->watch)], NULL);
  GST_OBJECT_UNLOCK (self);

  return stats;
}

/* A pool for one ALLOCATION query. It owns no buffers yet, so upstream may drop
 * it; it is never handed out twice, because a pool in use cannot be configured
 * again. */
static GstBufferPool *
gst_bufalloc_make_pool (GstBufalloc * self, GstBufallocAllocator * allocator,
    GstCaps * caps, guint size, guint min, GstAllocationParams * params)
{
  GstBufferPool *pool;
  GstStructure *config;
  guint stride_align, i;
  gint extra_bytes;

  GST_OBJECT_LOCK (self);
  extra_bytes = self->extra_bytes;
  stride_align = self->stride_align;
  GST_OBJECT_UNLOCK (self);

  pool = gst_bufalloc_pool_new (allocator, extra_bytes);

  config = gst_buffer_pool_get_config (pool);
  gst_buffer_pool_config_set_params (config, caps, size, min, 0);
  gst_buffer_pool_config_set_allocator (config, GST_ALLOCATOR (allocator),
      params);
  gst_buffer_pool_config_add_option (config, GST_BUFFER_POOL_OPTION_VIDEO_META);
  if (stride_align > 1) {
    GstVideoAlignment align;

    gst_video_alignment_reset (&align);
    for (i = 0; i < GST_VIDEO_MAX_PLANES; i++)
      align.stride_align[i] = stride_align - 1;
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

static gboolean
gst_bufalloc_propose_allocation (GstBaseTransform * trans,
    GstQuery * decide_query, GstQuery * query)
{
  GstBufalloc *self = GST_BUFALLOC (trans);
  GstBufallocAllocator *allocator;
  GstAllocationParams params;
  GstBufferPool *pool = NULL;
  guint size, min = 0, wanted_min;
  gboolean need_pool, answered;
  GstVideoInfo info;
  GstCaps *caps;

  /* what downstream says, if it says anything: fakesink does not */
  answered =
      GST_BASE_TRANSFORM_CLASS (gst_bufalloc_parent_class)->propose_allocation
      (trans, decide_query, query);

  gst_query_parse_allocation (query, &caps, &need_pool);
  allocator = gst_bufalloc_ref_allocator (self);
  if (allocator == NULL || caps == NULL
      || !gst_video_info_from_caps (&info, caps)) {
    GST_DEBUG_OBJECT (self, "no pool for %" GST_PTR_FORMAT, caps);
    gst_clear_object (&allocator);
    return answered;
  }

  size = GST_VIDEO_INFO_SIZE (&info);
  if (gst_query_get_n_allocation_pools (query) > 0) {
    guint downstream_size;

    gst_query_parse_nth_allocation_pool (query, 0, NULL, &downstream_size, &min,
        NULL);
    size = MAX (size, downstream_size);
  }
  GST_OBJECT_LOCK (self);
  wanted_min = self->min_buffers;
  GST_OBJECT_UNLOCK (self);
  /* one is on its way while downstream holds all that it wants to hold */
  min = MAX (min + 1, wanted_min);

  gst_allocation_params_init (&params);
  if (gst_query_get_n_allocation_params (query) > 0)
    gst_query_parse_nth_allocation_param (query, 0, NULL, &params);
  params.prefix = params.padding = 0;

  if (need_pool) {
    pool = gst_bufalloc_make_pool (self, allocator, caps, size, min, &params);
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
      bufalloc_heap_name (gst_bufalloc_allocator_get_heap (allocator)), min,
      size, caps);

  if (pool != NULL) {
    GST_OBJECT_LOCK (self);
    self->offered = TRUE;
    GST_OBJECT_UNLOCK (self);
    /* the query comes in the streaming thread */
    gst_bufalloc_watch_new_pool (&self->watch);
    gst_object_unref (pool);
  }
  gst_object_unref (allocator);

  return TRUE;
}

static void
gst_bufalloc_observe (GstBufalloc * self, GstBuffer * buffer)
{
  GstBufallocAllocator *allocator;
  gboolean own, offered;

  if (gst_buffer_n_memory (buffer) == 0)
    return;
  own = gst_is_bufalloc_memory (gst_buffer_peek_memory (buffer, 0));

  GST_OBJECT_LOCK (self);
  self->frames++;
  if (own)
    self->own_frames++;
  offered = self->offered;
  GST_OBJECT_UNLOCK (self);

  if (!own) {
    if (offered)
      gst_bufalloc_watch_foreign_frame (&self->watch,
          GST_BASE_TRANSFORM (self));
    return;
  }

  allocator = gst_bufalloc_ref_allocator (self);
  if (allocator != NULL)
    gst_bufalloc_watch_own_frame (&self->watch, GST_ELEMENT (self), allocator,
        buffer);
  gst_clear_object (&allocator);
}

/* Each frame comes by here. Passing it through is all that is done now; the
 * frame that goes on need not be the one that came, though. */
static GstFlowReturn
gst_bufalloc_prepare_output_buffer (GstBaseTransform * trans, GstBuffer * input,
    GstBuffer ** output)
{
  gst_bufalloc_observe (GST_BUFALLOC (trans), input);

  return
      GST_BASE_TRANSFORM_CLASS
      (gst_bufalloc_parent_class)->prepare_output_buffer (trans, input, output);
}

static gboolean
gst_bufalloc_sink_event (GstBaseTransform * trans, GstEvent * event)
{
  if (GST_EVENT_TYPE (event) == GST_EVENT_EOS) {
    GstStructure *stats = gst_bufalloc_get_stats (GST_BUFALLOC (trans));

    GST_INFO_OBJECT (trans, "%" GST_PTR_FORMAT, stats);
    gst_structure_free (stats);
    g_object_notify_by_pspec (G_OBJECT (trans), properties[PROP_STATS]);
  }

  return GST_BASE_TRANSFORM_CLASS (gst_bufalloc_parent_class)->sink_event
      (trans, event);
}

static gboolean
gst_bufalloc_start (GstBaseTransform * trans)
{
  GstBufalloc *self = GST_BUFALLOC (trans);

  GST_OBJECT_LOCK (self);
  self->frames = self->own_frames = 0;
  self->offered = FALSE;
  GST_OBJECT_UNLOCK (self);
  gst_bufalloc_watch_reset (&self->watch);

  return TRUE;
}

static gboolean
gst_bufalloc_open (GstBufalloc * self)
{
  GstAllocator *allocator;
  gchar *device, *reason;
  gint err;

  GST_OBJECT_LOCK (self);
  device = g_strdup (self->device);
  GST_OBJECT_UNLOCK (self);

  allocator = gst_bufalloc_allocator_new (device, GST_ELEMENT (self), &err,
      &reason);
  if (reason != NULL)
    gst_element_message_full (GST_ELEMENT (self),
        allocator == NULL ? GST_MESSAGE_ERROR : GST_MESSAGE_WARNING,
        GST_RESOURCE_ERROR, gst_bufalloc_errno_code (err), reason,
        g_strdup_printf ("%s: %s (%d)", device, gst_bufalloc_errno_name (err),
            -err), __FILE__, GST_FUNCTION, __LINE__);
  g_free (device);
  if (allocator == NULL)
    return FALSE;

  GST_OBJECT_LOCK (self);
  self->allocator = GST_BUFALLOC_ALLOCATOR (allocator);
  gst_bufalloc_allocator_set_heap (self->allocator, self->heap);
  gst_bufalloc_allocator_set_device_list (self->allocator, self->devices);
  GST_OBJECT_UNLOCK (self);

  return TRUE;
}

/* Buffers that are still out keep the allocator alive. */
static void
gst_bufalloc_close (GstBufalloc * self)
{
  GstBufallocAllocator *allocator;

  GST_OBJECT_LOCK (self);
  allocator = self->allocator;
  self->allocator = NULL;
  if (allocator != NULL) {
    gst_bufalloc_allocator_get_counts (allocator, &self->last_counts);
    self->last_heap = gst_bufalloc_allocator_get_chosen_heap (allocator);
  }
  GST_OBJECT_UNLOCK (self);

  gst_clear_object (&allocator);
}

static GstStateChangeReturn
gst_bufalloc_change_state (GstElement * element, GstStateChange transition)
{
  GstBufalloc *self = GST_BUFALLOC (element);
  GstStateChangeReturn ret;

  if (transition == GST_STATE_CHANGE_NULL_TO_READY && !gst_bufalloc_open (self))
    return GST_STATE_CHANGE_FAILURE;

  ret = GST_ELEMENT_CLASS (gst_bufalloc_parent_class)->change_state (element,
      transition);

  if (transition == GST_STATE_CHANGE_READY_TO_NULL
      || (transition == GST_STATE_CHANGE_NULL_TO_READY
          && ret == GST_STATE_CHANGE_FAILURE))
    gst_bufalloc_close (self);

  return ret;
}

static void
gst_bufalloc_set_property (GObject * object, guint prop_id,
    const GValue * value, GParamSpec * pspec)
{
  GstBufalloc *self = GST_BUFALLOC (object);

  GST_OBJECT_LOCK (self);
  switch (prop_id) {
    case PROP_DEVICE:
      g_free (self->device);
      self->device = g_value_dup_string (value);
      if (self->device == NULL)
        self->device = g_strdup (BUFALLOC_DEVICE);
      break;
    case PROP_HEAP:
      self->heap = g_value_get_enum (value);
      if (self->allocator != NULL)
        gst_bufalloc_allocator_set_heap (self->allocator, self->heap);
      break;
    case PROP_DEVICES:
      g_free (self->devices);
      self->devices = g_value_dup_string (value);
      if (self->allocator != NULL)
        gst_bufalloc_allocator_set_device_list (self->allocator, self->devices);
      break;
    case PROP_MIN_BUFFERS:
      self->min_buffers = g_value_get_uint (value);
      break;
    case PROP_EXTRA_BYTES:
      self->extra_bytes = g_value_get_int (value);
      break;
    case PROP_STRIDE_ALIGN:
      self->stride_align = g_value_get_uint (value);
      if ((self->stride_align & (self->stride_align - 1)) != 0) {
        guint next = 1u << g_bit_storage (self->stride_align);

        GST_WARNING_OBJECT (self, "stride-align=%u is no power of two, "
            "taking %u", self->stride_align, next);
        self->stride_align = next;
      }
      break;
    default:
      G_OBJECT_WARN_INVALID_PROPERTY_ID (object, prop_id, pspec);
      break;
  }
  GST_OBJECT_UNLOCK (self);
}

static void
gst_bufalloc_get_property (GObject * object, guint prop_id, GValue * value,
    GParamSpec * pspec)
{
  GstBufalloc *self = GST_BUFALLOC (object);

  if (prop_id == PROP_STATS) {
    g_value_take_boxed (value, gst_bufalloc_get_stats (self));
    return;
  }

  GST_OBJECT_LOCK (self);
  switch (prop_id) {
    case PROP_DEVICE:
      g_value_set_string (value, self->device);
      break;
    case PROP_HEAP:
      g_value_set_enum (value, self->heap);
      break;
    case PROP_DEVICES:
      g_value_set_string (value, self->devices);
      break;
    case PROP_MIN_BUFFERS:
      g_value_set_uint (value, self->min_buffers);
      break;
    case PROP_EXTRA_BYTES:
      g_value_set_int (value, self->extra_bytes);
      break;
    case PROP_STRIDE_ALIGN:
      g_value_set_uint (value, self->stride_align);
      break;
    default:
      G_OBJECT_WARN_INVALID_PROPERTY_ID (object, prop_id, pspec);
      break;
  }
  GST_OBJECT_UNLOCK (self);
}

static void
gst_bufalloc_finalize (GObject * object)
{
  GstBufalloc *self = GST_BUFALLOC (object);

  gst_clear_object (&self->allocator);
  g_free (self->device);
  g_free (self->devices);

  G_OBJECT_CLASS (gst_bufalloc_parent_class)->finalize (object);
}

static void
gst_bufalloc_class_init (GstBufallocClass * klass)
{
  GObjectClass *object_class = G_OBJECT_CLASS (klass);
  GstElementClass *element_class = GST_ELEMENT_CLASS (klass);
  GstBaseTransformClass *trans_class = GST_BASE_TRANSFORM_CLASS (klass);
  const GParamFlags flags = G_PARAM_READWRITE | G_PARAM_STATIC_STRINGS
      | GST_PARAM_MUTABLE_READY;

  object_class->set_property = gst_bufalloc_set_property;
  object_class->get_property = gst_bufalloc_get_property;
  object_class->finalize = gst_bufalloc_finalize;

  /**
   * bufalloc:device:
   *
   * The node of the kernel module. It is opened when the element goes from NULL
   * to READY.
   *
   * Since: 0.1
   */
  properties[PROP_DEVICE] = g_param_spec_string ("device", "Device",
      "Path of the kernel module's node, opened from NULL to READY",
      BUFALLOC_DEVICE, flags);

  /**
   * bufalloc:heap:
   *
   * Where the memory of the buffers comes from. With "auto" that is the cheapest
   * heap that all devices can use.
   *
   * Since: 0.1
   */
  properties[PROP_HEAP] = g_param_spec_enum ("heap", "Heap",
      "Where the memory comes from; auto: what the devices on both sides need",
      GST_TYPE_BUFALLOC_HEAP, DEFAULT_HEAP, flags);

  /**
   * bufalloc:devices:
   *
   * Nodes of the devices that heap "auto" is for, with commas between them, in
   * place of those upstream and downstream. An empty string is no device.
   *
   * Since: 0.1
   */
  properties[PROP_DEVICES] = g_param_spec_string ("devices", "Devices",
      "Nodes of the devices that the buffers are for, with commas between them; "
      "unset: those upstream and downstream", NULL, flags);

  /**
   * bufalloc:min-buffers:
   *
   * The fewest buffers that upstream is told to have for downstream's use. One
   * more than downstream asks for is the least in any case, and upstream adds
   * what it needs itself (v4l2src: at least 2).
   *
   * Since: 0.1
   */
  properties[PROP_MIN_BUFFERS] = g_param_spec_uint ("min-buffers",
      "Minimum buffers",
      "Fewest buffers (number) to propose; one more than downstream asks for "
      "is proposed in any case, and upstream adds its own need",
      1, 32, DEFAULT_MIN_BUFFERS, flags);

  /**
   * bufalloc:extra-bytes:
   *
   * Bytes that each dma-buf has after the frame, before it is rounded up to
   * whole pages. Drivers that work in macroblocks want some more lines than the
   * picture has (1088 for 1080).
   *
   * Since: 0.1
   */
  properties[PROP_EXTRA_BYTES] = g_param_spec_int ("extra-bytes",
      "Extra bytes",
      "Bytes after the frame in each dma-buf, for drivers that want more lines "
      "than the picture has; -1: as many as 16 lines have",
      -1, G_MAXINT, DEFAULT_EXTRA_BYTES, flags);

  /**
   * bufalloc:stride-align:
   *
   * What the length of each line is a multiple of. Needed only if a device does
   * not take the line length that the capture driver chooses.
   *
   * Since: 0.1
   */
  properties[PROP_STRIDE_ALIGN] = g_param_spec_uint ("stride-align",
      "Stride alignment",
      "Length of a line (bytes) is a multiple of this power of two; 1: what "
      "upstream's driver has",
      1, MAX_STRIDE_ALIGN, DEFAULT_STRIDE_ALIGN, flags);

  /**
   * bufalloc:stats:
   *
   * What happened so far:
   *
   * - `heap` (string): that of the newest buffer, or what is set
   * - `allocations` (guint64): dma-bufs allocated since READY
   * - `allocated-bytes` (guint64): bytes of them
   * - `buffers` (guint64): of them, those that exist now
   * - `cpu-maps` (guint64): times that one was mapped for the CPU
   * - `cpu-reads` (guint64): times of these that it was to be read
   * - `frames` (guint64): frames that passed since PAUSED
   * - `own-frames` (guint64): of them, those in memory of bufalloc's
   * - `foreign-frames` (guint64): of them, those in other memory
   * - `display` (string): "untried", "imported" or "refused"
   *
   * It is notified at the end of the stream: `gst-launch-1.0 -v` shows it.
   *
   * Since: 0.1
   */
  properties[PROP_STATS] = g_param_spec_boxed ("stats", "Statistics",
      "Counters (numbers, bytes): heap, allocations, allocated-bytes, buffers, "
      "cpu-maps, cpu-reads, frames, own-frames, foreign-frames, display",
      GST_TYPE_STRUCTURE, G_PARAM_READABLE | G_PARAM_STATIC_STRINGS);

  g_object_class_install_properties (object_class, PROP_LAST, properties);

  gst_element_class_set_static_metadata (element_class,
      "dma-buf allocator", "Filter/Video",
      "Gives the elements on both sides one dma-buf per frame, so that no frame "
      "is copied between camera and display",
      "The bufalloc developers");
  gst_element_class_add_static_pad_template (element_class, &sink_template);
  gst_element_class_add_static_pad_template (element_class, &src_template);

  element_class->change_state = gst_bufalloc_change_state;

  trans_class->passthrough_on_same_caps = TRUE;
  trans_class->start = gst_bufalloc_start;
  trans_class->sink_event = gst_bufalloc_sink_event;
  trans_class->propose_allocation = gst_bufalloc_propose_allocation;
  trans_class->prepare_output_buffer = gst_bufalloc_prepare_output_buffer;

  gst_type_mark_as_plugin_api (GST_TYPE_BUFALLOC_HEAP, 0);
}

static void
gst_bufalloc_init (GstBufalloc * self)
{
  self->device = g_strdup (BUFALLOC_DEVICE);
  self->heap = DEFAULT_HEAP;
  self->min_buffers = DEFAULT_MIN_BUFFERS;
  self->extra_bytes = DEFAULT_EXTRA_BYTES;
  self->stride_align = DEFAULT_STRIDE_ALIGN;

  gst_base_transform_set_passthrough (GST_BASE_TRANSFORM (self), TRUE);
}
