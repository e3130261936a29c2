/* SPDX-License-Identifier: MIT */
/*
 * A program of somebody else, in C and in C++, built with what pkg-config
 * says: every function of the library links, and the library that runs is the
 * one of the header. Needs no module.
 */
#include <bufalloc/bufalloc.h>
#include <errno.h>
#include <linux/bufalloc.h>
#include <stdio.h>
#include <string.h>

static void
use_a_verdict(const struct bufalloc_verdict *verdict)
{
	struct bufalloc_use_result result;

	if (verdict == NULL) {
		return;
	}
	if (bufalloc_verdict_get_use(verdict, 0, &result) == 0) {
		printf("%s\n", result.label);
	}
	printf("%s: %d %d %u %u %d %u of %u\n", bufalloc_verdict_text(verdict),
	       bufalloc_verdict_get_error(verdict),
	       (int)bufalloc_verdict_get_heap(verdict),
	       (unsigned int)bufalloc_verdict_get_tried(verdict),
	       (unsigned int)bufalloc_verdict_get_reason(verdict),
	       bufalloc_verdict_get_device(verdict),
	       (unsigned int)bufalloc_verdict_get_runs(verdict),
	       (unsigned int)bufalloc_verdict_get_count(verdict));
}

/* Standard input is no device, or it is one: both are fine. */
static void
use_a_device(struct bufalloc_ctx *ctx)
{
	struct bufalloc_use use = { 0, BUFALLOC_READ };
	struct bufalloc_verdict *verdict = NULL;
	struct bufalloc_buf *buf = NULL;
	struct bufalloc_dev_info info;

	if (bufalloc_get_device_info(ctx, 0, BUFALLOC_READ, &info) == 0) {
		printf("%s (%s)\n", info.name, info.driver);
	}
	bufalloc_alloc_for(ctx, 4096, BUFALLOC_AUTO, "program", &use, 1, 0,
			   &buf, &verdict);
	use_a_verdict(verdict);
	bufalloc_verdict_destroy(verdict);
	bufalloc_buf_destroy(buf);
}

static int
use_a_request(void)
{
	const struct bufalloc_layout *layout = NULL;
	struct bufalloc_request *req = NULL;
	int ret;

	if (bufalloc_request_new(&req) < 0) {
		return 0;
	}
	bufalloc_request_set_name(req, "program");
	ret = bufalloc_request_set_format(
		req, BUFALLOC_FOURCC('N', 'V', '1', '2'), 640, 480);
	if (ret == 0) {
		ret = bufalloc_request_set_alignment(req, 64, 1, 16);
	}
	if (ret == 0) {
		ret = bufalloc_request_get_layout(req, &layout);
	}
	if (ret == 0) {
		ret = bufalloc_request_negotiate(req, &layout, NULL);
	}
	ret = ret == 0 && layout->planes[1].offset == 640 * 480;
	bufalloc_request_destroy(req);
	return ret;
}

static void
use_every_function(struct bufalloc_ctx *ctx)
{
	struct bufalloc_module_info module_info;
	struct bufalloc_buf_info buf_info;
	struct bufalloc_buf *buf;
	char sentence[512];
	void *ptr;
	int ret;

	if (bufalloc_get_info(ctx, &module_info) < 0) {
		return;
	}
	ret = bufalloc_alloc_bytes(ctx, 4096, BUFALLOC_SYSTEM, "program", &buf);
	if (ret < 0) {
		bufalloc_alloc_strerror(ctx, 4096, BUFALLOC_SYSTEM, ret,
					sentence, sizeof(sentence));
		fprintf(stderr, "%s\n", sentence);
		return;
	}
	if (bufalloc_get_buf_info(ctx, bufalloc_buf_get_fd(buf), &buf_info) ==
		    0 &&
	    bufalloc_buf_map(buf, BUFALLOC_READ_WRITE, &ptr) == 0) {
		bufalloc_buf_end(buf, BUFALLOC_READ_WRITE);
		bufalloc_buf_begin(buf, BUFALLOC_WRITE);
		memset(ptr, 1, (size_t)bufalloc_buf_get_length(buf));
		bufalloc_buf_unmap(buf);
	}
	bufalloc_buf_destroy(buf);
}

int
main(void)
{
	struct bufalloc_ctx *ctx = NULL;
	enum bufalloc_heap heap;
	char sentence[512];
	int ret;

	ret = bufalloc_open_module(&ctx, "/nonexistent/node");
	if (ret != -ENOENT) {
		fprintf(stderr, "open: %s\n", bufalloc_strerror(ret));
		return 1;
	}
	bufalloc_open_strerror("/nonexistent/node", ret, sentence,
			       sizeof(sentence));
	if (bufalloc_heap_from_name("contig", &heap) < 0 ||
	    heap != BUFALLOC_CONTIG || BUFALLOC_HEAP_CONTIG != 2) {
		return 1;
	}
	printf("%s %s\n", bufalloc_heap_name(heap), sentence);
	if (!use_a_request()) {
		return 1;
	}

	if (bufalloc_open_module(&ctx, NULL) == 0) {
		use_every_function(ctx);
		use_a_device(ctx);
	}
	bufalloc_close(ctx);
	return 0;
}
