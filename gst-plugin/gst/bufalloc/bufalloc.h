/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef __GST_BUFALLOC_BUFALLOC_H__
#define __GST_BUFALLOC_BUFALLOC_H__

/**
 * SECTION:bufalloc.h
 * @title: bufalloc for applications
 * @short_description: the allocator and the pool of the element bufalloc
 *
 * What an application needs to fill buffers of bufalloc's itself, with an appsrc,
 * say, or to offer them to a source in its own ALLOCATION query. To be found with
 * pkg-config as gstreamer-bufalloc-1.0.
 *
 * |[<!-- language="C" -->
 * GError *error = NULL;
 * GstAllocator *allocator = gst_bufalloc_allocator_new ("/dev/dri/card0", NULL,
 *     &error);
 * GstBufferPool *pool = gst_bufalloc_pool_new (allocator);
 * ]|
 *
 * Elements and applications that only want the memory, whatever it is for, need
 * no header: gst_allocator_find ("bufalloc") has an allocator for no device in
 * particular as soon as the plugin is loaded.
 *
 * All calls may be made from any thread.
 *
 * Since: 0.1
 */

#include <gst/allocators/gstdmabuf.h>
#include <gst/gst.h>
#include <gst/video/video.h>

G_BEGIN_DECLS

#define GST_BUFALLOC_API __attribute__ ((visibility ("default")))

/**
 * GST_ALLOCATOR_BUFALLOC:
 *
 * The name of the allocator in gst_allocator_find(), and the memory type of each
 * #GstBufallocAllocator.
 *
 * Since: 0.1
 */
#define GST_ALLOCATOR_BUFALLOC "bufalloc"

#define GST_TYPE_BUFALLOC_ALLOCATOR (gst_bufalloc_allocator_get_type ())
GST_BUFALLOC_API
G_DECLARE_FINAL_TYPE (GstBufallocAllocator, gst_bufalloc_allocator,
    GST, BUFALLOC_ALLOCATOR, GstDmaBufAllocator)

GST_BUFALLOC_API
GstAllocator * gst_bufalloc_allocator_get (void);

GST_BUFALLOC_API
GstAllocator * gst_bufalloc_allocator_new (const gchar * devices,
                                           const gchar * heap,
                                           GError ** error);

GST_BUFALLOC_API
GstMemory * gst_bufalloc_allocator_alloc (GstBufallocAllocator * self,
                                          gsize size,
                                          GError ** error);

GST_BUFALLOC_API
gboolean gst_is_bufalloc_memory (GstMemory * mem);

#define GST_TYPE_BUFALLOC_POOL (gst_bufalloc_pool_get_type ())
GST_BUFALLOC_API
G_DECLARE_FINAL_TYPE (GstBufallocPool, gst_bufalloc_pool,
    GST, BUFALLOC_POOL, GstVideoBufferPool)

GST_BUFALLOC_API
GstBufferPool * gst_bufalloc_pool_new (GstAllocator * allocator);

G_END_DECLS

#endif /* __GST_BUFALLOC_BUFALLOC_H__ */
