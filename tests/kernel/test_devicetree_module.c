// SPDX-License-Identifier: MIT
/*
 * The module comes and goes on a machine whose devicetree names regions
 * (tests/vm/reserved.dtso), one of which cannot be used.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "klog.h"
#include "ktest.h"
#include "region.h"

#define BIND "/sys/bus/platform/drivers/bufalloc-reserved/bind"

static void
load(void)
{
	CHECK_WITHIN_1S(ba_unload() == 0 || errno == ENOENT);
	klog_clear();
	ba_load();
}

/* Nobody binds anything by hand. */
static void
found_at_load(void)
{
	struct region regions[REGION_MAX], camera;
	struct region_line lines[REGION_MAX];

	load();
	CHECK_EQ(region_lines(lines), 4);
	CHECK_EQ(region_read(regions), 3);
	camera = region_of_node("camera@140000000");
	CHECK_EQ(regions[1].start, camera.start);
	CHECK_EQ(regions[1].length, camera.length);
}

static void
gone_at_unload(void)
{
	int node, nomap, cma;

	load();
	region_unbind("bufalloc-cma");
	node = ba_open();
	nomap = ba_alloc(node, BUFALLOC_HEAP_RESERVED, 1 << 20);
	region_bind("bufalloc-cma");
	region_unbind("bufalloc-nomap");
	cma = ba_alloc(node, BUFALLOC_HEAP_RESERVED, 1 << 20);
	close(node);
	CHECK_ERRNO(EWOULDBLOCK, ba_unload());
	close(nomap);
	CHECK_WITHIN_1S(ba_live("buffers") == 1);
	CHECK_ERRNO(EWOULDBLOCK, ba_unload());
	close(cma);
	CHECK_WITHIN_1S(ba_unload() == 0);
	CHECK_EQ(region_read((struct region[REGION_MAX]){ 0 }), 0);
	CHECK(access("/sys/bus/platform/devices/bufalloc-cma/driver", F_OK) != 0);
	ba_load();
}

static void
wrong_node(void)
{
	load();
	CHECK(klog_says("/plain@120000000 is not used: it has neither no-map nor "
		       "reusable"));
	CHECK(klog_says("memory-region names no region that can be used"));
	CHECK(!ktest_put(BIND, "bufalloc-wrong", 0));
	CHECK_EQ(errno, ENXIO);
}

/* What the administrator names comes first, and nothing is had twice. */
static void
parameter_too(void)
{
	struct region_line lines[REGION_MAX];

	CHECK_WITHIN_1S(ba_unload() == 0 || errno == ENOENT);
	klog_clear();
	CHECK_EQ(ba_try_load("reserved=1M@0x140000000,1M@0x130000000"), 0);
	CHECK(klog_says("1M@0x130000000 is not used: the kernel uses it"));
	CHECK(klog_says("/camera@140000000 is not used: it overlaps another"));
	CHECK_EQ(region_lines(lines), 4);
	CHECK(strcmp(lines[0].name, "1M@0x140000000") == 0);
	CHECK_WITHIN_1S(ba_unload() == 0);
	ba_load();
}

static const struct ktest_row rows[] = {
	{ "found-at-load", found_at_load },
	{ "gone-at-unload", gone_at_unload },
	{ "neither-kind-is-refused-with-the-reason", wrong_node },
	{ "beside-the-parameter", parameter_too },
};

int
main(void)
{
	return ktest_main(rows, sizeof(rows) / sizeof(rows[0]));
}
