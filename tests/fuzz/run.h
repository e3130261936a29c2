/* SPDX-License-Identifier: MIT */
/*
 * One run of a program: what its calls made.
 */
#ifndef FUZZ_RUN_H
#define FUZZ_RUN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "program.h"

#define PAGE 4096u

/**
 * enum device - what device() opens
 * @DEVICE_NODE: /dev/bufalloc, which imports nothing
 * @DEVICE_VGEM: a DRM device that maps for DMA
 * @DEVICE_VKMS: one that maps for the CPU
 * @DEVICE_DISPLAY: the sample display on an edu
 * @DEVICE_GEM: the tests' GEM devices without hardware: any number of segments, or one
 * @DEVICE_VIVID: a camera that maps for the CPU
 * @DEVICE_VIVID_OUTPUT: the same that reads
 * @DEVICE_VIM2M: a converter
 * @DEVICE_CAMERA: the sample camera on an edu
 * @DEVICE_EDU: devices that do DMA, in the IOMMU and outside
 * @DEVICE_IMPORTER: stand-ins that do DMA without an IOMMU
 */
enum device {
	DEVICE_NODE,
	DEVICE_VGEM,
	DEVICE_VKMS,
	DEVICE_DISPLAY,
	DEVICE_GEM,
	DEVICE_GEM_ONE,
	DEVICE_VIVID,
	DEVICE_VIVID_OUTPUT,
	DEVICE_VIM2M,
	DEVICE_CAMERA,
	DEVICE_EDU0,
	DEVICE_EDU1,
	DEVICE_EDU2,
	DEVICE_IMPORTER,
	DEVICE_COUNT,
};

enum device_class { CLASS_NONE, CLASS_DRM, CLASS_V4L2, CLASS_EDU, CLASS_IMPORTER };

/* Which of them there are; called once, before all else. Prints what is missing. */
void
devices_find(void);
bool
device_exists(enum device device);
enum device_class
device_class_of(enum device device);
/* Open it as a process would; -1. */
int
device_open(enum device device);
/* Bind all drivers that a program unbound; for the parent. */
void
devices_rebind(void);
/* The PCI device or the like of a device that bind() knows: to unbind and bind. */
bool
device_bind(unsigned int which, bool bind);
#define BINDABLE 5

/* The limits that programs change: as they were at first. */
void
limits_find(void);
void
limits_undo(void);

/**
 * struct slot - what one call made
 * @result: enum result
 * @fd: of a buffer, a device or others, else -1
 * @device: of a device, or of a handle
 * @owner: of a handle: the device's file descriptor
 * @handle: of a device's
 * @map: of a mapping
 * @length: of @map
 */
struct slot {
	enum result result;
	int fd;
	enum device device;
	int owner;
	uint32_t handle;
	uint8_t *map;
	size_t length;
};

/**
 * struct run - a run of a program
 * @program: what runs
 * @at: the call that runs
 * @slots: what the calls made
 * @node: /dev/bufalloc
 * @imported: a device imported a buffer of bufalloc's
 * @imported_user: IMPORT_USER took memory
 * @fail: nth fault of the next call is to fail; 0: none
 * @skip: calls that a child has run
 * @child: that runs beside this one, to be killed at the end; or 0
 * @limited: a limit or a parameter was changed
 * @unbound: a driver was
 */
struct run {
	const struct program *program;
	unsigned int at;
	struct slot slots[MAX_CALLS];
	int node;
	bool imported;
	bool imported_user;
	uint32_t fail;
	unsigned int skip;
	pid_t child;
	bool limited;
	bool unbound;
};

/* Run it from its first call on, and give back all that it made. */
void
run_program(struct run *run, const struct program *program, int node);

/* How long each kind of call took, and at the end what giving back took. */
struct times {
	uint64_t count[64], ns[64];
	uint64_t end_ns;
};

/* Where to add that; of several processes. NULL: nowhere. */
extern struct times *run_times;

/* Once for each process: what interrupts calls that wait. */
void
run_prepare(void);

/* Run calls up to @end; of a child, too. */
void
run_calls(struct run *run, unsigned int end);

/* The file descriptor that an argument names, whatever it is of; -1. */
int
run_fd(struct run *run, uint64_t arg);
/* The device that it names, or NULL. */
struct slot *
run_device(struct run *run, uint64_t arg);
/* Its memory from @offset on; where it names none, an address of no memory. */
uint8_t *
run_memory(struct run *run, uint64_t arg, uint64_t offset);

/* What this call made. */
long
run_made_fd(struct run *run, int fd);
/* @map is what mmap() returned for where run_place() said. */
long
run_made_map(struct run *run, void *map, size_t length);
/*
 * Where a mapping of this call goes: each has a place of its own, so that whatever
 * a program unmaps is its own. NULL: @length is too much for that.
 */
void *
run_place(struct run *run, size_t length);
long
run_made_handle(struct run *run, const struct slot *device, uint32_t handle);

/* Is that a buffer that bufalloc exported? */
bool
run_is_ours(struct run *run, int fd);

/* Touch one byte; false: there is nothing (SIGBUS, SIGSEGV). */
bool
run_touch(volatile uint8_t *byte, bool write);

/* The calls, by what they are about. */
#define OP(name) long op_##name(struct run *run, const uint64_t *args)
/* run_bufalloc.c */
OP(info);
OP(device_info);
OP(alloc);
OP(import_user);
OP(sync_range);
OP(copy);
OP(load_firmware);
OP(buffer_info);
OP(raw);
/* run_buffer.c */
OP(sync);
OP(set_name);
OP(export_fence);
OP(import_fence);
OP(look);
OP(duplicate);
OP(drop);
/* run_memory.c */
OP(map);
OP(memory);
OP(touch);
OP(unmap);
OP(remap);
OP(protect);
OP(advise);
OP(pin);
/* run_process.c */
OP(child);
OP(fail);
OP(limit);
OP(pressure);
OP(bind);
OP(parameter);
/* run_device.c */
OP(device);
OP(import);
OP(release);
OP(transfer);
/* run_drm.c */
OP(dumb);
OP(export_handle);
OP(map_handle);
OP(fence);
OP(show);
long
drm_import(struct run *run, const struct slot *device, int fd);
/* run_video.c */
OP(format);
OP(request);
OP(queue);
OP(dequeue);
OP(stream);
OP(export_video);
OP(map_video);
long
video_import(struct run *run, const struct slot *device, int fd, uint64_t how);

#endif /* FUZZ_RUN_H */
