// SPDX-License-Identifier: MIT
/*
 * The sample display loses its driver in every state, and the driver is unloaded:
 * what user space and other devices have of its buffers stays theirs.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <xf86drm.h>
#include <xf86drmMode.h>

#include "edu.h"
#include "panel.h"
#include "sample.h"

#define WIDTH PANEL_WIDTH
#define HEIGHT PANEL_HEIGHT
#define LENGTH ((size_t)WIDTH * HEIGHT * 4)
#define ROUNDS 8
#define UNLOAD(module) syscall(SYS_delete_module, module, O_NONBLOCK)

/* Newer than some headers. */
#ifndef DRM_IOCTL_MODE_CLOSEFB
struct drm_mode_closefb {
	__u32 fb_id;
	__u32 pad;
};
#define DRM_IOCTL_MODE_CLOSEFB DRM_IOWR(0xD0, struct drm_mode_closefb)
#endif

/* A display that shows the first of two pictures. */
struct shown {
	struct display display;
	struct dumb dumbs[2];
	uint32_t fbs[2];
	unsigned int crcs[2];
	char name[32];
};

static struct shown
show(void)
{
	struct shown shown = { .display = panel_open() };

	snprintf(shown.name, sizeof(shown.name), "%s",
		 panel_pci_name(&shown.display));
	for (int i = 0; i < 2; i++) {
		struct dumb *dumb = &shown.dumbs[i];
		uint8_t *data;

		*dumb = dumb_create(shown.display.card, WIDTH, HEIGHT);
		data = dumb_map(dumb);
		pattern_fill(data, dumb->size);
		data[7] ^= (uint8_t)(1 + i);
		shown.crcs[i] = panel_crc_of(data, LENGTH);
		munmap(data, dumb->size);
		shown.fbs[i] = display_add(&shown.display, dumb->handle,
					   dumb->pitch);
	}
	display_show(&shown.display, shown.fbs[0]);
	return shown;
}

static void
check_works(void)
{
	struct shown shown = show();
	unsigned int now;
	int crcs = panel_begin_crcs(&shown.display, &now);

	CHECK_EQ(now, shown.crcs[0]);
	CHECK_EQ(panel_flip(&shown.display, shown.fbs[1]), 0);
	panel_wait_flip(&shown.display);
	CHECK_EQ(panel_next_crc(crcs, NULL), shown.crcs[1]);
	close(crcs);
	close(shown.display.card);
}

/* The client has its files open, and gets nothing more. */
static void
check_gone(const struct shown *shown)
{
	struct drm_mode_create_dumb create = { .width = 1, .height = 1, .bpp = 32 };

	CHECK_ERRNO(ENODEV, drmIoctl(shown->display.card,
				     DRM_IOCTL_MODE_CREATE_DUMB, &create));
	CHECK_EQ(panel_flip(&shown->display, shown->fbs[1]), -ENODEV);
}

static void
while_shown(void)
{
	struct shown shown = show();
	int node = ba_open(), fd = dumb_export(&shown.dumbs[0]);

	CHECK_EQ(ba_buffer_info(node, fd).out_mappings, 1);
	panel_unbind(shown.name);
	CHECK_EQ(ba_buffer_info(node, fd).out_mappings, 0);
	check_gone(&shown);
	close(shown.display.card);
	panel_bind(shown.name);
	close(fd);
	close(node);
	check_works();
}

/* In the middle of each piece of a picture, and between two. */
static void
while_a_flip_is_pending(void)
{
	int node = ba_open();

	for (int i = 0; i < ROUNDS; i++) {
		struct shown shown = show();
		int fds[] = { dumb_export(&shown.dumbs[0]),
			      dumb_export(&shown.dumbs[1]) };
		struct pollfd event = { .fd = shown.display.card,
					.events = POLLIN };

		CHECK_EQ(panel_flip(&shown.display, shown.fbs[1]), 0);
		poll(NULL, 0, i * 130);
		panel_unbind(shown.name);
		for (int j = 0; j < 2; j++) {
			CHECK_EQ(ba_buffer_info(node, fds[j]).out_mappings, 0);
			close(fds[j]);
		}
		check_gone(&shown);
		/* Who waits for the flip is not left alone. */
		CHECK_EQ(poll(&event, 1, 0), 1);
		/* Open or not, it can come back. */
		if (i % 2 == 0) {
			close(shown.display.card);
		}
		panel_bind(shown.name);
		if (i % 2 != 0) {
			close(shown.display.card);
		}
	}
	close(node);
	check_works();
}

