// SPDX-License-Identifier: GPL-2.0
/*
 * videobuf2 memory operations: the memory of a V4L2 queue's buffers, whether it is
 * ours (MMAP), another's dma-buf (DMABUF) or the process's own (USERPTR).
 *
 * videobuf2 calls them with the queue's lock held, but for two: mmap() comes by
 * without it, and finish() where vb2_buffer_done() is called, which may be an
 * interrupt handler.
 */
#include <linux/device.h>
#include <linux/dma-buf.h>
#include <linux/dma-map-ops.h>
#include <linux/dma-mapping.h>
#include <linux/err.h>
#include <linux/highmem.h>
#include <linux/iosys-map.h>
#include <linux/module.h>
#include <linux/overflow.h>
#include <linux/scatterlist.h>
#include <linux/slab.h>
#include <media/videobuf2-core.h>

#include <linux/bufalloc-v4l2.h>

#include "compat/dma_buf.h"
#include "vb2.h"

/**
 * struct bufalloc_vb2 - the memory of one plane of a buffer
 * @vb: the buffer
 * @dev: who does the DMA
 * @dir: of the DMA
 * @one_segment: the driver wants one address, not a table
 * @buf: where the memory is one of ours (MMAP, USERPTR)
 * @attachment: where it is a dma-buf (DMABUF)
 * @table: of all of the memory, mapped for @dev; NULL: it is not
 * @offset: where in it the plane begins: user pointers need not be aligned
 * @length: bytes of the plane
 * @addr: the cookie of a device that takes one segment
 * @shown: the cookie of all others: @table, or a part of it that is @part
 * @part: the DMA side of the part of @table that the plane is
 * @vaddr: where memory of @table is in the kernel's address space, or NULL
 */
struct bufalloc_vb2 {
	struct vb2_buffer *vb;
	struct device *dev;
	enum dma_data_direction dir;
	bool one_segment;
	struct bufalloc_buffer *buf;
	struct dma_buf_attachment *attachment;
	struct sg_table *table;
	size_t offset;
	size_t length;
	dma_addr_t addr;
	struct sg_table *shown;
	struct sg_table part;
	void *vaddr;
};

static struct bufalloc_vb2 *plane_new(struct vb2_buffer *vb, struct device *dev,
				      size_t length)
{
	const struct vb2_queue *q = vb->vb2_queue;
	struct bufalloc_vb2 *plane;

	/* The driver has not said who does the DMA. */
	if (WARN_ON(!dev))
		return ERR_PTR(-EINVAL);
	plane = kzalloc(sizeof(*plane), GFP_KERNEL);
	if (!plane)
		return ERR_PTR(-ENOMEM);
	plane->vb = vb;
	plane->dev = get_device(dev);
	plane->dir = q->dma_dir;
	plane->one_segment = q->mem_ops == &bufalloc_vb2_memops;
	plane->length = length;
	return plane;
}

static void plane_delete(struct bufalloc_vb2 *plane)
{
	put_device(plane->dev);
	kfree(plane);
}

/* Bytes from the first one on that are one DMA segment: neighbours count as one. */
static size_t first_segment(struct sg_table *table)
{
	dma_addr_t next = sg_dma_address(table->sgl);
	struct scatterlist *sg;
	size_t length = 0;
	int i;

	for_each_sgtable_dma_sg(table, sg, i) {
		if (sg_dma_address(sg) != next)
			break;
		next += sg_dma_len(sg);
		length += sg_dma_len(sg);
	}
	return length;
}

/* The table without what is before and behind the plane. */
static int cut_table(struct bufalloc_vb2 *plane)
{
	size_t skip = plane->offset, left = plane->length;
	struct scatterlist *from, *to;
	int i, ret;

	ret = sg_alloc_table(&plane->part, plane->table->nents,
			     GFP_KERNEL_ACCOUNT);
	if (ret)
		return ret;
	to = plane->part.sgl;
	plane->part.nents = 0;
	for_each_sgtable_dma_sg(plane->table, from, i) {
		size_t part = min_t(size_t, sg_dma_len(from) - skip, left);

		sg_dma_address(to) = sg_dma_address(from) + skip;
		sg_dma_len(to) = part;
		plane->part.nents++;
		left -= part;
		skip = 0;
		if (!left)
			break;
		to = sg_next(to);
	}
	plane->shown = &plane->part;
	return 0;
}

/* What the driver gets to see, once @plane->table is there. */
static int make_cookies(struct bufalloc_vb2 *plane)
{
	size_t length = first_segment(plane->table);

	if (plane->one_segment && length < plane->offset + plane->length) {
		dev_dbg(plane->dev,
			"takes one DMA segment, of which a buffer of %zu bytes has %zu\n",
			plane->length, length);
		return -EFAULT;
	}
	plane->addr = sg_dma_address(plane->table->sgl) + plane->offset;
	plane->shown = plane->table;
	/* Of a user pointer's pages some bytes are not the plane's. */
	if (!plane->one_segment && plane->buf &&
	    bufalloc_length(plane->buf) != plane->length)
		return cut_table(plane);
	return 0;
}

