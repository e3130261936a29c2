/* SPDX-License-Identifier: MIT */
/*
 * Pools: buffers of one request that are used again and again.
 *
 * Include <bufalloc/bufalloc.h>, which has the conventions and includes this.
 *
 * All calls but bufalloc_pool_destroy() may be made by several threads at once.
 * After fork(2) a pool is the parent's: the child may use the buffers that were
 * acquired before, and calls nothing of the pool.
 */
#ifndef BUFALLOC_POOL_H
#define BUFALLOC_POOL_H

#include <bufalloc/types.h>
#include <bufalloc/request.h>

#ifdef __cplusplus
extern "C" {
#endif

/** How many buffers a pool has at most. */
#define BUFALLOC_POOL_MAX 256

struct bufalloc_pool;

/** What happened in a pool so far. */
struct bufalloc_pool_stats {
	/** sizeof(struct bufalloc_pool_stats); it grows at its end. */
	size_t size;
	/** Buffers that there are now: those that are out, and the others. */
	uint32_t count;
	/** Those that are acquired. */
	uint32_t out;
	/** Those that are back and wait for a fence. */
	uint32_t waiting;
	/** The most that were out at once. */
	uint32_t max_out;
	/** Buffers that were acquired. */
	uint64_t acquired;
	/** Of these, those that were used before. */
	uint64_t recycled;
	/** Buffers that were allocated, and freed. */
	uint64_t allocated;
	uint64_t freed;
	/** Calls of bufalloc_pool_acquire() that had to wait. */
	uint64_t waits;
	/** Allocations that failed for lack of memory. */
	uint64_t failures;
};

/**
 * Make a pool of buffers for a request. The first is allocated and tried as by
 * bufalloc_alloc(); the others have its layout, and its memory where there is
 * enough: they are tried too where the devices are free.
 *
 * ctx: outlives the pool.
 * req: not kept; its devices stay open as long as the pool is there.
 * min: buffers that are allocated now, and stay; with 0 one is allocated.
 * max: buffers that there may be, at least 1 and min, at most BUFALLOC_POOL_MAX.
 * pool: receives the pool on success; destroy it with bufalloc_pool_destroy().
 * verdict: as for bufalloc_alloc(): of the first buffer, or of the one that could
 *          not be allocated. NULL if nothing was tried.
 *
 * Returns 0, or what bufalloc_alloc() returns, and
 * -EINVAL  also: min or max is not as above, or the request has
 *          BUFALLOC_REQUEST_DRY_RUN
 */
int
bufalloc_pool_new(struct bufalloc_ctx *ctx, const struct bufalloc_request *req,
		  uint32_t min, uint32_t max, struct bufalloc_pool **pool,
		  struct bufalloc_verdict **verdict);

/**
 * Free the buffers that are not acquired. Those that are stay valid, and are
 * freed when they are released (or destroyed): bufalloc_pool_release() may be
 * called for them still, and is the only call that may.
 *
 * pool: may be NULL.
 */
void
bufalloc_pool_destroy(struct bufalloc_pool *pool);

/**
 * Take a buffer: the one that was released last, a new one, or one that somebody
 * releases meanwhile. A buffer whose fence has not signaled is not taken.
 *
 * Its contents are what its last user left: the pool is the owner, and zeroes
 * only what is new.
 *
 * timeout_ms: 0 does not wait, a negative one waits for ever. Allocations are
 *             not interrupted by it.
 * buf: receives the buffer on success; give it back with
 *      bufalloc_pool_release().
 *
 * If there is no memory for a new buffer the pool stays as large as it is, and
 * this is waited for like the others; only a pool without any fails.
 *
 * Returns 0, or
 * -EAGAIN  timeout_ms is 0 and no buffer is free
 * -ETIMEDOUT  no buffer became free in time
 * -ENOMEM, -EDQUOT, -ENOSPC  there is no buffer, and none can be allocated
 * and what bufalloc_alloc() returns for other reasons than memory
 */
int
bufalloc_pool_acquire(struct bufalloc_pool *pool, int timeout_ms,
		      struct bufalloc_buf **buf);

/**
 * Give a buffer back. CPU accesses to it that have begun are ended, and its
 * mapping goes. bufalloc_buf_destroy() does the same without a fence.
 *
 * buf: the caller's no more, on success.
 * fence: a sync_file (or any descriptor that becomes readable) until which
 *        somebody still uses the buffer; it is the pool's on success. -1: none.
 *
 * Returns 0, or
 * -EINVAL  buf is not one that is acquired from this pool, or fence cannot be
 *          polled
 * -EBADF  fence is not open
 * -ENOMEM, -ENOSPC  with a fence only: as epoll_ctl(2)
 */
int
bufalloc_pool_release(struct bufalloc_pool *pool, struct bufalloc_buf *buf,
		      int fence);

/**
 * A descriptor that is readable while bufalloc_pool_acquire() would not have to
 * wait, for poll(2) and the like. It belongs to the pool; nothing is to be read
 * from it.
 */
int
bufalloc_pool_get_fd(const struct bufalloc_pool *pool);

/** The layout of all its buffers; it belongs to the pool. */
const struct bufalloc_layout *
bufalloc_pool_get_layout(const struct bufalloc_pool *pool);

/**
 * Free buffers that are not acquired, until min are left of all, and try again
 * to grow where there was no memory.
 *
 * Returns how many were freed.
 */
uint32_t
bufalloc_pool_trim(struct bufalloc_pool *pool);

/**
 * Fill in *stats, as much of it as stats->size says.
 *
 * Returns 0, or -EINVAL (stats->size is too small).
 */
int
bufalloc_pool_get_stats(struct bufalloc_pool *pool,
			struct bufalloc_pool_stats *stats);

#ifdef __cplusplus
}
#endif

#endif /* BUFALLOC_POOL_H */
