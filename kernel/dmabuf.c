// SPDX-License-Identifier: GPL-2.0
/*
 * The dma-buf of a buffer: what importers and user space do with it.
 *
 * The core calls the operations with or without the dma_resv lock, depending
 * on the kernel (drivers/dma-buf/dma-buf.c, "locking convention"); none of
 * them takes or expects it.
 */
#include <linux/dma-buf.h>
#include <linux/dma-mapping.h>
#include <linux/dma-resv.h>
#include <linux/err.h>
#include <linux/highmem.h>
#include <linux/iosys-map.h>
#include <linux/mm.h>
#include <linux/slab.h>
#include <linux/vmalloc.h>

#include "bufalloc_private.h"

static int bufalloc_dmabuf_attach(struct dma_buf *dmabuf,
				  struct dma_buf_attachment *attachment)
{
	struct bufalloc_buffer *buf = dmabuf->priv;

	mutex_lock(&buf->lock);
	buf->attachments++;
	mutex_unlock(&buf->lock);
	bufalloc_debugfs_live(BUFALLOC_LIVE_ATTACHMENTS, 1);
	return 0;
}

static void bufalloc_dmabuf_detach(struct dma_buf *dmabuf,
				   struct dma_buf_attachment *attachment)
{
	struct bufalloc_buffer *buf = dmabuf->priv;

	mutex_lock(&buf->lock);
	buf->attachments--;
	mutex_unlock(&buf->lock);
	bufalloc_debugfs_live(BUFALLOC_LIVE_ATTACHMENTS, -1);
}

static struct sg_table *
bufalloc_dmabuf_map(struct dma_buf_attachment *attachment,
		    enum dma_data_direction dir)
{
	struct bufalloc_buffer *buf = attachment->dmabuf->priv;

	/* Nobody may write to it, and this importer would. */
	if (buf->direction == DMA_TO_DEVICE && dir != DMA_TO_DEVICE)
		return ERR_PTR(-EACCES);
	return bufalloc_mapping_get(buf, attachment->dev, dir);
}

static void bufalloc_dmabuf_unmap(struct dma_buf_attachment *attachment,
				  struct sg_table *table,
				  enum dma_data_direction dir)
{
	bufalloc_mapping_put(attachment->dmabuf->priv, attachment->dev, table);
}

/*
 * Caches work in lines: what shares a line with the range is synced with it.
 * Return: was the range whole lines already?
 */
static bool round_to_lines(size_t *start, size_t *end, size_t length)
{
	size_t line = dma_get_cache_alignment();
	bool aligned = IS_ALIGNED(*start | *end, line);

	*start = round_down(*start, line);
	/* No overflow: a length is whole pages. */
	*end = min(round_up(*end, line), length);
	return aligned;
}

/*
 * Wait for the devices whose use of the buffer a CPU access must not overlap.
 * dir is what the CPU will do: DMA_FROM_DEVICE reads, DMA_TO_DEVICE writes,
 * DMA_BIDIRECTIONAL both. The access counts from here on.
 *
 * Return: 0, or -ERESTARTSYS (a signal came while it waited).
 */
int bufalloc_dmabuf_wait(struct dma_buf *dmabuf, enum dma_data_direction dir)
{
	struct bufalloc_buffer *buf = dmabuf->priv;
	long ret;

	ret = dma_resv_wait_timeout(dmabuf->resv,
				    dma_resv_usage_rw(dir != DMA_FROM_DEVICE),
				    true, MAX_SCHEDULE_TIMEOUT);
	if (ret < 0)
		return ret;
	atomic64_inc(&buf->cpu_accesses);
	return 0;
}

/* Is it mapped at an address of its own, through the caches? */
static bool has_cached_alias(const struct bufalloc_buffer *buf)
{
	return buf->vaddr_mapped && !bufalloc_nomap_is(buf);
}

/*
 * Begin a CPU access to bytes [@start, @end): make visible what devices wrote,
 * which are waited for already. To be ended by bufalloc_dmabuf_end().
 */
