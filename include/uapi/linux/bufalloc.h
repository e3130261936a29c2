/* SPDX-License-Identifier: GPL-2.0 WITH Linux-syscall-note */
/*
 * bufalloc: buffers that cameras, codecs and displays share without copying.
 *
 * This header is the contract between bufalloc.ko and user space.
 */
#ifndef _UAPI_LINUX_BUFALLOC_H
#define _UAPI_LINUX_BUFALLOC_H

#include <linux/ioctl.h>
#include <linux/types.h>

/**
 * DOC: General ioctl format
 *
 * All calls are ioctls on an open /dev/bufalloc. Each takes a pointer to one
 * structure whose first field, @size, holds the number of bytes that the
 * caller's structure has (sizeof at the time the caller was compiled). The
 * structures only ever grow at their end:
 *
 *  - a caller with a shorter structure than the kernel's gets the behaviour
 *    that it was compiled for: fields that it does not have count as 0;
 *  - a caller with a longer structure than the kernel's works as long as all
 *    the bytes that the kernel does not know are 0, else it gets E2BIG;
 *  - the kernel never writes past the caller's @size.
 *
 * Fields named @out_... are written by the kernel and ignored on input. Fields
 * named @__reserved must be 0. The layout is the same for 32-bit and 64-bit
 * callers. Physical addresses never appear in this interface.
 *
 * A call that fails has changed nothing: no buffer is left, no memory is
 * charged, and the caller's table of file descriptors is as it was before. (What
 * COPY copied before it failed stays; and see LOAD_FIRMWARE.)
 * The structure is written only by a call that succeeds, with two exceptions:
 * the verdict of ALLOC and of IMPORT_USER is written by every call that got as
 * far as its devices, or its range, and COPY says how far it came.
 *
 * What each errno means, for every call:
 *
 *  - ENOTTY: the ioctl number is none of this header's; the module may be
 *    older than the caller.
 *  - EFAULT: the structure, or a part of it, cannot be read or written; or a
 *    part of the memory to import is not mapped.
 *  - EINVAL: @size is smaller than the first version of the structure; an
 *    unknown flag, heap or attribute; a @__reserved field that is not 0; a
 *    length of 0; a range that does not lie within the buffer, or, to import, is
 *    not of whole pages; a file descriptor that is no dma-buf.
 *  - E2BIG: @size is larger than the kernel's structure and a byte past the
 *    kernel's end is not 0, or @size is larger than a page.
 *  - EBADF: a file descriptor of the caller that is not open.
 *  - EOPNOTSUPP: a heap, or an attribute that the caller requires, that this
 *    kernel cannot provide, or BUFALLOC_HEAP_RESERVED where nothing was set
 *    aside; a dma-buf that another exporter than bufalloc made; a device that
 *    takes no dma-buf; or memory to import of a kind that cannot be.
 *  - ENODEV: a file descriptor that names no device of a kind that bufalloc
 *    knows, or a device that was unbound from its driver; or a buffer of
 *    BUFALLOC_HEAP_DEVICE whose device was.
 *  - ENXIO: a node that is no device itself (a subdevice, media, VBI, radio, SDR
 *    or touch node), or a device that has no DMA and needs none.
 *  - ENOMEM: the memory ran out. The length is larger than the memory of the
 *    machine, the memory cgroup's limit or (IMPORT_USER) RLIMIT_MEMLOCK is
 *    reached, or no free (for contig: no movable) range is left. With more
 *    memory free it could succeed.
 *  - ENOSPC: no heap can satisfy what the devices need, however much memory is
 *    free; the verdict says which device and why.
 *  - EPERM: the caller lacks the capability that the call needs.
 *  - EACCES: the buffer forbids the access (BUFALLOC_ATTRIBUTE_NEVER_CPU, or a
 *    device or a call that could write to what was imported to be read only),
 *    the memory to import may not be read or written, or the caller's file
 *    descriptor of the dma-buf is O_RDONLY and the call would write to the
 *    buffer.
 *  - EDQUOT: the user's limit on contiguous and reserved memory is reached; see
 *    bufalloc_info.out_contig_limit.
 *  - EMFILE, ENFILE: the caller's or the system's table of files is full.
 *  - EINTR: a fatal signal ended the call; or, of SYNC_RANGE, COPY and
 *    LOAD_FIRMWARE, any signal came while it waited for a device, and the call
 *    is to be made again.
 */

/** enum - command numbers of the ioctls on /dev/bufalloc */
enum {
	BUFALLOC_CMD_INFO = 0x00,
	BUFALLOC_CMD_DEVICE_INFO = 0x01,
	BUFALLOC_CMD_ALLOC = 0x02,
	BUFALLOC_CMD_IMPORT_USER = 0x03,
	BUFALLOC_CMD_SYNC_RANGE = 0x04,
	BUFALLOC_CMD_COPY = 0x05,
	BUFALLOC_CMD_LOAD_FIRMWARE = 0x06,
	BUFALLOC_CMD_BUFFER_INFO = 0x07,
};

#define BUFALLOC_IOC_TYPE 0xBA

/*
 * The numbers are made by _IO(), without the size of the structure: @size says
 * that, and the number stays the same when a structure grows.
 */

