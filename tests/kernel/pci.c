/* SPDX-License-Identifier: MIT */
#include "pci.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "ktest.h"

const char *
pci_name(const char *link, char name[PATH_MAX])
{
	ssize_t n = readlink(link, name, PATH_MAX - 1);

	if (n < 0) {
		return NULL;
	}
	name[n] = '\0';
	return strrchr(name, '/') + 1;
}

void
pci_tell_driver(const char *driver, const char *file, const char *name)
{
	char path[128];

	snprintf(path, sizeof(path), "/sys/bus/pci/drivers/%s/%s", driver, file);
	CHECK(ktest_put(path, name, 0));
}
