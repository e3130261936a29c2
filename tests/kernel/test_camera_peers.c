// SPDX-License-Identifier: MIT
/*
 * bufalloc_vb2_add_peer(): a camera that takes scattered memory, and a display that
 * takes one segment and has no IOMMU. What the camera exports is the display's to
 * import only if the camera's driver was told of it.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "edu.h"
#include "ktest.h"
#include "sample.h"

/* guest.sh's last device: outside of the IOMMU. */
static unsigned int display_index = 3;
/* The last page comes from elsewhere than the blocks of 4 MiB before it. */
#define SCATTERED (((uint32_t)8 << 20) + 4096)

/* The camera's driver is bound anew, with that peer. */
static void
bind_with_peer(const char *peer)
{
	char name[32];

	snprintf(name, sizeof(name), "%s", sample_pci_name(0));
	sample_unbind(name);
	sample_set_peer(peer);
	sample_bind(name);
}

/* A buffer of the camera's that is longer than a frame; its dma-buf. */
static int
create_buffer(struct sample *camera)
{
	struct v4l2_create_buffers create = {
		.count = 1,
		.memory = V4L2_MEMORY_MMAP,
		.format.type = V4L2_BUF_TYPE_VIDEO_CAPTURE,
	};

	CHECK_EQ(ioctl(camera->fd, VIDIOC_G_FMT, &create.format), 0);
	create.format.fmt.pix.sizeimage = SCATTERED;
	CHECK_EQ(ioctl(camera->fd, VIDIOC_CREATE_BUFS, &create), 0);
	CHECK_EQ(create.count, 1);
	return sample_export(camera, create.index);
}

/* Does the display take what the camera exports? Its segments, or 0. */
static unsigned int
display_takes(unsigned int max_segments)
{
	/* Camera 1 is bound all the time: the other may be any of the two. */
	struct sample camera = sample_open(0, V4L2_PIX_FMT_XBGR32, 640, 480);
	int display = edu_open(display_index, max_segments);
	int fd = create_buffer(&camera);
	struct ba_edu_import import;
	unsigned int segments = 0;

	if (edu_try_import(display, fd, &import) == 0) {
		segments = import.segments;
	} else {
		CHECK_EQ(errno, EINVAL);
	}
	close(fd);
	close(display);
	close(camera.fd);
	return segments;
}

static void
alone(void)
{
	bind_with_peer("");
	CHECK(display_takes(EDU_ANY_SEGMENTS) > 1);
	CHECK_EQ(display_takes(1), 0);
}

static void
with_peer(void)
{
	bind_with_peer(edu_pci_name(display_index));
	CHECK_EQ(display_takes(1), 1);
	bind_with_peer("");
	CHECK_EQ(display_takes(1), 0);
}

/* A peer behind the IOMMU needs nothing of the memory. */
static void
peer_behind_the_iommu(void)
{
	bind_with_peer(edu_pci_name(2));
	CHECK(display_takes(EDU_ANY_SEGMENTS) > 1);
	bind_with_peer("");
}

/* It will not import anything: scattered memory will do. */
static void
peer_without_driver(void)
{
	struct sample camera;
	int node, fd;
	char name[32];

	snprintf(name, sizeof(name), "%s", edu_pci_name(display_index));
	bind_with_peer(name);
	edu_unbind(name);
	node = ba_open();
	camera = sample_open(0, V4L2_PIX_FMT_XBGR32, 640, 480);
	fd = create_buffer(&camera);
	CHECK(ba_buffer_info(node, fd).out_runs > 1);
	CHECK_EQ(ba_buffer_info(node, fd).out_heap, BUFALLOC_HEAP_SYSTEM);
	close(fd);
	close(camera.fd);
	close(node);
	edu_bind(name);
	/* The lowest number that is free: what was a camera's. */
	display_index = 0;
	CHECK_EQ(display_takes(1), 1);
	bind_with_peer("");
}

/* A camera is no peer of its own. */
static void
peer_refused(void)
{
	char name[32];

	snprintf(name, sizeof(name), "%s", sample_pci_name(0));
	sample_unbind(name);
	sample_set_peer(name);
	CHECK(!ktest_put("/sys/bus/pci/drivers/bufalloc_camera/bind", name, 0));
	CHECK_EQ(errno, EINVAL);
	sample_set_peer("");
	sample_bind(name);
}

static const struct ktest_row rows[] = {
	{ "without-a-peer-one-segment-einval", alone },
	{ "with-the-peer-one-segment", with_peer },
	{ "a-peer-behind-the-iommu-takes-any-memory", peer_behind_the_iommu },
	{ "a-peer-without-a-driver-counts-for-nothing", peer_without_driver },
	{ "a-device-is-no-peer-of-its-own-einval", peer_refused },
};

int
main(void)
{
	return ktest_main(rows, sizeof(rows) / sizeof(rows[0]));
}
