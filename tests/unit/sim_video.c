/* SPDX-License-Identifier: MIT */
/* The stand-in's cameras, codecs and displays. */
#include "sim_private.h"

#include <drm.h>
#include <drm_fourcc.h>
#include <drm_mode.h>
#include <fcntl.h>
#include <linux/videodev2.h>
#include <stdio.h>
#include <string.h>

/* Bytes of a pixel in the first plane, and planes in memory; for the tests'. */
static const struct {
	uint32_t fourcc;
	uint32_t bytes;
	uint32_t memories;
	/* of all planes, in halves of the first */
	uint32_t halves;
} known[] = {
	{ V4L2_PIX_FMT_NV12, 1, 1, 3 },
	{ V4L2_PIX_FMT_NV12M, 1, 2, 3 },
	{ V4L2_PIX_FMT_NV24, 1, 1, 6 },
	{ V4L2_PIX_FMT_YUV420, 1, 1, 3 },
	{ V4L2_PIX_FMT_YUYV, 2, 1, 2 },
	{ V4L2_PIX_FMT_XBGR32, 4, 1, 2 },
	{ V4L2_PIX_FMT_RGB565, 2, 1, 2 },
	{ DRM_FORMAT_RGB565, 2, 1, 2 },
	{ V4L2_PIX_FMT_MJPEG, 0, 1, 0 },
};

static size_t
known_index(uint32_t fourcc)
{
	size_t i;

	for (i = 0; i < LEN(known); i++) {
		if (known[i].fourcc == fourcc) {
			return i;
		}
	}
	fail_msg("the stand-in does not know format 0x%08x", fourcc);
	return 0;
}

static bool
lists(const uint32_t *formats, uint32_t fourcc)
{
	size_t i;

	for (i = 0; i < SIM_MAX_FORMATS && formats[i] != 0; i++) {
		if (formats[i] == fourcc) {
			return true;
		}
	}
	return false;
}

static uint32_t
align(uint32_t value, uint32_t by)
{
	return by == 0 ? value : (value + by - 1) / by * by;
}

static uint32_t
caps_of(const struct sim_v4l2 *device)
{
	return device->caps == 0 ? V4L2_CAP_VIDEO_CAPTURE : device->caps;
}

static bool
has_queue(const struct sim_v4l2 *device, uint32_t type)
{
	static const struct {
		uint32_t cap;
		uint32_t types[2];
	} queues[] = {
		{ V4L2_CAP_VIDEO_CAPTURE, { V4L2_BUF_TYPE_VIDEO_CAPTURE } },
		{ V4L2_CAP_VIDEO_CAPTURE_MPLANE, { V4L2_BUF_TYPE_VIDEO_CAPTURE_MPLANE } },
		{ V4L2_CAP_VIDEO_OUTPUT, { V4L2_BUF_TYPE_VIDEO_OUTPUT } },
		{ V4L2_CAP_VIDEO_OUTPUT_MPLANE, { V4L2_BUF_TYPE_VIDEO_OUTPUT_MPLANE } },
		{ V4L2_CAP_VIDEO_M2M,
		  { V4L2_BUF_TYPE_VIDEO_CAPTURE, V4L2_BUF_TYPE_VIDEO_OUTPUT } },
		{ V4L2_CAP_VIDEO_M2M_MPLANE,
		  { V4L2_BUF_TYPE_VIDEO_CAPTURE_MPLANE,
		    V4L2_BUF_TYPE_VIDEO_OUTPUT_MPLANE } },
	};
	size_t i;

	for (i = 0; i < LEN(queues); i++) {
		if ((caps_of(device) & queues[i].cap) != 0 &&
		    (queues[i].types[0] == type || queues[i].types[1] == type)) {
			return true;
		}
	}
	return false;
}

/* The first stride from which all others follow, and bytes of the picture. */
static uint32_t
answer_stride(const struct sim_v4l2 *device, uint32_t natural, uint32_t asked)
{
	uint32_t stride = asked > natural ? asked : natural;

	if (device->fixed_stride != 0) {
		return device->fixed_stride;
	}
	return align(stride, device->stride_align) + device->greed;
}

static void
answer_single(const struct sim_v4l2 *device, struct v4l2_pix_format *pix)
{
	size_t k = known_index(pix->pixelformat);
	uint32_t natural = pix->width * known[k].bytes;

	if (known[k].bytes == 0) {
		pix->bytesperline = 0;
		pix->sizeimage = 100000 + device->extra;
		return;
	}
	pix->bytesperline = answer_stride(device, natural, pix->bytesperline);
	pix->sizeimage = pix->bytesperline * pix->height * known[k].halves / 2 +
			 device->extra;
}

