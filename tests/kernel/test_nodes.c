// SPDX-License-Identifier: MIT
/*
 * Each kind of node has its documented answer (docs/devices.md names these
 * rows): nodes of the kernel's test drivers, and of ba_v4l2 and ba_drm for what
 * those have not.
 */
#include <errno.h>
#include <fcntl.h>
#include <glob.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "ktest.h"

#define BITS(n) ((UINT64_C(1) << (n)) - 1)
#define ANY BUFALLOC_ANY_SEGMENTS
#define FRAME ((uint64_t)1920 * 1080 * 4)

enum { R = BUFALLOC_ACCESS_READ, W = BUFALLOC_ACCESS_WRITE, RW = R | W };
enum {
	SOFT = BUFALLOC_DEVICE_NO_DMA | BUFALLOC_DEVICE_NEEDS_VMAP,
	GUESS = BUFALLOC_DEVICE_INFERRED,
	SELF = BUFALLOC_DEVICE_SELF_MANAGED,
	/* What follows from the driver; the rest is the machine's. */
	OF_DRIVER = SOFT | GUESS | SELF,
};

/* What DEVICE_INFO says of a node. */
struct answer {
	const char *name;
	uint32_t access;
	int error;
	uint32_t found;
	uint32_t flags;
	uint64_t mask;
	uint32_t segments;
};

static void
check_answer(const struct answer *want, int fd)
{
	struct bufalloc_device_info info = {
		.size = sizeof(info), .fd = fd, .access = want->access,
	};
	int node = ba_open();
	int error = ioctl(node, BUFALLOC_IOCTL_DEVICE_INFO, &info) == 0 ? 0 : errno;

	close(node);
	if (error != want->error) {
		ktest_fail(__FILE__, __LINE__, "%s: errno %s, expected %s",
			   want->name, strerrorname_np(error),
			   strerrorname_np(want->error));
	}
	if (error == 0 &&
	    (info.out_found != want->found || info.out_dma_mask != want->mask ||
	     (info.out_flags & OF_DRIVER) != want->flags ||
	     info.out_max_segments != want->segments)) {
		ktest_fail(__FILE__, __LINE__,
			   "%s: found %u, flags %x, mask %llx, segments %u",
			   want->name, info.out_found,
			   info.out_flags & OF_DRIVER,
			   (unsigned long long)info.out_dma_mask,
			   info.out_max_segments);
	}
}

/* Nodes by their names in /sys/class/video4linux; each must be there. */
static void
check_v4l2(const struct answer *answers, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		int fd = v4l2_try_open(answers[i].name);

		if (fd < 0) {
			ktest_fail(__FILE__, __LINE__, "no node \"%s\"",
				   answers[i].name);
		}
		check_answer(&answers[i], fd);
		close(fd);
	}
}

#define CHECK_V4L2(answers) \
	check_v4l2(answers, sizeof(answers) / sizeof((answers)[0]))

static void
video(void)
{
	bool contig = vivid_is_dma_contig();
	uint32_t flags = contig ? 0 : SOFT, segments = contig ? 1 : ANY;
	uint64_t mask = contig ? BITS(32) : 0;
	const uint32_t found = BUFALLOC_FOUND_V4L2_QUEUE;
	const struct answer answers[] = {
		{ "vivid-000-vid-cap", W, 0, found, flags, mask, segments },
		{ "vivid-000-vid-out", R, 0, found, flags, mask, segments },
		/* Metadata has video nodes, and moves through buffers, too. */
		{ "vivid-000-meta-cap", W, 0, found, flags, mask, segments },
		{ "vivid-000-meta-out", R, 0, found, flags, mask, segments },
		{ "ba unknown memops", W, 0, found, 0, BITS(32), ANY },
		{ "ba vmalloc", W, 0, found, SOFT, 0, ANY },
		{ "ba bufalloc", W, 0, found, 0, BITS(32), 1 },
		{ "ba bufalloc sg", W, 0, found, 0, BITS(32), ANY },
	};

	CHECK_V4L2(answers);
}

