/* SPDX-License-Identifier: MIT */
/* Pools: what is handed out, when, and what is left of them. */
#include "scene.h"

#include <linux/bufalloc.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#define FRAME (1920 * 1080 * 3 / 2)

static const struct scene heap = {
	.machine = { HEAPS(SYSTEM) },
	.devices = { VMALLOC, KMS },
};
static const struct scene cma_for_two = {
	.machine = { HEAPS(SYSTEM, { "linux,cma", .is_contiguous = true, .left = 2 * FRAME + 9000 }) },
	.devices = { CONTIG },
};
static const struct scene system_for_one = {
	.machine = { HEAPS({ "system", .left = FRAME + 9000 }), .has_udmabuf = true },
	.devices = { VMALLOC },
};
static const struct scene two_memories = {
	.machine = { HEAPS(SYSTEM, CMA) },
	.devices = { CAMERA(.caps = V4L2_CAP_VIDEO_CAPTURE_MPLANE, .formats = { NM12 },
			    .one_segment = true, .extra = 100) },
};

static struct bufalloc_request *req;
static struct bufalloc_ctx *ctx;
static struct bufalloc_pool *pool;

static void
open_pool(const struct scene *scene, uint32_t min, uint32_t max)
{
	struct bufalloc_verdict *verdict = NULL;

	req = scene_request(scene);
	ctx = scene_open(scene);
	pool = NULL;
	assert_int_equal(bufalloc_pool_new(ctx, req, min, max, &pool, &verdict), 0);
	assert_int_equal(bufalloc_verdict_get_error(verdict), 0);
	bufalloc_verdict_destroy(verdict);
}

static void
close_pool(void)
{
	bufalloc_pool_destroy(pool);
	bufalloc_close(ctx);
	bufalloc_request_destroy(req);
}

static struct bufalloc_buf *
acquire(void)
{
	struct bufalloc_buf *buf = NULL;

	assert_int_equal(bufalloc_pool_acquire(pool, 0, &buf), 0);
	assert_non_null(buf);
	return buf;
}

static void
acquire_fails(int timeout_ms, int error)
{
	struct bufalloc_buf *const untouched = (void *)0x1234;
	struct bufalloc_buf *buf = untouched;

	assert_int_equal(bufalloc_pool_acquire(pool, timeout_ms, &buf), error);
	assert_ptr_equal(buf, untouched);
}

static struct bufalloc_pool_stats
stats_now(void)
{
	struct bufalloc_pool_stats stats = { .size = sizeof(stats) };

	assert_int_equal(bufalloc_pool_get_stats(pool, &stats), 0);
	assert_int_equal(stats.size, sizeof(stats));
	return stats;
}

static bool
is_readable(void)
{
	struct pollfd fd = { .fd = bufalloc_pool_get_fd(pool), .events = POLLIN };

	assert_in_range(poll(&fd, 1, 0), 0, 1);
	return fd.revents == POLLIN;
}

static int
new_fence(void)
{
	int fence = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);

	assert_true(fence >= 0);
	return fence;
}

/* The pool has closed its descriptor, or will: signal through another one. */
static void
signal_fence(int fence)
{
	uint64_t one = 1;

	assert_int_equal(write(fence, &one, sizeof(one)), sizeof(one));
}

static void
bad_sizes_are_einval(void **state)
{
	static const uint32_t bad[][2] = { { 0, 0 }, { 2, 1 }, { 1, BUFALLOC_POOL_MAX + 1 } };
	struct bufalloc_pool *const untouched = (void *)0x1234;
	struct bufalloc_verdict *verdict = (void *)0x1234;
	size_t i;

	(void)state;
	req = scene_request(&heap);
	ctx = scene_open(&heap);
	pool = untouched;
	for (i = 0; i < LEN(bad); i++) {
		assert_int_equal(bufalloc_pool_new(ctx, req, bad[i][0], bad[i][1], &pool, &verdict),
				 -EINVAL);
		assert_null(verdict);
	}
	assert_int_equal(bufalloc_request_set_flags(req, BUFALLOC_REQUEST_DRY_RUN), 0);
	assert_int_equal(bufalloc_pool_new(ctx, req, 1, 1, &pool, NULL), -EINVAL);
	assert_ptr_equal(pool, untouched);
	pool = NULL;
	close_pool();
}

