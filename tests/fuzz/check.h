/* SPDX-License-Identifier: MIT */
/* The parts of the fuzzer that need no kernel. */
#ifndef FUZZ_CHECK_H
#define FUZZ_CHECK_H

#include "corpus.h"

/* Prints TAP; returns main()'s exit status. @corpus was read from files. */
int
check(const struct corpus *corpus, unsigned int count);

#endif /* FUZZ_CHECK_H */
