/* SPDX-License-Identifier: MIT */
/*
 * One picture through a V4L2 device: a camera's, or one that is converted. Each
 * plane of each buffer of a queue is a buffer of ours, full of known data.
 */
#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "selftest_v4l2.h"

/* How many buffers are asked for; a driver may want more. */
#define ASK_COUNT 3
#define MAX_COUNT 32
/* What the CPU wrote: a converter that copies must change what it fills. */
#define OUTPUT_SEED 3
#define CAPTURE_SEED 4
#define TIMEOUT_NS (UINT64_C(5) * 1000000000)

/* A queue with its buffers. */
struct stream {
	struct selftest_port *port;
	uint32_t count;
	bool is_on;
	struct bufalloc_buf *bufs[MAX_COUNT][VIDEO_MAX_PLANES];
};

/* The frame while it is under way. */
struct frame {
	struct selftest *test;
	struct selftest_device *device;
	const struct selftest_variant *variant;
	size_t count;
	struct stream streams[SELFTEST_MAX_PORTS];
};

static struct stream *
stream_of(struct frame *frame, const char *queue)
{
	size_t i;

	for (i = 0; i < frame->count; i++) {
		if (strcmp(frame->streams[i].port->queue, queue) == 0) {
			return &frame->streams[i];
		}
	}
	return NULL;
}

/* End the row; scattered memory may be in one piece once, and not again. */
static void
alloc_failed(struct frame *frame, int err, const char *text)
{
	if (err == -ENOSPC && frame->variant->heap != BUFALLOC_AUTO) {
		report_skip(&frame->test->report, err, "%s", text);
	} else {
		report_fail(&frame->test->report, err, "%s", text);
	}
}

/* One buffer full of data; false: the row has ended. */
static bool
make_buf(struct frame *frame, uint64_t length, uint64_t seed,
	 struct bufalloc_buf **buf)
{
	struct bufalloc_alloc_options options =
		selftest_alloc_options(frame->variant);
	struct bufalloc_verdict *verdict = NULL;
	int ret;

	options.uses = &frame->device->use;
	options.count = 1;
	ret = bufalloc_alloc_with(frame->test->ctx, length, &options, buf,
				  &verdict);
	if (ret == 0) {
		ret = selftest_write(*buf, seed);
	}
	if (ret < 0) {
		alloc_failed(frame, ret,
			     verdict == NULL ? bufalloc_strerror(ret) :
					       bufalloc_verdict_text(verdict));
	}
	bufalloc_verdict_destroy(verdict);
	return ret == 0;
}

/* A call on the device; false: it failed, and the row has ended. */
static bool
call(struct frame *frame, unsigned long request, void *arg, const char *name)
{
	int ret = selftest_v4l2_call(frame->device, request, arg);

	return ret == 0 || selftest_call_failed(frame->test, frame->device,
						name, ret);
}

static bool
queue_one(struct frame *frame, struct stream *stream, uint32_t index)
{
	struct v4l2_shot shot;
	uint32_t plane;

	selftest_v4l2_shot(stream->port, index, &shot);
	for (plane = 0; plane < stream->port->plane_count; plane++) {
		struct bufalloc_buf *buf = stream->bufs[index][plane];

		selftest_v4l2_plane(stream->port, &shot, plane,
				    bufalloc_buf_get_fd(buf),
				    bufalloc_buf_get_length(buf));
	}
	return call(frame, VIDIOC_QBUF, &shot.buffer, "VIDIOC_QBUF");
}

