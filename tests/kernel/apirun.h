/* SPDX-License-Identifier: MIT */
/*
 * Checks that run in the kernel, in a driver that calls bufalloc's in-kernel API
 * (modules/ba_api.h).
 */
#ifndef APIRUN_H
#define APIRUN_H

#include <stddef.h>
#include <stdint.h>

/*
 * Run one, on buffers of that heap and the caller's dma-buf (or -1). The row fails
 * if it does.
 */
void
apirun(const char *name, uint32_t heap, int fd);

/* The check "two_domains", and the fault that it must end with. */
void
apirun_two_domains(uint32_t heap);

/* The check "firmware" on this buffer of @length bytes, and what it loaded. */
void
apirun_firmware(int fd, size_t length);

#endif /* APIRUN_H */
