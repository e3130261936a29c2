// SPDX-License-Identifier: MIT
/*
 * Limits that are numbers of things: file descriptors, open files, buffers.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "cgroup.h"
#include "user.h"

#define SOMEBODY 4321

/* That many in sequence, and at most at once. */
static unsigned int
wanted(void)
{
	const char *text = getenv("LIMITS_COUNT");

	return text != NULL && text[0] != 0 ? (unsigned int)atoi(text) : 1000000;
}

/* Each call that makes a file: an fd, or -1 and errno. */
static int
alloc_system(int node)
{
	return ba_try_alloc(node, BUFALLOC_HEAP_SYSTEM, PAGE);
}

static int
alloc_contig(int node)
{
	return ba_try_alloc(node, BUFALLOC_HEAP_CONTIG, PAGE);
}

static int
import_user(int node)
{
	static void *memory;

	if (memory == NULL) {
		memory = user_anonymous(PAGE, MAP_PRIVATE);
	}
	return user_try_import(node, memory, PAGE, 0);
}

static int (*const calls[])(int node) = { alloc_system, alloc_contig,
					  import_user };
#define CALLS (sizeof(calls) / sizeof(calls[0]))

/* What a process tells, also when it can open nothing any more. */
struct opened {
	unsigned int count;
	int error;
	unsigned int other_errors;
};

/* Until it is refused; and a hundred times again, for what that may leave behind. */
static void
open_all(int (*call)(int node), int node, struct opened *opened)
{
	while (call(node) >= 0) {
		opened->count++;
		CHECK(opened->count < 20000);
	}
	opened->error = errno;
	for (int i = 0; i < 100; i++) {
		opened->other_errors += call(node) >= 0 ||
					errno != opened->error;
	}
}

/*
 * A user's process that opens what it can gets that errno, and it has all that it
 * was given before, and no more.
 */
static void
check_refused(int (*call)(int node), int expected, unsigned int least)
{
	struct opened *opened =
		user_anonymous(sizeof(*opened), MAP_SHARED | MAP_POPULATE);
	int ready[2], go[2];
	int node = ba_open();
	pid_t child;
	int status;
	char byte;

	CHECK_EQ(pipe2(ready, O_CLOEXEC), 0);
	CHECK_EQ(pipe2(go, O_CLOEXEC), 0);
	child = fork();
	if (child == 0) {
		close(go[1]);
		CHECK_EQ(syscall(SYS_setresuid, SOMEBODY, SOMEBODY, SOMEBODY), 0);
		open_all(call, node, opened);
		CHECK_EQ(write(ready[1], "x", 1), 1);
		CHECK_EQ(read(go[0], &byte, 1), 0);
		_exit(0);
	}
	close(ready[1]);
	CHECK_EQ(read(ready[0], &byte, 1), 1);
	CHECK_WITHIN_1S(ba_live("buffers") == (int)opened->count);
	close(go[1]);
	CHECK_EQ(waitpid(child, &status, 0), child);
	close(ready[0]);
	close(go[0]);
	close(node);
	CHECK_EQ(status, 0);
	CHECK_EQ(opened->error, expected);
	CHECK_EQ(opened->other_errors, 0);
	CHECK(opened->count >= least);
	CHECK_WITHIN_1S(ba_live("buffers") == 0);
	munmap(opened, sizeof(*opened));
}

static void
emfile(void)
{
	struct rlimit old, limit;

	CHECK_EQ(getrlimit(RLIMIT_NOFILE, &old), 0);
	limit = old;
	limit.rlim_cur = 64;
	for (size_t i = 0; i < CALLS; i++) {
		CHECK_EQ(setrlimit(RLIMIT_NOFILE, &limit), 0);
		check_refused(calls[i], EMFILE, 16);
		CHECK_EQ(setrlimit(RLIMIT_NOFILE, &old), 0);
	}
}

/* The first number of a file of the kernel's. */
static unsigned long
read_number(const char *path)
{
	FILE *file = fopen(path, "re");
	unsigned long value;

	CHECK(file != NULL);
	CHECK_EQ(fscanf(file, "%lu", &value), 1);
	fclose(file);
	return value;
}

static void
write_number(const char *path, unsigned long value)
{
	char text[32];

	snprintf(text, sizeof(text), "%lu", value);
	CHECK(ktest_put(path, text, 0));
}

