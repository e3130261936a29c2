// SPDX-License-Identifier: GPL-2.0
/*
 * A driver for QEMU's device "edu" that imports dma-bufs; see ba_edu.h.
 */
#include <linux/cdev.h>
#include <linux/device.h>
#include <linux/dma-buf.h>
#include <linux/dma-mapping.h>
#include <linux/err.h>
#include <linux/fs.h>
#include <linux/idr.h>
#include <linux/iommu.h>
#include <linux/list.h>
#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/pci.h>
#include <linux/pm_runtime.h>
#include <linux/sizes.h>
#include <linux/slab.h>
#include <linux/uaccess.h>

#include "ba_edu.h"
#include "edu_dma.h"
#include "resolver.h"

#define DEVICES 8

static unsigned int dma_bits[DEVICES];
module_param_array(dma_bits, uint, NULL, 0444);
MODULE_PARM_DESC(dma_bits, "DMA mask of each device, in bits (64)");

static unsigned int coherent_bits[DEVICES];
module_param_array(coherent_bits, uint, NULL, 0444);
MODULE_PARM_DESC(coherent_bits, "its coherent DMA mask (as dma_bits)");

static unsigned int segment_mib[DEVICES];
module_param_array(segment_mib, uint, NULL, 0444);
MODULE_PARM_DESC(segment_mib, "largest segment of each device (4 GiB)");

static unsigned int boundary_bits[DEVICES];
module_param_array(boundary_bits, uint, NULL, 0444);
MODULE_PARM_DESC(boundary_bits, "no segment crosses a multiple of 2 to that (32)");

static bool own_domain[DEVICES];
module_param_array(own_domain, bool, NULL, 0444);
MODULE_PARM_DESC(own_domain, "does the driver manage its IOMMU itself? (no)");

/**
 * struct edu - one device; lives until its node is closed for the last time
 * @node: the character device's
 * @cdev: of the node
 * @pdev: referenced
 * @index: of the node
 * @registers: the device's
 * @lock: one DMA at a time; protects what follows, and all in @files
 * @gone: unbound
 * @page: memory of the driver's, of EDU_PIECE bytes
 * @page_addr: where the device sees that
 * @files: list of &struct edu_file
 */
struct edu {
	struct device node;
	struct cdev cdev;
	struct pci_dev *pdev;
	int index;
	void __iomem *registers;
	struct mutex lock; /* see above */
	bool gone;
	void *page;
	dma_addr_t page_addr;
	struct list_head files;
};

/* Where the device sees a part of a buffer. */
struct segment {
	dma_addr_t addr;
	u64 length;
};

/**
 * struct edu_file - one open file: one import
 * @entry: in edu.files
 * @edu: the device
 * @max_segments: that it takes; 0: any number
 * @dmabuf: what is imported, or NULL
 * @attachment: of @dmabuf
 * @table: of @dmabuf
 * @dir: direction that it is mapped for
 * @segments: where the device sees, or saw, the buffer
 * @count: of @segments
 */
struct edu_file {
	struct list_head entry;
	struct edu *edu;
	u32 max_segments;
	struct dma_buf *dmabuf;
	struct dma_buf_attachment *attachment;
	struct sg_table *table;
	enum dma_data_direction dir;
	struct segment *segments;
	unsigned int count;
};

static DEFINE_IDA(indices);
static struct edu *edus[DEVICES]; /* written by probe and remove only */
static dev_t first_node;
static struct class edu_class = { .name = "ba_edu" };

/* Neighbours in one; NULL: no memory. */
static struct segment *edu_segments(struct sg_table *table, unsigned int *count)
{
	struct segment *segments;
	struct scatterlist *sg;
	int i;

	segments = kvcalloc(table->nents, sizeof(*segments), GFP_KERNEL);
	*count = 0;
	if (!segments)
		return NULL;
	for_each_sgtable_dma_sg(table, sg, i) {
		struct segment *next = &segments[*count];

		if (i && next[-1].addr + next[-1].length == sg_dma_address(sg)) {
			next[-1].length += sg_dma_len(sg);
			continue;
		}
		next->addr = sg_dma_address(sg);
		next->length = sg_dma_len(sg);
		++*count;
	}
	return segments;
}

static u32 edu_domain(struct edu *edu)
{
	struct iommu_domain *domain = iommu_get_domain_for_dev(&edu->pdev->dev);
	int i;

	if (domain && domain->type == IOMMU_DOMAIN_IDENTITY)
		domain = NULL;
	for (i = 0; domain && i < DEVICES; i++)
		if (edus[i] && iommu_get_domain_for_dev(&edus[i]->pdev->dev) ==
				       domain)
			return i;
	return BA_EDU_NO_DOMAIN;
}

