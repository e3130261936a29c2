// SPDX-License-Identifier: MIT
/*
 * A pipeline of GStreamer's from the sample camera to the sample display: what
 * the one's device has drawn is what the other's has read, frame by frame, and no
 * CPU has mapped anything.
 */
#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "panel.h"
#include "sample.h"

/* DRM keeps 128 CRCs for who reads them. */
#define FRAMES 100
#define CONTROL_FRAMES 32
#define CRCS 160
#define BYTES ((size_t)PANEL_WIDTH * PANEL_HEIGHT * 4)

/* What makes CPU mappings of a buffer, and announces a CPU access. */
static const char *const cpu_functions[] = {
	"remap_pfn_range", "dma_buf_vmap", "dma_buf_mmap", "vmap",
	"dma_buf_begin_cpu_access", "vb2_plane_vaddr",
};
#define CPU_FUNCTIONS (sizeof(cpu_functions) / sizeof(cpu_functions[0]))

/* The CRCs that one end has said, in order. */
struct end {
	unsigned int count;
	unsigned int crcs[CRCS];
};

struct run {
	struct display display;
	int crcs, log;
	struct end camera, shown;
	unsigned int cpu_maps;
};

static void
print_line(const char *text, void *data)
{
	(void)data;
	ktest_note("%.*s", (int)strcspn(text, "\n"), text);
}

/*
 * The driver says the CRC of each frame by dev_dbg(): where the kernel has no dynamic
 * debug, it was built to say it always (guest.sh).
 */
static void
tell_crcs(bool on)
{
	static const char control[] = "/sys/kernel/debug/dynamic_debug/control";
	char text[64];

	snprintf(text, sizeof(text), "module bufalloc_camera %cp", on ? '+' : '-');
	CHECK(ktest_put(control, text, 0) || errno == ENOENT);
}

/* GStreamer's process, which has the card as fd 3. */
static pid_t
launch(int card, int frames)
{
	char node[32] = "", count[32];
	struct sample camera = sample_open(0, V4L2_PIX_FMT_XBGR32, PANEL_WIDTH,
					   PANEL_HEIGHT);
	char link[64], path[64] = "";
	pid_t child;

	snprintf(link, sizeof(link), "/proc/self/fd/%d", camera.fd);
	CHECK(readlink(link, path, sizeof(path) - 1) > 0);
	close(camera.fd);
	snprintf(node, sizeof(node), "device=%.20s", path);
	snprintf(count, sizeof(count), "num-buffers=%d", frames);
	child = fork();
	CHECK(child >= 0);
	if (child == 0) {
		dup2(card, 100);
		execlp("gst-launch-1.0", "gst-launch-1.0", "-q", "v4l2src", node,
		       "io-mode=dmabuf-import", count, "!",
		       "video/x-raw,format=BGRx,width=64,height=32", "!",
		       "bufalloc", "!", "kmssink", "fd=100",
		       "force-modesetting=true", "restore-crtc=false",
		       "sync=false", "show-preroll-frame=false", NULL);
		_exit(127);
	}
	return child;
}