static void
refusal_has_a_verdict(void **state)
{
	static const struct scene refused = {
		.machine = { .has_udmabuf = true },
		.devices = { CONTIG },
	};
	struct bufalloc_verdict *verdict = NULL;

	(void)state;
	req = scene_request(&refused);
	ctx = scene_open(&refused);
	pool = NULL;
	assert_int_equal(bufalloc_pool_new(ctx, req, 1, 1, &pool, &verdict), -ENOSPC);
	scene_contains(bufalloc_verdict_text(verdict), "video0 (simcam) refuses all there is");
	bufalloc_verdict_destroy(verdict);
	assert_int_equal(bufalloc_pool_new(ctx, req, 1, 1, &pool, NULL), -ENOSPC);
	assert_null(pool);
	close_pool();
}

static void
pool_grows_from_min_to_max(void **state)
{
	struct bufalloc_buf *bufs[3];
	struct bufalloc_pool_stats stats;
	size_t i;

	(void)state;
	open_pool(&heap, 2, 3);
	assert_int_equal(stats_now().count, 2);
	for (i = 0; i < 3; i++) {
		assert_true(is_readable());
		bufs[i] = acquire();
	}
	assert_false(is_readable());
	acquire_fails(0, -EAGAIN);
	acquire_fails(5, -ETIMEDOUT);
	stats = stats_now();
	assert_int_equal(stats.count, 3);
	assert_int_equal(stats.out, 3);
	assert_int_equal(stats.max_out, 3);
	assert_int_equal(stats.acquired, 3);
	assert_int_equal(stats.recycled, 0);
	assert_int_equal(stats.allocated, 3);
	assert_int_equal(stats.waits, 1);
	for (i = 0; i < 3; i++) {
		assert_int_equal(bufalloc_pool_release(pool, bufs[i], -1), 0);
		assert_true(is_readable());
	}
	close_pool();
}

/* All have the layout and the kind of memory of the first. */
static void
buffers_are_alike(void **state)
{
	const struct bufalloc_layout *layout;
	struct bufalloc_buf *bufs[4];
	unsigned int asked;
	size_t i;

	(void)state;
	open_pool(&two_memories, 0, 4);
	asked = sim_calls_of(VIDIOC_TRY_FMT);
	layout = bufalloc_pool_get_layout(pool);
	assert_int_equal(layout->memory_count, 2);
	for (i = 0; i < 4; i++) {
		bufs[i] = acquire();
		assert_memory_equal(bufalloc_buf_get_layout(bufs[i]), layout, sizeof(*layout));
		assert_int_equal(bufalloc_buf_get_memory_count(bufs[i]), 2);
		assert_true(sim_is_contiguous(bufalloc_buf_get_memory_fd(bufs[i], 1)));
		assert_string_equal(bufalloc_buf_get_backend(bufs[i]), "dma-heap");
	}
	/* only for the first it was asked what the camera takes, and system tried */
	assert_int_equal(sim_calls_of(VIDIOC_PREPARE_BUF), 5);
	assert_int_equal(sim_calls_of(VIDIOC_TRY_FMT), asked);
	for (i = 0; i < 4; i++) {
		bufalloc_buf_destroy(bufs[i]);
	}
	assert_int_equal(stats_now().out, 0);
	close_pool();
}

/* Where the kernel can use pages of 2 MiB, if it has them. */
static void
frames_are_mapped_aligned(void **state)
{
	struct bufalloc_buf *buf;
	void *ptr = NULL;

	(void)state;
	open_pool(&heap, 2, 2);
	buf = acquire();
	assert_int_equal(bufalloc_buf_map(buf, BUFALLOC_WRITE, &ptr), 0);
	assert_int_equal((uintptr_t)ptr % (2 << 20), 0);
	assert_int_equal(bufalloc_buf_unmap(buf), 0);
	bufalloc_buf_destroy(buf);
	close_pool();
}

