// SPDX-License-Identifier: GPL-2.0
/*
 * What camera and display drivers call: <linux/bufalloc.h> of include/kernel/.
 */
#include <linux/dma-buf.h>
#include <linux/err.h>
#include <linux/fcntl.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/slab.h>

#include <linux/bufalloc.h>

#include "bufalloc_private.h"
#include "resolver.h"

static int check_request(const struct bufalloc_request *request)
{
	unsigned int i;
	int ret;

	if (request->use_count > BUFALLOC_MAX_DEVICES)
		return -E2BIG;
	ret = bufalloc_attribute_check(request->attributes);
	if (ret)
		return ret;
	if (request->attributes & ~bufalloc_attribute_available())
		return -EOPNOTSUPP;
	for (i = 0; i < request->use_count; i++) {
		const struct bufalloc_use *use = &request->uses[i];

		if (!use->access || use->max_segments > 1 ||
		    use->access & ~(BUFALLOC_ACCESS_READ |
				    BUFALLOC_ACCESS_WRITE))
			return -EINVAL;
	}
	return 0;
}

/* No resolver: the driver itself keeps its device bound. */
static void endpoint_of(struct bufalloc_endpoint *endpoint,
			const struct bufalloc_use *use)
{
	endpoint->dev = use->dev;
	endpoint->access = use->access;
	endpoint->max_segments = use->max_segments ?: BUFALLOC_ANY_SEGMENTS;
	if (!use->dev)
		endpoint->flags |= BUFALLOC_DEVICE_NO_DMA;
	if (!use->dev || use->vmap)
		endpoint->flags |= BUFALLOC_DEVICE_NEEDS_VMAP;
}

static struct bufalloc_buffer *
solve_uses(const struct bufalloc_request *request,
	   struct bufalloc_alloc_verdict *verdict)
{
	struct bufalloc_alloc_device *results;
	struct bufalloc_endpoint *endpoints;
	struct bufalloc_buffer *buf;
	unsigned int i;

	endpoints = kcalloc(request->use_count, sizeof(*endpoints), GFP_KERNEL);
	results = kcalloc(request->use_count, sizeof(*results), GFP_KERNEL);
	if (!endpoints || !results) {
		buf = ERR_PTR(-ENOMEM);
		goto out_free;
	}
	for (i = 0; i < request->use_count; i++) {
		endpoint_of(&endpoints[i], &request->uses[i]);
		results[i].fd = -1;
		results[i].access = request->uses[i].access;
	}
	buf = bufalloc_solve_endpoints(request->heap, request->length,
				       request->attributes, endpoints, results,
				       request->use_count, verdict);
	for (i = 0; i < request->use_count; i++)
		request->uses[i].result = results[i];
out_free:
	kfree(results);
	kfree(endpoints);
	return buf;
}

/**
 * bufalloc_alloc() - allocate a buffer that a set of devices can use
 * @request: what it shall be like; the results of its uses are written
 * @verdict: out: why it is as it is, or why there is none; may be NULL
 *
 * What BUFALLOC_IOCTL_ALLOC does, for devices of the caller instead of open
 * nodes: the buffer was mapped for each of them before the call returns, and
 * every byte of it is 0. It is charged to the calling process.
 *
 * Return: the buffer, of which the caller holds a reference, or an ERR_PTR:
 * -EINVAL (no length, an unknown heap or attribute, a wrong use), -E2BIG (too
 * many uses), -EOPNOTSUPP (heap or attribute that this machine does not have),
 * -ENOSPC (no heap can satisfy them), -ENOMEM, -EDQUOT, -EINTR (fatal signal).
 */
struct bufalloc_buffer *bufalloc_alloc(const struct bufalloc_request *request,
				       struct bufalloc_alloc_verdict *verdict)
{
	struct bufalloc_alloc_verdict own;
	int ret;

	if (!verdict)
		verdict = &own;
	memset(verdict, 0, sizeof(*verdict));
	verdict->size = sizeof(*verdict);
	ret = check_request(request);
	if (ret) {
		verdict->out_error = ret;
		return ERR_PTR(ret);
	}
	return solve_uses(request, verdict);
}
EXPORT_SYMBOL_NS_GPL(bufalloc_alloc, BUFALLOC_NS);

/**
 * bufalloc_get() - take another reference of a buffer
 * @buf: the buffer
 *
 * Return: @buf.
 */
struct bufalloc_buffer *bufalloc_get(struct bufalloc_buffer *buf)
{
	kref_get(&buf->refs);
	return buf;
}
EXPORT_SYMBOL_NS_GPL(bufalloc_get, BUFALLOC_NS);

/**
 * bufalloc_put() - give a reference back; the last one frees the buffer
 * @buf: the buffer, or NULL or an ERR_PTR, which is ignored
 *
 * A dma-buf of the buffer has a reference of its own.
 */