static void drop_cookies(struct bufalloc_vb2 *plane)
{
	if (plane->shown == &plane->part)
		sg_free_table(&plane->part);
	plane->shown = NULL;
	plane->addr = 0;
	plane->table = NULL;
}

/* Map memory of ours for the device. */
static int map_buffer(struct bufalloc_vb2 *plane)
{
	struct sg_table *table;
	int ret;

	if (plane->dir == DMA_TO_DEVICE)
		table = bufalloc_map_to_read(plane->buf, plane->dev);
	else
		table = bufalloc_map(plane->buf, plane->dev);
	if (IS_ERR(table))
		return PTR_ERR(table);
	plane->table = table;
	ret = make_cookies(plane);
	if (ret) {
		bufalloc_unmap(plane->buf, plane->dev, table);
		drop_cookies(plane);
	}
	return ret;
}

/* Undo all that was done with memory of ours. */
static void release_buffer(struct bufalloc_vb2 *plane)
{
	struct sg_table *table = plane->table;

	if (plane->vaddr)
		bufalloc_vunmap(plane->buf);
	drop_cookies(plane);
	bufalloc_unmap(plane->buf, plane->dev, table);
	bufalloc_put(plane->buf);
	plane_delete(plane);
}

/* What of the queue's attributes is one of a buffer. */
static u64 attributes_of(const struct vb2_queue *q, struct device *dev)
{
	u64 attributes = 0;

	if (q->dma_attrs & DMA_ATTR_FORCE_CONTIGUOUS)
		attributes |= BUFALLOC_ATTRIBUTE_CONTIGUOUS;
	/* As for the DMA API: a device that sees the caches needs nothing else. */
	if (dev_is_dma_coherent(dev) || q->non_coherent_mem)
		return attributes;
	if (q->dma_attrs & DMA_ATTR_WRITE_COMBINE)
		return attributes | BUFALLOC_ATTRIBUTE_WRITE_COMBINE;
	return attributes | BUFALLOC_ATTRIBUTE_UNCACHED;
}

static u32 access_of(enum dma_data_direction dir)
{
	switch (dir) {
	case DMA_TO_DEVICE:
		return BUFALLOC_ACCESS_READ;
	case DMA_FROM_DEVICE:
		return BUFALLOC_ACCESS_WRITE;
	default:
		return BUFALLOC_ACCESS_READ | BUFALLOC_ACCESS_WRITE;
	}
}

static struct bufalloc_buffer *
alloc_for_peers(const struct bufalloc_vb2 *plane, struct bufalloc_peers *peers)
{
	const u64 uncached = BUFALLOC_ATTRIBUTE_UNCACHED |
			     BUFALLOC_ATTRIBUTE_WRITE_COMBINE;
	const struct vb2_queue *q = plane->vb->vb2_queue;
	struct bufalloc_alloc_verdict verdict;
	struct bufalloc_request request = {
		.length = plane->length,
		.attributes = attributes_of(q, plane->dev),
		.uses = peers->uses,
		.use_count = peers->count,
	};
	struct bufalloc_buffer *buf;

	buf = bufalloc_alloc(&request, &verdict);
	/* Where there is no such memory, prepare() and finish() do without. */
	if (buf == ERR_PTR(-EOPNOTSUPP) && request.attributes & uncached) {
		request.attributes &= ~uncached;
		buf = bufalloc_alloc(&request, &verdict);
	}
	if (IS_ERR(buf) && !(q->dma_attrs & DMA_ATTR_NO_WARN))
		dev_err_ratelimited(plane->dev,
				    "no buffer of %zu bytes for %u devices: error %ld, reason %u of %s\n",
				    plane->length, peers->count, PTR_ERR(buf),
				    verdict.out_reason,
				    verdict.out_device < peers->count ?
				    dev_name(peers->uses[verdict.out_device].dev) :
				    "none of them");
	return buf;
}

static struct bufalloc_buffer *alloc_buffer(const struct bufalloc_vb2 *plane)
{
	struct bufalloc_peers *peers;
	struct bufalloc_buffer *buf;
	int ret;

