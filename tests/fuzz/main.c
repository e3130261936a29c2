// SPDX-License-Identifier: MIT
/*
 * fuzz [OPTION...]: run programs of calls on /dev/bufalloc and devices that import its
 * buffers. Prints TAP. Options also come as words of $FUZZ_OPTIONS.
 *
 *   --seconds N      that long (60)
 *   --seed N         of the random numbers (the time)
 *   --workers N      processes at once (2); with 1 each program is watched alone
 *   --times          say how long calls take
 *   --corpus FILE    begin with these programs; may be repeated
 *   --save FILE      append what was found to it
 *   --replay N       run the programs of the corpus, N times each, and no others
 *   --smallest       of the replayed programs, save those that ran a new place
 *   --gcov DIR       of modules built for gcov: copy there what was run of them
 *   --list           print the programs of the corpus again, and run none
 *   --check N        check, without a kernel, N programs
 *   --ring FILE      print the last programs of a guest, and run none
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "check.h"
#include "generate.h"
#include "run.h"
#include "setup.h"
#include "worker.h"

/* Live objects are counted that often. */
#define ROUND_SECONDS 20

static struct options {
	double seconds;
	uint64_t seed;
	unsigned int workers, replay, check;
	const char *save, *gcov;
	bool smallest, list, timed;
} options = { .seconds = 60, .workers = 2 };

static struct shared *shared;
static struct corpus *keep;
static struct ring *ring;
static unsigned int row, failed;