static void edu_release(struct edu_file *file)
{
	if (!file->dmabuf)
		return;
	dma_buf_unmap_attachment_unlocked(file->attachment, file->table,
					  file->dir);
	dma_buf_detach(file->dmabuf, file->attachment);
	dma_buf_put(file->dmabuf);
	file->dmabuf = NULL;
}

static int edu_import(struct edu_file *file, struct ba_edu_import *arg)
{
	u32 max = arg->max_segments ?: file->max_segments;
	enum dma_data_direction dir = DMA_BIDIRECTIONAL;
	struct dma_buf_attachment *attachment;
	struct dma_buf *dmabuf;
	struct sg_table *table;
	int ret;

	if (file->dmabuf)
		return -EBUSY;
	if (arg->flags & BA_EDU_ONLY_READS)
		dir = DMA_TO_DEVICE;
	dmabuf = dma_buf_get(arg->fd);
	if (IS_ERR(dmabuf))
		return PTR_ERR(dmabuf);
	attachment = dma_buf_attach(dmabuf, &file->edu->pdev->dev);
	if (IS_ERR(attachment)) {
		ret = PTR_ERR(attachment);
		goto err_put;
	}
	table = dma_buf_map_attachment_unlocked(attachment, dir);
	if (IS_ERR(table)) {
		ret = PTR_ERR(table);
		goto err_detach;
	}
	kvfree(file->segments);
	file->segments = edu_segments(table, &file->count);
	ret = -ENOMEM;
	if (!file->segments)
		goto err_unmap;
	arg->segments = file->count;
	arg->domain = edu_domain(file->edu);
	arg->length = dmabuf->size;
	ret = -EINVAL;
	if (max && file->count > max)
		goto err_unmap;

	file->dmabuf = dmabuf;
	file->attachment = attachment;
	file->table = table;
	file->dir = dir;
	return 0;

err_unmap:
	dma_buf_unmap_attachment_unlocked(attachment, table, dir);
err_detach:
	dma_buf_detach(dmabuf, attachment);
err_put:
	dma_buf_put(dmabuf);
	return ret;
}

/* One piece: as much as fits, and as is in one segment. */
static int edu_piece(struct edu_file *file, u64 offset, u64 length,
		     dma_addr_t *addr, u32 *count)
{
	unsigned int i;

	for (i = 0; i < file->count; i++) {
		const struct segment *segment = &file->segments[i];

		if (offset >= segment->length) {
			offset -= segment->length;
			continue;
		}
		*addr = segment->addr + offset;
		*count = min3(length, segment->length - offset, (u64)EDU_PIECE);
		return 0;
	}
	return -ERANGE;
}

static int edu_transfer(struct edu_file *file, struct ba_edu_transfer *arg,
			bool write)
{
	u8 __user *data = u64_to_user_ptr(arg->data);
	struct edu *edu = file->edu;
	u64 done;
	int ret;

	if (!file->segments ||
	    !file->dmabuf != !!(arg->flags & BA_EDU_STALE))
		return -ENOTCONN;

	for (done = 0; done < arg->length;) {
		dma_addr_t addr;
		u32 count;

		if (signal_pending(current))
			return -EINTR;
		ret = edu_piece(file, arg->offset + done, arg->length - done,
				&addr, &count);
		if (ret)
			return ret;
		if (write) {
			if (copy_from_user(edu->page, data + done, count))
				return -EFAULT;
			ret = edu_read_memory(edu->registers, edu->page_addr, count) ?:
			      edu_write_memory(edu->registers, addr, count);
		} else {
			memset(edu->page, 0, count);
			ret = edu_read_memory(edu->registers, addr, count) ?:
			      edu_write_memory(edu->registers, edu->page_addr, count);
			if (!ret && copy_to_user(data + done, edu->page, count))
				return -EFAULT;
		}
		if (ret)
			return ret;
		done += count;
	}
	return 0;
}

static long edu_do_ioctl(struct edu_file *file, unsigned int cmd,
			 unsigned long arg)
{
	void __user *user = (void __user *)arg;
	struct ba_edu_transfer transfer;
	struct ba_edu_import import;
	int ret;

	switch (cmd) {
	case BA_EDU_IMPORT:
		if (copy_from_user(&import, user, sizeof(import)))
			return -EFAULT;
		ret = edu_import(file, &import);
		if (!ret && copy_to_user(user, &import, sizeof(import)))
			return -EFAULT;
		return ret;
	case BA_EDU_WRITE:
	case BA_EDU_READ:
		if (copy_from_user(&transfer, user, sizeof(transfer)))
			return -EFAULT;
		ret = pm_runtime_resume_and_get(&file->edu->pdev->dev);
		if (ret)
			return ret;
		ret = edu_transfer(file, &transfer, cmd == BA_EDU_WRITE);
		pm_runtime_put_sync(&file->edu->pdev->dev);
		return ret;
	case BA_EDU_RELEASE:
		edu_release(file);
		return 0;
	case BA_EDU_MAX_SEGMENTS:
		if (arg > 1)
			return -EINVAL;
		file->max_segments = arg;
		return 0;
	default:
		return -ENOTTY;
	}
}