/* The pool is the owner: what was written is still there, no ioctl is made. */
static void
recycling_does_not_zero(void **state)
{
	struct bufalloc_buf *a, *b;
	uint8_t *bytes = NULL;
	void *ptr = NULL;

	(void)state;
	open_pool(&heap, 2, 2);
	a = acquire();
	b = acquire();
	assert_int_equal(bufalloc_buf_map(b, BUFALLOC_WRITE, &ptr), 0);
	memset(ptr, 0x55, FRAME);
	/* mapped still: the pool ends that */
	assert_int_equal(bufalloc_pool_release(pool, b, -1), 0);
	assert_ptr_equal(acquire(), b);
	assert_int_equal(stats_now().recycled, 1);
	assert_int_equal(bufalloc_buf_map(b, BUFALLOC_READ, &ptr), 0);
	bytes = ptr;
	assert_int_equal(bytes[0], 0x55);
	assert_int_equal(bytes[FRAME - 1], 0x55);
	assert_int_equal(bufalloc_buf_unmap(b), 0);
	bufalloc_buf_destroy(b);
	bufalloc_buf_destroy(a);
	close_pool();
}

static void
fenced_buffer_waits_for_its_fence(void **state)
{
	struct bufalloc_buf *buf;
	int fence = new_fence();
	int other = dup(fence);

	(void)state;
	open_pool(&heap, 1, 1);
	buf = acquire();
	assert_int_equal(bufalloc_pool_release(pool, buf, fence), 0);
	assert_int_equal(stats_now().waiting, 1);
	assert_int_equal(stats_now().out, 0);
	assert_false(is_readable());
	acquire_fails(0, -EAGAIN);
	acquire_fails(5, -ETIMEDOUT);
	signal_fence(other);
	assert_true(is_readable());
	assert_ptr_equal(acquire(), buf);
	assert_int_equal(stats_now().waiting, 0);
	assert_false(is_readable());
	bufalloc_buf_destroy(buf);
	assert_true(is_readable());
	close(other);
	close_pool();
}

/* Who closed its standard input gets 0 for a fence, and has to wait for it. */
static void
descriptor_zero_is_a_fence(void **state)
{
	int input = dup(STDIN_FILENO);
	struct bufalloc_buf *buf;
	int other;

	(void)state;
	open_pool(&heap, 1, 1);
	buf = acquire();
	other = new_fence();
	assert_int_equal(dup2(other, STDIN_FILENO), STDIN_FILENO);
	assert_int_equal(bufalloc_pool_release(pool, buf, STDIN_FILENO), 0);
	assert_int_equal(stats_now().waiting, 1);
	acquire_fails(0, -EAGAIN);
	assert_false(is_readable());
	signal_fence(other);
	assert_true(is_readable());
	assert_ptr_equal(acquire(), buf);
	bufalloc_buf_destroy(buf);
	close_pool();
	close(other);
	dup2(input, STDIN_FILENO);
	close(input);
}

static void
signaled_or_other_buffers_come_first(void **state)
{
	struct bufalloc_buf *a, *b;
	int fence = new_fence();

	(void)state;
	open_pool(&heap, 2, 2);
	a = acquire();
	b = acquire();
	assert_int_equal(bufalloc_pool_release(pool, a, -1), 0);
	assert_int_equal(bufalloc_pool_release(pool, b, fence), 0);
	assert_true(is_readable());
	assert_ptr_equal(acquire(), a);
	assert_false(is_readable());
	acquire_fails(0, -EAGAIN);
	bufalloc_buf_destroy(a);
	close_pool();
}

