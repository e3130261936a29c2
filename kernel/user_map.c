// SPDX-License-Identifier: GPL-2.0
/*
 * A buffer in user space's address space, in one of two ways:
 *
 * - as page frames (VM_PFNMAP): nobody takes references to the pages through
 *   such a mapping, so a buffer ends when its dma-buf does. It is made at once,
 *   except for what a large page can map, which is one fault each later on;
 * - as pages that are counted (VM_MIXEDMAP), if the buffer is
 *   BUFALLOC_ATTRIBUTE_PINNABLE: get_user_pages() works on it, so direct I/O does.
 *   Whoever pinned a page keeps it for longer than the buffer lives; so the pages
 *   are single ones, each of which is free when its last user has put it.
 */
#include <linux/minmax.h>
#include <linux/mm.h>
#include <linux/pagemap.h>
#include <linux/sched/signal.h>
#include <linux/sizes.h>

#include "bufalloc_private.h"

/* Pages that are mapped by one call, on the stack. */
#define BATCH 32UL

/*
 * Find the frame of page @pgoff of the buffer. Return: how many lie in one piece
 * from there on; 0: it has no such page.
 */
static unsigned long frame_at(struct bufalloc_buffer *buf, pgoff_t pgoff,
			      unsigned long *pfn)
{
	struct scatterlist *sg;
	int i;

	for_each_sgtable_sg(&buf->runs, sg, i) {
		unsigned long pages = sg->length >> PAGE_SHIFT;

		if (pgoff < pages) {
			*pfn = PHYS_PFN(bufalloc_run_phys(sg)) + pgoff;
			return pages - pgoff;
		}
		pgoff -= pages;
	}
	return 0;
}

/* mprotect() can make it writable as long as it has VM_MAYWRITE. */
static void bufalloc_user_map_open(struct vm_area_struct *vma)
{
	struct bufalloc_buffer *buf = vma->vm_private_data;

	bufalloc_cache_add_user(&buf->cache, vma->vm_flags & VM_MAYWRITE);
}

static void bufalloc_user_map_close(struct vm_area_struct *vma)
{
	struct bufalloc_buffer *buf = vma->vm_private_data;

	bufalloc_cache_remove_user(&buf->cache, vma->vm_flags & VM_MAYWRITE);
}

/*
 * Memory that can go; or a large page that is none, after all: the system has none
 * for mappings, or it was split by mprotect() or munmap(). All that is left of one
 * is mapped at once.
 */
static vm_fault_t bufalloc_user_map_fault(struct vm_fault *vmf)
{
	struct vm_area_struct *vma = vmf->vma;
	unsigned long addr = max(vmf->address & PMD_MASK, vma->vm_start);
	unsigned long end = min(vma->vm_end - 1, vmf->address | ~PMD_MASK);
	unsigned long left = 0, pfn = 0;

	for (; addr < end; addr += PAGE_SIZE, pfn++, left--) {
		vm_fault_t ret;

		if (!left)
			left = frame_at(vma->vm_private_data,
					linear_page_index(vma, addr), &pfn);
		if (!left)
			return VM_FAULT_SIGBUS;
		ret = vmf_insert_pfn(vma, addr, pfn);
		if (ret != VM_FAULT_NOPAGE)
			return ret;
	}
	return VM_FAULT_NOPAGE;
}

#ifdef BUFALLOC_HAVE_PMD_PFNMAP

/* Can a large page map frame @pfn and those that follow, at @addr and on? */
static bool is_large(unsigned long addr, unsigned long pfn)
{
	return !((addr ^ PFN_PHYS(pfn)) & ~PMD_MASK);
}

/*
 * The first touch of a large page, which has a page table's entry that marks it
 * as no business of get_user_pages_fast() (pmd_special(), 6.12).
 */
static vm_fault_t bufalloc_user_map_huge_fault(struct vm_fault *vmf,
					       unsigned int order)
{
	struct vm_area_struct *vma = vmf->vma;
	unsigned long addr = vmf->address & PMD_MASK;
	unsigned long pfn;

	if (order != PMD_ORDER || addr < vma->vm_start ||
	    addr + PMD_SIZE > vma->vm_end)
		return VM_FAULT_FALLBACK;
	if (frame_at(vma->vm_private_data, linear_page_index(vma, addr), &pfn) <
	    PMD_SIZE >> PAGE_SHIFT)
		return VM_FAULT_FALLBACK;
	if (!is_large(addr, pfn))
		return VM_FAULT_FALLBACK;
	return bufalloc_compat_insert_pfn_pmd(vmf, pfn,
					      vmf->flags & FAULT_FLAG_WRITE);
}

#endif

/* Opened by fork, mremap and what splits it; not by mmap itself. */
static const struct vm_operations_struct bufalloc_user_map_frames_ops = {
	.open = bufalloc_user_map_open,
	.close = bufalloc_user_map_close,
#ifdef BUFALLOC_HAVE_PMD_PFNMAP
	.fault = bufalloc_user_map_fault,
	.huge_fault = bufalloc_user_map_huge_fault,
#endif
};

/* One device's own memory can go at any moment: it is mapped while it is there. */
static vm_fault_t bufalloc_user_map_own_fault(struct vm_fault *vmf)
{
	struct bufalloc_buffer *buf = vmf->vma->vm_private_data;
	vm_fault_t ret;

	mutex_lock(&buf->lock);
	ret = buf->gone ? VM_FAULT_SIGBUS : bufalloc_user_map_fault(vmf);
	mutex_unlock(&buf->lock);
	return ret;
}

