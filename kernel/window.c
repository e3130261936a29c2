// SPDX-License-Identifier: GPL-2.0
/*
 * Windows: a short-lived view of a part of a buffer for the kernel's CPU. One
 * part is in view at a time, however long the buffer is, and none is when the
 * window is closed. What is in view is synced: for the CPU when it comes into
 * view, for the devices when it goes.
 *
 * Memory that the kernel has in its linear map is seen there, and takes no
 * address space; of any other (32-bit kernels' high memory) one page is in view,
 * by kmap_local_page(). So a window belongs to the task that opened it, and
 * windows are closed in reverse order. Where the linear map would show the buffer
 * as another type of memory than everybody else sees (attribute.c), one page is
 * in view by a mapping of its own; where there is no linear map (nomap.c), some
 * more.
 */
#include <linux/cacheflush.h>
#include <linux/export.h>
#include <linux/highmem.h>
#include <linux/mm.h>
#include <linux/overflow.h>
#include <linux/vmalloc.h>

#include <linux/bufalloc.h>

#include "bufalloc_private.h"

/* The page that byte @at of the run is in. */
static struct page *page_at(struct scatterlist *run, size_t at)
{
	return pfn_to_page(page_to_pfn(sg_page(run)) + (at >> PAGE_SHIFT));
}

/* User space may see the pages at an address of another cache colour. */
static void flush_pages(struct bufalloc_window *window)
{
	size_t begin = window->offset - window->run_start;
	size_t at;

	for (at = round_down(begin, PAGE_SIZE); at < begin + window->length;
	     at += PAGE_SIZE)
		flush_dcache_page(page_at(window->run, at));
}

static void hide(struct bufalloc_window *window)
{
	if (!window->data)
		return;
	if (bufalloc_nomap_is(window->buf)) {
		bufalloc_nomap_hide(window->data);
	} else {
		if (window->dir != DMA_FROM_DEVICE)
			flush_pages(window);
		if (window->is_local)
			kunmap_local(window->data);
		else if (window->is_mapped)
			vunmap(PTR_ALIGN_DOWN(window->data, PAGE_SIZE));
	}
	bufalloc_dmabuf_end(window->buf, window->offset,
			    window->offset + window->length, window->dir);
	if (window->dir != DMA_FROM_DEVICE)
		bufalloc_cache_remove_writer(&window->buf->cache);
	bufalloc_buffer_unhold(window->buf);
	window->data = NULL;
	window->length = 0;
}

/* Find the run that byte @offset is in. */
static void seek(struct bufalloc_window *window, size_t offset)
{
	if (offset < window->run_start) {
		window->run = window->buf->runs.sgl;
		window->run_start = 0;
	}
	while (offset - window->run_start >= window->run->length) {
		window->run_start += window->run->length;
		window->run = sg_next(window->run);
	}
	window->offset = offset;
}

/* How are the @length bytes of the run at @at seen, and how many of them? */
static size_t choose_view(struct bufalloc_window *window, size_t at,
			  size_t length)
{
	size_t limit = PAGE_SIZE;

	length = min_t(size_t, length, window->run->length - at);
	window->is_mapped = window->buf->linear != BUFALLOC_LINEAR_SAME;
	/* High memory is above all other: the last page decides. */
	window->is_local = !window->is_mapped &&
			   PageHighMem(page_at(window->run, at + length - 1));
	if (!window->is_local && !window->is_mapped)
		return length;
	if (bufalloc_nomap_is(window->buf))
		limit = BUFALLOC_NOMAP_WINDOW;
	return min_t(size_t, length, limit - offset_in_page(at));
}

static void *map_page(struct bufalloc_window *window, struct page *page)
{
	if (window->is_mapped)
		return vmap(&page, 1, VM_MAP,
			    bufalloc_attribute_pgprot(window->buf,
						      PAGE_KERNEL));
	if (window->is_local)
		return kmap_local_page(page);
	return page_address(page);
}

static void *view(struct bufalloc_window *window, size_t at, size_t length)
{
	void *data;

	if (bufalloc_nomap_is(window->buf))
		return bufalloc_nomap_show(window->buf, window->offset, length);
	data = map_page(window, page_at(window->run, at));
	return data ? data + offset_in_page(at) : NULL;
}