static bool
fill_stream(struct frame *frame, struct stream *stream)
{
	uint64_t seed = V4L2_TYPE_IS_OUTPUT(stream->port->type) ? OUTPUT_SEED :
								  CAPTURE_SEED;
	uint32_t i, plane;
	int ret;

	stream->count = ASK_COUNT;
	ret = selftest_v4l2_request(frame->device, stream->port,
				    &stream->count);
	if (ret < 0) {
		stream->count = 0;
		return selftest_call_failed(frame->test, frame->device,
					    "VIDIOC_REQBUFS", ret);
	}
	if (stream->count > MAX_COUNT) {
		stream->count = MAX_COUNT;
	}
	for (i = 0; i < stream->count; i++) {
		for (plane = 0; plane < stream->port->plane_count; plane++) {
			if (!make_buf(frame, stream->port->plane_lengths[plane],
				      seed, &stream->bufs[i][plane])) {
				return false;
			}
		}
		if (!queue_one(frame, stream, i)) {
			return false;
		}
	}
	return true;
}

/* false: the row has ended. What is not set up is no failure. */
static bool
start(struct frame *frame, struct stream *stream)
{
	int type = (int)stream->port->type;
	int ret = selftest_v4l2_call(frame->device, VIDIOC_STREAMON, &type);

	switch (-ret) {
	case 0:
		stream->is_on = true;
		return true;
	case EPIPE:
	case ENOLINK:
		return report_skip(
			&frame->test->report, ret,
			"VIDIOC_STREAMON: the pipeline in front of the device is not set up (media-ctl), or has no signal");
	default:
		return selftest_call_failed(frame->test, frame->device,
					    "VIDIOC_STREAMON", ret);
	}
}

/* Nothing came: because there is nothing to capture? Ends the row. */
static bool
no_frame(struct frame *frame)
{
	struct v4l2_input input = { 0 };
	int index = 0;

	frame->device->is_silent = true;
	if (selftest_v4l2_call(frame->device, VIDIOC_G_INPUT, &index) == 0) {
		input.index = (uint32_t)index;
		if (selftest_v4l2_call(frame->device, VIDIOC_ENUMINPUT,
				       &input) == 0 &&
		    (input.status & (V4L2_IN_ST_NO_POWER | V4L2_IN_ST_NO_SIGNAL |
				     V4L2_IN_ST_NO_H_LOCK |
				     V4L2_IN_ST_NO_SYNC)) != 0) {
			return report_skip(&frame->test->report, 0,
					   "the input has no signal");
		}
	}
	return report_fail(&frame->test->report, ETIMEDOUT,
			   "no picture came within 5 s");
}

/* Wait for a picture without an error; false: the row has ended. */
static bool
wait_for_frame(struct frame *frame, struct stream *stream,
	       struct v4l2_shot *shot)
{
	struct pollfd ready = { .fd = frame->device->use.fd, .events = POLLIN };
	uint64_t end = report_now() + TIMEOUT_NS, now;
	int ret;

	while ((now = report_now()) < end) {
		if (selftest_signal() != 0) {
			return report_skip(&frame->test->report, 0, "stopped");
		}
		if (poll(&ready, 1, (int)((end - now) / 1000000) + 1) <= 0) {
			continue;
		}
		selftest_v4l2_shot(stream->port, 0, shot);
		ret = selftest_v4l2_call(frame->device, VIDIOC_DQBUF,
					 &shot->buffer);
		if (ret == -EAGAIN && (ready.revents & POLLERR) != 0) {
			ret = -EIO;
		}
		if (ret == -EAGAIN) {
			continue;
		}
		if (ret < 0) {
			return selftest_call_failed(frame->test, frame->device,
						    "VIDIOC_DQBUF", ret);
		}
		if (shot->buffer.index >= stream->count) {
			return report_fail(&frame->test->report, EPROTO,
					   "the driver gives back buffer %u of "
					   "%u",
					   shot->buffer.index, stream->count);
		}
		if ((shot->buffer.flags & V4L2_BUF_FLAG_ERROR) == 0) {
			return true;
		}
		/* The first picture of a camera is often broken. */
		if (!queue_one(frame, stream, shot->buffer.index)) {
			return false;
		}
	}
	return no_frame(frame);
}

