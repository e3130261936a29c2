// SPDX-License-Identifier: MIT
/*
 * Processes, what they may, and what fails for them.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

#include "run.h"

/* Somebody who is not root. */
#define SOMEBODY 4321
#define SOMEBODYS_LIMIT (32 * PAGE)

enum end { END_EXIT, END_KILLS_ITSELF, END_KILLED_AT_ONCE, END_KILLED_AT_END };

static void
wait_for(pid_t child)
{
	while (waitpid(child, NULL, 0) < 0 && errno == EINTR) {
	}
}

static void
be_child(struct run *run, unsigned int calls, uint64_t end, bool somebody)
{
	const struct rlimit limit = { SOMEBODYS_LIMIT, SOMEBODYS_LIMIT };
	unsigned int last = run->at + 1 + calls;

	run_prepare();
	if (somebody) {
		setrlimit(RLIMIT_MEMLOCK, &limit);
		(void)!syscall(SYS_setresuid, SOMEBODY, SOMEBODY, SOMEBODY);
	}
	run->at++;
	run_calls(run, last < run->program->count ? last : run->program->count);
	if (end == END_KILLS_ITSELF) {
		raise(SIGKILL);
	}
	/* Those that will be killed may have to wait for it. */
	while (end == END_KILLED_AT_END) {
		pause();
	}
	_exit(0);
}

/* The next calls are a child's, that ends in one of several ways. */
long
op_child(struct run *run, const uint64_t *args)
{
	pid_t child;

	/* Neither a child's, nor a second one. */
	if (run->child != 0) {
		return -1;
	}
	child = fork();
	if (child < 0) {
		return -1;
	}
	if (child == 0) {
		run->child = -1;
		be_child(run, (unsigned int)args[0], args[1], args[2] & 1);
	}
	run->skip = (unsigned int)args[0];
	if (args[1] == END_KILLED_AT_ONCE) {
		kill(child, SIGKILL);
	}
	if (args[1] == END_KILLED_AT_END) {
		run->child = child;
	} else {
		wait_for(child);
	}
	return 0;
}

/* In the next call the nth allocation or copy fails. */
long
op_fail(struct run *run, const uint64_t *args)
{
	run->fail = (uint32_t)args[0];
	return 0;
}

long
op_limit(struct run *run, const uint64_t *args)
{
	static const int resources[] = { RLIMIT_NOFILE, RLIMIT_MEMLOCK, RLIMIT_AS };
	struct rlimit limit;
	int resource = resources[args[0] % 3];

	if (getrlimit((unsigned int)resource, &limit) != 0) {
		return -1;
	}
	run->limited = true;
	limit.rlim_cur = args[1] < limit.rlim_max ? args[1] : limit.rlim_max;
	if (resource == RLIMIT_NOFILE) {
		limit.rlim_cur = 8 + args[1] % 16;
	}
	/* What is mapped is more than that: nothing can be mapped any more. */
	return setrlimit((unsigned int)resource, &limit);
}

static long
put(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);
	ssize_t n;

	if (fd < 0) {
		return -1;
	}
	n = write(fd, text, strlen(text));
	close(fd);
	return n;
}

/* Memory gets scarce for a moment, or what can be moved is. */
long
op_pressure(struct run *run, const uint64_t *args)
{
	const size_t much = (size_t)64 << 20;
	pid_t child;

	(void)run;
	switch (args[0]) {
	case 0:
		return put("/proc/sys/vm/compact_memory", "1");
	case 1:
		return put("/proc/sys/vm/drop_caches", "2");
	default:
		child = fork();
		if (child == 0) {
			_exit(mmap(NULL, much, PROT_READ | PROT_WRITE,
				   MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE, -1,
				   0) == MAP_FAILED);
		}
		if (child > 0) {
			wait_for(child);
		}
		return 0;
	}
}

long
op_bind(struct run *run, const uint64_t *args)
{
	run->unbound = true;
	return device_bind((unsigned int)args[0], args[1] & 1) ? 0 : -1;
}

#define PARAMETER "/sys/module/bufalloc/parameters/contig_limit_bytes"

static char usual_limit[24];

/* The user's limit on contiguous memory. */
long
op_parameter(struct run *run, const uint64_t *args)
{
	char text[24];

	run->limited = true;
	snprintf(text, sizeof(text), "%llu", (unsigned long long)args[0]);
	return put(PARAMETER, text);
}

void
limits_find(void)
{
	int fd = open(PARAMETER, O_RDONLY | O_CLOEXEC);

	if (fd >= 0) {
		(void)!read(fd, usual_limit, sizeof(usual_limit) - 1);
		close(fd);
	}
}

void
limits_undo(void)
{
	static const int resources[] = { RLIMIT_NOFILE, RLIMIT_MEMLOCK, RLIMIT_AS };
	struct rlimit limit;

	for (int i = 0; i < 3; i++) {
		if (getrlimit((unsigned int)resources[i], &limit) == 0) {
			limit.rlim_cur = limit.rlim_max;
			setrlimit((unsigned int)resources[i], &limit);
		}
	}
	put(PARAMETER, usual_limit);
}
