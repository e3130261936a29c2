/* SPDX-License-Identifier: MIT */
/* What the files of "bufalloc selftest" share. */
#ifndef SELFTEST_H
#define SELFTEST_H

#include <linux/videodev2.h>

#include "report.h"
#include "tool.h"

/** What a device is, as its own interface says. */
enum selftest_kind {
	SELFTEST_OTHER,
	SELFTEST_CAPTURE,
	SELFTEST_OUTPUT,
	SELFTEST_MEM2MEM,
	SELFTEST_DISPLAY,
	SELFTEST_RENDER,
};

/** A place where a device imports: a queue of V4L2, a file of DRM. */
struct selftest_port {
	/** "capture", "output"; NULL for DRM. */
	const char *queue;
	/** V4L2: type of the queue, its format, and the bytes of its planes. */
	uint32_t type;
	char format[64];
	uint32_t plane_count;
	uint32_t plane_lengths[VIDEO_MAX_PLANES];
	bool is_compressed;
	/** 0, or why it cannot be tried. */
	int err;
	/** DRM: the handle while it is imported. */
	uint32_t handle;
};

#define SELFTEST_MAX_PORTS 2

/** A device that is tested. */
struct selftest_device {
	/** As it is printed and opened. */
	char *node;
	/** Named by --device; and with what it does to the memory. */
	bool is_asked;
	bool has_access;
	/** Descriptor and access. -1: it could not be opened. */
	struct bufalloc_use use;
	int open_err;
	uint64_t open_ns;
	enum selftest_kind kind;
	/** The module that finds it, for tool_resolver_name(). -1: none does. */
	int resolver;
	/** What its driver calls it; may be empty. */
	char card[64];
	/** Of DEVICE_INFO. */
	int info_err;
	struct bufalloc_dev_info info;
	/** A buffer can be had for it. */
	bool is_usable;
	/** It was unplugged or unbound: nothing more can be tried. */
	bool is_gone;
	/** It gave no picture in time: it is not waited for again. */
	bool is_silent;
	size_t port_count;
	struct selftest_port ports[SELFTEST_MAX_PORTS];
};

/** A kind of buffer: a heap and attributes. */
struct selftest_variant {
	char name[32];
	enum bufalloc_heap heap;
	/** 0, or one of enum bufalloc_attr. */
	uint64_t attributes;
};

#define SELFTEST_MAX_VARIANTS 32

/** The command while it runs. */
struct selftest {
	const struct tool_options *options;
	struct report report;
	/** NULL: the module is not usable, for a reason. */
	struct bufalloc_ctx *ctx;
	int ctx_err;
	char problem[512];
	struct bufalloc_module_info info;
	/** Bytes of the buffers. */
	uint64_t length;
	struct selftest_device *devices;
	size_t device_count;
};

/** The signal that asked to stop, or 0. Checked between two steps. */
int
selftest_signal(void);

/* selftest_find.c */

/** Fill in and open the devices: the named ones, or all that there are. */
bool
selftest_find(struct selftest *test);

void
selftest_close_devices(struct selftest *test);

const char *
selftest_kind_name(enum selftest_kind kind);

/** What the driver calls the device, in letters that can be printed. */
void
selftest_set_card(struct selftest_device *device, const char *text,
		  size_t size);

/* selftest_system.c */

/** The machine, the module and the devices: as text, or members of an object. */
void
selftest_print_head(const struct selftest *test);

void
selftest_json_head(const struct selftest *test, struct json_object *object);

/* selftest_buffer.c: what is done with any buffer. */

/** The kinds of buffers that the module has; those of heap auto come first. */
size_t
selftest_variants(const struct selftest *test,
		  struct selftest_variant variants[SELFTEST_MAX_VARIANTS]);

/** What to ask for; without devices. */
struct bufalloc_alloc_options
selftest_alloc_options(const struct selftest_variant *variant);

/** May the CPU map such a buffer? */
bool
selftest_is_for_cpu(const struct selftest_variant *variant);

/** The data that a test writes; each seed gives other data. */
void
selftest_fill(void *data, uint64_t length, uint64_t seed);

/** The first byte that is not that data, or length. */
uint64_t
selftest_compare(const void *data, uint64_t length, uint64_t seed);

/** How many pages of the first length bytes are not that data. */
uint64_t
selftest_changed_pages(const void *data, uint64_t length, uint64_t seed);

