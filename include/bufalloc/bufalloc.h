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
 *   is left allocated.
 * - Objects are opaque. Each has one function that destroys it, which accepts
 *   NULL.
 * - A context and a buffer may be used from several threads, but one object
 *   from one thread at a time.
 * - No function is safe to call from a signal handler.
 */
#ifndef BUFALLOC_BUFALLOC_H
#define BUFALLOC_BUFALLOC_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/** The device node that bufalloc.ko makes. */
#define BUFALLOC_DEVICE "/dev/bufalloc"

/** Version of this header. */
#define BUFALLOC_VERSION_MAJOR 0
#define BUFALLOC_VERSION_MINOR 1
#define BUFALLOC_VERSION_PATCH 0

/** A connection to the kernel module. */
struct bufalloc_ctx;

/** One buffer: a dma-buf file descriptor and what is known about it. */
struct bufalloc_buf;

/** Where the pages of a buffer come from. */
enum bufalloc_heap {
	/**
	 * Pages from anywhere. For devices behind an IOMMU and for importers
	 * that read and write through the CPU (vivid, vkms, UVC cameras).
	 */
	BUFALLOC_SYSTEM = 0,
	/**
	 * One physical range, below 4 GiB. For devices that take one DMA segment
	 * and have no IOMMU (most V4L2 and DRM drivers of embedded SoCs).
	 */
	BUFALLOC_CONTIG = 1,
};

/** What the CPU is about to do, for bufalloc_buf_begin() and _end(). */
enum bufalloc_access {
	BUFALLOC_READ = 1,
	BUFALLOC_WRITE = 2,
	BUFALLOC_READ_WRITE = BUFALLOC_READ | BUFALLOC_WRITE,
};

/** What the module can do; filled in by bufalloc_get_info(). */
struct bufalloc_module_info {
	/** Version of the module: (major << 16) | (minor << 8) | patch. */
	uint32_t version;
	/** Bit (1 << enum bufalloc_heap) for each heap that is there. */
	uint32_t heaps;
	/** Largest length in bytes that can be asked for. */
	uint64_t max_length;
	/** Bytes of contiguous memory that this user may hold at once. */
	uint64_t contig_limit;
	/** Bytes of it that this user holds now. */
	uint64_t contig_used;
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
	/** Cache syncs done so far. */
	uint64_t syncs;
	/** Nanoseconds that the allocation took, zeroing included. */
	uint64_t alloc_ns;
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
bufalloc_open(struct bufalloc_ctx **ctx, const char *path);

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
 * -EDQUOT  the user's limit on contiguous memory is reached
 * -EMFILE, -ENFILE  no file descriptor is left
 * -EINTR  a fatal signal
 */
int
bufalloc_alloc(struct bufalloc_ctx *ctx, uint64_t length,
	       enum bufalloc_heap heap, const char *name,
	       struct bufalloc_buf **buf);

/**
 * Unmap the buffer if it is mapped, close its file descriptor and free buf.
 * The memory itself is freed when the last holder of the dma-buf is gone.
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
 * access (DMA_BUF_SYNC_START). Only one mapping at a time.
 *
 * access: what the CPU will do with the contents.
 * ptr: receives the address; valid until bufalloc_buf_unmap() or _destroy().
 *
 * Returns 0, or -EBUSY (already mapped), -EINVAL (access), -ENOMEM, or what
 * DMA_BUF_IOCTL_SYNC returned. EINTR and EAGAIN of the latter are retried.
 */
int
bufalloc_buf_map(struct bufalloc_buf *buf, enum bufalloc_access access,
		 void **ptr);

/**
 * End CPU access (DMA_BUF_SYNC_END) and unmap.
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

/** Name of a heap ("system", "contig"), or NULL if unknown. Static storage. */
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
 * One English sentence for an error of bufalloc_open(), bufalloc_alloc() and
 * the other calls: what is wrong and what to do about it. Static storage;
 * never NULL. err may be negative or positive.
 *
 * It depends on the error alone. bufalloc_open_strerror() and
 * bufalloc_alloc_strerror() know more.
 */
const char *
bufalloc_strerror(int err);

/**
 * Write one sentence about a failed bufalloc_open(): which node, what is wrong
 * with it, what to do (how to load the module, which group to join).
 *
 * path: as given to bufalloc_open(), err: what that returned.
 * text, size: always terminated if size is not 0.
 *
 * Returns the length that the whole sentence has, as snprintf(3).
 */
int
bufalloc_open_strerror(const char *path, int err, char *text, size_t size);

/**
 * Write one sentence about a failed bufalloc_alloc(): how much was asked of
 * which heap, which limit it met (with the figures that the module gives), what
 * to do.
 *
 * ctx, length, heap: as given to bufalloc_alloc(), err: what that returned.
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
