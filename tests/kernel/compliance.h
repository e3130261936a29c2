/* SPDX-License-Identifier: MIT */
/*
 * v4l2-compliance, run by a test. $V4L2_COMPLIANCE is its path.
 */
#ifndef COMPLIANCE_H
#define COMPLIANCE_H

#include <stdbool.h>
#include <stddef.h>

struct compliance {
	unsigned int failed, warnings;
	/* The tests that failed, a line each, sorted by when they ran. */
	char names[1024];
};

/*
 * All tests of it, and @frames frames for each way of streaming, on @all inputs or
 * on the current one, for the device that is open as @device; dma-bufs are of that
 * open as @exporter. Both are closed. The row is skipped without the tool, and
 * fails if one of @wanted is not among the tests that passed ("test MMAP (select"),
 * or if there is no total. What failed is noted.
 */
struct compliance
compliance_run(int device, int exporter, unsigned int frames, bool all,
	       const char *const *wanted, size_t count);

#endif /* COMPLIANCE_H */
