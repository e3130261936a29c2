/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Every format in every shape: odd sizes, padded lines, more lines, one dma-buf or
 * one for each plane. What must hold for all of them, and that the dma-bufs are as
 * long as libbufalloc says that devices want them.
 */
#include <bufalloc/bufalloc.h>
#include <gst/allocators/gstdmabuf.h>

#include "common.h"
#include "formats.h"

/* What a driver makes of a frame. */
static const struct
{
  const gchar *name;
  guint stride_align, line_align;
} shapes[] = {
  {"as it is", 1, 1},
  {"longer lines", 256, 1},
  {"more lines", 1, 16},
  {"longer and more lines", 128, 32},
};

typedef struct
{
  const gchar *what;
  GstBuffer *buffer;
  GstVideoMeta *meta;
} Frame;

/* Each plane lies in one memory, and begins where that begins if it has its own. */
static void
check_planes (const Frame * frame, guint memories)
{
  GstVideoMeta *meta = frame->meta;
  gsize bytes[GST_VIDEO_MAX_PLANES];
  guint p;

  fail_unless_equals_int (gst_buffer_n_memory (frame->buffer),
      memories > 1 ? meta->n_planes : 1);
  fail_unless (gst_video_meta_get_plane_size (meta, bytes), "%s", frame->what);
  for (p = 0; p < meta->n_planes; p++) {
    guint index, length;
    gsize skip;

    fail_unless (gst_buffer_find_memory (frame->buffer, meta->offset[p],
            bytes[p], &index, &length, &skip), "%s: plane %u", frame->what, p);
    fail_unless (length == 1, "%s: plane %u is in %u", frame->what, p, length);
    if (memories > 1)
      fail_unless (index == p && skip == 0, "%s: plane %u is in memory %u at %"
          G_GSIZE_FORMAT, frame->what, p, index, skip);
  }
}

/* A dma-buf begins with its memory and has room for what the library would say. */
static void
check_memories (const Frame * frame, const gchar * name, guint memories)
{
  struct bufalloc_request *req = NULL;
  const struct bufalloc_layout *layout;
  guint i;

  fail_unless (bufalloc_request_new (&req) == 0
      && bufalloc_request_set_format (req, BUFALLOC_FOURCC (name[0], name[1],
              name[2], name[3]), frame->meta->width, frame->meta->height) == 0
      && bufalloc_request_set_memories (req, memories > 1 ?
          BUFALLOC_MEMORIES_PER_PLANE : BUFALLOC_MEMORIES_ONE) == 0
      && bufalloc_request_get_layout (req, &layout) == 0);
  fail_unless_equals_int (layout->memory_count,
      gst_buffer_n_memory (frame->buffer));
  for (i = 0; i < layout->memory_count; i++) {
    GstMemory *mem = gst_buffer_peek_memory (frame->buffer, i);

    fail_unless (gst_is_dmabuf_memory (mem) && mem->offset == 0);
    fail_unless (mem->maxsize >= layout->lengths[i] && mem->maxsize % 4096 == 0,
        "%s: memory %u has %" G_GSIZE_FORMAT " bytes", frame->what, i,
        mem->maxsize);
  }
  bufalloc_request_destroy (req);
}

static void
check_shape (guint format, guint size, guint shape, guint memories)
{
  GstCaps *caps = raw_caps (gst_video_format_to_string (formats[format].format),
      sizes[size].width, sizes[size].height);
  gchar *what = g_strdup_printf ("%ux%u, %s, %u memories", sizes[size].width,
      sizes[size].height, shapes[shape].name, memories);
  GstVideoAlignment align;
  GstVideoInfo info, padded;
  GstBufferPool *pool;
  GstVideoFrame mapped;
  Frame frame = { what, NULL, NULL };
  GstQuery *query;
  guint i, changes;
  Fixture f;

  fixture_init (&f, memories > 1 ? "memories=n" : "");
  fail_unless (gst_video_info_from_caps (&info, caps));
  gst_video_alignment_reset (&align);
  for (i = 0; i < GST_VIDEO_MAX_PLANES; i++)
    align.stride_align[i] = shapes[shape].stride_align - 1;
  align.padding_bottom = GST_ROUND_UP_N (sizes[size].height,
      shapes[shape].line_align) - sizes[size].height;
  padded = info;
  fail_unless (gst_video_info_align (&padded, &align));

  query = fixture_query (&f, caps, TRUE);
  pool = v4l2src_decide (query, caps, GST_VIDEO_INFO_SIZE (&padded), 1,
      &changes);
  gst_query_unref (query);
  fail_unless (gst_buffer_pool_set_active (pool, TRUE), "%s", what);
  fail_unless (gst_buffer_pool_acquire_buffer (pool, &frame.buffer, NULL)
      == GST_FLOW_OK, "%s", what);
  fail_unless (gst_buffer_get_size (frame.buffer) >=
      GST_VIDEO_INFO_SIZE (&padded), "%s", what);
  frame.meta = gst_buffer_get_video_meta (frame.buffer);
  fail_unless (frame.meta != NULL && frame.meta->n_planes ==
      GST_VIDEO_INFO_N_PLANES (&info), "%s", what);
  check_planes (&frame, memories);
  check_memories (&frame, formats[format].fourcc, memories);
  fail_unless (gst_video_frame_map (&mapped, &info, frame.buffer,
          GST_MAP_WRITE), "%s", what);
  gst_video_frame_unmap (&mapped);

  /* the pool takes it back: it is neither shorter nor longer than before */
  gst_buffer_unref (frame.buffer);
  i = element_stat (f.element, "buffers");
  fail_unless (gst_buffer_pool_acquire_buffer (pool, &frame.buffer, NULL)
      == GST_FLOW_OK, "%s", what);
  fail_unless (element_stat (f.element, "buffers") == i, "%s", what);

  gst_buffer_unref (frame.buffer);
  gst_buffer_pool_set_active (pool, FALSE);
  gst_object_unref (pool);
  gst_caps_unref (caps);
  fixture_finish (&f);
  g_free (what);
}

GST_START_TEST (test_format)
{
  gint format = __i__ / 2;
  guint size, shape;

  for (size = 0; size < G_N_ELEMENTS (sizes); size++) {
    for (shape = 0; shape < G_N_ELEMENTS (shapes); shape++)
      check_shape (format, size, shape, __i__ % 2 + 1);
  }
}
GST_END_TEST;

int
main (int argc, char **argv)
{
  Suite *suite = suite_create ("planes");
  guint i;

  for (i = 0; i < G_N_ELEMENTS (formats); i++) {
    const GstVideoFormatInfo *info =
        gst_video_format_get_info (formats[i].format);

    /* check keeps the pointers */
    add_row (suite, g_strdup (formats[i].fourcc), test_format, i * 2);
    if (GST_VIDEO_FORMAT_INFO_N_PLANES (info) > 1)
      add_row (suite, g_strdup_printf ("%s, a memory for each plane",
              formats[i].fourcc), test_format, i * 2 + 1);
  }
  return run_suite (argc, argv, suite);
}
