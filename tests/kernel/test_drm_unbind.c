// SPDX-License-Identifier: MIT
/*
 * Displays lose their drivers while their nodes are open, and while they show
 * one of our buffers.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <xf86drm.h>

#include "display.h"

#define WIDTH 640
#define HEIGHT 480
#define FRAME ((uint64_t)WIDTH * HEIGHT * 4)

/* A DRM driver, and the one of its device's bus. */
struct driver {
	const char *drm;
	const char *folder;
	/* The device's name on that bus. */
	char device[64];
};

static const struct driver unplugs = { "ba_import",
				       "/sys/bus/platform/drivers/ba_drm", "" };
static const struct driver unregisters = { "ba_shmem",
					   "/sys/bus/platform/drivers/ba_drm",
					   "" };
static const struct driver cirrus = { "cirrus", "/sys/bus/pci/drivers/cirrus",
				      "" };

static void
tell(const struct driver *driver, const char *file)
{
	char path[96];
	int fd;

	snprintf(path, sizeof(path), "%s/%s", driver->folder, file);
	fd = open(path, O_WRONLY | O_CLOEXEC);
	CHECK(fd >= 0);
	CHECK_EQ(write(fd, driver->device, strlen(driver->device)),
		 strlen(driver->device));
	close(fd);
}

static int
try_info(int node, int fd, struct bufalloc_device_info *info)
{
	*info = (struct bufalloc_device_info){
		.size = sizeof(*info), .fd = fd, .access = BUFALLOC_ACCESS_READ,
	};
	return ioctl(node, BUFALLOC_IOCTL_DEVICE_INFO, info);
}

/* The driver with the name of its device, which DEVICE_INFO says. */
static struct driver
named(const struct driver *driver, int node, int fd)
{
	struct driver found = *driver;
	struct bufalloc_device_info info;

	CHECK_EQ(try_info(node, fd, &info), 0);
	snprintf(found.device, sizeof(found.device), "%s",
		 (char *)info.out_name);
	return found;
}

static void
check_gone(int node, int fd)
{
	struct bufalloc_device_info info;
	struct ba_outcome outcome;

	CHECK_ERRNO(ENODEV, try_info(node, fd, &info));
	outcome = ba_alloc_for(node, BUFALLOC_HEAP_AUTO, FRAME, &fd, 1, 0);
	CHECK_EQ(outcome.fd, -1);
	CHECK_EQ(outcome.verdict.out_error, -ENODEV);
	CHECK_EQ(outcome.verdict.out_device, 0);
}

static void
check_works(int node, const char *drm)
{
	int fd = drm_open_driver(drm);
	struct ba_outcome outcome =
		ba_alloc_for(node, BUFALLOC_HEAP_AUTO, FRAME, &fd, 1, 0);

	CHECK(outcome.fd >= 0);
	close(outcome.fd);
	close(fd);
}

static void
before_alloc(const struct driver *of)
{
	int node = ba_open();
	int fd = drm_open_driver(of->drm);
	struct driver driver = named(of, node, fd);

	tell(&driver, "unbind");
	check_gone(node, fd);
	tell(&driver, "bind");
	/* The open node is of what was there before. */
	check_gone(node, fd);
	close(fd);
	check_works(node, of->drm);
	close(node);
}

static void
unplugged(void)
{
	before_alloc(&unplugs);
}

static void
unregistered(void)
{
	before_alloc(&unregisters);
}

/*
 * DRM drivers keep what a client imported until it closes its file, also past
 * their own end; we keep it mapped as long.
 */
static void
while_imported(void)
{
	int node = ba_open();
	int fd = drm_open_driver(unregisters.drm);
	struct driver driver = named(&unregisters, node, fd);
	struct ba_outcome outcome =
		ba_alloc_for(node, BUFALLOC_HEAP_AUTO, FRAME, &fd, 1, 0);
	struct bufalloc_buffer_info info;
	uint32_t handle;

	CHECK(outcome.fd >= 0);
	CHECK_EQ(drmPrimeFDToHandle(fd, outcome.fd, &handle), 0);
	CHECK_EQ(ba_buffer_info(node, outcome.fd).out_mappings, 1);
	tell(&driver, "unbind");
	check_gone(node, fd);
	CHECK_EQ(ba_buffer_info(node, outcome.fd).out_mappings, 1);
	close(fd);
	CHECK_WITHIN_1S(ba_buffer_info(node, outcome.fd).out_mappings == 0);
	info = ba_buffer_info(node, outcome.fd);
	CHECK_EQ(info.out_attachments, 0);

	/* What is bound now takes the same buffer. */
	tell(&driver, "bind");
	fd = drm_open_driver(unregisters.drm);
	CHECK_EQ(drmPrimeFDToHandle(fd, outcome.fd, &handle), 0);
	CHECK_EQ(ba_buffer_info(node, outcome.fd).out_mappings, 1);
	close(fd);
	close(outcome.fd);
	close(node);
}

/* Show a frame of the buffer. */
static void
show(struct display *display, int fd)
{
	uint32_t handle;

	CHECK_EQ(drmPrimeFDToHandle(display->card, fd, &handle), 0);
	display_show(display, display_add(display, handle, WIDTH * 4));
}

/* A real display, which draws by the CPU, loses its driver with our picture. */
static void
while_shown(void)
{
	struct display display = display_open(cirrus.drm, WIDTH, HEIGHT);
	int node = ba_open();
	struct driver driver = named(&cirrus, node, display.card);
	struct ba_outcome outcome = ba_alloc_for(
		node, BUFALLOC_HEAP_SYSTEM, FRAME, &display.card, 1, 0);
	struct bufalloc_buffer_info info;

	CHECK(outcome.fd >= 0);
	show(&display, outcome.fd);
	info = ba_buffer_info(node, outcome.fd);
	/* 6.1 keeps what is shown mapped. */
	CHECK_EQ(info.out_kernel_maps, 1);
	CHECK_EQ(info.out_attachments, 1);

	tell(&driver, "unbind");
	check_gone(node, display.card);
	CHECK_EQ(ba_buffer_info(node, outcome.fd).out_kernel_maps, 0);
	CHECK_EQ(ba_vmalloc_bytes(), 0);
	close(display.card);
	CHECK_WITHIN_1S(ba_buffer_info(node, outcome.fd).out_attachments == 0);

	tell(&driver, "bind");
	display = display_open(cirrus.drm, WIDTH, HEIGHT);
	show(&display, outcome.fd);
	close(display.card);
	close(outcome.fd);
	close(node);
}

/* vkms and vgem make a device that no driver is bound to: none can be unbound. */
static void
without_driver(void)
{
	static const char *const devices[] = { "vkms", "vgem" };

	for (int i = 0; i < 2; i++) {
		char path[64];

		snprintf(path, sizeof(path), "/sys/bus/platform/devices/%s",
			 devices[i]);
		CHECK_EQ(access(path, F_OK), 0);
		strncat(path, "/driver", sizeof(path) - strlen(path) - 1);
		CHECK_ERRNO(ENOENT, access(path, F_OK));
	}
}

static const struct ktest_row rows[] = {
	{ "unplugged-before-alloc-enodev", unplugged },
	{ "unregistered-before-alloc-enodev", unregistered },
	{ "while-a-buffer-is-imported", while_imported },
	{ "while-a-buffer-is-shown", while_shown },
	{ "vkms-and-vgem-cannot-be-unbound", without_driver },
};

int
main(void)
{
	return ktest_main(rows, sizeof(rows) / sizeof(rows[0]));
}