/**
 * enum bufalloc_heap_id - where the pages of a buffer come from
 * @BUFALLOC_HEAP_AUTO: the first, cheapest heap that all of the devices can
 *	use; without devices that is BUFALLOC_HEAP_SYSTEM
 * @BUFALLOC_HEAP_SYSTEM: pages from anywhere, largest blocks first. Devices
 *	behind an IOMMU and importers that map the buffer for the CPU can use
 *	it. Charged to the caller's memory cgroup.
 * @BUFALLOC_HEAP_CONTIG: one physical range of any length, from the ordinary
 *	memory of the machine; needs no CMA region. Below what the devices
 *	reach; below 4 GiB without devices, and where one's reach cannot be told
 *	(BUFALLOC_PROOF_UNPROVEN). For devices that take one DMA segment and
 *	have no IOMMU. Limited per user.
 * @BUFALLOC_HEAP_RESERVED: one physical range of memory that was set aside for
 *	bufalloc: by a devicetree (docs/bindings/), or by module parameter
 *	reserved, with memmap=SIZE$START on the kernel's command line. It is there
 *	however full or fragmented the machine's memory is. Of most such memory
 *	the kernel itself has no mapping, and the CPU sees it write-combined:
 *	reading is slow. A region that the devicetree says is reusable (CMA's) is
 *	memory as any other and cached; out_attributes tells. Taken without being asked for only if
 *	none of the other heaps has anything that will do. Where nobody set any
 *	aside: EOPNOTSUPP. Counts against the same limit per user
 * @BUFALLOC_HEAP_DEVICE: memory of one device's own, which a devicetree gave to
 *	it (memory-region with no-map and compatible "shared-dma-pool"),
 *	allocated through that device, which is one of the call's; any other
 *	of them has to reach it. Exactly one of them has such memory, or it is
 *	refused (ENOSPC, BUFALLOC_REASON_OWN_MEMORY). The CPU sees it
 *	write-combined, the kernel has all of it mapped, and no importer gets
 *	a kernel mapping. When the driver of that device is unbound, the buffer
 *	ends: its mappings fault (SIGBUS), and mmap(2), imports and COPY answer
 *	ENODEV. A buffer takes a power of two of pages. Never taken without
 *	being asked for unless none of the other heaps will do. Counts against
 *	the same limit per user
 * @BUFALLOC_HEAP_USER: memory of a process's own, see IMPORT_USER. Nothing can
 *	be allocated from it (EINVAL)
 */
enum bufalloc_heap_id {
	BUFALLOC_HEAP_AUTO = 0,
	BUFALLOC_HEAP_SYSTEM = 1,
	BUFALLOC_HEAP_CONTIG = 2,
	BUFALLOC_HEAP_RESERVED = 3,
	BUFALLOC_HEAP_DEVICE = 4,
	BUFALLOC_HEAP_USER = 5,
};

/**
 * enum bufalloc_attribute - what a buffer is like, besides where its pages are
 * @BUFALLOC_ATTRIBUTE_NEVER_CPU: no CPU reads or writes the buffer through the
 *	dma-buf: mmap(2) and COPY answer EACCES, and importers cannot map it into the
 *	kernel (dma_buf_vmap() answers EINVAL). An allocation for a device that
 *	works by such a mapping is refused (ENOSPC, BUFALLOC_REASON_NEVER_CPU);
 *	the attribute is never given up instead. The kernel still zeroes the
 *	buffer. DMA_BUF_IOCTL_SYNC works and is of no use
 *
 * @BUFALLOC_ATTRIBUTE_WRITE_COMBINE: CPUs write past their caches, through
 *	buffers that gather what goes to one place, and read from memory: for
 *	what the CPU writes once, from the start to the end, and does not read.
 *	User space's and importers' mappings have this type, and the kernel's
 *	own views do
 * @BUFALLOC_ATTRIBUTE_UNCACHED: CPUs read and write past their caches: for
 *	what the CPU touches rarely, while a device works on it. Not together
 *	with WRITE_COMBINE (EINVAL). On ARM the two are one type of memory
 * @BUFALLOC_ATTRIBUTE_CONTIGUOUS: the buffer is one physical range, as if one of
 *	its devices took one segment: BUFALLOC_HEAP_AUTO takes
 *	BUFALLOC_HEAP_CONTIG, and a heap that has no such range refuses (ENOSPC or
 *	ENOMEM); the attribute is never given up instead
 * @BUFALLOC_ATTRIBUTE_PINNABLE: the kernel can work on user space's mappings of
 *	the buffer for it: read and write files with O_DIRECT, also by io_uring
 *	(as registered buffers from Linux 6.5 on). Such work is CPU access, to be
 *	begun and ended. It goes on after munmap(2) and close(2): a page that is
 *	pinned is free when it no longer is, and stays charged to the memory
 *	cgroup until then (it no longer counts as contiguous memory). Pages are
 *	mapped one by one, so mmap(2) takes longer. Not together with NEVER_CPU,
 *	WRITE_COMBINE and UNCACHED (EINVAL), nor from BUFALLOC_HEAP_RESERVED
 *	(ENOSPC). Without it, these calls answer EFAULT
 *
 * Without WRITE_COMBINE and UNCACHED a buffer is cached, and DMA_BUF_IOCTL_SYNC or
 * SYNC_RANGE keeps the caches in order. With one of them a CPU access is still
 * begun and ended like that, which costs no cache work then.
 *
 * Which of them a machine can honour is bufalloc_info.out_attributes.
 */
