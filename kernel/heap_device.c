// SPDX-License-Identifier: GPL-2.0
/*
 * The heap "device": memory of one device's own, which its node of the devicetree
 * names (memory-region, a "shared-dma-pool" with no-map; the kernel calls that
 * declared coherent memory, kernel/dma/coherent.c). It is allocated through that
 * device, by dma_alloc_attrs(), while its driver is bound.
 *
 * The kernel has a mapping of all such memory, write-combined, for as long as it
 * runs: this heap cannot promise that there is none. Otherwise it is like all
 * memory that is not in the linear map (nomap.c).
 *
 * When the driver is unbound, whoever has such a buffer loses it: its pages are
 * taken out of processes' address spaces, which fault from then on, and it is
 * neither mapped nor copied any more. So no importer gets a kernel mapping, which
 * could not be taken away. Memory that nobody uses goes back before the driver's
 * remove(). What a device has mapped stays until the last of the buffer's users is
 * gone; by then its owner may have no memory. So for each owner there is a device
 * of ours that shares the memory and is nothing else, to give it back by.
 */
#include <linux/device.h>
#include <linux/dma-buf.h>
#include <linux/dma-direct.h>
#include <linux/dma-mapping.h>
#include <linux/err.h>
#include <linux/fs.h>
#include <linux/list.h>
#include <linux/mm.h>
#include <linux/mutex.h>
#include <linux/of.h>
#include <linux/of_reserved_mem.h>
#include <linux/platform_device.h>
#include <linux/slab.h>

#include "bufalloc_private.h"
#include "resolver.h"

/**
 * struct owner - a device that has memory of its own
 *
 * It comes with the first buffer and goes when its driver is unbound, or with the
 * last buffer after that.
 *
 * @node: in owners
 * @dev: the device; referenced
 * @pdev: shares its memory
 * @bound: to its driver, as far as we know
 * @start: first byte of that
 * @length: bytes
 * @buffers: list of &struct bufalloc_own
 */
struct owner {
	struct list_head node;
	struct device *dev;
	struct platform_device *pdev;
	bool bound;
	u64 start;
	u64 length;
	struct list_head buffers;
};

/**
 * struct bufalloc_own - what a buffer has of it
 * @node: in owner.buffers
 * @owner: whose memory it is
 * @buf: the buffer
 * @vaddr: where the kernel has it mapped; NULL when it was given back
 * @addr: where the device sees it
 * @files: list of &struct own_file
 */
struct bufalloc_own {
	struct list_head node;
	struct owner *owner;
	struct bufalloc_buffer *buf;
	void *vaddr;
	dma_addr_t addr;
	struct list_head files;
};

/**
 * struct own_file - a dma-buf of such a buffer
 * @node: in bufalloc_own.files
 * @dmabuf: which; not dereferenced
 * @inode: that user space's mappings of it are found by; referenced
 */
struct own_file {
	struct list_head node;
	struct dma_buf *dmabuf;
	struct inode *inode;
};

/*
 * Protects owners and all that is in them. Drivers are unbound, and buffers
 * allocated, with their device's lock held: that -> this lock -> a buffer's.
 */
static DEFINE_MUTEX(lock);
static LIST_HEAD(owners);

/* Is it the memory of @dev that memory-region names at @index? */
static int share(struct owner *owner, struct device *dev, int index)
{
	struct device_node *node;
	struct reserved_mem *memory;
	int ret;

	node = of_parse_phandle(dev->of_node, "memory-region", index);
	if (!node)
		return -ENOENT;
	memory = of_reserved_mem_lookup(node);
	of_node_put(node);
	if (!memory || of_reserved_mem_device_init_by_idx(&owner->pdev->dev,
							  dev->of_node, index))
		return -EAGAIN;
	ret = owner->pdev->dev.dma_mem == dev->dma_mem ? 0 : -EAGAIN;
	if (ret)
		of_reserved_mem_device_release(&owner->pdev->dev);
	owner->start = memory->base;
	owner->length = memory->size;
	return ret;
}

static struct owner *make_owner(struct device *dev)
{
	static const struct platform_device_info info = {
		.name = "bufalloc-own",
		.id = PLATFORM_DEVID_AUTO,
		.dma_mask = DMA_BIT_MASK(64),
	};
	struct owner *owner;
	int ret, i = 0;

