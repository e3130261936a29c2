// SPDX-License-Identifier: MIT
/*
 * What v4l2-compliance says of the sample camera: all ways of streaming, in both
 * formats. The dma-bufs are of the second camera.
 */
#include <stdio.h>

#include "compliance.h"
#include "ktest.h"
#include "sample.h"

/* Of all rows. */
static unsigned int failed, warnings;

/* What it must have tested, and not left out. */
static const char *const wanted[] = {
	"test MMAP (no poll", "test MMAP (select", "test MMAP (epoll",
	"test USERPTR (no poll)", "test USERPTR (select)",
	"test DMABUF (no poll)", "test DMABUF (select)",
	"test VIDIOC_EXPBUF", "test VIDIOC_G/S_PARM",
	"test VIDIOC_(UN)SUBSCRIBE_EVENT/DQEVENT",
};
#define WANTED (sizeof(wanted) / sizeof(wanted[0]))

static void
run(uint32_t fourcc)
{
	struct sample camera = sample_open(0, fourcc, 64, 32);
	struct sample other = sample_open(1, fourcc, 64, 32);
	struct compliance result =
		compliance_run(camera.fd, other.fd, 10, true, wanted, WANTED);

	failed += result.failed;
	warnings += result.warnings;
	CHECK_EQ(result.failed, 0);
	CHECK_EQ(result.warnings, 0);
}

static void
xr24(void)
{
	run(V4L2_PIX_FMT_XBGR32);
}

static void
nv12(void)
{
	run(V4L2_PIX_FMT_NV12);
	ktest_figure("v4l2_compliance_failed", failed);
	ktest_figure("v4l2_compliance_warnings", warnings);
}

/* What one has to read to write another. */
static void
lines(void)
{
	unsigned int count =
		ktest_count_lines("kernel/samples/bufalloc-camera.c");

	ktest_figure("camera_driver_lines", count);
	CHECK(count <= 600);
}

static const struct ktest_row rows[] = {
	{ "xr24-fails-nowhere-and-no-warning", xr24 },
	{ "nv12-fails-nowhere-and-no-warning", nv12 },
	{ "the-driver-has-600-lines-at-most", lines },
};

int
main(void)
{
	return ktest_main(rows, sizeof(rows) / sizeof(rows[0]));
}
