// SPDX-License-Identifier: GPL-2.0
/*
 * Small coherent pieces of the in-kernel API.
 */
#include <linux/err.h>
#include <linux/iommu.h>
#include <linux/mm.h>
#include <linux/pci.h>
#include <linux/string.h>

#include "api_checks.h"

#define COUNT 100

static const struct kind {
	size_t length, align, boundary;
} kinds[] = {
	{ 1, 1, 0 },
	{ 48, 16, 0 },
	/* Which is no divisor of a page: is its end where the page's is? */
	{ 48, 1, SZ_64K },
	{ 40, 64, 0 },
	{ 100, 4, 256 },
	{ 32, 32, 32 },
	{ 300, 256, 512 },
	{ 3000, 8, SZ_4K },
	{ SZ_4K, SZ_4K, SZ_4K },
	{ 5000, 1, SZ_8K },
	{ SZ_4K + 1, SZ_8K, SZ_64K },
	{ SZ_64K, SZ_64K, SZ_64K },
};

/* Where no two pieces overlap. */
static bool is_apart(struct bufalloc_piece **piece, int count, size_t length)
{
	int i, j;

	for (i = 0; i < count; i++)
		for (j = 0; j < i; j++)
			if (piece[i]->addr < piece[j]->addr + length &&
			    piece[j]->addr < piece[i]->addr + length)
				return false;
	return true;
}

static bool is_of_kind(struct bufalloc_piece *piece, const struct kind *kind)
{
	u64 last = piece->addr + kind->length - 1;

	/* What is behind the page is somebody else's. */
	if (kind->length <= PAGE_SIZE &&
	    offset_in_page(piece->data) + kind->length > PAGE_SIZE)
		return false;
	/* Both are powers of two; 32-bit machines do not divide 64-bit addresses. */
	if (!IS_ALIGNED(piece->addr, (u64)kind->align))
		return false;
	return !kind->boundary || (piece->addr ^ last) < kind->boundary;
}

static void check_kind(const struct kind *kind)
{
	static struct bufalloc_piece *piece[COUNT];
	struct bufalloc_pieces *pieces;
	int i, round;

	memset(piece, 0, sizeof(piece));
	pieces = bufalloc_pieces_create(api_dev(0), "ba_api", kind->length,
					kind->align, kind->boundary);
	EXPECT(!IS_ERR(pieces));
	for (round = 0; round < 3; round++) {
		/* First all of them, then every second one again. */
		for (i = 0; i < COUNT; i++) {
			if (piece[i])
				continue;
			piece[i] = bufalloc_piece_alloc(pieces);
			EXPECT(!IS_ERR(piece[i]));
			EXPECT(is_of_kind(piece[i], kind));
			EXPECT(!memchr_inv(piece[i]->data, 0, kind->length));
			memset(piece[i]->data, 0xa5, kind->length);
		}
		EXPECT(is_apart(piece, COUNT, kind->length));
		for (i = round % 2; i < COUNT; i += 2) {
			bufalloc_piece_free(piece[i]);
			piece[i] = NULL;
		}
	}
out:
	for (i = 0; i < COUNT; i++)
		bufalloc_piece_free(piece[i]);
	bufalloc_pieces_destroy(pieces);
}

void api_check_pieces(void)
{
	int i;

	for (i = 0; i < ARRAY_SIZE(kinds) && !api_why[0]; i++) {
		check_kind(&kinds[i]);
		if (api_why[0])
			pr_info("ba_api: pieces of kind %d: %s\n", i, api_why);
	}
}