	peers = kzalloc(sizeof(*peers), GFP_KERNEL);
	if (!peers)
		return ERR_PTR(-ENOMEM);
	peers->uses[0].dev = plane->dev;
	peers->uses[0].access = access_of(plane->dir);
	peers->uses[0].max_segments = plane->one_segment;
	peers->count = 1;
	bufalloc_vb2_add_peers(peers, plane->vb->vb2_queue);
	ret = bufalloc_peers_hold(peers, plane->dev);
	buf = ret ? ERR_PTR(ret) : alloc_for_peers(plane, peers);
	bufalloc_peers_release(peers);
	kfree(peers);
	return buf;
}

/* Make @buf, or the error that it is, what videobuf2 gets of @plane. */
static void *take_buffer(struct bufalloc_vb2 *plane, struct bufalloc_buffer *buf)
{
	int ret = PTR_ERR_OR_ZERO(buf);

	if (ret)
		goto err_plane;
	plane->buf = buf;
	ret = map_buffer(plane);
	if (ret)
		goto err_buffer;
	return plane;

err_buffer:
	bufalloc_put(buf);
err_plane:
	plane_delete(plane);
	return ERR_PTR(ret);
}

static void *bufalloc_vb2_alloc(struct vb2_buffer *vb, struct device *dev,
				unsigned long size)
{
	struct bufalloc_vb2 *plane;

	/* It would be the mapping's, and a buffer has one for all of a device. */
	if (vb->vb2_queue->dma_attrs & DMA_ATTR_PRIVILEGED)
		return ERR_PTR(-EOPNOTSUPP);
	plane = plane_new(vb, dev, size);
	if (IS_ERR(plane))
		return plane;
	return take_buffer(plane, alloc_buffer(plane));
}

/* Whoever mapped or imported it keeps the memory. */
static void bufalloc_vb2_put(void *priv)
{
	release_buffer(priv);
}

static unsigned int bufalloc_vb2_num_users(void *priv)
{
	struct bufalloc_vb2 *plane = priv;

	/* It asks about imports, too. */
	return plane->buf ? bufalloc_users(plane->buf) : 1;
}

static int bufalloc_vb2_mmap(void *priv, struct vm_area_struct *vma)
{
	struct bufalloc_vb2 *plane = priv;

	return bufalloc_mmap(plane->buf, vma);
}

static struct dma_buf *bufalloc_vb2_get_dmabuf(struct vb2_buffer *vb,
					       void *priv, unsigned long flags)
{
	struct bufalloc_vb2 *plane = priv;

	return bufalloc_export(plane->buf, flags);
}

static void *bufalloc_vb2_cookie_addr(struct vb2_buffer *vb, void *priv)
{
	struct bufalloc_vb2 *plane = priv;

	return &plane->addr;
}

static void *bufalloc_vb2_cookie_table(struct vb2_buffer *vb, void *priv)
{
	struct bufalloc_vb2 *plane = priv;

	return plane->shown;
}

static void *import_vaddr(struct dma_buf *dmabuf)
{
	struct iosys_map map;

	if (bufalloc_compat_dma_buf_vmap(dmabuf, &map))
		return NULL;
	if (!map.is_iomem)
		return map.vaddr;
	/* The driver would take it for memory. */
	bufalloc_compat_dma_buf_vunmap(dmabuf, &map);
	return NULL;
}

static void *bufalloc_vb2_vaddr(struct vb2_buffer *vb, void *priv)
{
	struct bufalloc_vb2 *plane = priv;

	if (!plane->vaddr) {
		if (plane->attachment)
			plane->vaddr = import_vaddr(plane->attachment->dmabuf);
		else if (vb->memory != VB2_MEMORY_MMAP ||
			 !(vb->vb2_queue->dma_attrs & DMA_ATTR_NO_KERNEL_MAPPING))
			plane->vaddr = bufalloc_vmap(plane->buf);
	}
	return plane->vaddr ? plane->vaddr + plane->offset : NULL;
}

/* User space has had it, and the device gets it. */
static void bufalloc_vb2_prepare(void *priv)
{
	struct bufalloc_vb2 *plane = priv;

	/* Also where it is a dma-buf: its exporter does it. */
	if (plane->vb->skip_cache_sync_on_prepare)
		return;
	bufalloc_sync_for_device(plane->buf, plane->offset, plane->length,
				 plane->dir == DMA_FROM_DEVICE ?
				 DMA_FROM_DEVICE : DMA_TO_DEVICE);
}

/* The device has had it, and user space gets it. Must not sleep. */
static void bufalloc_vb2_finish(void *priv)
{
	struct bufalloc_vb2 *plane = priv;

	if (plane->vb->skip_cache_sync_on_finish)
		return;
	bufalloc_sync_for_cpu(plane->buf, plane->dev, plane->table,
			      plane->offset, plane->length);
	if (plane->vaddr)
		invalidate_kernel_vmap_range(plane->vaddr + plane->offset,
					     plane->length);
}

