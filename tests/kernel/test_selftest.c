// SPDX-License-Identifier: MIT
/*
 * bufalloc selftest, as a user runs it: that what works passes, that what does
 * not fails with its reason, that nothing is disturbed, and, by probes, that
 * the devices really import.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <linux/videodev2.h>
#include <xf86drm.h>

#include "display.h"
#include "tool.h"

#define NOBODY 65534
/* What bufalloc selftest asks of VIDIOC_REQBUFS, for a picture. */
#define FRAME_BUFFERS 3
/* The display's mode. */
#define WIDTH 1920
#define HEIGHT 1080

static struct tool_run run;

/* The node of an open device. */
static const char *
node_of(int fd)
{
	static char paths[2][64];
	static unsigned int next;
	char *path = paths[next++ % 2];
	char link[64];
	ssize_t n;

	snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
	n = readlink(link, path, sizeof(paths[0]) - 1);
	CHECK(n > 0);
	path[n] = '\0';
	return path;
}

/* The node of vivid's camera, or of a driver's card. */
static const char *
camera_node(void)
{
	int fd = vivid_open();
	const char *path = node_of(fd);

	close(fd);
	return path;
}

static const char *
card_node(const char *driver)
{
	int fd = drm_open_driver(driver);
	const char *path = node_of(fd);

	close(fd);
	return path;
}

static struct v4l2_format
format_of(int camera)
{
	struct v4l2_format format = { .type = V4L2_BUF_TYPE_VIDEO_CAPTURE };

	CHECK_EQ(ioctl(camera, VIDIOC_G_FMT, &format), 0);
	return format;
}

/* A camera keeps what the last program set. */
static void
set_format(int camera, uint32_t pixelformat, uint32_t width, uint32_t height)
{
	struct v4l2_format format = format_of(camera);

	format.fmt.pix.pixelformat = pixelformat;
	format.fmt.pix.width = width;
	format.fmt.pix.height = height;
	format.fmt.pix.bytesperline = 0;
	CHECK_EQ(ioctl(camera, VIDIOC_S_FMT, &format), 0);
	CHECK_EQ(format.fmt.pix.pixelformat, pixelformat);
	CHECK_EQ(format.fmt.pix.width, width);
	CHECK_EQ(format.fmt.pix.height, height);
}

/* All rows but the known ones pass. */
static void
everything_passes(void)
{
	const char *const args[] = { "selftest", NULL };
	const char *camera = camera_node();
	const char *display = card_node("vkms");
	unsigned int skipped;
	int fd = vivid_open();

	set_format(fd, V4L2_PIX_FMT_YUYV, 640, 360);
	close(fd);
	tool_run(args, &run);
	tool_check_status(&run, 0);
	CHECK_EQ(tool_count_all(&run, "FAIL", ""), 0);
	tool_check_row(&run, camera, "alloc auto", "pass");
	tool_check_row(&run, camera, "pattern auto", "pass");
	tool_check_row(&run, camera, "import capture auto", "pass");
	tool_check_row(&run, camera, "while-imported capture auto", "pass");
	tool_check_row(&run, camera, "released capture auto", "pass");
	tool_check_row(&run, camera, "frame auto", "pass");
	tool_check_row(&run, display, "import auto", "pass");
	tool_check_row(&run, display, "framebuffer auto", "pass");
	tool_check_row(&run, display, "import contig", "pass");
	tool_check_row(&run, card_node("vgem"), "import auto", "pass");
	tool_check_row(&run, "all", "alloc auto", "pass");
	tool_check_row(&run, "all", "import auto", "pass");
	tool_check_row(&run, "all", "while-imported auto", "pass");
	tool_check_row(&run, "module", "left", "pass");
	/* Every page of the picture was written. */
	CHECK(strstr(run.output, "a picture came: 113 of 113 pages") != NULL);

	/* vivid's two nodes for metadata; what no CPU may map, for devices that
	 * work by the CPU; what shall be one range, from a heap whose memory is
	 * not; and scattered memory, for a camera of one segment. */
	skipped = tool_count_all(&run, "skip", " no interface here ");
	CHECK_EQ(skipped, 2);
	skipped += tool_count_all(&run, "skip", "never-cpu forbids");
	skipped += tool_count_all(&run, "skip", "one physical range");
	if (vivid_is_dma_contig()) {
		skipped += tool_count_all(&run, "skip", "takes one segment");
	}
	CHECK_EQ(tool_count_all(&run, "skip", ""), skipped);
	CHECK(tool_count_all(&run, "pass", "never-cpu") > 0);
	CHECK(tool_count_all(&run, "pass", "write-combine") > 0);
	CHECK(tool_count_all(&run, "pass", "uncached") > 0);
	CHECK(tool_count_all(&run, "pass", "auto,contiguous") > 0);
	CHECK(strstr(run.output, " 0 failed, ") != NULL);
}

