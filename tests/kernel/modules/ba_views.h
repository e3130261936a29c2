/* SPDX-License-Identifier: GPL-2.0 WITH Linux-syscall-note */
/*
 * /dev/ba_views: of what type is memory for those who look at it? It walks page
 * tables and decodes what the processor was told there (IA32_PAT, MAIR_EL1), page
 * by page. No function of the kernel that keeps book of types is asked.
 *
 * For x86-64 and arm64; elsewhere there is no such node.
 */
#ifndef BA_VIEWS_H
#define BA_VIEWS_H

#include <linux/ioctl.h>
#include <linux/types.h>

/**
 * enum ba_views_type - of memory, in one page table
 * @BA_VIEWS_NONE: it is not mapped
 * @BA_VIEWS_CACHED: write-back
 * @BA_VIEWS_WRITE_COMBINE: x86: write-combining. arm64: normal memory that is
 *	not cacheable, which is what Linux has for both
 * @BA_VIEWS_UNCACHED: x86: uncached or uncached-minus
 * @BA_VIEWS_OTHER: any other (device memory, write-through, ...)
 */
enum ba_views_type {
	BA_VIEWS_NONE,
	BA_VIEWS_CACHED,
	BA_VIEWS_WRITE_COMBINE,
	BA_VIEWS_UNCACHED,
	BA_VIEWS_OTHER,
	BA_VIEWS_TYPES,
};

/**
 * struct ba_views_pages - number of pages of each type
 */
struct ba_views_pages {
	__u32 of[BA_VIEWS_TYPES];
};

/**
 * struct ba_views_look - how a buffer is seen
 * @fd: of the dma-buf
 * @__pad: 0
 * @address: where the caller has mapped all of it; every page was touched. Where
 *	the pages are is taken from there
 * @length: bytes
 * @user: out: in the caller's page table
 * @linear: out: in the kernel's linear map
 * @vmap: out: where dma_buf_vmap() mapped it; all of it BA_VIEWS_NONE if that
 *	was refused
 *
 * The pages are remembered until the next LOOK of the open file.
 */
struct ba_views_look {
	__s32 fd;
	__u32 __pad;
	__u64 address;
	__u64 length;
	struct ba_views_pages user;
	struct ba_views_pages linear;
	struct ba_views_pages vmap;
};

#define BA_VIEWS_LOOK _IOWR('v', 0, struct ba_views_look)
/* The linear map of the remembered pages, now; whoever has them. */
#define BA_VIEWS_AGAIN _IOR('v', 1, struct ba_views_pages)

#endif /* BA_VIEWS_H */
