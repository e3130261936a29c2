/* SPDX-License-Identifier: MIT */
/* The kernel's log. */
#ifndef KLOG_H
#define KLOG_H

#include <stdbool.h>

void
klog_clear(void);

/* Is that in it, since it was cleared? */
bool
klog_says(const char *text);

#endif /* KLOG_H */
