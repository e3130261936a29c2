// SPDX-License-Identifier: MIT
/*
 * GEM objects on bufalloc: vkms with its memory from there (ba_vkms) beside vkms as
 * the kernel has it. What both must do alike is done with both.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <drm_fourcc.h>
#include <xf86drm.h>
#include <xf86drmMode.h>

#include "display.h"
#include "vkms.h"

/* Memory that a client has written does not come back to another. */
static void
zeroed(void)
{
	int card = drm_open_driver(OURS);

	for (int i = 0; i < 20; i++) {
		struct dumb dumb = dumb_create(card, WIDTH + i, HEIGHT);
		uint8_t *data = dumb_map(&dumb);

		CHECK_EQ(first_nonzero(data, dumb.size), dumb.size);
		memset(data, 0xa5, dumb.size);
		munmap(data, dumb.size);
		dumb_destroy(&dumb);
	}
	close(card);
}

static void
sizes_of(int card)
{
	static const struct {
		uint32_t width, height, bpp, pitch;
		int error;
	} cases[] = {
		{ 0, 1, 32, 0, EINVAL },
		{ 1, 0, 32, 0, EINVAL },
		{ 1, 1, 0, 0, EINVAL },
		{ UINT32_MAX, UINT32_MAX, 32, 0, EINVAL },
		{ 1, 1, 32, 4, 0 },
		{ 1000, 3, 32, 4000, 0 },
		{ 1000, 3, 16, 2000, 0 },
		{ 1001, 1, 8, 1001, 0 },
		{ 4096, 2, 64, 32768, 0 },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct drm_mode_create_dumb args = {
			.width = cases[i].width, .height = cases[i].height,
			.bpp = cases[i].bpp,
		};
		uint64_t bytes = (uint64_t)cases[i].pitch * cases[i].height;
		struct dumb dumb = { .card = card };

		if (cases[i].error != 0) {
			CHECK_ERRNO(cases[i].error,
				    drmIoctl(card, DRM_IOCTL_MODE_CREATE_DUMB,
					     &args));
			continue;
		}
		CHECK_EQ(drmIoctl(card, DRM_IOCTL_MODE_CREATE_DUMB, &args), 0);
		CHECK_EQ(args.pitch, cases[i].pitch);
		CHECK_EQ(args.size, (bytes + 4095) / 4096 * 4096);
		dumb.handle = args.handle;
		dumb_destroy(&dumb);
	}
}

static void
sizes(void)
{
	with_both(sizes_of);
}

/*
 * Rows of 4095 MiB: in 32 bits, width times bits overflows. vkms as it is makes
 * a buffer of 511 MiB of it, for rows that the client believes to be longer.
 */
static void
row_longer_than_32_bits_of_bits(void)
{
	struct drm_mode_create_dumb args = {
		.width = 0xfff00000, .height = 1, .bpp = 8,
	};
	int card = drm_open_driver(OURS);

	CHECK_ERRNO(ENOMEM, drmIoctl(card, DRM_IOCTL_MODE_CREATE_DUMB, &args));
	close(card);
}

/* Errors of handles, and of what is asked of one. */
static void
bad_handles_of(int card)
{
	struct drm_mode_map_dumb map = { .handle = 4711 };
	struct drm_mode_destroy_dumb destroy = { .handle = 4711 };
	struct dumb dumb = dumb_create(card, WIDTH, HEIGHT);
	int null = open("/dev/null", O_RDWR | O_CLOEXEC);
	struct drm_prime_handle prime = { .handle = 4711, .fd = -1 };
	int closed = dup(null);

	CHECK_ERRNO(ENOENT, drmIoctl(card, DRM_IOCTL_MODE_MAP_DUMB, &map));
	CHECK_ERRNO(EINVAL, drmIoctl(card, DRM_IOCTL_MODE_DESTROY_DUMB, &destroy));
	CHECK_ERRNO(ENOENT, drmIoctl(card, DRM_IOCTL_PRIME_HANDLE_TO_FD, &prime));
	prime.handle = dumb.handle;
	prime.flags = 0x100;
	CHECK_ERRNO(EINVAL, drmIoctl(card, DRM_IOCTL_PRIME_HANDLE_TO_FD, &prime));
	prime.flags = 0;
	prime.fd = null;
	CHECK_ERRNO(EINVAL, drmIoctl(card, DRM_IOCTL_PRIME_FD_TO_HANDLE, &prime));
	close(closed);
	prime.fd = closed;
	CHECK_ERRNO(EBADF, drmIoctl(card, DRM_IOCTL_PRIME_FD_TO_HANDLE, &prime));
	dumb_destroy(&dumb);
	close(null);
}

