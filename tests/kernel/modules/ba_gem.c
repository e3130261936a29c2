// SPDX-License-Identifier: GPL-2.0
/*
 * DRM devices that use bufalloc's GEM objects by DMA, without hardware: one takes any
 * number of segments (ba_gem_many), one takes one (ba_gem_one). Of a devicetree
 * there are both kinds, too (ba_gem_node_many, ba_gem_node). Clients say by an ioctl
 * when an object is mapped.
 */
#include <drm/drm_drv.h>
#include <drm/drm_file.h>
#include <drm/drm_framebuffer.h>
#include <drm/drm_gem.h>
#include <drm/drm_gem_framebuffer_helper.h>
#include <drm/drm_ioctl.h>
#include <drm/drm_mode_config.h>
#include <linux/bufalloc-drm.h>
#include <linux/dma-mapping.h>
#include <linux/err.h>
#include <linux/mod_devicetable.h>
#include <linux/module.h>
#include <linux/of.h>
#include <linux/platform_device.h>

#include "compat/config.h"
#include "ba_gem.h"

/* Neighbours are one segment, as DRM counts them. */
static void describe(struct ba_gem_map *args, struct sg_table *table)
{
	struct scatterlist *sg;
	dma_addr_t next = 0;
	int i;

	for_each_sgtable_dma_sg(table, sg, i) {
		if (!i || sg_dma_address(sg) != next)
			args->out_segments++;
		next = sg_dma_address(sg) + sg_dma_len(sg);
		args->out_length += sg_dma_len(sg);
	}
}

static int map_fb(struct drm_device *drm, struct drm_file *file,
		  struct ba_gem_map *args)
{
	struct drm_framebuffer *fb =
		drm_framebuffer_lookup(drm, file, args->fb);
	struct sg_table *table;
	int ret;

	if (!fb)
		return -ENOENT;
	ret = bufalloc_drm_fb_map(fb);
	if (ret)
		goto out_put;
	table = bufalloc_drm_map(fb->obj[0]);
	if (!IS_ERR(table)) {
		describe(args, table);
		if (bufalloc_drm_fb_addr(fb, 0) !=
		    sg_dma_address(table->sgl) + fb->offsets[0])
			ret = -EPROTO;
		bufalloc_drm_unmap(fb->obj[0]);
	}
	bufalloc_drm_fb_unmap(fb);
out_put:
	drm_framebuffer_put(fb);
	return ret;
}

static int map(struct drm_device *drm, void *data, struct drm_file *file)
{
	struct ba_gem_map *args = data;
	struct drm_gem_object *obj;
	struct sg_table *table;

	args->out_segments = 0;
	args->out_length = 0;
	if (args->fb)
		return map_fb(drm, file, args);
	obj = drm_gem_object_lookup(file, args->handle);
	if (!obj)
		return -ENOENT;
	if (args->keep < 0) {
		bufalloc_drm_unmap(obj);
		drm_gem_object_put(obj);
		return 0;
	}
	table = bufalloc_drm_map(obj);
	if (!IS_ERR(table)) {
		describe(args, table);
		if (!args->keep)
			bufalloc_drm_unmap(obj);
	}
	drm_gem_object_put(obj);
	return PTR_ERR_OR_ZERO(table);
}

static const struct drm_ioctl_desc ioctls[] = {
	{ .cmd = BA_GEM_IOCTL_MAP, .func = map, .name = "BA_GEM_MAP" },
};

/* As bufalloc_drm_dumb_create() does. */
static int create(struct drm_file *file, struct drm_device *drm,
		  struct drm_mode_create_dumb *args)
{
	struct drm_gem_object *obj;
	int ret;

	args->pitch = args->width * DIV_ROUND_UP(args->bpp, 8);
	args->size = args->pitch * args->height;
	obj = bufalloc_drm_create(drm, args->size);
	if (IS_ERR(obj))
		return PTR_ERR(obj);
	ret = drm_gem_handle_create(file, obj, &args->handle);
	drm_gem_object_put(obj);
	return ret;
}

static int create_aligned(struct drm_file *file, struct drm_device *drm,
			  struct drm_mode_create_dumb *args)
{
	return bufalloc_drm_dumb_create_aligned(file, drm, args, 256);
}