static void
answer_planes(const struct sim_v4l2 *device, struct v4l2_pix_format_mplane *mp)
{
	size_t k = known_index(mp->pixelformat);
	uint32_t natural = mp->width * known[k].bytes;
	uint32_t i;

	mp->num_planes = (uint8_t)known[k].memories;
	for (i = 0; i < known[k].memories; i++) {
		struct v4l2_plane_pix_format *plane = &mp->plane_fmt[i];
		uint32_t halves = known[k].memories == 1 ? known[k].halves :
				  i == 0		 ? 2 :
							   1;

		plane->bytesperline = answer_stride(device, natural,
						    plane->bytesperline);
		plane->sizeimage = plane->bytesperline * mp->height * halves / 2 +
				   device->extra;
	}
}

static int
try_format(const struct sim_v4l2 *device, struct v4l2_format *format)
{
	bool mplane = V4L2_TYPE_IS_MULTIPLANAR(format->type);
	const uint32_t *formats = device->formats;
	/* These begin both structures. */
	uint32_t *width = &format->fmt.pix.width;
	uint32_t *height = &format->fmt.pix.height;
	uint32_t *fourcc = &format->fmt.pix.pixelformat;

	if (device->try_errno != 0) {
		return device->try_errno;
	}
	if (!has_queue(device, format->type)) {
		return EINVAL;
	}
	if (V4L2_TYPE_IS_OUTPUT(format->type) && device->out_formats[0] != 0) {
		formats = device->out_formats;
	}
	if (!lists(formats, *fourcc)) {
		if (device->einval_for_unknown) {
			return EINVAL;
		}
		*fourcc = formats[0];
	}
	if (device->width != 0) {
		*width = device->width;
		*height = device->height;
	}
	*width = align(*width, device->line_align);
	*height = align(*height, device->line_align);
	if (mplane) {
		answer_planes(device, &format->fmt.pix_mp);
	} else {
		answer_single(device, &format->fmt.pix);
	}
	return 0;
}

static int
request_buffers(struct sim_file *file, struct v4l2_requestbuffers *request)
{
	const struct sim_v4l2 *device = &file->v4l2;

	assert_false(device->has_buffers); /* they would be freed */
	if (!has_queue(device, request->type) ||
	    request->memory != V4L2_MEMORY_DMABUF || device->no_dmabuf) {
		return EINVAL;
	}
	if (device->in_use) {
		return EBUSY;
	}
	file->buffers = request->count;
	return 0;
}

static int
check_memory(const struct sim_file *file, int fd, uint32_t length,
	     uint32_t size)
{
	const struct sim_file *memory = sim_file(fd);

	if (memory == NULL) {
		return EBADF;
	}
	if (memory->kind != SIM_DMABUF || length > memory->length ||
	    length < size) {
		return EINVAL;
	}
	if (file->v4l2.one_segment && !memory->is_contiguous) {
		return EFAULT;
	}
	return file->v4l2.prepare_errno;
}

static int
prepare(const struct sim_file *file, const struct v4l2_buffer *buffer)
{
	uint32_t i;

	if (buffer->index >= file->buffers ||
	    buffer->type != file->format.type) {
		return EINVAL;
	}
	if (!V4L2_TYPE_IS_MULTIPLANAR(buffer->type)) {
		return check_memory(file, buffer->m.fd, buffer->length,
				    file->format.fmt.pix.sizeimage);
	}
	if (buffer->length != file->format.fmt.pix_mp.num_planes) {
		return EINVAL;
	}
	for (i = 0; i < buffer->length; i++) {
		const struct v4l2_plane *plane = &buffer->m.planes[i];
		int err = check_memory(
			file, plane->m.fd, plane->length,
			file->format.fmt.pix_mp.plane_fmt[i].sizeimage);

		if (err != 0) {
			return err;
		}
	}
	return 0;
}

static int
set_format(struct sim_file *file, struct v4l2_format *format)
{
	int err;

	if (file->v4l2.has_buffers || file->v4l2.in_use || file->buffers > 0) {
		return EBUSY;
	}
	err = try_format(&file->v4l2, format);
	if (err == 0) {
		file->format = *format;
	}
	return err;
}

static int
get_format(struct sim_file *file, struct v4l2_format *format)
{
	if (!has_queue(&file->v4l2, format->type)) {
		return EINVAL;
	}
	/* At first a device is set to its first format. */
	if (file->format.type == 0) {
		file->format.type = format->type;
		file->format.fmt.pix.width = 640;
		file->format.fmt.pix.height = 480;
		if (try_format(&file->v4l2, &file->format) != 0) {
			return EIO;
		}
	}
	*format = file->format;
	return 0;
}

