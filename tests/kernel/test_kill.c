// SPDX-License-Identifier: MIT
/*
 * Processes that use buffers are killed: at the entry and at the exit of each of
 * their system calls, and at any moment while several processes of several threads
 * are in the middle of things ($KILL_TIMES times, KILL_TIMES_DEFAULT without). Nothing
 * of theirs is left, and everything works.
 */
#include <signal.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ptrace.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "ktest.h"
#include "scenarios.h"
#include "user.h"

#define KILL_TIMES_DEFAULT 200
#define PROCESSES 4
#define THREADS 3
/* From one kill to the next, at most. */
#define GAP_NS 50000000
/* System calls of a scenario, entry and exit: more are a loop. */
#define CAP 2000

static unsigned int kill_points;
static int module_users;
static long long pins;

/* Who uses the module: files, buffers and other modules. */
static int
count_users(void)
{
	FILE *file = fopen("/sys/module/bufalloc/refcnt", "re");
	int users = -1;

	CHECK(file != NULL);
	CHECK_EQ(fscanf(file, "%d", &users), 1);
	fclose(file);
	return users;
}

static void
set_up(void)
{
	scenarios_set_up();
	pins = user_pins();
	module_users = count_users();
}

static const char *const kinds[] = { "buffers",	    "attachments", "mappings",
				     "tables",	    "kernel_maps", "accounts",
				     "pinned_pages" };

/* Something that is alive, or NULL. */
static const char *
whats_left(void)
{
	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		if (ba_live(kinds[i]) != 0) {
			return kinds[i];
		}
	}
	if (count_users() != module_users) {
		return "users of the module";
	}
	return user_pins() != pins ? "the kernel's pins" : NULL;
}

/* All goes with the last process, within a second (fput() is asynchronous). */
static void
check_all_gone(const char *name, unsigned int at)
{
	const char *left = whats_left();

	for (int try = 0; left != NULL && try < 1000; try++) {
		ktest_pause_1ms();
		left = whats_left();
	}
	if (left != NULL) {
		ktest_fail(__FILE__, __LINE__, "%s, killed at %u: left: %s", name,
			   at, left);
	}
}

/*
 * A scenario until its stop number @stop (from 1 on; an entry and an exit are two),
 * where it is killed. false: it ended before.
 */
static bool
kill_at(const struct scenario *scenario, unsigned int stop)
{
	int status;
	pid_t child = fork();

	CHECK(child >= 0);
	if (child == 0) {
		CHECK_EQ(ptrace(PTRACE_TRACEME, 0, NULL, NULL), 0);
		raise(SIGSTOP);
		scenario->run();
		_exit(0);
	}
	CHECK_EQ(waitpid(child, &status, 0), child);
	CHECK(WIFSTOPPED(status));
	CHECK_EQ(ptrace(PTRACE_SETOPTIONS, child, NULL,
			PTRACE_O_EXITKILL | PTRACE_O_TRACESYSGOOD), 0);
	for (unsigned int i = 0; i < stop; i++) {
		CHECK_EQ(ptrace(PTRACE_SYSCALL, child, NULL, NULL), 0);
		CHECK_EQ(waitpid(child, &status, 0), child);
		if (WIFEXITED(status)) {
			CHECK_EQ(WEXITSTATUS(status), 0);
			return false;
		}
		CHECK(WIFSTOPPED(status));
		CHECK_EQ(WSTOPSIG(status), SIGTRAP | 0x80);
	}
	CHECK_EQ(kill(child, SIGKILL), 0);
	CHECK_EQ(waitpid(child, &status, 0), child);
	CHECK(WIFSIGNALED(status));
	return true;
}

static void
each_system_call(void)
{
	set_up();
	for (size_t i = 0; i < scenario_count; i++) {
		unsigned int stop = 1;

		while (kill_at(&scenarios[i], stop)) {
			check_all_gone(scenarios[i].name, stop);
			CHECK(++stop < CAP);
		}
		check_all_gone(scenarios[i].name, stop);
		ktest_note("%s: killed at %u stops", scenarios[i].name,
			   stop - 1);
		kill_points += stop - 1;
	}
}

struct worker {
	size_t first;
	bool alone;
};

static void *
run_for_ever(void *data)
{
	const struct worker *worker = data;

	for (size_t i = worker->first;; i++) {
		const struct scenario *scenario = &scenarios[i % scenario_count];

		if (!scenario->alone || worker->alone) {
			scenario->run();
		}
	}
	return NULL;
}

/* What only one may have, one of the threads has. */
static void
work_until_killed(size_t first, bool alone)
{
	static struct worker workers[THREADS];
	pthread_t thread;

	for (size_t i = 0; i < THREADS; i++) {
		workers[i] = (struct worker){ first + 3 * i, alone && i == 0 };
		CHECK_EQ(pthread_create(&thread, NULL, run_for_ever,
					&workers[i]), 0);
	}
	for (;;) {
		pause();
	}
}

static unsigned int
times(void)
{
	const char *text = getenv("KILL_TIMES");

	return text != NULL && *text != '\0' ?
		       (unsigned int)strtoul(text, NULL, 10) :
		       KILL_TIMES_DEFAULT;
}

/* The same numbers in each run. */
static uint32_t
random_below(uint32_t end)
{
	static uint64_t seed = 1;

	seed = seed * 6364136223846793005u + 1442695040888963407u;
	return (uint32_t)(seed >> 33) % end;
}

/* Several start, and one after the other is killed. */
static void
kill_some(unsigned int count)
{
	uint32_t alone = random_below(count);
	pid_t children[PROCESSES];

	for (unsigned int i = 0; i < count; i++) {
		uint32_t first = random_below((uint32_t)scenario_count);

		children[i] = fork();
		CHECK(children[i] >= 0);
		if (children[i] == 0) {
			work_until_killed(first, i == alone);
		}
	}
	for (unsigned int i = 0; i < count; i++) {
		struct timespec gap = { .tv_nsec = (long)random_below(GAP_NS) };
		int status;

		nanosleep(&gap, NULL);
		CHECK_EQ(kill(children[i], SIGKILL), 0);
		CHECK_EQ(waitpid(children[i], &status, 0), children[i]);
		/* It has not ended by itself: nothing failed there. */
		CHECK(WIFSIGNALED(status));
	}
}

static void
any_moment(void)
{
	unsigned int count;

	set_up();
	for (unsigned int done = 0; done < times(); done += count) {
		count = times() - done < PROCESSES ? times() - done : PROCESSES;
		kill_some(count);
		check_all_gone("any moment", done + count);
	}
	kill_points += times();
}

static void
works_afterwards(void)
{
	for (size_t i = 0; i < scenario_count; i++) {
		pid_t child = fork();
		int status;

		CHECK(child >= 0);
		if (child == 0) {
			scenarios[i].run();
			_exit(0);
		}
		CHECK_EQ(waitpid(child, &status, 0), child);
		CHECK(WIFEXITED(status));
		CHECK_EQ(WEXITSTATUS(status), 0);
	}
	CHECK_WITHIN_1S(whats_left() == NULL);
	CHECK_EQ(ba_vmalloc_bytes(), 0);
	ktest_figure("kill_points", kill_points);
}

static const struct ktest_row rows[] = {
	{ "killed-at-each-system-call", each_system_call },
	{ "killed-at-any-moment", any_moment },
	{ "works-afterwards", works_afterwards },
};

int
main(void)
{
	return ktest_main(rows, sizeof(rows) / sizeof(rows[0]));
}
