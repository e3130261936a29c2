/* SPDX-License-Identifier: MIT */
/* The names of the heaps. */
#include "mock.h"

static void
names_are_the_documented_ones(void **state)
{
	(void)state;
	assert_string_equal(bufalloc_heap_name(BUFALLOC_AUTO), "auto");
	assert_string_equal(bufalloc_heap_name(BUFALLOC_SYSTEM), "system");
	assert_string_equal(bufalloc_heap_name(BUFALLOC_CONTIG), "contig");
	assert_string_equal(bufalloc_heap_name(BUFALLOC_RESERVED), "reserved");
	assert_string_equal(bufalloc_heap_name(BUFALLOC_DEVICE_MEMORY), "device");
	assert_string_equal(bufalloc_heap_name(BUFALLOC_USER), "user");
}

static void
unknown_heap_has_no_name(void **state)
{
	static const int rows[] = { 6, 7, 100, -1, INT32_MAX, INT32_MIN };
	size_t i;

	(void)state;
	for (i = 0; i < LEN(rows); i++) {
		assert_null(bufalloc_heap_name((enum bufalloc_heap)rows[i]));
	}
}

static void
name_is_found(void **state)
{
	enum bufalloc_heap heap;

	(void)state;
	heap = BUFALLOC_CONTIG;
	assert_int_equal(bufalloc_heap_from_name("system", &heap), 0);
	assert_int_equal(heap, 1);
	assert_int_equal(bufalloc_heap_from_name("contig", &heap), 0);
	assert_int_equal(heap, 2);
	assert_int_equal(bufalloc_heap_from_name("reserved", &heap), 0);
	assert_int_equal(heap, 3);
	assert_int_equal(bufalloc_heap_from_name("device", &heap), 0);
	assert_int_equal(heap, 4);
	assert_int_equal(bufalloc_heap_from_name("auto", &heap), 0);
	assert_int_equal(heap, 0);
	assert_int_equal(bufalloc_heap_from_name("user", &heap), 0);
	assert_int_equal(heap, 5);
}

static void
unknown_name_is_einval_and_changes_nothing(void **state)
{
	static const char *const rows[] = {
		"", "System", "contig ", " system", "cma", "Auto", "syste", "systemx",
	};
	enum bufalloc_heap heap = (enum bufalloc_heap)77;
	size_t i;

	(void)state;
	for (i = 0; i < LEN(rows); i++) {
		assert_int_equal(bufalloc_heap_from_name(rows[i], &heap),
				 -EINVAL);
		assert_int_equal(heap, 77);
	}
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, mock_setup, mock_teardown)

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		TEST(names_are_the_documented_ones),
		TEST(unknown_heap_has_no_name),
		TEST(name_is_found),
		TEST(unknown_name_is_einval_and_changes_nothing),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL) == 0 ? 0 : 1;
}