static void
planes(void)
{
	static const struct answer answers[] = {
		{ "ba one plane", W, 0, BUFALLOC_FOUND_V4L2_ALLOC_DEV, 0,
		  BITS(30), 1 },
		{ "ba two planes", W, 0, BUFALLOC_FOUND_V4L2_ALLOC_DEV, GUESS,
		  BITS(30), 1 },
	};

	CHECK_V4L2(answers);
}

/* READ is what goes into the device, WRITE what comes out. */
static void
m2m(void)
{
	static const struct answer answers[] = {
		{ "ba m2m", R, 0, BUFALLOC_FOUND_V4L2_M2M, 0, BITS(32), ANY },
		{ "ba m2m", W, 0, BUFALLOC_FOUND_V4L2_M2M, 0, BITS(30), 1 },
		{ "ba m2m one device", RW, 0, BUFALLOC_FOUND_V4L2_M2M, 0,
		  BITS(30), 1 },
	};

	CHECK_V4L2(answers);
}

static void
m2m_two_devices(void)
{
	static const struct answer answers[] = {
		{ "ba m2m", RW, EINVAL, 0, 0, 0, 0 },
	};

	CHECK_V4L2(answers);
}

static void
no_queue(void)
{
	static const struct answer answers[] = {
		{ "ba no queue", W, 0, BUFALLOC_FOUND_ANCESTOR, GUESS, BITS(32),
		  ANY },
	};

	CHECK_V4L2(answers);
}

static void
no_dma(void)
{
	static const struct answer answers[] = {
		{ "ba no queue no dma", W, ENXIO, 0, 0, 0, 0 },
	};

	CHECK_V4L2(answers);
}

static void
no_dmabuf(void)
{
	static const struct answer answers[] = {
		{ "ba no import", W, EOPNOTSUPP, 0, 0, 0, 0 },
		{ "ba read only", W, EOPNOTSUPP, 0, 0, 0, 0 },
		{ "ba controls only", W, EOPNOTSUPP, 0, 0, 0, 0 },
	};

	CHECK_V4L2(answers);
}

static void
no_pictures(void)
{
	static const struct answer answers[] = {
		{ "vivid-000-vbi-cap", W, ENXIO, 0, 0, 0, 0 },
		{ "vivid-000-vbi-out", R, ENXIO, 0, 0, 0, 0 },
		{ "vivid-000-sdr-cap", W, ENXIO, 0, 0, 0, 0 },
		{ "vivid-000-rad-rx", W, ENXIO, 0, 0, 0, 0 },
		{ "vivid-000-rad-tx", R, ENXIO, 0, 0, 0, 0 },
		{ "vivid-000-touch-cap", W, ENXIO, 0, 0, 0, 0 },
	};

	CHECK_V4L2(answers);
}

/* All nodes of a pattern; the row is skipped if there is none. */
static void
check_all(const char *pattern, int error)
{
	struct answer want = { .access = W, .error = error };
	glob_t found;
	size_t count;

	CHECK(glob(pattern, 0, NULL, &found) == 0 || found.gl_pathc == 0);
	count = found.gl_pathc;
	for (size_t i = 0; i < count; i++) {
		int fd = open(found.gl_pathv[i], O_RDWR | O_CLOEXEC);

		want.name = found.gl_pathv[i];
		CHECK(fd >= 0);
		check_answer(&want, fd);
		close(fd);
	}
	globfree(&found);
	if (count == 0) {
		ktest_skip("no %s", pattern);
	}
}

static void
subdevices(void)
{
	int fd = v4l2_try_open("ba subdev");

	if (fd < 0) {
		ktest_skip("this kernel has no subdevice nodes");
	}
	close(fd);
	check_all("/dev/v4l-subdev*", ENXIO);
}

static void
media(void)
{
	check_all("/dev/media*", ENXIO);
}

/* vimc: its capture nodes are devices, its parts are subdevices. */
static void
vimc(void)
{
	static const struct answer answer = {
		"Raw Capture 0", W, 0, BUFALLOC_FOUND_V4L2_QUEUE, SOFT, 0, ANY
	};
	int fd = v4l2_try_open(answer.name);

	if (fd < 0) {
		ktest_skip("no vimc");
	}
	check_answer(&answer, fd);
	close(fd);
	check_all("/dev/v4l-subdev*", ENXIO);
}

