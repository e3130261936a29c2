/* SPDX-License-Identifier: MIT */
/* bufalloc alloc: allocate buffers, say what they are, and hold them. */
#include <errno.h>
#include <inttypes.h>
#include <json-c/json.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "tool.h"

static enum tool_exit
print_buffer(struct bufalloc_ctx *ctx, const struct tool_options *options,
	     uint64_t number, int fd, const struct bufalloc_verdict *verdict)
{
	struct bufalloc_buf_info info;
	struct json_object *object;
	const char *heap;
	int ret;

	ret = bufalloc_get_buf_info(ctx, fd, &info);
	if (ret < 0) {
		return tool_error(ret, bufalloc_strerror(ret));
	}
	heap = bufalloc_heap_name(info.heap);
	if (heap == NULL) {
		heap = "unknown";
	}

	if (!options->json) {
		printf("buffer %" PRIu64 ": fd %d, %s, heap %s, %" PRIu32 " run%s, allocated in %" PRIu64 ".%03" PRIu64 " ms\n",
		       number, fd, tool_amount(info.length).text, heap,
		       info.runs, info.runs == 1 ? "" : "s",
		       info.alloc_ns / 1000000, info.alloc_ns / 1000 % 1000);
		if (verdict != NULL && number == 1) {
			printf("%s\n", bufalloc_verdict_text(verdict));
		}
		return TOOL_OK;
	}

	object = json_object_new_object();
	if (object == NULL) {
		return tool_error(-ENOMEM, bufalloc_strerror(-ENOMEM));
	}
	json_object_object_add(object, "buffer",
			       json_object_new_uint64(number));
	json_object_object_add(object, "fd", json_object_new_int(fd));
	json_object_object_add(object, "heap", json_object_new_string(heap));
	json_object_object_add(object, "asked",
			       json_object_new_uint64(options->length));
	json_object_object_add(object, "length",
			       json_object_new_uint64(info.length));
	json_object_object_add(object, "runs",
			       json_object_new_uint64(info.runs));
	json_object_object_add(object, "attributes",
			       tool_json_attributes(info.attributes));
	json_object_object_add(object, "kernel_va_bytes",
			       json_object_new_uint64(info.kernel_va));
	json_object_object_add(object, "alloc_ns",
			       json_object_new_uint64(info.alloc_ns));
	if (verdict != NULL) {
		json_object_object_add(
			object, "verdict",
			json_object_new_string(bufalloc_verdict_text(verdict)));
	}
	return tool_print_json(object);
}

/*
 * Until a line, or the end, of standard input, or SIGINT or SIGTERM. The
 * signals are blocked from before the first allocation, so that none is lost.
 */
static enum tool_exit
hold(int signal_fd)
{
	struct pollfd fds[] = {
		{ .fd = STDIN_FILENO, .events = POLLIN },
		{ .fd = signal_fd, .events = POLLIN },
	};
	ssize_t ret;
	char c;

	fprintf(stderr, "bufalloc: holding; press Enter to free\n");
	for (;;) {
		if (poll(fds, 2, -1) < 0) {
			if (errno == EINTR) {
				continue;
			}
			return tool_error(errno, "cannot wait: poll failed");
		}
		if (fds[1].revents != 0) {
			return TOOL_OK;
		}
		ret = read(STDIN_FILENO, &c, 1);
		if (ret < 0 && (errno == EINTR || errno == EAGAIN)) {
			continue;
		}
		if (ret <= 0 || c == '\n') {
			return TOOL_OK;
		}
	}
}

/* Allocate one buffer, print it or what is wrong. */
static enum tool_exit
allocate_one(struct bufalloc_ctx *ctx, const struct tool_options *options,
	     uint64_t number, struct bufalloc_buf **buf)
{
	struct bufalloc_alloc_options with = {
		.size = sizeof(with),
		.heap = options->heap,
		.name = options->name,
		.uses = options->devices.uses,
		.count = options->devices.count,
		.attributes = options->attributes,
	};
	struct bufalloc_verdict *verdict = NULL;
	enum tool_exit status;
	char sentence[512];
	int ret;

	if (options->devices.count > 0 || options->attributes != 0) {
		ret = bufalloc_alloc_with(ctx, options->length, &with, buf,
					  &verdict);
	} else {
		ret = bufalloc_alloc_bytes(ctx, options->length, options->heap,
					   options->name, buf);
	}

	if (ret == 0) {
		status = print_buffer(ctx, options, number,
				      bufalloc_buf_get_fd(*buf), verdict);
	} else if (verdict != NULL) {
		fflush(stdout);
		status = tool_error(ret, bufalloc_verdict_text(verdict));
	} else {
		bufalloc_alloc_strerror(ctx, options->length, options->heap,
					ret, sentence, sizeof(sentence));
		fflush(stdout);
		status = tool_error(ret, sentence);
	}
	bufalloc_verdict_destroy(verdict);
	return status;
}

