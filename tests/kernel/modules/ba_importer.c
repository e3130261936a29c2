// SPDX-License-Identifier: GPL-2.0
/*
 * A stand-in importer; see ba_importer.h. For dma-direct only: it takes a
 * device address for a physical one.
 */
#include <linux/dma-buf.h>
#include <linux/dma-map-ops.h>
#include <linux/dma-mapping.h>
#include <linux/dma-resv.h>
#include <linux/err.h>
#include <linux/fs.h>
#include <linux/io.h>
#include <linux/miscdevice.h>
#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/platform_device.h>
#include <linux/slab.h>
#include <linux/uaccess.h>

#include "ba_importer.h"

/* Coherent: where that is a device's property, the last but one only. */
#define DEVICES 4
#define COHERENT_DEVICE 2

static const unsigned int dma_bits[DEVICES] = { 64, 64, 64, 32 };

static struct platform_device *devices[DEVICES];

/* One open file; @lock protects the rest. */
struct import {
	struct mutex lock;
	struct dma_buf *dmabuf;
	struct dma_buf_attachment *attachment;
	struct sg_table *table;
	struct iosys_map map;
	enum ba_importer_how how;
};

static enum dma_data_direction direction(struct import *import)
{
	return import->how == BA_IMPORTER_READS ? DMA_TO_DEVICE :
						  DMA_BIDIRECTIONAL;
}

static int import_vmap(struct import *import)
{
	int ret;

	dma_resv_lock(import->dmabuf->resv, NULL);
	ret = dma_buf_vmap(import->dmabuf, &import->map);
	dma_resv_unlock(import->dmabuf->resv);
	return ret;
}

static void import_vunmap(struct import *import)
{
	dma_resv_lock(import->dmabuf->resv, NULL);
	dma_buf_vunmap(import->dmabuf, &import->map);
	dma_resv_unlock(import->dmabuf->resv);
}

static int import_map(struct import *import, struct ba_importer_import *arg)
{
	int ret;

	if (import->dmabuf)
		return -EBUSY;
	if (arg->device >= DEVICES || arg->how > BA_IMPORTER_VMAP)
		return -EINVAL;
	import->how = arg->how;

	import->dmabuf = dma_buf_get(arg->fd);
	if (IS_ERR(import->dmabuf)) {
		ret = PTR_ERR(import->dmabuf);
		goto err_clear;
	}
	if (import->how == BA_IMPORTER_VMAP) {
		ret = import_vmap(import);
		if (ret)
			goto err_put;
		return 0;
	}
	import->attachment = dma_buf_attach(import->dmabuf,
					    &devices[arg->device]->dev);
	if (IS_ERR(import->attachment)) {
		ret = PTR_ERR(import->attachment);
		goto err_put;
	}
	import->table = dma_buf_map_attachment_unlocked(import->attachment,
							direction(import));
	if (IS_ERR(import->table)) {
		ret = PTR_ERR(import->table);
		goto err_detach;
	}
	return 0;

err_detach:
	dma_buf_detach(import->dmabuf, import->attachment);
err_put:
	dma_buf_put(import->dmabuf);
err_clear:
	import->dmabuf = NULL;
	return ret;
}

static void import_unmap(struct import *import)
{
	if (!import->dmabuf)
		return;
	if (import->how == BA_IMPORTER_VMAP) {
		import_vunmap(import);
	} else {
		dma_buf_unmap_attachment_unlocked(import->attachment,
						  import->table,
						  direction(import));
		dma_buf_detach(import->dmabuf, import->attachment);
	}
	dma_buf_put(import->dmabuf);
	import->dmabuf = NULL;
}

/*
 * Is that not the memory itself? With that option the dma-buf core hides where it
 * is; and what was set aside may have no pages, and does not bounce.
 */
static bool is_elsewhere(struct scatterlist *sg)
{
	struct scatterlist copy = *sg;

	if (IS_ENABLED(CONFIG_DMABUF_DEBUG))
		copy.page_link ^= ~0xffUL;
	return sg_page(&copy) && sg_dma_address(sg) != sg_phys(&copy);
}

/* Without an IOMMU there is one segment for each entry. */
static void import_describe(struct import *import,
			    struct ba_importer_import *arg)
{
	struct scatterlist *sg;
	int i;

	arg->coherent = dev_is_dma_coherent(&devices[arg->device]->dev);
	arg->segments = 0;
	arg->bounced = 0;
	if (import->how == BA_IMPORTER_VMAP)
		return;
	arg->segments = import->table->nents;
	for_each_sgtable_dma_sg(import->table, sg, i)
		if (is_elsewhere(sg))
			arg->bounced += sg_dma_len(sg);
}

static u8 expected(u64 offset, u32 seed)
{
	return offset * 31 + seed;
}

