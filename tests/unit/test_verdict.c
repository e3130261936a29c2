/* SPDX-License-Identifier: MIT */
/* A verdict's sentences. */
#include "mock.h"

#include <string.h>

static const struct bufalloc_device_info infos[] = {
	{ .out_driver = "vivid", .out_name = "video0" },
	{ .out_driver = "vkms", .out_name = "card0",
	  .out_iommu = BUFALLOC_IOMMU_DMA },
	{ .out_driver = "rockchip", .out_name = "card1",
	  .out_iommu = BUFALLOC_IOMMU_OTHER },
};

struct row {
	const char *text;
	uint32_t asked;
	uint32_t heap;
	uint32_t reason;
	uint32_t device;
	int error;
	uint32_t count;
	struct {
		uint32_t proof;
		uint32_t segments;
	} uses[3];
	uint64_t limit;
	uint64_t length;
	uint32_t with;
};

#define NOBODY BUFALLOC_NO_DEVICE
#define REASON(name) BUFALLOC_REASON_##name
#define PROOF(name) BUFALLOC_PROOF_##name

/* asked, chosen, reason, device, error, devices, ... */
static const struct row rows[] = {
	{ "system was chosen: it is the cheapest heap, and no device was named",
	  0, 1, REASON(NONE), NOBODY, 0, 0, { { 0 } }, 0, 4096, 0 },
	{ "system was chosen: it is the cheapest heap, and the device can use it; video0 (vivid): mapped for the CPU, it needs no DMA",
	  0, 1, REASON(NONE), NOBODY, 0, 1, { { PROOF(VMAPPED), 0 } }, 0, 4096, 0 },
	{ "system was chosen: it is the cheapest heap, and all devices can use it; video0 (vivid): mapped, 9 segments; card0 (vkms): mapped, 1 segment; "
	  "card1 (rockchip): mapped, 2 segments, but only an import proves that it works",
	  0, 1, REASON(NONE), NOBODY, 0, 3,
	  { { PROOF(MAPPED), 9 }, { PROOF(MAPPED), 1 }, { PROOF(UNPROVEN), 2 } }, 0, 4096, 0 },
	{ "contig was chosen because the caller named it; video0 (vivid): mapped, 1 segment",
	  2, 2, REASON(CALLER), NOBODY, 0, 1, { { PROOF(MAPPED), 1 } }, 0, 4096, 0 },
	{ "contig was chosen because video0 (vivid) takes one segment and has no IOMMU; video0 (vivid): mapped, 1 segment; card0 (vkms): mapped for the CPU, it needs no DMA",
	  0, 2, REASON(ONE_SEGMENT), 0, 0, 2,
	  { { PROOF(MAPPED), 1 }, { PROOF(VMAPPED), 0 } }, 0, 4096, 0 },
	{ "contig was chosen because card0 (vkms) takes one segment; video0 (vivid): mapped, 1 segment; card0 (vkms): mapped, 1 segment",
	  0, 2, REASON(ONE_SEGMENT), 1, 0, 2,
	  { { PROOF(MAPPED), 1 }, { PROOF(MAPPED), 1 } }, 0, 4096, 0 },
	{ "contig was chosen because video0 (vivid) reaches only the memory below 256 MiB; video0 (vivid): mapped, 1 segment",
	  0, 2, REASON(ADDRESS), 0, 0, 1, { { PROOF(MAPPED), 1 } }, 0x0fffffff, 4096, 0 },
	{ "contig was chosen because video0 (vivid) would get a copy (swiotlb) instead of the memory; video0 (vivid): mapped, 1 segment",
	  0, 2, REASON(BOUNCE), 0, 0, 1, { { PROOF(MAPPED), 1 } }, 0, 4096, 0 },
	{ "contig was chosen because a cheaper heap had no memory left; video0 (vivid): mapped, 1 segment",
	  0, 2, REASON(MEMORY), NOBODY, 0, 1, { { PROOF(MAPPED), 1 } }, 0, 4096, 0 },
	{ "an unknown heap was chosen: it is the cheapest heap, and the device can use it; video0 (vivid): not tried",
	  0, 9, REASON(NONE), NOBODY, 0, 1, { { PROOF(NONE), 0 } }, 0, 4096, 0 },

	{ "system cannot be used: video0 (vivid) takes one segment, has no IOMMU and got 9; try heap auto",
	  1, 1, REASON(ONE_SEGMENT), 0, ENOSPC, 1, { { PROOF(NONE), 9 } }, 0, 4096, 0 },
	{ "device cannot be used: exactly one of the devices must have memory of its own; try heap auto",
	  4, 4, REASON(OWN_MEMORY), NOBODY, ENOSPC, 1, { { 0 } }, 0, 4096, 0 },
	{ "contig cannot be used: card1 (rockchip) takes one segment and got 2; try heap auto",
	  2, 2, REASON(ONE_SEGMENT), 2, ENOSPC, 3,
	  { { 0 }, { 0 }, { PROOF(NONE), 2 } }, 0, 4096, 0 },
	{ "no heap can be used: video0 (vivid) takes one segment and has no IOMMU; ask for less, or leave that device out",
	  0, 2, REASON(ONE_SEGMENT), 0, ENOSPC, 1, { { 0 } }, 0, 4096, 0 },
	{ "no heap can be used: video0 (vivid) reaches only the memory below 4 GiB; ask for less, or leave that device out",
	  0, 2, REASON(ADDRESS), 0, ENOSPC, 1, { { 0 } }, UINT32_MAX, 4096, 0 },
	{ "no heap can be used: video0 (vivid) reaches only a part of the memory; ask for less, or leave that device out",
	  0, 2, REASON(ADDRESS), 0, ENOSPC, 1, { { 0 } }, UINT64_MAX, 4096, 0 },
	{ "no heap can be used: video0 (vivid) takes no segment that large; ask for less, or leave that device out",
	  0, 2, REASON(SEGMENT_SIZE), 0, ENOSPC, 1, { { 0 } }, 0, 4096, 0 },
	{ "no heap can be used: card0 (vkms) takes no segment that crosses its boundary; ask for less, or leave that device out",
	  0, 2, REASON(BOUNDARY), 1, ENOSPC, 2, { { 0 } }, 0, 4096, 0 },
	{ "no heap can be used: video0 (vivid) would get a copy (swiotlb) instead of the memory; ask for less, or leave that device out",
	  0, 2, REASON(BOUNCE), 0, ENOSPC, 1, { { 0 } }, 0, 4096, 0 },
	{ "system cannot be used: video0 (vivid) cannot map it for DMA; try heap auto",
	  1, 1, REASON(MAP), 0, ENOSPC, 1, { { 0 } }, 0, 4096, 0 },
	{ "system cannot be used: video0 (vivid) needs it mapped for the CPU, which failed; ask for less, or leave that device out",
	  0, 1, REASON(VMAP), 0, ENOMEM, 1, { { 0 } }, 0, 4096, 0 },
	{ "system cannot be used: video0 (vivid) was unbound from its driver; open it again when it is bound",
	  0, 1, REASON(UNBOUND), 0, ENODEV, 1, { { 0 } }, 0, 4096, 0 },
	{ "contig cannot be used: it has no memory left for 8294400 bytes that video0 (vivid) can use; ask for less, or free some",
	  0, 2, REASON(MEMORY), 0, ENOMEM, 1, { { 0 } }, 0, 8294400, 0 },
	{ "contig cannot be used: it has no memory left for 8294400 bytes that card0 (vkms) can use together with video0 (vivid) and card1 (rockchip); ask for less, or free some",
	  0, 2, REASON(MEMORY), 1, ENOMEM, 3, { { 0 } }, 0, 8294400, 5 },
	{ "no heap can be used: card0 (vkms) has too few addresses behind its IOMMU; ask for less, or leave that device out",
	  0, 0, REASON(ADDRESS), 1, ENOSPC, 2, { { 0 } }, UINT64_MAX, 4096, 0 },
	{ "system was chosen: it is the cheapest heap, and the device can use it; video0 (vivid): mapped for the CPU, but only an import proves that it works",
	  0, 1, REASON(NONE), NOBODY, 0, 1, { { PROOF(UNPROVEN), 0 } }, 0, 4096, 0 },
	{ "contig cannot be used: it has no memory left for 8294400 bytes; ask for less, or free some; try heap auto",
	  2, 2, REASON(MEMORY), NOBODY, ENOMEM, 1, { { 0 } }, 0, 8294400, 0 },
	{ "contig cannot be used: this user's limit on contiguous memory is reached, and video0 (vivid) needs it; "
	  "free some, or raise /sys/module/bufalloc/parameters/contig_limit_bytes, as root",
	  0, 2, REASON(LIMIT), 0, EDQUOT, 1, { { 0 } }, 0, 4096, 0 },
	{ "system cannot be used: video0 (vivid) refuses it (reason 99); try heap auto",
	  1, 1, 99, 0, ENOSPC, 1, { { 0 } }, 0, 4096, 0 },
	{ "system cannot be used: a device cannot map it for DMA; try heap auto",
	  1, 1, REASON(MAP), 7, ENOSPC, 1, { { 0 } }, 0, 4096, 0 },

	{ "no buffer: video0 (vivid) is not open",
	  0, 0, REASON(NOT_A_DEVICE), 0, EBADF, 1, { { 0 } }, 0, 4096, 0 },
	{ "no buffer: video0 (vivid) has no valid access: say whether the device reads, writes or both",
	  0, 0, REASON(NOT_A_DEVICE), 0, EINVAL, 1, { { 0 } }, 0, 4096, 0 },
	{ "no buffer: card0 (vkms) is no device that moves pictures, but a subdevice, media, VBI or radio node, or a device without DMA: name the node that captures or shows",
	  0, 0, REASON(NOT_A_DEVICE), 1, ENXIO, 2, { { 0 } }, 0, 4096, 0 },
	{ "no buffer: video0 (vivid) takes no dma-bufs: leave it out, or use another one",
	  0, 0, REASON(NOT_A_DEVICE), 0, EOPNOTSUPP, 1, { { 0 } }, 0, 4096, 0 },
	{ "no buffer: video0 (vivid) is no device that bufalloc knows, or it is unbound: name a V4L2 or DRM node, and load bufalloc-v4l2 and bufalloc-drm with 'modprobe', as root",
	  0, 0, REASON(NOT_A_DEVICE), 0, ENODEV, 1, { { 0 } }, 0, 4096, 0 },
	{ "no buffer: its length is 0; ask for 1 byte or more",
	  0, 0, REASON(NONE), NOBODY, EINVAL, 1, { { 0 } }, 0, 0, 0 },
	{ "no buffer: bufalloc.ko is older than this library and knows no devices; update the module",
	  0, 0, REASON(NONE), NOBODY, E2BIG, 1, { { 0 } }, 0, 4096, 0 },
	{ "no buffer of heap system: a fatal signal ended the call",
	  1, 1, REASON(NONE), NOBODY, EINTR, 1, { { 0 } }, 0, 4096, 0 },
};

