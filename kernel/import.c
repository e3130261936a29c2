// SPDX-License-Identifier: GPL-2.0
/*
 * IMPORT_USER: from a range of the caller's memory to a dma-buf.
 *
 * A range that is a mapping of a dma-buf is that dma-buf, whoever exported it.
 * Its file says so: only dma-bufs are on the file system with DMA_BUF_MAGIC
 * (drivers/dma-buf/dma-buf.c), and private_data is the dma-buf.
 */
#include <linux/dma-buf.h>
#include <linux/err.h>
#include <linux/fs.h>
#include <linux/magic.h>
#include <linux/mm.h>
#include <linux/overflow.h>
#include <linux/sched/signal.h>
#include <linux/uaccess.h>

#include <linux/bufalloc.h>

#include "bufalloc_private.h"

/* Nothing of the range can be taken. Return: @error. */
static int refuse(struct bufalloc_alloc_verdict *verdict, int error, u32 reason)
{
	verdict->out_error = error;
	verdict->out_heap = BUFALLOC_HEAP_USER;
	verdict->out_reason = reason;
	verdict->out_device = BUFALLOC_NO_DEVICE;
	verdict->out_limit = BUFALLOC_ANY_ADDRESS;
	verdict->out_limit_device = BUFALLOC_NO_DEVICE;
	return error;
}

/* Is it a range of whole pages that a process can have? */
static int check_range(u64 address, u64 length,
		       struct bufalloc_alloc_verdict *verdict)
{
	u64 end;

	if (!length)
		return refuse(verdict, -EINVAL, BUFALLOC_REASON_NONE);
	if (!PAGE_ALIGNED(address) || !PAGE_ALIGNED(length))
		return refuse(verdict, -EINVAL, BUFALLOC_REASON_ALIGNMENT);
	if (check_add_overflow(address, length, &end) || end > ULONG_MAX ||
	    !access_ok(u64_to_user_ptr(address), length))
		return refuse(verdict, -EFAULT, BUFALLOC_REASON_UNMAPPED);
	if (length > bufalloc_buffer_max_length())
		return refuse(verdict, -ENOMEM, BUFALLOC_REASON_MEMORY);
	return 0;
}

/* The dma-buf that this is a mapping of, or NULL. */
static struct dma_buf *dmabuf_of(const struct vm_area_struct *vma)
{
	struct file *file = vma->vm_file;

	if (!file || file_inode(file)->i_sb->s_magic != DMA_BUF_MAGIC)
		return NULL;
	return file->private_data;
}

/*
 * Where @addr is in the dma-buf. The core lets nobody map past the end: what is
 * as long as the dma-buf, and cannot grow, started at its first byte. Else it is
 * as vm_pgoff says, which some exporters change: DRM drivers add the offset that
 * the card's file knows the buffer by, so that all of it is out of range.
 */
static u64 offset_of(const struct vm_area_struct *vma, unsigned long addr)
{
	u64 offset = addr - vma->vm_start;

	if (vma->vm_flags & (VM_DONTEXPAND | VM_PFNMAP) &&
	    vma->vm_end - vma->vm_start == dmabuf_of(vma)->size)
		return offset;
	return ((u64)vma->vm_pgoff << PAGE_SHIFT) + offset;
}

/*
 * Is all of the range one piece of @dmabuf, from @offset on? -EFAULT if a part
 * is not mapped, -EOPNOTSUPP if it is something else, a copy on write, or
 * nothing that offset_of() can tell.
 */
static int check_piece(struct dma_buf *dmabuf, u64 offset, unsigned long addr,
		       size_t length)
{
	struct vm_area_struct *vma;
	unsigned long end = addr + length;

	if (offset > dmabuf->size || length > dmabuf->size - offset)
		return -EOPNOTSUPP;
	while (addr < end) {
		if (fatal_signal_pending(current))
			return -EINTR;
		vma = vma_lookup(current->mm, addr);
		if (!vma)
			return -EFAULT;
		if (dmabuf_of(vma) != dmabuf || is_cow_mapping(vma->vm_flags) ||
		    offset_of(vma, addr) != offset)
			return -EOPNOTSUPP;
		offset += vma->vm_end - addr;
		addr = vma->vm_end;
	}
	return 0;
}

/*
 * The dma-buf that the range is a mapping of, with a reference, and where in it;
 * NULL if it is none. ERR_PTR: see check_piece().
 */
