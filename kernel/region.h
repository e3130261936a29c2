/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Memory that was set aside for us: the regions (region.c), the module parameter
 * that names some (region_parameter.c), and the devicetree that does (platform.c).
 */
#ifndef BUFALLOC_REGION_H
#define BUFALLOC_REGION_H

#include <linux/types.h>

struct bufalloc_cma;
struct bufalloc_need;
struct bufalloc_region;
struct device_node;
struct page;
struct seq_file;

/**
 * struct bufalloc_place - pages in a row of a region
 * @region: that they are of; it stays for as long as they are taken
 * @pfn: the first one's
 * @pages: how many
 * @has_pages: they have a struct page
 * @in_linear_map: and the kernel has them mapped, cached
 */
struct bufalloc_place {
	struct bufalloc_region *region;
	unsigned long pfn;
	unsigned long pages;
	bool has_pages;
	bool in_linear_map;
};

/* region.c: what there is and what of it is in use */
struct bufalloc_region *bufalloc_region_add(const char *name, u64 start,
					    u64 length,
					    struct bufalloc_cma *cma,
					    const char **why);
struct bufalloc_region *bufalloc_region_revive(u64 start, u64 length);
void bufalloc_region_remove(struct bufalloc_region *region);
bool bufalloc_region_exists(void);
bool bufalloc_region_can(unsigned long pages, const struct bufalloc_need *need);
int bufalloc_region_alloc(unsigned long pages, const struct bufalloc_need *need,
			  struct bufalloc_place *place);
void bufalloc_region_free(const struct bufalloc_place *place);
void bufalloc_region_show(struct seq_file *file);

/* region_cma.c: a region that the kernel uses, too, as long as nobody else does */
#ifdef CONFIG_OF_RESERVED_MEM
struct bufalloc_cma *bufalloc_region_cma_create(struct device_node *node,
						int index);
void bufalloc_region_cma_destroy(struct bufalloc_cma *cma);
struct page *bufalloc_region_cma_alloc(struct bufalloc_cma *cma,
				       unsigned long pages);
void bufalloc_region_cma_free(struct bufalloc_cma *cma, struct page *page,
			      unsigned long pages);
#else
static inline void bufalloc_region_cma_destroy(struct bufalloc_cma *cma)
{
}

static inline struct page *bufalloc_region_cma_alloc(struct bufalloc_cma *cma,
						     unsigned long pages)
{
	return NULL;
}

static inline void bufalloc_region_cma_free(struct bufalloc_cma *cma,
					    struct page *page,
					    unsigned long pages)
{
}
#endif

/* region_parameter.c: module parameter reserved= */
int bufalloc_region_parameter_init(void);
void bufalloc_region_parameter_exit(void);

/* platform.c: nodes of the devicetree */
#ifdef CONFIG_OF_RESERVED_MEM
int bufalloc_platform_init(void);
void bufalloc_platform_exit(void);
#else
static inline int bufalloc_platform_init(void)
{
	return 0;
}

static inline void bufalloc_platform_exit(void)
{
}
#endif

#endif /* BUFALLOC_REGION_H */
