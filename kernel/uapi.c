// SPDX-License-Identifier: GPL-2.0
/*
 * The ioctls of /dev/bufalloc; what they do is in <uapi/linux/bufalloc.h>.
 */
#include <linux/build_bug.h>
#include <linux/capability.h>
#include <linux/dma-buf.h>
#include <linux/err.h>
#include <linux/fcntl.h>
#include <linux/file.h>
#include <linux/fs.h>
#include <linux/nospec.h>
#include <linux/slab.h>
#include <linux/stddef.h>
#include <linux/string.h>
#include <linux/uaccess.h>

#include <linux/bufalloc.h>

#include "bufalloc_private.h"
#include "resolver.h"

/**
 * struct ucmd - one call
 * @arg: the caller's structure
 * @usize: bytes that it has, as the caller says
 * @ksize: bytes that the kernel's structure has
 * @data: copy of the structure, of @ksize bytes
 */
struct ucmd {
	void __user *arg;
	u32 usize;
	u32 ksize;
	void *data;
};

/* Write the structure back, as much of it as the caller has. */
static int ucmd_respond(struct ucmd *ucmd)
{
	if (copy_to_user(ucmd->arg, ucmd->data,
			 min(ucmd->usize, ucmd->ksize)))
		return -EFAULT;
	return 0;
}

static int bufalloc_uapi_info(struct ucmd *ucmd)
{
	struct bufalloc_info *info = ucmd->data;

	if (info->flags)
		return -EINVAL;

	info->out_version = (BUFALLOC_VERSION_MAJOR << 16) |
			    (BUFALLOC_VERSION_MINOR << 8) |
			    BUFALLOC_VERSION_PATCH;
	info->out_heaps = bufalloc_buffer_heaps();
	info->out_features = 0;
	info->out_max_length = bufalloc_buffer_max_length();
	info->out_contig_limit = bufalloc_account_limit();
	info->out_contig_used = bufalloc_account_used();
	info->out_attributes = bufalloc_attribute_available();
	return ucmd_respond(ucmd);
}

static int bufalloc_uapi_device_info(struct ucmd *ucmd)
{
	struct bufalloc_device_info *info = ucmd->data;
	struct bufalloc_endpoint endpoint;
	int ret;

	if (info->flags)
		return -EINVAL;

	ret = bufalloc_resolver_get(&endpoint, info->fd, info->access);
	if (ret)
		return ret;
	ret = bufalloc_device_info(info, &endpoint);
	bufalloc_resolver_put(&endpoint);
	return ret ? ret : ucmd_respond(ucmd);
}

/**
 * struct request - the part of ALLOC and IMPORT_USER that is about devices
 * @user_devices: address of the caller's devices
 * @verdict: address of the caller's verdict, or 0
 * @verdict_size: bytes that this has; 0: the caller wants none
 * @count: number of devices
 * @devices: copy of them; NULL without
 */
struct request {
	u64 user_devices;
	u64 verdict;
	u32 verdict_size;
	u32 count;
	struct bufalloc_alloc_device *devices;
};

/* The verdict has a size of its own, which is written to @request. */
static int check_verdict(struct request *request)
{
	void __user *user = u64_to_user_ptr(request->verdict);
	struct bufalloc_alloc_verdict verdict = {};
	u32 usize;
	int ret;

	if (!request->verdict)
		return 0;
	if (get_user(usize, (u32 __user *)user))
		return -EFAULT;
	if (usize < offsetofend(struct bufalloc_alloc_verdict, __reserved2))
		return -EINVAL;
	if (usize > PAGE_SIZE)
		return -E2BIG;
	request->verdict_size = usize;
	ret = copy_struct_from_user(&verdict, sizeof(verdict), user, usize);
	if (ret)
		return ret;
	if (verdict.__reserved || verdict.__reserved2 || verdict.__reserved3)
		return -EINVAL;
	return 0;
}

