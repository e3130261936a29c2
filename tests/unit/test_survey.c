/* SPDX-License-Identifier: MIT */
/*
 * Which blocks of memory to empty (kernel/survey.c): named rows, and a property
 * test against brute force.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

#include "../../kernel/constraint.c"
#include "../../kernel/survey.c"

#define STAYS BUFALLOC_BLOCK_STAYS
#define NEED(LIMIT, BOUNDARY) \
	{ .limit = (LIMIT), .boundary = (BOUNDARY), \
	  .longest = BUFALLOC_ANY_LENGTH, .one_run = true }
#define ANY NEED(BUFALLOC_ANY_ADDRESS, BUFALLOC_ANY_BOUNDARY)
#define LIMIT(limit) NEED(limit, BUFALLOC_ANY_BOUNDARY)
#define MAX_BLOCKS 16

/* Blocks of 16 bytes, from 256 on. */
#define SHIFT 4
#define START 256

struct row {
	const char *name;
	u16 costs[MAX_BLOCKS];
	unsigned int count;
	u64 length;
	struct bufalloc_need need;
	int expected;
};

static const struct row rows[] = {
	{ "no memory", { 0 }, 0, 16, ANY, -1 },
	{ "one free block", { 0 }, 1, 16, ANY, 0 },
	{ "one byte more than a block", { 0 }, 1, 17, ANY, -1 },
	{ "one byte", { 5, 3, 4 }, 3, 1, ANY, 1 },
	{ "the cheapest of single blocks", { 5, 3, 1, 2 }, 4, 16, ANY, 2 },
	{ "the lowest of equal ones", { 4, 2, 7, 2 }, 4, 16, ANY, 1 },
	{ "the cheapest of pairs", { 1, 9, 4, 3, 9, 1 }, 6, 32, ANY, 2 },
	{ "not across one that stays", { 0, STAYS, 0, 8, 8 }, 5, 32, ANY, 2 },
	{ "all stay", { STAYS, STAYS, STAYS }, 3, 16, ANY, -1 },
	{ "all of them", { 1, 1, 1, 1 }, 4, 64, ANY, 0 },
	{ "more than all of them", { 1, 1, 1, 1 }, 4, 65, ANY, -1 },
	{ "longer than any memory", { 1, 1, 1, 1 }, 4, ~(u64)0, ANY, -1 },
	{ "not beyond the limit", { 3, 2, 1 }, 3, 16,
	  LIMIT(START + 32 - 1), 1 },
	{ "a limit within the last block", { 3, 2, 1 }, 3, 8,
	  LIMIT(START + 40 - 1), 2 },
	{ "not across a boundary", { 9, 0, 0, 1 }, 4, 32,
	  NEED(BUFALLOC_ANY_ADDRESS, 31), 2 },
};

static int
cheapest(const u16 *costs, unsigned int count, const struct bufalloc_need *need,
	 u64 length)
{
	u16 copy[MAX_BLOCKS];
	struct bufalloc_survey survey = { START, SHIFT, count, copy };

	for (unsigned int i = 0; i < count; i++) {
		copy[i] = costs[i];
	}
	return bufalloc_survey_cheapest(&survey, need, length);
}

static void
test_row(void **state)
{
	const struct row *row = *state;

	assert_int_equal(cheapest(row->costs, row->count, &row->need, row->length),
			 row->expected);
}

/* Every start, block by block. */
static int
brute_force(const u16 *costs, unsigned int count,
	    const struct bufalloc_need *need, u64 length)
{
	unsigned long best_sum = ~0ul;
	int best = -1;

	for (unsigned int first = 0; first < count; first++) {
		u64 start = START + (first << SHIFT);
		bool possible = first * 16 + length <= count * 16;
		unsigned long sum = 0;

		for (u64 at = 0; possible && at < length; at++) {
			u16 cost = costs[first + at / 16];

			possible = cost != STAYS && start + at <= need->limit &&
				   (start & ~need->boundary) ==
					   ((start + at) & ~need->boundary);
			if (at % 16 == 0) {
				sum += cost;
			}
		}
		if (possible && sum < best_sum) {
			best_sum = sum;
			best = (int)first;
		}
	}
	return best;
}

static void
test_against_brute_force(void **state)
{
	unsigned int seed = 20261121;

	(void)state;
	for (int round = 0; round < 20000; round++) {
		struct bufalloc_need need = ANY;
		unsigned int count = (unsigned int)rand_r(&seed) % (MAX_BLOCKS + 1);
		u64 length = 1 + (u64)rand_r(&seed) % 100;
		u16 costs[MAX_BLOCKS];

		for (unsigned int i = 0; i < count; i++) {
			costs[i] = rand_r(&seed) % 5 ? (u16)(rand_r(&seed) % 6) :
						       STAYS;
		}
		if (rand_r(&seed) % 2) {
			need.limit = START + (u64)rand_r(&seed) % 256;
		}
		if (rand_r(&seed) % 2) {
			need.boundary = ((u64)1 << rand_r(&seed) % 9) - 1;
		}
		assert_int_equal(cheapest(costs, count, &need, length),
				 brute_force(costs, count, &need, length));
	}
}

int
main(void)
{
	enum { ROWS = sizeof(rows) / sizeof(rows[0]) };
	struct CMUnitTest tests[ROWS + 1];

	for (int i = 0; i < ROWS; i++) {
		tests[i] = (struct CMUnitTest){
			.name = rows[i].name,
			.test_func = test_row,
			.initial_state = (void *)&rows[i],
		};
	}
	tests[ROWS] = (struct CMUnitTest)cmocka_unit_test(test_against_brute_force);
	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL) == 0 ? 0 : 1;
}
