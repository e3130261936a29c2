/* SPDX-License-Identifier: MIT */
/*
 * What of the modules a program ran, by the kernel's KCOV, of modules that were built
 * for it (make modules INSTRUMENT=kcov). Only the calling process is seen.
 */
#ifndef FUZZ_COVER_H
#define FUZZ_COVER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Places and steps from one to the next, as bits of a hash. */
#define COVER_BITS (1u << 20)

struct cover_map {
	uint64_t places[COVER_BITS / 64];
	uint64_t steps[COVER_BITS / 64];
	uint32_t place_count, step_count;
};

/* For this process; false: the kernel cannot. */
bool
cover_open(void);
void
cover_close(void);

/* Around a run. */
void
cover_begin(void);
/*
 * Add what it ran to @map. Returns how many steps are new, at most @size of which are
 * put into @fresh.
 */
size_t
cover_end(struct cover_map *map, uint32_t *fresh, size_t size);

/* How many places were new then. */
size_t
cover_new_places(void);

/* Has the last run all of these steps? */
bool
cover_has(const uint32_t *steps, size_t count);

#endif /* FUZZ_COVER_H */
