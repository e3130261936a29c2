/* SPDX-License-Identifier: MIT */
/*
 * The last programs of each worker, in memory of the host's (QEMU's ivshmem), where
 * they are after the guest has died.
 */
#ifndef FUZZ_RING_H
#define FUZZ_RING_H

#include "program.h"

#define RING_BYTES (1u << 20)
#define RING_WORKERS 4
#define RING_PROGRAMS 16

struct ring_worker {
	uint64_t count; /* of programs so far: the last one is at (count - 1) % ... */
	struct program programs[RING_PROGRAMS];
};

struct ring {
	uint64_t programs; /* so far, of all workers */
	uint64_t imported; /* of them: those that reached an import */
	struct ring_worker workers[RING_WORKERS];
};

_Static_assert(sizeof(struct ring) <= RING_BYTES, "the ring is too long");

/* The device's memory, or if there is none the process's own. */
struct ring *
ring_open(void);

/* It will run next. */
void
ring_put(struct ring_worker *worker, const struct program *program);

/* Print what a file of the host has: programs, oldest first. */
int
ring_print(const char *path);

#endif /* FUZZ_RING_H */