static struct dma_buf *find_dmabuf(unsigned long addr, size_t length,
				   u64 *offset)
{
	struct dma_buf *dmabuf = NULL;
	struct vm_area_struct *vma;
	int ret;

	if (mmap_read_lock_killable(current->mm))
		return ERR_PTR(-EINTR);
	vma = vma_lookup(current->mm, addr);
	if (vma)
		dmabuf = dmabuf_of(vma);
	if (!dmabuf)
		goto out_unlock;

	*offset = offset_of(vma, addr);
	ret = check_piece(dmabuf, *offset, addr, length);
	if (ret)
		dmabuf = ERR_PTR(ret);
	else
		get_dma_buf(dmabuf);
out_unlock:
	mmap_read_unlock(current->mm);
	return dmabuf;
}

/* Memory that has no dma-buf yet. */
static struct dma_buf *pin(const struct bufalloc_import_user *import,
			   struct bufalloc_alloc_device *devices,
			   struct bufalloc_alloc_verdict *verdict)
{
	bool read_only = import->flags & BUFALLOC_IMPORT_READ_ONLY;
	struct bufalloc_buffer *buf;
	struct dma_buf *dmabuf = NULL;

	buf = bufalloc_solve_user(untagged_addr((unsigned long)import->address),
				  import->length, read_only, devices,
				  import->device_count, verdict);
	if (IS_ERR(buf))
		return ERR_CAST(buf);
	if (!(import->flags & BUFALLOC_IMPORT_DRY_RUN))
		dmabuf = bufalloc_dmabuf_export(buf, import->fd_flags);
	if (IS_ERR_OR_NULL(dmabuf))
		bufalloc_buffer_put(buf);
	return dmabuf;
}

/*
 * Find or make the dma-buf of the range, which all devices can use, and fill in
 * the out fields of @devices, @verdict and, but for the fd, @import.
 *
 * Return: 0 and *@dmabuf with a reference (NULL with BUFALLOC_IMPORT_DRY_RUN),
 * or an errno of <uapi/linux/bufalloc.h>.
 */
int bufalloc_import_user(struct bufalloc_import_user *import,
			 struct bufalloc_alloc_device *devices,
			 struct bufalloc_alloc_verdict *verdict,
			 struct dma_buf **dmabuf)
{
	unsigned long addr = untagged_addr((unsigned long)import->address);
	struct dma_buf *found;
	u64 offset = 0;
	int ret;

	import->out_flags = 0;
	import->out_offset = 0;
	ret = check_range(import->address, import->length, verdict);
	if (ret)
		return ret;

	found = find_dmabuf(addr, import->length, &offset);
	if (!found) {
		found = pin(import, devices, verdict);
		*dmabuf = found;
		return PTR_ERR_OR_ZERO(found);
	}
	if (IS_ERR(found)) {
		ret = PTR_ERR(found);
		return refuse(verdict, ret,
			      ret == -EFAULT ? BUFALLOC_REASON_UNMAPPED :
			      ret == -EINTR ? BUFALLOC_REASON_NONE :
					      BUFALLOC_REASON_MEMORY_KIND);
	}

	ret = bufalloc_solve_check(bufalloc_dmabuf_buffer(found), devices,
				   import->device_count, verdict);
	if (ret || import->flags & BUFALLOC_IMPORT_DRY_RUN) {
		dma_buf_put(found);
		found = NULL;
	}
	if (!ret) {
		import->out_flags = BUFALLOC_IMPORTED_DMABUF;
		import->out_offset = offset;
		*dmabuf = found;
	}
	return ret;
}

/**
 * bufalloc_pin_user() - a buffer of the calling process's own memory
 * @addr: where it begins, as the process sees it
 * @length: bytes; both are multiples of PAGE_SIZE
 * @read_only: nobody writes to it: neither a device nor the CPU
 *
 * For drivers that are handed a user pointer. What can be taken and what it is
 * charged to is what BUFALLOC_IOCTL_IMPORT_USER says, but for one thing: a mapping
 * of a dma-buf is refused, as that has a file descriptor. Nothing is known of
 * devices: bufalloc_map() shows whether one can use it, and as what.
 *
 * Return: the buffer, of which the caller holds a reference, or an ERR_PTR:
 * -EINVAL (not whole pages), -EFAULT (not mapped), -EACCES (not readable, or not
 * writable), -EOPNOTSUPP (memory of another kind), -ENOMEM (RLIMIT_MEMLOCK or
 * memory), -EINTR (fatal signal).
 */
struct bufalloc_buffer *bufalloc_pin_user(unsigned long addr, size_t length,
					  bool read_only)
{
	struct bufalloc_alloc_verdict verdict = {};
	u32 reason;
	int ret;

	addr = untagged_addr(addr);
	ret = check_range(addr, length, &verdict);
	if (ret)
		return ERR_PTR(ret);
	return bufalloc_heap_user_create(addr, length, read_only, &reason);
}
EXPORT_SYMBOL_NS_GPL(bufalloc_pin_user, BUFALLOC_NS);
