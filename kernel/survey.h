/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Which neighbouring blocks of memory to empty for one physical range: those
 * that cost least. Pure C: it is also compiled and tested outside
 * the kernel (tests/unit/test_survey.c).
 */
#ifndef BUFALLOC_SURVEY_H
#define BUFALLOC_SURVEY_H

#include "constraint.h"

typedef __u16 u16;

/* The cost of a block that cannot be emptied. */
#define BUFALLOC_BLOCK_STAYS ((u16)0xffff)

/**
 * struct bufalloc_survey - what is known of neighbouring blocks of memory
 * @start: physical address of the first one
 * @shift: each has 1 << @shift bytes
 * @count: number of them
 * @costs: for each, what it costs to empty it, or BUFALLOC_BLOCK_STAYS
 */
struct bufalloc_survey {
	u64 start;
	unsigned int shift;
	unsigned int count;
	u16 *costs;
};

int bufalloc_survey_cheapest(const struct bufalloc_survey *survey,
			     const struct bufalloc_need *need, u64 length);

#endif /* BUFALLOC_SURVEY_H */
