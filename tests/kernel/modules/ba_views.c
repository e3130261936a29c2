// SPDX-License-Identifier: GPL-2.0
/*
 * Types of memory in page tables; see ba_views.h.
 */
#include <linux/dma-buf.h>
#include <linux/dma-resv.h>
#include <linux/err.h>
#include <linux/fs.h>
#include <linux/iosys-map.h>
#include <linux/miscdevice.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/pgtable.h>
#include <linux/sched.h>
#include <linux/slab.h>
#include <linux/uaccess.h>

#include "ba_views.h"

/**
 * struct views - one open file
 * @lock: protects the rest
 * @pfns: the pages of the last buffer
 * @count: how many they are
 */
struct views {
	struct mutex lock;
	unsigned long *pfns;
	unsigned long count;
};

#ifdef CONFIG_X86_64
#include <asm/msr.h>

/* The kernel's half is in every process's table. */
static pgd_t *kernel_table(void)
{
	return current->mm->pgd;
}

/* @is_large: the bit of the table is elsewhere. */
static enum ba_views_type type_of(u64 entry, bool is_large)
{
	bool pat = entry & (is_large ? _PAGE_PAT_LARGE : _PAGE_PAT);
	unsigned int index = (entry & _PAGE_PWT ? 1 : 0) |
			     (entry & _PAGE_PCD ? 2 : 0) | (pat ? 4 : 0);
	u32 low, high;

	rdmsr(MSR_IA32_CR_PAT, low, high);
	switch ((((u64)high << 32 | low) >> (index * 8)) & 7) {
	case 6:
		return BA_VIEWS_CACHED;
	case 1:
		return BA_VIEWS_WRITE_COMBINE;
	case 0:
	case 7:
		return BA_VIEWS_UNCACHED;
	default:
		return BA_VIEWS_OTHER;
	}
}

#elif defined(CONFIG_ARM64)
#include <asm/sysreg.h>

static pgd_t *kernel_table(void)
{
	return phys_to_virt(read_sysreg(ttbr1_el1) & GENMASK_ULL(47, 1));
}

static enum ba_views_type type_of(u64 entry, bool is_large)
{
	unsigned int index = (entry & PTE_ATTRINDX_MASK) >> 2;

	switch ((read_sysreg(mair_el1) >> (index * 8)) & 0xff) {
	case 0xff: /* normal, write-back */
	case 0xf0: /* the same with tags */
		return BA_VIEWS_CACHED;
	case 0x44: /* normal, not cacheable */
		return BA_VIEWS_WRITE_COMBINE;
	default:
		return BA_VIEWS_OTHER;
	}
}

#else
#error "not for this architecture"
#endif

/* In that table; *@pfn is the page, if @pfn is not NULL. */
static enum ba_views_type look_up(pgd_t *table, unsigned long addr,
				  unsigned long *pfn)
{
	pgd_t *pgd = pgd_offset_pgd(table, addr);
	p4d_t *p4d;
	pud_t *pud;
	pmd_t *pmd;
	pte_t pte;

	if (pgd_none(*pgd))
		return BA_VIEWS_NONE;
	p4d = p4d_offset(pgd, addr);
	if (p4d_none(*p4d))
		return BA_VIEWS_NONE;
	pud = pud_offset(p4d, addr);
	if (pud_none(*pud))
		return BA_VIEWS_NONE;
	if (pud_leaf(*pud)) {
		if (pfn)
			*pfn = pud_pfn(*pud) + ((addr & ~PUD_MASK) >> PAGE_SHIFT);
		return type_of(pud_val(*pud), true);
	}
	pmd = pmd_offset(pud, addr);
	if (pmd_none(*pmd))
		return BA_VIEWS_NONE;
	if (pmd_leaf(*pmd)) {
		if (pfn)
			*pfn = pmd_pfn(*pmd) + ((addr & ~PMD_MASK) >> PAGE_SHIFT);
		return type_of(pmd_val(*pmd), true);
	}
	pte = *pte_offset_kernel(pmd, addr);
	if (!pte_present(pte))
		return BA_VIEWS_NONE;
	if (pfn)
		*pfn = pte_pfn(pte);
	return type_of(pte_val(pte), false);
}

static void look_at_linear(struct views *views, struct ba_views_pages *pages)
{
	unsigned long i;

	memset(pages, 0, sizeof(*pages));
	for (i = 0; i < views->count; i++)
		pages->of[look_up(kernel_table(),
				  (unsigned long)pfn_to_kaddr(views->pfns[i]),
				  NULL)]++;
}

