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
 * Upstream is offered the pool. If it sends frames in memory of its own all the
 * same (rawvideoparse, appsrc, some decoders), and a display or a V4L2 element
 * with io-mode=dmabuf-import gets them, that memory becomes a dma-buf as it is,
 * without a copy. This needs frames that begin with a page and have their last
 * page for themselves: the alignment that bufalloc proposes is such. It takes
 * RLIMIT_MEMLOCK of the user. What cannot be imported is copied, as the last
 * resort; a warning says so and why, and an element message `bufalloc-copy` with
 * the fields `element` (string), `reason` (string), `errno` (gint) and `size`
 * (guint64, bytes of a frame), once for each reason.
 *
 * Where nobody downstream has a use for dma-bufs (fakesink, videoconvert), such
 * frames go on as they came. So do dma-bufs that somebody else allocated
 * (libcamerasrc, pipewiresrc, v4l2src io-mode=dmabuf). The property #bufalloc:devices
 * says that somebody has a use for them where the element does not see it.
 *
 * Caps of memory:DMABuf pass as well; with format=DMA_DRM (GStreamer 1.24 and later)
 * the pool has linear frames. What has another modifier passes as it is.
 *
 * What would otherwise go wrong in silence is said once, as a warning on the
 * bus: a display that refuses to import the buffers (it then copies each frame),
 * a CPU that reads each frame, and a V4L2 element upstream that sends memory of its
 * own although it was offered the pool.
 *
 * Since: 0.1
 */

#ifdef HAVE_CONFIG_H
#include "config.h"
#endif

#include "gstbufallocelement.h"

#include "gstbufallocadopter.h"
#include "gstbufallocallocator.h"
#include "gstbufalloccaps.h"
#include "gstbufallocerrno.h"
#include "gstbufallocpropose.h"
#include "gstbufallocsettings.h"
#include "gstbufallocwatch.h"

GST_DEBUG_CATEGORY_EXTERN (gst_bufalloc_debug);
#define GST_CAT_DEFAULT gst_bufalloc_debug

#define PROP_STATS GST_BUFALLOC_SETTING_LAST

static GParamSpec *stats_property;

struct _GstBufalloc
{
  GstBaseTransform parent;

  /* All that follows is protected by the object lock, except what only the
   * streaming thread touches. */
  GstBufallocSettings settings;

  GstBufallocConnection *connection;    /* from READY on */
  GstBufallocAllocator *allocator;      /* likewise */
  GstBufallocCounts last_counts;        /* of the allocator before */
  enum bufalloc_heap last_heap; /* of it, too */
  guint64 last_attributes;

  guint64 frames;
  guint64 own_frames;
  guint64 imported_frames;
  guint64 copied_frames;
  gboolean offered;             /* upstream has been given a pool of ours */

  /* the streaming thread's */
  GstBufallocWatch watch;
  GstBufallocAdopter adopter;
};

G_DEFINE_FINAL_TYPE (GstBufalloc, gst_bufalloc, GST_TYPE_BASE_TRANSFORM)
GST_ELEMENT_REGISTER_DEFINE (bufalloc, "bufalloc", GST_RANK_NONE,
    GST_TYPE_BUFALLOC)

static GstStaticPadTemplate sink_template = GST_STATIC_PAD_TEMPLATE ("sink",
    GST_PAD_SINK, GST_PAD_ALWAYS, GST_STATIC_CAPS (GST_BUFALLOC_CAPS));

static GstStaticPadTemplate src_template = GST_STATIC_PAD_TEMPLATE ("src",
    GST_PAD_SRC, GST_PAD_ALWAYS, GST_STATIC_CAPS (GST_BUFALLOC_CAPS));

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

/* With commas between them. */
static gchar *
gst_bufalloc_attribute_names (guint64 attributes)
{
  GString *names = g_string_new (NULL);
  guint i;

  for (i = 0; i < 64; i++) {
    const gchar *name = bufalloc_attr_name (attributes & (G_GUINT64_CONSTANT (1)
            << i));

    if (name != NULL)
      g_string_append_printf (names, "%s%s", names->len > 0 ? "," : "", name);
  }

  return g_string_free (names, FALSE);
}

