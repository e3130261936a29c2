// SPDX-License-Identifier: MIT
/*
 * The property bufalloc,peers of a devicetree (tests/vm/devicetree.dtso): what a
 * camera exports is a one-segment display's to import only if the camera's node
 * names that. Two kinds of cameras: the sample one on PCI, whose DMA is real, and
 * modules/ba_camera.c on the platform bus, which has none. None of them sees
 * the processor's caches.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <linux/videodev2.h>
#include <xf86drm.h>

#include "display.h"
#include "edu.h"
#include "klog.h"
#include "ktest.h"
#include "modules/ba_gem.h"
#include "sample.h"

/* The last page comes from elsewhere than the blocks of 4 MiB before it. */
#define SCATTERED (((uint32_t)8 << 20) + 4096)
/* A frame of ba_camera's. */
#define FRAME ((size_t)1920 * 1080 * 4)
#define DISPLAY "ba_gem_node"
#define CACHED V4L2_MEMORY_FLAG_NON_COHERENT
#define SAYS "ba_camera ba-camera-"

/* A camera of modules/ba_camera.c, by the name of its node. */
static int
open_camera(const char *name)
{
	int camera = v4l2_try_open(name);

	if (camera < 0) {
		ktest_skip("no camera %s", name);
	}
	return camera;
}

/* A buffer of a camera's that is longer than a frame; its dma-buf. */
static int
export_new(int camera)
{
	struct v4l2_create_buffers create = {
		.count = 1,
		.memory = V4L2_MEMORY_MMAP,
		.format.type = V4L2_BUF_TYPE_VIDEO_CAPTURE,
	};
	struct v4l2_exportbuffer export = {
		.type = V4L2_BUF_TYPE_VIDEO_CAPTURE,
		.flags = O_RDWR | O_CLOEXEC,
	};

	CHECK_EQ(ioctl(camera, VIDIOC_G_FMT, &create.format), 0);
	create.format.fmt.pix.sizeimage = SCATTERED;
	CHECK_EQ(ioctl(camera, VIDIOC_CREATE_BUFS, &create), 0);
	CHECK_EQ(create.count, 1);
	export.index = create.index;
	CHECK_EQ(ioctl(camera, VIDIOC_EXPBUF, &export), 0);
	return export.fd;
}

/* How many runs of memory a new buffer of that camera has. */
static struct bufalloc_buffer_info
info_of_new(const char *name)
{
	int node = ba_open(), camera = open_camera(name), fd;
	struct bufalloc_buffer_info info;

	fd = export_new(camera);
	info = ba_buffer_info(node, fd);
	close(fd);
	close(camera);
	close(node);
	return info;
}

/* Segments of it for the display on the platform bus, or 0 and EINVAL. */
static unsigned int
display_takes(const char *name)
{
	int camera = open_camera(name), card = drm_open_driver(DISPLAY);
	int fd = export_new(camera);
	struct ba_gem_map map = { 0 };

	if (drmPrimeFDToHandle(card, fd, &map.handle) != 0) {
		CHECK_EQ(errno, EINVAL);
	} else {
		CHECK_EQ(drmIoctl(card, BA_GEM_IOCTL_MAP, &map), 0);
		CHECK(map.out_segments > 0);
	}
	close(fd);
	close(card);
	close(camera);
	return map.out_segments;
}

static void
without(void)
{
	CHECK_EQ(display_takes("ba-camera-alone"), 0);
}

static void
with(void)
{
	CHECK_EQ(display_takes("ba-camera-peer"), 1);
}

/* The same on PCI, for the display that is outside of the IOMMU. */
static unsigned int
edu_takes(unsigned int camera_index, unsigned int max_segments)
{
	struct sample camera = sample_open(camera_index, V4L2_PIX_FMT_XBGR32, 640,
					   480);
	int edu = edu_open(0, max_segments);
	int fd = export_new(camera.fd);
	struct ba_edu_import import = { 0 };

	if (edu_try_import(edu, fd, &import) != 0) {
		CHECK_EQ(errno, EINVAL);
		import.segments = 0;
	}
	close(fd);
	close(edu);
	close(camera.fd);
	return import.segments;
}

static void
pci_without(void)
{
	CHECK(edu_takes(1, EDU_ANY_SEGMENTS) > 1);
	CHECK_EQ(edu_takes(1, 1), 0);
}

static void
pci_with(void)
{
	CHECK(strstr(sample_pci_name(0), ":09.0") != NULL);
	CHECK_EQ(edu_takes(0, 1), 1);
}

