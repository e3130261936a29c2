/* SPDX-License-Identifier: MIT */
/* Devices: what one can use, and buffers for several of them. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "private.h"

_Static_assert((int)BUFALLOC_READ == (int)BUFALLOC_ACCESS_READ &&
		       (int)BUFALLOC_WRITE == (int)BUFALLOC_ACCESS_WRITE,
	       "the library's and the kernel's bits of access are equal");
_Static_assert((int)BUFALLOC_DRY_RUN == (int)BUFALLOC_ALLOC_DRY_RUN,
	       "the library's and the kernel's flags are equal");

int
bufalloc_get_device_info(struct bufalloc_ctx *ctx, int fd,
			 enum bufalloc_access access,
			 struct bufalloc_dev_info *info)
{
	struct bufalloc_device_info raw = {
		.size = sizeof(raw),
		.fd = fd,
		.access = (uint32_t)access,
	};
	int ret;

	ret = private_module_ioctl_again(ctx, BUFALLOC_IOCTL_DEVICE_INFO, &raw);
	if (ret < 0) {
		return ret;
	}

	*info = (struct bufalloc_dev_info){
		.flags = raw.out_flags,
		.found = raw.out_found,
		.dma_mask = raw.out_dma_mask,
		.coherent_mask = raw.out_coherent_mask,
		.bus_limit = raw.out_bus_limit,
		.max_segment = raw.out_max_segment,
		.segment_boundary = raw.out_segment_boundary,
		.max_segments = raw.out_max_segments,
		.iommu = raw.out_iommu,
		.iommu_granule = raw.out_iommu_granule,
	};
	snprintf(info->driver, sizeof(info->driver), "%.*s",
		 (int)sizeof(raw.out_driver), (const char *)raw.out_driver);
	snprintf(info->name, sizeof(info->name), "%.*s",
		 (int)sizeof(raw.out_name), (const char *)raw.out_name);
	return 0;
}

/* "video0 (vivid)"; where nobody knows the device, what file it is. */
static void
write_label(struct verdict_use *use, int fd)
{
	char *label = use->result.label;
	char link[32];
	ssize_t len;

	if (use->has_info && use->info.name[0] != '\0') {
		if (use->info.driver[0] != '\0') {
			snprintf(label, BUFALLOC_LABEL_SIZE, "%s (%s)",
				 use->info.name, use->info.driver);
		} else {
			snprintf(label, BUFALLOC_LABEL_SIZE, "%s",
				 use->info.name);
		}
		return;
	}

	snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
	len = readlink(link, label, BUFALLOC_LABEL_SIZE - 1);
	if (len > 0) {
		label[len] = '\0';
	} else {
		snprintf(label, BUFALLOC_LABEL_SIZE, "file descriptor %d", fd);
	}
}

void
private_fill_devices(struct bufalloc_alloc_device *devices,
		     const struct bufalloc_use *uses, size_t count)
{
	size_t i;

	for (i = 0; i < count; i++) {
		devices[i].fd = uses[i].fd;
		devices[i].access = (uint32_t)uses[i].access;
	}
}

void
private_verdict_fill(struct bufalloc_verdict *verdict, struct bufalloc_ctx *ctx,
		     const struct bufalloc_use *uses,
		     const struct bufalloc_alloc_device *devices,
		     const struct bufalloc_alloc_verdict *raw, int error)
{
	size_t i;

	verdict->error = error;
	verdict->heap = verdict->asked;
	verdict->device = -1;
	verdict->limit = raw->out_limit;
	verdict->tried = raw->out_tried;
	/* Else the error came before the devices, or after them. */
	if (raw->out_error == error) {
		verdict->heap = (enum bufalloc_heap)raw->out_heap;
		verdict->reason = raw->out_reason;
		if (raw->out_device < verdict->count) {
			verdict->device = (int)raw->out_device;
			verdict->with = raw->out_with_devices;
		}
	}
	if (error == 0) {
		verdict->runs = raw->out_runs;
		verdict->granted = raw->out_attributes;
	}

	for (i = 0; i < verdict->count; i++) {
		struct verdict_use *use = &verdict->uses[i];

		use->result.proof = devices[i].out_proof;
		use->result.segments = devices[i].out_segments;
		use->result.error = devices[i].out_error;
		use->result.reason = devices[i].out_reason;
		use->has_info = bufalloc_get_device_info(ctx, uses[i].fd,
							 uses[i].access,
							 &use->info) == 0;
		write_label(use, uses[i].fd);
	}
	private_verdict_write(verdict);
}

/* Options of an older or newer version of the library as ours. */
static int
read_options(const struct bufalloc_alloc_options *in,
	     struct bufalloc_alloc_options *options)
{
	const unsigned char *bytes = (const unsigned char *)in;
	size_t i;

