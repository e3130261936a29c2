/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What differs between the kernels for a driver that uses bufalloc; the samples
 * have it forced into them. `make install` puts it, behind this kernel's answers,
 * where a driver outside this tree finds it (KERNELRELEASE/compat.h).
 */
#ifndef BUFALLOC_COMPAT_DRIVER_H
#define BUFALLOC_COMPAT_DRIVER_H

#include <linux/err.h>
#include <linux/iommu.h>
#include <linux/module.h>

/* 6.13 made the argument of MODULE_IMPORT_NS() a string. */
#ifdef BUFALLOC_HAVE_IMPORT_NS_TOKEN
#define BUFALLOC_IMPORT_NS(ns) MODULE_IMPORT_NS(ns)
#else
#define BUFALLOC_IMPORT_NS(ns) MODULE_IMPORT_NS(#ns)
#endif

/* Members of a driver's vb2_ops that videobuf2 does by itself later on. */
#ifdef BUFALLOC_HAVE_VB2_OPS_WAIT
#define BUFALLOC_COMPAT_VB2_WAIT \
	.wait_prepare = vb2_ops_wait_prepare, \
	.wait_finish = vb2_ops_wait_finish,
#else
#define BUFALLOC_COMPAT_VB2_WAIT
#endif

/* 6.14 dropped the date of a driver, which said nothing. */
#ifdef BUFALLOC_HAVE_DRM_DRIVER_DATE
#define BUFALLOC_COMPAT_DRM_DATE(when) .date = (when),
#else
#define BUFALLOC_COMPAT_DRM_DATE(when)
#endif

/* A later one has another name for what is committed. */
#ifdef BUFALLOC_HAVE_DRM_ATOMIC_COMMIT
#define drm_atomic_state drm_atomic_commit
#endif

/* Since 6.3 the caller says how page tables are allocated. */
static inline int
bufalloc_compat_iommu_map(struct iommu_domain *domain, unsigned long iova,
			  phys_addr_t phys, size_t size, int prot)
{
#ifdef BUFALLOC_HAVE_IOMMU_MAP_GFP
	return iommu_map(domain, iova, phys, size, prot, GFP_KERNEL);
#else
	return iommu_map(domain, iova, phys, size, prot);
#endif
}

/* 6.11 made an ERR_PTR of the error, and asks for the device. */
static inline struct iommu_domain *
bufalloc_compat_iommu_domain_alloc(struct device *dev)
{
#ifdef BUFALLOC_HAVE_IOMMU_PAGING_DOMAIN_ALLOC
	return iommu_paging_domain_alloc(dev);
#else
	struct iommu_domain *domain = iommu_domain_alloc(dev->bus);

	return domain ? domain : ERR_PTR(-ENODEV);
#endif
}

#endif /* BUFALLOC_COMPAT_DRIVER_H */
