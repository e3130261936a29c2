// SPDX-License-Identifier: GPL-2.0
/*
 * Attributes: which of them this machine can honour, and how a buffer gets them.
 *
 * A buffer that is write-combined or uncached is so for whoever looks at it: user
 * space, an importer's vmap, a window. Two views of one page that differ in this
 * may show different bytes (Intel SDM, "Programming the PAT"; Arm ARM, "Mismatched
 * memory attributes"). The view that is always there is the kernel's linear map:
 *
 * - on x86 it is changed with the buffer, and changed back before its pages are
 *   given back. The kernel remembers the type of each page of memory and makes
 *   every mapping into user space agree (memtype_reserve()), but only the page
 *   attribute table has a type for write-combining;
 * - on ARM it stays cached, because its large blocks cannot be split while they
 *   are in use. So it is not used: what it holds of the buffer is written back
 *   once, before anybody else has the buffer, and stays clean from then on. That
 *   is what dma_alloc_attrs() does for a device that is not cache coherent.
 *   Modules have no call to write caches back; the DMA API does it when memory is
 *   mapped for such a device, so there is one here that is no more than that.
 *
 * On other architectures neither can be done.
 */
#include <linux/dma-map-ops.h>
#include <linux/dma-mapping.h>
#include <linux/err.h>
#include <linux/mm.h>
#include <linux/platform_device.h>
#include <linux/sched/signal.h>
#include <linux/sizes.h>
#include <linux/swiotlb.h>

#include "bufalloc_private.h"

#define UNCACHED_KINDS \
	(BUFALLOC_ATTRIBUTE_WRITE_COMBINE | BUFALLOC_ATTRIBUTE_UNCACHED)

/* Between steps a fatal signal is seen. Whole large pages of the linear map. */
#define STEP ((size_t)SZ_4M)

/* What is done to @length bytes that are one behind the other, at @phys. */
typedef int (*step_fn)(const struct bufalloc_buffer *buf, phys_addr_t phys,
		       size_t length);

/*
 * Do it to bytes [*@start, @end), step by step. Return: 0, or what a step
 * returned, or -EINTR (with @killable: fatal signal); *@start is how far it came.
 */
static int each_step(const struct bufalloc_buffer *buf, size_t *start,
		     size_t end, bool killable, step_fn step)
{
	struct scatterlist *run;
	size_t run_start = 0;
	int i, ret;

	for_each_sgtable_sg(&buf->runs, run, i) {
		size_t stop = min(run_start + run->length, end);

		while (*start < stop) {
			size_t at = *start - run_start;
			size_t part = min(stop - *start, STEP);

			if (killable && fatal_signal_pending(current))
				return -EINTR;
			ret = step(buf, sg_phys(run) + at, part);
			if (ret)
				return ret;
			*start += part;
			cond_resched();
		}
		run_start += run->length;
		if (run_start >= end)
			break;
	}
	return 0;
}

#if defined(CONFIG_X86) && !defined(CONFIG_HIGHMEM)
#include <asm/memtype.h>
#include <asm/set_memory.h>

/* High memory has no linear map, and so no type that user space would get. */
static u64 uncached_kinds(void)
{
	return pat_enabled() ? UNCACHED_KINDS : 0;
}

static int make_cached(const struct bufalloc_buffer *buf, phys_addr_t phys,
		       size_t length)
{
	unsigned long addr = (unsigned long)phys_to_virt(phys);

	/* It splits no large page that was not split before. */
	WARN_ON_ONCE(set_memory_wb(addr, PHYS_PFN(length)));
	return 0;
}

static int make_uncached(const struct bufalloc_buffer *buf, phys_addr_t phys,
			 size_t length)
{
	unsigned long addr = (unsigned long)phys_to_virt(phys);
	int ret;

	if (buf->attributes & BUFALLOC_ATTRIBUTE_WRITE_COMBINE)
		ret = set_memory_wc(addr, PHYS_PFN(length));
	else
		ret = set_memory_uc(addr, PHYS_PFN(length));
	/* It may have come half way. */
	if (ret)
		make_cached(buf, phys, length);
	return ret;
}