/** Fill a buffer by the CPU; 0 or -errno. */
int
selftest_write(struct bufalloc_buf *buf, uint64_t seed);

/** Does it have that data? Sets *at as selftest_compare(); 0 or -errno. */
int
selftest_read(struct bufalloc_buf *buf, uint64_t seed, uint64_t *at);

/**
 * Write and read by the CPU, or be refused where the buffer is not for the CPU;
 * ends the row.
 */
bool
selftest_check_data(struct selftest *test,
		    const struct selftest_variant *variant,
		    struct bufalloc_buf *buf, uint64_t seed);

/** The row "pattern". */
bool
selftest_row_pattern(struct selftest *test, const char *where,
		     const struct selftest_variant *variant,
		     struct bufalloc_buf *buf);

/**
 * The row "alloc", for devices: on trial and in earnest. NULL: it failed or was
 * skipped. is_wanted: somebody said that there should be such a buffer.
 */
struct bufalloc_buf *
selftest_row_alloc(struct selftest *test, const char *where,
		   const struct selftest_variant *variant, uint64_t length,
		   const struct bufalloc_use *uses, size_t count,
		   bool is_wanted);

/* selftest_module.c */

void
selftest_module(struct selftest *test);

/** The row "left"; fds: how many there were before the devices. */
void
selftest_left(struct selftest *test, int fds);

/** How many file descriptors are open. */
int
selftest_count_fds(void);

/* selftest_device.c */

/** The rows of one device. */
void
selftest_device(struct selftest *test, struct selftest_device *device);

/** Bytes that a buffer for all of its ports has. */
uint64_t
selftest_length_for(const struct selftest *test,
		    const struct selftest_device *device);

/**
 * End the row because this device cannot be tested: a failure if it was named,
 * else a skip.
 */
bool
selftest_refuse(struct selftest *test, const struct selftest_device *device,
		int err, const char *text);

/* selftest_all.c */

/** The rows of all usable devices together. */
void
selftest_all(struct selftest *test);

/* selftest_import.c */

/** Import a buffer; 0, or -errno and the call that failed. */
int
selftest_import(struct selftest_device *device, struct selftest_port *port,
		struct bufalloc_buf *buf, const char **call);

/** Let go of it; -ENODEV: the device is gone, and its node was closed. */
int
selftest_release(struct selftest_device *device, struct selftest_port *port);

/**
 * End the row because a call on the device failed: a skip if others use the
 * device, else a failure. call: "VIDIOC_QBUF".
 */
bool
selftest_call_failed(struct selftest *test, struct selftest_device *device,
		     const char *call, int err);

/** How importers hold a buffer now: "attachments 1, ...". */
struct selftest_holds {
	char text[96];
};

struct selftest_holds
selftest_holds_of(struct selftest *test, struct bufalloc_buf *buf);

/** The row "while-imported". */
bool
selftest_row_imported(struct selftest *test, const char *where,
		      const char *queue,
		      const struct selftest_variant *variant,
		      struct bufalloc_buf *buf);

/**
 * End the row "released": nobody holds the buffer any more, and it has the data
 * of "while-imported". err: of selftest_release().
 */
void
selftest_end_released(struct selftest *test,
		      const struct selftest_variant *variant,
		      struct bufalloc_buf *buf, int err);

/* selftest_v4l2.c, selftest_drm.c */

/** Find out what it is, its card and its ports. */
void
selftest_v4l2_look(struct selftest_device *device);

void
selftest_drm_look(struct selftest_device *device);

/** As selftest_import() and selftest_release(). */
int
selftest_v4l2_import(struct selftest_device *device, struct selftest_port *port,
		     int fd, uint64_t length, const char **call);

int
selftest_drm_import(struct selftest_device *device, struct selftest_port *port,
		    int fd, const char **call);

int
selftest_v4l2_release(struct selftest_device *device,
		      struct selftest_port *port);

int
selftest_drm_release(struct selftest_device *device,
		     struct selftest_port *port);

/** The row "frame"; for a capture device, or one that converts. */
void
selftest_v4l2_frame(struct selftest *test, struct selftest_device *device,
		    const struct selftest_variant *variant);

/** The row "framebuffer", while it is imported; of a display. */
void
selftest_drm_framebuffer(struct selftest *test, struct selftest_device *device,
			 const struct selftest_port *port,
			 const struct selftest_variant *variant);

#endif /* SELFTEST_H */
