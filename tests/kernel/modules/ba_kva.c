// SPDX-License-Identifier: GPL-2.0
/*
 * The DMA API's own memory; see ba_kva.h.
 */
#include <linux/dma-mapping.h>
#include <linux/err.h>
#include <linux/fs.h>
#include <linux/list.h>
#include <linux/miscdevice.h>
#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/pci.h>
#include <linux/platform_device.h>
#include <linux/slab.h>
#include <linux/uaccess.h>

#include "ba_kva.h"

#define EDU_VENDOR 0x1234
#define EDU_DEVICE 0x11e8

/**
 * struct kva_memory - one dma_alloc_attrs()
 * @node: in struct kva_file.memory
 * @data: what it returned
 * @addr: where the device sees it
 * @length: bytes
 * @attrs: DMA_ATTR_*
 */
struct kva_memory {
	struct list_head node;
	void *data;
	dma_addr_t addr;
	size_t length;
	unsigned long attrs;
};

/**
 * struct kva_file - an open /dev/ba_kva
 * @lock: protects @memory
 * @memory: list of &struct kva_memory
 */
struct kva_file {
	struct mutex lock;
	struct list_head memory;
};

static struct platform_device *platform;
static struct pci_dev *edu;

static struct device *kva_device(void)
{
	return edu ? &edu->dev : &platform->dev;
}

static int kva_open(struct inode *inode, struct file *file)
{
	struct kva_file *kva = kzalloc(sizeof(*kva), GFP_KERNEL);

	if (!kva)
		return -ENOMEM;
	mutex_init(&kva->lock);
	INIT_LIST_HEAD(&kva->memory);
	file->private_data = kva;
	return 0;
}

static int kva_release(struct inode *inode, struct file *file)
{
	struct kva_file *kva = file->private_data;
	struct kva_memory *memory, *next;

	list_for_each_entry_safe(memory, next, &kva->memory, node) {
		dma_free_attrs(kva_device(), memory->length, memory->data,
			       memory->addr, memory->attrs);
		kfree(memory);
	}
	mutex_destroy(&kva->lock);
	kfree(kva);
	return 0;
}

static long kva_ioctl(struct file *file, unsigned int cmd, unsigned long data)
{
	struct kva_file *kva = file->private_data;
	struct kva_memory *memory;
	struct ba_kva_alloc arg;

	if (cmd != BA_KVA_ALLOC)
		return -ENOTTY;
	if (copy_from_user(&arg, (void __user *)data, sizeof(arg)))
		return -EFAULT;
	if (!arg.length || arg.length > SZ_1G)
		return -EINVAL;

	memory = kzalloc(sizeof(*memory), GFP_KERNEL);
	if (!memory)
		return -ENOMEM;
	memory->length = arg.length;
	memory->attrs = arg.mapped ? 0 : DMA_ATTR_NO_KERNEL_MAPPING;
	memory->data = dma_alloc_attrs(kva_device(), memory->length,
				       &memory->addr, GFP_KERNEL,
				       memory->attrs);
	if (!memory->data) {
		kfree(memory);
		return -ENOMEM;
	}
	mutex_lock(&kva->lock);
	list_add(&memory->node, &kva->memory);
	mutex_unlock(&kva->lock);
	return 0;
}

static const struct file_operations kva_fops = {
	.owner = THIS_MODULE,
	.open = kva_open,
	.release = kva_release,
	.unlocked_ioctl = kva_ioctl,
	.compat_ioctl = compat_ptr_ioctl,
};

static struct miscdevice kva_misc = {
	.minor = MISC_DYNAMIC_MINOR,
	.name = "ba_kva",
	.fops = &kva_fops,
};

static int __init kva_init(void)
{
	int ret;

	edu = pci_get_device(EDU_VENDOR, EDU_DEVICE, NULL);
	platform = platform_device_register_simple("ba_kva", -1, NULL, 0);
	if (IS_ERR(platform)) {
		ret = PTR_ERR(platform);
		goto put;
	}
	ret = dma_coerce_mask_and_coherent(&platform->dev, DMA_BIT_MASK(32)) ?:
	      misc_register(&kva_misc);
	if (ret)
		goto unregister;
	return 0;

unregister:
	platform_device_unregister(platform);
put:
	pci_dev_put(edu);
	return ret;
}

static void __exit kva_exit(void)
{
	misc_deregister(&kva_misc);
	platform_device_unregister(platform);
	pci_dev_put(edu);
}

module_init(kva_init);
module_exit(kva_exit);
MODULE_DESCRIPTION("The DMA API's own memory, for bufalloc's tests");
MODULE_LICENSE("GPL");
