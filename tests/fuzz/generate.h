/* SPDX-License-Identifier: MIT */
/* Programs out of nothing, and out of others. */
#ifndef FUZZ_GENERATE_H
#define FUZZ_GENERATE_H

#include "program.h"
#include "random.h"

/* Once, before the others. */
void
generate_prepare(void);

void
generate(struct program *program, struct random *random);

/* Change it, perhaps by parts of @other. */
void
mutate(struct program *program, const struct program *other, struct random *random);

#endif /* FUZZ_GENERATE_H */