void bufalloc_dmabuf_begin(struct bufalloc_buffer *buf, size_t start,
			   size_t end, enum dma_data_direction dir)
{
	bool whole_lines = round_to_lines(&start, &end, buf->length);

	/*
	 * To write a part of a line, the CPU reads the line; what a device
	 * wrote to the rest of it must not be lost.
	 */
	if (dir == DMA_TO_DEVICE && !whole_lines)
		dir = DMA_BIDIRECTIONAL;

	mutex_lock(&buf->lock);
	bufalloc_mapping_sync_for_cpu(buf, start, end, dir);
	if (has_cached_alias(buf))
		invalidate_kernel_vmap_range(buf->vaddr + start, end - start);
	mutex_unlock(&buf->lock);
}

/* What is still on its way from the CPU; under the buffer's lock. */
static void drain(struct bufalloc_buffer *buf, size_t start, size_t end)
{
	if (has_cached_alias(buf))
		flush_kernel_vmap_range(buf->vaddr + start, end - start);
	if (bufalloc_attribute_is_uncached(buf))
		wmb(); /* what the CPU still gathers goes to memory */
}

/* End what bufalloc_dmabuf_begin() began, with the same range and direction. */
void bufalloc_dmabuf_end(struct bufalloc_buffer *buf, size_t start, size_t end,
			 enum dma_data_direction dir)
{
	round_to_lines(&start, &end, buf->length);
	mutex_lock(&buf->lock);
	drain(buf, start, end);
	bufalloc_mapping_sync_for_device(buf, start, end, dir);
	mutex_unlock(&buf->lock);
}

/* The same for what the CPU did without a word. */
void bufalloc_dmabuf_write_back(struct bufalloc_buffer *buf, size_t start,
				size_t end, enum dma_data_direction dir)
{
	round_to_lines(&start, &end, buf->length);
	mutex_lock(&buf->lock);
	drain(buf, start, end);
	bufalloc_mapping_write_back(buf, start, end, dir);
	mutex_unlock(&buf->lock);
}

static int bufalloc_dmabuf_begin_cpu_access(struct dma_buf *dmabuf,
					    enum dma_data_direction dir)
{
	struct bufalloc_buffer *buf = dmabuf->priv;
	int ret;

	/*
	 * The core waits for the fences after this operation; but what a
	 * device writes until its fence signals must be synced, too.
	 */
	ret = bufalloc_dmabuf_wait(dmabuf, dir);
	if (!ret)
		bufalloc_dmabuf_begin(buf, 0, buf->length, dir);
	return ret;
}

static int bufalloc_dmabuf_end_cpu_access(struct dma_buf *dmabuf,
					  enum dma_data_direction dir)
{
	struct bufalloc_buffer *buf = dmabuf->priv;

	bufalloc_dmabuf_end(buf, 0, buf->length, dir);
	return 0;
}

/* The core made sure that the range is within the buffer. */
static int bufalloc_dmabuf_mmap(struct dma_buf *dmabuf,
				struct vm_area_struct *vma)
{
	struct bufalloc_buffer *buf = dmabuf->priv;
	int ret;

	if (buf->attributes & BUFALLOC_ATTRIBUTE_NEVER_CPU)
		return -EACCES;
	/* A private mapping would copy on write, in silence. */
	if (!(vma->vm_flags & VM_MAYSHARE))
		return -EINVAL;
	if (buf->direction == DMA_TO_DEVICE) {
		if (vma->vm_flags & VM_WRITE)
			return -EACCES;
		bufalloc_compat_vm_flags_clear(vma, VM_MAYWRITE);
	}
	/* It can go at any moment, then its pages are not there any more. */
	if (READ_ONCE(buf->gone))
		return -ENODEV;
	ret = bufalloc_user_map(buf, vma);
	if (!ret)
		atomic64_inc(&buf->user_maps);
	return ret;
}

/*
 * One range in memory that the kernel has in its linear map needs no mapping of
 * its own: that is where its address is.
 */
