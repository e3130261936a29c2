// SPDX-License-Identifier: MIT
/* Runs of the command bufalloc, and the rows that bufalloc selftest prints. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tool.h"

#define MAX_ARGS 16
/* Behind the node and the name of the test. */
#define RESULT_COLUMN (20 + 40)

/* The row is skipped if the command was not built. */
static const char *
find_tool(void)
{
	const char *path = getenv("BUFALLOC_TOOL");

	CHECK(path != NULL);
	if (access(path, X_OK) != 0) {
		ktest_skip("%s was not built", path);
	}
	return path;
}

pid_t
tool_start(const char *const *args, uid_t uid, size_t fill, int *output)
{
	char *argv[MAX_ARGS + 2] = { "bufalloc" };
	const char *path = find_tool();
	int ends[2];
	pid_t pid;

	for (int i = 0; args[i] != NULL; i++) {
		CHECK(i < MAX_ARGS);
		argv[i + 1] = (char *)args[i];
	}
	CHECK_EQ(pipe2(ends, O_CLOEXEC), 0);
	if (fill > 0) {
		CHECK_EQ(fcntl(ends[0], F_SETPIPE_SZ, 4096), 4096);
		for (size_t i = 0; i < fill; i++) {
			CHECK_EQ(write(ends[1], "\n", 1), 1);
		}
	}
	pid = fork();
	CHECK(pid >= 0);
	if (pid == 0) {
		dup2(ends[1], STDOUT_FILENO);
		dup2(ends[1], STDERR_FILENO);
		if (uid != 0 && (setgid(uid) != 0 || setuid(uid) != 0)) {
			_exit(98);
		}
		execv(path, argv);
		dprintf(STDERR_FILENO, "%s: %s\n", path, strerror(errno));
		_exit(97);
	}
	close(ends[1]);
	*output = ends[0];
	return pid;
}

void
tool_finish(pid_t pid, int output, struct tool_run *run)
{
	size_t length = strlen(run->output);
	ssize_t n;

	while ((n = read(output, run->output + length,
			 TOOL_OUTPUT - 1 - length)) > 0) {
		length += (size_t)n;
	}
	run->output[length] = '\0';
	close(output);
	CHECK(length < TOOL_OUTPUT - 1);
	CHECK_EQ(waitpid(pid, &run->status, 0), pid);
}

void
tool_run(const char *const *args, struct tool_run *run)
{
	int output;
	pid_t pid = tool_start(args, 0, 0, &output);

	run->output[0] = '\0';
	tool_finish(pid, output, run);
}

/* What it printed, as lines of this test's own. */
static void
show(const struct tool_run *run)
{
	char line[512];
	size_t length;

	for (const char *at = run->output; *at != '\0'; at += length) {
		length = strcspn(at, "\n");
		snprintf(line, sizeof(line), "%.*s", (int)length, at);
		ktest_note("%s", line);
		length += at[length] == '\n';
	}
}

void
tool_check_status(const struct tool_run *run, int status)
{
	if (!WIFEXITED(run->status) || WEXITSTATUS(run->status) != status) {
		show(run);
		ktest_fail(__FILE__, __LINE__,
			   "bufalloc ended with wait status 0x%x, expected exit status %d",
			   (unsigned int)run->status, status);
	}
}

/* The next line that is a row: its beginning and its result; or NULL. */
static const char *
next_row(const char *at, const char *prefix, char result[5])
{
	static const char *const results[] = { "pass", "FAIL", "skip" };
	size_t length = strlen(prefix);

	for (; at != NULL && *at != '\0'; at = strchr(at, '\n')) {
		at += *at == '\n';
		if (strncmp(at, prefix, length) != 0) {
			continue;
		}
		for (int i = 0; i < 3; i++) {
			if (strcspn(at, "\n") > RESULT_COLUMN &&
			    strncmp(at + RESULT_COLUMN, results[i], 4) == 0) {
				memcpy(result, results[i], 5);
				return at;
			}
		}
	}
	return NULL;
}

const char *
tool_result(const struct tool_run *run, const char *where, const char *test)
{
	static char result[5];
	char prefix[128];

	snprintf(prefix, sizeof(prefix), "%-19s %-39s ", where, test);
	return next_row(run->output, prefix, result) == NULL ? "none" : result;
}

void
tool_check_row(const struct tool_run *run, const char *where, const char *test,
	       const char *result)
{
	const char *got = tool_result(run, where, test);

	if (strcmp(got, result) != 0) {
		show(run);
		ktest_fail(__FILE__, __LINE__, "%s %s: %s, expected %s", where,
			   test, got, result);
	}
}

static unsigned int
count_rows(const struct tool_run *run, const char *prefix, const char *result,
	   const char *text)
{
	const char *at = run->output;
	unsigned int count = 0;
	char got[5];

	while ((at = next_row(at, prefix, got)) != NULL) {
		const char *end = strchr(at, '\n');
		const char *found = strstr(at, text);

		count += strcmp(got, result) == 0 && found != NULL &&
			 (end == NULL || found < end);
		at = end;
	}
	return count;
}

unsigned int
tool_count(const struct tool_run *run, const char *where, const char *test,
	   const char *result)
{
	char prefix[128];

	snprintf(prefix, sizeof(prefix), "%-19s %s", where, test);
	return count_rows(run, prefix, result, "");
}

unsigned int
tool_count_all(const struct tool_run *run, const char *result,
	       const char *text)
{
	return count_rows(run, "", result, text);
}
