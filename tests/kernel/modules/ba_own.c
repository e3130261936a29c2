// SPDX-License-Identifier: GPL-2.0
/*
 * A driver for devices with memory of their own; see ba_own.h.
 */
#include <linux/cdev.h>
#include <linux/device.h>
#include <linux/dma-buf.h>
#include <linux/dma-direct.h>
#include <linux/dma-mapping.h>
#include <linux/err.h>
#include <linux/fs.h>
#include <linux/mod_devicetable.h>
#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/of.h>
#include <linux/of_reserved_mem.h>
#include <linux/platform_device.h>
#include <linux/slab.h>

#include "ba_own.h"
#include "resolver.h"

#define DEVICES 8

/**
 * struct own - one device; lives until its node is closed for the last time
 * @node: the character device's
 * @cdev: of the node
 * @pdev: referenced
 * @lock: protects what follows
 * @gone: unbound
 * @dmabuf: what is imported, or NULL
 * @attachment: of @dmabuf
 * @table: of @dmabuf
 */
struct own {
	struct device node;
	struct cdev cdev;
	struct platform_device *pdev;
	struct mutex lock; /* see above */
	bool gone;
	struct dma_buf *dmabuf;
	struct dma_buf_attachment *attachment;
	struct sg_table *table;
};

static dev_t first_node;
static unsigned int next_index; /* none is given twice */
static struct class own_class = { .name = "ba_own" };

static void own_release(struct own *own)
{
	if (!own->dmabuf)
		return;
	dma_buf_unmap_attachment_unlocked(own->attachment, own->table,
					  DMA_BIDIRECTIONAL);
	dma_buf_detach(own->dmabuf, own->attachment);
	dma_buf_put(own->dmabuf);
	own->dmabuf = NULL;
}

/* Is all that was mapped in the device's own memory? */
static bool is_inside(struct own *own)
{
	struct device *dev = &own->pdev->dev;
	struct reserved_mem *memory;
	struct device_node *node;
	struct scatterlist *sg;
	bool inside = true;
	int i;

	node = of_parse_phandle(dev->of_node, "memory-region", 0);
	memory = of_reserved_mem_lookup(node);
	of_node_put(node);
	for_each_sgtable_dma_sg(own->table, sg, i) {
		phys_addr_t start = dma_to_phys(dev, sg_dma_address(sg));

		if (start < memory->base || start + sg_dma_len(sg) >
						    memory->base + memory->size)
			inside = false;
	}
	return inside;
}

static int own_import(struct own *own, int fd)
{
	int ret;

	if (own->dmabuf)
		return -EBUSY;
	own->dmabuf = dma_buf_get(fd);
	if (IS_ERR(own->dmabuf)) {
		ret = PTR_ERR(own->dmabuf);
		goto err_none;
	}
	own->attachment = dma_buf_attach(own->dmabuf, &own->pdev->dev);
	if (IS_ERR(own->attachment)) {
		ret = PTR_ERR(own->attachment);
		goto err_put;
	}
	own->table = dma_buf_map_attachment_unlocked(own->attachment,
						     DMA_BIDIRECTIONAL);
	if (IS_ERR(own->table)) {
		ret = PTR_ERR(own->table);
		goto err_detach;
	}
	return is_inside(own);

err_detach:
	dma_buf_detach(own->dmabuf, own->attachment);
err_put:
	dma_buf_put(own->dmabuf);
err_none:
	own->dmabuf = NULL;
	return ret;
}

static int own_room(struct own *own, size_t bytes)
{
	struct device *dev = &own->pdev->dev;
	dma_addr_t addr;
	void *data = dma_alloc_coherent(dev, bytes, &addr, GFP_KERNEL);

	if (!data)
		return -ENOMEM;
	dma_free_coherent(dev, bytes, data, addr);
	return 0;
}

static long own_ioctl(struct file *filp, unsigned int cmd, unsigned long arg)
{
	struct own *own = filp->private_data;
	long ret = -ENOTTY;

	mutex_lock(&own->lock);
	if (own->gone)
		ret = -ENODEV;
	else if (cmd == BA_OWN_IMPORT)
		ret = own_import(own, arg);
	else if (cmd == BA_OWN_ROOM)
		ret = own_room(own, arg);
	else if (cmd == BA_OWN_RELEASE)
		ret = 0;
	if (cmd == BA_OWN_RELEASE)
		own_release(own);
	mutex_unlock(&own->lock);
	return ret;
}

