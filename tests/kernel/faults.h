/* SPDX-License-Identifier: MIT */
/*
 * Fault sweeps: an operation is done again and again, and each time another one of
 * the kernel's allocations and copies from and to user space fails that it makes,
 * until none does; then the same with all failing from that one on.
 */
#ifndef FAULTS_H
#define FAULTS_H

#include <errno.h>
#include <stdbool.h>
#include <stddef.h>

#include "ktest.h"

#define FAULTS_ERRNOS 6

/**
 * struct faults_op - an operation
 * @name: of it, for messages
 * @prepare: what comes before it; nothing fails meanwhile. May be NULL
 * @run: it: 0, or its errno. It undoes what it did before it failed, if the kernel
 *	did not; CHECK() is not for here
 * @undo: what comes after it, also after one that failed. May be NULL
 * @errnos: that it may end with, besides 0; what a header documents for memory
 *	that ran out and for user memory that cannot be read or written
 */
struct faults_op {
	const char *name;
	void (*prepare)(void);
	int (*run)(void);
	void (*undo)(void);
	int errnos[FAULTS_ERRNOS];
};

/* What most operations may end with: no memory, or user memory that fails. */
#define FAULTS_NOTHING_LEFT    \
	{                      \
		ENOMEM, EFAULT \
	}

/* A row that sweeps the operation whose members these are. */
#define FAULTS_ROW(fn, ...)                                         \
	static void fn(void)                                        \
	{                                                           \
		static const struct faults_op op = { __VA_ARGS__ }; \
		faults_sweep(&op);                                  \
	}

/*
 * Sweep it, both ways. The row fails if an end of it is another, or leaves an object
 * or a file descriptor; it is skipped where the kernel has no such faults.
 */
void
faults_sweep(const struct faults_op *op);

/*
 * No memory is left that our modules allocated, by what the kernel knows of all
 * (kmemleak, page owner). The row fails if there is some.
 */
void
faults_check_leaks(void);

/* Keep what this program's sweeps found, for faults_report(). */
void
faults_keep(void);

/* The figures of all programs that ran since the guest was started. */
void
faults_report(void);

/* errno of what returned -1, else 0. */
int
faults_errno(long ret);

/* Close it, if it is not -1 by now, which it is from then on. */
void
faults_close(int *fd);

#endif /* FAULTS_H */
