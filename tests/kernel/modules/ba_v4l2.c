// SPDX-License-Identifier: GPL-2.0
/*
 * V4L2 nodes of every kind that a driver may have and the test drivers of the
 * kernel have not. Nothing is streamed through them: they are there to be asked
 * about. Each is found by its name in /sys/class/video4linux.
 */
#include <linux/dma-mapping.h>
#include <linux/err.h>
#include <linux/fs.h>
#include <linux/module.h>
#include <linux/platform_device.h>
#include <linux/slab.h>
#include <media/v4l2-dev.h>
#include <media/v4l2-device.h>
#include <media/v4l2-fh.h>
#include <media/v4l2-mem2mem.h>
#include <media/v4l2-subdev.h>
#include <media/videobuf2-core.h>
#include <media/videobuf2-dma-contig.h>
#include <media/videobuf2-vmalloc.h>

#include <linux/bufalloc-v4l2.h>

/* The devices: the driver's own, another one, and one that has no DMA. */
enum { OWN, OTHER, BARE, DEVICES };

static const unsigned int dma_bits[DEVICES] = { 32, 30, 0 };
static struct platform_device *devices[DEVICES];

/* A subdevice must be of its device's driver, or it pins the module. */
static struct platform_driver driver = { .driver.name = "ba_v4l2" };

/* One that has no driver of videobuf2's that is known. */
static const struct vb2_mem_ops unknown_memops;

#define IMPORTS (VB2_MMAP | VB2_DMABUF)
#define CAPTURES (V4L2_CAP_VIDEO_CAPTURE | V4L2_CAP_STREAMING)
#define MEM2MEM (V4L2_CAP_VIDEO_M2M | V4L2_CAP_STREAMING)

/**
 * struct kind - one node
 * @name: to find it by
 * @caps: V4L2_CAP_*
 * @memops: of its queue; NULL: it has none
 * @io_modes: of its queue
 * @parent: device that it belongs to
 * @planes: devices for the first two planes, plus 1; 0: that of the queue
 * @m2m: devices for output and capture of each open file, plus 1
 */
static const struct kind {
	const char *name;
	u32 caps;
	const struct vb2_mem_ops *memops;
	unsigned int io_modes;
	unsigned int parent;
	unsigned int planes[2];
	unsigned int m2m[2];
} kinds[] = {
	{ "ba one plane", CAPTURES, &vb2_dma_contig_memops, IMPORTS,
	  .planes = { OTHER + 1 } },
	{ "ba two planes", CAPTURES, &vb2_dma_contig_memops, IMPORTS,
	  .planes = { OTHER + 1, OWN + 1 } },
	{ "ba unknown memops", CAPTURES, &unknown_memops, IMPORTS },
	{ "ba vmalloc", CAPTURES, &vb2_vmalloc_memops, IMPORTS },
	{ "ba bufalloc", CAPTURES, &bufalloc_vb2_memops, IMPORTS },
	{ "ba bufalloc sg", CAPTURES, &bufalloc_vb2_sg_memops, IMPORTS },
	{ "ba no import", CAPTURES, &vb2_vmalloc_memops, VB2_MMAP },
	{ "ba no queue", CAPTURES },
	{ "ba no queue no dma", CAPTURES, .parent = BARE },
	{ "ba read only", V4L2_CAP_VIDEO_CAPTURE | V4L2_CAP_READWRITE },
	{ "ba controls only", V4L2_CAP_VIDEO_CAPTURE },
	{ "ba m2m", MEM2MEM, .m2m = { OWN + 1, OTHER + 1 } },
	{ "ba m2m one device", MEM2MEM, .m2m = { OTHER + 1, OTHER + 1 } },
};

static struct v4l2_device owners[DEVICES];
static struct video_device nodes[ARRAY_SIZE(kinds)];
static struct vb2_queue queues[ARRAY_SIZE(kinds)];
static struct v4l2_subdev subdev;
static const struct v4l2_subdev_ops subdev_ops;

struct open_file {
	struct v4l2_fh fh;
	struct v4l2_m2m_ctx m2m;
};

static void fill_queue(struct vb2_queue *queue, const struct vb2_mem_ops *memops,
		       unsigned int io_modes, unsigned int device)
{
	queue->mem_ops = memops;
	queue->io_modes = io_modes;
	queue->dev = &devices[device]->dev;
}

/* 6.18 has them set and clear the file's private_data, too. */
#ifdef BUFALLOC_HAVE_V4L2_FH_FILE
#define BA_FH_CALL(_call, _fh, _file) _call(_fh, _file)
#else
#define BA_FH_CALL(_call, _fh, _file) _call(_fh)
#endif

