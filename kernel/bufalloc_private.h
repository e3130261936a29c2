/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What the files of bufalloc.ko share. Each group of declarations names the
 * file that defines them.
 */
#ifndef BUFALLOC_PRIVATE_H
#define BUFALLOC_PRIVATE_H

#include <linux/atomic.h>
#include <linux/dma-direction.h>
#include <linux/dma-resv.h>
#include <linux/kref.h>
#include <linux/list.h>
#include <linux/mutex.h>
#include <linux/pgtable.h>
#include <linux/scatterlist.h>
#include <linux/sizes.h>
#include <linux/types.h>
#include <uapi/linux/bufalloc.h>

#include "constraint.h"

struct bufalloc_account;
struct bufalloc_buffer;
struct bufalloc_endpoint;
struct bufalloc_own;
struct bufalloc_region;
struct bufalloc_window;
struct cred;
struct device;
struct dma_buf;
struct file;
struct mm_struct;
struct own_file;
struct page;
struct vm_area_struct;

#define BUFALLOC_VERSION_MAJOR 0
#define BUFALLOC_VERSION_MINOR 1
#define BUFALLOC_VERSION_PATCH 0
#define BUFALLOC_VERSION_STRING "0.1.0"

/*
 * The longest physical run that one scatterlist entry describes: its length is
 * an unsigned int. Longer runs take several entries.
 */
#define BUFALLOC_RUN_MAX ((size_t)SZ_2G)

/**
 * struct bufalloc_heap - where pages come from
 * @name: as user space knows it
 * @exists: has this machine any of it? NULL: yes
 * @can: can its pages satisfy that need, as far as it can tell beforehand?
 * @alloc: fill in buf->runs with buf->length bytes of zeroed pages that satisfy
 *	the need, or leave nothing behind and return -ENOMEM, -ENOSPC (it has no
 *	memory at such addresses), -EDQUOT or -EINTR (fatal signal)
 * @free: give back what @alloc took; cannot fail
 * @pinnable: for BUFALLOC_ATTRIBUTE_PINNABLE its pages have a count each, and
 *	@free only drops the buffer's part of it
 */
struct bufalloc_heap {
	const char *name;
	bool (*exists)(void);
	bool (*can)(const struct bufalloc_need *need);
	int (*alloc)(struct bufalloc_buffer *buf,
		     const struct bufalloc_need *need);
	void (*free)(struct bufalloc_buffer *buf);
	bool pinnable;
};

/**
 * struct bufalloc_cache - what the CPU's caches may hold of a buffer (cache.c)
 * @user_views: mappings into user space. A heap whose pages user space has mapped
 *	otherwise adds one when it takes them and removes it in free()
 * @user_writers: those of them that may be written through
 * @writers: what else may write through the caches at any moment now
 * @writes: goes up with whatever may have written through them
 * @written_back: value of @writes that memory is up to date with; under the
 *	buffer's lock
 * @open_writes: CPU accesses for writing that began and did not end, which are
 *	among @writers; under the buffer's lock
 */
struct bufalloc_cache {
	atomic_t user_views;
	atomic_t user_writers;
	atomic_t writers;
	atomic64_t writes;
	u64 written_back;
	unsigned int open_writes;
};

/**
 * enum bufalloc_linear - what the kernel's linear map has of a buffer
 * @BUFALLOC_LINEAR_SAME: all of it (but high memory), with the type that its
 *	attributes say: the CPU may look at it there
 * @BUFALLOC_LINEAR_CACHED: all of it (but high memory), as cached memory,
 *	although the buffer is not cached
 * @BUFALLOC_LINEAR_NONE: nothing (nomap.c)
 */
enum bufalloc_linear {
	BUFALLOC_LINEAR_SAME,
	BUFALLOC_LINEAR_CACHED,
	BUFALLOC_LINEAR_NONE,
};

