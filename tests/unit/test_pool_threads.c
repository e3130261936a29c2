/* SPDX-License-Identifier: MIT */
/* A pool of several threads: no buffer is two's, nobody is forgotten. */
#include "scene.h"

#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>

#define THREADS 4
#define ROUNDS 1000
#define BUFFERS 3

static const struct scene heap = {
	.machine = { HEAPS(SYSTEM) },
	.length = 4096,
};

static struct bufalloc_request *req;
static struct bufalloc_ctx *ctx;
static struct bufalloc_pool *pool;
static struct bufalloc_buf *bufs[BUFFERS];
static atomic_int users[BUFFERS];

static void
open_pool(uint32_t min)
{
	req = scene_request(&heap);
	ctx = scene_open(&heap);
	pool = NULL;
	assert_int_equal(bufalloc_pool_new(ctx, req, min, BUFFERS, &pool, NULL), 0);
}

static void
close_pool(void)
{
	bufalloc_pool_destroy(pool);
	bufalloc_close(ctx);
	bufalloc_request_destroy(req);
}

static size_t
index_of(const struct bufalloc_buf *buf)
{
	size_t i = 0;

	while (i < BUFFERS && bufs[i] != buf) {
		i++;
	}
	return i;
}

/* Returns NULL, or what went wrong. */
static void *
take_and_give(void *arg)
{
	unsigned int i;

	for (i = 0; i < ROUNDS; i++) {
		struct bufalloc_buf *buf = NULL;
		int fence = -1;
		size_t which;

		if (bufalloc_pool_acquire(pool, -1, &buf) != 0) {
			return "not acquired";
		}
		which = index_of(buf);
		if (which == BUFFERS || atomic_fetch_add(&users[which], 1) != 0) {
			return "a buffer of two";
		}
		if (i % 8 == 0) {
			fence = eventfd(1, EFD_CLOEXEC | EFD_NONBLOCK); /* signaled */
		}
		atomic_fetch_sub(&users[which], 1);
		if (bufalloc_pool_release(pool, buf, fence) != 0) {
			return "not released";
		}
	}
	return arg;
}

static void
no_buffer_is_two_threads(void **state)
{
	struct bufalloc_pool_stats stats = { .size = sizeof(stats) };
	pthread_t threads[THREADS];
	void *said;
	size_t i;

	(void)state;
	open_pool(BUFFERS);
	for (i = 0; i < BUFFERS; i++) {
		assert_int_equal(bufalloc_pool_acquire(pool, 0, &bufs[i]), 0);
	}
	/* they start with nothing to take, and wait */
	for (i = 0; i < THREADS; i++) {
		assert_int_equal(pthread_create(&threads[i], NULL, take_and_give, NULL), 0);
	}
	for (i = 0; i < BUFFERS; i++) {
		assert_int_equal(bufalloc_pool_release(pool, bufs[i], -1), 0);
	}
	for (i = 0; i < THREADS; i++) {
		assert_int_equal(pthread_join(threads[i], &said), 0);
		if (said != NULL) {
			fail_msg("%s", (const char *)said);
		}
	}
	assert_int_equal(bufalloc_pool_get_stats(pool, &stats), 0);
	assert_int_equal(stats.acquired, BUFFERS + THREADS * ROUNDS);
	assert_int_equal(stats.out, 0);
	assert_int_equal(stats.waiting <= BUFFERS, 1);
	close_pool();
}

static void *
wait_for_one(void *arg)
{
	struct bufalloc_buf **buf = arg;

	return bufalloc_pool_acquire(pool, -1, buf) == 0 ? NULL : "not acquired";
}

/* Polls until the thread has begun to wait. */
static void
until_somebody_waits(void)
{
	struct bufalloc_pool_stats stats = { .size = sizeof(stats) };
	int tries;

	for (tries = 0; tries < 1000 && stats.waits == 0; tries++) {
		poll(NULL, 0, 1);
		assert_int_equal(bufalloc_pool_get_stats(pool, &stats), 0);
	}
	assert_int_equal(stats.waits, 1);
}

