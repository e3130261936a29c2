/* SPDX-License-Identifier: MIT */
/* What the other headers of libbufalloc share. Include <bufalloc/bufalloc.h>. */
#ifndef BUFALLOC_TYPES_H
#define BUFALLOC_TYPES_H

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
	 * One physical range, below 4 GiB. For devices that take one DMA segment
	 * and have no IOMMU (most V4L2 and DRM drivers of embedded SoCs).
	 */
	BUFALLOC_CONTIG = 2,
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

#endif /* BUFALLOC_TYPES_H */
