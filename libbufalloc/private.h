/* SPDX-License-Identifier: MIT */
/* What the files of libbufalloc share and its users do not see. */
#ifndef LIBBUFALLOC_PRIVATE_H
#define LIBBUFALLOC_PRIVATE_H

#include <bufalloc/bufalloc.h>

struct bufalloc_ctx {
	int fd;
};

/** ioctl(2) that returns 0 or -errno. */
int
private_ioctl(int fd, unsigned long request, void *arg);

#endif /* LIBBUFALLOC_PRIVATE_H */
