// SPDX-License-Identifier: GPL-2.0
/*
 * A camera with buffers of bufalloc, to copy from.
 *
 * The device is QEMU's "edu" (edu.h), which stands for a camera that draws colour
 * bars: the driver puts a piece of the picture where the device fetches it from,
 * and the device writes it to the buffer. What is bufalloc's are the lines with
 * bufalloc_vb2_ in them; the rest is a V4L2 driver as any other.
 */
#include <linux/completion.h>
#include <linux/crc32.h>
#include <linux/interrupt.h>
#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/pci.h>
#include <linux/spinlock.h>
#include <linux/workqueue.h>
#include <media/v4l2-common.h>
#include <media/v4l2-ctrls.h>
#include <media/v4l2-device.h>
#include <media/v4l2-event.h>
#include <media/v4l2-ioctl.h>
#include <media/videobuf2-dma-sg.h>
#include <media/videobuf2-v4l2.h>

#include <linux/bufalloc-v4l2.h>

#include "edu.h"

/* Intervals are in transfers. */
#define PER_SECOND (MSEC_PER_SEC / EDU_TRANSFER_MS)
#define LONGEST_INTERVAL 100000

static char *peer;
module_param(peer, charp, 0644);
MODULE_PARM_DESC(peer, "PCI device (0000:01:02.0) that will import the frames");

/* B, G, R, none, Y, Cb, Cr of white, yellow, cyan, green, magenta, red, blue, black. */
static const u8 bars[][7] = {
	{ 191, 191, 191, 255, 180, 128, 128 }, { 0, 191, 191, 255, 162, 44, 142 },
	{ 191, 191, 0, 255, 131, 156, 44 },    { 0, 191, 0, 255, 112, 72, 58 },
	{ 191, 0, 191, 255, 84, 184, 198 },    { 0, 0, 191, 255, 65, 100, 212 },
	{ 191, 0, 0, 255, 35, 212, 114 },      { 0, 0, 0, 255, 16, 128, 128 },
};

static const u32 formats[] = { V4L2_PIX_FMT_XBGR32, V4L2_PIX_FMT_NV12 };

static const struct v4l2_frmsize_discrete sizes[] = {
	{ 64, 32 }, { 640, 480 }, { 1920, 1080 },
};

struct camera_buffer {
	struct vb2_v4l2_buffer vb;
	struct list_head node;
};

/* One device; lives until its node is closed for the last time. */
struct camera {
	struct v4l2_device v4l2;
	struct video_device vdev;
	struct vb2_queue queue;
	struct mutex lock; /* of node and queue; protects the format */
	struct v4l2_ctrl_handler controls;
	struct v4l2_ctrl *brightness;
	struct v4l2_ctrl *hflip;

	struct pci_dev *pdev;
	struct edu edu;

	/* As they are while there are buffers. */
	struct v4l2_pix_format format;
	u32 interval; /* in transfers */

	struct delayed_work begin; /* begins a picture when it is due */
	unsigned long due; /* in jiffies */
	u32 sequence; /* of the next picture */
	struct completion idle; /* no picture is being made */

	spinlock_t slock; /* protects what follows */
	struct list_head buffers; /* that wait */
	bool stopping;
	/* The picture that is being made. */
	struct camera_buffer *buffer;
	u32 number; /* its sequence */
	struct edu_cursor cursor; /* the piece that is on its way */
	bool fetched; /* it is in the device */
	u32 crc; /* of what is before it */
};

/* A piece takes two transfers. */
static u32 shortest_interval(u32 size)
{
	return 2 * DIV_ROUND_UP(size, EDU_PIECE) + 1;
}

/* Byte @o of the picture: bars that lean and wander. */
static u8 picture_byte(const struct camera *cam, u32 o)
{
	u32 width = cam->format.width, luma = width * cam->format.height;
	u32 component, x, y;
	int value;

	if (cam->format.pixelformat == V4L2_PIX_FMT_XBGR32) {
		component = o % 4;
		x = o / 4 % width;
		y = o / 4 / width;
	} else if (o < luma) {
		component = 4;
		x = o % width;
		y = o / width;
	} else {
		component = 5 + o % 2;
		x = (o - luma) % width & ~1;
		y = (o - luma) / width * 2;
	}
	if (cam->hflip->cur.val)
		x = width - 1 - x;
	x = (x + y + cam->number) / 8 % ARRAY_SIZE(bars);
	value = bars[x][component];
	if (component == 3 || component > 4)
		return value;
	return clamp(value + cam->brightness->cur.val, 0, 255);
}

