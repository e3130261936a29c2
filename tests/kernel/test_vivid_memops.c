// SPDX-License-Identifier: MIT
/*
 * A driver that was changed from videobuf2-dma-contig to bufalloc by the diff in
 * docs/driver-integration.md: vivid. v4l2-compliance finds no more in it than in the
 * one that the kernel has, and its buffers are bufalloc's.
 */
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <linux/videodev2.h>

#include "compliance.h"
#include "ktest.h"

#define FRAMES 10

/*
 * What is asked: the camera and the display of a device with videobuf2-dma-contig,
 * and the camera of one with vmalloc, which takes user pointers. Another one with
 * dma-contig has the dma-bufs that they import.
 */
static const struct {
	const char *node;
	int instance;
} nodes[] = { { "vid-cap", 0 }, { "vid-out", 0 }, { "vid-cap", 2 } };
#define NODES (sizeof(nodes) / sizeof(nodes[0]))

/*
 * Inputs as a webcam, a television and a monitor's cable, both outputs; the second
 * camera is a webcam. They are not all that vivid can be, but what it has more of is
 * the same for buffers.
 */
#define PARAMETERS                                                            \
	"n_devs=3 allocators=1,1,0 node_types=0x101,0x101,0x1 num_inputs=3,1,1 " \
	"input_types=0x34,0,0 num_outputs=2,1,1 output_types=2,1,0"

/* Of the driver as it is in the kernel, if that was asked. */
static struct compliance stock[NODES];
static bool is_stock_known;

/*
 * What fails with the driver as the kernel has it, too: the program is newer. It
 * wants another count of buffers after CREATE_BUFS, and the control that has a value
 * for each few pixels rounded up.
 */
static const char *const known[] = {
	"VIDIOC_G/S/ENUMINPUT",
	"MMAP (no poll, CREATE_BUFS)",
	"MMAP (select, CREATE_BUFS)",
	"MMAP (epoll, CREATE_BUFS)",
};

static const char *const wanted[] = {
	"test MMAP (no poll, REQBUFS)", "test MMAP (select, REQBUFS)",
	"test MMAP (epoll, REQBUFS)",	"test DMABUF (no poll)",
	"test DMABUF (select)",		"test read/write",
	/* Where there are user pointers. */
	"test USERPTR (no poll)",	"test USERPTR (select)",
};
#define WANTED (sizeof(wanted) / sizeof(wanted[0]))

static int
open_node(const char *name, int instance)
{
	char full[64];

	snprintf(full, sizeof(full), "vivid-%03d-%s", instance, name);
	return v4l2_try_open(full);
}

/* Loaded by @command, asked, and unloaded. */
static void
ask(const char *command, struct compliance *results)
{
	if (access("/sys/module/vivid", F_OK) == 0) {
		CHECK_EQ(system("rmmod vivid"), 0);
	}
	CHECK_EQ(system(command), 0);
	for (size_t i = 0; i < NODES; i++) {
		results[i] = compliance_run(open_node(nodes[i].node,
						      nodes[i].instance),
					    open_node(nodes[i].node, 1), FRAMES,
					    true, wanted,
					    WANTED - (nodes[i].instance ? 0 : 2));
		ktest_note("%s: failed %u, warnings %u", nodes[i].node,
			   results[i].failed, results[i].warnings);
	}
	CHECK_EQ(system("rmmod vivid"), 0);
}

static bool
is_known(const char *name, size_t length)
{
	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
		if (strlen(known[i]) == length &&
		    strncmp(known[i], name, length) == 0) {
			return true;
		}
	}
	return false;
}

/* No other test failed than those. How many did, counting each input and output. */
static unsigned int
check_known(const struct compliance *result)
{
	unsigned int count = 0;

	for (const char *at = result->names; *at != '\0'; count++) {
		size_t length = strcspn(at, "\n");

		if (!is_known(at, length)) {
			ktest_fail(__FILE__, __LINE__, "%.*s failed",
				   (int)length, at);
		}
		at += length + 1;
	}
	CHECK_EQ(count > 0, result->failed > 0);
	return count;
}

static void
as_it_is(void)
{
	if (access("/sys/kernel/debug/dma-api", F_OK) == 0) {
		/* What the changed one needs, too, stays loaded. */
		CHECK_EQ(system("modprobe vivid && rmmod vivid"), 0);
		ktest_skip("the kernel checks how drivers use the DMA API, and warns "
			   "of this one: it maps more than 64 KiB as one segment");
	}
	ask("modprobe vivid " PARAMETERS, stock);
	for (size_t i = 0; i < NODES; i++) {
		check_known(&stock[i]);
	}
	is_stock_known = true;
}

