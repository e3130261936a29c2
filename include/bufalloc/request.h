/* SPDX-License-Identifier: MIT */
/*
 * What a buffer is wanted for, and where its picture is in it.
 *
 * Include <bufalloc/bufalloc.h>, which has the conventions and includes this.
 */
#ifndef BUFALLOC_REQUEST_H
#define BUFALLOC_REQUEST_H

#include <bufalloc/types.h>

#ifdef __cplusplus
extern "C" {
#endif

/** A description of the buffers that are wanted. */
struct bufalloc_request;

/**
 * The number of a format whose four letters are known: ('N', 'V', '1', '2').
 * Equal to fourcc_code() of <drm_fourcc.h> and v4l2_fourcc() of
 * <linux/videodev2.h>.
 */
#define BUFALLOC_FOURCC(a, b, c, d)                                          \
	((uint32_t)(a) | ((uint32_t)(b) << 8) | ((uint32_t)(c) << 16) |      \
	 ((uint32_t)(d) << 24))

/** Planes that a format has at most, and dma-bufs of a buffer. */
#define BUFALLOC_MAX_PLANES 4

/** Where one plane of a picture is. */
struct bufalloc_plane {
	/** Index of the dma-buf that it is in. */
	uint32_t memory;
	/**
	 * Bytes from one line to the next ("pitch", "bytesperline"); 0 for a
	 * format of compressed data.
	 */
	uint32_t stride;
	/** Bytes from the beginning of the dma-buf to the first line. */
	uint64_t offset;
	/** Bytes that it takes: stride times lines, padding included. */
	uint64_t length;
	/** Lines, padding included; 0 for a format of compressed data. */
	uint32_t lines;
	/** 0. */
	uint32_t reserved;
};

/**
 * Where a picture is in a buffer. The library makes these; the structure grows
 * at its end.
 */
struct bufalloc_layout {
	/** The format as DRM numbers it; 0 if DRM has none. */
	uint32_t fourcc;
	/**
	 * The format as V4L2 numbers it, for VIDIOC_S_FMT; 0 if V4L2 has none
	 * of that many dma-bufs: NV12 in one, NM12 in two, P010 only in one.
	 */
	uint32_t pixelformat;
	/** Size of the picture in pixels, without padding. */
	uint32_t width;
	uint32_t height;
	/** For drmModeAddFB2WithModifiers(): always DRM_FORMAT_MOD_LINEAR. */
	uint64_t modifier;
	/** Planes of the format. */
	uint32_t plane_count;
	/** dma-bufs of the buffer: 1, or plane_count. */
	uint32_t memory_count;
	struct bufalloc_plane planes[BUFALLOC_MAX_PLANES];
	/**
	 * Bytes of each dma-buf that the picture and what devices want behind
	 * it take ("sizeimage"). The dma-buf has whole pages of it.
	 */
	uint64_t lengths[BUFALLOC_MAX_PLANES];
};

/** In how many dma-bufs the planes of a picture are. */
enum bufalloc_memories {
	/** One, unless a device takes the format only in several. */
	BUFALLOC_MEMORIES_AUTO = 0,
	/** One. */
	BUFALLOC_MEMORIES_ONE = 1,
	/** One for each plane (V4L2's "non-contiguous" formats: NM12, ...). */
	BUFALLOC_MEMORIES_PER_PLANE = 2,
};

/**
 * Make an empty request.
 *
 * req: receives it; destroy it with bufalloc_request_destroy().
 *
 * Returns 0, or -ENOMEM.
 */
int
bufalloc_request_new(struct bufalloc_request **req);

/**
 * Free a request. It belongs to no context, and buffers do not need it.
 *
 * req: may be NULL.
 */
void
bufalloc_request_destroy(struct bufalloc_request *req);

/**
 * Set what is in the buffer.
 *
 * fourcc: as <drm_fourcc.h> numbers formats (DRM_FORMAT_NV12,
 *         BUFALLOC_FOURCC('N', 'V', '1', '2')); also as <linux/videodev2.h>
 *         does where DRM has no format of that number ('G', 'R', 'E', 'Y').
 *         The two agree on nearly all numbers that both have, with one
 *         exception: 'R', 'G', '1', '6' means DRM_FORMAT_RGB565 here; for
 *         V4L2's see bufalloc_request_set_pixelformat().
 * width, height: size of the picture in pixels, more than 0.
 *
 * Returns 0, or
 * -EINVAL  width or height is 0
 * -EOPNOTSUPP  the library does not know this format
 * -EOVERFLOW  the picture is larger than 64 bits can say, or a line than 32
 */
int
bufalloc_request_set_format(struct bufalloc_request *req, uint32_t fourcc,
			    uint32_t width, uint32_t height);

/**
 * The same for a program that has V4L2's number (V4L2_PIX_FMT_SRGGB16).
 * V4L2_PIX_FMT_NV12M and the like also ask for BUFALLOC_MEMORIES_PER_PLANE.
 *
 * Returns 0, or as bufalloc_request_set_format().
 */
int
bufalloc_request_set_pixelformat(struct bufalloc_request *req,
				 uint32_t pixelformat, uint32_t width,
				 uint32_t height);

/**
 * Ask for at least so many bytes (of the first dma-buf): the whole request
 * where there is no format, the room for one picture where the format is
 * compressed (MJPG, H264), and room behind the last plane for all others.
 *
 * Returns 0, or -EINVAL (length is 0).
 */
int
bufalloc_request_set_length(struct bufalloc_request *req, uint64_t length);

/**
 * Ask for one dma-buf or several; without this it is BUFALLOC_MEMORIES_AUTO.
 *
 * Returns 0, or -EINVAL (none of enum bufalloc_memories).
 */
int
bufalloc_request_set_memories(struct bufalloc_request *req,
			      enum bufalloc_memories memories);

/**
 * Ask for more alignment than the devices do.
 *
 * stride: bytes of which each plane's stride is a multiple.
 * offset: bytes of which each plane's offset is a multiple. V4L2's
 *         single-planar formats have no room between planes: a device that
 *         uses one refuses what is not there by the lines alone.
 * lines: lines of which the number in plane 0 is a multiple (16 for codecs that
 *        work in macroblocks).
 *
 * Each is a power of two, or 0 for 1.
 *
 * Returns 0, -EINVAL (not a power of two, or more than 65536), or -EOVERFLOW as
 * bufalloc_request_set_format().
 */
int
bufalloc_request_set_alignment(struct bufalloc_request *req, uint32_t stride,
			       uint32_t offset, uint32_t lines);

/**
 * Add a device that must be able to use the buffer.
 *
 * fd: an open node of it (/dev/video0, /dev/dri/card0). It is not duplicated:
 *     it stays the caller's, who keeps it open as long as the request is used.
 * access: BUFALLOC_WRITE for a camera, BUFALLOC_READ for a display. On a
 *         mem2mem node READ means its output queue, WRITE its capture queue.
 *
 * Returns 0, or
 * -EBADF  fd is negative
 * -EINVAL  access has no bit, or one that is unknown
 * -E2BIG  there are 16 devices already
 */
int
bufalloc_request_add_device(struct bufalloc_request *req, int fd,
			    enum bufalloc_access access);

/**
 * Name the buffers, for people who debug: /sys/kernel/debug/dma_buf/bufinfo and
 * fdinfo show the first 31 bytes.
 *
 * name: copied; NULL for "bufalloc".
 */
void
bufalloc_request_set_name(struct bufalloc_request *req, const char *name);

/**
 * Ask for one heap of bufalloc.ko: other heaps and other backends are then not
 * tried. BUFALLOC_AUTO takes it back.
 *
 * Returns 0, or -EINVAL (no heap is called so, or nothing is allocated from it:
 * BUFALLOC_USER).
 */
int
bufalloc_request_set_heap(struct bufalloc_request *req,
			  enum bufalloc_heap heap);

/**
 * Ask for attributes of the buffers, which only bufalloc.ko can honour.
 *
 * attributes: enum bufalloc_attr bits. What cannot be honoured is left out, and
 *             bufalloc_verdict_get_attributes() tells.
 * required: those of them without which the buffer is not wanted.
 *
 * Returns 0, or -EINVAL (an attribute is unknown, or one is required and not in
 * attributes).
 */
int
bufalloc_request_set_attributes(struct bufalloc_request *req,
				uint64_t attributes, uint64_t required);

/** Options of a request; bits. */
enum bufalloc_request_flags {
	/** Do all of it, make the verdict, and free the buffer again. */
	BUFALLOC_REQUEST_DRY_RUN = 1,
	/**
	 * Do not try the buffer on the devices. What is known is then only what
	 * bufalloc.ko knows; without it contiguous memory is taken before
	 * scattered.
	 */
	BUFALLOC_REQUEST_NO_TRIAL = 2,
};

/**
 * Set options: all of them, each time.
 *
 * Returns 0, or -EINVAL (an unknown one).
 */
int
bufalloc_request_set_flags(struct bufalloc_request *req, unsigned int flags);

/**
 * The smallest layout that the request allows, before devices were asked. What
 * a buffer has is bufalloc_buf_get_layout().
 *
 * layout: receives it. It belongs to the request and is valid until the
 *         request is changed or destroyed.
 *
 * Returns 0, or
 * -EINVAL  neither format nor length is set, or the format is compressed and
 *          no length is
 * -EOVERFLOW  as bufalloc_request_set_format()
 */
int
bufalloc_request_get_layout(struct bufalloc_request *req,
			    const struct bufalloc_layout **layout);

/**
 * Ask the devices: the smallest layout that the format, the request's alignment
 * and every device allow. V4L2 devices are asked by VIDIOC_TRY_FMT, displays by
 * a trial DRM_IOCTL_MODE_ADDFB2; nothing of them is changed. bufalloc_alloc()
 * does the same first.
 *
 * What a V4L2 device takes may depend on its state: on the input and its
 * timings, on crop and compose rectangles. Set that before.
 *
 * layout: receives it, as bufalloc_request_get_layout().
 * verdict: NULL, or receives the verdict of success and of failure alike;
 *          destroy it with bufalloc_verdict_destroy(). It is always written:
 *          with NULL if there was not enough memory for one.
 *
 * Returns 0, or
 * -EINVAL  neither format nor length is set; or the format is compressed, no
 *          length is set and no device has one
 * -EOPNOTSUPP  a device does not take this format or this size
 * -ENOSPC  what one device needs excludes what another one does
 * -EOVERFLOW  as bufalloc_request_set_format()
 * -ENOMEM  not enough memory for the verdict
 * and others that an ioctl of a device returned (-ENODEV: it is gone)
 */
int
bufalloc_request_negotiate(struct bufalloc_request *req,
			   const struct bufalloc_layout **layout,
			   struct bufalloc_verdict **verdict);

#ifdef __cplusplus
}
#endif

#endif /* BUFALLOC_REQUEST_H */
