// SPDX-License-Identifier: GPL-2.0
/*
 * DRM devices of every kind that a driver may have and the test drivers of the
 * kernel have not. They do nothing: they are there to be asked about, and to be
 * unbound from this driver. Each is found by its DRM driver's name.
 */
#include <drm/drm_drv.h>
#include <drm/drm_file.h>
#include <drm/drm_gem.h>
#include <drm/drm_gem_shmem_helper.h>
#include <drm/drm_ioctl.h>
#include <drm/drm_prime.h>
#include <linux/err.h>
#include <linux/module.h>
#include <linux/platform_device.h>

#include "compat/config.h"
#ifdef BUFALLOC_HAVE_DRM_ACCEL
#include <drm/drm_accel.h>
#endif

static struct drm_gem_object *import(struct drm_device *drm, struct dma_buf *buf)
{
	return ERR_PTR(-EPERM);
}

static struct drm_gem_object *
import_sg_table(struct drm_device *drm, struct dma_buf_attachment *attachment,
		struct sg_table *table)
{
	return ERR_PTR(-EPERM);
}

DEFINE_DRM_GEM_FOPS(fops);
#ifdef BUFALLOC_HAVE_DRM_ACCEL
DEFINE_DRM_ACCEL_FOPS(accel_fops);
#endif

#define DRIVER(_name, _features, _fops, ...) \
	{ .name = _name, .desc = "test", \
	  BUFALLOC_COMPAT_DRM_DATE("20261121") \
	  .driver_features = _features, .fops = &_fops, \
	  .prime_fd_to_handle = drm_gem_prime_fd_to_handle, ##__VA_ARGS__ }

/**
 * struct kind - one device
 * @driver: of it
 * @unplugs: it goes by drm_dev_unplug(), else by drm_dev_unregister()
 */
static const struct kind {
	struct drm_driver driver;
	bool unplugs;
} kinds[] = {
	{ DRIVER("ba_no_gem", 0, fops) },
	{ DRIVER("ba_no_import", DRIVER_GEM, fops) },
	{ DRIVER("ba_import", DRIVER_GEM, fops,
		 .gem_prime_import_sg_table = import_sg_table),
	  .unplugs = true },
	/* This one really imports. */
	{ DRIVER("ba_shmem", DRIVER_GEM | DRIVER_RENDER, fops,
		 .gem_prime_import_sg_table =
			drm_gem_shmem_prime_import_sg_table) },
	{ DRIVER("ba_own_import", DRIVER_GEM, fops,
		 .gem_prime_import = import) },
	/* One of those that map into an IOMMU domain of their own. */
	{ DRIVER("rockchip", DRIVER_GEM, fops,
		 .gem_prime_import_sg_table = import_sg_table) },
#ifdef BUFALLOC_HAVE_DRM_ACCEL
	{ DRIVER("ba_accel", DRIVER_GEM | DRIVER_COMPUTE_ACCEL, accel_fops,
		 .gem_prime_import_sg_table = import_sg_table) },
#endif
};

static struct platform_device *parents[ARRAY_SIZE(kinds)];

static void remove(void *data)
{
	struct drm_device *drm = data;

	if (container_of(drm->driver, struct kind, driver)->unplugs)
		drm_dev_unplug(drm);
	else
		drm_dev_unregister(drm);
	drm_dev_put(drm);
}

static int probe(struct platform_device *pdev)
{
	struct drm_device *drm = drm_dev_alloc(&kinds[pdev->id].driver,
					       &pdev->dev);
	int ret;

	if (IS_ERR(drm))
		return PTR_ERR(drm);
	ret = drm_dev_register(drm, 0);
	if (ret) {
		drm_dev_put(drm);
		return ret;
	}
	return devm_add_action_or_reset(&pdev->dev, remove, drm);
}

static struct platform_driver driver = {
	.driver.name = "ba_drm",
	.probe = probe,
};

static void remove_all(void)
{
	int i;

	for (i = ARRAY_SIZE(kinds) - 1; i >= 0; i--)
		platform_device_unregister(parents[i]);
	platform_driver_unregister(&driver);
}

static int __init ba_drm_init(void)
{
	int ret, i;

	ret = platform_driver_register(&driver);
	if (ret)
		return ret;
	for (i = 0; !ret && i < ARRAY_SIZE(kinds); i++) {
		struct platform_device *parent =
			platform_device_register_simple("ba_drm", i, NULL, 0);

		ret = PTR_ERR_OR_ZERO(parent);
		if (!ret)
			parents[i] = parent;
	}
	if (ret)
		remove_all();
	return ret;
}

module_init(ba_drm_init);
module_exit(remove_all);

MODULE_DESCRIPTION("DRM devices to be asked about, for tests");
MODULE_LICENSE("GPL");