/**
 * struct bufalloc_buffer - pages that are exported as one dma-buf
 *
 * Up to the line below nothing changes once bufalloc_buffer_create() returned,
 * so it is read without a lock.
 *
 * Lock order: the dma-buf's dma_resv (held by the core, or not, depending on
 * the kernel) -> @lock -> fs_reclaim. No function of the dma-buf core that
 * takes a lock is called under @lock.
 *
 * @refs: of whoever uses it; its dma-buf is one
 * @length: bytes, a multiple of PAGE_SIZE
 * @heap: the heap that its pages came from
 * @heap_id: enum bufalloc_heap_id of it
 * @runs: its pages, one entry for each physical run (of BUFALLOC_RUN_MAX at
 *	most), in order; never mapped for a device, see &struct bufalloc_mapping.
 *	What has no struct page has its address: bufalloc_run_phys()
 * @attributes: enum bufalloc_attribute bits
 * @linear: what the kernel's linear map has of it
 * @direction: what devices may do to it: DMA_BIDIRECTIONAL, or DMA_TO_DEVICE for
 *	memory that nobody may write through the dma-buf, the CPU included
 * @region: of memory that was set aside, which it is of, or NULL
 * @own: of one device's own memory (heap_device.c), or NULL
 * @account: the user whose limit it counts against, or NULL
 * @mm: whose pages it has pinned, or NULL
 * @charged: whose RLIMIT_MEMLOCK these count against, or NULL
 * @alloc_ns: time that the allocation took
 * @resv: the fences of whoever uses the memory, by any dma-buf of it
 * @lock: protects what follows up to @vaddr_mapped
 * @gone: the device whose memory it was is unbound: nobody uses it any more
 * @holds: windows that show it, and mappings that are being made
 * @mappings: list of &struct bufalloc_mapping, one for each device
 * @domains: list of &struct bufalloc_domain_map, one for each place in an IOMMU
 *	domain that a driver owns
 * @attachments: number of attachments
 * @vmap_users: number of importers' vmaps that are not undone
 * @vaddr: where it is mapped for them; NULL if @vmap_users is 0
 * @vaddr_mapped: @vaddr is a mapping of its own (vmalloc space), not an
 *	address in the linear map
 * @user_maps: calls of mmap so far
 * @kernel_maps_total: calls of vmap so far
 * @cpu_accesses: begins of CPU access so far
 * @cache: what the CPU's caches may hold
 * @syncs: dma_sync_single_*() calls so far
 * @syncs_skipped: those that were not needed
 * @bounced: mappings that bounce, so far
 */
struct bufalloc_buffer {
	struct kref refs;
	size_t length;
	const struct bufalloc_heap *heap;
	u32 heap_id;
	struct sg_table runs;
	u64 attributes;
	enum bufalloc_linear linear;
	enum dma_data_direction direction;
	struct bufalloc_region *region;
	struct bufalloc_own *own;
	struct bufalloc_account *account;
	struct mm_struct *mm;
	const struct cred *charged;
	u64 alloc_ns;
	struct dma_resv resv;

	struct mutex lock; /* see the lock order above */
	bool gone;
	unsigned int holds;
	struct list_head mappings;
	struct list_head domains;
	unsigned int attachments;
	unsigned int vmap_users;
	void *vaddr;
	bool vaddr_mapped;

	struct bufalloc_cache cache;
	atomic64_t user_maps;
	atomic64_t kernel_maps_total;
	atomic64_t cpu_accesses;
	atomic64_t syncs;
	atomic64_t syncs_skipped;
	atomic64_t bounced;
};

/*
 * Where a run of a buffer is. One without a struct page has that where the address
 * for a device would be.
 */
static inline phys_addr_t bufalloc_run_phys(struct scatterlist *run)
{
	return sg_page(run) ? sg_phys(run) : sg_dma_address(run);
}

/* account.c: bytes of contiguous memory for each user */
void bufalloc_account_init(void);
int bufalloc_account_charge(size_t bytes, struct bufalloc_account **account);
void bufalloc_account_uncharge(struct bufalloc_account *account, size_t bytes);
u64 bufalloc_account_limit(void);
u64 bufalloc_account_used(void);

