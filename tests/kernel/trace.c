// SPDX-License-Identifier: MIT
/*
 * The kernel's own tracing as a witness that is not bufalloc's: kprobe events
 * (Documentation/trace/kprobetrace.rst).
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "ktest.h"

#define TRACING "/sys/kernel/tracing/"

static void
forget(void)
{
	ktest_put(TRACING "events/ktest/enable", "0", 0);
	/* The group's name alone: all events of it. */
	ktest_put(TRACING "kprobe_events", "-:ktest/", O_APPEND);
}

/*
 * "$argN" in the words of this architecture: 32-bit ARM's kprobes know only
 * registers, the first four of which are arguments.
 */
static void
name_arguments(char *text)
{
#ifdef __arm__
	for (char *at = text; (at = strstr(at, "$arg")) != NULL;) {
		CHECK(at[4] >= '1' && at[4] <= '4');
		at[2] = (char)(at[4] - 1);
		at[0] = '%';
		at[1] = 'r';
		memmove(at + 3, at + 5, strlen(at + 5) + 1);
	}
#else
	(void)text;
#endif
}

void
trace_begin_all(const char *const *functions, unsigned int count,
		const char *arguments)
{
	char event[256];

	forget();
	for (unsigned int i = 0; i < count; i++) {
		snprintf(event, sizeof(event), "p:ktest/seen%u %s %s", i,
			 functions[i], arguments);
		name_arguments(event);
		if (!ktest_put(TRACING "kprobe_events", event, O_APPEND)) {
			int error = errno;

			forget();
			errno = error;
			ktest_skip("no kprobe event on %s: %s", functions[i],
				   ktest_errno_name());
		}
	}
	/*
	 * Nobody wants the names of processes. To have them the kernel patches the
	 * scheduler while it runs, which was seen to stop an emulated processor for
	 * ever.
	 */
	CHECK(ktest_put(TRACING "options/record-cmd", "0", 0));
	CHECK(ktest_put(TRACING "trace", "", O_TRUNC));
	CHECK(ktest_put(TRACING "events/ktest/enable", "1", 0));
}

void
trace_begin(const char *function, const char *arguments)
{
	trace_begin_all(&function, 1, arguments);
}

static bool
has_seen(void)
{
	FILE *file = fopen(TRACING "trace", "re");
	char text[1024];
	bool seen = false;

	CHECK(file != NULL);
	while (!seen && fgets(text, sizeof(text), file) != NULL) {
		seen = strstr(text, " seen") != NULL;
	}
	fclose(file);
	return seen;
}

void
trace_wait(void)
{
	double end = ktest_now() + 30;

	while (!has_seen()) {
		CHECK(ktest_now() < end);
		ktest_pause_1ms();
	}
}

unsigned int
trace_end(void (*line)(const char *text, void *data), void *data)
{
	char text[1024];
	unsigned int count = 0;
	FILE *file;

	CHECK(ktest_put(TRACING "events/ktest/enable", "0", 0));
	file = fopen(TRACING "trace", "re");
	CHECK(file != NULL);
	while (fgets(text, sizeof(text), file) != NULL) {
		if (strstr(text, " seen") != NULL) {
			count++;
			if (line != NULL) {
				line(text, data);
			}
		}
	}
	fclose(file);
	forget();
	return count;
}

bool
trace_has(const char *function)
{
	FILE *file = fopen("/proc/kallsyms", "re");
	char line[512], name[256];
	bool found = false;

	CHECK(file != NULL);
	while (!found && fgets(line, sizeof(line), file) != NULL) {
		found = sscanf(line, "%*s %*s %255s", name) == 1 &&
			strcmp(name, function) == 0;
	}
	fclose(file);
	return found;
}

unsigned long long
trace_value(const char *text, const char *name)
{
	char key[64];
	const char *at;

	snprintf(key, sizeof(key), " %s=", name);
	at = strstr(text, key);
	return at != NULL ? strtoull(at + strlen(key), NULL, 0) : 0;
}