enum bufalloc_attribute {
	BUFALLOC_ATTRIBUTE_NEVER_CPU = 1 << 0,
	BUFALLOC_ATTRIBUTE_WRITE_COMBINE = 1 << 1,
	BUFALLOC_ATTRIBUTE_UNCACHED = 1 << 2,
	BUFALLOC_ATTRIBUTE_CONTIGUOUS = 1 << 3,
	BUFALLOC_ATTRIBUTE_PINNABLE = 1 << 4,
};

/**
 * struct bufalloc_info - BUFALLOC_IOCTL_INFO: what this module can do
 * @size: sizeof(struct bufalloc_info)
 * @flags: must be 0
 * @out_version: version of the module, (major << 16) | (minor << 8) | patch
 * @out_heaps: bit (1 << id) is set for each enum bufalloc_heap_id that can
 *	be allocated from
 * @out_features: reserved for features that a caller cannot find out by
 *	trying; 0 in this version
 * @out_max_length: largest length in bytes that ALLOC accepts: the memory of
 *	the machine, rounded down to whole pages. What is free is usually less
 * @out_contig_limit: bytes of contiguous and reserved memory that the calling
 *	user (by user id in the initial user namespace) may hold at once; module
 *	parameter contig_limit_bytes
 * @out_contig_used: bytes of it that are in use now
 * @out_attributes: enum bufalloc_attribute bits that ALLOC knows and this
 *	machine can honour
 */
struct bufalloc_info {
	__u32 size;
	__u32 flags;
	__u32 out_version;
	__u32 out_heaps;
	__aligned_u64 out_features;
	__aligned_u64 out_max_length;
	__aligned_u64 out_contig_limit;
	__aligned_u64 out_contig_used;
	__aligned_u64 out_attributes;
};

#define BUFALLOC_IOCTL_INFO \
	_IO(BUFALLOC_IOC_TYPE, BUFALLOC_CMD_INFO)

/**
 * enum bufalloc_device_access - what a device does to the memory
 * @BUFALLOC_ACCESS_READ: it reads (a display, an encoder's input)
 * @BUFALLOC_ACCESS_WRITE: it writes (a camera, a decoder's output)
 *
 * Both may be given. On a mem2mem node READ means its output queue and WRITE
 * its capture queue; if these have two devices, it has to be named twice, with
 * one access each (EINVAL).
 */
enum bufalloc_device_access {
	BUFALLOC_ACCESS_READ = 1 << 0,
	BUFALLOC_ACCESS_WRITE = 1 << 1,
};

/**
 * enum bufalloc_found - how a device was found from its node
 * @BUFALLOC_FOUND_NONE: it was not
 * @BUFALLOC_FOUND_V4L2_QUEUE: the device of the V4L2 node's buffer queue
 * @BUFALLOC_FOUND_V4L2_ALLOC_DEV: the queue's device for the first plane
 * @BUFALLOC_FOUND_V4L2_M2M: the queue of the mem2mem context
 * @BUFALLOC_FOUND_DRM: the DMA device of the DRM device
 * @BUFALLOC_FOUND_ANCESTOR: inferred: the nearest ancestor that has DMA
 */
enum bufalloc_found {
	BUFALLOC_FOUND_NONE = 0,
	BUFALLOC_FOUND_V4L2_QUEUE = 1,
	BUFALLOC_FOUND_V4L2_ALLOC_DEV = 2,
	BUFALLOC_FOUND_V4L2_M2M = 3,
	BUFALLOC_FOUND_DRM = 4,
	BUFALLOC_FOUND_ANCESTOR = 5,
};

/**
 * enum bufalloc_device_flags - what is known about a device
 * @BUFALLOC_DEVICE_COHERENT: its DMA is coherent with the CPU's caches
 * @BUFALLOC_DEVICE_TRANSLATED: behind an IOMMU that translates: what is
 *	scattered in memory can be one segment for it
 * @BUFALLOC_DEVICE_NEEDS_VMAP: its driver reads or writes by the CPU, through a
 *	kernel mapping of the buffer (vb2-vmalloc: vivid, UVC; vkms, ...)
 * @BUFALLOC_DEVICE_NO_DMA: its driver only does that and never maps for DMA
 * @BUFALLOC_DEVICE_SELF_MANAGED: the driver has an IOMMU domain of its own:
 *	what the DMA API says proves nothing, only an import does
 * @BUFALLOC_DEVICE_COULD_BOUNCE: it does not reach all of the machine's memory:
 *	what it does not reach would be copied (swiotlb)
 * @BUFALLOC_DEVICE_INFERRED: the device was guessed: BUFALLOC_FOUND_ANCESTOR, or
 *	the driver may import for another device than this one
 */
enum bufalloc_device_flags {
	BUFALLOC_DEVICE_COHERENT = 1 << 0,
	BUFALLOC_DEVICE_TRANSLATED = 1 << 1,
	BUFALLOC_DEVICE_NEEDS_VMAP = 1 << 2,
	BUFALLOC_DEVICE_NO_DMA = 1 << 3,
	BUFALLOC_DEVICE_SELF_MANAGED = 1 << 4,
	BUFALLOC_DEVICE_COULD_BOUNCE = 1 << 5,
	BUFALLOC_DEVICE_INFERRED = 1 << 6,
};

/**
 * enum bufalloc_iommu - the type of a device's IOMMU domain
 * @BUFALLOC_IOMMU_NONE: no IOMMU
 * @BUFALLOC_IOMMU_IDENTITY: device addresses are physical ones
 * @BUFALLOC_IOMMU_DMA: the DMA API translates
 * @BUFALLOC_IOMMU_OTHER: the driver's own domain (self-managed), or blocked
 */
