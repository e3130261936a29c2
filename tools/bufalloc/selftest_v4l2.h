/* SPDX-License-Identifier: MIT */
/* What selftest_v4l2.c and selftest_frame.c share. */
#ifndef SELFTEST_V4L2_H
#define SELFTEST_V4L2_H

#include "selftest.h"

/** A buffer with its planes, for VIDIOC_QBUF. Not copied: it points to itself. */
struct v4l2_shot {
	struct v4l2_buffer buffer;
	struct v4l2_plane planes[VIDEO_MAX_PLANES];
};

/** ioctl(2): 0 or -errno. */
int
selftest_v4l2_call(const struct selftest_device *device, unsigned long request,
		   void *arg);

bool
selftest_v4l2_is_multi(const struct selftest_port *port);

/** VIDIOC_REQBUFS; *count becomes what the driver made of it. */
int
selftest_v4l2_request(const struct selftest_device *device,
		      const struct selftest_port *port, uint32_t *count);

/** A buffer of that number without memory, and its memory, plane by plane. */
void
selftest_v4l2_shot(const struct selftest_port *port, uint32_t index,
		   struct v4l2_shot *shot);

void
selftest_v4l2_plane(const struct selftest_port *port, struct v4l2_shot *shot,
		    uint32_t plane, int fd, uint64_t length);

#endif /* SELFTEST_V4L2_H */
