/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What the tests of the plugin share: an element bufalloc between two pads of
 * the test, and upstream's side of the negotiation as v4l2src does it.
 */
#ifndef TESTS_GST_COMMON_H
#define TESTS_GST_COMMON_H

#include <gst/check/gstcheck.h>
#include <gst/video/video.h>

/* How the pad downstream of the element answers an ALLOCATION query. */
typedef struct
{
  gboolean fails;
  gboolean no_pools;
  gboolean with_pool;           /* an own pool, to be replaced */
  gboolean with_allocator;      /* own allocation params, with a prefix */
  gboolean with_video_meta;
  guint size;
  guint min;
} Downstream;

typedef struct
{
  GstElement *element;
  GstPad *src;                  /* upstream of the element */
  GstPad *sink;                 /* downstream of it */
  Downstream downstream;
  guint queries;                /* that came out downstream */
} Fixture;

/* An element in PAUSED, in a bin with a bus of its own. */
void fixture_init (Fixture * f, const gchar * properties);
void fixture_finish (Fixture * f);

GstCaps *raw_caps (const gchar * format, gint width, gint height);

/* (transfer full) the answered query; it must have succeeded */
GstQuery *fixture_query (Fixture * f, GstCaps * caps, gboolean need_pool);

/* (transfer full) the pool of a new query, or NULL */
GstBufferPool *fixture_pool (Fixture * f, GstCaps * caps);

guint64 element_stat (GstElement * element, const gchar * field);

/*
 * What v4l2src does with the answer before it activates the pool, step by step
 * (decide_allocation of GStreamer 1.22). driver_size is what its driver says
 * that a frame takes. Fails the test where v4l2src would fail the pipeline.
 *
 * (transfer full) the configured pool; *changes is how often set_config()
 * returned FALSE.
 */
GstBufferPool *v4l2src_decide (GstQuery * query, GstCaps * caps,
    guint driver_size, guint driver_min, guint * changes);

/* Bytes that importers take for the length of the buffer's dma-buf. */
gsize buffer_length (GstBuffer * buffer);

/* Add one test under a name of its own: the function, for row __i__ = row. */
#define add_row(suite, name, function, row) \
  add_row_with_timeout (suite, name, function, row, 60)
#define add_row_with_timeout(suite, name, function, row, seconds) \
  G_STMT_START { \
    TCase *tcase_ = tcase_create (name); \
    tcase_set_timeout (tcase_, seconds); \
    tcase_add_loop_test (tcase_, function, row, (row) + 1); \
    suite_add_tcase (suite, tcase_); \
  } G_STMT_END

/* Run a suite; TAP on the standard output. Returns the exit status. */
int run_suite (int argc, char **argv, Suite * suite);

#endif /* TESTS_GST_COMMON_H */