static void
release_and_fences_wake_who_waits(void **state)
{
	int fence;
	int with_fence;

	(void)state;
	for (with_fence = 0; with_fence < 2; with_fence++) {
		struct bufalloc_buf *got = NULL;
		pthread_t thread;
		uint64_t one = 1;
		void *said;
		size_t i;

		open_pool(BUFFERS);
		for (i = 0; i < BUFFERS; i++) {
			assert_int_equal(bufalloc_pool_acquire(pool, 0, &bufs[i]), 0);
		}
		assert_int_equal(pthread_create(&thread, NULL, wait_for_one, &got), 0);
		until_somebody_waits();
		if (with_fence) {
			fence = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
			assert_int_equal(bufalloc_pool_release(pool, bufs[1], dup(fence)), 0);
			assert_int_equal(write(fence, &one, sizeof(one)), sizeof(one));
			close(fence);
		} else {
			assert_int_equal(bufalloc_pool_release(pool, bufs[1], -1), 0);
		}
		assert_int_equal(pthread_join(thread, &said), 0);
		assert_null(said);
		assert_ptr_equal(got, bufs[1]);
		for (i = 0; i < BUFFERS; i++) {
			assert_int_equal(bufalloc_pool_release(pool, bufs[i], -1), 0);
		}
		close_pool();
	}
}

static void *
map_and_unmap(void *arg)
{
	struct bufalloc_buf *buf = arg;
	unsigned int i;

	for (i = 0; i < ROUNDS; i++) {
		enum bufalloc_access access = i % 2 == 0 ? BUFALLOC_READ : BUFALLOC_READ_WRITE;
		void *ptr = NULL;

		if (bufalloc_buf_map(buf, access, &ptr) != 0 || *(volatile char *)ptr != 0) {
			return "not mapped";
		}
		if (bufalloc_buf_unmap(buf) != 0) {
			return "not unmapped";
		}
	}
	return NULL;
}

/* A buffer that several threads look at; a memory file, which needs no sync. */
static void
threads_share_a_mapping(void **state)
{
	static const struct scene memory = { .length = 4096 };
	struct bufalloc_buf *buf = NULL;
	pthread_t threads[THREADS];
	void *said;
	size_t i;

	(void)state;
	req = scene_request(&memory);
	ctx = scene_open(&memory);
	assert_int_equal(bufalloc_alloc(ctx, req, &buf, NULL), 0);
	for (i = 0; i < THREADS; i++) {
		assert_int_equal(pthread_create(&threads[i], NULL, map_and_unmap, buf), 0);
	}
	for (i = 0; i < THREADS; i++) {
		assert_int_equal(pthread_join(threads[i], &said), 0);
		assert_null(said);
	}
	assert_int_equal(bufalloc_buf_unmap(buf), -EINVAL);
	bufalloc_buf_destroy(buf);
	bufalloc_close(ctx);
	bufalloc_request_destroy(req);
}

static void *
grow(void *arg)
{
	struct bufalloc_buf **buf = arg;

	return bufalloc_pool_acquire(pool, -1, buf) == 0 ? NULL : "not acquired";
}

/* Threads that let the pool grow at once get buffers of their own. */
static void
pool_grows_for_each(void **state)
{
	struct bufalloc_pool_stats stats = { .size = sizeof(stats) };
	struct bufalloc_buf *got[BUFFERS] = { NULL };
	pthread_t threads[BUFFERS];
	void *said;
	size_t i;

	(void)state;
	open_pool(0);
	for (i = 0; i < BUFFERS; i++) {
		assert_int_equal(pthread_create(&threads[i], NULL, grow, &got[i]), 0);
	}
	for (i = 0; i < BUFFERS; i++) {
		assert_int_equal(pthread_join(threads[i], &said), 0);
		assert_null(said);
	}
	assert_int_equal(bufalloc_pool_get_stats(pool, &stats), 0);
	assert_int_equal(stats.allocated, BUFFERS);
	assert_true(got[0] != got[1] && got[1] != got[2] && got[0] != got[2]);
	for (i = 0; i < BUFFERS; i++) {
		bufalloc_buf_destroy(got[i]);
	}
	close_pool();
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, sim_setup, sim_teardown)

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		TEST(no_buffer_is_two_threads),
		TEST(release_and_fences_wake_who_waits),
		TEST(pool_grows_for_each),
		TEST(threads_share_a_mapping),
	};

	unsetenv("BUFALLOC_BACKEND");
	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL) == 0 ? 0 : 1;
}
