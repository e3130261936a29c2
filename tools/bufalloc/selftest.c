/* SPDX-License-Identifier: MIT */
/* bufalloc selftest: does it work here? A report for people who help. */
#define _GNU_SOURCE /* sigabbrev_np */
#include <errno.h>
#include <inttypes.h>
#include <json-c/json.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "selftest.h"

/* A frame of 1920x1080 in XR24. */
#define DEFAULT_LENGTH (UINT64_C(1920) * 1080 * 4)

static volatile sig_atomic_t stop_signal;

static void
stop(int number)
{
	stop_signal = number;
}

int
selftest_signal(void)
{
	return stop_signal;
}

/* Waiting calls end with EINTR then. What is ignored stays ignored. */
static void
catch_signals(void)
{
	static const int numbers[] = { SIGINT, SIGTERM };
	struct sigaction action = { .sa_handler = stop };
	struct sigaction old;
	size_t i;

	for (i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++) {
		if (sigaction(numbers[i], NULL, &old) == 0 &&
		    old.sa_handler != SIG_IGN) {
			sigaction(numbers[i], &action, NULL);
		}
	}
}

static void
open_module(struct selftest *test)
{
	const char *path = test->options->path;

	test->ctx_err = bufalloc_open_module(&test->ctx, path);
	if (test->ctx_err < 0) {
		test->ctx = NULL;
		bufalloc_open_strerror(path, test->ctx_err, test->problem,
				       sizeof(test->problem));
		return;
	}
	test->ctx_err = bufalloc_get_info(test->ctx, &test->info);
	if (test->ctx_err < 0) {
		snprintf(test->problem, sizeof(test->problem), "%s",
			 bufalloc_strerror(test->ctx_err));
		bufalloc_close(test->ctx);
		test->ctx = NULL;
	}
}

static void
run_rows(struct selftest *test, int fds)
{
	size_t i;

	selftest_module(test);
	if (test->ctx == NULL) {
		return;
	}
	for (i = 0; i < test->device_count && selftest_signal() == 0; i++) {
		selftest_device(test, &test->devices[i]);
	}
	if (selftest_signal() == 0) {
		selftest_all(test);
	}
	selftest_close_devices(test);
	selftest_left(test, fds);
}

static void
print_summary(const struct selftest *test)
{
	const uint64_t *counts = test->report.counts;

	putchar('\n');
	if (selftest_signal() != 0) {
		printf("stopped by SIG%s\n", sigabbrev_np(selftest_signal()));
	}
	printf("%" PRIu64 " passed, %" PRIu64 " failed, %" PRIu64 " skipped\n",
	       counts[REPORT_PASS], counts[REPORT_FAIL], counts[REPORT_SKIP]);
}

static enum tool_exit
print_json(struct selftest *test, struct json_object *object, uint64_t ns)
{
	const uint64_t *counts = test->report.counts;
	char name[16];

	json_object_object_add(object, "rows", test->report.rows);
	test->report.rows = NULL;
	tool_json_number(object, "passed", counts[REPORT_PASS]);
	tool_json_number(object, "failed", counts[REPORT_FAIL]);
	tool_json_number(object, "skipped", counts[REPORT_SKIP]);
	tool_json_number(object, "ns", ns);
	if (selftest_signal() != 0) {
		snprintf(name, sizeof(name), "SIG%s",
			 sigabbrev_np(selftest_signal()));
	}
	tool_json_text(object, "stopped",
		       selftest_signal() == 0 ? NULL : name);
	return tool_print_json(object);
}

static enum tool_exit
run_test(struct selftest *test)
{
	uint64_t began = report_now();
	struct json_object *object = NULL;
	enum tool_exit status = TOOL_OK;
	int fds;

	open_module(test);
	fds = selftest_count_fds();
	if (!selftest_find(test)) {
		return tool_error(-ENOMEM, bufalloc_strerror(-ENOMEM));
	}
	report_init(&test->report, test->options->json);
	if (test->options->json) {
		object = json_object_new_object();
		selftest_json_head(test, object);
	} else {
		selftest_print_head(test);
	}
	run_rows(test, fds);
	if (test->options->json) {
		status = print_json(test, object, report_now() - began);
	} else {
		print_summary(test);
	}
	report_clear(&test->report);
	return test->report.counts[REPORT_FAIL] > 0 ? TOOL_FAILED : status;
}

static enum tool_exit
run_selftest(struct tool_options *options)
{
	struct selftest test = { .options = options };
	enum tool_exit status;
	size_t i;

	status = tool_options_length(&tool_selftest, options);
	if (status != TOOL_OK) {
		return status;
	}
	if (options->has_length && options->length == 0) {
		return tool_usage_error(&tool_selftest,
					"a test needs a size of 1 byte or more");
	}
	test.length = options->has_length ? options->length : DEFAULT_LENGTH;

	catch_signals();
	status = run_test(&test);
	selftest_close_devices(&test);
	for (i = 0; i < test.device_count; i++) {
		free(test.devices[i].node);
	}
	free(test.devices);
	bufalloc_close(test.ctx);
	if (selftest_signal() != 0 && fflush(stdout) == 0) {
		/* So that whoever waits for us learns why it ended. */
		signal(selftest_signal(), SIG_DFL);
		raise(selftest_signal());
	}
	return status;
}

const struct tool_command tool_selftest = {
	.name = "selftest",
	.summary = "test this machine's devices, print a report for a bug report",
	.help =
		"usage: bufalloc selftest [--device NODE[:r|w|rw]]...\n"
		"                         [--size N[K|M|G] |\n"
		"                          --format FOURCC --width N --height N]\n"
		"                         [--json] [--node PATH]\n"
		"\n"
		"Allocate buffers, write and read them, let each device import them through its\n"
		"own interface, then all devices one buffer, and print a report that belongs into\n"
		"a bug report as it is. Without --device: /dev/video*, /dev/dri/card*,\n"
		"/dev/dri/renderD*.\n"
		"\n"
		"Settings stay as they are. A camera captures a few pictures, which are thrown\n"
		"away; what is on a display does not change; what other programs use is skipped.\n"
		"\n"
		"  --device NODE    a device (/dev/video0:w, /dev/dri/card0:r); r, w: it reads,\n"
		"                   writes; default: what it is. Up to 16 times\n"
		"  --size N         length in bytes; K, M, G: times 1024, 1024^2, 1024^3\n"
		"  --format FOURCC  with --width and --height: of a frame without padding\n"
		"                   (NV12, YU12, YUYV, XR24, GREY, ...); default: XR24,\n"
		"                   1920, 1080\n"
		"  --json           print one JSON object, at the end\n"
		"  --node PATH      bufalloc's own device node (default: " BUFALLOC_DEVICE ")\n"
		"  -h, --help       print this text\n"
		"\n"
		"Exit status: 0 nothing failed, 1 a row failed, 2 wrong usage.\n",
	.takes = TOOL_SIZE | TOOL_FRAME | TOOL_DEVICE,
	.run = run_selftest,
};