int
sim_v4l2_ioctl(struct sim_file *file, unsigned long request, void *arg)
{
	struct sim_v4l2 *device = &file->v4l2;

	switch (request) {
	case VIDIOC_QUERYCAP: {
		struct v4l2_capability *cap = arg;

		memset(cap, 0, sizeof(*cap));
		snprintf((char *)cap->driver, sizeof(cap->driver), "%s",
			 device->driver == NULL ? "simcam" : device->driver);
		cap->capabilities = V4L2_CAP_DEVICE_CAPS;
		cap->device_caps = caps_of(device) | V4L2_CAP_STREAMING;
		return 0;
	}
	case VIDIOC_TRY_FMT:
		return try_format(device, arg);
	case VIDIOC_G_FMT:
		return get_format(file, arg);
	case VIDIOC_S_FMT:
		return set_format(file, arg);
	case VIDIOC_QUERYBUF:
		return device->has_buffers || device->in_use ? 0 : EINVAL;
	case VIDIOC_REQBUFS:
		return request_buffers(file, arg);
	case VIDIOC_PREPARE_BUF:
		return prepare(file, arg);
	default:
		return ENOTTY;
	}
}

static uint32_t
new_handle(struct sim_file *file, uint64_t size, bool is_contiguous)
{
	uint32_t handle;

	for (handle = 1; handle < 32; handle++) {
		if ((file->handles & 1U << handle) == 0) {
			file->handles |= 1U << handle;
			file->handle_sizes[handle] = size;
			file->handle_contiguous[handle] = is_contiguous;
			return handle;
		}
	}
	fail_msg("no handle is left");
	return 0;
}

static int
create_dumb(struct sim_file *file, struct drm_mode_create_dumb *create)
{
	if (file->drm.no_dumb) {
		return ENOSYS;
	}
	if (file->drm.dumb_errno != 0) {
		return file->drm.dumb_errno;
	}
	create->pitch = create->width * create->bpp / 8;
	create->size = (uint64_t)create->pitch * create->height;
	create->handle = new_handle(file, create->size,
				    file->drm.dumb_is_contiguous);
	return 0;
}

static int
import_prime(struct sim_file *file, struct drm_prime_handle *prime)
{
	const struct sim_file *memory = sim_file(prime->fd);

	if (file->drm.import_errno != 0) {
		return file->drm.import_errno;
	}
	if (memory == NULL) {
		return EBADF;
	}
	if (memory->kind != SIM_DMABUF ||
	    (file->drm.one_segment && !memory->is_contiguous)) {
		return EINVAL;
	}
	prime->handle = new_handle(file, memory->length, memory->is_contiguous);
	file->imported |= 1U << prime->handle;
	return 0;
}

static int
export_prime(struct sim_file *file, struct drm_prime_handle *prime)
{
	assert_int_equal(prime->flags, DRM_CLOEXEC | DRM_RDWR);
	if (prime->handle >= 32 || (file->handles & 1U << prime->handle) == 0) {
		return ENOENT;
	}
	prime->fd = sim_new_dmabuf(file->handle_sizes[prime->handle],
				   file->handle_contiguous[prime->handle]);
	return 0;
}

static int
close_handle(struct sim_file *file, uint32_t handle)
{
	if (handle >= 32 || (file->handles & 1U << handle) == 0) {
		return EINVAL;
	}
	file->handles &= ~(1U << handle);
	file->imported &= ~(1U << handle);
	return 0;
}

/* As framebuffer_check() of the kernel does, for the formats of the tests. */
static int
add_framebuffer(struct sim_file *file, struct drm_mode_fb_cmd2 *cmd)
{
	const struct sim_drm *device = &file->drm;
	size_t k;
	uint32_t i;

	if (device->no_modes) {
		return EOPNOTSUPP;
	}
	if (device->add_errno != 0) {
		return device->add_errno;
	}
	if ((cmd->flags & DRM_MODE_FB_MODIFIERS) != 0 && !device->modifiers) {
		return EINVAL;
	}
	if (!lists(device->formats, cmd->pixel_format)) {
		return EINVAL;
	}
	if (device->max_width != 0 && cmd->width > device->max_width) {
		return EINVAL;
	}
	k = known_index(cmd->pixel_format);
	for (i = 0; i < 4 && cmd->handles[i] != 0; i++) {
		uint32_t lines = i == 0 ? cmd->height : (cmd->height + 1) / 2;

		if ((file->handles & 1U << cmd->handles[i]) == 0) {
			return ENOENT;
		}
		if ((file->imported & 1U << cmd->handles[i]) != 0 &&
		    device->show_errno != 0) {
			return device->show_errno;
		}
		if (device->stride_align != 0 &&
		    cmd->pitches[i] % device->stride_align != 0) {
			return EINVAL;
		}
		if (i == 0 && cmd->pitches[i] < cmd->width * known[k].bytes) {
			return EINVAL;
		}
		if (cmd->offsets[i] + (uint64_t)cmd->pitches[i] * lines >
		    file->handle_sizes[cmd->handles[i]]) {
			return EINVAL;
		}
	}
	cmd->fb_id = ++file->framebuffers;
	return 0;
}