	owner = kzalloc(sizeof(*owner), GFP_KERNEL);
	if (!owner)
		return ERR_PTR(-ENOMEM);
	owner->pdev = platform_device_register_full(&info);
	if (IS_ERR(owner->pdev)) {
		ret = PTR_ERR(owner->pdev);
		goto err_free;
	}
	do {
		ret = share(owner, dev, i++);
	} while (ret == -EAGAIN);
	/* Somebody else gave it that memory: nothing is known of it. */
	if (ret)
		goto err_device;
	INIT_LIST_HEAD(&owner->buffers);
	owner->dev = get_device(dev);
	owner->bound = true;
	list_add(&owner->node, &owners);
	return owner;

err_device:
	platform_device_unregister(owner->pdev);
	ret = -ENOSPC;
err_free:
	kfree(owner);
	return ERR_PTR(ret);
}

static struct owner *find_owner(struct device *dev)
{
	struct owner *owner;

	list_for_each_entry(owner, &owners, node) {
		if (owner->dev == dev &&
		    owner->pdev->dev.dma_mem == dev->dma_mem) {
			owner->bound = true;
			return owner;
		}
	}
	return make_owner(dev);
}

static void put_owner(struct owner *owner)
{
	if (owner->bound || !list_empty(&owner->buffers))
		return;
	list_del(&owner->node);
	of_reserved_mem_device_release(&owner->pdev->dev);
	platform_device_unregister(owner->pdev);
	put_device(owner->dev);
	kfree(owner);
}

static void give_back(struct bufalloc_own *own)
{
	if (!own->vaddr)
		return;
	dma_free_attrs(&own->owner->pdev->dev, own->buf->length, own->vaddr,
		       own->addr, 0);
	own->vaddr = NULL;
	bufalloc_debugfs_live(BUFALLOC_LIVE_RESERVED_PAGES,
			      -(int)PHYS_PFN(own->buf->length));
}

/*
 * Has the device memory of its own? It is bound, and stays so meanwhile. Other
 * buses than the platform's would have to be watched, too.
 */
bool bufalloc_heap_device_has(struct device *dev)
{
	return dev->bus == &platform_bus_type && dev->of_node && dev->dma_mem;
}

static bool fits(const struct owner *owner, u64 start, u64 length,
		 const struct bufalloc_need *need)
{
	return start >= owner->start &&
	       start + length <= owner->start + owner->length &&
	       bufalloc_constraint_range_fits(need, start, length);
}

/* Have all of its pages a struct page, or none? Else -ENOSPC. */
static int pages_of(unsigned long pfn, unsigned long pages, bool *has_pages)
{
	unsigned long i;

	*has_pages = pfn_valid(pfn);
	for (i = 1; i < pages; i++)
		if (pfn_valid(pfn + i) != *has_pages)
			return -ENOSPC;
	return 0;
}

/* The device has no other memory for such a call, so there is no falling back. */
static int take(struct bufalloc_own *own, struct device *dev,
		const struct bufalloc_need *need)
{
	struct bufalloc_buffer *buf = own->buf;
	unsigned long pages = PHYS_PFN(buf->length);
	bool has_pages;
	u64 start;
	int ret;

	own->vaddr = dma_alloc_attrs(dev, buf->length, &own->addr, GFP_KERNEL,
				     DMA_ATTR_NO_WARN);
	if (!own->vaddr)
		return -ENOMEM;
	bufalloc_debugfs_live(BUFALLOC_LIVE_RESERVED_PAGES, pages);
	start = dma_to_phys(dev, own->addr);
	ret = fits(own->owner, start, buf->length, need) ?
		      pages_of(PHYS_PFN(start), pages, &has_pages) : -ENOSPC;
	if (!ret) {
		buf->linear = BUFALLOC_LINEAR_NONE;
		if (!bufalloc_attribute_is_uncached(buf))
			buf->attributes |= BUFALLOC_ATTRIBUTE_WRITE_COMBINE;
		bufalloc_heap_range_describe(buf, PHYS_PFN(start), has_pages);
		ret = bufalloc_nomap_clear(buf);
	}
	if (ret)
		give_back(own);
	return ret;
}

/* The driver stays bound. */
static int alloc_from(struct bufalloc_own *own, struct device *dev,
		      const struct bufalloc_need *need)
{
	struct owner *owner;
	int ret;

	if (!bufalloc_heap_device_has(dev))
		return -ENODEV;
	mutex_lock(&lock);
	owner = find_owner(dev);
	if (IS_ERR(owner)) {
		ret = PTR_ERR(owner);
		goto out_unlock;
	}
	own->owner = owner;
	ret = take(own, dev, need);
	if (!ret)
		list_add(&own->node, &owner->buffers);
out_unlock:
	mutex_unlock(&lock);
	return ret;
}

static bool bufalloc_heap_device_can(const struct bufalloc_need *need)
{
	return need->own;
}

