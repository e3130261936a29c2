/* SPDX-License-Identifier: MIT */
/* bufalloc_buf_map(), _unmap(), _begin() and _end(). */
#include "mock.h"

#include <string.h>

/* Values of the ABI, written out: the library must not agree with itself. */
#define READ UINT64_C(1)
#define WRITE UINT64_C(2)
#define START UINT64_C(0)
#define END UINT64_C(4)

static const struct {
	enum bufalloc_access access;
	uint64_t flags;
} accesses[] = {
	{ BUFALLOC_READ, READ },
	{ BUFALLOC_WRITE, WRITE },
	{ BUFALLOC_READ_WRITE, READ | WRITE },
};

static const int bad_accesses[] = { 0, 4, 5, 7, -1, 1 << 30 };

struct fixture {
	struct bufalloc_ctx *ctx;
	struct bufalloc_buf *buf;
};

static struct fixture fixture;

static int
setup(void **state)
{
	mock_setup(state);
	fixture.ctx = mock_open();
	fixture.buf = mock_alloc(fixture.ctx);
	return 0;
}

static int
teardown(void **state)
{
	bufalloc_buf_destroy(fixture.buf);
	bufalloc_close(fixture.ctx);
	return mock_teardown(state);
}

static void *
map(enum bufalloc_access access, uint64_t flags)
{
	void *ptr = NULL;

	mock_expect_mmap(MOCK_LENGTH, 0);
	mock_expect_sync(START | flags, 0);
	assert_int_equal(bufalloc_buf_map(fixture.buf, access, &ptr), 0);
	assert_non_null(ptr);
	mock_expect_nothing_left();
	return ptr;
}

static void
map_and_unmap_sync_what_was_asked(void **state)
{
	size_t i;

	(void)state;
	for (i = 0; i < LEN(accesses); i++) {
		void *ptr = map(accesses[i].access, accesses[i].flags);

		memset(ptr, 0x5a, MOCK_LENGTH); /* all of it is there */
		mock_expect_sync(END | accesses[i].flags, 0);
		mock_expect_munmap();
		assert_int_equal(bufalloc_buf_unmap(fixture.buf), 0);
		mock_expect_nothing_left();
	}
}

static void
interrupted_sync_is_retried(void **state)
{
	static const int rows[] = { EINTR, EAGAIN };
	void *ptr;
	size_t i;

	(void)state;
	for (i = 0; i < LEN(rows); i++) {
		mock_expect_mmap(MOCK_LENGTH, 0);
		mock_expect_sync(START | READ, rows[i]);
		mock_expect_sync(START | READ, rows[1 - i]);
		mock_expect_sync(START | READ, rows[i]);
		mock_expect_sync(START | READ, 0);
		assert_int_equal(bufalloc_buf_map(fixture.buf, BUFALLOC_READ,
						  &ptr),
				 0);
		mock_expect_sync(END | READ, rows[i]);
		mock_expect_sync(END | READ, rows[1 - i]);
		mock_expect_sync(END | READ, 0);
		mock_expect_munmap();
		assert_int_equal(bufalloc_buf_unmap(fixture.buf), 0);

		mock_expect_sync(START | WRITE, rows[i]);
		mock_expect_sync(START | WRITE, 0);
		assert_int_equal(bufalloc_buf_begin(fixture.buf,
						    BUFALLOC_WRITE),
				 0);
		mock_expect_sync(END | WRITE, rows[i]);
		mock_expect_sync(END | WRITE, 0);
		assert_int_equal(bufalloc_buf_end(fixture.buf, BUFALLOC_WRITE),
				 0);
		mock_expect_nothing_left();
	}
}

static void
failed_map_changes_nothing(void **state)
{
	static const int rows[] = { ENOMEM, EINVAL, EACCES, EPERM, EIO };
	void *const untouched = (void *)0x1234;
	void *ptr = untouched;
	size_t i;

	(void)state;
	for (i = 0; i < LEN(rows); i++) {
		mock_expect_mmap(MOCK_LENGTH, rows[i]);
		assert_int_equal(bufalloc_buf_map(fixture.buf, BUFALLOC_READ,
						  &ptr),
				 -rows[i]);
		assert_ptr_equal(ptr, untouched);

		mock_expect_mmap(MOCK_LENGTH, 0);
		mock_expect_sync(START | READ, rows[i]);
		mock_expect_munmap();
		assert_int_equal(bufalloc_buf_map(fixture.buf, BUFALLOC_READ,
						  &ptr),
				 -rows[i]);
		assert_ptr_equal(ptr, untouched);
		mock_expect_nothing_left();

		assert_int_equal(bufalloc_buf_unmap(fixture.buf), -EINVAL);
	}
}