static void *linear_address(struct bufalloc_buffer *buf)
{
	struct page *first = sg_page(buf->runs.sgl);
	unsigned long last;

	if (buf->linear != BUFALLOC_LINEAR_SAME)
		return NULL;
	/* It is writable. */
	if (buf->direction == DMA_TO_DEVICE)
		return NULL;
	if (!bufalloc_buffer_is_one_range(buf))
		return NULL;
	/* High memory is above all other: the last page decides. */
	last = page_to_pfn(first) + (buf->length >> PAGE_SHIFT) - 1;
	return PageHighMem(pfn_to_page(last)) ? NULL : page_address(first);
}

static void *map_pages(struct bufalloc_buffer *buf)
{
	pgprot_t prot = buf->direction == DMA_TO_DEVICE ? PAGE_KERNEL_RO :
							  PAGE_KERNEL;
	unsigned long count = buf->length >> PAGE_SHIFT;
	struct sg_page_iter iter;
	struct page **pages;
	void *vaddr;
	size_t i = 0;

	pages = kvmalloc_array(count, sizeof(*pages), GFP_KERNEL);
	if (!pages)
		return NULL;
	for_each_sgtable_page(&buf->runs, &iter, 0)
		pages[i++] = sg_page_iter_page(&iter);
	vaddr = vmap(pages, count, VM_MAP, bufalloc_attribute_pgprot(buf, prot));
	kvfree(pages);
	return vaddr;
}

static void *map_memory(struct bufalloc_buffer *buf)
{
	if (bufalloc_nomap_is(buf))
		return bufalloc_nomap_show(buf, 0, buf->length);
	return map_pages(buf);
}

static void unmap_memory(struct bufalloc_buffer *buf)
{
	if (bufalloc_nomap_is(buf))
		bufalloc_nomap_hide(buf->vaddr);
	else
		vunmap(buf->vaddr);
}

static void *vmap_get(struct bufalloc_buffer *buf)
{
	lockdep_assert_held(&buf->lock);
	if (!buf->vmap_users) {
		buf->vaddr = linear_address(buf);
		if (!buf->vaddr) {
			buf->vaddr = map_memory(buf);
			buf->vaddr_mapped = buf->vaddr;
		}
		if (!buf->vaddr)
			return NULL;
	}
	buf->vmap_users++;
	bufalloc_debugfs_live(BUFALLOC_LIVE_KERNEL_MAPS, 1);
	return buf->vaddr;
}

static void vmap_put(struct bufalloc_buffer *buf)
{
	lockdep_assert_held(&buf->lock);
	if (!--buf->vmap_users) {
		if (buf->vaddr_mapped)
			unmap_memory(buf);
		buf->vaddr_mapped = false;
		buf->vaddr = NULL;
	}
	bufalloc_debugfs_live(BUFALLOC_LIVE_KERNEL_MAPS, -1);
}

/*
 * Map the buffer into the kernel; memory that nobody may write, to be read. NULL:
 * no memory or no address space. Undone by bufalloc_dmabuf_vunmap_buffer().
 */
void *bufalloc_dmabuf_vmap_buffer(struct bufalloc_buffer *buf)
{
	void *vaddr;

	mutex_lock(&buf->lock);
	vaddr = vmap_get(buf);
	if (vaddr)
		bufalloc_cache_add_writer(&buf->cache);
	mutex_unlock(&buf->lock);
	if (vaddr)
		atomic64_inc(&buf->kernel_maps_total);
	return vaddr;
}

void bufalloc_dmabuf_vunmap_buffer(struct bufalloc_buffer *buf)
{
	mutex_lock(&buf->lock);
	bufalloc_cache_remove_writer(&buf->cache);
	vmap_put(buf);
	mutex_unlock(&buf->lock);
}

static int bufalloc_dmabuf_vmap(struct dma_buf *dmabuf, struct iosys_map *map)
{
	void *vaddr = bufalloc_dmabuf_vmap_buffer(dmabuf->priv);

	if (!vaddr)
		return -ENOMEM;
	iosys_map_set_vaddr(map, vaddr);
	return 0;
}

static void bufalloc_dmabuf_vunmap(struct dma_buf *dmabuf,
				   struct iosys_map *map)
{
	bufalloc_dmabuf_vunmap_buffer(dmabuf->priv);
	iosys_map_clear(map);
}