enum bufalloc_iommu {
	BUFALLOC_IOMMU_NONE = 0,
	BUFALLOC_IOMMU_IDENTITY = 1,
	BUFALLOC_IOMMU_DMA = 2,
	BUFALLOC_IOMMU_OTHER = 3,
};

#define BUFALLOC_ANY_SEGMENTS 0xffffffffU

/**
 * struct bufalloc_device_info - BUFALLOC_IOCTL_DEVICE_INFO: what a device can
 *	use
 * @size: sizeof(struct bufalloc_device_info)
 * @flags: must be 0
 * @fd: an open node of the device. Having it open is the permission to ask
 * @access: enum bufalloc_device_access bits, at least one
 * @out_flags: enum bufalloc_device_flags bits
 * @out_found: enum bufalloc_found
 * @out_dma_mask: highest address that it can use for streaming DMA
 *	(dma_get_mask()); 0 with BUFALLOC_DEVICE_NO_DMA, like all that follows
 * @out_coherent_mask: the same for coherent memory
 * @out_bus_limit: highest address that its bus carries; 0: no limit
 * @out_max_segment: largest segment in bytes (dma_get_max_seg_size())
 * @out_segment_boundary: no segment crosses a multiple of this + 1
 *	(dma_get_seg_boundary())
 * @out_max_segments: segments that its driver takes for one buffer: 1, or
 *	BUFALLOC_ANY_SEGMENTS
 * @out_iommu: enum bufalloc_iommu
 * @out_iommu_granule: smallest page of the IOMMU in bytes; 0 without
 * @out_driver: name of its driver, terminated
 * @out_name: name of the device, terminated
 *
 * ENODEV, ENXIO, EOPNOTSUPP, EBADF, EINVAL (access) as at the top.
 */
struct bufalloc_device_info {
	__u32 size;
	__u32 flags;
	__s32 fd;
	__u32 access;
	__u32 out_flags;
	__u32 out_found;
	__aligned_u64 out_dma_mask;
	__aligned_u64 out_coherent_mask;
	__aligned_u64 out_bus_limit;
	__aligned_u64 out_max_segment;
	__aligned_u64 out_segment_boundary;
	__u32 out_max_segments;
	__u32 out_iommu;
	__aligned_u64 out_iommu_granule;
	__u8 out_driver[32];
	__u8 out_name[64];
};

#define BUFALLOC_IOCTL_DEVICE_INFO \
	_IO(BUFALLOC_IOC_TYPE, BUFALLOC_CMD_DEVICE_INFO)

/**
 * enum bufalloc_proof - how it is known that a device can use a buffer
 * @BUFALLOC_PROOF_NONE: it is not
 * @BUFALLOC_PROOF_MAPPED: the buffer was mapped for it, and the mapping neither
 *	bounced nor broke its limits
 * @BUFALLOC_PROOF_VMAPPED: it needs no DMA; the buffer was mapped for the CPU
 * @BUFALLOC_PROOF_UNPROVEN: mapped as above, but the driver manages its IOMMU
 *	itself, or the device was inferred: only an import proves it
 */
enum bufalloc_proof {
	BUFALLOC_PROOF_NONE = 0,
	BUFALLOC_PROOF_MAPPED = 1,
	BUFALLOC_PROOF_VMAPPED = 2,
	BUFALLOC_PROOF_UNPROVEN = 3,
};

/**
 * enum bufalloc_reason - what decided, or what failed
 * @BUFALLOC_REASON_NONE: nothing
 * @BUFALLOC_REASON_CALLER: the caller named the heap, or asked for
 *	BUFALLOC_ATTRIBUTE_CONTIGUOUS
 * @BUFALLOC_REASON_NOT_A_DEVICE: the fd names no device, or one without DMA
 * @BUFALLOC_REASON_ONE_SEGMENT: the device takes one segment and has no IOMMU
 *	that makes one of many
 * @BUFALLOC_REASON_ADDRESS: the device reaches only a part of the memory; behind
 *	an IOMMU: it has not so many addresses
 * @BUFALLOC_REASON_SEGMENT_SIZE: the device takes one segment, and none that is
 *	so large
 * @BUFALLOC_REASON_BOUNDARY: the device takes one segment, and that would cross
 *	its boundary
 * @BUFALLOC_REASON_BOUNCE: the mapping would be copied (swiotlb)
 * @BUFALLOC_REASON_MAP: the DMA API refused to map
 * @BUFALLOC_REASON_VMAP: the kernel mapping failed
 * @BUFALLOC_REASON_MEMORY: the heap had no memory left
 * @BUFALLOC_REASON_LIMIT: the user's limit on contiguous and reserved memory
 * @BUFALLOC_REASON_UNBOUND: the device was unbound from its driver
 * @BUFALLOC_REASON_NEVER_CPU: the device needs a kernel mapping, and the caller
 *	asked for BUFALLOC_ATTRIBUTE_NEVER_CPU
 * @BUFALLOC_REASON_ALIGNMENT: the range to import is not of whole pages: those
 *	would hand the neighbours' bytes to a device
 * @BUFALLOC_REASON_UNMAPPED: a part of the range to import is not mapped
 * @BUFALLOC_REASON_MEMORY_KIND: a part of it is device memory, secret memory, a
 *	shared mapping of a file that is not on a tmpfs or hugetlbfs, or another
 *	dma-buf than the rest
 * @BUFALLOC_REASON_READ_ONLY: it may not be read or written, or the device could
 *	write to what was imported to be read only
 * @BUFALLOC_REASON_MEMLOCK: RLIMIT_MEMLOCK, the user's limit on locked memory
 * @BUFALLOC_REASON_OWN_MEMORY: the caller named BUFALLOC_HEAP_DEVICE, and none of
 *	the devices has memory of its own, or several have
 */