/* Each map begins its access; the last unmap ends all of them. */
static void
nested_maps_share_a_mapping(void **state)
{
	void *const untouched = (void *)0x1234;
	void *first, *ptr = NULL;

	(void)state;
	first = map(BUFALLOC_READ, READ);
	mock_expect_sync(START | WRITE, 0);
	assert_int_equal(bufalloc_buf_map(fixture.buf, BUFALLOC_WRITE, &ptr), 0);
	assert_ptr_equal(ptr, first);
	ptr = untouched;
	mock_expect_sync(START | READ, EIO);
	assert_int_equal(bufalloc_buf_map(fixture.buf, BUFALLOC_READ, &ptr), -EIO);
	assert_ptr_equal(ptr, untouched);
	assert_int_equal(bufalloc_buf_unmap(fixture.buf), 0);
	mock_expect_sync(END | READ | WRITE, 0);
	mock_expect_munmap();
	assert_int_equal(bufalloc_buf_unmap(fixture.buf), 0);
	assert_int_equal(bufalloc_buf_unmap(fixture.buf), -EINVAL);
	mock_expect_nothing_left();
}

/* A map that fails is none, and one that does not is one. */
static void
each_map_wants_its_unmap(void **state)
{
	void *ptr = NULL;

	(void)state;
	map(BUFALLOC_READ, READ);
	mock_expect_sync(START | READ, EIO);
	assert_int_equal(bufalloc_buf_map(fixture.buf, BUFALLOC_READ, &ptr), -EIO);
	mock_expect_sync(END | READ, 0);
	mock_expect_munmap();
	assert_int_equal(bufalloc_buf_unmap(fixture.buf), 0);
	mock_expect_nothing_left();

	map(BUFALLOC_READ, READ);
	mock_expect_sync(START | READ, 0);
	assert_int_equal(bufalloc_buf_map(fixture.buf, BUFALLOC_READ, &ptr), 0);
	assert_int_equal(bufalloc_buf_unmap(fixture.buf), 0);
	mock_expect_sync(END | READ, 0);
	mock_expect_munmap();
	assert_int_equal(bufalloc_buf_unmap(fixture.buf), 0);
	mock_expect_nothing_left();
}

static void
destroy_ends_nested_maps(void **state)
{
	void *ptr = NULL;

	(void)state;
	map(BUFALLOC_READ, READ);
	mock_expect_sync(START | READ, 0);
	assert_int_equal(bufalloc_buf_map(fixture.buf, BUFALLOC_READ, &ptr), 0);
	mock_expect_sync(END | READ, 0);
	mock_expect_munmap();
	bufalloc_buf_destroy(fixture.buf);
	fixture.buf = NULL;
}

static void
bad_access_is_einval(void **state)
{
	void *const untouched = (void *)0x1234;
	void *ptr = untouched;
	size_t i;

	(void)state;
	for (i = 0; i < LEN(bad_accesses); i++) {
		enum bufalloc_access access =
			(enum bufalloc_access)bad_accesses[i];

		assert_int_equal(bufalloc_buf_map(fixture.buf, access, &ptr),
				 -EINVAL);
		assert_ptr_equal(ptr, untouched);
		assert_int_equal(bufalloc_buf_begin(fixture.buf, access),
				 -EINVAL);
		assert_int_equal(bufalloc_buf_end(fixture.buf, access),
				 -EINVAL);
	}
}

static void
unmap_without_map_is_einval(void **state)
{
	(void)state;
	assert_int_equal(bufalloc_buf_unmap(fixture.buf), -EINVAL);
}

