// SPDX-License-Identifier: GPL-2.0
/*
 * bufalloc-drm.ko: the device behind a DRM node.
 */
#include <drm/drm_device.h>
#include <drm/drm_drv.h>
#include <drm/drm_file.h>
#include <drm/drm_gem_dma_helper.h>
#include <drm/drm_gem_shmem_helper.h>
#include <linux/device.h>
#include <linux/err.h>
#include <linux/fs.h>
#include <linux/major.h>
#include <linux/module.h>

#include "compat/drm.h"
#include "resolver.h"

/*
 * Does the driver import with that helper? The module that has it is neither
 * loaded nor depended on for the question.
 */
#define IMPORTS_WITH(driver, helper) ({ \
	void *_known = symbol_get(helper); \
	bool _same = _known && \
		(void *)(driver)->gem_prime_import_sg_table == _known; \
	if (_known) \
		symbol_put(helper); \
	_same; \
})

/* Drivers that map into an IOMMU domain of their own. */
static const char * const self_managed[] = {
	"exynos", "msm", "rockchip", "tegra", "etnaviv", "nouveau",
};

static bool is_self_managed(const struct drm_driver *driver)
{
	int i;

	for (i = 0; i < ARRAY_SIZE(self_managed); i++)
		if (!strcmp(driver->name, self_managed[i]))
			return true;
	return false;
}

static struct drm_file *drm_file_of(const struct bufalloc_endpoint *endpoint)
{
	return endpoint->file->private_data;
}

static int bufalloc_drm_resolve(struct bufalloc_endpoint *endpoint)
{
	struct drm_device *drm = drm_file_of(endpoint)->minor->dev;
	const struct drm_driver *driver = drm->driver;

	if (!drm_core_check_feature(drm, DRIVER_GEM) ||
	    !bufalloc_compat_drm_imports(driver))
		return -EOPNOTSUPP;

	endpoint->dev = bufalloc_compat_drm_dma_dev(drm);
	endpoint->found = BUFALLOC_FOUND_DRM;
	strscpy(endpoint->driver, driver->name, sizeof(endpoint->driver));
	strscpy(endpoint->name, dev_name(drm->dev), sizeof(endpoint->name));

	/* drm_prime_get_contiguous_size() must be all of it. */
	if (IMPORTS_WITH(driver, drm_gem_dma_prime_import_sg_table) ||
	    IMPORTS_WITH(driver, drm_gem_dma_prime_import_sg_table_vmap))
		endpoint->max_segments = 1;
	/*
	 * A display that keeps its pictures in shmem and renders nothing shows
	 * them by the CPU (vkms, udl, gud, simpledrm, the tiny ones).
	 */
	if (IMPORTS_WITH(driver, drm_gem_shmem_prime_import_sg_table) &&
	    !drm_core_check_feature(drm, DRIVER_RENDER))
		endpoint->flags |= BUFALLOC_DEVICE_NEEDS_VMAP;
	if (is_self_managed(driver))
		endpoint->flags |= BUFALLOC_DEVICE_SELF_MANAGED;
	return 0;
}

static bool bufalloc_drm_alive(const struct bufalloc_endpoint *endpoint)
{
	struct drm_device *drm = drm_file_of(endpoint)->minor->dev;
	int idx;

	if (!drm_dev_enter(drm, &idx))
		return false;
	drm_dev_exit(idx);
	return true;
}

static struct bufalloc_resolver bufalloc_drm_resolver = {
	.owner = THIS_MODULE,
	.major = DRM_MAJOR,
	.resolve = bufalloc_drm_resolve,
	.alive = bufalloc_drm_alive,
};

static int __init bufalloc_drm_init(void)
{
	bufalloc_resolver_register(&bufalloc_drm_resolver);
	return 0;
}

static void __exit bufalloc_drm_exit(void)
{
	bufalloc_resolver_unregister(&bufalloc_drm_resolver);
}

module_init(bufalloc_drm_init);
module_exit(bufalloc_drm_exit);

MODULE_DESCRIPTION("bufalloc: finds the device behind a DRM node");
MODULE_AUTHOR("The bufalloc authors");
MODULE_LICENSE("GPL");
MODULE_ALIAS("bufalloc-resolver-226");
BUFALLOC_IMPORT_NS(BUFALLOC);
