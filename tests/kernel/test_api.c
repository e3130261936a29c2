// SPDX-License-Identifier: MIT
/*
 * The in-kernel API, called by a driver (modules/ba_api.c) whose checks run in
 * the kernel; each is a row here.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "ktest.h"
#include "modules/ba_api.h"
#include "user.h"

static void
run_with(const char *name, int fd)
{
	struct ba_api_run arg = { .fd = fd };
	int api = open("/dev/ba_api", O_RDWR | O_CLOEXEC);

	CHECK(api >= 0);
	snprintf(arg.name, sizeof(arg.name), "%s", name);
	CHECK_EQ(ioctl(api, BA_API_RUN, &arg), 0);
	close(api);
	if (arg.why[0] != '\0') {
		ktest_fail(__FILE__, __LINE__, "in the kernel: %s", arg.why);
	}
}

static void
run(const char *name)
{
	run_with(name, -1);
}

#define ROW(name)             \
	static void name(void) \
	{                     \
		run(#name);   \
	}

ROW(alloc)
ROW(alloc_in_probe)
ROW(refusals)
ROW(map)
ROW(export)
ROW(foreign_dmabuf)
ROW(window)
ROW(window_moves)
ROW(two_domains)
ROW(domain_refusals)

static void
read_only(void)
{
	int node = ba_open();
	void *memory = user_anonymous(PAGE, MAP_PRIVATE);
	int fd = user_import(node, memory, PAGE, BUFALLOC_IMPORT_READ_ONLY);

	run_with("read_only", fd);
	close(fd);
	munmap(memory, PAGE);
	close(node);
}

static void
unknown(void)
{
	struct ba_api_run arg = { .name = "no such check" };
	int api = open("/dev/ba_api", O_RDWR | O_CLOEXEC);

	CHECK_ERRNO(ENOENT, ioctl(api, BA_API_RUN, &arg));
	close(api);
}

static const struct ktest_row rows[] = {
	{ "an-unknown-check-enoent", unknown },
	{ "alloc-for-devices-of-the-driver", alloc },
	{ "alloc-in-probe-under-the-device-lock", alloc_in_probe },
	{ "refusals-each-its-errno", refusals },
	{ "map-for-a-device", map },
	{ "export-keeps-the-memory", export },
	{ "a-foreign-dmabuf-is-no-buffer", foreign_dmabuf },
	{ "window-slides-over-a-buffer", window },
	{ "window-moves-and-refuses", window_moves },
	{ "two-own-domains-at-fixed-addresses", two_domains },
	{ "own-domain-refusals-each-its-errno", domain_refusals },
	{ "memory-imported-read-only-stays-so", read_only },
};

int
main(void)
{
	return ktest_main(rows, sizeof(rows) / sizeof(rows[0]));
}
