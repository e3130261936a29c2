// SPDX-License-Identifier: GPL-2.0
/*
 * The in-kernel API in IOMMU domains that the driver owns.
 */
#include <linux/err.h>
#include <linux/iommu.h>
#include <linux/mm.h>
#include <linux/pci.h>
#include <linux/string.h>

#include "api_checks.h"

struct iommu_domain *api_own_domain(int i)
{
	struct iommu_domain *domain;
	int ret;

	if (!iommu_get_domain_for_dev(api_dev(i)))
		return ERR_PTR(-ENODEV);
	domain = bufalloc_compat_iommu_domain_alloc(api_dev(i));
	if (IS_ERR(domain))
		return domain;
	ret = iommu_attach_device(domain, api_dev(i));
	if (ret) {
		iommu_domain_free(domain);
		return ERR_PTR(ret);
	}
	return domain;
}

void api_free_domain(int i, struct iommu_domain *domain)
{
	if (IS_ERR_OR_NULL(domain))
		return;
	iommu_detach_device(domain, api_dev(i));
	iommu_domain_free(domain);
}

#define MASTERS_LENGTH SZ_128K

/* All of the bytes that master @i sees at @from, to where it sees @to. */
static int copy_by_master(int i, unsigned long from, unsigned long to)
{
	void __iomem *registers = api_devices[i].registers;
	size_t at;
	int ret = 0;

	for (at = 0; !ret && at < MASTERS_LENGTH; at += EDU_PIECE)
		ret = edu_read_memory(registers, from + at, EDU_PIECE) ?:
		      edu_write_memory(registers, to + at, EDU_PIECE);
	return ret;
}

/*
 * A device with two bus masters: one buffer in two domains at once, at addresses of
 * the driver's choice. The one master writes it, the other reads it; then the first
 * loses it, and what it writes there nevertheless faults.
 */
void api_check_two_domains(void)
{
	const unsigned long at[API_DEVICES] = { 0x10000000, 0x7ff00000 };
	const unsigned long next[] = { at[0] + MASTERS_LENGTH,
				       at[1] + MASTERS_LENGTH };
	struct bufalloc_buffer *from = api_alloc(MASTERS_LENGTH);
	struct bufalloc_buffer *shared = api_alloc(MASTERS_LENGTH);
	struct bufalloc_buffer *to = api_alloc(MASTERS_LENGTH);
	struct iommu_domain *domain[API_DEVICES] = {};
	int i;

	EXPECT(!IS_ERR(from) && !IS_ERR(shared) && !IS_ERR(to));
	EXPECT(api_slide(from, 77, false, SZ_64K) == 0);
	for (i = 0; i < API_DEVICES; i++) {
		domain[i] = api_own_domain(i);
		EXPECT(!IS_ERR(domain[i]));
	}
	EXPECT(bufalloc_map_domain(from, domain[0], at[0],
				   IOMMU_READ | IOMMU_CACHE) == 0);
	EXPECT(bufalloc_map_domain(shared, domain[0], next[0],
				   API_READ_WRITE) == 0);
	EXPECT(bufalloc_map_domain(shared, domain[1], at[1],
				   IOMMU_READ | IOMMU_CACHE) == 0);
	EXPECT(bufalloc_map_domain(to, domain[1], next[1],
				   API_READ_WRITE) == 0);

	EXPECT(copy_by_master(0, at[0], next[0]) == 0);
	EXPECT(api_slide(shared, 77, true, SZ_64K) == 0);
	EXPECT(copy_by_master(1, at[1], next[1]) == 0);
	EXPECT(api_slide(to, 77, true, SZ_64K) == 0);

	bufalloc_unmap_domain(shared, domain[0], next[0]);
	EXPECT(!iommu_iova_to_phys(domain[0], next[0]));
	EXPECT(!iommu_iova_to_phys(domain[0],
				   next[0] + MASTERS_LENGTH - PAGE_SIZE));
	EXPECT(iommu_iova_to_phys(domain[1], at[1]));
	/* It has the last bytes, and writes them to the first. */
	EXPECT(edu_write_memory(api_devices[0].registers, next[0],
				EDU_PIECE) == 0);
	EXPECT(api_slide(shared, 77, true, SZ_64K) == 0);
	EXPECT(copy_by_master(1, at[1], next[1]) == 0);
	EXPECT(api_slide(to, 77, true, SZ_64K) == 0);

	bufalloc_unmap_domain(from, domain[0], at[0]);
	bufalloc_unmap_domain(shared, domain[1], at[1]);
	bufalloc_unmap_domain(to, domain[1], next[1]);
	EXPECT(!iommu_iova_to_phys(domain[0], at[0]));
	EXPECT(!iommu_iova_to_phys(domain[1], at[1]));
	EXPECT(!iommu_iova_to_phys(domain[1],
				   next[1] + MASTERS_LENGTH - PAGE_SIZE));
out:
	for (i = 0; i < API_DEVICES; i++)
		api_free_domain(i, domain[i]);
	bufalloc_put(to);
	bufalloc_put(shared);
	bufalloc_put(from);
}

void api_check_domain_refusals(void)
{
	struct bufalloc_buffer *buf = api_alloc(API_LENGTH);
	struct iommu_domain *domain = api_own_domain(0);
	const unsigned long at = 0x20000000;
	u64 end;

	EXPECT(!IS_ERR(buf) && !IS_ERR(domain));
	end = domain->geometry.aperture_end;
	EXPECT(bufalloc_map_domain(buf, domain, at, 0) == -EINVAL);
	EXPECT(bufalloc_map_domain(buf, domain, at, IOMMU_CACHE) == -EINVAL);
	EXPECT(bufalloc_map_domain(buf, domain, at + 512, API_READ_WRITE) ==
	       -EINVAL);
	EXPECT(bufalloc_map_domain(buf, domain,
				   ULONG_MAX - API_LENGTH + 1 + PAGE_SIZE,
				   API_READ_WRITE) == -ERANGE);
	if (domain->geometry.force_aperture && end < ULONG_MAX)
		EXPECT(bufalloc_map_domain(buf, domain,
					   end + 1 - API_LENGTH + PAGE_SIZE,
					   API_READ_WRITE) == -ERANGE);
	EXPECT(bufalloc_map_domain(buf, domain, at, API_READ_WRITE) == 0);
	/* The last page of one is the first of the other. */
	EXPECT(bufalloc_map_domain(buf, domain, at + API_LENGTH - PAGE_SIZE,
				   API_READ_WRITE) == -EEXIST);
	EXPECT(!iommu_iova_to_phys(domain, at + API_LENGTH));
	EXPECT(bufalloc_map_domain(buf, domain, at - API_LENGTH + PAGE_SIZE,
				   API_READ_WRITE) == -EEXIST);
	EXPECT(!iommu_iova_to_phys(domain, at - PAGE_SIZE));
	EXPECT(iommu_iova_to_phys(domain, at));
	bufalloc_unmap_domain(buf, domain, at);
	EXPECT(!iommu_iova_to_phys(domain, at));
out:
	api_free_domain(0, domain);
	bufalloc_put(buf);
}
