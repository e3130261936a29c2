// SPDX-License-Identifier: GPL-2.0
/*
 * Buffers of the in-kernel API: allocated, refused, mapped for a device, exported.
 */
#include <linux/dma-buf.h>
#include <linux/dma-mapping.h>
#include <linux/err.h>
#include <linux/fs.h>
#include <linux/iommu.h>
#include <linux/pci.h>
#include <linux/string.h>

#include "api_checks.h"

void api_check_alloc(void)
{
	struct bufalloc_use uses[] = {
		{ .dev = api_dev(0), .access = BUFALLOC_ACCESS_WRITE },
		{ .dev = api_dev(1), .access = BUFALLOC_ACCESS_READ,
		  .max_segments = 1 },
		{ .access = BUFALLOC_ACCESS_READ },
	};
	struct bufalloc_alloc_verdict verdict;
	struct bufalloc_buffer *buf;

	buf = api_alloc_for(uses, ARRAY_SIZE(uses), API_LENGTH - 5, &verdict);
	EXPECT(!IS_ERR(buf));
	EXPECT(bufalloc_length(buf) == API_LENGTH);
	EXPECT(verdict.out_error == 0);
	EXPECT(uses[0].result.out_proof == BUFALLOC_PROOF_MAPPED);
	EXPECT(uses[1].result.out_proof == BUFALLOC_PROOF_MAPPED);
	EXPECT(uses[1].result.out_segments == 1);
	EXPECT(uses[2].result.out_proof == BUFALLOC_PROOF_VMAPPED);
out:
	bufalloc_put(buf);
}

void api_check_alloc_in_probe(void)
{
	EXPECT(api_devices[0].in_probe == 0);
	EXPECT(api_devices[1].in_probe == 0);
out:
	return;
}

/* Fill @peers up with devices that have no driver and, soon, only its reference. */
static int add_roots(struct bufalloc_peers *peers)
{
	int i, ret = 0;

	for (i = 0; !ret && i < BUFALLOC_MAX_DEVICES; i++) {
		struct device *root = root_device_register("ba_api_peer");

		if (IS_ERR(root))
			return PTR_ERR(root);
		ret = bufalloc_peers_add(peers, root);
		root_device_unregister(root);
	}
	return ret;
}

void api_check_peers(void)
{
	static struct bufalloc_peers peers; /* one check at a time */
	struct bufalloc_buffer *buf = NULL;
	struct bufalloc_alloc_verdict verdict;

	peers.uses[0].dev = api_dev(0);
	peers.uses[0].access = BUFALLOC_ACCESS_WRITE;
	peers.count = 1;
	EXPECT(bufalloc_peers_add(&peers, api_dev(0)) == -EINVAL);
	EXPECT(bufalloc_peers_add(&peers, api_dev(1)) == 0);
	EXPECT(bufalloc_peers_add(&peers, api_dev(1)) == -EEXIST);
	EXPECT(add_roots(&peers) == -E2BIG);
	EXPECT(peers.count == BUFALLOC_MAX_DEVICES);
	EXPECT(bufalloc_peers_hold(&peers, api_dev(0)) == 0);
	/* The others have no driver. */
	EXPECT(peers.count == 2);
	EXPECT(peers.uses[1].dev == api_dev(1));
	/* No driver can come or go. */
	EXPECT(mutex_is_locked(&api_dev(1)->mutex));
	buf = api_alloc_for(peers.uses, peers.count, API_LENGTH, &verdict);
	EXPECT(!IS_ERR(buf));
	EXPECT(peers.uses[1].result.out_proof == BUFALLOC_PROOF_MAPPED);
	EXPECT(peers.uses[1].result.out_segments == 1);
	bufalloc_peers_release(&peers);
	EXPECT(peers.count == 1);
	EXPECT(!mutex_is_locked(&api_dev(1)->mutex));
out:
	bufalloc_put(buf);
}

/* What bufalloc_alloc() answers when one thing is wrong. */
static long refusal(size_t length, u32 heap, u64 attributes,
		    unsigned int count, const struct bufalloc_use *use)
{
	static struct bufalloc_use uses[BUFALLOC_MAX_DEVICES + 1];
	struct bufalloc_request request = {
		.length = length,
		.heap = heap,
		.attributes = attributes,
		.uses = uses,
		.use_count = count,
	};
	struct bufalloc_alloc_verdict verdict;
	struct bufalloc_buffer *buf;
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(uses); i++)
		uses[i] = *use;
	buf = bufalloc_alloc(&request, &verdict);
	bufalloc_put(buf);
	if (PTR_ERR_OR_ZERO(buf) != verdict.out_error)
		return -EPROTO;
	return PTR_ERR_OR_ZERO(buf);
}