DEFINE_DRM_GEM_FOPS(fops);

/* What all have. */
#define DRIVER_OF_ALL(which) \
	.name = (which), \
	.desc = "test", \
	BUFALLOC_COMPAT_DRM_DATE("20261122") \
	.driver_features = DRIVER_GEM | DRIVER_MODESET, \
	.fops = &fops, \
	.ioctls = ioctls, \
	.num_ioctls = ARRAY_SIZE(ioctls)

static const struct drm_driver many = {
	BUFALLOC_DRM_DRIVER_OPS_WITH(bufalloc_drm_import, create),
	DRIVER_OF_ALL("ba_gem_many"),
};

static const struct drm_driver one = {
	BUFALLOC_DRM_DRIVER_OPS_WITH(bufalloc_drm_import_one_segment,
				     create_aligned),
	DRIVER_OF_ALL("ba_gem_one"),
};

/* Of a devicetree. */
static const struct drm_driver node = {
	BUFALLOC_DRM_DRIVER_OPS_WITH(bufalloc_drm_import_one_segment,
				     create_aligned),
	DRIVER_OF_ALL("ba_gem_node"),
};

static const struct drm_driver node_many = {
	BUFALLOC_DRM_DRIVER_OPS_WITH(bufalloc_drm_import, create),
	DRIVER_OF_ALL("ba_gem_node_many"),
};

static const struct drm_driver * const drivers[] = { &many, &one };

static const struct drm_mode_config_funcs mode_funcs = {
	.fb_create = drm_gem_fb_create,
};

static struct platform_device *parents[ARRAY_SIZE(drivers)];

static void remove(void *data)
{
	drm_dev_unplug(data);
	drm_dev_put(data);
}

static const struct drm_driver *driver_of(struct platform_device *pdev)
{
	const struct device_node *of_node = pdev->dev.of_node;

	if (!of_node)
		return drivers[pdev->id];
	return of_property_read_bool(of_node, "bufalloc-test,any-segments") ?
	       &node_many : &node;
}

static int probe(struct platform_device *pdev)
{
	struct drm_device *drm;
	int ret;

	ret = dma_coerce_mask_and_coherent(&pdev->dev, DMA_BIT_MASK(64));
	if (ret)
		return ret;
	drm = drm_dev_alloc(driver_of(pdev), &pdev->dev);
	if (IS_ERR(drm))
		return PTR_ERR(drm);
	ret = drmm_mode_config_init(drm);
	if (ret)
		goto err_put;
	drm->mode_config.max_width = 4096;
	drm->mode_config.max_height = 4096;
	drm->mode_config.funcs = &mode_funcs;
	ret = drm_dev_register(drm, 0);
	if (ret)
		goto err_put;
	return devm_add_action_or_reset(&pdev->dev, remove, drm);

err_put:
	drm_dev_put(drm);
	return ret;
}

static const struct of_device_id match[] = {
	{ .compatible = "bufalloc-test,display" },
	{ }
};

static struct platform_driver driver = {
	.probe = probe,
	.driver = {
		.name = "ba_gem",
		.of_match_table = match,
	},
};

static void remove_all(void)
{
	int i;

	for (i = ARRAY_SIZE(drivers) - 1; i >= 0; i--)
		platform_device_unregister(parents[i]);
	platform_driver_unregister(&driver);
}

static int __init ba_gem_init(void)
{
	int ret, i;

	ret = platform_driver_register(&driver);
	if (ret)
		return ret;
	for (i = 0; !ret && i < ARRAY_SIZE(drivers); i++) {
		struct platform_device *parent =
			platform_device_register_simple("ba_gem", i, NULL, 0);

		ret = PTR_ERR_OR_ZERO(parent);
		if (!ret)
			parents[i] = parent;
	}
	if (ret)
		remove_all();
	return ret;
}

module_init(ba_gem_init);
module_exit(remove_all);

MODULE_DESCRIPTION("DRM devices that map GEM objects, for tests");
MODULE_LICENSE("GPL");
BUFALLOC_IMPORT_NS(BUFALLOC);