static void
check_drm(const struct answer *answers, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		int fd = drm_open_driver(answers[i].name);

		check_answer(&answers[i], fd);
		close(fd);
	}
}

#define CHECK_DRM(answers) \
	check_drm(answers, sizeof(answers) / sizeof((answers)[0]))

static void
drm_displays(void)
{
	static const struct answer answers[] = {
		{ "vkms", R, 0, BUFALLOC_FOUND_DRM, BUFALLOC_DEVICE_NEEDS_VMAP,
		  UINT64_MAX, ANY },
		{ "ba_import", R, 0, BUFALLOC_FOUND_DRM, 0, BITS(32), ANY },
	};

	CHECK_DRM(answers);
}

static void
drm_own_import(void)
{
	static const struct answer answers[] = {
		{ "ba_own_import", R, 0, BUFALLOC_FOUND_DRM, GUESS, BITS(32),
		  ANY },
	};

	CHECK_DRM(answers);
}

static void
drm_self_managed(void)
{
	static const struct answer answers[] = {
		{ "rockchip", R, 0, BUFALLOC_FOUND_DRM, SELF, BITS(32), ANY },
	};

	CHECK_DRM(answers);
}

static void
drm_no_import(void)
{
	static const struct answer answers[] = {
		{ "ba_no_gem", R, EOPNOTSUPP, 0, 0, 0, 0 },
		{ "ba_no_import", R, EOPNOTSUPP, 0, 0, 0, 0 },
	};

	CHECK_DRM(answers);
}

/* Card and render nodes are of one device. */
static void
drm_nodes(void)
{
	static const struct answer answer = { "vgem", RW, 0, BUFALLOC_FOUND_DRM,
					      0, UINT64_MAX, ANY };
	int card = drm_open_driver("vgem");
	int render = drm_try_open("/dev/dri/renderD", 128, "vgem");

	CHECK(render >= 0);
	check_answer(&answer, card);
	check_answer(&answer, render);
	close(card);
	close(render);
}

/* The numbers are still theirs, and the kernel opens none. */
static void
drm_control(void)
{
	const char *control = "/dev/ba_control";

	CHECK_EQ(mknod(control, S_IFCHR | 0600, makedev(226, 64)), 0);
	CHECK_ERRNO(ENODEV, open(control, O_RDWR | O_CLOEXEC));
	unlink(control);
}

static void
accel(void)
{
	static const struct answer answer = { "ba_accel", RW, 0,
					      BUFALLOC_FOUND_DRM, 0, BITS(32),
					      ANY };
	int fd = drm_try_open("/dev/accel/accel", 0, "ba_accel");

	if (fd < 0) {
		ktest_skip("this kernel has no accel nodes");
	}
	check_answer(&answer, fd);
	close(fd);
}

struct use {
	int fd;
	uint32_t access;
	uint32_t proof;
};

/* ALLOC for some devices, whose proofs must be these. */
static void
check_proofs(const struct use *uses, uint32_t count)
{
	struct bufalloc_alloc_device devices[4] = { { 0 } };
	struct bufalloc_alloc alloc = {
		.size = sizeof(alloc),
		.length = FRAME,
		.fd_flags = O_RDWR | O_CLOEXEC,
		.device_count = count,
		.devices = (uintptr_t)devices,
	};
	int node = ba_open();

	for (uint32_t i = 0; i < count; i++) {
		devices[i].fd = uses[i].fd;
		devices[i].access = uses[i].access;
	}
	CHECK_EQ(ioctl(node, BUFALLOC_IOCTL_ALLOC, &alloc), 0);
	for (uint32_t i = 0; i < count; i++) {
		CHECK_EQ(devices[i].out_proof, uses[i].proof);
	}
	close(alloc.out_fd);
	close(node);
}

