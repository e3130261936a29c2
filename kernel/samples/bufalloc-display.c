// SPDX-License-Identifier: GPL-2.0
/*
 * A display with buffers of bufalloc, to copy from.
 *
 * The device is QEMU's "edu" (edu.h), which stands for a panel with memory of its
 * own, as there are on DSI and SPI: it reads a picture once, when there is a new
 * one. What it read comes back to the driver for the CRC, which is all that a CPU
 * sees of it. What is bufalloc's are the lines with bufalloc_ in them; the rest is
 * a DRM driver as any other.
 */
#include <drm/drm_atomic.h>
#include <drm/drm_atomic_helper.h>
#include <drm/drm_damage_helper.h>
#include <drm/drm_debugfs_crc.h>
#include <drm/drm_drv.h>
#include <drm/drm_encoder.h>
#include <drm/drm_fourcc.h>
#include <drm/drm_framebuffer.h>
#include <drm/drm_gem.h>
#include <drm/drm_gem_atomic_helper.h>
#include <drm/drm_gem_framebuffer_helper.h>
#include <drm/drm_ioctl.h>
#include <drm/drm_modeset_lock.h>
#include <drm/drm_modeset_helper_vtables.h>
#include <drm/drm_print.h>
#include <drm/drm_probe_helper.h>
#include <drm/drm_vblank.h>
#include <linux/atomic.h>
#include <linux/completion.h>
#include <linux/crc32.h>
#include <linux/interrupt.h>
#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/pci.h>
#include <linux/scatterlist.h>
#include <linux/spinlock.h>
#include <linux/wait.h>

#include <linux/bufalloc-drm.h>

#include "domain.h"
#include "edu.h"

static bool own_domain;
module_param(own_domain, bool, 0644);
MODULE_PARM_DESC(own_domain, "manage the device's IOMMU by ourselves (no)");

static const u32 formats[] = { DRM_FORMAT_XRGB8888, DRM_FORMAT_NV12 };

static const struct drm_display_mode modes[] = {
	{ DRM_MODE_INIT(60, 64, 32, 16, 8) },
	{ DRM_MODE_INIT(60, 160, 120, 40, 30) },
	{ DRM_MODE_INIT(60, 320, 240, 80, 60) },
	{ DRM_MODE_INIT(60, 640, 480, 160, 120) },
};

struct display {
	struct drm_device drm;
	struct drm_plane plane;
	struct drm_crtc crtc;
	struct drm_encoder encoder;
	struct drm_connector connector;

	struct edu edu;
	struct domain domain; /* used with own_domain */

	struct mutex commit_lock; /* one picture at a time; taken before slock */
	struct drm_plane_state *next; /* of the commit, if it shows something */
	atomic_t mapped; /* framebuffers */
	wait_queue_head_t unmapped;
	struct completion idle; /* no picture is on its way */

	spinlock_t slock; /* protects what follows; before drm.event_lock */
	bool gone;
	bool tells_crc;
	u32 frame; /* of the pictures, the number */
	/* The picture that is on its way. */
	struct drm_plane_state *shown;
	struct drm_pending_vblank_event *event;
	unsigned int plane_index;
	unsigned int row;
	struct edu_cursor cursor; /* the piece that is on its way */
	bool fetched; /* it is in the device */
	u32 transfers; /* done; may be read without slock */
	u32 crc;
};

static struct display *to_display(struct drm_device *drm)
{
	return container_of(drm, struct display, drm);
}

/* A plane's first segment, as the device sees it. */
static struct scatterlist *first_segment(struct display *display,
					 struct drm_framebuffer *fb,
					 unsigned int plane)
{
	if (display->domain.iommu)
		return domain_segment(fb->obj[plane]);
	return bufalloc_drm_fb_table(fb, plane)->sgl;
}

