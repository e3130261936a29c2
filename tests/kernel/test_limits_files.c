// SPDX-License-Identifier: MIT
/*
 * Numbers of buffers: one after the other, and at once.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "cgroup.h"
#include "user.h"

/* That many in sequence, and at most at once. */
static unsigned int
wanted(void)
{
	const char *text = getenv("LIMITS_COUNT");

	return text != NULL && text[0] != 0 ? (unsigned int)atoi(text) : 1000000;
}

static int
alloc_system(int node)
{
	return ba_try_alloc(node, BUFALLOC_HEAP_SYSTEM, PAGE);
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
		   status == 0 ? "refused" : "killed");
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
	ktest_figure("buffers_at_once", *count);
	munmap(count, sizeof(*count));
}

static const struct ktest_row rows[] = {
	{ "a-million-of-one-page-in-sequence", one_after_the_other },
	{ "as-many-at-once-as-memory-allows", at_once },
};

int
main(void)
{
	return ktest_main(rows, sizeof(rows) / sizeof(rows[0]));
}
