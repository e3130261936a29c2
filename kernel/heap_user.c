// SPDX-License-Identifier: GPL-2.0
/*
 * The heap "user": memory of the caller's own, pinned where it is.
 *
 * What is taken has pages that belong to nobody else: anonymous memory, private
 * mappings (copies of what they map), tmpfs (memfd, shared anonymous memory)
 * and huge pages. A device may write to these at any moment. A shared mapping of
 * any other file system's file is refused, because that file system wants to
 * know before somebody writes (Documentation/core-api/pin_user_pages.rst); so is
 * memory without reference counts (VM_PFNMAP) and what drivers map.
 *
 * A pin outlives munmap(), truncation and the owner. It is charged as io_uring
 * does it: to the user (RLIMIT_MEMLOCK), because processes are cheap to make,
 * and to the mm_struct, where VmPin of /proc/PID/status shows it.
 */
#include <linux/capability.h>
#include <linux/cred.h>
#include <linux/err.h>
#include <linux/hugetlb.h>
#include <linux/ktime.h>
#include <linux/magic.h>
#include <linux/mm.h>
#include <linux/sched.h>
#include <linux/sched/mm.h>
#include <linux/sched/signal.h>
#include <linux/sched/user.h>
#include <linux/slab.h>

#include "bufalloc_private.h"

/* The lock of the address space is held for that many pages at a time. */
#define PIN_PAGES (PAGE_SIZE / (unsigned long)sizeof(struct page *))
/* That many are unpinned without a pause. */
#define UNPIN_PAGES ((size_t)SZ_64M >> PAGE_SHIFT)

/* Charge the caller, whose mm_struct is that of the pages. -ENOMEM: the limit. */
static int charge(struct bufalloc_buffer *buf, unsigned long pages)
{
	unsigned long limit = rlimit(RLIMIT_MEMLOCK) >> PAGE_SHIFT;

	if (!capable(CAP_IPC_LOCK)) {
		atomic_long_t *locked = &current_user()->locked_vm;
		long old = atomic_long_read(locked);

		do {
			if (pages > limit ||
			    (unsigned long)old > limit - pages)
				return -ENOMEM;
		} while (!atomic_long_try_cmpxchg(locked, &old, old + pages));
		/* It has a reference to the user, which modules can hold. */
		buf->charged = get_current_cred();
	}
	mmgrab(current->mm);
	buf->mm = current->mm;
	atomic64_add(pages, &buf->mm->pinned_vm);
	bufalloc_debugfs_live(BUFALLOC_LIVE_PINNED_PAGES, pages);
	return 0;
}

static void uncharge(struct bufalloc_buffer *buf, unsigned long pages)
{
	bufalloc_debugfs_live(BUFALLOC_LIVE_PINNED_PAGES, -pages);
	atomic64_sub(pages, &buf->mm->pinned_vm);
	mmdrop(buf->mm);
	if (buf->charged) {
		atomic_long_sub(pages, &buf->charged->user->locked_vm);
		put_cred(buf->charged);
	}
}

static bool is_tmpfs(const struct vm_area_struct *vma)
{
	const struct inode *inode;

	if (!vma->vm_file)
		return false;
	inode = vma->vm_file->f_mapping->host;
	/* Device nodes are on a tmpfs, too. */
	return S_ISREG(inode->i_mode) && inode->i_sb->s_magic == TMPFS_MAGIC;
}

/*
 * May pages of @vma (NULL: there is none) be pinned, and how? 0 or an errno of
 * bufalloc_heap_user_create().
 */
static int check_vma(struct vm_area_struct *vma, bool read_only,
		     unsigned int *gup_flags)
{
	unsigned long need = read_only ? VM_READ : VM_READ | VM_WRITE;

	if (!vma)
		return -EFAULT;
	if (vma->vm_flags & (VM_IO | VM_PFNMAP))
		return -EOPNOTSUPP;
	if (vma->vm_flags & VM_MAYSHARE && !is_vm_hugetlb_page(vma) &&
	    !is_tmpfs(vma))
		return -EOPNOTSUPP;
	if ((vma->vm_flags & need) != need)
		return -EACCES;

	*gup_flags = FOLL_LONGTERM;
	if (!read_only)
		*gup_flags |= FOLL_WRITE;
	else if (is_cow_mapping(vma->vm_flags) && !is_vm_hugetlb_page(vma))
		*gup_flags |= bufalloc_compat_gup_unshare();
	return 0;
}

/*
 * Pin up to @pages pages from @addr on, as many as one mapping has. It is looked
 * at and pinned under one lock: nobody can put another kind of memory there in
 * between. Return: how many, or an errno.
 */
static long pin_some(unsigned long addr, unsigned long pages, bool read_only,
		     struct page **to)
{
	struct vm_area_struct *vma;
	unsigned int gup_flags;
	long ret;

	if (mmap_read_lock_killable(current->mm))
		return -EINTR;
	vma = vma_lookup(current->mm, addr);
	ret = check_vma(vma, read_only, &gup_flags);
	if (!ret) {
		pages = min3(pages, PIN_PAGES,
			     (vma->vm_end - addr) >> PAGE_SHIFT);
		ret = bufalloc_compat_pin_user_pages(addr, pages, gup_flags, to);
		/* Nothing, and no errno: it went away meanwhile. */
		if (!ret)
			ret = -EFAULT;
	}
	mmap_read_unlock(current->mm);
	return ret;
}