/* Rows that follow each other are one. true: there is such a row. */
static bool begin_row(struct display *display)
{
	const struct drm_plane_state *state = display->shown;
	struct drm_framebuffer *fb = state->fb;
	const struct drm_format_info *info = fb->format;
	unsigned int plane = display->plane_index;
	u32 hsub = plane ? info->hsub : 1, vsub = plane ? info->vsub : 1;
	u32 rows = drm_rect_height(&state->dst) / vsub;
	u32 x = (state->src.x1 >> 16) / hsub, y = (state->src.y1 >> 16) / vsub;
	u32 length = drm_rect_width(&state->dst) / hsub * info->cpp[plane];

	if (length == fb->pitches[plane]) {
		length *= rows;
		rows = 1;
	}
	if (display->row == rows)
		return false;
	edu_cursor_begin(&display->cursor, first_segment(display, fb, plane),
			 fb->offsets[plane] + x * info->cpp[plane] +
			 (y + display->row) * fb->pitches[plane], length);
	return true;
}

/* On to the next piece of the picture. false: there is none. */
static bool next_piece(struct display *display)
{
	if (edu_cursor_next(&display->cursor))
		return true;
	display->row++;
	if (begin_row(display))
		return true;
	display->row = 0;
	display->plane_index++;
	return display->plane_index < display->shown->fb->format->num_planes &&
	       begin_row(display);
}

/* From the buffer into the device; then it goes to the driver. */
static void fetch_piece(struct display *display)
{
	display->fetched = false;
	edu_read(&display->edu, edu_cursor_addr(&display->cursor),
		 display->cursor.count);
}

static void send_event(struct display *display,
		       struct drm_pending_vblank_event *event)
{
	unsigned long flags;

	if (!event)
		return;
	spin_lock_irqsave(&display->drm.event_lock, flags);
	drm_crtc_send_vblank_event(&display->crtc, event);
	spin_unlock_irqrestore(&display->drm.event_lock, flags);
}

/* @whole: the device has all of it. */
static void finish_picture(struct display *display, bool whole)
{
	u32 crc = ~display->crc;

	if (whole && display->tells_crc)
		drm_crtc_add_crc_entry(&display->crtc, true, display->frame,
				       &crc);
	display->frame++;
	display->shown = NULL;
	send_event(display, display->event);
	complete_all(&display->idle);
}

static irqreturn_t display_interrupt(int irq, void *data)
{
	struct display *display = data;

	if (!edu_interrupt(&display->edu))
		return IRQ_NONE;
	spin_lock(&display->slock);
	WRITE_ONCE(display->transfers, display->transfers + 1);
	if (!display->shown) {
		drm_warn_once(&display->drm, "DMA of nobody's\n");
	} else if (display->gone) {
		finish_picture(display, false);
	} else if (!display->fetched) {
		display->fetched = true;
		edu_write(&display->edu, display->edu.piece_addr,
			  display->cursor.count);
	} else {
		display->crc = crc32_le(display->crc, display->edu.piece,
					display->cursor.count);
		if (next_piece(display))
			fetch_piece(display);
		else
			finish_picture(display, true);
	}
	spin_unlock(&display->slock);
	return IRQ_HANDLED;
}

/* false: the device is gone, and nothing begins. */
static bool begin_picture(struct display *display,
			  struct drm_plane_state *state,
			  struct drm_pending_vblank_event *event)
{
	bool begins;

	spin_lock_irq(&display->slock);
	begins = !display->gone;
	if (begins) {
		display->shown = state;
		display->event = event;
		display->plane_index = 0;
		display->row = 0;
		display->crc = ~0;
		reinit_completion(&display->idle);
		begin_row(display);
		fetch_piece(display);
	}
	spin_unlock_irq(&display->slock);
	return begins;
}

/* A large picture takes longer than DRM's helpers would wait. */
static void wait_for_picture(struct display *display)
{
	const unsigned long limit = msecs_to_jiffies(50 * EDU_TRANSFER_MS);
	u32 before;

	do {
		before = READ_ONCE(display->transfers);
		if (wait_for_completion_timeout(&display->idle, limit))
			return;
	} while (READ_ONCE(display->transfers) != before);

	drm_err(&display->drm, "the device does not answer\n");
	spin_lock_irq(&display->slock);
	if (display->shown)
		finish_picture(display, false);
	spin_unlock_irq(&display->slock);
}