static void
unmap_unmaps_when_the_sync_fails(void **state)
{
	(void)state;
	map(BUFALLOC_WRITE, WRITE);
	mock_expect_sync(END | WRITE, EIO);
	mock_expect_munmap();
	assert_int_equal(bufalloc_buf_unmap(fixture.buf), -EIO);
	assert_int_equal(bufalloc_buf_unmap(fixture.buf), -EINVAL);
	map(BUFALLOC_READ, READ); /* and can be mapped again, afresh */
	mock_expect_sync(END | READ, 0);
	mock_expect_munmap();
	assert_int_equal(bufalloc_buf_unmap(fixture.buf), 0);
}

static void
begin_and_end_sync_what_was_asked(void **state)
{
	size_t i;

	(void)state;
	for (i = 0; i < LEN(accesses); i++) {
		mock_expect_sync(START | accesses[i].flags, 0);
		assert_int_equal(bufalloc_buf_begin(fixture.buf,
						    accesses[i].access),
				 0);
		mock_expect_sync(END | accesses[i].flags, 0);
		assert_int_equal(bufalloc_buf_end(fixture.buf,
						  accesses[i].access),
				 0);
		mock_expect_sync(START | accesses[i].flags, EIO);
		assert_int_equal(bufalloc_buf_begin(fixture.buf,
						    accesses[i].access),
				 -EIO);
		mock_expect_sync(END | accesses[i].flags, ENOTTY);
		assert_int_equal(bufalloc_buf_end(fixture.buf,
						  accesses[i].access),
				 -ENOTTY);
		mock_expect_nothing_left();
	}
}

static void
unmap_ends_what_has_begun_and_nothing_twice(void **state)
{
	(void)state;

	/* Everything was ended: no sync at all. */
	map(BUFALLOC_READ_WRITE, READ | WRITE);
	mock_expect_sync(END | READ | WRITE, 0);
	assert_int_equal(bufalloc_buf_end(fixture.buf, BUFALLOC_READ_WRITE), 0);
	mock_expect_munmap();
	assert_int_equal(bufalloc_buf_unmap(fixture.buf), 0);

	/* One of two was ended. */
	map(BUFALLOC_READ_WRITE, READ | WRITE);
	mock_expect_sync(END | READ, 0);
	assert_int_equal(bufalloc_buf_end(fixture.buf, BUFALLOC_READ), 0);
	mock_expect_sync(END | WRITE, 0);
	mock_expect_munmap();
	assert_int_equal(bufalloc_buf_unmap(fixture.buf), 0);

	/* Another one began; its end failed. */
	map(BUFALLOC_READ, READ);
	mock_expect_sync(START | WRITE, 0);
	assert_int_equal(bufalloc_buf_begin(fixture.buf, BUFALLOC_WRITE), 0);
	mock_expect_sync(END | WRITE, EIO);
	assert_int_equal(bufalloc_buf_end(fixture.buf, BUFALLOC_WRITE), -EIO);
	mock_expect_sync(END | READ | WRITE, 0);
	mock_expect_munmap();
	assert_int_equal(bufalloc_buf_unmap(fixture.buf), 0);

	/* One that failed to begin is not ended. */
	map(BUFALLOC_READ, READ);
	mock_expect_sync(START | WRITE, EIO);
	assert_int_equal(bufalloc_buf_begin(fixture.buf, BUFALLOC_WRITE), -EIO);
	mock_expect_sync(END | READ, 0);
	mock_expect_munmap();
	assert_int_equal(bufalloc_buf_unmap(fixture.buf), 0);
}

static void
destroy_unmaps(void **state)
{
	(void)state;
	map(BUFALLOC_READ_WRITE, READ | WRITE);
	mock_expect_sync(END | READ | WRITE, EINTR);
	mock_expect_sync(END | READ | WRITE, EIO);
	mock_expect_munmap();
	bufalloc_buf_destroy(fixture.buf);
	fixture.buf = NULL;
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		TEST(map_and_unmap_sync_what_was_asked),
		TEST(interrupted_sync_is_retried),
		TEST(failed_map_changes_nothing),
		TEST(nested_maps_share_a_mapping),
		TEST(each_map_wants_its_unmap),
		TEST(destroy_ends_nested_maps),
		TEST(bad_access_is_einval),
		TEST(unmap_without_map_is_einval),
		TEST(unmap_unmaps_when_the_sync_fails),
		TEST(begin_and_end_sync_what_was_asked),
		TEST(unmap_ends_what_has_begun_and_nothing_twice),
		TEST(destroy_unmaps),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL) == 0 ? 0 : 1;
}