static GstStructure *
gst_bufalloc_get_stats (GstBufalloc * self)
{
  static const gchar *const display[] = { "untried", "imported", "refused" };
  enum bufalloc_heap heap;
  GstBufallocCounts counts;
  GstStructure *stats;
  guint64 attributes;
  gchar *names;

  GST_OBJECT_LOCK (self);
  if (self->allocator != NULL) {
    gst_bufalloc_allocator_get_counts (self->allocator, &counts);
    heap = gst_bufalloc_connection_get_chosen_heap (self->connection);
    attributes = gst_bufalloc_connection_get_granted (self->connection);
  } else {
    counts = self->last_counts;
    attributes = self->last_attributes;
    heap = counts.allocations > 0 ? self->last_heap :
        self->settings.heap;
  }

  names = gst_bufalloc_attribute_names (attributes);
  stats = gst_structure_new ("application/x-bufalloc-stats",
      "heap", G_TYPE_STRING, bufalloc_heap_name (heap),
      "attributes", G_TYPE_STRING, names,
      "allocations", G_TYPE_UINT64, counts.allocations,
      "allocated-bytes", G_TYPE_UINT64, counts.allocated_bytes,
      "buffers", G_TYPE_UINT64, counts.buffers,
      "cpu-maps", G_TYPE_UINT64, counts.cpu_maps,
      "cpu-reads", G_TYPE_UINT64, counts.cpu_reads,
      "frames", G_TYPE_UINT64, self->frames,
      "own-frames", G_TYPE_UINT64, self->own_frames,
      "foreign-frames", G_TYPE_UINT64, self->frames - self->own_frames,
      "imported-frames", G_TYPE_UINT64, self->imported_frames,
      "copied-frames", G_TYPE_UINT64, self->copied_frames,
      "display", G_TYPE_STRING,
      display[gst_bufalloc_watch_get_display (&self->watch)], NULL);
  GST_OBJECT_UNLOCK (self);
  g_free (names);

  return stats;
}

static gboolean
gst_bufalloc_propose_allocation (GstBaseTransform * trans,
    GstQuery * decide_query, GstQuery * query)
{
  GstBufalloc *self = GST_BUFALLOC (trans);
  GstBufallocAllocator *allocator = gst_bufalloc_ref_allocator (self);
  GstBufallocSettings settings;
  GstBufallocAnswer answer;
  gboolean answered;

  /* what downstream says, if it says anything: fakesink does not */
  answered =
      GST_BASE_TRANSFORM_CLASS (gst_bufalloc_parent_class)->propose_allocation
      (trans, decide_query, query);
  if (allocator == NULL)
    return answered;

  GST_OBJECT_LOCK (self);
  settings = self->settings;
  GST_OBJECT_UNLOCK (self);
  answer = gst_bufalloc_propose (GST_OBJECT (self), allocator, &settings,
      query);
  gst_object_unref (allocator);

  if (answer == GST_BUFALLOC_ANSWER_POOL) {
    GST_OBJECT_LOCK (self);
    self->offered = TRUE;
    GST_OBJECT_UNLOCK (self);
    /* the query comes in the streaming thread */
    gst_bufalloc_watch_new_pool (&self->watch);
  }

  return answered || answer != GST_BUFALLOC_ANSWER_NONE;
}

static void
gst_bufalloc_count (GstBufalloc * self, gboolean own,
    GstBufallocAdoption adoption)
{
  GST_OBJECT_LOCK (self);
  self->frames++;
  if (own)
    self->own_frames++;
  else if (adoption == GST_BUFALLOC_ADOPTION_IMPORTED)
    self->imported_frames++;
  else if (adoption == GST_BUFALLOC_ADOPTION_COPIED)
    self->copied_frames++;
  GST_OBJECT_UNLOCK (self);
}

/* Before it gets downstream. */
static void
gst_bufalloc_watch (GstBufalloc * self, GstBufallocAdoption adoption,
    GstBuffer * buffer)
{
  enum bufalloc_heap heap = BUFALLOC_USER;
  GstBufallocCounts counts;
  gboolean offered;

  GST_OBJECT_LOCK (self);
  offered = self->offered;
  GST_OBJECT_UNLOCK (self);

  if (gst_is_bufalloc_memory (gst_buffer_peek_memory (buffer, 0))) {
    heap = gst_bufalloc_allocator_get_heap (self->adopter.allocator);
  } else if (adoption == GST_BUFALLOC_ADOPTION_PASSED) {
    if (offered)
      gst_bufalloc_watch_foreign_frame (&self->watch,
          GST_BASE_TRANSFORM (self));
    return;
  }

  gst_bufalloc_allocator_get_counts (self->adopter.allocator, &counts);
  gst_bufalloc_watch_own_frame (&self->watch, GST_ELEMENT (self), heap,
      counts.cpu_reads + gst_bufalloc_user_allocator_get_cpu_reads
      (self->adopter.importer), buffer);
}

/* Each frame comes by here. One in memory of somebody else's may go on as another
 * buffer. */
