// SPDX-License-Identifier: MIT
/*
 * Fences of vgem's; see fence.h.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <linux/dma-buf.h>
#include <xf86drm.h>
#include <xf86drmMode.h>

#include "fence.h"
#include "ktest.h"

/* What include/uapi/drm/vgem_drm.h says, which no package has. */
struct vgem_fence_attach {
	uint32_t handle;
	uint32_t flags;
	uint32_t out_fence;
	uint32_t pad;
};

struct vgem_fence_signal {
	uint32_t fence;
	uint32_t flags;
};

#define VGEM_ATTACH DRM_IOWR(DRM_COMMAND_BASE + 1, struct vgem_fence_attach)
#define VGEM_SIGNAL DRM_IOW(DRM_COMMAND_BASE + 2, struct vgem_fence_signal)
#define VGEM_WRITE 1

static void
attach(struct fence *fence, enum fence_device device)
{
	struct vgem_fence_attach arg = {
		.handle = fence->handle,
		.flags = device == DEVICE_WRITES ? VGEM_WRITE : 0,
	};

	CHECK_EQ(ioctl(fence->card, VGEM_ATTACH, &arg), 0);
	fence->id = arg.out_fence;
}

struct fence
fence_on(int dmabuf, enum fence_device device)
{
	struct fence fence = { .card = drm_open_driver("vgem") };

	CHECK_EQ(drmPrimeFDToHandle(fence.card, dmabuf, &fence.handle), 0);
	attach(&fence, device);
	return fence;
}

struct fence
fence_elsewhere(int *sync_file)
{
	struct fence fence = { .card = drm_open_driver("vgem") };
	uint32_t pitch;
	uint64_t size;
	int dmabuf;

	CHECK_EQ(drmModeCreateDumbBuffer(fence.card, 64, 64, 32, 0,
					 &fence.handle, &pitch, &size), 0);
	CHECK_EQ(drmPrimeHandleToFD(fence.card, fence.handle, O_CLOEXEC, &dmabuf),
		 0);
	attach(&fence, DEVICE_WRITES);
	*sync_file = fence_export(dmabuf, DMA_BUF_SYNC_READ);
	close(dmabuf);
	return fence;
}

void
fence_signal(const struct fence *fence)
{
	struct vgem_fence_signal arg = { .fence = fence->id };

	/* ETIMEDOUT after 10 s. */
	CHECK_EQ(ioctl(fence->card, VGEM_SIGNAL, &arg), 0);
}

void
fence_close(const struct fence *fence)
{
	CHECK_EQ(drmCloseBufferHandle(fence->card, fence->handle), 0);
	close(fence->card);
}

int
fence_export(int dmabuf, uint32_t flags)
{
	struct dma_buf_export_sync_file arg = { .flags = flags, .fd = -1 };

	CHECK_EQ(ioctl(dmabuf, DMA_BUF_IOCTL_EXPORT_SYNC_FILE, &arg), 0);
	CHECK(arg.fd >= 0);
	return arg.fd;
}

void
fence_import(int dmabuf, int sync_file, uint32_t flags)
{
	struct dma_buf_import_sync_file arg = { .flags = flags,
						.fd = sync_file };

	CHECK_EQ(ioctl(dmabuf, DMA_BUF_IOCTL_IMPORT_SYNC_FILE, &arg), 0);
}

bool
fence_polls(int fd, short events)
{
	struct pollfd ready = { .fd = fd, .events = events };
	int count = poll(&ready, 1, 0);

	CHECK(count >= 0);
	return count == 1;
}

bool
fence_waits(pid_t pid)
{
	char path[64], symbol[64] = "";
	FILE *file;

	snprintf(path, sizeof(path), "/proc/%d/wchan", pid);
	file = fopen(path, "re");
	CHECK(file != NULL);
	(void)!fread(symbol, 1, sizeof(symbol) - 1, file);
	fclose(file);
	return strstr(symbol, "dma_fence") != NULL;
}
