/* SPDX-License-Identifier: MIT */
/* bufalloc_open(), and what all backends have in common. */
#include "scene.h"

#include <drm.h>
#include <drm_mode.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const struct scene for_devices = {
	.machine = { MODULE, HEAPS(SYSTEM) },
	.devices = { VMALLOC, KMS },
};
static const struct scene limited = {
	.machine = { MODULE, .contig_limited = true },
	.devices = { CONTIG },
};
static const struct scene heap_will_do = {
	.machine = { HEAPS(CMA, SYSTEM) },
	.devices = { VMALLOC, KMS },
};
static const struct scene camera_in_use = {
	.machine = { HEAPS(SYSTEM, CMA) },
	.devices = { CAMERA(.formats = { NV12 }, .has_buffers = true) },
};

static void
environment_names_the_backends(void **state)
{
	const struct scene *scene = &for_devices;
	struct bufalloc_options options = {
		.size = sizeof(options),
		.backends = "bufalloc",
	};
	struct bufalloc_request *req = scene_request(scene);
	struct bufalloc_buf *buf = NULL;
	struct bufalloc_ctx *ctx = NULL;

	(void)state;
	sim_machine = scene->machine;
	setenv("BUFALLOC_BACKEND", "udmabuf,dma-heap", 1);
	assert_int_equal(bufalloc_open(&ctx, NULL), 0);
	assert_int_equal(bufalloc_alloc(ctx, req, &buf, NULL), 0);
	assert_string_equal(bufalloc_buf_get_backend(buf), "dma-heap");
	bufalloc_buf_destroy(buf);
	bufalloc_close(ctx);

	/* the caller's word is stronger, and nothing is nothing */
	assert_int_equal(bufalloc_open(&ctx, &options), 0);
	assert_int_equal(bufalloc_alloc(ctx, req, &buf, NULL), 0);
	assert_string_equal(bufalloc_buf_get_backend(buf), "bufalloc");
	bufalloc_buf_destroy(buf);
	bufalloc_close(ctx);
	setenv("BUFALLOC_BACKEND", "", 1);
	assert_int_equal(bufalloc_open(&ctx, NULL), 0);
	assert_int_equal(bufalloc_alloc(ctx, req, &buf, NULL), 0);
	assert_string_equal(bufalloc_buf_get_backend(buf), "bufalloc");
	bufalloc_buf_destroy(buf);
	bufalloc_close(ctx);
	unsetenv("BUFALLOC_BACKEND");
	bufalloc_request_destroy(req);
}

static void
bad_options_are_refused(void **state)
{
	static const char *const bad[] = {
		"nothing", "dma-heap,", ",dma-heap", "dma-heap,dma-heap", "dma-hea",
		"dma-heap udmabuf", "bufalloc,none",
	};
	struct {
		struct bufalloc_options options;
		uint64_t more;
	} longer = { .options = { .size = sizeof(longer) } };
	struct bufalloc_options options = { .size = sizeof(options) };
	struct bufalloc_ctx *const untouched = (void *)0x1234;
	struct bufalloc_ctx *ctx = untouched;
	size_t i;

	(void)state;
	for (i = 0; i < LEN(bad); i++) {
		options.backends = bad[i];
		assert_int_equal(bufalloc_open(&ctx, &options), -EINVAL);
		setenv("BUFALLOC_BACKEND", bad[i], 1);
		assert_int_equal(bufalloc_open(&ctx, NULL), -EINVAL);
	}
	unsetenv("BUFALLOC_BACKEND");
	options.backends = NULL;
	options.size--;
	assert_int_equal(bufalloc_open(&ctx, &options), -EINVAL);
	longer.more = 1;
	assert_int_equal(bufalloc_open(&ctx, &longer.options), -E2BIG);
	assert_ptr_equal(ctx, untouched);
	longer.more = 0;
	assert_int_equal(bufalloc_open(&ctx, &longer.options), 0);
	bufalloc_close(ctx);
}

