/* SPDX-License-Identifier: MIT */
/* Firmware files in buffers. */
#include <errno.h>
#include <limits.h>
#include <linux/bufalloc.h>
#include <stdio.h>

#include "private.h"

int
bufalloc_load_firmware(struct bufalloc_ctx *ctx, int fd, uint64_t offset,
		       const char *name, uint64_t *length)
{
	struct bufalloc_load_firmware load = {
		.size = sizeof(load),
		.fd = fd,
		.offset = offset,
		.name = (uintptr_t)name,
	};
	int ret;

	ret = private_module_ioctl_again(ctx, BUFALLOC_IOCTL_LOAD_FIRMWARE,
					 &load);
	if (ret == 0 && length != NULL) {
		*length = load.out_length;
	}
	return ret;
}

/* What is wrong, where this call means something else than others by it. */
static const struct {
	int number;
	char text[216];
} reasons[] = {
	{ EPERM, "that takes CAP_SYS_ADMIN; do it as root" },
	{ EINVAL, "its name is empty, too long, absolute or has a part '..', or it would begin behind the end of the buffer; name it relative to /lib/firmware" },
	{ EFAULT, "it has no name; name it relative to /lib/firmware" },
	{ ENOENT, "there is no such file, or it is empty; put it into /lib/firmware" },
	{ EMEDIUMTYPE, "there is only a compressed file of that name, which cannot be read in parts; unpack it with 'xz -dk' or 'zstd -d'" },
	{ EFBIG, "it is longer than the rest of the buffer; allocate a longer buffer" },
	{ ESTALE, "the file changed while it was read; load it again" },
	{ EACCES, "the buffer may not be written (a read-only file descriptor, or memory that was imported to be read only), or a security module refuses; use a buffer that may be written" },
	{ EOPNOTSUPP, "the buffer is another exporter's, the kernel has no firmware loader or has the file built in, or the system is about to sleep; use a buffer of bufalloc's" },
	{ EIO, "the file cannot be read; check the disk that it is on" },
};

int
bufalloc_firmware_strerror(const char *name, int err, char *text, size_t size)
{
	const char *reason = bufalloc_strerror(err);
	/* INT_MIN has no positive counterpart. */
	int number = err < 0 && err != INT_MIN ? -err : err;
	size_t i;

	if (name == NULL) {
		name = "(no name)";
	}
	if (number == 0) {
		return snprintf(text, size, "the firmware file '%s' is loaded",
				name);
	}
	for (i = 0; i < sizeof(reasons) / sizeof(reasons[0]); i++) {
		if (reasons[i].number == number) {
			reason = reasons[i].text;
		}
	}
	return snprintf(text, size, "cannot load the firmware file '%s': %s",
			name, reason);
}
