// SPDX-License-Identifier: GPL-2.0
/*
 * The device behind a DRM node.
 */
#include <drm/drm_device.h>
#include <drm/drm_drv.h>
#include <drm/drm_file.h>
#include <drm/drm_gem_dma_helper.h>
#include <drm/drm_gem_shmem_helper.h>
#include <drm/drm_prime.h>
#include <linux/device.h>
#include <linux/err.h>
#include <linux/fs.h>
#include <linux/major.h>
#include <linux/module.h>
#include <linux/pci.h>
#include <linux/string.h>

#include "compat/drm.h"
#include "drm_object.h"
#include "resolver.h"

/*
 * Is it that helper? The module that has it is neither loaded nor depended on
 * for the question.
 */
#define IS_HELPER(function, helper) ({ \
	void *_known = symbol_get(helper); \
	bool _same = _known && (void *)(function) == _known; \
	if (_known) \
		symbol_put(helper); \
	_same; \
})

/* The same by its name, of helpers that symbol_get() is refused (not GPL-only). */
static bool is_named(void *function, const char *helper)
{
	char name[64];
	size_t length = strlen(helper);

	/* "helper [module]" */
	snprintf(name, sizeof(name), "%ps", function);
	return !strncmp(name, helper, length) &&
	       (name[length] == ' ' || !name[length]);
}

/*
 * Drivers of system chips that map pages (not DMA addresses) into an IOMMU domain
 * of their own: what the DMA API says of their device proves nothing. As long as
 * that domain is attached to the device, the core sees it by itself; these attach
 * it to other devices than the one that imports, or only while they work.
 *
 *   msm       msm_iommu_map()
 *   nouveau   nvkm_device_tegra_probe_iommu(); as a PCI device it has none
 *   rockchip  rockchip_gem_iommu_map(); attached while a display is on
 *   tegra     tegra_bo_iommu_map(); attached to the clients
 */
static const char * const self_managed[] = {
	"msm", "nouveau", "rockchip", "tegra",
};

static bool is_self_managed(const struct drm_device *drm)
{
	int i;

	if (dev_is_pci(drm->dev))
		return false;
	for (i = 0; i < ARRAY_SIZE(self_managed); i++)
		if (!strcmp(drm->driver->name, self_managed[i]))
			return true;
	return false;
}

/*
 * A driver with an import function of its own may attach another device than
 * ours (exynos, mediatek and the ones on USB did, before drm_dev_dma_dev()).
 * Only on PCI it is always the device itself.
 */
static bool is_guessed(const struct drm_device *drm)
{
	const struct drm_driver *driver = drm->driver;

	return driver->gem_prime_import &&
	       driver->gem_prime_import != drm_gem_prime_import &&
	       bufalloc_drm_kind_of(drm) == BUFALLOC_DRM_FOREIGN &&
	       !dev_is_pci(drm->dev);
}

/* What a driver that has our objects says of itself. */
static u32 use_ours(enum bufalloc_drm_kind kind, u32 *max_segments)
{
	if (kind == BUFALLOC_DRM_VMAP)
		return BUFALLOC_DEVICE_NO_DMA | BUFALLOC_DEVICE_NEEDS_VMAP;
	if (kind == BUFALLOC_DRM_ONE_SEGMENT)
		*max_segments = 1;
	return 0;
}

/* Whether a driver maps at all, in how many segments, and what else it needs. */
static u32 use_imports(const struct drm_device *drm, u32 *max_segments)
{
	const struct drm_driver *driver = drm->driver;
	enum bufalloc_drm_kind kind = bufalloc_drm_kind_of(drm);
	void *table = driver->gem_prime_import_sg_table;
	bool with_vmap =
		is_named(table, "drm_gem_dma_prime_import_sg_table_vmap");

	if (kind != BUFALLOC_DRM_FOREIGN)
		return use_ours(kind, max_segments);
	if (bufalloc_compat_drm_imports_unmapped(driver))
		return BUFALLOC_DEVICE_NO_DMA | BUFALLOC_DEVICE_NEEDS_VMAP;
	/* drm_prime_get_contiguous_size() must be all of it. */
	if (with_vmap || IS_HELPER(table, drm_gem_dma_prime_import_sg_table))
		*max_segments = 1;
	/*
	 * A display that keeps its pictures in shmem and renders nothing shows
	 * them by the CPU (vkms, udl, gud, simpledrm, the tiny ones).
	 */
	if (with_vmap ||
	    (IS_HELPER(table, drm_gem_shmem_prime_import_sg_table) &&
	     drm_core_check_feature(drm, DRIVER_MODESET) &&
	     !drm_core_check_feature(drm, DRIVER_RENDER)))
		return BUFALLOC_DEVICE_NEEDS_VMAP;
	return 0;
}