/* The module alone, and it is not there: open says so. */
static void
module_alone_must_be_there(void **state)
{
	static const int errnos[] = { ENOENT, EACCES, ENXIO, EMFILE, ENFILE };
	struct bufalloc_options options = { .size = sizeof(options), .backends = "bufalloc" };
	struct bufalloc_ctx *const untouched = (void *)0x1234;
	struct bufalloc_module_info info;
	struct bufalloc_ctx *ctx = untouched;
	size_t i;

	(void)state;
	for (i = 0; i < LEN(errnos); i++) {
		sim_machine.module_errno = errnos[i];
		assert_int_equal(bufalloc_open(&ctx, &options), -errnos[i]);
		assert_ptr_equal(ctx, untouched);
		if (errnos[i] == EMFILE || errnos[i] == ENFILE) {
			assert_int_equal(bufalloc_open(&ctx, NULL), -errnos[i]);
			continue;
		}
		/* with others it is no failure, and known */
		assert_int_equal(bufalloc_open(&ctx, NULL), 0);
		assert_int_equal(bufalloc_get_info(ctx, &info), -errnos[i]);
		bufalloc_close(ctx);
		ctx = untouched;
	}
}

/* A context that was opened for the module knows no other backend. */
static void
context_of_the_module_uses_the_module(void **state)
{
	const struct scene *scene = &limited;
	struct bufalloc_request *req = scene_request(scene);
	struct bufalloc_verdict *verdict = NULL;
	struct bufalloc_buf *buf = NULL;
	struct bufalloc_ctx *ctx = NULL;

	(void)state;
	sim_machine = scene->machine;
	assert_int_equal(bufalloc_open_module(&ctx, NULL), 0);
	assert_int_equal(bufalloc_alloc(ctx, req, &buf, &verdict), -EDQUOT);
	assert_int_equal(bufalloc_verdict_get_try_count(verdict), 1);
	bufalloc_verdict_destroy(verdict);
	bufalloc_close(ctx);
	bufalloc_request_destroy(req);
}

static void
closed_device_is_ebadf(void **state)
{
	struct bufalloc_verdict *verdict = NULL;
	const struct bufalloc_layout *layout;
	struct bufalloc_request *req = NULL;
	struct bufalloc_buf *buf = NULL;
	struct bufalloc_ctx *ctx = NULL;

	(void)state;
	assert_int_equal(bufalloc_open(&ctx, NULL), 0);
	assert_int_equal(bufalloc_request_new(&req), 0);
	assert_int_equal(bufalloc_request_set_length(req, 10), 0);
	assert_int_equal(bufalloc_request_add_device(req, 250, BUFALLOC_READ), 0);
	assert_int_equal(bufalloc_alloc(ctx, req, &buf, &verdict), -EBADF);
	scene_contains(bufalloc_verdict_text(verdict), "file descriptor 250 is not open");
	assert_int_equal(bufalloc_verdict_get_device(verdict), 0);
	bufalloc_verdict_destroy(verdict);
	assert_int_equal(bufalloc_request_negotiate(req, &layout, NULL), -EBADF);
	bufalloc_request_destroy(req);
	bufalloc_close(ctx);
}

/* A trial leaves a device as it was, and does not touch one that is in use. */
static void
trial_gives_the_queue_back(void **state)
{
	const struct scene *scene = &heap_will_do;
	struct bufalloc_request *req = scene_request(scene);
	struct bufalloc_ctx *ctx = scene_open(scene);
	struct bufalloc_buf *buf = NULL;

	(void)state;
	assert_int_equal(bufalloc_alloc(ctx, req, &buf, NULL), 0);
	assert_int_equal(sim_calls_of(VIDIOC_PREPARE_BUF), 1);
	assert_int_equal(sim_calls_of(VIDIOC_REQBUFS), 2);
	assert_int_equal(sim_calls_of(VIDIOC_S_FMT), 2);
	assert_int_equal(sim_calls_of(DRM_IOCTL_PRIME_FD_TO_HANDLE), 1);
	assert_int_equal(sim_calls_of(DRM_IOCTL_GEM_CLOSE), 1);
	bufalloc_buf_destroy(buf);
	bufalloc_close(ctx);
	bufalloc_request_destroy(req);
	sim_close_all();

	scene = &camera_in_use;
	req = scene_request(scene);
	ctx = scene_open(scene);
	assert_int_equal(bufalloc_alloc(ctx, req, &buf, NULL), 0);
	assert_int_equal(sim_calls_of(VIDIOC_PREPARE_BUF), 1);
	assert_int_equal(sim_calls_of(VIDIOC_REQBUFS), 2);
	assert_int_equal(sim_calls_of(VIDIOC_S_FMT), 2);
	bufalloc_buf_destroy(buf);
	bufalloc_close(ctx);
	bufalloc_request_destroy(req);
}