static GstFlowReturn
gst_bufalloc_prepare_output_buffer (GstBaseTransform * trans, GstBuffer * input,
    GstBuffer ** output)
{
  GstBufalloc *self = GST_BUFALLOC (trans);
  GstBufallocAdoption adoption = GST_BUFALLOC_ADOPTION_PASSED;
  GstFlowReturn ret = GST_FLOW_OK;
  GstBufallocSettings settings;
  gboolean own;

  *output = input;
  if (gst_buffer_n_memory (input) == 0)
    return GST_FLOW_OK;
  own = gst_is_bufalloc_memory (gst_buffer_peek_memory (input, 0));

  if (!own) {
    GST_OBJECT_LOCK (self);
    gst_bufalloc_settings_copy (&settings, &self->settings);
    GST_OBJECT_UNLOCK (self);
    ret = gst_bufalloc_adopter_take (&self->adopter, &settings, input, output,
        &adoption);
    gst_bufalloc_settings_clear (&settings);
  }
  if (ret == GST_FLOW_OK) {
    gst_bufalloc_count (self, own, adoption);
    gst_bufalloc_watch (self, adoption, *output);
  }

  return ret;
}

static gboolean
gst_bufalloc_set_caps (GstBaseTransform * trans, GstCaps * in, GstCaps * out)
{
  gst_bufalloc_adopter_set_caps (&GST_BUFALLOC (trans)->adopter, in);

  return TRUE;
}

static gboolean
gst_bufalloc_src_event (GstBaseTransform * trans, GstEvent * event)
{
  if (GST_EVENT_TYPE (event) == GST_EVENT_RECONFIGURE)
    gst_bufalloc_adopter_look_again (&GST_BUFALLOC (trans)->adopter);

  return GST_BASE_TRANSFORM_CLASS (gst_bufalloc_parent_class)->src_event
      (trans, event);
}

