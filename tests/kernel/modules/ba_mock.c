// SPDX-License-Identifier: GPL-2.0
/*
 * A mock of devices that do not see the CPU's caches; see ba_mock.h, which says
 * what it is and what it is not.
 */
#include <linux/dma-buf.h>
#include <linux/dma-direct.h>
#include <linux/dma-map-ops.h>
#include <linux/dma-mapping.h>
#include <linux/err.h>
#include <linux/fs.h>
#include <linux/hashtable.h>
#include <linux/iommu.h>
#include <linux/kprobes.h>
#include <linux/list.h>
#include <linux/miscdevice.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/pci.h>
#include <linux/platform_device.h>
#include <linux/ptrace.h>
#include <linux/slab.h>
#include <linux/uaccess.h>
#include <linux/vmalloc.h>

#include "ba_mock.h"

/* Pages of memory that can be known at once (32 MiB). */
#define PAGES 8192U

/* What is written back or not as a whole. */
#define LINE 64U

/* In memory that nothing was written back to. */
#define POISON 0x5a

/* Platform devices, and after them PCI devices. */
#define OWN_DEVICES 2
#define DEVICES 4

/**
 * struct shadow - a page that is known
 * @node: in @known
 * @pfn: of the page
 * @memory: what is in memory
 * @clean: what the CPU saw of it after the last sync of each line: a line that
 *	the CPU sees otherwise by now is dirty
 * @mapped: a device had it mapped: it is part of the buffer
 */
struct shadow {
	struct hlist_node node;
	unsigned long pfn;
	u8 *memory;
	u8 *clean;
	bool mapped;
};

/* All that follows; not a mutex, because a kprobe takes it. */
static DEFINE_RAW_SPINLOCK(model_lock);
static DEFINE_HASHTABLE(known, 12);
static struct shadow *shadows;
static u8 *copies;
static unsigned int used;
static struct ba_mock_counts counts;
static pid_t owner;
static unsigned int files;

static struct device *devices[DEVICES];
static struct platform_device *own_devices[OWN_DEVICES];

/* One open file; @lock protects the rest. */
struct mock {
	struct mutex lock; /* see above */
	struct device *dev;
	struct dma_buf *dmabuf;
	struct dma_buf_attachment *attachment;
	struct sg_table *table;
};

static void model_clear(void)
{
	hash_init(known);
	used = 0;
	memset(&counts, 0, sizeof(counts));
}

/* All of a page that nobody knew may be in the caches only. */
static struct shadow *model_page(unsigned long pfn, bool make)
{
	struct shadow *shadow;
	u8 *seen;
	int i;

	hash_for_each_possible(known, shadow, node, pfn)
		if (shadow->pfn == pfn)
			return shadow;
	if (!make || used == PAGES)
		return NULL;
	shadow = &shadows[used];
	shadow->pfn = pfn;
	shadow->memory = copies + 2 * used * PAGE_SIZE;
	shadow->clean = shadow->memory + PAGE_SIZE;
	shadow->mapped = false;
	memset(shadow->memory, POISON, PAGE_SIZE);
	seen = page_address(pfn_to_page(pfn));
	for (i = 0; i < PAGE_SIZE; i++)
		shadow->clean[i] = ~seen[i];
	hash_add(known, &shadow->node, pfn);
	used++;
	return shadow;
}

/* The lines that bytes [@start, @end) of the page are in. */
static void model_sync_page(struct shadow *shadow, u32 start, u32 end,
			    bool write_back)
{
	u8 *seen = page_address(pfn_to_page(shadow->pfn));
	u32 at;

	for (at = round_down(start, LINE); at < end; at += LINE) {
		if (!write_back)
			memcpy(seen + at, shadow->memory + at, LINE);
		else if (memcmp(seen + at, shadow->clean + at, LINE))
			memcpy(shadow->memory + at, seen + at, LINE);
		memcpy(shadow->clean + at, seen + at, LINE);
	}
}

