// SPDX-License-Identifier: GPL-2.0
/*
 * From a set of devices to one buffer that all of them can use, or the reason
 * why there is none.
 */
#include <linux/err.h>
#include <linux/mm.h>
#include <linux/slab.h>

#include "bufalloc_private.h"
#include "resolver.h"

/*
 * Cheapest first. What was set aside for somebody comes last: only if nothing else
 * will do.
 */
static const u32 order[] = {
	BUFALLOC_HEAP_SYSTEM,
	BUFALLOC_HEAP_CONTIG,
	BUFALLOC_HEAP_RESERVED,
	BUFALLOC_HEAP_DEVICE,
};

static void conclude(struct bufalloc_alloc_verdict *verdict, int error, u32 reason,
		     int device)
{
	verdict->out_error = error;
	verdict->out_reason = reason;
	verdict->out_device = device < 0 ? BUFALLOC_NO_DEVICE : device;
	verdict->out_with_devices = 0;
}

/* It was not @verdict's device alone. */
static void conclude_with(struct bufalloc_alloc_verdict *verdict, int device)
{
	if (device >= 0 && device != verdict->out_device)
		verdict->out_with_devices |= 1U << device;
}

/*
 * Find the devices. On failure none is left, and the verdict says which fd it
 * was.
 */
static int get_endpoints(struct bufalloc_endpoint *endpoints,
			 struct bufalloc_alloc_device *devices, u32 count,
			 struct bufalloc_alloc_verdict *verdict)
{
	int i, ret;

	for (i = 0; i < count; i++) {
		ret = bufalloc_resolver_get(&endpoints[i], devices[i].fd,
					    devices[i].access);
		if (ret) {
			devices[i].out_error = ret;
			devices[i].out_reason = BUFALLOC_REASON_NOT_A_DEVICE;
			conclude(verdict, ret, BUFALLOC_REASON_NOT_A_DEVICE, i);
			while (i--)
				bufalloc_resolver_put(&endpoints[i]);
			return ret;
		}
	}
	return 0;
}

static void put_endpoints(struct bufalloc_endpoint *endpoints, u32 count)
{
	while (count--)
		bufalloc_resolver_put(&endpoints[count]);
}

/* Can there be such memory at all? Else the verdict says because of whom. */
static int check_conflicts(const struct bufalloc_merged *merged, u64 length,
			   struct bufalloc_alloc_verdict *verdict)
{
	/* Whole pages are mapped. */
	if (length <= U64_MAX - PAGE_SIZE)
		length = PAGE_ALIGN(length);
	switch (bufalloc_constraint_conflict(merged, length)) {
	case BUFALLOC_CONFLICT_LIMIT:
		conclude(verdict, -ENOSPC, BUFALLOC_REASON_ADDRESS,
			 merged->limit_by);
		return -ENOSPC;
	case BUFALLOC_CONFLICT_BOUNDARY:
		conclude(verdict, -ENOSPC, BUFALLOC_REASON_BOUNDARY,
			 merged->boundary_by);
		return -ENOSPC;
	case BUFALLOC_CONFLICT_VMAP:
		conclude(verdict, -ENOSPC, BUFALLOC_REASON_NEVER_CPU,
			 merged->vmap_by);
		return -ENOSPC;
	case BUFALLOC_CONFLICT_LENGTH:
		conclude(verdict, -ENOSPC, merged->need.longest_why,
			 merged->longest_by);
		return -ENOSPC;
	default:
		return 0;
	}
}

/* Every device must be able to use it. */
static int try_devices(struct bufalloc_buffer *buf,
		       struct bufalloc_endpoint *endpoints,
		       struct bufalloc_alloc_device *devices, u32 count,
		       struct bufalloc_alloc_verdict *verdict)
{
	int i, ret;

	for (i = 0; i < count; i++) {
		ret = bufalloc_device_try(buf, &endpoints[i], &devices[i]);
		if (ret) {
			conclude(verdict, ret, devices[i].out_reason, i);
			return ret;
		}
	}
	return 0;
}

