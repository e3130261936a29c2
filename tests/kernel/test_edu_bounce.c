// SPDX-License-Identifier: MIT
/*
 * A guest in which every DMA mapping bounces (swiotlb=force): no allocation for
 * devices may hide that, while a plain import works.
 */
#include <errno.h>
#include <unistd.h>

#include "edu.h"

static void
refused(uint32_t heap, uint64_t length, unsigned int segments)
{
	int node = ba_open();
	int edu = edu_open(0, segments);
	struct ba_outcome outcome = ba_alloc_for(node, heap, length, &edu, 1, 0);

	CHECK_EQ(outcome.fd, -1);
	CHECK_EQ(outcome.verdict.out_error, -ENOSPC);
	CHECK_EQ(outcome.verdict.out_reason, BUFALLOC_REASON_BOUNCE);
	CHECK_EQ(outcome.verdict.out_device, 0);
	CHECK_EQ(outcome.devices[0].out_error, -ENOSPC);
	CHECK_EQ(outcome.devices[0].out_reason, BUFALLOC_REASON_BOUNCE);
	CHECK_EQ(outcome.devices[0].out_proof, BUFALLOC_PROOF_NONE);
	close(edu);
	close(node);
}

static void
refused_auto(void)
{
	refused(BUFALLOC_HEAP_AUTO, 4096, EDU_ANY_SEGMENTS);
	refused(BUFALLOC_HEAP_AUTO, 4096, 1);
}

static void
refused_named(void)
{
	refused(BUFALLOC_HEAP_SYSTEM, 65536, EDU_ANY_SEGMENTS);
	refused(BUFALLOC_HEAP_CONTIG, 65536, 1);
}

/* Too long for the bounce memory: it is still the bouncing that is to blame. */
static void
refused_long(void)
{
	refused(BUFALLOC_HEAP_AUTO, 1920 * 1080 * 4, EDU_ANY_SEGMENTS);
	refused(BUFALLOC_HEAP_AUTO, 1920 * 1080 * 4, 1);
}

static void
plain_import(void)
{
	int node = ba_open();
	int edu = edu_open(0, EDU_ANY_SEGMENTS);
	int fd = ba_alloc(node, BUFALLOC_HEAP_SYSTEM, 128 << 10);

	edu_import(edu, fd);
	CHECK_EQ(ba_buffer_info(node, fd).out_bounced, 1);
	CHECK(edu_spots_match(edu, edu, 128 << 10));
	close(fd);
	close(edu);
	close(node);
}

static const struct ktest_row rows[] = {
	{ "alloc-for-a-device-enospc-bounce", refused_auto },
	{ "from-each-heap-enospc-bounce", refused_named },
	{ "longer-than-bounce-memory-enospc-bounce", refused_long },
	{ "plain-import-is-counted", plain_import },
};

int
main(void)
{
	return ktest_main(rows, sizeof(rows) / sizeof(rows[0]));
}
