/* SPDX-License-Identifier: MIT */
/*
 * The sample display (kernel/samples/bufalloc-display.c): a picture is read once,
 * when it is new, and then its CRC can be read.
 */
#ifndef PANEL_H
#define PANEL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "display.h"

#define PANEL "bufalloc-display"
#define PANEL_WIDTH 64
#define PANEL_HEIGHT 32

/* The display of 64x32; the row is skipped if there is none. */
struct display
panel_open(void);

/*
 * Begin to read CRCs while something is shown: its CRC, and a file for those of
 * what is shown next, which the caller closes.
 */
int
panel_begin_crcs(const struct display *display, unsigned int *now);

/* The CRC of the next picture; its number, if anybody wants that. */
unsigned int
panel_next_crc(int crcs, unsigned int *number);

/* No picture was read since the last CRC. */
void
panel_check_no_crc(int crcs);

/* A flip that ends with an event; 0, or -errno. */
int
panel_flip(const struct display *display, uint32_t fb);
void
panel_wait_flip(const struct display *display);

/* A framebuffer of NV12 in the size of the mode, both planes in one buffer. */
uint32_t
panel_add_nv12(const struct display *display, uint32_t handle);

/* CRC-32 of IEEE 802.3, as zlib has it. */
unsigned int
panel_crc_of(const void *data, size_t length);

/* How many interrupts its device has raised. */
unsigned long
panel_interrupts(void);

/* PCI name of the display ("0000:00:04.0"). */
const char *
panel_pci_name(const struct display *display);

/* Unbind it from its driver, and bind it again; the row fails if that fails. */
void
panel_unbind(const char *pci_name);
void
panel_bind(const char *pci_name);

/* Has it an IOMMU domain of its own, from the next bind on? */
void
panel_set_own_domain(bool own);

#endif /* PANEL_H */
