/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The checks of ba_api, and what they have in common. A check calls bufalloc's
 * in-kernel API as a driver does, and EXPECTs.
 */
#ifndef API_CHECKS_H
#define API_CHECKS_H

#include <linux/kernel.h>
#include <linux/pci.h>
#include <linux/sizes.h>

#include <linux/bufalloc.h>

#include "edu_dma.h"

#define API_DEVICES 2
#define API_LENGTH SZ_1M
/* For <linux/iommu.h>. */
#define API_READ_WRITE (IOMMU_READ | IOMMU_WRITE | IOMMU_CACHE)

struct iommu_domain;
struct vm_area_struct;

/**
 * struct api_device - one device; written by probe and remove only
 * @pdev: NULL: there is none
 * @registers: the device's
 * @in_probe: what an allocation in probe() answered
 */
struct api_device {
	struct pci_dev *pdev;
	void __iomem *registers;
	int in_probe;
};

extern struct api_device api_devices[API_DEVICES];
/* What failed in the check that runs. */
extern char api_why[128];
/* From the caller: a dma-buf, or -1, and the heap of the check's buffers. */
extern int api_callers_fd;
extern u32 api_heap;

/* The check fails, and says where. */
#define EXPECT(condition)                                                \
	do {                                                             \
		if (!(condition)) {                                      \
			snprintf(api_why, sizeof(api_why), "%s:%d: %s",  \
				 __func__, __LINE__, #condition);        \
			goto out;                                        \
		}                                                        \
	} while (0)

static inline struct device *api_dev(int i)
{
	return &api_devices[i].pdev->dev;
}

struct bufalloc_buffer *api_alloc_for(struct bufalloc_use *uses,
				      unsigned int count, size_t length,
				      struct bufalloc_alloc_verdict *verdict);
/* A buffer for all devices. */
struct bufalloc_buffer *api_alloc(size_t length);

/* Fill the device's own memory from the buffer's first bytes, or the reverse. */
int api_move(int i, struct bufalloc_buffer *buf, bool to_memory);

/* What the checks write at byte @at: unlike any other near. */
static inline u8 api_byte(size_t at, u8 seed)
{
	return at * 7 + (at >> 8) * 13 + seed;
}

/* Write or compare the first EDU_PIECE bytes, by CPU access as an importer has it. */
int api_fill(struct bufalloc_buffer *buf, u8 seed, bool compare);

/* Write or compare all of a buffer, through a window of at most @view bytes. */
int api_slide(struct bufalloc_buffer *buf, u8 seed, bool compare, size_t view);

/* A domain of the driver's own, to which the device is attached, and its end. */
struct iommu_domain *api_own_domain(int i);
void api_free_domain(int i, struct iommu_domain *domain);

/* mmap() of the driver's node. */
int api_mmap(struct vm_area_struct *vma);

#define API_CHECKS(check)         \
	check(alloc)              \
	check(alloc_in_probe)     \
	check(peers)              \
	check(refusals)           \
	check(map)                \
	check(export)             \
	check(references)         \
	check(foreign_dmabuf)     \
	check(firmware)           \
	check(read_only)          \
	check(window)             \
	check(window_moves)       \
	check(two_domains)        \
	check(domain_refusals)    \
	check(pieces)             \
	check(pieces_dma)         \
	check(pieces_refusals)    \
	check(pieces_left)        \
	check(users)              \
	check(vmap)               \
	check(syncs)              \
	check(pin_user)

#define API_DECLARE(name) void api_check_##name(void);
API_CHECKS(API_DECLARE)
#undef API_DECLARE

#endif /* API_CHECKS_H */