static struct bufalloc_verdict *
verdict_of(struct bufalloc_ctx *ctx, const struct row *row)
{
	struct bufalloc_alloc_device results[3] = { { 0 } };
	struct bufalloc_alloc_verdict out = {
		.size = sizeof(out),
		.out_error = -row->error,
		.out_heap = row->heap,
		.out_reason = row->reason,
		.out_device = row->device,
		.out_limit = row->limit,
		.out_with_devices = row->with,
	};
	struct mock_alloc_for want = {
		.length = row->length,
		.heap = row->asked,
		.flags = BUFALLOC_ALLOC_DRY_RUN,
		.count = row->count,
	};
	struct bufalloc_verdict *verdict = NULL;
	uint32_t i;

	for (i = 0; i < row->count; i++) {
		want.uses[i].fd = 70 + (int)i;
		want.uses[i].access = BUFALLOC_READ;
		results[i].out_proof = row->uses[i].proof;
		results[i].out_segments = row->uses[i].segments;
	}
	mock_expect_alloc_for(&want, results, &out, row->error);
	for (i = 0; i < row->count; i++) {
		mock_expect_device_info(70 + (int)i, 1, &infos[i], 0);
	}
	assert_int_equal(bufalloc_alloc_for(ctx, row->length,
					    (enum bufalloc_heap)row->asked,
					    NULL, want.uses, row->count,
					    BUFALLOC_DRY_RUN, NULL, &verdict),
			 -row->error);
	return verdict;
}

