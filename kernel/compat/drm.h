/* SPDX-License-Identifier: GPL-2.0 */
/* What differs between the kernels' DRM headers. */
#ifndef BUFALLOC_COMPAT_DRM_H
#define BUFALLOC_COMPAT_DRM_H

#include <drm/drm_device.h>
#include <drm/drm_drv.h>
#include <linux/version.h>

/* 6.15 separated the device that does the DMA from the one that probed. */
static inline struct device *
bufalloc_compat_drm_dma_dev(struct drm_device *drm)
{
#ifdef BUFALLOC_HAVE_DRM_DEV_DMA_DEV
	return drm_dev_dma_dev(drm);
#else
	return drm->dev;
#endif
}

/*
 * Does the driver import dma-bufs of others? Up to 6.5 it had to say how to
 * make a handle of one; since 6.6 that is the default, and what counts is
 * whether it can make an object of a table of pages.
 */
static inline bool
bufalloc_compat_drm_imports(const struct drm_driver *driver)
{
#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 6, 0)
	if (!driver->prime_fd_to_handle)
		return false;
#endif
	return driver->gem_prime_import || driver->gem_prime_import_sg_table;
}

#endif /* BUFALLOC_COMPAT_DRM_H */