/*
 * Show at most @length bytes of the run, from where it was found on. -ENOMEM: no
 * kernel address space. -ENODEV: the buffer is gone.
 */
static int show(struct bufalloc_window *window, size_t length)
{
	size_t at = window->offset - window->run_start;
	void *data;
	int ret;

	ret = bufalloc_buffer_hold(window->buf);
	if (ret)
		return ret;
	length = choose_view(window, at, length);
	data = view(window, at, length);
	if (!data) {
		bufalloc_buffer_unhold(window->buf);
		return -ENOMEM;
	}
	bufalloc_dmabuf_begin(window->buf, window->offset,
			      window->offset + length, window->dir);
	/* User space can end the access that began here, but not this. */
	if (window->dir != DMA_FROM_DEVICE)
		bufalloc_cache_add_writer(&window->buf->cache);
	window->data = data;
	window->length = length;
	return 0;
}

/* As bufalloc_window_open(), also of a buffer that forbids it. */
void bufalloc_window_init(struct bufalloc_window *window,
			  struct bufalloc_buffer *buf,
			  enum dma_data_direction dir)
{
	*window = (struct bufalloc_window){
		.buf = buf,
		.dir = dir,
		.run = buf->runs.sgl,
	};
}

/**
 * bufalloc_window_open() - open a window on a buffer; nothing is in view yet
 * @window: the window, for instance on the stack
 * @buf: the buffer; stays the caller's, for longer than the window
 * @dir: what the CPU will do: DMA_FROM_DEVICE reads, DMA_TO_DEVICE writes all
 *	that it takes into view, DMA_BIDIRECTIONAL both, or writes parts of it
 *
 * For CPU access to a buffer of any length without a mapping of it: the kernel
 * address space that it takes is a page at most. The task that opens a window
 * moves and closes it, and closes the last one that it opened first; it may
 * sleep meanwhile.
 *
 * Return: 0, -EACCES (the buffer is never mapped for the CPU, or is memory that
 * was imported to be read only and @dir writes), -EINVAL (@dir is none of these).
 */
int bufalloc_window_open(struct bufalloc_window *window,
			 struct bufalloc_buffer *buf,
			 enum dma_data_direction dir)
{
	if (dir != DMA_FROM_DEVICE && dir != DMA_TO_DEVICE &&
	    dir != DMA_BIDIRECTIONAL)
		return -EINVAL;
	if (buf->attributes & BUFALLOC_ATTRIBUTE_NEVER_CPU)
		return -EACCES;
	if (dir != DMA_FROM_DEVICE && buf->direction != DMA_BIDIRECTIONAL)
		return -EACCES;
	bufalloc_window_init(window, buf, dir);
	return 0;
}
EXPORT_SYMBOL_NS_GPL(bufalloc_window_open, BUFALLOC_NS);

/**
 * bufalloc_window_move() - take another part of the buffer into view
 * @window: an open window
 * @offset: of the first byte in the buffer
 * @length: bytes, at least 1, that shall come into view
 *
 * Afterwards @window->length bytes are at @window->data: at least 1 and at most
 * @length, as many as lie in one piece. What was in view before is no more, and
 * was synced for the devices that use the buffer; what is now was synced for the
 * CPU. Devices that still work on the buffer are not waited for: that is the
 * caller's part. To go forward costs less than to go back.
 *
 * Return: 0, -EINVAL (not a range within the buffer; nothing has changed), or, with
 * nothing in view, -ENOMEM (a buffer that has to be mapped for the view, and the
 * kernel has no address space) or -ENODEV (memory of a device that was unbound).
 */
int bufalloc_window_move(struct bufalloc_window *window, size_t offset,
			 size_t length)
{
	size_t end;

	if (!length || check_add_overflow(offset, length, &end) ||
	    end > window->buf->length)
		return -EINVAL;
	hide(window);
	seek(window, offset);
	return show(window, length);
}
EXPORT_SYMBOL_NS_GPL(bufalloc_window_move, BUFALLOC_NS);

/**
 * bufalloc_window_close() - close a window: nothing is in view any more
 * @window: an open window
 */
void bufalloc_window_close(struct bufalloc_window *window)
{
	hide(window);
}
EXPORT_SYMBOL_NS_GPL(bufalloc_window_close, BUFALLOC_NS);
