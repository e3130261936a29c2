// SPDX-License-Identifier: GPL-2.0
/*
 * /sys/kernel/debug/ba_alias: what the kernel has mapped of a physical range. Write
 * "START LENGTH" (numbers of bytes as kstrtoull() takes them), then read the number
 * of pages of kernel address space, with whatever attributes, that lead into it. A
 * page that is mapped twice counts twice.
 *
 * The tables that the processor itself walks are read, from their root on, for all
 * of the kernel's half of the addresses. Nothing keeps them as they are meanwhile:
 * that is the test's part. Not for kernels with KASAN, whose shadow takes hours.
 */
#include <linux/debugfs.h>
#include <linux/fs.h>
#include <linux/io.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/pgtable.h>
#include <linux/sched.h>
#include <linux/seq_file.h>
#include <linux/uaccess.h>

#if defined(CONFIG_X86_64)
#define FIRST_ADDRESS (~0UL << (pgtable_l5_enabled() ? 56 : 47))

static pgd_t *root_table(void)
{
	return __va(read_cr3_pa());
}
#elif defined(CONFIG_ARM64)
#define FIRST_ADDRESS PAGE_OFFSET

static pgd_t *root_table(void)
{
	return phys_to_virt(read_sysreg(ttbr1_el1) & GENMASK_ULL(47, 1));
}
#else
#define FIRST_ADDRESS 0UL

static pgd_t *root_table(void)
{
	return NULL;
}
#endif

static unsigned long range_pfn, range_end;

/* Pages of [@pfn, @pfn + @pages) that are in the range. */
static unsigned long hits(unsigned long pfn, unsigned long pages)
{
	unsigned long first = max(pfn, range_pfn);
	unsigned long end = min(pfn + pages, range_end);

	return end > first ? end - first : 0;
}

static unsigned long walk_ptes(pmd_t *pmd, unsigned long addr,
			       unsigned long end)
{
	pte_t *pte = pte_offset_kernel(pmd, addr);
	unsigned long sum = 0;

	for (; addr != end; addr += PAGE_SIZE, pte++)
		if (pte_present(*pte))
			sum += hits(pte_pfn(*pte), 1);
	return sum;
}

static unsigned long walk_pmds(pud_t *pud, unsigned long addr,
			       unsigned long end)
{
	pmd_t *pmd = pmd_offset(pud, addr);
	unsigned long next, sum = 0;

	do {
		next = pmd_addr_end(addr, end);
		if (pmd_none(*pmd) || !pmd_present(*pmd))
			continue;
		if (pmd_leaf(*pmd))
			sum += hits(pmd_pfn(*pmd), PMD_SIZE >> PAGE_SHIFT);
		else
			sum += walk_ptes(pmd, addr, next);
	} while (pmd++, addr = next, addr != end);
	return sum;
}

static unsigned long walk_puds(p4d_t *p4d, unsigned long addr,
			       unsigned long end)
{
	pud_t *pud = pud_offset(p4d, addr);
	unsigned long next, sum = 0;

	do {
		next = pud_addr_end(addr, end);
		if (pud_none(*pud) || !pud_present(*pud))
			continue;
		if (pud_leaf(*pud))
			sum += hits(pud_pfn(*pud), PUD_SIZE >> PAGE_SHIFT);
		else
			sum += walk_pmds(pud, addr, next);
	} while (pud++, addr = next, addr != end);
	return sum;
}

static unsigned long walk_p4ds(pgd_t *pgd, unsigned long addr,
			       unsigned long end)
{
	p4d_t *p4d = p4d_offset(pgd, addr);
	unsigned long next, sum = 0;

	do {
		next = p4d_addr_end(addr, end);
		if (!p4d_none(*p4d) && p4d_present(*p4d))
			sum += walk_puds(p4d, addr, next);
	} while (p4d++, addr = next, addr != end);
	return sum;
}

/* To the end of the addresses, which is 0. */
static unsigned long walk(void)
{
	unsigned long addr = FIRST_ADDRESS, next, sum = 0;
	pgd_t *pgd = pgd_offset_pgd(root_table(), addr);

	do {
		next = pgd_addr_end(addr, 0UL);
		if (!pgd_none(*pgd) && pgd_present(*pgd))
			sum += walk_p4ds(pgd, addr, next);
		cond_resched();
	} while (pgd++, addr = next, addr);
	return sum;
}

static int alias_show(struct seq_file *file, void *unused)
{
	if (!root_table())
		return -EOPNOTSUPP;
	seq_printf(file, "%lu\n", walk());
	return 0;
}

static int alias_open(struct inode *inode, struct file *file)
{
	return single_open(file, alias_show, NULL);
}

static ssize_t alias_write(struct file *file, const char __user *data,
			   size_t length, loff_t *pos)
{
	unsigned long long start, bytes;
	char text[64];

	if (length >= sizeof(text))
		return -EINVAL;
	if (copy_from_user(text, data, length))
		return -EFAULT;
	text[length] = '\0';
	if (sscanf(text, "%llu %llu", &start, &bytes) != 2)
		return -EINVAL;
	range_pfn = start >> PAGE_SHIFT;
	range_end = (start + bytes) >> PAGE_SHIFT;
	return length;
}

static const struct file_operations alias_fops = {
	.owner = THIS_MODULE,
	.open = alias_open,
	.read = seq_read,
	.write = alias_write,
	.llseek = seq_lseek,
	.release = single_release,
};

static struct dentry *alias_file;

static int __init alias_init(void)
{
	alias_file = debugfs_create_file("ba_alias", 0600, NULL, NULL,
					 &alias_fops);
	return 0;
}

static void __exit alias_exit(void)
{
	debugfs_remove(alias_file);
}

module_init(alias_init);
module_exit(alias_exit);
MODULE_DESCRIPTION("The kernel's mappings of a physical range, for bufalloc's tests");
MODULE_LICENSE("GPL");
