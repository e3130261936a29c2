/* SPDX-License-Identifier: MIT */
/*
 * vkms with its memory from bufalloc (ba_vkms) beside vkms as the kernel has it.
 */
#ifndef VKMS_H
#define VKMS_H

#define OURS "ba_vkms"

/* A mode that both have, and the bytes of its picture. */
#define WIDTH 640
#define HEIGHT 480
#define LENGTH ((size_t)WIDTH * HEIGHT * 4)

/* Run that with the card of each, ours first. */
void
with_both(void (*run)(int card));

#endif /* VKMS_H */
