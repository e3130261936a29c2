/* SPDX-License-Identifier: MIT */
/*
 * DRM devices: imports into our own open file, and framebuffers that are never
 * shown. Nothing of it needs to be master, and whoever is stays it.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <xf86drm.h>
#include <xf86drmMode.h>

#include "selftest.h"

static void
look_at_driver(struct selftest_device *device)
{
	drmVersionPtr version = drmGetVersion(device->use.fd);

	if (version == NULL) {
		return;
	}
	selftest_set_card(device, version->desc, (size_t)version->desc_len);
	drmFreeVersion(version);
}

void
selftest_drm_look(struct selftest_device *device)
{
	drmModeResPtr resources;
	uint64_t prime = 0;

	/* Whoever opens a card that has no master becomes it. */
	drmDropMaster(device->use.fd);
	look_at_driver(device);
	device->kind = SELFTEST_RENDER;
	if (drmGetNodeTypeFromFd(device->use.fd) == DRM_NODE_PRIMARY) {
		resources = drmModeGetResources(device->use.fd);
		if (resources != NULL && resources->count_crtcs > 0) {
			device->kind = SELFTEST_DISPLAY;
		}
		drmModeFreeResources(resources);
	}
	device->port_count = 1;
	if (drmGetCap(device->use.fd, DRM_CAP_PRIME, &prime) != 0 ||
	    (prime & DRM_PRIME_CAP_IMPORT) == 0) {
		device->ports[0].err = -EOPNOTSUPP;
		snprintf(device->ports[0].format,
			 sizeof(device->ports[0].format),
			 "the driver imports no dma-buf");
	}
}

/* Is what the device has under the handle this dma-buf? Unless it does not say. */
static bool
is_same(const struct selftest_device *device, uint32_t handle, int fd)
{
	struct stat ours, theirs;
	bool same = true;
	int other;

	if (drmPrimeHandleToFD(device->use.fd, handle, DRM_CLOEXEC, &other) !=
	    0) {
		return true;
	}
	if (fstat(fd, &ours) == 0 && fstat(other, &theirs) == 0) {
		same = ours.st_ino == theirs.st_ino &&
		       ours.st_dev == theirs.st_dev;
	}
	close(other);
	return same;
}

int
selftest_drm_import(struct selftest_device *device, struct selftest_port *port,
		    int fd, const char **call)
{
	*call = "DRM_IOCTL_PRIME_FD_TO_HANDLE";
	if (drmPrimeFDToHandle(device->use.fd, fd, &port->handle) != 0) {
		return -errno;
	}
	if (!is_same(device, port->handle, fd)) {
		*call = "DRM_IOCTL_PRIME_HANDLE_TO_FD gives another dma-buf";
		selftest_drm_release(device, port);
		return -EBADFD;
	}
	return 0;
}

int
selftest_drm_release(struct selftest_device *device,
		     struct selftest_port *port)
{
	return drmCloseBufferHandle(device->use.fd, port->handle) == 0 ?
		       0 :
		       -errno;
}

/* Does one of the display's planes take that format? */
static bool
takes_format(const struct selftest_device *device, uint32_t code)
{
	drmModePlaneResPtr planes;
	drmModePlanePtr plane;
	bool takes = false;
	uint32_t i, f;

	/* Primary planes, too; for our own file only. */
	drmSetClientCap(device->use.fd, DRM_CLIENT_CAP_UNIVERSAL_PLANES, 1);
	planes = drmModeGetPlaneResources(device->use.fd);
	for (i = 0; planes != NULL && i < planes->count_planes; i++) {
		plane = drmModeGetPlane(device->use.fd, planes->planes[i]);
		for (f = 0; plane != NULL && f < plane->count_formats; f++) {
			takes = takes || plane->formats[f] == code;
		}
		drmModeFreePlane(plane);
	}
	drmModeFreePlaneResources(planes);
	return takes;
}

/* A frame that fits into the buffer, in a format that the display takes. */
struct picture {
	const char *format;
	uint32_t width;
	uint32_t height;
};