/* attribute.c: what a buffer is like, for all who look at it */
int bufalloc_attribute_init(void);
void bufalloc_attribute_exit(void);
u64 bufalloc_attribute_available(void);
int bufalloc_attribute_check(u64 attributes);
bool bufalloc_attribute_is_uncached(const struct bufalloc_buffer *buf);
pgprot_t bufalloc_attribute_pgprot(const struct bufalloc_buffer *buf,
				   pgprot_t prot);
int bufalloc_attribute_apply(struct bufalloc_buffer *buf);
void bufalloc_attribute_undo(struct bufalloc_buffer *buf);
void bufalloc_attribute_linear_written(struct bufalloc_buffer *buf,
				       size_t start, size_t end);
void bufalloc_attribute_linear_read(struct bufalloc_buffer *buf, size_t start,
				    size_t end);

/* buffer.c: a buffer's life, from its pages to its dma-buf */
const struct bufalloc_heap *bufalloc_buffer_heap(u32 heap_id);
struct bufalloc_buffer *bufalloc_buffer_new(const struct bufalloc_heap *heap,
					    u32 heap_id, u64 length);
void bufalloc_buffer_delete(struct bufalloc_buffer *buf);
void bufalloc_buffer_ready(struct bufalloc_buffer *buf, u64 start_ns);
struct bufalloc_buffer *bufalloc_buffer_create(u32 heap_id, u64 length,
					       u64 attributes,
					       const struct bufalloc_need *need);
bool bufalloc_buffer_is_one_range(const struct bufalloc_buffer *buf);
int bufalloc_buffer_hold(struct bufalloc_buffer *buf);
void bufalloc_buffer_unhold(struct bufalloc_buffer *buf);
void bufalloc_buffer_put(struct bufalloc_buffer *buf);
u32 bufalloc_buffer_heaps(void);
u64 bufalloc_buffer_max_length(void);
u64 bufalloc_buffer_memory_end(void);

/* cache.c: what the CPU's caches may hold of a buffer */
void bufalloc_cache_init(struct bufalloc_cache *cache);
void bufalloc_cache_add_user(struct bufalloc_cache *cache, bool may_write);
void bufalloc_cache_remove_user(struct bufalloc_cache *cache, bool may_write);
void bufalloc_cache_add_writer(struct bufalloc_cache *cache);
void bufalloc_cache_remove_writer(struct bufalloc_cache *cache);
void bufalloc_cache_begin_write(struct bufalloc_cache *cache);
void bufalloc_cache_end_write(struct bufalloc_cache *cache);
u64 bufalloc_cache_before(struct bufalloc_cache *cache);
void bufalloc_cache_written_back(struct bufalloc_cache *cache, u64 before);
bool bufalloc_cache_has_writer(struct bufalloc_cache *cache);
bool bufalloc_cache_is_dirty(struct bufalloc_cache *cache);
bool bufalloc_cache_is_clean(struct bufalloc_cache *cache);
bool bufalloc_cache_is_watched(struct bufalloc_cache *cache);

/* copy.c: between a buffer and user space */
int bufalloc_copy(struct dma_buf *dmabuf, size_t offset, size_t length,
		  void __user *user, bool in, size_t *copied);

/* debugfs.c: what is alive, for tests and for whoever looks for a leak */
enum bufalloc_live {
	BUFALLOC_LIVE_BUFFERS,
	BUFALLOC_LIVE_ATTACHMENTS,
	BUFALLOC_LIVE_MAPPINGS,
	BUFALLOC_LIVE_TABLES,
	BUFALLOC_LIVE_KERNEL_MAPS,
	BUFALLOC_LIVE_ACCOUNTS,
	BUFALLOC_LIVE_DOMAIN_MAPS,
	BUFALLOC_LIVE_PINNED_PAGES,
	BUFALLOC_LIVE_RESERVED_PAGES,
	BUFALLOC_LIVE_PIECE_POOLS,
	BUFALLOC_LIVE_PIECES,
	BUFALLOC_LIVE_COUNT,
};

void bufalloc_debugfs_init(void);
void bufalloc_debugfs_exit(void);
void bufalloc_debugfs_live(enum bufalloc_live what, int change);

/* device.c: what a device needs and maps, and whether it can use a buffer */
int bufalloc_device_info(struct bufalloc_device_info *info,
			 const struct bufalloc_endpoint *endpoint);
