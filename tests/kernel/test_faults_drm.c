// SPDX-License-Identifier: MIT
/*
 * A DRM driver whose objects are bufalloc's (ba_vkms), with each allocation and copy
 * failing.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <drm_fourcc.h>
#include <xf86drm.h>

#include "display.h"
#include "faults.h"
#include "ktest.h"

#define WIDTH 64
#define HEIGHT 64
static int card = -1, node = -1, fd = -1, made = -1, next;
static struct dumb dumb;
static void *data;

static void
prepare_card(void)
{
	card = drm_open_driver("ba_vkms");
}

static void
prepare_dumb(void)
{
	prepare_card();
	dumb = dumb_create(card, WIDTH, HEIGHT);
	next = dup(card);
	close(next);
}

static void
prepare_buffer(void)
{
	prepare_card();
	node = ba_open();
	fd = ba_alloc(node, BUFALLOC_HEAP_SYSTEM, (size_t)WIDTH * HEIGHT * 4);
}

/* The card takes its objects with it. */
static void
undo(void)
{
	if (data != NULL) {
		munmap(data, dumb.size);
		data = NULL;
	}
	faults_close(&made);
	faults_close(&fd);
	faults_close(&card);
	faults_close(&node);
}

static int
run_open(void)
{
	char path[32];

	snprintf(path, sizeof(path), "/proc/self/fd/%d", card);
	made = open(path, O_RDWR | O_CLOEXEC);
	return faults_errno(made);
}

static int
run_create(void)
{
	struct drm_mode_create_dumb create = {
		.width = WIDTH,
		.height = HEIGHT,
		.bpp = 32,
	};

	return faults_errno(ioctl(card, DRM_IOCTL_MODE_CREATE_DUMB, &create));
}

static int
run_map(void)
{
	struct drm_mode_map_dumb args = { .handle = dumb.handle };
	void *map;

	if (ioctl(card, DRM_IOCTL_MODE_MAP_DUMB, &args) != 0) {
		return errno;
	}
	map = mmap(NULL, dumb.size, PROT_READ | PROT_WRITE, MAP_SHARED, card,
		   (off_t)args.offset);
	if (map == MAP_FAILED) {
		return errno;
	}
	data = map;
	return 0;
}

static int
run_export(void)
{
	struct drm_prime_handle args = {
		.handle = dumb.handle,
		.flags = DRM_CLOEXEC | DRM_RDWR,
		.fd = -1,
	};

	if (ioctl(card, DRM_IOCTL_PRIME_HANDLE_TO_FD, &args) != 0) {
		int error = errno;

		/* DRM has published it before its answer cannot be copied. */
		made = fcntl(next, F_GETFD) >= 0 ? next : -1;
		return error;
	}
	made = args.fd;
	return 0;
}

static int
run_import(void)
{
	struct drm_prime_handle args = { .fd = fd };

	return faults_errno(ioctl(card, DRM_IOCTL_PRIME_FD_TO_HANDLE, &args));
}

static int
run_add_fb(void)
{
	struct drm_mode_fb_cmd2 args = {
		.width = WIDTH,
		.height = HEIGHT,
		.pixel_format = DRM_FORMAT_XRGB8888,
		.handles = { dumb.handle },
		.pitches = { dumb.pitch },
	};

	if (ioctl(card, DRM_IOCTL_MODE_ADDFB2, &args) != 0) {
		return errno;
	}
	return faults_errno(ioctl(card, DRM_IOCTL_MODE_RMFB, &args.fb_id));
}

FAULTS_ROW(sweep_open, "open a card", prepare_card, run_open, undo, FAULTS_NOTHING_LEFT)
FAULTS_ROW(sweep_create, "CREATE_DUMB", prepare_card, run_create, undo, FAULTS_NOTHING_LEFT)
FAULTS_ROW(sweep_map, "mmap of a dumb buffer", prepare_dumb, run_map, undo,
	   FAULTS_NOTHING_LEFT)
FAULTS_ROW(sweep_export, "PRIME_HANDLE_TO_FD", prepare_dumb, run_export, undo,
	   FAULTS_NOTHING_LEFT)
FAULTS_ROW(sweep_import, "PRIME_FD_TO_HANDLE", prepare_buffer, run_import, undo,
	   FAULTS_NOTHING_LEFT)
FAULTS_ROW(sweep_add_fb, "ADDFB2 and RMFB", prepare_dumb, run_add_fb, undo,
	   FAULTS_NOTHING_LEFT)

static const struct ktest_row rows[] = {
	{ "open", sweep_open },
	{ "create-dumb", sweep_create },
	{ "mmap", sweep_map },
	{ "prime-export", sweep_export },
	{ "prime-import", sweep_import },
	{ "addfb2-and-rmfb", sweep_add_fb },
	{ "nothing-is-leaked", faults_check_leaks },
	{ "totals", faults_keep },
};

int
main(void)
{
	return ktest_main(rows, sizeof(rows) / sizeof(rows[0]));
}
