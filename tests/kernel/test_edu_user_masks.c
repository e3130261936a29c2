// SPDX-License-Identifier: MIT
/*
 * Memory of a process's own that a device without an IOMMU does not reach: it
 * would be copied, so it is refused for that device, and works for others. ba_edu0
 * has 28 bits, ba_edu2 all; the guest has memory above 4 GiB.
 */
#include <errno.h>
#include <sys/mman.h>
#include <unistd.h>

#include "edu.h"
#include "user.h"

#define LENGTH (PAGE * 256)
#define BOTH (BUFALLOC_ACCESS_READ | BUFALLOC_ACCESS_WRITE)

static void
out_of_reach(void)
{
	int node = ba_open();
	int edus[] = { edu_open(2, EDU_ANY_SEGMENTS),
		       edu_open(0, EDU_ANY_SEGMENTS) };
	uint8_t *memory = user_scattered(LENGTH);
	struct ba_outcome outcome =
		user_import_for(node, memory, LENGTH, 0, edus, 2, BOTH);

	CHECK_EQ(outcome.fd, -1);
	CHECK_EQ(outcome.verdict.out_error, -ENOSPC);
	CHECK_EQ(outcome.verdict.out_reason, BUFALLOC_REASON_ADDRESS);
	CHECK_EQ(outcome.verdict.out_device, 1);
	CHECK_EQ(outcome.verdict.out_limit_device, 1);

	outcome = user_import_for(node, memory, LENGTH, 0, edus, 1, BOTH);
	CHECK(outcome.fd >= 0);
	edu_import(edus[0], outcome.fd);
	CHECK_EQ(ba_buffer_info(node, outcome.fd).out_bounced, 0);
	CHECK(edu_spots_match(edus[0], edus[0], LENGTH));
	munmap(memory, LENGTH);
	close(outcome.fd);
	close(edus[0]);
	close(edus[1]);
	close(node);
}

/* Longer than all that it reaches: said before anything is pinned. */
static void
longer_than_the_mask(void)
{
	const size_t length = (size_t)257 << 20;
	int node = ba_open();
	int edu = edu_open(0, EDU_ANY_SEGMENTS);
	uint8_t *memory = user_anonymous(length, MAP_PRIVATE);
	struct ba_outcome outcome =
		user_import_for(node, memory, length, 0, &edu, 1, BOTH);

	CHECK_EQ(outcome.fd, -1);
	CHECK_EQ(outcome.verdict.out_error, -ENOSPC);
	CHECK_EQ(outcome.verdict.out_reason, BUFALLOC_REASON_ADDRESS);
	CHECK_EQ(outcome.verdict.out_device, 0);
	CHECK_EQ(outcome.verdict.out_tried, 0);
	munmap(memory, length);
	close(edu);
	close(node);
}

static const struct ktest_row rows[] = {
	{ "out-of-reach-enospc", out_of_reach },
	{ "longer-than-the-mask-enospc", longer_than_the_mask },
};

int
main(void)
{
	return ktest_main(rows, sizeof(rows) / sizeof(rows[0]));
}