#define FILE_MAX "/proc/sys/fs/file-max"
#define FILE_NR "/proc/sys/fs/file-nr"

/*
 * The system's table is full: for all but root, who runs this. The kernel counts
 * files for each processor and looks closer only where there may be too many.
 */
static void
enfile(void)
{
	unsigned long old = read_number(FILE_MAX);
	const struct rlimit files = { 4096, 4096 };

	CHECK_EQ(setrlimit(RLIMIT_NOFILE, &files), 0);
	for (size_t i = 0; i < CALLS; i++) {
		write_number(FILE_MAX, read_number(FILE_NR) + 300);
		check_refused(calls[i], ENFILE, 1);
		write_number(FILE_MAX, old);
	}
}

static void
one_after_the_other(void)
{
	unsigned int count = wanted();
	int node = ba_open();
	double start = ktest_now();

	for (unsigned int i = 0; i < count; i++) {
		close(ba_alloc(node, BUFALLOC_HEAP_SYSTEM, PAGE));
	}
	ktest_note("%u allocations of a page in %.1f s", count,
		   ktest_now() - start);
	CHECK_WITHIN_1S(ba_live("buffers") == 0);
	if (count == 1000000) {
		ktest_figure("allocations_in_sequence", count);
	}
	close(node);
}

/* Bytes of memory that are there for programs. */
static unsigned long long
available(void)
{
	FILE *file = fopen("/proc/meminfo", "re");
	unsigned long long kib = 0;
	char line[128];

	CHECK(file != NULL);
	while (fgets(line, sizeof(line), file) != NULL) {
		if (sscanf(line, "MemAvailable: %llu", &kib) == 1) {
			break;
		}
	}
	fclose(file);
	return kib << 10;
}

/* What is left of @count buffers' memory when they are gone: little. */
static const unsigned long long SLACK = 64 << 20;

/* As many as the memory of a cgroup is enough for, each held by its fd. */
static void
at_once(void)
{
	const struct rlimit files = { wanted() + 64, wanted() + 64 };
	unsigned long nr_open = read_number("/proc/sys/fs/nr_open");
	unsigned int *count =
		user_anonymous(sizeof(*count), MAP_SHARED | MAP_POPULATE);
	unsigned long long before = available();
	int node = ba_open();
	pid_t child;
	int status;

	cgroup_make("1G");
	write_number("/proc/sys/fs/nr_open", 2097152);
	child = fork();
	if (child == 0) {
		CHECK_EQ(setrlimit(RLIMIT_NOFILE, &files), 0);
		cgroup_enter();
		while (*count < wanted() && alloc_system(node) >= 0) {
			++*count;
		}
		if (*count < wanted()) {
			CHECK_EQ(errno, ENOMEM);
		}
		CHECK_EQ(ba_live("buffers"), *count);
		_exit(0);
	}
	CHECK_EQ(waitpid(child, &status, 0), child);
	write_number("/proc/sys/fs/nr_open", nr_open);
	ktest_note("%u buffers at once; then %s", *count,
		   *count == wanted() ? "enough" :
		   status == 0	      ? "refused" :
					"killed");
	/* ENOMEM or, for small things of the kernel's own, the killer. */
	CHECK(status == 0 || (WIFSIGNALED(status) && WTERMSIG(status) == 9));
	CHECK(*count > 20000 || *count == wanted());
	close(node);
	/* So many files go in the background. */
	for (int i = 0; i < 10 && ba_live("buffers") > 0; i++) {
		for (int j = 0; j < 1000; j++) {
			ktest_pause_1ms();
		}
	}
	CHECK_EQ(ba_live("buffers"), 0);
	cgroup_remove();
	CHECK_WITHIN_1S(available() + SLACK > before);
	if (wanted() == 1000000) {
		ktest_figure("buffers_at_once", *count);
	}
	munmap(count, sizeof(*count));
}

static const struct ktest_row rows[] = {
	{ "no-descriptor-left-emfile", emfile },
	{ "no-file-left-enfile", enfile },
	{ "a-million-of-one-page-in-sequence", one_after_the_other },
	{ "as-many-at-once-as-memory-allows", at_once },
};

int
main(void)
{
	return ktest_main(rows, sizeof(rows) / sizeof(rows[0]));
}
