// SPDX-License-Identifier: GPL-2.0
/*
 * Small coherent pieces: what a driver and its device have in common besides
 * pictures (descriptors, lists of commands, mailboxes), where a page for each
 * would be too much.
 *
 * The kernel's dma_pool cuts the pages. What is added:
 * - pieces are always zeroed, and errors have numbers;
 * - a piece knows where it came from, so nothing can be freed with the address
 *   of another;
 * - what is left of them goes with the pool. dma_pool_destroy() leaks each page
 *   of a piece that was forgotten, mapped for the device, for ever;
 * - a boundary that no piece could cross is not passed on: with one that is
 *   longer than a page, the dma_pool of 6.1 forgets where the page ends, and the
 *   last piece of it reaches into whatever comes next (mm/dmapool.c,
 *   pool_initialise_page()).
 */
#include <linux/device.h>
#include <linux/dmapool.h>
#include <linux/err.h>
#include <linux/export.h>
#include <linux/list.h>
#include <linux/log2.h>
#include <linux/minmax.h>
#include <linux/mm.h>
#include <linux/mutex.h>
#include <linux/slab.h>

#include <linux/bufalloc.h>

#include "bufalloc_private.h"

/**
 * struct bufalloc_pieces - pieces of one size for one device
 * @dev: the device
 * @pool: where they are cut
 * @lock: protects @list; nothing else is locked under it
 * @list: those that are in use, by their node
 */
struct bufalloc_pieces {
	struct device *dev;
	struct dma_pool *pool;
	struct mutex lock; /* see above */
	struct list_head list;
};

static bool is_valid(const struct device *dev, size_t length, size_t align,
		     size_t boundary)
{
	/* dma_alloc_coherent() warns of a device without. */
	if (!dev->coherent_dma_mask)
		return false;
	if (!length || length > BUFALLOC_PIECE_MAX)
		return false;
	if (!is_power_of_2(align) || align > BUFALLOC_PIECE_MAX)
		return false;
	if (!boundary)
		return true;
	return is_power_of_2(boundary) && boundary >= ALIGN(length, align);
}

/**
 * bufalloc_pieces_create() - make a pool of small coherent pieces for a device
 * @dev: the device that shall use them, with its coherent DMA mask set
 * @name: of the pool, for messages and for the device's file "pools" in sysfs;
 *	31 characters of it are used
 * @length: bytes of a piece, from 1 to BUFALLOC_PIECE_MAX
 * @align: each piece's address for the device is a multiple of it: a power of two
 *	up to BUFALLOC_PIECE_MAX; 1: of nothing
 * @boundary: no piece crosses a multiple of it: a power of two that is at least
 *	as long as a piece (@length, rounded up to @align); 0: pieces may cross
 *	whatever they like
 *
 * The memory is what dma_alloc_coherent() has for the device: within its
 * coherent mask, out of its own memory if it has some, and mapped for the CPU
 * and the device for as long as the pool lives. It is charged to nobody: it is the
 * driver's, not a process's. The pool keeps its pages until it is destroyed.
 *
 * A driver that needs pieces where it must not sleep, or for a device of which
 * it owns the IOMMU domain, does not get them here: dma_pool_alloc() has
 * GFP_ATOMIC, and a buffer is what bufalloc_map_domain() takes.
 *
 * Return: the pool, which the driver destroys by bufalloc_pieces_destroy() before
 * the device is unbound from it, or an ERR_PTR: -EINVAL (a length, an alignment or
 * a boundary that is none of these, or a device that has no coherent DMA mask),
 * -ENOMEM.
 */