static void
bad_handles(void)
{
	with_both(bad_handles_of);
}

static int
add_fb(int card, uint32_t handle, uint32_t pitch, uint32_t offset,
       uint32_t height)
{
	uint32_t handles[4] = { handle }, pitches[4] = { pitch };
	uint32_t offsets[4] = { offset };
	uint32_t fb = 0;
	int ret = drmModeAddFB2(card, WIDTH, height, DRM_FORMAT_XRGB8888, handles,
				pitches, offsets, &fb, 0);

	if (ret == 0) {
		drmModeRmFB(card, fb);
		return 0;
	}
	errno = -ret;
	return -1;
}

static void
bad_framebuffers_of(int card)
{
	struct dumb dumb = dumb_create(card, WIDTH, HEIGHT);

	CHECK_EQ(add_fb(card, dumb.handle, dumb.pitch, 0, HEIGHT), 0);
	CHECK_ERRNO(ENOENT, add_fb(card, 4711, dumb.pitch, 0, HEIGHT));
	CHECK_ERRNO(EINVAL, add_fb(card, dumb.handle, dumb.pitch - 4, 0, HEIGHT));
	CHECK_ERRNO(EINVAL, add_fb(card, dumb.handle, dumb.pitch, 0, HEIGHT + 1));
	CHECK_ERRNO(EINVAL, add_fb(card, dumb.handle, dumb.pitch, 4096, HEIGHT));
	CHECK_ERRNO(EINVAL, add_fb(card, dumb.handle, dumb.pitch * 2, 0, HEIGHT));
	CHECK_EQ(add_fb(card, dumb.handle, dumb.pitch * 2, 0, HEIGHT / 2), 0);
	dumb_destroy(&dumb);
}

static void
bad_framebuffers(void)
{
	with_both(bad_framebuffers_of);
}

static void
mappings_of(int card)
{
	struct dumb dumb = dumb_create(card, WIDTH, HEIGHT);
	struct drm_mode_map_dumb map = { .handle = dumb.handle };
	uint8_t *data = dumb_map(&dumb);
	char path[32];
	pid_t child;
	int other, status;

	CHECK_EQ(drmIoctl(card, DRM_IOCTL_MODE_MAP_DUMB, &map), 0);
	CHECK_ERRNO(EINVAL, (long)mmap(NULL, dumb.size + 4096, PROT_READ,
				       MAP_SHARED, card, (off_t)map.offset));
	CHECK_ERRNO(EINVAL, (long)mmap(NULL, dumb.size, PROT_READ | PROT_WRITE,
				       MAP_PRIVATE, card, (off_t)map.offset));
	/* The offset is the client's that has the handle. */
	snprintf(path, sizeof(path), "/proc/self/fd/%d", card);
	other = open(path, O_RDWR | O_CLOEXEC);
	CHECK(other >= 0);
	CHECK_ERRNO(EACCES, (long)mmap(NULL, dumb.size, PROT_READ, MAP_SHARED,
				       other, (off_t)map.offset));
	close(other);

	/* What is left of a mapping, in a child, after the handle is closed. */
	dumb_destroy(&dumb);
	CHECK_EQ(munmap(data, 4096), 0);
	child = fork();
	if (child == 0) {
		memset(data + 4096, 0x77, dumb.size - 4096);
		_exit(0);
	}
	CHECK_EQ(waitpid(child, &status, 0), child);
	CHECK_EQ(status, 0);
	CHECK_EQ(data[4096], 0x77);
	CHECK_EQ(data[dumb.size - 1], 0x77);
	munmap(data + 4096, dumb.size - 4096);
}

