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
 * charged, and the caller's table of file descriptors is as it was before.
 * The structure is written only by a call that succeeds.
 *
 * What each errno means, for every call:
 *
 *  - ENOTTY: the ioctl number is none of this header's; the module may be
 *    older than the caller.
 *  - EFAULT: the structure, or a part of it, cannot be read or written.
 *  - EINVAL: @size is smaller than the first version of the structure; an
 *    unknown flag or heap; a @__reserved field that is not 0; a length of 0;
 *    a file descriptor that is no dma-buf.
 *  - E2BIG: @size is larger than the kernel's structure and a byte past the
 *    kernel's end is not 0, or @size is larger than a page.
 *  - EBADF: a file descriptor of the caller that is not open.
 *  - EOPNOTSUPP: a heap that this kernel cannot provide, or a dma-buf that
 *    another exporter than bufalloc made.
 *  - ENOMEM: the memory ran out. The length is larger than the memory of the
 *    machine, the memory cgroup's limit is reached, or no free (for contig:
 *    no movable) range is left.
 *  - EDQUOT: the user's limit on contiguous memory is reached; see
 *    bufalloc_info.out_contig_limit.
 *  - EMFILE, ENFILE: the caller's or the system's table of files is full.
 *  - EINTR: a fatal signal ended the call.
 */

/** enum - command numbers of the ioctls on /dev/bufalloc */
enum {
	BUFALLOC_CMD_INFO = 0x00,
	BUFALLOC_CMD_ALLOC = 0x02,
	BUFALLOC_CMD_BUFFER_INFO = 0x07,
};

#define BUFALLOC_IOC_TYPE 0xBA

/*
 * The numbers are made by _IO(), without the size of the structure: @size says
 * that, and the number stays the same when a structure grows.
 */

/**
 * enum bufalloc_heap_id - where the pages of a buffer come from
 * @BUFALLOC_HEAP_SYSTEM: pages from anywhere, largest blocks first. Devices
 *	behind an IOMMU and importers that map the buffer for the CPU can use
 *	it. Charged to the caller's memory cgroup.
 * @BUFALLOC_HEAP_CONTIG: one physical range of any length, below 4 GiB, from
 *	the ordinary memory of the machine; needs no CMA region. For devices
 *	that take one DMA segment and have no IOMMU. Limited per user.
 */
enum bufalloc_heap_id {
	BUFALLOC_HEAP_SYSTEM = 0,
	BUFALLOC_HEAP_CONTIG = 1,
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
 * @out_contig_limit: bytes of contiguous memory that the calling user (by
 *	user id in the initial user namespace) may hold at once; module
 *	parameter contig_limit_bytes
 * @out_contig_used: bytes of it that are in use now
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
};

#define BUFALLOC_IOCTL_INFO \
	_IO(BUFALLOC_IOC_TYPE, BUFALLOC_CMD_INFO)

/**
 * struct bufalloc_alloc - BUFALLOC_IOCTL_ALLOC: allocate and export a buffer
 * @size: sizeof(struct bufalloc_alloc)
 * @flags: must be 0
 * @length: length of the buffer in bytes, more than 0. The buffer has whole
 *	pages: bufalloc_buffer_info.out_length tells how many bytes
 * @heap: enum bufalloc_heap_id
 * @fd_flags: O_RDONLY or O_RDWR (what the holder of the fd may do by mmap),
 *	optionally with O_CLOEXEC; any other bit is EINVAL
 * @out_fd: a new file descriptor of the dma-buf. The caller owns it and closes
 *	it. The buffer lives until the last file descriptor, mapping and
 *	importer of it is gone
 * @__reserved: must be 0
 *
 * Every byte of a new buffer is 0. The buffer has no mapping into the kernel
 * (besides the linear map of all memory) until an importer asks for one.
 *
 * The dma-buf answers DMA_BUF_IOCTL_SYNC, DMA_BUF_SET_NAME and the other
 * ioctls of <linux/dma-buf.h>; it can be mapped with mmap(MAP_SHARED) only
 * (MAP_PRIVATE is EINVAL), within its length (else EINVAL).
 */
struct bufalloc_alloc {
	__u32 size;
	__u32 flags;
	__aligned_u64 length;
	__u32 heap;
	__u32 fd_flags;
	__s32 out_fd;
	__u32 __reserved;
};

#define BUFALLOC_IOCTL_ALLOC \
	_IO(BUFALLOC_IOC_TYPE, BUFALLOC_CMD_ALLOC)

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
 * @out_kernel_va: bytes of kernel address space (vmalloc) that it takes now
 * @out_user_maps: calls of mmap on it so far
 * @out_kernel_maps_total: calls of vmap on it so far
 * @out_cpu_accesses: begins of CPU access (DMA_BUF_SYNC_START and importers')
 *	so far
 * @out_syncs: dma_sync_single_for_{cpu,device} calls made for it so far, one
 *	for each physical run and each mapped device that needs it (a cache
 *	coherent device does not)
 * @out_alloc_ns: time that its allocation took, in nanoseconds, zeroing
 *	included
 * @__reserved: must be 0
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
	__aligned_u64 __reserved;
};

#define BUFALLOC_IOCTL_BUFFER_INFO \
	_IO(BUFALLOC_IOC_TYPE, BUFALLOC_CMD_BUFFER_INFO)

#endif /* _UAPI_LINUX_BUFALLOC_H */