/* What the CPU writes, the device reads, and the reverse. */
void api_check_pieces_dma(void)
{
	void __iomem *registers = api_devices[0].registers;
	struct bufalloc_piece *from = NULL, *to = NULL;
	struct bufalloc_pieces *pieces;
	u8 *data;
	int i;

	pieces = bufalloc_pieces_create(api_dev(0), "ba_api", EDU_PIECE, 8, 0);
	EXPECT(!IS_ERR(pieces));
	from = bufalloc_piece_alloc(pieces);
	to = bufalloc_piece_alloc(pieces);
	EXPECT(!IS_ERR(from) && !IS_ERR(to));
	for (data = from->data, i = 0; i < EDU_PIECE; i++)
		data[i] = api_byte(i, 3);
	dma_wmb();
	EXPECT(edu_read_memory(registers, from->addr, EDU_PIECE) == 0);
	EXPECT(edu_write_memory(registers, to->addr, EDU_PIECE) == 0);
	for (data = to->data, i = 0; i < EDU_PIECE; i++)
		EXPECT(data[i] == api_byte(i, 3));
out:
	bufalloc_piece_free(to);
	bufalloc_piece_free(from);
	bufalloc_pieces_destroy(pieces);
}

static long refusal(size_t length, size_t align, size_t boundary)
{
	struct bufalloc_pieces *pieces;

	pieces = bufalloc_pieces_create(api_dev(0), "ba_api", length, align,
					boundary);
	bufalloc_pieces_destroy(pieces);
	return PTR_ERR_OR_ZERO(pieces);
}

void api_check_pieces_refusals(void)
{
	struct device *dev = api_dev(0);
	u64 mask = dev->coherent_dma_mask;
	long without_mask;

	EXPECT(refusal(BUFALLOC_PIECE_MAX, BUFALLOC_PIECE_MAX, 0) == 0);
	EXPECT(refusal(0, 1, 0) == -EINVAL);
	EXPECT(refusal(BUFALLOC_PIECE_MAX + 1, 1, 0) == -EINVAL);
	EXPECT(refusal(SIZE_MAX, 1, 0) == -EINVAL);
	EXPECT(refusal(64, 0, 0) == -EINVAL);
	EXPECT(refusal(64, 48, 0) == -EINVAL);
	EXPECT(refusal(64, 2 * BUFALLOC_PIECE_MAX, 0) == -EINVAL);
	EXPECT(refusal(64, 1, 63) == -EINVAL);
	EXPECT(refusal(64, 1, 32) == -EINVAL);
	EXPECT(refusal(64, 1, 96) == -EINVAL);
	/* It is as long as its alignment makes it. */
	EXPECT(refusal(65, 64, 64) == -EINVAL);
	EXPECT(refusal(65, 64, 128) == 0);
	dev->coherent_dma_mask = 0;
	without_mask = refusal(64, 1, 0);
	dev->coherent_dma_mask = mask;
	EXPECT(without_mask == -EINVAL);
	/* As kfree(). */
	bufalloc_piece_free(NULL);
	bufalloc_piece_free(ERR_PTR(-ENOMEM));
	bufalloc_pieces_destroy(NULL);
out:
	return;
}

/* Forgotten ones go with the pool: the device's IOMMU knows no such address. */
void api_check_pieces_left(void)
{
	struct iommu_domain *domain = iommu_get_domain_for_dev(api_dev(0));
	struct bufalloc_piece *piece[3];
	struct bufalloc_pieces *pieces;
	dma_addr_t addr[3];
	int i;

	pieces = bufalloc_pieces_create(api_dev(0), "ba_api", SZ_4K, 1, 0);
	EXPECT(domain && !IS_ERR(pieces));
	for (i = 0; i < 3; i++) {
		piece[i] = bufalloc_piece_alloc(pieces);
		EXPECT(!IS_ERR(piece[i]));
		addr[i] = piece[i]->addr;
		EXPECT(iommu_iova_to_phys(domain, addr[i]));
	}
	bufalloc_pieces_destroy(pieces);
	pieces = NULL;
	for (i = 0; i < 3; i++)
		EXPECT(!iommu_iova_to_phys(domain, addr[i]));
out:
	bufalloc_pieces_destroy(pieces);
}
