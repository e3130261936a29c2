// SPDX-License-Identifier: MIT
/*
 * A camera's driver with bufalloc's memory operations for videobuf2: the sample,
 * whose pictures only its device's DMA writes, and of which every byte is known.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "edu.h"
#include "ktest.h"
#include "sample.h"
#include "user.h"

#define BUFFERS 3
#define FRAMES 5
#define XR24 V4L2_PIX_FMT_XBGR32
#define NV12 V4L2_PIX_FMT_NV12

/* The picture that was taken out last is in @data. */
static void
check_picture(const struct sample *camera, const struct v4l2_buffer *buffer,
	      const void *data)
{
	size_t wrong = sample_mismatch(camera, buffer->sequence, data);

	if (wrong != camera->size) {
		ktest_fail(__FILE__, __LINE__, "picture %u differs at byte %zu",
			   buffer->sequence, wrong);
	}
}

/* Pictures in these buffers, of which the CPU sees @data. */
static void
take_pictures(const struct sample *camera, enum v4l2_memory memory,
	      const uintptr_t *where, void *const *data)
{
	for (uint32_t i = 0; i < BUFFERS; i++) {
		sample_queue(camera, memory, i, where[i], camera->size);
	}
	sample_stream(camera, true);
	for (int i = 0; i < FRAMES; i++) {
		struct v4l2_buffer buffer = sample_dequeue(camera, memory);

		check_picture(camera, &buffer, data[buffer.index]);
		memset(data[buffer.index], 0x5a, camera->size);
		sample_queue(camera, memory, buffer.index, where[buffer.index],
			     camera->size);
	}
	sample_stream(camera, false);
}

static void
with_mmap(uint32_t fourcc)
{
	struct sample camera = sample_open(0, fourcc, 64, 32);
	uintptr_t where[BUFFERS] = { 0 };
	void *data[BUFFERS];
	size_t length;

	sample_request(&camera, V4L2_MEMORY_MMAP, BUFFERS);
	for (uint32_t i = 0; i < BUFFERS; i++) {
		data[i] = sample_map(&camera, i, &length);
		/* No byte of another owner, of all pages. */
		CHECK_EQ(length, camera.size);
		CHECK_EQ(first_nonzero(data[i], (length + PAGE - 1) / PAGE * PAGE),
			 (length + PAGE - 1) / PAGE * PAGE);
	}
	take_pictures(&camera, V4L2_MEMORY_MMAP, where, data);
	for (int i = 0; i < BUFFERS; i++) {
		munmap(data[i], camera.size);
	}
	close(camera.fd);
}

static void
mmap_xr24(void)
{
	with_mmap(XR24);
}

static void
mmap_nv12(void)
{
	with_mmap(NV12);
}

/* @shift bytes behind a page; what is around stays as it is. */
static void
with_userptr(size_t shift)
{
	struct sample camera = sample_open(0, XR24, 64, 32);
	size_t room = PAGE + camera.size + PAGE;
	uintptr_t where[BUFFERS];
	void *data[BUFFERS];

	for (int i = 0; i < BUFFERS; i++) {
		uint8_t *memory = user_anonymous(room, MAP_PRIVATE);

		memset(memory, 0xa5, room);
		data[i] = memory + shift;
		where[i] = (uintptr_t)data[i];
	}
	sample_request(&camera, V4L2_MEMORY_USERPTR, BUFFERS);
	take_pictures(&camera, V4L2_MEMORY_USERPTR, where, data);
	CHECK(user_pins() > 0);
	close(camera.fd);
	for (int i = 0; i < BUFFERS; i++) {
		const uint8_t *memory = (uint8_t *)data[i] - shift;

		for (size_t at = 0; at < room; at++) {
			if (at < shift || at >= shift + camera.size) {
				CHECK_EQ(memory[at], 0xa5);
			}
		}
		munmap((uint8_t *)data[i] - shift, room);
	}
}

static void
userptr_aligned(void)
{
	with_userptr(0);
}

/* Lines of the cache are shared with nobody where the device does not see them. */
static void
userptr_anywhere(void)
{
	struct sample camera = sample_open(0, XR24, 64, 32);
	int node = ba_open();
	bool coherent = edu_info(node, camera.fd).out_flags &
			BUFALLOC_DEVICE_COHERENT;

	close(node);
	close(camera.fd);
	with_userptr(coherent ? 16 : 128);
	with_userptr(coherent ? 4093 : 4096 - 128);
}

