/* SPDX-License-Identifier: MIT */
/*
 * Other allocators of dma-bufs, where the guest's kernel has them.
 */
#ifndef PEERS_H
#define PEERS_H

#include <stddef.h>
#include <stdint.h>

/* The dma-heap "system", opened; -1 if there is none. */
int
dma_heap_open_system(void);

/* The dma-heap of the default CMA region, whatever it is called; or -1. */
int
dma_heap_open_cma(void);

/* A dma-buf, or -1 and errno. */
int
dma_heap_try_alloc(int heap, uint64_t length);

#endif /* PEERS_H */
