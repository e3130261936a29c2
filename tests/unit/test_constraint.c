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
#define ANY_L BUFALLOC_ANY_LENGTH
#define MAX_NEEDS 4

struct row {
	const char *name;
	struct bufalloc_need needs[MAX_NEEDS];
	int count;
	struct bufalloc_merged expected;
};

/* What is named overrides what comes before it. */
#pragma GCC diagnostic ignored "-Woverride-init"

/* A need of nothing but what is named, and who it is expected to be of. */
#define NEED(...) \
	{ .limit = ANY_A, .boundary = ANY_B, .longest = ANY_L, ##__VA_ARGS__ }
#define MERGED(need, ...) \
	{ need, .limit_by = -1, .boundary_by = -1, .longest_by = -1, \
	  .one_run_by = -1, .vmap_by = -1, ##__VA_ARGS__ }

static const struct row rows[] = {
	{ "nobody", { { 0 } }, 0, MERGED(NEED()) },
	{ "one that needs nothing", { NEED() }, 1, MERGED(NEED()) },
	{ "masks of 64, 32 and 28 bits",
	  { NEED(), NEED(.limit = 0xffffffff), NEED(.limit = 0x0fffffff) }, 3,
	  MERGED(NEED(.limit = 0x0fffffff), .limit_by = 2) },
	{ "the first of two equal masks",
	  { NEED(.limit = 0xffffffff), NEED(.limit = 0xffffffff) }, 2,
	  MERGED(NEED(.limit = 0xffffffff), .limit_by = 0) },
	{ "one run because of the second",
	  { NEED(), NEED(.one_run = true), NEED(.one_run = true) }, 3,
	  MERGED(NEED(.one_run = true), .one_run_by = 1) },
	{ "the smaller boundary",
	  { NEED(.boundary = 0xfffffff, .one_run = true),
	    NEED(.boundary = 0xffffff, .one_run = true) }, 2,
	  MERGED(NEED(.boundary = 0xffffff, .one_run = true), .boundary_by = 1,
		 .one_run_by = 0) },
	{ "the shorter one, and why",
	  { NEED(.longest = 0x200000, .longest_why = 7),
	    NEED(.longest = 0x100000, .longest_why = 5),
	    NEED(.longest = 0x100000, .longest_why = 4) }, 3,
	  MERGED(NEED(.longest = 0x100000, .longest_why = 5),
		 .longest_by = 1) },
	{ "a kernel mapping because of the second",
	  { NEED(), NEED(.vmap = true) }, 2,
	  MERGED(NEED(.vmap = true), .vmap_by = 1) },
	{ "devices that nobody knows because of the second",
	  { NEED(), NEED(.unknown = true), NEED() }, 3,
	  MERGED(NEED(.unknown = true)) },
	{ "each from another",
	  { NEED(.limit = 0xffffffff),
	    NEED(.boundary = 0xfffff, .one_run = true),
	    NEED(.vmap = true), NEED(.longest = 4096, .longest_why = 6) }, 4,
	  MERGED(NEED(.limit = 0xffffffff, .boundary = 0xfffff,
		      .longest = 4096, .longest_why = 6, .one_run = true,
		      .vmap = true),
		 .limit_by = 0, .boundary_by = 1, .longest_by = 3,
		 .one_run_by = 1, .vmap_by = 2) },
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
	assert_true(merged.need.longest == row->expected.need.longest);
	assert_int_equal(merged.need.longest_why,
			 row->expected.need.longest_why);
	assert_int_equal(merged.need.one_run, row->expected.need.one_run);
	assert_int_equal(merged.need.unknown, row->expected.need.unknown);
	assert_int_equal(merged.need.vmap, row->expected.need.vmap);
	assert_int_equal(merged.limit_by, row->expected.limit_by);
	assert_int_equal(merged.boundary_by, row->expected.boundary_by);
	assert_int_equal(merged.longest_by, row->expected.longest_by);
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
		{ NEED(), 1, BUFALLOC_CONFLICT_NONE, 0 },
		{ NEED(.one_run = true), ~(u64)0, BUFALLOC_CONFLICT_NONE, 0 },
		{ NEED(.limit = 0xffff), 0x10000, BUFALLOC_CONFLICT_NONE, 0 },
		{ NEED(.limit = 0xffff), 0x10001, BUFALLOC_CONFLICT_LIMIT, 0 },
		{ NEED(.boundary = 0xfff, .one_run = true), 0x1000,
		  BUFALLOC_CONFLICT_NONE, 0 },
		{ NEED(.boundary = 0xfff, .one_run = true), 0x1001,
		  BUFALLOC_CONFLICT_BOUNDARY, 0 },
		/* What is scattered is cut at the boundary. */
		{ NEED(.boundary = 0xfff), 0x1001, BUFALLOC_CONFLICT_NONE, 0 },
		{ NEED(.longest = 0x1000), 0x1000, BUFALLOC_CONFLICT_NONE, 0 },
		{ NEED(.longest = 0x1000), 0x1001, BUFALLOC_CONFLICT_LENGTH, 0 },
		{ NEED(.longest = 0x1000), ~(u64)0, BUFALLOC_CONFLICT_LENGTH, 0 },
		{ NEED(.vmap = true), 1, BUFALLOC_CONFLICT_NONE, 0 },
		{ NEED(.vmap = true), 1, BUFALLOC_CONFLICT_VMAP,
		  BUFALLOC_ATTRIBUTE_NEVER_CPU },
		{ NEED(.one_run = true), 1, BUFALLOC_CONFLICT_NONE,
		  BUFALLOC_ATTRIBUTE_NEVER_CPU },
		/* The memory before what is mapped of it. */
		{ NEED(.limit = 0xfff, .longest = 0x1000), 0x1001,
		  BUFALLOC_CONFLICT_LIMIT, 0 },
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

/* The caller wants one run, and some device does or none. */
static void
test_caller(void **state)
{
	struct bufalloc_need needs[] = { NEED(), NEED(.one_run = true) };
	struct bufalloc_merged merged;

	(void)state;
	merged = merge(needs, 1);
	bufalloc_constraint_merge_caller(&merged, BUFALLOC_ATTRIBUTE_CONTIGUOUS);
	assert_true(merged.attributes == BUFALLOC_ATTRIBUTE_CONTIGUOUS);
	assert_true(merged.need.one_run);
	assert_int_equal(merged.one_run_by, BUFALLOC_NOBODY);

	merged = merge(needs, 2);
	bufalloc_constraint_merge_caller(&merged, BUFALLOC_ATTRIBUTE_CONTIGUOUS);
	assert_true(merged.need.one_run);
	assert_int_equal(merged.one_run_by, 1);

	merged = merge(needs, 1);
	bufalloc_constraint_merge_caller(&merged, BUFALLOC_ATTRIBUTE_UNCACHED);
	assert_false(merged.need.one_run);
}

static void
test_range_overflow(void **state)
{
	struct bufalloc_need any = NEED(.one_run = true);

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

/* Does each device take so many bytes, and are there so many for all? */
static bool
brute_force_takes(const struct bufalloc_need *needs, int count, u64 memory,
		  u64 length)
{
	u64 reached = 0;

	for (u64 at = 0; at < memory; at++) {
		bool by_all = true;

		for (int i = 0; i < count; i++) {
			by_all = by_all && at <= needs[i].limit;
		}
		reached += by_all;
	}
	for (int i = 0; i < count; i++) {
		if (length > needs[i].longest) {
			return false;
		}
	}
	return reached >= length;
}

/* Who a conflict is blamed on. */
static int
blamed(const struct bufalloc_merged *merged, enum bufalloc_conflict conflict)
{
	switch (conflict) {
	case BUFALLOC_CONFLICT_LIMIT:
		return merged->limit_by;
	case BUFALLOC_CONFLICT_BOUNDARY:
		return merged->boundary_by;
	case BUFALLOC_CONFLICT_VMAP:
		return merged->vmap_by;
	default:
		return merged->longest_by;
	}
}

static void
test_against_brute_force(void **state)
{
	const u64 memory = 64;
	unsigned int seed = 20261121;
	int conflicts = 0;

	(void)state;
	for (int round = 0; round < 5000; round++) {
		struct bufalloc_need needs[MAX_NEEDS] = { { 0 } };
		struct bufalloc_merged merged;
		enum bufalloc_conflict conflict;
		int count = (int)(rand_r(&seed) % MAX_NEEDS) + 1;
		u64 length = 1 + (u64)rand_r(&seed) % memory;
		bool one_run = false, possible = false, forbidden = false;

		for (int i = 0; i < count; i++) {
			needs[i].limit = rand_r(&seed) % 3 ? ANY_A :
				(u64)rand_r(&seed) % memory;
			needs[i].longest = rand_r(&seed) % 3 ? ANY_L :
				1 + (u64)rand_r(&seed) % memory;
			needs[i].one_run = rand_r(&seed) % 2;
			needs[i].boundary =
				rand_r(&seed) % 2 || !needs[i].one_run ? ANY_B :
				((u64)1 << rand_r(&seed) % 7) - 1;
			needs[i].vmap = rand_r(&seed) % 2;
			one_run = one_run || needs[i].one_run;
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
		possible = (possible || !one_run) && !forbidden &&
			   brute_force_takes(needs, count, memory, length);
		conflict = bufalloc_constraint_conflict(&merged, length);
		assert_int_equal(conflict == BUFALLOC_CONFLICT_NONE, possible);
		if (!possible) {
			/* Who is blamed cannot do it alone, either. */
			int device = blamed(&merged, conflict);

			assert_in_range(device, 0, count - 1);
			merged.need = needs[device];
			assert_int_equal(
				bufalloc_constraint_conflict(&merged, length),
				conflict);
			conflicts++;
		}
	}
	assert_true(conflicts > 1000 && conflicts < 4500);
}

int
main(void)
{
	enum { ROWS = sizeof(rows) / sizeof(rows[0]) };
	struct CMUnitTest tests[ROWS + 4];

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
	tests[ROWS + 3] = (struct CMUnitTest)cmocka_unit_test(test_caller);
	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL) == 0 ? 0 : 1;
}
