/* SPDX-License-Identifier: MIT */
/*
 * How the needs of devices merge (kernel/constraint.c): tables of named rows,
 * and a property test against brute force over all of a small memory.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

#include "../../kernel/constraint.c"

#define ANY_A BUFALLOC_ANY_ADDRESS
#define ANY_B BUFALLOC_ANY_BOUNDARY
#define MAX_NEEDS 4

struct row {
	const char *name;
	struct bufalloc_need needs[MAX_NEEDS];
	int count;
	struct bufalloc_merged expected;
};

static const struct row rows[] = {
	{ "nobody", { { 0 } }, 0,
	  { { ANY_A, ANY_B, false, false }, -1, -1, -1, -1, 0 } },
	{ "one that needs nothing", { { ANY_A, ANY_B, false, false } }, 1,
	  { { ANY_A, ANY_B, false, false }, -1, -1, -1, -1, 0 } },
	{ "masks of 64, 32 and 28 bits",
	  { { ANY_A, ANY_B, false, false },
	    { 0xffffffff, ANY_B, false, false },
	    { 0x0fffffff, ANY_B, false, false } }, 3,
	  { { 0x0fffffff, ANY_B, false, false }, 2, -1, -1, -1, 0 } },
	{ "the first of two equal masks",
	  { { 0xffffffff, ANY_B, false, false },
	    { 0xffffffff, ANY_B, false, false } }, 2,
	  { { 0xffffffff, ANY_B, false, false }, 0, -1, -1, -1, 0 } },
	{ "one run because of the second",
	  { { ANY_A, ANY_B, false, false },
	    { ANY_A, ANY_B, true, false },
	    { ANY_A, ANY_B, true, false } }, 3,
	  { { ANY_A, ANY_B, true, false }, -1, -1, 1, -1, 0 } },
	{ "the smaller boundary",
	  { { ANY_A, 0xfffffff, true, false },
	    { ANY_A, 0xffffff, true, false } }, 2,
	  { { ANY_A, 0xffffff, true, false }, -1, 1, 0, -1, 0 } },
	{ "a kernel mapping because of the second",
	  { { ANY_A, ANY_B, false, false },
	    { ANY_A, ANY_B, false, true } }, 2,
	  { { ANY_A, ANY_B, false, true }, -1, -1, -1, 1, 0 } },
	{ "each from another",
	  { { 0xffffffff, ANY_B, false, false },
	    { ANY_A, 0xfffff, true, false },
	    { ANY_A, ANY_B, false, true } }, 3,
	  { { 0xffffffff, 0xfffff, true, true }, 0, 1, 1, 2, 0 } },
};

static struct bufalloc_merged
merge(const struct bufalloc_need *needs, int count)
{
	struct bufalloc_merged merged;

	bufalloc_constraint_init(&merged);
	for (int i = 0; i < count; i++) {
		bufalloc_constraint_merge(&merged, &needs[i], i);
	}
	return merged;
}

static void
test_row(void **state)
{
	const struct row *row = *state;
	struct bufalloc_merged merged = merge(row->needs, row->count);

	assert_true(merged.need.limit == row->expected.need.limit);
	assert_true(merged.need.boundary == row->expected.need.boundary);
	assert_int_equal(merged.need.one_run, row->expected.need.one_run);
	assert_int_equal(merged.need.vmap, row->expected.need.vmap);
	assert_int_equal(merged.limit_by, row->expected.limit_by);
	assert_int_equal(merged.boundary_by, row->expected.boundary_by);
	assert_int_equal(merged.one_run_by, row->expected.one_run_by);
	assert_int_equal(merged.vmap_by, row->expected.vmap_by);
	/* What the caller wants is no device's business. */
	assert_true(merged.attributes == 0);
}

