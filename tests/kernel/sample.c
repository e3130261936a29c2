// SPDX-License-Identifier: MIT
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "ktest.h"
#include "pci.h"
#include "sample.h"

#define DRIVER "bufalloc_camera"
#define NODES 64

/* The number of the video node of camera @index, or -1. */
static int
find_node(unsigned int index)
{
	for (int i = 0; i < NODES; i++) {
		char path[64], name[32] = "";
		FILE *file;

		snprintf(path, sizeof(path), "/sys/class/video4linux/video%d/name",
			 i);
		file = fopen(path, "re");
		if (file == NULL) {
			continue;
		}
		if (fgets(name, sizeof(name), file) == NULL) {
			name[0] = '\0';
		}
		fclose(file);
		if (strcmp(name, DRIVER "\n") == 0 && index-- == 0) {
			return i;
		}
	}
	return -1;
}

int
sample_try_open(unsigned int index)
{
	int node = find_node(index);
	char path[64];

	snprintf(path, sizeof(path), "/dev/video%d", node);
	return node < 0 ? -1 : open(path, O_RDWR | O_CLOEXEC);
}

struct sample
sample_open(unsigned int index, uint32_t fourcc, uint32_t width, uint32_t height)
{
	struct v4l2_format format = {
		.type = V4L2_BUF_TYPE_VIDEO_CAPTURE,
		.fmt.pix = {
			.width = width,
			.height = height,
			.pixelformat = fourcc,
		},
	};
	struct sample camera = { .fourcc = fourcc, .width = width,
				 .height = height };

	camera.fd = sample_try_open(index);
	CHECK(camera.fd >= 0);
	CHECK_EQ(ioctl(camera.fd, VIDIOC_S_FMT, &format), 0);
	CHECK_EQ(format.fmt.pix.pixelformat, fourcc);
	CHECK_EQ(format.fmt.pix.width, width);
	CHECK_EQ(format.fmt.pix.height, height);
	camera.size = (size_t)width * height *
		      (fourcc == V4L2_PIX_FMT_NV12 ? 3 : 8) / 2;
	CHECK_EQ(format.fmt.pix.sizeimage, camera.size);
	return camera;
}

void
sample_request(const struct sample *camera, enum v4l2_memory memory,
	       uint32_t count)
{
	struct v4l2_requestbuffers request = {
		.count = count,
		.type = V4L2_BUF_TYPE_VIDEO_CAPTURE,
		.memory = memory,
	};

	CHECK_EQ(ioctl(camera->fd, VIDIOC_REQBUFS, &request), 0);
	CHECK_EQ(request.count, count);
}

void *
sample_map(const struct sample *camera, uint32_t index, size_t *length)
{
	struct v4l2_buffer buffer = {
		.index = index,
		.type = V4L2_BUF_TYPE_VIDEO_CAPTURE,
		.memory = V4L2_MEMORY_MMAP,
	};
	void *data;

	CHECK_EQ(ioctl(camera->fd, VIDIOC_QUERYBUF, &buffer), 0);
	*length = buffer.length;
	data = mmap(NULL, buffer.length, PROT_READ | PROT_WRITE, MAP_SHARED,
		    camera->fd, buffer.m.offset);
	CHECK(data != MAP_FAILED);
	return data;
}

int
sample_export(const struct sample *camera, uint32_t index)
{
	struct v4l2_exportbuffer export = {
		.type = V4L2_BUF_TYPE_VIDEO_CAPTURE,
		.index = index,
		.flags = O_RDWR | O_CLOEXEC,
	};

	CHECK_EQ(ioctl(camera->fd, VIDIOC_EXPBUF, &export), 0);
	return export.fd;
}

int
sample_try_queue(const struct sample *camera, enum v4l2_memory memory,
		 uint32_t index, uintptr_t where, size_t length)
{
	struct v4l2_buffer buffer = {
		.index = index,
		.type = V4L2_BUF_TYPE_VIDEO_CAPTURE,
		.memory = memory,
		.length = (uint32_t)length,
	};

	if (memory == V4L2_MEMORY_USERPTR) {
		buffer.m.userptr = where;
	} else if (memory == V4L2_MEMORY_DMABUF) {
		buffer.m.fd = (int)where;
	}
	return ioctl(camera->fd, VIDIOC_QBUF, &buffer);
}

void
sample_queue(const struct sample *camera, enum v4l2_memory memory,
	     uint32_t index, uintptr_t where, size_t length)
{
	CHECK_EQ(sample_try_queue(camera, memory, index, where, length), 0);
}

void
sample_stream(const struct sample *camera, bool on)
{
	int type = V4L2_BUF_TYPE_VIDEO_CAPTURE;

	CHECK_EQ(ioctl(camera->fd, on ? VIDIOC_STREAMON : VIDIOC_STREAMOFF,
		       &type), 0);
}