/* Clients come, show something and go, while the driver does. */
static void
while_clients_come_and_go(void)
{
	int pipe_fds[2], status;
	struct shown shown = show();
	char byte;
	pid_t child;

	close(shown.display.card);
	CHECK_EQ(pipe2(pipe_fds, O_CLOEXEC | O_NONBLOCK), 0);
	child = fork();
	CHECK(child >= 0);
	if (child == 0) {
		int done = 0;

		close(pipe_fds[1]);
		while (read(pipe_fds[0], &byte, 1) != 0) {
			int card = drm_try_open("/dev/dri/card", 0, PANEL);
			struct drm_mode_create_dumb create = {
				.width = WIDTH, .height = HEIGHT, .bpp = 32,
			};
			uint32_t fb = 0;

			if (card < 0) {
				continue;
			}
			if (drmIoctl(card, DRM_IOCTL_MODE_CREATE_DUMB, &create) == 0 &&
			    drmModeAddFB(card, WIDTH, HEIGHT, 24, 32, create.pitch,
					 create.handle, &fb) == 0) {
				done += drmModeSetCrtc(
						card, shown.display.crtc, fb, 0, 0,
						&shown.display.connector, 1,
						&shown.display.mode) == 0;
			}
			close(card);
		}
		_exit(done > 0 ? 0 : 1);
	}
	close(pipe_fds[0]);
	for (int i = 0; i < ROUNDS; i++) {
		poll(NULL, 0, 400 + i * 150);
		panel_unbind(shown.name);
		panel_bind(shown.name);
	}
	poll(NULL, 0, 3000);
	close(pipe_fds[1]);
	CHECK_EQ(waitpid(child, &status, 0), child);
	CHECK_EQ(status, 0);
	check_works();
}

/*
 * Another process and another device have a buffer of a display whose driver is
 * unbound and then unloaded.
 */
static void
exported_and_imported(void)
{
	int node = ba_open(), reader = edu_open(2, EDU_ANY_SEGMENTS);
	struct shown shown = show();
	int fd = dumb_export(&shown.dumbs[0]), pipe_fds[2], status;
	uint8_t *data = dumb_map(&shown.dumbs[0]), seen[LENGTH];
	pid_t child;
	char byte;

	edu_import(reader, fd);
	CHECK_EQ(pipe2(pipe_fds, O_CLOEXEC), 0);
	child = fork();
	CHECK(child >= 0);
	if (child == 0) {
		/* Has the dma-buf and the mapping, and not the card. */
		close(shown.display.card);
		close(pipe_fds[1]);
		while (read(pipe_fds[0], &byte, 1) > 0) {
		}
		data[8] ^= 1;
		_exit(0);
	}
	close(pipe_fds[0]);
	CHECK_EQ(ba_buffer_info(node, fd).out_mappings, 2);
	panel_unbind(shown.name);
	CHECK_EQ(ba_buffer_info(node, fd).out_mappings, 1);
	check_gone(&shown);
	edu_read(reader, seen, 0, LENGTH);
	CHECK_EQ(panel_crc_of(seen, LENGTH), shown.crcs[0]);
	/* An open file is the only thing that keeps the module. */
	CHECK_ERRNO(EAGAIN, UNLOAD("bufalloc_display"));
	close(shown.display.card);
	CHECK_WITHIN_1S(UNLOAD("bufalloc_display") == 0);
	close(pipe_fds[1]);
	CHECK_EQ(waitpid(child, &status, 0), child);
	CHECK_EQ(status, 0);
	edu_read(reader, seen, 0, LENGTH);
	CHECK(panel_crc_of(seen, LENGTH) != shown.crcs[0]);
	seen[8] ^= 1;
	CHECK_EQ(panel_crc_of(seen, LENGTH), shown.crcs[0]);
	edu_release(reader);
	close(fd);
	data[8] ^= 1;
	CHECK_EQ(panel_crc_of(data, LENGTH), shown.crcs[0]);
	munmap(data, shown.dumbs[0].size);
	close(reader);
	close(node);
	CHECK_EQ(system("insmod \"$DISPLAY_KO\""), 0);
	check_works();
}

/* rmmod while something is shown: by the bus, as nothing keeps the module. */
static void
unloaded_while_shown(void)
{
	struct shown shown = show();
	int node = ba_open(), fd = dumb_export(&shown.dumbs[0]);

	CHECK_ERRNO(EAGAIN, UNLOAD("bufalloc_display"));
	CHECK_EQ(ba_buffer_info(node, fd).out_mappings, 1);
	CHECK_EQ(panel_flip(&shown.display, shown.fbs[1]), 0);
	/* The last client goes in the middle of a flip. */
	close(shown.display.card);
	CHECK_WITHIN_1S(UNLOAD("bufalloc_display") == 0);
	CHECK_EQ(ba_buffer_info(node, fd).out_mappings, 0);
	close(fd);
	close(node);
	CHECK_EQ(system("insmod \"$DISPLAY_KO\""), 0);
	check_works();
}

