// SPDX-License-Identifier: GPL-2.0
/*
 * Needs of devices and how they merge; see constraint.h.
 */
#include <uapi/linux/bufalloc.h>

#include "constraint.h"

void bufalloc_constraint_init(struct bufalloc_merged *merged)
{
	merged->need.limit = BUFALLOC_ANY_ADDRESS;
	merged->need.boundary = BUFALLOC_ANY_BOUNDARY;
	merged->need.longest = BUFALLOC_ANY_LENGTH;
	merged->need.longest_why = 0;
	merged->need.one_run = false;
	merged->need.vmap = false;
	merged->need.unknown = false;
	merged->need.own = NULL;
	merged->limit_by = BUFALLOC_NOBODY;
	merged->boundary_by = BUFALLOC_NOBODY;
	merged->longest_by = BUFALLOC_NOBODY;
	merged->one_run_by = BUFALLOC_NOBODY;
	merged->vmap_by = BUFALLOC_NOBODY;
	merged->own_by = BUFALLOC_NOBODY;
	merged->attributes = 0;
}

/* Add the need of the device with that index. */
void bufalloc_constraint_merge(struct bufalloc_merged *merged,
			       const struct bufalloc_need *need, int device)
{
	if (need->limit < merged->need.limit) {
		merged->need.limit = need->limit;
		merged->limit_by = device;
	}
	if (need->boundary < merged->need.boundary) {
		merged->need.boundary = need->boundary;
		merged->boundary_by = device;
	}
	if (need->longest < merged->need.longest) {
		merged->need.longest = need->longest;
		merged->need.longest_why = need->longest_why;
		merged->longest_by = device;
	}
	if (need->one_run && !merged->need.one_run) {
		merged->need.one_run = true;
		merged->one_run_by = device;
	}
	if (need->vmap && !merged->need.vmap) {
		merged->need.vmap = true;
		merged->vmap_by = device;
	}
	merged->need.unknown |= need->unknown;
}

/* Add what the caller wants, after all devices: enum bufalloc_attribute bits. */
void bufalloc_constraint_merge_caller(struct bufalloc_merged *merged,
				      u64 attributes)
{
	merged->attributes = attributes;
	if (attributes & BUFALLOC_ATTRIBUTE_CONTIGUOUS)
		merged->need.one_run = true;
}

/* Can a buffer of @length bytes (more than 0) exist at all? */
enum bufalloc_conflict
bufalloc_constraint_conflict(const struct bufalloc_merged *merged, u64 length)
{
	/* Written so that a limit or a boundary of all ones cannot overflow. */
	if (length - 1 > merged->need.limit)
		return BUFALLOC_CONFLICT_LIMIT;
	if (merged->need.one_run && length - 1 > merged->need.boundary)
		return BUFALLOC_CONFLICT_BOUNDARY;
	if (merged->need.vmap &&
	    merged->attributes & BUFALLOC_ATTRIBUTE_NEVER_CPU)
		return BUFALLOC_CONFLICT_VMAP;
	if (length > merged->need.longest)
		return BUFALLOC_CONFLICT_LENGTH;
	return BUFALLOC_CONFLICT_NONE;
}

/* Does one physical range of @length bytes (more than 0) satisfy @need? */
bool bufalloc_constraint_range_fits(const struct bufalloc_need *need,
				    u64 start, u64 length)
{
	u64 last = start + (length - 1);

	if (last < start || last > need->limit)
		return false;
	return (start & ~need->boundary) == (last & ~need->boundary);
}