void bufalloc_put(struct bufalloc_buffer *buf)
{
	if (!IS_ERR_OR_NULL(buf))
		bufalloc_buffer_put(buf);
}
EXPORT_SYMBOL_NS_GPL(bufalloc_put, BUFALLOC_NS);

/**
 * bufalloc_length() - length of a buffer in bytes, a multiple of PAGE_SIZE
 * @buf: the buffer
 */
size_t bufalloc_length(const struct bufalloc_buffer *buf)
{
	return buf->length;
}
EXPORT_SYMBOL_NS_GPL(bufalloc_length, BUFALLOC_NS);

/**
 * bufalloc_export() - make a dma-buf of a buffer
 * @buf: the buffer; the caller keeps its reference
 * @fd_flags: O_RDONLY or O_RDWR: what who holds the file may do by mmap(2)
 *
 * Each call makes another dma-buf of the same memory; a driver that shares a
 * buffer with others exports it once.
 *
 * Return: the dma-buf, which the caller gives back by dma_buf_put() or hands
 * out by dma_buf_fd(), or an ERR_PTR: what dma_buf_export() returned.
 */
struct dma_buf *bufalloc_export(struct bufalloc_buffer *buf, int fd_flags)
{
	struct dma_buf *dmabuf;

	dmabuf = bufalloc_dmabuf_export(bufalloc_get(buf), fd_flags);
	if (IS_ERR(dmabuf))
		bufalloc_put(buf);
	return dmabuf;
}
EXPORT_SYMBOL_NS_GPL(bufalloc_export, BUFALLOC_NS);

/**
 * bufalloc_of_dmabuf() - the buffer behind a dma-buf of bufalloc
 * @dmabuf: any dma-buf
 *
 * Return: the buffer, with a reference for the caller, or NULL if another
 * exporter made the dma-buf.
 */
struct bufalloc_buffer *bufalloc_of_dmabuf(struct dma_buf *dmabuf)
{
	struct bufalloc_buffer *buf = bufalloc_dmabuf_buffer(dmabuf);

	return buf ? bufalloc_get(buf) : NULL;
}
EXPORT_SYMBOL_NS_GPL(bufalloc_of_dmabuf, BUFALLOC_NS);

/**
 * bufalloc_map() - map a buffer for a device by the DMA API
 * @buf: the buffer
 * @dev: the device; stays bound until bufalloc_unmap()
 *
 * A device that has the buffer mapped already shares that mapping. CPU access
 * to the buffer (DMA_BUF_IOCTL_SYNC, dma_buf_begin_cpu_access()) is synced for
 * the device as long as it is mapped.
 *
 * Return: a table of the caller's own whose DMA side (for_each_sgtable_dma_sg())
 * is the buffer as the device sees it, or an ERR_PTR: -EACCES (memory that was
 * imported to be read only, which dma_buf_map_attachment() maps to be read),
 * -ENOMEM, or what dma_map_sgtable() returned.
 */
struct sg_table *bufalloc_map(struct bufalloc_buffer *buf, struct device *dev)
{
	/* Nobody knows what this device will do to it. */
	if (buf->direction != DMA_BIDIRECTIONAL)
		return ERR_PTR(-EACCES);
	return bufalloc_mapping_get(buf, dev, DMA_BIDIRECTIONAL);
}
EXPORT_SYMBOL_NS_GPL(bufalloc_map, BUFALLOC_NS);

/**
 * bufalloc_map_to_read() - map a buffer for a device that will only read it
 * @buf: the buffer, which may be read-only memory
 * @dev: the device; stays bound until bufalloc_unmap()
 *
 * As bufalloc_map(). What the device must not write is protected only where
 * nobody may write to the memory, and only behind an IOMMU.
 *
 * Return: a table as bufalloc_map() returns it, or an ERR_PTR: -ENOMEM, or what
 * dma_map_sgtable() returned.
 */
struct sg_table *bufalloc_map_to_read(struct bufalloc_buffer *buf,
				      struct device *dev)
{
	return bufalloc_mapping_get(buf, dev, DMA_TO_DEVICE);
}
EXPORT_SYMBOL_NS_GPL(bufalloc_map_to_read, BUFALLOC_NS);

/**
 * bufalloc_unmap() - undo bufalloc_map() or bufalloc_map_to_read()
 * @buf: the buffer
 * @dev: the device
 * @table: what that returned; it is freed
 */
void bufalloc_unmap(struct bufalloc_buffer *buf, struct device *dev,
		    struct sg_table *table)
{
	bufalloc_mapping_put(buf, dev, table);
}
EXPORT_SYMBOL_NS_GPL(bufalloc_unmap, BUFALLOC_NS);

