/* SPDX-License-Identifier: MIT */
/* The rows of a report: printed as they come, or kept for JSON. */
#include <inttypes.h>
#include <json-c/json.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "report.h"
#include "tool.h"

static const char *const result_names[] = {
	[REPORT_PASS] = "pass",
	[REPORT_FAIL] = "fail",
	[REPORT_SKIP] = "skip",
};

void
report_init(struct report *report, bool is_json)
{
	*report = (struct report){
		.is_json = is_json,
		.rows = is_json ? json_object_new_array() : NULL,
	};
}

void
report_clear(struct report *report)
{
	json_object_put(report->rows);
	report->rows = NULL;
}

uint64_t
report_now(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}

void
report_begin(struct report *report, const char *where, const char *test,
	     const char *queue, const char *heap)
{
	char name[64];

	report->row = (struct report_row){
		.where = where,
		.test = test,
		.queue = queue,
		.heap = heap,
		.began_ns = report_now(),
	};
	if (report->is_json) {
		return;
	}
	snprintf(name, sizeof(name), "%s%s%s%s%s", test,
		 queue == NULL ? "" : " ", queue == NULL ? "" : queue,
		 heap == NULL ? "" : " ", heap == NULL ? "" : heap);
	printf("%-19s %-39s ", where, name);
	fflush(stdout);
}

void
report_buffer(struct report *report, const struct bufalloc_buf_info *info)
{
	report->row.has_buffer = true;
	report->row.buffer = *info;
}

static struct json_object *
buffer_object(const struct bufalloc_buf_info *info)
{
	struct json_object *object = json_object_new_object();

	tool_json_text(object, "heap", bufalloc_heap_name(info->heap));
	tool_json_number(object, "length", info->length);
	tool_json_number(object, "runs", info->runs);
	tool_json_number(object, "alloc_ns", info->alloc_ns);
	return object;
}

static void
keep_row(struct report *report, enum report_result result, int err,
	 uint64_t ns, const char *text)
{
	const struct report_row *row = &report->row;
	struct json_object *object = json_object_new_object();

	tool_json_text(object, "where", row->where);
	tool_json_text(object, "test", row->test);
	tool_json_text(object, "queue", row->queue);
	tool_json_text(object, "heap", row->heap);
	tool_json_text(object, "result", result_names[result]);
	tool_json_text(object, "errno", err == 0 ? NULL : tool_errno_name(err));
	tool_json_number(object, "ns", ns);
	tool_json_text(object, "text", text);
	if (strcmp(row->test, "alloc") == 0) {
		json_object_object_add(
			object, "buffer",
			row->has_buffer ? buffer_object(&row->buffer) : NULL);
	}
	json_object_array_add(report->rows, object);
}

static void __attribute__((format(printf, 4, 0)))
end(struct report *report, enum report_result result, int err,
    const char *format, va_list args)
{
	uint64_t ns = report_now() - report->row.began_ns;
	char text[1024];

	vsnprintf(text, sizeof(text), format, args);
	report->counts[result]++;
	if (report->is_json) {
		keep_row(report, result, err, ns, text);
		return;
	}
	printf("%s %7" PRIu64 ".%03" PRIu64 " ms  %s",
	       result == REPORT_FAIL ? "FAIL" : result_names[result],
	       ns / 1000000, ns / 1000 % 1000, text);
	if (err != 0) {
		printf(" [%s]", tool_errno_name(err));
	}
	putchar('\n');
	fflush(stdout);
}

bool
report_pass(struct report *report, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	end(report, REPORT_PASS, 0, format, args);
	va_end(args);
	return true;
}

bool
report_fail(struct report *report, int err, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	end(report, REPORT_FAIL, err, format, args);
	va_end(args);
	return false;
}

bool
report_skip(struct report *report, int err, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	end(report, REPORT_SKIP, err, format, args);
	va_end(args);
	return false;
}