/* Why not a cheaper heap? */
static void explain_heap(const struct bufalloc_merged *merged, u32 asked,
			 u32 chosen, struct bufalloc_alloc_verdict *verdict)
{
	if (asked != BUFALLOC_HEAP_AUTO)
		conclude(verdict, 0, BUFALLOC_REASON_CALLER, BUFALLOC_NOBODY);
	else if (chosen == order[0])
		conclude(verdict, 0, BUFALLOC_REASON_NONE, BUFALLOC_NOBODY);
	else if ((chosen == BUFALLOC_HEAP_RESERVED ||
		  chosen == BUFALLOC_HEAP_DEVICE) &&
		 verdict->out_reason != BUFALLOC_REASON_NONE)
		/* The other heap has said why, or the device that refused it. */
		verdict->out_error = 0;
	else if (merged->one_run_by >= 0)
		conclude(verdict, 0, BUFALLOC_REASON_ONE_SEGMENT,
			 merged->one_run_by);
	else if (merged->need.one_run)
		conclude(verdict, 0, BUFALLOC_REASON_CALLER, BUFALLOC_NOBODY);
	else if (verdict->out_reason == BUFALLOC_REASON_NONE)
		conclude(verdict, 0, BUFALLOC_REASON_ADDRESS, merged->limit_by);
	else
		/* A trial failed; it has said why. */
		verdict->out_error = 0;
}

/* The heap has no such memory: who needs it so? */
static void explain_failure(const struct bufalloc_merged *merged, int error,
			    struct bufalloc_alloc_verdict *verdict)
{
	u32 reason = error == -EDQUOT ? BUFALLOC_REASON_LIMIT :
		     error == -ENOSPC ? BUFALLOC_REASON_ADDRESS :
		     error == -ENOMEM ? BUFALLOC_REASON_MEMORY :
					BUFALLOC_REASON_NONE;
	int device = merged->limit_by >= 0 ? merged->limit_by :
					     merged->one_run_by;

	if (verdict->out_heap == BUFALLOC_HEAP_DEVICE) {
		if (!merged->need.own)
			reason = BUFALLOC_REASON_OWN_MEMORY;
		else if (error == -ENODEV)
			reason = BUFALLOC_REASON_UNBOUND;
		conclude(verdict, error, reason, merged->own_by);
		return;
	}
	/* Or who refused what the cheaper heap had. */
	if (device < 0)
		device = verdict->out_device;
	conclude(verdict, error, reason, device);
	if (device >= 0 && verdict->out_heap != BUFALLOC_HEAP_SYSTEM) {
		conclude_with(verdict, merged->one_run_by);
		conclude_with(verdict, merged->boundary_by);
	}
}

/* Is it one range, if the caller asked for that? The devices are tried. */
static int check_promises(struct bufalloc_buffer *buf,
			  struct bufalloc_alloc_verdict *verdict)
{
	if (!(buf->attributes & BUFALLOC_ATTRIBUTE_CONTIGUOUS) ||
	    bufalloc_buffer_is_one_range(buf))
		return 0;
	conclude(verdict, -ENOSPC, BUFALLOC_REASON_CALLER, BUFALLOC_NOBODY);
	return -ENOSPC;
}

/* One heap. ERR_PTR: the verdict says why not. */
static struct bufalloc_buffer *try_heap(u32 heap_id, u64 length,
					const struct bufalloc_merged *merged,
					struct bufalloc_endpoint *endpoints,
					struct bufalloc_alloc_device *devices,
					u32 count,
					struct bufalloc_alloc_verdict *verdict)
{
	struct bufalloc_buffer *buf;
	int ret;

	verdict->out_heap = heap_id;
	verdict->out_tried |= 1U << heap_id;
	buf = bufalloc_buffer_create(heap_id, length, merged->attributes,
				     &merged->need);
	if (IS_ERR(buf)) {
		explain_failure(merged, PTR_ERR(buf), verdict);
		return buf;
	}
	ret = check_promises(buf, verdict);
	if (!ret)
		ret = try_devices(buf, endpoints, devices, count, verdict);
	if (ret) {
		bufalloc_buffer_put(buf);
		return ERR_PTR(ret);
	}
	return buf;
}