/* Work on the caches. Of memory that is not the buffer's nothing is dropped. */
static void model_sync(phys_addr_t phys, size_t size, bool write_back)
{
	unsigned long flags;

	raw_spin_lock_irqsave(&model_lock, flags);
	if (!files || current->tgid != owner)
		size = 0;
	if (size) {
		counts.calls[!write_back]++;
		counts.bytes[!write_back] += size;
	}
	while (size) {
		u32 at = offset_in_page(phys);
		u32 part = min_t(size_t, size, PAGE_SIZE - at);
		struct shadow *shadow = model_page(PHYS_PFN(phys), write_back);

		if (shadow && (write_back || shadow->mapped))
			model_sync_page(shadow, at, at + part, write_back);
		if (!shadow || !shadow->mapped)
			counts.stray += part;
		phys += part;
		size -= part;
	}
	raw_spin_unlock_irqrestore(&model_lock, flags);
}

#ifdef CONFIG_ARM64

/* As arch/arm64/mm/dma-mapping.c does. */
static int probe_for_device(struct kprobe *probe, struct pt_regs *regs)
{
	model_sync(regs_get_kernel_argument(regs, 0),
		   regs_get_kernel_argument(regs, 1), true);
	return 0;
}

static int probe_for_cpu(struct kprobe *probe, struct pt_regs *regs)
{
	if (regs_get_kernel_argument(regs, 2) != DMA_TO_DEVICE)
		model_sync(regs_get_kernel_argument(regs, 0),
			   regs_get_kernel_argument(regs, 1), false);
	return 0;
}

static struct kprobe probes[] = {
	{ .symbol_name = "arch_sync_dma_for_device",
	  .pre_handler = probe_for_device },
	{ .symbol_name = "arch_sync_dma_for_cpu",
	  .pre_handler = probe_for_cpu },
};

static phys_addr_t translate(struct device *dev, dma_addr_t addr)
{
	struct iommu_domain *domain = iommu_get_domain_for_dev(dev);

	return domain ? iommu_iova_to_phys(domain, addr) :
			dma_to_phys(dev, addr);
}

static int seam_init(void)
{
	struct pci_dev *pdev = NULL;
	int ret, i;

	ret = register_kprobe(&probes[0]);
	if (ret)
		return ret;
	ret = register_kprobe(&probes[1]);
	if (ret) {
		unregister_kprobe(&probes[0]);
		return ret;
	}
	for (i = OWN_DEVICES; i < DEVICES; i++) {
		pdev = pci_get_device(0x1234, 0x11e8, pdev);
		if (!pdev)
			break;
		devices[i] = get_device(&pdev->dev);
	}
	pci_dev_put(pdev);
	for (i = 0; i < OWN_DEVICES; i++)
		devices[i]->dma_coherent = false;
	return 0;
}

static void seam_exit(void)
{
	int i;

	for (i = OWN_DEVICES; i < DEVICES; i++)
		put_device(devices[i]);
	unregister_kprobe(&probes[1]);
	unregister_kprobe(&probes[0]);
}

#elif defined(CONFIG_DMA_OPS) || defined(CONFIG_ARCH_HAS_DMA_OPS)

/* Above all memory, so that no device address is a physical one. */
#define FIRST_ADDR BIT_ULL(40)

/**
 * struct addresses - device addresses of one mapping
 * @node: in @all_addresses
 * @dev: whose they are
 * @start: the first
 * @pages: their number
 * @pfns: where they lead to
 */
struct addresses {
	struct list_head node;
	struct device *dev;
	dma_addr_t start;
	unsigned long pages;
	unsigned long pfns[];
};

static DEFINE_SPINLOCK(addresses_lock);
static LIST_HEAD(all_addresses);
static dma_addr_t next_addr = FIRST_ADDR;

static struct addresses *find_addresses(struct device *dev, dma_addr_t addr)
{
	struct addresses *range;

	list_for_each_entry(range, &all_addresses, node)
		if (range->dev == dev && addr >= range->start &&
		    (addr - range->start) >> PAGE_SHIFT < range->pages)
			return range;
	return NULL;
}

/* Of one byte: what follows it in memory need not follow it here. */
static phys_addr_t translate(struct device *dev, dma_addr_t addr)
{
	phys_addr_t phys = 0;
	struct addresses *range;

	spin_lock(&addresses_lock);
	range = find_addresses(dev, addr);
	if (range)
		phys = PFN_PHYS(range->pfns[(addr - range->start) >> PAGE_SHIFT]) +
		       offset_in_page(addr);
	spin_unlock(&addresses_lock);
	return phys;
}