enum bufalloc_reason {
	BUFALLOC_REASON_NONE = 0,
	BUFALLOC_REASON_CALLER = 1,
	BUFALLOC_REASON_NOT_A_DEVICE = 2,
	BUFALLOC_REASON_ONE_SEGMENT = 3,
	BUFALLOC_REASON_ADDRESS = 4,
	BUFALLOC_REASON_SEGMENT_SIZE = 5,
	BUFALLOC_REASON_BOUNDARY = 6,
	BUFALLOC_REASON_BOUNCE = 7,
	BUFALLOC_REASON_MAP = 8,
	BUFALLOC_REASON_VMAP = 9,
	BUFALLOC_REASON_MEMORY = 10,
	BUFALLOC_REASON_LIMIT = 11,
	BUFALLOC_REASON_UNBOUND = 12,
	BUFALLOC_REASON_NEVER_CPU = 13,
	BUFALLOC_REASON_ALIGNMENT = 14,
	BUFALLOC_REASON_UNMAPPED = 15,
	BUFALLOC_REASON_MEMORY_KIND = 16,
	BUFALLOC_REASON_READ_ONLY = 17,
	BUFALLOC_REASON_MEMLOCK = 18,
	BUFALLOC_REASON_OWN_MEMORY = 19,
};

#define BUFALLOC_NO_DEVICE 0xffffffffU
#define BUFALLOC_MAX_DEVICES 16

/**
 * struct bufalloc_alloc_device - one device of an allocation
 * @fd: an open node of it
 * @access: enum bufalloc_device_access bits, at least one
 * @out_proof: enum bufalloc_proof
 * @out_segments: segments that it got; neighbours count as one
 * @out_error: 0, or the negative errno of its last trial
 * @out_reason: enum bufalloc_reason of that
 */
struct bufalloc_alloc_device {
	__s32 fd;
	__u32 access;
	__u32 out_proof;
	__u32 out_segments;
	__s32 out_error;
	__u32 out_reason;
};

/**
 * struct bufalloc_alloc_verdict - why
 * @size: sizeof(struct bufalloc_alloc_verdict); grows like all other structures
 * @out_error: 0, or the negative errno that the call returned
 * @out_heap: enum bufalloc_heap_id that was chosen, or that was tried last
 * @out_tried: bit (1 << id) for each heap that was tried
 * @out_reason: enum bufalloc_reason: why this heap, or why none
 * @out_device: index of the device that decided or failed, or
 *	BUFALLOC_NO_DEVICE
 * @out_runs: physical runs of the buffer
 * @__reserved: must be 0
 * @out_limit: highest physical address that all devices reach; all bits set if
 *	any address will do. A property of the devices, not of the buffer
 * @out_limit_device: index of the device that @out_limit is of, or
 *	BUFALLOC_NO_DEVICE
 * @__reserved2: must be 0
 * @out_attributes: enum bufalloc_attribute bits that were granted; 0 after a
 *	failure
 * @out_with_devices: bit (1 << index) for each device that it was because of
 *	together with @out_device: memory that the one reaches has to be one
 *	range for the other. 0: it was @out_device alone
 * @__reserved3: must be 0
 */
struct bufalloc_alloc_verdict {
	__u32 size;
	__s32 out_error;
	__u32 out_heap;
	__u32 out_tried;
	__u32 out_reason;
	__u32 out_device;
	__u32 out_runs;
	__u32 __reserved;
	__aligned_u64 out_limit;
	__u32 out_limit_device;
	__u32 __reserved2;
	__aligned_u64 out_attributes;
	__u32 out_with_devices;
	__u32 __reserved3;
};

/**
 * enum bufalloc_alloc_flags - options of ALLOC
 * @BUFALLOC_ALLOC_DRY_RUN: do all of it, fill in the verdict and free the
 *	buffer again; @out_fd is -1
 */
enum bufalloc_alloc_flags {
	BUFALLOC_ALLOC_DRY_RUN = 1 << 0,
};

