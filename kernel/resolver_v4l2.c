// SPDX-License-Identifier: GPL-2.0
/*
 * bufalloc-v4l2.ko: the device behind a V4L2 node.
 *
 * A node's buffer queue knows the device and how its driver uses the memory:
 * videobuf2 has one set of memory operations for each way. Nodes without a
 * queue of their own (mem2mem) have two for each open file, and the access
 * selects one of them.
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

static struct vb2_queue *m2m_queue(const struct bufalloc_endpoint *endpoint,
				   struct video_device *vdev)
{
	struct v4l2_fh *fh = endpoint->file->private_data;

	if (!test_bit(V4L2_FL_USES_V4L2_FH, &vdev->flags) || !fh->m2m_ctx)
		return NULL;
	/* The device reads what goes into it: the output queue. */
	if (endpoint->access & BUFALLOC_ACCESS_READ)
		return &fh->m2m_ctx->out_q_ctx.q;
	return &fh->m2m_ctx->cap_q_ctx.q;
}

/* The nearest ancestor with a DMA mask: a guess. */
static struct device *dma_ancestor(struct device *dev)
{
	while (dev && (!dev->dma_mask || !*dev->dma_mask))
		dev = dev->parent;
	return dev;
}

static void use_queue(struct bufalloc_endpoint *endpoint,
		      struct vb2_queue *queue)
{
	if (IS_MEMOPS(queue, vb2_vmalloc_memops)) {
		endpoint->flags |= BUFALLOC_DEVICE_NO_DMA |
				   BUFALLOC_DEVICE_NEEDS_VMAP;
		return;
	}
	if (IS_MEMOPS(queue, vb2_dma_contig_memops))
		endpoint->max_segments = 1;
	endpoint->dev = queue->dev;
	if (queue->alloc_devs[0]) {
		endpoint->dev = queue->alloc_devs[0];
		endpoint->found = BUFALLOC_FOUND_V4L2_ALLOC_DEV;
	}
}

static int bufalloc_v4l2_resolve(struct bufalloc_endpoint *endpoint)
{
	struct video_device *vdev = video_devdata(endpoint->file);
	struct vb2_queue *queue;

	if (!vdev || !video_is_registered(vdev))
		return -ENODEV;
	/* VBI, radio, subdevice, SDR and touch nodes move no pictures. */
	if (vdev->vfl_type != VFL_TYPE_VIDEO)
		return -ENXIO;

	strscpy(endpoint->name, video_device_node_name(vdev),
		sizeof(endpoint->name));
	if (vdev->dev_parent && vdev->dev_parent->driver)
		strscpy(endpoint->driver, vdev->dev_parent->driver->name,
			sizeof(endpoint->driver));

	queue = vdev->queue;
	endpoint->found = BUFALLOC_FOUND_V4L2_QUEUE;
	if (!queue) {
		queue = m2m_queue(endpoint, vdev);
		endpoint->found = BUFALLOC_FOUND_V4L2_M2M;
	}
	if (queue && queue->mem_ops)
		use_queue(endpoint, queue);
	if (!endpoint->dev && !(endpoint->flags & BUFALLOC_DEVICE_NO_DMA)) {
		endpoint->dev = dma_ancestor(vdev->dev_parent);
		endpoint->found = BUFALLOC_FOUND_ANCESTOR;
		endpoint->flags |= BUFALLOC_DEVICE_INFERRED;
		if (!endpoint->dev)
			return -ENXIO;
	}
	return 0;
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

MODULE_DESCRIPTION("bufalloc: finds the device behind a V4L2 node");
MODULE_AUTHOR("The bufalloc authors");
MODULE_LICENSE("GPL");
MODULE_ALIAS("bufalloc-resolver-81");
BUFALLOC_IMPORT_NS(BUFALLOC);