void bufalloc_device_need(struct bufalloc_need *need,
			  const struct bufalloc_endpoint *endpoint);
bool bufalloc_device_bounces(struct device *dev, struct sg_table *runs,
			     struct sg_table *table);
bool bufalloc_device_may_bounce(struct device *dev, struct sg_table *runs,
				struct sg_table *table);
int bufalloc_device_try(struct bufalloc_buffer *buf,
			const struct bufalloc_endpoint *endpoint,
			struct bufalloc_alloc_device *result);

/* dmabuf.c: what importers and user space do with the dma-buf */
struct dma_buf *bufalloc_dmabuf_export(struct bufalloc_buffer *buf,
				       int fd_flags);
struct bufalloc_buffer *bufalloc_dmabuf_buffer(struct dma_buf *dmabuf);
void *bufalloc_dmabuf_vmap_buffer(struct bufalloc_buffer *buf);
void bufalloc_dmabuf_vunmap_buffer(struct bufalloc_buffer *buf);
int bufalloc_dmabuf_try_vmap(struct bufalloc_buffer *buf);
int bufalloc_dmabuf_wait(struct dma_buf *dmabuf, enum dma_data_direction dir);
void bufalloc_dmabuf_begin(struct bufalloc_buffer *buf, size_t start,
			   size_t end, enum dma_data_direction dir);
void bufalloc_dmabuf_end(struct bufalloc_buffer *buf, size_t start, size_t end,
			 enum dma_data_direction dir);
void bufalloc_dmabuf_write_back(struct bufalloc_buffer *buf, size_t start,
				size_t end, enum dma_data_direction dir);

/* heap_contig.c, heap_reserved.c, heap_system.c */
extern const struct bufalloc_heap bufalloc_heap_contig;
extern const struct bufalloc_heap bufalloc_heap_reserved;
extern const struct bufalloc_heap bufalloc_heap_system;

/* heap_device.c: memory of one device's own */
#if defined(CONFIG_OF_RESERVED_MEM) && defined(CONFIG_DMA_DECLARE_COHERENT)
#define BUFALLOC_HAVE_HEAP_DEVICE
extern const struct bufalloc_heap bufalloc_heap_device;
int bufalloc_heap_device_init(void);
void bufalloc_heap_device_exit(void);
bool bufalloc_heap_device_has(struct device *dev);
struct own_file *bufalloc_heap_device_file(void);
void bufalloc_heap_device_exported(struct bufalloc_buffer *buf,
				   struct dma_buf *dmabuf,
				   struct own_file *file);
void bufalloc_heap_device_released(struct bufalloc_buffer *buf,
				   struct dma_buf *dmabuf);
#else
static inline int bufalloc_heap_device_init(void)
{
	return 0;
}

static inline void bufalloc_heap_device_exit(void)
{
}

static inline bool bufalloc_heap_device_has(struct device *dev)
{
	return false;
}

static inline struct own_file *bufalloc_heap_device_file(void)
{
	return NULL;
}

static inline void
bufalloc_heap_device_exported(struct bufalloc_buffer *buf,
			      struct dma_buf *dmabuf, struct own_file *file)
{
}

static inline void bufalloc_heap_device_released(struct bufalloc_buffer *buf,
						 struct dma_buf *dmabuf)
{
}
#endif

/* heap_range.c: what the heaps of one physical range have in common */
int bufalloc_heap_range_begin(struct bufalloc_buffer *buf);
void bufalloc_heap_range_end(struct bufalloc_buffer *buf);
void bufalloc_heap_range_describe(struct bufalloc_buffer *buf,
				  unsigned long pfn, bool has_pages);
int bufalloc_heap_range_clear(struct page *first, unsigned long pages);

/* heap_user.c: the caller's own memory */
struct bufalloc_buffer *bufalloc_heap_user_create(unsigned long addr,
						  size_t length, bool read_only,
						  u32 *reason);