static struct drm_device *drm_of(const struct bufalloc_endpoint *endpoint)
{
	struct drm_file *file = endpoint->file->private_data;

	return file->minor->dev;
}

/*
 * Is the driver still there? Some take their device away by drm_dev_unplug(),
 * which drm_dev_enter() sees, and some only by drm_dev_unregister().
 */
static bool is_registered(struct drm_device *drm)
{
	return READ_ONCE(drm->registered) && !drm_dev_is_unplugged(drm);
}

static int bufalloc_drm_resolve(struct bufalloc_endpoint *endpoint)
{
	struct drm_device *drm = drm_of(endpoint);

	if (!drm_core_check_feature(drm, DRIVER_GEM) ||
	    !bufalloc_compat_drm_imports(drm->driver))
		return -EOPNOTSUPP;

	/* All that is looked at stays as long as the node is open. */
	if (!is_registered(drm))
		return -ENODEV;
	endpoint->found = BUFALLOC_FOUND_DRM;
	strscpy(endpoint->driver, drm->driver->name, sizeof(endpoint->driver));
	strscpy(endpoint->name, dev_name(drm->dev), sizeof(endpoint->name));

	endpoint->flags = use_imports(drm, &endpoint->max_segments);
	if (is_self_managed(drm))
		endpoint->flags |= BUFALLOC_DEVICE_SELF_MANAGED;
	if (is_guessed(drm) && !(endpoint->flags & BUFALLOC_DEVICE_NO_DMA))
		endpoint->flags |= BUFALLOC_DEVICE_INFERRED;
	if (!(endpoint->flags & BUFALLOC_DEVICE_NO_DMA))
		endpoint->dev = get_device(bufalloc_compat_drm_dma_dev(drm));
	return 0;
}

static bool bufalloc_drm_alive(const struct bufalloc_endpoint *endpoint)
{
	return is_registered(drm_of(endpoint));
}

static struct bufalloc_resolver bufalloc_drm_resolver = {
	.owner = THIS_MODULE,
	.major = DRM_MAJOR,
	.resolve = bufalloc_drm_resolve,
	.alive = bufalloc_drm_alive,
};

#ifdef BUFALLOC_HAVE_DRM_ACCEL
/* Accelerators are DRM devices with nodes of another major. */
static struct bufalloc_resolver bufalloc_accel_resolver = {
	.owner = THIS_MODULE,
	.major = ACCEL_MAJOR,
	.resolve = bufalloc_drm_resolve,
	.alive = bufalloc_drm_alive,
};
MODULE_ALIAS("bufalloc-resolver-261");
#endif

static int __init bufalloc_drm_init(void)
{
	bufalloc_resolver_register(&bufalloc_drm_resolver);
#ifdef BUFALLOC_HAVE_DRM_ACCEL
	bufalloc_resolver_register(&bufalloc_accel_resolver);
#endif
	return 0;
}

static void __exit bufalloc_drm_exit(void)
{
#ifdef BUFALLOC_HAVE_DRM_ACCEL
	bufalloc_resolver_unregister(&bufalloc_accel_resolver);
#endif
	bufalloc_resolver_unregister(&bufalloc_drm_resolver);
}

module_init(bufalloc_drm_init);
module_exit(bufalloc_drm_exit);

MODULE_DESCRIPTION("bufalloc: finds the device behind a DRM node, and GEM objects");
MODULE_AUTHOR("The bufalloc authors");
MODULE_LICENSE("GPL");
MODULE_ALIAS("bufalloc-resolver-226");
BUFALLOC_IMPORT_NS(BUFALLOC);
BUFALLOC_IMPORT_NS(DMA_BUF);
