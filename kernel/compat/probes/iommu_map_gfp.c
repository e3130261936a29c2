// SPDX-License-Identifier: GPL-2.0
/* iommu_map() says how to allocate page tables (6.3). */
#include <linux/iommu.h>
static inline int probe(struct iommu_domain *domain)
{
	return iommu_map(domain, 0, 0, PAGE_SIZE, IOMMU_READ, GFP_KERNEL);
}
