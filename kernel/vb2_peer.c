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
/* By the address of the device: in that order they are locked. */
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

/* Where a new one goes. -EEXIST: it is there. -E2BIG: the queue has too many. */
static int find_place(const struct vb2_queue *q, const struct device *dev,
		      struct list_head **place)
{
	struct bufalloc_vb2_peer *peer;
	unsigned int count = 1; /* the queue's own device */

	*place = &peers;
	list_for_each_entry(peer, &peers, node) {
		if (peer->dev > dev && *place == &peers)
			*place = &peer->node;
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
 * Return: 0, -EINVAL (a queue without a device, or @peer is that), -EEXIST,
 * -E2BIG (BUFALLOC_MAX_DEVICES together with the queue's own), -ENOMEM.
 */
int bufalloc_vb2_add_peer(struct vb2_queue *q, struct device *peer)
{
	struct bufalloc_vb2_peer *new;
	struct list_head *place;
	int ret;

	if (!q->dev || !peer || peer == q->dev)
		return -EINVAL;
	new = kzalloc(sizeof(*new), GFP_KERNEL);
	if (!new)
		return -ENOMEM;
	new->q = q;
	new->dev = get_device(peer);

	mutex_lock(&lock);
	ret = find_place(q, peer, &place);
	if (!ret)
		list_add_tail(&new->node, place);
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

/*
 * Add the peers of @q to @peers, and keep them bound to their drivers until
 * bufalloc_vb2_release_peers().
 */
void bufalloc_vb2_hold_peers(struct bufalloc_vb2_peers *held,
			     const struct vb2_queue *q)
{
	struct bufalloc_vb2_peer *peer;
	unsigned int i, count = held->count;

	mutex_lock(&lock);
	list_for_each_entry(peer, &peers, node)
		if (peer->q == q)
			held->uses[held->count++].dev = get_device(peer->dev);
	mutex_unlock(&lock);

	for (i = count; i < held->count; i++) {
		struct device *dev = held->uses[i].dev;

		/* Drivers are unbound under it. */
		device_lock(dev);
		if (!dev->driver) {
			device_unlock(dev);
			put_device(dev);
			continue;
		}
		held->uses[count++] = (struct bufalloc_use){
			.dev = dev,
			.access = BUFALLOC_ACCESS_READ | BUFALLOC_ACCESS_WRITE,
			.max_segments = 1,
		};
	}
	held->count = count;
}

void bufalloc_vb2_release_peers(struct bufalloc_vb2_peers *held)
{
	while (held->count > 1) {
		struct device *dev = held->uses[--held->count].dev;

		device_unlock(dev);
		put_device(dev);
	}
}