/* Probes see each import that the report says, and no other. */
static void
imports_are_seen(void)
{
	const char *display = card_node("vkms");
	const char *camera = camera_node();
	const char *drm[] = { "selftest", "--size", "64K", "--device", display,
			      NULL };
	const char *v4l2[] = { "selftest", "--size", "64K", "--device", camera,
			       NULL };
	unsigned int imports, frames;

	trace_begin("drm_gem_prime_import_dev", "");
	tool_run(drm, &run);
	imports = trace_end(NULL, NULL);
	tool_check_status(&run, 0);
	CHECK(imports >= 2);
	CHECK_EQ(imports, tool_count(&run, display, "import ", "pass"));

	trace_begin("drm_framebuffer_init", "");
	tool_run(drm, &run);
	imports = trace_end(NULL, NULL);
	CHECK(imports >= 2);
	CHECK_EQ(imports, tool_count(&run, display, "framebuffer ", "pass"));

	trace_begin(vivid_is_dma_contig() ? "vb2_dc_map_dmabuf" :
					    "vb2_vmalloc_map_dmabuf",
		    "");
	tool_run(v4l2, &run);
	imports = trace_end(NULL, NULL);
	tool_check_status(&run, 0);
	frames = tool_count(&run, camera, "frame ", "pass");
	CHECK(frames >= 1);
	CHECK_EQ(imports, tool_count(&run, camera, "import capture", "pass") +
				  frames * FRAME_BUFFERS);
}

static const char *const commits[] = {
	"drm_mode_setcrtc",
	"drm_atomic_commit",
	"drm_atomic_nonblocking_commit",
};

/* Somebody's picture is on the display: it stays, and so does its master. */
static void
display_in_use(void)
{
	const char *args[] = { "selftest", "--device", NULL, NULL };
	struct display display = display_open("vkms", WIDTH, HEIGHT);
	drmModeCrtcPtr crtc;
	uint32_t handle, fb;
	unsigned int seen;
	int node = ba_open();
	int fd = ba_alloc(node, BUFALLOC_HEAP_CONTIG, WIDTH * HEIGHT * 4);

	args[2] = node_of(display.card);
	CHECK_EQ(drmPrimeFDToHandle(display.card, fd, &handle), 0);
	fb = display_add(&display, handle, WIDTH * 4);
	display_show(&display, fb);

	trace_begin_all(commits, 3, "");
	tool_run(args, &run);
	seen = trace_end(NULL, NULL);
	tool_check_status(&run, 0);
	tool_check_row(&run, args[2], "framebuffer auto", "pass");
	CHECK_EQ(seen, 0);
	crtc = drmModeGetCrtc(display.card, display.crtc);
	CHECK(crtc != NULL);
	CHECK_EQ(crtc->buffer_id, fb);
	drmModeFreeCrtc(crtc);
	CHECK(drmIsMaster(display.card));

	/* The probes see what they are there for. */
	trace_begin_all(commits, 3, "");
	display_show(&display, 0);
	CHECK(trace_end(NULL, NULL) > 0);
	drmModeRmFB(display.card, fb);
	drmCloseBufferHandle(display.card, handle);
	close(display.card);
	close(fd);
	close(node);
}

/* Nobody is master of the display: afterwards, too. */
static void
display_without_master(void)
{
	const char *const args[] = { "selftest", "--size", "64K", "--device",
				     card_node("vkms"), NULL };
	int output, card;
	pid_t pid = tool_start(args, 0, 0, &output);
	char byte;

	/* The first byte comes after the devices were opened. */
	CHECK_EQ(read(output, &byte, 1), 1);
	card = open(args[4], O_RDWR | O_CLOEXEC);
	CHECK(card >= 0);
	CHECK(drmIsMaster(card));
	close(card);
	run.output[0] = '\0';
	tool_finish(pid, output, &run);
	tool_check_status(&run, 0);
}