static void
test_conflicts(void **state)
{
	static const struct {
		struct bufalloc_need need;
		u64 length;
		enum bufalloc_conflict conflict;
		u64 attributes;
	} cases[] = {
		{ { ANY_A, ANY_B, false, false }, 1, BUFALLOC_CONFLICT_NONE, 0 },
		{ { ANY_A, ANY_B, true, false }, ~(u64)0, BUFALLOC_CONFLICT_NONE, 0 },
		{ { 0xffff, ANY_B, false, false }, 0x10000, BUFALLOC_CONFLICT_NONE, 0 },
		{ { 0xffff, ANY_B, false, false }, 0x10001, BUFALLOC_CONFLICT_LIMIT, 0 },
		{ { ANY_A, 0xfff, true, false }, 0x1000, BUFALLOC_CONFLICT_NONE, 0 },
		{ { ANY_A, 0xfff, true, false }, 0x1001, BUFALLOC_CONFLICT_BOUNDARY, 0 },
		/* What is scattered is cut at the boundary. */
		{ { ANY_A, 0xfff, false, false }, 0x1001, BUFALLOC_CONFLICT_NONE, 0 },
		{ { ANY_A, ANY_B, false, true }, 1, BUFALLOC_CONFLICT_NONE, 0 },
		{ { ANY_A, ANY_B, false, true }, 1, BUFALLOC_CONFLICT_VMAP,
		  BUFALLOC_ATTRIBUTE_NEVER_CPU },
		{ { ANY_A, ANY_B, true, false }, 1, BUFALLOC_CONFLICT_NONE,
		  BUFALLOC_ATTRIBUTE_NEVER_CPU },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct bufalloc_merged merged = merge(&cases[i].need, 1);

		merged.attributes = cases[i].attributes;
		assert_int_equal(bufalloc_constraint_conflict(&merged,
							      cases[i].length),
				 cases[i].conflict);
	}
}

static void
test_range_overflow(void **state)
{
	struct bufalloc_need any = { ANY_A, ANY_B, true, false };

	(void)state;
	assert_true(bufalloc_constraint_range_fits(&any, 0, ~(u64)0));
	assert_true(bufalloc_constraint_range_fits(&any, ~(u64)0, 1));
	assert_false(bufalloc_constraint_range_fits(&any, ~(u64)0, 2));
	assert_false(bufalloc_constraint_range_fits(&any, 2, ~(u64)0));
}

/* Byte by byte: does each device reach it, and is no boundary crossed? */
static bool
brute_force_fits(const struct bufalloc_need *needs, int count, u64 start,
		 u64 length)
{
	for (int i = 0; i < count; i++) {
		for (u64 at = start; at < start + length; at++) {
			if (at > needs[i].limit) {
				return false;
			}
			if (at > start && needs[i].boundary != ANY_B &&
			    at % (needs[i].boundary + 1) == 0) {
				return false;
			}
		}
	}
	return true;
}

static void
test_against_brute_force(void **state)
{
	const u64 memory = 64;
	unsigned int seed = 20261121;

	(void)state;
	for (int round = 0; round < 3000; round++) {
		struct bufalloc_need needs[MAX_NEEDS];
		struct bufalloc_merged merged;
		int count = (int)(rand_r(&seed) % (MAX_NEEDS + 1));
		u64 length = 1 + (u64)rand_r(&seed) % memory;
		bool possible = false, forbidden = false;

		for (int i = 0; i < count; i++) {
			needs[i].limit = rand_r(&seed) % 3 ? ANY_A :
				(u64)rand_r(&seed) % memory;
			needs[i].boundary = rand_r(&seed) % 3 ? ANY_B :
				((u64)1 << rand_r(&seed) % 7) - 1;
			needs[i].one_run = true;
			needs[i].vmap = rand_r(&seed) % 2;
		}
		merged = merge(needs, count);
		if (rand_r(&seed) % 2) {
			merged.attributes = BUFALLOC_ATTRIBUTE_NEVER_CPU;
		}
		for (int i = 0; i < count; i++) {
			forbidden |= needs[i].vmap && merged.attributes != 0;
		}
		for (u64 start = 0; start + length <= memory; start++) {
			bool fits = brute_force_fits(needs, count, start, length);

			assert_int_equal(
				bufalloc_constraint_range_fits(&merged.need, start,
							       length),
				fits);
			possible |= fits;
		}
		if (count > 0) {
			assert_int_equal(
				bufalloc_constraint_conflict(&merged, length) ==
					BUFALLOC_CONFLICT_NONE,
				possible && !forbidden);
		}
	}
}

int
main(void)
{
	enum { ROWS = sizeof(rows) / sizeof(rows[0]) };
	struct CMUnitTest tests[ROWS + 3];

	for (int i = 0; i < ROWS; i++) {
		tests[i] = (struct CMUnitTest){
			.name = rows[i].name,
			.test_func = test_row,
			.initial_state = (void *)&rows[i],
		};
	}
	tests[ROWS] = (struct CMUnitTest)cmocka_unit_test(test_conflicts);
	tests[ROWS + 1] = (struct CMUnitTest)cmocka_unit_test(test_range_overflow);
	tests[ROWS + 2] =
		(struct CMUnitTest)cmocka_unit_test(test_against_brute_force);
	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL) == 0 ? 0 : 1;
}
