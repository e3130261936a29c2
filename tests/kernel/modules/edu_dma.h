/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The DMA engine of QEMU's device "edu" (docs/specs/edu in QEMU's sources), for
 * the drivers of the tests: between memory, through an IOMMU where there is one,
 * and the device's own 4 KiB.
 */
#ifndef EDU_DMA_H
#define EDU_DMA_H

#include <linux/bits.h>
#include <linux/delay.h>
#include <linux/errno.h>
#include <linux/io-64-nonatomic-lo-hi.h>

#define EDU_REG_ID 0x00
#define EDU_REG_DMA_FROM 0x80
#define EDU_REG_DMA_TO 0x88
#define EDU_REG_DMA_COUNT 0x90
#define EDU_REG_DMA_COMMAND 0x98

#define EDU_ID_MASK 0x0000ffff
#define EDU_ID 0x000000ed
#define EDU_COMMAND_RUN BIT(0)
#define EDU_COMMAND_TO_MEMORY BIT(1)
#define EDU_MEMORY 0x40000

/* The device has 4 KiB, but some versions of QEMU stop at the last byte. */
#define EDU_PIECE 2048

/*
 * One transfer. The device takes 100 ms for each, whatever its length; in a
 * guest with a virtual clock a sleeping guest does not wait for it.
 */
static inline int edu_dma(void __iomem *registers, u64 from, u64 to, u32 count,
			  u32 command)
{
	int i;

	writeq(from, registers + EDU_REG_DMA_FROM);
	writeq(to, registers + EDU_REG_DMA_TO);
	writeq(count, registers + EDU_REG_DMA_COUNT);
	writeq(command | EDU_COMMAND_RUN, registers + EDU_REG_DMA_COMMAND);
	usleep_range(100000, 100500);
	for (i = 0; i < 1000; i++) {
		if (!(readq(registers + EDU_REG_DMA_COMMAND) & EDU_COMMAND_RUN))
			return 0;
		usleep_range(500, 1000);
	}
	return -ETIMEDOUT;
}

/* From memory at @addr into the device. */
static inline int edu_read_memory(void __iomem *registers, dma_addr_t addr,
				  u32 count)
{
	return edu_dma(registers, addr, EDU_MEMORY, count, 0);
}

/* From the device to memory at @addr. */
static inline int edu_write_memory(void __iomem *registers, dma_addr_t addr,
				   u32 count)
{
	return edu_dma(registers, EDU_MEMORY, addr, count,
		       EDU_COMMAND_TO_MEMORY);
}

#endif /* EDU_DMA_H */