/* Another program has the camera's buffers. */
static void
queue_in_use(void)
{
	struct v4l2_requestbuffers request = {
		.count = 2,
		.type = V4L2_BUF_TYPE_VIDEO_CAPTURE,
		.memory = V4L2_MEMORY_DMABUF,
	};
	int camera = vivid_open();
	const char *const args[] = { "selftest", "--size", "64K", "--device",
				     node_of(camera), NULL };

	CHECK_EQ(ioctl(camera, VIDIOC_REQBUFS, &request), 0);
	tool_run(args, &run);
	tool_check_status(&run, 0);
	tool_check_row(&run, args[4], "import capture auto", "skip");
	tool_check_row(&run, args[4], "frame auto", "skip");
	tool_check_row(&run, args[4], "alloc auto", "pass");
	CHECK(strstr(run.output, "another program uses it") != NULL);
	CHECK(strstr(run.output, "[EBUSY]") != NULL);
	close(camera);
}

/* What the user has set is as it was. */
static void
settings_stay(void)
{
	struct v4l2_format before, after;
	int camera = vivid_open();
	const char *const args[] = { "selftest", "--size", "64K", "--device",
				     node_of(camera), NULL };

	set_format(camera, V4L2_PIX_FMT_XBGR32, 320, 180);
	before = format_of(camera);
	tool_run(args, &run);
	tool_check_status(&run, 0);
	tool_check_row(&run, args[4], "frame auto", "pass");
	CHECK(strstr(run.output, "320x180") != NULL);
	after = format_of(camera);
	CHECK_EQ(memcmp(&before.fmt.pix, &after.fmt.pix, sizeof(after.fmt.pix)),
		 0);
	close(camera);
}

/* vivid refuses what its controls say, once. */
static void
driver_refuses(const char *control, const char *row, const char *other,
	       const char *call)
{
	int camera = vivid_open();
	const char *const args[] = { "selftest", "--size", "64K", "--device",
				     node_of(camera), NULL };
	char command[256];

	snprintf(command, sizeof(command), "v4l2-ctl -d %s -c %s=1 >/dev/null",
		 args[4], control);
	CHECK_EQ(system(command), 0);
	tool_run(args, &run);
	tool_check_status(&run, 1);
	CHECK_EQ(tool_count_all(&run, "FAIL", ""), 1);
	tool_check_row(&run, args[4], row, "FAIL");
	tool_check_row(&run, args[4], other, "pass");
	tool_check_row(&run, "module", "left", "pass");
	CHECK(strstr(run.output, call) != NULL);
	CHECK(strstr(run.output, "[EINVAL]") != NULL);
	CHECK(strstr(run.output, " 1 failed, ") != NULL);
	close(camera);
}

static void
driver_refuses_reqbufs(void)
{
	driver_refuses("inject_vidioc_reqbufs_error", "import capture auto",
		       "frame auto", "VIDIOC_REQBUFS: Invalid argument");
}

static void
driver_refuses_prepare(void)
{
	driver_refuses("inject_vidioc_qbuf_error", "import capture auto",
		       "frame auto", "VIDIOC_PREPARE_BUF: Invalid argument");
}

static void
driver_refuses_streamon(void)
{
	driver_refuses("inject_vidioc_streamon_error", "frame auto",
		       "import capture auto",
		       "VIDIOC_STREAMON: Invalid argument");
}

/* ctrl-C: what is done is printed, and the process ends by the signal. */
static void
stopped(void)
{
	const char *const args[] = { "selftest", NULL };
	const char *end;
	int output;
	pid_t pid = tool_start(args, 0, 0, &output);

	run.output[0] = '\0';
	CHECK_EQ(read(output, run.output, 1), 1);
	run.output[1] = '\0';
	CHECK_EQ(kill(pid, SIGINT), 0);
	tool_finish(pid, output, &run);
	CHECK(WIFSIGNALED(run.status));
	CHECK_EQ(WTERMSIG(run.status), SIGINT);
	end = strstr(run.output, "\nstopped by SIGINT\n");
	CHECK(end != NULL);
	CHECK(strstr(end, " skipped\n") != NULL);
	tool_check_row(&run, "module", "left", "pass");
	CHECK_EQ(strcmp(tool_result(&run, "all", "import auto"), "none"), 0);
}

