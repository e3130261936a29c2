/* SPDX-License-Identifier: MIT */
/*
 * Pools. Who waits polls one descriptor: an epoll instance with an eventfd, which
 * is readable while a buffer is free or one may be allocated, and with the fences
 * of the buffers that are back too early.
 */
#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

#include "backend.h"
#include "buf.h"
#include "private.h"
#include "request.h"

struct slot {
	struct bufalloc_buf *buf; /* NULL: none is here */
	int fence;		  /* while idle; -1: none */
	bool is_out;
	bool was_out;
};

struct bufalloc_pool {
	struct bufalloc_ctx *ctx;
	struct bufalloc_request req;
	struct bufalloc_buf like; /* what the first one is */
	uint32_t min;
	uint32_t max;
	int epoll_fd;
	int event_fd;

	/* Held while one is allocated; taken without the other one held. */
	pthread_mutex_t grow_lock;

	pthread_mutex_t lock; /* protects what follows */
	bool is_ready; /* the eventfd is readable */
	bool is_closed;
	uint32_t limit; /* max, or as many as there was memory for */
	uint32_t count; /* buffers, and those that are being allocated */
	uint32_t idle_count;
	struct bufalloc_pool_stats stats;
	uint32_t *idle; /* slots, the one that came back last at the end */
	struct slot slots[];
};

static void
update_ready(struct bufalloc_pool *pool)
{
	bool ready = pool->count < pool->limit;
	uint64_t value = 1;
	uint32_t i;

	for (i = 0; i < pool->idle_count && !ready; i++) {
		ready = pool->slots[pool->idle[i]].fence < 0;
	}
	if (ready == pool->is_ready) {
		return;
	}
	/* Neither blocks, nor can it fail: the counter is 0 or 1. */
	if (ready) {
		(void)!write(pool->event_fd, &value, sizeof(value));
	} else {
		(void)!read(pool->event_fd, &value, sizeof(value));
	}
	pool->is_ready = ready;
}

static bool
has_signaled(int fence)
{
	struct pollfd fd = { .fd = fence, .events = POLLIN };

	return poll(&fd, 1, 0) == 1;
}

static void
drop_fence(struct bufalloc_pool *pool, struct slot *slot)
{
	if (slot->fence >= 0) {
		(void)epoll_ctl(pool->epoll_fd, EPOLL_CTL_DEL, slot->fence,
				NULL);
		close(slot->fence);
		slot->fence = -1;
		pool->stats.waiting--;
	}
}

static void
free_slot(struct bufalloc_pool *pool, struct slot *slot)
{
	drop_fence(pool, slot);
	private_buf_free(slot->buf);
	slot->buf = NULL;
	pool->count--;
	pool->stats.freed++;
}

static void
unidle(struct bufalloc_pool *pool, uint32_t i)
{
	pool->idle_count--;
	memmove(&pool->idle[i], &pool->idle[i + 1],
		(pool->idle_count - i) * sizeof(pool->idle[0]));
}

static void
count_out(struct bufalloc_pool *pool)
{
	pool->stats.acquired++;
	pool->stats.out++;
	if (pool->stats.out > pool->stats.max_out) {
		pool->stats.max_out = pool->stats.out;
	}
}

/* The idle buffer that came back last of those that nobody uses, or NULL. */
static struct bufalloc_buf *
take_idle(struct bufalloc_pool *pool)
{
	uint32_t i;

	for (i = pool->idle_count; i-- > 0;) {
		struct slot *slot = &pool->slots[pool->idle[i]];

		if (slot->fence >= 0 && !has_signaled(slot->fence)) {
			continue;
		}
		drop_fence(pool, slot);
		unidle(pool, i);
		pool->stats.recycled += slot->was_out;
		slot->is_out = true;
		slot->was_out = true;
		count_out(pool);
		update_ready(pool);
		return slot->buf;
	}
	return NULL;
}

/* A buffer for which count was raised already; it is out. */
static void
add_buf(struct bufalloc_pool *pool, struct bufalloc_buf *buf)
{
	uint32_t i = 0;

	while (pool->slots[i].buf != NULL) {
		i++;
	}
	pool->slots[i] = (struct slot){
		.buf = buf,
		.fence = -1,
		.is_out = true,
		.was_out = true,
	};
	buf->pool = pool;
	buf->slot = i;
	pool->stats.allocated++;
}

static uint32_t
existing(const struct bufalloc_pool *pool)
{
	return pool->stats.out + pool->idle_count;
}

static bool
is_shortage(int error)
{
	return error == -ENOMEM || error == -EDQUOT || error == -ENOSPC;
}

/*
 * Allocate one, for which count was raised. -EAGAIN: there is no memory, and
 * those that there are have to do.
 */
