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

#include "apirun.h"
#include "ktest.h"
#include "modules/ba_api.h"
#include "user.h"

static void
run(const char *name)
{
	apirun(name, BUFALLOC_HEAP_AUTO, -1);
}

#define ROW(name)             \
	static void name(void) \
	{                     \
		run(#name);   \
	}

ROW(alloc)
ROW(alloc_in_probe)
ROW(peers)
ROW(refusals)
ROW(map)
ROW(export)
ROW(references)
ROW(foreign_dmabuf)
ROW(window)
ROW(window_moves)
ROW(domain_refusals)
ROW(pieces)
ROW(pieces_dma)
ROW(pieces_refusals)
ROW(users)
ROW(vmap)
ROW(syncs)
ROW(pin_user)

static void
two_domains(void)
{
	apirun_two_domains(BUFALLOC_HEAP_AUTO);
}

static void
firmware(void)
{
	int node = ba_open();
	int fd = ba_alloc(node, BUFALLOC_HEAP_SYSTEM, 256 << 10);

	apirun_firmware(fd, 256 << 10);
	close(fd);
	close(node);
}

static void
read_only(void)
{
	int node = ba_open();
	void *memory = user_anonymous(PAGE, MAP_PRIVATE);
	int fd = user_import(node, memory, PAGE, BUFALLOC_IMPORT_READ_ONLY);

	apirun("read_only", BUFALLOC_HEAP_AUTO, fd);
	close(fd);
	munmap(memory, PAGE);
	close(node);
}

/* And the driver's author is told, by us: to dma_pool nothing is left. */
static void
pieces_left(void)
{
	int log = open("/dev/kmsg", O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	unsigned int ours = 0, busy = 0;
	char text[1024];
	ssize_t n;

	CHECK(log >= 0);
	lseek(log, 0, SEEK_END);
	run("pieces_left");
	while ((n = read(log, text, sizeof(text) - 1)) > 0) {
		text[n] = '\0';
		ours += strstr(text, "3 pieces were in use when") != NULL;
		busy += strstr(text, "dma_pool_destroy") != NULL;
	}
	close(log);
	CHECK_EQ(ours, 1);
	CHECK_EQ(busy, 0);
}

/* What a driver maps is a dma-buf's: it stays when the driver's file is closed. */
static void
mmap_row(void)
{
	const size_t length = (size_t)1 << 20;
	int api = open("/dev/ba_api", O_RDWR | O_CLOEXEC);
	int node = ba_open(), fd;
	uint8_t *data;

	CHECK_ERRNO(EINVAL, (intptr_t)mmap(NULL, length + PAGE, PROT_READ,
					   MAP_SHARED, api, 0));
	CHECK_ERRNO(EINVAL, (intptr_t)mmap(NULL, length, PROT_READ, MAP_PRIVATE,
					   api, 0));
	data = mmap(NULL, length, PROT_READ | PROT_WRITE, MAP_SHARED, api, 0);
	CHECK(data != MAP_FAILED);
	close(api);
	for (size_t i = 0; i < length; i++) {
		CHECK_EQ(data[i], (uint8_t)(i * 7 + (i >> 8) * 13 + 8));
	}
	fd = user_import(node, data, length, 0);
	CHECK_EQ(ba_buffer_info(node, fd).out_length, length);
	munmap(data, length);
	close(fd);
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
	{ "peers-are-held-with-their-drivers", peers },
	{ "refusals-each-its-errno", refusals },
	{ "map-for-a-device", map },
	{ "export-keeps-the-memory", export },
	{ "references-keep-the-memory", references },
	{ "a-foreign-dmabuf-is-no-buffer", foreign_dmabuf },
	{ "firmware-into-a-buffer", firmware },
	{ "window-slides-over-a-buffer", window },
	{ "window-moves-and-refuses", window_moves },
	{ "two-own-domains-at-fixed-addresses", two_domains },
	{ "own-domain-refusals-each-its-errno", domain_refusals },
	{ "memory-imported-read-only-stays-so", read_only },
	{ "pieces-zeroed-aligned-within-their-boundary", pieces },
	{ "pieces-by-a-device", pieces_dma },
	{ "pieces-refusals-einval", pieces_refusals },
	{ "pieces-left-go-with-their-pool", pieces_left },
	{ "users-are-counted", users },
	{ "a-kernel-mapping-where-there-may-be-one", vmap },
	{ "syncs-between-devices-and-cpu", syncs },
	{ "memory-of-the-process-s-own", pin_user },
	{ "mmap-of-the-driver-s-is-a-dmabuf", mmap_row },
};

int
main(void)
{
	return ktest_main(rows, sizeof(rows) / sizeof(rows[0]));
}