static unsigned int
sum_failed(const struct compliance *results)
{
	unsigned int sum = 0;

	for (size_t i = 0; i < NODES; i++) {
		sum += results[i].failed;
	}
	return sum;
}

/* The diff is about the first two; the third is the one for which it is changed too. */
static void
changed(void)
{
	struct compliance ours[NODES];

	ask("insmod \"$VIVID_SG_KO\" " PARAMETERS, ours);
	for (size_t i = 0; i < NODES; i++) {
		unsigned int count = check_known(&ours[i]);

		if (is_stock_known) {
			CHECK(count <= check_known(&stock[i]));
			CHECK(ours[i].failed <= stock[i].failed);
			CHECK(ours[i].warnings <= stock[i].warnings);
		}
	}
	if (!is_stock_known) {
		return;
	}
	ktest_figure("vivid_compliance_failed", sum_failed(ours));
	ktest_figure("vivid_compliance_failed_stock", sum_failed(stock));
}

static void
is_short(void)
{
	char path[256];
	unsigned int count;

	snprintf(path, sizeof(path), "%s", getenv("VIVID_KO"));
	CHECK(strlen(path) > 4);
	memcpy(strstr(path, "vivid.ko"), "vivid.diff", sizeof("vivid.diff"));
	count = ktest_count_lines(path);

	ktest_figure("diff_lines_vivid", count);
	CHECK(count > 0 && count <= 40);
}

/* One range, as that driver needs; drawn by the CPU, through vb2_plane_vaddr(). */
static void
its_buffers(void)
{
	int camera, node = ba_open(), type = V4L2_BUF_TYPE_VIDEO_CAPTURE;
	struct v4l2_requestbuffers request = { .count = 2, .type = (uint32_t)type,
					       .memory = V4L2_MEMORY_MMAP };
	struct v4l2_exportbuffer export = { .type = (uint32_t)type };
	struct v4l2_buffer buffer = { .type = (uint32_t)type,
				      .memory = V4L2_MEMORY_MMAP };
	struct bufalloc_buffer_info info;
	uint8_t *data;

	CHECK_EQ(system("insmod \"$VIVID_KO\" n_devs=1 allocators=1"), 0);
	camera = open_node("vid-cap", 0);
	CHECK(camera >= 0);
	CHECK_EQ(ioctl(camera, VIDIOC_REQBUFS, &request), 0);
	CHECK_EQ(ioctl(camera, VIDIOC_QUERYBUF, &buffer), 0);
	data = mmap(NULL, buffer.length, PROT_READ, MAP_SHARED, camera,
		    buffer.m.offset);
	CHECK(data != MAP_FAILED);
	CHECK_EQ(first_nonzero(data, buffer.length), buffer.length);
	CHECK_EQ(ioctl(camera, VIDIOC_EXPBUF, &export), 0);
	info = ba_buffer_info(node, export.fd);
	CHECK_EQ(info.out_runs, 1);
	CHECK_EQ(info.out_mappings, 1);
	CHECK_EQ(info.out_kernel_maps, 0);

	CHECK_EQ(ioctl(camera, VIDIOC_QBUF, &buffer), 0);
	buffer.index = 1;
	CHECK_EQ(ioctl(camera, VIDIOC_QBUF, &buffer), 0);
	CHECK_EQ(ioctl(camera, VIDIOC_STREAMON, &type), 0);
	CHECK_EQ(ioctl(camera, VIDIOC_DQBUF, &buffer), 0);
	CHECK_EQ(buffer.index, 0);
	CHECK(count_nonzero(data, buffer.bytesused) > buffer.bytesused / 4);
	CHECK_EQ(ba_buffer_info(node, export.fd).out_kernel_maps, 1);
	close(camera);
	CHECK_EQ(ba_buffer_info(node, export.fd).out_kernel_maps, 0);
	munmap(data, buffer.length);
	close(export.fd);
	close(node);
	CHECK_EQ(system("rmmod vivid"), 0);
}

static const struct ktest_row rows[] = {
	{ "as-it-is-in-the-kernel", as_it_is },
	{ "changed-no-worse", changed },
	{ "the-diff-has-40-lines-at-most", is_short },
	{ "its-buffers-are-bufalloc-s", its_buffers },
};

int
main(void)
{
	return ktest_main(rows, sizeof(rows) / sizeof(rows[0]));
}