static int plane_prepare_fb(struct drm_plane *plane,
			    struct drm_plane_state *state)
{
	struct display *display = to_display(plane->dev);
	int ret;

	if (!state->fb)
		return 0;
	ret = drm_gem_plane_helper_prepare_fb(plane, state) ?:
	      bufalloc_drm_fb_map(state->fb);
	if (ret)
		return ret;
	if (display->domain.iommu)
		ret = domain_map_fb(&display->domain, state->fb);
	if (ret)
		bufalloc_drm_fb_unmap(state->fb);
	else
		atomic_inc(&display->mapped);
	return ret;
}

static void plane_cleanup_fb(struct drm_plane *plane,
			     struct drm_plane_state *state)
{
	struct display *display = to_display(plane->dev);

	if (!state->fb)
		return;
	if (display->domain.iommu)
		domain_unmap_fb(&display->domain, state->fb);
	bufalloc_drm_fb_unmap(state->fb);
	if (atomic_dec_and_test(&display->mapped))
		wake_up(&display->unmapped);
}

static int plane_check(struct drm_plane *plane, struct drm_atomic_state *state)
{
	struct drm_plane_state *new = drm_atomic_get_new_plane_state(state, plane);
	struct drm_crtc_state *crtc_state = NULL;
	u32 odd;
	int ret;

	if (new->crtc)
		crtc_state = drm_atomic_get_new_crtc_state(state, new->crtc);
	ret = drm_atomic_helper_check_plane_state(new, crtc_state,
						  DRM_PLANE_NO_SCALING,
						  DRM_PLANE_NO_SCALING,
						  false, false);
	if (ret || !new->visible)
		return ret;
	/* Where pixels share a colour, it begins with the first of them. */
	odd = (new->src.x1 >> 16) % new->fb->format->hsub |
	      (new->src.y1 >> 16) % new->fb->format->vsub;
	return odd ? -EINVAL : 0;
}

static void plane_update(struct drm_plane *plane,
			 struct drm_atomic_state *state)
{
	struct drm_plane_state *new = drm_atomic_get_new_plane_state(state, plane);

	to_display(plane->dev)->next = new->visible ? new : NULL;
}

static const struct drm_plane_helper_funcs plane_helper_funcs = {
	.prepare_fb = plane_prepare_fb,
	.cleanup_fb = plane_cleanup_fb,
	.atomic_check = plane_check,
	.atomic_update = plane_update,
};

static const struct drm_plane_funcs plane_funcs = {
	.update_plane = drm_atomic_helper_update_plane,
	.disable_plane = drm_atomic_helper_disable_plane,
	.destroy = drm_plane_cleanup,
	.reset = drm_atomic_helper_plane_reset,
	.atomic_duplicate_state = drm_atomic_helper_plane_duplicate_state,
	.atomic_destroy_state = drm_atomic_helper_plane_destroy_state,
};

static const struct drm_display_mode *find_mode(const struct drm_display_mode *mode)
{
	int i;

	for (i = 0; i < ARRAY_SIZE(modes); i++)
		if (modes[i].hdisplay == mode->hdisplay &&
		    modes[i].vdisplay == mode->vdisplay)
			return &modes[i];
	return NULL;
}

static enum drm_mode_status crtc_mode_valid(struct drm_crtc *crtc,
					    const struct drm_display_mode *mode)
{
	return find_mode(mode) ? MODE_OK : MODE_BAD;
}

/* After the plane's update: its picture is sent, if it has a new one. */
static void crtc_flush(struct drm_crtc *crtc, struct drm_atomic_state *state)
{
	struct drm_crtc_state *new = drm_atomic_get_new_crtc_state(state, crtc);
	struct display *display = to_display(crtc->dev);
	struct drm_pending_vblank_event *event = new->event;

	new->event = NULL;
	if (!new->active || !display->next ||
	    !begin_picture(display, display->next, event))
		send_event(display, event);
	display->next = NULL;
}

static const struct drm_crtc_helper_funcs crtc_helper_funcs = {
	.mode_valid = crtc_mode_valid,
	.atomic_flush = crtc_flush,
};

