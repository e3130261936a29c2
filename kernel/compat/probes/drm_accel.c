// SPDX-License-Identifier: GPL-2.0
/* Accelerators have nodes of their own (6.2), if the kernel has them. */
#include <drm/drm_accel.h>
#if !IS_ENABLED(CONFIG_DRM_ACCEL)
#error "no accelerators"
#endif
int probe(void);
int probe(void)
{
	return ACCEL_MAJOR;
}
