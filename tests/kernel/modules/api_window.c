// SPDX-License-Identifier: GPL-2.0
/*
 * Windows of the in-kernel API.
 */
#include <linux/dma-direction.h>
#include <linux/err.h>
#include <linux/minmax.h>
#include <linux/mm.h>
#include <linux/pci.h>

#include "api_checks.h"

/* It takes no address space, but where there is no other mapping: then 64 KiB. */
static bool is_bounded(const struct bufalloc_window *window, size_t view)
{
	if (api_heap == BUFALLOC_HEAP_RESERVED)
		view = min_t(size_t, view, SZ_64K);
	return window->length && window->length <= view &&
	       is_vmalloc_addr(window->data) ==
		       (api_heap == BUFALLOC_HEAP_RESERVED);
}

int api_slide(struct bufalloc_buffer *buf, u8 seed, bool compare, size_t view)
{
	struct bufalloc_window window;
	size_t at = 0, i;
	int ret;

	ret = bufalloc_window_open(&window, buf, compare ? DMA_FROM_DEVICE :
							   DMA_TO_DEVICE);
	while (!ret && at < bufalloc_length(buf)) {
		size_t left = bufalloc_length(buf) - at;
		u8 *data;

		ret = bufalloc_window_move(&window, at, min(left, view));
		if (ret)
			break;
		data = window.data;
		if (!is_bounded(&window, view)) {
			ret = -EPROTO;
			break;
		}
		for (i = 0; i < window.length; i++) {
			if (!compare)
				data[i] = api_byte(at + i, seed);
			else if (data[i] != api_byte(at + i, seed))
				ret = -EILSEQ;
		}
		at += window.length;
	}
	bufalloc_window_close(&window);
	return ret;
}

void api_check_window(void)
{
	struct bufalloc_buffer *from = api_alloc(API_LENGTH);
	struct bufalloc_buffer *to = api_alloc(API_LENGTH);

	EXPECT(!IS_ERR(from) && !IS_ERR(to));
	EXPECT(api_slide(from, 5, false, SZ_64K) == 0);
	EXPECT(api_slide(from, 5, true, 1000) == 0);
	EXPECT(api_slide(from, 6, true, SIZE_MAX) == -EILSEQ);
	/* A device and the other kinds of CPU access see the same bytes. */
	EXPECT(api_fill(from, 5, true) == 0);
	EXPECT(api_move(0, from, false) == 0);
	EXPECT(api_slide(to, 99, false, SZ_4K + 1) == 0);
	EXPECT(api_move(0, to, true) == 0);
	EXPECT(api_fill(to, 5, true) == 0);
out:
	bufalloc_put(to);
	bufalloc_put(from);
}

/* A page in view, then one before it: the search starts anew. */
void api_check_window_moves(void)
{
	struct bufalloc_buffer *buf = api_alloc(API_LENGTH);
	struct bufalloc_request request = {
		.length = API_LENGTH,
		.heap = api_heap,
		.attributes = BUFALLOC_ATTRIBUTE_NEVER_CPU,
	};
	struct bufalloc_buffer *never_cpu = NULL;
	struct bufalloc_window window = {};
	u8 *data;

	EXPECT(!IS_ERR(buf));
	EXPECT(api_slide(buf, 0, false, PAGE_SIZE) == 0);
	EXPECT(bufalloc_window_open(&window, buf, DMA_NONE) == -EINVAL);
	EXPECT(bufalloc_window_open(&window, buf, DMA_BIDIRECTIONAL) == 0);
	EXPECT(!window.data && !window.length);
	EXPECT(bufalloc_window_move(&window, API_LENGTH - 3, 3) == 0);
	data = window.data;
	EXPECT(window.length == 3 && data[2] == api_byte(API_LENGTH - 1, 0));
	EXPECT(bufalloc_window_move(&window, 0, 0) == -EINVAL);
	EXPECT(bufalloc_window_move(&window, API_LENGTH - 3, 4) == -EINVAL);
	EXPECT(bufalloc_window_move(&window, API_LENGTH, 1) == -EINVAL);
	EXPECT(bufalloc_window_move(&window, SIZE_MAX, 2) == -EINVAL);
	EXPECT(bufalloc_window_move(&window, 1, SIZE_MAX) == -EINVAL);
	EXPECT(window.data == data && window.length == 3);
	EXPECT(bufalloc_window_move(&window, 1, 2) == 0);
	data = window.data;
	EXPECT(window.length == 2 && data[0] == api_byte(1, 0) &&
	       data[1] == api_byte(2, 0));
	bufalloc_window_close(&window);
	EXPECT(!window.data && !window.length);
	never_cpu = bufalloc_alloc(&request, NULL);
	EXPECT(!IS_ERR(never_cpu));
	EXPECT(bufalloc_window_open(&window, never_cpu, DMA_FROM_DEVICE) ==
	       -EACCES);
out:
	bufalloc_put(never_cpu);
	bufalloc_put(buf);
}