/**
 * struct bufalloc_alloc - BUFALLOC_IOCTL_ALLOC: allocate and export a buffer
 * @size: sizeof(struct bufalloc_alloc)
 * @flags: enum bufalloc_alloc_flags bits
 * @length: length of the buffer in bytes, more than 0. The buffer has whole
 *	pages: bufalloc_buffer_info.out_length tells how many bytes
 * @heap: enum bufalloc_heap_id
 * @fd_flags: O_RDONLY or O_RDWR (what the holder of the fd may do by mmap),
 *	optionally with O_CLOEXEC; any other bit is EINVAL
 * @out_fd: a new file descriptor of the dma-buf. The caller owns it and closes
 *	it. The buffer lives until the last file descriptor, mapping and
 *	importer of it is gone
 * @device_count: number of devices, at most BUFALLOC_MAX_DEVICES (E2BIG)
 * @devices: address of that many &struct bufalloc_alloc_device, in which their out
 *	fields are filled in
 * @verdict: address of a &struct bufalloc_alloc_verdict, or 0
 * @attributes: enum bufalloc_attribute bits that the buffer shall have. What
 *	the machine cannot honour is left out;
 *	bufalloc_alloc_verdict.out_attributes tells what was granted
 * @required: those of @attributes without which the caller does not want the
 *	buffer (EOPNOTSUPP); a bit that @attributes does not have is EINVAL
 *
 * With devices, the buffer is mapped for each of them before the call returns:
 * it can be used by all of them, or the call fails and the verdict says which
 * device refused what. The same device twice does no harm.
 *
 * Every byte of a new buffer is 0. The buffer has no mapping into the kernel
 * (besides the linear map of all memory) until an importer asks for one; but see
 * BUFALLOC_HEAP_DEVICE.
 *
 * The dma-buf answers DMA_BUF_IOCTL_SYNC, DMA_BUF_SET_NAME and the other
 * ioctls of <linux/dma-buf.h>; it can be mapped with mmap(MAP_SHARED) only
 * (MAP_PRIVATE is EINVAL), within its length (else EINVAL), unless the CPU may
 * never map it (EACCES).
 */
struct bufalloc_alloc {
	__u32 size;
	__u32 flags;
	__aligned_u64 length;
	__u32 heap;
	__u32 fd_flags;
	__s32 out_fd;
	__u32 device_count;
	__aligned_u64 devices;
	__aligned_u64 verdict;
	__aligned_u64 attributes;
	__aligned_u64 required;
};

#define BUFALLOC_IOCTL_ALLOC \
	_IO(BUFALLOC_IOC_TYPE, BUFALLOC_CMD_ALLOC)

/**
 * enum bufalloc_import_flags - options of IMPORT_USER
 * @BUFALLOC_IMPORT_DRY_RUN: do all of it, fill in the verdict and let the memory
 *	go again; @out_fd is -1
 * @BUFALLOC_IMPORT_READ_ONLY: nobody writes to the memory through the dma-buf, so
 *	that it may be memory that the caller can only read. A device maps it with
 *	DMA_TO_DEVICE, or not at all (EACCES): DRM drivers map what they import for
 *	both directions, whatever they do with it. It has no kernel mapping
 *	(dma_buf_vmap() answers EINVAL) and is mapped with PROT_READ only (EACCES)
 */
enum bufalloc_import_flags {
	BUFALLOC_IMPORT_DRY_RUN = 1 << 0,
	BUFALLOC_IMPORT_READ_ONLY = 1 << 1,
};

/**
 * enum bufalloc_imported - what became of the range
 * @BUFALLOC_IMPORTED_DMABUF: it is a mapping of a dma-buf: the fd is of that
 */
enum bufalloc_imported {
	BUFALLOC_IMPORTED_DMABUF = 1 << 0,
};

/**
 * struct bufalloc_import_user - BUFALLOC_IOCTL_IMPORT_USER: the caller's own
 *	memory as a dma-buf
 * @size: sizeof(struct bufalloc_import_user)
 * @flags: enum bufalloc_import_flags bits
 * @address: first byte of the range; a multiple of the page size, like @length.
 *	Other ranges are EINVAL (BUFALLOC_REASON_ALIGNMENT)
 * @length: length of the range in bytes, more than 0
 * @fd_flags: as bufalloc_alloc.fd_flags
 * @out_fd: a new file descriptor of the dma-buf, as bufalloc_alloc.out_fd
 * @device_count: number of devices, at most BUFALLOC_MAX_DEVICES (E2BIG)
 * @out_flags: enum bufalloc_imported bits
 * @devices: address of that many &struct bufalloc_alloc_device, in which their
 *	out fields are filled in
 * @verdict: address of a &struct bufalloc_alloc_verdict, or 0
 * @out_offset: where the range starts in the dma-buf: 0 unless it is a mapping
 *	of one
 * @__reserved: must be 0
 *
 * Takes anonymous memory, private mappings, tmpfs (memfd, shared anonymous
 * memory) and huge pages, in any mixture. The pages are pinned where they are
 * (FOLL_LONGTERM: what was in memory that must stay movable is moved out of it
 * first), and neighbours become one run. With devices, the buffer is mapped for
 * each of them as by ALLOC; there is one heap to try, BUFALLOC_HEAP_USER, and a
 * device that cannot use the memory as it is refuses it (ENOSPC).
 *
 * The pages are the buffer's until its last holder is gone; what the caller does
 * with the range meanwhile, munmap(), exit, truncation, changes nothing about
 * that. After fork() the pages stay the caller's where the memory is private:
 * the child gets copies. They count against the caller's RLIMIT_MEMLOCK (ENOMEM,
 * BUFALLOC_REASON_MEMLOCK; without the limit for CAP_IPC_LOCK) for as long, as a
 * sum for each user and together with io_uring's and others', and show as VmPin
 * in /proc/PID/status. When they are let go, they are marked as written to,
 * unless with BUFALLOC_IMPORT_READ_ONLY.
 *
 * A range that is a mapping of a dma-buf is not pinned: the fd is of that
 * dma-buf, whoever exported it, @out_offset says where the range starts in it,
 * and BUFALLOC_IMPORTED_DMABUF is set. @fd_flags but for O_CLOEXEC, and
 * BUFALLOC_IMPORT_READ_ONLY, change nothing about it. Of another exporter's the
 * devices are found, but not tried (BUFALLOC_PROOF_NONE), and the verdict's
 * @out_heap is BUFALLOC_HEAP_AUTO.
 *
 * EFAULT (BUFALLOC_REASON_UNMAPPED), EOPNOTSUPP (BUFALLOC_REASON_MEMORY_KIND) and
 * EACCES (BUFALLOC_REASON_READ_ONLY) are about the first part of the range that
 * cannot be taken. Other memory without reference counts (VM_PFNMAP, VM_IO) is
 * refused because nothing would keep it in its place, or tell when it goes.
 */
