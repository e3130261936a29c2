// SPDX-License-Identifier: GPL-2.0
/* Displays that only need the kernel's mapping may import without DMA (6.17). */
#include <drm/drm_gem_shmem_helper.h>
void *probe(void);
void *probe(void)
{
	return drm_gem_shmem_prime_import_no_map;
}
