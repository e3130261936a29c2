/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What devices need of a buffer's pages, and how the needs of several merge:
 * the tightest wins, and it is remembered whose it was. Pure C: it is also
 * compiled and tested outside the kernel (tests/unit/test_constraint.c).
 */
#ifndef BUFALLOC_CONSTRAINT_H
#define BUFALLOC_CONSTRAINT_H

#include <linux/types.h>
#ifndef __KERNEL__
#include <stdbool.h>
#include <stdint.h>
typedef __u32 u32;
typedef __u64 u64;
#endif

#define BUFALLOC_ANY_ADDRESS (~(u64)0)
#define BUFALLOC_ANY_BOUNDARY (~(u64)0)
#define BUFALLOC_ANY_LENGTH (~(u64)0)

struct bufalloc_endpoint;

/* No device decided. */
#define BUFALLOC_NOBODY (-1)

/**
 * struct bufalloc_need - what one device needs of the pages, or several do
 * @limit: highest physical address that it reaches, or BUFALLOC_ANY_ADDRESS
 *	(also behind an IOMMU that translates)
 * @boundary: the buffer must not cross a multiple of this + 1 (a power of two),
 *	or BUFALLOC_ANY_BOUNDARY. Of devices that take one segment only; what is
 *	mapped for the others is cut at their boundary
 * @longest: no buffer of more bytes can be mapped for it, whatever its pages; or
 *	BUFALLOC_ANY_LENGTH
 * @longest_why: what @longest comes from: whatever whoever asks puts there
 * @one_run: the pages must be one physical run
 * @vmap: it needs a kernel mapping
 * @own: the one device that has memory of its own; NULL: none, or several have
 * @unknown: devices that nobody knows, or whose reach cannot be told, may use
 *	the buffer as well
 */
struct bufalloc_need {
	u64 limit;
	u64 boundary;
	u64 longest;
	u32 longest_why;
	bool one_run;
	bool vmap;
	bool unknown;
	const struct bufalloc_endpoint *own;
};

/**
 * struct bufalloc_merged - what all devices need together, and the caller
 * @need: the tightest of each
 * @limit_by: index of the device that @need.limit is of, or BUFALLOC_NOBODY;
 *	the first one where several have the same
 * @boundary_by: the same for @need.boundary
 * @longest_by: the same for @need.longest
 * @one_run_by: the first device that needs one run; BUFALLOC_NOBODY also if
 *	only the caller does
 * @vmap_by: the first device that needs a kernel mapping
 * @own_by: index of @need.own
 * @attributes: enum bufalloc_attribute bits that the caller wants
 */
struct bufalloc_merged {
	struct bufalloc_need need;
	int limit_by;
	int boundary_by;
	int longest_by;
	int one_run_by;
	int vmap_by;
	int own_by;
	u64 attributes;
};

/**
 * enum bufalloc_conflict - why no memory whatever can satisfy merged needs
 * @BUFALLOC_CONFLICT_NONE: some can
 * @BUFALLOC_CONFLICT_LIMIT: the buffer is longer than what limit_by reaches
 * @BUFALLOC_CONFLICT_BOUNDARY: it is longer than boundary_by's boundary allows
 *	and must be one run
 * @BUFALLOC_CONFLICT_VMAP: vmap_by needs a kernel mapping, which
 *	BUFALLOC_ATTRIBUTE_NEVER_CPU forbids
 * @BUFALLOC_CONFLICT_LENGTH: it is longer than what longest_by can map, because
 *	of need.longest_why
 */
enum bufalloc_conflict {
	BUFALLOC_CONFLICT_NONE,
	BUFALLOC_CONFLICT_LIMIT,
	BUFALLOC_CONFLICT_BOUNDARY,
	BUFALLOC_CONFLICT_VMAP,
	BUFALLOC_CONFLICT_LENGTH,
};

void bufalloc_constraint_init(struct bufalloc_merged *merged);
void bufalloc_constraint_merge(struct bufalloc_merged *merged,
			       const struct bufalloc_need *need, int device);
void bufalloc_constraint_merge_caller(struct bufalloc_merged *merged,
				      u64 attributes);
enum bufalloc_conflict
bufalloc_constraint_conflict(const struct bufalloc_merged *merged, u64 length);
bool bufalloc_constraint_range_fits(const struct bufalloc_need *need,
				    u64 start, u64 length);

#endif /* BUFALLOC_CONSTRAINT_H */
