// SPDX-License-Identifier: MIT
/*
 * A display's driver with bufalloc's GEM objects: the sample, which shows what its
 * device's DMA has read, by the CRC of that.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <drm_fourcc.h>
#include <xf86drm.h>
#include <xf86drmMode.h>

#include "edu.h"
#include "panel.h"
#include "sample.h"

#define WIDTH PANEL_WIDTH
#define HEIGHT PANEL_HEIGHT
#define LENGTH ((size_t)WIDTH * HEIGHT * 4)
#define LENGTH_NV12 ((size_t)WIDTH * HEIGHT * 3 / 2)

/* A dumb buffer with a picture of its own, and the CRC of @length bytes of it. */
static struct dumb
drawn(const struct display *display, uint8_t seed, size_t length,
      unsigned int *crc)
{
	struct dumb dumb = dumb_create(display->card, WIDTH, HEIGHT);
	uint8_t *data = dumb_map(&dumb);

	pattern_fill(data, dumb.size);
	data[length - 1] ^= seed;
	*crc = panel_crc_of(data, length);
	munmap(data, dumb.size);
	return dumb;
}

static void
put_down(struct display *display, const struct dumb *dumb, uint32_t fb)
{
	drmModeRmFB(display->card, fb);
	dumb_destroy(dumb);
}

static void
shows_dumb_buffers(void)
{
	struct display display = panel_open();
	unsigned int expected, now;
	struct dumb dumb = drawn(&display, 0, LENGTH, &expected);
	uint32_t fb = display_add(&display, dumb.handle, dumb.pitch);
	int crcs;

	display_show(&display, fb);
	crcs = panel_begin_crcs(&display, &now);
	CHECK_EQ(now, expected);
	put_down(&display, &dumb, fb);

	dumb = drawn(&display, 0, LENGTH_NV12, &expected);
	fb = panel_add_nv12(&display, dumb.handle);
	display_show(&display, fb);
	CHECK_EQ(panel_next_crc(crcs, NULL), expected);
	put_down(&display, &dumb, fb);
	close(crcs);
	close(display.card);
}

/* Each flip shows its own picture, in order, and the event comes behind it. */
static void
flips(void)
{
	struct display display = panel_open();
	unsigned int expected[2], now, number, first = 0;
	struct dumb dumbs[2];
	uint32_t fbs[2];
	int crcs;

	for (int i = 0; i < 2; i++) {
		dumbs[i] = drawn(&display, (uint8_t)(i + 1), LENGTH, &expected[i]);
		fbs[i] = display_add(&display, dumbs[i].handle, dumbs[i].pitch);
	}
	CHECK(expected[0] != expected[1]);
	display_show(&display, fbs[0]);
	crcs = panel_begin_crcs(&display, &now);
	for (unsigned int i = 1; i < 9; i++) {
		CHECK_EQ(panel_flip(&display, fbs[i % 2]), 0);
		panel_wait_flip(&display);
		fcntl(crcs, F_SETFL, O_NONBLOCK);
		CHECK_EQ(panel_next_crc(crcs, &number), expected[i % 2]);
		first = i == 1 ? number : first;
		CHECK_EQ(number, first + i - 1);
	}
	panel_check_no_crc(crcs);
	close(crcs);
	put_down(&display, &dumbs[0], fbs[0]);
	put_down(&display, &dumbs[1], fbs[1]);
	close(display.card);
}

/* With a commit of the atomic kind. */
static uint32_t
property(int card, uint32_t object, uint32_t type, const char *name)
{
	drmModeObjectPropertiesPtr all =
		drmModeObjectGetProperties(card, object, type);
	uint32_t found = 0;

	CHECK(all != NULL);
	for (uint32_t i = 0; found == 0 && i < all->count_props; i++) {
		drmModePropertyPtr one = drmModeGetProperty(card, all->props[i]);

		if (one != NULL && strcmp(one->name, name) == 0) {
			found = one->prop_id;
		}
		drmModeFreeProperty(one);
	}
	drmModeFreeObjectProperties(all);
	CHECK(found != 0);
	return found;
}

