/* SPDX-License-Identifier: MIT */
/*
 * tests/fragment, run by a test: it fragments the guest's memory and holds it
 * so. It reads $FRAGMENT_FILE to fill the page cache.
 */
#ifndef FRAGMENTER_H
#define FRAGMENTER_H

#include <sys/types.h>

struct fragmenter {
	pid_t pid;
	int stdin_fd;
};

/* Returns when memory is as that level makes it; the row fails if that fails. */
struct fragmenter
fragmenter_start(const char *level);

/* Frees what it held; the row fails if it did not end well. */
void
fragmenter_stop(struct fragmenter *fragmenter);

#endif /* FRAGMENTER_H */
