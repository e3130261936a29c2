// SPDX-License-Identifier: MIT
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "ktest.h"

static jmp_buf row_end;
static char message[512];
static pid_t main_pid;

enum { ROW_PASSED, ROW_FAILED, ROW_SKIPPED };

const char *
ktest_errno_name(void)
{
	return strerrorname_np(errno) != NULL ? strerrorname_np(errno) : "0";
}

void
ktest_fail(const char *file, int line, const char *format, ...)
{
	va_list args;
	int n = snprintf(message, sizeof(message), "%s:%d: ", file, line);

	va_start(args, format);
	vsnprintf(message + n, sizeof(message) - (size_t)n, format, args);
	va_end(args);
	if (getpid() != main_pid) {
		fprintf(stderr, "# child: %s\n", message);
		_exit(99);
	}
	longjmp(row_end, ROW_FAILED);
}

void
ktest_skip(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vsnprintf(message, sizeof(message), format, args);
	va_end(args);
	longjmp(row_end, ROW_SKIPPED);
}

void
ktest_note(const char *format, ...)
{
	va_list args;

	printf("# ");
	va_start(args, format);
	vprintf(format, args);
	va_end(args);
	printf("\n");
}

/* Debugging makes all of it slow: those are no figures. */
static const char *
figure_prefix(void)
{
	return access("/sys/kernel/debug/kmemleak", F_OK) != 0 ? "figure " : "";
}

bool
ktest_put(const char *path, const char *text, int flags)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC | flags);
	ssize_t n;

	if (fd < 0) {
		return false;
	}
	n = write(fd, text, strlen(text));
	close(fd);
	return n == (ssize_t)strlen(text);
}

unsigned int
ktest_count_lines(const char *path)
{
	FILE *file = fopen(path, "re");
	unsigned int count = 0;
	int byte;

	CHECK(file != NULL);
	while ((byte = fgetc(file)) != EOF) {
		count += byte == '\n';
	}
	fclose(file);
	return count;
}

void
ktest_figure(const char *name, double value)
{
	printf("# %s%s %.15g\n", figure_prefix(), name, value);
}

void
ktest_figure_list(const char *name, const char *words)
{
	printf("# %s%s %s\n", figure_prefix(), name, words);
}

void
ktest_pause_1ms(void)
{
	nanosleep(&(struct timespec){ .tv_nsec = 1000000 }, NULL);
}

double
ktest_now(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

/* The open file descriptors, as far as a row opens any. */
#define MAX_FDS 256

struct fds {
	bool open[MAX_FDS];
};

static void
read_fds(struct fds *fds)
{
	for (int fd = 0; fd < MAX_FDS; fd++) {
		fds->open[fd] = fcntl(fd, F_GETFD) >= 0;
	}
}

/* A row that failed left things open: the next one shall not see them. */
static void
close_new_fds(const struct fds *before)
{
	for (int fd = 0; fd < MAX_FDS; fd++) {
		if (!before->open[fd]) {
			close(fd);
		}
	}
}

static const char *const live_names[] = {
	"buffers", "attachments", "mappings", "tables", "kernel_maps", "accounts",
	"pinned_pages", "reserved_pages", "domain_maps", "piece_pools", "pieces",
};
#define LIVE_COUNT (sizeof(live_names) / sizeof(live_names[0]))

static void
read_live(int *live)
{
	for (size_t i = 0; i < LIVE_COUNT; i++) {
		live[i] = ba_live(live_names[i]);
	}
}

/* fput() is asynchronous: the objects may take a moment to go. */
static void
check_nothing_left(const struct fds *fds, const int *before)
{
	int live[LIVE_COUNT];
	struct fds now;

	read_fds(&now);
	for (int fd = 0; fd < MAX_FDS; fd++) {
		if (now.open[fd] != fds->open[fd]) {
			ktest_fail(__FILE__, __LINE__, "fd %d was left %s", fd,
				   now.open[fd] ? "open" : "closed");
		}
	}
	for (int try = 0; try < 1000; try++) {
		read_live(live);
		if (memcmp(live, before, sizeof(live)) == 0) {
			return;
		}
		ktest_pause_1ms();
	}
	for (size_t i = 0; i < LIVE_COUNT; i++) {
		if (live[i] != before[i]) {
			ktest_fail(__FILE__, __LINE__,
				   "live %s: %d before the row, %d after it",
				   live_names[i], before[i], live[i]);
		}
	}
}

static int
run_row(const struct ktest_row *row, const struct fds *fds, const int *live)
{
	int end = setjmp(row_end);

	if (end != ROW_PASSED) {
		return end;
	}
	row->run();
	check_nothing_left(fds, live);
	return ROW_PASSED;
}

/* $KTEST_ROW is a list of the only ones that are asked for (tests/controls). */
static bool
is_asked_for(const struct ktest_row *row)
{
	const char *list = getenv("KTEST_ROW");
	size_t length = strlen(row->name);
	const char *at;

	if (list == NULL || *list == '\0') {
		return true;
	}
	for (at = list; (at = strstr(at, row->name)) != NULL; at++) {
		if ((at == list || at[-1] == ',') &&
		    (at[length] == ',' || at[length] == '\0')) {
			return true;
		}
	}
	return false;
}

int
ktest_main(const struct ktest_row *rows, size_t count)
{
	int live[LIVE_COUNT];
	int failed = 0;
	struct fds fds;

	main_pid = getpid();
	setvbuf(stdout, NULL, _IOLBF, 0);
	printf("1..%zu\n", count);
	for (size_t i = 0; i < count; i++) {
		if (!is_asked_for(&rows[i])) {
			printf("ok %zu - %s # SKIP not asked for\n", i + 1,
			       rows[i].name);
			continue;
		}
		read_live(live);
		read_fds(&fds);
		switch (run_row(&rows[i], &fds, live)) {
		case ROW_PASSED:
			printf("ok %zu - %s\n", i + 1, rows[i].name);
			break;
		case ROW_SKIPPED:
			printf("ok %zu - %s # SKIP %s\n", i + 1, rows[i].name,
			       message);
			close_new_fds(&fds);
			break;
		default:
			printf("not ok %zu - %s\n# %s\n", i + 1, rows[i].name,
			       message);
			close_new_fds(&fds);
			failed++;
			break;
		}
	}
	return failed > 0;
}