	*options = (struct bufalloc_alloc_options){ .size = sizeof(*options) };
	if (in == NULL) {
		return 0;
	}
	if (in->size < sizeof(*options)) {
		return -EINVAL;
	}
	for (i = sizeof(*options); i < in->size; i++) {
		if (bytes[i] != 0) {
			return -E2BIG;
		}
	}
	*options = *in;
	return 0;
}

int
bufalloc_alloc_for(struct bufalloc_ctx *ctx, uint64_t length,
		   enum bufalloc_heap heap, const char *name,
		   const struct bufalloc_use *uses, size_t count,
		   unsigned int flags, struct bufalloc_buf **buf_ptr,
		   struct bufalloc_verdict **verdict_ptr)
{
	struct bufalloc_alloc_options options = {
		.size = sizeof(options),
		.heap = heap,
		.flags = flags,
		.name = name,
		.uses = uses,
		.count = count,
	};

	return bufalloc_alloc_with(ctx, length, &options, buf_ptr, verdict_ptr);
}

int
bufalloc_alloc_with(struct bufalloc_ctx *ctx, uint64_t length,
		    const struct bufalloc_alloc_options *options_ptr,
		    struct bufalloc_buf **buf_ptr,
		    struct bufalloc_verdict **verdict_ptr)
{
	struct bufalloc_alloc_device devices[BUFALLOC_MAX_DEVICES] = { 0 };
	struct bufalloc_alloc_verdict raw = { .size = sizeof(raw) };
	struct bufalloc_alloc alloc = { .size = sizeof(alloc) };
	struct bufalloc_alloc_options options;
	struct bufalloc_verdict *verdict = NULL;
	int ret;

	if (verdict_ptr != NULL) {
		*verdict_ptr = NULL;
	}
	ret = read_options(options_ptr, &options);
	if (ret < 0) {
		return ret;
	}
	if (options.count > BUFALLOC_MAX_DEVICES) {
		return -E2BIG;
	}
	if (verdict_ptr != NULL) {
		verdict = calloc(1, sizeof(*verdict));
		if (verdict == NULL) {
			return -ENOMEM;
		}
		verdict->asked = options.heap;
		verdict->length = length;
		verdict->count = options.count;
		verdict->wanted = options.attributes;
	}
	private_fill_devices(devices, options.uses, options.count);
	alloc.flags = options.flags;
	alloc.length = length;
	alloc.heap = (uint32_t)options.heap;
	alloc.fd_flags = O_RDWR | O_CLOEXEC;
	alloc.device_count = (uint32_t)options.count;
	alloc.devices = options.count == 0 ? 0 : (uintptr_t)devices;
	alloc.verdict = (uintptr_t)&raw;
	alloc.attributes = options.attributes;
	alloc.required = options.required;

	if ((options.flags & BUFALLOC_DRY_RUN) != 0) {
		ret = private_module_ioctl(ctx, BUFALLOC_IOCTL_ALLOC, &alloc);
	} else {
		ret = private_alloc(ctx, &alloc, options.name, buf_ptr);
	}

	if (verdict != NULL) {
		private_verdict_fill(verdict, ctx, options.uses, devices, &raw,
				     ret);
		*verdict_ptr = verdict;
	}
	return ret;
}

void
bufalloc_verdict_destroy(struct bufalloc_verdict *verdict)
{
	free(verdict);
}

int
bufalloc_verdict_get_error(const struct bufalloc_verdict *verdict)
{
	return verdict->error;
}

enum bufalloc_heap
bufalloc_verdict_get_heap(const struct bufalloc_verdict *verdict)
{
	return verdict->heap;
}

uint32_t
bufalloc_verdict_get_tried(const struct bufalloc_verdict *verdict)
{
	return verdict->tried;
}

uint32_t
bufalloc_verdict_get_reason(const struct bufalloc_verdict *verdict)
{
	return verdict->reason;
}

int
bufalloc_verdict_get_device(const struct bufalloc_verdict *verdict)
{
	return verdict->device;
}

uint32_t
bufalloc_verdict_get_runs(const struct bufalloc_verdict *verdict)
{
	return verdict->runs;
}

uint64_t
bufalloc_verdict_get_attributes(const struct bufalloc_verdict *verdict)
{
	return verdict->granted;
}

uint32_t
bufalloc_verdict_get_with(const struct bufalloc_verdict *verdict)
{
	return verdict->with;
}

size_t
bufalloc_verdict_get_count(const struct bufalloc_verdict *verdict)
{
	return verdict->count;
}

int
bufalloc_verdict_get_use(const struct bufalloc_verdict *verdict, size_t index,
			 struct bufalloc_use_result *result)
{
	if (index >= verdict->count) {
		return -EINVAL;
	}
	*result = verdict->uses[index].result;
	return 0;
}

const char *
bufalloc_verdict_text(const struct bufalloc_verdict *verdict)
{
	return verdict->text;
}
