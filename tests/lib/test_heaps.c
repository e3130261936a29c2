// SPDX-License-Identifier: MIT
/*
 * A board with dma-heaps and without bufalloc.ko: the camera takes one segment,
 * so that the system heap is tried and left, and CMA is chosen or full.
 */
#include <bufalloc/bufalloc.h>

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <dirent.h>

#include "ktest.h"
#include "video.h"

#define MAX_HELD 64

/* The heap that is not "system": its name is the kernel's. */
static const char *
cma_name(void)
{
	static char name[64];
	struct dirent *entry;
	DIR *dir = opendir("/dev/dma_heap");

	CHECK(dir != NULL);
	while ((entry = readdir(dir)) != NULL) {
		if (entry->d_name[0] != '.' &&
		    strcmp(entry->d_name, "system") != 0) {
			snprintf(name, sizeof(name), "%.60s", entry->d_name);
		}
	}
	closedir(dir);
	CHECK(name[0] != '\0');
	return name;
}

static void
system_is_left_and_cma_is_chosen(void)
{
	int camera = video_camera();
	int display = video_display();
	struct bufalloc_request *req = video_request(camera, display);
	struct bufalloc_verdict *verdict = NULL;
	const struct bufalloc_try *try;
	struct bufalloc_buf *buf;

	CHECK(vivid_is_dma_contig());
	CHECK_EQ(video_alloc(NULL, req, &buf, &verdict), 0);
	try = video_try(verdict, "dma-heap", "system");
	CHECK_EQ(try->reason, BUFALLOC_WHY_IMPORT);
	CHECK_EQ(try->device, 0);
	CHECK(strstr(try->text, "(vivid) refuses it") != NULL);
	CHECK_EQ(video_try(verdict, "dma-heap", cma_name())->error, 0);
	CHECK(strstr(bufalloc_verdict_text(verdict), cma_name()) != NULL);
	video_capture(camera, buf, 3);
	CHECK(video_bytes_written(buf) > 1000000);
	video_show(display, buf);
	bufalloc_buf_destroy(buf);
	bufalloc_verdict_destroy(verdict);
	bufalloc_request_destroy(req);
	close(display);
	close(camera);
}

/* Without the camera nothing speaks against scattered pages. */
static void
display_alone_takes_system(void)
{
	int display = video_display();
	struct bufalloc_request *req = video_request(-1, display);
	struct bufalloc_verdict *verdict = NULL;
	struct bufalloc_buf *buf;

	CHECK_EQ(video_alloc(NULL, req, &buf, &verdict), 0);
	CHECK_EQ(video_try(verdict, "dma-heap", "system")->error, 0);
	bufalloc_buf_destroy(buf);
	bufalloc_verdict_destroy(verdict);
	bufalloc_request_destroy(req);
	close(display);
}

/* Frames until CMA has no more: half way, the refusal names the camera. */
static void
cma_runs_out(void)
{
	int camera = video_camera();
	int display = video_display();
	struct bufalloc_request *req = video_request(camera, display);
	struct bufalloc_verdict *verdict = NULL;
	struct bufalloc_buf *bufs[MAX_HELD];
	const char *text;
	size_t count = 0;
	int ret;

	while (count < MAX_HELD) {
		ret = video_alloc(NULL, req, &bufs[count], &verdict);
		if (ret < 0) {
			break;
		}
		bufalloc_verdict_destroy(verdict);
		count++;
	}
	ktest_note("%zu frames fit", count);
	CHECK(count >= 3 && count < MAX_HELD);
	CHECK_EQ(ret, -ENOMEM);
	text = bufalloc_verdict_text(verdict);
	CHECK(strstr(text, "(vivid) refuses scattered memory, and no other has so many bytes left") !=
	      NULL);
	CHECK(strstr(text, cma_name()) != NULL);
	CHECK(strstr(text, "cma=") != NULL);
	CHECK_EQ(bufalloc_verdict_get_device(verdict), 0);
	CHECK_EQ(bufalloc_verdict_get_reason(verdict), BUFALLOC_REASON_MEMORY);
	CHECK_EQ(video_try(verdict, "dma-heap", cma_name())->error, -ENOMEM);
	bufalloc_verdict_destroy(verdict);

	/* One comes back, one more fits. */
	bufalloc_buf_destroy(bufs[--count]);
	CHECK_EQ(video_alloc(NULL, req, &bufs[count], NULL), 0);
	count++;
	while (count > 0) {
		bufalloc_buf_destroy(bufs[--count]);
	}
	bufalloc_request_destroy(req);
	close(display);
	close(camera);
}

