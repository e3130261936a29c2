// SPDX-License-Identifier: MIT
/*
 * One worker; see worker.h.
 */
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "generate.h"
#include "run.h"
#include "worker.h"

#define FRESH_MAX 512

double
now(void)
{
	struct timespec time;

	clock_gettime(CLOCK_MONOTONIC, &time);
	return (double)time.tv_sec + (double)time.tv_nsec / 1e9;
}

#define LIVE "/sys/kernel/debug/bufalloc/live"

/* Of a file of the kernel's that is longer, the rest is left out. */
static void
read_text(const char *path, char *text, size_t size)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t n = fd < 0 ? 0 : read(fd, text, size - 1);

	text[n > 0 ? n : 0] = '\0';
	close(fd);
}

bool
nothing_left(void)
{
	static char before[512], text[4096];

	if (before[0] == '\0') {
		read_text(LIVE, before, sizeof(before));
	}
	for (int i = 0; i < 1000; i++) {
		read_text(LIVE, text, sizeof(before));
		if (strcmp(text, before) == 0) {
			return true;
		}
		/* fput() is asynchronous. */
		nanosleep(&(struct timespec){ .tv_nsec = 1000000 }, NULL);
	}
	for (char *line = strtok(text, "\n"); line != NULL; line = strtok(NULL, "\n")) {
		printf("# alive: %s\n", line);
	}
	read_text("/sys/kernel/debug/dma_buf/bufinfo", text, sizeof(text));
	for (char *line = strtok(text, "\n"); line != NULL; line = strtok(NULL, "\n")) {
		printf("# bufinfo: %s\n", line);
	}
	return false;
}

static struct run run;
static uint32_t fresh[FRESH_MAX];

/* Run it, after it was put where it survives. How many steps were new. */
static size_t
run_one(const struct work *work, const struct program *program, int node, size_t size)
{
	struct shared *shared = work->shared;
	size_t count;

	ring_put(work->ring, program);
	cover_begin();
	run_program(&run, program, node);
	count = cover_end(&shared->map, fresh, size);
	__atomic_fetch_add(&shared->programs, 1, __ATOMIC_RELAXED);
	__atomic_fetch_add(&shared->imported, run.imported, __ATOMIC_RELAXED);
	__atomic_fetch_add(&shared->imported_user, run.imported_user, __ATOMIC_RELAXED);
	if (work->alone && shared->leaky.count == 0 && !nothing_left()) {
		shared->leaky = *program;
	}
	return count;
}

/* Take out the calls without which all that was new is still run. */
static void
shrink(const struct work *work, struct program *program, int node, size_t count)
{
	/* What it needed can be another worker's doing. */
	run_one(work, program, node, 0);
	if (!cover_has(fresh, count)) {
		return;
	}
	for (unsigned int i = program->count; i-- > 0 && program->count > 1;) {
		struct program less = *program;

		program_remove(&less, i);
		run_one(work, &less, node, 0);
		if (cover_has(fresh, count)) {
			*program = less;
		}
	}
}

static void
draw(const struct work *work, struct program *program, struct random *random)
{
	const struct corpus *corpus = &work->shared->corpus;
	uint32_t count = __atomic_load_n(&corpus->count, __ATOMIC_ACQUIRE);
	const struct program *other;

	count = count > CORPUS_MAX ? CORPUS_MAX : count;
	if (count == 0 || random_percent(random, 30)) {
		generate(program, random);
		return;
	}
	/* One of the youngest, now and then. */
	if (count > 64 && random_percent(random, 30)) {
		*program = corpus->programs[count - 1 - random_below(random, 64)];
	} else {
		*program = corpus->programs[random_below(random, count)];
	}
	/* Another worker may be writing it. */
	if (program->count > MAX_CALLS) {
		program->count = 0;
	}
	other = &corpus->programs[random_below(random, count)];
	mutate(program, other, random);
}

static void
replay(const struct work *work, int node)
{
	struct shared *shared = work->shared;

	for (;;) {
		uint32_t next = __atomic_fetch_add(&shared->next, 1, __ATOMIC_RELAXED);
		const struct program *program;

		if (next >= shared->corpus.count * work->times) {
			return;
		}
		program = &shared->corpus.programs[next % shared->corpus.count];
		run_one(work, program, node, 0);
		if (work->keep != NULL && cover_new_places() > 0) {
			corpus_add(work->keep, program);
		}
	}
}

int
work(const struct work *work)
{
	int node = open("/dev/bufalloc", O_RDWR | O_CLOEXEC);
	struct program program;
	struct random random;

	if (node < 0) {
		return 1;
	}
	work->shared->seen = cover_open();
	run_prepare();
	random_seed(&random, work->seed);
	if (work->replay) {
		replay(work, node);
		return 0;
	}
	while (now() < work->end && work->shared->leaky.count == 0) {
		size_t count;

		draw(work, &program, &random);
		count = run_one(work, &program, node, FRESH_MAX);
		if (count > 0) {
			shrink(work, &program, node,
			       count < FRESH_MAX ? count : FRESH_MAX);
			corpus_add(&work->shared->corpus, &program);
		}
	}
	return 0;
}
