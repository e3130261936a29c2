/* SPDX-License-Identifier: GPL-2.0 WITH Linux-syscall-note */
/*
 * /dev/ba_ownN: a device that a devicetree gives memory of its own, as it does to
 * some video decoders. It is none: what it imports, it maps and looks at. QEMU has no
 * device on the platform's bus that does DMA for whoever asks; the device "edu" is
 * there for that.
 */
#ifndef BA_OWN_H
#define BA_OWN_H

#include <linux/ioctl.h>

/*
 * Argument: file descriptor of a dma-buf. Attach and map it: 1 if what the device sees
 * is in its own memory, else 0. EBUSY: it has one. ENODEV, also of the others: unbound.
 */
#define BA_OWN_IMPORT _IO('o', 0)
/* Unmap and detach; unbinding does it, too, and closing does not. */
#define BA_OWN_RELEASE _IO('o', 1)
/*
 * Argument: bytes. Can the driver allocate so many of its device's own memory? It gives
 * them back at once. ENOMEM: no.
 */
#define BA_OWN_ROOM _IO('o', 2)

#endif /* BA_OWN_H */