static void
bad_releases_change_nothing(void **state)
{
	struct bufalloc_pool *other = NULL;
	struct bufalloc_buf *buf, *loose = NULL;
	int file = sim_open_file();
	int fence = new_fence();

	(void)state;
	open_pool(&heap, 1, 1);
	assert_int_equal(bufalloc_pool_new(ctx, req, 1, 1, &other, NULL), 0);
	assert_int_equal(bufalloc_alloc(ctx, req, &loose, NULL), 0);
	buf = acquire();
	assert_int_equal(bufalloc_pool_release(other, buf, -1), -EINVAL);
	assert_int_equal(bufalloc_pool_release(pool, loose, -1), -EINVAL);
	assert_int_equal(bufalloc_pool_release(pool, buf, file), -EINVAL);
	assert_int_equal(bufalloc_pool_release(pool, buf, 250), -EBADF);
	sim_fail_call(1, ENOMEM, false, false);
	assert_int_equal(bufalloc_pool_release(pool, buf, fence), -ENOMEM);
	assert_int_equal(stats_now().out, 1);
	assert_int_equal(stats_now().waiting, 0);
	assert_int_equal(bufalloc_pool_release(pool, buf, -1), 0);
	assert_int_equal(bufalloc_pool_release(pool, buf, -1), -EINVAL);
	assert_int_equal(stats_now().out, 0);
	bufalloc_buf_destroy(loose);
	bufalloc_pool_destroy(other);
	close(fence);
	close_pool();
}

/* CMA has two: the pool makes do, until it is trimmed. */
static void
shortage_limits_the_pool(void **state)
{
	struct bufalloc_buf *a, *b, *c;

	(void)state;
	open_pool(&cma_for_two, 1, 4);
	a = acquire();
	b = acquire();
	assert_true(is_readable());
	acquire_fails(0, -EAGAIN);
	assert_false(is_readable());
	assert_int_equal(stats_now().failures, 1);
	acquire_fails(0, -EAGAIN);
	assert_int_equal(stats_now().failures, 1);
	bufalloc_buf_destroy(b);
	assert_ptr_equal(acquire(), b);

	/* more is there again; who trims says so */
	sim_machine.heaps[1].left = 0;
	acquire_fails(0, -EAGAIN);
	assert_int_equal(bufalloc_pool_trim(pool), 0);
	c = acquire();
	bufalloc_buf_destroy(a);
	bufalloc_buf_destroy(b);
	bufalloc_buf_destroy(c);
	assert_int_equal(bufalloc_pool_trim(pool), 2);
	assert_int_equal(stats_now().count, 1);
	assert_int_equal(stats_now().freed, 2);
	close_pool();
}

static void
shortage_without_any_buffer_is_an_error(void **state)
{
	(void)state;
	open_pool(&cma_for_two, 0, 2);
	assert_int_equal(bufalloc_pool_trim(pool), 1);
	sim_machine.heaps[1].left = 1;
	acquire_fails(0, -ENOMEM);
	acquire_fails(-1, -ENOMEM);
	close_pool();
}

/* The backend is chosen again where memory ran out. */
static void
shortage_moves_to_the_next_backend(void **state)
{
	struct bufalloc_buf *a, *b;

	(void)state;
	open_pool(&system_for_one, 1, 2);
	a = acquire();
	b = acquire();
	assert_string_equal(bufalloc_buf_get_backend(a), "dma-heap");
	assert_string_equal(bufalloc_buf_get_backend(b), "udmabuf");
	assert_memory_equal(bufalloc_buf_get_layout(a), bufalloc_buf_get_layout(b),
			    sizeof(struct bufalloc_layout));
	bufalloc_buf_destroy(a);
	bufalloc_buf_destroy(b);
	close_pool();
}

static void
buffers_outlive_the_pool(void **state)
{
	struct bufalloc_buf *a, *b;
	int fence = new_fence();

	(void)state;
	open_pool(&heap, 3, 3);
	a = acquire();
	b = acquire();
	bufalloc_buf_destroy(acquire());
	close_pool();
	assert_true(sim_is_contiguous(bufalloc_buf_get_fd(a)) == false);
	assert_int_equal(bufalloc_pool_release(pool, a, fence), 0);
	bufalloc_buf_destroy(b);
}

