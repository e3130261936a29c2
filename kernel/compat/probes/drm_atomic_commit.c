// SPDX-License-Identifier: GPL-2.0
/* struct drm_atomic_state is called otherwise (by 7.2). */
#include <drm/drm_atomic.h>
extern struct drm_atomic_commit probe;
struct drm_atomic_commit probe;