static void
userptr_refused(void)
{
	struct sample camera = sample_open(0, XR24, 64, 32);
	void *gone = user_anonymous(camera.size, MAP_PRIVATE);
	int file = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
	void *of_file = mmap(NULL, camera.size, PROT_READ, MAP_SHARED, file, 0);
	void *read_only = mmap(NULL, camera.size, PROT_READ,
			       MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	CHECK(of_file != MAP_FAILED && read_only != MAP_FAILED);
	munmap(gone, camera.size);
	sample_request(&camera, V4L2_MEMORY_USERPTR, 1);
	CHECK_ERRNO(EFAULT, sample_try_queue(&camera, V4L2_MEMORY_USERPTR, 0,
					     (uintptr_t)gone, camera.size));
	CHECK_ERRNO(EOPNOTSUPP,
		    sample_try_queue(&camera, V4L2_MEMORY_USERPTR, 0,
				     (uintptr_t)of_file, camera.size));
	CHECK_ERRNO(EACCES, sample_try_queue(&camera, V4L2_MEMORY_USERPTR, 0,
					     (uintptr_t)read_only, camera.size));
	CHECK_ERRNO(EINVAL, sample_try_queue(&camera, V4L2_MEMORY_USERPTR, 0,
					     UINTPTR_MAX - 100, camera.size));
	munmap(read_only, camera.size);
	munmap(of_file, camera.size);
	close(file);
	close(camera.fd);
}

/* Of /dev/bufalloc, allocated for the camera. */
static void
import_ours(void)
{
	/* It fits into a page. */
	struct sample camera = sample_open(0, NV12, 64, 32);
	int node = ba_open();
	uintptr_t where[BUFFERS];
	void *data[BUFFERS];

	sample_request(&camera, V4L2_MEMORY_DMABUF, BUFFERS);
	for (int i = 0; i < BUFFERS; i++) {
		struct ba_outcome outcome = ba_alloc_for(
			node, BUFALLOC_HEAP_AUTO, camera.size, &camera.fd, 1, 0);

		CHECK(outcome.fd >= 0);
		CHECK_EQ(outcome.devices[0].out_proof, BUFALLOC_PROOF_MAPPED);
		where[i] = (uintptr_t)outcome.fd;
		data[i] = ba_map(outcome.fd, PAGE);
	}
	take_pictures(&camera, V4L2_MEMORY_DMABUF, where, data);
	for (int i = 0; i < BUFFERS; i++) {
		munmap(data[i], PAGE);
		close((int)where[i]);
	}
	close(node);
	close(camera.fd);
}

/* One camera's buffers, exported and imported by another. */
static void
between_cameras(void)
{
	struct sample from = sample_open(1, XR24, 64, 32);
	struct sample to = sample_open(0, XR24, 64, 32);
	uintptr_t where[BUFFERS];
	void *data[BUFFERS];
	size_t length;

	sample_request(&from, V4L2_MEMORY_MMAP, BUFFERS);
	sample_request(&to, V4L2_MEMORY_DMABUF, BUFFERS);
	for (uint32_t i = 0; i < BUFFERS; i++) {
		where[i] = (uintptr_t)sample_export(&from, i);
		data[i] = sample_map(&from, i, &length);
	}
	take_pictures(&to, V4L2_MEMORY_DMABUF, where, data);
	for (int i = 0; i < BUFFERS; i++) {
		munmap(data[i], from.size);
		close((int)where[i]);
	}
	close(to.fd);
	close(from.fd);
}

static void
import_too_short(void)
{
	struct sample camera = sample_open(0, XR24, 64, 32);
	int node = ba_open();
	int fd = ba_alloc(node, BUFALLOC_HEAP_SYSTEM, PAGE);

	sample_request(&camera, V4L2_MEMORY_DMABUF, 1);
	CHECK_ERRNO(EINVAL, sample_try_queue(&camera, V4L2_MEMORY_DMABUF, 0,
					     (uintptr_t)fd, 0));
	CHECK_ERRNO(EFAULT, sample_try_queue(&camera, V4L2_MEMORY_DMABUF, 0,
					     (uintptr_t)fd, camera.size));
	close(fd);
	close(node);
	close(camera.fd);
}

/* From the camera's DMA to another device's, and nobody maps it for the CPU. */
static void
device_to_device(void)
{
	struct sample camera = sample_open(0, XR24, 64, 32);
	int node = ba_open(), reader = edu_open(2, EDU_ANY_SEGMENTS);
	uint8_t *seen = malloc(camera.size);
	unsigned int cpu_maps;
	int fds[BUFFERS];
	size_t length;
	void *data;

	CHECK(seen != NULL);
	sample_watch_cpu();
	sample_request(&camera, V4L2_MEMORY_MMAP, BUFFERS);
	for (uint32_t i = 0; i < BUFFERS; i++) {
		fds[i] = sample_export(&camera, i);
		sample_queue(&camera, V4L2_MEMORY_MMAP, i, 0, 0);
	}
	sample_stream(&camera, true);
	for (int i = 0; i < FRAMES; i++) {
		struct v4l2_buffer buffer =
			sample_dequeue(&camera, V4L2_MEMORY_MMAP);

		edu_import(reader, fds[buffer.index]);
		memset(seen, 0, camera.size);
		edu_read(reader, seen, 0, camera.size);
		edu_release(reader);
		check_picture(&camera, &buffer, seen);
		sample_queue(&camera, V4L2_MEMORY_MMAP, buffer.index, 0, 0);
	}
	sample_stream(&camera, false);
	cpu_maps = sample_cpu_maps();
	ktest_figure("camera_frame_cpu_maps", cpu_maps);
	CHECK_EQ(cpu_maps, 0);
	for (int i = 0; i < BUFFERS; i++) {
		struct bufalloc_buffer_info info = ba_buffer_info(node, fds[i]);

		CHECK_EQ(info.out_user_maps + info.out_kernel_maps_total +
			 info.out_cpu_accesses, 0);
	}

	/* The probes would have seen one. */
	sample_watch_cpu();
	data = sample_map(&camera, 0, &length);
	CHECK(sample_cpu_maps() > 0);
	munmap(data, length);
	for (int i = 0; i < BUFFERS; i++) {
		close(fds[i]);
	}
	free(seen);
	close(reader);
	close(node);
	close(camera.fd);
}

/* Two references at most that user space has, and the memory is there. */
static void
outlives_the_queue(void)
{
	struct sample camera = sample_open(0, XR24, 64, 32);
	int node = ba_open(), fd;
	struct v4l2_buffer query = { .type = V4L2_BUF_TYPE_VIDEO_CAPTURE,
				     .memory = V4L2_MEMORY_MMAP };
	struct v4l2_buffer buffer;
	void *data, *exported;
	size_t length;

	sample_request(&camera, V4L2_MEMORY_MMAP, 1);
	CHECK_EQ(ioctl(camera.fd, VIDIOC_QUERYBUF, &query), 0);
	CHECK_EQ(query.flags & V4L2_BUF_FLAG_MAPPED, 0);
	data = sample_map(&camera, 0, &length);
	CHECK_EQ(ioctl(camera.fd, VIDIOC_QUERYBUF, &query), 0);
	CHECK(query.flags & V4L2_BUF_FLAG_MAPPED);
	munmap(data, length);
	CHECK_EQ(ioctl(camera.fd, VIDIOC_QUERYBUF, &query), 0);
	CHECK_EQ(query.flags & V4L2_BUF_FLAG_MAPPED, 0);

	data = sample_map(&camera, 0, &length);
	fd = sample_export(&camera, 0);
	CHECK_EQ(ba_buffer_info(node, fd).out_mappings, 1);
	sample_queue(&camera, V4L2_MEMORY_MMAP, 0, 0, 0);
	sample_stream(&camera, true);
	buffer = sample_dequeue(&camera, V4L2_MEMORY_MMAP);
	sample_stream(&camera, false);
	sample_request(&camera, V4L2_MEMORY_MMAP, 0);
	/* The device has let go of it, and gets other memory. */
	CHECK_EQ(ba_buffer_info(node, fd).out_mappings, 0);
	sample_request(&camera, V4L2_MEMORY_MMAP, 1);
	close(camera.fd);

	check_picture(&camera, &buffer, data);
	exported = ba_map(fd, length);
	close(fd);
	CHECK_EQ(memcmp(data, exported, length), 0);
	munmap(data, length);
	check_picture(&camera, &buffer, exported);
	munmap(exported, length);
	close(node);
}

static void
set_control(const struct sample *camera, uint32_t id, int value)
{
	struct v4l2_control control = { .id = id, .value = value };

	CHECK_EQ(ioctl(camera->fd, VIDIOC_S_CTRL, &control), 0);
}

/* One picture with the controls as @camera says. */
static void
controlled_picture(const struct sample *camera, const void *data)
{
	struct v4l2_buffer buffer;

	set_control(camera, V4L2_CID_BRIGHTNESS, camera->brightness);
	set_control(camera, V4L2_CID_HFLIP, camera->hflip);
	sample_queue(camera, V4L2_MEMORY_MMAP, 0, 0, 0);
	sample_stream(camera, true);
	buffer = sample_dequeue(camera, V4L2_MEMORY_MMAP);
	sample_stream(camera, false);
	check_picture(camera, &buffer, data);
}

static void
controls(void)
{
	static const uint32_t fourccs[] = { XR24, NV12 };
	size_t length;
	void *data;

	for (int i = 0; i < 2; i++) {
		struct sample camera = sample_open(0, fourccs[i], 64, 32);

		sample_request(&camera, V4L2_MEMORY_MMAP, 1);
		data = sample_map(&camera, 0, &length);
		for (camera.brightness = -128; camera.brightness <= 127;
		     camera.brightness += 85) {
			camera.hflip = !camera.hflip;
			controlled_picture(&camera, data);
		}
		camera.brightness = 0;
		camera.hflip = false;
		controlled_picture(&camera, data);
		munmap(data, length);
		close(camera.fd);
	}
}

static void
subscribe(const struct sample *camera, uint32_t type, uint32_t id)
{
	struct v4l2_event_subscription subscription = { .type = type, .id = id };

	CHECK_EQ(ioctl(camera->fd, VIDIOC_SUBSCRIBE_EVENT, &subscription), 0);
}

static void
events(void)
{
	struct sample camera = sample_open(0, XR24, 64, 32), other;
	struct pollfd ready = { .fd = camera.fd, .events = POLLPRI };
	struct v4l2_event event;

	subscribe(&camera, V4L2_EVENT_CTRL, V4L2_CID_BRIGHTNESS);
	subscribe(&camera, V4L2_EVENT_FRAME_SYNC, 0);
	other = sample_open(0, XR24, 64, 32);
	set_control(&other, V4L2_CID_BRIGHTNESS, 11);
	CHECK_EQ(ioctl(camera.fd, VIDIOC_DQEVENT, &event), 0);
	CHECK_EQ(event.type, V4L2_EVENT_CTRL);
	CHECK_EQ(event.u.ctrl.value, 11);
	set_control(&other, V4L2_CID_BRIGHTNESS, 0);
	CHECK_EQ(ioctl(camera.fd, VIDIOC_DQEVENT, &event), 0);
	close(other.fd);

	sample_request(&camera, V4L2_MEMORY_MMAP, 1);
	sample_stream(&camera, true);
	/* Without a buffer as well: that picture is lost. */
	for (uint32_t i = 0; i < 3; i++) {
		CHECK_EQ(poll(&ready, 1, -1), 1);
		CHECK_EQ(ioctl(camera.fd, VIDIOC_DQEVENT, &event), 0);
		CHECK_EQ(event.type, V4L2_EVENT_FRAME_SYNC);
		CHECK_EQ(event.u.frame_sync.frame_sequence, i);
	}
	sample_queue(&camera, V4L2_MEMORY_MMAP, 0, 0, 0);
	/* The last event was before the driver looked for a buffer. */
	CHECK(sample_dequeue(&camera, V4L2_MEMORY_MMAP).sequence >= 2);
	close(camera.fd);
}

/* Time between two pictures in a row, in seconds. */
static double
seconds_between(const struct sample *camera)
{
	struct v4l2_buffer first, second;

	for (uint32_t i = 0; i < 2; i++) {
		sample_queue(camera, V4L2_MEMORY_MMAP, i, 0, 0);
	}
	sample_stream(camera, true);
	first = sample_dequeue(camera, V4L2_MEMORY_MMAP);
	second = sample_dequeue(camera, V4L2_MEMORY_MMAP);
	sample_stream(camera, false);
	CHECK_EQ(second.sequence, first.sequence + 1);
	return (double)(second.timestamp.tv_sec - first.timestamp.tv_sec) +
	       (double)(second.timestamp.tv_usec - first.timestamp.tv_usec) / 1e6;
}

static void
intervals(void)
{
	struct sample camera = sample_open(0, NV12, 64, 32);
	struct v4l2_frmivalenum limits = { .pixel_format = NV12, .width = 64,
					   .height = 32 };
	struct v4l2_streamparm parm = { .type = V4L2_BUF_TYPE_VIDEO_CAPTURE };
	struct v4l2_fract *frame = &parm.parm.capture.timeperframe;

	CHECK_EQ(ioctl(camera.fd, VIDIOC_ENUM_FRAMEINTERVALS, &limits), 0);
	CHECK_EQ(limits.type, V4L2_FRMIVAL_TYPE_STEPWISE);
	/* 3072 bytes are 2 pieces, of 2 transfers each. */
	CHECK_EQ(limits.stepwise.min.numerator, 5);
	CHECK_EQ(limits.stepwise.min.denominator, 10);
	for (uint32_t wanted = 1; wanted <= 21; wanted += 10) {
		uint32_t is = wanted < 5 ? 5 : wanted;
		double seconds;

		*frame = (struct v4l2_fract){ wanted, 10 };
		CHECK_EQ(ioctl(camera.fd, VIDIOC_S_PARM, &parm), 0);
		CHECK_EQ(frame->numerator * 10, is * frame->denominator);
		sample_request(&camera, V4L2_MEMORY_MMAP, 2);
		seconds = seconds_between(&camera);
		/* Timers of the kernel's are late by an eighth. */
		CHECK(seconds > is * 0.08 && seconds < is * 0.12);
		*frame = (struct v4l2_fract){ 1, 1 };
		CHECK_ERRNO(EBUSY, ioctl(camera.fd, VIDIOC_S_PARM, &parm));
		sample_request(&camera, V4L2_MEMORY_MMAP, 0);
	}
	close(camera.fd);
}

/* The resolver knows what the driver takes. */
static void
device_info(void)
{
	struct sample camera = sample_open(0, XR24, 64, 32);
	int node = ba_open();
	struct bufalloc_device_info info = edu_info(node, camera.fd);

	CHECK_EQ(info.out_found, BUFALLOC_FOUND_V4L2_QUEUE);
	CHECK_EQ(info.out_max_segments, BUFALLOC_ANY_SEGMENTS);
	CHECK_EQ(info.out_dma_mask, (1 << 28) - 1);
	CHECK_EQ(info.out_flags & (BUFALLOC_DEVICE_NEEDS_VMAP |
				   BUFALLOC_DEVICE_INFERRED), 0);
	close(node);
	close(camera.fd);
}

static const struct ktest_row rows[] = {
	{ "mmap-xr24-every-byte", mmap_xr24 },
	{ "mmap-nv12-every-byte", mmap_nv12 },
	{ "userptr-every-byte", userptr_aligned },
	{ "userptr-anywhere-in-a-page-and-nothing-around-it", userptr_anywhere },
	{ "userptr-refusals-each-its-errno", userptr_refused },
	{ "import-of-a-buffer-allocated-for-it", import_ours },
	{ "import-of-another-camera-s-buffers", between_cameras },
	{ "import-too-short-einval-efault", import_too_short },
	{ "from-device-to-device-without-the-cpu", device_to_device },
	{ "a-buffer-outlives-queue-and-file", outlives_the_queue },
	{ "controls-change-the-picture", controls },
	{ "events-of-controls-and-frames", events },
	{ "intervals-are-kept", intervals },
	{ "device-info", device_info },
};

int
main(void)
{
	return ktest_main(rows, sizeof(rows) / sizeof(rows[0]));
}
