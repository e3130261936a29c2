/* SPDX-License-Identifier: MIT */
/* The rows of a report: printed as they come, or kept for JSON. */
#ifndef REPORT_H
#define REPORT_H

#include <bufalloc/bufalloc.h>
#include <json-c/json_object.h>
#include <stdbool.h>
#include <stdint.h>

enum report_result {
	REPORT_PASS,
	REPORT_FAIL,
	REPORT_SKIP,
	REPORT_RESULTS,
};

/** Start with report_init(). */
struct report {
	bool is_json;
	/** Rows so far by their result. */
	uint64_t counts[REPORT_RESULTS];
	/** JSON: the rows; NULL for text. */
	struct json_object *rows;
	/** The row that has begun. */
	struct report_row {
		const char *where;
		const char *test;
		const char *queue;
		const char *heap;
		uint64_t began_ns;
		bool has_buffer;
		struct bufalloc_buf_info buffer;
	} row;
};

void
report_init(struct report *report, bool is_json);

/** Free the rows, unless they were taken. */
void
report_clear(struct report *report);

/** Time on the monotonic clock. */
uint64_t
report_now(void);

/**
 * Begin a row. In text its name is printed at once, so that a machine which
 * hangs shows at what.
 *
 * where: "module", a node, or "all". queue, heap: or NULL. They are used until
 * the row ends.
 */
void
report_begin(struct report *report, const char *where, const char *test,
	     const char *queue, const char *heap);

/** The row is about this buffer. */
void
report_buffer(struct report *report, const struct bufalloc_buf_info *info);

/**
 * End the row with a sentence. err: 0 or an errno of either sign, whose name is
 * put behind it.
 *
 * Returns whether it passed.
 */
bool
report_pass(struct report *report, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

bool
report_fail(struct report *report, int err, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

bool
report_skip(struct report *report, int err, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

#endif /* REPORT_H */