/* What the camera's DMA wrote, the display's DMA reads. */
static void
pci_frame(void)
{
	struct sample camera = sample_open(0, V4L2_PIX_FMT_XBGR32, 64, 32);
	int edu = edu_open(0, 1), fd;
	static uint8_t seen[64 * 32 * 4];
	struct v4l2_buffer buffer;

	CHECK_EQ(camera.size, sizeof(seen));
	sample_request(&camera, V4L2_MEMORY_MMAP, 1);
	fd = sample_export(&camera, 0);
	edu_import(edu, fd);
	sample_queue(&camera, V4L2_MEMORY_MMAP, 0, 0, 0);
	sample_stream(&camera, true);
	buffer = sample_dequeue(&camera, V4L2_MEMORY_MMAP);
	edu_read(edu, seen, 0, sizeof(seen));
	CHECK_EQ(sample_mismatch(&camera, buffer.sequence, seen), camera.size);
	sample_stream(&camera, false);
	edu_release(edu);
	close(fd);
	close(edu);
	close(camera.fd);
}

/* Runs of memory of a dumb buffer that is as long as SCATTERED. */
static uint32_t
runs_of_dumb(const char *driver)
{
	int card = drm_open_driver(driver), node = ba_open();
	struct dumb dumb = dumb_create(card, 1024, SCATTERED / 4096);
	int fd = dumb_export(&dumb);
	uint32_t runs = ba_buffer_info(node, fd).out_runs;

	CHECK_EQ(dumb.size, SCATTERED);
	close(fd);
	close(node);
	close(card);
	return runs;
}

/* Two displays that take any memory, one of which names one that does not. */
static void
dumb_buffers(void)
{
	CHECK(runs_of_dumb("ba_gem_many") > 1);
	CHECK_EQ(runs_of_dumb("ba_gem_node_many"), 1);
}

static void
tell(const char *driver, const char *what, const char *device)
{
	char path[128];

	snprintf(path, sizeof(path), "/sys/bus/platform/drivers/%s/%s", driver,
		 what);
	CHECK(ktest_put(path, device, 0));
}

/* The camera's driver is bound anew: the log has nothing about its node yet. */
static void
bind_anew(const char *camera)
{
	close(open_camera(camera));
	tell("ba_camera", "unbind", camera);
	tell("ba_camera", "bind", camera);
	klog_clear();
}

/* It counts for nothing until it has a driver; the camera's is not asked again. */
static void
no_driver(void)
{
	static const char text[] = SAYS "peer: buffers are not made for /ba-display "
					"of bufalloc,peers yet: it has no driver";

	bind_anew("ba-camera-peer");
	tell("ba_gem", "unbind", "ba-display");
	CHECK(info_of_new("ba-camera-peer").out_runs > 1);
	CHECK(klog_says(text));
	/* Once will do. */
	klog_clear();
	CHECK(info_of_new("ba-camera-peer").out_runs > 1);
	CHECK(!klog_says("peers"));
	tell("ba_gem", "bind", "ba-display");
	CHECK_EQ(display_takes("ba-camera-peer"), 1);
}

/* Each is left out, and said; what is not wrong counts. */
static void
wrong(void)
{
	static const char *const lines[] = {
		"entry 0 of bufalloc,peers is left out: phandle 0x7777 is no node of the devicetree",
		"entry 1 of bufalloc,peers is left out: phandle 0x",
		"buffers are not made for /ba-nothing of bufalloc,peers yet: it is no platform, PCI or AMBA device",
	};
	char text[256];

	bind_anew("ba-camera-wrong");
	CHECK_EQ(display_takes("ba-camera-wrong"), 1);
	for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
		snprintf(text, sizeof(text), SAYS "wrong: %s", lines[i]);
		CHECK(klog_says(text));
	}
	CHECK(klog_says("is the device itself"));
	/* One that is disabled, none at all, and the same one twice are not wrong. */
	CHECK(!klog_says("/ba-disabled"));
	for (int i = 3; i < 7; i++) {
		snprintf(text, sizeof(text), "entry %d of", i);
		CHECK(!klog_says(text));
	}
	klog_clear();
	CHECK_EQ(display_takes("ba-camera-wrong"), 1);
	CHECK(!klog_says("bufalloc,peers"));
}

static void
bytes(void)
{
	bind_anew("ba-camera-bytes");
	CHECK(info_of_new("ba-camera-bytes").out_runs > 1);
	CHECK(klog_says(SAYS "bytes: bufalloc,peers of /ba-camera-bytes is no list of phandles: it is left out"));
}

/* 32 devices of QEMU's: 15 have a place beside the camera. */
static void
many(void)
{
	bind_anew("ba-camera-many");
	info_of_new("ba-camera-many");
	CHECK(!klog_says("entry 14 of"));
	CHECK(klog_says(SAYS "many: entry 15 of bufalloc,peers is left out: phandle 0x"));
	CHECK(klog_says("is one too many"));
}

