/* SPDX-License-Identifier: MIT */
/* Runs of the command bufalloc, and the rows that bufalloc selftest prints. */
#ifndef TOOL_H
#define TOOL_H

#include <sys/types.h>

#include "ktest.h"

#define TOOL_OUTPUT (64 << 10)

struct tool_run {
	/* As waitpid() gives it. */
	int status;
	char output[TOOL_OUTPUT];
};

/*
 * Start "bufalloc ..." ($BUFALLOC_TOOL) with its output in a pipe; @args end with
 * NULL. The row is skipped if the command was not built. @uid: 0, or the user that it runs as.
 * @fill: bytes that are in the pipe already, which holds 4096 then; 0: empty.
 */
pid_t
tool_start(const char *const *args, uid_t uid, size_t fill, int *output);

/* Read the rest, wait, and close the pipe. */
void
tool_finish(pid_t pid, int output, struct tool_run *run);

/* Both. */
void
tool_run(const char *const *args, struct tool_run *run);

/* The row fails unless the command ended with this status. */
void
tool_check_status(const struct tool_run *run, int status);

/* "pass", "FAIL", "skip", or "none": what became of a row of the report. */
const char *
tool_result(const struct tool_run *run, const char *where, const char *test);

/* The row fails unless it is that. */
void
tool_check_row(const struct tool_run *run, const char *where, const char *test,
	       const char *result);

/* Rows with that result whose name begins so. */
unsigned int
tool_count(const struct tool_run *run, const char *where, const char *test,
	   const char *result);

/* All rows with that result that have @text in them. */
unsigned int
tool_count_all(const struct tool_run *run, const char *result,
	       const char *text);

#endif /* TOOL_H */