/* The camera is capturing: nothing may be tried on it, CMA is the safer guess. */
static void
camera_in_use(void)
{
	int camera = video_camera();
	struct bufalloc_request *req = video_request(camera, -1);
	struct bufalloc_verdict *verdict = NULL;
	struct bufalloc_buf *buf, *other;

	CHECK_EQ(video_alloc(NULL, req, &buf, NULL), 0);
	video_hold(camera, buf);
	CHECK_EQ(video_alloc(NULL, req, &other, &verdict), 0);
	CHECK_EQ(video_proof(verdict, 0), BUFALLOC_PROOF_NONE);
	CHECK_EQ(video_try(verdict, "dma-heap", cma_name())->error, 0);
	CHECK(strstr(bufalloc_verdict_text(verdict), "not tried") != NULL);
	bufalloc_verdict_destroy(verdict);
	video_release(camera);
	bufalloc_buf_destroy(other);
	bufalloc_buf_destroy(buf);
	bufalloc_request_destroy(req);
	close(camera);
}

/* In a child without rights; each node in turn is open to it, or none. */
static int
as_nobody(const char *open_node, const struct bufalloc_request *req,
	  const char **backend)
{
	struct bufalloc_verdict *verdict = NULL;
	struct bufalloc_ctx *ctx = NULL;
	struct bufalloc_buf *buf = NULL;
	int ret;

	*backend = NULL;
	if (open_node != NULL) {
		CHECK(chmod(open_node, 0666) == 0);
	}
	CHECK(setgroups(0, NULL) == 0);
	CHECK(setgid(65534) == 0);
	CHECK(setuid(65534) == 0);
	CHECK_EQ(bufalloc_open(&ctx, NULL), 0);
	ret = bufalloc_alloc(ctx, req, &buf, &verdict);
	fprintf(stderr, "# %s\n", bufalloc_verdict_text(verdict));
	*backend = bufalloc_verdict_get_backend(verdict);
	if (ret == -EACCES) {
		CHECK(strstr(bufalloc_verdict_text(verdict),
			     "no permission on /dev/udmabuf: join its group") !=
		      NULL);
		CHECK(strstr(bufalloc_verdict_text(verdict),
			     "no permission on /dev/dma_heap/system") != NULL);
	}
	return ret;
}

static void
permission_denied(void)
{
	static char cma[128];
	const struct {
		const char *node;
		int ret;
		const char *backend;
	} cases[] = {
		{ NULL, -EACCES, NULL },
		{ "/dev/dma_heap/system", 0, "dma-heap" },
		{ cma, 0, "dma-heap" },
		{ "/dev/udmabuf", 0, "udmabuf" },
	};
	int display = video_display();
	struct bufalloc_request *req = video_request(-1, display);
	const char *backend;
	size_t i;

	snprintf(cma, sizeof(cma), "/dev/dma_heap/%s", cma_name());
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		int status;
		pid_t pid;

		/* what a dumb buffer would be made of is not in the way */
		setenv("BUFALLOC_BACKEND", "bufalloc,dma-heap,udmabuf,memfd", 1);
		CHECK(chmod("/dev/dma_heap", 0755) == 0);
		CHECK(chmod("/dev/dma_heap/system", 0600) == 0);
		CHECK(chmod(cma, 0600) == 0);
		CHECK(chmod("/dev/udmabuf", 0600) == 0);
		fflush(stdout);
		pid = fork();
		CHECK(pid >= 0);
		if (pid == 0) {
			int ret = as_nobody(cases[i].node, req, &backend);

			if (ret != cases[i].ret) {
				_exit(1);
			}
			_exit(ret == 0 && strcmp(backend, cases[i].backend) != 0);
		}
		CHECK(waitpid(pid, &status, 0) == pid);
		CHECK_EQ(status, 0);
		unsetenv("BUFALLOC_BACKEND");
	}
	bufalloc_request_destroy(req);
	close(display);
}

static const struct ktest_row rows[] = {
	{ "system is left, CMA is chosen", system_is_left_and_cma_is_chosen },
	{ "a display alone takes system", display_alone_takes_system },
	{ "CMA runs out: the refusal names the camera", cma_runs_out },
	{ "a camera in use", camera_in_use },
	{ "permission denied on each node", permission_denied },
};

int
main(void)
{
	return ktest_main(rows, sizeof(rows) / sizeof(rows[0]));
}
