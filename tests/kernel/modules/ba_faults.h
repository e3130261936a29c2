/* SPDX-License-Identifier: GPL-2.0 WITH Linux-syscall-note */
/*
 * /dev/ba_faults: the thread that asks for it has its allocations and its copies from
 * and to user space fail. What counts is what the kernel's fault injection counts
 * (Documentation/fault-injection/fault-injection.rst, fail-nth); neither call
 * allocates or copies anything itself, as writing to /proc/self/fail-nth does.
 */
#ifndef BA_FAULTS_H
#define BA_FAULTS_H

#include <linux/ioctl.h>

/* From now on the Nth fails (N is the argument), and no other. */
#define BA_FAULTS_ONCE _IO('f', 0)
/* The Nth fails, and all after it. */
#define BA_FAULTS_FOREVER _IO('f', 1)
/* Nothing fails any more. Returns how many did. */
#define BA_FAULTS_END _IO('f', 2)

#endif /* BA_FAULTS_H */
