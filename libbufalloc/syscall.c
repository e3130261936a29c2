/* SPDX-License-Identifier: MIT */
/* System calls that a signal may interrupt. */
#include <errno.h>

#include "private.h"

int
private_ioctl_again(int fd, unsigned long request, void *arg)
{
	int ret;

	do {
		ret = private_ioctl(fd, request, arg);
	} while (ret == -EINTR || ret == -EAGAIN);

	return ret;
}