static int mock_map_sg(struct device *dev, struct scatterlist *sgl, int nents,
		       enum dma_data_direction dir, unsigned long attrs)
{
	unsigned long pages = 0, at = 0, i;
	struct scatterlist *sg;
	struct addresses *range;
	int n;

	for_each_sg(sgl, sg, nents, n)
		pages += PFN_UP(sg->length);
	range = kvmalloc(struct_size(range, pfns, pages), GFP_KERNEL);
	if (!range)
		return -ENOMEM;
	range->dev = dev;
	range->pages = pages;
	for_each_sg(sgl, sg, nents, n) {
		for (i = 0; i < PFN_UP(sg->length); i++)
			range->pfns[at++] = page_to_pfn(sg_page(sg)) + i;
		/* See ba_mock.h: here the map does it. */
		model_sync(sg_phys(sg), sg->length, true);
	}
	spin_lock(&addresses_lock);
	range->start = next_addr;
	next_addr += (pages + 1) << PAGE_SHIFT;
	list_add(&range->node, &all_addresses);
	spin_unlock(&addresses_lock);
	sg_dma_address(sgl) = range->start;
	sg_dma_len(sgl) = pages << PAGE_SHIFT;
	return 1;
}

static void mock_unmap_sg(struct device *dev, struct scatterlist *sgl,
			  int nents, enum dma_data_direction dir,
			  unsigned long attrs)
{
	struct addresses *range;

	spin_lock(&addresses_lock);
	range = find_addresses(dev, sg_dma_address(sgl));
	if (!WARN_ON(!range))
		list_del(&range->node);
	spin_unlock(&addresses_lock);
	kvfree(range);
}

static void mock_sync_for_cpu(struct device *dev, dma_addr_t addr, size_t size,
			      enum dma_data_direction dir)
{
	phys_addr_t phys = translate(dev, addr);

	if (!WARN_ON(!phys) && dir != DMA_TO_DEVICE)
		model_sync(phys, size, false);
}

static void mock_sync_for_device(struct device *dev, dma_addr_t addr,
				 size_t size, enum dma_data_direction dir)
{
	phys_addr_t phys = translate(dev, addr);

	if (!WARN_ON(!phys))
		model_sync(phys, size, true);
}

static const struct dma_map_ops mock_ops = {
	.map_sg = mock_map_sg,
	.unmap_sg = mock_unmap_sg,
	.sync_single_for_cpu = mock_sync_for_cpu,
	.sync_single_for_device = mock_sync_for_device,
};

static int seam_init(void)
{
	int i;

	for (i = 0; i < OWN_DEVICES; i++)
		set_dma_ops(devices[i], &mock_ops);
	return 0;
}

static void seam_exit(void)
{
}

#else

static phys_addr_t translate(struct device *dev, dma_addr_t addr)
{
	return 0;
}

static int seam_init(void)
{
	(void)model_sync;
	pr_err("ba_mock: this kernel gives devices no DMA operations of their own\n");
	return -ENODEV;
}

static void seam_exit(void)
{
}

#endif

/* What a device does to bytes of a page; under the model's lock. */
static int access_page(phys_addr_t phys, u8 *data, u32 length, bool write)
{
	struct shadow *shadow = phys ? model_page(PHYS_PFN(phys), true) : NULL;
	u8 *memory;

	if (!shadow)
		return -EFAULT;
	memory = shadow->memory + offset_in_page(phys);
	if (write)
		memcpy(memory, data, length);
	else
		memcpy(data, memory, length);
	return 0;
}

/* The device address of byte @offset. */
static dma_addr_t address_of(struct mock *mock, u64 offset)
{
	struct scatterlist *sg;
	int i;

	for_each_sgtable_dma_sg(mock->table, sg, i) {
		if (offset < sg_dma_len(sg))
			return sg_dma_address(sg) + offset;
		offset -= sg_dma_len(sg);
	}
	return 0;
}