/* The display shows something, so that its CRCs can be read. */
static void
begin(struct run *run)
{
	struct dumb dumb;
	unsigned int now;
	uint32_t fb;

	run->display = panel_open();
	dumb = dumb_create(run->display.card, PANEL_WIDTH, PANEL_HEIGHT);
	fb = display_add(&run->display, dumb.handle, dumb.pitch);
	display_show(&run->display, fb);
	run->crcs = panel_begin_crcs(&run->display, &now);
	CHECK_EQ(fcntl(run->crcs, F_SETFL, O_NONBLOCK), 0);
	run->log = open("/dev/kmsg", O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	CHECK(run->log >= 0);
	CHECK(lseek(run->log, 0, SEEK_END) >= 0);
	tell_crcs(true);
	trace_begin_all(cpu_functions, CPU_FUNCTIONS, "");
}

/* After black ones: kmssink sets the mode with an empty buffer. */
static void
read_shown(struct run *run)
{
	static const uint8_t black[BYTES];
	unsigned int blank = panel_crc_of(black, BYTES);
	char text[64];

	while (read(run->crcs, text, sizeof(text)) > 0) {
		unsigned int crc;

		CHECK_EQ(sscanf(text, "%*x %x", &crc), 1);
		CHECK(run->shown.count < CRCS);
		if (run->shown.count > 0 || crc != blank) {
			run->shown.crcs[run->shown.count++] = crc;
		}
	}
	CHECK_EQ(errno, EAGAIN);
}

static void
read_drawn(struct run *run)
{
	char text[1024];
	ssize_t n;

	while ((n = read(run->log, text, sizeof(text) - 1)) > 0) {
		const char *at;
		unsigned int crc;

		text[n] = '\0';
		at = strstr(text, ": CRC ");
		if (strstr(text, "bufalloc_camera") != NULL && at != NULL &&
		    sscanf(at, ": CRC %x", &crc) == 1) {
			CHECK(run->camera.count < CRCS);
			run->camera.crcs[run->camera.count++] = crc;
		}
	}
	CHECK_EQ(errno, EAGAIN);
}

static void
end(struct run *run)
{
	run->cpu_maps = trace_end(print_line, NULL);
	tell_crcs(false);
	read_shown(run);
	read_drawn(run);
	close(run->log);
	close(run->crcs);
	close(run->display.card);
}

/* How many frames are the same at both ends, from the first one on, in order. */
static unsigned int
equal_frames(const struct run *run)
{
	unsigned int i, equal = 0;

	for (i = 0; i < run->shown.count && i < run->camera.count; i++) {
		equal += run->shown.crcs[i] == run->camera.crcs[i];
	}
	return equal;
}

static void
frames_are_equal(void)
{
	struct run run = { 0 };
	int status;
	pid_t child;

	begin(&run);
	child = launch(run.display.card, FRAMES);
	CHECK_EQ(waitpid(child, &status, 0), child);
	end(&run);
	CHECK_EQ(status, 0);
	ktest_figure("edu_pipeline_frames", run.shown.count);
	ktest_figure("edu_pipeline_frames_crc_equal", equal_frames(&run));
	ktest_figure("edu_pipeline_cpu_maps", run.cpu_maps);
	CHECK_EQ(run.shown.count, FRAMES);
	CHECK_EQ(equal_frames(&run), FRAMES);
	CHECK_EQ(run.cpu_maps, 0);
	/* They move: not one frame for many. */
	for (unsigned int i = 1; i < FRAMES; i++) {
		CHECK(run.shown.crcs[i] != run.shown.crcs[i - 1]);
	}
}

/* The process's dma-bufs, of which at most @max are mapped for us. */
static unsigned int
map_dmabufs(pid_t pid, uint8_t **data, unsigned int max)
{
	unsigned int count = 0;
	struct dirent *entry;
	char path[64];
	int pidfd;
	DIR *dir;

	snprintf(path, sizeof(path), "/proc/%d/fd", pid);
	dir = opendir(path);
	pidfd = (int)syscall(SYS_pidfd_open, pid, 0);
	while (dir != NULL && pidfd >= 0 && count < max &&
	       (entry = readdir(dir)) != NULL) {
		char link[PATH_MAX] = "";
		int fd;

		if (!isdigit(entry->d_name[0]) ||
		    readlinkat(dirfd(dir), entry->d_name, link, sizeof(link) - 1) < 0 ||
		    strstr(link, "dmabuf") == NULL) {
			continue;
		}
		fd = (int)syscall(SYS_pidfd_getfd, pidfd, atoi(entry->d_name), 0);
		if (fd < 0) {
			continue;
		}
		data[count] = mmap(NULL, BYTES, PROT_READ | PROT_WRITE, MAP_SHARED,
				   fd, 0);
		count += data[count] != MAP_FAILED;
		close(fd);
	}
	if (pidfd >= 0) {
		close(pidfd);
	}
	if (dir != NULL) {
		closedir(dir);
	}
	return count;
}

/* Another process changes one byte of what is in between. */
static void
one_byte_is_seen(void)
{
	struct run run = { 0 };
	unsigned int count = 0;
	uint8_t *data[16];
	int status;
	pid_t child;

	begin(&run);
	child = launch(run.display.card, CONTROL_FRAMES);
	while (waitpid(child, &status, WNOHANG) == 0) {
		if (count < 3) {
			for (unsigned int i = 0; i < count; i++) {
				munmap(data[i], BYTES);
			}
			count = map_dmabufs(child, data, 16);
		}
		for (unsigned int i = 0; i < count; i++) {
			data[i][BYTES / 2] = 0x55;
		}
		poll(NULL, 0, 50);
	}
	for (unsigned int i = 0; i < count; i++) {
		munmap(data[i], BYTES);
	}
	end(&run);
	CHECK_EQ(status, 0);
	CHECK_EQ(run.shown.count, CONTROL_FRAMES);
	CHECK(count >= 3);
	ktest_note("%u of %u frames are as the camera drew them",
		   equal_frames(&run), run.shown.count);
	CHECK(equal_frames(&run) < CONTROL_FRAMES / 2);
	CHECK(run.cpu_maps >= count);
}

static const struct ktest_row rows[] = {
	{ "every-frame-s-crc-is-equal-at-both-ends", frames_are_equal },
	{ "control-one-byte-changed-in-between-is-seen", one_byte_is_seen },
};

int
main(void)
{
	return ktest_main(rows, sizeof(rows) / sizeof(rows[0]));
}