/* import.c: the dma-buf of a range of the caller's memory */
int bufalloc_import_user(struct bufalloc_import_user *import,
			 struct bufalloc_alloc_device *devices,
			 struct bufalloc_alloc_verdict *verdict,
			 struct dma_buf **dmabuf);

/* main.c: the module and its node */
struct device *bufalloc_main_device(void);

/* mapping.c: a buffer as one device sees it; the DMA API leaves the caches alone */
#define BUFALLOC_MAP_ATTRS DMA_ATTR_SKIP_CPU_SYNC

struct sg_table *bufalloc_mapping_get(struct bufalloc_buffer *buf,
				      struct device *dev,
				      enum dma_data_direction dir);
void bufalloc_mapping_put(struct bufalloc_buffer *buf, struct device *dev,
			  struct sg_table *table);
unsigned int bufalloc_mapping_count(struct bufalloc_buffer *buf);
void bufalloc_mapping_sync_for_cpu(struct bufalloc_buffer *buf, size_t start,
				   size_t end, enum dma_data_direction dir);
void bufalloc_mapping_sync_for_device(struct bufalloc_buffer *buf,
				      size_t start, size_t end,
				      enum dma_data_direction dir);

void bufalloc_mapping_write_back(struct bufalloc_buffer *buf, size_t start,
				 size_t end, enum dma_data_direction dir);
void bufalloc_mapping_sync_one_for_cpu(struct bufalloc_buffer *buf,
				       struct device *dev,
				       struct sg_table *table, size_t start,
				       size_t end);

/* nomap.c: memory that the kernel has no mapping of; it is seen in such steps */
#define BUFALLOC_NOMAP_WINDOW SZ_64K

static inline bool bufalloc_nomap_is(const struct bufalloc_buffer *buf)
{
	return buf->linear == BUFALLOC_LINEAR_NONE;
}

void *bufalloc_nomap_show(struct bufalloc_buffer *buf, size_t offset,
			  size_t length);
void bufalloc_nomap_hide(void *data);
int bufalloc_nomap_clear(struct bufalloc_buffer *buf);
int bufalloc_nomap_map(struct bufalloc_buffer *buf, struct device *dev,
		       struct sg_table *table, enum dma_data_direction dir);
void bufalloc_nomap_unmap(struct bufalloc_buffer *buf, struct device *dev,
			  struct sg_table *table, enum dma_data_direction dir);

/* range.c: one physical range, made by moving away what is there */
int bufalloc_range_alloc(unsigned long pages, const struct bufalloc_need *need,
			 struct page **page);
void bufalloc_range_free(struct page *page, unsigned long pages);

/* solve.c: from devices to a buffer that all of them can use */
struct bufalloc_buffer *
bufalloc_solve_endpoints(u32 heap_id, u64 length, u64 attributes,
			 struct bufalloc_endpoint *endpoints,
			 struct bufalloc_alloc_device *devices, u32 count,
			 struct bufalloc_alloc_verdict *verdict);
struct bufalloc_buffer *bufalloc_solve(u32 heap_id, u64 length, u64 attributes,
				       struct bufalloc_alloc_device *devices,
				       u32 count,
				       struct bufalloc_alloc_verdict *verdict);

struct bufalloc_buffer *
bufalloc_solve_user(unsigned long addr, size_t length, bool read_only,
		    struct bufalloc_alloc_device *devices, u32 count,
		    struct bufalloc_alloc_verdict *verdict);
int bufalloc_solve_check(struct bufalloc_buffer *buf,
			 struct bufalloc_alloc_device *devices, u32 count,
			 struct bufalloc_alloc_verdict *verdict);

/* uapi.c: the ioctls of /dev/bufalloc */
long bufalloc_uapi_ioctl(struct file *file, unsigned int cmd,
			 unsigned long arg);

/* user_map.c: a buffer in user space's address space */
int bufalloc_user_map(struct bufalloc_buffer *buf, struct vm_area_struct *vma);

/* window.c: a view of a part of a buffer, for the CPU */
void bufalloc_window_init(struct bufalloc_window *window,
			  struct bufalloc_buffer *buf,
			  enum dma_data_direction dir);

#endif /* BUFALLOC_PRIVATE_H */