/*
 * Can the buffer be mapped into the kernel? -ENOMEM if not, -ENOSPC if importers
 * cannot have that at all.
 */
int bufalloc_dmabuf_try_vmap(struct bufalloc_buffer *buf)
{
	void *vaddr;

	if (buf->own)
		return -ENOSPC;
	mutex_lock(&buf->lock);
	vaddr = vmap_get(buf);
	if (vaddr)
		vmap_put(buf);
	mutex_unlock(&buf->lock);
	return vaddr ? 0 : -ENOMEM;
}

static void bufalloc_dmabuf_release(struct dma_buf *dmabuf)
{
	struct bufalloc_buffer *buf = dmabuf->priv;

	if (buf->own)
		bufalloc_heap_device_released(buf, dmabuf);
	bufalloc_buffer_put(buf);
}

static const struct dma_buf_ops bufalloc_dmabuf_ops = {
	.attach = bufalloc_dmabuf_attach,
	.detach = bufalloc_dmabuf_detach,
	.map_dma_buf = bufalloc_dmabuf_map,
	.unmap_dma_buf = bufalloc_dmabuf_unmap,
	.begin_cpu_access = bufalloc_dmabuf_begin_cpu_access,
	.end_cpu_access = bufalloc_dmabuf_end_cpu_access,
	.mmap = bufalloc_dmabuf_mmap,
	.vmap = bufalloc_dmabuf_vmap,
	.vunmap = bufalloc_dmabuf_vunmap,
	.release = bufalloc_dmabuf_release,
};

/*
 * Without vmap: the core answers -EINVAL, where it would take an operation that
 * fails for a bug (WARN_ON_ONCE() in dma_buf_vmap()).
 */
static const struct dma_buf_ops bufalloc_dmabuf_no_vmap_ops = {
	.attach = bufalloc_dmabuf_attach,
	.detach = bufalloc_dmabuf_detach,
	.map_dma_buf = bufalloc_dmabuf_map,
	.unmap_dma_buf = bufalloc_dmabuf_unmap,
	.begin_cpu_access = bufalloc_dmabuf_begin_cpu_access,
	.end_cpu_access = bufalloc_dmabuf_end_cpu_access,
	.mmap = bufalloc_dmabuf_mmap,
	.release = bufalloc_dmabuf_release,
};

static const struct dma_buf_ops *ops_of(const struct bufalloc_buffer *buf)
{
	/* A kernel mapping is writable, and cannot be taken away. */
	if (buf->attributes & BUFALLOC_ATTRIBUTE_NEVER_CPU ||
	    buf->direction == DMA_TO_DEVICE || buf->own)
		return &bufalloc_dmabuf_no_vmap_ops;
	return &bufalloc_dmabuf_ops;
}

/*
 * Make the dma-buf of @buf, which owns @buf from then on. It keeps the module
 * loaded. ERR_PTR: -ENOMEM, or what dma_buf_export() returned; @buf is still the caller's.
 */
struct dma_buf *bufalloc_dmabuf_export(struct bufalloc_buffer *buf,
				       int fd_flags)
{
	DEFINE_DMA_BUF_EXPORT_INFO(info);
	struct own_file *file = NULL;
	struct dma_buf *dmabuf;

	if (buf->own) {
		file = bufalloc_heap_device_file();
		if (!file)
			return ERR_PTR(-ENOMEM);
	}
	info.ops = ops_of(buf);
	info.size = buf->length;
	info.flags = fd_flags;
	info.priv = buf;
	info.resv = &buf->resv;
	dmabuf = dma_buf_export(&info);
	if (IS_ERR(dmabuf))
		kfree(file);
	else if (buf->own)
		bufalloc_heap_device_exported(buf, dmabuf, file);
	return dmabuf;
}

/* The buffer of a dma-buf of ours; NULL if another exporter made it. */
struct bufalloc_buffer *bufalloc_dmabuf_buffer(struct dma_buf *dmabuf)
{
	if (dmabuf->ops == &bufalloc_dmabuf_ops ||
	    dmabuf->ops == &bufalloc_dmabuf_no_vmap_ops)
		return dmabuf->priv;
	return NULL;
}