static void import_write(struct import *import, u32 seed)
{
	struct scatterlist *sg;
	u64 offset = 0;
	u32 n;
	int i;

	for_each_sgtable_dma_sg(import->table, sg, i) {
		u8 *data = phys_to_virt(sg_dma_address(sg));

		for (n = 0; n < sg_dma_len(sg); n++)
			data[n] = expected(offset++, seed);
	}
}

static u64 import_check(struct import *import, u32 seed)
{
	struct scatterlist *sg;
	u64 offset = 0;
	u32 n;
	int i;

	for_each_sgtable_dma_sg(import->table, sg, i) {
		u8 *data = phys_to_virt(sg_dma_address(sg));

		for (n = 0; n < sg_dma_len(sg); n++, offset++)
			if (data[n] != expected(offset, seed))
				return offset;
	}
	return offset;
}

static long ba_importer_ioctl(struct file *file, unsigned int cmd,
			      unsigned long arg)
{
	struct import *import = file->private_data;
	void __user *user = (void __user *)arg;
	struct ba_importer_import map;
	struct ba_importer_access access;
	long ret = 0;

	mutex_lock(&import->lock);
	switch (cmd) {
	case BA_IMPORTER_IMPORT:
		ret = -EFAULT;
		if (copy_from_user(&map, user, sizeof(map)))
			break;
		ret = import_map(import, &map);
		if (ret)
			break;
		import_describe(import, &map);
		if (copy_to_user(user, &map, sizeof(map)))
			ret = -EFAULT;
		break;
	case BA_IMPORTER_WRITE:
	case BA_IMPORTER_CHECK:
		ret = -EFAULT;
		if (copy_from_user(&access, user, sizeof(access)))
			break;
		ret = -ENOTCONN;
		if (!import->dmabuf || import->how == BA_IMPORTER_VMAP)
			break;
		ret = 0;
		if (cmd == BA_IMPORTER_WRITE)
			import_write(import, access.seed);
		else
			access.match = import_check(import, access.seed);
		if (copy_to_user(user, &access, sizeof(access)))
			ret = -EFAULT;
		break;
	case BA_IMPORTER_RELEASE:
		import_unmap(import);
		break;
	default:
		ret = -ENOTTY;
		break;
	}
	mutex_unlock(&import->lock);
	return ret;
}

static int ba_importer_open(struct inode *inode, struct file *file)
{
	struct import *import = kzalloc(sizeof(*import), GFP_KERNEL);

	if (!import)
		return -ENOMEM;
	mutex_init(&import->lock);
	file->private_data = import;
	return 0;
}

static int ba_importer_release(struct inode *inode, struct file *file)
{
	struct import *import = file->private_data;

	import_unmap(import);
	kfree(import);
	return 0;
}

static const struct file_operations ba_importer_fops = {
	.owner = THIS_MODULE,
	.open = ba_importer_open,
	.release = ba_importer_release,
	.unlocked_ioctl = ba_importer_ioctl,
};

static struct miscdevice ba_importer_misc = {
	.minor = MISC_DYNAMIC_MINOR,
	.name = "ba_importer",
	.fops = &ba_importer_fops,
};

/* Everywhere else all devices are. */
static void make_coherent(struct device *dev, bool coherent)
{
#if defined(CONFIG_ARCH_HAS_SYNC_DMA_FOR_DEVICE) || \
	defined(CONFIG_ARCH_HAS_SYNC_DMA_FOR_CPU)
	dev->dma_coherent = coherent;
#endif
}

static void unregister_devices(void)
{
	int i;

	for (i = DEVICES - 1; i >= 0; i--)
		if (!IS_ERR_OR_NULL(devices[i]))
			platform_device_unregister(devices[i]);
}

static int __init ba_importer_init(void)
{
	int i, ret;

	for (i = 0; i < DEVICES; i++) {
		devices[i] = platform_device_register_simple("ba_importer", i,
							     NULL, 0);
		if (IS_ERR(devices[i])) {
			ret = PTR_ERR(devices[i]);
			goto err_devices;
		}
		make_coherent(&devices[i]->dev, i == COHERENT_DEVICE);
		ret = dma_coerce_mask_and_coherent(&devices[i]->dev,
						   DMA_BIT_MASK(dma_bits[i]));
		if (ret)
			goto err_devices;
	}
	ret = misc_register(&ba_importer_misc);
	if (ret)
		goto err_devices;
	return 0;

err_devices:
	unregister_devices();
	return ret;
}

static void __exit ba_importer_exit(void)
{
	misc_deregister(&ba_importer_misc);
	unregister_devices();
}

module_init(ba_importer_init);
module_exit(ba_importer_exit);

MODULE_DESCRIPTION("A stand-in importer of dma-bufs, for tests");
MODULE_LICENSE("GPL");
BUFALLOC_IMPORT_NS(DMA_BUF);