static int node_open(struct file *filp)
{
	struct video_device *vdev = video_devdata(filp);
	const struct kind *kind = &kinds[vdev - nodes];
	struct open_file *file = kzalloc(sizeof(*file), GFP_KERNEL);

	if (!file)
		return -ENOMEM;
	v4l2_fh_init(&file->fh, vdev);
	if (kind->m2m[0]) {
		fill_queue(&file->m2m.out_q_ctx.q, &unknown_memops, IMPORTS,
			   kind->m2m[0] - 1);
		fill_queue(&file->m2m.cap_q_ctx.q, &vb2_dma_contig_memops,
			   IMPORTS, kind->m2m[1] - 1);
		file->fh.m2m_ctx = &file->m2m;
	}
	filp->private_data = &file->fh;
	BA_FH_CALL(v4l2_fh_add, &file->fh, filp);
	return 0;
}

static int node_release(struct file *filp)
{
	struct v4l2_fh *fh = filp->private_data;

	BA_FH_CALL(v4l2_fh_del, fh, filp);
	v4l2_fh_exit(fh);
	kfree(container_of(fh, struct open_file, fh));
	return 0;
}

static const struct v4l2_file_operations node_fops = {
	.owner = THIS_MODULE,
	.open = node_open,
	.release = node_release,
};

static int add_node(int i)
{
	const struct kind *kind = &kinds[i];
	struct video_device *vdev = &nodes[i];
	int plane;

	strscpy(vdev->name, kind->name, sizeof(vdev->name));
	vdev->v4l2_dev = &owners[kind->parent];
	vdev->fops = &node_fops;
	vdev->release = video_device_release_empty;
	vdev->device_caps = kind->caps;
	vdev->vfl_dir = kind->m2m[0] ? VFL_DIR_M2M : VFL_DIR_RX;
	if (kind->memops) {
		fill_queue(&queues[i], kind->memops, kind->io_modes,
			   kind->parent);
		for (plane = 0; plane < ARRAY_SIZE(kind->planes); plane++)
			if (kind->planes[plane])
				queues[i].alloc_devs[plane] =
					&devices[kind->planes[plane] - 1]->dev;
		vdev->queue = &queues[i];
	}
	return video_register_device(vdev, VFL_TYPE_VIDEO, -1);
}

/* Names of devices that will import, and forgets them: none is asked. */
static int check_peers(void)
{
	struct vb2_queue queue = { .dev = &devices[OWN]->dev };
	int i;

	if (bufalloc_vb2_add_peer(&queue, &devices[OWN]->dev) != -EINVAL ||
	    bufalloc_vb2_add_peer(&queue, NULL) != -EINVAL)
		return -EPROTO;
	/* A second time they are as new. */
	for (i = 0; i < 2; i++) {
		if (bufalloc_vb2_add_peer(&queue, &devices[OTHER]->dev) ||
		    bufalloc_vb2_add_peer(&queue, &devices[BARE]->dev) ||
		    bufalloc_vb2_add_peer(&queue, &devices[OTHER]->dev) != -EEXIST)
			return -EPROTO;
		bufalloc_vb2_remove_peers(&queue);
	}
	return 0;
}

static int add_subdev(void)
{
	v4l2_subdev_init(&subdev, &subdev_ops);
	subdev.owner = THIS_MODULE;
	subdev.flags = V4L2_SUBDEV_FL_HAS_DEVNODE;
	strscpy(subdev.name, "ba subdev", sizeof(subdev.name));
	return v4l2_device_register_subdev(&owners[OWN], &subdev) ?:
	       v4l2_device_register_subdev_nodes(&owners[OWN]);
}

static void remove_all(void)
{
	int i;

	for (i = ARRAY_SIZE(nodes) - 1; i >= 0; i--)
		video_unregister_device(&nodes[i]);
	for (i = DEVICES - 1; i >= 0; i--) {
		v4l2_device_unregister(&owners[i]);
		platform_device_unregister(devices[i]);
	}
	platform_driver_unregister(&driver);
}

static int add_device(int i)
{
	struct device *dev;
	int ret = 0;

	devices[i] = platform_device_register_simple("ba_v4l2", i, NULL, 0);
	if (IS_ERR(devices[i])) {
		ret = PTR_ERR(devices[i]);
		devices[i] = NULL;
		return ret;
	}
	dev = &devices[i]->dev;
	if (dma_bits[i])
		ret = dma_set_mask_and_coherent(dev, DMA_BIT_MASK(dma_bits[i]));
	else
		dev->dma_mask = NULL;
	return ret ?: v4l2_device_register(dev, &owners[i]);
}

static int __init ba_v4l2_init(void)
{
	int i, ret;

	ret = platform_driver_register(&driver);
	if (ret)
		return ret;
	for (i = 0; !ret && i < DEVICES; i++)
		ret = add_device(i);
	if (!ret)
		ret = check_peers();
	for (i = 0; !ret && i < ARRAY_SIZE(kinds); i++)
		ret = add_node(i);
	if (!ret)
		ret = add_subdev();
	if (ret)
		remove_all();
	return ret;
}

module_init(ba_v4l2_init);
module_exit(remove_all);

MODULE_DESCRIPTION("V4L2 nodes to be asked about, for tests");
MODULE_LICENSE("GPL");
BUFALLOC_IMPORT_NS(BUFALLOC);
