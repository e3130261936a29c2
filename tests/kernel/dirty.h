/* SPDX-License-Identifier: MIT */
/*
 * Memory that was somebody else's, for a new owner to be given.
 */
#ifndef DIRTY_H
#define DIRTY_H

#include <stddef.h>

/* So much of the machine's ordinary memory is written to and freed. */
void
dirty_memory(size_t length);

/* And all that was set aside for bufalloc, if there is any. */
void
dirty_regions(int node);

#endif /* DIRTY_H */
