// SPDX-License-Identifier: GPL-2.0
/*
 * What the checks have in common.
 */
#include <linux/dma-buf.h>
#include <linux/dma-resv.h>
#include <linux/err.h>
#include <linux/fs.h>
#include <linux/pci.h>
#include <linux/string.h>

#include "api_checks.h"

struct bufalloc_buffer *api_alloc_for(struct bufalloc_use *uses,
				      unsigned int count, size_t length,
				      struct bufalloc_alloc_verdict *verdict)
{
	struct bufalloc_request request = {
		.length = length,
		.heap = api_heap,
		.uses = uses,
		.use_count = count,
	};

	return bufalloc_alloc(&request, verdict);
}

struct bufalloc_buffer *api_alloc(size_t length)
{
	struct bufalloc_use uses[API_DEVICES];
	int i;

	memset(uses, 0, sizeof(uses));
	for (i = 0; i < API_DEVICES; i++) {
		uses[i].dev = api_dev(i);
		uses[i].access = BUFALLOC_ACCESS_READ | BUFALLOC_ACCESS_WRITE;
	}
	return api_alloc_for(uses, API_DEVICES, length, NULL);
}

int api_move(int i, struct bufalloc_buffer *buf, bool to_memory)
{
	struct sg_table *table = bufalloc_map(buf, api_dev(i));
	int ret;

	if (IS_ERR(table))
		return PTR_ERR(table);
	ret = to_memory ? edu_write_memory(api_devices[i].registers,
					   sg_dma_address(table->sgl),
					   EDU_PIECE) :
			  edu_read_memory(api_devices[i].registers,
					  sg_dma_address(table->sgl),
					  EDU_PIECE);
	bufalloc_unmap(buf, api_dev(i), table);
	return ret;
}

int api_fill(struct bufalloc_buffer *buf, u8 seed, bool compare)
{
	struct dma_buf *dmabuf = bufalloc_export(buf, O_RDWR);
	struct iosys_map map;
	int i, ret;
	u8 *data;

	if (IS_ERR(dmabuf))
		return PTR_ERR(dmabuf);
	ret = dma_buf_begin_cpu_access(dmabuf, DMA_BIDIRECTIONAL);
	if (ret)
		goto out_put;
	/* 6.1 does without the lock, and does not mind it. */
	dma_resv_lock(dmabuf->resv, NULL);
	ret = dma_buf_vmap(dmabuf, &map);
	if (ret)
		goto out_unlock;
	data = map.vaddr;
	for (i = 0; i < EDU_PIECE; i++) {
		if (!compare)
			data[i] = api_byte(i, seed);
		else if (data[i] != api_byte(i, seed))
			ret = -EILSEQ;
	}
	dma_buf_vunmap(dmabuf, &map);
out_unlock:
	dma_resv_unlock(dmabuf->resv);
	dma_buf_end_cpu_access(dmabuf, DMA_BIDIRECTIONAL);
out_put:
	dma_buf_put(dmabuf);
	return ret;
}