static long edu_ioctl(struct file *filp, unsigned int cmd, unsigned long arg)
{
	struct edu_file *file = filp->private_data;
	long ret;

	ret = mutex_lock_interruptible(&file->edu->lock);
	if (ret)
		return ret;
	ret = file->edu->gone ? -ENODEV : edu_do_ioctl(file, cmd, arg);
	mutex_unlock(&file->edu->lock);
	return ret;
}

static int edu_open(struct inode *inode, struct file *filp)
{
	struct edu *edu = container_of(inode->i_cdev, struct edu, cdev);
	struct edu_file *file;

	file = kzalloc(sizeof(*file), GFP_KERNEL);
	if (!file)
		return -ENOMEM;
	file->edu = edu;
	filp->private_data = file;
	mutex_lock(&edu->lock);
	list_add(&file->entry, &edu->files);
	mutex_unlock(&edu->lock);
	return 0;
}

static int edu_close(struct inode *inode, struct file *filp)
{
	struct edu_file *file = filp->private_data;

	mutex_lock(&file->edu->lock);
	edu_release(file);
	list_del(&file->entry);
	mutex_unlock(&file->edu->lock);
	kvfree(file->segments);
	kfree(file);
	return 0;
}

static const struct file_operations edu_fops = {
	.owner = THIS_MODULE,
	.open = edu_open,
	.release = edu_close,
	.unlocked_ioctl = edu_ioctl,
};

static int edu_resolve(struct bufalloc_endpoint *endpoint)
{
	struct edu_file *file = endpoint->file->private_data;
	struct edu *edu = file->edu;

	endpoint->dev = get_device(&edu->pdev->dev);
	endpoint->max_segments = file->max_segments ?: BUFALLOC_ANY_SEGMENTS;
	strscpy(endpoint->driver, "ba_edu", sizeof(endpoint->driver));
	strscpy(endpoint->name, dev_name(&edu->node), sizeof(endpoint->name));
	return 0;
}

/* The device's lock is held, and so it is in edu_remove(). */
static bool edu_alive(const struct bufalloc_endpoint *endpoint)
{
	struct edu_file *file = endpoint->file->private_data;

	return !file->edu->gone;
}

static struct bufalloc_resolver edu_resolver = {
	.owner = THIS_MODULE,
	.resolve = edu_resolve,
	.alive = edu_alive,
};

static void edu_free(struct device *node)
{
	struct edu *edu = container_of(node, struct edu, node);

	pci_dev_put(edu->pdev);
	kfree(edu);
}

static void edu_leave_domain(void *data)
{
	struct pci_dev *pdev = data;
	struct iommu_domain *domain = iommu_get_domain_for_dev(&pdev->dev);

	iommu_detach_device(domain, &pdev->dev);
	iommu_domain_free(domain);
}

/* As some display drivers do: what the DMA API maps is not in it. */
static int edu_enter_domain(struct pci_dev *pdev)
{
	struct iommu_domain *domain =
		bufalloc_compat_iommu_domain_alloc(&pdev->dev);
	int ret;

	if (IS_ERR(domain))
		return PTR_ERR(domain);
	ret = iommu_attach_device(domain, &pdev->dev);
	if (ret) {
		iommu_domain_free(domain);
		return ret;
	}
	return devm_add_action_or_reset(&pdev->dev, edu_leave_domain, pdev);
}

/* What the driver core undoes by itself when the device is unbound. */
static int edu_enable(struct edu *edu)
{
	unsigned int bits = dma_bits[edu->index] ?: 64;
	unsigned int coherent = coherent_bits[edu->index] ?: bits;
	struct pci_dev *pdev = edu->pdev;
	int ret;

	ret = pcim_enable_device(pdev);
	if (ret)
		return ret;
	ret = pcim_iomap_regions(pdev, BIT(0), "ba_edu");
	if (ret)
		return ret;
	edu->registers = pcim_iomap_table(pdev)[0];
	if ((readl(edu->registers + EDU_REG_ID) & EDU_ID_MASK) != EDU_ID)
		return -ENODEV;
	ret = dma_set_mask(&pdev->dev, DMA_BIT_MASK(bits)) ?:
	      dma_set_coherent_mask(&pdev->dev, DMA_BIT_MASK(coherent));
	if (ret)
		return ret;
	dma_set_max_seg_size(&pdev->dev,
			     segment_mib[edu->index] * SZ_1M ?: UINT_MAX);
	dma_set_seg_boundary(&pdev->dev,
			     DMA_BIT_MASK(boundary_bits[edu->index] ?: 32));
	edu->page = dmam_alloc_coherent(&pdev->dev, EDU_PIECE, &edu->page_addr,
					GFP_KERNEL);
	if (!edu->page)
		return -ENOMEM;
	pci_set_master(pdev);
	return own_domain[edu->index] ? edu_enter_domain(pdev) : 0;
}

