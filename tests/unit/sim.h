/* SPDX-License-Identifier: MIT */
/*
 * A stand-in for a machine with cameras and displays: where mock.h plays back
 * what a test wrote down, this one behaves like devices do, so that a test says
 * what a device is and looks at what the library makes of it. It proves nothing
 * about real drivers: the tests in guests do that.
 *
 * The library's objects are linked with --wrap for the system calls that it
 * makes. File descriptors are real ones (of memory files), so that a leak is a
 * leak; each call and each piece of memory can be made to fail.
 */
#ifndef SIM_H
#define SIM_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <bufalloc/bufalloc.h>
#include <errno.h>
#include <stdbool.h>

#define LEN(array) (sizeof(array) / sizeof((array)[0]))

/** Formats that a device lists, ended by 0. */
#define SIM_MAX_FORMATS 8

/** A V4L2 device: a camera unless caps say something else. */
struct sim_v4l2 {
	const char *name;	/* NULL: "video0" */
	const char *driver;	/* NULL: "simcam" */
	uint32_t caps;		/* 0: V4L2_CAP_VIDEO_CAPTURE */
	uint32_t formats[SIM_MAX_FORMATS];
	uint32_t out_formats[SIM_MAX_FORMATS]; /* of the output queue, if others */
	uint32_t width, height; /* the only size; 0: any */
	uint32_t stride_align;	/* 0: 1 */
	uint32_t fixed_stride;	/* the only one; 0: any that is long enough */
	uint32_t line_align;	/* 0: 1; of a mem2mem device */
	uint32_t extra;		/* bytes behind the picture */
	uint32_t greed;		/* bytes that each answer has more a line */
	int try_errno;		/* of VIDIOC_TRY_FMT */
	int einval_for_unknown; /* instead of the nearest format */
};

/** A DRM device: a display unless it has no modes. */
struct sim_drm {
	const char *name;   /* NULL: "card0" */
	const char *driver; /* NULL: "simkms" */
	uint32_t formats[SIM_MAX_FORMATS];
	uint32_t stride_align; /* 0: 1 */
	uint32_t max_width;    /* 0: any */
	bool no_modes;
	bool no_dumb;
	bool no_import;
	bool modifiers;
	int add_errno; /* of ADDFB2; 0: as it is */
	int dumb_errno;
};

int
sim_setup(void **state);

/** Fails if a descriptor, a mapping, a handle or a framebuffer is left. */
int
sim_teardown(void **state);

/** Open devices; they are closed by sim_close(), or when the test ends. */
int
sim_open_v4l2(const struct sim_v4l2 *device);
int
sim_open_drm(const struct sim_drm *device);
/** A file that is no device. */
int
sim_open_file(void);
void
sim_close(int fd);

/**
 * Forget handles and framebuffers: they are left where the call that would
 * remove them was made to fail.
 */
void
sim_forget_objects(void);

/** Calls of this request that were made so far, on any file. */
unsigned int
sim_calls_of(unsigned long request);

/**
 * The nth system call from now on fails with this errno (1: the next), and with
 * for_ever each one after it. 0: none does. ioctls alone with only_ioctls.
 */
void
sim_fail_call(unsigned int nth, int err, bool for_ever, bool only_ioctls);

/** The same for memory. */
void
sim_fail_memory(unsigned int nth, bool for_ever);

/** Has what was to fail failed? */
bool
sim_has_failed(void);

#endif /* SIM_H */