static void *bufalloc_vb2_get_userptr(struct vb2_buffer *vb, struct device *dev,
				      unsigned long addr, unsigned long size)
{
	struct bufalloc_vb2 *plane;
	unsigned long start = addr & PAGE_MASK, end;

	if (!size || check_add_overflow(addr, size, &end) ||
	    end > ULONG_MAX - PAGE_SIZE)
		return ERR_PTR(-EINVAL);
	plane = plane_new(vb, dev, size);
	if (IS_ERR(plane))
		return plane;
	plane->offset = addr - start;
	/* Of a line that is shared with other data, one of the two is lost. */
	if (!dev_is_dma_coherent(dev) &&
	    !IS_ALIGNED(addr | size, dma_get_cache_alignment()))
		return take_buffer(plane, ERR_PTR(-EINVAL));
	return take_buffer(plane,
			   bufalloc_pin_user(start, PAGE_ALIGN(end) - start,
					     plane->dir == DMA_TO_DEVICE));
}

static void bufalloc_vb2_put_userptr(void *priv)
{
	release_buffer(priv);
}

static void *bufalloc_vb2_attach_dmabuf(struct vb2_buffer *vb,
					struct device *dev,
					struct dma_buf *dmabuf,
					unsigned long size)
{
	struct bufalloc_vb2 *plane;

	plane = plane_new(vb, dev, size);
	if (IS_ERR(plane))
		return plane;
	plane->attachment = dma_buf_attach(dmabuf, dev);
	if (IS_ERR(plane->attachment)) {
		int ret = PTR_ERR(plane->attachment);

		plane_delete(plane);
		return ERR_PTR(ret);
	}
	return plane;
}

static int bufalloc_vb2_map_dmabuf(void *priv)
{
	struct bufalloc_vb2 *plane = priv;
	struct sg_table *table;
	int ret;

	/*
	 * Here and not when it is attached: of what fails there videobuf2 forgets a
	 * reference (__prepare_dmabuf() in videobuf2-core.c of 6.12).
	 */
	if (plane->attachment->dmabuf->size < plane->length)
		return -EFAULT;
	table = bufalloc_compat_dma_buf_map(plane->attachment, plane->dir);
	if (IS_ERR(table))
		return PTR_ERR(table);
	plane->table = table;
	ret = make_cookies(plane);
	if (ret) {
		bufalloc_compat_dma_buf_unmap(plane->attachment, table,
					      plane->dir);
		drop_cookies(plane);
	}
	return ret;
}

static void bufalloc_vb2_unmap_dmabuf(void *priv)
{
	struct bufalloc_vb2 *plane = priv;
	struct iosys_map map = IOSYS_MAP_INIT_VADDR(plane->vaddr);
	struct sg_table *table = plane->table;

	if (plane->vaddr)
		bufalloc_compat_dma_buf_vunmap(plane->attachment->dmabuf, &map);
	plane->vaddr = NULL;
	drop_cookies(plane);
	bufalloc_compat_dma_buf_unmap(plane->attachment, table, plane->dir);
}

static void bufalloc_vb2_detach_dmabuf(void *priv)
{
	struct bufalloc_vb2 *plane = priv;

	dma_buf_detach(plane->attachment->dmabuf, plane->attachment);
	plane_delete(plane);
}

#define BUFALLOC_VB2_MEMOPS \
	.alloc = bufalloc_vb2_alloc, \
	.put = bufalloc_vb2_put, \
	.get_dmabuf = bufalloc_vb2_get_dmabuf, \
	.get_userptr = bufalloc_vb2_get_userptr, \
	.put_userptr = bufalloc_vb2_put_userptr, \
	.prepare = bufalloc_vb2_prepare, \
	.finish = bufalloc_vb2_finish, \
	.attach_dmabuf = bufalloc_vb2_attach_dmabuf, \
	.detach_dmabuf = bufalloc_vb2_detach_dmabuf, \
	.map_dmabuf = bufalloc_vb2_map_dmabuf, \
	.unmap_dmabuf = bufalloc_vb2_unmap_dmabuf, \
	.vaddr = bufalloc_vb2_vaddr, \
	.num_users = bufalloc_vb2_num_users, \
	.mmap = bufalloc_vb2_mmap

const struct vb2_mem_ops bufalloc_vb2_memops = {
	BUFALLOC_VB2_MEMOPS,
	.cookie = bufalloc_vb2_cookie_addr,
};
EXPORT_SYMBOL_NS_GPL(bufalloc_vb2_memops, BUFALLOC_NS);

const struct vb2_mem_ops bufalloc_vb2_sg_memops = {
	BUFALLOC_VB2_MEMOPS,
	.cookie = bufalloc_vb2_cookie_table,
};
EXPORT_SYMBOL_NS_GPL(bufalloc_vb2_sg_memops, BUFALLOC_NS);