static const struct vm_operations_struct bufalloc_user_map_own_ops = {
	.open = bufalloc_user_map_open,
	.close = bufalloc_user_map_close,
	.fault = bufalloc_user_map_own_fault,
};

/* What madvise(MADV_DONTNEED) took away comes back as it was. */
static vm_fault_t bufalloc_user_map_page_fault(struct vm_fault *vmf)
{
	unsigned long pfn;

	if (!frame_at(vmf->vma->vm_private_data, vmf->pgoff, &pfn))
		return VM_FAULT_SIGBUS;
	vmf->page = pfn_to_page(pfn);
	get_page(vmf->page);
	return 0;
}

static const struct vm_operations_struct bufalloc_user_map_pages_ops = {
	.open = bufalloc_user_map_open,
	.close = bufalloc_user_map_close,
	.fault = bufalloc_user_map_page_fault,
};

/*
 * The part of [@addr, @end), whose frames are in one piece from @pfn on, that is
 * left for large pages; none if the two are equal.
 */
static void leave_large(unsigned long addr, unsigned long end,
			unsigned long pfn, unsigned long *first,
			unsigned long *last)
{
	*first = end;
	*last = end;
#ifdef BUFALLOC_HAVE_PMD_PFNMAP
	if (is_large(addr, pfn) && ALIGN(addr, PMD_SIZE) < end) {
		*first = ALIGN(addr, PMD_SIZE);
		*last = ALIGN_DOWN(end, PMD_SIZE);
	}
#endif
}

static int map_frames(struct bufalloc_buffer *buf, struct vm_area_struct *vma,
		      unsigned long addr, unsigned long pfn,
		      unsigned long pages)
{
	unsigned long end = addr + (pages << PAGE_SHIFT);
	unsigned long first = end, last = end;
	int ret = 0;

	/* The type of memory that is no RAM is known on x86 by mappings at once. */
	if (!bufalloc_nomap_is(buf))
		leave_large(addr, end, pfn, &first, &last);
	if (first > addr)
		ret = remap_pfn_range(vma, addr, pfn, first - addr,
				      vma->vm_page_prot);
	if (!ret && last < end)
		ret = remap_pfn_range(vma, last, pfn + PHYS_PFN(last - addr),
				      end - last, vma->vm_page_prot);
	return ret;
}

/* Map pages in one piece, each with a reference that munmap gives back. */
static int map_pages(struct vm_area_struct *vma, unsigned long addr,
		     unsigned long pfn, unsigned long pages)
{
	struct page *batch[BATCH];
	unsigned long i, count;
	int ret;

	for (; pages; pages -= count) {
		unsigned long left;

		if (fatal_signal_pending(current))
			return -EINTR;
		count = min(pages, BATCH);
		for (i = 0; i < count; i++)
			batch[i] = pfn_to_page(pfn + i);
		left = count;
		ret = vm_insert_pages(vma, addr, batch, &left);
		if (ret)
			return ret;
		addr += count << PAGE_SHIFT;
		pfn += count;
	}
	return 0;
}

/*
 * Map the part of the buffer that @vma says, which lies within it, for mmap().
 *
 * Return: 0, -EINTR (fatal signal) or -ENOMEM; what was mapped until then is the
 * caller's to undo, as all of mmap() is.
 */
int bufalloc_user_map(struct bufalloc_buffer *buf, struct vm_area_struct *vma)
{
	bool counted = buf->attributes & BUFALLOC_ATTRIBUTE_PINNABLE;
	unsigned long addr = vma->vm_start;
	unsigned long skip = vma->vm_pgoff;
	struct scatterlist *sg;
	int ret, i;

	/* An importer with an mmap of its own may have chosen before it calls us. */
	if (vma->vm_flags & (VM_PFNMAP | VM_IO))
		counted = false;
	/* For what is mapped later on, too. */
	vma->vm_page_prot = bufalloc_attribute_pgprot(buf, vma->vm_page_prot);
	bufalloc_compat_vm_flags_set(vma, VM_DONTEXPAND | VM_DONTDUMP);
	if (!counted)
		bufalloc_compat_vm_flags_set(vma, VM_PFNMAP | VM_IO |
						  BUFALLOC_VM_LARGE);
	if (buf->own) {
		vma->vm_private_data = buf;
		vma->vm_ops = &bufalloc_user_map_own_ops;
		bufalloc_user_map_open(vma);
		return 0;
	}

	for_each_sgtable_sg(&buf->runs, sg, i) {
		unsigned long pages = sg->length >> PAGE_SHIFT;
		unsigned long pfn = PHYS_PFN(bufalloc_run_phys(sg)) + skip;

		if (skip >= pages) {
			skip -= pages;
			continue;
		}
		if (addr == vma->vm_end)
			break;
		if (fatal_signal_pending(current))
			return -EINTR;

		pages = min(pages - skip, (vma->vm_end - addr) >> PAGE_SHIFT);
		ret = counted ? map_pages(vma, addr, pfn, pages) :
				map_frames(buf, vma, addr, pfn, pages);
		if (ret)
			return ret;
		addr += pages << PAGE_SHIFT;
		skip = 0;
	}
	vma->vm_private_data = buf;
	vma->vm_ops = counted ? &bufalloc_user_map_pages_ops :
				&bufalloc_user_map_frames_ops;
	bufalloc_user_map_open(vma);
	return 0;
}