/* Read what the caller says of its devices; @devices is freed by kfree(). */
static int get_request(struct request *request, u32 count, u64 devices,
		       u64 verdict)
{
	int ret;

	*request = (struct request){
		.user_devices = devices,
		.verdict = verdict,
		.count = count,
	};
	if (!count && devices)
		return -EINVAL;
	if (count > BUFALLOC_MAX_DEVICES)
		return -E2BIG;
	ret = check_verdict(request);
	if (ret || !count)
		return ret;
	request->devices = memdup_user(u64_to_user_ptr(devices),
				       count * sizeof(*request->devices));
	return PTR_ERR_OR_ZERO(request->devices);
}

/*
 * Write back what became of the devices, and why; -EFAULT if that cannot be
 * written.
 */
static int respond_devices(const struct request *request,
			   struct bufalloc_alloc_verdict *verdict)
{
	verdict->size = request->verdict_size;
	if (verdict->size &&
	    copy_to_user(u64_to_user_ptr(request->verdict), verdict,
			 min_t(u32, verdict->size, sizeof(*verdict))))
		return -EFAULT;
	if (request->count &&
	    copy_to_user(u64_to_user_ptr(request->user_devices),
			 request->devices,
			 request->count * sizeof(*request->devices)))
		return -EFAULT;
	return 0;
}

/* Attributes have bits that are known; what is required is asked for, too. */
static int check_attributes(u64 attributes, u64 required)
{
	int ret = bufalloc_attribute_check(attributes);

	if (ret)
		return ret;
	if (required & ~attributes)
		return -EINVAL;
	return required & ~bufalloc_attribute_available() ? -EOPNOTSUPP : 0;
}

/* Give @dmabuf, whose reference is consumed, to the caller as *@out_fd. */
static int publish(struct ucmd *ucmd, struct dma_buf *dmabuf, u32 fd_flags,
		   s32 *out_fd)
{
	int fd, ret;

	fd = get_unused_fd_flags(fd_flags);
	if (fd < 0) {
		ret = fd;
		goto err_put;
	}

	*out_fd = fd;
	ret = ucmd_respond(ucmd);
	if (ret)
		goto err_fd;

	/* Nothing can fail any more: publish. */
	fd_install(fd, dmabuf->file);
	return 0;

err_fd:
	put_unused_fd(fd);
err_put:
	dma_buf_put(dmabuf);
	return ret;
}

static int bufalloc_uapi_alloc(struct ucmd *ucmd)
{
	struct bufalloc_alloc *alloc = ucmd->data;
	struct bufalloc_alloc_verdict verdict = {};
	struct bufalloc_buffer *buf;
	struct request request;
	struct dma_buf *dmabuf;
	int ret;

	if (alloc->flags & ~BUFALLOC_ALLOC_DRY_RUN ||
	    alloc->fd_flags & ~(O_CLOEXEC | O_RDWR))
		return -EINVAL;
	ret = check_attributes(alloc->attributes, alloc->required);
	if (ret)
		return ret;
	ret = get_request(&request, alloc->device_count, alloc->devices,
			  alloc->verdict);
	if (ret)
		return ret;

	buf = bufalloc_solve(alloc->heap, alloc->length,
			     alloc->attributes & bufalloc_attribute_available(),
			     request.devices, request.count, &verdict);
	/* Also with an error: that is what the verdict is for. */
	ret = respond_devices(&request, &verdict);
	kfree(request.devices);
	if (IS_ERR(buf))
		return PTR_ERR(buf);
	if (ret || alloc->flags & BUFALLOC_ALLOC_DRY_RUN) {
		bufalloc_buffer_put(buf);
		alloc->out_fd = -1;
		return ret ? ret : ucmd_respond(ucmd);
	}

	dmabuf = bufalloc_dmabuf_export(buf, alloc->fd_flags);
	if (IS_ERR(dmabuf)) {
		bufalloc_buffer_put(buf);
		return PTR_ERR(dmabuf);
	}
	return publish(ucmd, dmabuf, alloc->fd_flags, &alloc->out_fd);
}