static void
choose_picture(const struct selftest *test,
	       const struct selftest_device *device, struct picture *picture)
{
	/* Up to 4 bytes a pixel in one plane, most wanted first. */
	static const char *const formats[] = { "XR24", "AR24", "XB24", "AB24",
					       "XR30", "RG16", "YUYV", "UYVY",
					       "R8" };
	size_t i;

	picture->format = test->options->format;
	picture->width = (uint32_t)test->options->width;
	picture->height = (uint32_t)test->options->height;
	if (picture->format != NULL) {
		return;
	}
	picture->width = 1920;
	picture->height = 1080;
	if (test->length < UINT64_C(1920) * 1080 * 4) {
		picture->width = 64;
		picture->height = (uint32_t)(test->length / 256);
	}
	picture->format = formats[0];
	for (i = 0; i < sizeof(formats) / sizeof(formats[0]); i++) {
		if (takes_format(device, tool_fourcc(formats[i]))) {
			picture->format = formats[i];
			return;
		}
	}
}

static int
add_framebuffer(const struct selftest_device *device,
		const struct selftest_port *port,
		const struct bufalloc_layout *layout, uint32_t *framebuffer)
{
	uint32_t handles[4] = { 0 }, pitches[4] = { 0 }, offsets[4] = { 0 };
	uint32_t i;

	for (i = 0; i < layout->plane_count; i++) {
		handles[i] = port->handle;
		pitches[i] = layout->planes[i].stride;
		offsets[i] = (uint32_t)layout->planes[i].offset;
	}
	return drmModeAddFB2(device->use.fd, layout->width, layout->height,
			     layout->fourcc, handles, pitches, offsets,
			     framebuffer, 0) == 0 ?
		       0 :
		       -errno;
}

/* Where the planes of the picture are; 0 or -errno. */
static int
lay_out(struct bufalloc_request *request, const struct picture *picture,
	const struct bufalloc_layout **layout)
{
	int ret = bufalloc_request_set_format(request, tool_fourcc(picture->format),
					      picture->width, picture->height);

	if (ret == 0) {
		ret = bufalloc_request_set_memories(request,
						    BUFALLOC_MEMORIES_ONE);
	}
	if (ret == 0) {
		ret = bufalloc_request_get_layout(request, layout);
	}
	return ret;
}

/* The framebuffer is made, and goes again. */
static void
try_framebuffer(struct selftest *test, struct selftest_device *device,
		const struct selftest_port *port, const struct picture *picture)
{
	const struct bufalloc_layout *layout = NULL;
	struct bufalloc_request *request = NULL;
	struct report *report = &test->report;
	uint32_t framebuffer;
	int ret;

	ret = bufalloc_request_new(&request);
	if (ret == 0) {
		ret = lay_out(request, picture, &layout);
	}
	if (ret < 0 || layout == NULL) {
		report_skip(report, ret, "no layout of a picture is known: %s",
			    strerror(-ret));
		bufalloc_request_destroy(request);
		return;
	}
	ret = add_framebuffer(device, port, layout, &framebuffer);
	bufalloc_request_destroy(request);
	if (ret < 0) {
		selftest_call_failed(test, device, "DRM_IOCTL_MODE_ADDFB2",
				     ret);
	} else if (drmModeRmFB(device->use.fd, framebuffer) != 0) {
		selftest_call_failed(test, device, "DRM_IOCTL_MODE_RMFB",
				     -errno);
	} else {
		report_pass(report, "%s %" PRIu32 "x%" PRIu32 ", not shown",
			    picture->format, picture->width, picture->height);
	}
}

void
selftest_drm_framebuffer(struct selftest *test, struct selftest_device *device,
			 const struct selftest_port *port,
			 const struct selftest_variant *variant)
{
	struct report *report = &test->report;
	struct picture picture;

	report_begin(report, device->node, "framebuffer", NULL, variant->name);
	choose_picture(test, device, &picture);
	if (!takes_format(device, tool_fourcc(picture.format))) {
		report_skip(report, 0, "no plane of the display takes %s",
			    picture.format);
		return;
	}
	if (picture.height == 0) {
		report_skip(report, 0, "the buffer is too small for a picture");
		return;
	}
	try_framebuffer(test, device, port, &picture);
}
