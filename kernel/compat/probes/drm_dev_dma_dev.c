// SPDX-License-Identifier: GPL-2.0
/* The device that does a DRM device's DMA may be another than its own. */
#include <drm/drm_device.h>
struct device *probe(struct drm_device *drm);
struct device *probe(struct drm_device *drm)
{
	return drm_dev_dma_dev(drm);
}