static int bufalloc_uapi_import_user(struct ucmd *ucmd)
{
	u32 flags = BUFALLOC_IMPORT_DRY_RUN | BUFALLOC_IMPORT_READ_ONLY;
	struct bufalloc_import_user *import = ucmd->data;
	struct bufalloc_alloc_verdict verdict = {};
	struct dma_buf *dmabuf = NULL;
	struct request request;
	int ret, error;

	if (import->flags & ~flags || import->__reserved ||
	    import->fd_flags & ~(O_CLOEXEC | O_RDWR))
		return -EINVAL;
	ret = get_request(&request, import->device_count, import->devices,
			  import->verdict);
	if (ret)
		return ret;

	error = bufalloc_import_user(import, request.devices, &verdict, &dmabuf);
	ret = respond_devices(&request, &verdict);
	kfree(request.devices);
	if (error)
		return error;
	if (!ret && dmabuf)
		return publish(ucmd, dmabuf, import->fd_flags, &import->out_fd);

	if (dmabuf)
		dma_buf_put(dmabuf);
	import->out_fd = -1;
	return ret ? ret : ucmd_respond(ucmd);
}

static void fill_buffer_info(struct bufalloc_buffer_info *info,
			     struct bufalloc_buffer *buf)
{
	info->out_heap = buf->heap_id;
	info->out_length = buf->length;
	info->out_runs = buf->runs.orig_nents;
	info->out_alloc_ns = buf->alloc_ns;
	info->out_user_maps = atomic64_read(&buf->user_maps);
	info->out_kernel_maps_total = atomic64_read(&buf->kernel_maps_total);
	info->out_cpu_accesses = atomic64_read(&buf->cpu_accesses);
	info->out_syncs = atomic64_read(&buf->syncs);
	info->out_bounced = atomic64_read(&buf->bounced);
	info->out_attributes = buf->attributes;
	info->out_syncs_skipped = atomic64_read(&buf->syncs_skipped);

	mutex_lock(&buf->lock);
	info->out_attachments = buf->attachments;
	info->out_mappings = bufalloc_mapping_count(buf);
	info->out_kernel_maps = buf->vmap_users;
	/* One device's own memory is mapped all the time. */
	info->out_kernel_va = buf->vaddr_mapped || buf->own ? buf->length : 0;
	mutex_unlock(&buf->lock);
}

/*
 * The dma-buf of @fd, with a reference, if it is ours. ERR_PTR: -EBADF,
 * -EINVAL (no dma-buf), -EOPNOTSUPP (another exporter's).
 */
static struct dma_buf *get_dmabuf(int fd, struct bufalloc_buffer **buf)
{
	struct dma_buf *dmabuf = dma_buf_get(fd);

	if (IS_ERR(dmabuf))
		return dmabuf;
	*buf = bufalloc_dmabuf_buffer(dmabuf);
	if (!*buf) {
		dma_buf_put(dmabuf);
		return ERR_PTR(-EOPNOTSUPP);
	}
	return dmabuf;
}

/* Is that at least one byte, and within the buffer? */
static bool is_range(const struct bufalloc_buffer *buf, u64 offset, u64 length)
{
	return length && offset < buf->length && length <= buf->length - offset;
}

static int bufalloc_uapi_buffer_info(struct ucmd *ucmd)
{
	struct bufalloc_buffer_info *info = ucmd->data;
	struct bufalloc_buffer *buf;
	struct dma_buf *dmabuf;
	int ret;

	if (info->flags)
		return -EINVAL;

	dmabuf = get_dmabuf(info->fd, &buf);
	if (IS_ERR(dmabuf))
		return PTR_ERR(dmabuf);
	fill_buffer_info(info, buf);
	ret = ucmd_respond(ucmd);
	dma_buf_put(dmabuf);
	return ret;
}