/*
 * The same with the picture still there: its framebuffer was given up by a client that
 * wanted it to stay.
 */
static void
unloaded_while_nobody_shows(void)
{
	struct shown shown = show();
	int node = ba_open(), fd = dumb_export(&shown.dumbs[0]);
	struct drm_mode_closefb closed = { .fb_id = shown.fbs[0] };

	if (drmIoctl(shown.display.card, DRM_IOCTL_MODE_CLOSEFB, &closed) != 0) {
		CHECK_EQ(errno, EINVAL);
		close(fd);
		close(node);
		close(shown.display.card);
		ktest_skip("before Linux 6.8 a picture goes with its client");
	}
	close(shown.display.card);
	CHECK_EQ(ba_buffer_info(node, fd).out_mappings, 1);
	CHECK_WITHIN_1S(UNLOAD("bufalloc_display") == 0);
	CHECK_EQ(ba_buffer_info(node, fd).out_mappings, 0);
	close(fd);
	close(node);
	CHECK_EQ(system("insmod \"$DISPLAY_KO\""), 0);
	check_works();
}

/* A picture of the camera's is shown, and its driver goes; then the display's goes. */
static void
camera_unloaded_while_shown(void)
{
	struct display display = panel_open();
	struct sample camera = sample_open(0, V4L2_PIX_FMT_XBGR32, WIDTH, HEIGHT);
	int node = ba_open(), fd, crcs;
	unsigned int expected, now;
	uint32_t handle, fb;
	char name[32];
	size_t length;
	void *data;

	snprintf(name, sizeof(name), "%s", panel_pci_name(&display));
	sample_request(&camera, V4L2_MEMORY_MMAP, 1);
	fd = sample_export(&camera, 0);
	sample_queue(&camera, V4L2_MEMORY_MMAP, 0, 0, 0);
	sample_stream(&camera, true);
	sample_dequeue(&camera, V4L2_MEMORY_MMAP);
	data = sample_map(&camera, 0, &length);
	expected = panel_crc_of(data, LENGTH);
	munmap(data, length);

	CHECK_EQ(drmPrimeFDToHandle(display.card, fd, &handle), 0);
	fb = display_add(&display, handle, WIDTH * 4);
	display_show(&display, fb);
	crcs = panel_begin_crcs(&display, &now);
	CHECK_EQ(now, expected);
	CHECK_EQ(ba_buffer_info(node, fd).out_mappings, 2);
	CHECK_ERRNO(EAGAIN, UNLOAD("bufalloc_camera"));
	close(camera.fd);
	CHECK_WITHIN_1S(UNLOAD("bufalloc_camera") == 0);
	CHECK_EQ(ba_buffer_info(node, fd).out_mappings, 1);
	/* The device reads it once more. */
	CHECK_EQ(drmModeDirtyFB(display.card, fb, NULL, 0), 0);
	CHECK_EQ(panel_next_crc(crcs, NULL), expected);
	close(crcs);

	panel_unbind(name);
	CHECK_EQ(ba_buffer_info(node, fd).out_mappings, 0);
	CHECK_ERRNO(EAGAIN, UNLOAD("bufalloc_display"));
	close(display.card);
	CHECK_WITHIN_1S(UNLOAD("bufalloc_display") == 0);
	close(fd);
	close(node);
	CHECK_EQ(system("insmod \"$CAMERA_KO\""), 0);
	CHECK_EQ(system("insmod \"$DISPLAY_KO\""), 0);
	check_works();
}

/* Where the driver manages its IOMMU by itself, it takes that away, too. */
static void
with_own_domain(void)
{
	struct display display = panel_open();
	char name[32];

	snprintf(name, sizeof(name), "%s", panel_pci_name(&display));
	close(display.card);
	panel_set_own_domain(true);
	panel_unbind(name);
	panel_bind(name);
	while_shown();
	while_a_flip_is_pending();
	CHECK_EQ(ba_live("domain_maps"), 0);
	panel_set_own_domain(false);
	panel_unbind(name);
	panel_bind(name);
	check_works();
}

static const struct ktest_row rows[] = {
	{ "while-a-picture-is-shown", while_shown },
	{ "while-a-flip-is-pending", while_a_flip_is_pending },
	{ "while-clients-come-and-go", while_clients_come_and_go },
	{ "exported-buffers-outlive-driver-and-module", exported_and_imported },
	{ "unloaded-after-a-client-died-in-a-flip", unloaded_while_shown },
	{ "unloaded-while-a-picture-is-shown", unloaded_while_nobody_shows },
	{ "camera-unloaded-while-its-picture-is-shown",
	  camera_unloaded_while_shown },
	{ "with-an-iommu-domain-of-its-own", with_own_domain },
};

int
main(void)
{
	return ktest_main(rows, sizeof(rows) / sizeof(rows[0]));
}
