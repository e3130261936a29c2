// SPDX-License-Identifier: GPL-2.0
/*
 * bufalloc-v4l2.ko: the device behind a V4L2 node.
 *
 * A node's buffer queue knows the device and how its driver uses the memory:
 * videobuf2 has one set of memory operations for each way. Nodes without a
 * queue of their own (mem2mem) have two for each open file, and the access
 * selects.
 */
#include <linux/device.h>
#include <linux/err.h>
#include <linux/fs.h>
#include <linux/kdev_t.h>
#include <linux/module.h>
#include <media/v4l2-dev.h>
#include <media/v4l2-fh.h>
#include <media/v4l2-mem2mem.h>
#include <media/videobuf2-core.h>
#include <media/videobuf2-dma-contig.h>
#include <media/videobuf2-vmalloc.h>

#include <linux/bufalloc-v4l2.h>

#include "resolver.h"

/*
 * Is it that set of operations? The module that has it is neither loaded nor
 * depended on for the question.
 */
#define IS_MEMOPS(queue, memops) ({ \
	const struct vb2_mem_ops *_known = symbol_get(memops); \
	bool _same = _known && (queue)->mem_ops == _known; \
	if (_known) \
		symbol_put(memops); \
	_same; \
})

/* The nearest ancestor with a DMA mask: a guess. */
static struct device *dma_ancestor(struct device *dev)
{
	while (dev && (!dev->dma_mask || !*dev->dma_mask))
		dev = dev->parent;
	return dev;
}

/*
 * The device that a queue's DMA is done by: its own, or where it says so the one
 * for the first plane. If other planes have others, that is a guess, too.
 */
static struct device *queue_device(struct bufalloc_endpoint *endpoint,
				   const struct vb2_queue *queue)
{
	struct device *first = queue->alloc_devs[0] ?: queue->dev;
	int i;

	if (queue->alloc_devs[0])
		endpoint->found = BUFALLOC_FOUND_V4L2_ALLOC_DEV;
	for (i = 1; i < ARRAY_SIZE(queue->alloc_devs); i++)
		if (queue->alloc_devs[i] && queue->alloc_devs[i] != first)
			endpoint->flags |= BUFALLOC_DEVICE_INFERRED;
	return first;
}

/* Add what a queue needs. -EINVAL: another one of the node has another device. */
static int use_queue(struct bufalloc_endpoint *endpoint,
		     const struct vb2_queue *queue)
{
	struct device *dev;

	if (!(queue->io_modes & VB2_DMABUF))
		return -EOPNOTSUPP;
	if (IS_MEMOPS(queue, vb2_vmalloc_memops)) {
		endpoint->flags |= BUFALLOC_DEVICE_NEEDS_VMAP;
		return 0;
	}
	if (IS_MEMOPS(queue, vb2_dma_contig_memops) ||
	    queue->mem_ops == &bufalloc_vb2_memops)
		endpoint->max_segments = 1;
	dev = queue_device(endpoint, queue);
	if (endpoint->dev && endpoint->dev != dev)
		return -EINVAL;
	endpoint->dev = dev;
	return 0;
}

/* A mem2mem device reads what goes into its output queue. */
static int use_m2m(struct bufalloc_endpoint *endpoint,
		   const struct v4l2_m2m_ctx *m2m)
{
	int ret = 0;

	endpoint->found = BUFALLOC_FOUND_V4L2_M2M;
	if (endpoint->access & BUFALLOC_ACCESS_READ)
		ret = use_queue(endpoint, &m2m->out_q_ctx.q);
	if (!ret && endpoint->access & BUFALLOC_ACCESS_WRITE)
		ret = use_queue(endpoint, &m2m->cap_q_ctx.q);
	return ret;
}

static const struct v4l2_m2m_ctx *m2m_of(const struct bufalloc_endpoint *endpoint,
					 const struct video_device *vdev)
{
	const struct v4l2_fh *fh = endpoint->file->private_data;

	return test_bit(V4L2_FL_USES_V4L2_FH, &vdev->flags) ? fh->m2m_ctx : NULL;
}