struct bufalloc_pieces *bufalloc_pieces_create(struct device *dev,
					       const char *name, size_t length,
					       size_t align, size_t boundary)
{
	struct bufalloc_pieces *pieces;

	if (!is_valid(dev, length, align, boundary))
		return ERR_PTR(-EINVAL);
	/* It comes in such units, which are aligned to their own length. */
	if (boundary >= max_t(size_t, ALIGN(length, align), PAGE_SIZE))
		boundary = 0;

	pieces = kzalloc(sizeof(*pieces), GFP_KERNEL);
	if (!pieces)
		return ERR_PTR(-ENOMEM);
	pieces->dev = dev;
	mutex_init(&pieces->lock);
	INIT_LIST_HEAD(&pieces->list);
	pieces->pool = dma_pool_create(name, dev, length, align, boundary);
	if (!pieces->pool) {
		mutex_destroy(&pieces->lock);
		kfree(pieces);
		return ERR_PTR(-ENOMEM);
	}
	bufalloc_debugfs_live(BUFALLOC_LIVE_PIECE_POOLS, 1);
	return pieces;
}
EXPORT_SYMBOL_NS_GPL(bufalloc_pieces_create, BUFALLOC_NS);

/* It is on no list any more. */
static void give_back(struct bufalloc_piece *piece)
{
	dma_pool_free(piece->pieces->pool, piece->data, piece->addr);
	kfree(piece);
	bufalloc_debugfs_live(BUFALLOC_LIVE_PIECES, -1);
}

/**
 * bufalloc_pieces_destroy() - undo bufalloc_pieces_create()
 * @pieces: the pool, or NULL or an ERR_PTR, which is ignored
 *
 * The device has stopped to use its pieces. Those that were not freed are a bug of
 * the driver, which is warned about: they go with the pool, and so do their
 * &struct bufalloc_piece.
 */
void bufalloc_pieces_destroy(struct bufalloc_pieces *pieces)
{
	struct bufalloc_piece *piece, *next;
	unsigned int left = 0;

	if (IS_ERR_OR_NULL(pieces))
		return;
	list_for_each_entry_safe(piece, next, &pieces->list, node) {
		give_back(piece);
		left++;
	}
	if (left)
		dev_warn(pieces->dev,
			 "bufalloc: %u pieces were in use when their pool was destroyed; free them first\n",
			 left);
	dma_pool_destroy(pieces->pool);
	mutex_destroy(&pieces->lock);
	kfree(pieces);
	bufalloc_debugfs_live(BUFALLOC_LIVE_PIECE_POOLS, -1);
}
EXPORT_SYMBOL_NS_GPL(bufalloc_pieces_destroy, BUFALLOC_NS);

/**
 * bufalloc_piece_alloc() - take a piece out of a pool
 * @pieces: the pool
 *
 * No cache needs to be cared for: what the CPU writes at @data of the piece, the
 * device reads at its @addr, and the reverse. But the CPU may write in another
 * order than the program says: dma_wmb() comes before the word that tells the
 * device to look.
 *
 * Return: the piece, all of whose bytes are 0 and which is given back by
 * bufalloc_piece_free(), or ERR_PTR(-ENOMEM).
 */
struct bufalloc_piece *bufalloc_piece_alloc(struct bufalloc_pieces *pieces)
{
	struct bufalloc_piece *piece;

	piece = kzalloc(sizeof(*piece), GFP_KERNEL);
	if (!piece)
		return ERR_PTR(-ENOMEM);
	piece->pieces = pieces;
	piece->data = dma_pool_zalloc(pieces->pool, GFP_KERNEL, &piece->addr);
	if (!piece->data) {
		kfree(piece);
		return ERR_PTR(-ENOMEM);
	}
	mutex_lock(&pieces->lock);
	list_add(&piece->node, &pieces->list);
	mutex_unlock(&pieces->lock);
	bufalloc_debugfs_live(BUFALLOC_LIVE_PIECES, 1);
	return piece;
}
EXPORT_SYMBOL_NS_GPL(bufalloc_piece_alloc, BUFALLOC_NS);

/**
 * bufalloc_piece_free() - give a piece back to its pool
 * @piece: the piece, which the device no longer uses, or NULL or an ERR_PTR,
 *	which is ignored
 */
void bufalloc_piece_free(struct bufalloc_piece *piece)
{
	struct bufalloc_pieces *pieces;

	if (IS_ERR_OR_NULL(piece))
		return;
	pieces = piece->pieces;
	mutex_lock(&pieces->lock);
	list_del(&piece->node);
	mutex_unlock(&pieces->lock);
	give_back(piece);
}
EXPORT_SYMBOL_NS_GPL(bufalloc_piece_free, BUFALLOC_NS);