static struct bufalloc_buffer *try_heaps(u32 asked, u64 length,
					 const struct bufalloc_merged *merged,
					 struct bufalloc_endpoint *endpoints,
					 struct bufalloc_alloc_device *devices,
					 u32 count,
					 struct bufalloc_alloc_verdict *verdict)
{
	struct bufalloc_buffer *buf = ERR_PTR(-ENOSPC);
	int i;

	for (i = 0; i < ARRAY_SIZE(order); i++) {
		const struct bufalloc_heap *heap;

		if (asked != BUFALLOC_HEAP_AUTO && asked != order[i])
			continue;
		heap = bufalloc_buffer_heap(order[i]);
		if (IS_ERR(heap)) {
			if (asked != BUFALLOC_HEAP_AUTO)
				return ERR_CAST(heap);
			continue;
		}
		/* A heap that the caller named is tried all the same. */
		if (asked == BUFALLOC_HEAP_AUTO && !heap->can(&merged->need))
			continue;
		buf = try_heap(order[i], length, merged, endpoints, devices,
			       count, verdict);
		if (!IS_ERR(buf)) {
			explain_heap(merged, asked, order[i], verdict);
			verdict->out_runs = buf->runs.orig_nents;
			verdict->out_attributes = buf->attributes;
			return buf;
		}
		/* Another heap helps with none of these. */
		if (buf == ERR_PTR(-EINTR) || buf == ERR_PTR(-ENODEV))
			return buf;
	}
	return buf;
}

/* What the verdict says until something is known. */
static void begin(struct bufalloc_alloc_verdict *verdict, u32 heap_id)
{
	conclude(verdict, -EINVAL, BUFALLOC_REASON_NONE, BUFALLOC_NOBODY);
	verdict->out_heap = heap_id;
	verdict->out_limit = BUFALLOC_ANY_ADDRESS;
	verdict->out_limit_device = BUFALLOC_NO_DEVICE;
}

static bool has_own_memory(const struct bufalloc_endpoint *endpoint)
{
	bool has;

	if (!endpoint->dev || bufalloc_resolver_lock(endpoint))
		return false;
	has = bufalloc_heap_device_has(endpoint->dev);
	bufalloc_resolver_unlock(endpoint);
	return has;
}

/* The one device that has memory of its own. */
static void find_owner(struct bufalloc_merged *merged,
		       struct bufalloc_endpoint *endpoints, u32 count)
{
	int i;

	for (i = 0; i < count; i++) {
		if (!has_own_memory(&endpoints[i]))
			continue;
		if (merged->need.own &&
		    merged->need.own->dev != endpoints[i].dev) {
			merged->need.own = NULL;
			merged->own_by = BUFALLOC_NOBODY;
			return;
		}
		merged->need.own = &endpoints[i];
		merged->own_by = i;
	}
}

/* What the devices need together, of a buffer with @attributes. */
static void merge_needs(struct bufalloc_merged *merged, u64 attributes,
			struct bufalloc_endpoint *endpoints, u32 count,
			struct bufalloc_alloc_verdict *verdict)
{
	struct bufalloc_need need;
	int i;

	bufalloc_constraint_init(merged);
	merged->need.unknown = !count;
	for (i = 0; i < count; i++) {
		bufalloc_device_need(&need, &endpoints[i]);
		bufalloc_constraint_merge(merged, &need, i);
	}
	bufalloc_constraint_merge_caller(merged, attributes);
	find_owner(merged, endpoints, count);
	if (merged->limit_by >= 0) {
		verdict->out_limit = merged->need.limit;
		verdict->out_limit_device = merged->limit_by;
	}
}

/*
 * Find the devices. Undone by close_devices(); NULL without devices, or an
 * ERR_PTR and a verdict that says why not.
 */
