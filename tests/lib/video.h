/* SPDX-License-Identifier: MIT */
/* The guest's camera (vivid) and display (vkms), for the library's tests. */
#ifndef VIDEO_H
#define VIDEO_H

#include <bufalloc/bufalloc.h>

#define VIDEO_WIDTH 1920
#define VIDEO_HEIGHT 1080
#define VIDEO_FOURCC BUFALLOC_FOURCC('X', 'R', '2', '4')

/** vivid's capture node, set to full HD; the row is skipped if there is none. */
int
video_camera(void);

/** The same with its other input, which has a few sizes and scales nothing. */
int
video_webcam(void);

/** vkms's card. */
int
video_display(void);

/** A request for full HD from the camera to the display; either may be -1. */
struct bufalloc_request *
video_request(int camera, int display);

/**
 * bufalloc_open() of these backends (NULL: all), bufalloc_alloc(), and a check
 * that the verdict agrees with what came out. The verdict's text is noted.
 * Returns bufalloc_alloc()'s; *verdict may be NULL.
 */
int
video_alloc(const char *backends, const struct bufalloc_request *req,
	    struct bufalloc_buf **buf, struct bufalloc_verdict **verdict);

/**
 * Stream frames of the camera into the buffer: set the layout's format, queue,
 * dequeue. The row fails if the camera does not take it.
 */
void
video_capture(int camera, const struct bufalloc_buf *buf, unsigned int frames);

/** The camera has a buffer queued and streams, until video_release(). */
void
video_hold(int camera, const struct bufalloc_buf *buf);
void
video_release(int camera);

/** Import the buffer into the display and make a framebuffer of it. */
void
video_show(int display, const struct bufalloc_buf *buf);

/** Bytes of the picture that are not 0, as the CPU reads it. */
size_t
video_bytes_written(struct bufalloc_buf *buf);

/** What the verdict says of one device: enum bufalloc_proof or more. */
uint32_t
video_proof(const struct bufalloc_verdict *verdict, size_t device);

/** The try of this backend and place; the row fails if there is none. */
const struct bufalloc_try *
video_try(const struct bufalloc_verdict *verdict, const char *backend,
	  const char *place);

#endif /* VIDEO_H */