static uint32_t
only_plane(int card)
{
	drmModePlaneResPtr planes;
	uint32_t plane;

	CHECK_EQ(drmSetClientCap(card, DRM_CLIENT_CAP_ATOMIC, 1), 0);
	planes = drmModeGetPlaneResources(card);
	CHECK(planes != NULL);
	CHECK_EQ(planes->count_planes, 1);
	plane = planes->planes[0];
	drmModeFreePlaneResources(planes);
	return plane;
}

/* What a commit says of the plane. */
struct placed {
	uint32_t fb;
	uint32_t src_x, src_y, src_w, src_h;
	int32_t x;
	uint32_t w;
};

static const struct placed whole = { .src_w = WIDTH, .src_h = HEIGHT,
				     .w = WIDTH };

/* 0, or -1 and errno. */
static int
commit(const struct display *display, const struct placed *placed,
       uint32_t flags)
{
	int card = display->card, ret;
	uint32_t plane = only_plane(card);
	drmModeAtomicReqPtr request = drmModeAtomicAlloc();
	const struct {
		const char *name;
		uint64_t value;
	} values[] = {
		{ "FB_ID", placed->fb },
		{ "CRTC_ID", placed->fb ? display->crtc : 0 },
		{ "SRC_X", (uint64_t)placed->src_x << 16 },
		{ "SRC_Y", (uint64_t)placed->src_y << 16 },
		{ "SRC_W", (uint64_t)placed->src_w << 16 },
		{ "SRC_H", (uint64_t)placed->src_h << 16 },
		{ "CRTC_X", (uint64_t)placed->x },
		{ "CRTC_Y", 0 },
		{ "CRTC_W", placed->w },
		{ "CRTC_H", HEIGHT },
	};

	CHECK(request != NULL);
	for (size_t i = 0; i < sizeof(values) / sizeof(values[0]); i++) {
		CHECK(drmModeAtomicAddProperty(
			      request, plane,
			      property(card, plane, DRM_MODE_OBJECT_PLANE,
				       values[i].name),
			      values[i].value) >= 0);
	}
	ret = drmModeAtomicCommit(card, request, flags, NULL);
	drmModeAtomicFree(request);
	errno = -ret;
	return ret == 0 ? 0 : -1;
}

#define NONBLOCK_EVENT (DRM_MODE_ATOMIC_NONBLOCK | DRM_MODE_PAGE_FLIP_EVENT)

static void
atomic_flips(void)
{
	struct display display = panel_open();
	unsigned int expected[2], now;
	struct placed placed = whole;
	struct dumb dumbs[2];
	uint32_t fbs[2];
	int crcs;

	for (int i = 0; i < 2; i++) {
		dumbs[i] = drawn(&display, (uint8_t)(i + 1), LENGTH, &expected[i]);
		fbs[i] = display_add(&display, dumbs[i].handle, dumbs[i].pitch);
	}
	display_show(&display, fbs[0]);
	crcs = panel_begin_crcs(&display, &now);
	for (int i = 1; i < 6; i++) {
		placed.fb = fbs[i % 2];
		CHECK_EQ(commit(&display, &placed, NONBLOCK_EVENT), 0);
		/* The device is at it: the next one has to wait. */
		placed.fb = fbs[(i + 1) % 2];
		CHECK_ERRNO(EBUSY, commit(&display, &placed, NONBLOCK_EVENT));
		panel_wait_flip(&display);
		CHECK_EQ(panel_next_crc(crcs, NULL), expected[i % 2]);
	}
	/* By a commit that waits. */
	placed.fb = fbs[0];
	CHECK_EQ(commit(&display, &placed, 0), 0);
	CHECK_EQ(panel_next_crc(crcs, NULL), expected[0]);
	panel_check_no_crc(crcs);
	close(crcs);
	put_down(&display, &dumbs[0], fbs[0]);
	put_down(&display, &dumbs[1], fbs[1]);
	close(display.card);
}

