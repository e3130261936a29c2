/* SPDX-License-Identifier: MIT */
/* Numbers that a seed makes. */
#ifndef FUZZ_RANDOM_H
#define FUZZ_RANDOM_H

#include <stdbool.h>
#include <stdint.h>

struct random {
	uint64_t state;
};

static inline void
random_seed(struct random *random, uint64_t seed)
{
	random->state = seed * 0x9e3779b97f4a7c15ull + 0x1234567;
}

/* splitmix64 */
static inline uint64_t
random_next(struct random *random)
{
	uint64_t z = random->state += 0x9e3779b97f4a7c15ull;

	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ull;
	z = (z ^ (z >> 27)) * 0x94d049bb133111ebull;
	return z ^ (z >> 31);
}

/* Less than @end, which is not 0. */
static inline uint32_t
random_below(struct random *random, uint32_t end)
{
	return (uint32_t)((random_next(random) >> 32) * end >> 32);
}

static inline bool
random_percent(struct random *random, uint32_t percent)
{
	return random_below(random, 100) < percent;
}

#define PICK(random, table) \
	((table)[random_below(random, sizeof(table) / sizeof((table)[0]))])

#endif /* FUZZ_RANDOM_H */
