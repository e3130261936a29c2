/* SPDX-License-Identifier: GPL-2.0 */
/*
 * bufalloc for V4L2 drivers: videobuf2 memory operations. A queue that has
 *
 *	q->mem_ops = &bufalloc_vb2_memops;
 *
 * has MMAP buffers from bufalloc, exports them by VIDIOC_EXPBUF, and imports
 * dma-bufs and user pointers. docs/driver-integration.md goes through a driver
 * line by line.
 *
 * - bufalloc_vb2_memops replaces vb2_dma_contig_memops: the device takes one DMA
 *   segment, and vb2_dma_contig_plane_dma_addr() is where that is. What makes it
 *   one is memory, or an IOMMU.
 * - bufalloc_vb2_sg_memops replaces vb2_dma_sg_memops: the device takes any number,
 *   and vb2_dma_sg_plane_desc() is the table of them. Its DMA side counts
 *   (for_each_sgtable_dma_sg()); the other one may have no pages.
 *
 * A queue's @dev (or alloc_devs) is the device that does the DMA, bound and with
 * its DMA mask set. Attributes of the queue:
 *
 * - memory is cached where the device sees the caches. Where it does not, it is
 *   write-combined or uncached (@dma_attrs has DMA_ATTR_WRITE_COMBINE or not),
 *   or, with @non_coherent_mem, cached and synced by videobuf2's prepare and finish.
 * - DMA_ATTR_NO_KERNEL_MAPPING: vb2_plane_vaddr() is NULL for MMAP buffers. Without
 *   it a mapping is made by the first call, which sleeps, and kept until the buffer
 *   goes; memory that nobody asked this for has none.
 * - DMA_ATTR_FORCE_CONTIGUOUS: one physical range, IOMMU or not.
 * - DMA_ATTR_NO_WARN: a refusal is not said in the kernel's log.
 * - DMA_ATTR_PRIVILEGED: VIDIOC_REQBUFS fails, as mappings are shared.
 * - gfp_flags: ignored. The DMA mask says what the device reaches.
 *
 * What is different from videobuf2's own:
 *
 * - every byte of a new buffer is 0, and it is charged to who allocates it;
 * - a buffer outlives queue and driver in whoever mapped or imported it. A mapping
 *   into user space is one of a dma-buf, and does not keep the video node open;
 * - user pointers need no alignment but that of cache lines where the device does
 *   not see the caches. Pages are charged to RLIMIT_MEMLOCK, and memory of
 *   files is refused, as BUFALLOC_IOCTL_IMPORT_USER does (EOPNOTSUPP).
 *
 * The devices that will import a queue's MMAP buffers, its peers, are named by
 * bufalloc_vb2_add_peer(), or by the property bufalloc,peers of the device's node in
 * a devicetree (docs/bindings/bufalloc-peers.yaml), without a line in the driver.
 *
 * A driver gives its buffers back when it is unbound, with the device still there:
 * vb2_video_unregister_device() in remove() does that.
 *
 * All symbols are GPL only, in the namespace BUFALLOC and in bufalloc-v4l2.ko.
 */
#ifndef _LINUX_BUFALLOC_V4L2_H
#define _LINUX_BUFALLOC_V4L2_H

#include <linux/bufalloc.h>

struct device;
struct vb2_mem_ops;
struct vb2_queue;

extern const struct vb2_mem_ops bufalloc_vb2_memops;
extern const struct vb2_mem_ops bufalloc_vb2_sg_memops;

int bufalloc_vb2_add_peer(struct vb2_queue *q, struct device *peer);
void bufalloc_vb2_remove_peers(struct vb2_queue *q);

#endif /* _LINUX_BUFALLOC_V4L2_H */
