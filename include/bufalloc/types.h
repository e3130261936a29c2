/* SPDX-License-Identifier: MIT */
/* What the other headers of libbufalloc share. Include <bufalloc/bufalloc.h>. */
#ifndef BUFALLOC_TYPES_H
#define BUFALLOC_TYPES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/** A connection to the kernel module. */
struct bufalloc_ctx;

/** One buffer: a dma-buf file descriptor and what is known about it. */
struct bufalloc_buf;

/** Why a buffer for devices is as it is, or why there is none. */
struct bufalloc_verdict;

/** Where the pages of a buffer come from. */
enum bufalloc_heap {
	/**
	 * The first, cheapest heap that all devices of bufalloc_alloc_for() can
	 * use; without devices that is BUFALLOC_SYSTEM.
	 */
	BUFALLOC_AUTO = 0,
	/**
	 * Pages from anywhere. For devices behind an IOMMU and for importers
	 * that read and write through the CPU (vivid, vkms, UVC cameras).
	 */
	BUFALLOC_SYSTEM = 1,
	/**
	 * One physical range that the devices reach; below 4 GiB without devices,
	 * and where one's reach cannot be told. For devices that take one DMA
	 * segment and have no IOMMU (most V4L2 and DRM drivers of embedded SoCs).
	 */
	BUFALLOC_CONTIG = 2,
	/**
	 * One physical range of memory that was set aside for bufalloc when the
	 * machine was set up (docs/reserved-memory.md), and that the CPU reads
	 * slowly, unless it is a region of CMA's. BUFALLOC_AUTO takes it last.
	 */
	BUFALLOC_RESERVED = 3,
	/**
	 * Memory of one device's own, which a devicetree gave to it. Exactly one
	 * of the devices has such memory (-ENOSPC), and the others reach it. It
	 * has no kernel mapping for importers, and it is gone when that device's
	 * driver is unbound: touching a mapping of it is SIGBUS then, and calls
	 * answer -ENODEV. BUFALLOC_AUTO takes it only if nothing else will do.
	 */
	BUFALLOC_DEVICE_MEMORY = 4,
	/**
	 * Memory that a process had before, see bufalloc_import_user(). Nothing
	 * can be allocated from it.
	 */
	BUFALLOC_USER = 5,
};

/**
 * What a buffer is like, for bufalloc_alloc_with(): bits. What they forbid and
 * allow is at enum bufalloc_attribute in <linux/bufalloc.h>.
 */
enum bufalloc_attr {
	/**
	 * No CPU reads or writes it: bufalloc_buf_map() and importers that work
	 * by a kernel mapping (vb2-vmalloc: vivid, UVC cameras; vkms) are
	 * refused, by bufalloc_alloc_with() already where such a device is one
	 * of those that the buffer is for.
	 */
	BUFALLOC_NEVER_CPU = 1,
	/**
	 * CPUs write past their caches, and what they write is gathered: for
	 * what the CPU fills from the start to the end and does not read, such
	 * as a picture for a display. To read it is slow.
	 */
	BUFALLOC_WRITE_COMBINE = 2,
	/**
	 * CPUs read and write past their caches: for what the CPU looks at now
	 * and then while a device works on it. Not with the one before. On ARM
	 * the two are one type of memory.
	 */
	BUFALLOC_UNCACHED = 4,
	/**
	 * One physical range, as if one of the devices took one DMA segment. Never
	 * left out.
	 */
	BUFALLOC_CONTIGUOUS = 8,
	/**
	 * O_DIRECT and io_uring can read and write files straight to where it is
	 * mapped. What was begun goes on after the buffer is destroyed. Not with
	 * BUFALLOC_NEVER_CPU, BUFALLOC_WRITE_COMBINE and BUFALLOC_UNCACHED.
	 */
	BUFALLOC_PINNABLE = 16,
};

/**
 * What the CPU is about to do, for bufalloc_buf_begin() and _end(), or what a
 * device does to the memory.
 */
enum bufalloc_access {
	BUFALLOC_READ = 1,
	BUFALLOC_WRITE = 2,
	BUFALLOC_READ_WRITE = BUFALLOC_READ | BUFALLOC_WRITE,
};

/**
 * How it is known that a device can use a buffer, besides the kernel's enum
 * bufalloc_proof of <linux/bufalloc.h>.
 */
enum bufalloc_library_proof {
	/** It imported the buffer. */
	BUFALLOC_PROOF_IMPORTED = 0x100,
};

/**
 * What decided, or what failed, besides the kernel's enum bufalloc_reason of
 * <linux/bufalloc.h>: what the library itself finds out. The two share their
 * numbers.
 */
enum bufalloc_why {
	/** The device does not take the format, or not in that many dma-bufs. */
	BUFALLOC_WHY_FORMAT = 0x100,
	/** It does not take the size of the picture, or no device could. */
	BUFALLOC_WHY_SIZE = 0x101,
	/** It wants other strides than another device does. */
	BUFALLOC_WHY_STRIDE = 0x102,
	/** It wants another number of lines than another device does. */
	BUFALLOC_WHY_LINES = 0x103,
	/** It wants the second plane at another place. */
	BUFALLOC_WHY_OFFSET = 0x104,
	/** The devices did not agree on a layout. */
	BUFALLOC_WHY_LAYOUT = 0x105,
	/** The display makes no framebuffer of this format and size. */
	BUFALLOC_WHY_SHOW = 0x106,
	/** The device did not answer. */
	BUFALLOC_WHY_ASK = 0x107,
	/** How many bytes are wanted is not known. */
	BUFALLOC_WHY_LENGTH = 0x108,
	/** The backend is not there, or the caller may not use it. */
	BUFALLOC_WHY_OPEN = 0x109,
	/** It does not allocate this, for another reason than memory. */
	BUFALLOC_WHY_ALLOC = 0x10a,
	/** The device takes no dma-bufs. */
	BUFALLOC_WHY_NO_IMPORT = 0x10b,
	/** The device refused this one. */
	BUFALLOC_WHY_IMPORT = 0x10c,
	/** What it allocates is no dma-buf, and a device was added. */
	BUFALLOC_WHY_NO_DMABUF = 0x10d,
	/** It cannot honour a required attribute, or has no heap of that name. */
	BUFALLOC_WHY_ATTRIBUTE = 0x10e,
	/** Nothing could be tried. */
	BUFALLOC_WHY_NOTHING = 0x10f,
};

#endif /* BUFALLOC_TYPES_H */
