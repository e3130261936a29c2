/* SPDX-License-Identifier: MIT */
/*
 * Firmware files of the tests' own, in a folder that the kernel is told to look in
 * first.
 */
#ifndef FWFILE_H
#define FWFILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define FWFILE_FOLDER "/tmp/ba-firmware"

/* Make the folder; the row is skipped if the kernel has no firmware loader. */
void
fwfile_set_up(void);

/* Write a file there (of any path); the row fails if that fails. */
void
fwfile_write(const char *path, const void *data, size_t length);

/* A file in the folder, whose bytes are that seed's. */
void
fwfile_make(const char *name, size_t length, uint32_t seed);

/* Are these the bytes of such a file? */
bool
fwfile_is(const uint8_t *bytes, size_t length, uint32_t seed);

#endif /* FWFILE_H */