/**
 * bufalloc_sync_for_device() - what the CPU wrote, to where devices read it
 * @buf: the buffer
 * @offset: first byte
 * @length: bytes, up to the buffer's end at most
 * @dir: DMA_TO_DEVICE if the CPU has written, DMA_FROM_DEVICE if it has only
 *	read, or written through mappings into user space
 *
 * For a driver that begins to use memory that user space worked on, and is told
 * so by other means than DMA_BUF_IOCTL_SYNC. Works for all devices that have the
 * buffer mapped, and only if there can be something to do. May sleep.
 */
void bufalloc_sync_for_device(struct bufalloc_buffer *buf, size_t offset,
			      size_t length, enum dma_data_direction dir)
{
	bufalloc_dmabuf_write_back(buf, offset, offset + length, dir);
}
EXPORT_SYMBOL_NS_GPL(bufalloc_sync_for_device, BUFALLOC_NS);

/**
 * bufalloc_sync_for_cpu() - what a device wrote, to where the CPU reads it
 * @buf: the buffer
 * @dev: the device
 * @table: what bufalloc_map() returned for it
 * @offset: first byte; a multiple of dma_get_cache_alignment()
 * @length: bytes, likewise, up to the buffer's end at most
 *
 * For a driver that has finished with memory which user space or the kernel looks
 * at next. In any context: an interrupt handler can call it. Other devices have
 * drivers of their own.
 */
void bufalloc_sync_for_cpu(struct bufalloc_buffer *buf, struct device *dev,
			   struct sg_table *table, size_t offset, size_t length)
{
	bufalloc_mapping_sync_one_for_cpu(buf, dev, table, offset,
					  offset + length);
}
EXPORT_SYMBOL_NS_GPL(bufalloc_sync_for_cpu, BUFALLOC_NS);

/**
 * bufalloc_vmap() - map a buffer into the kernel
 * @buf: the buffer
 *
 * For a driver that works by the CPU. While it is mapped no cache work is left
 * out, and a buffer that is not one range in low memory takes address space. What
 * is read-only memory is mapped to be read.
 *
 * Return: where it is, until bufalloc_vunmap(), or NULL: no memory or address
 * space, or a buffer that has no such mapping (BUFALLOC_ATTRIBUTE_NEVER_CPU, or
 * one device's own memory).
 */
void *bufalloc_vmap(struct bufalloc_buffer *buf)
{
	if (buf->own || buf->attributes & BUFALLOC_ATTRIBUTE_NEVER_CPU)
		return NULL;
	return bufalloc_dmabuf_vmap_buffer(buf);
}
EXPORT_SYMBOL_NS_GPL(bufalloc_vmap, BUFALLOC_NS);

/**
 * bufalloc_vunmap() - undo bufalloc_vmap()
 * @buf: the buffer
 */
void bufalloc_vunmap(struct bufalloc_buffer *buf)
{
	bufalloc_dmabuf_vunmap_buffer(buf);
}
EXPORT_SYMBOL_NS_GPL(bufalloc_vunmap, BUFALLOC_NS);

/**
 * bufalloc_mmap() - map a buffer into user space, for a driver's mmap()
 * @buf: the buffer
 * @vma: where; from the buffer's first byte on. Of vma->vm_file a reference is
 *	put: the mapping is one of a dma-buf afterwards, which keeps the memory and
 *	not the driver's file, and is a dma-buf for whoever is handed the address
 *
 * Return: 0, -EACCES (BUFALLOC_ATTRIBUTE_NEVER_CPU, or to be written and read-only),
 * -EINVAL (longer than the buffer, or a private mapping), -ENODEV (its device is
 * unbound), -ENOMEM, -EINTR (fatal signal).
 */
int bufalloc_mmap(struct bufalloc_buffer *buf, struct vm_area_struct *vma)
{
	struct dma_buf *dmabuf = bufalloc_export(buf, O_RDWR);
	int ret;

	if (IS_ERR(dmabuf))
		return PTR_ERR(dmabuf);
	ret = dma_buf_mmap(dmabuf, vma, 0);
	dma_buf_put(dmabuf);
	return ret;
}
EXPORT_SYMBOL_NS_GPL(bufalloc_mmap, BUFALLOC_NS);

/**
 * bufalloc_users() - who has a buffer?
 * @buf: the buffer
 *
 * Return: references: the driver's, its dma-bufs and what bufalloc_mmap() mapped.
 * It can change at any moment, but for a 1 whose owner is the caller.
 */
unsigned int bufalloc_users(const struct bufalloc_buffer *buf)
{
	return kref_read(&buf->refs);
}
EXPORT_SYMBOL_NS_GPL(bufalloc_users, BUFALLOC_NS);
