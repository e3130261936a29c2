/* SPDX-License-Identifier: GPL-2.0 */
/*
 * QEMU's device "edu" (docs/specs/edu in QEMU's sources), for the samples: a DMA
 * engine that moves bytes between memory and 4 KiB of the device's own, and says
 * by an interrupt that it is done.
 */
#ifndef BUFALLOC_SAMPLES_EDU_H
#define BUFALLOC_SAMPLES_EDU_H

#include <linux/bits.h>
#include <linux/dma-mapping.h>
#include <linux/io-64-nonatomic-lo-hi.h>
#include <linux/minmax.h>
#include <linux/pci.h>
#include <linux/scatterlist.h>

#define EDU_ID 0x00
#define EDU_ID_VALUE 0x000000ed
#define EDU_ID_MASK 0x0000ffff
#define EDU_INTERRUPT_STATUS 0x24
#define EDU_INTERRUPT_ACK 0x64
#define EDU_INTERRUPT_DMA 0x00000100
#define EDU_DMA_FROM 0x80
#define EDU_DMA_TO 0x88
#define EDU_DMA_COUNT 0x90
#define EDU_DMA_COMMAND 0x98
#define EDU_DMA_RUN BIT(0)
#define EDU_DMA_TO_MEMORY BIT(1)
#define EDU_DMA_INTERRUPT BIT(2)

/* Where its memory is, for the DMA engine; some versions stop at the last byte. */
#define EDU_MEMORY 0x40000
#define EDU_PIECE 2048
/* A transfer takes that long, whatever its length. */
#define EDU_TRANSFER_MS 100

static const struct pci_device_id edu_ids[] = {
	{ PCI_DEVICE(0x1234, 0x11e8) },
	{ }
};

/**
 * struct edu - the device
 * @registers: of it
 * @piece: EDU_PIECE bytes that driver and device share
 * @piece_addr: where the device sees them
 */
struct edu {
	void __iomem *registers;
	u8 *piece;
	dma_addr_t piece_addr;
};

/* Enable the device; undone when the driver is unbound. */
static inline int edu_init(struct edu *edu, struct pci_dev *pdev)
{
	int ret;

	ret = pcim_enable_device(pdev);
	if (ret)
		return ret;
	edu->registers = pcim_iomap(pdev, 0, 0);
	if (!edu->registers)
		return -ENOMEM;
	if ((readl(edu->registers + EDU_ID) & EDU_ID_MASK) != EDU_ID_VALUE)
		return -ENODEV;
	/* It has 28 address lines. */
	ret = dma_set_mask_and_coherent(&pdev->dev, DMA_BIT_MASK(28));
	if (ret)
		return ret;
	edu->piece = dmam_alloc_coherent(&pdev->dev, EDU_PIECE,
					 &edu->piece_addr, GFP_KERNEL);
	if (!edu->piece)
		return -ENOMEM;
	pci_set_master(pdev);
	return 0;
}

static inline void edu_move(struct edu *edu, u64 from, u64 to, u32 count,
			    u32 command)
{
	writeq(from, edu->registers + EDU_DMA_FROM);
	writeq(to, edu->registers + EDU_DMA_TO);
	writeq(count, edu->registers + EDU_DMA_COUNT);
	writeq(command | EDU_DMA_RUN | EDU_DMA_INTERRUPT,
	       edu->registers + EDU_DMA_COMMAND);
}

/* Begin to read memory at @addr into the device, @count <= EDU_PIECE bytes. */
static inline void edu_read(struct edu *edu, dma_addr_t addr, u32 count)
{
	edu_move(edu, addr, EDU_MEMORY, count, 0);
}

/* Begin to write what is in the device to memory at @addr. */
static inline void edu_write(struct edu *edu, dma_addr_t addr, u32 count)
{
	edu_move(edu, EDU_MEMORY, addr, count, EDU_DMA_TO_MEMORY);
}

/* Is it the device's interrupt? Then it is seen. */
static inline bool edu_interrupt(struct edu *edu)
{
	u32 status = readl(edu->registers + EDU_INTERRUPT_STATUS);

	if (!(status & EDU_INTERRUPT_DMA))
		return false;
	writel(status, edu->registers + EDU_INTERRUPT_ACK);
	return true;
}

/**
 * struct edu_cursor - the piece of a buffer that is moved
 * @segment: DMA segment that it is in
 * @at: bytes of that before it
 * @done: bytes that were moved before it
 * @count: its bytes
 * @left: bytes to move, with it
 */
struct edu_cursor {
	struct scatterlist *segment;
	u32 at;
	u32 done;
	u32 count;
	u32 left;
};

static inline dma_addr_t edu_cursor_addr(const struct edu_cursor *cursor)
{
	return sg_dma_address(cursor->segment) + cursor->at;
}

/* On to the next piece. false: there is none. */
static inline bool edu_cursor_next(struct edu_cursor *cursor)
{
	cursor->at += cursor->count;
	cursor->done += cursor->count;
	cursor->left -= cursor->count;
	if (!cursor->left)
		return false;
	while (cursor->at >= sg_dma_len(cursor->segment)) {
		cursor->at -= sg_dma_len(cursor->segment);
		cursor->segment = sg_next(cursor->segment);
	}
	cursor->count = min3(cursor->left,
			     sg_dma_len(cursor->segment) - cursor->at,
			     (u32)EDU_PIECE);
	return true;
}

/* The first piece of @length bytes, @offset bytes behind those segments' begin. */
static inline void edu_cursor_begin(struct edu_cursor *cursor,
				    struct scatterlist *segment, u32 offset,
				    u32 length)
{
	*cursor = (struct edu_cursor){ .segment = segment, .at = offset,
				       .left = length };
	edu_cursor_next(cursor);
}

#endif /* BUFALLOC_SAMPLES_EDU_H */
