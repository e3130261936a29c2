/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What differs between the kernels for who imports dma-bufs. Up to 6.1 exporters
 * take the dma_resv lock if they want it, since 6.2 the core does, and the importer
 * may choose by the function that it calls.
 */
#ifndef BUFALLOC_COMPAT_DMA_BUF_H
#define BUFALLOC_COMPAT_DMA_BUF_H

#include <linux/dma-buf.h>
#include <linux/iosys-map.h>

static inline struct sg_table *
bufalloc_compat_dma_buf_map(struct dma_buf_attachment *attachment,
			    enum dma_data_direction dir)
{
#ifdef BUFALLOC_HAVE_DMA_BUF_VMAP_UNLOCKED
	return dma_buf_map_attachment_unlocked(attachment, dir);
#else
	return dma_buf_map_attachment(attachment, dir);
#endif
}

static inline void
bufalloc_compat_dma_buf_unmap(struct dma_buf_attachment *attachment,
			      struct sg_table *table,
			      enum dma_data_direction dir)
{
#ifdef BUFALLOC_HAVE_DMA_BUF_VMAP_UNLOCKED
	dma_buf_unmap_attachment_unlocked(attachment, table, dir);
#else
	dma_buf_unmap_attachment(attachment, table, dir);
#endif
}

static inline int
bufalloc_compat_dma_buf_vmap(struct dma_buf *dmabuf, struct iosys_map *map)
{
#ifdef BUFALLOC_HAVE_DMA_BUF_VMAP_UNLOCKED
	return dma_buf_vmap_unlocked(dmabuf, map);
#else
	return dma_buf_vmap(dmabuf, map);
#endif
}

static inline void
bufalloc_compat_dma_buf_vunmap(struct dma_buf *dmabuf, struct iosys_map *map)
{
#ifdef BUFALLOC_HAVE_DMA_BUF_VMAP_UNLOCKED
	dma_buf_vunmap_unlocked(dmabuf, map);
#else
	dma_buf_vunmap(dmabuf, map);
#endif
}

#endif /* BUFALLOC_COMPAT_DMA_BUF_H */