static int look_at_user(struct views *views, struct ba_views_look *look)
{
	unsigned long i;
	int ret = 0;

	memset(&look->user, 0, sizeof(look->user));
	mmap_read_lock(current->mm);
	for (i = 0; i < views->count && !ret; i++) {
		enum ba_views_type type =
			look_up(current->mm->pgd, look->address + PAGE_SIZE * i,
				&views->pfns[i]);

		if (type == BA_VIEWS_NONE)
			ret = -EFAULT;
		look->user.of[type]++;
	}
	mmap_read_unlock(current->mm);
	return ret;
}

static int look_at_vmap(struct views *views, struct ba_views_look *look)
{
	struct dma_buf *dmabuf = dma_buf_get(look->fd);
	struct iosys_map map;
	unsigned long i, pfn;
	int ret;

	if (IS_ERR(dmabuf))
		return PTR_ERR(dmabuf);
	memset(&look->vmap, 0, sizeof(look->vmap));
	dma_resv_lock(dmabuf->resv, NULL);
	ret = dma_buf_vmap(dmabuf, &map);
	for (i = 0; i < views->count; i++) {
		unsigned long addr = (unsigned long)map.vaddr + PAGE_SIZE * i;
		enum ba_views_type type = BA_VIEWS_NONE;

		if (!ret)
			type = look_up(kernel_table(), addr, &pfn);
		look->vmap.of[type]++;
	}
	if (!ret)
		dma_buf_vunmap(dmabuf, &map);
	dma_resv_unlock(dmabuf->resv);
	dma_buf_put(dmabuf);
	return 0;
}

static int look(struct views *views, struct ba_views_look *look)
{
	int ret;

	if (!look->length || look->length > SZ_1G ||
	    look->address % PAGE_SIZE || look->address > TASK_SIZE - SZ_1G)
		return -EINVAL;
	kvfree(views->pfns);
	views->count = look->length >> PAGE_SHIFT;
	views->pfns = kvcalloc(views->count, sizeof(*views->pfns), GFP_KERNEL);
	if (!views->pfns) {
		views->count = 0;
		return -ENOMEM;
	}
	ret = look_at_user(views, look);
	if (ret) {
		views->count = 0;
		return ret;
	}
	look_at_linear(views, &look->linear);
	return look_at_vmap(views, look);
}

static long views_ioctl(struct file *file, unsigned int cmd, unsigned long data)
{
	struct views *views = file->private_data;
	void __user *user = (void __user *)data;
	struct ba_views_pages pages;
	struct ba_views_look arg;
	int ret;

	switch (cmd) {
	case BA_VIEWS_LOOK:
		if (copy_from_user(&arg, user, sizeof(arg)))
			return -EFAULT;
		mutex_lock(&views->lock);
		ret = look(views, &arg);
		mutex_unlock(&views->lock);
		if (!ret && copy_to_user(user, &arg, sizeof(arg)))
			ret = -EFAULT;
		return ret;
	case BA_VIEWS_AGAIN:
		mutex_lock(&views->lock);
		look_at_linear(views, &pages);
		mutex_unlock(&views->lock);
		return copy_to_user(user, &pages, sizeof(pages)) ? -EFAULT : 0;
	default:
		return -ENOTTY;
	}
}

static int views_open(struct inode *inode, struct file *file)
{
	struct views *views = kzalloc(sizeof(*views), GFP_KERNEL);

	if (!views)
		return -ENOMEM;
	mutex_init(&views->lock);
	file->private_data = views;
	return 0;
}

static int views_release(struct inode *inode, struct file *file)
{
	struct views *views = file->private_data;

	mutex_destroy(&views->lock);
	kvfree(views->pfns);
	kfree(views);
	return 0;
}

static const struct file_operations views_fops = {
	.owner = THIS_MODULE,
	.open = views_open,
	.release = views_release,
	.unlocked_ioctl = views_ioctl,
};

static struct miscdevice views_misc = {
	.minor = MISC_DYNAMIC_MINOR,
	.name = "ba_views",
	.fops = &views_fops,
};

module_misc_device(views_misc);
MODULE_DESCRIPTION("Types of memory in page tables, for bufalloc's tests");
MODULE_LICENSE("GPL");
BUFALLOC_IMPORT_NS(DMA_BUF);