static int bufalloc_uapi_sync_range(struct ucmd *ucmd)
{
	static const enum dma_data_direction directions[] = {
		[BUFALLOC_SYNC_READ] = DMA_FROM_DEVICE,
		[BUFALLOC_SYNC_WRITE] = DMA_TO_DEVICE,
		[BUFALLOC_SYNC_READ | BUFALLOC_SYNC_WRITE] = DMA_BIDIRECTIONAL,
	};
	struct bufalloc_sync_range *sync = ucmd->data;
	u32 access = sync->flags & (BUFALLOC_SYNC_READ | BUFALLOC_SYNC_WRITE);
	enum dma_data_direction dir = directions[access];
	struct bufalloc_buffer *buf;
	struct dma_buf *dmabuf;
	int ret = 0;

	if (!access || sync->flags & ~(access | BUFALLOC_SYNC_END) ||
	    sync->__reserved)
		return -EINVAL;

	dmabuf = get_dmabuf(sync->fd, &buf);
	if (IS_ERR(dmabuf))
		return PTR_ERR(dmabuf);
	if (!is_range(buf, sync->offset, sync->length)) {
		ret = -EINVAL;
	} else if (sync->flags & BUFALLOC_SYNC_END) {
		bufalloc_dmabuf_end(buf, sync->offset,
				    sync->offset + sync->length, dir);
	} else {
		ret = bufalloc_dmabuf_wait(dmabuf, dir);
		if (!ret)
			bufalloc_dmabuf_begin(buf, sync->offset,
					      sync->offset + sync->length, dir);
	}
	dma_buf_put(dmabuf);
	return ret;
}

/* May who has that file write to the buffer? As mmap() asks. */
static bool is_writable(const struct dma_buf *dmabuf)
{
	return dmabuf->file->f_mode & FMODE_WRITE;
}

static int bufalloc_uapi_copy(struct ucmd *ucmd)
{
	struct bufalloc_copy *copy = ucmd->data;
	bool in = copy->flags & BUFALLOC_COPY_IN;
	struct bufalloc_buffer *buf;
	struct dma_buf *dmabuf;
	size_t copied = 0;
	int ret;

	if (copy->flags & ~BUFALLOC_COPY_IN || copy->__reserved)
		return -EINVAL;

	dmabuf = get_dmabuf(copy->fd, &buf);
	if (IS_ERR(dmabuf))
		return PTR_ERR(dmabuf);
	if (!is_range(buf, copy->offset, copy->length))
		ret = -EINVAL;
	else if (in && !is_writable(dmabuf))
		ret = -EACCES;
	else if (copy->address != (uintptr_t)copy->address)
		ret = -EFAULT;
	else
		ret = bufalloc_copy(dmabuf, copy->offset, copy->length,
				    u64_to_user_ptr(copy->address), in,
				    &copied);
	dma_buf_put(dmabuf);

	/* Also with an error: so much was copied. */
	copy->out_copied = copied;
	return ucmd_respond(ucmd) ?: ret;
}

static int bufalloc_uapi_load_firmware(struct ucmd *ucmd)
{
	struct bufalloc_load_firmware *load = ucmd->data;
	struct bufalloc_buffer *buf;
	struct dma_buf *dmabuf;
	size_t length;
	char *name;
	int ret;

	if (load->flags || load->__reserved)
		return -EINVAL;
	/* Who reads the buffer reads the file, which may be root's secret. */
	if (!capable(CAP_SYS_ADMIN))
		return -EPERM;
	if (load->name != (uintptr_t)load->name)
		return -EFAULT;
	name = strndup_user(u64_to_user_ptr(load->name), BUFALLOC_MAX_NAME);
	if (IS_ERR(name))
		return PTR_ERR(name);

	dmabuf = get_dmabuf(load->fd, &buf);
	if (IS_ERR(dmabuf)) {
		ret = PTR_ERR(dmabuf);
		goto out_free;
	}
	if (!is_range(buf, load->offset, 1))
		ret = -EINVAL;
	else if (!is_writable(dmabuf))
		ret = -EACCES;
	else
		ret = bufalloc_dmabuf_wait(dmabuf, DMA_BIDIRECTIONAL) ?:
		      bufalloc_load_firmware(buf, load->offset, name,
					     bufalloc_main_device(), &length);
	dma_buf_put(dmabuf);
	if (!ret) {
		load->out_length = length;
		ret = ucmd_respond(ucmd);
	}
out_free:
	kfree(name);
	return ret;
}

