/* SPDX-License-Identifier: GPL-2.0 WITH Linux-syscall-note */
/*
 * /dev/ba_kva: the DMA API's own memory, dma_alloc_attrs(), to compare the kernel
 * address space that it takes with what bufalloc's takes. The device is the first
 * "edu" of QEMU's, if there is one, or a platform device with 32 address bits.
 * Memory goes when the file is closed.
 */
#ifndef BA_KVA_H
#define BA_KVA_H

#include <linux/ioctl.h>
#include <linux/types.h>

/**
 * struct ba_kva_alloc - allocate
 * @length: bytes
 * @mapped: 0: with DMA_ATTR_NO_KERNEL_MAPPING. Else without
 */
struct ba_kva_alloc {
	__u64 length;
	__u32 mapped;
	__u32 __pad;
};

/* ENOMEM: dma_alloc_attrs() returned nothing. */
#define BA_KVA_ALLOC _IOW('k', 0, struct ba_kva_alloc)

#endif /* BA_KVA_H */
