// SPDX-License-Identifier: GPL-2.0
/*
 * Peers: the devices that will import a queue's MMAP buffers, so that these are
 * made for them, too.
 */
#include <linux/device.h>
#include <linux/err.h>
#include <linux/list.h>
#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/slab.h>
#include <media/videobuf2-core.h>

#include <linux/bufalloc-v4l2.h>

#include "vb2.h"

/**
 * struct bufalloc_vb2_peer - one device for one queue
 * @node: in peers
 * @q: the queue
 * @dev: the device; referenced
 */
struct bufalloc_vb2_peer {
	struct list_head node;
	const struct vb2_queue *q;
	struct device *dev;
};

static DEFINE_MUTEX(lock); /* protects peers; last of all locks */
static LIST_HEAD(peers);

static void forget(void *data)
{
	struct bufalloc_vb2_peer *peer = data;

	mutex_lock(&lock);
	list_del(&peer->node);
	mutex_unlock(&lock);
	put_device(peer->dev);
	kfree(peer);
}

/* -EEXIST: it is there. -E2BIG: the queue has too many. */
static int check_new(const struct vb2_queue *q, const struct device *dev)
{
	struct bufalloc_vb2_peer *peer;
	unsigned int count = 1; /* the queue's own device */

	list_for_each_entry(peer, &peers, node) {
		if (peer->q != q)
			continue;
		if (peer->dev == dev)
			return -EEXIST;
		count++;
	}
	return count < BUFALLOC_MAX_DEVICES ? 0 : -E2BIG;
}

/**
 * bufalloc_vb2_add_peer() - name a device that will import a queue's MMAP buffers
 * @q: the queue, with its mem_ops of bufalloc's and @dev set. It is a key from here
 *	on, until bufalloc_vb2_remove_peers() or until @q->dev is unbound
 * @peer: the device that does the DMA, for instance a display
 *
 * What is allocated from then on, @peer can import: the buffer was mapped for it
 * before it is handed out. It is taken to need one DMA segment, as most displays
 * do; so without an IOMMU it makes buffers contiguous. A peer that has no driver
 * when a buffer is allocated counts for nothing, as it will not import it.
 *
 * Peers that the property bufalloc,peers of the device's node in the devicetree
 * names need no call.
 *
 * Return: 0, -EINVAL (a queue without a device, or @peer is that), -EEXIST,
 * -E2BIG (BUFALLOC_MAX_DEVICES together with the queue's own), -ENOMEM.
 */
int bufalloc_vb2_add_peer(struct vb2_queue *q, struct device *peer)
{
	struct bufalloc_vb2_peer *new;
	int ret;

	if (!q->dev || !peer || peer == q->dev)
		return -EINVAL;
	new = kzalloc(sizeof(*new), GFP_KERNEL);
	if (!new)
		return -ENOMEM;
	new->q = q;
	new->dev = get_device(peer);

	mutex_lock(&lock);
	ret = check_new(q, peer);
	if (!ret)
		list_add(&new->node, &peers);
	mutex_unlock(&lock);
	if (ret) {
		put_device(peer);
		kfree(new);
		return ret;
	}
	return devm_add_action_or_reset(q->dev, forget, new);
}
EXPORT_SYMBOL_NS_GPL(bufalloc_vb2_add_peer, BUFALLOC_NS);

/**
 * bufalloc_vb2_remove_peers() - name none any more
 * @q: the queue, with the same @dev as it had
 *
 * For a queue that ends before its device is unbound, as those of open files do.
 * Buffers stay as they are.
 */
void bufalloc_vb2_remove_peers(struct vb2_queue *q)
{
	struct bufalloc_vb2_peer *peer, *found;

	do {
		found = NULL;
		mutex_lock(&lock);
		list_for_each_entry(peer, &peers, node) {
			if (peer->q == q) {
				found = peer;
				break;
			}
		}
		mutex_unlock(&lock);
		/* Only this queue's driver removes it. */
		if (found)
			devm_release_action(q->dev, forget, found);
	} while (found);
}
EXPORT_SYMBOL_NS_GPL(bufalloc_vb2_remove_peers, BUFALLOC_NS);

/* Add those of @q. */
void bufalloc_vb2_add_peers(struct bufalloc_peers *named,
			    const struct vb2_queue *q)
{
	struct bufalloc_vb2_peer *peer;

	mutex_lock(&lock);
	/* What fails is there: no two are the same, and their number has a limit. */
	list_for_each_entry(peer, &peers, node)
		if (peer->q == q)
			bufalloc_peers_add(named, peer->dev);
	mutex_unlock(&lock);
}