void api_check_refusals(void)
{
	const struct bufalloc_use good = {
		.dev = api_dev(0),
		.access = BUFALLOC_ACCESS_READ,
	};
	struct bufalloc_use bad = good;

	EXPECT(refusal(API_LENGTH, 0, 0, BUFALLOC_MAX_DEVICES, &good) == 0);
	EXPECT(refusal(0, 0, 0, 1, &good) == -EINVAL);
	EXPECT(refusal(API_LENGTH, 99, 0, 1, &good) == -EINVAL);
	EXPECT(refusal(API_LENGTH, 0, BIT_ULL(63), 1, &good) == -EINVAL);
	EXPECT(refusal(API_LENGTH, 0, 0, BUFALLOC_MAX_DEVICES + 1, &good) ==
	       -E2BIG);
	bad.access = 0;
	EXPECT(refusal(API_LENGTH, 0, 0, 1, &bad) == -EINVAL);
	bad.access = BIT(7);
	EXPECT(refusal(API_LENGTH, 0, 0, 1, &bad) == -EINVAL);
	bad = good;
	bad.max_segments = 2;
	EXPECT(refusal(API_LENGTH, 0, 0, 1, &bad) == -EINVAL);
	/* More than there is memory, and more than a device has addresses. */
	EXPECT(refusal(SIZE_MAX - PAGE_SIZE, 0, 0, 0, &good) == -ENOMEM);
	EXPECT(refusal(SIZE_MAX - PAGE_SIZE, 0, 0, 1, &good) == -ENOSPC);
	bad = good;
	bad.vmap = true;
	EXPECT(refusal(API_LENGTH, 0, BUFALLOC_ATTRIBUTE_NEVER_CPU, 1, &bad) ==
	       -ENOSPC);
out:
	return;
}

void api_check_map(void)
{
	struct bufalloc_buffer *from = api_alloc(API_LENGTH);
	struct bufalloc_buffer *to = api_alloc(API_LENGTH);

	EXPECT(!IS_ERR(from) && !IS_ERR(to));
	EXPECT(api_fill(from, 3, false) == 0);
	EXPECT(api_move(0, from, false) == 0);
	EXPECT(api_move(0, to, true) == 0);
	EXPECT(api_fill(to, 3, true) == 0);
	EXPECT(api_fill(to, 4, true) == -EILSEQ);
out:
	bufalloc_put(to);
	bufalloc_put(from);
}

/* The memory stays as long as anybody has it. */
void api_check_export(void)
{
	struct bufalloc_buffer *buf = api_alloc(API_LENGTH);
	struct bufalloc_buffer *again = NULL;
	struct dma_buf *dmabuf = NULL;

	EXPECT(!IS_ERR(buf));
	EXPECT(api_fill(buf, 9, false) == 0);
	dmabuf = bufalloc_export(buf, O_RDWR);
	EXPECT(!IS_ERR(dmabuf));
	EXPECT(dmabuf->size == API_LENGTH);
	bufalloc_put(buf);
	buf = NULL;
	again = bufalloc_of_dmabuf(dmabuf);
	EXPECT(again);
	dma_buf_put(dmabuf);
	dmabuf = NULL;
	EXPECT(api_fill(again, 9, true) == 0);
out:
	if (!IS_ERR_OR_NULL(dmabuf))
		dma_buf_put(dmabuf);
	bufalloc_put(again);
	bufalloc_put(buf);
}

/* Whoever took a reference has the memory, also when who allocated it has put his. */
void api_check_references(void)
{
	struct bufalloc_buffer *buf = api_alloc(API_LENGTH);
	struct bufalloc_buffer *again = NULL;

	EXPECT(!IS_ERR(buf));
	again = bufalloc_get(buf);
	EXPECT(again == buf);
	EXPECT(api_fill(buf, 9, false) == 0);
	bufalloc_put(buf);
	buf = NULL;
	EXPECT(bufalloc_length(again) == API_LENGTH);
	EXPECT(api_fill(again, 9, true) == 0);
	/* As kfree(). */
	bufalloc_put(NULL);
	bufalloc_put(ERR_PTR(-ENOMEM));
out:
	bufalloc_put(again);
	bufalloc_put(buf);
}

