// SPDX-License-Identifier: GPL-2.0
/* The DMA API takes physical addresses of memory without a struct page (6.18). */
#include <linux/dma-mapping.h>
dma_addr_t probe(struct device *dev, phys_addr_t phys);
dma_addr_t probe(struct device *dev, phys_addr_t phys)
{
	return dma_map_phys(dev, phys, PAGE_SIZE, DMA_BIDIRECTIONAL, 0);
}