static int
get_cap(const struct sim_drm *device, struct drm_get_cap *cap)
{
	switch (cap->capability) {
	case DRM_CAP_DUMB_BUFFER:
		cap->value = !device->no_dumb;
		return 0;
	case DRM_CAP_PRIME:
		cap->value = device->no_import ? DRM_PRIME_CAP_EXPORT :
						 DRM_PRIME_CAP_IMPORT | DRM_PRIME_CAP_EXPORT;
		return 0;
	case DRM_CAP_ADDFB2_MODIFIERS:
		cap->value = device->modifiers;
		return 0;
	default:
		return EINVAL;
	}
}

static int
get_plane(const struct sim_drm *device, struct drm_mode_get_plane *plane)
{
	const uint32_t *formats = device->plane_formats[0] != 0 ?
					  device->plane_formats :
					  device->formats;
	uint32_t count = 0;

	assert_int_equal(plane->plane_id, 77);
	while (count < SIM_MAX_FORMATS && formats[count] != 0) {
		count++;
	}
	assert_true(plane->count_format_types >= count);
	memcpy((void *)(uintptr_t)plane->format_type_ptr, formats,
	       count * sizeof(*formats));
	plane->count_format_types = count;
	return 0;
}

/* One primary plane, which not every file sees. */
static int
get_planes(const struct sim_drm *device, struct drm_mode_get_plane_res *res)
{
	if (!device->universal) {
		res->count_planes = 0;
		return 0;
	}
	if (res->count_planes >= 1) {
		*(uint32_t *)(uintptr_t)res->plane_id_ptr = 77;
	}
	res->count_planes = 1;
	return 0;
}

int
sim_drm_ioctl(struct sim_file *file, unsigned long request, void *arg)
{
	struct sim_drm *device = &file->drm;

	switch (request) {
	case DRM_IOCTL_MODE_GETPLANERESOURCES:
		return get_planes(device, arg);
	case DRM_IOCTL_MODE_GETPLANE:
		return get_plane(device, arg);
	case DRM_IOCTL_SET_CLIENT_CAP:
		device->universal = ((struct drm_set_client_cap *)arg)->value != 0;
		return 0;
	case DRM_IOCTL_VERSION: {
		const char *driver = device->driver == NULL ? "simkms" :
							      device->driver;
		struct drm_version *version = arg;

		/* as the kernel: without the end, and the whole length */
		memcpy(version->name, driver,
		       strlen(driver) < version->name_len ? strlen(driver) :
							    version->name_len);
		version->name_len = strlen(driver);
		return 0;
	}
	case DRM_IOCTL_GET_CAP:
		return get_cap(device, arg);
	case DRM_IOCTL_MODE_GETRESOURCES:
		if (device->no_modes) {
			return EOPNOTSUPP;
		}
		((struct drm_mode_card_res *)arg)->count_crtcs = 1;
		return 0;
	case DRM_IOCTL_MODE_CREATE_DUMB:
		return create_dumb(file, arg);
	case DRM_IOCTL_MODE_DESTROY_DUMB:
		return close_handle(file, ((struct drm_mode_destroy_dumb *)arg)->handle);
	case DRM_IOCTL_PRIME_FD_TO_HANDLE:
		return import_prime(file, arg);
	case DRM_IOCTL_PRIME_HANDLE_TO_FD:
		return export_prime(file, arg);
	case DRM_IOCTL_GEM_CLOSE:
		return close_handle(file, ((struct drm_gem_close *)arg)->handle);
	case DRM_IOCTL_MODE_ADDFB2:
		return add_framebuffer(file, arg);
	case DRM_IOCTL_MODE_RMFB:
		assert_true(file->framebuffers > 0);
		file->framebuffers--;
		return 0;
	default:
		return ENOTTY;
	}
}