/* A user who may use the module and none of the devices. */
static void
no_permission(void)
{
	const char *camera = camera_node();
	const char *const all[] = { "selftest", "--size", "64K", NULL };
	const char *const named[] = { "selftest", "--size", "64K", "--device",
				      camera, NULL };
	struct stat status;
	int output;
	pid_t pid;

	CHECK_EQ(stat("/dev/bufalloc", &status), 0);
	CHECK_EQ(chmod("/dev/bufalloc", 0666), 0);
	pid = tool_start(all, NOBODY, 0, &output);
	run.output[0] = '\0';
	tool_finish(pid, output, &run);
	if (WIFEXITED(run.status) && WEXITSTATUS(run.status) == 97) {
		chmod("/dev/bufalloc", status.st_mode & 07777);
		ktest_skip("nobody may run the command here");
	}
	tool_check_status(&run, 0);
	tool_check_row(&run, camera, "open", "skip");
	tool_check_row(&run, "all", "alloc auto", "skip");

	pid = tool_start(named, NOBODY, 0, &output);
	run.output[0] = '\0';
	tool_finish(pid, output, &run);
	CHECK_EQ(chmod("/dev/bufalloc", status.st_mode & 07777), 0);
	tool_check_status(&run, 1);
	tool_check_row(&run, camera, "open", "FAIL");
	CHECK(strstr(run.output, "no permission") != NULL);
	CHECK(strstr(run.output, "[EACCES]") != NULL);

	pid = tool_start(all, NOBODY, 0, &output);
	run.output[0] = '\0';
	tool_finish(pid, output, &run);
	tool_check_status(&run, 1);
	tool_check_row(&run, "module", "open", "FAIL");
	CHECK(strstr(run.output, "[EACCES]") != NULL);
}

/* A file that is no device, named: that is what is wrong. */
static void
not_a_device(void)
{
	const char *const args[] = { "selftest", "--size", "64K", "--device",
				     "/dev/null", NULL };

	tool_run(args, &run);
	tool_check_status(&run, 1);
	tool_check_row(&run, "/dev/null", "open", "pass");
	tool_check_row(&run, "/dev/null", "info", "FAIL");
	CHECK(strstr(run.output, "[ENODEV]") != NULL);
}

/*
 * Without the module that knows cameras none is tested, and that is said. This
 * comes last.
 */
static void
resolver_missing(void)
{
	const char *const args[] = { "selftest", "--size", "64K", NULL };
	const char *module = getenv("BUFALLOC_KO");
	const char *camera = camera_node();
	char command[512];

	CHECK(module != NULL);
	CHECK_EQ(syscall(SYS_delete_module, "bufalloc_v4l2", O_NONBLOCK), 0);
	tool_run(args, &run);
	snprintf(command, sizeof(command),
		 "insmod \"$(dirname '%s')/bufalloc-v4l2.ko\"", module);
	CHECK_EQ(system(command), 0);
	tool_check_status(&run, 1);
	tool_check_row(&run, camera, "open", "pass");
	tool_check_row(&run, camera, "info", "FAIL");
	tool_check_row(&run, card_node("vkms"), "info", "pass");
	CHECK(strstr(run.output, "bufalloc-v4l2.ko is not loaded") != NULL);
	CHECK(strstr(run.output, "modprobe bufalloc-v4l2") != NULL);
}

static void
tell_vivid(const char *what)
{
	char path[64];
	int fd;

	snprintf(path, sizeof(path), "/sys/bus/platform/drivers/vivid/%s",
		 what);
	fd = open(path, O_WRONLY | O_CLOEXEC);
	CHECK(fd >= 0);
	CHECK_EQ(write(fd, "vivid.0", 7), 7);
	close(fd);
}

/* Does the process wait in write(2)? */
static bool
is_writing(pid_t pid)
{
	char path[64], text[64] = "";
	FILE *file;

	snprintf(path, sizeof(path), "/proc/%d/syscall", (int)pid);
	file = fopen(path, "re");
	CHECK(file != NULL);
	CHECK(fgets(text, sizeof(text), file) != NULL);
	fclose(file);
	return text[0] != 'r' && atoi(text) == SYS_write;
}

