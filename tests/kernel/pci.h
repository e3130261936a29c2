/* SPDX-License-Identifier: MIT */
/* PCI devices and their drivers. */
#ifndef PCI_H
#define PCI_H

#include <limits.h>

/*
 * The name (0000:00:02.0) of the device that the link leads to, at the end of @name.
 * NULL: there is no such link.
 */
const char *
pci_name(const char *link, char name[PATH_MAX]);

/* Write a device's name to a file of the driver's: "bind" or "unbind". */
void
pci_tell_driver(const char *driver, const char *file, const char *name);

#endif /* PCI_H */