static int mock_access(struct mock *mock, const struct ba_mock_access *arg,
		       bool write)
{
	u8 __user *user = u64_to_user_ptr(arg->data);
	u64 done;
	u8 *data;
	int ret = 0;

	if (!mock->dmabuf)
		return -ENOTCONN;
	if (arg->offset > mock->dmabuf->size ||
	    arg->length > mock->dmabuf->size - arg->offset)
		return -ERANGE;
	data = (u8 *)__get_free_page(GFP_KERNEL);
	if (!data)
		return -ENOMEM;
	for (done = 0; done < arg->length && !ret;) {
		u64 at = arg->offset + done;
		u32 part = min_t(u64, arg->length - done,
				 PAGE_SIZE - offset_in_page(at));
		phys_addr_t phys = translate(mock->dev, address_of(mock, at));

		if (write && copy_from_user(data, user + done, part)) {
			ret = -EFAULT;
			break;
		}
		raw_spin_lock_irq(&model_lock);
		ret = access_page(phys, data, part, write);
		raw_spin_unlock_irq(&model_lock);
		if (!ret && !write && copy_to_user(user + done, data, part))
			ret = -EFAULT;
		done += part;
	}
	free_page((unsigned long)data);
	return ret;
}

/* From now on its pages are no foreign memory. */
static int know_pages(struct mock *mock)
{
	u64 at;

	for (at = 0; at < mock->dmabuf->size; at += PAGE_SIZE) {
		phys_addr_t phys = translate(mock->dev, address_of(mock, at));
		struct shadow *shadow;

		raw_spin_lock_irq(&model_lock);
		shadow = model_page(PHYS_PFN(phys), true);
		if (shadow)
			shadow->mapped = true;
		raw_spin_unlock_irq(&model_lock);
		if (!shadow)
			return -ENOSPC;
	}
	return 0;
}

static void mock_release(struct mock *mock)
{
	if (!mock->dmabuf)
		return;
	dma_buf_unmap_attachment_unlocked(mock->attachment, mock->table,
					  DMA_BIDIRECTIONAL);
	dma_buf_detach(mock->dmabuf, mock->attachment);
	dma_buf_put(mock->dmabuf);
	mock->dmabuf = NULL;
}

static int mock_import(struct mock *mock, struct ba_mock_import *arg)
{
	struct dma_buf_attachment *attachment;
	struct dma_buf *dmabuf;
	struct sg_table *table;
	int ret;

	if (mock->dmabuf)
		return -EBUSY;
	if (arg->device >= DEVICES || !devices[arg->device])
		return -ENODEV;
	dmabuf = dma_buf_get(arg->fd);
	if (IS_ERR(dmabuf))
		return PTR_ERR(dmabuf);
	attachment = dma_buf_attach(dmabuf, devices[arg->device]);
	if (IS_ERR(attachment)) {
		ret = PTR_ERR(attachment);
		goto err_put;
	}
	table = dma_buf_map_attachment_unlocked(attachment, DMA_BIDIRECTIONAL);
	if (IS_ERR(table)) {
		ret = PTR_ERR(table);
		goto err_detach;
	}
	mock->dev = devices[arg->device];
	mock->dmabuf = dmabuf;
	mock->attachment = attachment;
	mock->table = table;
	arg->segments = table->nents;
	arg->line = dma_get_cache_alignment();
	ret = know_pages(mock);
	if (ret)
		mock_release(mock);
	return ret;

err_detach:
	dma_buf_detach(dmabuf, attachment);
err_put:
	dma_buf_put(dmabuf);
	return ret;
}

