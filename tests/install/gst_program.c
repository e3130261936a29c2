/* SPDX-License-Identifier: MIT */
/*
 * A program of somebody else that uses the allocator of the GStreamer plugin, built
 * with what pkg-config says. Needs no module: nothing is opened for a name.
 */
#include <gst/bufalloc/bufalloc.h>
#include <stdio.h>

int
main(int argc, char **argv)
{
	GstAllocator *got, *found;

	gst_init(&argc, &argv);
	got = gst_bufalloc_allocator_get();
	found = gst_allocator_find("bufalloc");
	if (found == NULL || found != got || !GST_IS_BUFALLOC_ALLOCATOR(got)) {
		fprintf(stderr, "the allocator is not found by its name\n");
		return 1;
	}
	gst_object_unref(found);
	gst_object_unref(got);
	return 0;
}
