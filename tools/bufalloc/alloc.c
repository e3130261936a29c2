/* SPDX-License-Identifier: MIT */
/* bufalloc alloc: allocate buffers, say what they are, and hold them. */
#include <errno.h>
#include <getopt.h>
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

struct request {
	const char *path;
	const char *name;
	bool has_length;
	uint64_t length;
	enum bufalloc_heap heap;
	uint64_t count;
	bool hold;
	bool json;
};

/* "8294400", "4K", "64M", "1G": false if it is none of these, or too large. */
static bool
parse_number(const char *text, bool suffix, uint64_t *value)
{
	static const char suffixes[] = "KMG";
	unsigned long long number;
	unsigned int shift = 0;
	const char *found;
	char *end;

	if (text[0] < '0' || text[0] > '9') {
		return false;
	}
	errno = 0;
	number = strtoull(text, &end, 10);
	if (errno != 0) {
		return false;
	}
	if (suffix && end[0] != '\0' && end[1] == '\0') {
		found = strchr(suffixes, end[0] & ~0x20);
		if (found == NULL || *found == '\0') {
			return false;
		}
		shift = 10 * (unsigned int)(found - suffixes + 1);
		end++;
	}
	if (*end != '\0' || number > UINT64_MAX >> shift) {
		return false;
	}
	*value = (uint64_t)number << shift;
	return true;
}

static enum tool_exit
print_buffer(struct bufalloc_ctx *ctx, const struct request *request,
	     uint64_t number, int fd)
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

	if (!request->json) {
		printf("buffer %" PRIu64 ": fd %d, %s, heap %s, %" PRIu32 " run%s, allocated in %" PRIu64 ".%03" PRIu64 " ms\n",
		       number, fd, tool_amount(info.length).text, heap,
		       info.runs, info.runs == 1 ? "" : "s",
		       info.alloc_ns / 1000000, info.alloc_ns / 1000 % 1000);
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
			       json_object_new_uint64(request->length));
	json_object_object_add(object, "length",
			       json_object_new_uint64(info.length));
	json_object_object_add(object, "runs",
			       json_object_new_uint64(info.runs));
	json_object_object_add(object, "kernel_va_bytes",
			       json_object_new_uint64(info.kernel_va));
	json_object_object_add(object, "alloc_ns",
			       json_object_new_uint64(info.alloc_ns));
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

static enum tool_exit
allocate(struct bufalloc_ctx *ctx, const struct request *request,
	 int signal_fd)
{
	enum tool_exit status = TOOL_OK;
	struct bufalloc_buf **bufs;
	char sentence[512];
	uint64_t i, done = 0;
	int ret;

	bufs = NULL;
	if (request->count <= SIZE_MAX / sizeof(*bufs)) {
		bufs = calloc((size_t)request->count, sizeof(*bufs));
	}
	if (bufs == NULL) {
		return tool_error(-ENOMEM, bufalloc_strerror(-ENOMEM));
	}

	while (done < request->count && status == TOOL_OK) {
		ret = bufalloc_alloc(ctx, request->length, request->heap,
				     request->name, &bufs[done]);
		if (ret < 0) {
			bufalloc_alloc_strerror(ctx, request->length,
						request->heap, ret, sentence,
						sizeof(sentence));
			fflush(stdout);
			status = tool_error(ret, sentence);
			break;
		}
		done++;
		status = print_buffer(ctx, request, done,
				      bufalloc_buf_get_fd(bufs[done - 1]));
	}

	if (status == TOOL_OK && request->hold) {
		fflush(stdout);
		status = hold(signal_fd);
	}

	for (i = 0; i < done; i++) {
		bufalloc_buf_destroy(bufs[i]);
	}
	free(bufs);
	return status;
}

