/* SPDX-License-Identifier: MIT */
/*
 * Every call that can fail, with each system call and each piece of memory that it
 * takes made to fail in turn: once, and from then on for ever. Whatever failed, the
 * answer is an errno, no descriptor and no mapping is left, and the same call
 * works afterwards. test_sweep.c does so for bufalloc_alloc() on all machines.
 */
#include "scene.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

static const struct scene module = {
	.machine = { MODULE, HEAPS(SYSTEM) },
	.devices = { VMALLOC, KMS },
};
static const struct scene heaps = {
	.machine = { HEAPS(SYSTEM, CMA) },
	.devices = { CONTIG, KMS },
};

/* A camera whose pictures are in two dma-bufs. */
static const struct scene two_memories = {
	.machine = { HEAPS(SYSTEM) },
	.devices = { CAMERA(.caps = V4L2_CAP_VIDEO_CAPTURE_MPLANE, .formats = { NM12 }) },
};

/* What a call works on; made anew for each try. */
static struct {
	struct bufalloc_ctx *ctx;
	struct bufalloc_request *req;
	struct bufalloc_buf *buf;
	struct bufalloc_buf *made;
	struct bufalloc_pool *pool;
	struct bufalloc_verdict *verdict;
	struct bufalloc_ctx *opened;
	struct bufalloc_request *request;
	int device;
} it;

static char bytes[4096] __attribute__((aligned(4096)));

static int
open_any(void)
{
	return bufalloc_open(&it.opened, NULL);
}

static int
open_module(void)
{
	return bufalloc_open_module(&it.opened, NULL);
}

static int
get_info(void)
{
	struct bufalloc_module_info info;

	return bufalloc_get_info(it.ctx, &info);
}

static int
get_device_info(void)
{
	struct bufalloc_dev_info info;

	return bufalloc_get_device_info(it.ctx, it.device, BUFALLOC_WRITE, &info);
}

static int
get_buf_info(void)
{
	struct bufalloc_buf_info info;

	return bufalloc_get_buf_info(it.ctx, bufalloc_buf_get_fd(it.buf), &info);
}

static int
alloc_bytes(void)
{
	return bufalloc_alloc_bytes(it.ctx, 5000, BUFALLOC_SYSTEM, "row", &it.made);
}

static int
alloc_for(void)
{
	const struct bufalloc_use use = { it.device, BUFALLOC_WRITE };

	return bufalloc_alloc_for(it.ctx, 5000, BUFALLOC_AUTO, "row", &use, 1, 0,
				  &it.made, &it.verdict);
}

static int
alloc_with(void)
{
	const struct bufalloc_use use = { it.device, BUFALLOC_WRITE };
	const struct bufalloc_alloc_options options = {
		.size = sizeof(options),
		.uses = &use,
		.count = 1,
	};

	return bufalloc_alloc_with(it.ctx, 5000, &options, &it.made, &it.verdict);
}

static int
import_user(void)
{
	return bufalloc_import_user(it.ctx, bytes, sizeof(bytes), NULL, &it.made,
				    &it.verdict);
}

static int
import_dmabuf(void)
{
	return bufalloc_import_dmabuf(bufalloc_buf_get_fd(it.buf), &it.made);
}

static int
map(void)
{
	void *ptr;
	int ret = bufalloc_buf_map(it.buf, BUFALLOC_READ_WRITE, &ptr);

	if (ret == 0) {
		memset(ptr, 1, bufalloc_buf_get_length(it.buf));
	}
	return ret;
}

/* It unmaps in any case: the second time there is nothing to unmap. */
static int
map_and_unmap(void)
{
	int ret = map();

	return ret == 0 ? bufalloc_buf_unmap(it.buf) : ret;
}

static int
begin_and_end(void)
{
	int ret = bufalloc_buf_begin(it.buf, BUFALLOC_READ);

	return ret == 0 ? bufalloc_buf_end(it.buf, BUFALLOC_READ) : ret;
}

static int
sync_range(void)
{
	return bufalloc_sync_range(it.ctx, bufalloc_buf_get_fd(it.buf), 0, 100,
				   BUFALLOC_READ, BUFALLOC_BEGIN);
}

static int
copy_in(void)
{
	return bufalloc_copy_in(it.ctx, bufalloc_buf_get_fd(it.buf), 0, bytes, 10,
				NULL);
}

