// SPDX-License-Identifier: MIT
/*
 * Each backend, forced: a frame goes from the camera into the buffer and to the
 * display, or the refusal says who refused.
 */
#include <bufalloc/bufalloc.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "ktest.h"
#include "video.h"

static unsigned int passing;

static bool
has_module(void)
{
	return access("/sys/module/bufalloc", F_OK) == 0;
}

static bool
has_heaps(void)
{
	return access("/dev/dma_heap/system", F_OK) == 0;
}

/* A frame through a buffer of this backend. */
static void
frame_passes(const char *backend)
{
	int camera = video_camera();
	int display = video_display();
	struct bufalloc_request *req = video_request(camera, display);
	struct bufalloc_verdict *verdict = NULL;
	struct bufalloc_buf *buf;

	CHECK_EQ(video_alloc(backend, req, &buf, &verdict), 0);
	CHECK(strcmp(bufalloc_verdict_get_backend(verdict), backend) == 0);
	CHECK_EQ(video_proof(verdict, 0), BUFALLOC_PROOF_IMPORTED);
	CHECK_EQ(video_proof(verdict, 1), BUFALLOC_PROOF_IMPORTED);
	CHECK_EQ(video_bytes_written(buf), 0);
	video_capture(camera, buf, 2);
	CHECK(video_bytes_written(buf) > VIDEO_WIDTH * VIDEO_HEIGHT);
	video_show(display, buf);
	passing++;

	bufalloc_buf_destroy(buf);
	bufalloc_verdict_destroy(verdict);
	bufalloc_request_destroy(req);
	close(display);
	close(camera);
}

/* What the camera that takes one segment cannot use is refused, by its name. */
static void
camera_refuses(const char *backend, const char *place)
{
	int camera = video_camera();
	int display = video_display();
	struct bufalloc_request *req = video_request(camera, display);
	struct bufalloc_verdict *verdict = NULL;
	const struct bufalloc_try *try;
	struct bufalloc_buf *buf;

	CHECK_EQ(video_alloc(backend, req, &buf, &verdict), -ENOSPC);
	try = video_try(verdict, backend, place);
	CHECK_EQ(try->device, 0);
	CHECK_EQ(try->reason, BUFALLOC_WHY_IMPORT);
	CHECK(strstr(bufalloc_verdict_text(verdict), "(vivid) refuses") !=
	      NULL);
	passing++;

	bufalloc_verdict_destroy(verdict);
	bufalloc_request_destroy(req);
	close(display);
	close(camera);
}

static void
module(void)
{
	if (!has_module()) {
		ktest_skip("bufalloc.ko is not loaded");
	}
	frame_passes("bufalloc");
}

static void
dma_heap(void)
{
	if (!has_heaps()) {
		ktest_skip("this kernel has no dma-heaps");
	}
	frame_passes("dma-heap");
}

static void
udmabuf(void)
{
	if (access("/dev/udmabuf", F_OK) != 0) {
		ktest_skip("this kernel has no udmabuf");
	}
	if (vivid_is_dma_contig()) {
		camera_refuses("udmabuf", "");
	} else {
		frame_passes("udmabuf");
	}
}

/* vkms's dumb buffers are scattered pages. */
static void
dumb(void)
{
	if (vivid_is_dma_contig()) {
		int display = video_display();
		struct bufalloc_request *req = video_request(-1, display);
		struct bufalloc_buf *buf;

		CHECK_EQ(video_alloc("dumb", req, &buf, NULL), 0);
		CHECK(strcmp(bufalloc_buf_get_backend(buf), "dumb") == 0);
		CHECK_EQ(video_bytes_written(buf), 0);
		video_show(display, buf);
		passing++;
		bufalloc_buf_destroy(buf);
		bufalloc_request_destroy(req);
		close(display);
	} else {
		frame_passes("dumb");
	}
}

static void
memory_file(void)
{
	struct bufalloc_request *req = video_request(-1, -1);
	struct bufalloc_buf *buf;

	CHECK_EQ(video_alloc("memfd", req, &buf, NULL), 0);
	CHECK(!bufalloc_buf_is_dmabuf(buf));
	CHECK_EQ(video_bytes_written(buf), 0);
	CHECK_EQ(bufalloc_buf_get_length(buf), 8294400);
	passing++;
	bufalloc_buf_destroy(buf);
	bufalloc_request_destroy(req);
}

/* The name is where people look for it: in fdinfo. */
static void
buffers_have_names(void)
{
	static const char *const backends[] = { "bufalloc", "dma-heap", "udmabuf" };
	unsigned int named = 0;
	size_t i;

	for (i = 0; i < sizeof(backends) / sizeof(backends[0]); i++) {
		struct bufalloc_request *req = video_request(-1, -1);
		struct bufalloc_buf *buf;
		char path[64], line[128];
		bool seen = false;
		FILE *file;

		/* Without others it has to be there when it is opened. */
		if ((i > 0 || has_module()) &&
		    video_alloc(backends[i], req, &buf, NULL) == 0) {
			snprintf(path, sizeof(path), "/proc/self/fdinfo/%d",
				 bufalloc_buf_get_fd(buf));
			file = fopen(path, "re");
			CHECK(file != NULL);
			while (fgets(line, sizeof(line), file) != NULL) {
				seen |= strcmp(line, "name:\tlib-test\n") == 0;
			}
			fclose(file);
			CHECK(seen);
			named++;
			bufalloc_buf_destroy(buf);
		}
		bufalloc_request_destroy(req);
	}
	CHECK(named > 0);
}