/* A piece, from the driver into the device; then it goes to the buffer. */
static void fetch_piece(struct camera *cam)
{
	u32 i;

	for (i = 0; i < cam->cursor.count; i++)
		cam->edu.piece[i] = picture_byte(cam, cam->cursor.done + i);
	cam->fetched = false;
	edu_read(&cam->edu, cam->edu.piece_addr, cam->cursor.count);
}

static void finish_picture(struct camera *cam, enum vb2_buffer_state state)
{
	struct vb2_v4l2_buffer *vb = &cam->buffer->vb;

	vb->vb2_buf.timestamp = ktime_get_ns();
	vb->sequence = cam->number;
	vb->field = V4L2_FIELD_NONE;
	cam->buffer = NULL;
	vb2_buffer_done(&vb->vb2_buf, state);
	complete(&cam->idle);
}

static irqreturn_t camera_interrupt(int irq, void *data)
{
	struct camera *cam = data;

	if (!edu_interrupt(&cam->edu))
		return IRQ_NONE;
	spin_lock(&cam->slock);
	if (!cam->buffer) {
		dev_warn_ratelimited(&cam->pdev->dev, "DMA of nobody's\n");
	} else if (cam->stopping) {
		finish_picture(cam, VB2_BUF_STATE_ERROR);
	} else if (!cam->fetched) {
		cam->fetched = true;
		cam->crc = crc32_le(cam->cursor.done ? cam->crc : ~0,
				    cam->edu.piece, cam->cursor.count);
		edu_write(&cam->edu, edu_cursor_addr(&cam->cursor),
			  cam->cursor.count);
	} else if (edu_cursor_next(&cam->cursor)) {
		fetch_piece(cam);
	} else {
		dev_dbg(&cam->pdev->dev, "%u: CRC %08x\n", cam->number, ~cam->crc);
		finish_picture(cam, VB2_BUF_STATE_DONE);
	}
	spin_unlock(&cam->slock);
	return IRQ_HANDLED;
}

/* It is time for a picture: with a buffer, or it is lost. */
static void begin_picture(struct work_struct *work)
{
	struct camera *cam = container_of(work, struct camera, begin.work);
	const struct v4l2_event event = {
		.type = V4L2_EVENT_FRAME_SYNC,
		.u.frame_sync.frame_sequence = cam->sequence,
	};
	struct camera_buffer *buffer;

	v4l2_event_queue(&cam->vdev, &event);
	spin_lock_irq(&cam->slock);
	buffer = list_first_entry_or_null(&cam->buffers, struct camera_buffer,
					  node);
	/* With many segments a picture may take longer than the interval. */
	if (buffer && !cam->buffer && !cam->stopping) {
		list_del(&buffer->node);
		cam->buffer = buffer;
		cam->number = cam->sequence;
		edu_cursor_begin(&cam->cursor,
				 vb2_dma_sg_plane_desc(&buffer->vb.vb2_buf, 0)->sgl,
				 0, cam->format.sizeimage);
		reinit_completion(&cam->idle);
		fetch_piece(cam);
	}
	spin_unlock_irq(&cam->slock);

	cam->sequence++;
	cam->due += msecs_to_jiffies(cam->interval * EDU_TRANSFER_MS);
	if (time_before(cam->due, jiffies))
		cam->due = jiffies;
	schedule_delayed_work(&cam->begin, cam->due - jiffies);
}

static int camera_queue_setup(struct vb2_queue *q, unsigned int *buffers,
			      unsigned int *planes, unsigned int bytes[],
			      struct device *alloc_devs[])
{
	const struct camera *cam = vb2_get_drv_priv(q);

	if (*planes)
		return bytes[0] < cam->format.sizeimage ? -EINVAL : 0;
	*planes = 1;
	bytes[0] = cam->format.sizeimage;
	return 0;
}

static int camera_buf_prepare(struct vb2_buffer *vb)
{
	const struct camera *cam = vb2_get_drv_priv(vb->vb2_queue);

	if (vb2_plane_size(vb, 0) < cam->format.sizeimage)
		return -EINVAL;
	vb2_set_plane_payload(vb, 0, cam->format.sizeimage);
	return 0;
}

static void camera_buf_queue(struct vb2_buffer *vb)
{
	struct camera *cam = vb2_get_drv_priv(vb->vb2_queue);
	struct camera_buffer *buffer =
		container_of(to_vb2_v4l2_buffer(vb), struct camera_buffer, vb);

	spin_lock_irq(&cam->slock);
	list_add_tail(&buffer->node, &cam->buffers);
	spin_unlock_irq(&cam->slock);
}