static int
copy_out(void)
{
	return bufalloc_copy_out(it.ctx, bufalloc_buf_get_fd(it.buf), 0, bytes, 10,
				 NULL);
}

static int
load_firmware(void)
{
	uint64_t length;

	return bufalloc_load_firmware(it.ctx, bufalloc_buf_get_fd(it.buf), 0,
				      "camera.bin", &length);
}

static int
request_new(void)
{
	return bufalloc_request_new(&it.request);
}

static int
negotiate(void)
{
	const struct bufalloc_layout *layout;

	return bufalloc_request_negotiate(it.req, &layout, &it.verdict);
}

static int
pool_new(void)
{
	return bufalloc_pool_new(it.ctx, it.req, 2, 4, &it.pool, &it.verdict);
}

/* The second buffer is a new one. */
static int
pool_grow(void)
{
	struct bufalloc_buf *one = NULL;
	int ret = 0;

	if (it.pool == NULL) {
		ret = bufalloc_pool_new(it.ctx, it.req, 1, 3, &it.pool, NULL);
	}
	if (ret == 0) {
		ret = bufalloc_pool_acquire(it.pool, 0, &one);
	}
	if (ret == 0) {
		ret = bufalloc_pool_acquire(it.pool, 0, &it.made);
	}
	bufalloc_buf_destroy(one);
	return ret;
}

static int
pool_release(void)
{
	int fence = eventfd(1, EFD_CLOEXEC | EFD_NONBLOCK);
	int ret = fence < 0 ? -errno : 0;

	if (ret == 0 && it.pool == NULL) {
		ret = bufalloc_pool_new(it.ctx, it.req, 1, 1, &it.pool, NULL);
	}
	if (ret == 0 && it.made == NULL) {
		ret = bufalloc_pool_acquire(it.pool, 0, &it.made);
	}
	if (ret == 0) {
		ret = bufalloc_pool_release(it.pool, it.made, fence);
		it.made = ret == 0 ? NULL : it.made;
	}
	if (ret != 0 && fence >= 0) {
		close(fence);
	}
	return ret;
}

/* Sentences ask the module for its limits; they cannot fail. */
static int
sentences(void)
{
	char text[512];

	assert_true(bufalloc_open_strerror(NULL, -EACCES, text, sizeof(text)) > 20);
	assert_true(bufalloc_alloc_strerror(it.ctx, 5000, BUFALLOC_CONTIG, -EDQUOT,
					    text, sizeof(text)) > 20);
	return 0;
}

static const struct {
	const char *name;
	const struct scene *scene;
	int (*run)(void);
	/* In the kernel's own work for it, only a fatal signal is EINTR. */
	bool may_be_interrupted;
} calls[] = {
	{ "open", &module, open_any, false },
	{ "open without the module", &heaps, open_any, false },
	{ "open_module", &module, open_module, true },
	{ "get_info", &module, get_info, true },
	{ "get_device_info", &module, get_device_info, true },
	{ "get_buf_info", &module, get_buf_info, true },
	{ "alloc_bytes", &module, alloc_bytes, true },
	{ "alloc_for", &module, alloc_for, true },
	{ "alloc_with", &module, alloc_with, true },
	{ "import_user", &module, import_user, true },
	{ "import_dmabuf", &heaps, import_dmabuf, false },
	{ "map", &heaps, map, false },
	{ "map of two", &two_memories, map, false },
	{ "map and unmap of two", &two_memories, map_and_unmap, false },
	{ "map and unmap", &heaps, map_and_unmap, false },
	{ "begin and end", &heaps, begin_and_end, false },
	{ "sync_range", &module, sync_range, false },
	{ "copy_in", &module, copy_in, false },
	{ "copy_out", &module, copy_out, false },
	{ "load_firmware", &module, load_firmware, false },
	{ "request_new", &module, request_new, false },
	{ "request_negotiate", &heaps, negotiate, false },
	{ "pool_new", &heaps, pool_new, false },
	{ "pool_new of the module", &module, pool_new, true },
	{ "pool_acquire", &heaps, pool_grow, false },
	{ "pool_release with a fence", &heaps, pool_release, false },
	{ "sentences", &module, sentences, false },
};

/* Mappings of files like those of the stand-in. */
static unsigned int
count_mappings(void)
{
	FILE *file = fopen("/proc/self/maps", "r");
	unsigned int count = 0;
	char line[512];

	assert_non_null(file);
	while (fgets(line, sizeof(line), file) != NULL) {
		count += strstr(line, "/memfd:") != NULL;
	}
	fclose(file);
	return count;
}