/* ALLOC for this device between two good ones is refused, and says which. */
static void
check_refused(const char *name, int fd, uint32_t access, int error)
{
	struct bufalloc_alloc_device devices[] = {
		{ .fd = drm_open_driver("vgem"), .access = R },
		{ .fd = fd, .access = access },
		{ .fd = drm_open_driver("vkms"), .access = R },
	};
	struct bufalloc_alloc_verdict verdict = { .size = sizeof(verdict) };
	struct bufalloc_alloc alloc = {
		.size = sizeof(alloc),
		.length = FRAME,
		.fd_flags = O_RDWR | O_CLOEXEC,
		.device_count = 3,
		.devices = (uintptr_t)devices,
		.verdict = (uintptr_t)&verdict,
	};
	int node = ba_open();
	int got = ioctl(node, BUFALLOC_IOCTL_ALLOC, &alloc) == 0 ? 0 : errno;

	close(devices[0].fd);
	close(devices[2].fd);
	close(node);
	if (got != error || verdict.out_error != -error ||
	    verdict.out_device != 1 || devices[1].out_error != -error ||
	    verdict.out_reason != BUFALLOC_REASON_NOT_A_DEVICE) {
		ktest_fail(__FILE__, __LINE__,
			   "%s: errno %s, expected %s; verdict %d of device %d",
			   name, strerrorname_np(got), strerrorname_np(error),
			   verdict.out_error, (int)verdict.out_device);
	}
	CHECK_EQ(devices[0].out_error, 0);
	CHECK_EQ(devices[2].out_error, 0);
}

static void
alloc_names_the_fd(void)
{
	static const struct {
		const char *name;
		uint32_t access;
		int error;
	} nodes[] = {
		{ "ba no queue no dma", W, ENXIO },
		{ "vivid-000-vbi-cap", W, ENXIO },
		{ "ba no import", W, EOPNOTSUPP },
		{ "ba m2m", RW, EINVAL },
		{ "vivid-000-vid-cap", 0, EINVAL },
		{ "vivid-000-vid-cap", 4, EINVAL },
	};
	int null = open("/dev/null", O_RDWR | O_CLOEXEC);

	for (size_t i = 0; i < sizeof(nodes) / sizeof(nodes[0]); i++) {
		int fd = v4l2_try_open(nodes[i].name);

		CHECK(fd >= 0);
		check_refused(nodes[i].name, fd, nodes[i].access,
			      nodes[i].error);
		close(fd);
	}
	check_refused("/dev/null", null, R, ENODEV);
	close(null);
	check_refused("not open", 200, R, EBADF);
	check_refused("-1", -1, R, EBADF);
}

/* Twice, by one open file or by two, and by nodes of two kinds. */
static void
same_device(void)
{
	int card = drm_open_driver("vgem");
	int again = drm_open_driver("vgem");
	int render = drm_try_open("/dev/dri/renderD", 128, "vgem");

	check_proofs((struct use[]){
		{ card, R, BUFALLOC_PROOF_MAPPED },
		{ again, W, BUFALLOC_PROOF_MAPPED },
		{ render, RW, BUFALLOC_PROOF_MAPPED },
		{ card, R, BUFALLOC_PROOF_MAPPED } }, 4);
	close(card);
	close(again);
	close(render);
}

/* What was guessed, or manages its IOMMU itself, is mapped and proves nothing. */
static void
unproven(void)
{
	const struct use uses[] = {
		{ v4l2_try_open("ba no queue"), W, BUFALLOC_PROOF_UNPROVEN },
		{ drm_open_driver("ba_own_import"), R, BUFALLOC_PROOF_UNPROVEN },
		{ drm_open_driver("rockchip"), R, BUFALLOC_PROOF_UNPROVEN },
		{ drm_open_driver("ba_import"), R, BUFALLOC_PROOF_MAPPED },
	};

	check_proofs(uses, 4);
	for (int i = 0; i < 4; i++) {
		close(uses[i].fd);
	}
}