static int
grow(struct bufalloc_pool *pool, struct bufalloc_buf **buf_ptr)
{
	struct bufalloc_buf *buf = NULL;
	int ret;

	pthread_mutex_lock(&pool->grow_lock);
	ret = private_alloc_like(pool->ctx, &pool->req, &pool->like, &buf,
				 NULL);
	pthread_mutex_unlock(&pool->grow_lock);

	pthread_mutex_lock(&pool->lock);
	if (ret == 0) {
		add_buf(pool, buf);
		count_out(pool);
		*buf_ptr = buf;
	} else {
		pool->count--;
		if (is_shortage(ret)) {
			pool->stats.failures++;
			if (existing(pool) > 0) {
				pool->limit = existing(pool);
				ret = -EAGAIN;
			}
		}
	}
	update_ready(pool);
	pthread_mutex_unlock(&pool->lock);
	return ret;
}

static int64_t
now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* Until something may be free. deadline: negative for none. */
static int
wait_for_one(struct bufalloc_pool *pool, int64_t deadline)
{
	struct pollfd fd = { .fd = pool->epoll_fd, .events = POLLIN };
	int64_t left = -1;
	int ret;

	do {
		if (deadline >= 0) {
			left = deadline - now_ms();
			if (left < 0) {
				return -ETIMEDOUT;
			}
		}
		ret = poll(&fd, 1, (int)left);
	} while (ret < 0 && (errno == EINTR || errno == EAGAIN));

	if (ret < 0) {
		return -errno;
	}
	return ret == 0 ? -ETIMEDOUT : 0;
}

int
bufalloc_pool_acquire(struct bufalloc_pool *pool, int timeout_ms,
		      struct bufalloc_buf **buf_ptr)
{
	int64_t deadline = timeout_ms < 0 ? -1 : now_ms() + timeout_ms;
	bool has_waited = false;

	for (;;) {
		struct bufalloc_buf *buf;
		bool grows;
		int ret;

		pthread_mutex_lock(&pool->lock);
		buf = take_idle(pool);
		grows = buf == NULL && pool->count < pool->limit;
		if (grows) {
			pool->count++;
			update_ready(pool);
		} else if (buf == NULL && timeout_ms != 0 && !has_waited) {
			pool->stats.waits++;
			has_waited = true;
		}
		pthread_mutex_unlock(&pool->lock);

		if (buf != NULL) {
			*buf_ptr = buf;
			return 0;
		}
		if (grows) {
			ret = grow(pool, buf_ptr);
			if (ret != -EAGAIN) {
				return ret;
			}
		} else if (timeout_ms == 0) {
			return -EAGAIN;
		} else {
			ret = wait_for_one(pool, deadline);
			if (ret < 0) {
				return ret;
			}
		}
	}
}

static void
free_pool(struct bufalloc_pool *pool)
{
	if (pool->event_fd >= 0) {
		close(pool->event_fd);
	}
	if (pool->epoll_fd >= 0) {
		close(pool->epoll_fd);
	}
	pthread_mutex_destroy(&pool->lock);
	pthread_mutex_destroy(&pool->grow_lock);
	free(pool->idle);
	free(pool);
}

static int
watch_fence(struct bufalloc_pool *pool, int fence)
{
	struct epoll_event event = { .events = EPOLLIN };

	if (epoll_ctl(pool->epoll_fd, EPOLL_CTL_ADD, fence, &event) == 0) {
		return 0;
	}
	switch (errno) {
	case EBADF:
	case ENOMEM:
	case ENOSPC:
		return -errno;
	default:
		return -EINVAL;
	}
}

/* The buffer is nobody's yet: neither out nor idle. */
static int
take_back(struct bufalloc_pool *pool, struct bufalloc_buf *buf, int fence)
{
	struct slot *slot = &pool->slots[buf->slot];
	int ret = 0;

	pthread_mutex_lock(&pool->lock);
	if (!slot->is_out) {
		ret = -EINVAL;
	} else if (fence >= 0) {
		ret = watch_fence(pool, fence);
	}
	if (ret == 0) {
		slot->is_out = false;
		slot->fence = fence;
		pool->stats.waiting += fence >= 0;
	}
	pthread_mutex_unlock(&pool->lock);
	return ret;
}

int
bufalloc_pool_release(struct bufalloc_pool *pool, struct bufalloc_buf *buf,
		      int fence)
{
	bool is_last = false;
	int ret;

	if (buf->pool != pool) {
		return -EINVAL;
	}
	ret = take_back(pool, buf, fence < 0 ? -1 : fence);
	if (ret < 0) {
		return ret;
	}
	private_buf_unmap_all(buf);

	pthread_mutex_lock(&pool->lock);
	pool->stats.out--;
	if (pool->is_closed) {
		free_slot(pool, &pool->slots[buf->slot]);
		is_last = pool->count == 0;
	} else {
		pool->idle[pool->idle_count++] = buf->slot;
		update_ready(pool);
	}
	pthread_mutex_unlock(&pool->lock);
	if (is_last) {
		free_pool(pool);
	}
	return 0;
}

