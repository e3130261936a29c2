// SPDX-License-Identifier: MIT
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "compliance.h"
#include "ktest.h"

#define MAX_WANTED 16

/* The node that is open, whose file is closed. */
static void
node_path(int fd, char *path, size_t length)
{
	char link[64];
	ssize_t n;

	CHECK(fd >= 0);
	snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
	n = readlink(link, path, length - 1);
	CHECK(n > 0);
	path[n] = '\0';
	close(fd);
}

static void
note_trouble(const char *line)
{
	if (strstr(line, "fail:") != NULL || strstr(line, "warn:") != NULL ||
	    strstr(line, "FAIL") != NULL) {
		ktest_note("%.*s", (int)strcspn(line, "\n"), line);
	}
}

/* Of "	test VIDIOC_S_FMT: FAIL": what is between. */
static void
add_name(struct compliance *result, const char *line)
{
	const char *start = strstr(line, "test "), *end = strstr(line, ": FAIL");
	size_t used = strlen(result->names);

	if (start != NULL && end > start) {
		snprintf(result->names + used, sizeof(result->names) - used,
			 "%.*s\n", (int)(end - start - 5), start + 5);
	}
}

struct compliance
compliance_run(int device, int exporter, unsigned int frames, bool all,
	       const char *const *wanted, size_t count)
{
	const char *tool = getenv("V4L2_COMPLIANCE");
	bool seen[MAX_WANTED] = { false }, is_total = false;
	char path[64], other[64], command[512], line[512];
	struct compliance result = { 0 };
	FILE *output;

	node_path(device, path, sizeof(path));
	node_path(exporter, other, sizeof(other));
	if (tool == NULL) {
		ktest_skip("V4L2_COMPLIANCE does not say where v4l2-compliance is");
	}
	CHECK(count <= MAX_WANTED);
	snprintf(command, sizeof(command), "%s -d %s -e %s -s %u %s -C never -P 2>&1",
		 tool, path, other, frames, all ? "-a" : "");
	output = popen(command, "re");
	CHECK(output != NULL);
	while (fgets(line, sizeof(line), output) != NULL) {
		note_trouble(line);
		add_name(&result, line);
		for (size_t i = 0; i < count; i++) {
			if (strstr(line, wanted[i]) != NULL &&
			    strstr(line, ": OK\n") != NULL) {
				seen[i] = true;
			}
		}
		is_total |= sscanf(line, "Total for %*[^:]: %*u, Succeeded: %*u, "
				   "Failed: %u, Warnings: %u",
				   &result.failed, &result.warnings) == 2;
	}
	pclose(output);
	CHECK(is_total);
	for (size_t i = 0; i < count; i++) {
		if (!seen[i]) {
			ktest_fail(__FILE__, __LINE__, "no \"%s...: OK\"",
				   wanted[i]);
		}
	}
	return result;
}