/* It says what would be, and nothing moves. */
static void
atomic_test_only(void)
{
	struct display display = panel_open();
	int node = ba_open(), crcs, fd;
	unsigned int expected, now;
	struct dumb dumb = drawn(&display, 0, LENGTH, &expected);
	struct dumb other = drawn(&display, 1, LENGTH, &expected);
	uint32_t fb = display_add(&display, dumb.handle, dumb.pitch);
	struct placed placed = whole;
	unsigned long interrupts;
	static const struct placed refused[] = {
		{ .src_w = WIDTH / 2, .src_h = HEIGHT, .w = WIDTH },
		{ .src_w = WIDTH, .src_h = HEIGHT / 2, .w = WIDTH },
		{ .src_w = WIDTH, .src_h = HEIGHT, .w = WIDTH, .x = 1 },
		{ .src_w = WIDTH / 2, .src_h = HEIGHT, .w = WIDTH / 2 },
	};

	display_show(&display, fb);
	crcs = panel_begin_crcs(&display, &now);
	fd = dumb_export(&other);
	placed.fb = display_add(&display, other.handle, other.pitch);
	interrupts = panel_interrupts();
	CHECK_EQ(commit(&display, &placed, DRM_MODE_ATOMIC_TEST_ONLY), 0);
	for (size_t i = 0; i < sizeof(refused) / sizeof(refused[0]); i++) {
		struct placed bad = refused[i];

		bad.fb = placed.fb;
		errno = 0;
		CHECK_EQ(commit(&display, &bad, DRM_MODE_ATOMIC_TEST_ONLY), -1);
		CHECK(errno == EINVAL || errno == ERANGE);
		CHECK_EQ(commit(&display, &bad, 0), -1);
	}
	/* Outside of the framebuffer. */
	placed.src_x = 1;
	CHECK_ERRNO(ENOSPC, commit(&display, &placed, DRM_MODE_ATOMIC_TEST_ONLY));
	CHECK_EQ(ba_buffer_info(node, fd).out_mappings, 0);
	panel_check_no_crc(crcs);
	CHECK_EQ(panel_interrupts(), interrupts);
	close(fd);
	close(crcs);
	drmModeRmFB(display.card, placed.fb);
	dumb_destroy(&other);
	put_down(&display, &dumb, fb);
	close(node);
	close(display.card);
}

/* A part of a larger framebuffer, row by row; both formats. */
static void
shows_a_part(void)
{
	struct display display = panel_open();
	struct dumb dumb = dumb_create(display.card, 2 * WIDTH, 2 * HEIGHT);
	uint32_t handles[4] = { dumb.handle, dumb.handle }, fb;
	uint32_t pitches[4] = { 2 * WIDTH, 2 * WIDTH };
	uint32_t offsets[4] = { 128, 128 + 2 * WIDTH * 2 * HEIGHT };
	struct placed placed = whole;
	uint8_t seen[LENGTH], *data = dumb_map(&dumb);
	unsigned int now;
	int crcs;

	pattern_fill(data, dumb.size);
	CHECK_EQ(drmModeAddFB(display.card, 2 * WIDTH, 2 * HEIGHT, 24, 32,
			      dumb.pitch, dumb.handle, &fb), 0);
	CHECK_EQ(drmModeSetCrtc(display.card, display.crtc, fb, 3, 5,
				&display.connector, 1, &display.mode), 0);
	crcs = panel_begin_crcs(&display, &now);
	for (size_t y = 0; y < HEIGHT; y++) {
		memcpy(seen + y * WIDTH * 4,
		       data + (y + 5) * dumb.pitch + 3 * 4, (size_t)WIDTH * 4);
	}
	CHECK_EQ(now, panel_crc_of(seen, LENGTH));

	CHECK_EQ(drmModeAddFB2(display.card, 2 * WIDTH, 2 * HEIGHT,
			       DRM_FORMAT_NV12, handles, pitches, offsets,
			       &placed.fb, 0), 0);
	placed.src_x = 6;
	placed.src_y = 4;
	CHECK_EQ(commit(&display, &placed, 0), 0);
	for (size_t y = 0; y < HEIGHT; y++) {
		memcpy(seen + y * WIDTH,
		       data + offsets[0] + (y + 4) * 2 * WIDTH + 6, WIDTH);
	}
	for (size_t y = 0; y < HEIGHT / 2; y++) {
		memcpy(seen + (HEIGHT + y) * WIDTH,
		       data + offsets[1] + (y + 2) * 2 * WIDTH + 6, WIDTH);
	}
	CHECK_EQ(panel_next_crc(crcs, NULL), panel_crc_of(seen, LENGTH_NV12));
	/* Two pixels share a colour. */
	placed.src_x = 5;
	CHECK_ERRNO(EINVAL, commit(&display, &placed, 0));
	placed.src_x = 6;
	placed.src_y = 3;
	CHECK_ERRNO(EINVAL, commit(&display, &placed, 0));
	munmap(data, dumb.size);
	close(crcs);
	drmModeRmFB(display.card, placed.fb);
	put_down(&display, &dumb, fb);
	close(display.card);
}