static enum tool_exit
open_and_allocate(const struct request *request)
{
	struct bufalloc_ctx *ctx;
	enum tool_exit status;
	char sentence[512];
	sigset_t signals;
	int signal_fd = -1;
	int ret;

	if (request->hold) {
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

	ret = bufalloc_open(&ctx, request->path);
	if (ret < 0) {
		bufalloc_open_strerror(request->path, ret, sentence,
				       sizeof(sentence));
		status = tool_error(ret, sentence);
	} else {
		status = allocate(ctx, request, signal_fd);
		bufalloc_close(ctx);
	}

	if (signal_fd >= 0) {
		close(signal_fd);
	}
	return status;
}

static enum tool_exit
run_alloc(int argc, char *argv[])
{
	static const struct option options[] = {
		{ "size", required_argument, NULL, 's' },
		{ "heap", required_argument, NULL, 'H' },
		{ "count", required_argument, NULL, 'c' },
		{ "name", required_argument, NULL, 'n' },
		{ "hold", no_argument, NULL, 'w' },
		{ "device", required_argument, NULL, 'd' },
		{ "json", no_argument, NULL, 'j' },
		{ "help", no_argument, NULL, 'h' },
		{ NULL, 0, NULL, 0 },
	};
	struct request request = {
		.path = BUFALLOC_DEVICE,
		.name = "bufalloc-tool",
		.heap = BUFALLOC_SYSTEM,
		.count = 1,
	};
	int c;

	while ((c = getopt_long(argc, argv, ":h", options, NULL)) != -1) {
		switch (c) {
		case 's':
			if (!parse_number(optarg, true, &request.length)) {
				return tool_usage_error(
					&tool_alloc,
					"'%s' is not a size: give bytes, or K, M or G after a number (4096, 8100K, 64M)",
					optarg);
			}
			request.has_length = true;
			break;
		case 'H':
			if (bufalloc_heap_from_name(optarg, &request.heap) < 0) {
				return tool_usage_error(
					&tool_alloc,
					"no heap is called '%s': use system or contig",
					optarg);
			}
			break;
		case 'c':
			if (!parse_number(optarg, false, &request.count) ||
			    request.count == 0) {
				return tool_usage_error(
					&tool_alloc,
					"'%s' is not a count: give 1 or more",
					optarg);
			}
			break;
		case 'n':
			request.name = optarg;
			break;
		case 'w':
			request.hold = true;
			break;
		case 'd':
			request.path = optarg;
			break;
		case 'j':
			request.json = true;
			break;
		case 'h':
			fputs(tool_alloc.help, stdout);
			return TOOL_OK;
		default:
			return tool_option_error(&tool_alloc, c, argv);
		}
	}
	if (optind < argc) {
		return tool_usage_error(&tool_alloc, "unexpected argument '%s'",
					argv[optind]);
	}
	if (!request.has_length) {
		return tool_usage_error(&tool_alloc, "--size is missing");
	}

	return open_and_allocate(&request);
}

const struct tool_command tool_alloc = {
	.name = "alloc",
	.summary = "allocate buffers and tell what they are",
	.help =
		"usage: bufalloc alloc --size N[K|M|G] [--heap system|contig] [--count N]\n"
		"                      [--name TEXT] [--hold] [--json] [--device PATH]\n"
		"\n"
		"Allocate buffers, print what they are, and free them.\n"
		"\n"
		"  --size N       length in bytes; K, M, G: times 1024, 1024^2, 1024^3\n"
		"  --heap HEAP    where the pages come from: system (default) or contig\n"
		"  --count N      how many buffers (default: 1)\n"
		"  --name TEXT    name of the buffers in /sys/kernel/debug/dma_buf/bufinfo\n"
		"  --hold         keep them until Enter, the end of the input, SIGINT or SIGTERM\n"
		"  --json         print one JSON object a line for each buffer\n"
		"  --device PATH  the device node (default: " BUFALLOC_DEVICE ")\n"
		"  -h, --help     print this text\n"
		"\n"
		"Exit status: 0 allocated, 1 failed, 2 wrong usage.\n",
	.run = run_alloc,
};
