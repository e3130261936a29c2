// SPDX-License-Identifier: MIT
/*
 * The modules are loaded while each allocation and copy fails that this makes: they
 * are loaded then, or not, and can be again.
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "faults.h"
#include "ktest.h"

static const char *name;
static bool loaded;
static int file = -1;

/* The module of that name, beside bufalloc.ko. */
static void
open_module(const char *module)
{
	const char *core = getenv("BUFALLOC_KO");
	char path[PATH_MAX];

	CHECK(core != NULL);
	snprintf(path, sizeof(path), "%.*s/%s.ko",
		 (int)(strrchr(core, '/') - core), core, module);
	file = open(path, O_RDONLY | O_CLOEXEC);
	CHECK(file >= 0);
}

static void
prepare_core(void)
{
	name = "bufalloc";
	open_module("bufalloc");
}

static void
prepare_v4l2(void)
{
	name = "bufalloc_v4l2";
	open_module("bufalloc-v4l2");
}

static void
prepare_drm(void)
{
	name = "bufalloc_drm";
	open_module("bufalloc-drm");
}

static int
run(void)
{
	loaded = syscall(SYS_finit_module, file, "", 0) == 0;
	return loaded ? 0 : errno;
}

static void
undo(void)
{
	if (loaded) {
		CHECK_EQ(syscall(SYS_delete_module, name, O_NONBLOCK), 0);
	}
	close(file);
}

static void
sweep_core(void)
{
	static const struct faults_op op = {
		"load bufalloc", prepare_core, run, undo, { ENOMEM, EFAULT },
	};

	faults_sweep(&op);
}

static void
sweep_v4l2(void)
{
	static const struct faults_op op = {
		"load bufalloc-v4l2", prepare_v4l2, run, undo,
		{ ENOMEM, EFAULT },
	};

	ba_load();
	faults_sweep(&op);
	CHECK_EQ(ba_unload(), 0);
}

static void
sweep_drm(void)
{
	static const struct faults_op op = {
		"load bufalloc-drm", prepare_drm, run, undo, { ENOMEM, EFAULT },
	};

	ba_load();
	faults_sweep(&op);
	CHECK_EQ(ba_unload(), 0);
}

/* As before all of that. */
static void
loads_again(void)
{
	int node;

	ba_load();
	node = ba_open();
	close(ba_alloc(node, BUFALLOC_HEAP_SYSTEM, 4096));
	close(node);
	CHECK_WITHIN_1S(ba_unload() == 0);
}

static const struct ktest_row rows[] = {
	{ "bufalloc", sweep_core },
	{ "bufalloc-v4l2", sweep_v4l2 },
	{ "bufalloc-drm", sweep_drm },
	{ "loads-again", loads_again },
	{ "nothing-is-leaked", faults_check_leaks },
	{ "totals", faults_keep },
};

int
main(void)
{
	int status = ktest_main(rows, sizeof(rows) / sizeof(rows[0]));

	faults_report();
	return status;
}