static long ba_mock_ioctl(struct file *file, unsigned int cmd,
			  unsigned long arg)
{
	struct mock *mock = file->private_data;
	void __user *user = (void __user *)arg;
	struct ba_mock_counts seen;
	struct ba_mock_access access;
	struct ba_mock_import import;
	long ret = 0;

	mutex_lock(&mock->lock);
	switch (cmd) {
	case BA_MOCK_IMPORT:
		ret = -EFAULT;
		if (copy_from_user(&import, user, sizeof(import)))
			break;
		ret = mock_import(mock, &import);
		if (!ret && copy_to_user(user, &import, sizeof(import)))
			ret = -EFAULT;
		break;
	case BA_MOCK_READ:
	case BA_MOCK_WRITE:
		ret = -EFAULT;
		if (!copy_from_user(&access, user, sizeof(access)))
			ret = mock_access(mock, &access, cmd == BA_MOCK_WRITE);
		break;
	case BA_MOCK_RELEASE:
		mock_release(mock);
		break;
	case BA_MOCK_COUNTS:
		raw_spin_lock_irq(&model_lock);
		seen = counts;
		memset(&counts, 0, sizeof(counts));
		raw_spin_unlock_irq(&model_lock);
		if (copy_to_user(user, &seen, sizeof(seen)))
			ret = -EFAULT;
		break;
	default:
		ret = -ENOTTY;
		break;
	}
	mutex_unlock(&mock->lock);
	return ret;
}

static int ba_mock_open(struct inode *inode, struct file *file)
{
	struct mock *mock = kzalloc(sizeof(*mock), GFP_KERNEL);
	int ret = 0;

	if (!mock)
		return -ENOMEM;
	mutex_init(&mock->lock);
	file->private_data = mock;
	raw_spin_lock_irq(&model_lock);
	if (files && owner != current->tgid) {
		ret = -EBUSY;
	} else if (!files++) {
		owner = current->tgid;
		model_clear();
	}
	raw_spin_unlock_irq(&model_lock);
	if (ret)
		kfree(mock);
	return ret;
}

static int ba_mock_release(struct inode *inode, struct file *file)
{
	struct mock *mock = file->private_data;

	mock_release(mock);
	raw_spin_lock_irq(&model_lock);
	files--;
	raw_spin_unlock_irq(&model_lock);
	kfree(mock);
	return 0;
}

static const struct file_operations ba_mock_fops = {
	.owner = THIS_MODULE,
	.open = ba_mock_open,
	.release = ba_mock_release,
	.unlocked_ioctl = ba_mock_ioctl,
};

static struct miscdevice ba_mock_misc = {
	.minor = MISC_DYNAMIC_MINOR,
	.name = "ba_mock",
	.fops = &ba_mock_fops,
};

static void unregister_devices(void)
{
	int i;

	for (i = OWN_DEVICES - 1; i >= 0; i--)
		if (!IS_ERR_OR_NULL(own_devices[i]))
			platform_device_unregister(own_devices[i]);
}

static int register_devices(void)
{
	int i, ret;

	for (i = 0; i < OWN_DEVICES; i++) {
		own_devices[i] = platform_device_register_simple("ba_mock", i,
								 NULL, 0);
		if (IS_ERR(own_devices[i])) {
			ret = PTR_ERR(own_devices[i]);
			goto err_devices;
		}
		devices[i] = &own_devices[i]->dev;
		ret = dma_coerce_mask_and_coherent(devices[i], DMA_BIT_MASK(64));
		if (ret)
			goto err_devices;
		dma_set_max_seg_size(devices[i], UINT_MAX);
	}
	return 0;

err_devices:
	unregister_devices();
	return ret;
}

static int __init ba_mock_init(void)
{
	int ret = -ENOMEM;

	shadows = kvcalloc(PAGES, sizeof(*shadows), GFP_KERNEL);
	copies = vmalloc(2 * PAGES * PAGE_SIZE);
	if (!shadows || !copies)
		goto err_free;
	ret = register_devices();
	if (ret)
		goto err_free;
	ret = seam_init();
	if (ret)
		goto err_devices;
	ret = misc_register(&ba_mock_misc);
	if (ret)
		goto err_seam;
	return 0;

err_seam:
	seam_exit();
err_devices:
	unregister_devices();
err_free:
	vfree(copies);
	kvfree(shadows);
	return ret;
}

static void __exit ba_mock_exit(void)
{
	misc_deregister(&ba_mock_misc);
	seam_exit();
	unregister_devices();
	vfree(copies);
	kvfree(shadows);
}

module_init(ba_mock_init);
module_exit(ba_mock_exit);

MODULE_DESCRIPTION("A mock of devices that do not see the CPU's caches, for tests");
MODULE_LICENSE("GPL");
BUFALLOC_IMPORT_NS(DMA_BUF);