struct bufalloc_import_user {
	__u32 size;
	__u32 flags;
	__aligned_u64 address;
	__aligned_u64 length;
	__u32 fd_flags;
	__s32 out_fd;
	__u32 device_count;
	__u32 out_flags;
	__aligned_u64 devices;
	__aligned_u64 verdict;
	__aligned_u64 out_offset;
	__aligned_u64 __reserved;
};

#define BUFALLOC_IOCTL_IMPORT_USER \
	_IO(BUFALLOC_IOC_TYPE, BUFALLOC_CMD_IMPORT_USER)

/**
 * enum bufalloc_sync_flags - of SYNC_RANGE; the values of DMA_BUF_SYNC_... in
 *	<linux/dma-buf.h>
 * @BUFALLOC_SYNC_START: a CPU access begins (no bit)
 * @BUFALLOC_SYNC_READ: the CPU reads
 * @BUFALLOC_SYNC_WRITE: it writes; one of the two, or both
 * @BUFALLOC_SYNC_END: the CPU access ends
 */
enum bufalloc_sync_flags {
	BUFALLOC_SYNC_START = 0,
	BUFALLOC_SYNC_READ = 1 << 0,
	BUFALLOC_SYNC_WRITE = 1 << 1,
	BUFALLOC_SYNC_END = 1 << 2,
};

/**
 * struct bufalloc_sync_range - BUFALLOC_IOCTL_SYNC_RANGE: begin or end a CPU
 *	access to a part of a buffer
 * @size: sizeof(struct bufalloc_sync_range)
 * @flags: enum bufalloc_sync_flags bits
 * @fd: file descriptor of a dma-buf that bufalloc exported (EBADF, EINVAL or
 *	EOPNOTSUPP otherwise)
 * @__reserved: must be 0
 * @offset: first byte of the range
 * @length: bytes of it, at least 1
 *
 * What DMA_BUF_IOCTL_SYNC does for the whole buffer: at the start of an access
 * it waits for the fences of the devices that use the buffer, then makes what
 * they wrote visible to the CPU; at its end it makes what the CPU wrote visible
 * to them. The two may be mixed, and an access that begins with one may end
 * with the other.
 *
 * Caches work in lines (up to 128 bytes; the kernel's dma_get_cache_alignment()):
 * the range is widened to whole lines, never narrowed. What the CPU writes and
 * what a device writes at the same time should not share a line.
 */
struct bufalloc_sync_range {
	__u32 size;
	__u32 flags;
	__s32 fd;
	__u32 __reserved;
	__aligned_u64 offset;
	__aligned_u64 length;
};

#define BUFALLOC_IOCTL_SYNC_RANGE \
	_IO(BUFALLOC_IOC_TYPE, BUFALLOC_CMD_SYNC_RANGE)

/**
 * enum bufalloc_copy_flags - of COPY
 * @BUFALLOC_COPY_IN: into the buffer; else out of it
 */
enum bufalloc_copy_flags {
	BUFALLOC_COPY_IN = 1 << 0,
};

/**
 * struct bufalloc_copy - BUFALLOC_IOCTL_COPY: copy between a buffer and the
 *	caller's memory
 * @size: sizeof(struct bufalloc_copy)
 * @flags: enum bufalloc_copy_flags bits
 * @fd: file descriptor of a dma-buf that bufalloc exported (EBADF, EINVAL or
 *	EOPNOTSUPP otherwise). To copy in it must be O_RDWR (EACCES)
 * @__reserved: must be 0
 * @offset: first byte of the range in the buffer
 * @length: bytes to copy, at least 1
 * @address: of the caller's memory; of any alignment
 * @out_copied: bytes that were copied, from the start on. Less than @length if
 *	the caller's memory ends before (EFAULT) or a signal ended the call
 *	(EINTR)
 *
 * The buffer need not be mapped and does not become so: neither for the caller
 * nor, beyond one page at a time, for the kernel. Around the copy the range is
 * synced as by SYNC_RANGE. For all of a buffer mmap(2) is the cheaper way.
 */
struct bufalloc_copy {
	__u32 size;
	__u32 flags;
	__s32 fd;
	__u32 __reserved;
	__aligned_u64 offset;
	__aligned_u64 length;
	__aligned_u64 address;
	__aligned_u64 out_copied;
};

#define BUFALLOC_IOCTL_COPY \
	_IO(BUFALLOC_IOC_TYPE, BUFALLOC_CMD_COPY)

/* Longest name of LOAD_FIRMWARE, its end (a byte of 0) included. */
#define BUFALLOC_MAX_NAME 256