static int own_open(struct inode *inode, struct file *filp)
{
	filp->private_data = container_of(inode->i_cdev, struct own, cdev);
	return 0;
}

static const struct file_operations own_fops = {
	.owner = THIS_MODULE,
	.open = own_open,
	.unlocked_ioctl = own_ioctl,
};

static int own_resolve(struct bufalloc_endpoint *endpoint)
{
	struct own *own = endpoint->file->private_data;

	endpoint->dev = get_device(&own->pdev->dev);
	endpoint->max_segments = 1;
	strscpy(endpoint->driver, "ba_own", sizeof(endpoint->driver));
	strscpy(endpoint->name, dev_name(&own->node), sizeof(endpoint->name));
	return 0;
}

/* The device's lock is held, and so it is when it is unbound. */
static bool own_alive(const struct bufalloc_endpoint *endpoint)
{
	struct own *own = endpoint->file->private_data;

	return !own->gone;
}

static struct bufalloc_resolver own_resolver = {
	.owner = THIS_MODULE,
	.resolve = own_resolve,
	.alive = own_alive,
};

static void own_free(struct device *node)
{
	struct own *own = container_of(node, struct own, node);

	platform_device_put(own->pdev);
	kfree(own);
}

static void own_unbound(void *data)
{
	struct own *own = data;

	cdev_device_del(&own->cdev, &own->node);
	mutex_lock(&own->lock);
	own->gone = true;
	own_release(own);
	mutex_unlock(&own->lock);
	of_reserved_mem_device_release(&own->pdev->dev);
	put_device(&own->node);
}

/* Named as the node of the devicetree: "ba_own" and a number. */
static int own_probe(struct platform_device *pdev)
{
	struct own *own;
	int ret;

	ret = dma_set_mask_and_coherent(&pdev->dev, DMA_BIT_MASK(64));
	if (ret)
		return ret;
	own = kzalloc(sizeof(*own), GFP_KERNEL);
	if (!own)
		return -ENOMEM;
	mutex_init(&own->lock);
	get_device(&pdev->dev);
	own->pdev = pdev;
	device_initialize(&own->node);
	own->node.class = &own_class;
	own->node.parent = &pdev->dev;
	own->node.release = own_free;
	own->node.devt = first_node + next_index++ % DEVICES;
	ret = dev_set_name(&own->node, "%s", dev_name(&pdev->dev)) ?:
	      of_reserved_mem_device_init(&pdev->dev);
	if (ret)
		goto err_put;
	cdev_init(&own->cdev, &own_fops);
	own->cdev.owner = THIS_MODULE;
	ret = cdev_device_add(&own->cdev, &own->node);
	if (ret)
		goto err_memory;
	return devm_add_action_or_reset(&pdev->dev, own_unbound, own);

err_memory:
	of_reserved_mem_device_release(&pdev->dev);
err_put:
	put_device(&own->node);
	return ret;
}

static const struct of_device_id own_match[] = {
	{ .compatible = "bufalloc-test,own-memory" },
	{ }
};
MODULE_DEVICE_TABLE(of, own_match);

static struct platform_driver own_driver = {
	.probe = own_probe,
	.driver = {
		.name = "ba_own",
		.of_match_table = own_match,
	},
};

static int __init own_init(void)
{
	int ret;

	ret = class_register(&own_class);
	if (ret)
		return ret;
	ret = alloc_chrdev_region(&first_node, 0, DEVICES, "ba_own");
	if (ret)
		goto err_class;
	ret = platform_driver_register(&own_driver);
	if (ret)
		goto err_region;
	own_resolver.major = MAJOR(first_node);
	bufalloc_resolver_register(&own_resolver);
	return 0;

err_region:
	unregister_chrdev_region(first_node, DEVICES);
err_class:
	class_unregister(&own_class);
	return ret;
}

static void __exit own_exit(void)
{
	bufalloc_resolver_unregister(&own_resolver);
	platform_driver_unregister(&own_driver);
	unregister_chrdev_region(first_node, DEVICES);
	class_unregister(&own_class);
}

module_init(own_init);
module_exit(own_exit);

MODULE_DESCRIPTION("Devices with memory of their own, for tests");
MODULE_LICENSE("GPL");
BUFALLOC_IMPORT_NS(DMA_BUF);
BUFALLOC_IMPORT_NS(BUFALLOC);
