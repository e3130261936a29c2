// SPDX-License-Identifier: MIT
/*
 * Pools of buffers for a real camera and a real display: what a device still uses
 * is not handed out. The fences are vgem's, in sync_files of the kernel.
 */
#include <bufalloc/bufalloc.h>

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "fence.h"
#include "ktest.h"
#include "video.h"

#define BUFFERS 3

static int camera, display;
static struct bufalloc_ctx *ctx;
static struct bufalloc_pool *pool;

static void
open_pool(uint32_t min, uint32_t max)
{
	struct bufalloc_verdict *verdict = NULL;
	struct bufalloc_request *req;

	camera = video_camera();
	display = video_display();
	req = video_request(camera, display);
	CHECK_EQ(bufalloc_open(&ctx, NULL), 0);
	CHECK_EQ(bufalloc_pool_new(ctx, req, min, max, &pool, &verdict), 0);
	ktest_note("%s", bufalloc_verdict_text(verdict));
	bufalloc_verdict_destroy(verdict);
	bufalloc_request_destroy(req);
}

static void
close_pool(void)
{
	bufalloc_pool_destroy(pool);
	bufalloc_close(ctx);
	close(display);
	close(camera);
}

static struct bufalloc_buf *
acquire(void)
{
	struct bufalloc_buf *buf = NULL;

	CHECK_EQ(bufalloc_pool_acquire(pool, 0, &buf), 0);
	return buf;
}

static ino_t
inode(const struct bufalloc_buf *buf)
{
	struct stat st;

	CHECK(fstat(bufalloc_buf_get_fd(buf), &st) == 0);
	return st.st_ino;
}

static bool
is_readable(void)
{
	struct pollfd fd = { .fd = bufalloc_pool_get_fd(pool), .events = POLLIN };

	return poll(&fd, 1, 0) == 1;
}

/* Frames through all of them, each used more than once. */
static void
frames_go_round(void)
{
	struct bufalloc_pool_stats stats = { .size = sizeof(stats) };
	unsigned int i;

	open_pool(1, BUFFERS);
	for (i = 0; i < 4; i++) {
		struct bufalloc_buf *bufs[BUFFERS];
		unsigned int j;

		for (j = 0; j < BUFFERS; j++) {
			bufs[j] = acquire();
			video_capture(camera, bufs[j], 1);
			CHECK(video_bytes_written(bufs[j]) >
			      VIDEO_WIDTH * VIDEO_HEIGHT);
			video_show(display, bufs[j]);
		}
		CHECK(!is_readable());
		for (j = 0; j < BUFFERS; j++) {
			CHECK_EQ(bufalloc_pool_release(pool, bufs[j], -1), 0);
		}
		CHECK(is_readable());
	}
	CHECK_EQ(bufalloc_pool_get_stats(pool, &stats), 0);
	CHECK_EQ(stats.allocated, BUFFERS);
	CHECK_EQ(stats.acquired, 4 * BUFFERS);
	CHECK_EQ(stats.recycled, 3 * BUFFERS);
	CHECK_EQ(bufalloc_pool_trim(pool), BUFFERS - 1);
	close_pool();
}

/* The display may read it still: nobody gets it before the fence is signalled. */
static void
fence_is_waited_for(void)
{
	struct bufalloc_buf *buf, *other = NULL;
	struct fence fence;
	int sync_file;
	ino_t number;

	open_pool(1, 1);
	buf = acquire();
	number = inode(buf);
	fence = fence_elsewhere(&sync_file);
	CHECK_EQ(bufalloc_pool_release(pool, buf, sync_file), 0);
	CHECK(!is_readable());
	CHECK_EQ(bufalloc_pool_acquire(pool, 0, &other), -EAGAIN);
	CHECK_EQ(bufalloc_pool_acquire(pool, 1, &other), -ETIMEDOUT);
	fence_signal(&fence);
	CHECK(is_readable());
	buf = acquire();
	CHECK(inode(buf) == number);
	CHECK_EQ(bufalloc_pool_release(pool, buf, -1), 0);
	fence_close(&fence);
	close_pool();
}

/* The same with what the kernel has on the dma-buf itself. */
static void
fence_of_the_buffer(void)
{
	struct bufalloc_buf *buf, *other = NULL;
	struct fence fence;
	int sync_file;

	open_pool(1, 1);
	buf = acquire();
	fence = fence_on(bufalloc_buf_get_fd(buf), DEVICE_WRITES);
	sync_file = fence_export(bufalloc_buf_get_fd(buf), BUFALLOC_READ);
	CHECK_EQ(bufalloc_pool_release(pool, buf, sync_file), 0);
	CHECK_EQ(bufalloc_pool_acquire(pool, 0, &other), -EAGAIN);
	fence_signal(&fence);
	buf = acquire();
	CHECK_EQ(bufalloc_pool_release(pool, buf, -1), 0);
	fence_close(&fence);
	close_pool();
}

/* The pool goes while a buffer is out, and while another waits for its fence. */
static void
pool_goes_first(void)
{
	struct bufalloc_buf *out, *waiting;
	struct fence fence;
	int sync_file;
	void *ptr;

	open_pool(2, 2);
	out = acquire();
	waiting = acquire();
	fence = fence_elsewhere(&sync_file);
	CHECK_EQ(bufalloc_pool_release(pool, waiting, sync_file), 0);
	bufalloc_pool_destroy(pool);
	CHECK_EQ(bufalloc_buf_map(out, BUFALLOC_READ_WRITE, &ptr), 0);
	memset(ptr, 1, 4096);
	CHECK_EQ(bufalloc_pool_release(pool, out, -1), 0);
	fence_signal(&fence);
	fence_close(&fence);
	bufalloc_close(ctx);
	close(display);
	close(camera);
}

int
main(void)
{
	static const struct ktest_row rows[] = {
		{ "frames-go-round", frames_go_round },
		{ "a-fence-is-waited-for", fence_is_waited_for },
		{ "a-fence-of-the-buffer", fence_of_the_buffer },
		{ "the-pool-goes-first", pool_goes_first },
	};

	return ktest_main(rows, sizeof(rows) / sizeof(rows[0]));
}