/* Return: 0, with all pages pinned, or an errno and none. */
static int pin_all(unsigned long addr, unsigned long count, bool read_only,
		   struct page **pages)
{
	unsigned long done = 0;
	long ret;

	while (done < count) {
		ret = pin_some(addr + (done << PAGE_SHIFT), count - done,
			       read_only, pages + done);
		if (ret >= 0 && fatal_signal_pending(current)) {
			done += ret;
			ret = -EINTR;
		}
		if (ret < 0)
			goto err_unpin;
		done += ret;
		cond_resched();
	}
	return 0;

err_unpin:
	unpin_user_pages(pages, done);
	switch (ret) {
	case -EACCES:
	case -EFAULT:
	case -EINTR:
	case -EOPNOTSUPP:
		return ret;
	case -EHWPOISON:
		return -EFAULT;
	default:
		return -ENOMEM;
	}
}

static int fill_runs(struct bufalloc_buffer *buf, unsigned long addr)
{
	unsigned long count = buf->length >> PAGE_SHIFT;
	bool read_only = buf->direction == DMA_TO_DEVICE;
	struct page **pages;
	int ret;

	pages = kvmalloc_array(count, sizeof(*pages),
			       GFP_KERNEL_ACCOUNT | __GFP_NOWARN);
	if (!pages)
		return -ENOMEM;
	ret = pin_all(addr, count, read_only, pages);
	if (ret)
		goto out_free;
	/* Neighbours in memory become one entry. */
	ret = sg_alloc_table_from_pages_segment(&buf->runs, pages, count, 0,
						buf->length, BUFALLOC_RUN_MAX,
						GFP_KERNEL_ACCOUNT);
	if (ret)
		unpin_user_pages(pages, count);
out_free:
	kvfree(pages);
	return ret;
}

static void bufalloc_heap_user_free(struct bufalloc_buffer *buf)
{
	bool dirty = buf->direction != DMA_TO_DEVICE;
	struct scatterlist *sg;
	int i;

	for_each_sgtable_sg(&buf->runs, sg, i) {
		unsigned long pfn = page_to_pfn(sg_page(sg));
		size_t left = sg->length >> PAGE_SHIFT;

		while (left) {
			size_t part = min(left, UNPIN_PAGES);

			unpin_user_page_range_dirty_lock(pfn_to_page(pfn), part,
							 dirty);
			pfn += part;
			left -= part;
			cond_resched();
		}
	}
	sg_free_table(&buf->runs);
	uncharge(buf, buf->length >> PAGE_SHIFT);
	bufalloc_cache_remove_user(&buf->cache, true);
}

static const struct bufalloc_heap bufalloc_heap_user = {
	.name = "user",
	.free = bufalloc_heap_user_free,
};

static u32 reason_of(int error)
{
	switch (error) {
	case -EACCES:
		return BUFALLOC_REASON_READ_ONLY;
	case -EFAULT:
		return BUFALLOC_REASON_UNMAPPED;
	case -EOPNOTSUPP:
		return BUFALLOC_REASON_MEMORY_KIND;
	case -EINTR:
		return BUFALLOC_REASON_NONE;
	default:
		return BUFALLOC_REASON_MEMORY;
	}
}

/*
 * A buffer of the caller's memory from @addr on, both multiples of PAGE_SIZE. If
 * @read_only, nobody writes to it: neither a device nor the CPU.
 *
 * Return: the buffer, or an ERR_PTR and *@reason: -EFAULT (not mapped),
 * -EOPNOTSUPP (memory of another kind), -EACCES (not readable, or not
 * writable), -ENOMEM (the user's limit or the memory), -EINTR.
 */
struct bufalloc_buffer *bufalloc_heap_user_create(unsigned long addr,
						  size_t length, bool read_only,
						  u32 *reason)
{
	struct bufalloc_buffer *buf;
	u64 start = ktime_get_ns();
	int ret;

	*reason = BUFALLOC_REASON_MEMORY;
	buf = bufalloc_buffer_new(&bufalloc_heap_user, BUFALLOC_HEAP_USER,
				  length);
	if (!buf)
		return ERR_PTR(-ENOMEM);
	if (read_only)
		buf->direction = DMA_TO_DEVICE;

	ret = charge(buf, length >> PAGE_SHIFT);
	if (ret) {
		*reason = BUFALLOC_REASON_MEMLOCK;
		goto err_buffer;
	}
	ret = fill_runs(buf, addr);
	if (ret) {
		*reason = reason_of(ret);
		goto err_uncharge;
	}
	/* Its owner writes to it at any time, also to what we may only read. */
	bufalloc_cache_add_user(&buf->cache, true);
	bufalloc_buffer_ready(buf, start);
	return buf;

err_uncharge:
	uncharge(buf, length >> PAGE_SHIFT);
err_buffer:
	bufalloc_buffer_delete(buf);
	return ERR_PTR(ret);
}