/**
 * struct bufalloc_load_firmware - BUFALLOC_IOCTL_LOAD_FIRMWARE: read a firmware
 *	file to a buffer
 * @size: sizeof(struct bufalloc_load_firmware)
 * @flags: must be 0
 * @fd: file descriptor of a dma-buf that bufalloc exported (EBADF, EINVAL or
 *	EOPNOTSUPP otherwise), O_RDWR (EACCES)
 * @__reserved: must be 0
 * @offset: where the file begins in the buffer (EINVAL if that is not in it)
 * @name: address of the file's name, terminated by 0: relative to the folders
 *	that the kernel looks for firmware in (/lib/firmware, ...; see
 *	Documentation/driver-api/firmware/fw_search_path.rst). EINVAL if it is
 *	empty, longer than BUFALLOC_MAX_NAME, absolute or has a part ".."
 * @out_length: bytes that the file has
 *
 * For processes with CAP_SYS_ADMIN (else EPERM): whoever reads the buffer reads
 * the file, which may be for root alone.
 *
 * The file goes straight into the buffer, also into one that is
 * BUFALLOC_ATTRIBUTE_NEVER_CPU, without a copy of it as a whole anywhere else.
 * It is read twice, to see that both times it was the same.
 *
 * Its errors, besides those at the top:
 *
 *  - ENOENT: no firmware folder has such a file, or it is empty; or the memory
 *    ran out while the kernel's loader looked for it, which then goes on to its
 *    next folder and says no more (drivers/base/firmware_loader/main.c).
 *  - EMEDIUMTYPE: there is only a compressed one (.xz, .zst), which cannot be
 *    read in parts. Unpack it.
 *  - EFBIG: the file is longer than the rest of the buffer.
 *  - ESTALE: it changed while it was read, or the memory ran out meanwhile, as
 *    for ENOENT. Try again.
 *  - EOPNOTSUPP: this kernel has no firmware loader (CONFIG_FW_LOADER), the
 *    firmware is built into it, or the system is about to sleep.
 *  - EACCES, EPERM: also, a security module (IMA appraisal, LoadPin) does not
 *    let firmware be read in parts, or from there.
 *  - EIO and others: of the file system.
 *
 * After ESTALE, EINTR, ENOMEM and an error of the file system the bytes of the
 * buffer from @offset on have any contents. After all other errors it is as it was.
 */
struct bufalloc_load_firmware {
	__u32 size;
	__u32 flags;
	__s32 fd;
	__u32 __reserved;
	__aligned_u64 offset;
	__aligned_u64 name;
	__aligned_u64 out_length;
};

#define BUFALLOC_IOCTL_LOAD_FIRMWARE \
	_IO(BUFALLOC_IOC_TYPE, BUFALLOC_CMD_LOAD_FIRMWARE)

/**
 * struct bufalloc_buffer_info - BUFALLOC_IOCTL_BUFFER_INFO: what a buffer is
 *	and what happened to it
 * @size: sizeof(struct bufalloc_buffer_info)
 * @flags: must be 0
 * @fd: file descriptor of a dma-buf that bufalloc exported (EBADF, EINVAL or
 *	EOPNOTSUPP otherwise)
 * @out_heap: enum bufalloc_heap_id that its pages came from
 * @out_length: length in bytes, a multiple of the page size
 * @out_runs: number of physically contiguous runs that it consists of
 * @out_attachments: devices' attachments to it now; a device that attached
 *	twice counts twice. Importers that only map for the CPU (vb2-vmalloc)
 *	never attach
 * @out_mappings: devices that it is mapped for by DMA now
 * @out_kernel_maps: kernel mappings (vmap) of it now, counted once for each
 *	importer that asked
 * @out_kernel_va: bytes of kernel address space (vmalloc) that it takes now; of
 *	BUFALLOC_HEAP_DEVICE: always all of its length
 * @out_user_maps: calls of mmap on it so far
 * @out_kernel_maps_total: calls of vmap on it so far
 * @out_cpu_accesses: begins of CPU access (DMA_BUF_SYNC_START, SYNC_RANGE, COPY,
 *	LOAD_FIRMWARE and importers') so far
 * @out_syncs: dma_sync_single_for_{cpu,device} calls made for it so far, when
 *	it was mapped, unmapped and accessed by the CPU, one for each physical
 *	run. A cache coherent device needs none
 * @out_alloc_ns: time that its allocation took, in nanoseconds, zeroing
 *	included
 * @out_bounced: mappings made so far that bounce: a device does not reach the
 *	memory, so that the kernel copies (swiotlb) at each sync. Never for
 *	devices that it was allocated for
 * @out_attributes: enum bufalloc_attribute bits that it has
 * @out_syncs_skipped: such calls that were left out so far, because the CPU's
 *	caches were in order already: a second device that is not cache coherent
 *	costs no cache work if nothing wrote by the CPU since the first
 */
struct bufalloc_buffer_info {
	__u32 size;
	__u32 flags;
	__s32 fd;
	__u32 out_heap;
	__aligned_u64 out_length;
	__u32 out_runs;
	__u32 out_attachments;
	__u32 out_mappings;
	__u32 out_kernel_maps;
	__aligned_u64 out_kernel_va;
	__aligned_u64 out_user_maps;
	__aligned_u64 out_kernel_maps_total;
	__aligned_u64 out_cpu_accesses;
	__aligned_u64 out_syncs;
	__aligned_u64 out_alloc_ns;
	__aligned_u64 out_bounced;
	__aligned_u64 out_attributes;
	__aligned_u64 out_syncs_skipped;
};

#define BUFALLOC_IOCTL_BUFFER_INFO \
	_IO(BUFALLOC_IOC_TYPE, BUFALLOC_CMD_BUFFER_INFO)

#endif /* _UAPI_LINUX_BUFALLOC_H */