static void
prepare(const struct scene *scene)
{
	static const struct sim_v4l2 camera = { .formats = { YUYV, NV12 } };

	memset(&it, 0, sizeof(it));
	it.req = scene_request(scene);
	it.ctx = scene_open(scene);
	it.device = sim_open_v4l2(&camera);
	assert_int_equal(bufalloc_alloc(it.ctx, it.req, &it.buf, NULL), 0);
}

static void
drop_made(void)
{
	bufalloc_buf_destroy(it.made);
	bufalloc_pool_destroy(it.pool);
	bufalloc_verdict_destroy(it.verdict);
	bufalloc_close(it.opened);
	bufalloc_request_destroy(it.request);
	it.made = NULL;
	it.pool = NULL;
	it.verdict = NULL;
	it.opened = NULL;
	it.request = NULL;
	while (bufalloc_buf_unmap(it.buf) == 0) {
	}
}

static void
clean_up(void)
{
	drop_made();
	bufalloc_buf_destroy(it.buf);
	bufalloc_close(it.ctx);
	bufalloc_request_destroy(it.req);
	sim_forget_objects();
	sim_close_all();
}

enum { MEMORY, SIGNAL, FIRST_ERRNO };
static const int errnos[] = { ENOMEM, EINTR, EIO, EMFILE };

/* Returns whether there was an nth thing that could fail. */
static bool
fails_at(size_t i, unsigned int nth, unsigned int how, bool for_ever)
{
	unsigned int fds, mappings;
	bool failed;
	int ret;

	prepare(calls[i].scene);
	fds = sim_count_fds();
	mappings = count_mappings();
	if (how == MEMORY) {
		sim_fail_memory(nth, for_ever);
	} else {
		sim_fail_call(nth, errnos[how], for_ever, false);
	}
	ret = calls[i].run();
	failed = sim_has_failed();
	sim_fail_memory(0, false);
	sim_fail_call(0, 0, false, false);

	if (!failed && ret != 0) {
		fail_msg("%s: %d although nothing failed", calls[i].name, ret);
	}
	if (ret > 0 || ret < -4095) {
		fail_msg("%s: %d is no errno", calls[i].name, ret);
	}
	if (how == SIGNAL && ret != 0 &&
	    (ret != -EINTR || !calls[i].may_be_interrupted)) {
		fail_msg("%s: %d, call %u was interrupted: %s", calls[i].name, ret, nth,
			 it.verdict ? bufalloc_verdict_text(it.verdict) : "");
	}
	if (it.verdict != NULL) {
		assert_int_equal(bufalloc_verdict_get_error(it.verdict), ret);
		assert_true(strlen(bufalloc_verdict_text(it.verdict)) > 5);
	}
	drop_made();
	/* An end that fails leaves what it was to end. */
	if (ret != 0 && calls[i].run == map && !for_ever) {
		assert_int_equal(sim_cpu_accesses(bufalloc_buf_get_fd(it.buf)), 0);
	}
	if (sim_count_fds() != fds || count_mappings() != mappings) {
		fail_msg("%s: left something (%u of %s, %s)", calls[i].name, nth,
			 how == MEMORY ? "memory" : strerror(errnos[how]),
			 for_ever ? "for ever" : "once");
	}
	ret = calls[i].run();
	if (ret != 0) {
		fail_msg("%s: %d after a failure", calls[i].name, ret);
	}
	clean_up();
	return failed;
}

static void
sweep(void **state)
{
	unsigned int seen, nth, how;
	size_t i;
	int for_ever;

	(void)state;
	for (i = 0; i < LEN(calls); i++) {
		seen = 0;
		for (how = 0; how < LEN(errnos); how++) {
			for (for_ever = 0; for_ever < 2; for_ever++) {
				if (how == SIGNAL && for_ever) {
					continue; /* it would be for ever */
				}
				for (nth = 1; fails_at(i, nth, how, for_ever); nth++) {
					seen++;
				}
			}
		}
		printf("# %s: %u failures\n", calls[i].name, seen);
		assert_true(seen > 0);
	}
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, sim_setup, sim_teardown)

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		TEST(sweep),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL) == 0 ? 0 : 1;
}
