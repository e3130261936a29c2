/* SPDX-License-Identifier: MIT */
/* What the CPU does with a part of a buffer. */
#include <errno.h>
#include <linux/bufalloc.h>

#include "private.h"

_Static_assert((int)BUFALLOC_READ == (int)BUFALLOC_SYNC_READ &&
		       (int)BUFALLOC_WRITE == (int)BUFALLOC_SYNC_WRITE &&
		       (int)BUFALLOC_BEGIN == (int)BUFALLOC_SYNC_START &&
		       (int)BUFALLOC_END == (int)BUFALLOC_SYNC_END,
	       "the library's and the kernel's bits of SYNC_RANGE are equal");

int
bufalloc_sync_range(struct bufalloc_ctx *ctx, int fd, uint64_t offset,
		    uint64_t length, enum bufalloc_access access,
		    enum bufalloc_phase phase)
{
	struct bufalloc_sync_range sync = {
		.size = sizeof(sync),
		.flags = (uint32_t)access | (uint32_t)phase,
		.fd = fd,
		.offset = offset,
		.length = length,
	};

	if ((access & ~(unsigned int)BUFALLOC_READ_WRITE) != 0 ||
	    (phase != BUFALLOC_BEGIN && phase != BUFALLOC_END)) {
		return -EINVAL;
	}
	return private_module_ioctl_again(ctx, BUFALLOC_IOCTL_SYNC_RANGE, &sync);
}

static int
copy(struct bufalloc_ctx *ctx, struct bufalloc_copy copy, uint64_t *copied)
{
	int ret = private_module_ioctl_again(ctx, BUFALLOC_IOCTL_COPY, &copy);

	if (copied != NULL) {
		*copied = copy.out_copied;
	}
	return ret;
}

int
bufalloc_copy_in(struct bufalloc_ctx *ctx, int fd, uint64_t offset,
		 const void *from, uint64_t length, uint64_t *copied)
{
	return copy(ctx,
		    (struct bufalloc_copy){
			    .size = sizeof(struct bufalloc_copy),
			    .flags = BUFALLOC_COPY_IN,
			    .fd = fd,
			    .offset = offset,
			    .length = length,
			    .address = (uintptr_t)from,
		    },
		    copied);
}

int
bufalloc_copy_out(struct bufalloc_ctx *ctx, int fd, uint64_t offset, void *to,
		  uint64_t length, uint64_t *copied)
{
	return copy(ctx,
		    (struct bufalloc_copy){
			    .size = sizeof(struct bufalloc_copy),
			    .fd = fd,
			    .offset = offset,
			    .length = length,
			    .address = (uintptr_t)to,
		    },
		    copied);
}