/* Drawn into while it is shown: DIRTYFB has it read again. */
static void
dirty(void)
{
	struct display display = panel_open();
	unsigned int expected, now;
	struct dumb dumb = drawn(&display, 0, LENGTH, &expected);
	uint32_t fb = display_add(&display, dumb.handle, dumb.pitch);
	uint8_t *data = dumb_map(&dumb);
	int crcs;

	display_show(&display, fb);
	crcs = panel_begin_crcs(&display, &now);
	CHECK_EQ(now, expected);
	data[LENGTH / 3] ^= 0x10;
	panel_check_no_crc(crcs);
	CHECK_EQ(drmModeDirtyFB(display.card, fb, NULL, 0), 0);
	CHECK_EQ(panel_next_crc(crcs, NULL), panel_crc_of(data, LENGTH));
	munmap(data, dumb.size);
	close(crcs);
	put_down(&display, &dumb, fb);
	close(display.card);
}

/*
 * In the device's address space while it is shown; and the device works while
 * there is a new picture, and at no other time.
 */
static void
mapped_while_shown(void)
{
	struct display display = panel_open();
	unsigned int expected, now;
	struct dumb dumb = drawn(&display, 0, LENGTH, &expected);
	uint32_t fb = display_add(&display, dumb.handle, dumb.pitch);
	int node = ba_open(), fd = dumb_export(&dumb), crcs;
	unsigned long interrupts = panel_interrupts();

	CHECK_EQ(ba_buffer_info(node, fd).out_mappings, 0);
	display_show(&display, fb);
	CHECK_EQ(ba_buffer_info(node, fd).out_mappings, 1);
	/* 8192 bytes are 4 pieces, of 2 transfers each. */
	CHECK_EQ(panel_interrupts(), interrupts + 8);
	crcs = panel_begin_crcs(&display, &now);
	CHECK_EQ(panel_interrupts(), interrupts + 16);
	close(crcs);
	display_show(&display, 0);
	CHECK_EQ(ba_buffer_info(node, fd).out_mappings, 0);
	/* As long as a picture takes. */
	poll(NULL, 0, 800);
	CHECK_EQ(panel_interrupts(), interrupts + 16);
	close(fd);
	close(node);
	put_down(&display, &dumb, fb);
	close(display.card);
}

/* Another device's dma-buf on the display, once it is drawn. */
static void
check_shows(struct display *display, int fd, const void *data)
{
	unsigned int now;
	uint32_t handle, fb;
	int crcs;

	CHECK_EQ(drmPrimeFDToHandle(display->card, fd, &handle), 0);
	fb = display_add(display, handle, WIDTH * 4);
	display_show(display, fb);
	crcs = panel_begin_crcs(display, &now);
	CHECK_EQ(now, panel_crc_of(data, LENGTH));
	close(crcs);
	drmModeRmFB(display->card, fb);
	drmCloseBufferHandle(display->card, handle);
}

static void
shows_vgem(void)
{
	struct display display = panel_open();
	int card = drm_open_driver("vgem");
	struct dumb dumb = dumb_create(card, WIDTH, HEIGHT);
	uint8_t *data = dumb_map(&dumb);
	int fd = dumb_export(&dumb);

	pattern_fill(data, LENGTH);
	check_shows(&display, fd, data);
	munmap(data, dumb.size);
	dumb_destroy(&dumb);
	close(fd);
	close(card);
	close(display.card);
}

