// SPDX-License-Identifier: GPL-2.0
/*
 * The cheapest blocks to empty; see survey.h.
 */
#include "survey.h"

/*
 * Where should a range of @length bytes (more than 0) start that satisfies
 * @need? At the first byte of a block, where emptying costs least; at the lowest
 * of several such blocks.
 *
 * Return: the index of that block, or -1 if there is none.
 */
int bufalloc_survey_cheapest(const struct bufalloc_survey *survey,
			     const struct bufalloc_need *need, u64 length)
{
	u64 blocks = ((length - 1) >> survey->shift) + 1;
	u64 sum = 0, best_sum = ~(u64)0;
	/* Blocks up to this one that can be emptied, one after the other. */
	u64 run = 0;
	unsigned int i;
	int best = -1;

	for (i = 0; i < survey->count; i++) {
		unsigned int first;

		if (survey->costs[i] == BUFALLOC_BLOCK_STAYS) {
			run = 0;
			sum = 0;
			continue;
		}
		sum += survey->costs[i];
		if (++run < blocks)
			continue;
		first = i + 1 - blocks;
		if (sum < best_sum &&
		    bufalloc_constraint_range_fits(need, survey->start +
						   ((u64)first << survey->shift),
						   length)) {
			best = first;
			best_sum = sum;
		}
		sum -= survey->costs[first];
	}
	return best;
}
