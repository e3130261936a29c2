// SPDX-License-Identifier: GPL-2.0
/*
 * Bytes in and out of a buffer that nobody maps: through a window of a page, or of
 * somewhat more where each view is a mapping of its own.
 */
#include <linux/dma-buf.h>
#include <linux/mm.h>
#include <linux/sched.h>
#include <linux/sched/signal.h>
#include <linux/uio.h>

#include <linux/bufalloc.h>

#include "bufalloc_private.h"

static int copy_through(struct bufalloc_window *window, size_t offset,
			size_t length, void __user *user, bool in,
			size_t *copied)
{
	/* CONFIG_HARDENED_USERCOPY: not across pages of two blocks. */
	size_t limit = bufalloc_nomap_is(window->buf) ? BUFALLOC_NOMAP_WINDOW :
							PAGE_SIZE;
	struct iov_iter iter;
	int ret;

	iov_iter_ubuf(&iter, in ? ITER_SOURCE : ITER_DEST, user, length);
	while (*copied < length) {
		size_t at = offset + *copied;
		size_t part = min(length - *copied, limit - at % limit);
		size_t done;

		if (fatal_signal_pending(current))
			return -EINTR;
		ret = bufalloc_window_move(window, at, part);
		if (ret)
			return ret;
		part = window->length;
		done = in ? copy_from_iter(window->data, part, &iter) :
			    copy_to_iter(window->data, part, &iter);
		*copied += done;
		if (done < part)
			return -EFAULT;
		cond_resched();
	}
	return 0;
}

/*
 * Copy between bytes [@offset, @offset + @length) of a buffer of ours, which it
 * has, and user space. *@copied bytes were copied, also after a failure.
 *
 * No lock is held while user memory is touched: that may take as long as
 * whoever provides that memory likes.
 *
 * Return: 0, -EACCES (the buffer forbids it: bufalloc_window_open()), -EFAULT
 * (the user's memory ended), -EINTR (fatal signal), -ERESTARTSYS (a signal, and
 * nothing was done), -ENOMEM (no kernel address space for the window).
 */
int bufalloc_copy(struct dma_buf *dmabuf, size_t offset, size_t length,
		  void __user *user, bool in, size_t *copied)
{
	/* If not all is copied in, what a device wrote to the rest stays. */
	enum dma_data_direction dir = in ? DMA_BIDIRECTIONAL : DMA_FROM_DEVICE;
	struct bufalloc_window window;
	int ret;

	*copied = 0;
	ret = bufalloc_window_open(&window, dmabuf->priv, dir);
	if (ret)
		return ret;
	ret = bufalloc_dmabuf_wait(dmabuf, dir);
	if (!ret)
		ret = copy_through(&window, offset, length, user, in, copied);
	bufalloc_window_close(&window);
	return ret;
}
