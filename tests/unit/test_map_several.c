/* SPDX-License-Identifier: MIT */
/* The CPU's view of a buffer that consists of several dma-bufs. */
#include "scene.h"

#include <string.h>

static const struct scene two_memories = {
	.machine = { HEAPS(SYSTEM) },
	.devices = { CAMERA(.caps = V4L2_CAP_VIDEO_CAPTURE_MPLANE, .formats = { NM12 }) },
};

static struct bufalloc_buf *
alloc(const struct scene *scene)
{
	struct bufalloc_request *req = scene_request(scene);
	struct bufalloc_ctx *ctx = scene_open(scene);
	struct bufalloc_buf *buf = NULL;

	assert_int_equal(bufalloc_alloc(ctx, req, &buf, NULL), 0);
	bufalloc_request_destroy(req);
	bufalloc_close(ctx);
	return buf;
}

static void
check_accesses(const struct bufalloc_buf *buf, unsigned int count)
{
	uint32_t i;

	for (i = 0; i < bufalloc_buf_get_memory_count(buf); i++) {
		assert_int_equal(sim_cpu_accesses(bufalloc_buf_get_memory_fd(buf, i)),
				 count);
	}
}

static void
each_has_its_own_address(void **state)
{
	struct bufalloc_buf *buf = alloc(&two_memories);
	uint8_t *ptrs[2];
	void *ptr = NULL;
	uint32_t i;

	(void)state;
	assert_int_equal(bufalloc_buf_get_memory_count(buf), 2);
	assert_null(bufalloc_buf_get_memory_ptr(buf, 0));
	assert_int_equal(bufalloc_buf_map(buf, BUFALLOC_READ_WRITE, &ptr), 0);
	assert_ptr_equal(bufalloc_buf_get_memory_ptr(buf, 0), ptr);
	assert_null(bufalloc_buf_get_memory_ptr(buf, 2));
	for (i = 0; i < 2; i++) {
		ptrs[i] = bufalloc_buf_get_memory_ptr(buf, i);
		memset(ptrs[i], 'a' + (int)i, bufalloc_buf_get_memory_length(buf, i));
	}
	assert_int_equal(ptrs[0][0], 'a');
	assert_int_equal(ptrs[1][0], 'b');
	assert_int_equal(bufalloc_buf_unmap(buf), 0);
	assert_null(bufalloc_buf_get_memory_ptr(buf, 1));
	bufalloc_buf_destroy(buf);
}

static void
each_is_synced(void **state)
{
	struct bufalloc_buf *buf = alloc(&two_memories);
	void *ptr;

	(void)state;
	assert_int_equal(bufalloc_buf_map(buf, BUFALLOC_READ, &ptr), 0);
	check_accesses(buf, 1);
	assert_int_equal(bufalloc_buf_end(buf, BUFALLOC_READ), 0);
	check_accesses(buf, 0);
	assert_int_equal(bufalloc_buf_begin(buf, BUFALLOC_WRITE), 0);
	check_accesses(buf, 1);
	assert_int_equal(bufalloc_buf_unmap(buf), 0);
	check_accesses(buf, 0);
	bufalloc_buf_destroy(buf);
}

/* What had begun when the second refused is ended. */
static void
all_of_them_or_none(void **state)
{
	struct bufalloc_buf *buf = alloc(&two_memories);
	void *ptr = NULL;

	(void)state;
	sim_fail_call(2, EIO, false, true);
	assert_int_equal(bufalloc_buf_begin(buf, BUFALLOC_READ), -EIO);
	check_accesses(buf, 0);
	sim_fail_call(2, EIO, false, true);
	assert_int_equal(bufalloc_buf_map(buf, BUFALLOC_READ, &ptr), -EIO);
	check_accesses(buf, 0);
	assert_null(ptr);
	assert_int_equal(bufalloc_buf_unmap(buf), -EINVAL);

	/* An end that fails does not keep the others from ending. */
	assert_int_equal(bufalloc_buf_begin(buf, BUFALLOC_READ), 0);
	sim_fail_call(1, EIO, false, true);
	assert_int_equal(bufalloc_buf_end(buf, BUFALLOC_READ), -EIO);
	assert_int_equal(sim_cpu_accesses(bufalloc_buf_get_memory_fd(buf, 1)), 0);
	bufalloc_buf_destroy(buf);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, sim_setup, sim_teardown)

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		TEST(each_has_its_own_address),
		TEST(each_is_synced),
		TEST(all_of_them_or_none),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL) == 0 ? 0 : 1;
}