static void
verdict_is_json(void **state)
{
	static const char want[] =
		"{\"error\":0,\"reason\":0,\"device\":-1,\"text\":\"dma-heap linux,cma was chosen "
		"(left: bufalloc: not loaded; dma-heap system: video0 (sim\\\"cam\\\\\\u0009) refuses it "
		"(EFAULT)); video0 (sim\\\"cam\\\\\\u0009): imported\",\"backend\":\"dma-heap\","
		"\"place\":\"linux,cma\",\"layout\":{\"fourcc\":\"NV12\",\"pixelformat\":\"NM12\","
		"\"width\":1920,\"height\":1080,\"planes\":[{\"memory\":0,\"offset\":0,\"stride\":1920,"
		"\"lines\":1080,\"length\":2073600},{\"memory\":1,\"offset\":0,\"stride\":1920,"
		"\"lines\":540,\"length\":1036800}],\"lengths\":[2073600,1036800]},\"devices\":"
		"[{\"label\":\"video0 (sim\\\"cam\\\\\\u0009)\",\"proof\":\"imported\",\"segments\":0,"
		"\"error\":0,\"reason\":0}],\"tried\":[{\"backend\":\"bufalloc\",\"place\":\"\","
		"\"error\":-2,\"device\":-1,\"reason\":265,\"text\":\"not loaded\"},{\"backend\":"
		"\"dma-heap\",\"place\":\"system\",\"error\":-14,\"device\":0,\"reason\":268,\"text\":"
		"\"video0 (sim\\\"cam\\\\\\u0009) refuses it (EFAULT)\"},{\"backend\":\"dma-heap\","
		"\"place\":\"linux,cma\",\"error\":0,\"device\":-1,\"reason\":0,\"text\":\"\"}]}";
	static const struct scene scene = {
		.machine = { HEAPS(SYSTEM, CMA) },
		.devices = { CAMERA(.driver = "sim\"cam\\\t", .formats = { NM12 },
				    .caps = V4L2_CAP_VIDEO_CAPTURE_MPLANE,
				    .one_segment = true) },
	};
	struct bufalloc_request *req = scene_request(&scene);
	struct bufalloc_ctx *ctx = scene_open(&scene);
	struct bufalloc_verdict *verdict = NULL;
	struct bufalloc_buf *buf = NULL;
	char text[2048], cut[100];

	(void)state;
	assert_int_equal(bufalloc_alloc(ctx, req, &buf, &verdict), 0);
	assert_int_equal(bufalloc_verdict_json(verdict, text, sizeof(text)),
			 (int)strlen(want));
	assert_string_equal(text, want);
	assert_int_equal(bufalloc_verdict_json(verdict, cut, sizeof(cut)),
			 (int)strlen(want));
	assert_int_equal(strlen(cut), sizeof(cut) - 1);
	assert_memory_equal(cut, want, sizeof(cut) - 1);
	assert_int_equal(bufalloc_verdict_json(verdict, NULL, 0), (int)strlen(want));
	bufalloc_verdict_destroy(verdict);
	bufalloc_buf_destroy(buf);
	bufalloc_close(ctx);
	bufalloc_request_destroy(req);
}

