// SPDX-License-Identifier: MIT
/*
 * import-malloc [--size WxH] [--frames N] [--wait] [CARD]
 *
 * A program that computes pictures into its own memory, from malloc(3) and the
 * like, shows them: the display reads that memory, no byte of it is copied.
 */
#include "screen.h"

#include <bufalloc/bufalloc.h>
#include <err.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define BUFFERS 2

/* A picture that moves: what a program of yours computes instead. */
static void
compute(uint32_t *pixels, const struct bufalloc_layout *layout,
	unsigned int frame)
{
	size_t stride = layout->planes[0].stride / sizeof(*pixels);
	uint32_t x, y;

	for (y = 0; y < layout->height; y++) {
		for (x = 0; x < layout->width; x++) {
			pixels[y * stride + x] = ((x + frame) & 0xff) << 16 |
						 ((y + frame) & 0xff) << 8 |
						 ((x ^ y) & 0xff);
		}
	}
}

/* Where the pixels of a picture are in memory. */
static const struct bufalloc_layout *
make_layout(struct bufalloc_request *req, unsigned int width,
	    unsigned int height, int display)
{
	struct bufalloc_verdict *verdict = NULL;
	const struct bufalloc_layout *layout;
	int ret;

	ret = bufalloc_request_set_format(
		req, BUFALLOC_FOURCC('X', 'R', '2', '4'), width, height);
	if (ret != 0) {
		errx(1, "%ux%u: %s", width, height, bufalloc_strerror(ret));
	}
	bufalloc_request_add_device(req, display, BUFALLOC_READ);
	ret = bufalloc_request_negotiate(req, &layout, &verdict);
	if (ret != 0) {
		errx(1, "%s", verdict ? bufalloc_verdict_text(verdict) :
					bufalloc_strerror(ret));
	}
	bufalloc_verdict_destroy(verdict);
	return layout;
}

/* Memory of this program, as a buffer that the display can use, too. */
static struct bufalloc_buf *
import(struct bufalloc_ctx *ctx, const void *memory, size_t length, int display)
{
	const struct bufalloc_use use = { display, BUFALLOC_READ };
	const struct bufalloc_import_options options = {
		.size = sizeof(options),
		.name = "import-malloc",
		.uses = &use,
		.count = 1,
	};
	struct bufalloc_verdict *verdict = NULL;
	struct bufalloc_buf *buf;
	int ret;

	ret = bufalloc_import_user(ctx, memory, length, &options, &buf,
				   &verdict);
	if (ret != 0) {
		errx(1, "%s", verdict ? bufalloc_verdict_text(verdict) :
					bufalloc_strerror(ret));
	}
	printf("%s\n", bufalloc_verdict_text(verdict));
	bufalloc_verdict_destroy(verdict);
	return buf;
}

static void
show(struct bufalloc_ctx *ctx, struct screen *screen,
     const struct bufalloc_layout *layout, unsigned int frames, bool waits)
{
	const size_t page = (size_t)sysconf(_SC_PAGESIZE);
	const size_t length = (layout->lengths[0] + page - 1) / page * page;
	struct bufalloc_buf *bufs[BUFFERS];
	uint32_t framebuffers[BUFFERS];
	void *memory[BUFFERS];
	unsigned int frame, i;
	int ret;

	for (i = 0; i < BUFFERS; i++) {
		memory[i] = aligned_alloc(page, length);
		if (memory[i] == NULL) {
			err(1, "%zu bytes", length);
		}
		bufs[i] = import(ctx, memory[i], length, screen->fd);
		framebuffers[i] = screen_add(screen, bufs[i], layout);
	}
	for (frame = 0; frame < frames; frame++) {
		i = frame % BUFFERS;
		/* Between these two the CPU may write. */
		ret = bufalloc_buf_begin(bufs[i], BUFALLOC_WRITE);
		if (ret == 0) {
			compute(memory[i], layout, frame);
			ret = bufalloc_buf_end(bufs[i], BUFALLOC_WRITE);
		}
		if (ret != 0) {
			errx(1, "picture %u: %s", frame, bufalloc_strerror(ret));
		}
		screen_show(screen, framebuffers[i]);
	}
	printf("%u pictures shown, none was copied; the last is at %p\n", frames,
	       frames > 0 ? memory[(frames - 1) % BUFFERS] : NULL);
	if (waits) {
		printf("Enter ends it\n");
		fflush(stdout);
		getchar();
	}
	for (i = 0; i < BUFFERS; i++) {
		bufalloc_buf_destroy(bufs[i]);
		/* What the display still reads stays its own until it lets go. */
		free(memory[i]);
	}
}

int
main(int argc, char **argv)
{
	static const struct option options[] = {
		{ "size", required_argument, NULL, 's' },
		{ "frames", required_argument, NULL, 'n' },
		{ "wait", no_argument, NULL, 'w' },
		{ 0 },
	};
	unsigned int width = 1920, height = 1080, frames = 300;
	const struct bufalloc_layout *layout;
	struct bufalloc_request *req;
	struct bufalloc_ctx *ctx;
	struct screen screen;
	bool waits = false, is_usage = false;
	int option, ret;

	while ((option = getopt_long(argc, argv, "s:n:w", options, NULL)) != -1) {
		switch (option) {
		case 's':
			is_usage |= sscanf(optarg, "%ux%u", &width, &height) != 2;
			break;
		case 'n':
			frames = (unsigned int)strtoul(optarg, NULL, 10);
			break;
		case 'w':
			waits = true;
			break;
		default:
			is_usage = true;
		}
	}
	if (is_usage || argc - optind > 1) {
		errx(2, "usage: import-malloc [--size WxH] [--frames N] [--wait] [CARD]");
	}
	screen_open(&screen, argc > optind ? argv[optind] : "/dev/dri/card0",
		    width, height);
	/* Only the module turns memory of a program into a dma-buf. */
	ret = bufalloc_open_module(&ctx, NULL);
	if (ret == 0) {
		ret = bufalloc_request_new(&req);
	}
	if (ret != 0) {
		errx(1, "%s", bufalloc_strerror(ret));
	}
	layout = make_layout(req, width, height, screen.fd);
	show(ctx, &screen, layout, frames, waits);
	bufalloc_request_destroy(req);
	bufalloc_close(ctx);
	return 0;
}
