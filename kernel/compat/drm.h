/* SPDX-License-Identifier: GPL-2.0 */
/* What differs between the kernels' DRM headers. */
#ifndef BUFALLOC_COMPAT_DRM_H
#define BUFALLOC_COMPAT_DRM_H

#include <drm/drm_device.h>
#include <drm/drm_drv.h>
#ifdef BUFALLOC_HAVE_DRM_ACCEL
#include <drm/drm_accel.h>
#endif
#ifdef BUFALLOC_HAVE_DRM_SHMEM_NO_MAP
#include <drm/drm_gem_shmem_helper.h>
#endif
#include <linux/module.h>
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

/*
 * Since 6.17 there is a helper for drivers that use what they import by the CPU
 * alone: it maps nothing for DMA.
 */
static inline bool
bufalloc_compat_drm_imports_unmapped(const struct drm_driver *driver)
{
	bool same = false;
#ifdef BUFALLOC_HAVE_DRM_SHMEM_NO_MAP
	void *known = symbol_get(drm_gem_shmem_prime_import_no_map);

	if (known) {
		same = (void *)driver->gem_prime_import == known;
		symbol_put(drm_gem_shmem_prime_import_no_map);
	}
#endif
	return same;
}

#endif /* BUFALLOC_COMPAT_DRM_H */
