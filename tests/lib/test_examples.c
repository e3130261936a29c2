// SPDX-License-Identifier: MIT
/*
 * The programs of examples/, run as their users would. That the display shows
 * what the camera wrote and what a program computed is seen from outside: in what
 * the program tells the kernel (preload/inodes.c), and in the memory itself.
 */
#include <bufalloc/bufalloc.h>

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <xf86drm.h>
#include <xf86drmMode.h>

#include "ktest.h"
#include "video.h"

#define FRAMES "300"

/* A program with a pipe to its input and one from its output. */
struct program {
	pid_t pid;
	int input;
	FILE *output;
};

/* Where a file of the build is: beside this program's folder. */
static const char *
built(const char *name)
{
	static char path[2][4096];
	static unsigned int turn;
	char *self = path[turn++ % 2];
	ssize_t length = readlink("/proc/self/exe", self, 4000);
	int i;

	CHECK(length > 0);
	self[length] = '\0';
	for (i = 0; i < 3; i++) {
		*strrchr(self, '/') = '\0';
	}
	snprintf(strchr(self, '\0'), 90, "/%s", name);
	return self;
}

/* The node that a file descriptor was opened from. */
static const char *
node_of(int fd, char *path, size_t size)
{
	char link[64];
	ssize_t length;

	snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
	length = readlink(link, path, size - 1);
	CHECK(length > 0);
	path[length] = '\0';
	return path;
}

static struct program
start(const char *preload, char *const *arguments)
{
	struct program program;
	int input[2], output[2];

	CHECK(pipe(input) == 0 && pipe(output) == 0);
	program.pid = fork();
	CHECK(program.pid >= 0);
	if (program.pid == 0) {
		dup2(input[0], 0);
		dup2(output[1], 1);
		dup2(output[1], 2);
		close(input[1]);
		if (preload != NULL) {
			setenv("LD_PRELOAD", preload, 1);
		}
		execv(arguments[0], arguments);
		_exit(127);
	}
	close(input[0]);
	close(output[1]);
	program.input = input[1];
	program.output = fdopen(output[0], "r");
	CHECK(program.output != NULL);
	return program;
}

/* Read on to the line that has these words; the row fails if none comes. */
static const char *
line_with(struct program *program, const char *words)
{
	static char line[4096];

	while (fgets(line, sizeof(line), program->output) != NULL) {
		line[strcspn(line, "\n")] = '\0';
		ktest_note("%s", line);
		if (strstr(line, words) != NULL) {
			return line;
		}
	}
	ktest_fail(__FILE__, __LINE__, "the program ended and did not say: %s",
		   words);
}

/* Its exit status. */
static int
finish(struct program *program)
{
	int status;

	close(program->input);
	while (fgetc(program->output) != EOF) {
	}
	fclose(program->output);
	CHECK_EQ(waitpid(program->pid, &status, 0), program->pid);
	CHECK(WIFEXITED(status));
	return WEXITSTATUS(status);
}

static void
camera_to_display(void)
{
	unsigned int captured, same, other, inodes;
	int camera = video_camera();
	int display = video_display();
	char camera_node[64], display_node[64];
	char program_path[4096], witness[64] = "/tmp/inodes-XXXXXX";
	struct program program;
	FILE *file;
	int fd = mkstemp(witness);
	char *arguments[] = {
		program_path, (char *)"--frames", (char *)FRAMES,
		(char *)node_of(camera, camera_node, sizeof(camera_node)),
		(char *)node_of(display, display_node, sizeof(display_node)),
		NULL,
	};

	CHECK(fd >= 0);
	close(fd);
	/* The display belongs to who opened it first. */
	close(display);
	close(camera);
	snprintf(program_path, sizeof(program_path), "%s",
		 built("examples/capture-display"));
	setenv("INODES", witness, 1);
	program = start(built("tests/lib/inodes.so"), arguments);
	line_with(&program, FRAMES " frames shown");
	CHECK_EQ(finish(&program), 0);

	file = fopen(witness, "r");
	CHECK(file != NULL);
	CHECK_EQ(fscanf(file, "captured=%u same=%u other=%u inodes=%u", &captured,
			&same, &other, &inodes),
		 4);
	fclose(file);
	unlink(witness);
	CHECK_EQ(captured, atoi(FRAMES));
	CHECK_EQ(same, atoi(FRAMES));
	CHECK_EQ(other, 0);
	CHECK_EQ(inodes, 4);
}

