// SPDX-License-Identifier: MIT
/*
 * GEM objects on bufalloc as devices see them that do DMA: modules/ba_gem.c, one of
 * which takes one segment.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <drm_fourcc.h>
#include <xf86drm.h>
#include <xf86drmMode.h>

#include "display.h"
#include "modules/ba_gem.h"

/* In pages of 4 KiB, more than the page allocator has in one block. */
#define WIDTH 1921
#define HEIGHT 1080

static struct ba_gem_map
map(int card, uint32_t handle, int keep)
{
	struct ba_gem_map args = { .handle = handle, .keep = keep };

	CHECK_EQ(drmIoctl(card, BA_GEM_IOCTL_MAP, &args), 0);
	return args;
}

/* Mapped when the driver asks for it, as often as it does, and then no longer. */
static void
maps(const char *driver, uint32_t pitch)
{
	int card = drm_open_driver(driver), node = ba_open();
	struct dumb dumb = dumb_create(card, WIDTH, HEIGHT);
	int fd = dumb_export(&dumb);
	struct ba_gem_map args;

	CHECK_EQ(dumb.pitch, pitch);
	CHECK_EQ(ba_buffer_info(node, fd).out_mappings, 0);
	args = map(card, dumb.handle, 1);
	CHECK_EQ(args.out_length, ba_buffer_info(node, fd).out_length);
	CHECK(args.out_segments == 1 || pitch == WIDTH * 4);
	CHECK_EQ(ba_buffer_info(node, fd).out_mappings, 1);
	map(card, dumb.handle, 0);
	CHECK_EQ(ba_buffer_info(node, fd).out_mappings, 1);
	map(card, dumb.handle, -1);
	CHECK_EQ(ba_buffer_info(node, fd).out_mappings, 0);
	close(fd);
	close(node);
	close(card);
}

static void
maps_many(void)
{
	maps("ba_gem_many", WIDTH * 4);
}

/* Its rows begin at multiples of 256 bytes. */
static void
maps_one(void)
{
	maps("ba_gem_one", (WIDTH * 4 + 255) / 256 * 256);
}

/* A framebuffer's planes, and where the first one is. */
static void
framebuffer(void)
{
	int card = drm_open_driver("ba_gem_one");
	struct dumb dumb = dumb_create(card, WIDTH, HEIGHT + 1);
	uint32_t handles[4] = { dumb.handle }, pitches[4] = { dumb.pitch };
	uint32_t offsets[4] = { dumb.pitch };
	struct ba_gem_map args = { 0 };

	CHECK_EQ(drmModeAddFB2(card, WIDTH, HEIGHT, DRM_FORMAT_XRGB8888, handles,
			       pitches, offsets, &args.fb, 0), 0);
	CHECK_EQ(drmIoctl(card, BA_GEM_IOCTL_MAP, &args), 0);
	CHECK_EQ(args.out_segments, 1);
	drmModeRmFB(card, args.fb);
	dumb_destroy(&dumb);
	close(card);
}

/* Memory that is certainly scattered: small blocks are all that is left. */
static int
scattered(int node, int holes[2])
{
	int fd;

	/* Of two buffers, the second is not behind the first but for luck. */
	holes[0] = ba_alloc(node, BUFALLOC_HEAP_SYSTEM, (size_t)5 << 20);
	fd = ba_alloc(node, BUFALLOC_HEAP_SYSTEM, ((size_t)37 << 20) + 4096);
	holes[1] = ba_alloc(node, BUFALLOC_HEAP_SYSTEM, 4096);
	return fd;
}