/* Room for the largest structure. */
union ucmd_buffer {
	struct bufalloc_info info;
	struct bufalloc_device_info device_info;
	struct bufalloc_alloc alloc;
	struct bufalloc_import_user import_user;
	struct bufalloc_sync_range sync_range;
	struct bufalloc_copy copy;
	struct bufalloc_load_firmware load_firmware;
	struct bufalloc_buffer_info buffer_info;
};

/**
 * struct ioctl_op - one row of the table of calls
 * @ioctl: its number; 0 in rows of calls that do not exist
 * @size: size of the kernel's structure
 * @min_size: size of the first version's structure
 * @execute: does it
 */
struct ioctl_op {
	unsigned int ioctl;
	u32 size;
	u32 min_size;
	int (*execute)(struct ucmd *ucmd);
};

#define IOCTL_OP(_cmd, _fn, _struct, _last) \
	[BUFALLOC_CMD_##_cmd] = { \
		.ioctl = BUFALLOC_IOCTL_##_cmd, \
		.size = sizeof(_struct) + \
			BUILD_BUG_ON_ZERO(sizeof(union ucmd_buffer) < \
					  sizeof(_struct)), \
		.min_size = offsetofend(_struct, _last), \
		.execute = _fn, \
	}

/* The last field named is that of the first version: it never changes. */
static const struct ioctl_op ops[] = {
	IOCTL_OP(INFO, bufalloc_uapi_info, struct bufalloc_info,
		 out_contig_used),
	IOCTL_OP(DEVICE_INFO, bufalloc_uapi_device_info,
		 struct bufalloc_device_info, out_name),
	IOCTL_OP(ALLOC, bufalloc_uapi_alloc, struct bufalloc_alloc, verdict),
	IOCTL_OP(IMPORT_USER, bufalloc_uapi_import_user,
		 struct bufalloc_import_user, __reserved),
	IOCTL_OP(SYNC_RANGE, bufalloc_uapi_sync_range,
		 struct bufalloc_sync_range, length),
	IOCTL_OP(COPY, bufalloc_uapi_copy, struct bufalloc_copy, out_copied),
	IOCTL_OP(LOAD_FIRMWARE, bufalloc_uapi_load_firmware,
		 struct bufalloc_load_firmware, out_length),
	IOCTL_OP(BUFFER_INFO, bufalloc_uapi_buffer_info,
		 struct bufalloc_buffer_info, out_bounced),
};

long bufalloc_uapi_ioctl(struct file *file, unsigned int cmd,
			 unsigned long arg)
{
	union ucmd_buffer data = {};
	struct ucmd ucmd = {
		.arg = (void __user *)arg,
		.data = &data,
	};
	const struct ioctl_op *op;
	unsigned int nr = _IOC_NR(cmd);
	int ret;

	if (nr >= ARRAY_SIZE(ops))
		return -ENOTTY;
	op = &ops[array_index_nospec(nr, ARRAY_SIZE(ops))];
	if (!op->execute || op->ioctl != cmd)
		return -ENOTTY;

	/* Every structure starts with its size. */
	if (get_user(ucmd.usize, (u32 __user *)ucmd.arg))
		return -EFAULT;
	if (ucmd.usize < op->min_size)
		return -EINVAL;
	if (ucmd.usize > PAGE_SIZE)
		return -E2BIG;

	ucmd.ksize = op->size;
	ret = copy_struct_from_user(&data, op->size, ucmd.arg, ucmd.usize);
	if (ret)
		return ret;
	return op->execute(&ucmd);
}
