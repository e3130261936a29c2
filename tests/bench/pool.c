// SPDX-License-Identifier: MIT
/*
 * What it costs to take a buffer out of a pool and to give it back: libbufalloc's
 * pool beside GStreamer's (GstBufferPool), with the same memory in both, in turns.
 * It prints figures and their ratio; no time is right or wrong. Neither touches
 * the memory, so that memory files stand for dma-bufs here.
 */
#include <bufalloc/bufalloc.h>
#include <gst/allocators/gstdmabuf.h>
#include <gst/gst.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define BUFFERS 4
#define LENGTH (1920 * 1080 * 3 / 2)
#define ROUNDS 11
#define TURNS 50000

static struct bufalloc_buf *bufs[BUFFERS];

/* GStreamer's own pool, of buffers whose memory is bufs'. */
typedef struct {
	GstBufferPool parent;
	GstAllocator *allocator;
	unsigned int count;
} SharedPool;
typedef struct {
	GstBufferPoolClass parent_class;
} SharedPoolClass;

GType
shared_pool_get_type(void);
G_DEFINE_TYPE(SharedPool, shared_pool, GST_TYPE_BUFFER_POOL)

static GstFlowReturn
shared_pool_alloc(GstBufferPool *pool, GstBuffer **buffer,
		  GstBufferPoolAcquireParams *params)
{
	SharedPool *shared = (SharedPool *)pool;
	int fd = dup(bufalloc_buf_get_fd(bufs[shared->count++ % BUFFERS]));

	(void)params;
	*buffer = gst_buffer_new();
	gst_buffer_append_memory(*buffer, gst_dmabuf_allocator_alloc(
						  shared->allocator, fd, LENGTH));
	return GST_FLOW_OK;
}

static void
shared_pool_finalize(GObject *object)
{
	gst_object_unref(((SharedPool *)object)->allocator);
	G_OBJECT_CLASS(shared_pool_parent_class)->finalize(object);
}

static void
shared_pool_class_init(SharedPoolClass *class)
{
	GST_BUFFER_POOL_CLASS(class)->alloc_buffer = shared_pool_alloc;
	G_OBJECT_CLASS(class)->finalize = shared_pool_finalize;
}

static void
shared_pool_init(SharedPool *shared)
{
	shared->allocator = gst_dmabuf_allocator_new();
}

static double
now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)now.tv_sec * 1e9 + (double)now.tv_nsec;
}

static int
compare(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

static double
median(double *values)
{
	qsort(values, ROUNDS, sizeof(*values), compare);
	return values[ROUNDS / 2];
}

static ino_t
inode(int fd)
{
	struct stat st;

	return fstat(fd, &st) == 0 ? st.st_ino : 0;
}

/* One buffer after the other; two are out at once, as in a pipeline. */
static double
turn_of_ours(struct bufalloc_pool *pool)
{
	double begin = now_ns();
	unsigned int i;

	for (i = 0; i < TURNS; i += 2) {
		struct bufalloc_buf *one = NULL, *other = NULL;

		if (bufalloc_pool_acquire(pool, 0, &one) != 0 ||
		    bufalloc_pool_acquire(pool, 0, &other) != 0 ||
		    bufalloc_pool_release(pool, one, -1) != 0 ||
		    bufalloc_pool_release(pool, other, -1) != 0) {
			return -1;
		}
	}
	return (now_ns() - begin) / TURNS;
}

static double
turn_of_gst(GstBufferPool *pool)
{
	GstBufferPoolAcquireParams params = {
		.flags = GST_BUFFER_POOL_ACQUIRE_FLAG_DONTWAIT,
	};
	double begin = now_ns();
	unsigned int i;

	for (i = 0; i < TURNS; i += 2) {
		GstBuffer *one = NULL, *other = NULL;

		if (gst_buffer_pool_acquire_buffer(pool, &one, &params) !=
			    GST_FLOW_OK ||
		    gst_buffer_pool_acquire_buffer(pool, &other, &params) !=
			    GST_FLOW_OK) {
			return -1;
		}
		gst_buffer_unref(one);
		gst_buffer_unref(other);
	}
	return (now_ns() - begin) / TURNS;
}

/* Is the memory of GStreamer's buffers that of ours? */
static gboolean
is_shared(GstBufferPool *pool)
{
	GstBuffer *buffer = NULL;
	gboolean found = FALSE;
	unsigned int i;
	ino_t theirs;

	if (gst_buffer_pool_acquire_buffer(pool, &buffer, NULL) != GST_FLOW_OK) {
		return FALSE;
	}
	theirs = inode(gst_dmabuf_memory_get_fd(gst_buffer_peek_memory(buffer, 0)));
	for (i = 0; i < BUFFERS; i++) {
		found |= theirs != 0 &&
			 theirs == inode(bufalloc_buf_get_fd(bufs[i]));
	}
	gst_buffer_unref(buffer);
	return found;
}

int
main(int argc, char **argv)
{
	const struct bufalloc_options options = {
		.size = sizeof(options),
		.backends = "memfd",
	};
	double ours[ROUNDS], theirs[ROUNDS], own, other;
	struct bufalloc_pool *pool = NULL;
	struct bufalloc_request *req = NULL;
	struct bufalloc_ctx *ctx = NULL;
	GstBufferPool *gst_pool;
	GstStructure *config;
	gboolean shared;
	unsigned int i;

	gst_init(&argc, &argv);
	if (bufalloc_open(&ctx, &options) != 0 ||
	    bufalloc_request_new(&req) != 0 ||
	    bufalloc_request_set_length(req, LENGTH) != 0 ||
	    bufalloc_pool_new(ctx, req, BUFFERS, BUFFERS, &pool, NULL) != 0) {
		printf("not ok 1 - a pool of memory files\n1..1\n");
		return 1;
	}
	for (i = 0; i < BUFFERS; i++) {
		if (bufalloc_pool_acquire(pool, 0, &bufs[i]) != 0) {
			return 1;
		}
	}
	gst_pool = g_object_new(shared_pool_get_type(), NULL);
	gst_object_ref_sink(gst_pool);
	config = gst_buffer_pool_get_config(gst_pool);
	gst_buffer_pool_config_set_params(config, NULL, LENGTH, BUFFERS, BUFFERS);
	gst_buffer_pool_set_config(gst_pool, config);
	gst_buffer_pool_set_active(gst_pool, TRUE);
	shared = is_shared(gst_pool);
	for (i = 0; i < BUFFERS; i++) {
		bufalloc_pool_release(pool, bufs[i], -1);
	}
	for (i = 0; i < ROUNDS; i++) {
		ours[i] = turn_of_ours(pool);
		theirs[i] = turn_of_gst(gst_pool);
	}
	own = median(ours);
	other = median(theirs);
	printf("%s 1 - both pools have the same memory\n", shared ? "ok" : "not ok");
	printf("%s 2 - each acquire and release succeeds\n",
	       ours[0] > 0 && theirs[0] > 0 ? "ok" : "not ok");
	printf("# figure pool_acquire_release_ns %.0f\n", own);
	printf("# figure gst_pool_acquire_release_ns %.0f\n", other);
	printf("# ratio %.2f\n1..2\n", own / other);

	gst_buffer_pool_set_active(gst_pool, FALSE);
	gst_object_unref(gst_pool);
	bufalloc_pool_destroy(pool);
	bufalloc_request_destroy(req);
	bufalloc_close(ctx);
	return shared && ours[0] > 0 && theirs[0] > 0 ? 0 : 1;
}