static void
dmabuf_of_anybody_is_a_buffer(void **state)
{
	const struct scene *scene = &heap_will_do;
	struct bufalloc_buf *const untouched = (void *)0x1234;
	struct bufalloc_request *req = scene_request(scene);
	struct bufalloc_ctx *ctx = scene_open(scene);
	struct bufalloc_buf *buf = NULL, *again = untouched;
	int file = sim_open_file();

	(void)state;
	assert_int_equal(bufalloc_alloc(ctx, req, &buf, NULL), 0);
	assert_int_equal(bufalloc_import_dmabuf(file, &again), -EINVAL);
	assert_int_equal(bufalloc_import_dmabuf(250, &again), -EBADF);
	sim_fail_memory(1, false);
	assert_int_equal(bufalloc_import_dmabuf(bufalloc_buf_get_fd(buf), &again), -ENOMEM);
	assert_ptr_equal(again, untouched);
	assert_int_equal(bufalloc_import_dmabuf(bufalloc_buf_get_fd(buf), &again), 0);
	assert_int_not_equal(bufalloc_buf_get_fd(again), bufalloc_buf_get_fd(buf));
	assert_int_equal(bufalloc_buf_get_length(again), bufalloc_buf_get_length(buf));
	assert_string_equal(bufalloc_buf_get_backend(again), "import");
	assert_true(bufalloc_buf_is_dmabuf(again));
	assert_null(bufalloc_buf_get_layout(again));
	bufalloc_buf_destroy(again);
	bufalloc_buf_destroy(buf);
	bufalloc_close(ctx);
	bufalloc_request_destroy(req);
}

/* More heaps than there is room for: the others are not looked at. */
static void
heaps_are_looked_at_up_to_a_number(void **state)
{
	static const struct scene scene = { .length = 10, .backends = "dma-heap" };
	static char names[SIM_MAX_HEAPS][4];
	struct bufalloc_request *req = scene_request(&scene);
	struct bufalloc_verdict *verdict = NULL;
	struct bufalloc_buf *buf = NULL;
	struct bufalloc_ctx *ctx = scene_open(&scene);
	int i;

	(void)state;
	sim_machine.has_heaps = true;
	for (i = 0; i < SIM_MAX_HEAPS; i++) {
		snprintf(names[i], sizeof(names[i]), "h%02d", i);
		sim_machine.heaps[i] = (struct sim_heap){ .name = names[i],
							  .alloc_errno = ENOMEM };
	}
	assert_int_equal(bufalloc_alloc(ctx, req, &buf, &verdict), -ENOMEM);
	assert_int_equal(bufalloc_verdict_get_try_count(verdict), 27);
	bufalloc_verdict_destroy(verdict);
	bufalloc_close(ctx);
	bufalloc_request_destroy(req);
}

/* Who closed its standard input gets 0 for a file like any other. */
static void
descriptor_zero_is_a_file(void **state)
{
	static const struct scene module = { .length = 10, .machine = { MODULE } };
	static const struct scene udmabuf = {
		.length = 10,
		.machine = { .has_udmabuf = true, .udmabuf_gives_zero = true },
	};
	struct bufalloc_request *req = scene_request(&module);
	int input = dup(STDIN_FILENO);
	struct bufalloc_buf *buf = NULL;
	struct bufalloc_ctx *ctx;

	(void)state;
	close(STDIN_FILENO);
	ctx = scene_open(&module);
	assert_int_equal(bufalloc_alloc(ctx, req, &buf, NULL), 0);
	assert_string_equal(bufalloc_buf_get_backend(buf), "bufalloc");
	bufalloc_buf_destroy(buf);
	bufalloc_close(ctx);
	assert_int_equal(dup2(input, STDIN_FILENO), STDIN_FILENO);

	ctx = scene_open(&udmabuf);
	assert_int_equal(bufalloc_alloc(ctx, req, &buf, NULL), 0);
	assert_string_equal(bufalloc_buf_get_backend(buf), "udmabuf");
	assert_int_equal(bufalloc_buf_get_fd(buf), 0);
	bufalloc_buf_destroy(buf);
	bufalloc_close(ctx);
	assert_int_equal(dup2(input, STDIN_FILENO), STDIN_FILENO);
	close(input);
	bufalloc_request_destroy(req);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, sim_setup, sim_teardown)

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		TEST(environment_names_the_backends),
		TEST(bad_options_are_refused),
		TEST(module_alone_must_be_there),
		TEST(context_of_the_module_uses_the_module),
		TEST(closed_device_is_ebadf),
		TEST(trial_gives_the_queue_back),
		TEST(verdict_is_json),
		TEST(dmabuf_of_anybody_is_a_buffer),
		TEST(heaps_are_looked_at_up_to_a_number),
		TEST(descriptor_zero_is_a_file),
	};

	unsetenv("BUFALLOC_BACKEND");
	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL) == 0 ? 0 : 1;
}