static gboolean
gst_bufalloc_sink_event (GstBaseTransform * trans, GstEvent * event)
{
  if (GST_EVENT_TYPE (event) == GST_EVENT_EOS) {
    GstStructure *stats = gst_bufalloc_get_stats (GST_BUFALLOC (trans));

    GST_INFO_OBJECT (trans, "%" GST_PTR_FORMAT, stats);
    gst_structure_free (stats);
    g_object_notify_by_pspec (G_OBJECT (trans), stats_property);
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
  self->imported_frames = self->copied_frames = 0;
  self->offered = FALSE;
  GST_OBJECT_UNLOCK (self);
  gst_bufalloc_watch_reset (&self->watch);
  gst_bufalloc_adopter_start (&self->adopter, GST_ELEMENT (self),
      self->connection, self->allocator);

  return TRUE;
}

static gboolean
gst_bufalloc_stop (GstBaseTransform * trans)
{
  gst_bufalloc_adopter_stop (&GST_BUFALLOC (trans)->adopter);

  return TRUE;
}

/* Called with the object lock. What is no attribute was refused before READY, and
 * is left out now. */
static void
gst_bufalloc_apply (GstBufalloc * self)
{
  gchar *reason = NULL;
  guint64 attributes;

  if (self->connection == NULL)
    return;
  gst_bufalloc_settings_get_attributes (&self->settings, &attributes, &reason);
  g_free (reason);
  gst_bufalloc_connection_set_heap (self->connection, self->settings.heap);
  gst_bufalloc_connection_set_attributes (self->connection, attributes);
  gst_bufalloc_connection_set_device_list (self->connection,
      self->settings.devices);
}

static gboolean
gst_bufalloc_open (GstBufalloc * self)
{
  GstBufallocConnection *connection;
  gchar *device, *reason = NULL;
  guint64 attributes;
  gint err;

  GST_OBJECT_LOCK (self);
  device = g_strdup (self->settings.device);
  err = gst_bufalloc_settings_get_attributes (&self->settings, &attributes,
      &reason);
  GST_OBJECT_UNLOCK (self);
  if (err < 0) {
    GST_ELEMENT_ERROR (self, RESOURCE, SETTINGS, ("%s", reason), (NULL));
    g_free (device);
    g_free (reason);
    return FALSE;
  }

  connection = gst_bufalloc_connection_new (device, GST_ELEMENT (self), &err,
      &reason);
  if (reason != NULL)
    gst_element_message_full (GST_ELEMENT (self),
        connection == NULL ? GST_MESSAGE_ERROR : GST_MESSAGE_WARNING,
        GST_RESOURCE_ERROR, gst_bufalloc_errno_code (err), reason,
        g_strdup_printf ("%s: %s (%d)", device, gst_bufalloc_errno_name (err),
            -err), __FILE__, GST_FUNCTION, __LINE__);
  g_free (device);
  if (connection == NULL)
    return FALSE;

  GST_OBJECT_LOCK (self);
  self->connection = connection;
  gst_bufalloc_apply (self);
  self->allocator = GST_BUFALLOC_ALLOCATOR (gst_bufalloc_allocator_new_on
      (connection));
  GST_OBJECT_UNLOCK (self);

  return TRUE;
}

/* Buffers that are still out keep allocator and connection alive. */
static void
gst_bufalloc_close (GstBufalloc * self)
{
  GstBufallocConnection *connection;
  GstBufallocAllocator *allocator;

  GST_OBJECT_LOCK (self);
  connection = self->connection;
  allocator = self->allocator;
  self->connection = NULL;
  self->allocator = NULL;
  if (allocator != NULL) {
    gst_bufalloc_allocator_get_counts (allocator, &self->last_counts);
    self->last_heap = gst_bufalloc_connection_get_chosen_heap (connection);
    self->last_attributes = gst_bufalloc_connection_get_granted (connection);
  }
  GST_OBJECT_UNLOCK (self);

  gst_clear_object (&allocator);
  gst_clear_object (&connection);
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
  gboolean known;

  GST_OBJECT_LOCK (self);
  known = gst_bufalloc_settings_set (&self->settings, prop_id, value);
  gst_bufalloc_apply (self);
  GST_OBJECT_UNLOCK (self);

  if (!known)
    G_OBJECT_WARN_INVALID_PROPERTY_ID (object, prop_id, pspec);
}

static void
gst_bufalloc_get_property (GObject * object, guint prop_id, GValue * value,
    GParamSpec * pspec)
{
  GstBufalloc *self = GST_BUFALLOC (object);
  gboolean known;

  if (prop_id == PROP_STATS) {
    g_value_take_boxed (value, gst_bufalloc_get_stats (self));
    return;
  }

  GST_OBJECT_LOCK (self);
  known = gst_bufalloc_settings_get (&self->settings, prop_id, value);
  GST_OBJECT_UNLOCK (self);

  if (!known)
    G_OBJECT_WARN_INVALID_PROPERTY_ID (object, prop_id, pspec);
}

static void
gst_bufalloc_finalize (GObject * object)
{
  GstBufalloc *self = GST_BUFALLOC (object);

  gst_clear_object (&self->allocator);
  gst_clear_object (&self->connection);
  gst_bufalloc_settings_clear (&self->settings);

  G_OBJECT_CLASS (gst_bufalloc_parent_class)->finalize (object);
}

static void
gst_bufalloc_class_init (GstBufallocClass * klass)
{
  GObjectClass *object_class = G_OBJECT_CLASS (klass);
  GstElementClass *element_class = GST_ELEMENT_CLASS (klass);
  GstBaseTransformClass *trans_class = GST_BASE_TRANSFORM_CLASS (klass);

  object_class->set_property = gst_bufalloc_set_property;
  object_class->get_property = gst_bufalloc_get_property;
  object_class->finalize = gst_bufalloc_finalize;

  gst_bufalloc_settings_install (object_class);

  /**
   * bufalloc:stats:
   *
   * What happened so far:
   *
   * - `heap` (string): that of the newest buffer, or what is set
   * - `attributes` (string): that the newest buffer has, of those asked for, with
   *   commas between them
   * - `allocations` (guint64): dma-bufs allocated since READY
   * - `allocated-bytes` (guint64): bytes of them
   * - `buffers` (guint64): of them, those that exist now
   * - `cpu-maps` (guint64): times that one was mapped for the CPU
   * - `cpu-reads` (guint64): times of these that it was to be read
   * - `frames` (guint64): frames that passed since PAUSED
   * - `own-frames` (guint64): of them, those that came in memory of bufalloc's
   * - `foreign-frames` (guint64): of them, those that came in other memory
   * - `imported-frames` (guint64): of these, those whose memory became dma-bufs
   *   as it is
   * - `copied-frames` (guint64): of these, those that were copied
   * - `display` (string): "untried", "imported" or "refused"
   *
   * It is notified at the end of the stream: `gst-launch-1.0 -v` shows it.
   *
   * Since: 0.1
   */
  stats_property = g_param_spec_boxed ("stats", "Statistics",
      "Counters (numbers, bytes): heap, attributes, allocations, "
      "allocated-bytes, buffers, "
      "cpu-maps, cpu-reads, frames, own-frames, foreign-frames, "
      "imported-frames, copied-frames, display",
      GST_TYPE_STRUCTURE, G_PARAM_READABLE | G_PARAM_STATIC_STRINGS);

  g_object_class_install_property (object_class, PROP_STATS, stats_property);

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
  trans_class->stop = gst_bufalloc_stop;
  trans_class->set_caps = gst_bufalloc_set_caps;
  trans_class->src_event = gst_bufalloc_src_event;
  trans_class->sink_event = gst_bufalloc_sink_event;
  trans_class->propose_allocation = gst_bufalloc_propose_allocation;
  trans_class->prepare_output_buffer = gst_bufalloc_prepare_output_buffer;
}

static void
gst_bufalloc_init (GstBufalloc * self)
{
  gst_bufalloc_settings_init (&self->settings);
  gst_base_transform_set_passthrough (GST_BASE_TRANSFORM (self), TRUE);
}