/*
 * The camera goes while it is tested: in the middle, because the pipe for the
 * report is full by then and nobody reads it.
 */
static void
gone_in_the_middle(void)
{
	const char *const args[] = { "selftest", "--size", "64K", "--device",
				     camera_node(), NULL };
	int output;
	/* The rows of the module take less than what is left. */
	pid_t pid = tool_start(args, 0, 1000, &output);

	for (int tries = 0; !is_writing(pid); tries++) {
		CHECK(tries < 60000);
		ktest_pause_1ms();
	}
	tell_vivid("unbind");
	run.output[0] = '\0';
	tool_finish(pid, output, &run);
	tell_vivid("bind");
	tool_check_status(&run, 1);
	CHECK(tool_count_all(&run, "FAIL", "") >= 1);
	CHECK(strstr(run.output, "[ENODEV]") != NULL);
	tool_check_row(&run, "module", "left", "pass");
}

/* A device that converts pictures, of the driver vim2m. */
static const char *
converter_node(void)
{
	struct v4l2_capability cap;
	char path[32];

	for (int i = 0; i < 16; i++) {
		int fd;

		snprintf(path, sizeof(path), "/dev/video%d", i);
		fd = open(path, O_RDWR | O_CLOEXEC);
		if (fd < 0) {
			continue;
		}
		if (ioctl(fd, VIDIOC_QUERYCAP, &cap) == 0 &&
		    (cap.device_caps & V4L2_CAP_VIDEO_M2M)) {
			const char *node = node_of(fd);

			close(fd);
			return node;
		}
		close(fd);
	}
	ktest_skip("no device that converts pictures (vim2m)");
}

static void
converts_a_picture(void)
{
	const char *node = converter_node();
	const char *const args[] = { "selftest", "--device", node, NULL };

	tool_run(args, &run);
	tool_check_status(&run, 0);
	tool_check_row(&run, node, "import output auto", "pass");
	tool_check_row(&run, node, "import capture auto", "pass");
	tool_check_row(&run, node, "frame auto", "pass");
	CHECK(strstr(run.output, " mem2mem ") != NULL);
}

/* Where every mapping bounces, a device gets nothing, and that is a failure. */
static void
bounce_is_a_failure(void)
{
	const char *const args[] = { "selftest", "--size", "64K", "--device",
				     "/dev/ba_edu0", NULL };

	tool_run(args, &run);
	tool_check_status(&run, 1);
	tool_check_row(&run, args[4], "info", "pass");
	tool_check_row(&run, args[4], "alloc auto", "FAIL");
	tool_check_row(&run, args[4], "alloc system", "skip");
	tool_check_row(&run, "all", "alloc auto", "skip");
	tool_check_row(&run, "module", "left", "pass");
	CHECK(strstr(run.output, "swiotlb") != NULL);
	CHECK(strstr(run.output, "[ENOSPC]") != NULL);
}

static const struct ktest_row rows[] = {
	{ "everything-passes", everything_passes },
	{ "probes-see-the-imports", imports_are_seen },
	{ "display-in-use-is-left-alone", display_in_use },
	{ "display-without-master-stays-so", display_without_master },
	{ "queue-in-use-is-skipped-ebusy", queue_in_use },
	{ "settings-stay", settings_stay },
	{ "driver-refuses-reqbufs-einval", driver_refuses_reqbufs },
	{ "driver-refuses-prepare-einval", driver_refuses_prepare },
	{ "driver-refuses-streamon-einval", driver_refuses_streamon },
	{ "sigint-ends-it-in-order", stopped },
	{ "no-permission-eacces", no_permission },
	{ "not-a-device-enodev", not_a_device },
	{ "camera-gone-in-the-middle-enodev", gone_in_the_middle },
	{ "converter-converts", converts_a_picture },
	{ "resolver-missing-is-a-failure", resolver_missing },
};

static const struct ktest_row bounce_rows[] = {
	{ "refused-device-is-a-failed-row-enospc", bounce_is_a_failure },
};

int
main(void)
{
	if (access("/sys/module/vivid", F_OK) != 0) {
		return ktest_main(bounce_rows, sizeof(bounce_rows) /
						       sizeof(bounce_rows[0]));
	}
	return ktest_main(rows, sizeof(rows) / sizeof(rows[0]));
}