static int crtc_verify_crc_source(struct drm_crtc *crtc, const char *source,
				  size_t *values)
{
	*values = 1;
	return !source || !strcmp(source, "auto") ? 0 : -EINVAL;
}

/* The picture that is there is sent again: it may be the last one for long. */
static int crtc_set_crc_source(struct drm_crtc *crtc, const char *source)
{
	struct display *display = to_display(crtc->dev);
	struct drm_framebuffer *fb;
	int ret;

	spin_lock_irq(&display->slock);
	display->tells_crc = source;
	spin_unlock_irq(&display->slock);
	if (!source)
		return 0;
	ret = drm_modeset_lock_single_interruptible(&display->plane.mutex);
	if (ret)
		return ret;
	fb = display->plane.state->fb;
	if (fb)
		drm_framebuffer_get(fb);
	drm_modeset_unlock(&display->plane.mutex);
	if (!fb)
		return 0;
	ret = drm_atomic_helper_dirtyfb(fb, NULL, 0, 0, NULL, 0);
	drm_framebuffer_put(fb);
	return ret;
}

static const struct drm_crtc_funcs crtc_funcs = {
	.set_config = drm_atomic_helper_set_config,
	.page_flip = drm_atomic_helper_page_flip,
	.destroy = drm_crtc_cleanup,
	.reset = drm_atomic_helper_crtc_reset,
	.atomic_duplicate_state = drm_atomic_helper_crtc_duplicate_state,
	.atomic_destroy_state = drm_atomic_helper_crtc_destroy_state,
	.verify_crc_source = crtc_verify_crc_source,
	.set_crc_source = crtc_set_crc_source,
};

static int connector_get_modes(struct drm_connector *connector)
{
	struct drm_display_mode *mode;
	int i;

	for (i = 0; i < ARRAY_SIZE(modes); i++) {
		mode = drm_mode_duplicate(connector->dev, &modes[i]);
		if (!mode)
			break;
		if (!i)
			mode->type |= DRM_MODE_TYPE_PREFERRED;
		drm_mode_set_name(mode);
		drm_mode_probed_add(connector, mode);
	}
	return i;
}

static const struct drm_connector_helper_funcs connector_helper_funcs = {
	.get_modes = connector_get_modes,
};

static const struct drm_connector_funcs connector_funcs = {
	.fill_modes = drm_helper_probe_single_connector_modes,
	.destroy = drm_connector_cleanup,
	.reset = drm_atomic_helper_connector_reset,
	.atomic_duplicate_state = drm_atomic_helper_connector_duplicate_state,
	.atomic_destroy_state = drm_atomic_helper_connector_destroy_state,
};

static void commit_tail(struct drm_atomic_state *state)
{
	struct drm_device *drm = state->dev;
	struct display *display = to_display(drm);

	mutex_lock(&display->commit_lock);
	drm_atomic_helper_commit_modeset_disables(drm, state);
	drm_atomic_helper_commit_modeset_enables(drm, state);
	drm_atomic_helper_commit_planes(drm, state, 0);
	wait_for_picture(display);
	mutex_unlock(&display->commit_lock);

	drm_atomic_helper_commit_hw_done(state);
	drm_atomic_helper_wait_for_flip_done(drm, state);
	drm_atomic_helper_cleanup_planes(drm, state);
}

static const struct drm_mode_config_helper_funcs mode_config_helper_funcs = {
	.atomic_commit_tail = commit_tail,
};

static const struct drm_mode_config_funcs mode_config_funcs = {
	.fb_create = drm_gem_fb_create_with_dirty,
	.atomic_check = drm_atomic_helper_check,
	.atomic_commit = drm_atomic_helper_commit,
};

