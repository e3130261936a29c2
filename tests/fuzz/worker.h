/* SPDX-License-Identifier: MIT */
/*
 * What runs programs, in processes of their own, and what those share.
 */
#ifndef FUZZ_WORKER_H
#define FUZZ_WORKER_H

#include <stdbool.h>
#include <stdint.h>

#include "corpus.h"
#include "cover.h"
#include "ring.h"
#include "run.h"

/**
 * struct shared - of all workers and their parent
 * @map: what ran
 * @programs: that were run
 * @imported: of those: a device imported a buffer of bufalloc's
 * @imported_user: of those: IMPORT_USER took memory
 * @next: the next program to replay
 * @leaky: the program that left something alive; its count is 0 if none did
 * @times: how long calls took
 * @seen: by kcov; else all is blind
 * @corpus: what is kept, and what was loaded
 */
struct shared {
	struct cover_map map;
	uint64_t programs;
	uint64_t imported;
	uint64_t imported_user;
	uint32_t next;
	struct program leaky;
	struct times times;
	bool seen;
	struct corpus corpus;
};

/**
 * struct work - what a worker does
 * @shared: see there
 * @ring: of this worker
 * @seed: of its random numbers
 * @end: monotonic time when it ends, in seconds
 * @replay: run each program of the corpus, @times times, and nothing else
 * @times: see @replay
 * @alone: look after each program whether something is alive
 * @keep: replay: the programs that ran something new, or NULL
 */
struct work {
	struct shared *shared;
	struct ring_worker *ring;
	uint64_t seed;
	double end;
	bool replay;
	unsigned int times;
	bool alone;
	struct corpus *keep;
};

double
now(void);

/* Is alive what was alive when this was called first? Within a second. */
bool
nothing_left(void);

/* Returns the process's exit status. */
int
work(const struct work *work);

#endif /* FUZZ_WORKER_H */