static int camera_start_streaming(struct vb2_queue *q, unsigned int count)
{
	struct camera *cam = vb2_get_drv_priv(q);

	cam->stopping = false;
	cam->sequence = 0;
	cam->due = jiffies;
	complete(&cam->idle);
	schedule_delayed_work(&cam->begin, 0);
	return 0;
}

static void camera_stop_streaming(struct vb2_queue *q)
{
	struct camera *cam = vb2_get_drv_priv(q);
	struct camera_buffer *buffer, *next;

	spin_lock_irq(&cam->slock);
	cam->stopping = true;
	spin_unlock_irq(&cam->slock);
	cancel_delayed_work_sync(&cam->begin);
	/* A transfer that has begun cannot be stopped. */
	wait_for_completion(&cam->idle);

	spin_lock_irq(&cam->slock);
	list_for_each_entry_safe(buffer, next, &cam->buffers, node) {
		list_del(&buffer->node);
		vb2_buffer_done(&buffer->vb.vb2_buf, VB2_BUF_STATE_ERROR);
	}
	spin_unlock_irq(&cam->slock);
}

static const struct vb2_ops camera_queue_ops = {
	.queue_setup = camera_queue_setup,
	.buf_prepare = camera_buf_prepare,
	.buf_queue = camera_buf_queue,
	.start_streaming = camera_start_streaming,
	.stop_streaming = camera_stop_streaming,
	BUFALLOC_COMPAT_VB2_WAIT
};

static int camera_querycap(struct file *file, void *fh,
			   struct v4l2_capability *cap)
{
	strscpy(cap->driver, KBUILD_MODNAME, sizeof(cap->driver));
	strscpy(cap->card, "bufalloc sample camera", sizeof(cap->card));
	return 0;
}

static int camera_enum_fmt(struct file *file, void *fh, struct v4l2_fmtdesc *f)
{
	if (f->index >= ARRAY_SIZE(formats))
		return -EINVAL;
	f->pixelformat = formats[f->index];
	return 0;
}

static bool is_known(u32 fourcc)
{
	return fourcc == formats[0] || fourcc == formats[1];
}

static int camera_g_fmt(struct file *file, void *fh, struct v4l2_format *f)
{
	struct camera *cam = video_drvdata(file);

	f->fmt.pix = cam->format;
	return 0;
}

static int camera_try_fmt(struct file *file, void *fh, struct v4l2_format *f)
{
	struct v4l2_pix_format *pix = &f->fmt.pix;
	const struct v4l2_frmsize_discrete *size;
	u32 fourcc = is_known(pix->pixelformat) ? pix->pixelformat : formats[0];
	bool nv12 = fourcc == V4L2_PIX_FMT_NV12;

	size = v4l2_find_nearest_size(sizes, ARRAY_SIZE(sizes), width, height,
				      pix->width, pix->height);
	*pix = (struct v4l2_pix_format){
		.width = size->width,
		.height = size->height,
		.pixelformat = fourcc,
		.field = V4L2_FIELD_NONE,
		.bytesperline = size->width * (nv12 ? 1 : 4),
		.sizeimage = size->width * size->height / 2 * (nv12 ? 3 : 8),
		.colorspace = nv12 ? V4L2_COLORSPACE_SMPTE170M :
				     V4L2_COLORSPACE_SRGB,
	};
	return 0;
}

static int camera_s_fmt(struct file *file, void *fh, struct v4l2_format *f)
{
	struct camera *cam = video_drvdata(file);

	if (vb2_is_busy(&cam->queue))
		return -EBUSY;
	camera_try_fmt(file, fh, f);
	cam->format = f->fmt.pix;
	cam->interval = shortest_interval(f->fmt.pix.sizeimage);
	return 0;
}

static int camera_enum_framesizes(struct file *file, void *fh,
				  struct v4l2_frmsizeenum *size)
{
	if (size->index >= ARRAY_SIZE(sizes) || !is_known(size->pixel_format))
		return -EINVAL;
	size->type = V4L2_FRMSIZE_TYPE_DISCRETE;
	size->discrete = sizes[size->index];
	return 0;
}

static int camera_enum_frameintervals(struct file *file, void *fh,
				      struct v4l2_frmivalenum *ival)
{
	struct v4l2_format f = {
		.fmt.pix.pixelformat = ival->pixel_format,
		.fmt.pix.width = ival->width,
		.fmt.pix.height = ival->height,
	};