static int modeset_init(struct display *display)
{
	struct drm_device *drm = &display->drm;
	int ret;

	ret = drmm_mode_config_init(drm);
	if (ret)
		return ret;
	drm->mode_config.min_width = 1;
	drm->mode_config.min_height = 1;
	drm->mode_config.max_width = 4096;
	drm->mode_config.max_height = 4096;
	drm->mode_config.preferred_depth = 24;
	drm->mode_config.funcs = &mode_config_funcs;
	drm->mode_config.helper_private = &mode_config_helper_funcs;

	ret = drm_universal_plane_init(drm, &display->plane, 1, &plane_funcs,
				       formats, ARRAY_SIZE(formats), NULL,
				       DRM_PLANE_TYPE_PRIMARY, NULL);
	if (ret)
		return ret;
	drm_plane_helper_add(&display->plane, &plane_helper_funcs);
	drm_plane_enable_fb_damage_clips(&display->plane);

	ret = drm_crtc_init_with_planes(drm, &display->crtc, &display->plane,
					NULL, &crtc_funcs, NULL);
	if (ret)
		return ret;
	drm_crtc_helper_add(&display->crtc, &crtc_helper_funcs);

	ret = drmm_encoder_init(drm, &display->encoder, NULL,
				DRM_MODE_ENCODER_VIRTUAL, NULL);
	if (ret)
		return ret;
	display->encoder.possible_crtcs = drm_crtc_mask(&display->crtc);

	ret = drm_connector_init(drm, &display->connector, &connector_funcs,
				 DRM_MODE_CONNECTOR_VIRTUAL);
	if (ret)
		return ret;
	drm_connector_helper_add(&display->connector, &connector_helper_funcs);
	ret = drm_connector_attach_encoder(&display->connector,
					   &display->encoder);
	if (!ret)
		drm_mode_config_reset(drm);
	return ret;
}

DEFINE_DRM_GEM_FOPS(display_fops);

static const struct drm_driver display_driver = {
	BUFALLOC_DRM_DRIVER_OPS,
	BUFALLOC_COMPAT_DRM_DATE("20261122")
	.gem_create_object = domain_create_object,
	.name = "bufalloc-display",
	.desc = "bufalloc sample display",
	.major = 1,
	.driver_features = DRIVER_ATOMIC | DRIVER_GEM | DRIVER_MODESET,
	.fops = &display_fops,
};

static int display_probe(struct pci_dev *pdev, const struct pci_device_id *id)
{
	struct display *display;
	int ret;

	display = devm_drm_dev_alloc(&pdev->dev, &display_driver,
				     struct display, drm);
	if (IS_ERR(display))
		return PTR_ERR(display);
	pci_set_drvdata(pdev, display);
	mutex_init(&display->commit_lock);
	spin_lock_init(&display->slock);
	init_waitqueue_head(&display->unmapped);
	init_completion(&display->idle);
	complete_all(&display->idle);

	ret = edu_init(&display->edu, pdev) ?:
	      (own_domain ? domain_init(&display->domain, &display->edu,
					&pdev->dev) : 0) ?:
	      modeset_init(display) ?:
	      devm_request_irq(&pdev->dev, pdev->irq, display_interrupt,
			       IRQF_SHARED, KBUILD_MODNAME, display);
	return ret ?: drm_dev_register(&display->drm, 0);
}

static void display_shutdown(struct pci_dev *pdev)
{
	struct display *display = pci_get_drvdata(pdev);

	drm_atomic_helper_shutdown(&display->drm);
}

static void display_remove(struct pci_dev *pdev)
{
	struct display *display = pci_get_drvdata(pdev);

	drm_dev_unplug(&display->drm);
	/* A transfer that has begun cannot be stopped; there is no next one. */
	spin_lock_irq(&display->slock);
	display->gone = true;
	spin_unlock_irq(&display->slock);
	drm_atomic_helper_shutdown(&display->drm);
	/* The commit before may not have unmapped its picture yet. */
	wait_event(display->unmapped, !atomic_read(&display->mapped));
}

static struct pci_driver display_pci_driver = {
	.name = KBUILD_MODNAME,
	.id_table = edu_ids,
	.probe = display_probe,
	.remove = display_remove,
	.shutdown = display_shutdown,
};
module_pci_driver(display_pci_driver);

MODULE_DEVICE_TABLE(pci, edu_ids);
MODULE_DESCRIPTION("Sample display with buffers of bufalloc, for QEMU's edu");
MODULE_AUTHOR("The bufalloc authors");
MODULE_LICENSE("GPL");
BUFALLOC_IMPORT_NS(BUFALLOC);