static void
mappings(void)
{
	with_both(mappings_of);
}

static void
shows_the_same(void)
{
	struct display ours = display_open(OURS, WIDTH, HEIGHT);
	struct display stock = display_open("vkms", WIDTH, HEIGHT);

	CHECK_EQ(display_pattern_crc(&ours), display_pattern_crc(&stock));
	close(stock.card);
	close(ours.card);
}

/* A kernel mapping is there while the picture is shown; one range needs none. */
static void
mapped_while_shown(void)
{
	struct display display = display_open(OURS, WIDTH, HEIGHT);
	struct dumb dumb = dumb_create(display.card, WIDTH, HEIGHT);
	uint32_t fb = display_add(&display, dumb.handle, dumb.pitch);
	unsigned long long before, while_shown;
	struct bufalloc_buffer_info info;
	int node = ba_open(), fd = dumb_export(&dumb);

	/* The console's picture goes first. */
	display_show(&display, 0);
	before = ba_vmalloc_bytes();
	CHECK_EQ(ba_buffer_info(node, fd).out_kernel_maps, 0);
	display_show(&display, fb);
	display_crc(&display);
	info = ba_buffer_info(node, fd);
	while_shown = ba_vmalloc_bytes() - before;
	CHECK(info.out_kernel_maps <= 1);
	CHECK(info.out_kernel_maps_total >= 1);
	CHECK_EQ(while_shown, info.out_kernel_va ? LENGTH + 4096 : 0);
	CHECK_EQ(info.out_mappings, 0);
	display_show(&display, 0);
	CHECK_WITHIN_1S(ba_buffer_info(node, fd).out_kernel_maps == 0);
	CHECK_EQ(ba_vmalloc_bytes(), before);
	drmModeRmFB(display.card, fb);
	close(fd);
	close(node);
	close(display.card);
}

/*
 * vkms composes behind the flip's event, and says the CRC of one picture for several
 * frames if it is late.
 */
static void
wait_for_crc(struct display *display, unsigned int expected)
{
	unsigned int crc = 0;

	for (int i = 0; i < 50 && crc != expected; i++) {
		crc = display_crc(display);
	}
	CHECK_EQ(crc, expected);
}

/* Flips between two pictures show the one and the other. */
static void
flips(void)
{
	struct display display = display_open(OURS, WIDTH, HEIGHT);
	struct dumb dumbs[2];
	unsigned int crcs[2];
	uint32_t fbs[2];

	for (int i = 0; i < 2; i++) {
		uint8_t *data;

		dumbs[i] = dumb_create(display.card, WIDTH, HEIGHT);
		data = dumb_map(&dumbs[i]);
		pattern_fill(data, LENGTH);
		data[LENGTH / 2] ^= (uint8_t)i;
		munmap(data, dumbs[i].size);
		crcs[i] = display_crc_of(&display, dumbs[i].handle);
		fbs[i] = display_add(&display, dumbs[i].handle, dumbs[i].pitch);
	}
	CHECK(crcs[0] != crcs[1]);
	display_show(&display, fbs[0]);
	for (int i = 1; i < 7; i++) {
		drmEventContext context = { .version = 2 };

		CHECK_EQ(drmModePageFlip(display.card, display.crtc, fbs[i % 2],
					 DRM_MODE_PAGE_FLIP_EVENT, NULL), 0);
		CHECK_EQ(drmHandleEvent(display.card, &context), 0);
		wait_for_crc(&display, crcs[i % 2]);
	}
	display_show(&display, 0);
	for (int i = 0; i < 2; i++) {
		drmModeRmFB(display.card, fbs[i]);
		dumb_destroy(&dumbs[i]);
	}
	close(display.card);
}

