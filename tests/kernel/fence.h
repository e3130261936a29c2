/* SPDX-License-Identifier: MIT */
/*
 * Fences that are signalled when we say so, as vgem has them
 * (drivers/gpu/drm/vgem/vgem_fence.c). It signals them itself after 10 s.
 */
#ifndef FENCE_H
#define FENCE_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

struct fence {
	int card;
	uint32_t handle, id;
};

/* What the device that signals it does to the buffer until then. */
enum fence_device { DEVICE_READS, DEVICE_WRITES };

/* A fence on that dma-buf, which vgem imports for it; skipped without vgem. */
struct fence
fence_on(int dmabuf, enum fence_device device);

/* One on a buffer of vgem's own, and a sync_file of it. */
struct fence
fence_elsewhere(int *sync_file);

/* Signal it. The row fails if it is too late: then nothing was proven. */
void
fence_signal(const struct fence *fence);

void
fence_close(const struct fence *fence);

/* DMA_BUF_IOCTL_EXPORT_SYNC_FILE with DMA_BUF_SYNC_*: a sync_file. */
int
fence_export(int dmabuf, uint32_t flags);

/* DMA_BUF_IOCTL_IMPORT_SYNC_FILE. */
void
fence_import(int dmabuf, int sync_file, uint32_t flags);

/* Is one of these poll(2) events ready now? Of a sync_file: POLLIN. */
bool
fence_polls(int fd, short events);

/* Is that process asleep until a fence is signalled? */
bool
fence_waits(pid_t pid);

#endif /* FENCE_H */
