// SPDX-License-Identifier: GPL-2.0
/*
 * Cameras on the platform bus, one for each node of a devicetree that says so, with
 * buffers of bufalloc. They are none: no device writes to a buffer, which is done as
 * soon as it is queued. What is real is what a driver's device brings along: DMA
 * operations, an IOMMU, a node of the devicetree. QEMU has no device on that bus
 * that does DMA for whoever asks; the sample camera has one, on PCI.
 *
 * User space may ask for cached memory (V4L2_MEMORY_FLAG_NON_COHERENT), with which
 * videobuf2's prepare and finish have something to do. The name of a video node is
 * that of its device.
 */
#include <linux/dma-mapping.h>
#include <linux/mod_devicetable.h>
#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/of.h>
#include <linux/platform_device.h>
#include <linux/slab.h>
#include <media/v4l2-device.h>
#include <media/v4l2-fh.h>
#include <media/v4l2-ioctl.h>
#include <media/videobuf2-v4l2.h>

#include <linux/bufalloc-v4l2.h>

#include "compat/config.h"
#include "compat/driver.h"

#define WIDTH 1920
#define HEIGHT 1080
#define SIZE (WIDTH * HEIGHT * 4)

/* One device; lives until its node is closed for the last time. */
struct camera {
	struct v4l2_device v4l2;
	struct video_device vdev;
	struct vb2_queue queue;
	struct mutex lock; /* of node and queue */
};

static int queue_setup(struct vb2_queue *q, unsigned int *buffers,
		       unsigned int *planes, unsigned int bytes[],
		       struct device *alloc_devs[])
{
	if (*planes)
		return bytes[0] < SIZE ? -EINVAL : 0;
	*planes = 1;
	bytes[0] = SIZE;
	return 0;
}

static void buf_queue(struct vb2_buffer *vb)
{
	vb2_set_plane_payload(vb, 0, SIZE);
	vb2_buffer_done(vb, VB2_BUF_STATE_DONE);
}

static const struct vb2_ops queue_ops = {
	.queue_setup = queue_setup,
	.buf_queue = buf_queue,
	BUFALLOC_COMPAT_VB2_WAIT
};

static int querycap(struct file *file, void *fh, struct v4l2_capability *cap)
{
	strscpy(cap->driver, "ba_camera", sizeof(cap->driver));
	strscpy(cap->card, "a mock", sizeof(cap->card));
	return 0;
}

static int enum_fmt(struct file *file, void *fh, struct v4l2_fmtdesc *f)
{
	f->pixelformat = V4L2_PIX_FMT_XBGR32;
	return f->index ? -EINVAL : 0;
}

static int fmt(struct file *file, void *fh, struct v4l2_format *f)
{
	f->fmt.pix = (struct v4l2_pix_format){
		.width = WIDTH,
		.height = HEIGHT,
		.pixelformat = V4L2_PIX_FMT_XBGR32,
		.field = V4L2_FIELD_NONE,
		.bytesperline = WIDTH * 4,
		.sizeimage = SIZE,
		.colorspace = V4L2_COLORSPACE_SRGB,
	};
	return 0;
}

static const struct v4l2_ioctl_ops ioctl_ops = {
	.vidioc_querycap = querycap,
	.vidioc_enum_fmt_vid_cap = enum_fmt,
	.vidioc_g_fmt_vid_cap = fmt,
	.vidioc_try_fmt_vid_cap = fmt,
	.vidioc_s_fmt_vid_cap = fmt,
	.vidioc_reqbufs = vb2_ioctl_reqbufs,
	.vidioc_create_bufs = vb2_ioctl_create_bufs,
	.vidioc_querybuf = vb2_ioctl_querybuf,
	.vidioc_qbuf = vb2_ioctl_qbuf,
	.vidioc_dqbuf = vb2_ioctl_dqbuf,
	.vidioc_expbuf = vb2_ioctl_expbuf,
	.vidioc_streamon = vb2_ioctl_streamon,
	.vidioc_streamoff = vb2_ioctl_streamoff,
};

static const struct v4l2_file_operations fops = {
	.owner = THIS_MODULE,
	.open = v4l2_fh_open,
	.release = vb2_fop_release,
	.unlocked_ioctl = video_ioctl2,
	.mmap = vb2_fop_mmap,
	.poll = vb2_fop_poll,
};

static void camera_release(struct v4l2_device *v4l2)
{
	struct camera *cam = container_of(v4l2, struct camera, v4l2);

	v4l2_device_unregister(v4l2);
	kfree(cam);
}

/* Undone by the end of the binding. */
static void remove(void *data)
{
	struct camera *cam = data;

	vb2_video_unregister_device(&cam->vdev);
	v4l2_device_disconnect(&cam->v4l2);
	v4l2_device_put(&cam->v4l2);
}

static int camera_init(struct camera *cam, struct device *dev)
{
	struct video_device *vdev = &cam->vdev;
	struct vb2_queue *q = &cam->queue;

	mutex_init(&cam->lock);
	q->type = V4L2_BUF_TYPE_VIDEO_CAPTURE;
	q->io_modes = VB2_MMAP | VB2_DMABUF;
	q->buf_struct_size = sizeof(struct vb2_v4l2_buffer);
	q->ops = &queue_ops;
	q->mem_ops = of_property_read_bool(dev->of_node, "bufalloc-test,one-segment") ?
		     &bufalloc_vb2_memops : &bufalloc_vb2_sg_memops;
	q->allow_cache_hints = 1;
	q->timestamp_flags = V4L2_BUF_FLAG_TIMESTAMP_MONOTONIC;
	q->lock = &cam->lock;
	q->dev = dev;

	strscpy(vdev->name, dev_name(dev), sizeof(vdev->name));
	vdev->v4l2_dev = &cam->v4l2;
	vdev->queue = q;
	vdev->lock = &cam->lock;
	vdev->fops = &fops;
	vdev->ioctl_ops = &ioctl_ops;
	vdev->release = video_device_release_empty;
	vdev->device_caps = V4L2_CAP_VIDEO_CAPTURE | V4L2_CAP_STREAMING;
	return vb2_queue_init(q);
}

static int probe(struct platform_device *pdev)
{
	struct device *dev = &pdev->dev;
	struct camera *cam;
	int ret;

	ret = dma_set_mask_and_coherent(dev, DMA_BIT_MASK(64));
	if (ret)
		return ret;
	cam = kzalloc(sizeof(*cam), GFP_KERNEL);
	if (!cam)
		return -ENOMEM;
	cam->v4l2.release = camera_release;
	ret = v4l2_device_register(dev, &cam->v4l2);
	if (ret) {
		kfree(cam);
		return ret;
	}
	ret = camera_init(cam, dev) ?:
	      video_register_device(&cam->vdev, VFL_TYPE_VIDEO, -1);
	if (ret) {
		v4l2_device_put(&cam->v4l2);
		return ret;
	}
	return devm_add_action_or_reset(dev, remove, cam);
}

static const struct of_device_id match[] = {
	{ .compatible = "bufalloc-test,camera" },
	{ }
};

static struct platform_driver ba_camera = {
	.probe = probe,
	.driver = {
		.name = "ba_camera",
		.of_match_table = match,
	},
};
module_platform_driver(ba_camera);

MODULE_DESCRIPTION("Cameras of a devicetree, for tests");
MODULE_LICENSE("GPL");
BUFALLOC_IMPORT_NS(BUFALLOC);
