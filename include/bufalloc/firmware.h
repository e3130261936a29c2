/* SPDX-License-Identifier: MIT */
/*
 * Firmware files in buffers.
 *
 * Include <bufalloc/bufalloc.h>, which has the conventions and includes this.
 */
#ifndef BUFALLOC_FIRMWARE_H
#define BUFALLOC_FIRMWARE_H

#include <stddef.h>

#include <bufalloc/types.h>

#ifdef __cplusplus
extern "C" {
#endif

/**
 * Let the kernel read a firmware file to a buffer (BUFALLOC_IOCTL_LOAD_FIRMWARE),
 * also to one that is BUFALLOC_ATTR_NEVER_CPU, without a second copy in memory.
 * For processes with CAP_SYS_ADMIN: the file may be for root alone.
 *
 * fd: a dma-buf of bufalloc's, not a read-only one. It stays the caller's.
 * offset: where the file begins in the buffer, in bytes.
 * name: of the file, relative to the folders that the kernel looks for firmware
 *     in (/lib/firmware, ...), without "..", 255 bytes at most.
 * length: may be NULL; set to the number of bytes that the file has.
 *
 * The file is read twice, to see that both times it was the same. Devices that
 * use the buffer are waited for and synced with.
 *
 * Returns 0, or
 * -EPERM  the process lacks CAP_SYS_ADMIN
 * -EINVAL  name is empty, too long, absolute or has a part "..", offset is not
 *          in the buffer, or fd is not a dma-buf
 * -EFAULT  name is NULL
 * -EBADF  fd is not open
 * -EACCES  fd is read-only, or the buffer is memory that was imported to be so,
 *          or a security module refuses
 * -ENOENT  there is no such file, or it is empty
 * -EMEDIUMTYPE  there is only a compressed one (.xz, .zst)
 * -EFBIG  the file is longer than the rest of the buffer
 * -ESTALE  the file changed while it was read
 * -ENOMEM  the memory ran out
 * -EOPNOTSUPP  fd is a dma-buf of another exporter, the kernel has no firmware
 *              loader or the file built in, or the system is about to sleep
 * -ENOTTY  bufalloc.ko is older than this call
 * -EIO and others of the file system
 *
 * After -ESTALE and errors of the file system the buffer has any bytes from
 * offset on; after the others it is as it was. EINTR is retried.
 */
int
bufalloc_load_firmware(struct bufalloc_ctx *ctx, int fd, uint64_t offset,
		       const char *name, uint64_t *length);

/**
 * Write one sentence about a failed bufalloc_load_firmware(): which file, what is
 * wrong, what to do.
 *
 * name: as given to bufalloc_load_firmware(), err: what that returned.
 * text, size: always terminated if size is not 0.
 *
 * Returns the length that the whole sentence has, as snprintf(3).
 */
int
bufalloc_firmware_strerror(const char *name, int err, char *text, size_t size);

#ifdef __cplusplus
}
#endif

#endif /* BUFALLOC_FIRMWARE_H */
