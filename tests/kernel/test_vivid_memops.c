// SPDX-License-Identifier: MIT
/*
 * A driver that was changed from videobuf2-dma-contig to bufalloc by the diff in
 * docs/driver-integration.md: vivid. v4l2-compliance finds no more in it than in the
 * one that the kernel has, and its buffers are bufalloc's.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <linux/videodev2.h>

#include "compliance.h"
#include "ktest.h"

#define FRAMES 5

static const char *const nodes[] = { "vid-cap", "vid-out" };
/* Of the driver as it is in the kernel. */
static struct compliance stock[2];

static const char *const wanted[] = {
	"test MMAP (no poll, REQBUFS)", "test MMAP (select, REQBUFS)",
	"test DMABUF (no poll)", "test DMABUF (select)", "test read/write",
};

static int
open_node(const char *name, int instance)
{
	char full[64];

	snprintf(full, sizeof(full), "vivid-%03d-%s", instance, name);
	return v4l2_try_open(full);
}

/* Only what is asked: a camera and a display. */
#define PARAMETERS "n_devs=2 allocators=1,1 node_types=0x101,0x101"

/* Loaded by @command, asked, and unloaded. */
static void
ask(const char *command, struct compliance *results)
{
	if (access("/sys/module/vivid", F_OK) == 0) {
		CHECK_EQ(system("rmmod vivid"), 0);
	}
	CHECK_EQ(system(command), 0);
	for (int i = 0; i < 2; i++) {
		results[i] = compliance_run(open_node(nodes[i], 0),
					    open_node(nodes[i], 1), FRAMES,
					    false, wanted,
					    sizeof(wanted) / sizeof(wanted[0]));
		ktest_note("%s: failed %u, warnings %u", nodes[i],
			   results[i].failed, results[i].warnings);
	}
	CHECK_EQ(system("rmmod vivid"), 0);
}

static void
as_it_is(void)
{
	ask("modprobe vivid " PARAMETERS, stock);
}

static void
changed(void)
{
	struct compliance ours[2];

	ask("insmod \"$VIVID_KO\" " PARAMETERS, ours);
	for (int i = 0; i < 2; i++) {
		CHECK(ours[i].failed <= stock[i].failed);
		CHECK(ours[i].warnings <= stock[i].warnings);
	}
	ktest_figure("vivid_compliance_failed", ours[0].failed + ours[1].failed);
	ktest_figure("vivid_compliance_failed_stock",
		     stock[0].failed + stock[1].failed);
}

static unsigned int
count_lines(const char *path)
{
	FILE *file = fopen(path, "re");
	unsigned int count = 0;
	int byte;

	CHECK(file != NULL);
	while ((byte = fgetc(file)) != EOF) {
		count += byte == '\n';
	}
	fclose(file);
	return count;
}

static void
is_short(void)
{
	unsigned int count = count_lines("build/vivid/vivid.diff");

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