struct v4l2_buffer
sample_dequeue(const struct sample *camera, enum v4l2_memory memory)
{
	struct v4l2_buffer buffer = {
		.type = V4L2_BUF_TYPE_VIDEO_CAPTURE,
		.memory = memory,
	};

	CHECK_EQ(ioctl(camera->fd, VIDIOC_DQBUF, &buffer), 0);
	CHECK_EQ(buffer.flags & V4L2_BUF_FLAG_ERROR, 0);
	CHECK_EQ(buffer.bytesused, camera->size);
	return buffer;
}

static uint8_t
clamped(int value)
{
	return (uint8_t)(value < 0 ? 0 : value > 255 ? 255 : value);
}

/*
 * Bars of 8 pixels that lean by a pixel a line and wander by a pixel a picture,
 * in 75 % colours: what the driver says, written down once more.
 */
static uint8_t
expected_byte(const struct sample *camera, uint32_t number, uint32_t x,
	      uint32_t y, uint32_t component)
{
	/* In the order of the bars; each is 0 or 191. */
	static const uint8_t green[] = { 191, 191, 191, 191, 0, 0, 0, 0 };
	static const uint8_t red[] = { 191, 191, 0, 0, 191, 191, 0, 0 };
	static const uint8_t blue[] = { 191, 0, 191, 0, 191, 0, 191, 0 };
	static const uint8_t luma[] = { 180, 162, 131, 112, 84, 65, 35, 16 };
	static const uint8_t cb[] = { 128, 44, 156, 72, 184, 100, 212, 128 };
	static const uint8_t cr[] = { 128, 142, 44, 58, 198, 212, 114, 128 };
	static const uint8_t *const nv12[] = { luma, cb, cr };
	static const uint8_t *const bgr[] = { blue, green, red };
	uint32_t bar;

	if (camera->hflip) {
		x = camera->width - 1 - x;
	}
	bar = (x + y + number) / 8 % 8;
	if (camera->fourcc == V4L2_PIX_FMT_NV12) {
		return component > 0 ? nv12[component][bar] :
				       clamped(luma[bar] + camera->brightness);
	}
	return component == 3 ? 255 :
				clamped(bgr[component][bar] + camera->brightness);
}

size_t
sample_mismatch(const struct sample *camera, uint32_t number, const void *data)
{
	const uint8_t *at = data;
	bool is_nv12 = camera->fourcc == V4L2_PIX_FMT_NV12;
	uint32_t components = is_nv12 ? 1 : 4;

	for (uint32_t y = 0; y < camera->height; y++) {
		for (uint32_t x = 0; x < camera->width; x++) {
			for (uint32_t c = 0; c < components; c++) {
				if (*at++ != expected_byte(camera, number, x, y, c)) {
					return (size_t)(at - 1 - (const uint8_t *)data);
				}
			}
		}
	}
	for (uint32_t y = 0; is_nv12 && y < camera->height; y += 2) {
		for (uint32_t x = 0; x < camera->width; x++) {
			if (*at++ != expected_byte(camera, number, x & ~1U, y,
						   1 + x % 2)) {
				return (size_t)(at - 1 - (const uint8_t *)data);
			}
		}
	}
	return camera->size;
}

void
sample_watch_cpu(void)
{
	static const char *const functions[] = {
		"remap_pfn_range", "dma_buf_vmap", "vmap",
		"dma_buf_begin_cpu_access", "vb2_plane_vaddr",
	};

	trace_begin_all(functions, sizeof(functions) / sizeof(functions[0]), "");
}

static void
print_line(const char *text, void *data)
{
	(void)data;
	ktest_note("%.*s", (int)strcspn(text, "\n"), text);
}

unsigned int
sample_cpu_maps(void)
{
	return trace_end(print_line, NULL);
}

const char *
sample_pci_name(unsigned int index)
{
	static char name[PATH_MAX];
	const char *end;
	char path[64];

	snprintf(path, sizeof(path), "/sys/class/video4linux/video%d/device",
		 find_node(index));
	end = pci_name(path, name);
	CHECK(end != NULL);
	return end;
}

void
sample_unbind(const char *pci_name)
{
	pci_tell_driver(DRIVER, "unbind", pci_name);
}

void
sample_bind(const char *pci_name)
{
	pci_tell_driver(DRIVER, "bind", pci_name);
}

void
sample_set_peer(const char *pci_name)
{
	/* write() of nothing is none. */
	CHECK(ktest_put("/sys/module/" DRIVER "/parameters/peer",
			*pci_name != '\0' ? pci_name : "\n", 0));
}
