// SPDX-License-Identifier: MIT
/*
 * The sample camera where devices do not see the processor's caches: which cache
 * work videobuf2's prepare and finish cause, by probes on the functions that do it.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "edu.h"
#include "ktest.h"
#include "sample.h"
#include "user.h"

#define XR24 V4L2_PIX_FMT_XBGR32

static void
add_size(const char *text, void *data)
{
	*(uint64_t *)data += trace_value(text, "size");
}

/* The bytes that a function was called for until this. */
static uint64_t
bytes_traced(void)
{
	uint64_t bytes = 0;

	trace_end(add_size, &bytes);
	return bytes;
}

static struct sample
open_camera(void)
{
	struct sample camera = sample_open(0, XR24, 64, 32);
	int node = ba_open();

	if (edu_info(node, camera.fd).out_flags & BUFALLOC_DEVICE_COHERENT) {
		close(node);
		close(camera.fd);
		ktest_skip("the device sees the processor's caches");
	}
	close(node);
	return camera;
}

/* One picture; its number. */
static uint32_t
take_picture(const struct sample *camera, enum v4l2_memory memory, void *data)
{
	uint32_t number;

	sample_queue(camera, memory, 0, (uintptr_t)data, camera->size);
	sample_stream(camera, true);
	number = sample_dequeue(camera, memory).sequence;
	sample_stream(camera, false);
	return number;
}

/* A queue's own memory is uncached: there is nothing to do. */
static void
own_memory(void)
{
	static const char *const functions[] = { "arch_sync_dma_for_device",
						 "arch_sync_dma_for_cpu" };
	struct sample camera = open_camera();
	int node = ba_open(), fd;
	uint32_t number;
	size_t length;
	void *data;

	sample_request(&camera, V4L2_MEMORY_MMAP, 1);
	fd = sample_export(&camera, 0);
	CHECK(ba_buffer_info(node, fd).out_attributes &
	      BUFALLOC_ATTRIBUTE_UNCACHED);
	data = sample_map(&camera, 0, &length);
	trace_begin_all(functions, 2, "size=$arg2:u64");
	number = take_picture(&camera, V4L2_MEMORY_MMAP, NULL);
	CHECK_EQ(bytes_traced(), 0);
	CHECK_EQ(sample_mismatch(&camera, number, data), camera.size);
	munmap(data, length);
	close(fd);
	close(node);
	close(camera.fd);
}

/* Of @function's calls for one picture in memory @shift bytes behind a page. */
static uint64_t
bytes_of_userptr(const char *function, size_t shift)
{
	struct sample camera = open_camera();
	size_t room = PAGE + camera.size;
	uint8_t *memory = user_anonymous(room, MAP_PRIVATE);
	uint32_t number;
	uint64_t bytes;

	memset(memory, 0xa5, room);
	sample_request(&camera, V4L2_MEMORY_USERPTR, 1);
	trace_begin(function, "size=$arg2:u64");
	number = take_picture(&camera, V4L2_MEMORY_USERPTR, memory + shift);
	bytes = bytes_traced();
	CHECK_EQ(sample_mismatch(&camera, number, memory + shift), camera.size);
	close(camera.fd);
	munmap(memory, room);
	return bytes;
}

/* The frame once, when the picture is there; and nothing of what is around it. */
static void
finish(void)
{
	const size_t frame = 64 * 32 * 4;

	CHECK_EQ(bytes_of_userptr("arch_sync_dma_for_cpu", 0), frame);
	CHECK_EQ(bytes_of_userptr("arch_sync_dma_for_cpu", 256), frame);
}

/* All pages when they are mapped, and the frame when it is queued. */
static void
prepare(void)
{
	const size_t frame = 64 * 32 * 4;

	CHECK_EQ(bytes_of_userptr("arch_sync_dma_for_device", 0), 2 * frame);
	CHECK_EQ(bytes_of_userptr("arch_sync_dma_for_device", 256),
		 frame + PAGE + frame);
}

/* Lines that are shared with other data would lose one of the two. */
static void
unaligned(void)
{
	struct sample camera = open_camera();
	uint8_t *memory = user_anonymous(camera.size + PAGE, MAP_PRIVATE);

	sample_request(&camera, V4L2_MEMORY_USERPTR, 1);
	CHECK_ERRNO(EINVAL, sample_try_queue(&camera, V4L2_MEMORY_USERPTR, 0,
					     (uintptr_t)memory + 16, camera.size));
	munmap(memory, camera.size + PAGE);
	close(camera.fd);
}

static const struct ktest_row rows[] = {
	{ "memory-of-its-own-is-uncached", own_memory },
	{ "finish-invalidates-the-frame-once", finish },
	{ "prepare-writes-the-frame-back", prepare },
	{ "userptr-within-a-line-einval", unaligned },
};

int
main(void)
{
	return ktest_main(rows, sizeof(rows) / sizeof(rows[0]));
}