/* A negotiation with the real drivers, in sizes that do not fit. */
static void
odd_sizes(void)
{
	static const struct {
		uint32_t width, height;
	} sizes[] = { { 1366, 768 }, { 1279, 719 }, { 854, 480 }, { 32, 32 } };
	int display = video_display();
	size_t i;

	for (i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		const struct bufalloc_layout *layout = NULL;
		struct bufalloc_request *req = NULL;

		CHECK_EQ(bufalloc_request_new(&req), 0);
		CHECK_EQ(bufalloc_request_set_format(req, VIDEO_FOURCC,
						     sizes[i].width,
						     sizes[i].height),
			 0);
		CHECK_EQ(bufalloc_request_add_device(req, display,
						     BUFALLOC_READ),
			 0);
		CHECK_EQ(bufalloc_request_negotiate(req, &layout, NULL), 0);
		CHECK(layout->planes[0].stride >= sizes[i].width * 4);
		bufalloc_request_destroy(req);
	}
	close(display);
}

/* vkms shows no NV12, the webcam makes no such size: said by name. */
static void
refused_layouts(void)
{
	int camera = video_camera();
	int display = video_display();
	const struct bufalloc_layout *layout;
	struct bufalloc_verdict *verdict;
	struct bufalloc_request *req;

	req = video_request(camera, display);
	CHECK_EQ(bufalloc_request_set_format(req,
					     BUFALLOC_FOURCC('N', 'V', '1', '2'),
					     1920, 1080),
		 0);
	CHECK_EQ(bufalloc_request_negotiate(req, &layout, &verdict),
		 -EOPNOTSUPP);
	ktest_note("%s", bufalloc_verdict_text(verdict));
	CHECK_EQ(bufalloc_verdict_get_device(verdict), 1);
	CHECK_EQ(bufalloc_verdict_get_reason(verdict), BUFALLOC_WHY_SHOW);
	bufalloc_verdict_destroy(verdict);

	bufalloc_request_destroy(req);
	close(camera);

	camera = video_webcam();
	req = video_request(camera, display);
	CHECK_EQ(bufalloc_request_set_format(req, VIDEO_FOURCC, 800, 600), 0);
	CHECK_EQ(bufalloc_request_negotiate(req, &layout, &verdict),
		 -EOPNOTSUPP);
	ktest_note("%s", bufalloc_verdict_text(verdict));
	CHECK_EQ(bufalloc_verdict_get_device(verdict), 0);
	CHECK_EQ(bufalloc_verdict_get_reason(verdict), BUFALLOC_WHY_SIZE);
	CHECK(strstr(bufalloc_verdict_text(verdict),
		     "the nearest is 640x") != NULL);
	bufalloc_verdict_destroy(verdict);
	bufalloc_request_destroy(req);
	close(display);
	close(camera);
}

/* All backends may be tried: which is it, and is it proven? */
static void
whatever_is_best(void)
{
	int camera = video_camera();
	int display = video_display();
	struct bufalloc_request *req = video_request(camera, display);
	struct bufalloc_verdict *verdict = NULL;
	struct bufalloc_buf *buf;

	CHECK_EQ(video_alloc(NULL, req, &buf, &verdict), 0);
	CHECK(strcmp(bufalloc_verdict_get_backend(verdict),
		     has_module() ? "bufalloc" : "dma-heap") == 0);
	CHECK_EQ(video_proof(verdict, 0), BUFALLOC_PROOF_IMPORTED);
	CHECK_EQ(video_proof(verdict, 1), BUFALLOC_PROOF_IMPORTED);
	if (has_module()) {
		CHECK_EQ(bufalloc_verdict_get_heap(verdict),
			 vivid_is_dma_contig() ? BUFALLOC_CONTIG :
						 BUFALLOC_SYSTEM);
	}
	video_capture(camera, buf, 3);
	video_show(display, buf);
	bufalloc_buf_destroy(buf);
	bufalloc_verdict_destroy(verdict);
	bufalloc_request_destroy(req);
	close(display);
	close(camera);
}

static void
figure(void)
{
	if (has_module() && has_heaps()) {
		ktest_figure("backends_passing", passing);
		CHECK_EQ(passing, 5);
	} else {
		ktest_skip("not all five are in this guest");
	}
}

static const struct ktest_row rows[] = {
	{ "bufalloc.ko", module },
	{ "dma-heap", dma_heap },
	{ "udmabuf", udmabuf },
	{ "dumb buffers", dumb },
	{ "a memory file", memory_file },
	{ "all five", figure },
	{ "whatever is best", whatever_is_best },
	{ "buffers have names", buffers_have_names },
	{ "odd sizes", odd_sizes },
	{ "refused layouts", refused_layouts },
};

int
main(void)
{
	return ktest_main(rows, sizeof(rows) / sizeof(rows[0]));
}