static enum tool_exit
allocate(struct bufalloc_ctx *ctx, const struct tool_options *options,
	 int signal_fd)
{
	enum tool_exit status = TOOL_OK;
	struct bufalloc_buf **bufs;
	uint64_t i;

	bufs = NULL;
	if (options->count <= SIZE_MAX / sizeof(*bufs)) {
		bufs = calloc((size_t)options->count, sizeof(*bufs));
	}
	if (bufs == NULL) {
		return tool_error(-ENOMEM, bufalloc_strerror(-ENOMEM));
	}

	for (i = 0; i < options->count && status == TOOL_OK; i++) {
		status = allocate_one(ctx, options, i + 1, &bufs[i]);
	}

	if (status == TOOL_OK && options->hold) {
		fflush(stdout);
		status = hold(signal_fd);
	}

	while (i > 0) {
		bufalloc_buf_destroy(bufs[--i]);
	}
	free(bufs);
	return status;
}

static enum tool_exit
open_and_allocate(struct tool_options *options)
{
	struct bufalloc_ctx *ctx;
	enum tool_exit status;
	char sentence[512];
	sigset_t signals;
	int signal_fd = -1;
	int ret;

	if (options->hold) {
		sigemptyset(&signals);
		sigaddset(&signals, SIGINT);
		sigaddset(&signals, SIGTERM);
		sigprocmask(SIG_BLOCK, &signals, NULL);
		signal_fd = signalfd(-1, &signals, SFD_CLOEXEC);
		if (signal_fd < 0) {
			return tool_error(errno,
					  "cannot wait for signals: signalfd failed");
		}
	}

	ret = bufalloc_open_module(&ctx, options->path);
	if (ret < 0) {
		bufalloc_open_strerror(options->path, ret, sentence,
				       sizeof(sentence));
		status = tool_error(ret, sentence);
	} else {
		status = tool_devices_open(&options->devices);
		if (status == TOOL_OK) {
			status = allocate(ctx, options, signal_fd);
		}
		tool_devices_close(&options->devices);
		bufalloc_close(ctx);
	}

	if (signal_fd >= 0) {
		close(signal_fd);
	}
	return status;
}

static enum tool_exit
run_alloc(struct tool_options *options)
{
	if (!options->has_length) {
		return tool_usage_error(&tool_alloc, "--size is missing");
	}
	return open_and_allocate(options);
}

const struct tool_command tool_alloc = {
	.name = "alloc",
	.summary = "allocate buffers and tell what they are",
	.help =
		"usage: bufalloc alloc --size N[K|M|G] [--device NODE[:r|w|rw]]...\n"
		"                      [--heap auto|system|contig|reserved|device] [--attribute NAME]...\n"
		"                      [--count N] [--name TEXT] [--hold] [--json] [--node PATH]\n"
		"\n"
		"Allocate buffers, print what they are, and free them.\n"
		"\n"
		"  --size N       length in bytes; K, M, G: times 1024, 1024^2, 1024^3\n"
		"  --device NODE  a device that must be able to use them (/dev/video0:w,\n"
		"                 /dev/dri/card0:r); r, w: it reads, writes; default: both\n"
		"  --heap HEAP    where the pages come from: auto (default: the cheapest that all\n"
		"                 devices can use), system, contig, reserved or device\n"
		"  --attribute NAME  what they shall be like; may be given several times:\n"
		"                 never-cpu: no CPU reads or writes them; write-combine, uncached:\n"
		"                 CPUs access them past their caches; contiguous: one physical\n"
		"                 range each; pinnable: O_DIRECT works on them\n"
		"  --count N      how many buffers (default: 1)\n"
		"  --name TEXT    name of the buffers in /sys/kernel/debug/dma_buf/bufinfo\n"
		"  --hold         keep them until Enter, the end of the input, SIGINT or SIGTERM\n"
		"  --json         print one JSON object a line for each buffer\n"
		"  --node PATH    bufalloc's own device node (default: " BUFALLOC_DEVICE ")\n"
		"  -h, --help     print this text\n"
		"\n"
		"Exit status: 0 allocated, 1 failed, 2 wrong usage.\n",
	.takes = TOOL_SIZE | TOOL_DEVICE | TOOL_HEAP | TOOL_HOLD,
	.run = run_alloc,
};
