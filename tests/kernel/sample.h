/* SPDX-License-Identifier: MIT */
/*
 * The sample camera (kernel/samples/bufalloc-camera.c), whose pictures the tests
 * know byte by byte.
 */
#ifndef SAMPLE_H
#define SAMPLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <linux/videodev2.h>

/* What a camera is set to. */
struct sample {
	int fd;
	uint32_t fourcc, width, height;
	size_t size;
	int brightness;
	bool hflip;
};

/* V4L2 node of camera @index; -1 if there is none. */
int
sample_try_open(unsigned int index);

/* Camera @index in that format; the row fails if there is none. */
struct sample
sample_open(unsigned int index, uint32_t fourcc, uint32_t width,
	    uint32_t height);

/* REQBUFS; the row fails if that fails. */
void
sample_request(const struct sample *camera, enum v4l2_memory memory,
	       uint32_t count);

/* QUERYBUF of buffer @index, mapped into memory. */
void *
sample_map(const struct sample *camera, uint32_t index, size_t *length);

/* EXPBUF of buffer @index. */
int
sample_export(const struct sample *camera, uint32_t index);

/*
 * QBUF: @where is the dma-buf or the user pointer. -1 and errno, or 0.
 */
int
sample_try_queue(const struct sample *camera, enum v4l2_memory memory,
		 uint32_t index, uintptr_t where, size_t length);
void
sample_queue(const struct sample *camera, enum v4l2_memory memory,
	     uint32_t index, uintptr_t where, size_t length);

/* STREAMON or STREAMOFF. */
void
sample_stream(const struct sample *camera, bool on);

/* DQBUF of a frame without an error. */
struct v4l2_buffer
sample_dequeue(const struct sample *camera, enum v4l2_memory memory);

/* Of picture @number: the first byte of @data that is wrong, or camera->size. */
size_t
sample_mismatch(const struct sample *camera, uint32_t number, const void *data);

/*
 * From here on, the kernel's probes see what maps memory for the CPU or announces a
 * CPU access to a buffer; how often that was, and the lines are printed.
 */
void
sample_watch_cpu(void);
unsigned int
sample_cpu_maps(void);

/* PCI name of camera @index ("0000:00:04.0"). */
const char *
sample_pci_name(unsigned int index);

/* Unbind it from its driver, and bind it again; the row fails if that fails. */
void
sample_unbind(const char *pci_name);
void
sample_bind(const char *pci_name);

/* The devices that shall import its pictures from the next bind on; "": none. */
void
sample_set_peer(const char *pci_name);

#endif /* SAMPLE_H */
