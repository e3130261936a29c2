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

	bool one_segment;	/* takes scattered memory for nothing */
	bool self_managed;	/* and bufalloc.ko does not know */
	bool no_dmabuf;		/* V4L2_MEMORY_DMABUF is EINVAL */
	bool in_use;		/* somebody else has buffers */
	bool has_buffers;	/* the caller itself has */
	int prepare_errno;	/* of VIDIOC_PREPARE_BUF */
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
	/* those that a plane shows, if they are others; its file sees them all */
	uint32_t plane_formats[SIM_MAX_FORMATS];
	bool universal;
	int add_errno; /* of ADDFB2; 0: as it is */
	int show_errno; /* the same, of memory that was imported */
	int dumb_errno;
	bool one_segment; /* imports no scattered memory */
	bool dumb_is_contiguous;
	int import_errno;
};

/** One node in /dev/dma_heap. */
struct sim_heap {
	const char *name; /* NULL: there is none */
	bool is_contiguous;
	int open_errno;
	uint64_t left; /* bytes; 0: any */
	int alloc_errno;
};

#define SIM_MAX_HEAPS 32

/** What allocates; by default nothing does. */
struct sim_machine {
	bool has_module;
	int module_errno;	/* of opening its node, if it is not there; ENOENT */
	uint64_t contig_left;	/* bytes; 0: any */
	bool contig_limited;	/* EDQUOT */
	int module_alloc_errno; /* of each ALLOC */
	bool has_heaps;		/* the folder exists */
	struct sim_heap heaps[SIM_MAX_HEAPS];
	bool has_udmabuf;
	int udmabuf_open_errno;
	int udmabuf_errno;
	bool udmabuf_gives_zero; /* the caller's standard input was closed */
	int memfd_errno;
};

extern struct sim_machine sim_machine;

/** Does the file of a display see all its planes? */
bool
sim_is_universal(int fd);

/** The format that a V4L2 device is set to now. */
uint32_t
sim_pixelformat(int fd);

/** Is the dma-buf, or memory file, one range? */
bool
sim_is_contiguous(int fd);

/** The name that DMA_BUF_SET_NAME gave it; "" if none did. */
const char *
sim_dmabuf_name(int fd);

/** Accesses by the CPU to the dma-buf that have begun and not ended. */
unsigned int
sim_cpu_accesses(int fd);

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

/** Close all devices. */
void
sim_close_all(void);

/** Descriptors that the process has open. */
unsigned int
sim_count_fds(void);

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
