/* SPDX-License-Identifier: LGPL-2.1-or-later */

/**
 * SECTION:plugin-bufalloc
 * @short_description: one dma-buf from camera to display
 *
 * Since: 0.1
 */

#ifdef HAVE_CONFIG_H
#include "config.h"
#endif

#include "gst/bufalloc/bufalloc.h"
#include "gstbufallocelement.h"
#include "tracer/gstzerocopytracer.h"

static gboolean
plugin_init (GstPlugin * plugin)
{
  gst_object_unref (gst_bufalloc_allocator_get ());

  return GST_ELEMENT_REGISTER (bufalloc, plugin)
      && gst_zerocopy_tracer_register (plugin);
}

GST_PLUGIN_DEFINE (GST_VERSION_MAJOR, GST_VERSION_MINOR, bufalloc,
    "dma-bufs that cameras, codecs and displays share without copying",
    plugin_init, VERSION, "LGPL", PACKAGE, "bufalloc")