/* QEMU's serial port has a driver, and no IOMMU. */
static void
amba(void)
{
	bind_anew("ba-camera-amba");
	CHECK_EQ(info_of_new("ba-camera-amba").out_runs, 1);
	CHECK(!klog_says("bufalloc,peers"));
}

static void
add_size(const char *text, void *data)
{
	*(uint64_t *)data += trace_value(text, "size");
}

/* Bytes that a function is called for while a frame is queued and dequeued. */
static uint64_t
bytes_of_frame(const char *function, uint32_t flags)
{
	int camera = open_camera("ba-camera-alone"), node = ba_open();
	struct v4l2_requestbuffers request = {
		.count = 1,
		.type = V4L2_BUF_TYPE_VIDEO_CAPTURE,
		.memory = V4L2_MEMORY_MMAP,
		.flags = (uint8_t)flags,
	};
	struct v4l2_buffer buffer = {
		.type = V4L2_BUF_TYPE_VIDEO_CAPTURE,
		.memory = V4L2_MEMORY_MMAP,
	};
	int type = V4L2_BUF_TYPE_VIDEO_CAPTURE;
	uint64_t size = 0;
	void *data;

	CHECK(!(edu_info(node, camera).out_flags & BUFALLOC_DEVICE_COHERENT));
	CHECK_EQ(ioctl(camera, VIDIOC_REQBUFS, &request), 0);
	CHECK_EQ(ioctl(camera, VIDIOC_QUERYBUF, &buffer), 0);
	CHECK_EQ(buffer.length, FRAME);
	data = mmap(NULL, FRAME, PROT_READ | PROT_WRITE, MAP_SHARED, camera,
		    buffer.m.offset);
	CHECK(data != MAP_FAILED);
	CHECK_EQ(ioctl(camera, VIDIOC_STREAMON, &type), 0);
	trace_begin(function, "size=$arg2:u64");
	CHECK_EQ(ioctl(camera, VIDIOC_QBUF, &buffer), 0);
	CHECK_EQ(ioctl(camera, VIDIOC_DQBUF, &buffer), 0);
	trace_end(add_size, &size);
	munmap(data, FRAME);
	close(node);
	close(camera);
	return size;
}

static void
prepare(void)
{
	CHECK_EQ(bytes_of_frame("arch_sync_dma_for_device", CACHED), FRAME);
	/* Of memory that is uncached there is nothing to write back. */
	CHECK_EQ(bytes_of_frame("arch_sync_dma_for_device", 0), 0);
}

static void
finish(void)
{
	CHECK_EQ(bytes_of_frame("arch_sync_dma_for_cpu", CACHED), FRAME);
	CHECK_EQ(bytes_of_frame("arch_sync_dma_for_cpu", 0), 0);
}

/* One segment: by an IOMMU, whatever the memory, and without by memory. */
static void
one_segment_iommu(void)
{
	struct bufalloc_buffer_info info = info_of_new("ba-camera-iommu");

	CHECK_EQ(access("/sys/bus/platform/devices/ba-camera-iommu/iommu_group",
			F_OK),
		 0);
	CHECK_EQ(info.out_heap, BUFALLOC_HEAP_SYSTEM);
	CHECK(info.out_runs > 1);
}

static void
one_segment_contig(void)
{
	struct bufalloc_buffer_info info = info_of_new("ba-camera-contig");

	CHECK_EQ(info.out_heap, BUFALLOC_HEAP_CONTIG);
	CHECK_EQ(info.out_runs, 1);
}

static const struct ktest_row rows[] = {
	{ "platform-without-the-property-one-segment-einval", without },
	{ "platform-with-the-property-one-segment", with },
	{ "pci-without-the-property-one-segment-einval", pci_without },
	{ "pci-with-the-property-one-segment", pci_with },
	{ "pci-frame-from-dma-to-dma", pci_frame },
	{ "dumb-buffers-of-a-display-with-the-property", dumb_buffers },
	{ "without-a-driver-nothing-until-it-has-one", no_driver },
	{ "wrong-entries-are-left-out-and-said-once", wrong },
	{ "no-list-of-phandles-is-left-out-and-said", bytes },
	{ "too-many-are-left-out-and-said", many },
	{ "amba-device-is-a-peer", amba },
	{ "platform-prepare-writes-the-frame-back", prepare },
	{ "platform-finish-invalidates-the-frame", finish },
	{ "one-segment-behind-the-iommu-takes-scattered-memory", one_segment_iommu },
	{ "one-segment-without-an-iommu-takes-contig", one_segment_contig },
};

int
main(void)
{
	return ktest_main(rows, sizeof(rows) / sizeof(rows[0]));
}