static int apply(struct bufalloc_buffer *buf)
{
	size_t done = 0, start = 0;
	int ret;

	ret = each_step(buf, &done, buf->length, true, make_uncached);
	if (ret)
		each_step(buf, &start, done, false, make_cached);
	return ret;
}

static void undo(struct bufalloc_buffer *buf)
{
	size_t start = 0;

	each_step(buf, &start, buf->length, false, make_cached);
}

/* The linear map shows what everybody else sees. */
static void write_back(struct bufalloc_buffer *buf, size_t start, size_t end)
{
}

static void drop(struct bufalloc_buffer *buf, size_t start, size_t end)
{
}

int bufalloc_attribute_init(void)
{
	return 0;
}

void bufalloc_attribute_exit(void)
{
}

#elif defined(CONFIG_ARM) || defined(CONFIG_ARM64)

/* A device that sees memory and not the CPU's caches; nothing else is of it. */
static struct platform_device *uncoherent;

static u64 uncached_kinds(void)
{
	return uncoherent ? UNCACHED_KINDS : 0;
}

/* To map it to be read by the device writes it back (arch_sync_dma_for_device()). */
static int write_back_step(const struct bufalloc_buffer *buf, phys_addr_t phys,
			   size_t length)
{
	struct device *dev = &uncoherent->dev;
	dma_addr_t addr;

	addr = dma_map_page(dev, phys_to_page(phys), offset_in_page(phys),
			    length, DMA_TO_DEVICE);
	if (dma_mapping_error(dev, addr))
		return -EIO;
	dma_unmap_page(dev, addr, length, DMA_TO_DEVICE);
	return 0;
}

/* What the device wrote makes it stale (arch_sync_dma_for_cpu()). */
static int drop_step(const struct bufalloc_buffer *buf, phys_addr_t phys,
		     size_t length)
{
	struct device *dev = &uncoherent->dev;
	dma_addr_t addr;

	addr = dma_map_page_attrs(dev, phys_to_page(phys), offset_in_page(phys),
				  length, DMA_FROM_DEVICE,
				  DMA_ATTR_SKIP_CPU_SYNC);
	if (dma_mapping_error(dev, addr))
		return -EIO;
	dma_unmap_page(dev, addr, length, DMA_FROM_DEVICE);
	return 0;
}

static void write_back(struct bufalloc_buffer *buf, size_t start, size_t end)
{
	WARN_ON_ONCE(each_step(buf, &start, end, false, write_back_step));
}

static void drop(struct bufalloc_buffer *buf, size_t start, size_t end)
{
	WARN_ON_ONCE(each_step(buf, &start, end, false, drop_step));
}

static int apply(struct bufalloc_buffer *buf)
{
	size_t start = 0;

	buf->linear = BUFALLOC_LINEAR_CACHED;
	return each_step(buf, &start, buf->length, true, write_back_step);
}

static void undo(struct bufalloc_buffer *buf)
{
}

/* Without it there is no uncached buffer: that is no failure. */
int bufalloc_attribute_init(void)
{
	static const struct platform_device_info info = {
		.name = "bufalloc",
		.id = PLATFORM_DEVID_NONE,
		.dma_mask = DMA_BIT_MASK(64),
	};
	struct platform_device *pdev = platform_device_register_full(&info);

	if (IS_ERR(pdev))
		return PTR_ERR(pdev);
	/* What bounces is not written back; the copy is. */
	if (dev_is_dma_coherent(&pdev->dev) ||
	    is_swiotlb_force_bounce(&pdev->dev))
		platform_device_unregister(pdev);
	else
		uncoherent = pdev;
	return 0;
}

void bufalloc_attribute_exit(void)
{
	platform_device_unregister(uncoherent);
	uncoherent = NULL;
}

#else

static u64 uncached_kinds(void)
{
	return 0;
}

