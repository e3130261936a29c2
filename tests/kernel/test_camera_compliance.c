// SPDX-License-Identifier: MIT
/*
 * What v4l2-compliance says of the sample camera: all ways of streaming, in both
 * formats. The dma-bufs are of the second camera.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

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

static const char *
node_path(unsigned int index)
{
	static char paths[2][64];
	char link[64];
	int camera = sample_try_open(index);
	ssize_t n;

	CHECK(camera >= 0);
	snprintf(link, sizeof(link), "/proc/self/fd/%d", camera);
	n = readlink(link, paths[index], sizeof(paths[index]) - 1);
	CHECK(n > 0);
	paths[index][n] = '\0';
	close(camera);
	return paths[index];
}

static void
run(uint32_t fourcc)
{
	const char *tool = getenv("V4L2_COMPLIANCE");
	struct sample camera = sample_open(0, fourcc, 64, 32);
	struct sample other = sample_open(1, fourcc, 64, 32);
	bool seen[WANTED] = { false }, is_total = false;
	unsigned int wrong = 0, warned = 0;
	char command[512], line[512];
	FILE *output;

	if (tool == NULL) {
		close(camera.fd);
		close(other.fd);
		ktest_skip("V4L2_COMPLIANCE does not say where v4l2-compliance is");
	}
	close(camera.fd);
	close(other.fd);
	snprintf(command, sizeof(command), "%s -d %s -e %s -s 10 -a -C never -P 2>&1",
		 tool, node_path(0), node_path(1));
	output = popen(command, "re");
	CHECK(output != NULL);
	while (fgets(line, sizeof(line), output) != NULL) {
		if (strstr(line, "fail:") != NULL || strstr(line, "warn:") != NULL ||
		    strstr(line, "FAIL") != NULL) {
			ktest_note("%.*s", (int)strcspn(line, "\n"), line);
		}
		for (size_t i = 0; i < WANTED; i++) {
			if (strstr(line, wanted[i]) != NULL &&
			    strstr(line, ": OK\n") != NULL) {
				seen[i] = true;
			}
		}
		is_total |= sscanf(line, "Total for %*[^:]: %*u, Succeeded: %*u, "
				   "Failed: %u, Warnings: %u",
				   &wrong, &warned) == 2;
	}
	pclose(output);
	CHECK(is_total);
	failed += wrong;
	warnings += warned;
	for (size_t i = 0; i < WANTED; i++) {
		if (!seen[i]) {
			ktest_fail(__FILE__, __LINE__, "no \"%s...: OK\"",
				   wanted[i]);
		}
	}
	CHECK_EQ(wrong, 0);
	CHECK_EQ(warned, 0);
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
	FILE *source = fopen("kernel/samples/bufalloc-camera.c", "re");
	unsigned int count = 0;
	int byte;

	CHECK(source != NULL);
	while ((byte = fgetc(source)) != EOF) {
		count += byte == '\n';
	}
	fclose(source);
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
