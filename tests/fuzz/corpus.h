/* SPDX-License-Identifier: MIT */
/*
 * The programs that are kept, in memory that the workers share. As a file: programs
 * with an empty line between them.
 */
#ifndef FUZZ_CORPUS_H
#define FUZZ_CORPUS_H

#include <stdbool.h>
#include <stdint.h>

#include "program.h"

#define CORPUS_MAX 8192

struct corpus {
	uint32_t count;
	struct program programs[CORPUS_MAX];
};

/* Append; false: it is full. By several processes at once. */
bool
corpus_add(struct corpus *corpus, const struct program *program);

/* Append the programs of a file; false, with a line about why, if that is wrong. */
bool
corpus_load(struct corpus *corpus, const char *path);

/* Append those from @first on to a file; how many there are now. */
uint32_t
corpus_save(const struct corpus *corpus, uint32_t first, const char *path);

#endif /* FUZZ_CORPUS_H */
