// SPDX-License-Identifier: GPL-2.0
/* A DRM driver has a date (up to 6.13). */
#include <drm/drm_drv.h>
extern const struct drm_driver probe;
const struct drm_driver probe = { .date = "20261122" };
