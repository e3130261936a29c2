/* SPDX-License-Identifier: GPL-2.0 WITH Linux-syscall-note */
/*
 * /dev/ba_importer: a stand-in for a device that imports dma-bufs, as no
 * emulated device does that at a size and time of the test's choosing. Each
 * open file is one import; there are two devices behind it. What "the device"
 * reads and writes is the memory that its addresses point to: with
 * swiotlb=force that is bounce memory, so that a sync that is missing or goes
 * to the wrong place shows as wrong data.
 */
#ifndef BA_IMPORTER_H
#define BA_IMPORTER_H

#include <linux/ioctl.h>
#include <linux/types.h>

/**
 * enum ba_importer_how - what a dma-buf is imported for
 * @BA_IMPORTER_BOTH: the device reads and writes, like a display's driver asks
 * @BA_IMPORTER_READS: it reads
 * @BA_IMPORTER_VMAP: only the CPU uses it, like vb2-vmalloc: no attachment
 */
enum ba_importer_how {
	BA_IMPORTER_BOTH,
	BA_IMPORTER_READS,
	BA_IMPORTER_VMAP,
};

/**
 * struct ba_importer_import - attach and map a dma-buf
 * @fd: of the dma-buf
 * @device: 0 or 1; 2: cache coherent, whatever the others are; 3: of 32 bits
 * @how: enum ba_importer_how
 * @segments: out: segments that the device got
 * @coherent: out: 1 if the device is cache coherent
 * @__pad: 0
 * @bounced: out: bytes whose device address is not that of the page
 */
struct ba_importer_import {
	__s32 fd;
	__u32 device;
	__u32 how;
	__u32 segments;
	__u32 coherent;
	__u32 __pad;
	__u64 bounced;
};

/**
 * struct ba_importer_access - the device writes or reads all of the buffer
 * @seed: byte i is (i * 31 + seed) & 0xff
 * @__pad: 0
 * @match: CHECK: bytes from the start on that are as expected
 */
struct ba_importer_access {
	__u32 seed;
	__u32 __pad;
	__u64 match;
};

#define BA_IMPORTER_IMPORT _IOWR('i', 0, struct ba_importer_import)
#define BA_IMPORTER_WRITE _IOWR('i', 1, struct ba_importer_access)
#define BA_IMPORTER_CHECK _IOWR('i', 2, struct ba_importer_access)
/* Unmap and detach; closing the file does it, too. */
#define BA_IMPORTER_RELEASE _IO('i', 3)

#endif /* BA_IMPORTER_H */
