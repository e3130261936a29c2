/* SPDX-License-Identifier: GPL-2.0 WITH Linux-syscall-note */
/*
 * /dev/ba_eduN: a driver for QEMU's device "edu" (docs/specs/edu in QEMU's
 * sources), which has a DMA engine and goes through an IOMMU as hardware does.
 * It imports a dma-buf and moves bytes between that and its internal memory,
 * so that what a device does to a buffer is really done by a device.
 *
 * The driver and bufalloc know of each other only as a camera's driver would:
 * through dma-buf, and through a resolver for the nodes.
 */
#ifndef BA_EDU_H
#define BA_EDU_H

#include <linux/ioctl.h>
#include <linux/types.h>

#define BA_EDU_NO_DOMAIN 0xffffffffU

/**
 * struct ba_edu_import - attach and map a dma-buf
 * @fd: of the dma-buf
 * @segments: out: DMA segments; neighbours count as one
 * @domain: out: number of the first device that is in the same IOMMU domain, or
 *	BA_EDU_NO_DOMAIN: none that translates
 * @max_segments: 1: refuse more segments (EINVAL), as vb2-dma-contig does; and
 *	so that ALLOC hears of it, see BA_EDU_MAX_SEGMENTS. 0: what that said
 * @length: out: bytes of the dma-buf
 * @flags: BA_EDU_ONLY_READS: map it for reading only, as V4L2 does for an OUTPUT
 *	queue; else for both directions, as DRM does
 */
struct ba_edu_import {
	__s32 fd;
	__u32 segments;
	__u32 domain;
	__u32 max_segments;
	__u64 length;
	__u64 flags;
};

#define BA_EDU_ONLY_READS 1

/**
 * struct ba_edu_transfer - the device writes to or reads from the buffer
 * @offset: first byte in the buffer
 * @length: bytes
 * @data: address of what it writes, or of where to put what it read. It goes
 *	through a page of the driver's and through the device's memory, each
 *	time by DMA
 * @flags: BA_EDU_STALE: the buffer is no longer imported: use the addresses that
 *	it had
 */
struct ba_edu_transfer {
	__u64 offset;
	__u64 length;
	__u64 data;
	__u64 flags;
};

#define BA_EDU_STALE 1

/* EBUSY: this file has one already. */
#define BA_EDU_IMPORT _IOWR('e', 0, struct ba_edu_import)
/* ENOTCONN: nothing is imported. ENODEV, also of the others: unbound. */
#define BA_EDU_WRITE _IOW('e', 1, struct ba_edu_transfer)
#define BA_EDU_READ _IOW('e', 2, struct ba_edu_transfer)
/* Unmap and detach; closing the file and unbinding the device do it, too. */
#define BA_EDU_RELEASE _IO('e', 3)
/* Argument: segments that this open file takes: 1, or 0 for any number. */
#define BA_EDU_MAX_SEGMENTS _IO('e', 4)

#endif /* BA_EDU_H */