static void
destroy_takes_null_and_pending_fences(void **state)
{
	struct bufalloc_buf *buf;

	(void)state;
	bufalloc_pool_destroy(NULL);
	open_pool(&heap, 1, 1);
	buf = acquire();
	assert_int_equal(bufalloc_pool_release(pool, buf, new_fence()), 0);
	close_pool();
}

static void
stats_have_a_size(void **state)
{
	struct {
		struct bufalloc_pool_stats stats;
		uint64_t more;
	} longer = { .stats = { .size = sizeof(longer) }, .more = 7 };
	struct bufalloc_pool_stats stats = { .size = sizeof(stats) - 1 };

	(void)state;
	open_pool(&heap, 1, 1);
	assert_int_equal(bufalloc_pool_get_stats(pool, &stats), -EINVAL);
	assert_int_equal(bufalloc_pool_get_stats(pool, &longer.stats), 0);
	assert_int_equal(longer.stats.size, sizeof(longer));
	assert_int_equal(longer.stats.count, 1);
	assert_int_equal(longer.more, 7);
	close_pool();
}

/* Each call and each piece of memory fails once: nothing is left. */
static void
making_a_pool_may_fail_anywhere(void **state)
{
	unsigned int fds_before, nth, seen = 0;
	int what;

	(void)state;
	req = scene_request(&heap);
	ctx = scene_open(&heap);
	fds_before = sim_count_fds();
	for (what = 0; what < 2; what++) {
		bool failed = true;

		for (nth = 1; failed; nth++) {
			struct bufalloc_verdict *verdict = NULL;
			int ret;

			pool = NULL;
			if (what == 0) {
				sim_fail_call(nth, EMFILE, false, false);
			} else {
				sim_fail_memory(nth, false);
			}
			ret = bufalloc_pool_new(ctx, req, 2, 2, &pool, &verdict);
			failed = sim_has_failed();
			sim_fail_call(0, 0, false, false);
			sim_fail_memory(0, false);
			seen += failed;
			assert_int_equal(ret == 0, pool != NULL);
			if (!failed) {
				assert_int_equal(ret, 0);
			}
			bufalloc_verdict_destroy(verdict);
			bufalloc_pool_destroy(pool);
			sim_forget_objects();
			assert_int_equal(sim_count_fds(), fds_before);
		}
	}
	assert_true(seen > 40);
	pool = NULL;
	close_pool();
}

static void
interrupted_waits_go_on(void **state)
{
	struct bufalloc_buf *buf;

	(void)state;
	open_pool(&heap, 1, 1);
	buf = acquire();
	sim_fail_call(1, EINTR, false, false);
	acquire_fails(5, -ETIMEDOUT);
	sim_fail_call(1, ENOMEM, false, false);
	acquire_fails(5, -ENOMEM);
	bufalloc_buf_destroy(buf);
	close_pool();
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, sim_setup, sim_teardown)

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		TEST(bad_sizes_are_einval),
		TEST(refusal_has_a_verdict),
		TEST(pool_grows_from_min_to_max),
		TEST(buffers_are_alike),
		TEST(frames_are_mapped_aligned),
		TEST(recycling_does_not_zero),
		TEST(fenced_buffer_waits_for_its_fence),
		TEST(descriptor_zero_is_a_fence),
		TEST(signaled_or_other_buffers_come_first),
		TEST(bad_releases_change_nothing),
		TEST(shortage_limits_the_pool),
		TEST(shortage_without_any_buffer_is_an_error),
		TEST(shortage_moves_to_the_next_backend),
		TEST(buffers_outlive_the_pool),
		TEST(destroy_takes_null_and_pending_fences),
		TEST(stats_have_a_size),
		TEST(making_a_pool_may_fail_anywhere),
		TEST(interrupted_waits_go_on),
	};

	unsetenv("BUFALLOC_BACKEND");
	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL) == 0 ? 0 : 1;
}