static int edu_probe(struct pci_dev *pdev, const struct pci_device_id *id)
{
	struct edu *edu;
	int ret;

	edu = kzalloc(sizeof(*edu), GFP_KERNEL);
	if (!edu)
		return -ENOMEM;
	mutex_init(&edu->lock);
	INIT_LIST_HEAD(&edu->files);
	edu->pdev = pci_dev_get(pdev);
	device_initialize(&edu->node);
	edu->node.class = &edu_class;
	edu->node.parent = &pdev->dev;
	edu->node.release = edu_free;

	ret = ida_alloc_max(&indices, DEVICES - 1, GFP_KERNEL);
	if (ret < 0)
		goto err_put;
	edu->index = ret;
	edu->node.devt = first_node + edu->index;
	ret = dev_set_name(&edu->node, "ba_edu%d", edu->index);
	if (ret)
		goto err_index;
	ret = edu_enable(edu);
	if (ret)
		goto err_index;

	pci_set_drvdata(pdev, edu);
	edus[edu->index] = edu;
	cdev_init(&edu->cdev, &edu_fops);
	edu->cdev.owner = THIS_MODULE;
	ret = cdev_device_add(&edu->cdev, &edu->node);
	if (ret)
		goto err_forget;

	/* It sleeps unless it works: mapping must not depend on that. */
	pm_runtime_allow(&pdev->dev);
	pm_runtime_put_sync(&pdev->dev);
	return 0;

err_forget:
	edus[edu->index] = NULL;
err_index:
	ida_free(&indices, edu->index);
err_put:
	put_device(&edu->node);
	return ret;
}

static void edu_remove(struct pci_dev *pdev)
{
	struct edu *edu = pci_get_drvdata(pdev);
	struct edu_file *file;

	pm_runtime_get_sync(&pdev->dev);
	pm_runtime_forbid(&pdev->dev);
	cdev_device_del(&edu->cdev, &edu->node);
	mutex_lock(&edu->lock);
	edu->gone = true;
	list_for_each_entry(file, &edu->files, entry)
		edu_release(file);
	mutex_unlock(&edu->lock);
	/* The next driver finds what the PCI core has set. */
	dma_set_max_seg_size(&pdev->dev, SZ_64K);
	dma_set_seg_boundary(&pdev->dev, DMA_BIT_MASK(32));
	edus[edu->index] = NULL;
	ida_free(&indices, edu->index);
	put_device(&edu->node);
}

static int edu_suspend(struct device *dev)
{
	return 0;
}

static const struct dev_pm_ops edu_pm_ops = {
	RUNTIME_PM_OPS(edu_suspend, edu_suspend, NULL)
};

static const struct pci_device_id edu_ids[] = {
	{ PCI_DEVICE(0x1234, 0x11e8) },
	{ }
};
MODULE_DEVICE_TABLE(pci, edu_ids);

static struct pci_driver edu_driver = {
	.name = "ba_edu",
	.id_table = edu_ids,
	.probe = edu_probe,
	.remove = edu_remove,
	.driver.pm = &edu_pm_ops,
};

static int __init edu_init(void)
{
	int ret;

	ret = class_register(&edu_class);
	if (ret)
		return ret;
	ret = alloc_chrdev_region(&first_node, 0, DEVICES, "ba_edu");
	if (ret)
		goto err_class;
	ret = pci_register_driver(&edu_driver);
	if (ret)
		goto err_region;
	edu_resolver.major = MAJOR(first_node);
	bufalloc_resolver_register(&edu_resolver);
	return 0;

err_region:
	unregister_chrdev_region(first_node, DEVICES);
err_class:
	class_unregister(&edu_class);
	return ret;
}

static void __exit edu_exit(void)
{
	bufalloc_resolver_unregister(&edu_resolver);
	pci_unregister_driver(&edu_driver);
	unregister_chrdev_region(first_node, DEVICES);
	class_unregister(&edu_class);
}

module_init(edu_init);
module_exit(edu_exit);

MODULE_DESCRIPTION("Imports dma-bufs into QEMU's device edu, for tests");
MODULE_LICENSE("GPL");
BUFALLOC_IMPORT_NS(DMA_BUF);
BUFALLOC_IMPORT_NS(BUFALLOC);