/* Pages that the device wrote of those that it says it did; 0 or -errno. */
static int
count_written(const struct stream *stream, const struct v4l2_shot *shot,
	      uint64_t *written, uint64_t *all)
{
	const struct v4l2_buffer *buffer = &shot->buffer;
	uint64_t page = (uint64_t)sysconf(_SC_PAGESIZE), length, used;
	uint32_t plane;
	void *data;
	int ret;

	for (plane = 0; plane < stream->port->plane_count; plane++) {
		struct bufalloc_buf *buf = stream->bufs[buffer->index][plane];

		used = selftest_v4l2_is_multi(stream->port) ?
			       shot->planes[plane].bytesused :
			       buffer->bytesused;
		length = bufalloc_buf_get_length(buf);
		used = used < length ? used : length;
		ret = bufalloc_buf_map(buf, BUFALLOC_READ, &data);
		if (ret < 0) {
			return ret;
		}
		*written += selftest_changed_pages(data, used, CAPTURE_SEED);
		*all += (used + page - 1) / page;
		ret = bufalloc_buf_unmap(buf);
		if (ret < 0) {
			return ret;
		}
	}
	return 0;
}

static void
look_at_frame(struct frame *frame, const struct stream *stream,
	      const struct v4l2_shot *shot)
{
	struct report *report = &frame->test->report;
	uint64_t written = 0, all = 0;
	int ret = count_written(stream, shot, &written, &all);

	if (ret < 0) {
		report_fail(report, ret,
			    "the CPU cannot read the picture: %s",
			    strerror(-ret));
	} else if (written == 0) {
		report_fail(report, 0,
			    "the device says that a picture came, but none of its %" PRIu64
			    " pages was written",
			    all);
	} else {
		report_pass(report,
			    "a picture came: %" PRIu64 " of %" PRIu64
			    " pages were written",
			    written, all);
	}
}

static void
run_frame(struct frame *frame)
{
	struct stream *capture = stream_of(frame, "capture");
	struct v4l2_shot shot = { 0 };
	size_t i;

	for (i = 0; i < frame->count; i++) {
		if (!fill_stream(frame, &frame->streams[i])) {
			return;
		}
	}
	for (i = 0; i < frame->count; i++) {
		if (!start(frame, &frame->streams[i])) {
			return;
		}
	}
	if (capture != NULL && wait_for_frame(frame, capture, &shot)) {
		look_at_frame(frame, capture, &shot);
	}
}

static void
end_frame(struct frame *frame)
{
	uint32_t i, plane;
	size_t s;
	int type;

	for (s = frame->count; s > 0; s--) {
		struct stream *stream = &frame->streams[s - 1];

		type = (int)stream->port->type;
		if (stream->is_on) {
			selftest_v4l2_call(frame->device, VIDIOC_STREAMOFF,
					   &type);
		}
		if (stream->count > 0) {
			selftest_v4l2_release(frame->device, stream->port);
		}
		for (i = 0; i < stream->count; i++) {
			for (plane = 0; plane < VIDEO_MAX_PLANES; plane++) {
				bufalloc_buf_destroy(stream->bufs[i][plane]);
			}
		}
	}
}

void
selftest_v4l2_frame(struct selftest *test, struct selftest_device *device,
		    const struct selftest_variant *variant)
{
	struct frame frame = { .test = test,
			       .device = device,
			       .variant = variant };
	bool is_codec = false;
	size_t i;

	for (i = 0; i < device->port_count; i++) {
		if (device->ports[i].err < 0) {
			return;
		}
		is_codec = is_codec || (device->kind == SELFTEST_MEM2MEM &&
					device->ports[i].is_compressed);
		frame.streams[i].port = &device->ports[i];
	}
	frame.count = device->port_count;
	if (frame.count == 0 || device->is_silent) {
		return;
	}
	report_begin(&test->report, device->node, "frame", NULL,
		     variant->name);
	if (is_codec) {
		report_skip(&test->report, 0,
			    "a codec needs a stream, which is not here");
		return;
	}
	run_frame(&frame);
	end_frame(&frame);
}
