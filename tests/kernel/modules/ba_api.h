/* SPDX-License-Identifier: GPL-2.0 WITH Linux-syscall-note */
/*
 * /dev/ba_api: a driver that calls all of bufalloc's in-kernel API, for QEMU's
 * devices "edu". Loaded instead of ba_edu.
 */
#ifndef BA_API_H
#define BA_API_H

#include <linux/ioctl.h>
#include <linux/types.h>

/**
 * struct ba_api_run - run one of the driver's checks
 * @name: of the check, terminated
 * @why: out: what failed, terminated; empty: nothing did
 * @fd: of a dma-buf, for checks that want the caller's
 * @heap: enum bufalloc_heap_id of the buffers that the check works on
 */
struct ba_api_run {
	char name[48];
	char why[128];
	__s32 fd;
	__u32 heap;
};

/* ENOENT: no such check. ENODEV: fewer devices than it needs. */
#define BA_API_RUN _IOWR('a', 0, struct ba_api_run)

#endif /* BA_API_H */
