// SPDX-License-Identifier: GPL-2.0
/*
 * Regions that a board's devicetree names:
 * docs/bindings/bufalloc,reserved-memory.yaml.
 *
 * They come when the driver is bound to the node and go when it is unbound: at
 * once, or with the last buffer in them.
 */
#include <linux/device.h>
#include <linux/err.h>
#include <linux/mod_devicetable.h>
#include <linux/module.h>
#include <linux/of.h>
#include <linux/of_reserved_mem.h>
#include <linux/platform_device.h>

#include "bufalloc_private.h"
#include "region.h"

static void drop(void *region)
{
	bufalloc_region_remove(region);
}

static struct bufalloc_region *add_cma(struct device *dev, int index,
				       const struct reserved_mem *memory,
				       const char **why)
{
	struct bufalloc_region *region;
	struct bufalloc_cma *cma;

	*why = "it is not CMA's; the node needs compatible = \"shared-dma-pool\"";
	cma = bufalloc_region_cma_create(dev->of_node, index);
	if (IS_ERR(cma))
		return ERR_CAST(cma);
	region = bufalloc_region_add(memory->name, memory->base, memory->size,
				     cma, why);
	if (IS_ERR(region))
		bufalloc_region_cma_destroy(cma);
	return region;
}

static struct bufalloc_region *add(struct device *dev, int index,
				   struct device_node *node, const char **why)
{
	struct reserved_mem *memory = of_reserved_mem_lookup(node);
	struct bufalloc_region *region;

	*why = "the kernel did not set it aside when it booted, see its log";
	if (!memory)
		return ERR_PTR(-ENOENT);
	region = bufalloc_region_revive(memory->base, memory->size);
	if (region)
		return region;
	if (of_property_read_bool(node, "no-map"))
		return bufalloc_region_add(memory->name, memory->base,
					   memory->size, NULL, why);
	if (of_property_read_bool(node, "reusable"))
		return add_cma(dev, index, memory, why);
	*why = "it has neither no-map nor reusable";
	return ERR_PTR(-EINVAL);
}

/* Is there one more? One that cannot be is left out, and the log says why. */
static int add_index(struct device *dev, int index)
{
	struct device_node *node;
	struct bufalloc_region *region;
	const char *why;

	node = of_parse_phandle(dev->of_node, "memory-region", index);
	if (!node)
		return -ENOENT;
	region = add(dev, index, node, &why);
	if (IS_ERR(region))
		dev_err(dev, "region %pOFf is not used: %s\n", node, why);
	of_node_put(node);
	if (IS_ERR(region))
		return PTR_ERR(region);
	return devm_add_action_or_reset(dev, drop, region);
}

static int bufalloc_platform_probe(struct platform_device *pdev)
{
	struct device *dev = &pdev->dev;
	int i, count, used = 0;

	count = of_count_phandle_with_args(dev->of_node, "memory-region", NULL);
	for (i = 0; i < count; i++)
		used += !add_index(dev, i);
	return used ? 0 : dev_err_probe(dev, -ENXIO,
					"memory-region names no region that can be used\n");
}

static const struct of_device_id bufalloc_platform_match[] = {
	{ .compatible = "bufalloc,reserved-memory" },
	{ }
};

/*
 * What MODULE_DEVICE_TABLE() makes of the table (scripts/mod/file2alias.c). It is
 * written here because the tool that makes it must be built for the architecture:
 * the one that cross-compiles for 32 bits cannot read the table.
 */
MODULE_ALIAS("of:N*T*Cbufalloc,reserved-memory");
MODULE_ALIAS("of:N*T*Cbufalloc,reserved-memoryC*");

static struct platform_driver bufalloc_platform_driver = {
	.probe = bufalloc_platform_probe,
	.driver = {
		.name = "bufalloc-reserved",
		.of_match_table = bufalloc_platform_match,
	},
};

int bufalloc_platform_init(void)
{
	return platform_driver_register(&bufalloc_platform_driver);
}

/* Unbinds it; no buffer is alive then. */
void bufalloc_platform_exit(void)
{
	platform_driver_unregister(&bufalloc_platform_driver);
}
