// SPDX-License-Identifier: GPL-2.0
/*
 * What the heaps have in common whose buffers are one physical range each: the
 * user's limit (account.c) and the table that describes the range.
 */
#include <linux/highmem.h>
#include <linux/mm.h>
#include <linux/scatterlist.h>
#include <linux/sched/signal.h>
#include <linux/sizes.h>

#include "bufalloc_private.h"

/*
 * Charge the buffer to the user and make room to describe it, by as few entries as
 * their unsigned int length allows. Return: 0, -ENOMEM or -EDQUOT. Undone by
 * bufalloc_heap_range_end().
 */
int bufalloc_heap_range_begin(struct bufalloc_buffer *buf)
{
	int ret;

	ret = bufalloc_account_charge(buf->length, &buf->account);
	if (ret)
		return ret;
	ret = sg_alloc_table(&buf->runs,
			     DIV_ROUND_UP(buf->length, BUFALLOC_RUN_MAX),
			     GFP_KERNEL_ACCOUNT);
	if (ret)
		bufalloc_account_uncharge(buf->account, buf->length);
	return ret;
}

void bufalloc_heap_range_end(struct bufalloc_buffer *buf)
{
	sg_free_table(&buf->runs);
	bufalloc_account_uncharge(buf->account, buf->length);
}

/*
 * It is the range from frame @pfn on. An entry without a page has the address of
 * the memory where a device's address would be: the buffer's own table is never
 * mapped. See bufalloc_run_phys().
 */
void bufalloc_heap_range_describe(struct bufalloc_buffer *buf,
				  unsigned long pfn, bool has_pages)
{
	size_t length = buf->length;
	struct scatterlist *run;
	int i;

	for_each_sgtable_sg(&buf->runs, run, i) {
		size_t part = min(length, BUFALLOC_RUN_MAX);

		sg_set_page(run, has_pages ? pfn_to_page(pfn) : NULL, part, 0);
		if (!has_pages)
			sg_dma_address(run) = PFN_PHYS(pfn);
		pfn += part >> PAGE_SHIFT;
		length -= part;
	}
}

/* Clear pages in a row. -EINTR (fatal signal). */
int bufalloc_heap_range_clear(struct page *first, unsigned long pages)
{
	unsigned long pfn = page_to_pfn(first);
	unsigned long end = pfn + pages;

	for (; pfn < end; pfn++) {
		if (!(pfn % (SZ_64K >> PAGE_SHIFT))) {
			if (fatal_signal_pending(current))
				return -EINTR;
			cond_resched();
		}
		clear_highpage(pfn_to_page(pfn));
	}
	return 0;
}