/* A real mem2mem device, in between a camera and a display. */
static void
vim2m(void)
{
	int camera = vivid_open();
	int converter = v4l2_try_open("vim2m");
	int display = drm_open_driver("vkms");
	uint32_t proof = vivid_is_dma_contig() ? BUFALLOC_PROOF_MAPPED :
						 BUFALLOC_PROOF_VMAPPED;
	const struct answer in = { "vim2m", R, 0, BUFALLOC_FOUND_V4L2_M2M, SOFT,
				   0, ANY };
	const struct answer out = { "vim2m", W, 0, BUFALLOC_FOUND_V4L2_M2M, SOFT,
				    0, ANY };

	if (converter < 0) {
		ktest_skip("no vim2m");
	}
	check_answer(&in, converter);
	check_answer(&out, converter);
	check_proofs((struct use[]){
		{ camera, W, proof },
		{ converter, R, BUFALLOC_PROOF_VMAPPED } }, 2);
	check_proofs((struct use[]){
		{ converter, W, BUFALLOC_PROOF_VMAPPED },
		{ display, R, BUFALLOC_PROOF_MAPPED } }, 2);
	check_proofs((struct use[]){
		{ converter, RW, BUFALLOC_PROOF_VMAPPED } }, 1);
	close(camera);
	close(converter);
	close(display);
}

/* Open, and of no kind that is known. */
static void
others(void)
{
	static const char *const paths[] = { "/dev/null", "/dev/bufalloc",
					     "/dev/zero", "/proc/self/exe",
					     "/dev" };
	const struct answer answer = { "no device", RW, ENODEV, 0, 0, 0, 0 };
	int node = ba_open();
	int buffer = ba_alloc(node, BUFALLOC_HEAP_AUTO, FRAME);

	for (size_t i = 0; i < sizeof(paths) / sizeof(paths[0]); i++) {
		int fd = open(paths[i], O_RDONLY | O_CLOEXEC);

		CHECK(fd >= 0);
		check_answer(&answer, fd);
		close(fd);
	}
	check_answer(&answer, buffer);
	close(buffer);
	close(node);
}

/* What O_PATH opens is only a name. */
static void
not_open(void)
{
	const struct answer answer = { "not open", RW, EBADF, 0, 0, 0, 0 };
	int named = open("/dev/dri/card0", O_PATH | O_CLOEXEC);

	CHECK(named >= 0);
	check_answer(&answer, -1);
	check_answer(&answer, 200);
	check_answer(&answer, named);
	close(named);
}

static void
wrong_access(void)
{
	static const uint32_t wrong[] = { 0, 4, 7, UINT32_MAX };

	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		const struct answer answers[] = {
			{ "vivid-000-vid-cap", wrong[i], EINVAL, 0, 0, 0, 0 },
		};

		CHECK_V4L2(answers);
	}
}

static const struct ktest_row rows[] = {
	{ "video-nodes", video },
	{ "video-nodes-with-a-device-for-each-plane", planes },
	{ "mem2mem-nodes", m2m },
	{ "mem2mem-nodes-of-two-devices-einval", m2m_two_devices },
	{ "video-nodes-without-a-queue", no_queue },
	{ "video-nodes-without-dma-enxio", no_dma },
	{ "video-nodes-without-dma-buf-eopnotsupp", no_dmabuf },
	{ "vbi-sdr-radio-and-touch-nodes-enxio", no_pictures },
	{ "subdevice-nodes-enxio", subdevices },
	{ "media-nodes-enxio", media },
	{ "drm-devices", drm_displays },
	{ "drm-devices-with-an-import-of-their-own", drm_own_import },
	{ "drm-devices-with-an-iommu-of-their-own", drm_self_managed },
	{ "drm-devices-without-import-eopnotsupp", drm_no_import },
	{ "card-and-render-nodes", drm_nodes },
	{ "control-nodes-cannot-be-opened", drm_control },
	{ "accel-nodes", accel },
	{ "other-files-enodev", others },
	{ "not-open-ebadf", not_open },
	{ "access-einval", wrong_access },
	{ "alloc-names-the-fd-and-its-errno", alloc_names_the_fd },
	{ "same-device-four-times", same_device },
	{ "vimc", vimc },
	{ "what-is-guessed-is-unproven", unproven },
	{ "vim2m-in-between", vim2m },
};

int
main(void)
{
	return ktest_main(rows, sizeof(rows) / sizeof(rows[0]));
}
