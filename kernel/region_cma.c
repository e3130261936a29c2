// SPDX-License-Identifier: GPL-2.0
/*
 * A region of CMA's: a reserved-memory node with reusable. The kernel keeps what
 * can be moved in it, until somebody allocates there.
 *
 * CMA has no exported call that names a region (before 7.x). But each device can
 * have one, which the DMA API then allocates from for it. So there is a device here
 * for each region, which is nothing else: no driver is bound to it and nothing is
 * mapped for it, so it may go later than the platform device that named the
 * region.
 */
#include <linux/dma-mapping.h>
#include <linux/err.h>
#include <linux/of_reserved_mem.h>
#include <linux/platform_device.h>
#include <linux/slab.h>

#include "bufalloc_private.h"
#include "region.h"

/* Who maps it decides the direction; nobody syncs by this. */
#define DIRECTION DMA_BIDIRECTIONAL

struct bufalloc_cma {
	struct platform_device *pdev;
};

/*
 * The region that memory-region of @node names at @index. ERR_PTR: -ENOMEM, or
 * what of_reserved_mem_device_init_by_idx() returned: it is not CMA's.
 */
struct bufalloc_cma *bufalloc_region_cma_create(struct device_node *node,
						int index)
{
	/* What it reaches is no limit to others. */
	static const struct platform_device_info info = {
		.name = "bufalloc-cma",
		.id = PLATFORM_DEVID_AUTO,
		.dma_mask = DMA_BIT_MASK(64),
	};
	struct bufalloc_cma *cma;
	int ret;

	cma = kzalloc(sizeof(*cma), GFP_KERNEL);
	if (!cma)
		return ERR_PTR(-ENOMEM);
	cma->pdev = platform_device_register_full(&info);
	if (IS_ERR(cma->pdev)) {
		ret = PTR_ERR(cma->pdev);
		goto err_free;
	}
	ret = of_reserved_mem_device_init_by_idx(&cma->pdev->dev, node, index);
	if (ret)
		goto err_device;
	return cma;

err_device:
	platform_device_unregister(cma->pdev);
err_free:
	kfree(cma);
	return ERR_PTR(ret);
}

void bufalloc_region_cma_destroy(struct bufalloc_cma *cma)
{
	of_reserved_mem_device_release(&cma->pdev->dev);
	platform_device_unregister(cma->pdev);
	kfree(cma);
}

/*
 * Pages in a row, of the region or, if that has none, of any other memory; or
 * NULL. What is in them is not to be relied on: that the DMA API clears such
 * memory is nowhere promised.
 */
struct page *bufalloc_region_cma_alloc(struct bufalloc_cma *cma,
				       unsigned long pages)
{
	dma_addr_t unused;

	return dma_alloc_pages(&cma->pdev->dev, pages << PAGE_SHIFT, &unused,
			       DIRECTION,
			       GFP_KERNEL | __GFP_NOWARN | __GFP_NORETRY);
}

void bufalloc_region_cma_free(struct bufalloc_cma *cma, struct page *page,
			      unsigned long pages)
{
	/* No offset and no IOMMU: it is where the page is. */
	dma_free_pages(&cma->pdev->dev, pages << PAGE_SHIFT, page,
		       page_to_phys(page), DIRECTION);
}
