// SPDX-License-Identifier: MIT
/*
 * DRM drivers import our buffers: vgem maps them for DMA, vkms for the CPU to
 * show them.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <drm_fourcc.h>
#include <linux/dma-buf.h>
#include <xf86drm.h>
#include <xf86drmMode.h>

#include "display.h"

#define WIDTH 1920
#define HEIGHT 1080
#define LENGTH ((size_t)WIDTH * HEIGHT * 4)

static ino_t
inode_of(int fd)
{
	struct stat status;

	CHECK_EQ(fstat(fd, &status), 0);
	return status.st_ino;
}

/*
 * Is the device attached to the dma-buf, by the kernel's own bufinfo? A buffer
 * there is a line "size flags mode count exporter inode name", then its
 * devices, one in a line.
 */
static bool
bufinfo_lists(ino_t inode, const char *device)
{
	FILE *file = fopen("/sys/kernel/debug/dma_buf/bufinfo", "re");
	char line[512], exporter[64];
	unsigned long long size, number;
	bool found = false, ours = false;

	CHECK(file != NULL);
	while (fgets(line, sizeof(line), file) != NULL) {
		if (sscanf(line, "%llu %*x %*x %*d %63s %llu", &size, exporter,
			   &number) == 3) {
			ours = number == inode && strcmp(exporter, "bufalloc") == 0;
		} else if (ours && strstr(line, device) != NULL) {
			found = true;
		}
	}
	fclose(file);
	return found;
}

static void
vgem_maps(void)
{
	int card = drm_open_driver("vgem");
	int node = ba_open();

	for (uint32_t heap = BUFALLOC_HEAP_SYSTEM; heap <= BUFALLOC_HEAP_CONTIG; heap++) {
		int fd = ba_alloc(node, heap, LENGTH);
		struct bufalloc_buffer_info info;
		uint32_t handle;

		CHECK(!bufinfo_lists(inode_of(fd), "vgem"));
		CHECK_EQ(drmPrimeFDToHandle(card, fd, &handle), 0);
		info = ba_buffer_info(node, fd);
		CHECK_EQ(info.out_attachments, 1);
		CHECK_EQ(info.out_mappings, 1);
		CHECK_EQ(info.out_kernel_va, 0);
		CHECK(bufinfo_lists(inode_of(fd), "vgem"));
		CHECK_EQ(drmCloseBufferHandle(card, handle), 0);
		info = ba_buffer_info(node, fd);
		CHECK_EQ(info.out_attachments, 0);
		CHECK_EQ(info.out_mappings, 0);
		CHECK(!bufinfo_lists(inode_of(fd), "vgem"));
		close(fd);
	}
	close(node);
	close(card);
}

/* Two importers of one device share its mapping; the last one's end ends it. */
static void
two_importers_of_one_device(void)
{
	int cards[] = { drm_open_driver("vgem"), drm_open_driver("vgem") };
	int node = ba_open();
	int fd = ba_alloc(node, BUFALLOC_HEAP_SYSTEM, LENGTH);
	struct bufalloc_buffer_info info;
	uint32_t handles[2];

	for (int i = 0; i < 2; i++) {
		CHECK_EQ(drmPrimeFDToHandle(cards[i], fd, &handles[i]), 0);
	}
	info = ba_buffer_info(node, fd);
	CHECK_EQ(info.out_attachments, 2);
	CHECK_EQ(info.out_mappings, 1);
	CHECK_EQ(drmCloseBufferHandle(cards[0], handles[0]), 0);
	info = ba_buffer_info(node, fd);
	CHECK_EQ(info.out_attachments, 1);
	CHECK_EQ(info.out_mappings, 1);
	CHECK_EQ(drmCloseBufferHandle(cards[1], handles[1]), 0);
	CHECK_EQ(ba_buffer_info(node, fd).out_mappings, 0);
	close(fd);
	close(node);
	close(cards[0]);
	close(cards[1]);
}

/* CPU access while it is mapped: on a coherent device nothing is synced. */
static void
sync_while_mapped(void)
{
	int card = drm_open_driver("vgem");
	int node = ba_open();
	int fd = ba_alloc(node, BUFALLOC_HEAP_SYSTEM, LENGTH);
	void *data = ba_map(fd, LENGTH);
	uint32_t handle;

	CHECK_EQ(drmPrimeFDToHandle(card, fd, &handle), 0);
	ba_sync(fd, DMA_BUF_SYNC_START | DMA_BUF_SYNC_RW);
	pattern_fill(data, LENGTH);
	ba_sync(fd, DMA_BUF_SYNC_END | DMA_BUF_SYNC_RW);
	ba_sync(fd, DMA_BUF_SYNC_START | DMA_BUF_SYNC_READ);
	CHECK_EQ(pattern_mismatch(data, LENGTH), LENGTH);
	ba_sync(fd, DMA_BUF_SYNC_END | DMA_BUF_SYNC_READ);
	CHECK_EQ(ba_buffer_info(node, fd).out_cpu_accesses, 2);
	CHECK_EQ(drmCloseBufferHandle(card, handle), 0);
	munmap(data, LENGTH);
	close(fd);
	close(node);
	close(card);
}

