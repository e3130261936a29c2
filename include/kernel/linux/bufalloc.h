/* SPDX-License-Identifier: GPL-2.0 */
/*
 * bufalloc for drivers: memory that a set of devices can use, exported as
 * dma-bufs. For camera and display drivers that allocate by themselves; user
 * space has <linux/bufalloc.h> of include/uapi/.
 *
 * All symbols are GPL only and in the namespace BUFALLOC. All calls sleep, but for
 * bufalloc_sync_for_cpu(). A driver that uses them keeps bufalloc.ko loaded. V4L2
 * drivers need little of this: see <linux/bufalloc-v4l2.h>.
 */
#ifndef _LINUX_BUFALLOC_H
#define _LINUX_BUFALLOC_H

#include <linux/dma-direction.h>
#include <linux/list.h>
#include <linux/sizes.h>
#include <linux/types.h>
#include <uapi/linux/bufalloc.h>

struct bufalloc_buffer;
struct bufalloc_pieces;
struct device;
struct dma_buf;
struct iommu_domain;
struct scatterlist;
struct sg_table;
struct vm_area_struct;

/**
 * struct bufalloc_use - a device that shall be able to use a buffer
 * @dev: the device that does the DMA. The caller keeps it bound to its driver
 *	as long as the call runs; its lock may be held (probe). NULL: nothing does
 *	DMA, the CPU works on a kernel mapping
 * @access: enum bufalloc_device_access bits, at least one
 * @max_segments: DMA segments that it takes for one buffer; 0: any number.
 *	Between 1 and any number nothing can be promised: EINVAL
 * @vmap: it also needs a kernel mapping
 * @result: out: what ALLOC answers for a device (@result.fd is -1)
 */
struct bufalloc_use {
	struct device *dev;
	u32 access;
	u32 max_segments;
	bool vmap;
	struct bufalloc_alloc_device result;
};

/**
 * struct bufalloc_request - what bufalloc_alloc() shall make
 * @length: bytes, more than 0; rounded up to whole pages
 * @heap: enum bufalloc_heap_id; BUFALLOC_HEAP_AUTO is 0
 * @attributes: enum bufalloc_attribute bits, each of which is needed
 * @uses: the devices that shall be able to use it; its results are written
 * @use_count: number of @uses, at most BUFALLOC_MAX_DEVICES
 */
struct bufalloc_request {
	size_t length;
	u32 heap;
	u64 attributes;
	struct bufalloc_use *uses;
	unsigned int use_count;
};

/**
 * struct bufalloc_peers - devices that a driver's buffers are for
 * @uses: for struct bufalloc_request. The first one is the driver's own device,
 *	which the driver sets; its @dev may be NULL
 * @count: of them; 1 to begin with
 *
 * The others are peers: devices that will import what the driver exports.
 */
struct bufalloc_peers {
	struct bufalloc_use uses[BUFALLOC_MAX_DEVICES];
	unsigned int count;
};

/**
 * struct bufalloc_window - a bounded view of a part of a buffer, for the CPU
 * @data: the bytes that are in view, or NULL
 * @length: how many they are
 *
 * The rest is window.c's.
 */
struct bufalloc_window {
	void *data;
	size_t length;
	/* private: */
	struct bufalloc_buffer *buf;
	enum dma_data_direction dir;
	size_t offset;
	struct scatterlist *run;
	size_t run_start;
	bool is_local;
	bool is_mapped;
};

/* Longer ones are buffers. */
#define BUFALLOC_PIECE_MAX SZ_64K

/**
 * struct bufalloc_piece - a small coherent piece of memory
 * @data: where the CPU sees it
 * @addr: where the device sees it
 *
 * The rest is pieces.c's.
 */
struct bufalloc_piece {
	void *data;
	dma_addr_t addr;
	/* private: */
	struct bufalloc_pieces *pieces;
	struct list_head node;
};

struct bufalloc_buffer *bufalloc_alloc(const struct bufalloc_request *request,
				       struct bufalloc_alloc_verdict *verdict);
int bufalloc_peers_add(struct bufalloc_peers *peers, struct device *dev);
int bufalloc_peers_hold(struct bufalloc_peers *peers, struct device *dev);
void bufalloc_peers_release(struct bufalloc_peers *peers);
struct bufalloc_buffer *bufalloc_get(struct bufalloc_buffer *buf);
void bufalloc_put(struct bufalloc_buffer *buf);
size_t bufalloc_length(const struct bufalloc_buffer *buf);
unsigned int bufalloc_users(const struct bufalloc_buffer *buf);
struct bufalloc_buffer *bufalloc_pin_user(unsigned long addr, size_t length,
					  bool read_only);

struct dma_buf *bufalloc_export(struct bufalloc_buffer *buf, int fd_flags);
struct bufalloc_buffer *bufalloc_of_dmabuf(struct dma_buf *dmabuf);

struct sg_table *bufalloc_map(struct bufalloc_buffer *buf, struct device *dev);
struct sg_table *bufalloc_map_to_read(struct bufalloc_buffer *buf,
				      struct device *dev);
void bufalloc_unmap(struct bufalloc_buffer *buf, struct device *dev,
		    struct sg_table *table);
void bufalloc_sync_for_device(struct bufalloc_buffer *buf, size_t offset,
			      size_t length, enum dma_data_direction dir);
void bufalloc_sync_for_cpu(struct bufalloc_buffer *buf, struct device *dev,
			   struct sg_table *table, size_t offset,
			   size_t length);

void *bufalloc_vmap(struct bufalloc_buffer *buf);
void bufalloc_vunmap(struct bufalloc_buffer *buf);
int bufalloc_mmap(struct bufalloc_buffer *buf, struct vm_area_struct *vma);

int bufalloc_map_domain(struct bufalloc_buffer *buf,
			struct iommu_domain *domain, unsigned long iova,
			int prot);
void bufalloc_unmap_domain(struct bufalloc_buffer *buf,
			   struct iommu_domain *domain, unsigned long iova);

int bufalloc_window_open(struct bufalloc_window *window,
			 struct bufalloc_buffer *buf,
			 enum dma_data_direction dir);
int bufalloc_window_move(struct bufalloc_window *window, size_t offset,
			 size_t length);
void bufalloc_window_close(struct bufalloc_window *window);

int bufalloc_load_firmware(struct bufalloc_buffer *buf, size_t offset,
			   const char *name, struct device *dev,
			   size_t *length);

struct bufalloc_pieces *bufalloc_pieces_create(struct device *dev,
					       const char *name, size_t length,
					       size_t align, size_t boundary);
void bufalloc_pieces_destroy(struct bufalloc_pieces *pieces);
struct bufalloc_piece *bufalloc_piece_alloc(struct bufalloc_pieces *pieces);
void bufalloc_piece_free(struct bufalloc_piece *piece);

#endif /* _LINUX_BUFALLOC_H */
