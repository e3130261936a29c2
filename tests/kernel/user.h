/* SPDX-License-Identifier: MIT */
/*
 * Memory of a process's own as a dma-buf (IMPORT_USER), and what the kernel says
 * about pins.
 */
#ifndef USER_H
#define USER_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "ktest.h"

#define PAGE ((size_t)4096)

/* A request for IMPORT_USER without devices and verdict. */
struct bufalloc_import_user
user_request(const void *address, uint64_t length, uint32_t flags);

/* IMPORT_USER: a file descriptor, or -1 and errno. */
int
user_try_import(int node, const void *address, uint64_t length, uint32_t flags);

/* The same; the row fails if that fails. */
int
user_import(int node, const void *address, uint64_t length, uint32_t flags);

/*
 * IMPORT_USER for devices with that access; the row fails if verdict and errno
 * disagree.
 */
struct ba_outcome
user_import_for(int node, const void *address, uint64_t length, uint32_t flags,
		const int *fds, uint32_t count, uint32_t access);

/* Anonymous private memory, touched page by page in an order that scatters it. */
uint8_t *
user_scattered(size_t length);

/* mmap of anonymous memory with more flags (MAP_SHARED, ...). */
void *
user_anonymous(size_t length, int flags);

/* A memfd of that length. */
int
user_memfd(size_t length, unsigned int flags);

/* Pages that are pinned now, by anybody (/proc/vmstat). */
long long
user_pins(void);

/* VmPin of this process in KiB (/proc/self/status). */
long
user_vm_pin(void);

/* What is expected in a range that starts at that offset of the pattern. */
size_t
user_mismatch(int fd, size_t length);

#endif /* USER_H */