/* The buffer that the display shows now, as a dma-buf. */
static int
shown_now(int display)
{
	drmModeRes *res = drmModeGetResources(display);
	drmModeCrtc *crtc;
	drmModeFB2 *fb;
	int fd;

	CHECK(res != NULL);
	crtc = drmModeGetCrtc(display, res->crtcs[0]);
	CHECK(crtc != NULL && crtc->buffer_id != 0);
	fb = drmModeGetFB2(display, crtc->buffer_id);
	CHECK(fb != NULL && fb->handles[0] != 0);
	CHECK(drmPrimeHandleToFD(display, fb->handles[0],
				 DRM_CLOEXEC | DRM_RDWR, &fd) == 0);
	CHECK(drmCloseBufferHandle(display, fb->handles[0]) == 0);
	drmModeFreeFB2(fb);
	drmModeFreeCrtc(crtc);
	drmModeFreeResources(res);
	return fd;
}

/* The memory that the display reads is that of the program: seen both ways. */
static void
malloc_to_display(void)
{
	static const uint32_t pattern[4] = { 1, 0x600dcafe, 3, 4 };
	int display = video_display();
	char display_node[64], program_path[4096], memory_path[64];
	const size_t length = VIDEO_WIDTH * VIDEO_HEIGHT * 4;
	char *arguments[] = {
		program_path, (char *)"--wait", (char *)"--frames", (char *)"11",
		(char *)node_of(display, display_node, sizeof(display_node)),
		NULL,
	};
	struct bufalloc_buffer_info info;
	struct program program;
	uint32_t seen[4];
	uint64_t address;
	uint32_t *shown;
	int fd, memory, node;

	close(display);
	if (access("/dev/bufalloc", F_OK) != 0) {
		ktest_skip("bufalloc.ko is not loaded, which alone does this");
	}
	snprintf(program_path, sizeof(program_path), "%s",
		 built("examples/import-malloc"));
	program = start(NULL, arguments);
	CHECK_EQ(sscanf(strstr(line_with(&program, "none was copied"), "at 0x"),
			"at 0x%" SCNx64, &address),
		 1);
	line_with(&program, "Enter");

	display = open(display_node, O_RDWR | O_CLOEXEC);
	CHECK(display >= 0);
	fd = shown_now(display);
	node = ba_open();
	info = ba_buffer_info(node, fd);
	CHECK_EQ(info.out_heap, BUFALLOC_HEAP_USER);
	shown = ba_map(fd, length);
	snprintf(memory_path, sizeof(memory_path), "/proc/%d/mem", program.pid);
	memory = open(memory_path, O_RDWR | O_CLOEXEC);
	CHECK(memory >= 0);

	/* Frame 10, as the program computes it. */
	CHECK_EQ(shown[5 * VIDEO_WIDTH + 3], 13 << 16 | 15 << 8 | (3 ^ 5));
	shown[7] = pattern[1];
	CHECK_EQ(pread(memory, seen, 4, (off_t)address + 7 * 4), 4);
	CHECK_EQ(seen[0], pattern[1]);
	CHECK_EQ(pwrite(memory, pattern, sizeof(pattern), (off_t)address), 16);
	CHECK(memcmp(shown, pattern, sizeof(pattern)) == 0);

	munmap(shown, length);
	close(memory);
	close(node);
	close(fd);
	CHECK_EQ(write(program.input, "\n", 1), 1);
	CHECK_EQ(finish(&program), 0);
	close(display);
}

/* What cannot be is said, and by whom. */
static void
refusals(void)
{
	static const struct {
		const char *arguments[6];
		const char *words;
	} rows[] = {
		{ { "--size", "100x100" }, "has no mode of 100x100" },
		{ { "--format", "GREY" }, "(vkms)" },
		{ { "--frames" }, "usage:" },
		{ { "/nonexistent" }, "/nonexistent: No such file" },
	};
	int camera = video_camera();
	int display = video_display();
	char camera_node[64], display_node[64], program_path[4096];
	size_t i;

	node_of(camera, camera_node, sizeof(camera_node));
	node_of(display, display_node, sizeof(display_node));
	close(display);
	close(camera);
	snprintf(program_path, sizeof(program_path), "%s",
		 built("examples/capture-display"));
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		char *arguments[10] = { program_path };
		struct program program;
		int n = 1;

		for (; n < 6 && rows[i].arguments[n - 1] != NULL; n++) {
			arguments[n] = (char *)rows[i].arguments[n - 1];
		}
		if (n > 2) {
			arguments[n++] = camera_node;
			arguments[n++] = display_node;
		}
		program = start(NULL, arguments);
		line_with(&program, rows[i].words);
		CHECK(finish(&program) != 0);
	}
}

int
main(void)
{
	static const struct ktest_row rows[] = {
		{ "capture-display", camera_to_display },
		{ "import-malloc", malloc_to_display },
		{ "refusals", refusals },
	};

	return ktest_main(rows, sizeof(rows) / sizeof(rows[0]));
}