/* Into the caller's buffer, who has the file and looks at it afterwards. */
void api_check_firmware(void)
{
	struct dma_buf *dmabuf = dma_buf_get(api_callers_fd);
	struct bufalloc_buffer *buf = NULL;
	size_t length = 77;

	EXPECT(!IS_ERR(dmabuf));
	buf = bufalloc_of_dmabuf(dmabuf);
	EXPECT(buf);
	EXPECT(bufalloc_load_firmware(buf, bufalloc_length(buf), "ba-api.bin",
				      NULL, &length) == -EINVAL);
	EXPECT(bufalloc_load_firmware(buf, 0, "/ba-api.bin", NULL, &length) ==
	       -EINVAL);
	EXPECT(bufalloc_load_firmware(buf, 0, "ba-api-not-there.bin", NULL,
				      &length) == -ENOENT);
	EXPECT(bufalloc_load_firmware(buf, bufalloc_length(buf) - 1,
				      "ba-api.bin", NULL, &length) == -EFBIG);
	EXPECT(length == 77);
	EXPECT(bufalloc_load_firmware(buf, 12345, "ba-api.bin", api_dev(0),
				      &length) == 0);
	EXPECT(length == 150001);
out:
	bufalloc_put(buf);
	if (!IS_ERR(dmabuf))
		dma_buf_put(dmabuf);
}

static struct sg_table *foreign_map(struct dma_buf_attachment *attachment,
				    enum dma_data_direction dir)
{
	return ERR_PTR(-EIO);
}

static void foreign_unmap(struct dma_buf_attachment *attachment,
			  struct sg_table *table, enum dma_data_direction dir)
{
}

static void foreign_release(struct dma_buf *dmabuf)
{
}

static const struct dma_buf_ops foreign_ops = {
	.map_dma_buf = foreign_map,
	.unmap_dma_buf = foreign_unmap,
	.release = foreign_release,
};

void api_check_foreign_dmabuf(void)
{
	DEFINE_DMA_BUF_EXPORT_INFO(info);
	struct dma_buf *dmabuf;

	info.ops = &foreign_ops;
	info.size = PAGE_SIZE;
	info.priv = api_why;
	dmabuf = dma_buf_export(&info);
	EXPECT(!IS_ERR(dmabuf));
	EXPECT(!bufalloc_of_dmabuf(dmabuf));
	dma_buf_put(dmabuf);
out:
	return;
}

/* The caller's dma-buf is of memory that nobody may write to. */
void api_check_read_only(void)
{
	struct dma_buf *dmabuf = dma_buf_get(api_callers_fd);
	struct iommu_domain *domain = api_own_domain(0);
	struct bufalloc_buffer *buf = NULL;
	const unsigned long at = 0x30000000;
	struct bufalloc_window window;

	EXPECT(!IS_ERR(dmabuf) && !IS_ERR(domain));
	buf = bufalloc_of_dmabuf(dmabuf);
	EXPECT(buf);
	EXPECT(bufalloc_map(buf, api_dev(0)) == ERR_PTR(-EACCES));
	EXPECT(bufalloc_map_domain(buf, domain, at, API_READ_WRITE) == -EACCES);
	EXPECT(bufalloc_map_domain(buf, domain, at, IOMMU_WRITE) == -EACCES);
	EXPECT(!iommu_iova_to_phys(domain, at));
	EXPECT(bufalloc_map_domain(buf, domain, at, IOMMU_READ) == 0);
	bufalloc_unmap_domain(buf, domain, at);
	EXPECT(bufalloc_window_open(&window, buf, DMA_BIDIRECTIONAL) ==
	       -EACCES);
	EXPECT(bufalloc_window_open(&window, buf, DMA_TO_DEVICE) == -EACCES);
	EXPECT(bufalloc_window_open(&window, buf, DMA_FROM_DEVICE) == 0);
	bufalloc_window_close(&window);
	/* Another dma-buf of it gives nobody more, either. */
	EXPECT(api_fill(buf, 1, false) == -EINVAL);
out:
	bufalloc_put(buf);
	api_free_domain(0, domain);
	if (!IS_ERR(dmabuf))
		dma_buf_put(dmabuf);
}