static unsigned int
dumb_crc(struct display *display, bool pattern)
{
	struct drm_mode_create_dumb dumb = {
		.width = WIDTH, .height = HEIGHT, .bpp = 32,
	};
	struct drm_mode_map_dumb map = { 0 };
	struct drm_mode_destroy_dumb destroy = { 0 };
	unsigned int crc;
	uint32_t fb;
	void *data;

	CHECK_EQ(drmIoctl(display->card, DRM_IOCTL_MODE_CREATE_DUMB, &dumb), 0);
	map.handle = dumb.handle;
	CHECK_EQ(drmIoctl(display->card, DRM_IOCTL_MODE_MAP_DUMB, &map), 0);
	data = mmap(NULL, dumb.size, PROT_READ | PROT_WRITE, MAP_SHARED,
		    display->card, (off_t)map.offset);
	CHECK(data != MAP_FAILED);
	CHECK_EQ(dumb.pitch, WIDTH * 4);
	if (pattern) {
		pattern_fill(data, LENGTH);
	} else {
		memset(data, 0, LENGTH);
	}
	munmap(data, dumb.size);
	fb = display_add(display, dumb.handle, dumb.pitch);
	display_show(display, fb);
	crc = display_crc(display);
	display_show(display, 0);
	drmModeRmFB(display->card, fb);
	destroy.handle = dumb.handle;
	drmIoctl(display->card, DRM_IOCTL_MODE_DESTROY_DUMB, &destroy);
	return crc;
}

/*
 * The display shows what the CPU wrote, as it shows a buffer of its own; and
 * kernel address space is in use only while it is shown, none for one range.
 */
static void
vkms_shows(uint32_t heap)
{
	struct display display = display_open("vkms", WIDTH, HEIGHT);
	struct bufalloc_buffer_info info;
	unsigned int zero, pattern, ours;
	int node = ba_open();
	uint32_t handle, fb;
	void *data;
	int fd;

	zero = dumb_crc(&display, false);
	pattern = dumb_crc(&display, true);
	CHECK(zero != pattern);

	fd = ba_alloc(node, heap, LENGTH);
	data = ba_map(fd, LENGTH);
	ba_sync(fd, DMA_BUF_SYNC_START | DMA_BUF_SYNC_WRITE);
	pattern_fill(data, LENGTH);
	ba_sync(fd, DMA_BUF_SYNC_END | DMA_BUF_SYNC_WRITE);
	munmap(data, LENGTH);

	CHECK_EQ(drmPrimeFDToHandle(display.card, fd, &handle), 0);
	CHECK(bufinfo_lists(inode_of(fd), "vkms"));
	CHECK_EQ(ba_vmalloc_bytes(), 0);
	fb = display_add(&display, handle, WIDTH * 4);
	display_show(&display, fb);
	ours = display_crc(&display);
	info = ba_buffer_info(node, fd);
	CHECK_EQ(info.out_kernel_maps, 1);
	if (info.out_runs == 1) {
		CHECK_EQ(ba_vmalloc_bytes(), 0);
		CHECK_EQ(info.out_kernel_va, 0);
	} else {
		/* vmalloc adds a guard page. */
		CHECK_EQ(ba_vmalloc_bytes(), LENGTH + 4096);
		CHECK_EQ(info.out_kernel_va, LENGTH);
	}
	display_show(&display, 0);
	drmModeRmFB(display.card, fb);
	CHECK_WITHIN_1S(ba_vmalloc_bytes() == 0);
	CHECK_WITHIN_1S(ba_buffer_info(node, fd).out_kernel_maps == 0);
	drmCloseBufferHandle(display.card, handle);
	close(fd);
	close(node);
	close(display.card);
	CHECK_EQ(ours, pattern);
}

static void
vkms_shows_system(void)
{
	vkms_shows(BUFALLOC_HEAP_SYSTEM);
}

static void
vkms_shows_contig(void)
{
	vkms_shows(BUFALLOC_HEAP_CONTIG);
}

/*
 * The CPU that composes the picture cannot read it. The import itself maps it
 * for DMA, and nothing is wrong with that.
 */
static void
vkms_cannot_show_never_cpu(void)
{
	struct display display = display_open("vkms", WIDTH, HEIGHT);
	int node = ba_open();
	int fd = ba_alloc_with(node, BUFALLOC_HEAP_CONTIG, LENGTH,
			       BUFALLOC_ATTRIBUTE_NEVER_CPU);
	uint32_t handle, fb;
	int ret;

	CHECK_EQ(drmPrimeFDToHandle(display.card, fd, &handle), 0);
	fb = display_add(&display, handle, WIDTH * 4);
	ret = drmModeSetCrtc(display.card, display.crtc, fb, 0, 0,
			     &display.connector, 1, &display.mode);
	CHECK_EQ(ret, -EINVAL);
	CHECK_EQ(ba_buffer_info(node, fd).out_kernel_maps_total, 0);
	drmModeRmFB(display.card, fb);
	drmCloseBufferHandle(display.card, handle);
	close(fd);
	close(node);
	close(display.card);
}

/* An importer that is gone without having said so. */
static void
closed_importer(void)
{
	int node = ba_open();
	int fd = ba_alloc(node, BUFALLOC_HEAP_SYSTEM, LENGTH);
	int card = drm_open_driver("vgem");
	uint32_t handle;

	/* The card is all that holds the import; it is closed. */
	CHECK_EQ(drmPrimeFDToHandle(card, fd, &handle), 0);
	close(card);
	CHECK_WITHIN_1S(ba_buffer_info(node, fd).out_attachments == 0);
	close(fd);
	close(node);
}

static const struct ktest_row rows[] = {
	{ "vgem-attaches-and-maps", vgem_maps },
	{ "two-importers-of-one-device-share-a-mapping",
	  two_importers_of_one_device },
	{ "cpu-access-while-mapped", sync_while_mapped },
	{ "vkms-shows-a-system-buffer", vkms_shows_system },
	{ "vkms-shows-a-contig-buffer", vkms_shows_contig },
	{ "vkms-cannot-show-never-cpu-einval", vkms_cannot_show_never_cpu },
	{ "closed-importer-detaches", closed_importer },
};

int
main(void)
{
	return ktest_main(rows, sizeof(rows) / sizeof(rows[0]));
}