static int apply(struct bufalloc_buffer *buf)
{
	return -EOPNOTSUPP;
}

static void undo(struct bufalloc_buffer *buf)
{
}

static void write_back(struct bufalloc_buffer *buf, size_t start, size_t end)
{
}

static void drop(struct bufalloc_buffer *buf, size_t start, size_t end)
{
}

int bufalloc_attribute_init(void)
{
	return 0;
}

void bufalloc_attribute_exit(void)
{
}

#endif

/* The enum bufalloc_attribute bits that a buffer can have on this machine. */
u64 bufalloc_attribute_available(void)
{
	u64 attributes = BUFALLOC_ATTRIBUTE_NEVER_CPU |
			 BUFALLOC_ATTRIBUTE_PINNABLE | uncached_kinds();

	if (IS_ENABLED(CONFIG_CONTIG_ALLOC))
		attributes |= BUFALLOC_ATTRIBUTE_CONTIGUOUS;
	return attributes;
}

/* Bits that are unknown or contradict each other? 0 or -EINVAL. */
int bufalloc_attribute_check(u64 attributes)
{
	if (attributes & ~(u64)(BUFALLOC_ATTRIBUTE_NEVER_CPU | UNCACHED_KINDS |
				BUFALLOC_ATTRIBUTE_CONTIGUOUS |
				BUFALLOC_ATTRIBUTE_PINNABLE))
		return -EINVAL;
	/* The kernel works on pinned pages by its linear map. */
	if (attributes & BUFALLOC_ATTRIBUTE_PINNABLE &&
	    attributes & (BUFALLOC_ATTRIBUTE_NEVER_CPU | UNCACHED_KINDS))
		return -EINVAL;
	return (attributes & UNCACHED_KINDS) == UNCACHED_KINDS ? -EINVAL : 0;
}

/* Do CPUs look at it past their caches? */
bool bufalloc_attribute_is_uncached(const struct bufalloc_buffer *buf)
{
	return buf->attributes & UNCACHED_KINDS;
}

/* The protection of a mapping of the buffer that would have @prot if cached. */
pgprot_t bufalloc_attribute_pgprot(const struct bufalloc_buffer *buf,
				   pgprot_t prot)
{
	if (buf->attributes & BUFALLOC_ATTRIBUTE_WRITE_COMBINE)
		return pgprot_writecombine(prot);
	/*
	 * As the DMA API does for memory. pgprot_noncached() on ARM is for
	 * registers: there an unaligned access is a fault.
	 */
	if (buf->attributes & BUFALLOC_ATTRIBUTE_UNCACHED)
		return pgprot_dmacoherent(prot);
	return prot;
}

/*
 * A heap whose memory is in the linear map, cached, has allocated and zeroed the
 * buffer's pages: make them what the attributes say. A heap whose memory is not
 * sets @buf->linear instead.
 *
 * Return: 0, or an errno (-EINTR: fatal signal) and nothing has changed.
 */
int bufalloc_attribute_apply(struct bufalloc_buffer *buf)
{
	return bufalloc_attribute_is_uncached(buf) ? apply(buf) : 0;
}

/* And undo it, before it gives the pages back. */
void bufalloc_attribute_undo(struct bufalloc_buffer *buf)
{
	if (bufalloc_attribute_is_uncached(buf))
		undo(buf);
}

/*
 * Something wrote bytes [@start, @end) through the linear map, or may have:
 * everybody else shall see it.
 */
void bufalloc_attribute_linear_written(struct bufalloc_buffer *buf,
				       size_t start, size_t end)
{
	if (buf->linear == BUFALLOC_LINEAR_CACHED)
		write_back(buf, start, end);
}

/* Something is about to read them through the linear map. */
void bufalloc_attribute_linear_read(struct bufalloc_buffer *buf, size_t start,
				    size_t end)
{
	if (buf->linear == BUFALLOC_LINEAR_CACHED)
		drop(buf, start, end);
}