/* A picture of the camera's, drawn and shown by DMA; the CPU looks afterwards. */
static void
shows_the_camera(void)
{
	struct display display = panel_open();
	struct sample camera = sample_open(0, V4L2_PIX_FMT_XBGR32, WIDTH, HEIGHT);
	struct v4l2_buffer buffer;
	size_t length;
	void *data;
	int fd;

	sample_request(&camera, V4L2_MEMORY_MMAP, 1);
	fd = sample_export(&camera, 0);
	sample_queue(&camera, V4L2_MEMORY_MMAP, 0, 0, 0);
	sample_stream(&camera, true);
	buffer = sample_dequeue(&camera, V4L2_MEMORY_MMAP);
	data = sample_map(&camera, 0, &length);
	CHECK_EQ(sample_mismatch(&camera, buffer.sequence, data), camera.size);
	check_shows(&display, fd, data);
	munmap(data, length);
	close(fd);
	close(camera.fd);
	close(display.card);
}

static int
add(const struct display *display, uint32_t handle, uint32_t format,
    uint32_t pitch, uint64_t modifier)
{
	uint32_t handles[4] = { handle }, pitches[4] = { pitch };
	uint32_t offsets[4] = { 0 }, fb = 0;
	uint64_t modifiers[4] = { modifier };
	struct placed placed = whole;
	int ret = drmModeAddFB2WithModifiers(display->card, WIDTH, HEIGHT, format,
					     handles, pitches, offsets, modifiers,
					     &fb, DRM_MODE_FB_MODIFIERS);

	if (ret == 0) {
		/* 6.1 finds out at the commit. */
		placed.fb = fb;
		ret = commit(display, &placed, DRM_MODE_ATOMIC_TEST_ONLY) ? -errno : 0;
		drmModeRmFB(display->card, fb);
	}
	errno = -ret;
	return ret == 0 ? 0 : -1;
}

static void
refused(void)
{
	struct display display = panel_open();
	unsigned int expected;
	struct dumb dumb = drawn(&display, 0, LENGTH, &expected);
	uint32_t fb = display_add(&display, dumb.handle, dumb.pitch);
	drmModeModeInfo odd = display.mode;

	display_show(&display, fb);
	CHECK_EQ(add(&display, dumb.handle, DRM_FORMAT_XRGB8888, WIDTH * 4,
		     DRM_FORMAT_MOD_LINEAR), 0);
	CHECK_ERRNO(EINVAL, add(&display, dumb.handle, DRM_FORMAT_XRGB8888,
				WIDTH * 4, I915_FORMAT_MOD_X_TILED));
	CHECK_ERRNO(EINVAL, add(&display, dumb.handle, DRM_FORMAT_RGB565,
				WIDTH * 2, DRM_FORMAT_MOD_LINEAR));
	CHECK_ERRNO(EINVAL, add(&display, dumb.handle, DRM_FORMAT_XRGB8888,
				WIDTH * 4 - 4, DRM_FORMAT_MOD_LINEAR));
	CHECK_ERRNO(EINVAL, add(&display, dumb.handle, DRM_FORMAT_XRGB8888,
				WIDTH * 8, DRM_FORMAT_MOD_LINEAR));
	CHECK_ERRNO(ENOENT, add(&display, 4711, DRM_FORMAT_XRGB8888, WIDTH * 4,
				DRM_FORMAT_MOD_LINEAR));
	CHECK_ERRNO(EINVAL, add(&display, dumb.handle, DRM_FORMAT_NV12, WIDTH,
				DRM_FORMAT_MOD_LINEAR));
	CHECK_EQ(drmModePageFlip(display.card, display.crtc, 4711, 0, NULL),
		 -ENOENT);
	/* A size that the panel has not. */
	odd.hdisplay -= 2;
	CHECK_EQ(drmModeSetCrtc(display.card, display.crtc, fb, 0, 0,
				&display.connector, 1, &odd), -EINVAL);
	/* Nothing is shown, so that nothing can flip. */
	display_show(&display, 0);
	CHECK_EQ(panel_flip(&display, fb), -EBUSY);
	put_down(&display, &dumb, fb);
	close(display.card);
}

