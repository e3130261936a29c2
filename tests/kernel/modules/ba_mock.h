/* SPDX-License-Identifier: GPL-2.0 WITH Linux-syscall-note */
/*
 * /dev/ba_mock: a mock of devices that do not see the CPU's caches, and of those
 * caches. No emulated device can do that: QEMU has no caches, so that a sync that
 * is missing there changes nothing. Nothing here does DMA.
 *
 * Each page that the mock knows exists twice: as the CPU sees it (the page), and
 * as it is "in memory" (a shadow copy), which is all that the devices read and
 * write. What the CPU writes gets to memory by a write-back of its line, and what
 * a device writes gets to the CPU by an invalidation, which drops what the CPU
 * wrote. Nothing happens by itself: no line is evicted, none is loaded ahead.
 *
 * Where the work on the caches is seen depends on the kernel; what asks for it is
 * the kernel's own DMA API in both cases:
 *
 * - arm64: a kprobe on arch_sync_dma_for_device() and arch_sync_dma_for_cpu(), in
 *   the test's process. Devices 0 and 1 are without an IOMMU; 2 and 3 are the PCI
 *   devices edu as the DMA API sees them (behind an SMMU it merges runs and
 *   translates the first byte of a sync only), of which the hardware is not used;
 * - x86: devices 0 and 1 have DMA operations of their own (set_dma_ops()) that
 *   merge all runs to one range of device addresses and, as dma-iommu does, take
 *   of a sync the first byte's address and go on from there in physical memory.
 *   There the kernel takes every device for coherent, so that bufalloc leaves the
 *   sync at map to the map: what it knows is that the device sees other memory.
 *
 * The mock is of one process, from its first open file to its last.
 */
#ifndef BA_MOCK_H
#define BA_MOCK_H

#include <linux/ioctl.h>
#include <linux/types.h>

/**
 * struct ba_mock_import - attach and map a dma-buf for reading and writing; one
 * for each open file. ENODEV: there is no such device.
 * @fd: of the dma-buf
 * @device: 0 to 3, see above
 * @segments: out: segments that the device got
 * @line: out: bytes of a cache line, as the DMA API has it
 */
struct ba_mock_import {
	__s32 fd;
	__u32 device;
	__u32 segments;
	__u32 line;
};

/**
 * struct ba_mock_access - the device reads or writes
 * @offset: in the buffer, in bytes
 * @length: in bytes
 * @data: the process's memory that it is copied to or from
 */
struct ba_mock_access {
	__u64 offset;
	__u64 length;
	__u64 data;
};

/**
 * struct ba_mock_counts - work on the caches since the last call
 * @calls: write-backs [0] and invalidations [1]
 * @bytes: that they were asked for
 * @stray: bytes of memory that no device of the mock has mapped
 */
struct ba_mock_counts {
	__u64 calls[2];
	__u64 bytes[2];
	__u64 stray;
};

#define BA_MOCK_IMPORT _IOWR('m', 0, struct ba_mock_import)
#define BA_MOCK_READ _IOW('m', 1, struct ba_mock_access)
#define BA_MOCK_WRITE _IOW('m', 2, struct ba_mock_access)
/* Unmap and detach; closing the file does it, too. */
#define BA_MOCK_RELEASE _IO('m', 3)
#define BA_MOCK_COUNTS _IOR('m', 4, struct ba_mock_counts)

#endif /* BA_MOCK_H */