/* Whatever the node's driver says, or the driver's device, which is locked. */
static int use_node(struct bufalloc_endpoint *endpoint,
		    const struct video_device *vdev)
{
	const struct v4l2_m2m_ctx *m2m = m2m_of(endpoint, vdev);
	int ret = 0;

	/* Only read() and write(), or nothing but controls. */
	if (!(vdev->device_caps & V4L2_CAP_STREAMING))
		return -EOPNOTSUPP;

	if (vdev->queue && vdev->queue->mem_ops) {
		endpoint->found = BUFALLOC_FOUND_V4L2_QUEUE;
		ret = use_queue(endpoint, vdev->queue);
	} else if (m2m) {
		ret = use_m2m(endpoint, m2m);
	}
	if (ret || endpoint->dev)
		return ret;
	if (endpoint->flags & BUFALLOC_DEVICE_NEEDS_VMAP) {
		endpoint->flags |= BUFALLOC_DEVICE_NO_DMA;
		return 0;
	}
	/* The driver has no videobuf2 queue, or that does not know its device. */
	endpoint->dev = dma_ancestor(vdev->dev.parent);
	endpoint->found = BUFALLOC_FOUND_ANCESTOR;
	endpoint->flags |= BUFALLOC_DEVICE_INFERRED;
	return endpoint->dev ? 0 : -ENXIO;
}

/*
 * Lock the device that the node's driver is bound to, and hold it. A driver
 * unregisters its nodes when it is unbound, which happens under this lock, and
 * what they point to may be gone soon after. The device itself stays as long as
 * the node is registered, as device_del() begins by taking the node's lock.
 * NULL: the node is no longer registered.
 */
static struct device *lock_owner(struct video_device *vdev)
{
	struct device *owner = NULL;

	device_lock(&vdev->dev);
	if (video_is_registered(vdev))
		owner = get_device(vdev->dev.parent ?: &vdev->dev);
	device_unlock(&vdev->dev);
	if (!owner)
		return NULL;

	device_lock(owner);
	if (video_is_registered(vdev))
		return owner;
	device_unlock(owner);
	put_device(owner);
	return NULL;
}

static int bufalloc_v4l2_resolve(struct bufalloc_endpoint *endpoint)
{
	/* Open, so it is still there. */
	struct video_device *vdev = video_devdata(endpoint->file);
	struct device *owner;
	int ret;

	/* VBI, radio, subdevice, SDR and touch nodes move no pictures. */
	if (vdev->vfl_type != VFL_TYPE_VIDEO)
		return -ENXIO;
	owner = lock_owner(vdev);
	if (!owner)
		return -ENODEV;

	strscpy(endpoint->name, video_device_node_name(vdev),
		sizeof(endpoint->name));
	if (owner->driver)
		strscpy(endpoint->driver, owner->driver->name,
			sizeof(endpoint->driver));
	ret = use_node(endpoint, vdev);
	if (!ret)
		get_device(endpoint->dev);
	device_unlock(owner);
	put_device(owner);
	return ret;
}

static bool bufalloc_v4l2_alive(const struct bufalloc_endpoint *endpoint)
{
	return video_is_registered(video_devdata(endpoint->file));
}

static struct bufalloc_resolver bufalloc_v4l2_resolver = {
	.owner = THIS_MODULE,
	.major = VIDEO_MAJOR,
	.resolve = bufalloc_v4l2_resolve,
	.alive = bufalloc_v4l2_alive,
};

static int __init bufalloc_v4l2_init(void)
{
	bufalloc_resolver_register(&bufalloc_v4l2_resolver);
	return 0;
}

static void __exit bufalloc_v4l2_exit(void)
{
	bufalloc_resolver_unregister(&bufalloc_v4l2_resolver);
}

module_init(bufalloc_v4l2_init);
module_exit(bufalloc_v4l2_exit);

MODULE_DESCRIPTION("bufalloc: the device behind a V4L2 node, and memory for V4L2 drivers");
MODULE_AUTHOR("The bufalloc authors");
MODULE_LICENSE("GPL");
MODULE_ALIAS("bufalloc-resolver-81");
BUFALLOC_IMPORT_NS(BUFALLOC);
BUFALLOC_IMPORT_NS(DMA_BUF);