/* It can be read in one sitting. */
static void
lines(void)
{
	unsigned int count =
		ktest_count_lines("kernel/samples/bufalloc-display.c");

	ktest_figure("display_driver_lines", count);
	CHECK(count <= 600);
}

/* A driver that manages its IOMMU by itself shows bufalloc's memory, no other. */
static void
own_domain(void)
{
	struct display display = panel_open();
	struct sample camera = sample_open(0, V4L2_PIX_FMT_XBGR32, WIDTH, HEIGHT);
	int log = open("/dev/kmsg", O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	int node = ba_open(), vgem = drm_open_driver("vgem"), fd;
	struct bufalloc_device_info info = { .size = sizeof(info),
					     .access = BUFALLOC_ACCESS_READ };
	struct dumb dumb;
	unsigned int expected, now;
	uint32_t handle, fb;
	char name[32];
	size_t length;
	uint8_t *data;
	int crcs;

	CHECK(log >= 0);
	edu_logged_faults(log);
	snprintf(name, sizeof(name), "%s", panel_pci_name(&display));
	close(display.card);
	panel_unbind(name);
	panel_set_own_domain(true);
	panel_bind(name);
	panel_set_own_domain(false);
	display = panel_open();
	info.fd = display.card;
	CHECK_EQ(ioctl(node, BUFALLOC_IOCTL_DEVICE_INFO, &info), 0);
	CHECK(info.out_flags & BUFALLOC_DEVICE_SELF_MANAGED);

	dumb = drawn(&display, 0, LENGTH, &expected);
	fb = display_add(&display, dumb.handle, dumb.pitch);
	display_show(&display, fb);
	CHECK_EQ(ba_live("domain_maps"), 1);
	crcs = panel_begin_crcs(&display, &now);
	CHECK_EQ(now, expected);
	CHECK_EQ(ba_live("domain_maps"), 1);
	close(crcs);
	put_down(&display, &dumb, fb);
	CHECK_EQ(ba_live("domain_maps"), 0);

	sample_request(&camera, V4L2_MEMORY_MMAP, 1);
	fd = sample_export(&camera, 0);
	data = sample_map(&camera, 0, &length);
	pattern_fill(data, LENGTH);
	check_shows(&display, fd, data);
	munmap(data, length);
	close(fd);

	dumb = dumb_create(vgem, WIDTH, HEIGHT);
	fd = dumb_export(&dumb);
	CHECK_EQ(drmPrimeFDToHandle(display.card, fd, &handle), 0);
	fb = display_add(&display, handle, WIDTH * 4);
	CHECK_EQ(drmModeSetCrtc(display.card, display.crtc, fb, 0, 0,
				&display.connector, 1, &display.mode), -EINVAL);
	drmModeRmFB(display.card, fb);
	drmCloseBufferHandle(display.card, handle);
	close(fd);
	dumb_destroy(&dumb);
	CHECK_EQ(edu_logged_faults(log), 0);
	close(display.card);
	panel_unbind(name);
	panel_bind(name);
	close(log);
	close(vgem);
	close(node);
	close(camera.fd);
}

static const struct ktest_row rows[] = {
	{ "shows-dumb-buffers", shows_dumb_buffers },
	{ "flips-show-each-picture", flips },
	{ "atomic-flips-show-each-picture", atomic_flips },
	{ "atomic-test-only-moves-nothing", atomic_test_only },
	{ "a-part-of-a-larger-framebuffer", shows_a_part },
	{ "drawn-into-while-shown", dirty },
	{ "mapped-and-read-while-shown", mapped_while_shown },
	{ "shows-a-buffer-of-vgem", shows_vgem },
	{ "shows-a-picture-of-the-camera", shows_the_camera },
	{ "refused-with-their-errno", refused },
	{ "own-iommu-domain", own_domain },
	{ "length", lines },
};

int
main(void)
{
	return ktest_main(rows, sizeof(rows) / sizeof(rows[0]));
}