static int bufalloc_heap_device_alloc(struct bufalloc_buffer *buf,
				      const struct bufalloc_need *need)
{
	struct bufalloc_own *own;
	int ret;

	if (!need->own)
		return -ENOSPC;
	own = kzalloc(sizeof(*own), GFP_KERNEL);
	if (!own)
		return -ENOMEM;
	own->buf = buf;
	INIT_LIST_HEAD(&own->files);
	ret = bufalloc_heap_range_begin(buf);
	if (ret)
		goto err_free;
	ret = bufalloc_resolver_lock(need->own);
	if (ret)
		goto err_end;
	buf->own = own;
	ret = alloc_from(own, need->own->dev, need);
	bufalloc_resolver_unlock(need->own);
	if (ret)
		goto err_end;
	return 0;

err_end:
	bufalloc_heap_range_end(buf);
err_free:
	kfree(own);
	return ret;
}

static void bufalloc_heap_device_free(struct bufalloc_buffer *buf)
{
	struct bufalloc_own *own = buf->own;

	mutex_lock(&lock);
	WARN_ON(!list_empty(&own->files));
	give_back(own);
	list_del(&own->node);
	put_owner(own->owner);
	mutex_unlock(&lock);
	kfree(own);
	bufalloc_heap_range_end(buf);
}

/* What bufalloc_heap_device_exported() needs; NULL: no memory. */
struct own_file *bufalloc_heap_device_file(void)
{
	return kzalloc(sizeof(struct own_file), GFP_KERNEL);
}

/* It has one more dma-buf, whose mappings into user space end with the binding. */
void bufalloc_heap_device_exported(struct bufalloc_buffer *buf,
				   struct dma_buf *dmabuf,
				   struct own_file *file)
{
	file->dmabuf = dmabuf;
	file->inode = file_inode(dmabuf->file);
	/* It goes before the dma-buf does. */
	ihold(file->inode);
	mutex_lock(&lock);
	list_add(&file->node, &buf->own->files);
	mutex_unlock(&lock);
}

void bufalloc_heap_device_released(struct bufalloc_buffer *buf,
				   struct dma_buf *dmabuf)
{
	struct own_file *file, *next;

	mutex_lock(&lock);
	list_for_each_entry_safe(file, next, &buf->own->files, node) {
		if (file->dmabuf != dmabuf)
			continue;
		list_del(&file->node);
		iput(file->inode);
		kfree(file);
	}
	mutex_unlock(&lock);
}

/* The binding ends, and nobody has the buffer any more who can be told so. */
static void revoke(struct bufalloc_own *own)
{
	struct bufalloc_buffer *buf = own->buf;
	struct own_file *file;
	bool idle;

	mutex_lock(&buf->lock);
	buf->gone = true;
	idle = list_empty(&buf->mappings) && list_empty(&buf->domains) &&
	       !buf->holds;
	mutex_unlock(&buf->lock);
	list_for_each_entry(file, &own->files, node)
		unmap_mapping_range(file->inode->i_mapping, 0, 0, 1);
	if (idle)
		give_back(own);
}

static void unbind(struct owner *owner)
{
	struct bufalloc_own *own;

	owner->bound = false;
	list_for_each_entry(own, &owner->buffers, node)
		revoke(own);
	put_owner(owner);
}

/* Before the driver's remove(), with the device's lock held. */
static int bufalloc_heap_device_notify(struct notifier_block *block,
				       unsigned long action, void *data)
{
	struct owner *owner, *next;

	if (action != BUS_NOTIFY_UNBIND_DRIVER)
		return NOTIFY_DONE;
	mutex_lock(&lock);
	list_for_each_entry_safe(owner, next, &owners, node)
		if (owner->dev == data)
			unbind(owner);
	mutex_unlock(&lock);
	return NOTIFY_DONE;
}

static struct notifier_block bufalloc_heap_device_block = {
	.notifier_call = bufalloc_heap_device_notify,
};

int bufalloc_heap_device_init(void)
{
	return bus_register_notifier(&platform_bus_type,
				     &bufalloc_heap_device_block);
}

/* No buffer is alive any more. */
void bufalloc_heap_device_exit(void)
{
	struct owner *owner, *next;

	bus_unregister_notifier(&platform_bus_type,
				&bufalloc_heap_device_block);
	list_for_each_entry_safe(owner, next, &owners, node)
		unbind(owner);
}

const struct bufalloc_heap bufalloc_heap_device = {
	.name = "device",
	.can = bufalloc_heap_device_can,
	.alloc = bufalloc_heap_device_alloc,
	.free = bufalloc_heap_device_free,
};
