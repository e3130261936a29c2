/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What differs between the kernels that bufalloc builds for (6.1 and later).
 * Forced into every file by Kbuild.include. The answers that it uses
 * (BUFALLOC_HAVE_...) come from compiling compat/probes/.
 */
#ifndef BUFALLOC_COMPAT_H
#define BUFALLOC_COMPAT_H

#include <linux/version.h>

#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 1, 0)
#error "bufalloc needs Linux 6.1 or later"
#endif

/* What a newer kernel changes without a word no probe finds. */
#if LINUX_VERSION_CODE >= KERNEL_VERSION(7, 3, 0) && \
	!defined(BUFALLOC_UNTESTED_KERNEL)
#error "bufalloc knows Linux up to 7.2; try KMAKE_FLAGS=KCFLAGS=-DBUFALLOC_UNTESTED_KERNEL"
#endif

#include <linux/dma-mapping.h>
#include <linux/gfp.h>
#include <linux/mm.h>
#include <linux/mmzone.h>
#include <linux/module.h>

#ifdef BUFALLOC_HAVE_INSERT_PFN_T
#include <linux/pfn_t.h>
#endif

#include "driver.h"

/* 6.13 made the argument of EXPORT_SYMBOL_NS_GPL() a string. */
#ifdef BUFALLOC_HAVE_IMPORT_NS_TOKEN
#define BUFALLOC_NS BUFALLOC
#else
#define BUFALLOC_NS "BUFALLOC"
#endif

/*
 * 6.8 renamed MAX_ORDER; up to 6.3 MAX_ORDER was one more than the largest
 * order, from 6.4 to 6.7 it was that order, and here one less does no harm.
 */
#ifdef MAX_PAGE_ORDER
#define BUFALLOC_MAX_ORDER MAX_PAGE_ORDER
#else
#define BUFALLOC_MAX_ORDER (MAX_ORDER - 1)
#endif

#ifdef CONFIG_CONTIG_ALLOC
/* 6.16 replaced the migratetype by flags. */
static inline int
bufalloc_compat_alloc_contig_range(unsigned long start, unsigned long end,
				   gfp_t gfp)
{
#ifdef BUFALLOC_HAVE_ACR_FLAGS
	return alloc_contig_range(start, end, ACR_FLAGS_NONE, gfp);
#else
	return alloc_contig_range(start, end, MIGRATE_MOVABLE, gfp);
#endif
}
#endif

/* 6.5 dropped an argument that nobody used. Under the lock of the mm_struct. */
static inline long
bufalloc_compat_pin_user_pages(unsigned long start, unsigned long count,
			       unsigned int gup_flags, struct page **pages)
{
#ifdef BUFALLOC_HAVE_PIN_USER_PAGES_VMAS
	return pin_user_pages(start, count, gup_flags, pages, NULL);
#else
	return pin_user_pages(start, count, gup_flags, pages);
#endif
}

/*
 * Flags for a long pin of pages that are copied on write and only read: since
 * 6.2 it makes the process's own copy, so that a later write goes there, too;
 * before, one had to pretend to write.
 */
static inline unsigned int bufalloc_compat_gup_unshare(void)
{
#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 2, 0)
	return FOLL_WRITE | FOLL_FORCE;
#else
	return 0;
#endif
}

/* 6.3 made vm_flags read-only to all but a few functions. */
static inline void
bufalloc_compat_vm_flags_clear(struct vm_area_struct *vma, unsigned long flags)
{
#ifdef BUFALLOC_HAVE_VM_FLAGS_CLEAR
	vm_flags_clear(vma, flags);
#else
	vma->vm_flags &= ~flags;
#endif
}

static inline void
bufalloc_compat_vm_flags_set(struct vm_area_struct *vma, unsigned long flags)
{
#ifdef BUFALLOC_HAVE_VM_FLAGS_CLEAR
	vm_flags_set(vma, flags);
#else
	vma->vm_flags |= flags;
#endif
}

#ifdef BUFALLOC_HAVE_PMD_PFNMAP
/* Where the system has large pages only for who asks (madvise), this asks. */
#define BUFALLOC_VM_LARGE VM_HUGEPAGE

/* 6.17 did away with pfn_t. */
static inline vm_fault_t
bufalloc_compat_insert_pfn_pmd(struct vm_fault *vmf, unsigned long pfn,
			       bool write)
{
#ifdef BUFALLOC_HAVE_INSERT_PFN_T
	return vmf_insert_pfn_pmd(vmf, __pfn_to_pfn_t(pfn, PFN_DEV), write);
#else
	return vmf_insert_pfn_pmd(vmf, pfn, write);
#endif
}
#else
#define BUFALLOC_VM_LARGE 0
#endif

/*
 * Map memory that has no struct page. Up to 6.17 there is only the call for the
 * registers of devices, which an IOMMU maps as such.
 */
static inline dma_addr_t
bufalloc_compat_dma_map_phys(struct device *dev, phys_addr_t phys, size_t size,
			     enum dma_data_direction dir, unsigned long attrs)
{
#ifdef BUFALLOC_HAVE_DMA_MAP_PHYS
	return dma_map_phys(dev, phys, size, dir, attrs);
#else
	return dma_map_resource(dev, phys, size, dir, attrs);
#endif
}

static inline void
bufalloc_compat_dma_unmap_phys(struct device *dev, dma_addr_t addr, size_t size,
			       enum dma_data_direction dir, unsigned long attrs)
{
#ifdef BUFALLOC_HAVE_DMA_MAP_PHYS
	dma_unmap_phys(dev, addr, size, dir, attrs);
#else
	dma_unmap_resource(dev, addr, size, dir, attrs);
#endif
}

/* Does the DMA API translate through this domain? */
static inline bool
bufalloc_compat_iommu_is_dma(const struct iommu_domain *domain)
{
	return domain->type & __IOMMU_DOMAIN_DMA_API;
}

#endif /* BUFALLOC_COMPAT_H */
