/* SPDX-License-Identifier: MIT */
/* What a guest needs before programs run. */
#ifndef FUZZ_SETUP_H
#define FUZZ_SETUP_H

#include <stdbool.h>

/* Write to a file of the kernel's; false: that failed. */
bool
setup_put(const char *path, const char *text);

/* What fails on purpose says nothing of it, and may be anything. */
void
setup_faults(void);

/* Files that LOAD_FIRMWARE finds, and one that it finds only packed. */
bool
setup_firmware(void);

/* Copy gcov's counters of all modules to a folder. */
bool
setup_gcov_copy(const char *dir);

#endif /* FUZZ_SETUP_H */