	camera_try_fmt(file, fh, &f);
	if (ival->index || f.fmt.pix.pixelformat != ival->pixel_format ||
	    f.fmt.pix.width != ival->width || f.fmt.pix.height != ival->height)
		return -EINVAL;
	ival->type = V4L2_FRMIVAL_TYPE_STEPWISE;
	ival->stepwise = (struct v4l2_frmival_stepwise){
		.min = { shortest_interval(f.fmt.pix.sizeimage), PER_SECOND },
		.max = { LONGEST_INTERVAL, PER_SECOND },
		.step = { 1, PER_SECOND },
	};
	return 0;
}

static int camera_g_parm(struct file *file, void *fh, struct v4l2_streamparm *p)
{
	struct camera *cam = video_drvdata(file);

	p->parm.capture = (struct v4l2_captureparm){
		.capability = V4L2_CAP_TIMEPERFRAME,
		.timeperframe = { cam->interval, PER_SECOND },
	};
	return 0;
}

static int camera_s_parm(struct file *file, void *fh, struct v4l2_streamparm *p)
{
	const struct v4l2_fract *wanted = &p->parm.capture.timeperframe;
	struct camera *cam = video_drvdata(file);
	u64 transfers = (u64)wanted->numerator * PER_SECOND;

	if (vb2_is_busy(&cam->queue))
		return -EBUSY;
	cam->interval = clamp_t(u64, div_u64(transfers, wanted->denominator ?: 1),
				shortest_interval(cam->format.sizeimage),
				LONGEST_INTERVAL);
	return camera_g_parm(file, fh, p);
}

static int camera_enum_input(struct file *file, void *fh, struct v4l2_input *in)
{
	if (in->index)
		return -EINVAL;
	in->type = V4L2_INPUT_TYPE_CAMERA;
	strscpy(in->name, "Colour bars", sizeof(in->name));
	return 0;
}

static int camera_g_input(struct file *file, void *fh, unsigned int *index)
{
	*index = 0;
	return 0;
}

static int camera_s_input(struct file *file, void *fh, unsigned int index)
{
	return index ? -EINVAL : 0;
}

static int camera_subscribe(struct v4l2_fh *fh,
			    const struct v4l2_event_subscription *sub)
{
	if (sub->type == V4L2_EVENT_FRAME_SYNC)
		return v4l2_event_subscribe(fh, sub, 4, NULL);
	return v4l2_ctrl_subscribe_event(fh, sub);
}

static const struct v4l2_ioctl_ops camera_ioctl_ops = {
	.vidioc_querycap = camera_querycap,
	.vidioc_enum_fmt_vid_cap = camera_enum_fmt,
	.vidioc_g_fmt_vid_cap = camera_g_fmt,
	.vidioc_try_fmt_vid_cap = camera_try_fmt,
	.vidioc_s_fmt_vid_cap = camera_s_fmt,
	.vidioc_enum_framesizes = camera_enum_framesizes,
	.vidioc_enum_frameintervals = camera_enum_frameintervals,
	.vidioc_g_parm = camera_g_parm,
	.vidioc_s_parm = camera_s_parm,
	.vidioc_enum_input = camera_enum_input,
	.vidioc_g_input = camera_g_input,
	.vidioc_s_input = camera_s_input,
	.vidioc_reqbufs = vb2_ioctl_reqbufs,
	.vidioc_create_bufs = vb2_ioctl_create_bufs,
	.vidioc_prepare_buf = vb2_ioctl_prepare_buf,
	.vidioc_querybuf = vb2_ioctl_querybuf,
	.vidioc_qbuf = vb2_ioctl_qbuf,
	.vidioc_dqbuf = vb2_ioctl_dqbuf,
	.vidioc_expbuf = vb2_ioctl_expbuf,
	.vidioc_streamon = vb2_ioctl_streamon,
	.vidioc_streamoff = vb2_ioctl_streamoff,
	.vidioc_log_status = v4l2_ctrl_log_status,
	.vidioc_subscribe_event = camera_subscribe,
	.vidioc_unsubscribe_event = v4l2_event_unsubscribe,
};

static const struct v4l2_file_operations camera_fops = {
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

	v4l2_ctrl_handler_free(&cam->controls);
	v4l2_device_unregister(v4l2);
	kfree(cam);
}

/* With a devicetree this is not needed: the node says it (bufalloc,peers). */
static int camera_add_peer(struct camera *cam)
{
	struct device *dev;
	int ret;

	if (!peer || sysfs_streq(peer, ""))
		return 0;
	dev = bus_find_device_by_name(&pci_bus_type, NULL, peer);
	if (!dev)
		return -EPROBE_DEFER;
	ret = bufalloc_vb2_add_peer(&cam->queue, dev);
	put_device(dev);
	return ret;
}

