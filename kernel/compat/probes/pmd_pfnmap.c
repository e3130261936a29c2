// SPDX-License-Identifier: GPL-2.0
/*
 * Large pages can be mapped to user space as page frames, which nobody takes
 * references to (pmd_mkspecial(), 6.12).
 */
#include <linux/mm.h>
#if !defined(CONFIG_TRANSPARENT_HUGEPAGE) || \
	!defined(CONFIG_ARCH_SUPPORTS_PMD_PFNMAP)
#error "this kernel has none"
#endif
vm_fault_t probe(struct vm_fault *vmf, unsigned int order);
vm_fault_t probe(struct vm_fault *vmf, unsigned int order)
{
	return VM_FAULT_FALLBACK;
}

const struct vm_operations_struct ops = { .huge_fault = probe };
