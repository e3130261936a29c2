// SPDX-License-Identifier: MIT
#include <stddef.h>
#include <string.h>
#include <sys/klog.h>

#include "klog.h"
#include "ktest.h"

/* Of syslog(2), which glibc calls klogctl() and has no names for. */
enum { READ_ALL = 3, CLEAR = 5 };

void
klog_clear(void)
{
	CHECK_EQ(klogctl(CLEAR, NULL, 0), 0);
}

bool
klog_says(const char *text)
{
	static char log[1 << 20];
	int length = klogctl(READ_ALL, log, sizeof(log) - 1);

	CHECK(length >= 0);
	log[length] = '\0';
	return strstr(log, text) != NULL;
}