static int camera_init_queue(struct camera *cam)
{
	struct vb2_queue *q = &cam->queue;

	q->type = V4L2_BUF_TYPE_VIDEO_CAPTURE;
	q->io_modes = VB2_MMAP | VB2_USERPTR | VB2_DMABUF;
	q->drv_priv = cam;
	q->buf_struct_size = sizeof(struct camera_buffer);
	q->ops = &camera_queue_ops;
	/* The device takes any number of segments; else bufalloc_vb2_memops. */
	q->mem_ops = &bufalloc_vb2_sg_memops;
	q->dma_attrs = DMA_ATTR_NO_KERNEL_MAPPING;
	q->timestamp_flags = V4L2_BUF_FLAG_TIMESTAMP_MONOTONIC;
	q->lock = &cam->lock;
	q->dev = &cam->pdev->dev;
	return vb2_queue_init(q) ?: camera_add_peer(cam);
}

/* Nobody sees it yet. */
static int camera_init(struct camera *cam, struct pci_dev *pdev)
{
	struct v4l2_ctrl_handler *controls = &cam->controls;
	struct video_device *vdev = &cam->vdev;
	struct v4l2_format f = {};

	cam->pdev = pdev;
	mutex_init(&cam->lock);
	spin_lock_init(&cam->slock);
	INIT_LIST_HEAD(&cam->buffers);
	INIT_DELAYED_WORK(&cam->begin, begin_picture);
	init_completion(&cam->idle);
	camera_try_fmt(NULL, NULL, &f);
	cam->format = f.fmt.pix;
	cam->interval = shortest_interval(cam->format.sizeimage);

	v4l2_ctrl_handler_init(controls, 2);
	cam->brightness = v4l2_ctrl_new_std(controls, NULL, V4L2_CID_BRIGHTNESS,
					    -128, 127, 1, 0);
	cam->hflip = v4l2_ctrl_new_std(controls, NULL, V4L2_CID_HFLIP, 0, 1, 1, 0);
	cam->v4l2.ctrl_handler = controls;

	strscpy(vdev->name, KBUILD_MODNAME, sizeof(vdev->name));
	vdev->v4l2_dev = &cam->v4l2;
	vdev->queue = &cam->queue;
	vdev->lock = &cam->lock;
	vdev->fops = &camera_fops;
	vdev->ioctl_ops = &camera_ioctl_ops;
	vdev->release = video_device_release_empty;
	vdev->device_caps = V4L2_CAP_VIDEO_CAPTURE | V4L2_CAP_STREAMING;
	video_set_drvdata(vdev, cam);
	return controls->error ?: edu_init(&cam->edu, pdev) ?:
	       camera_init_queue(cam);
}

static int camera_probe(struct pci_dev *pdev, const struct pci_device_id *id)
{
	struct camera *cam;
	int ret;

	cam = kzalloc(sizeof(*cam), GFP_KERNEL);
	if (!cam)
		return -ENOMEM;
	pci_set_drvdata(pdev, cam);
	cam->v4l2.release = camera_release;
	ret = v4l2_device_register(&pdev->dev, &cam->v4l2);
	if (ret) {
		kfree(cam);
		return ret;
	}
	ret = camera_init(cam, pdev) ?:
	      request_irq(pdev->irq, camera_interrupt, IRQF_SHARED,
			  KBUILD_MODNAME, cam);
	if (ret)
		goto err_put;
	ret = video_register_device(&cam->vdev, VFL_TYPE_VIDEO, -1);
	if (!ret)
		return 0;
	free_irq(pdev->irq, cam);
err_put:
	v4l2_device_put(&cam->v4l2);
	return ret;
}

static void camera_remove(struct pci_dev *pdev)
{
	struct camera *cam = pci_get_drvdata(pdev);

	/* Stops streaming and gives the buffers back, with the device still there. */
	vb2_video_unregister_device(&cam->vdev);
	free_irq(pdev->irq, cam);
	v4l2_device_disconnect(&cam->v4l2);
	v4l2_device_put(&cam->v4l2);
}

static struct pci_driver camera_driver = {
	.name = KBUILD_MODNAME,
	.id_table = edu_ids,
	.probe = camera_probe,
	.remove = camera_remove,
};
module_pci_driver(camera_driver);

MODULE_DEVICE_TABLE(pci, edu_ids);
MODULE_DESCRIPTION("Sample camera with buffers of bufalloc, for QEMU's edu");
MODULE_AUTHOR("The bufalloc authors");
MODULE_LICENSE("GPL");
BUFALLOC_IMPORT_NS(BUFALLOC);
