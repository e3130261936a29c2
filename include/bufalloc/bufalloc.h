/* SPDX-License-Identifier: MIT */
/*
 * libbufalloc: buffers that cameras, codecs and displays share without
 * copying.
 *
 * Conventions of this library:
 *
 * - Every function that can fail returns 0 or a file descriptor on success and
 *   a negative errno value (-ENOENT, ...) on failure. errno itself is not part
 *   of the interface. Nothing is printed; bufalloc_strerror() gives a sentence.
 * - A failed call changes nothing: out parameters keep their values, nothing
 *   is left allocated. The exceptions are the verdict of bufalloc_alloc_for(),
 *   and how far bufalloc_copy_in() came.
 * - Objects are opaque. Each has one function that destroys it, which accepts
 *   NULL.
 * - A context and a buffer may be used from several threads, but one object
 *   from one thread at a time.
 * - No function is safe to call from a signal handler.
 */
#ifndef BUFALLOC_BUFALLOC_H
#define BUFALLOC_BUFALLOC_H

#include <bufalloc/types.h>
#include <bufalloc/import.h>
#include <bufalloc/request.h>
#include <bufalloc/range.h>
#include <bufalloc/alloc.h>
#include <bufalloc/pool.h>
#include <bufalloc/firmware.h>

#ifdef __cplusplus
extern "C" {
#endif

/** The device node that bufalloc.ko makes. */
#define BUFALLOC_DEVICE "/dev/bufalloc"

/** Version of this header. */
#define BUFALLOC_VERSION_MAJOR 0
#define BUFALLOC_VERSION_MINOR 1
#define BUFALLOC_VERSION_PATCH 0

/** What the module can do; filled in by bufalloc_get_info(). */
struct bufalloc_module_info {
	/** Version of the module: (major << 16) | (minor << 8) | patch. */
	uint32_t version;
	/**
	 * Bit (1 << enum bufalloc_heap) for each heap that is there.
	 * BUFALLOC_AUTO is none of them.
	 */
	uint32_t heaps;
	/** Largest length in bytes that can be asked for. */
	uint64_t max_length;
	/** Bytes of contiguous and reserved memory that this user may hold at once. */
	uint64_t contig_limit;
	/** Bytes of it that this user holds now. */
	uint64_t contig_used;
	/** enum bufalloc_attr bits that a buffer can have. */
	uint64_t attributes;
};

/** What a buffer is and what happened to it; see <linux/bufalloc.h>. */
struct bufalloc_buf_info {
	/** The heap that its pages came from. */
	enum bufalloc_heap heap;
	/** Length in bytes, whole pages. */
	uint64_t length;
	/** Physically contiguous runs that it consists of. */
	uint32_t runs;
	/** Attachments of devices now. */
	uint32_t attachments;
	/** Devices that it is mapped for now. */
	uint32_t mappings;
	/** Kernel mappings (vmap) by importers now. */
	uint32_t kernel_maps;
	/** Bytes of kernel address space that it takes now. */
	uint64_t kernel_va;
	/** mmap calls so far. */
	uint64_t user_maps;
	/** vmap calls so far. */
	uint64_t kernel_maps_total;
	/** Begins of CPU access so far. */
	uint64_t cpu_accesses;
	/** Syncs done so far, at map, CPU access and unmap: one a run each. */
	uint64_t syncs;
	/** Nanoseconds that the allocation took, zeroing included. */
	uint64_t alloc_ns;
	/** Mappings so far that the kernel copies (swiotlb) at each sync. */
	uint64_t bounced;
	/** enum bufalloc_attr bits that it has. */
	uint64_t attributes;
	/** Syncs left out so far, because the caches were in order already. */
	uint64_t syncs_skipped;
};

/** Bytes of a device's label, bufalloc_use_result.label, '\0' included. */
#define BUFALLOC_LABEL_SIZE 104

/**
 * What a device can use; filled in by bufalloc_get_device_info(). The numbers
 * and what they say are those of struct bufalloc_device_info in
 * <linux/bufalloc.h>.
 */
struct bufalloc_dev_info {
	/** enum bufalloc_device_flags bits: coherent, needs vmap, ... */
	uint32_t flags;
	/** enum bufalloc_found: how the device was found from its node. */
	uint32_t found;
	/** Highest address for streaming DMA; 0 for a device without DMA. */
	uint64_t dma_mask;
	/** The same for coherent memory. */
	uint64_t coherent_mask;
	/** Highest address that its bus carries; 0: no limit. */
	uint64_t bus_limit;
	/** Largest segment in bytes. */
	uint64_t max_segment;
	/** No segment crosses a multiple of this + 1. */
	uint64_t segment_boundary;
	/** Segments that it takes for a buffer: 1, or UINT32_MAX for any. */
	uint32_t max_segments;
	/** enum bufalloc_iommu: the type of its IOMMU domain. */
	uint32_t iommu;
	/** Smallest page of the IOMMU in bytes; 0 without. */
	uint64_t iommu_granule;
	/** Name of its driver ("vivid"), terminated; may be empty. */
	char driver[32];
	/** Name of the device ("video0"), terminated; may be empty. */
	char name[64];
};

/** A device that a buffer is for, and what the device does to the memory. */
struct bufalloc_use {
	/**
	 * An open node of it. It is used during the call only: the caller keeps
	 * and closes it.
	 */
	int fd;
	/**
	 * BUFALLOC_WRITE for a camera, BUFALLOC_READ for a display. On a
	 * mem2mem node READ means its output queue, WRITE its capture queue.
	 */
	enum bufalloc_access access;
};

/** What became of one device; filled in by bufalloc_verdict_get_use(). */
struct bufalloc_use_result {
	/** enum bufalloc_proof of <linux/bufalloc.h>: how it is known. */
	uint32_t proof;
	/** DMA segments that it got; 0 if it was not mapped for DMA. */
	uint32_t segments;
	/** 0, or the negative errno of its last trial. */
	int error;
	/** enum bufalloc_reason of that. */
	uint32_t reason;
	/**
	 * "video0 (vivid)", or what file the descriptor is where no device is
	 * behind it.
	 */
	char label[BUFALLOC_LABEL_SIZE];
};

/** Options of bufalloc_alloc_for() and bufalloc_alloc_with(). */
enum bufalloc_alloc_for_flags {
	/** Do all of it, make the verdict, and free the buffer again. */
	BUFALLOC_DRY_RUN = 1,
};

/**
 * What bufalloc_alloc_with() can be told, besides the length. All that is 0 or
 * NULL is the default.
 */
struct bufalloc_alloc_options {
	/** sizeof(struct bufalloc_alloc_options); it grows at its end. */
	size_t size;
	/** As for bufalloc_alloc_for(), like what follows up to count. */
	enum bufalloc_heap heap;
	unsigned int flags;
	const char *name;
	const struct bufalloc_use *uses;
	size_t count;
	/**
	 * enum bufalloc_attr bits. What this machine cannot honour is left out,
	 * and bufalloc_verdict_get_attributes() tells.
	 */
	uint64_t attributes;
	/** Those of them without which the buffer is not wanted. */
	uint64_t required;
};

/**
 * Open the kernel module.
 *
 * path: the device node, or NULL for BUFALLOC_DEVICE. The string is not kept.
 * ctx: receives the context on success; destroy it with bufalloc_close().
 *
 * Returns 0, or
 * -ENOENT  the node does not exist: bufalloc.ko is not loaded
 * -ENXIO, -ENODEV  the node exists and no driver is behind it
 * -EACCES  no permission on the node: the user is not in its group (video)
 * -ENOTTY  the node is not bufalloc's: it does not answer as the module does
 * -EMFILE, -ENFILE, -ENOMEM  as open(2) and malloc(3)
 * -EPERM and others  as open(2)
 */
int
bufalloc_open_module(struct bufalloc_ctx **ctx, const char *path);

/**
 * Close the context. Buffers that were made with it stay valid.
 *
 * ctx: may be NULL.
 */
void
bufalloc_close(struct bufalloc_ctx *ctx);

/**
 * Ask what the module can do (BUFALLOC_IOCTL_INFO).
 *
 * Returns 0 and fills in *info, or -errno (-EFAULT, -EINVAL: see
 * <linux/bufalloc.h>; none is expected in practice).
 */
int
bufalloc_get_info(struct bufalloc_ctx *ctx, struct bufalloc_module_info *info);

/**
 * Allocate a buffer (BUFALLOC_IOCTL_ALLOC). Every byte of it is 0.
 *
 * length: in bytes, more than 0; rounded up to whole pages.
 * name: shown in /sys/kernel/debug/dma_buf/bufinfo and in fdinfo; at most 31
 *       bytes are used. NULL for "bufalloc". Not kept. It is there for people
 *       who debug: that the kernel does not take it is no failure.
 * buf: receives the buffer on success; destroy it with bufalloc_buf_destroy().
 *
 * The file descriptor is close-on-exec.
 *
 * Returns 0, or
 * -EINVAL  length is 0, or the heap is unknown
 * -EOPNOTSUPP  this kernel has no such heap
 * -ENOMEM  the memory ran out, or length is larger than all of it
 * -EDQUOT  the user's limit on contiguous and reserved memory is reached
 * -EMFILE, -ENFILE  no file descriptor is left
 * -EINTR  a fatal signal
 */
int
bufalloc_alloc_bytes(struct bufalloc_ctx *ctx, uint64_t length,
		     enum bufalloc_heap heap, const char *name,
		     struct bufalloc_buf **buf);

/**
 * Ask what a device can use (BUFALLOC_IOCTL_DEVICE_INFO).
 *
 * fd: an open node of the device (/dev/video0, /dev/dri/card0). Having it open
 *     is the permission to ask. It stays the caller's.
 * access: what the device does to the memory.
 *
 * Returns 0 and fills in *info, or
 * -EBADF  fd is not open
 * -EINVAL  access has no bit, or one that is unknown, or both where a mem2mem
 *          node's two queues have two devices: ask for one access at a time
 * -ENODEV  fd is no device of a kind that bufalloc knows (or the module that
 *          knows it, bufalloc-v4l2.ko or bufalloc-drm.ko, is not loaded), or
 *          the device was unbound from its driver
 * -ENXIO  the node is no device itself (a subdevice, media, VBI, radio, SDR or
 *         touch node), or the device has no DMA and needs none
 * -EOPNOTSUPP  the device takes no dma-buf
 * -ENOTTY  bufalloc.ko is older than this call
 */
int
bufalloc_get_device_info(struct bufalloc_ctx *ctx, int fd,
			 enum bufalloc_access access,
			 struct bufalloc_dev_info *info);

/**
 * Allocate a buffer that every one of several devices can use
 * (BUFALLOC_IOCTL_ALLOC), or say which device refuses what. Before the call
 * returns, the buffer was mapped for each of them. Every byte of it is 0.
 *
 * length, name: as for bufalloc_alloc_bytes().
 * heap: BUFALLOC_AUTO for the cheapest one that will do, or the only one that
 *       is tried.
 * uses: count devices, at most 16; NULL if count is 0. Not kept. The same
 *       device twice does no harm.
 * flags: 0 or BUFALLOC_DRY_RUN.
 * buf: receives the buffer on success; destroy it with bufalloc_buf_destroy().
 *      Not written, and may be NULL, with BUFALLOC_DRY_RUN.
 * verdict: NULL, or receives the verdict of success and of failure alike;
 *          destroy it with bufalloc_verdict_destroy(). In contrast to all other
 *          out parameters it is always written: with NULL if there was not
 *          enough memory for a verdict, or count is too large.
 *
 * The file descriptor is close-on-exec.
 *
 * Returns 0, or
 * -EINVAL  length is 0, the heap or a flag is unknown, or the access of a
 *          device is not valid
 * -E2BIG  more than 16 devices; or bufalloc.ko is older than this call
 * -EBADF  the fd of a device is not open
 * -ENODEV, -ENXIO, -EOPNOTSUPP  one is no device that can be used, see
 *          bufalloc_get_device_info(); -EOPNOTSUPP also: this kernel has no
 *          such heap
 * -ENOSPC  no heap can satisfy what the devices need, however much memory is
 *          free
 * -ENOMEM, -EDQUOT, -EMFILE, -ENFILE, -EINTR  as bufalloc_alloc_bytes()
 */
int
bufalloc_alloc_for(struct bufalloc_ctx *ctx, uint64_t length,
		   enum bufalloc_heap heap, const char *name,
		   const struct bufalloc_use *uses, size_t count,
		   unsigned int flags, struct bufalloc_buf **buf,
		   struct bufalloc_verdict **verdict);

/**
 * Allocate a buffer with everything that can be asked for: what
 * bufalloc_alloc_for() does, with attributes.
 *
 * length, buf, verdict: as for bufalloc_alloc_for().
 * options: not kept; NULL for all defaults.
 *
 * Returns 0, or what bufalloc_alloc_for() returns, and
 * -EINVAL  also: an attribute is unknown, two exclude each other, one is required
 *          and not in attributes, or options->size is too small
 * -E2BIG  also: options is of a newer version of this library, and something is
 *         set in it that this one does not know; or bufalloc.ko is older than
 *         attributes
 * -EOPNOTSUPP  also: an attribute is required that this machine cannot honour
 * -ENOSPC  also: a device cannot use a buffer with such attributes
 */
int
bufalloc_alloc_with(struct bufalloc_ctx *ctx, uint64_t length,
		    const struct bufalloc_alloc_options *options,
		    struct bufalloc_buf **buf,
		    struct bufalloc_verdict **verdict);

/**
 * Free a verdict and its text. It depends on neither context nor buffer.
 *
 * verdict: may be NULL.
 */
void
bufalloc_verdict_destroy(struct bufalloc_verdict *verdict);

/** 0, or the negative errno that the call returned. */
int
bufalloc_verdict_get_error(const struct bufalloc_verdict *verdict);

/**
 * The heap that was chosen; after a failure the one that was tried last, or
 * that was asked for if none was.
 */
enum bufalloc_heap
bufalloc_verdict_get_heap(const struct bufalloc_verdict *verdict);

/** Bit (1 << enum bufalloc_heap) for each heap that was tried. */
uint32_t
bufalloc_verdict_get_tried(const struct bufalloc_verdict *verdict);

/**
 * Why this heap, or why none: enum bufalloc_reason of <linux/bufalloc.h>. 0
 * for the cheapest heap, and for an error that no device has to do with.
 */
uint32_t
bufalloc_verdict_get_reason(const struct bufalloc_verdict *verdict);

/** Index of the device that decided or failed, in uses, or -1. */
int
bufalloc_verdict_get_device(const struct bufalloc_verdict *verdict);

/**
 * Bit (1 << index) for each device that it was because of together with
 * bufalloc_verdict_get_device(): what the one reaches has to be one range for
 * the other. 0: it was that one alone.
 */
uint32_t
bufalloc_verdict_get_with(const struct bufalloc_verdict *verdict);

/** Physical runs of the buffer; 0 after a failure. */
uint32_t
bufalloc_verdict_get_runs(const struct bufalloc_verdict *verdict);

/** enum bufalloc_attr bits that the buffer has; 0 after a failure. */
uint64_t
bufalloc_verdict_get_attributes(const struct bufalloc_verdict *verdict);

/** How many devices the buffer is for: count of bufalloc_alloc_for(). */
size_t
bufalloc_verdict_get_count(const struct bufalloc_verdict *verdict);

/**
 * What became of one device.
 *
 * index: its place in uses.
 *
 * Returns 0 and fills in *result, or -EINVAL: there is no such device.
 */
int
bufalloc_verdict_get_use(const struct bufalloc_verdict *verdict, size_t index,
			 struct bufalloc_use_result *result);

/**
 * The verdict in English, on one line: "contig was chosen because video0
 * (vivid) takes one segment and has no IOMMU; video0 (vivid): mapped, 1
 * segment; card0 (vkms): mapped", or "system cannot be used: video0 (vivid)
 * takes one segment, has no IOMMU and got 9; try heap auto". For people: it
 * changes between versions.
 *
 * Returns a string that belongs to the verdict; never NULL.
 */
const char *
bufalloc_verdict_text(const struct bufalloc_verdict *verdict);

/**
 * Unmap the buffer if it is mapped, close its file descriptor and free buf.
 * The memory itself is freed when the last holder of the dma-buf is gone. A
 * buffer of a pool goes back to it.
 *
 * buf: may be NULL.
 */
void
bufalloc_buf_destroy(struct bufalloc_buf *buf);

/**
 * The dma-buf file descriptor. It belongs to buf: use dup(2) to keep it for
 * longer.
 */
int
bufalloc_buf_get_fd(const struct bufalloc_buf *buf);

/** Length in bytes, whole pages. */
uint64_t
bufalloc_buf_get_length(const struct bufalloc_buf *buf);

/**
 * Ask what a dma-buf of bufalloc's is (BUFALLOC_IOCTL_BUFFER_INFO).
 *
 * fd: a dma-buf file descriptor; not necessarily made by this process.
 *
 * Returns 0 and fills in *info, or
 * -EBADF  fd is not open
 * -EINVAL  fd is not a dma-buf
 * -EOPNOTSUPP  fd is a dma-buf of another exporter
 */
int
bufalloc_get_buf_info(struct bufalloc_ctx *ctx, int fd,
		      struct bufalloc_buf_info *info);

/**
 * Map the whole buffer for the CPU, readable and writable, and begin CPU
 * access (DMA_BUF_SYNC_START). All dma-bufs of a buffer that consists of several
 * are mapped, each by itself: see bufalloc_buf_get_memory_ptr(). It may be mapped
 * again while it is, also by other threads: the addresses are the same, and
 * bufalloc_buf_unmap() is called as often.
 *
 * access: what the CPU will do with the contents.
 * ptr: receives the address of the first dma-buf; valid until
 *      bufalloc_buf_unmap() or _destroy().
 *
 * Returns 0, or -EACCES (it is BUFALLOC_NEVER_CPU), -EINVAL (access),
 * -ENOMEM, or what DMA_BUF_IOCTL_SYNC returned. EINTR and EAGAIN of the latter
 * are retried.
 */
int
bufalloc_buf_map(struct bufalloc_buf *buf, enum bufalloc_access access,
		 void **ptr);

/**
 * Undo one bufalloc_buf_map(); the last one ends CPU access (DMA_BUF_SYNC_END)
 * and unmaps.
 *
 * It ends the accesses that have begun, by bufalloc_buf_map() or _begin(), and
 * have not been ended by bufalloc_buf_end().
 *
 * Returns 0, -EINVAL (not mapped), or what DMA_BUF_IOCTL_SYNC returned; the
 * buffer is unmapped in any case. EINTR and EAGAIN are retried.
 */
int
bufalloc_buf_unmap(struct bufalloc_buf *buf);

/**
 * Begin, and end, another CPU access through a mapping that is kept: the
 * cheaper way for a buffer that goes back and forth between CPU and devices.
 * Not needed between bufalloc_buf_map() and bufalloc_buf_unmap() as long as
 * no device touches the buffer.
 *
 * Returns 0, -EINVAL (access), or what DMA_BUF_IOCTL_SYNC returned. EINTR and
 * EAGAIN are retried.
 */
int
bufalloc_buf_begin(struct bufalloc_buf *buf, enum bufalloc_access access);

int
bufalloc_buf_end(struct bufalloc_buf *buf, enum bufalloc_access access);

/**
 * Name of a heap ("auto", "system", "contig", "reserved", "device", "user"),
 * or NULL if unknown. Static storage.
 */
const char *
bufalloc_heap_name(enum bufalloc_heap heap);

/**
 * The heap of that name.
 *
 * Returns 0 and sets *heap, or -EINVAL if no heap is called so.
 */
int
bufalloc_heap_from_name(const char *name, enum bufalloc_heap *heap);

/**
 * Name of one attribute ("never-cpu"), or NULL if it is unknown or not one
 * bit. Static storage.
 */
const char *
bufalloc_attr_name(uint64_t attribute);

/**
 * The attribute of that name.
 *
 * Returns 0 and sets *attribute to one bit, or -EINVAL if none is called so.
 */
int
bufalloc_attr_from_name(const char *name, uint64_t *attribute);

/**
 * One English sentence for an error of bufalloc_open_module() and
 * the other calls: what is wrong and what to do about it. Static storage;
 * never NULL. err may be negative or positive.
 *
 * It depends on the error alone. bufalloc_open_strerror() and
 * bufalloc_alloc_strerror() know more.
 */
const char *
bufalloc_strerror(int err);

/**
 * Write one sentence about a failed bufalloc_open_module(): which node, what is
 * wrong with it, what to do (how to load the module, which group to join).
 *
 * path: as given to bufalloc_open_module(), err: what that returned.
 * text, size: always terminated if size is not 0.
 *
 * Returns the length that the whole sentence has, as snprintf(3).
 */
int
bufalloc_open_strerror(const char *path, int err, char *text, size_t size);

/**
 * Write one sentence about a failed bufalloc_alloc_bytes(): how much was asked
 * of which heap, which limit it met (with the figures that the module gives), what
 * to do.
 *
 * ctx, length, heap: as given to bufalloc_alloc_bytes(), err: what that returned.
 *
 * Returns the length that the whole sentence has, as snprintf(3).
 */
int
bufalloc_alloc_strerror(struct bufalloc_ctx *ctx, uint64_t length,
			enum bufalloc_heap heap, int err, char *text,
			size_t size);

#ifdef __cplusplus
}
#endif

#endif /* BUFALLOC_BUFALLOC_H */