/* One takes what is one segment, and says so when it is imported. */
static void
imports(void)
{
	int many = drm_open_driver("ba_gem_many");
	int one = drm_open_driver("ba_gem_one");
	int node = ba_open(), holes[2];
	int fd = scattered(node, holes);
	uint32_t handle;

	if (ba_buffer_info(node, fd).out_runs == 1) {
		ktest_skip("the kernel had 37 MiB in one piece");
	}
	CHECK_ERRNO(EINVAL, drmPrimeFDToHandle(one, fd, &handle));
	CHECK_EQ(ba_buffer_info(node, fd).out_attachments, 0);
	CHECK_EQ(ba_buffer_info(node, fd).out_mappings, 0);
	CHECK_EQ(drmPrimeFDToHandle(many, fd, &handle), 0);
	CHECK_EQ(ba_buffer_info(node, fd).out_attachments, 1);
	/* It was mapped to find out, and is not any more. */
	CHECK_EQ(ba_buffer_info(node, fd).out_mappings, 0);
	CHECK(map(many, handle, 1).out_segments > 1);
	CHECK_EQ(ba_buffer_info(node, fd).out_mappings, 1);
	map(many, handle, -1);
	CHECK_EQ(ba_buffer_info(node, fd).out_mappings, 0);
	drmCloseBufferHandle(many, handle);
	CHECK_EQ(ba_buffer_info(node, fd).out_attachments, 0);
	close(fd);

	fd = ba_alloc(node, BUFALLOC_HEAP_CONTIG, (size_t)9 << 20);
	CHECK_EQ(drmPrimeFDToHandle(one, fd, &handle), 0);
	CHECK_EQ(map(one, handle, 0).out_segments, 1);
	drmCloseBufferHandle(one, handle);
	close(fd);
	close(holes[0]);
	close(holes[1]);
	close(node);
	close(one);
	close(many);
}

/* What the one exports the other imports, and ALLOC knows both. */
static void
between(void)
{
	int many = drm_open_driver("ba_gem_many");
	int cards[] = { many, drm_open_driver("ba_gem_one") };
	struct dumb dumb = dumb_create(cards[1], WIDTH, HEIGHT);
	int fd = dumb_export(&dumb), node = ba_open();
	struct ba_outcome outcome;
	uint32_t handle;

	CHECK_EQ(drmPrimeFDToHandle(many, fd, &handle), 0);
	map(many, handle, 0);
	drmCloseBufferHandle(many, handle);
	close(fd);
	outcome = ba_alloc_for(node, BUFALLOC_HEAP_AUTO, (size_t)9 << 20, cards,
			       2, 0);
	CHECK(outcome.fd >= 0);
	CHECK_EQ(outcome.verdict.out_reason, BUFALLOC_REASON_ONE_SEGMENT);
	CHECK_EQ(outcome.verdict.out_device, 1);
	CHECK_EQ(drmPrimeFDToHandle(cards[1], outcome.fd, &handle), 0);
	drmCloseBufferHandle(cards[1], handle);
	close(outcome.fd);
	close(node);
	close(cards[1]);
	close(many);
}

/*
 * The device loses its driver: its open file gets nothing more, and what was
 * exported stays.
 */
static void
unbound(void)
{
	static const char driver[] = "/sys/bus/platform/drivers/ba_gem/";
	int card = drm_open_driver("ba_gem_one"), node = ba_open();
	struct dumb dumb = dumb_create(card, 64, 64);
	struct drm_mode_create_dumb more = { .width = 1, .height = 1, .bpp = 8 };
	uint8_t *data = dumb_map(&dumb);
	int fd = dumb_export(&dumb);
	char path[128];

	snprintf(path, sizeof(path), "%sunbind", driver);
	CHECK(ktest_put(path, "ba_gem.1", 0));
	CHECK_ERRNO(ENODEV, drmIoctl(card, DRM_IOCTL_MODE_CREATE_DUMB, &more));
	data[1] = 1;
	CHECK_EQ(ba_buffer_info(node, fd).out_mappings, 0);
	munmap(data, dumb.size);
	close(card);
	snprintf(path, sizeof(path), "%sbind", driver);
	CHECK(ktest_put(path, "ba_gem.1", 0));

	card = drm_open_driver("ba_gem_one");
	CHECK_EQ(drmPrimeFDToHandle(card, fd, &dumb.handle), 0);
	map(card, dumb.handle, 0);
	close(card);
	close(fd);
	close(node);
}

static const struct ktest_row rows[] = {
	{ "mapped-while-the-driver-has-it", maps_many },
	{ "one-segment-mapped-while-the-driver-has-it", maps_one },
	{ "framebuffer-s-address", framebuffer },
	{ "several-segments-for-one-einval", imports },
	{ "between-devices", between },
	{ "unbound-enodev", unbound },
};

int
main(void)
{
	return ktest_main(rows, sizeof(rows) / sizeof(rows[0]));
}