static void
sentences(void **state)
{
	struct bufalloc_ctx *ctx = mock_open();
	struct bufalloc_verdict *verdict;
	size_t i;

	(void)state;
	for (i = 0; i < LEN(rows); i++) {
		verdict = verdict_of(ctx, &rows[i]);
		assert_string_equal(bufalloc_verdict_text(verdict),
				    rows[i].text);
		bufalloc_verdict_destroy(verdict);
		mock_expect_nothing_left();
	}
	bufalloc_close(ctx);
}

/* 16 devices with names as long as they can be: all of it is there. */
static void
longest_text_is_not_cut(void **state)
{
	struct bufalloc_alloc_device results[16] = { { 0 } };
	struct bufalloc_alloc_verdict out = {
		.size = 56,
		.out_heap = BUFALLOC_HEAP_CONTIG,
		.out_reason = BUFALLOC_REASON_ONE_SEGMENT,
		.out_device = 15,
	};
	struct mock_alloc_for want = {
		.length = 4096,
		.flags = BUFALLOC_ALLOC_DRY_RUN,
		.count = 16,
	};
	struct bufalloc_device_info info = { .size = sizeof(info) };
	struct bufalloc_ctx *ctx = mock_open();
	struct bufalloc_verdict *verdict;
	const char *end = "4294967295 segments, but only an import proves that it works";
	const char *text;
	size_t i, len;

	(void)state;
	memset(info.out_driver, 'd', sizeof(info.out_driver));
	memset(info.out_name, 'n', sizeof(info.out_name));
	for (i = 0; i < 16; i++) {
		want.uses[i].fd = 70;
		want.uses[i].access = BUFALLOC_READ;
		results[i].out_proof = BUFALLOC_PROOF_UNPROVEN;
		results[i].out_segments = UINT32_MAX;
	}
	mock_expect_alloc_for(&want, results, &out, 0);
	for (i = 0; i < 16; i++) {
		mock_expect_device_info(70, 1, &info, 0);
	}
	assert_int_equal(bufalloc_alloc_for(ctx, 4096, BUFALLOC_AUTO, NULL,
					    want.uses, 16, BUFALLOC_DRY_RUN,
					    NULL, &verdict),
			 0);
	text = bufalloc_verdict_text(verdict);
	len = strlen(text);
	assert_true(len > 16 * 100);
	assert_string_equal(text + len - strlen(end), end);
	bufalloc_verdict_destroy(verdict);
	bufalloc_close(ctx);
}

/* What was asked for in bytes has no layout, and the object says so. */
static void
json_without_a_layout(void **state)
{
	struct bufalloc_ctx *ctx = mock_open();
	struct bufalloc_verdict *verdict = verdict_of(ctx, &rows[1]);
	char text[4096];

	(void)state;
	assert_in_range(bufalloc_verdict_json(verdict, text, sizeof(text)), 1,
			sizeof(text) - 1);
	assert_non_null(strstr(text, "\"layout\":null,\"devices\":["));
	bufalloc_verdict_destroy(verdict);
	bufalloc_close(ctx);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, mock_setup, mock_teardown)

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		TEST(sentences),
		TEST(longest_text_is_not_cut),
		TEST(json_without_a_layout),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL) == 0 ? 0 : 1;
}