static void *
share(size_t length)
{
	void *map = mmap(NULL, length, PROT_READ | PROT_WRITE,
			 MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	if (map == MAP_FAILED) {
		perror("mmap");
		exit(1);
	}
	return map;
}

static void
result(bool good, const char *name)
{
	failed += !good;
	printf("%s %u - %s\n", good ? "ok" : "not ok", ++row, name);
}

/* @times: replay the corpus so often; 0: until @end run others. */
static pid_t
start(unsigned int number, double end, uint64_t round, unsigned int times)
{
	struct work todo = {
		.shared = shared,
		.ring = &ring->workers[number],
		.seed = options.seed + round * 1000 + number,
		.end = end,
		.replay = times > 0,
		.times = times,
		.alone = options.workers == 1,
		.keep = keep,
	};
	pid_t child;

	fflush(stdout);
	child = fork();
	if (child == 0) {
		_exit(work(&todo));
	}
	return child;
}

static void
progress(double from)
{
	double seconds = now() - from;

	printf("# %.0f s: %llu programs, %.0f a second, %.1f %% import, %u places, "
	       "%u steps, corpus %u\n",
	       seconds, (unsigned long long)shared->programs,
	       (double)shared->programs / seconds,
	       100.0 * (double)shared->imported / (double)(shared->programs + !shared->programs),
	       shared->map.place_count, shared->map.step_count, shared->corpus.count);
	fflush(stdout);
	ring->programs = shared->programs;
	ring->imported = shared->imported;
}

/*
 * All workers, until the round is over. One that dies (the kernel may take its memory)
 * is replaced. Returns how many died.
 */
static unsigned int
run_round(double end, uint64_t round, unsigned int times)
{
	unsigned int alive = 0, died = 0;
	pid_t workers[RING_WORKERS];
	int status;

	for (unsigned int i = 0; i < options.workers; i++) {
		workers[i] = start(i, end, round, times);
		alive += workers[i] > 0;
	}
	while (alive > 0) {
		pid_t child = wait(&status);

		alive--;
		if (status == 0) {
			continue;
		}
		printf("# a worker ended with status 0x%x\n", (unsigned int)status);
		died++;
		for (unsigned int i = 0; i < options.workers && died < 100; i++) {
			if (workers[i] == child) {
				workers[i] = start(i, end, round + died, times);
				alive += workers[i] > 0;
			}
		}
	}
	return died;
}

static void
print_times(void)
{
	for (unsigned int i = 0; i < op_count; i++) {
		uint64_t count = shared->times.count[i];

		printf("# %-14s %8llu times, %8.0f us each, %6.1f s\n", ops[i].name,
		       (unsigned long long)count,
		       (double)shared->times.ns[i] / 1e3 / (double)(count + !count),
		       (double)shared->times.ns[i] / 1e9);
	}
	printf("# to give all back: %.1f s\n", (double)shared->times.end_ns / 1e9);
}

static void
fuzz(void)
{
	static char text[MAX_CALLS * MAX_LINE];
	double from = now(), end = from + options.seconds;
	uint32_t saved = shared->corpus.count;
	/* What was kept was new once: it shall not be again. */
	unsigned int times = options.replay > 0 ? options.replay : saved > 0;
	unsigned int died = 0;
	bool clean = true;
	uint64_t round = 0;

	nothing_left();
	while (clean && (options.replay > 0 ? round == 0 : now() < end)) {
		double stop = now() + ROUND_SECONDS;

		died += run_round(stop < end ? stop : end, ++round, times);
		times = options.replay;
		limits_undo();
		devices_rebind();
		clean = nothing_left() && shared->leaky.count == 0;
		progress(from);
		if (options.save != NULL && keep == NULL) {
			saved = corpus_save(&shared->corpus, saved, options.save);
		}
	}
	if (keep != NULL && options.save != NULL) {
		corpus_save(keep, 0, options.save);
		printf("# kept %u of %u programs\n", keep->count,
		       shared->corpus.count);
	}
	if (shared->leaky.count > 0) {
		program_print(&shared->leaky, text, sizeof(text));
		printf("# something is alive after\n%s", text);
	}
	if (options.timed) {
		print_times();
	}
	result(shared->programs > 0, options.replay ? "the corpus was run" :
						      "programs were run");
	result(clean, "after each round nothing is alive");
	result(died < 20, "workers live");
	printf("# fuzz: programs %llu imported %llu imported-user %llu seconds %.0f "
	       "seen %d\n",
	       (unsigned long long)shared->programs,
	       (unsigned long long)shared->imported,
	       (unsigned long long)shared->imported_user, now() - from, shared->seen);
}

static void
list(void)
{
	static char text[MAX_CALLS * MAX_LINE];

	for (uint32_t i = 0; i < shared->corpus.count; i++) {
		program_print(&shared->corpus.programs[i], text, sizeof(text));
		printf("%s\n", text);
	}
}

static void
parse_options(int count, char **words)
{
	for (int i = 0; i < count; i++) {
		const char *word = words[i];
		const char *value = i + 1 < count ? words[i + 1] : "";

		if (strcmp(word, "--smallest") == 0) {
			options.smallest = true;
			continue;
		} else if (strcmp(word, "--times") == 0) {
			options.timed = true;
			run_times = &shared->times;
			continue;
		} else if (strcmp(word, "--list") == 0) {
			options.list = true;
			continue;
		}
		i++;
		if (strcmp(word, "--seconds") == 0) {
			options.seconds = atof(value);
		} else if (strcmp(word, "--seed") == 0) {
			options.seed = strtoull(value, NULL, 0);
		} else if (strcmp(word, "--workers") == 0) {
			options.workers = (unsigned int)atoi(value) % (RING_WORKERS + 1);
		} else if (strcmp(word, "--corpus") == 0) {
			if (!corpus_load(&shared->corpus, value)) {
				exit(1);
			}
		} else if (strcmp(word, "--save") == 0) {
			options.save = value;
		} else if (strcmp(word, "--replay") == 0) {
			options.replay = (unsigned int)atoi(value);
		} else if (strcmp(word, "--gcov") == 0) {
			options.gcov = value;
		} else if (strcmp(word, "--check") == 0) {
			options.check = (unsigned int)atoi(value);
		} else if (strcmp(word, "--ring") == 0) {
			exit(ring_print(value));
		} else {
			fprintf(stderr, "fuzz: unknown option %s\n", word);
			exit(2);
		}
	}
}

int
main(int argc, char **argv)
{
	char *words[64], *text = getenv("FUZZ_OPTIONS"), *rest;
	int count = 0;

	setvbuf(stdout, NULL, _IOLBF, 0);
	shared = share(sizeof(*shared));
	options.seed = (uint64_t)time(NULL);
	if (text != NULL) {
		text = strdup(text);
		for (char *word = strtok_r(text, " ", &rest); word != NULL && count < 64;
		     word = strtok_r(NULL, " ", &rest)) {
			words[count++] = word;
		}
		parse_options(count, words);
	}
	parse_options(argc - 1, argv + 1);
	if (options.list) {
		list();
		return 0;
	}
	generate_prepare();
	if (options.check > 0) {
		return check(&shared->corpus, options.check);
	}
	if (options.smallest) {
		keep = share(sizeof(*keep));
	}
	ring = ring_open();
	if (ring == NULL) {
		return 1;
	}
	memset(ring, 0, sizeof(*ring));
	devices_find();
	limits_find();
	setup_faults();
	if (!setup_firmware()) {
		printf("# no firmware: %m\n");
	}
	if (options.gcov != NULL) {
		setup_put("/sys/kernel/debug/gcov/reset", "1");
	}
	printf("# seed %llu, %u programs to begin with\n",
	       (unsigned long long)options.seed, shared->corpus.count);
	fuzz();
	if (options.gcov != NULL) {
		result(setup_gcov_copy(options.gcov), "gcov's counters were copied");
	}
	printf("1..%u\n", row);
	return failed > 0;
}
