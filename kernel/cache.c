// SPDX-License-Identifier: GPL-2.0
/*
 * What the CPU's caches may hold of a buffer, so that a device which is not
 * cache coherent costs cache work only where that can change anything.
 *
 * A device reads what is in memory. Once the caches were written back for one
 * device, memory is up to date for all of them, until something writes through
 * the caches again. What can: a mapping into user space that may be written, a
 * driver's vmap, CPU access for writing that began and did not end, a coherent
 * device and a driver's own IOMMU domain (what they write may end in the CPU's
 * caches), a bounced mapping (the CPU copies back). Each is a *writer* as long
 * as it lasts. While there is one, and afterwards until the next write-back, the
 * caches count as dirty.
 *
 * What a device writes makes the caches stale, not dirty: that is undone by
 * dma_sync_single_for_cpu() and is no matter of this file.
 *
 * Without a lock where mmap and munmap come by, which would otherwise wait for
 * cache work with the process's mmap_lock held.
 */
#include <linux/kconfig.h>

#include "bufalloc_private.h"

/*
 * Do dma_sync_single_for_cpu() and the unmap drop stale cache lines? These two
 * do, because their CPUs load ahead (arch_sync_dma_for_cpu() in
 * arch/arm64/mm/dma-mapping.c; v7_dma_unmap_area in arch/arm/mm/cache-v7.S).
 * Elsewhere it can be the map that drops them (ARMv5, MIPS), so that a map must
 * not be left out after the CPU has read either.
 */
static bool stale_lines_are_dropped_later(void)
{
	return IS_ENABLED(CONFIG_ARM64) || IS_ENABLED(CONFIG_CPU_V7);
}

/* A new buffer was zeroed by the CPU. */
void bufalloc_cache_init(struct bufalloc_cache *cache)
{
	atomic_set(&cache->user_views, 0);
	atomic_set(&cache->user_writers, 0);
	atomic_set(&cache->writers, 0);
	atomic64_set(&cache->writes, 1);
	cache->written_back = 0;
	cache->open_writes = 0;
}

static void add(struct bufalloc_cache *cache, atomic_t *writers)
{
	atomic_inc(writers);
	atomic64_inc(&cache->writes);
}

static void remove(struct bufalloc_cache *cache, atomic_t *writers)
{
	atomic64_inc(&cache->writes);
	WARN_ON(atomic_dec_return(writers) < 0);
}

/* From now on user space has it mapped, and may write it, ... */
void bufalloc_cache_add_user(struct bufalloc_cache *cache, bool may_write)
{
	atomic_inc(&cache->user_views);
	if (may_write)
		add(cache, &cache->user_writers);
}

/* ... and now no longer. */
void bufalloc_cache_remove_user(struct bufalloc_cache *cache, bool may_write)
{
	if (may_write)
		remove(cache, &cache->user_writers);
	WARN_ON(atomic_dec_return(&cache->user_views) < 0);
}

/* From now on something else may write through the caches, ... */
void bufalloc_cache_add_writer(struct bufalloc_cache *cache)
{
	add(cache, &cache->writers);
}

/* ... and now no longer. */
void bufalloc_cache_remove_writer(struct bufalloc_cache *cache)
{
	remove(cache, &cache->writers);
}

/* CPU access for writing begins; under the buffer's lock, like what follows. */
void bufalloc_cache_begin_write(struct bufalloc_cache *cache)
{
	cache->open_writes++;
	bufalloc_cache_add_writer(cache);
}

/* It ends; user space may end what it never began. */
void bufalloc_cache_end_write(struct bufalloc_cache *cache)
{
	if (!cache->open_writes)
		return;
	cache->open_writes--;
	/* No more is written than what was written back at its end. */
	WARN_ON(atomic_dec_return(&cache->writers) < 0);
}

/*
 * All of the buffer is about to be written back. What this returns goes to
 * bufalloc_cache_written_back() afterwards: what was written meanwhile may
 * still be in the caches.
 */
u64 bufalloc_cache_before(struct bufalloc_cache *cache)
{
	return atomic64_read(&cache->writes);
}

void bufalloc_cache_written_back(struct bufalloc_cache *cache, u64 before)
{
	cache->written_back = before;
}

/*
 * Is there a writer, now, besides user space's mappings? User space says when it
 * writes, which is CPU access and counts as one.
 */
bool bufalloc_cache_has_writer(struct bufalloc_cache *cache)
{
	return atomic_read_acquire(&cache->writers);
}

/* Was something written that may still be in the caches only? */
bool bufalloc_cache_is_dirty(struct bufalloc_cache *cache)
{
	return bufalloc_cache_has_writer(cache) ||
	       atomic64_read(&cache->writes) != cache->written_back;
}

/* Is memory up to date, even if user space does not say when it writes? */
bool bufalloc_cache_is_clean(struct bufalloc_cache *cache)
{
	return stale_lines_are_dropped_later() &&
	       !atomic_read_acquire(&cache->user_writers) &&
	       !bufalloc_cache_is_dirty(cache);
}

/* Can anybody look at it without saying so? */
bool bufalloc_cache_is_watched(struct bufalloc_cache *cache)
{
	return atomic_read(&cache->user_views) ||
	       bufalloc_cache_has_writer(cache);
}
