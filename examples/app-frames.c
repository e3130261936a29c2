// SPDX-License-Identifier: MIT
/*
 * app-frames [FRAMES]: an application's own frames in buffers of bufalloc's: it
 * draws them, a display shows them, and the application gets them back, all in the
 * same memory. GStreamer's plugin `bufalloc` has to be where GStreamer finds it;
 * nothing of it is linked, as the allocator is found by its name.
 *
 * DISPLAY_SINK (kmssink) is what shows them: "kmssink driver-name=vkms", say.
 */
#include <gst/app/app.h>
#include <gst/gst.h>
#include <gst/video/video.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define WIDTH 640
#define HEIGHT 480
#define FRAME ((gsize)WIDTH * HEIGHT * 4)

static int
fail(const char *what)
{
	fprintf(stderr, "app-frames: %s\n", what);
	return 1;
}

/* draw: all pixels in one colour, which changes. False if the memory cannot be
 * written by the CPU. */
static gboolean
draw(GstBuffer *buffer, unsigned int number)
{
	GstMapInfo map;

	if (!gst_buffer_map(buffer, &map, GST_MAP_WRITE)) {
		return FALSE;
	}
	memset(map.data, (int)(number * 8 & 0xff), map.size);
	gst_buffer_unmap(buffer, &map);
	return TRUE;
}

/* make_pool: buffers of the allocator's memory, which are used again and again. */
static GstBufferPool *
make_pool(GstAllocator *allocator)
{
	GstBufferPool *pool = gst_video_buffer_pool_new();
	GstStructure *config = gst_buffer_pool_get_config(pool);
	GstCaps *caps = gst_caps_new_simple("video/x-raw", "format",
					    G_TYPE_STRING, "BGRx", "width",
					    G_TYPE_INT, WIDTH, "height",
					    G_TYPE_INT, HEIGHT, NULL);

	/* Who draws faster than the display shows waits for one of them. */
	gst_buffer_pool_config_set_params(config, caps, FRAME, 3, 8);
	gst_buffer_pool_config_set_allocator(config, allocator, NULL);
	gst_buffer_pool_config_add_option(config,
					  GST_BUFFER_POOL_OPTION_VIDEO_META);
	gst_caps_unref(caps);
	if (!gst_buffer_pool_set_config(pool, config) ||
	    !gst_buffer_pool_set_active(pool, TRUE)) {
		gst_object_unref(pool);
		return NULL;
	}
	return pool;
}

/* show: draw and push a frame, and wait until it comes back in its memory. */
static int
show(GstBufferPool *pool, GstAppSrc *source, GstAppSink *sink,
     unsigned int number)
{
	GstBuffer *buffer, *back;
	GstMemory *memory;
	GstSample *sample;
	gboolean same;

	if (gst_buffer_pool_acquire_buffer(pool, &buffer, NULL) !=
	    GST_FLOW_OK) {
		return fail("no memory: see GST_DEBUG=bufalloc:4");
	}
	if (!draw(buffer, number)) {
		gst_buffer_unref(buffer);
		return fail("the CPU cannot write the memory");
	}
	memory = gst_memory_ref(gst_buffer_peek_memory(buffer, 0));
	if (gst_app_src_push_buffer(source, buffer) != GST_FLOW_OK) {
		gst_memory_unref(memory);
		return fail("the pipeline takes no frame");
	}
	sample = gst_app_sink_try_pull_sample(sink, 20 * GST_SECOND);
	back = sample == NULL ? NULL : gst_sample_get_buffer(sample);
	same = back != NULL && gst_buffer_peek_memory(back, 0) == memory;
	gst_memory_unref(memory);
	if (sample != NULL) {
		gst_sample_unref(sample);
	}
	return same ? 0 : fail("the frame did not come back in its memory");
}

int
main(int argc, char **argv)
{
	const char *display = getenv("DISPLAY_SINK");
	unsigned int i, frames = argc > 1 ? (unsigned int)atoi(argv[1]) : 100;
	GstElement *pipeline, *source, *sink;
	GstMessage *message;
	GstBus *bus;
	GstPlugin *plugin;
	GstAllocator *allocator;
	GstBufferPool *pool;
	GError *error = NULL;
	char *line;
	int status = 0;

	gst_init(&argc, &argv);
	/* The allocator is there when the plugin is. */
	plugin = gst_plugin_load_by_name("bufalloc");
	if (plugin == NULL) {
		return fail("GStreamer does not find the plugin bufalloc");
	}
	gst_object_unref(plugin);
	allocator = gst_allocator_find("bufalloc");
	if (allocator == NULL) {
		return fail("there is no allocator called bufalloc");
	}
	pool = make_pool(allocator);
	if (pool == NULL) {
		return fail("no memory: see GST_DEBUG=bufalloc:4");
	}

	line = g_strdup_printf(
		"appsrc name=source caps=video/x-raw,format=BGRx,width=%d,"
		"height=%d,framerate=25/1 is-live=true do-timestamp=true "
		"format=time ! tee name=t t. ! queue ! %s t. ! queue ! "
		"appsink name=sink sync=false",
		WIDTH, HEIGHT, display == NULL ? "kmssink" : display);
	pipeline = gst_parse_launch(line, &error);
	g_free(line);
	if (pipeline == NULL) {
		fprintf(stderr, "app-frames: %s\n", error->message);
		return 1;
	}
	source = gst_bin_get_by_name(GST_BIN(pipeline), "source");
	sink = gst_bin_get_by_name(GST_BIN(pipeline), "sink");
	gst_element_set_state(pipeline, GST_STATE_PLAYING);
	for (i = 0; i < frames && status == 0; i++) {
		status = show(pool, GST_APP_SRC(source), GST_APP_SINK(sink), i);
	}
	gst_app_src_end_of_stream(GST_APP_SRC(source));
	bus = gst_element_get_bus(pipeline);
	message = gst_bus_timed_pop_filtered(bus, 20 * GST_SECOND,
					     GST_MESSAGE_EOS | GST_MESSAGE_ERROR);
	if (status == 0 &&
	    (message == NULL || GST_MESSAGE_TYPE(message) == GST_MESSAGE_ERROR)) {
		status = fail("the pipeline did not end well: see GST_DEBUG=2");
	}
	gst_clear_message(&message);
	gst_object_unref(bus);
	gst_element_set_state(pipeline, GST_STATE_NULL);
	gst_object_unref(source);
	gst_object_unref(sink);
	gst_object_unref(pipeline);
	gst_buffer_pool_set_active(pool, FALSE);
	gst_object_unref(pool);
	gst_object_unref(allocator);
	if (status == 0) {
		printf("%u frames shown and got back\n", frames);
	}
	return status;
}