static void
load_ours(void)
{
	const char *path = getenv("BA_VKMS_KO");
	int fd;

	CHECK(path != NULL);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	CHECK(fd >= 0);
	CHECK_EQ(syscall(SYS_finit_module, fd, "", 0), 0);
	close(fd);
}

/*
 * The driver goes while a client has its buffer as a mapping and as a dma-buf, which
 * keep neither module nor device; it cannot go while it is shown.
 */
static void
unloaded(void)
{
	struct display display = display_open(OURS, WIDTH, HEIGHT);
	struct dumb dumb = dumb_create(display.card, WIDTH, HEIGHT);
	uint32_t fb = display_add(&display, dumb.handle, dumb.pitch);
	uint8_t *data = dumb_map(&dumb);
	int fd = dumb_export(&dumb);
	int node = ba_open(), stock = drm_open_driver("vkms");
	uint32_t handle;

	pattern_fill(data, dumb.size);
	display_show(&display, fb);
	CHECK_ERRNO(EAGAIN, syscall(SYS_delete_module, "ba_vkms", O_NONBLOCK));
	close(display.card);
	CHECK_WITHIN_1S(syscall(SYS_delete_module, "ba_vkms", O_NONBLOCK) == 0);

	CHECK_EQ(pattern_mismatch(data, dumb.size), dumb.size);
	CHECK_EQ(ba_buffer_info(node, fd).out_kernel_maps, 0);
	CHECK_EQ(drmPrimeFDToHandle(stock, fd, &handle), 0);
	CHECK_EQ(drmCloseBufferHandle(stock, handle), 0);
	munmap(data, dumb.size);
	close(fd);
	close(stock);
	close(node);
	load_ours();
}

/* Into a buffer of 64 KiB, of the tree that the guest runs in. */
static char *
read_text(const char *path)
{
	char *text = calloc(1, 65536);
	FILE *file = fopen(path, "re");

	CHECK(text != NULL);
	if (file == NULL) {
		free(text);
		ktest_skip("no %s here", path);
	}
	CHECK(fread(text, 1, 65535, file) > 0);
	fclose(file);
	return text;
}

/* What makes vkms ours is few lines, and the ones that the guide shows. */
static void
diff_is_short(void)
{
	char *patch = read_text("tests/kernel/drivers/vkms-6.1.patch");
	char *guide = read_text("docs/driver-integration.md");
	const char *diff = strstr(patch, "--- a/");
	unsigned int lines = 0;

	CHECK(diff != NULL);
	CHECK(strstr(guide, diff) != NULL);
	for (const char *at = diff; (at = strchr(at, '\n')) != NULL; at++) {
		lines++;
	}
	ktest_figure("diff_lines_vkms", lines);
	CHECK(lines <= 40);
	free(guide);
	free(patch);
}

static const struct ktest_row rows[] = {
	{ "diff-is-short-and-in-the-guide", diff_is_short },
	{ "dumb-buffers-are-zero", zeroed },
	{ "dumb-sizes-and-errors", sizes },
	{ "row-of-4095-mib-enomem", row_longer_than_32_bits_of_bits },
	{ "bad-handles", bad_handles },
	{ "bad-framebuffers", bad_framebuffers },
	{ "mappings", mappings },
	{ "shows-what-vkms-shows", shows_the_same },
	{ "kernel-mapping-while-shown", mapped_while_shown },
	{ "page-flips", flips },
	{ "driver-goes-exports-stay", unloaded },
};

int
main(void)
{
	return ktest_main(rows, sizeof(rows) / sizeof(rows[0]));
}
