/* SPDX-License-Identifier: MIT */
/*
 * vivid as a camera that the test drives by V4L2's calls. The row fails if one of
 * them fails; camera_queue() says so instead.
 */
#ifndef CAMERA_H
#define CAMERA_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <linux/videodev2.h>

/*
 * Full HD, 32 bits a pixel, and a picture that is the same in every frame: no
 * text, nothing moves. Returns the bytes of a frame.
 */
size_t
camera_start(int camera);

/* REQBUFS, STREAMON or STREAMOFF. */
void
camera_request(int camera, enum v4l2_memory memory, uint32_t count);
void
camera_stream(int camera, bool on);

/*
 * QBUF of the buffer @index: the dma-buf @fd, or the camera's own if that is -1.
 * 0, or -1 and errno.
 */
int
camera_queue(int camera, uint32_t index, int fd, uint32_t length);

/* DQBUF of a frame without an error; its index. */
uint32_t
camera_dequeue(int camera, enum v4l2_memory memory);

#endif /* CAMERA_H */