static struct bufalloc_endpoint *
open_devices(struct bufalloc_alloc_device *devices, u32 count,
	     struct bufalloc_alloc_verdict *verdict)
{
	struct bufalloc_endpoint *endpoints;
	int ret;

	if (!count)
		return NULL;
	endpoints = kcalloc(count, sizeof(*endpoints), GFP_KERNEL);
	if (!endpoints) {
		verdict->out_error = -ENOMEM;
		return ERR_PTR(-ENOMEM);
	}
	ret = get_endpoints(endpoints, devices, count, verdict);
	if (ret) {
		kfree(endpoints);
		return ERR_PTR(ret);
	}
	return endpoints;
}

static void close_devices(struct bufalloc_endpoint *endpoints, u32 count)
{
	put_endpoints(endpoints, count);
	kfree(endpoints);
}

static int check_args(u32 heap_id, u64 length,
		      struct bufalloc_alloc_verdict *verdict)
{
	const struct bufalloc_heap *heap;

	begin(verdict, heap_id);
	if (!length)
		return -EINVAL;
	if (heap_id == BUFALLOC_HEAP_AUTO)
		return 0;
	heap = bufalloc_buffer_heap(heap_id);
	if (IS_ERR(heap))
		verdict->out_error = PTR_ERR(heap);
	return PTR_ERR_OR_ZERO(heap);
}

static struct bufalloc_buffer *solve(u32 heap_id, u64 length, u64 attributes,
				     struct bufalloc_endpoint *endpoints,
				     struct bufalloc_alloc_device *devices,
				     u32 count,
				     struct bufalloc_alloc_verdict *verdict)
{
	struct bufalloc_merged merged;
	int ret;

	merge_needs(&merged, attributes, endpoints, count, verdict);
	ret = check_conflicts(&merged, length, verdict);
	if (ret)
		return ERR_PTR(ret);
	return try_heaps(heap_id, length, &merged, endpoints, devices, count,
			 verdict);
}

/*
 * As bufalloc_solve(), for devices that the caller has found: the endpoints stay
 * the caller's.
 */
struct bufalloc_buffer *
bufalloc_solve_endpoints(u32 heap_id, u64 length, u64 attributes,
			 struct bufalloc_endpoint *endpoints,
			 struct bufalloc_alloc_device *devices, u32 count,
			 struct bufalloc_alloc_verdict *verdict)
{
	int ret = check_args(heap_id, length, verdict);

	if (ret)
		return ERR_PTR(ret);
	return solve(heap_id, length, attributes, endpoints, devices, count,
		     verdict);
}

/*
 * Allocate a buffer of at least @length bytes that all @count devices can use,
 * from @heap_id or, with BUFALLOC_HEAP_AUTO, from the cheapest heap that will
 * do. It has all of @attributes. Fills in the out fields of @devices and
 * @verdict, also on failure.
 *
 * Return: the buffer, or an ERR_PTR with an errno of <uapi/linux/bufalloc.h>.
 */
struct bufalloc_buffer *bufalloc_solve(u32 heap_id, u64 length, u64 attributes,
				       struct bufalloc_alloc_device *devices,
				       u32 count,
				       struct bufalloc_alloc_verdict *verdict)
{
	struct bufalloc_endpoint *endpoints;
	struct bufalloc_buffer *buf;
	int ret;

	ret = check_args(heap_id, length, verdict);
	if (ret)
		return ERR_PTR(ret);
	endpoints = open_devices(devices, count, verdict);
	if (IS_ERR(endpoints))
		return ERR_CAST(endpoints);
	buf = solve(heap_id, length, attributes, endpoints, devices, count,
		    verdict);
	close_devices(endpoints, count);
	return buf;
}

/* Where the last byte of @runs is. */
static u64 last_address(struct sg_table *runs)
{
	struct scatterlist *run;
	u64 last = 0;
	int i;

	for_each_sgtable_sg(runs, run, i)
		last = max_t(u64, last,
			     bufalloc_run_phys(run) + run->length - 1);
	return last;
}