/* The buffers that are there from the beginning. */
static int
fill(struct bufalloc_pool *pool, struct bufalloc_verdict **verdict_ptr)
{
	uint32_t count = pool->min == 0 ? 1 : pool->min;
	uint32_t i;

	for (i = 0; i < count; i++) {
		struct bufalloc_verdict *verdict = NULL;
		struct bufalloc_buf *buf = NULL;
		int ret;

		ret = private_alloc_like(pool->ctx, &pool->req,
					 i == 0 ? NULL : &pool->like, &buf,
					 verdict_ptr == NULL ? NULL : &verdict);
		if (verdict_ptr != NULL && (i == 0 || ret < 0)) {
			bufalloc_verdict_destroy(*verdict_ptr);
			*verdict_ptr = verdict;
		} else {
			bufalloc_verdict_destroy(verdict);
		}
		if (ret < 0) {
			return ret;
		}
		if (i == 0) {
			pool->like = *buf;
			pool->like.memory_count = 0;
		}
		pool->count++;
		add_buf(pool, buf);
		pool->slots[buf->slot].is_out = false;
		pool->slots[buf->slot].was_out = false;
		pool->idle[pool->idle_count++] = buf->slot;
	}
	return 0;
}

static struct bufalloc_pool *
new_pool(uint32_t max)
{
	struct bufalloc_pool *pool;

	pool = calloc(1, sizeof(*pool) + max * sizeof(pool->slots[0]));
	if (pool == NULL) {
		return NULL;
	}
	pool->epoll_fd = -1;
	pool->event_fd = -1;
	pthread_mutex_init(&pool->lock, NULL);
	pthread_mutex_init(&pool->grow_lock, NULL);
	pool->idle = calloc(max, sizeof(pool->idle[0]));
	if (pool->idle == NULL) {
		free_pool(pool);
		return NULL;
	}
	return pool;
}

static int
open_events(struct bufalloc_pool *pool)
{
	struct epoll_event event = { .events = EPOLLIN };

	pool->event_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (pool->event_fd < 0) {
		return -errno;
	}
	pool->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
	if (pool->epoll_fd < 0) {
		return -errno;
	}
	if (epoll_ctl(pool->epoll_fd, EPOLL_CTL_ADD, pool->event_fd, &event) <
	    0) {
		return -errno;
	}
	return 0;
}

int
bufalloc_pool_new(struct bufalloc_ctx *ctx, const struct bufalloc_request *req,
		  uint32_t min, uint32_t max, struct bufalloc_pool **pool_ptr,
		  struct bufalloc_verdict **verdict_ptr)
{
	struct bufalloc_pool *pool;
	int ret;

	if (verdict_ptr != NULL) {
		*verdict_ptr = NULL;
	}
	if (max == 0 || max > BUFALLOC_POOL_MAX || min > max ||
	    (req->flags & BUFALLOC_REQUEST_DRY_RUN) != 0) {
		return -EINVAL;
	}
	pool = new_pool(max);
	if (pool == NULL) {
		return -ENOMEM;
	}
	pool->ctx = ctx;
	pool->req = *req;
	pool->min = min;
	pool->max = max;
	pool->limit = max;
	ret = open_events(pool);
	if (ret == 0) {
		ret = fill(pool, verdict_ptr);
	}
	if (ret < 0) {
		bufalloc_pool_destroy(pool);
		return ret;
	}
	update_ready(pool);
	*pool_ptr = pool;
	return 0;
}

void
bufalloc_pool_destroy(struct bufalloc_pool *pool)
{
	bool is_last;

	if (pool == NULL) {
		return;
	}
	pthread_mutex_lock(&pool->lock);
	pool->is_closed = true;
	while (pool->idle_count > 0) {
		free_slot(pool, &pool->slots[pool->idle[--pool->idle_count]]);
	}
	is_last = pool->count == 0;
	pthread_mutex_unlock(&pool->lock);
	if (is_last) {
		free_pool(pool);
	}
}

int
bufalloc_pool_get_fd(const struct bufalloc_pool *pool)
{
	return pool->epoll_fd;
}

const struct bufalloc_layout *
bufalloc_pool_get_layout(const struct bufalloc_pool *pool)
{
	return &pool->like.layout;
}

uint32_t
bufalloc_pool_trim(struct bufalloc_pool *pool)
{
	uint32_t freed = 0;

	pthread_mutex_lock(&pool->lock);
	/* What was not used for longest goes first. */
	while (pool->idle_count > 0 && pool->count > pool->min) {
		free_slot(pool, &pool->slots[pool->idle[0]]);
		unidle(pool, 0);
		freed++;
	}
	pool->limit = pool->max;
	update_ready(pool);
	pthread_mutex_unlock(&pool->lock);
	return freed;
}

int
bufalloc_pool_get_stats(struct bufalloc_pool *pool,
			struct bufalloc_pool_stats *stats)
{
	size_t size = stats->size;

	if (size < sizeof(*stats)) {
		return -EINVAL;
	}
	pthread_mutex_lock(&pool->lock);
	*stats = pool->stats;
	stats->count = existing(pool);
	pthread_mutex_unlock(&pool->lock);
	stats->size = size;
	return 0;
}
