/* SPDX-License-Identifier: MIT */
/* bufalloc_alloc() when calls and memory fail: each of them, once and for ever. */
#include "scene.h"

#include <stdio.h>
#include <string.h>

/* Each backend, trials, several dma-bufs. */
static const struct {
	struct scene scene;
	const char *backend;
} swept[] = {
	{ { .machine = { MODULE, HEAPS(SYSTEM) }, .devices = { VMALLOC, KMS } },
	  "bufalloc" },
	{ { .machine = { MODULE },
	    .devices = { CAMERA(.formats = { NV12 }, .one_segment = true,
				.self_managed = true) } },
	  "bufalloc" },
	{ { .machine = { HEAPS(CMA, SYSTEM) }, .devices = { CONTIG, KMS } },
	  "dma-heap" },
	{ { .machine = { HEAPS(SYSTEM, CMA) },
	    .devices = { CAMERA(.caps = V4L2_CAP_VIDEO_CAPTURE_MPLANE,
				.formats = { NM12 }, .one_segment = true),
			 KMS } },
	  "dma-heap" },
	{ { .machine = { .has_udmabuf = true }, .devices = { VMALLOC, KMS } },
	  "udmabuf" },
	{ { .devices = { CONTIG, DISPLAY(.formats = { NV12 },
					 .dumb_is_contiguous = true) } },
	  "dumb" },
	{ { .length = 5000 }, "memfd" },
};

static void
memory_may_run_out_anywhere(void **state)
{
	unsigned int seen = 0;
	size_t i, twice;

	(void)state;
	for (i = 0; i < LEN(swept) * 2; i++) {
		const struct scene *scene = &swept[i / 2].scene;
		struct bufalloc_request *req = scene_request(scene);
		struct bufalloc_ctx *ctx = scene_open(scene);
		bool failed = true;
		unsigned int nth;

		for (nth = 1; failed; nth++) {
			struct bufalloc_verdict *verdict = (void *)0x1234;
			struct bufalloc_buf *buf = NULL;
			int ret;

			sim_fail_memory(nth, i % 2 != 0);
			ret = bufalloc_alloc(ctx, req, &buf, &verdict);
			failed = sim_has_failed();
			sim_fail_memory(0, false);
			seen += failed;
			assert_int_equal(ret == 0, buf != NULL);
			if (!failed) {
				assert_int_equal(ret, 0);
			}
			if (verdict != NULL) {
				assert_int_equal(bufalloc_verdict_get_error(verdict), ret);
			}
			bufalloc_buf_destroy(buf);
			bufalloc_verdict_destroy(verdict);
		}
		for (twice = 0; twice < 2; twice++) {
			struct bufalloc_ctx *other = NULL;

			sim_fail_memory(1, false);
			assert_int_equal(bufalloc_open(&other, NULL), -ENOMEM);
			sim_fail_memory(0, false);
		}
		bufalloc_close(ctx);
		bufalloc_request_destroy(req);
		sim_close_all();
	}
	printf("# %u allocations failed\n", seen);
	assert_true(seen > 40);
}

static void
signals_change_nothing(void **state)
{
	unsigned int seen = 0;
	size_t i;

	(void)state;
	for (i = 0; i < LEN(swept); i++) {
		const struct scene *scene = &swept[i].scene;
		struct bufalloc_request *req = scene_request(scene);
		struct bufalloc_ctx *ctx = scene_open(scene);
		bool failed = true;
		unsigned int nth;

		for (nth = 1; failed; nth++) {
			struct bufalloc_buf *buf = NULL;
			int ret;

			/* in the module's ALLOC it is a fatal one */
			sim_fail_call(nth, EINTR, false, true);
			ret = bufalloc_alloc(ctx, req, &buf, NULL);
			failed = sim_has_failed();
			sim_fail_call(0, 0, false, false);
			seen += failed;
			if (ret != -EINTR || strcmp(swept[i].backend, "bufalloc") != 0) {
				assert_int_equal(ret, 0);
				assert_string_equal(bufalloc_buf_get_backend(buf),
						    swept[i].backend);
			}
			bufalloc_buf_destroy(buf);
			scene_check_devices(scene);
		}
		bufalloc_close(ctx);
		bufalloc_request_destroy(req);
		sim_close_all();
	}
	printf("# %u calls were interrupted\n", seen);
	assert_true(seen > 100);
}

/* Whatever fails, once or for ever: no descriptor is left, the verdict says it. */
static void
any_call_may_fail(void **state)
{
	static const int errnos[] = { EIO, ENODEV, EACCES, EMFILE, ENOMEM };
	unsigned int seen = 0;
	size_t i, e;

	(void)state;
	for (i = 0; i < LEN(swept) * 2; i++) {
		for (e = 0; e < LEN(errnos); e++) {
			const struct scene *scene = &swept[i / 2].scene;
			struct bufalloc_request *req = scene_request(scene);
			struct bufalloc_ctx *ctx = scene_open(scene);
			unsigned int fds_before = sim_count_fds();
			bool failed = true;
			unsigned int nth;

			for (nth = 1; failed; nth++) {
				struct bufalloc_verdict *verdict = NULL;
				struct bufalloc_buf *buf = NULL;
				int ret;

				sim_fail_call(nth, errnos[e], i % 2 != 0, false);
				ret = bufalloc_alloc(ctx, req, &buf, &verdict);
				failed = sim_has_failed();
				sim_fail_call(0, 0, false, false);
				seen += failed;
				assert_int_equal(ret == 0, buf != NULL);
				assert_int_equal(bufalloc_verdict_get_error(verdict), ret);
				assert_true(strlen(bufalloc_verdict_text(verdict)) > 20);
				bufalloc_buf_destroy(buf);
				bufalloc_verdict_destroy(verdict);
				assert_int_equal(sim_count_fds(), fds_before);
				sim_forget_objects();
			}
			bufalloc_close(ctx);
			bufalloc_request_destroy(req);
			sim_close_all();
		}
	}
	printf("# %u calls failed\n", seen);
	assert_true(seen > 1000);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, sim_setup, sim_teardown)

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		TEST(memory_may_run_out_anywhere),
		TEST(signals_change_nothing),
		TEST(any_call_may_fail),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL) == 0 ? 0 : 1;
}
