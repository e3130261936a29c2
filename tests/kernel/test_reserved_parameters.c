// SPDX-License-Identifier: MIT
/*
 * The parameter reserved= of the module: what is no list of regions does not load,
 * and a region that cannot be is left out, with the reason in the kernel's log. The
 * guest has kept 0x48000000 to 0x50000000 from the kernel (guest.sh).
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "klog.h"
#include "ktest.h"
#include "region.h"

static void
load_with(const char *parameter)
{
	char parameters[256];

	CHECK_WITHIN_1S(ba_unload() == 0 || errno == ENOENT);
	klog_clear();
	snprintf(parameters, sizeof(parameters), "reserved=%s", parameter);
	CHECK_EQ(ba_try_load(parameters), 0);
}

static bool
has_heap(void)
{
	struct bufalloc_info info = { .size = sizeof(info) };
	int node = ba_open();

	CHECK_EQ(ioctl(node, BUFALLOC_IOCTL_INFO, &info), 0);
	close(node);
	return (info.out_heaps >> BUFALLOC_HEAP_RESERVED & 1) != 0;
}

static void
not_a_list(void)
{
	static const char *const wrong[] = {
		"64M",
		"@0x48000000",
		"64M@",
		"64M@0x48000000,",
		",64M@0x48000000",
		"64M@0x48000000@1M",
		"64Q@0x48000000",
		"64MB@0x48000000",
		"0x@0x48000000",
		"-64M@0x48000000",
		"+64M@0x48000000",
		"64M$0x48000000",
		"99999999999999999999@0x48000000",
		"99999999999999G@0x48000000",
		"64M@0x48000000000000000",
		"all",
	};

	CHECK_WITHIN_1S(ba_unload() == 0 || errno == ENOENT);
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		char parameters[256];

		klog_clear();
		snprintf(parameters, sizeof(parameters), "reserved=%s", wrong[i]);
		errno = 0;
		if (ba_try_load(parameters) != -1 || errno != EINVAL) {
			ktest_fail(__FILE__, __LINE__, "%s: errno %s",
				   wrong[i], ktest_errno_name());
		}
		CHECK(klog_says("is not SIZE@START"));
	}
	/* Also when others of the list are right: then none of them is kept. */
	CHECK_EQ(region_read((struct region[REGION_MAX]){ 0 }), 0);
	ba_load();
}

static void
refused_with_the_reason(void)
{
	static const struct {
		const char *parameter, *reason;
	} wrong[] = {
		{ "0@0x48000000", "it is not of whole pages" },
		{ "4097@0x48000000", "it is not of whole pages" },
		{ "1M@0x48000800", "it is not of whole pages" },
		{ "2M@0xfffffffffff00000", "no such addresses exist" },
		{ "1M@0x10000000", "the kernel uses it as ordinary memory" },
		{ "256M@0x48000000", "the kernel uses it as ordinary memory" },
		{ "4K@0xfee00000", "something else uses it" },
	};

	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		int node;

		load_with(wrong[i].parameter);
		if (!klog_says(wrong[i].reason) || !klog_says(wrong[i].parameter)) {
			ktest_fail(__FILE__, __LINE__, "%s: not in the log: %s",
				   wrong[i].parameter, wrong[i].reason);
		}
		CHECK(!has_heap());
		CHECK_EQ(region_read((struct region[REGION_MAX]){ 0 }), 0);
		node = ba_open();
		CHECK_ERRNO(EOPNOTSUPP,
			    ba_try_alloc(node, BUFALLOC_HEAP_RESERVED, 4096));
		close(node);
	}
}

static void
not_configured(void)
{
	int node;

	CHECK_WITHIN_1S(ba_unload() == 0 || errno == ENOENT);
	ba_load();
	CHECK(!has_heap());
	node = ba_open();
	CHECK_ERRNO(EOPNOTSUPP, ba_try_alloc(node, BUFALLOC_HEAP_RESERVED, 4096));
	close(node);
}

/* One that is right is used though another is not. */
static void
others_are_used(void)
{
	struct region regions[REGION_MAX];
	int node, fd;

	load_with("16M@0x48000000,16M@0x48800000,1024k@0x10000000,4096K@1232M");
	CHECK(klog_says("16M@0x48800000 is not used: it overlaps another one"));
	CHECK(klog_says("1024k@0x10000000 is not used: the kernel uses it"));
	CHECK_EQ(region_read(regions), 2);
	CHECK_EQ(regions[0].start, 0x48000000);
	CHECK_EQ(regions[0].length, 16 << 20);
	CHECK_EQ(regions[1].start, 0x4d000000);
	CHECK_EQ(regions[1].length, 4 << 20);
	node = ba_open();
	fd = ba_alloc(node, BUFALLOC_HEAP_RESERVED, 16 << 20);
	close(node);
	CHECK_ERRNO(EWOULDBLOCK, ba_unload());
	close(fd);
	CHECK_WITHIN_1S(ba_unload() == 0);
	CHECK_EQ(region_read(regions), 0);
	ba_load();
}

/* Where it is is nobody's business but root's. */
static void
parameter_is_root_s(void)
{
	load_with("16M@0x48000000");
	CHECK_EQ(chdir("/sys/module/bufalloc/parameters"), 0);
	CHECK_EQ(access("reserved", R_OK), 0);
	CHECK_EQ(seteuid(65534), 0);
	CHECK_EQ(open("reserved", O_RDONLY | O_CLOEXEC), -1);
	CHECK_EQ(seteuid(0), 0);
	CHECK_EQ(chdir("/"), 0);
}

static const struct ktest_row rows[] = {
	{ "no-list-einval", not_a_list },
	{ "refused-with-the-reason", refused_with_the_reason },
	{ "not-configured-eopnotsupp", not_configured },
	{ "others-are-used", others_are_used },
	{ "addresses-are-for-root", parameter_is_root_s },
};

int
main(void)
{
	return ktest_main(rows, sizeof(rows) / sizeof(rows[0]));
}
