/* SPDX-License-Identifier: MIT */
/*
 * io_uring without a library: one request at a time, and memory that is
 * registered, which means pinned.
 */
#ifndef URING_H
#define URING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct uring {
	int fd;
	void *rings, *entries;
	size_t rings_length;
	uint32_t *sq_tail, *sq_array, *cq_head, *cq_tail;
	void *cqes;
};

/* The row is skipped if this kernel has no io_uring. */
struct uring
uring_open(void);

void
uring_close(struct uring *uring);

/* Register (pin) that memory as buffer 0: 0, or -1 and errno. */
int
uring_try_register(struct uring *uring, void *data, size_t length);

/* Begin to read from that file to the registered memory at @data. */
void
uring_read_fixed(struct uring *uring, int fd, void *data, size_t length,
		 uint64_t offset);

/* Is it done? Then *@result is what read() returns, or -errno. */
bool
uring_is_done(struct uring *uring, int *result);

#endif /* URING_H */