/*
 * Prove a buffer that there is for all devices; the verdict describes it. What a
 * device does not reach is not even tried: the DMA API would take its bounce
 * memory, and warn if the device does not reach that either.
 */
static int prove(struct bufalloc_buffer *buf,
		 const struct bufalloc_merged *merged,
		 struct bufalloc_endpoint *endpoints,
		 struct bufalloc_alloc_device *devices, u32 count,
		 struct bufalloc_alloc_verdict *verdict)
{
	int ret;

	if (last_address(&buf->runs) > merged->need.limit) {
		conclude(verdict, -ENOSPC, BUFALLOC_REASON_ADDRESS,
			 merged->limit_by);
		return -ENOSPC;
	}
	ret = try_devices(buf, endpoints, devices, count, verdict);
	if (ret)
		return ret;
	conclude(verdict, 0, BUFALLOC_REASON_CALLER, BUFALLOC_NOBODY);
	verdict->out_runs = buf->runs.orig_nents;
	verdict->out_attributes = buf->attributes;
	return 0;
}

/*
 * Make a buffer of the caller's memory from @addr on, @length bytes, both
 * multiples of PAGE_SIZE, that all @count devices can use; see
 * bufalloc_heap_user_create(). Fills in the out fields of @devices and @verdict,
 * also on failure.
 */
struct bufalloc_buffer *
bufalloc_solve_user(unsigned long addr, size_t length, bool read_only,
		    struct bufalloc_alloc_device *devices, u32 count,
		    struct bufalloc_alloc_verdict *verdict)
{
	struct bufalloc_endpoint *endpoints;
	struct bufalloc_merged merged;
	struct bufalloc_buffer *buf;
	u32 reason;
	int ret;

	begin(verdict, BUFALLOC_HEAP_USER);
	endpoints = open_devices(devices, count, verdict);
	if (IS_ERR(endpoints))
		return ERR_CAST(endpoints);
	merge_needs(&merged, 0, endpoints, count, verdict);
	ret = check_conflicts(&merged, length, verdict);
	if (ret) {
		buf = ERR_PTR(ret);
		goto out_close;
	}

	verdict->out_tried = 1U << BUFALLOC_HEAP_USER;
	buf = bufalloc_heap_user_create(addr, length, read_only, &reason);
	if (IS_ERR(buf)) {
		conclude(verdict, PTR_ERR(buf), reason, BUFALLOC_NOBODY);
		goto out_close;
	}
	ret = prove(buf, &merged, endpoints, devices, count, verdict);
	if (ret) {
		bufalloc_buffer_put(buf);
		buf = ERR_PTR(ret);
	}
out_close:
	close_devices(endpoints, count);
	return buf;
}

/*
 * Can all @count devices use @buf, which is NULL for a dma-buf of another
 * exporter? Of that nothing is known but whether there are such devices. Fills
 * in the out fields of @devices and @verdict.
 */
int bufalloc_solve_check(struct bufalloc_buffer *buf,
			 struct bufalloc_alloc_device *devices, u32 count,
			 struct bufalloc_alloc_verdict *verdict)
{
	struct bufalloc_endpoint *endpoints;
	struct bufalloc_merged merged;
	int ret = 0;

	begin(verdict, buf ? buf->heap_id : BUFALLOC_HEAP_AUTO);
	endpoints = open_devices(devices, count, verdict);
	if (IS_ERR(endpoints))
		return PTR_ERR(endpoints);
	if (buf) {
		merge_needs(&merged, buf->attributes, endpoints, count,
			    verdict);
		ret = check_conflicts(&merged, buf->length, verdict);
		if (!ret)
			ret = prove(buf, &merged, endpoints, devices, count,
				    verdict);
	} else {
		conclude(verdict, 0, BUFALLOC_REASON_CALLER, BUFALLOC_NOBODY);
	}
	close_devices(endpoints, count);
	return ret;
}
